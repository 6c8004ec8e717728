"""The equations of book/practice/choosing.ipynb, each against adamcore on random inputs or a simulation."""

from itertools import combinations
from math import comb

import numpy as np
import pytest

from adamcore import SGD, AdaGrad, Adam, Momentum, Nesterov, RMSProp, walk
from tests.book.equations import BOOK, equation


@pytest.fixture(scope="module")
def chapter():
    """The functions that the chapter's cells define; what the cells print is dropped."""
    import nbformat

    cells = nbformat.read(BOOK / "practice" / "choosing.ipynb", as_version=4).cells
    code = {cell["id"]: cell.source for cell in cells if cell.cell_type == "code"}
    names: dict = {"np": np, "comb": comb}
    for cell, end in (("budget", "records ="), ("wilson", "p, rng =")):
        exec(code[cell].split(end)[0], names)
    return names


def labels(rng, positive=None, negative=None):
    """Labels in random order, more positive than negative ones."""
    negative = int(rng.integers(2, 8)) if negative is None else negative
    positive = negative + int(rng.integers(1, 8)) if positive is None else positive
    return rng.permutation(np.repeat([1.0, -1.0], [positive, negative]))


def dataset(y):
    """The rows of the construction, one feature after the other."""
    rows = []
    private = [1 if label > 0 else 5 for label in y]
    for i, label in enumerate(y):
        own = [np.full(k, float(j == i)) for j, k in enumerate(private)]
        rows.append(np.concatenate([[label, 1, 1], *own]))
    return np.array(rows)


def gradient_of(x, y):
    return lambda w: x.T @ (x @ w - y) / len(y)


def shortest(x, y):
    return x.T @ np.linalg.solve(x @ x.T, y)


@equation(
    "eq-choosing-budget",
    r"""\begin{aligned}
    & \Pr\left[ \text{best of } k \le s_{(i)} \right] \\
    & = 1 - \binom{n-i}{k} \bigg/ \binom{n}{k} .
    \end{aligned}""",
)
def test_budget(chapter, rng):
    for n in (1, 4, 8):
        scores = np.sort(rng.permutation(100)[:n])
        for k in range(1, n + 1):
            bests = np.array([min(chosen) for chosen in combinations(scores, k)])
            for i in range(1, n + 1):
                assert (bests <= scores[i - 1]).mean() == pytest.approx(1 - comb(n - i, k) / comb(n, k))
            for share in (0.5, rng.uniform()):  # the first score that so many of the best ones reach
                reached = next(score for score in scores if (bests <= score).mean() >= share)
                assert chapter["best_of"](rng.permutation(scores), k, share) == reached
            assert chapter["best_of"](scores[None], k) == np.quantile(bests, 0.5, method="inverted_cdf")


@equation(
    "eq-choosing-loss",
    r"""\begin{aligned}
    f(w) &= \frac{1}{2n} \lVert X w - y \rVert^2 , \\
    \nabla f(w) &= \frac{1}{n} X^\top (X w - y) .
    \end{aligned}""",
)
def test_loss(rng):
    x, y, w = rng.normal(size=(6, 4)), rng.normal(size=6), rng.normal(size=4)

    def f(w):
        return np.sum((x @ w - y) ** 2) / (2 * 6)

    numerical = [(f(w + h) - f(w - h)) / 2e-5 for h in 1e-5 * np.eye(4)]
    np.testing.assert_allclose(gradient_of(x, y)(w), numerical, rtol=1e-6, atol=1e-9)


@equation(
    "eq-choosing-construction",
    r"""\begin{aligned}
    &\text{one feature that is its label, } y_i ; \\
    &\text{two features that are always } 1 ; \\
    &k_i \text{ features that are } 1 \\
    &\quad \text{for this example only,} \\
    &\quad k_i = 1 \text{ if } y_i = +1, \\
    &\quad k_i = 5 \text{ if } y_i = -1 ,
    \end{aligned}""",
)
def test_construction(chapter, rng):
    y = labels(rng)
    x = dataset(y)
    np.testing.assert_array_equal(chapter["dataset"](y), x)
    np.testing.assert_array_equal(
        chapter["dataset"](y, scale=0.5, copies=3), np.hstack([np.tile(0.5 * y[:, None], 3), x[:, 1:]])
    )
    np.testing.assert_array_equal(x[:, 0], y)
    assert (x[:, 1:3] == 1).all()
    assert (x[:, 3:].sum(axis=0) == 1).all()  # nobody shares a private feature
    np.testing.assert_array_equal(x[:, 3:].sum(axis=1), np.where(y > 0, 1, 5))
    np.testing.assert_array_equal(x @ x.T, np.outer(y, y) + 2 + np.diag(np.where(y > 0, 1, 5)))


