"""What every rule promises, over all rules at once."""

import dataclasses
import functools
from fractions import Fraction

import numpy as np
import pytest

from adamcore import optim
from adamcore.optim import Adam, NotFiniteError, Rule, State, inverse_sqrt
from adamcore.optim.base import SLICE

RULES = [getattr(optim, name)() for name in optim.RULES]
every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule).__name__)
both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])

ADAM = {"alpha": 0.001, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "bias_correction": True, "eps_place": "outside"}
DEFAULTS = {
    "SGD": {"alpha": 0.01},
    "Momentum": {"alpha": 0.01, "mu": 0.9, "form": "heavy_ball"},
    "Nesterov": {"alpha": 0.01, "mu": 0.9, "form": "heavy_ball"},
    "AdaGrad": {"alpha": 0.01, "eps": 1e-10, "initial": 0.0, "eps_place": "outside", "mu": 0.0},
    "RMSProp": {
        "alpha": 0.001,
        "rho": 0.9,
        "eps": 1e-8,
        "centered": False,
        "mu": 0.0,
        "form": "heavy_ball",
        "initial": 0.0,
        "eps_place": "outside",
    },
    "AdaDelta": {"alpha": 1.0, "rho": 0.95, "eps": 1e-6},
    "Adam": ADAM,
    "AdamL2": {**ADAM, "weight_decay": 0.01},
    "AdamW": {**ADAM, "weight_decay": 0.01, "decay_form": "library"},
    "AdaMax": {
        "alpha": 0.002,
        "beta1": 0.9,
        "beta2": 0.999,
        "eps": 0.0,
        "eps_place": "outside",
        "bias_correction": True,
    },
    "AMSGrad": {**ADAM, "bias_correction": False, "maximum": "raw"},
    "NAdam": {"alpha": 0.002, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "momentum_decay": 0.004},
    "RAdam": {
        "alpha": 0.001,
        "beta1": 0.9,
        "beta2": 0.999,
        "eps": 1e-8,
        "threshold": 4.0,
        "eps_place": "outside",
    },
    "Lion": {"alpha": 1e-4, "beta1": 0.9, "beta2": 0.99, "weight_decay": 0.0},
    "FadingAdam": {"alpha": 0.001, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "hold": 800, "fade": 200},
    "LayerAdam": {"alpha": 0.001, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "sizes": ()},
}


def run(rule: Rule, theta, gradients, *, inplace=False) -> State:
    s = rule.init(theta)
    for g in gradients:
        rule.step(s, g, inplace=inplace)
    return s


def kept(rule: Rule, s: State) -> dict[str, np.ndarray]:
    return {name: getattr(s, name) for name in ("theta", *rule.slots)}


def scalars(rule: Rule, s: State) -> dict[str, float]:
    return {name: getattr(s, name) for name in ("t", *rule.scalars)}


@every_rule
def test_defaults(rule):
    assert dataclasses.asdict(rule) == DEFAULTS[type(rule).__name__]


@functools.cache
def theta_and_gradients(shape: tuple[int, ...], dtype: type) -> tuple[np.ndarray, list[np.ndarray]]:
    rng = np.random.default_rng(0)
    theta = rng.normal(size=shape).astype(dtype)
    return theta, [np.asarray(rng.normal(size=shape) * 10.0**k, dtype=dtype) for k in (-6, 0, 3, -30, 0)]


@every_rule
@both_dtypes
@pytest.mark.parametrize(
    "shape", [(0,), (1,), (), (7,), (3, 5), (SLICE,), (SLICE + 1,), (3 * SLICE + 17,), (2, SLICE)]
)
def test_in_place_is_the_readable_step_bit_for_bit(rule, dtype, shape):
    theta, gradients = theta_and_gradients(shape, dtype)
    readable, fast = run(rule, theta, gradients), run(rule, theta, gradients, inplace=True)
    assert scalars(rule, readable) == scalars(rule, fast)
    for name, value in kept(rule, readable).items():
        np.testing.assert_array_equal(value, getattr(fast, name), err_msg=name, strict=True)


@every_rule
@both_dtypes
def test_dtype_is_kept_whatever_scalars_come_in(rule, dtype):
    numbers = [name for name, value in dataclasses.asdict(rule).items() if type(value) is float]
    numpy_scalars = {name: np.float64(getattr(rule, name)) for name in numbers}
    rule = dataclasses.replace(rule, **numpy_scalars)
    assert all(type(getattr(rule, name)) is float for name in numpy_scalars)
    s = run(rule, np.ones(3, dtype), [np.ones(3, dtype)] * 3)
    assert all(value.dtype == dtype for value in kept(rule, s).values())


