"""The equations of book/adam/bias_correction.ipynb, each against adamcore or a simulation, on random inputs."""

from fractions import Fraction

import numpy as np
import pytest

from adamcore import Adam
from adamcore.optim.base import one_minus_power
from tests.book.equations import equation
from tests.book.test_equations_moments import feed


def expected_v(beta2, squares):
    """E[v_t] for gradients with these mean squares: without noise v is its own expectation."""
    return feed(Adam(beta2=beta2), np.sqrt(squares)[:, None])["v"][:, 0]


def simulated(rng, steps, beta1=0.9, beta2=0.999, coordinates=40_000, draw=None):
    """Adam's state after so many random gradients."""
    rule = Adam(beta1=beta1, beta2=beta2)
    s = rule.init(np.zeros(coordinates))
    for i in range(1, steps + 1):
        rule.step(s, (draw or (lambda i: rng.normal(size=coordinates)))(i))
    return s


@equation("eq-bias-unrolled", r"v_t = (1 - \beta_2) \sum_{i=1}^{t} \beta_2^{t-i} g_i^2 .")
def test_unrolled(rng):
    t, beta2 = int(rng.integers(2, 12)), rng.uniform(0.2, 0.95)
    g = rng.normal(size=(t, 3))
    expected = (1 - beta2) * sum(beta2 ** (t - i) * g[i - 1] ** 2 for i in range(1, t + 1))
    np.testing.assert_allclose(feed(Adam(beta2=beta2), g)["v"][-1], expected, rtol=1e-11)


@equation(
    "eq-bias-expectation",
    r"\operatorname{E}[v_t] = (1 - \beta_2) \sum_{i=1}^{t} \beta_2^{t-i} \operatorname{E}[g_i^2] .",
)
def test_expectation(rng):
    # Gradients that depend on each other and change: g_i = i (a + z), with one z for all i; E[g_i^2] = i^2 (a^2 + 1).
    t, beta2, a = 6, rng.uniform(0.3, 0.9), rng.uniform(1.5, 2.5)
    z = rng.normal(size=40_000)
    s = simulated(rng, t, beta2=beta2, draw=lambda i: i * (a + z))
    expected = (1 - beta2) * sum(beta2 ** (t - i) * i**2 * (a**2 + 1) for i in range(1, t + 1))
    assert s.v.mean() == pytest.approx(expected, rel=0.04)


@equation(
    "eq-bias-stationary",
    r"\operatorname{E}[v_t] = \operatorname{E}[g^2] \left( 1 - \beta_2^t \right) .",
)
def test_stationary(rng):
    square, beta2, t = rng.uniform(0.5, 5), rng.uniform(0.5, 0.99), int(rng.integers(1, 9))
    assert expected_v(beta2, np.full(t, square))[-1] == pytest.approx(square * (1 - beta2**t))
    s = simulated(rng, 5, draw=lambda i: rng.exponential(size=40_000))  # E[g^2] = 2
    assert s.v.mean() == pytest.approx(2 * (1 - 0.999**5), rel=0.04)
    assert s.v_hat.mean() == pytest.approx(2, rel=0.04)


def zeta(beta2, squares):
    """The definition, term by term."""
    t = len(squares)
    return (1 - beta2) * sum(beta2 ** (t - i) * (squares[i - 1] - squares[t - 1]) for i in range(1, t + 1))


@equation(
    "eq-bias-zeta",
    r"""\zeta_t = (1 - \beta_2) \sum_{i=1}^{t} \beta_2^{t-i}
    \left( \operatorname{E}[g_i^2] - \operatorname{E}[g_t^2] \right) ,""",
)
def test_zeta(rng):
    t, beta2 = int(rng.integers(2, 9)), rng.uniform(0.5, 0.95)
    squares = rng.exponential(size=t)
    left = expected_v(beta2, squares)[-1] - squares[-1] * (1 - beta2**t)  # what zeta is there to explain
    assert zeta(beta2, squares) == pytest.approx(left)
    assert zeta(beta2, np.full(t, 3.0)) == 0
    one, other = (feed(Adam(beta1=beta1), np.sqrt(squares)[:, None])["v"] for beta1 in rng.uniform(0, 0.99, size=2))
    np.testing.assert_array_equal(one, other)  # the paper's remark means beta2


@equation(
    "eq-bias-expected",
    r"\operatorname{E}[v_t] = \operatorname{E}[g_t^2] \left( 1 - \beta_2^t \right) + \zeta_t .",
)
def test_expected(rng):
    t, beta2 = int(rng.integers(2, 9)), rng.uniform(0.5, 0.95)
    squares = rng.exponential(size=t)
    assert expected_v(beta2, squares)[-1] == pytest.approx(squares[-1] * (1 - beta2**t) + zeta(beta2, squares))


