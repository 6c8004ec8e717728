"""Saving and loading: a resumed run is bit-identical to one that was never stopped."""

import dataclasses
import json
import os
import pickle
import zipfile

import numpy as np
import pytest

from adamcore import SGD, Adam, AdamW, Averaged, Decayed, NAdam, inverse_sqrt, optim, warmup
from adamcore.optim import CheckpointError, load, save

RULES = [
    *(getattr(optim, name)() for name in optim.RULES),
    optim.RMSProp(centered=True, mu=0.9),
    Averaged(Adam(alpha=inverse_sqrt(0.1)), beta=0.9),
    Averaged(SGD(), beta=None),
    Decayed(NAdam(), weight_decay=warmup(0.1, 5)),
    AdamW(weight_decay=inverse_sqrt(0.1)),
]


@pytest.mark.parametrize("rule", RULES, ids=repr)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("stop", [0, 1, 7])
def test_resumed_is_uninterrupted_bit_for_bit(rule, dtype, stop, tmp_path):
    gradients = np.random.default_rng(0).normal(size=(12, 3, 2)).astype(dtype)
    whole = rule.init(np.ones((3, 2), dtype))
    for g in gradients:
        rule.step(whole, g)
    s = rule.init(np.ones((3, 2), dtype))
    for g in gradients[:stop]:
        rule.step(s, g)
    save(tmp_path / "run.npz", rule, s)
    loaded, s, rng = load(tmp_path / "run.npz", rule)
    assert (loaded, rng) == (rule, None)
    for g in gradients[stop:]:
        loaded.step(s, g)
    assert vars(s).keys() == vars(whole).keys()
    for name, value in vars(whole).items():
        np.testing.assert_array_equal(getattr(s, name), value, strict=True)


@pytest.mark.parametrize("bits", ["PCG64", "MT19937", "Philox", "SFC64", "PCG64DXSM"])
def test_the_generator_goes_on_where_it_was(bits, tmp_path):
    rng = np.random.Generator(getattr(np.random, bits)(3))
    rng.normal(size=5)
    save(tmp_path / "run.npz", SGD(), SGD().init(np.ones(1)), rng)
    np.testing.assert_array_equal(load(tmp_path / "run.npz").rng.normal(size=9), rng.normal(size=9))


@pytest.fixture
def file(tmp_path):
    rule = Adam()
    s = rule.init(np.ones(100))
    rule.step(s, np.ones(100))
    save(tmp_path / "run.npz", rule, s)
    return tmp_path / "run.npz"


def test_a_state_of_another_rule(tmp_path):
    with pytest.raises(TypeError, match=r"belongs to SGD, not to Adam: make one with Adam\(...\)"):
        save(tmp_path / "run.npz", Adam(), SGD().init(np.ones(2)))
    assert not list(tmp_path.iterdir())


def test_a_file_of_another_rule(file):
    with pytest.raises(CheckpointError, match=r"run.npz holds Adam\(alpha=0.001, .*not SGD\(alpha=0.01\)"):
        load(file, SGD())
    with pytest.raises(CheckpointError, match="holds Adam"):
        load(file, Adam(beta1=0.8))


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing.npz"):
        load(tmp_path / "nothing.npz")


@pytest.mark.parametrize("keep", [0, 1, 30, 0.5, 0.9, -1])
def test_truncated(file, keep):
    content = file.read_bytes()
    keep = int(keep * len(content)) if isinstance(keep, float) else keep
    file.write_bytes(content[:keep])
    why = r"\((EOFError|ValueError|BadZipFile): .*\)"
    message = rf"run.npz is not a checkpoint, or is damaged {why}\. Go on from an earlier one, or start again\.$"
    with pytest.raises(CheckpointError, match=message):
        load(file)


def test_every_damaged_byte_is_found_or_harmless(file):
    """No damage gives another state: an error, or the very same numbers."""
    content = file.read_bytes()
    good = load(file)
    rng = np.random.default_rng(0)
    for position in rng.choice(len(content), size=150, replace=False):
        damaged = bytearray(content)
        damaged[position] ^= 0x55
        file.write_bytes(damaged)
        try:
            found = load(file)
        except CheckpointError:
            continue
        assert found.rule == good.rule
        for name, value in vars(good.state).items():
            np.testing.assert_array_equal(getattr(found.state, name), value)


