"""The equations of book/foundations/adagrad.ipynb, each against adamcore on random inputs."""

import ast

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.sparse import csr_array

from adamcore import SGD, AdaGrad, walk
from tests.book.equations import BOOK, equation


def game(rule, g, start=0.0):
    """The points that a rule visits on the linear functions f_t(theta) = g_t theta."""
    s = rule.init(np.array(start) if np.ndim(start) else np.array([start]))
    visited = [s.theta]
    for one in g:
        rule.step(s, np.atleast_1d(one))
        visited.append(s.theta)
    return np.array(visited) if np.ndim(start) else np.array(visited)[:, 0]


def convex_functions(rng, count=50):
    """Pairs (f, slope of f) of different kinds."""
    for _ in range(count):
        c, s = rng.normal(), rng.uniform(0.1, 3)
        yield lambda z, c=c, s=s: s * abs(z - c), lambda z, c=c, s=s: s * np.sign(z - c)
        yield lambda z, c=c, s=s: s * (z - c) ** 2, lambda z, c=c, s=s: 2 * s * (z - c)
        yield lambda z, c=c, s=s: np.log1p(np.exp(s * z + c)), lambda z, c=c, s=s: s / (1 + np.exp(-s * z - c))


@equation("eq-ada-regret", r"R_T = \sum_{t=1}^{T} \left( f_t(\theta_{t-1}) - f_t(\theta^*) \right).")
def test_regret(chapter):
    c, s = chapter["c"], 2.5
    rule = AdaGrad(alpha=0.7)
    state = rule.init(np.zeros(1))
    theta_star = min(np.linspace(0, 4, 4001), key=lambda point: np.abs(point - c).sum())
    expected = 0.0
    for center in c:
        expected += s * abs(state.theta[0] - center) - s * abs(theta_star - center)
        rule.step(state, s * np.sign(state.theta - center))
    assert chapter["play"](rule, s)[0] == pytest.approx(expected / s, abs=0.1)


@equation(
    "eq-ada-convex",
    r"f_t(\theta_{t-1}) - f_t(\theta^*) \;\le\; g_t\, (\theta_{t-1} - \theta^*).",
)
def test_convex(rng):
    for f, slope in convex_functions(rng):
        theta, star = rng.normal(size=2)
        assert f(theta) - f(star) <= slope(theta) * (theta - star) + 1e-12
    theta, star, g = rng.normal(size=3)
    assert g * theta - g * star == pytest.approx(g * (theta - star))  # equal where f is a line


@equation(
    "eq-ada-one-step",
    r"g_t (\theta_{t-1} - \theta^*) = \frac{d_{t-1}^2 - d_t^2}{2 \alpha_t} + \frac{\alpha_t}{2}\, g_t^2 .",
)
def test_one_step(rng):
    start, star, g = rng.normal(size=3)
    alpha = rng.uniform(0.1, 2)
    before, after = game(SGD(alpha=alpha), [g], start) - star
    assert g * before == pytest.approx((before**2 - after**2) / (2 * alpha) + alpha / 2 * g**2)


@equation(
    "eq-ada-constant",
    r"R_T \;\le\; \frac{d_0^2}{2 \alpha} + \frac{\alpha}{2} \sum_{t=1}^{T} g_t^2 .",
)
def test_constant_step_size(rng):
    for _ in range(20):
        g, alpha, start = rng.normal(size=30), rng.uniform(0.01, 2), rng.normal()
        visited = game(SGD(alpha=alpha), g, start)
        for star in (*rng.normal(size=5), visited[-1]):
            bound = (start - star) ** 2 / (2 * alpha) + alpha / 2 * (g**2).sum()
            regret = (g * (visited[:-1] - star)).sum()
            assert regret <= bound + 1e-12
        assert regret == pytest.approx(bound)  # lines, and the last point is theta*: nothing was given away


