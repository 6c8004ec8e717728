"""The equations of book/adam/convergence.ipynb, each against adamcore or a simulation, on random inputs."""

import math

import numpy as np
import pytest

from adamcore import SGD, Adam, AMSGrad, Momentum, inverse_sqrt
from tests.book.equations import BOOK, equation


@pytest.fixture(scope="module")
def chapter():
    """The functions that the chapter's cells define; what the cells print is dropped."""
    import nbformat

    cells = nbformat.read(BOOK / "adam" / "convergence.ipynb", as_version=4).cells
    code = {cell["id"]: cell.source for cell in cells if cell.cell_type == "code"}
    names: dict = {}
    exec(code["imports"].replace("use_style()", ""), names)
    for cell, end in (("play", "decaying ="), ("promise", "ones ="), ("drift", "figure,"), ("network", None)):
        exec(code[cell].split(end)[0] if end else code[cell], names)
    return names


@equation(
    "eq-conv-game",
    r"""f_t(\theta) = \begin{cases} C\, \theta & \text{if } t = 1, 4, 7, \dots \\
    -\theta & \text{otherwise} \end{cases} \quad (C = 3) .""",
)
def test_game(chapter, rng):
    C, alpha, start = 3.0, rng.uniform(0.01, 0.2), rng.uniform(-1, 1)
    theta, points, paid = start, [start], 0.0
    for t in range(1, 31):
        slope = C if t in range(1, 31, 3) else -1.0
        paid += slope * theta - slope * -1.0
        theta = min(1.0, max(-1.0, theta - alpha * slope))
        points.append(theta)
    visited, regret = chapter["play"](SGD(alpha=alpha), 30, C=C, start=start)
    np.testing.assert_allclose(visited, points)
    assert regret == pytest.approx(paid)
    # The best place is the left end: three rounds cost theta.
    assert C + 2 * -1.0 == 1


@equation(
    "eq-conv-learning",
    r"\operatorname{E}[F(\bar\theta_T)] - F(\theta_{\min}) \;\le\; \frac{\operatorname{E}[R_T]}{T} .",
)
def test_learning(rng):
    def sides(points, regret, above_minimum):
        """What F is above its minimum at the average of the points, and the regret per round; means over walks."""
        return above_minimum(np.mean(points, axis=0)).mean(), np.mean(regret) / len(points)

    T, walks, mean = 60, 4000, rng.normal()
    for alpha in (0.05, 1.0, inverse_sqrt(0.5)):
        rule = SGD(alpha=alpha)
        s, before = rule.init(np.full(walks, mean + 1.0)), []
        c = rng.normal(mean, 1.0, size=(T, walks))
        for one in c:
            before.append(s.theta)
            rule.step(s, s.theta - one)
        paid = ((np.array(before) - c) ** 2 / 2).sum(axis=0)
        best = ((c.mean(axis=0) - c) ** 2 / 2).sum(axis=0)
        left, right = sides(before, paid - best, lambda theta: (theta - mean) ** 2 / 2)
        assert 0 < left <= right
    # For one line, again and again, on [-1, 1], the two are equal.
    slope, theta, points = rng.uniform(0.1, 2), 1.0, []
    for _ in range(T):
        points.append(theta)
        theta = max(-1.0, theta - 0.03 * slope)
    left, right = sides(points, slope * np.sum(points) + slope * T, lambda theta: slope * (theta + 1))
    assert left == pytest.approx(right)


