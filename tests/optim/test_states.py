"""A state is open: what was done to it is looked at before a step changes anything, or a file is written."""

import dataclasses

import numpy as np
import pytest

from adamcore import AdaGrad, Adam, Averaged, NAdam, RMSProp, Trace, optim
from adamcore.optim import NotFiniteError, Schedule, save
from adamcore.optim.base import COMPILED_SIZE, SLICE

SIZES = [3, COMPILED_SIZE, 2 * SLICE]


def kept(s):
    return {name: value.copy() if isinstance(value, np.ndarray) else value for name, value in vars(s).items()}


def assert_refused(rule, s, message, g=None, kind=ValueError):
    """The step and the file are refused, for the reason given, and nothing has changed."""
    before = kept(s)
    for inplace in (False, True):
        with pytest.raises(kind, match=message):
            rule.step(s, np.ones_like(s.theta) if g is None else g, inplace=inplace)
    assert vars(s).keys() == before.keys()
    for name, value in before.items():
        np.testing.assert_array_equal(getattr(s, name), value, strict=isinstance(value, np.ndarray))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ["m", "v"])
@pytest.mark.parametrize(
    "replace",
    [
        lambda a: a[:-1],
        lambda a: np.append(a, 0.0),
        lambda a: a[:1],
        lambda a: a[:, np.newaxis],
        lambda a: a.astype(np.float32),
        lambda a: a.astype(int),
        lambda a: a.astype(">f8"),
        lambda a: a.tolist(),
        lambda a: a[0],
        lambda a: 0.0,
        lambda a: None,
    ],
    ids=["short", "long", "one", "column", "float32", "int", "big-endian", "list", "scalar", "number", "None"],
)
def test_a_slot_that_does_not_fit_theta(size, name, replace, tmp_path):
    rule = Adam()
    s = rule.init(np.ones(size))
    setattr(s, name, replace(getattr(s, name)))
    message = (
        rf"this state has {name} = .*; it must be an array like theta, of shape \({size},\) and dtype float64\.$"
    )
    with pytest.raises(ValueError, match=r"(?s)" + message):
        rule.step(s, np.ones(size), inplace=True)
    with pytest.raises(ValueError, match=r"(?s)" + message):
        save(tmp_path / "run.npz", rule, s)
    assert s.t == 0
    assert (s.theta == 1).all()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("theta", [[1.0, 2.0], None, np.ones(2, int), np.ones(2, np.float16)], ids=repr)
def test_a_theta_that_is_no_array_of_floats(theta):
    s = Adam().init(np.ones(2))
    s.theta = theta
    with pytest.raises(ValueError, match=r"this state has theta = .*; it must be a float32 or float64 array\.$"):
        Adam().step(s, np.ones(2))
    assert s.t == 0


@pytest.mark.parametrize(
    ("made_by", "rule", "missing"),
    [
        (RMSProp(), RMSProp(centered=True), "g_mean"),
        (RMSProp(), RMSProp(mu=0.9), "b"),
        (AdaGrad(), AdaGrad(mu=0.9), "b"),
        (Averaged(RMSProp()), Averaged(RMSProp(mu=0.9)), "b"),
    ],
    ids=repr,
)
def test_a_state_that_other_switches_made(made_by, rule, missing):
    message = (
        rf"this state has no {missing}, which {type(rule).__name__}\(.*\) keeps: make one with its init\(theta\)"
    )
    assert_refused(rule, made_by.init(np.ones(3)), message)


@pytest.mark.parametrize("name", ["m", "mu_product"])
def test_a_state_from_which_something_was_taken(name):
    s = NAdam().init(np.ones(3))
    delattr(s, name)
    assert_refused(NAdam(), s, f"this state has no {name}, which NAdam")


@pytest.mark.parametrize("t", [-1, 2.0, "1", None, True, np.int64(3)], ids=repr)
def test_t_that_counts_no_steps(t):
    """A numpy number would be worse than a wrong one: beta**t would turn float32 arrays into float64."""
    s = Adam().init(np.ones(3, np.float32))
    s.t = t
    assert_refused(Adam(), s, "this state has t = .*; it must be the number of steps taken, an int >= 0")


@pytest.mark.parametrize("s", [None, {}, np.ones(3), Adam], ids=repr)
def test_what_is_no_state(s):
    with pytest.raises(TypeError, match=r"(?s)s = .* is not a state: make one with Adam\(\.\.\.\)\.init\(theta\)\.$"):
        Adam().step(s, np.ones(3))


def test_a_wrapped_rules_state_is_no_other_wrapped_rules():
    s = Averaged(Adam()).init(np.ones(2))
    message = r"belongs to Averaged\(Adam\), not to Averaged\(RMSProp\): make one with Averaged\(\.\.\.\)\.init"
    assert_refused(Averaged(RMSProp()), s, message, kind=TypeError)


