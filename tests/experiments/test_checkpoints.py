"""A run that stops and goes on is, to the last bit, the run that never stopped; a bad checkpoint harms nobody."""

import errno
import json
import os
from dataclasses import replace

import numpy as np
import pytest

from adamcore import SGD, Adam, Averaged, LogisticRegression, NAdam, Nesterov, inverse_sqrt
from adamcore.experiments import get_experiment, run, streams, train
from adamcore.experiments import runner as engine
from adamcore.experiments.checkpoints import load_checkpoint, save_checkpoint
from adamcore.experiments.files import ABANDONED, StorageError
from adamcore.experiments.runner import Keeping, make_run
from adamcore.models import CNN, MLP, VAE

EPOCHS = 5
FIG1A = get_experiment("fig1a")


class Noisy(LogisticRegression):
    """Logistic regression with half of its inputs dropped at random, and a random start."""

    def init(self, rng):
        return rng.normal(size=self.layout.size).astype(self.dtype)

    def loss_and_grad(self, theta, batch, rng=None):
        x, y = batch
        return super().loss_and_grad(theta, (x if rng is None else x * (rng.random(x.shape) < 0.5), y))


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(70, 20)).astype(np.float32)
    return x, (x[:, 0] > 0).astype(int)


def trained(rule, data, epochs, source, history=None):
    model = Noisy(20, 2, l2=0.01)
    options = {"epochs": epochs, "batch_size": 16, "streams": source, "full_cost": True, "step_losses": True}
    return train(model, rule, data, history=history, **options)


RULES = [SGD(alpha=0.1), Nesterov(), Adam(alpha=inverse_sqrt(0.1)), NAdam(), Averaged(Adam()), Averaged(Adam(), None)]


@pytest.mark.parametrize("rule", RULES, ids=repr)
@pytest.mark.parametrize("stop", [0, 1, 4])
def test_a_run_goes_on_to_the_same_bits(tmp_path, data, rule, stop):
    whole = trained(rule, data, EPOCHS, streams(3))
    source = streams(3)
    save_checkpoint(tmp_path / "a.npz", "key", rule, trained(rule, data, stop, source), source, 1.5)
    resumed = streams(3)
    theta = Noisy(20, 2).init(streams(3).initialization)
    history, seconds = load_checkpoint(tmp_path / "a.npz", "key", rule, theta, resumed)
    assert seconds == 1.5
    assert len(history.epoch_cost) == stop
    history = trained(rule, data, EPOCHS, resumed, history)
    for name in ("epoch_cost", "epoch_objective", "first_losses", "step_losses", "full_cost", "start", "diverged_at"):
        assert getattr(history, name) == getattr(whole, name), name
    for name in ("theta", "t", *rule.slots, *rule.scalars):
        np.testing.assert_array_equal(getattr(history.state, name), getattr(whole.state, name))
    assert history.state.theta.dtype == np.float32