@equation(
    "eq-conv-theorem",
    r"""\begin{aligned} &\frac{D^2}{2 \alpha (1 - \beta_1)} \sum_{i=1}^{d} \sqrt{T\, \hat v_{T,i}} \\
    &+ \frac{\alpha (1 + \beta_1) G_\infty}{(1 - \beta_1) \sqrt{1 - \beta_2}\, (1 - \gamma)^2} \\
    &\quad \cdot \sum_{i=1}^{d} \| g_{1:T,i} \|_2 \\
    &+ \sum_{i=1}^{d} \frac{D_\infty^2 G_\infty \sqrt{1 - \beta_2}}{2 \alpha (1 - \beta_1) (1 - \lambda)^2} .
    \end{aligned}""",
)
def test_theorem(chapter, rng):
    T, d = 7, 3
    g, v_hat, (D, D_inf, alpha) = rng.normal(size=(T, d)), rng.exponential(size=d), rng.uniform(0.5, 3, size=3)
    beta1, beta2, lam = rng.uniform(0.1, 0.6), rng.uniform(0.5, 0.99), rng.uniform(0.1, 0.9)
    G, gamma = max(abs(x) for row in g for x in row), beta1**2 / math.sqrt(beta2)
    norms = [math.sqrt(sum(g[t, i] ** 2 for t in range(T))) for i in range(d)]
    expected = [
        D**2 / (2 * alpha * (1 - beta1)) * sum(math.sqrt(T * v) for v in v_hat),
        alpha * (1 + beta1) * G / ((1 - beta1) * math.sqrt(1 - beta2) * (1 - gamma) ** 2) * sum(norms),
        sum(D_inf**2 * G * math.sqrt(1 - beta2) / (2 * alpha * (1 - beta1) * (1 - lam) ** 2) for _ in range(d)),
    ]
    np.testing.assert_allclose(chapter["promise"](v_hat, g, D, D_inf, alpha, beta1, beta2, lam), expected)


def inverse_steps(rule, gradients, alpha):
    """sqrt(v_hat_t) / alpha_t, as the steps of a rule without momentum show it: |g_t| / |theta_t - theta_(t-1)|."""
    s, inverses = rule.init(np.zeros(1)), []
    for g in gradients:
        before = s.theta
        rule.step(s, np.array([g]))
        inverses.append(abs(g) / abs(s.theta[0] - before[0]))
    return np.array(inverses)


@equation(
    "eq-conv-gamma",
    r"\Gamma_t = \frac{\sqrt{\hat v_t}}{\alpha_t} - \frac{\sqrt{\hat v_{t-1}}}{\alpha_{t-1}} .",
)
def test_gamma(rng):
    # It is the change of the inverse step size that the proof telescopes; for Adam both signs occur.
    alpha, gradients = rng.uniform(0.1, 2), rng.normal(size=60)
    rule = Adam(alpha=inverse_sqrt(alpha), beta1=0.0, beta2=0.8, eps=0.0)
    s, hats = rule.init(np.zeros(1)), []
    for g in gradients:
        rule.step(s, np.array([g]))
        hats.append(s.v_hat[0])
    alphas = alpha / np.sqrt(np.arange(1, 61))
    gammas = np.sqrt(hats[1:]) / alphas[1:] - np.sqrt(hats[:-1]) / alphas[:-1]
    np.testing.assert_allclose(gammas, np.diff(inverse_steps(rule, gradients, alpha)), rtol=1e-6, atol=1e-7)
    assert (gammas < 0).any()
    assert (gammas > 0).any()
    growing = AMSGrad(alpha=inverse_sqrt(alpha), beta1=0.0, beta2=0.8, eps=0.0)
    assert (np.diff(inverse_steps(growing, gradients, alpha)) > 0).all()


@equation(
    "eq-conv-shrink",
    r"""\begin{aligned} \Gamma_t < 0 &\iff \sqrt{t\, \beta_2} < \sqrt{t - 1} \\
    &\iff t > \frac{1}{1 - \beta_2} . \end{aligned}""",
)
def test_shrink(rng):
    beta2 = 0.9 + 0.003  # 1 / (1 - beta2) is not a whole number
    for t in range(2, 25):
        rule = Adam(alpha=inverse_sqrt(0.3), beta1=0.0, beta2=beta2, eps=0.0, bias_correction=False)
        s = rule.init(np.zeros(1))
        for g in rng.normal(size=t - 1):
            rule.step(s, np.array([g]))
        before = np.sqrt(s.v_hat[0] * (t - 1))
        rule.step(s, np.zeros(1))
        shrinks = np.sqrt(s.v_hat[0] * t) < before
        assert shrinks == (t > 1 / (1 - beta2))
        assert shrinks == (math.sqrt(t * beta2) < math.sqrt(t - 1))


def test_shrink_with_the_correction(rng):
    # What the text below that equation derives: a zero makes Gamma_t negative at any t >= 2.
    for t in range(2, 40):
        beta2 = rng.uniform(0.1, 0.9999)
        rule = Adam(beta1=0.0, beta2=beta2)
        s = rule.init(np.zeros(1))
        for g in rng.normal(size=t - 1):
            rule.step(s, np.array([g]))
        before = s.v_hat[0]
        rule.step(s, np.zeros(1))
        N = sum(beta2**k for k in range(1, t))
        assert s.v_hat[0] / before == pytest.approx(N / (N + 1))
        assert t * s.v_hat[0] < (t - 1) * before


