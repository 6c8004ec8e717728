"""The equations of book/adam/moments.ipynb, each against adamcore or a simulation, on random inputs."""

import numpy as np
import pytest

from adamcore import Adam, Trace
from tests.book.equations import equation


def feed(rule, gradients):
    """What a rule computes for these gradients, (steps, coordinates)."""
    trace = Trace(rule, rule.init(np.zeros(gradients.shape[1])), range(gradients.shape[1]))
    for g in gradients:
        trace.record(g)
    return trace.history


def averages(rng, steps, beta=None, coordinates=3):
    """A random decay rate, random gradients, and Adam's m after each."""
    beta = rng.uniform(0.2, 0.95) if beta is None else beta
    gradients = rng.normal(size=(steps, coordinates))
    return beta, gradients, feed(Adam(beta1=beta), gradients)["m"]


def adams_weights(beta, t):
    """The weights that Adam's m gives to the gradients of ages 0, 1, ..., t - 1."""
    return feed(Adam(beta1=beta), np.eye(t))["m"][-1][::-1]


def settled(beta):
    """Steps after which the zero at the start has faded."""
    return int(np.ceil(40 / -np.log(beta)))


@equation("eq-moments-average", r"m_t = \beta\, m_{t-1} + (1 - \beta)\, g_t, \qquad m_0 = 0 .")
def test_average(rng):
    beta, g, m = averages(rng, steps=8)
    before = np.vstack([np.zeros(3), m[:-1]])
    np.testing.assert_allclose(m, beta * before + (1 - beta) * g, rtol=1e-13)
    squares = feed(Adam(beta2=beta), g)["v"]  # v is the same average, of squares
    np.testing.assert_allclose(squares, feed(Adam(beta1=beta), g**2)["m"], rtol=1e-13)


@equation("eq-moments-unrolled", r"m_t = (1 - \beta) \sum_{i=1}^{t} \beta^{t-i} g_i .")
def test_unrolled(rng):
    t = int(rng.integers(2, 12))
    beta, g, m = averages(rng, steps=t)
    expected = (1 - beta) * sum(beta ** (t - i) * g[i - 1] for i in range(1, t + 1))
    np.testing.assert_allclose(m[-1], expected, rtol=1e-11)


@equation("eq-moments-weight", r"w_k = (1 - \beta)\, \beta^k .")
def test_weight(rng):
    beta = rng.uniform(0.2, 0.95)
    np.testing.assert_allclose(adams_weights(beta, 12), [(1 - beta) * beta**k for k in range(12)], rtol=1e-12)


@equation("eq-moments-weight-sum", r"\sum_{k=0}^{t-1} w_k = 1 - \beta^t .")
def test_weights_add_up(rng):
    beta, t = rng.uniform(0.5, 0.95), int(rng.integers(1, 9))
    assert adams_weights(beta, t).sum() == pytest.approx(1 - beta**t, rel=1e-12)


@equation("eq-moments-half-life", r"h = \frac{\ln 2}{-\ln \beta} .")
def test_half_life(rng):
    h = int(rng.integers(2, 30))
    beta = np.exp(-np.log(2) / h)  # solved for beta
    weights = adams_weights(beta, h + 1)
    assert weights[h] / weights[0] == pytest.approx(0.5)
    assert np.log(2) / -np.log(0.9) == pytest.approx(6.6, abs=0.05)
    assert np.log(2) / -np.log(0.999) == pytest.approx(693, abs=0.5)


@equation("eq-moments-mean-age", r"\sum_{k=0}^{\infty} k\, w_k = \frac{\beta}{1 - \beta} .")
def test_mean_age(rng):
    beta = rng.uniform(0.2, 0.9)
    weights = adams_weights(beta, settled(beta))
    assert (np.arange(len(weights)) * weights).sum() == pytest.approx(beta / (1 - beta), rel=1e-9)


@equation("eq-moments-tail", r"\sum_{k=n}^{\infty} w_k = \beta^n ,")
def test_tail(rng):
    beta, n = rng.uniform(0.2, 0.9), int(rng.integers(1, 10))
    assert adams_weights(beta, settled(beta))[n:].sum() == pytest.approx(beta**n, rel=1e-9)


@equation("eq-moments-window", r"\beta^{1/(1-\beta)} < \frac{1}{e} \approx 0.368 ,")
def test_window(rng):
    def outside(beta):
        return beta ** (1 / (1 - beta))

    # It is a weight that Adam gives: to the gradients of an age of 1 / (1 - beta) and more.
    for window in (2, 5, 10, 20):
        beta = 1 - 1 / window
        assert adams_weights(beta, settled(beta))[window:].sum() == pytest.approx(outside(beta))
    for beta in rng.uniform(0.01, 0.9999, size=100):
        assert outside(beta) < np.exp(-1)
    assert outside(0.999999) == pytest.approx(np.exp(-1), rel=1e-5)  # the closer beta is to 1, the closer the two
    assert np.exp(-1) == pytest.approx(0.368, abs=0.0005)
    assert outside(0.9) > 1 / 3
    assert outside(0.999) > 1 / 3