IMAGES = np.random.default_rng(0).random((70, 9, 9, 1)).astype(np.float32)
LABELS = np.arange(70) % 3
NETWORKS = {
    "MLP": (lambda: MLP((81, 20, 3), input_dropout=0.2, hidden_dropout=0.5), (IMAGES.reshape(70, -1), LABELS)),
    "CNN": (lambda: CNN((9, 9, 1), channels=(4,), hidden=8, input_dropout=0.2, hidden_dropout=0.5), (IMAGES, LABELS)),
    "VAE": (lambda: VAE(81, hidden=10, n_latent=2), (IMAGES.reshape(70, -1),)),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_with_noise_goes_on_to_the_same_bits(tmp_path, name):
    """In a new model, whose buffers are empty, as after a restart."""
    make, data = NETWORKS[name]
    rule, options = Adam(), {"batch_size": 32, "full_cost": True}
    whole = train(make(), rule, data, epochs=4, streams=streams(1), **options)
    source, resumed, model = streams(1), streams(1), make()
    stopped = train(make(), rule, data, epochs=2, streams=source, **options)
    save_checkpoint(tmp_path / "a.npz", "key", rule, stopped, source, 0.0)
    theta = model.init(streams(1).initialization)
    history, _ = load_checkpoint(tmp_path / "a.npz", "key", rule, theta, resumed)
    history = train(model, rule, data, epochs=4, streams=resumed, history=history, **options)
    assert (history.epoch_cost, history.full_cost) == (whole.epoch_cost, whole.full_cost)
    np.testing.assert_array_equal(history.state.theta, whole.state.theta)


@pytest.fixture
def saved(tmp_path, data):
    """A checkpoint after two epochs, and a function that reads it."""
    rule, source, path = Adam(), streams(0), tmp_path / "a.npz"
    save_checkpoint(path, "key", rule, trained(rule, data, 2, source), source, 0.0)
    theta = Noisy(20, 2).init(None or np.random.default_rng(0))

    def read(key="key", rule=rule, theta=theta):
        fresh = streams(0)
        before = [stream.bit_generator.state for stream in fresh]
        found = load_checkpoint(path, key, rule, theta, fresh)
        if found is None:
            assert [stream.bit_generator.state for stream in fresh] == before
        return found

    return path, read


def test_a_cut_checkpoint_is_set_aside(saved):
    path, read = saved
    content = path.read_bytes()
    for length in (0, 1, 100, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:length])
        with pytest.warns(UserWarning, match=r"a\.npz is damaged, or of another run .*set aside as a\.npz\.damaged"):
            assert read() is None
        assert not path.exists()
        assert path.with_name("a.npz.damaged").read_bytes() == content[:length]
    assert read() is None  # there is none: no warning


@pytest.mark.filterwarnings("ignore:.*is set aside")
def test_a_changed_byte_is_never_silently_wrong(saved, rng):
    path, read = saved
    content = path.read_bytes()
    path.write_bytes(content)
    good, _ = read()
    for position in rng.integers(len(content), size=300):
        damaged = bytearray(content)
        damaged[position] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        found = read()
        if found is not None:  # in a part of the archive that carries nothing
            assert found[0].epoch_cost == good.epoch_cost
            for name in ("theta", "m", "v"):
                np.testing.assert_array_equal(getattr(found[0].state, name), getattr(good.state, name))


@pytest.mark.parametrize("error", [MemoryError(), PermissionError(13, "Permission denied")], ids=repr)
def test_what_the_system_refuses_is_no_damage(saved, monkeypatch, error):
    path, read = saved
    content = path.read_bytes()

    def refuse(*arguments, **named):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(np, "load", refuse)
        with pytest.raises(type(error)):
            read()
    assert [each.name for each in path.parent.iterdir()] == ["a.npz"]
    assert path.read_bytes() == content
    assert read() is not None


def test_too_many_open_files_cost_no_checkpoint(saved):
    resource = pytest.importorskip("resource")
    path, read = saved
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.open(os.devnull, os.O_RDONLY)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
    try:
        with pytest.raises(OSError) as refused:
            read()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert refused.value.errno == errno.EMFILE
    assert [each.name for each in path.parent.iterdir()] == ["a.npz"]
    assert read() is not None


def test_a_checkpoint_that_leads_to_before_its_start_is_set_aside(saved):
    """The system calls that an invalid argument; the file is damaged all the same."""
    path, read = saved
    content = path.read_bytes()
    start = int.from_bytes(content[-6:-2], "little")  # where the list of contents begins, as its end has it
    path.write_bytes(content[:-6] + (start + 100).to_bytes(4, "little") + content[-2:])
    with pytest.warns(UserWarning, match="is set aside"):
        assert read() is None


def test_an_average_is_there_when_a_run_goes_on(tmp_path, data):
    for beta in (0.9, None):
        rule, source = Averaged(Adam(), beta), streams(0)
        history = trained(rule, data, 2, source)
        save_checkpoint(tmp_path / "a.npz", "key", rule, history, source, 0.0)
        theta = Noisy(20, 2).init(np.random.default_rng(0))
        found, _ = load_checkpoint(tmp_path / "a.npz", "key", rule, theta, streams(0))
        np.testing.assert_array_equal(found.state.theta_hat, history.state.theta_hat, strict=True)