@equation(
    "eq-conv-lemma",
    r"\sum_{t=1}^{T} \frac{|g_t|}{\sqrt t} \;\le\; \sqrt{1 + \ln T}\; \sqrt{\sum_{t=1}^{T} g_t^2} .",
)
def test_lemma(rng):
    def sides(g):
        t = np.arange(1, len(g) + 1)
        return np.sum(np.abs(g) / np.sqrt(t)), np.sqrt(1 + np.log(len(g))) * np.sqrt(np.sum(g**2))

    for T in (1, 2, 31, 1000):
        for g in (rng.standard_cauchy(size=T), np.full(T, 0.1)):
            left, right = sides(g)
            assert left <= right * (1 + 1e-12)
        left, right = sides((-1) ** np.arange(T) / np.sqrt(np.arange(1, T + 1)))
        assert left <= right * (1 + 1e-12) < 1.2 * left  # nearly reached
    assert right < 1.03 * left
    for G_inf in (0.4, 0.8, 1.0):  # the paper's lemma fails for g_t = G_inf / sqrt(t) where H_T > 4 G_inf^2
        for T in (1, 2, 5, 6, 30, 31, 500):
            harmonic, g = np.sum(1 / np.arange(1, T + 1)), -G_inf / np.sqrt(np.arange(1, T + 1))
            assert (sides(g)[0] > 2 * G_inf * np.linalg.norm(g)) == (harmonic > 4 * G_inf**2)


@equation(
    "eq-conv-literal",
    r"""f_t(\theta) = \begin{cases} 3 \max(\theta, -1) & \text{if } t = 1, 4, 7, \dots \\
    |\theta - 1| & \text{otherwise.} \end{cases}""",
)
def test_literal():
    def cost(theta, t):
        return 3 * max(theta, -1.0) if t % 3 == 1 else abs(theta - 1)

    grid = np.linspace(-3, 3, 601)
    three = np.array([sum(cost(theta, t) for t in (1, 2, 3)) for theta in grid])
    assert grid[three.argmin()] == pytest.approx(-1)
    assert (np.diff(three, 2) > -1e-9).all()  # convex
    rule = Adam(alpha=inverse_sqrt(0.5), beta1=0.0, beta2=0.1, eps=0.0)
    s, regret = rule.init(np.zeros(1)), 0.0
    for t in range(1, 601):
        theta = s.theta[0]
        regret += cost(theta, t) - cost(-1.0, t)
        slope = (cost(theta + 1e-7, t) - cost(theta - 1e-7, t)) / 2e-7
        rule.step(s, np.array([np.round(slope)]))
    assert s.theta[0] == pytest.approx(1, abs=0.05)
    assert regret / 600 == pytest.approx(2 / 3, abs=0.03)


def steady(rng):
    """A random game, and the steps of Adam in one late period."""
    P, c, beta2 = int(rng.integers(2, 6)), rng.uniform(0.5, 2), rng.uniform(0.1, 0.95)
    C = c * (P - 1) * rng.uniform(1.05, 3)
    rule = Adam(alpha=1.0, beta1=0.0, beta2=beta2, eps=0.0, bias_correction=False)
    s, values, steps = rule.init(np.zeros(1)), [], []
    for slope in [C, *[-c] * (P - 1)] * 300:
        before = s.theta[0]
        rule.step(s, np.array([slope]))
        values.append(s.v[0])
        steps.append(s.theta[0] - before)
    return (P, c, C, beta2), values[-P:], steps[-P:]


@equation(
    "eq-conv-steady",
    r"v^{(0)} = \frac{(1 - \beta_2)\, C^2 + (\beta_2 - \beta_2^P)\, c^2}{1 - \beta_2^P} .",
)
def test_steady(rng):
    for _ in range(5):
        (P, c, C, beta2), values, _ = steady(rng)
        v0 = ((1 - beta2) * C**2 + (beta2 - beta2**P) * c**2) / (1 - beta2**P)
        assert values[0] == pytest.approx(v0)
        for j in range(P):
            assert values[j] == pytest.approx(beta2**j * v0 + (1 - beta2**j) * c**2)


