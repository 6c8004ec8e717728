"""The equations of book/adam/adamax_averaging.ipynb, each against adamcore on random inputs."""

import numpy as np
import pytest

from adamcore import SGD, AdaMax, Averaged
from tests.book.equations import equation
from tests.book.test_equations_moments import feed


def power_average(g, beta2, p):
    """The moving average of |g|^p, by its recursion."""
    v = 0.0
    for one in np.abs(g):
        v = beta2**p * v + (1 - beta2**p) * one**p
    return v


def maximum(g, beta2):
    """AdaMax's u after gradients of one parameter."""
    return feed(AdaMax(beta2=beta2), g[:, None])["u"][-1, 0]


def noisy_walk(rng, rule, steps, start, h=1.0, walks=1):
    """The state after a walk in a bowl with unit noise, the points and the errors, (steps, walks)."""
    s, points, errors = rule.init(np.full(walks, start)), [], []
    for _ in range(steps):
        errors.append(rng.normal(size=walks))
        rule.step(s, h * s.theta + errors[-1])
        points.append(s.theta)
    return s, np.array(points), np.array(errors)


@equation(
    "eq-max-power",
    r"v_t = \beta_2^p\, v_{t-1} + (1 - \beta_2^p)\, |g_t|^p , \qquad v_0 = 0 .",
)
def test_power(rng):
    # For p = 2 it is Adam's second moment with beta2^2, and for large p its root is AdaMax's u.
    from adamcore import Adam

    g, beta2 = rng.normal(size=12), rng.uniform(0.5, 0.95)
    v = feed(Adam(beta2=beta2**2), g[:, None])["v"][-1, 0]
    assert power_average(g, beta2, 2) == pytest.approx(v)
    assert power_average(g, beta2, 300) ** (1 / 300) == pytest.approx(maximum(g, beta2), rel=0.01)


@equation(
    "eq-max-unrolled",
    r"v_t = (1 - \beta_2^p) \sum_{i=1}^{t} \beta_2^{p (t-i)}\, |g_i|^p .",
)
def test_unrolled(rng):
    t, p, beta2 = int(rng.integers(2, 12)), rng.uniform(1, 6), rng.uniform(0.5, 0.95)
    g = rng.normal(size=t)
    expected = (1 - beta2**p) * sum(beta2 ** (p * (t - i)) * abs(g[i - 1]) ** p for i in range(1, t + 1))
    assert power_average(g, beta2, p) == pytest.approx(expected)


@equation(
    "eq-max-root",
    r"""v_t^{1/p} = \left( 1 - \beta_2^p \right)^{1/p}
    \left( \sum_{i=1}^{t} \left( \beta_2^{t-i} |g_i| \right)^p \right)^{1/p} .""",
)
def test_root(rng):
    t, p, beta2 = int(rng.integers(2, 12)), rng.uniform(1, 6), rng.uniform(0.5, 0.95)
    g = rng.normal(size=t)
    total = sum((beta2 ** (t - i) * abs(g[i - 1])) ** p for i in range(1, t + 1))
    assert power_average(g, beta2, p) ** (1 / p) == pytest.approx((1 - beta2**p) ** (1 / p) * total ** (1 / p))


@equation("eq-max-factor", r"\lim_{p \to \infty} \left( 1 - \beta_2^p \right)^{1/p} = 1 .")
def test_factor(rng):
    beta2, g = rng.uniform(0.5, 0.99), rng.exponential(size=1)
    p = np.array([1, 3, 10, 100, 10_000])
    factors = (1 - beta2**p) ** (1 / p)
    assert (np.diff(factors) >= 0).all()
    assert factors[-1] == pytest.approx(1, abs=1e-4)
    for power, factor in zip(p[:3].tolist(), factors, strict=False):  # of one gradient it is all that is missing
        assert power_average(g, beta2, power) ** (1 / power) == pytest.approx(factor * g[0])


@equation(
    "eq-max-squeeze",
    r"x_{\max} \;\le\; \left( \sum_{i=1}^{t} x_i^p \right)^{1/p} \;\le\; t^{1/p}\, x_{\max} .",
)
def test_squeeze(rng):
    def three(x, p):
        return x.max(), np.sum(x**p) ** (1 / p), len(x) ** (1 / p) * x.max()

    for p in (1, 3, 20):
        low, middle, high = three(np.abs(rng.normal(size=int(rng.integers(1, 30)))), p)
        assert low * (1 - 1e-12) <= middle <= high * (1 + 1e-12)
        low, middle, high = three(np.array([3.0, 0.0]), p)  # both walls are reached: by a lone entry ...
        assert low == pytest.approx(middle)
        low, middle, high = three(np.full(7, 0.3), p)  # ... and by equal ones
        assert middle == pytest.approx(high)