@equation("eq-choosing-span", r"w_t = X^\top a_t \quad \text{for some vector } a_t .")
def test_span(rng):
    x, y = rng.normal(size=(5, 12)), rng.normal(size=5)
    onto = x.T @ np.linalg.solve(x @ x.T, x)  # projects onto the rows' span
    for rule, inside in ((SGD(0.1), True), (Momentum(0.03), True), (Nesterov(0.03), True), (Adam(0.1), False)):
        path = walk(rule, gradient_of(x, y), np.zeros(12), steps=30)
        assert np.allclose(path @ onto, path, atol=1e-12) is inside


@equation("eq-choosing-minnorm", r"w = X^\top (X X^\top)^{-1} y .")
def test_shortest_solution(rng):
    x, y = rng.normal(size=(4, 12)), rng.normal(size=4)
    for rule in (SGD(0.2), Momentum(0.02), Nesterov(0.02)):
        end = walk(rule, gradient_of(x, y), np.zeros(12), steps=5000)[-1]
        np.testing.assert_allclose(end, x.T @ np.linalg.inv(x @ x.T) @ y, atol=1e-9)
    z = rng.normal(size=12)
    z -= x.T @ np.linalg.solve(x @ x.T, x @ z)
    assert np.linalg.norm(end + z) > np.linalg.norm(end)


@equation(
    "eq-choosing-gd-new",
    r"""\begin{aligned}
    \delta_+ &= \frac{1 + 4\nu}{\Delta} , \quad \delta_- = \frac{1 + 4P}{\Delta} , \\
    \Delta &= 1 + 3P + 3\nu + 8P\nu .
    \end{aligned}""",
)
def test_gradient_descent_on_new_examples(rng):
    for positive, negative in ((1, 1), (1, 9), (7, 1), (12, 6), (3, 8)):
        y = labels(rng, positive, negative)
        w = shortest(dataset(y), y)
        nu = negative / 5
        size = 1 + 3 * positive + 3 * nu + 8 * positive * nu
        for label, missing in ((1, (1 + 4 * nu) / size), (-1, (1 + 4 * positive) / size)):
            answer = label * w[0] + w[1] + w[2]
            assert answer == pytest.approx(label * (1 - missing))
            assert label * answer > 0  # right, even after one example of each class


@equation(
    "eq-choosing-condition",
    r"X \operatorname{sign}(u) = c\, y , \qquad u = X^\top y .",
)
def test_condition(rng):
    for _ in range(5):
        y = labels(rng)
        x = dataset(y)
        u = x.T @ y
        assert (u != 0).all()
        np.testing.assert_array_equal(x @ np.sign(u), 4 * y)
    y = -y  # with a negative majority it fails
    assert not np.allclose(dataset(y) @ np.sign(dataset(y).T @ y), 4 * y)


@equation(
    "eq-choosing-gradient",
    r"""\begin{aligned}
    \nabla f(\lambda \operatorname{sign}(u)) &= \frac{1}{n} X^\top (\lambda c\, y - y) \\
    &= \frac{c \lambda - 1}{n}\, u .
    \end{aligned}""",
)
def test_gradient_on_the_line(rng):
    y = labels(rng)
    x = dataset(y)
    u = x.T @ y
    for value in rng.normal(size=5):
        found = gradient_of(x, y)(value * np.sign(u))
        np.testing.assert_allclose(found, (4 * value - 1) / len(y) * u, atol=1e-12)


@equation(
    "eq-choosing-lemma",
    r"""\begin{aligned}
    w_t &= \lambda_t \operatorname{sign}(u) , \\
    \lambda_t &= \lambda_{t-1} - \alpha\, \frac{\hat m[r]}{\sqrt{\hat v[r]}} ,
    \quad r_i = c \lambda_{i-1} - 1 .
    \end{aligned}""",
)
def test_lemma(rng):
    y = labels(rng)
    x = dataset(y)
    signs = np.sign(x.T @ y)
    beta1, beta2, alpha = rng.uniform(0.5, 0.95), rng.uniform(0.9, 0.999), 0.02
    full = walk(Adam(alpha, beta1, beta2, eps=0), gradient_of(x, y), np.zeros(len(signs)), steps=60)
    value, r = 0.0, []
    for t in range(1, 61):
        r.append(4 * value - 1)
        age = np.arange(t)[::-1]
        m = np.average(r, weights=beta1**age)
        v = np.average(np.square(r), weights=beta2**age)
        value -= alpha * m / np.sqrt(v)
        np.testing.assert_allclose(full[t], value * signs, atol=1e-9)
    for rule in (AdaGrad(0.1, eps=0), RMSProp(0.01, eps=0)):  # the lemma is about more than Adam
        path = walk(rule, gradient_of(x, y), np.zeros(len(signs)), steps=60)
        np.testing.assert_allclose(path, path[:, :1] * signs, atol=1e-9)