@equation(
    "eq-conv-drift",
    r"\delta = \frac{C}{\sqrt{v^{(0)}}} - \sum_{j=1}^{P-1} \frac{c}{\sqrt{v^{(j)}}} .",
)
def test_drift(chapter, rng):
    for _ in range(5):
        (P, c, C, beta2), values, steps = steady(rng)
        delta = C / np.sqrt(values[0]) - sum(c / np.sqrt(values[j]) for j in range(1, P))
        assert -sum(steps) == pytest.approx(delta)
        assert chapter["drift"](beta2, C, c, P) == pytest.approx(delta)
        zero = chapter["threshold"](C, c, P)
        assert chapter["drift"](zero, C, c, P) == pytest.approx(0, abs=1e-6)


@equation(
    "eq-conv-amsgrad",
    r"""\begin{aligned} \hat v_t &= \max\left( \hat v_{t-1},\; v_t \right) , \\
    \theta_t &= \theta_{t-1} - \alpha_t\, \frac{m_t}{\sqrt{\hat v_t}} . \end{aligned}""",
)
def test_amsgrad(rng):
    rule = AMSGrad(alpha=inverse_sqrt(0.7), beta1=0.8, beta2=0.6, eps=0.0)
    s, m, v, largest = rule.init(rng.normal(size=4)), np.zeros(4), np.zeros(4), np.zeros(4)
    for t in range(1, 30):
        before, g = s.theta, rng.normal(size=4)
        rule.step(s, g)
        m, v = 0.8 * m + 0.2 * g, 0.6 * v + 0.4 * g**2
        largest = np.maximum(largest, v)
        np.testing.assert_allclose(s.v_hat, largest, rtol=1e-12)
        np.testing.assert_allclose(s.theta, before - 0.7 / np.sqrt(t) * m / np.sqrt(largest), rtol=1e-10)


def momentum_walk(alpha, beta1, h, p, steps=400):
    """A coordinate under the average form of momentum, divided by a fixed p."""
    rule = Momentum(alpha=alpha / p, mu=beta1, form="average")
    s, z = rule.init(np.ones(1)), [1.0]
    for _ in range(steps):
        rule.step(s, h * s.theta)
        z.append(s.theta[0])
    return np.array(z)


@equation(
    "eq-conv-edge-recursion",
    r"""\begin{aligned}
    z_t &= \left( 1 + \beta_1 - \alpha\, (1 - \beta_1)\, s \right) z_{t-1} \\
    &\quad - \beta_1\, z_{t-2} .
    \end{aligned}""",
)
def test_edge_recursion(rng):
    alpha, beta1, h, p = rng.uniform(0.1, 1), rng.uniform(0.1, 0.95), rng.uniform(0.5, 2), rng.uniform(0.5, 2)
    z = momentum_walk(alpha, beta1, h, p, steps=30)
    expected = (1 + beta1 - alpha * (1 - beta1) * h / p) * z[1:-1] - beta1 * z[:-2]
    np.testing.assert_allclose(z[2:], expected, rtol=1e-9, atol=1e-12)


@equation("eq-conv-edge", r"s \;<\; \frac{2\, (1 + \beta_1)}{\alpha\, (1 - \beta_1)} .")
def test_edge(rng):
    for beta1 in (0.0, 0.5, 0.9):
        alpha, p = rng.uniform(0.01, 1), rng.uniform(0.5, 2)
        edge = 2 * (1 + beta1) / (alpha * (1 - beta1))
        assert abs(momentum_walk(alpha, beta1, 0.97 * edge * p, p, steps=2000)[-1]) < 1e-3
        assert abs(momentum_walk(alpha, beta1, 1.03 * edge * p, p, steps=2000)[-1]) > 1e3
    assert pytest.approx(38) == 2 * 1.9 / 0.1  # at the defaults, in units of 1 / alpha


def test_the_network_s_gradient(chapter, rng):
    theta = rng.normal(size=25)
    _, g = chapter["loss_and_gradient"](theta)
    for i, nudge in enumerate(1e-6 * np.eye(25)):
        up, down = (chapter["loss_and_gradient"](theta + sign * nudge)[0] for sign in (1, -1))
        assert (up - down) / 2e-6 == pytest.approx(g[i], abs=1e-6)