@equation(
    "eq-ada-hindsight",
    r"""\alpha^* = \frac{d_0}{\sqrt{\sum_{t=1}^{T} g_t^2}}, \qquad R_T \;\le\; d_0 \sqrt{\sum_{t=1}^{T} g_t^2} .""",
)
def test_hindsight(rng):
    d_0, total = rng.uniform(0.1, 3), (rng.normal(size=40) ** 2).sum()
    alphas = np.geomspace(1e-3, 1e2, 200_001)
    bounds = d_0**2 / (2 * alphas) + alphas / 2 * total
    assert alphas[bounds.argmin()] == pytest.approx(d_0 / np.sqrt(total), rel=1e-3)
    assert bounds.min() == pytest.approx(d_0 * np.sqrt(total), rel=1e-6)


def one_step(rng, **hyper):
    """An AdaGrad state before and after a step, and the gradient of that step."""
    rule = AdaGrad(alpha=0.3, **hyper)
    s = rule.init(rng.normal(size=5))
    for _ in range(int(rng.integers(0, 20))):
        rule.step(s, rng.normal(size=5))
    theta, G, g = s.theta, s.G, rng.normal(size=5)
    rule.step(s, g)
    return theta, G, g, s


@equation("eq-ada-sum", r"G_t = G_{t-1} + g_t^2, \qquad G_0 = 0")
def test_sum(rng):
    _, before, g, s = one_step(rng)
    np.testing.assert_allclose(s.G, before + g**2, rtol=1e-14)
    assert (np.zeros_like(s.G[:3]) == AdaGrad().init(np.ones(3)).G).all()


@equation("eq-ada-step", r"\theta_t = \theta_{t-1} - \alpha\, \frac{g_t}{\sqrt{G_t} + \epsilon}")
def test_step(rng):
    theta, _, g, s = one_step(rng, eps=0.5)
    np.testing.assert_allclose(s.theta, theta - 0.3 * g / (np.sqrt(s.G) + 0.5), rtol=1e-13)


@equation(
    "eq-ada-first-sum",
    r"""\begin{aligned}
    &\sum_{t=1}^{T} \frac{d_{t-1}^2 - d_t^2}{2 \alpha_t} \\
    &= \frac{d_0^2}{2 \alpha_1} + \sum_{t=2}^{T} \frac{d_{t-1}^2}{2}
       \left( \frac{1}{\alpha_t} - \frac{1}{\alpha_{t-1}} \right) - \frac{d_T^2}{2 \alpha_T} \\
    &\le \frac{D^2}{2 \alpha_1} + \frac{D^2}{2} \sum_{t=2}^{T}
       \left( \frac{1}{\alpha_t} - \frac{1}{\alpha_{t-1}} \right) \\
    &= \frac{D^2}{2 \alpha_T} = \frac{D^2}{2 \alpha} \sqrt{G_T} .
    \end{aligned}""",
)
def test_first_sum(rng):
    for _ in range(20):
        g, alpha = rng.normal(size=25), rng.uniform(0.1, 2)
        G = np.cumsum(g**2)
        d = np.abs(game(AdaGrad(alpha=alpha, eps=0), g) - rng.normal())
        alphas = alpha / np.sqrt(G)
        left = ((d[:-1] ** 2 - d[1:] ** 2) / (2 * alphas)).sum()
        growth = 1 / alphas[1:] - 1 / alphas[:-1]
        middle = d[0] ** 2 / (2 * alphas[0]) + (d[1:-1] ** 2 / 2 * growth).sum() - d[-1] ** 2 / (2 * alphas[-1])
        assert left == pytest.approx(middle)
        last = d.max() ** 2 / (2 * alphas[0]) + d.max() ** 2 / 2 * growth.sum()
        assert middle <= last + 1e-12
        assert last == pytest.approx(d.max() ** 2 / (2 * alphas[-1]))
        assert last == pytest.approx(d.max() ** 2 / (2 * alpha) * np.sqrt(G[-1]))


@equation("eq-ada-lemma", r"\sum_{t=1}^{T} \frac{g_t^2}{\sqrt{G_t}} \;\le\; 2 \sqrt{G_T} .")
def test_lemma(rng):
    def sides(g):
        G = np.cumsum(g**2)
        return (g**2 / np.sqrt(G)).sum(), 2 * np.sqrt(G[-1])

    for g in (rng.normal(size=40), rng.normal(size=40) ** 5, np.ones(40)):
        left, right = sides(g)
        assert left <= right
    left, right = sides(np.full(100_000, rng.uniform(2, 5)))  # equal gradients: nothing smaller than 2 would do
    assert 0.997 < left / right <= 1


