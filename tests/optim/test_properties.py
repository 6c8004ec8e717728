"""What every rule promises, searched for exceptions over all hyper-parameters that the papers allow.

``test_rules.py`` holds the rules to the same promises at their defaults and at full size; here the rules, their
gradients and their shapes are drawn by hypothesis, the same ones in every run.
"""

import dataclasses
import json
from unittest import mock

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import assume, given, settings

from adamcore import optim
from adamcore.optim import Adam, AdamL2, AdamW, AMSGrad, Averaged, Decayed, LayerAdam, inverse_sqrt, pure_numpy

RULES = [getattr(optim, name) for name in optim.RULES]
ALL = [*RULES, Averaged, Decayed]
every_rule = pytest.mark.parametrize("rule_class", ALL, ids=lambda c: c.__name__)

searched = settings(derandomize=True, deadline=None, database=None, max_examples=15)

dtypes = st.sampled_from([np.float32, np.float64])

# The ends of [0, 1), the papers' defaults, and anything between.
betas = st.sampled_from([0.0, 0.5, 0.9, 0.99, 0.999, 0.9999]) | st.floats(0.01, 0.9999)

NUMBERS = {
    "alpha": st.sampled_from([0.001, 0.3, 1.0, inverse_sqrt(0.1), inverse_sqrt(0.5, 2)]),
    "beta1": betas,
    "beta2": betas,
    "rho": betas,
    "mu": betas,
    "eps": st.sampled_from([0.0, 1e-8, 1e-3]),
    "initial": st.sampled_from([0.0, 0.1]),
    "weight_decay": st.sampled_from([0.0, 0.01, 0.3, inverse_sqrt(0.1)]),
    "momentum_decay": st.sampled_from([None, 0.0, 0.004, 0.5]),
    "threshold": st.sampled_from([4.0, 5.0]),
    "hold": st.integers(0, 4),
    "fade": st.integers(1, 4),
    "sizes": st.just(()),
}
"""For every hyper-parameter that is a number, where to look."""


@st.composite
def rules(draw, rule_class, **fixed):
    """A rule of this class with hyper-parameters from everywhere, except for the ``fixed`` ones that it has."""
    hyper = {}
    for field in dataclasses.fields(rule_class):
        if field.name in fixed:
            hyper[field.name] = fixed[field.name]
        elif field.name in rule_class.choices:
            hyper[field.name] = draw(st.sampled_from(rule_class.choices[field.name]))
        elif field.name == "rule":
            hyper["rule"] = draw(st.sampled_from(RULES).flatmap(lambda inner: rules(inner, **fixed)))
        elif field.name == "beta":
            hyper["beta"] = draw(st.none() | betas)
        else:
            hyper[field.name] = draw(NUMBERS[field.name])
    return rule_class(**hyper)