def doctored(file, **changes):
    """The same archive with members replaced, or left out where the change is None."""
    with np.load(file) as archive:
        members = {name: archive[name] for name in archive.files}
    members |= changes
    np.savez(file, **{name: value for name, value in members.items() if value is not None})


@pytest.mark.parametrize(
    "changes",
    [
        {"m": None},
        {"m": np.ones(99)},
        {"v": np.ones(100, np.float32)},
        {"extra": np.ones(100)},
        {"theta": np.ones(100, int), "m": np.ones(100, int), "v": np.ones(100, int)},
        {"about": np.array("{}")},
        {"about": np.array("no json")},
        {"about": np.array('{"format": "adamcore checkpoint 1", "rule": {"rule": "Sgd"}, "t": 1}')},
        {"about": None},
    ],
    ids=str,
)
def test_members_that_do_not_fit(file, changes):
    doctored(file, **changes)
    with pytest.raises(CheckpointError, match=r"run.npz is not a checkpoint, or is damaged"):
        load(file)


def test_the_error_says_what_the_arrays_are(file):
    doctored(file, v=np.ones(99, np.float32))
    with pytest.raises(CheckpointError, match=r"'m': \(\(100,\), 'float64'\), 'v': \(\(99,\), 'float32'\)"):
        load(file)


def test_another_format(file):
    doctored(file, about=np.array('{"format": "adamcore checkpoint 9"}'))
    with pytest.raises(CheckpointError, match="has the format 'adamcore checkpoint 9'; this version reads"):
        load(file)


def test_an_unknown_generator(file):
    """Its name is looked up in a list: no other member of numpy.random is called."""
    with np.load(file) as archive:
        about = json.loads(str(archive["about"]))
    doctored(file, about=np.array(json.dumps({**about, "rng": {"bit_generator": "seed"}})))
    with pytest.raises(CheckpointError, match="is damaged .*unknown generator 'seed'"):
        load(file)


@pytest.mark.parametrize("t", [-1, 1.5, 1.0, "1", True, None], ids=repr)
def test_a_number_of_steps_that_is_none(file, t):
    with np.load(file) as archive:
        about = json.loads(str(archive["about"]))
    doctored(file, about=np.array(json.dumps({**about, "t": t})))
    with pytest.raises(CheckpointError, match=r"is damaged \(ValueError: t = .* is no number of steps\)"):
        load(file)


@pytest.mark.parametrize(
    "rule",
    [
        {"rule": "Adam", "beta1": 1.5},
        {"rule": "Adam", "alpha": "0.1"},
        {"rule": "Adam", "gamma": 0.1},
        {"rule": "Averaged"},
        {"rule": "Averaged", "of": {"rule": "Averaged", "of": {"rule": "SGD"}}},
        {"rule": ["Adam"]},
        {"rule": "Adam", "alpha": {"schedule": "cosine", "alpha": 0.1}},
        {"rule": "Adam", "alpha": {"schedule": "cosine", "alpha": 0.1, "steps": 3, "restarts": 2}},
        ["Adam"],
        None,
    ],
    ids=str,
)
def test_a_rule_that_cannot_be(file, rule):
    with np.load(file) as archive:
        about = json.loads(str(archive["about"]))
    doctored(file, about=np.array(json.dumps({**about, "rule": rule})))
    with pytest.raises(CheckpointError, match=r"run.npz is not a checkpoint, or is damaged \((Value|Type)Error: "):
        load(file)


def test_a_folder(tmp_path):
    with pytest.raises(IsADirectoryError):
        load(tmp_path)


def test_a_file_that_may_not_be_read_is_not_called_damaged(file, monkeypatch):
    def refuse(path, **options):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(np, "load", refuse)
    with pytest.raises(PermissionError, match=r"run.npz"):
        load(file)


@pytest.mark.parametrize("error", [MemoryError(), OSError(24, "Too many open files")], ids=repr)
def test_what_the_system_refuses_is_not_called_damage(file, monkeypatch, error):
    def refuse(path, **options):
        raise error

    monkeypatch.setattr(np, "load", refuse)
    with pytest.raises(type(error)):
        load(file)