@equation(
    "eq-max-limit",
    r"u_t = \lim_{p \to \infty} v_t^{1/p} = \max_{1 \le i \le t}\; \beta_2^{t-i}\, |g_i| .",
)
def test_limit(rng):
    for _ in range(10):
        t, beta2 = int(rng.integers(2, 40)), rng.uniform(0.5, 0.99)
        g = rng.normal(size=t)
        largest = max(beta2 ** (t - i) * abs(g[i - 1]) for i in range(1, t + 1))
        assert maximum(g, beta2) == pytest.approx(largest, rel=1e-12)
        size = rng.uniform(0.6, 0.9)  # its 1000th power is still a number
        assert power_average(size * g / largest, beta2, 1000) ** (1 / 1000) == pytest.approx(size, rel=0.02)


@equation(
    "eq-max-recursion",
    r"""\begin{aligned}
    u_t &= \max\left( |g_t|,\; \beta_2 \max_{i < t}\, \beta_2^{t-1-i} |g_i| \right) \\
    &= \max\left( \beta_2\, u_{t-1},\; |g_t| \right), \qquad u_0 = 0 .
    \end{aligned}""",
)
def test_recursion(rng):
    rule = AdaMax(beta2=rng.uniform(0.3, 0.99))
    s = rule.init(np.zeros(5))
    history = []
    for _ in range(30):
        before, g = s.u, rng.normal(size=5)
        rule.step(s, g)
        np.testing.assert_array_equal(s.u, np.maximum(rule.beta2 * before, np.abs(g)))
        older = [rule.beta2 ** (len(history) - 1 - k) * one for k, one in enumerate(history)]
        largest = rule.beta2 * np.max(older, axis=0) if older else 0.0
        np.testing.assert_allclose(s.u, np.maximum(np.abs(g), largest), rtol=1e-12)
        history.append(np.abs(g))


@equation(
    "eq-max-step",
    r"\theta_t = \theta_{t-1} - \frac{\alpha}{1 - \beta_1^t} \cdot \frac{m_t}{u_t} .",
)
def test_step(rng):
    rule = AdaMax(alpha=0.3, beta1=rng.uniform(0.1, 0.95), beta2=rng.uniform(0.1, 0.99))
    s = rule.init(rng.normal(size=4))
    for t in range(1, 15):
        before = s.theta
        rule.step(s, rng.normal(size=4))
        np.testing.assert_allclose(s.theta, before - 0.3 / (1 - rule.beta1**t) * s.m / s.u, rtol=1e-12)


@equation(
    "eq-max-start",
    r"\lim_{p \to \infty} \left( 1 - \beta_2^{pt} \right)^{1/p} = 1 \qquad (t \ge 1) .",
)
def test_start(rng):
    beta2, size = rng.uniform(0.5, 0.99), rng.exponential() + 0.1
    for t in (1, 2, 7):
        factors = {p: (1 - beta2 ** (p * t)) ** (1 / p) for p in (1, 3, 10, 3000)}
        assert factors[3000] == pytest.approx(1, abs=1e-3)
        # That factor is what a constant gradient's average misses for any p, and AdaMax misses nothing.
        for p in (1, 3, 10):
            assert power_average(np.full(t, size), beta2, p) ** (1 / p) == pytest.approx(size * factors[p])
        assert maximum(np.full(t, size), beta2) == size


@equation(
    "eq-max-m",
    r"""\begin{aligned}
    |m_t| &\le (1 - \beta_1) \sum_{i=1}^{t} \beta_1^{t-i}\, |g_i| \\
    &\le (1 - \beta_1)\, u_t \sum_{i=1}^{t} \left( \frac{\beta_1}{\beta_2} \right)^{t-i} .
    \end{aligned}""",
)
def test_first_moment_bound(rng):
    for _ in range(20):
        t, (beta1, beta2) = int(rng.integers(1, 20)), rng.uniform(0.1, 0.99, size=2)
        i = np.arange(1, t + 1)

        def sides(g, t=t, beta1=beta1, beta2=beta2, i=i):
            history = feed(AdaMax(beta1=beta1, beta2=beta2), g[:, None])
            middle = (1 - beta1) * np.sum(beta1 ** (t - i) * np.abs(g))
            ratio_sum = np.sum((beta1 / beta2) ** (t - i))
            return abs(history["m"][-1, 0]), middle, (1 - beta1) * history["u"][-1, 0] * ratio_sum

        left, middle, right = sides(rng.normal(size=t))
        assert left <= middle * (1 + 1e-12)
        assert middle <= right * (1 + 1e-12)
        np.testing.assert_allclose(sides(beta2**i), sides(beta2**i)[0], rtol=1e-10)  # reached: all three are equal