@equation(
    "eq-choosing-adam-new",
    r"x^\top w_t = \lambda_t\, (y + 2) > 0 \qquad (\lambda_t > 0) :",
)
def test_adam_on_new_examples(rng):
    y = labels(rng)
    x = dataset(y)
    path = walk(Adam(0.01, eps=0), gradient_of(x, y), np.zeros(x.shape[1]), steps=800)
    for t in (1, 10, 100, 800):
        for label in (1, -1):
            answer = np.array([label, 1, 1]) @ path[t, :3]
            assert answer == pytest.approx(path[t, 0] * (label + 2))
            assert answer > 0
    assert path[-1, 0] == pytest.approx(1 / 4, abs=1e-4)


def limit_and_step(rng, eps):
    """Adam's step with alpha = 0.2 eps, its m_hat and v_hat, and momentum's buffer, after some gradients."""
    rule = Adam(alpha=0.2 * eps, eps=eps)
    s, b = rule.init(np.zeros(4)), np.zeros(4)
    for g in rng.normal(size=(int(rng.integers(1, 30)), 4)):
        before = s.theta
        rule.step(s, g)
        b = 0.9 * b + g
    return before - s.theta, s, b


@equation(
    "eq-choosing-limit",
    r"""\begin{aligned}
    \Delta_t &= \alpha' \epsilon\, \frac{\hat m_t}{\sqrt{\hat v_t} + \epsilon}
    = \frac{\alpha'\, \hat m_t}{1 + \sqrt{\hat v_t} / \epsilon} \\
    &\longrightarrow\; \alpha'\, \hat m_t \qquad (\epsilon \to \infty) .
    \end{aligned}""",
)
def test_limit(rng):
    for eps in (0.1, 1.0, 1e6):
        step, s, _ = limit_and_step(rng, eps)
        np.testing.assert_allclose(step, 0.2 * s.m_hat / (1 + np.sqrt(s.v_hat) / eps), rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(step, 0.2 * s.m_hat, rtol=1e-4)


@equation(
    "eq-choosing-gap",
    r"""\begin{aligned}
    \left| \Delta_t - \alpha' \hat m_t \right| &= \alpha' |\hat m_t|\,
    \frac{\sqrt{\hat v_t}}{\sqrt{\hat v_t} + \epsilon} \\
    &\le \alpha' |\hat m_t|\, \frac{\sqrt{\hat v_t}}{\epsilon} .
    \end{aligned}""",
)
def test_gap(rng):
    for eps in (0.01, 1.0, 1e3):
        step, s, _ = limit_and_step(rng, eps)
        gap, root = np.abs(step - 0.2 * s.m_hat), np.sqrt(s.v_hat)
        np.testing.assert_allclose(gap, 0.2 * np.abs(s.m_hat) * root / (root + eps), rtol=1e-6, atol=1e-12)
        assert (gap <= 0.2 * np.abs(s.m_hat) * root / eps * (1 + 1e-6) + 1e-12).all()


@equation(
    "eq-choosing-momentum",
    r"""\begin{aligned}
    \alpha'\, \hat m_t &= \alpha'\, \frac{1 - \beta_1}{1 - \beta_1^t}\, b_t , \\
    b_t &= \beta_1 b_{t-1} + g_t .
    \end{aligned}""",
)
def test_limit_is_momentum(rng):
    step, s, b = limit_and_step(rng, 1e9)
    np.testing.assert_allclose(step, 0.2 * 0.1 / (1 - 0.9**s.t) * b, rtol=1e-6)
    x, y = rng.normal(size=(5, 3)), rng.normal(size=5)
    ball = walk(Momentum(alpha=0.02, mu=0.9), gradient_of(x, y), np.zeros(3), steps=50)
    for correction, same in ((False, True), (True, False)):  # without correction there is no schedule
        rule = Adam(alpha=0.2 * 1e9, eps=1e9, bias_correction=correction)
        assert np.allclose(walk(rule, gradient_of(x, y), np.zeros(3), steps=50), ball, atol=1e-6) is same
    np.testing.assert_allclose(1 / (1 - 0.9 ** np.array([1, 40])), [10, 1], rtol=0.02)  # the schedule


@equation(
    "eq-choosing-compensate",
    r"""\begin{aligned}
    &\alpha = s \left( 1 + \frac{\epsilon}{g} \right) , \quad \text{then} \\
    &\alpha\, \frac{\hat m_t}{g + \epsilon} = s\, \frac{\hat m_t}{g} :
    \end{aligned}""",
)
def test_compensation(rng):
    g, size = rng.uniform(0.001, 1), 0.03
    stream = rng.choice([-g, g], size=(40, 6))  # the root of v_hat is g throughout
    ends = []
    for eps in (0.0, 0.01, 1.0, 100.0):
        rule = Adam(alpha=size * (1 + eps / g), eps=eps)
        s = rule.init(np.zeros(6))
        for one in stream:
            rule.step(s, one)
        ends.append(s.theta)
    np.testing.assert_allclose(ends, [ends[0]] * 4, rtol=1e-9, atol=1e-12)
