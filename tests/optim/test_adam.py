"""Adam against Algorithm 1 written out in plain Python, and against what follows from it on paper."""

import contextlib
import math

import numpy as np
import pytest

from adamcore import SGD, AdaGrad, Adam, AdamW, Momentum, Nesterov, RMSProp, inverse_sqrt
from adamcore.optim import pure_numpy
from adamcore.optim.base import COMPILED_SIZE, SLICE

SETTINGS = [
    {},
    {"beta1": 0.8, "beta2": 0.95, "eps": 1e-3},
    {"beta1": 0.0, "beta2": 0.9999, "eps": 0.0},
    {"beta1": 0.95, "beta2": 0.0, "eps": 1e-8},
]


def algorithm_1(gradients, alpha=0.001, beta1=0.9, beta2=0.999, eps=1e-8, theta=1.0):
    """One coordinate through Algorithm 1 of arXiv:1412.6980v9, on Python floats; theta after each step."""
    m = v = 0.0
    thetas = []
    for t, g in enumerate(gradients, start=1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        m_hat = m / (1 - beta1**t)
        v_hat = v / (1 - beta2**t)
        theta -= alpha * m_hat / (math.sqrt(v_hat) + eps)
        thetas.append(theta)
    return thetas


@pytest.mark.parametrize("setting", SETTINGS)
def test_algorithm_1(setting):
    gradients = np.random.default_rng(1).normal(size=(50, 6)) * np.array([1e-9, 1e-4, 0.1, 1.0, 30.0, 1e6])
    rule = Adam(alpha=0.01, **setting)
    s = rule.init(np.ones(6))
    for t, g in enumerate(gradients):
        rule.step(s, g)
        expected = [algorithm_1(gradients[: t + 1, i], alpha=0.01, **setting)[-1] for i in range(6)]
        np.testing.assert_allclose(s.theta, expected, rtol=1e-13)


@pytest.mark.parametrize("g", [3.7, -1e-4, 1e-9])
@pytest.mark.parametrize("eps", [1e-8, 1e-3, 0.0])
def test_constant_gradient(g, eps):
    """m_hat = g and v_hat = g^2 at every t, so each step is -alpha g / (|g| + eps)."""
    rule = Adam(alpha=0.1, eps=eps)
    s = rule.init(np.zeros(1))
    for t in range(1, 30):
        rule.step(s, np.array([g]))
        np.testing.assert_allclose([s.m_hat[0], s.v_hat[0]], [g, g * g], rtol=1e-12)
        np.testing.assert_allclose(s.theta, -0.1 * t * g / (abs(g) + eps), rtol=1e-12)


def test_moments_are_the_unrolled_sums():
    rng = np.random.default_rng(2)
    gradients = rng.normal(size=20)
    rule = Adam(beta1=0.7, beta2=0.9)
    s = rule.init(np.zeros(1))
    for t in range(1, 21):
        rule.step(s, gradients[t - 1 : t])
        age = t - np.arange(1, t + 1)
        np.testing.assert_allclose(s.m[0], 0.3 * (0.7**age * gradients[:t]).sum(), rtol=1e-12)
        np.testing.assert_allclose(s.v[0], 0.1 * (0.9**age * gradients[:t] ** 2).sum(), rtol=1e-12)


@pytest.mark.parametrize("power", [-40, 3, 40])
def test_rescaled_gradients_give_the_same_steps_bit_for_bit(power):
    """With eps = 0, a power of two cancels without rounding (section 2.1)."""
    rng = np.random.default_rng(3)
    gradients = rng.normal(size=(30, 4))
    rule = Adam(eps=0)
    one, other = rule.init(np.zeros(4)), rule.init(np.zeros(4))
    for g in gradients:
        rule.step(one, g)
        rule.step(other, g * 2.0**power)
    np.testing.assert_array_equal(one.theta, other.theta)


@pytest.mark.parametrize("beta2", [0.999, 0.9999, 0.99999, 1 - 1e-6, 1 - 1e-9])
@pytest.mark.parametrize(
    ("size", "inplace"),
    [(3, False), (COMPILED_SIZE, True), (SLICE + 1, True)],
    ids=["readable", "compiled", "slices"],
)
def test_slow_decay_is_accurate_in_float32(beta2, size, inplace):
    """With eps = 0 the first step is alpha sign(g) to two units in the last place, on every path.

    1 - beta2 has to be taken in float64: in float32, 1 - 0.9999 is off by 2 in 10,000.
    """
    rng = np.random.default_rng(7)
    g = np.float32(rng.choice([-1.0, 1.0], size) * 10.0 ** rng.uniform(-12, 19, size))
    rule = Adam(alpha=0.001, beta2=beta2, eps=0)
    s = rule.init(np.zeros(size, np.float32))
    with pure_numpy() if size > SLICE else contextlib.nullcontext():
        rule.step(s, g, inplace=inplace)
    np.testing.assert_array_max_ulp(s.theta, np.float32(-0.001) * np.sign(g), maxulp=2)


@pytest.mark.filterwarnings("ignore:overflow")
def test_where_float32_ends():
    """The docstring's bounds: digits are lost below 3e-18, all of them below 8e-22, and 1.9e19 is too much."""
    g = np.float32([7e-22, 8e-22, 9e-22, 4e-18, 1.8e19, 1.9e19])
    rule = Adam(alpha=1.0, eps=0)
    s = rule.init(np.zeros(6, np.float32))
    rule.step(s, g)
    length = np.abs(s.theta)
    np.testing.assert_array_equal(length > 0, [False, False, True, True, True, False])
    assert abs(length[2] - 1) > 0.1
    np.testing.assert_allclose(length[3:5], 1, rtol=1e-6)


def test_beta_within_a_millionth_of_one():
    """1 - beta**t through expm1: v_hat of a constant gradient is its square also at beta2 = 1 - 1e-12."""
    rule = Adam(beta2=1 - 1e-12)
    s = rule.init(np.zeros(1))
    for _ in range(1000):
        rule.step(s, np.array([0.5]))
    np.testing.assert_allclose(s.v_hat, 0.25, rtol=1e-12)


@pytest.mark.filterwarnings("ignore:overflow")
def test_where_float32_squares_underflow_or_overflow():
    rule = Adam(eps=0)
    s = rule.init(np.zeros(2, np.float32))
    rule.step(s, np.float32([1e-25, 1e25]))
    np.testing.assert_array_equal(s.theta, 0)


def test_adagrad_is_a_limit_of_adam():
    """Section 5: beta1 = 0, beta2 -> 1 and alpha / sqrt(t) give AdaGrad."""
    gradients = np.random.default_rng(4).normal(size=(200, 3))
    adam = Adam(alpha=inverse_sqrt(0.1), beta1=0, beta2=1 - 1e-9, eps=0)
    adagrad = AdaGrad(alpha=0.1, eps=0)
    a, b = adam.init(np.zeros(3)), adagrad.init(np.zeros(3))
    for g in gradients:
        adam.step(a, g)
        adagrad.step(b, g)
    np.testing.assert_allclose(a.theta, b.theta, atol=1e-7)


def test_sgd_adagrad_and_momentum_by_hand():
    g = [np.array([2.0]), np.array([-1.0])]
    by_hand = {
        SGD(alpha=0.1): -0.1 * 2 + 0.1,
        Momentum(alpha=0.1, mu=0.5): -0.1 * 2 - 0.1 * (0.5 * 2 - 1),
        Nesterov(alpha=0.1, mu=0.5): -0.1 * (2 + 0.5 * 2) - 0.1 * (-1 + 0.5 * (0.5 * 2 - 1)),
        AdaGrad(alpha=0.1, eps=0): -0.1 + 0.1 / math.sqrt(5),
        AdaGrad(alpha=0.1, eps=1): -0.1 * 2 / 3 + 0.1 / (math.sqrt(5) + 1),
    }
    for rule, expected in by_hand.items():
        s = rule.init(np.zeros(1))
        for gradient in g:
            rule.step(s, gradient)
        np.testing.assert_allclose(s.theta, expected, rtol=1e-14, err_msg=repr(rule))


def test_nesterov_is_the_look_ahead_form_seen_from_the_point_ahead():
    """Sutskever et al. (2013): velocity and iterate with the gradient at theta + mu v."""

    def gradient(theta):
        return np.array([3.0, 0.5]) * theta

    alpha, mu = 0.1, 0.8
    rule = Nesterov(alpha=alpha, mu=mu)
    s = rule.init(np.array([1.0, -1.0]))
    theta, velocity = np.array([1.0, -1.0]), np.zeros(2)
    for _ in range(30):
        rule.step(s, gradient(s.theta))
        velocity = mu * velocity - alpha * gradient(theta + mu * velocity)
        theta = theta + velocity
        np.testing.assert_allclose(s.theta, theta + mu * velocity, rtol=1e-12)


def test_adam_w_in_the_papers_form():
    """Algorithm 2 of arXiv:1711.05101: eta_t multiplies the step and lambda, and alpha does not touch lambda."""
    gradients = np.random.default_rng(5).normal(size=(20, 3))
    alpha, weight_decay = 0.05, 0.02
    rule = AdamW(
        alpha=inverse_sqrt(alpha), weight_decay=inverse_sqrt(weight_decay), decay_form="paper", beta1=0.8, beta2=0.95
    )
    plain = Adam(alpha=1.0, beta1=0.8, beta2=0.95)
    s, moments, theta = rule.init(np.ones(3)), plain.init(np.zeros(3)), np.ones(3)
    for t, g in enumerate(gradients, start=1):
        before = moments.theta
        plain.step(moments, g)
        eta = 1 / math.sqrt(t)
        theta = theta + eta * alpha * (moments.theta - before) - eta * weight_decay * theta
        rule.step(s, g)
        np.testing.assert_allclose(s.theta, theta, rtol=1e-12)


@pytest.mark.parametrize("rule", [Momentum, Nesterov, RMSProp], ids=lambda rule: rule.__name__)
def test_forms_of_momentum_differ_only_under_a_schedule(rule):
    gradients = np.random.default_rng(6).normal(size=(10, 3))

    def end(**hyper):
        made = rule(mu=0.8, **hyper)
        s = made.init(np.ones(3))
        for g in gradients:
            made.step(s, g)
        return s.theta

    np.testing.assert_allclose(end(alpha=0.1), end(alpha=0.1, form="velocity"), rtol=1e-12)
    heavy, velocity = (end(alpha=inverse_sqrt(0.1), form=form) for form in ("heavy_ball", "velocity"))
    assert np.abs(heavy - velocity).max() > 1e-3


@pytest.mark.parametrize("rule", [Momentum, Nesterov], ids=lambda rule: rule.__name__)
def test_a_moving_average_is_the_heavy_ball_with_a_smaller_step_size(rule):
    """Smaller by 1 - mu: in Nesterov's step too, where the gradient itself is added beside what b carries."""
    average, heavy = rule(alpha=0.2, mu=0.7, form="average"), rule(alpha=0.06, mu=0.7)
    s, expected = average.init(np.ones(3)), heavy.init(np.ones(3))
    for g in np.random.default_rng(6).normal(size=(10, 3)):
        average.step(s, g)
        heavy.step(expected, g)
        np.testing.assert_allclose(s.theta, expected.theta, rtol=1e-12)


def test_forms_of_rmsprops_momentum_by_hand():
    """Two steps with alpha_1 = 0.1 and alpha_2 = 0.1 / sqrt(2), gradients 1 and 2, rho = 0: the rescaled are 1."""
    expected = {
        "heavy_ball": -0.1 * 1 - 0.1 / math.sqrt(2) * (0.8 * 1 + 1),
        "velocity": -0.1 * 1 - (0.8 * 0.1 + 0.1 / math.sqrt(2)),
    }
    for form, theta in expected.items():
        rule = RMSProp(alpha=inverse_sqrt(0.1), rho=0, eps=0, mu=0.8, form=form)
        s = rule.init(np.zeros(1))
        rule.step(s, np.array([1.0]))
        rule.step(s, np.array([2.0]))
        np.testing.assert_allclose(s.theta, theta, rtol=1e-14)


def test_the_centered_mean_is_a_mean():
    rule = RMSProp(rho=0.5, centered=True)
    s = rule.init(np.zeros(1))
    for g in (4.0, 2.0):
        rule.step(s, np.array([g]))
    assert s.g_mean == 0.5 * 0.5 * 4 + 0.5 * 2