def bound(beta1, beta2, t):
    return (1 - beta1) / (1 - beta1**t) * (1 - (beta1 / beta2) ** t) / (1 - beta1 / beta2)


@equation(
    "eq-max-bound",
    r"""|\Delta_t| \;\le\; \alpha\, \frac{1 - \beta_1}{1 - \beta_1^t} \cdot
    \frac{1 - (\beta_1 / \beta_2)^t}{1 - \beta_1 / \beta_2} .""",
)
def test_bound(rng):
    for _ in range(10):
        beta1, beta2 = rng.uniform(0.2, 0.99, size=2)
        t = np.arange(1, 31)
        limits = 0.7 * bound(beta1, beta2, t)
        rule = AdaMax(alpha=0.7, beta1=beta1, beta2=beta2)
        wild = np.abs(feed(rule, rng.standard_cauchy(size=(30, 50)))["step"]).max(axis=1)
        assert (wild <= limits * (1 + 1e-10)).all()
        np.testing.assert_allclose(np.abs(feed(rule, beta2 ** t[:, None])["step"][:, 0]), limits, rtol=1e-9)


@equation(
    "eq-max-bound-limit",
    r"""|\Delta_t| \;<\; \alpha\, \frac{1 - \beta_1}{1 - \beta_1 / \beta_2} =
    \alpha\, \frac{\beta_2\, (1 - \beta_1)}{\beta_2 - \beta_1} .""",
)
def test_bound_limit(rng):
    beta1 = rng.uniform(0.2, 0.6)
    beta2 = rng.uniform(beta1 + 0.1, 0.99)
    one, other = (1 - beta1) / (1 - beta1 / beta2), beta2 * (1 - beta1) / (beta2 - beta1)
    assert one == pytest.approx(other)
    steps = np.abs(feed(AdaMax(alpha=1.0, beta1=beta1, beta2=beta2), beta2 ** np.arange(150)[:, None])["step"][:, 0])
    assert (steps < other * (1 + 1e-9)).all()
    assert steps[-1] == pytest.approx(other, rel=1e-6)
    assert pytest.approx(1.00909, abs=1e-5) == 0.999 * 0.1 / 0.099  # at the defaults


@equation(
    "eq-max-spike",
    r"""\begin{aligned}
    \sum_{k=0}^{\infty} |\Delta_{t+k}| &= \alpha\, (1 - \beta_1) \sum_{k=0}^{\infty}
    \left( \frac{\beta_1}{\beta_2} \right)^k \\
    &= \alpha\, \frac{1 - \beta_1}{1 - \beta_1 / \beta_2} .
    \end{aligned}""",
)
def test_spike(rng):
    beta1 = rng.uniform(0.1, 0.7)
    beta2 = rng.uniform(beta1 + 0.1, 0.99)
    gradients = np.zeros((700, 1))
    gradients[400] = rng.normal() * 100
    steps = np.abs(feed(AdaMax(alpha=0.5, beta1=beta1, beta2=beta2), gradients)["step"][400:, 0])
    np.testing.assert_allclose(steps[:9], 0.5 * (1 - beta1) * (beta1 / beta2) ** np.arange(9), rtol=1e-9)
    assert steps.sum() == pytest.approx(0.5 * (1 - beta1) / (1 - beta1 / beta2))


@equation("eq-max-mean", r"\bar\theta_t = \frac{1}{t} \sum_{k=1}^{t} \theta_k .")
def test_mean(rng):
    s, points, _ = noisy_walk(rng, Averaged(SGD(alpha=0.3), beta=None), 40, 5.0, walks=3)
    np.testing.assert_allclose(s.theta_hat, points.sum(axis=0) / 40, rtol=1e-11)