@every_rule
def test_step_never_writes_into_the_callers_arrays(rule):
    theta, g = np.ones(5), np.full(5, 0.5)
    s = rule.init(theta)
    before = {name: (value, value.copy()) for name, value in kept(rule, s).items()}
    rule.step(s, g)
    np.testing.assert_array_equal(theta, 1)
    np.testing.assert_array_equal(g, 0.5)
    for name, (held, copy) in before.items():
        np.testing.assert_array_equal(held, copy, err_msg=name)


@every_rule
@pytest.mark.parametrize("order", ["C", "F"])
def test_in_place_reuses_the_memory(rule, order):
    if not rule.elementwise:
        pytest.skip("it needs the whole gradient, and makes the readable step")
    theta = np.ones((2, SLICE), order=order)
    s = rule.init(theta)
    held = kept(rule, s)
    rule.step(s, theta, inplace=True)
    assert all(getattr(s, name) is value for name, value in held.items())
    np.testing.assert_array_equal(theta, 1)


@every_rule
def test_in_place_takes_a_state_of_any_memory_layout(rule):
    """The state is open: theta may have been replaced by a transpose, of which a flat view cannot be had."""
    theta, gradients = theta_and_gradients((2, SLICE), np.float64)
    expected = run(rule, theta, gradients)
    s = rule.init(theta)
    for g in gradients:
        for name, value in kept(rule, s).items():
            setattr(s, name, np.asfortranarray(value))
        rule.step(s, g, inplace=True)
    for name, value in kept(rule, expected).items():
        np.testing.assert_array_equal(getattr(s, name), value, err_msg=name)


@every_rule
@pytest.mark.parametrize(
    "view",
    [lambda a: a, lambda a: a[::-1], lambda a: np.flip(a), lambda a: a[:, ::-1], lambda a: a.reshape(-1, 2).T],
    ids=["itself", "rows reversed", "flipped", "columns reversed", "transposed"],
)
def test_in_place_takes_a_gradient_that_is_a_view_of_the_state(rule, view):
    theta, (first, *_) = theta_and_gradients((2, SLICE + 3), np.float64)
    for name in ("theta", *rule.slots):
        readable, fast = rule.init(theta), rule.init(theta)
        for s, inplace in ((readable, False), (fast, True)):
            rule.step(s, first, inplace=inplace)
            for _ in range(2):
                rule.step(s, view(getattr(s, name)), inplace=inplace)
        for each, value in kept(rule, readable).items():
            np.testing.assert_array_equal(getattr(fast, each), value, err_msg=f"{each}, from {name}")


@every_rule
@pytest.mark.parametrize("shift", [-1, 1])
def test_in_place_takes_a_gradient_that_begins_beside_theta(rule, shift):
    """Two windows on one array, one coordinate apart."""
    long, _ = theta_and_gradients((3 * SLICE + 17,), np.float64)
    readable, fast = rule.init(long[1:-1]), rule.init(long[1:-1])
    for s, inplace in ((readable, False), (fast, True)):
        mine = long.copy()
        s.theta = mine[1:-1]
        rule.step(s, mine[1 + shift : mine.size - 1 + shift], inplace=inplace)
    for name, value in kept(rule, readable).items():
        np.testing.assert_array_equal(getattr(fast, name), value, err_msg=name)


def test_a_rule_that_needs_the_whole_gradient_is_not_applied_in_slices():
    @dataclasses.dataclass(frozen=True)
    class UnitSteps(Rule):
        elementwise = False

        def update(self, s, g):
            s.theta = s.theta - g / np.linalg.norm(g)

    theta, gradients = theta_and_gradients((3 * SLICE + 17,), np.float64)
    readable, fast = (run(UnitSteps(), theta, gradients, inplace=inplace) for inplace in (False, True))
    np.testing.assert_array_equal(fast.theta, readable.theta)


def test_printed_for_a_reader():
    s = optim.Momentum(alpha=0.5).init(np.zeros(1))
    assert repr(s) == "State(owner='Momentum', t=0, theta=array([0.]), b=array([0.]))"
    assert repr(optim.Momentum(alpha=0.5)) == "Momentum(alpha=0.5, mu=0.9, form='heavy_ball')"


