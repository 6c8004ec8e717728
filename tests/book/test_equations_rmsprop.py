"""The equations of book/foundations/rmsprop.ipynb, each against adamcore on random inputs."""

import numpy as np
import pytest

from adamcore import SGD, AdaDelta, AdaGrad, Adam, RMSProp, walk
from tests.book.equations import equation


def steps(rule, gradients):
    """What the rule adds to theta at each step of a stream of gradients, (steps, ...)."""
    gradients = np.asarray(gradients, dtype=float).reshape(len(gradients), -1)
    s = rule.init(np.zeros(gradients.shape[1]))
    visited = [s.theta]
    for g in gradients:
        rule.step(s, g)
        visited.append(s.theta)
    return np.diff(visited, axis=0)


def one_step(rng, rule):
    """States before and after a step at a random time, and its gradient."""
    before = rule.init(rng.normal(size=5))
    for _ in range(int(rng.integers(1, 20))):
        rule.step(before, rng.normal(size=5))
    after = rule.init(before.theta)
    vars(after).update(vars(before))
    g = rng.normal(size=5)
    rule.step(after, g)
    return before, after, g


@equation(
    "eq-rms-unbundle",
    r"\alpha\, \frac{g_t}{\sqrt{G_t}} = \frac{\alpha}{\sqrt{t}} \cdot \frac{g_t}{\sqrt{G_t / t}} .",
)
def test_unbundle(rng):
    g = rng.normal(size=30)
    t, G = np.arange(1, 31), np.cumsum(g**2)
    taken = steps(AdaGrad(alpha=0.3, eps=0), g)[:, 0]
    np.testing.assert_allclose(-taken, 0.3 / np.sqrt(t) * g / np.sqrt(G / t), rtol=1e-10)
    np.testing.assert_allclose(0.3 * g / np.sqrt(G), -taken, rtol=1e-10)


@equation("eq-rms-v", r"v_t = \rho\, v_{t-1} + (1 - \rho)\, g_t^2, \qquad v_0 = 0")
def test_average(rng):
    before, after, g = one_step(rng, RMSProp(rho=0.8))
    np.testing.assert_allclose(after.v, 0.8 * before.v + (1 - 0.8) * g**2, rtol=1e-13)
    assert (RMSProp().init(g).v == np.zeros_like(g)).all()


@equation("eq-rms-step", r"\theta_t = \theta_{t-1} - \alpha\, \frac{g_t}{\sqrt{v_t} + \epsilon}")
def test_step(rng):
    before, after, g = one_step(rng, RMSProp(alpha=0.3, eps=0.5))
    np.testing.assert_allclose(after.theta, before.theta - 0.3 * g / (np.sqrt(after.v) + 0.5), rtol=1e-13)


@equation("eq-rms-unrolled", r"v_t = (1 - \rho) \sum_{i=1}^{t} \rho^{\,t-i} g_i^2 .")
def test_unrolled(rng):
    g, rule = rng.normal(size=25), RMSProp(rho=0.85)
    s = rule.init(np.zeros(1))
    for one in g:
        rule.step(s, np.array([one]))
    assert s.v[0] == pytest.approx((1 - 0.85) * sum(0.85 ** (25 - i) * g[i - 1] ** 2 for i in range(1, 26)))
    assert pytest.approx(0.5, rel=0.01) == 0.9**6.6  # a weight halves every 6.6 steps


@equation(
    "eq-rms-moments",
    r"\operatorname{E}[g^2] = \left( \operatorname{E}[g] \right)^2 + \operatorname{Var}[g] .",
)
def test_moments(rng):
    g = rng.normal(2.0, 3.0, size=1000)
    assert (g**2).mean() == pytest.approx(g.mean() ** 2 + g.var())
    rule = RMSProp(rho=0.9999, initial=13.0)
    s = rule.init(np.zeros(1))
    for one in rng.normal(2.0, 3.0, size=20_000):
        rule.step(s, np.array([one]))
    assert s.v[0] == pytest.approx(2.0**2 + 3.0**2, rel=0.03)