@st.composite
def histories(draw, dtype, shape=None, steps=(1, 8), decades=6):
    """Gradients (steps, *shape): zeros among them, and in each coordinate values of another order of magnitude.

    Their digits come from a generator with a drawn seed: to draw every number by itself takes ten times as long.
    """
    shape = shape or draw(st.sampled_from([(1,), (3,), (9,), (13,), (2, 5), (3, 2, 2)]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    size = (draw(st.integers(*steps)), *shape)
    digits = rng.integers(-1000, 1000, endpoint=True, size=size) / 100
    pattern = draw(st.sampled_from(["any", "sparse", "of one sign", "the same again", "fading", "growing"]))
    if pattern == "sparse":
        digits *= rng.random(size) < 0.3
    elif pattern == "of one sign":
        digits = np.abs(digits)
    elif pattern == "the same again":
        digits[:] = digits[0]
    elif pattern != "any":
        digits *= (0.5 if pattern == "fading" else 2.0) ** np.arange(len(digits)).reshape(-1, *[1] * len(shape))
    return (digits * 10.0 ** rng.integers(-decades, decades, endpoint=True, size=shape)).astype(dtype)


def start(gradients):
    """A theta to start from, of the gradients' shape and dtype, with values of either sign."""
    theta = np.linspace(-2, 3, gradients[0].size).reshape(gradients[0].shape)
    return theta.astype(gradients.dtype)


def run(rule, theta, gradients, *, inplace=False):
    """The state after one step for each of the gradients."""
    s = rule.init(theta)
    for g in gradients:
        rule.step(s, g, inplace=inplace)
    return s


def kept(rule, s):
    """Everything that the next step depends on, by name."""
    return {name: getattr(s, name) for name in ("t", "theta", *rule.slots, *rule.scalars)}


def assert_same(rule, one, other):
    """Equal to the last bit, in everything that is kept."""
    for name, value in kept(rule, one).items():
        np.testing.assert_array_equal(getattr(other, name), value, err_msg=f"{name} of {rule}", strict=True)


def longest_steps(rule, gradients):
    """The longest step at each t, in any coordinate; theta is put back to 0, so that it is read without rounding."""
    s = rule.init(np.zeros_like(gradients[0]))
    lengths = []
    for g in gradients:
        s.theta = np.zeros_like(s.theta)
        rule.step(s, g)
        lengths.append(np.abs(s.theta).max())
    return np.array(lengths)


@every_rule
@searched
@given(data=st.data())
def test_in_place_is_the_readable_step_bit_for_bit(rule_class, data):
    """With slices of 4 coordinates: small arrays then have several, a last one cut short, and ends within a row.

    Compiled and in numpy, and with readable steps in between.
    """
    rule = data.draw(rules(rule_class))
    gradients = data.draw(histories(data.draw(dtypes)))
    readable = run(rule, start(gradients), gradients)
    with mock.patch.multiple("adamcore.optim.base", SLICE=4, COMPILED_SIZE=4):
        assert_same(rule, readable, run(rule, start(gradients), gradients, inplace=True))
        with pure_numpy():
            assert_same(rule, readable, run(rule, start(gradients), gradients, inplace=True))
        in_turns = rule.init(start(gradients))
        for t, g in enumerate(gradients):
            rule.step(in_turns, g, inplace=t % 3 != 1)
    assert_same(rule, readable, in_turns)


@every_rule
@searched
@given(data=st.data())
def test_memory_layout_of_the_gradient_does_not_matter(rule_class, data):
    """Columns first, every other element, backwards: in place too, where slices are taken of the flat array."""
    rule = data.draw(rules(rule_class))
    gradients = data.draw(histories(data.draw(dtypes), shape=(3, 4)))
    expected = run(rule, start(gradients), gradients)
    wide = np.zeros((len(gradients), 6, 4), gradients.dtype)
    wide[:, ::2] = gradients
    layouts = ([np.asfortranarray(g) for g in gradients], wide[:, ::2], gradients[:, ::-1].copy()[:, ::-1])
    with mock.patch.multiple("adamcore.optim.base", SLICE=4, COMPILED_SIZE=4):
        for layout in layouts:
            for inplace in (False, True):
                assert_same(rule, expected, run(rule, start(gradients), layout, inplace=inplace))


@every_rule
@searched
@given(data=st.data())
def test_no_array_of_the_caller_is_written_to(rule_class, data):
    """Neither theta nor a gradient, nor, by the readable step, what was taken from the state before it."""
    rule = data.draw(rules(rule_class))
    gradients = data.draw(histories(data.draw(dtypes)))
    theta = start(gradients)
    before = gradients.copy(), theta.copy()
    with mock.patch.multiple("adamcore.optim.base", SLICE=4, COMPILED_SIZE=4):
        for inplace in (False, True):
            s = rule.init(theta)
            for g in gradients:
                taken = {name: (value, np.copy(value)) for name, value in kept(rule, s).items()}
                rule.step(s, g, inplace=inplace)
                for name, (value, copy) in taken.items():
                    assert inplace or np.array_equal(value, copy), name
            # Nor may a later step do it through an array that the state has held on to.
            for name in ("theta", *rule.slots):
                assert not np.shares_memory(getattr(s, name), gradients), name
                assert not np.shares_memory(getattr(s, name), theta), name
            np.testing.assert_array_equal(gradients, before[0])
            np.testing.assert_array_equal(theta, before[1])


@every_rule
@searched
@given(data=st.data())
def test_dtype_and_shape_are_kept_and_everything_is_finite(rule_class, data):
    """Over 24 decades of gradients, and zeros: no overflow, no 0 / 0, no square root of less than nothing."""
    rule = data.draw(rules(rule_class))
    dtype = data.draw(dtypes)
    gradients = data.draw(histories(dtype, decades=6 if dtype is np.float32 else 12))
    with mock.patch.multiple("adamcore.optim.base", SLICE=4, COMPILED_SIZE=4):
        for inplace in (False, True):
            s = run(rule, start(gradients), gradients, inplace=inplace)
            for name in ("theta", *rule.slots):
                value = getattr(s, name)
                assert value.dtype == dtype, name
                assert value.shape == gradients[0].shape, name
                assert np.isfinite(value).all(), name


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_variance_that_rounding_makes_negative(dtype):
    """Centered RMSProp on a constant gradient, whose variance is zero: no root of less than nothing."""
    g = np.random.default_rng(2).normal(size=500).astype(dtype)
    rule = optim.RMSProp(centered=True)
    s = run(rule, np.zeros_like(g), [g] * 500)
    assert (s.v < s.g_mean**2).any()
    assert np.isfinite(s.theta).all()


@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@searched
@given(data=st.data())
def test_squares_beyond_the_range_stop_a_coordinate_and_spoil_no_other(dtype, data):
    """One gradient of up to half of the largest number: its square is infinite, and theta stays where it is."""
    # With beta2 = 0 the next v is 0 times infinity: NaN, which shows.
    rule = data.draw(rules(Adam).filter(lambda rule: rule.beta2 > 0))
    gradients = data.draw(histories(dtype, shape=(9,)))
    huge = gradients.copy()
    huge[0, 4] = data.draw(st.sampled_from([-0.5, 0.1, 0.5])) * np.finfo(dtype).max
    with mock.patch.multiple("adamcore.optim.base", SLICE=4, COMPILED_SIZE=4):
        expected = run(rule, start(gradients), gradients).theta
        for inplace in (False, True):
            theta = run(rule, start(gradients), huge, inplace=inplace).theta
            assert theta[4] == start(gradients)[4]
            np.testing.assert_array_equal(np.delete(theta, 4), np.delete(expected, 4))


@every_rule
@searched
@given(data=st.data())
def test_without_gradient_and_decay_theta_does_not_move(rule_class, data):
    rule = data.draw(rules(rule_class, weight_decay=0.0))
    theta = start(data.draw(histories(data.draw(dtypes), steps=(1, 1))))
    with mock.patch.multiple("adamcore.optim.base", SLICE=4, COMPILED_SIZE=4):
        for inplace in (False, True):
            s = run(rule, theta, np.zeros((5, *theta.shape), theta.dtype), inplace=inplace)
            np.testing.assert_array_equal(s.theta, theta)
            assert s.t == 5


@pytest.mark.parametrize("rule_class", [c for c in ALL if c is not LayerAdam], ids=lambda c: c.__name__)
@searched
@given(data=st.data())
def test_coordinates_do_not_see_each_other(rule_class, data):
    """A permutation of the coordinates, or theta in parts with a state each, gives the same bits."""
    rule = data.draw(rules(rule_class))
    assert rule.elementwise == (getattr(rule, "rule", None) is None or not isinstance(rule.rule, LayerAdam))
    assume(rule.elementwise)  # or, in a wrapper, a rule that is not
    gradients = data.draw(histories(data.draw(dtypes), shape=(9,)))
    together = run(rule, start(gradients), gradients)
    order = np.array(data.draw(st.permutations(range(9))))
    permuted = run(rule, start(gradients)[order], gradients[:, order])
    cut = data.draw(st.integers(1, 8))
    parts = [run(rule, start(gradients)[here], gradients[:, here]) for here in (slice(cut), slice(cut, None))]
    for name in ("theta", *rule.slots):
        whole = getattr(together, name)
        np.testing.assert_array_equal(getattr(permuted, name), whole[order], err_msg=name)
        np.testing.assert_array_equal(np.concatenate([getattr(part, name) for part in parts]), whole, err_msg=name)


SCALE_FREE = ["AdaGrad", "RMSProp", "Adam", "AdamW", "AdaMax", "AMSGrad", "NAdam", "Lion"]
"""Rules whose steps do not know the size of gradients, if there is no epsilon and v starts at 0.

The others: SGD, Momentum and Nesterov step in proportion; so does RAdam at first; AdaDelta does not start without
epsilon; and AdamL2's penalty would have to be rescaled too.
"""


@pytest.mark.parametrize("name", SCALE_FREE)
@searched
@given(data=st.data())
def test_powers_of_two_cancel(name, data):
    """Another one in each coordinate; to the last bit, while no square leaves the range of normal numbers."""
    rule = data.draw(rules(getattr(optim, name), eps=0.0, initial=0.0))
    dtype = data.draw(dtypes)
    decades, power = (1, 8) if dtype is np.float32 else (6, 60)
    gradients = data.draw(histories(dtype, shape=(9,), decades=decades))
    scales = 2.0 ** np.array(data.draw(st.lists(st.integers(-power, power), min_size=9, max_size=9)))
    one = run(rule, start(gradients), gradients)
    other = run(rule, start(gradients), gradients * scales.astype(dtype))
    np.testing.assert_array_equal(one.theta, other.theta)


def test_sign_flips():
    """Every rule is odd: all gradients and theta negated give theta negated."""
    gradients = np.random.default_rng(1).normal(size=(10, 9))
    for rule_class in RULES:
        one = run(rule_class(), start(gradients), gradients)
        other = run(rule_class(), -start(gradients), -gradients)
        np.testing.assert_array_equal(one.theta, -other.theta, err_msg=rule_class.__name__)


@settings(searched, max_examples=150)
@given(data=st.data())
def test_no_step_of_adam_is_longer_than_the_sharp_bound(data):
    """alpha (1 - beta1) / sqrt(1 - beta2) sqrt(sum of r^k) sqrt(1 - beta2^t) / (1 - beta1^t), r = beta1^2 / beta2.

    By Cauchy-Schwarz. Epsilon only shortens steps, and so does AMSGrad, which with both corrections divides by no
    less.
    """
    beta1, beta2 = data.draw(betas), data.draw(betas)
    assume(beta2 > 0)  # with beta2 = 0 there is no bound: v forgets at once what m remembers
    gradients = data.draw(histories(np.float64, steps=(1, 20)))
    t = np.arange(1, len(gradients) + 1)
    ratio_powers = np.cumsum((beta1**2 / beta2) ** (t - 1.0))
    bound = (1 - beta1) / np.sqrt(1 - beta2) * np.sqrt(ratio_powers * (1 - beta2**t)) / (1 - beta1**t)
    eps = data.draw(NUMBERS["eps"])
    for rule in (
        Adam(alpha=0.5, beta1=beta1, beta2=beta2, eps=eps),
        AMSGrad(alpha=0.5, beta1=beta1, beta2=beta2, eps=eps, bias_correction=True, maximum="corrected"),
    ):
        # A relative 1e-11 for rounding: 1 - 0.9999**t has an error of 1e-12.
        assert (longest_steps(rule, gradients) <= 0.5 * bound * (1 + 1e-11)).all()


@settings(searched, max_examples=100)
@given(data=st.data())
def test_bound_is_attained_whatever_the_betas(data):
    """Gradients that grow by beta2 / beta1 a step, in any scale: the bound above is no looser than it must be."""
    beta1, beta2 = data.draw(st.floats(0.05, 0.99)), data.draw(st.floats(0.05, 0.99))
    t = np.arange(1, 31)
    gradients = data.draw(st.sampled_from([1e-20, 1.0, 1e20])) * (beta2 / beta1) ** (t[:, None] - 1.0)
    ratio_powers = np.cumsum((beta1**2 / beta2) ** (t - 1.0))
    bound = (1 - beta1) / np.sqrt(1 - beta2) * np.sqrt(ratio_powers * (1 - beta2**t)) / (1 - beta1**t)
    made = longest_steps(Adam(alpha=1, beta1=beta1, beta2=beta2, eps=0), gradients)
    np.testing.assert_allclose(made, bound, rtol=1e-10)


@settings(searched, max_examples=100)
@given(data=st.data())
def test_with_equal_betas_no_step_is_longer_than_alpha(data):
    beta = data.draw(betas)
    gradients = data.draw(histories(np.float64, steps=(1, 20)))
    rule = Adam(alpha=0.5, beta1=beta, beta2=beta, eps=data.draw(NUMBERS["eps"]))
    assert (longest_steps(rule, gradients) <= 0.5 * (1 + 1e-12)).all()


@settings(searched, max_examples=100)
@given(data=st.data())
def test_no_step_of_adamax_is_longer_than_its_sharp_bound(data):
    """(1 - beta1) sum of (beta1 / beta2)^k / (1 - beta1^t) alpha."""
    beta1, beta2 = data.draw(betas), data.draw(betas)
    assume(beta2 > 0)
    gradients = data.draw(histories(np.float64, steps=(1, 20)))
    t = np.arange(1, len(gradients) + 1)
    bound = (1 - beta1) * np.cumsum((beta1 / beta2) ** (t - 1.0)) / (1 - beta1**t)
    made = longest_steps(optim.AdaMax(alpha=0.5, beta1=beta1, beta2=beta2), gradients)
    assert (made <= 0.5 * bound * (1 + 1e-11)).all()


@settings(searched, max_examples=50)
@given(data=st.data())
def test_first_step_is_alpha_whatever_the_gradient(data):
    """Adam, AdaMax and AdaGrad: alpha in every coordinate with a gradient, 0 in the others."""
    beta1, beta2 = data.draw(betas), data.draw(betas)
    (g,) = data.draw(histories(np.float64, steps=(1, 1), decades=100))
    for rule in (
        Adam(alpha=0.5, beta1=beta1, beta2=beta2, eps=0),
        optim.AdaMax(alpha=0.5, beta1=beta1, beta2=beta2),
        optim.AdaGrad(alpha=0.5, eps=0),
    ):
        s = run(rule, np.zeros_like(g), [g])
        np.testing.assert_allclose(s.theta, -0.5 * np.sign(g), rtol=1e-11)


@searched
@given(data=st.data())
def test_decay_of_the_wrapper_is_that_of_the_rules_of_their_own(data):
    adam = data.draw(rules(Adam))
    decay = data.draw(NUMBERS["weight_decay"])
    gradients = data.draw(histories(data.draw(dtypes)))
    hyper = {field.name: getattr(adam, field.name) for field in dataclasses.fields(adam)}
    for form, own in (("l2", AdamL2), ("decoupled", AdamW)):
        wrapped = run(Decayed(adam, weight_decay=decay, form=form), start(gradients), gradients)
        alone = run(own(**hyper, weight_decay=decay), start(gradients), gradients)
        tolerance = 1e-5 if gradients.dtype == np.float32 else 1e-12
        np.testing.assert_allclose(wrapped.theta, alone.theta, rtol=tolerance, atol=tolerance)


@every_rule
@searched
@given(data=st.data())
def test_plain_data_and_back(rule_class, data):
    """Also through JSON, where records are kept; the rule read back prints the same and steps the same."""
    rule = data.draw(rules(rule_class))
    back = optim.from_dict(json.loads(json.dumps(rule.to_dict())))
    assert back == rule
    assert repr(back) == repr(rule)
    assert hash(back) == hash(rule)
    gradients = data.draw(histories(np.float64))
    assert_same(rule, run(rule, start(gradients), gradients), run(back, start(gradients), gradients))