def test_a_foreign_checkpoint_is_set_aside(saved):
    path, read = saved
    content = path.read_bytes()
    for wrong, message in (
        ({"key": "another"}, "its key is 'key', not 'another'"),
        ({"rule": Nesterov()}, "its state is 'Adam', not 'Nesterov'"),
        ({"theta": np.zeros(4, np.float32)}, r"is float32\(42,\), not float32\(4,\)"),
        ({"theta": np.zeros(42)}, "is float32.*, not float64"),
    ):
        path.write_bytes(content)
        with pytest.warns(UserWarning, match=message):
            assert read(**wrong) is None
    np.savez(path, about=np.array(json.dumps({"format": "other"})))
    with pytest.warns(UserWarning, match="is damaged"):
        assert read() is None
    np.savez(path, about=np.array({"an": "object"}, dtype=object))  # written with pickle, and never read so
    with pytest.warns(UserWarning, match="allow_pickle=False"):
        assert read() is None


def single_run(epochs=4, measures=()):
    size = replace(FIG1A.scale("smoke"), epochs=epochs, n_train=300)
    return next(run for run in replace(FIG1A, measures=measures).runs(size) if run.contender == "Adam")


def without_times(result):
    return {name: value for name, value in result.items() if "seconds" not in name}


@pytest.mark.parametrize("measures", [(), ("full_cost", "second_moment")])
def test_a_run_out_of_time_leaves_a_checkpoint_and_goes_on(tmp_path, measures, monkeypatch):
    single = single_run(measures=measures)
    whole = make_run("key", single)
    calls = []
    monkeypatch.setattr(Keeping, "time_is_up", lambda self: calls.append(1) or len(calls) == 3)
    assert make_run("key", single, Keeping(tmp_path)) is None  # asked at the start and after each epoch
    assert [path.name for path in tmp_path.iterdir()] == ["key.npz"]
    result = make_run("key", single, Keeping(tmp_path))
    assert without_times(result) == without_times(whole)
    assert len(result["epoch_seconds"]) == 4
    if measures:
        assert set(result["measures"]) > {"full_cost", "W/rms"}
        assert all(len(values) == 4 for values in result["measures"].values())


def test_checkpoints_are_written_only_now_and_then(tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr(engine, "save_checkpoint", lambda *arguments: written.append(arguments))
    make_run("key", single_run(), Keeping(tmp_path, every=1000))
    assert written == []
    make_run("key", single_run(), Keeping(tmp_path, every=0))
    assert len(written) == 3  # the result itself follows the last epoch


def test_a_damaged_checkpoint_costs_time_but_no_number(tmp_path):
    single = single_run()
    (tmp_path / "key.npz").write_bytes(b"not an archive")
    with pytest.warns(UserWarning, match="the run starts anew"):
        result = make_run("key", single, Keeping(tmp_path))
    assert without_times(result) == without_times(make_run("key", single))


def test_a_finished_run_leaves_its_record_alone(tmp_path):
    """No checkpoint, no temporary file; and those of a killed process go, but not those of one at work."""
    old, young = tmp_path / ".old.tmp", tmp_path / ".young.tmp"
    for path in (old, young):
        path.touch()
    os.utime(old, (0, os.stat(young).st_mtime - ABANDONED - 1))
    run(FIG1A, "smoke", seeds=1, folder=tmp_path, checkpoint_seconds=0)
    assert not old.exists()
    assert young.exists()
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json", ".json", ".json", ".tmp"]


def test_a_full_disk_is_said_in_words(tmp_path, monkeypatch):
    run(FIG1A, "smoke", seeds=1, folder=tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(*arguments, **named):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(StorageError, match=r"cannot write to .*No space left on device.*is intact.*Make room"):
        run(FIG1A, "smoke", seeds=2, folder=tmp_path, checkpoint_seconds=0)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