@equation(
    "eq-rms-first",
    r"""|\theta_1 - \theta_0| = \alpha\, \frac{|g_1|}{\sqrt{(1 - \rho)\, g_1^2}}
    = \frac{\alpha}{\sqrt{1 - \rho}} .""",
)
def test_first_step(rng):
    g = rng.normal(size=6) * 10.0 ** rng.integers(-4, 5, size=6)
    first = np.abs(steps(RMSProp(alpha=0.3, rho=0.97, eps=0), [g]))[0]
    np.testing.assert_allclose(first, 0.3 / np.sqrt(1 - 0.97))
    np.testing.assert_allclose(first, 0.3 * np.abs(g) / np.sqrt((1 - 0.97) * g**2))


@equation("eq-rms-cold", r"|\theta_t - \theta_{t-1}| = \frac{\alpha}{\sqrt{1 - \rho^t}} .")
def test_cold_start(rng):
    taken = steps(RMSProp(alpha=0.3, rho=0.97, eps=0), np.full(60, rng.normal()))[:, 0]
    np.testing.assert_allclose(np.abs(taken), 0.3 / np.sqrt(1 - 0.97 ** np.arange(1, 61)), rtol=1e-9)


@equation("eq-rms-inside", r"\theta_t = \theta_{t-1} - \alpha\, \frac{g_t}{\sqrt{v_t + \epsilon}} .")
def test_inside(rng):
    before, after, g = one_step(rng, RMSProp(alpha=0.3, eps=0.5, eps_place="inside"))
    np.testing.assert_allclose(after.theta, before.theta - 0.3 * g / np.sqrt(after.v + 0.5), rtol=1e-13)


@equation(
    "eq-rms-centered",
    r"""\begin{aligned}
    \bar g_t &= \rho\, \bar g_{t-1} + (1 - \rho)\, g_t, \qquad \bar g_0 = 0, \\
    \theta_t &= \theta_{t-1} - \alpha\, \frac{g_t}{\sqrt{v_t - \bar g_t^2} + \epsilon} .
    \end{aligned}""",
)
def test_centered(rng):
    before, after, g = one_step(rng, RMSProp(alpha=0.3, rho=0.8, eps=0.1, centered=True))
    np.testing.assert_allclose(after.g_mean, 0.8 * before.g_mean + (1 - 0.8) * g, rtol=1e-13)
    expected = before.theta - 0.3 * g / (np.sqrt(after.v - after.g_mean**2) + 0.1)
    np.testing.assert_allclose(after.theta, expected, rtol=1e-12)
    assert (RMSProp(centered=True).init(g).g_mean == np.zeros_like(g)).all()


@equation(
    "eq-rms-centered-constant",
    r"""\begin{aligned}
    v_t - \bar g_t^2 &= (1 - \rho^t)\, g^2 - (1 - \rho^t)^2 g^2 \\
    &= \rho^t (1 - \rho^t)\, g^2 .
    \end{aligned}""",
)
def test_centered_on_a_constant_gradient(rng):
    g, rule = rng.normal(), RMSProp(rho=0.9, centered=True)
    s = rule.init(np.zeros(1))
    for t in range(1, 40):
        rule.step(s, np.array([g]))
        variance = s.v[0] - s.g_mean[0] ** 2
        assert variance == pytest.approx(0.9**t * (1 - 0.9**t) * g**2, rel=1e-9)
        assert variance == pytest.approx((1 - 0.9**t) * g**2 - (1 - 0.9**t) ** 2 * g**2, rel=1e-9)