def test_a_rule_without_update_says_so():
    @dataclasses.dataclass(frozen=True)
    class Nothing(Rule):
        alpha: float = 0.1

    rule = Nothing()
    with pytest.raises(NotImplementedError, match="Nothing defines no update"):
        rule.step(rule.init(np.zeros(1)), np.zeros(1))


def test_in_place_leaves_no_outdated_m_hat():
    rule = Adam()
    s = rule.init(np.ones(2 * SLICE))
    rule.step(s, np.ones(2 * SLICE))
    assert hasattr(s, "m_hat")
    rule.step(s, np.ones(2 * SLICE), inplace=True)
    assert not hasattr(s, "m_hat")


@every_rule
def test_a_coordinate_without_gradient_does_not_move(rule):
    if "eps" in {field.name for field in dataclasses.fields(rule)}:
        rule = dataclasses.replace(rule, eps=0)
    if "weight_decay" in {field.name for field in dataclasses.fields(rule)}:
        rule = dataclasses.replace(rule, weight_decay=0)
    s = run(rule, np.array([1.0, 1.0]), [np.array([0.0, 0.5])] * 3)
    assert s.theta[0] == 1.0
    # AdaDelta's first step is as long as epsilon lets it be: with 0 it never starts.
    assert s.theta[1] < 1.0 or type(rule).__name__ == "AdaDelta"


@every_rule
def test_minimizes_a_bowl(rule):
    alpha = {"AdaGrad": 1.0, "AdaDelta": 20.0}.get(type(rule).__name__, 0.1)
    # Rules whose steps do not shrink with the gradient settle only as their step size does.
    rule = dataclasses.replace(rule, alpha=inverse_sqrt(alpha, 10))
    s = rule.init(np.array([1.0, -2.0]))
    for _ in range(2000):
        rule.step(s, 2 * s.theta * np.array([1.0, 0.5]))
    assert np.abs(s.theta).max() < 2e-2


@every_rule
def test_plain_data_and_back(rule):
    scheduled = dataclasses.replace(rule, alpha=inverse_sqrt(0.1, 7))
    for original in (rule, scheduled):
        assert optim.from_dict(original.to_dict()) == original


@every_rule
def test_schedule_of_alpha_is_read_at_each_step(rule):
    gradients = [np.array([0.3]), np.array([-0.2]), np.array([0.7])]
    scheduled = dataclasses.replace(rule, alpha=inverse_sqrt(0.1))
    s = scheduled.init(np.array([1.0]))
    by_hand = rule.init(np.array([1.0]))
    for t, g in enumerate(gradients, start=1):
        scheduled.step(s, g)
        dataclasses.replace(rule, alpha=0.1 / t**0.5).step(by_hand, g)
        np.testing.assert_allclose(s.theta, by_hand.theta, rtol=1e-14)


@every_rule
def test_a_rule_without_schedules_is_the_same_at_every_step(rule):
    for each in (rule, optim.Averaged(rule), optim.Decayed(rule)):
        assert each.at(1) is each.at(1000) is each


@every_rule
def test_at_leaves_no_schedule(rule):
    """The rule of a step is a rule of numbers: it is itself at every other step."""
    fixed = dataclasses.replace(rule, alpha=inverse_sqrt(0.1)).at(4)
    assert fixed == dataclasses.replace(rule, alpha=0.05)
    assert fixed.at(9) is fixed


def test_radam_adapts_above_its_threshold_and_not_at_it():
    beta2, t = 0.999, 40
    rho = 2 / (1 - beta2) - 1 - 2 * t * beta2**t / (1 - beta2**t)
    assert optim.RAdam(threshold=rho).rectification(t) == 0
    assert optim.RAdam(threshold=np.nextafter(rho, 0)).rectification(t) > 0


@pytest.mark.parametrize("threshold", [0, 1, 3.9])
def test_radams_threshold_below_4_counts_as_4(threshold):
    """Where rho is from 2 to 4 there is no root, and below 2 there is one that means nothing."""
    expected = [optim.RAdam(threshold=4).rectification(t) for t in range(1, 60)]
    assert expected[:4] == [0] * 4  # rho is 4 or less: not adaptive
    assert min(expected[4:]) > 0
    assert [optim.RAdam(threshold=threshold).rectification(t) for t in range(1, 60)] == expected


