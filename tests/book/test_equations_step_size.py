"""The equations of book/adam/step_size.ipynb, each against adamcore on random inputs or a simulation."""

import numpy as np
import pytest

from adamcore import Adam
from tests.book.equations import equation


def ratios(rule, gradients, silence=0):
    """The steps in units of alpha, a row each, and the last state; `silence` counts zeros beforehand."""
    gradients = np.asarray(gradients, dtype=float)
    s = rule.init(np.zeros(gradients.shape[1:]))
    s.t = silence
    made = []
    for g in gradients:
        s.theta = np.zeros_like(s.theta)
        rule.step(s, g)
        made.append(-s.theta / rule.alpha)
    return np.array(made), s


def betas(rng):
    """Two decay rates with beta1^2 < beta2."""
    beta2 = rng.uniform(0.5, 0.999)
    return rng.uniform(0.1, 0.98) * beta2**0.5, beta2


def weights(beta, t):
    """Those of the corrected average, the oldest gradient first."""
    return (1 - beta) * beta ** (t - np.arange(1, t + 1)) / (1 - beta**t)


def bound(t, beta1, beta2):
    """R_t, from the formula on the page."""
    r = beta1**2 / beta2
    first, second = (1 - beta1) / np.sqrt(1 - beta2), np.sqrt((1 - r**t) / (1 - r))
    return first * second * np.sqrt(1 - beta2**t) / (1 - beta1**t)


@equation(
    "eq-step-delta",
    r"\theta_t = \theta_{t-1} - \Delta_t , \quad \Delta_t = \alpha\, \frac{\hat m_t}{\sqrt{\hat v_t}} .",
)
def test_step(rng):
    rule = Adam(alpha=0.3, eps=0)
    s = rule.init(rng.normal(size=4))
    for g in rng.normal(size=(10, 4)):
        before = s.theta
        rule.step(s, g)
        np.testing.assert_allclose(s.theta, before - 0.3 * s.m_hat / np.sqrt(s.v_hat), rtol=1e-12)