@equation(
    "eq-rms-momentum",
    r"""\begin{aligned}
    b_t &= \mu\, b_{t-1} + \frac{g_t}{\sqrt{v_t} + \epsilon}, \qquad b_0 = 0, \\
    \theta_t &= \theta_{t-1} - \alpha\, b_t .
    \end{aligned}""",
)
def test_momentum(rng):
    before, after, g = one_step(rng, RMSProp(alpha=0.3, eps=0.5, mu=0.7))
    np.testing.assert_allclose(after.b, 0.7 * before.b + g / (np.sqrt(after.v) + 0.5), rtol=1e-13)
    np.testing.assert_allclose(after.theta, before.theta - 0.3 * after.b, rtol=1e-13)
    assert (RMSProp(mu=0.7).init(g).b == np.zeros_like(g)).all()


@equation(
    "eq-rms-two-steps",
    r"""\begin{aligned}
    \Delta_2^{\mathrm{Adam}} &= -\alpha\, (1 - \beta_1)
    \left( \frac{\beta_1 g_1}{\sqrt{v_2}} + \frac{g_2}{\sqrt{v_2}} \right), \\
    \Delta_2^{\mathrm{RMSProp}} &= -\alpha\, (1 - \beta_1)
    \left( \frac{\beta_1 g_1}{\sqrt{v_1}} + \frac{g_2}{\sqrt{v_2}} \right) .
    \end{aligned}""",
)
def test_two_steps(rng):
    beta1, beta2, alpha = rng.uniform(0.5, 0.95), rng.uniform(0.5, 0.999), 0.3
    g_1, g_2 = rng.normal(size=(2, 4))
    v_1 = (1 - beta2) * g_1**2
    v_2 = beta2 * v_1 + (1 - beta2) * g_2**2
    adam = steps(Adam(alpha=alpha, beta1=beta1, beta2=beta2, eps=0, bias_correction=False), [g_1, g_2])
    rmsprop = steps(RMSProp(alpha=(1 - beta1) * alpha, rho=beta2, mu=beta1, eps=0), [g_1, g_2])
    np.testing.assert_allclose(adam[0], rmsprop[0], rtol=1e-12)
    old, new = beta1 * g_1 / np.sqrt(v_2), g_2 / np.sqrt(v_2)
    np.testing.assert_allclose(adam[1], -alpha * (1 - beta1) * (old + new), rtol=1e-10)
    old = beta1 * g_1 / np.sqrt(v_1)
    np.testing.assert_allclose(rmsprop[1], -alpha * (1 - beta1) * (old + new), rtol=1e-10)


@equation("eq-rms-newton", r"\Delta = -\frac{g}{h} .")
def test_newton(rng):
    h, minimum, theta = rng.uniform(0.5, 5), *rng.normal(size=2)
    g = h * (theta - minimum)
    newton = -g / h
    assert theta + newton == pytest.approx(minimum)  # one step is enough on a quadratic
    in_centimeters = -(g / 100) / (h / 100**2)
    assert in_centimeters == pytest.approx(100 * newton)


@equation(
    "eq-rms-delta-step",
    r"""\Delta_t = -\frac{\sqrt{u_{t-1} + \epsilon}}{\sqrt{v_t + \epsilon}}\; g_t, \qquad
    \theta_t = \theta_{t-1} + \Delta_t""",
)
def test_delta_step(rng):
    before, after, g = one_step(rng, AdaDelta(rho=0.8, eps=0.01))
    expected = before.theta - np.sqrt(before.u + 0.01) / np.sqrt(after.v + 0.01) * g
    np.testing.assert_allclose(after.theta, expected, rtol=1e-12)


@equation(
    "eq-rms-delta-u",
    r"u_t = \rho\, u_{t-1} + (1 - \rho)\, \Delta_t^2, \qquad u_0 = 0",
)
def test_delta_average(rng):
    before, after, g = one_step(rng, AdaDelta(rho=0.8, eps=0.01))
    np.testing.assert_allclose(after.u, 0.8 * before.u + (1 - 0.8) * (after.theta - before.theta) ** 2, rtol=1e-9)
    assert (AdaDelta().init(g).u == np.zeros_like(g)).all()