@pytest.mark.parametrize("size", SIZES)
def test_in_place_works_on_a_copy_of_arrays_that_are_read_only(size):
    rule, g = Adam(), np.linspace(-1, 1, size)
    expected, s = rule.init(np.ones(size)), rule.init(np.ones(size))
    held = s.m, s.v, s.theta
    for array in held:
        array.flags.writeable = False
    rule.step(expected, g)
    rule.step(s, g, inplace=True)
    for name in ("m", "v", "theta"):
        np.testing.assert_array_equal(getattr(s, name), getattr(expected, name))
    # Below the size from which on arrays are written to, the readable update binds new ones anyhow.
    assert [array[0] for array in held] == [0, 0, 1]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("rule", [Adam(), RMSProp(mu=0.9)], ids=lambda rule: type(rule).__name__)
def test_in_place_gives_each_array_memory_of_its_own(rule, size):
    expected, s = rule.init(np.ones(size)), rule.init(np.ones(size))
    for each, inplace in ((expected, False), (s, True)):
        each.theta = each.v = np.linspace(1, 2, size)
        rule.step(each, np.linspace(-1, 1, size), inplace=inplace)
    for name in ("theta", *rule.slots):
        np.testing.assert_array_equal(getattr(s, name), getattr(expected, name), err_msg=name)


@dataclasses.dataclass(frozen=True)
class Wild(Schedule):
    value: object

    def __call__(self, t):
        return self.value if t == 2 else 0.1


@pytest.mark.parametrize("value", [np.nan, np.inf, -0.1, None, "0.1", True, np.ones(2)], ids=repr)
@pytest.mark.parametrize("wrap", [lambda rule: rule, Averaged], ids=["Adam", "Averaged"])
def test_a_schedule_that_gives_no_step_size(value, wrap):
    rule = wrap(Adam(alpha=Wild(value)))
    s = rule.init(np.ones(3))
    rule.step(s, np.ones(3))
    assert_refused(rule, s, r"Adam: alpha = Wild\(.*\) gives .* at step 2; it must give a finite number >= 0\.$")


@pytest.mark.parametrize("wrap", [lambda rule: rule, Averaged], ids=["Adam", "Averaged"])
def test_a_schedule_beyond_all_floats(wrap):
    @dataclasses.dataclass(frozen=True)
    class Growing(Schedule):
        def __call__(self, t):
            return 10.0 ** (400 * (t - 1))

    for alpha, t in ((Growing(), 1), (optim.step_decay(0.1, every=1, factor=2.0), 1100)):
        rule = wrap(Adam(alpha=alpha))
        s = rule.init(np.ones(3))
        s.t = t
        assert_refused(rule, s, rf"Adam: alpha = .* gives inf at step {t + 1}; it must give a finite number >= 0\.$")


def test_a_schedule_of_numpy_numbers_keeps_the_dtype():
    @dataclasses.dataclass(frozen=True)
    class Loose(Schedule):
        def __call__(self, t):
            return np.float64(0.1)

    rule = optim.AdamW(alpha=Loose(), weight_decay=Loose())
    s = rule.init(np.ones(3, np.float32))
    rule.step(s, np.ones(3, np.float32))
    assert s.theta.dtype == np.float32


class TestTrace:
    def test_a_state_of_another_rule(self):
        with pytest.raises(TypeError, match="belongs to SGD, not to Adam"):
            Trace(Adam(), optim.SGD().init(np.ones(3)), [0])

    @pytest.mark.parametrize("coordinates", [[1.0], [True], ["1"], [None]], ids=repr)
    def test_coordinates_that_are_no_whole_numbers(self, coordinates):
        with pytest.raises(TypeError, match="Trace: coordinates must be whole numbers; got "):
            Trace(Adam(), Adam().init(np.ones(3)), coordinates)

    @pytest.mark.parametrize("shape", [(2,), (4,), (1, 3), ()])
    def test_a_gradient_of_another_shape(self, shape):
        trace = Trace(Adam(), Adam().init(np.ones(3)), [0])
        with pytest.raises(ValueError, match=r"gradient at step 1 has shape \(.*\), but theta has \(3,\)"):
            trace.record(np.ones(shape))
        assert trace.history == {}

    def test_a_gradient_that_is_not_finite(self):
        trace = Trace(Adam(), Adam().init(np.ones(3)), [0])
        with pytest.raises(NotFiniteError):
            trace.record(np.array([np.nan, 1.0, 1.0]))
        assert trace.history == {}

    def test_no_coordinates(self):
        trace = Trace(Adam(), Adam().init(np.ones(3)), [])
        trace.record(np.ones(3))
        assert trace.history["theta"].shape == (1, 0)