@equation(
    "eq-ada-bound",
    r"R_T \;\le\; \left( \frac{D^2}{2 \alpha} + \alpha \right) \sqrt{G_T} .",
)
def test_bound(rng):
    for _ in range(20):
        g, alpha = rng.normal(size=25), rng.uniform(0.1, 2)
        regret, furthest = regret_on_lines(g, alpha, rng.normal())
        bound = (furthest**2 / (2 * alpha) + alpha) * np.sqrt((g**2).sum())
        assert regret <= bound
        last_alpha = alpha / np.linalg.norm(g)
        assert bound == pytest.approx(furthest**2 / (2 * last_alpha) + alpha / 2 * 2 * np.linalg.norm(g))  # both sums
    alphas = np.geomspace(1e-2, 1e2, 200_001)
    brackets = furthest**2 / (2 * alphas) + alphas
    assert alphas[brackets.argmin()] == pytest.approx(furthest / np.sqrt(2), rel=1e-3)
    assert brackets.min() == pytest.approx(np.sqrt(2) * furthest)


def regret_on_lines(g, alpha, star):
    """AdaGrad's regret on f_t(theta) = g_t theta, and its largest distance from star, both per coordinate."""
    distances = game(AdaGrad(alpha=alpha, eps=0), g, 0.0 if g.ndim == 1 else np.zeros(g.shape[1])) - star
    alphas = alpha / np.sqrt(np.cumsum(g**2, axis=0))
    regret = (g * distances[:-1]).sum(axis=0)
    paid = (distances[:-1] ** 2 - distances[1:] ** 2) / (2 * alphas) + alphas / 2 * g**2
    np.testing.assert_allclose(regret, paid.sum(axis=0), atol=1e-10)  # the two sums of the proof
    return regret, np.abs(distances).max(axis=0)


@equation(
    "eq-ada-coordinates",
    r"R_T \;\le\; \sum_i \left( \frac{D_i^2}{2 \alpha} + \alpha \right) \sqrt{G_{T,i}} .",
)
def test_coordinates(rng):
    scale, alpha = np.array([0.01, 1.0, 5.0, 30.0]), rng.uniform(0.1, 2)
    g = rng.normal(size=(60, 4)) * scale
    regret, furthest = regret_on_lines(g, alpha, rng.normal(size=4))
    terms = (furthest**2 / (2 * alpha) + alpha) * np.sqrt((g**2).sum(axis=0))
    assert (regret <= terms).all()  # each coordinate is a game of its own
    assert regret.sum() <= terms.sum()
    for i, term in enumerate(terms):  # the two sums of the proof, with the last step size of this coordinate
        last_alpha = alpha / np.linalg.norm(g[:, i])
        assert term == pytest.approx(furthest[i] ** 2 / (2 * last_alpha) + alpha / 2 * 2 * np.linalg.norm(g[:, i]))


@equation(
    "eq-ada-first",
    r"|\theta_1 - \theta_0| = \alpha\, \frac{|g_1|}{\sqrt{g_1^2}} = \alpha \qquad (\epsilon = 0).",
)
def test_first_step(rng):
    g = rng.normal(size=6) * 10.0 ** rng.integers(-5, 5, size=6)
    s = AdaGrad(alpha=0.3, eps=0).init(np.zeros(6))
    AdaGrad(alpha=0.3, eps=0).step(s, g)
    np.testing.assert_allclose(np.abs(s.theta), 0.3, rtol=1e-12)
    np.testing.assert_allclose(np.abs(s.theta), 0.3 * np.abs(g) / np.sqrt(g**2), rtol=1e-12)