@equation(
    "eq-max-mean-running",
    r"\bar\theta_t = \bar\theta_{t-1} + \frac{1}{t} \left( \theta_t - \bar\theta_{t-1} \right) .",
)
def test_running_mean(rng):
    rule = Averaged(SGD(alpha=0.3), beta=None)
    s = rule.init(np.full(3, 5.0))
    for t in range(1, 20):
        before = s.theta_bar
        rule.step(s, s.theta + rng.normal(size=3))
        np.testing.assert_allclose(s.theta_hat, before + (s.theta - before) / t, rtol=1e-12)


@equation(
    "eq-max-mean-path",
    r"""\bar\theta_T = \frac{1 - \alpha h}{\alpha h} \cdot \frac{\theta_0 - \theta_T}{T} \;-\;
    \frac{1}{h} \cdot \frac{1}{T} \sum_{t=1}^{T} \xi_t .""",
)
def test_mean_path(rng):
    alpha, h, T, start = rng.uniform(0.05, 0.5), rng.uniform(0.5, 2), int(rng.integers(2, 50)), rng.normal()
    s, _, errors = noisy_walk(rng, Averaged(SGD(alpha=alpha), beta=None), T, start, h=h, walks=4)
    path = (1 - alpha * h) / (alpha * h) * (start - s.theta) / T - errors.sum(axis=0) / (h * T)
    np.testing.assert_allclose(s.theta_hat, path, rtol=1e-9)


@equation(
    "eq-max-best",
    r"\operatorname{Var}\left[ \frac{1}{h\, T} \sum_{t=1}^{T} \xi_t \right] = \frac{\sigma^2}{h^2\, T} .",
)
def test_best(rng):
    h, T, sigma = rng.uniform(0.5, 3), 50, rng.uniform(0.5, 2)
    xi = sigma * rng.normal(size=(T, 20_000))
    assert (xi.sum(axis=0) / (h * T)).var() == pytest.approx(sigma**2 / (h**2 * T), rel=0.04)
    for alpha in (0.2, 1.0):  # and it is what the mean of a walk comes to, whatever alpha is
        s, _, _ = noisy_walk(rng, Averaged(SGD(alpha=alpha), beta=None), 800, 0.0, walks=3000)
        assert s.theta_hat.var() == pytest.approx(1 / 800, rel=0.1)


@equation(
    "eq-max-ema",
    r"\bar\theta_t = \beta_2\, \bar\theta_{t-1} + (1 - \beta_2)\, \theta_t , \qquad \bar\theta_0 = 0 .",
)
def test_moving(rng):
    rule = Averaged(SGD(alpha=0.3), beta=rng.uniform(0.3, 0.99))
    s = rule.init(np.full(3, 5.0))
    np.testing.assert_array_equal(s.theta_bar, 0)
    for _ in range(10):
        before = s.theta_bar
        rule.step(s, s.theta + rng.normal(size=3))
        np.testing.assert_allclose(s.theta_bar, rule.beta * before + (1 - rule.beta) * s.theta, rtol=1e-12)


@equation("eq-max-ema-hat", r"\hat\theta_t = \frac{\bar\theta_t}{1 - \beta_2^t} .")
def test_moving_corrected(rng):
    rule = Averaged(SGD(alpha=0.3), beta=rng.uniform(0.3, 0.99))
    s = rule.init(np.full(3, 5.0))
    for t in range(1, 12):
        rule.step(s, np.zeros(3))
        np.testing.assert_allclose(s.theta_hat, s.theta_bar / (1 - rule.beta**t), rtol=1e-12)
        np.testing.assert_allclose(s.theta_hat, 5.0)  # all points are the same


@equation(
    "eq-max-ema-variance",
    r"""\operatorname{Var}[\bar\theta_t] = V \cdot \frac{1 - \beta_2}{1 + \beta_2} \cdot
    \frac{1 + a \beta_2}{1 - a \beta_2} .""",
)
def test_moving_variance(rng):
    for alpha, beta in ((0.4, 0.8), (1.5, 0.7)):
        a, V = 1 - alpha, alpha / (2 - alpha)
        s, _, _ = noisy_walk(rng, Averaged(SGD(alpha=alpha), beta=beta), 100, 0.0, walks=20_000)
        assert s.theta.var() == pytest.approx(V, rel=0.04)
        expected = V * (1 - beta) / (1 + beta) * (1 + a * beta) / (1 - a * beta)
        assert s.theta_bar.var() == pytest.approx(expected, rel=0.04)