@equation(
    "eq-rms-delta-first",
    r"""|\Delta_1| = \frac{\sqrt{\epsilon}}{\sqrt{(1 - \rho)\, g_1^2 + \epsilon}}\; |g_1|
    \;\approx\; \sqrt{\frac{\epsilon}{1 - \rho}} .""",
)
def test_delta_first_step(rng):
    g = rng.normal(size=6)
    first = np.abs(steps(AdaDelta(rho=0.9, eps=0.01), [g]))[0]
    np.testing.assert_allclose(first, np.sqrt(0.01) / np.sqrt((1 - 0.9) * g**2 + 0.01) * np.abs(g), rtol=1e-12)
    large = np.abs(steps(AdaDelta(rho=0.9, eps=0.01), [1000 * np.sign(g)]))
    np.testing.assert_allclose(large, np.sqrt(0.01 / (1 - 0.9)), rtol=1e-4)


@equation(
    "eq-rms-delta-growth",
    r"|\Delta_t| = \sqrt{\epsilon \left( 1 + (1 - \rho) (t - 1) \right)} .",
)
def test_delta_growth(rng):
    rule = AdaDelta(rho=0.9, eps=1e-6)
    s = rule.init(np.zeros(1))
    s.v[:] = 100.0**2  # settled: the gradient below has this square
    for t in range(1, 200):
        before = s.theta[0]
        rule.step(s, np.array([100.0]))
        assert before - s.theta[0] == pytest.approx(np.sqrt(1e-6 * (1 + (1 - 0.9) * (t - 1))), rel=1e-7)
    g = rng.uniform(10, 1000, size=50)  # and on any stream every step is proportional to the root of epsilon
    coarse, fine = steps(AdaDelta(eps=1e-6), g), steps(AdaDelta(eps=1e-8), g)
    np.testing.assert_allclose(coarse, 10 * fine, rtol=1e-6)


@equation("eq-rms-cycle", r"|\theta_t| = \frac{\alpha}{2} , \qquad \theta_t = -\theta_{t-1} .")
def test_cycle(rng):
    for rho in (0.5, 0.9):
        h = rng.uniform(0.5, 50)
        visited = walk(RMSProp(alpha=0.3, rho=rho, eps=0), lambda theta, h=h: h * theta, np.ones(1), 2000)[-10:, 0]
        np.testing.assert_allclose(np.abs(visited), 0.3 / 2, rtol=1e-6)
        np.testing.assert_allclose(visited[1:], -visited[:-1], rtol=1e-6)


@equation(
    "eq-rms-floor",
    r"""V \approx \frac{(\alpha / \sigma)\, \sigma^2}{h \left( 2 - \alpha h / \sigma \right)}
    \approx \frac{\alpha\, \sigma}{2 h} .""",
)
def test_noise_floor(rng):
    h, sigma = 4.0, 3.0

    def floor(alpha):
        return (alpha / sigma) * sigma**2 / (h * (2 - alpha * h / sigma))

    def measured(rule, steps):
        s, seen = rule.init(rng.normal(size=2000) * np.sqrt(floor(0.03))), []
        for t in range(steps):
            rule.step(s, h * s.theta + sigma * rng.normal(size=2000), inplace=True)
            if t >= steps // 3:
                seen.append((s.theta**2).mean())
        return np.mean(seen)

    # What the page puts in: SGD with the step size alpha / sigma, here with a long one.
    assert measured(SGD(alpha=0.9 / sigma), 300) == pytest.approx(floor(0.9), rel=0.02)
    # RMSProp with a short one, where the noise dominates, and where the last step of the page holds.
    assert measured(RMSProp(alpha=0.03, rho=0.999, initial=sigma**2), 1500) == pytest.approx(floor(0.03), rel=0.02)
    assert floor(0.03) == pytest.approx(0.03 * sigma / (2 * h), rel=0.03)