@equation("eq-ada-logistic", r"g_j = \frac{1}{n} \sum_{i=1}^{n} x_{ij}\, (p_i - y_i).")
def test_logistic_gradient(chapter, rng):
    x, y = chapter["x"].toarray(), chapter["y"]
    rows, theta = np.array([0, 2, 3, 7]), rng.normal(size=x.shape[1])
    p = 1 / (1 + np.exp(-x[rows] @ theta))
    by_hand = [sum(x[i, j] * (p[k] - y[i]) for k, i in enumerate(rows)) / 4 for j in range(x.shape[1])]
    np.testing.assert_allclose(chapter["gradient"](theta, rows), by_hand, atol=1e-14)
    for j, direction in enumerate(np.eye(x.shape[1])):
        slope = (
            chapter["cost"](theta + 1e-6 * direction, rows) - chapter["cost"](theta - 1e-6 * direction, rows)
        ) / 2e-6
        assert by_hand[j] == pytest.approx(slope, abs=1e-8)


@equation(
    "eq-ada-inverse-sqrt",
    r"|\theta_t - \theta_{t-1}| = \alpha\, \frac{|g|}{\sqrt{t\, g^2}} = \frac{\alpha}{\sqrt{t}} .",
)
def test_inverse_sqrt(rng):
    g = rng.normal()
    visited = walk(AdaGrad(alpha=0.7, eps=0), lambda _: np.array([g]), np.zeros(1), steps=50)[:, 0]
    lengths, t = np.abs(np.diff(visited)), np.arange(1, 51)
    np.testing.assert_allclose(lengths, 0.7 / np.sqrt(t), rtol=1e-9)
    np.testing.assert_allclose(lengths, 0.7 * abs(g) / np.sqrt(t * g**2), rtol=1e-9)


@equation(
    "eq-ada-path",
    r"2 \sqrt{T + 1} - 2 \;\le\; \sum_{t=1}^{T} \frac{1}{\sqrt{t}} \;\le\; 2 \sqrt{T} - 1 .",
)
def test_path():
    total = 0.0
    for steps in range(1, 301):
        total += 1 / np.sqrt(steps)
        below, above = 2 * np.sqrt(steps + 1) - 2, 2 * np.sqrt(steps) - 1
        assert below <= total <= above
        assert below == pytest.approx(quad(lambda z: 1 / np.sqrt(z), 1, steps + 1)[0])
        assert above == pytest.approx(1 + quad(lambda z: 1 / np.sqrt(z), 1, steps)[0])


@equation("eq-ada-burst", r"\frac{\alpha}{\sqrt{k\, c^2 + n}} ,")
def test_burst(rng):
    k, n, c = 7, 40, rng.uniform(5, 30)
    visited = game(AdaGrad(alpha=0.4, eps=0), [c] * k + [1.0] * n)
    assert visited[-2] - visited[-1] == pytest.approx(0.4 / np.sqrt(k * c**2 + n))


@equation(
    "eq-ada-initial",
    r"|\theta_1 - \theta_0| = \alpha\, \frac{|g_1|}{\sqrt{G_0 + g_1^2}} .",
)
def test_initial(rng):
    g = rng.normal(size=6)
    rule = AdaGrad(alpha=0.3, eps=0, initial=0.1)
    s = rule.init(np.zeros(6))
    rule.step(s, g)
    np.testing.assert_allclose(np.abs(s.theta), 0.3 * np.abs(g) / np.sqrt(0.1 + g**2), rtol=1e-12)


@pytest.fixture(scope="module")
def chapter():
    """The functions that the chapter defines, on a handful of made-up reviews."""
    import nbformat

    cells = nbformat.read(BOOK / "foundations" / "adagrad.ipynb", as_version=4).cells
    code = {cell["id"]: cell.source for cell in cells if cell.cell_type == "code"}
    rng = np.random.default_rng(3)
    names = {"np": np, "x": csr_array((rng.random((9, 6)) < 0.4).astype(float)), "y": (rng.random(9) < 0.5) * 1.0}
    for cell, wanted in (("scales", ("c", "best", "play")), ("model", ("gradient", "cost"))):
        for node in ast.parse(code[cell]).body:
            name = (
                node.name
                if isinstance(node, ast.FunctionDef)
                else getattr(getattr(node, "targets", [None])[0], "id", "")
            )
            if name in wanted:
                exec(ast.unparse(node), names)
    return names