@equation(
    "eq-bias-v-hat",
    r"\operatorname{E}[\hat v_t] = \operatorname{E}[g_t^2] + \frac{\zeta_t}{1 - \beta_2^t} .",
)
def test_corrected(rng):
    t, beta2 = int(rng.integers(2, 9)), rng.uniform(0.5, 0.95)
    squares = rng.exponential(size=t)
    v_hat = feed(Adam(beta2=beta2), np.sqrt(squares)[:, None])["v_hat"][-1, 0]
    assert v_hat == pytest.approx(squares[-1] + zeta(beta2, squares) / (1 - beta2**t))


@equation(
    "eq-bias-m",
    r"""\begin{aligned}
    \operatorname{E}[m_t] &= \operatorname{E}[g_t] \left( 1 - \beta_1^t \right) + \zeta'_t , \\
    \zeta'_t &= (1 - \beta_1) \sum_{i=1}^{t} \beta_1^{t-i}
    \left( \operatorname{E}[g_i] - \operatorname{E}[g_t] \right) .
    \end{aligned}""",
)
def test_first_moment(rng):
    t, beta1 = int(rng.integers(2, 9)), rng.uniform(0.5, 0.95)
    means = rng.normal(size=t)
    rest = (1 - beta1) * sum(beta1 ** (t - i) * (means[i - 1] - means[-1]) for i in range(1, t + 1))
    expected = means[-1] * (1 - beta1**t) + rest
    assert feed(Adam(beta1=beta1), means[:, None])["m"][-1, 0] == pytest.approx(expected, abs=1e-12)
    s = simulated(rng, t, beta1=beta1, draw=lambda i: means[i - 1] + rng.normal(size=40_000))
    assert s.m.mean() == pytest.approx(expected, abs=0.02)


@equation(
    "eq-bias-linear",
    r"\zeta_t = -b\, \beta_2\, \frac{1 - t\, \beta_2^{t-1} + (t-1)\, \beta_2^t}{1 - \beta_2} .",
)
def test_linear_drift(rng):
    a, b, beta2 = rng.uniform(1, 2), rng.uniform(0.1, 1), rng.uniform(0.5, 0.95)
    steps = np.arange(1, 601)
    squares = a + b * steps
    left = expected_v(beta2, squares) - squares * (1 - beta2**steps)
    formula = -b * beta2 * (1 - steps * beta2 ** (steps - 1) + (steps - 1) * beta2**steps) / (1 - beta2)
    np.testing.assert_allclose(left, formula, rtol=1e-7, atol=1e-9)


@equation("eq-bias-linear-limit", r"\lim_{t \to \infty} \zeta_t = -b\, \frac{\beta_2}{1 - \beta_2} .")
def test_linear_drift_in_the_long_run(rng):
    a, b, beta2 = rng.uniform(1, 2), rng.uniform(0.1, 1), rng.uniform(0.5, 0.95)
    squares = a + b * np.arange(1, 1001)
    left = expected_v(beta2, squares)[-1] - squares[-1] * (1 - beta2**1000)
    assert left == pytest.approx(-b * beta2 / (1 - beta2), rel=1e-6)


@equation(
    "eq-bias-geometric",
    r"\operatorname{E}[v_t] = c\, (1 - \beta_2)\, \rho\, \frac{\beta_2^t - \rho^t}{\beta_2 - \rho} .",
)
def test_geometric_drift(rng):
    c, beta2 = rng.uniform(0.5, 2), rng.uniform(0.8, 0.95)
    steps = np.arange(1, 41)
    for rho in (rng.uniform(0.5, 0.75), rng.uniform(0.96, 0.99), rng.uniform(1.01, 1.2)):
        formula = c * (1 - beta2) * rho * (beta2**steps - rho**steps) / (beta2 - rho)
        np.testing.assert_allclose(expected_v(beta2, c * rho**steps), formula, rtol=1e-9)


@equation(
    "eq-bias-geometric-ratio",
    r"\frac{\operatorname{E}[v_t]}{\operatorname{E}[g_t^2]} \to \frac{(1 - \beta_2)\, \rho}{\rho - \beta_2} .",
)
def test_ratio_under_geometric_drift(rng):
    beta2 = rng.uniform(0.5, 0.8)
    for rho in (rng.uniform(0.9, 0.99), rng.uniform(1.01, 1.2)):
        squares = rho ** np.arange(1.0, 401)
        assert expected_v(beta2, squares)[-1] / squares[-1] == pytest.approx((1 - beta2) * rho / (rho - beta2))


@equation(
    "eq-bias-jensen",
    r"\operatorname{E}\left[ \sqrt{\hat v_t} \right] \le \sqrt{ \operatorname{E}[\hat v_t] } ,",
)
def test_jensen(rng):
    for scale in (0.1, 10):  # a root that is missing on the right shows below 1, on the left above
        s = simulated(rng, 3, draw=lambda i, scale=scale: scale * rng.exponential(size=40_000))
        assert np.sqrt(s.v_hat).mean() < 0.99 * np.sqrt(s.v_hat.mean())
    s = simulated(rng, 3, coordinates=10, draw=lambda i: np.full(10, 3.0))  # equality where v_hat does not vary
    assert np.sqrt(s.v_hat).mean() == pytest.approx(np.sqrt(s.v_hat.mean()))