class TestErrors:
    @pytest.mark.parametrize("dtype", [np.float16, np.int64, bool, complex])
    def test_theta_of_another_dtype(self, dtype):
        advice = r"it must be float32 or float64\. Convert it first: theta\.astype\(np\.float32\)\.$"
        with pytest.raises(TypeError, match=rf"theta has dtype {np.dtype(dtype)}; {advice}"):
            Adam().init(np.ones(3, dtype))

    def test_theta_not_finite(self):
        with pytest.raises(ValueError, match=r"theta .*not finite: 1 of 2 values, the first at index \(1,\): inf"):
            Adam().init(np.array([0.0, np.inf]))

    def test_a_matrix_that_is_not_finite(self):
        with pytest.raises(ValueError, match=r"not finite: 2 of 6 values, the first at index \(1, 0\): nan"):
            Adam().init(np.array([[0.0, 0.0], [np.nan, 0.0], [0.0, np.inf]]))

    @every_rule
    def test_gradient_of_another_shape(self, rule):
        s = rule.init(np.ones(3))
        with pytest.raises(ValueError, match=r"gradient at step 1 has shape \(4,\), but theta has \(3,\)"):
            rule.step(s, np.ones(4))
        with pytest.raises(ValueError, match=r"shape \(\), but theta has \(3,\)"):
            rule.step(s, 1.0)
        with pytest.raises(ValueError, match=r"shape \(3, 1\), but theta has \(3,\)"):
            rule.step(s, np.ones((3, 1)))  # as many values, and numpy would make a matrix of theta
        assert s.t == 0

    @every_rule
    def test_gradient_of_another_dtype(self, rule):
        s = rule.init(np.ones(3, np.float32))
        advice = r"Compute it in theta's dtype, or convert it with g\.astype\(theta\.dtype\)\.$"
        with pytest.raises(TypeError, match=rf"step 1 has dtype float64, but theta has float32\. {advice}"):
            rule.step(s, np.ones(3))

    @every_rule
    @pytest.mark.parametrize(("size", "bad"), [(3, np.nan), (3, np.inf), (3, -np.inf), (300_001, np.nan)])
    @pytest.mark.parametrize("inplace", [False, True])
    def test_gradient_not_finite_names_the_step_and_leaves_the_state(self, rule, bad, size, inplace):
        s = run(rule, np.ones(size), [np.ones(size)] * 2)
        before = {name: value.copy() for name, value in kept(rule, s).items()}
        numbers = scalars(rule, s)
        g = np.ones(size)
        g[-1] = bad
        with pytest.raises(
            NotFiniteError,
            match=rf"step 3 is not finite: 1 of {size} .*index \({size - 1},\): {bad}\. The state is unchanged\.$",
        ):
            rule.step(s, g, inplace=inplace)
        assert scalars(rule, s) == numbers
        for name, value in before.items():
            np.testing.assert_array_equal(getattr(s, name), value)

    def test_state_of_another_rule(self):
        s = optim.SGD().init(np.ones(3))
        with pytest.raises(
            TypeError, match=r"belongs to SGD, not to Adam: make one with Adam\(...\)\.init\(theta\)\.$"
        ):
            Adam().step(s, np.ones(3))

    @every_rule
    @pytest.mark.parametrize("value", [-0.1, np.nan, np.inf])
    def test_alpha(self, rule, value):
        with pytest.raises(
            ValueError, match=rf"{type(rule).__name__}: alpha = {value} is not allowed; .*>= 0, or a schedule\.$"
        ):
            dataclasses.replace(rule, alpha=value)

    @pytest.mark.parametrize("name", ["beta1", "beta2"])
    @pytest.mark.parametrize("value", [-0.1, 1.0, 1.5, np.nan])
    def test_beta(self, name, value):
        with pytest.raises(ValueError, match=rf"Adam: {name} = {value} is not allowed; it must be in \[0, 1\)\.$"):
            Adam(**{name: value})

    @pytest.mark.parametrize("value", [-0.1, 1.0])
    def test_mu(self, value):
        with pytest.raises(ValueError, match=r"Momentum: mu = .* must be in \[0, 1\)"):
            optim.Momentum(mu=value)

    def test_eps(self):
        with pytest.raises(ValueError, match="Adam: eps = -1.0 is not allowed"):
            Adam(eps=-1)

    def test_not_a_number(self):
        with pytest.raises(TypeError, match="Adam: alpha = 'fast' is not a number"):
            Adam(alpha="fast")
        with pytest.raises(TypeError, match="Adam: beta1 = .* is not a number"):
            Adam(beta1=inverse_sqrt(0.1))

    @pytest.mark.parametrize(
        ("make", "message"),
        [
            (
                lambda: Adam(eps_place="within"),
                "Adam: eps_place = 'within' is not allowed; .*'outside', 'hat', 'inside'",
            ),
            (lambda: Adam(bias_correction=1), "Adam: bias_correction = 1 is not allowed; .* True, False, 'first'"),
            (lambda: optim.Momentum(form="ema"), "Momentum: form = 'ema' .* 'heavy_ball', 'velocity', 'average'"),
            (lambda: optim.RMSProp(rho=1), r"RMSProp: rho = 1.0 is not allowed; it must be in \[0, 1\)"),
            (lambda: optim.RMSProp(centered="no"), "RMSProp: centered = 'no' is not allowed"),
            (lambda: optim.RMSProp(initial=-1), "RMSProp: initial = -1.0 is not allowed"),
            (lambda: optim.AdamW(weight_decay=-1), r"AdamW: weight_decay = -1.0 .*>= 0, or a schedule\.$"),
            (lambda: optim.AMSGrad(maximum="largest"), "AMSGrad: maximum = 'largest'"),
            (lambda: optim.NAdam(momentum_decay=-1), r"NAdam: momentum_decay = -1.0 .*>= 0, or None\.$"),
            (lambda: optim.RAdam(threshold=np.nan), "RAdam: threshold = nan"),
            (lambda: optim.Averaged(Adam, 0.9), "Averaged: rule = .* is not a rule"),
            (lambda: optim.Averaged(Adam(), "slow"), "Averaged: beta = 'slow' is not a number; .*, or None"),
            (lambda: optim.Averaged(Adam(), 1.0), r"Averaged: beta = 1.0 is not allowed; it must be in \[0, 1\)"),
        ],
    )
    def test_other_hyper_parameters(self, make, message):
        with pytest.raises((ValueError, TypeError), match=message):
            make()

    def test_frozen(self):
        with pytest.raises(dataclasses.FrozenInstanceError):
            Adam().alpha = 1.0

    @pytest.mark.parametrize("value", ["0.1", b"0.1", True, np.True_, 1j, [0.1], np.array([0.1]), None], ids=repr)
    @every_rule
    def test_what_looks_like_a_number(self, rule, value):
        """float() would take some of these: a switch, or a text, in the place of a number is a mistake."""
        for field in dataclasses.fields(rule):
            if type(getattr(rule, field.name)) is not float or (value is None and field.name == "momentum_decay"):
                continue
            with pytest.raises(
                TypeError, match=rf"{type(rule).__name__}: {field.name} = .* is not a number; it must be"
            ):
                dataclasses.replace(rule, **{field.name: value})

    @pytest.mark.parametrize("value", [10**400, -(10**400)], ids=["large", "negative"])
    def test_a_whole_number_beyond_all_floats(self, value):
        with pytest.raises(
            ValueError, match=f"Adam: alpha = {float('inf') * (1 if value > 0 else -1)} is not allowed"
        ):
            Adam(alpha=value)

    def test_averaged_twice(self):
        with pytest.raises(ValueError, match=r"Averaged: rule = Averaged\(.*\) is averaged already"):
            optim.Averaged(optim.Averaged(Adam()))

    @pytest.mark.parametrize("number", [0.5, np.float32(0.5), np.array(0.5), Fraction(1, 2)], ids=repr)
    def test_what_is_a_number(self, number):
        assert Adam(beta1=number) == Adam(beta1=0.5)
        assert type(Adam(beta1=number).beta1) is float

    def test_from_dict(self):
        with pytest.raises(
            TypeError, match=r"a rule as plain data is a dict, such as \{'rule': 'SGD', .*; this is \[\]"
        ):
            optim.from_dict([])
        with pytest.raises(ValueError, match=r"Averaged is made from another rule, whose data stand under \"of\""):
            optim.from_dict({"rule": "Averaged", "beta": 0.9})
        with pytest.raises(ValueError, match=r"unknown rule \['SGD'\]"):
            optim.from_dict({"rule": ["SGD"]})
        with pytest.raises(ValueError, match="unknown rule 'Sgd'; there are SGD, "):
            optim.from_dict({"rule": "Sgd"})
        with pytest.raises(ValueError, match="SGD has no beta1; it has alpha"):
            optim.from_dict({"rule": "SGD", "beta1": 0.9})
        with pytest.raises(ValueError, match="Momentum has no beta1, eps; it has alpha, mu, form"):
            optim.from_dict({"rule": "Momentum", "eps": 0, "beta1": 0.9})
        with pytest.raises(ValueError, match="unknown schedule 'cosinus'"):
            optim.from_dict({"rule": "SGD", "alpha": {"schedule": "cosinus"}})