@equation(
    "eq-moments-lag",
    r"\sum_{k=0}^{\infty} w_k\, g_{t-k} = g_t - b\, \frac{\beta}{1 - \beta} .",
)
def test_lag(rng):
    (a, b), beta = rng.normal(size=2), rng.uniform(0.2, 0.9)
    ramp = a + b * np.arange(1, settled(beta) + 1)[:, None]
    m = feed(Adam(beta1=beta), ramp)["m"]
    np.testing.assert_allclose(m[-1], ramp[-1] - b * beta / (1 - beta), rtol=1e-9)
    weights = adams_weights(beta, len(ramp))
    assert ramp[-1, 0] - b * (np.arange(len(ramp)) * weights).sum() == pytest.approx(m[-1, 0])


@equation(
    "eq-moments-variance",
    r"""\operatorname{Var}[m_t] = \frac{1 - \beta}{1 + \beta} \left( 1 - \beta^{2t} \right) \sigma^2 .""",
)
def test_variance(rng):
    beta, sigma = rng.uniform(0.5, 0.9), rng.uniform(0.5, 3)
    for t in (1, 3, 12):
        expected = (1 - beta) / (1 + beta) * (1 - beta ** (2 * t)) * sigma**2
        assert (adams_weights(beta, t) ** 2).sum() * sigma**2 == pytest.approx(expected)  # exact
    rule = Adam(beta1=beta)
    s = rule.init(np.zeros(40_000))
    for _ in range(12):
        rule.step(s, 7 + sigma * rng.normal(size=40_000))
    assert s.m.var() == pytest.approx(expected, rel=0.05)  # simulated


@equation("eq-moments-sample-size", r"n_{\text{eff}} = \frac{1 + \beta}{1 - \beta}")
def test_effective_sample_size(rng):
    beta = rng.uniform(0.2, 0.9)
    weights = adams_weights(beta, settled(beta))
    assert 1 / (weights**2).sum() == pytest.approx((1 + beta) / (1 - beta))
    np.testing.assert_allclose([1.9 / 0.1, 1.999 / 0.001], [19, 1999])


@equation("eq-moments-raw", r"\operatorname{E}[g^2] = \mu^2 + \sigma^2 .")
def test_raw_moment(rng):
    g = rng.exponential(2, size=50) - 5
    assert (g**2).mean() == pytest.approx(g.mean() ** 2 + g.var())
    mu, sigma = -1.7, 1.3
    rule = Adam()
    s = rule.init(np.zeros(2_000))
    for _ in range(100):
        rule.step(s, mu + sigma * rng.normal(size=2_000))
    assert s.v_hat.mean() == pytest.approx(mu**2 + sigma**2, rel=0.03)


@equation(
    "eq-moments-ratio",
    r"""\frac{\mu}{\sqrt{\mu^2 + \sigma^2}} = \frac{\operatorname{sign}(\mu)}{\sqrt{1 + \sigma^2 / \mu^2}}
    \qquad (\mu \neq 0) .""",
)
def test_ratio(rng):
    mu, sigma = rng.normal(size=20), rng.uniform(0.1, 3, size=20)
    ratio = mu / np.sqrt(mu**2 + sigma**2)
    np.testing.assert_allclose(ratio, np.sign(mu) / np.sqrt(1 + sigma**2 / mu**2))
    rule = Adam()  # Adam's own ratio, on average over coordinates
    s = rule.init(np.zeros(4_000))
    for _ in range(1_000):
        rule.step(s, mu[0] + sigma[0] * rng.normal(size=4_000))
    assert (s.m_hat / np.sqrt(s.v_hat)).mean() == pytest.approx(ratio[0], abs=0.02)


@equation(
    "eq-moments-noise-ratio",
    r"""\sqrt{ \operatorname{E}\left[ (m_t / \sigma)^2 \right] } \to \sqrt{ \frac{1 - \beta_1}{1 + \beta_1} }
    \qquad (\mu = 0) ,""",
)
def test_ratio_in_pure_noise(rng):
    beta1, sigma = rng.uniform(0.5, 0.9), rng.uniform(0.5, 3)
    rule = Adam(beta1=beta1)
    s = rule.init(np.zeros(4_000))
    for _ in range(1_000):
        rule.step(s, sigma * rng.normal(size=4_000))
    expected = np.sqrt((1 - beta1) / (1 + beta1))
    assert np.sqrt(((s.m / sigma) ** 2).mean()) == pytest.approx(expected, rel=0.05)
    assert np.sqrt((s.m_hat**2 / s.v_hat).mean()) == pytest.approx(expected, rel=0.05)
    assert np.sqrt(0.1 / 1.9) == pytest.approx(0.229, abs=0.0005)


@equation(
    "eq-moments-spread",
    r"""\hat v_t - \hat m_t^2 = \sum_{i=1}^{t} \hat w_i\, (g_i - \hat m_t)^2 \ge 0 .""",
)
def test_spread(rng):
    t, beta = int(rng.integers(2, 9)), rng.uniform(0.5, 0.95)
    g = rng.normal(size=(t, 4))
    history = feed(Adam(beta1=beta, beta2=beta), g)
    m_hat, v_hat = history["m_hat"][-1], history["v_hat"][-1]
    weights = (1 - beta) * beta ** (t - np.arange(1, t + 1)) / (1 - beta**t)
    np.testing.assert_allclose(v_hat - m_hat**2, weights @ (g - m_hat) ** 2, rtol=1e-9, atol=1e-12)
    assert (v_hat >= m_hat**2 - 1e-12).all()