@equation(
    "eq-step-weights",
    r"""\begin{aligned}
    \hat m_t &= \sum_{i=1}^{t} p_i\, g_i , & p_i &= \frac{(1 - \beta_1)\, \beta_1^{t-i}}{1 - \beta_1^t} , \\
    \hat v_t &= \sum_{i=1}^{t} q_i\, g_i^2 , & q_i &= \frac{(1 - \beta_2)\, \beta_2^{t-i}}{1 - \beta_2^t} .
    \end{aligned}""",
)
def test_weights(rng):
    beta1, beta2 = betas(rng)
    t = int(rng.integers(2, 20))
    g = rng.normal(size=(t, 3))
    _, s = ratios(Adam(beta1=beta1, beta2=beta2), g)
    np.testing.assert_allclose(s.m_hat, weights(beta1, t) @ g, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(s.v_hat, weights(beta2, t) @ g**2, rtol=1e-9)


@equation("eq-step-cauchy", r"\left( \sum_i a_i b_i \right)^2 \le \sum_i a_i^2\; \sum_i b_i^2 .")
def test_cauchy_schwarz(rng):
    for a, b in rng.normal(size=(100, 2, 3)):
        assert (a * b).sum() ** 2 <= (a**2).sum() * (b**2).sum()
        assert (a * 2.5 * a).sum() ** 2 == pytest.approx((a**2).sum() * ((2.5 * a) ** 2).sum())


@equation(
    "eq-step-split",
    r"""\begin{aligned}
    \hat m_t &= \sum_{i=1}^{t} \underbrace{\frac{p_i}{\sqrt{q_i}}}_{a_i}\; \underbrace{\sqrt{q_i}\, g_i}_{b_i} ,
    \quad \text{so} \\
    \hat m_t^2 &\le \sum_{i=1}^{t} \frac{p_i^2}{q_i}\; \sum_{i=1}^{t} q_i\, g_i^2
    = \left( \sum_{i=1}^{t} \frac{p_i^2}{q_i} \right) \hat v_t .
    \end{aligned}""",
)
def test_split(rng):
    beta1, beta2 = betas(rng)
    t = 6
    p, q = weights(beta1, t), weights(beta2, t)
    bracket = (p**2 / q).sum()
    g = rng.normal(size=(t, 1000))
    _, s = ratios(Adam(beta1=beta1, beta2=beta2), g)
    np.testing.assert_allclose(s.m_hat, (p / np.sqrt(q)) @ (np.sqrt(q)[:, None] * g), rtol=1e-9, atol=1e-12)
    assert (s.m_hat**2 <= bracket * s.v_hat * (1 + 1e-12)).all()
    _, s = ratios(Adam(beta1=beta1, beta2=beta2), p / q)  # the gradients that make both sides equal
    assert s.m_hat**2 == pytest.approx(bracket * s.v_hat)


@equation(
    "eq-step-bound",
    r"""\begin{aligned}
    |\Delta_t| &\le \alpha R_t , \qquad r = \frac{\beta_1^2}{\beta_2} , \\
    R_t &= \frac{1 - \beta_1}{\sqrt{1 - \beta_2}} \cdot \sqrt{ \frac{1 - r^t}{1 - r} }
    \cdot \frac{\sqrt{1 - \beta_2^t}}{1 - \beta_1^t} .
    \end{aligned}""",
)
def test_bound(rng):
    for _ in range(20):
        beta1, beta2 = betas(rng)
        t = int(rng.integers(1, 12))
        assert bound(t, beta1, beta2) ** 2 == pytest.approx((weights(beta1, t) ** 2 / weights(beta2, t)).sum())
        growth = rng.uniform(0.5, 2, size=500) ** np.arange(t)[:, None]
        made, _ = ratios(Adam(beta1=beta1, beta2=beta2, eps=0), growth * rng.normal(size=(t, 500)))
        assert (np.abs(made) <= bound(np.arange(1, t + 1), beta1, beta2)[:, None] * (1 + 1e-9)).all()


@equation(
    "eq-step-attained",
    r"""g_i = c \left( \frac{\beta_2}{\beta_1} \right)^{i} \;\; (c \neq 0) \;\; \Longrightarrow \;\;
    |\Delta_t| = \alpha R_t .""",
)
def test_bound_is_attained(rng):
    for _ in range(10):
        beta1, beta2 = betas(rng)
        t = np.arange(1, 30)
        made, _ = ratios(Adam(beta1=beta1, beta2=beta2, eps=0), rng.normal() * (beta2 / beta1) ** t)
        np.testing.assert_allclose(np.abs(made), bound(t, beta1, beta2), rtol=1e-9)


@equation(
    "eq-step-limit",
    r"""R_\infty = \frac{1 - \beta_1}{\sqrt{(1 - \beta_2)(1 - \beta_1^2 / \beta_2)}}
    \quad (\beta_1^2 < \beta_2) .""",
)
def test_limit(rng):
    for _ in range(10):
        beta1, beta2 = betas(rng)
        limit = (1 - beta1) / np.sqrt((1 - beta2) * (1 - beta1**2 / beta2))
        assert bound(100_000, beta1, beta2) == pytest.approx(limit)
    assert 0.1 / np.sqrt(0.001 * (1 - 0.81 / 0.999)) == pytest.approx(7.270, abs=5e-4)
    assert bound(100, 0.9, 0.7) > 100 * bound(10, 0.9, 0.7)  # beta1^2 > beta2: no limit


@equation(
    "eq-step-square",
    r"""\begin{aligned}
    (1 - \beta_1)^2 &- (1 - \beta_2) \left( 1 - \frac{\beta_1^2}{\beta_2} \right) \\
    &= \frac{(\beta_1 - \beta_2)^2}{\beta_2} \ge 0 .
    \end{aligned}""",
)
def test_square(rng):
    for _ in range(10):
        beta1, beta2 = betas(rng)
        left = (1 - beta1) ** 2 - (1 - beta2) * (1 - beta1**2 / beta2)
        assert left == pytest.approx((beta1 - beta2) ** 2 / beta2, abs=1e-12)
        t = np.arange(1, 30)  # with powers of both in place of both: the bound stays below its limit
        below = (1 - beta2**t) * (1 - (beta1**2 / beta2) ** t)
        np.testing.assert_allclose((1 - beta1**t) ** 2 - below, (beta1**t - beta2**t) ** 2 / beta2**t, atol=1e-12)
        assert (bound(t, beta1, beta2) < bound(100_000, beta1, beta2) * (1 + 1e-12)).all()
        assert bound(100_000, beta1, beta2) ** 2 * (1 - beta2) * (1 - beta1**2 / beta2) == pytest.approx(
            (1 - beta1) ** 2
        )


@equation(
    "eq-step-equal",
    r"|\Delta_t| \le \alpha \quad \text{for every } t \qquad (\beta_1 = \beta_2) .",
)
def test_equal_betas(rng):
    for beta in rng.uniform(0.1, 0.99, size=10):
        growth = rng.uniform(0.5, 2, size=300) ** np.arange(30)[:, None]
        gradients = growth * rng.normal(size=(30, 300)) * (rng.random((30, 300)) < 0.5)
        made, _ = ratios(Adam(beta1=beta, beta2=beta, eps=0), gradients)
        assert np.abs(made).max() <= 1 + 1e-9
        made, _ = ratios(Adam(beta1=beta, beta2=beta, eps=0), np.full(30, -2.0))
        np.testing.assert_allclose(made, -1)


@equation(
    "eq-step-spike",
    r"""|\Delta| = \alpha\, \frac{1 - \beta_1}{\sqrt{1 - \beta_2}}
    \left( \frac{\beta_1}{\sqrt{\beta_2}} \right)^{k} .""",
)
def test_spike(rng):
    beta1, beta2 = betas(rng)
    spike = np.zeros(20)
    spike[0] = rng.normal()
    made, _ = ratios(Adam(beta1=beta1, beta2=beta2, eps=0), spike, silence=10**6)
    k = np.arange(20)
    np.testing.assert_allclose(np.abs(made), (1 - beta1) / np.sqrt(1 - beta2) * (beta1 / np.sqrt(beta2)) ** k)


@equation(
    "eq-step-travel",
    r"""\sum_{k=0}^{\infty} |\Delta| = \alpha\, \frac{1 - \beta_1}{\sqrt{1 - \beta_2}}
    \cdot \frac{1}{1 - \beta_1 / \sqrt{\beta_2}} .""",
)
def test_travel(rng):
    random = (rng.uniform(0.1, 0.9), rng.uniform(0.9, 0.999))
    for beta1, beta2 in (random, (0.9, 0.999)):
        spike = np.zeros(2000)
        spike[0] = rng.normal()
        made, _ = ratios(Adam(beta1=beta1, beta2=beta2, eps=0), spike, silence=10**6)
        way = (1 - beta1) / np.sqrt(1 - beta2) / (1 - beta1 / np.sqrt(beta2))
        assert abs(made.sum()) == pytest.approx(way)
    assert way == pytest.approx(31.77, abs=0.005)


@equation(
    "eq-step-silence",
    r"|\Delta| = \alpha\, \frac{1 - \beta_1^k}{\sqrt{1 - \beta_2^k}} .",
)
def test_silence(rng):
    beta1, beta2 = betas(rng)
    made, _ = ratios(Adam(beta1=beta1, beta2=beta2, eps=0), np.full(30, rng.normal()), silence=10**6)
    k = np.arange(1, 31)
    np.testing.assert_allclose(np.abs(made), (1 - beta1**k) / np.sqrt(1 - beta2**k), rtol=1e-9)


@equation(
    "eq-step-signal",
    r"\operatorname{E}[\Delta_t] \approx \alpha\, \frac{\mu}{\sqrt{\mu^2 + \sigma^2}}",
)
def test_signal_to_noise(rng):
    for mu, sigma in ((0.5, 1.0), (-2.0, 3.0), (1.0, 0.2)):
        made, _ = ratios(Adam(eps=0), mu + sigma * rng.normal(size=(1000, 2000)))
        assert made[-1].mean() == pytest.approx(mu / np.hypot(mu, sigma), abs=0.02)


@equation(
    "eq-step-walk",
    r"\operatorname{Var}[\theta_T] \approx \alpha^2\, T .",
)
def test_random_walk(rng):
    for beta1 in (0.9, 0.5):
        rule = Adam(alpha=0.1, beta1=beta1)
        s = rule.init(np.zeros(3000))
        for g in 7 * rng.normal(size=(1500, 3000)):
            rule.step(s, g)
        assert s.theta.var() == pytest.approx(0.1**2 * 1500, rel=0.1)


@equation(
    "eq-step-floor",
    r"\operatorname{E}[x_t^2] \to V \approx \frac{\alpha\, \sigma}{2 h} \qquad (\alpha h \ll \sigma) .",
)
def test_noise_floor(rng):
    for alpha, h, sigma in ((0.02, 1.0, 1.0), (0.02, 4.0, 2.0), (0.05, 1.0, 3.0)):
        rule = Adam(alpha=alpha)
        s = rule.init(np.zeros(1000))
        found = []
        for t in range(1500):
            rule.step(s, h * s.theta + sigma * rng.normal(size=1000))
            if t >= 700:
                found.append((s.theta**2).mean())
        assert np.mean(found) == pytest.approx(alpha * sigma / (2 * h), rel=0.08)


@equation(
    "eq-step-epsilon",
    r"\frac{\sqrt{\hat v_t}}{\sqrt{\hat v_t} + \epsilon} \approx \frac{1}{1 + \epsilon / c} .",
)
def test_epsilon(rng):
    noise = rng.normal(size=(3000, 5))
    for c in (1e-6, 1e-8, 1e-9):
        without, s = ratios(Adam(eps=0), c * noise)
        made, _ = ratios(Adam(eps=1e-8), c * noise)
        np.testing.assert_allclose((made / without)[-1], np.sqrt(s.v_hat) / (np.sqrt(s.v_hat) + 1e-8), rtol=1e-9)
        np.testing.assert_allclose((made / without)[-1], 1 / (1 + 1e-8 / c), rtol=0.1)


@equation(
    "eq-step-lost",
    r"|\Delta_t| < 2^{-25}\, |\theta_{t-1}| \; \Rightarrow \; \theta_t = \theta_{t-1} .",
)
def test_lost_steps(rng):
    sizes = np.concatenate([rng.normal(size=50) * 10.0 ** rng.integers(-5, 5, size=50), 2.0 ** np.arange(-5, 5)])
    for theta in np.concatenate([sizes, -sizes]).astype(np.float32):
        for sign in (-1, 1):
            g = np.array([sign], dtype=np.float32)
            for share, moves in ((0.99, False), (2.02, True)):  # numbers are at most 2^-23 apart
                rule = Adam(alpha=share * 2.0**-25 * abs(float(theta)), eps=0)
                s = rule.init(theta[None])
                rule.step(s, g)
                assert (s.theta[0] != theta) == moves
    rule = Adam(alpha=1.01 * 2.0**-25, eps=0)  # and just below 1 the limit is sharp
    s = rule.init(np.ones(1, dtype=np.float32))
    rule.step(s, np.ones(1, dtype=np.float32))
    assert s.theta[0] < 1
