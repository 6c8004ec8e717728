"""The equations of book/paper/mnist_logistic.ipynb, each against adamcore on random inputs."""

import numpy as np
import pytest

from adamcore import AdaGrad, LogisticRegression, Nesterov
from tests.book.equations import equation


@pytest.fixture
def case(rng):
    """A random model, its parameters, images, labels, scores and probabilities."""
    model = LogisticRegression(5, 4, l2=rng.uniform(0.1, 1), dtype=np.float64)
    theta = rng.normal(size=model.layout.size)
    x, y = rng.normal(size=(6, 5)), rng.integers(4, size=6)
    w = model.layout.views(theta)
    z = x @ w.W + w.b
    p = np.array([[np.exp(row[k]) / sum(np.exp(row[j]) for j in range(4)) for k in range(4)] for row in z])
    return model, theta, x, y, z, p


def cost(p, y):
    return -sum(np.log(p[i, y[i]]) for i in range(len(y))) / len(y)


@equation("eq-softmax", r"p_k = \frac{e^{z_k}}{\sum_{j} e^{z_j}}.")
def test_softmax(case):
    model, theta, x, _, _, p = case
    for i, k in np.ndindex(p.shape):
        minus_log_p = model.loss_and_grad(theta, (x[[i]], np.array([k])))[0] - model.penalty(theta)
        assert np.exp(-minus_log_p) == pytest.approx(p[i, k])


@equation("eq-logistic-cost", r"J(W, b) = -\frac{1}{n} \sum_{i=1}^{n} \log p_{i, y_i},")
def test_cost(case):
    model, theta, x, y, _, p = case
    assert model.loss_and_grad(theta, (x, y))[0] - model.penalty(theta) == pytest.approx(cost(p, y))


@equation("eq-logistic-objective", r"f(W, b) = J(W, b) + \frac{\lambda}{2} \lVert W \rVert^2 .")
def test_objective(case):
    model, theta, x, y, _, p = case
    squares = (model.layout.views(theta).W ** 2).sum()
    assert model.loss_and_grad(theta, (x, y))[0] == pytest.approx(cost(p, y) + model.l2 / 2 * squares)


@equation("eq-softmax-gradient", r"\frac{\partial (-\log p_y)}{\partial z_k} = p_k - [k = y],")
def test_softmax_gradient(case):
    *_, y, z, p = case
    step = 1e-6
    for i, k in np.ndindex(z.shape):
        moved = [z[i] + sign * step * np.eye(4)[k] for sign in (1, -1)]
        ahead, behind = (-np.log(np.exp(row[y[i]]) / np.exp(row).sum()) for row in moved)
        assert (ahead - behind) / (2 * step) == pytest.approx(p[i, k] - (k == y[i]), abs=1e-8)


@equation(
    "eq-logistic-gradient",
    r"""\begin{aligned}
    \nabla_W f &= \frac{1}{n} X^\top (P - Y) + \lambda W, \\
    \nabla_b f &= \frac{1}{n} \sum_{i=1}^{n} (P_i - Y_i).
    \end{aligned}""",
)
def test_gradient(case):
    model, theta, x, y, _, p = case
    gradient = model.layout.views(model.loss_and_grad(theta, (x, y))[1])
    truth = np.eye(4)[y]
    W = model.layout.views(theta).W
    np.testing.assert_allclose(gradient.W, x.T @ (p - truth) / len(y) + model.l2 * W)
    np.testing.assert_allclose(gradient.b, (p - truth).sum(axis=0) / len(y))


@equation(
    "eq-adagrad",
    r"\theta_t = \theta_{t-1} - \alpha\, \frac{g_t}{\sqrt{\sum_{i=1}^{t} g_i^2} + \epsilon}.",
)
def test_adagrad(rng):
    rule, gradients, theta = AdaGrad(alpha=0.3, eps=0.1), rng.normal(size=(8, 3)), np.zeros(3)
    s = rule.init(theta)
    for t, g in enumerate(gradients, start=1):
        theta = theta - 0.3 * g / (np.sqrt((gradients[:t] ** 2).sum(axis=0)) + 0.1)
        rule.step(s, g)
        np.testing.assert_allclose(s.theta, theta)


@equation(
    "eq-nesterov",
    r"""\begin{aligned}
    b_t &= \mu b_{t-1} + g_t, \qquad \mu = 0.9 , \\
    \theta_t &= \theta_{t-1} - \alpha\, (g_t + \mu b_t) .
    \end{aligned}""",
)
def test_nesterov(rng):
    rule, b, theta = Nesterov(alpha=0.3), 0, np.zeros(3)
    assert rule.mu == 0.9
    s = rule.init(theta)
    for g in rng.normal(size=(8, 3)):
        b = rule.mu * b + g
        theta = theta - 0.3 * (g + rule.mu * b)
        rule.step(s, g)
        np.testing.assert_allclose(s.theta, theta)