@equation(
    "eq-bias-root",
    r"\operatorname{E}\left[ \sqrt{\hat v_1} \right] = \sigma \sqrt{\frac{2}{\pi}} \approx 0.798\, \sigma .",
)
def test_root_at_the_first_step(rng):
    sigma = rng.uniform(0.5, 3)
    s = simulated(rng, 1, coordinates=400_000, draw=lambda i: sigma * rng.normal(size=400_000))
    assert np.sqrt(s.v_hat).mean() == pytest.approx(sigma * np.sqrt(2 / np.pi), rel=0.01)
    np.testing.assert_allclose(np.sqrt(2 / np.pi), 0.798, atol=0.0005)


def f(beta1, beta2, t):
    """What is left of the missing corrections."""
    return (1 - beta1**t) / np.sqrt(1 - beta2**t)


@equation(
    "eq-bias-factor",
    r"""\frac{m_t}{\sqrt{v_t}} = f(t)\, \frac{\hat m_t}{\sqrt{\hat v_t}} , \qquad
    f(t) = \frac{1 - \beta_1^t}{\sqrt{1 - \beta_2^t}} .""",
)
def test_factor(rng):
    beta1, beta2, t = rng.uniform(0.3, 0.95), rng.uniform(0.5, 0.999), np.arange(1, 21)
    g = rng.normal(size=(20, 3))
    one = feed(Adam(beta1=beta1, beta2=beta2, eps=0.0), g)
    other = feed(Adam(beta1=beta1, beta2=beta2, eps=0.0, bias_correction=False), g)
    ratio = one["m"] / np.sqrt(one["v"])
    expected = f(beta1, beta2, t)[:, None] * one["m_hat"] / np.sqrt(one["v_hat"])
    np.testing.assert_allclose(ratio, expected, rtol=1e-9)
    # theta - (theta - step) rounds at the size of theta
    np.testing.assert_allclose(other["step"], f(beta1, beta2, t)[:, None] * one["step"], rtol=1e-9, atol=1e-14)
    assert f(0.9, 0.999, 1) == pytest.approx(3.16, abs=0.005)


@equation(
    "eq-bias-peak",
    r"""\begin{aligned}
    e^{-x} (1 + 2x) &= 1 , \\
    x &= -t \ln \beta_1 .
    \end{aligned}""",
)
def test_peak(rng):
    x = 1.0
    for _ in range(100):
        x = np.log(1 + 2 * x)
    assert np.exp(-x) * (1 + 2 * x) == pytest.approx(1)
    assert x == pytest.approx(1.256, abs=0.001)
    beta1, beta2 = rng.uniform(0.85, 0.95), 0.99999
    rule = Adam(beta1=beta1, beta2=beta2, eps=0.0, bias_correction=False)
    steps = -feed(rule, np.ones((60, 1)))["step"][:, 0]
    assert 1 + steps.argmax() == pytest.approx(x / -np.log(beta1), abs=0.75)
    t = np.arange(1, 100_001)
    assert (t[f(0.9, 0.999, t).argmax()], round(f(0.9, 0.999, t).max(), 2)) == (12, 6.57)
    assert (f(0.9, 0.999, t) - 1).sum() == pytest.approx(1213, abs=0.5)


@equation(
    "eq-bias-only-v",
    r"\frac{m_t}{\sqrt{\hat v_t}} = \left( 1 - \beta_1^t \right) \frac{\hat m_t}{\sqrt{\hat v_t}} .",
)
def test_only_v_corrected(rng):
    beta1, g = rng.uniform(0.3, 0.95), rng.normal(size=(20, 3))
    both = feed(Adam(beta1=beta1, eps=0.0), g)["step"]
    only_v = feed(Adam(beta1=beta1, eps=0.0, bias_correction="second"), g)["step"]
    np.testing.assert_allclose(only_v, (1 - beta1 ** np.arange(1, 21))[:, None] * both, rtol=1e-9, atol=1e-14)


@equation(
    "eq-bias-expm1",
    r"""\begin{aligned}
    & 1 - \beta^t \\
    &= -\mathrm{expm1}( t\, \mathrm{log1p}( -(1 - \beta) ) ) .
    \end{aligned}""",
)
def test_expm1(rng):
    for distance in 10.0 ** rng.uniform(-12, -1, size=20):
        beta, t = 1 - distance, int(rng.integers(1, 50))
        exact = float(1 - Fraction(beta) ** t)
        assert -np.expm1(t * np.log1p(-(1 - beta))) == pytest.approx(exact, rel=1e-13)
        assert one_minus_power(beta, t) == pytest.approx(exact, rel=1e-8)