def test_an_archive_that_leads_to_before_its_start(file):
    """The system calls that an invalid argument; the file is damaged all the same."""
    content = file.read_bytes()
    start = int.from_bytes(content[-6:-2], "little")  # where the list of contents begins, as its end has it
    file.write_bytes(content[:-6] + (start + 100).to_bytes(4, "little") + content[-2:])
    with pytest.raises(CheckpointError, match=r"run.npz is not a checkpoint, or is damaged"):
        load(file)


def test_a_folder_that_does_not_exist(tmp_path):
    with pytest.raises(FileNotFoundError):
        save(tmp_path / "nowhere" / "run.npz", SGD(), SGD().init(np.ones(2)))


@dataclasses.dataclass(frozen=True)
class Mine(optim.Rule):
    def update(self, s, g):
        s.theta = s.theta - g


class Halving(optim.Schedule):
    def __call__(self, t):
        return 0.5**t

    def to_dict(self):
        return {"schedule": "cosine", "alpha": 1.0, "steps": 9}


def test_a_rule_that_a_file_could_not_bring_back_is_refused_before_anything_is_written(tmp_path):
    """Also one that has the name of a rule, or says that it is another schedule."""
    named_adam = type("Adam", (Mine,), {})
    for rule in (Mine(), named_adam(), Averaged(Mine()), SGD(alpha=Halving())):
        with pytest.raises(TypeError, match="a file can hold the rules and schedules of adamcore.optim, not "):
            save(tmp_path / "run.npz", rule, rule.init(np.ones(2)))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "rng",
    [3, np.random.RandomState(3), np.random.PCG64(3), type("PCG63", (np.random.PCG64,), {})(3)],
    ids=lambda rng: type(rng).__name__,
)
def test_a_generator_that_a_file_could_not_bring_back(tmp_path, rng):
    rng = np.random.Generator(rng) if type(rng).__name__ == "PCG63" else rng
    with pytest.raises(TypeError, match=r"rng = .* is not a numpy.random.Generator with one of PCG64, PCG64DXSM"):
        save(tmp_path / "run.npz", SGD(), SGD().init(np.ones(1)), rng)
    assert not list(tmp_path.iterdir())


def test_nothing_is_unpickled(tmp_path):
    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "sprung"),)

    np.savez(tmp_path / "run.npz", about=np.array([Trap()], dtype=object))
    with pytest.raises(CheckpointError):
        load(tmp_path / "run.npz")
    with zipfile.ZipFile(tmp_path / "other.npz", "w") as archive:
        archive.writestr("about.npy", pickle.dumps(Trap()))
    with pytest.raises(CheckpointError):
        load(tmp_path / "other.npz")
    assert not (tmp_path / "sprung").exists()


def test_a_failed_save_leaves_the_good_file(file, monkeypatch):
    before = file.read_bytes()

    def fail(temporary, path):
        # Beside the file, so that the move is of a name only; hidden; and its name says whose it is.
        folder, name = os.path.split(temporary)
        assert folder == str(path.parent)
        assert name.startswith(".run.npz-")
        assert name.endswith(".tmp")
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="no space"):
        save(file, Adam(), Adam().init(np.ones(100)))
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize("beta", [0.5, None])
def test_averaged_keeps_its_average_across_a_file(tmp_path, beta):
    rule = Averaged(SGD(alpha=0.1), beta)
    s = rule.init(np.ones(3, np.float32))
    save(tmp_path / "run.npz", rule, s)
    assert not hasattr(load(tmp_path / "run.npz").state, "theta_hat")  # of no iterates there is no mean
    for _ in range(3):
        rule.step(s, np.ones(3, np.float32))
    save(tmp_path / "run.npz", rule, s)
    loaded = load(tmp_path / "run.npz").state
    for name in ("theta_bar", "theta_hat"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(s, name), strict=True)


@pytest.mark.parametrize("umask", [0o022, 0o027, 0o077])
def test_who_may_read_a_file_is_the_umasks_to_say(tmp_path, umask):
    before = os.umask(umask)
    try:
        save(tmp_path / "run.npz", SGD(), SGD().init(np.ones(1)))
    finally:
        os.umask(before)
    assert (tmp_path / "run.npz").stat().st_mode & 0o777 == 0o666 & ~umask
