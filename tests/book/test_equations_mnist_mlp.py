"""The equations of book/paper/mnist_mlp.ipynb, each against adamcore on random inputs."""

from types import SimpleNamespace

import numpy as np
import pytest

from adamcore import MLP, Adam, LogisticRegression
from adamcore.experiments import SFO
from adamcore.experiments.problems import Problem
from adamcore.experiments.sfo import _Models, hessian_of_history
from adamcore.models import Dropout
from tests.book.equations import equation


def softmax(z):
    exponentials = np.exp(z - z.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def cost(z, y):
    """What one row of logits costs."""
    return float(np.log(np.exp(z).sum()) - z[y])


@pytest.fixture
def net(rng):
    """A small network with biases that are not zero, images, labels, and what its layers give, by hand."""
    model = MLP((6, 8, 7, 4), dtype=np.float64)
    theta = 0.7 * rng.normal(size=model.layout.size)
    w, x, y = model.layout.views(theta), rng.normal(size=(9, 6)), rng.integers(4, size=9)
    h1 = np.maximum(x @ w.W1 + w.b1, 0)
    h2 = np.maximum(h1 @ w.W2 + w.b2, 0)
    return SimpleNamespace(model=model, theta=theta, w=w, x=x, y=y, h1=h1, h2=h2, z=h2 @ w.W3 + w.b3)


@equation(
    "eq-mlp-network",
    r"""\begin{aligned}
    h_1 &= \max(x W_1 + b_1,\, 0), \\
    h_2 &= \max(h_1 W_2 + b_2,\, 0), \\
    z &= h_2 W_3 + b_3 .
    \end{aligned}""",
)
def test_network(net):
    np.testing.assert_allclose(net.model.layers.forward(net.x, net.w), net.z, rtol=1e-12)
    np.testing.assert_array_equal(net.model.predict(net.theta, net.x), net.z.argmax(axis=1))


@equation(
    "eq-mlp-cost",
    r"""\begin{aligned}
\ell(z, y) &= -\log \pi_y = \log \sum_k e^{z_k} - z_y , \\
\frac{\partial \ell}{\partial z_k} &= \pi_k - [k = y] ,
\end{aligned}""",
)
def test_cost(net):
    costs = [cost(z, y) for z, y in zip(net.z, net.y, strict=True)]
    np.testing.assert_allclose(costs, -np.log(softmax(net.z)[range(9), net.y]), rtol=1e-12)
    loss, gradient = net.model.loss_and_grad(net.theta, (net.x, net.y))
    assert loss == pytest.approx(np.mean(costs), rel=1e-12)
    slopes = softmax(net.z) - np.eye(4)[net.y]  # b3 is added to the logits: its gradient is their mean
    np.testing.assert_allclose(net.model.layout.views(gradient).b3, slopes.mean(axis=0), atol=1e-14)


@equation(
    "eq-mlp-curvature",
    r"""\begin{aligned}
& \sum_{k, m} u_k\, \frac{\partial^2 \ell}{\partial z_k\, \partial z_m}\, u_m \\
&\quad = \sum_k \pi_k u_k^2 - \Big( \sum_k \pi_k u_k \Big)^2 \\
&\quad = \operatorname{Var}_{k \sim \pi} u_k \;\ge\; 0 ,
\end{aligned}""",
)
def test_curvature_of_the_cost(net, rng):
    for z, y in zip(net.z, net.y, strict=True):
        u, h = rng.normal(size=4), 1e-4
        numeric = (cost(z + h * u, y) - 2 * cost(z, y) + cost(z - h * u, y)) / h**2
        pi = softmax(z)
        assert numeric == pytest.approx(pi @ u**2 - (pi @ u) ** 2, rel=1e-4, abs=1e-6)
        assert pi @ u**2 - (pi @ u) ** 2 == pytest.approx(pi @ (u - pi @ u) ** 2)


@equation(
    "eq-mlp-dropout",
    r"""\begin{aligned}
\tilde h_j &= \frac{r_j}{1 - p}\, h_j , \\
P(r_j = 1) &= 1 - p , \qquad P(r_j = 0) = p .
\end{aligned}""",
)
def test_dropout(rng):
    h = rng.normal(size=(400, 50))
    for p in (0.25, 0.5):  # whole numbers of 65536ths
        r = Dropout(p).forward(h, rng=rng) * (1 - p) / h
        np.testing.assert_allclose(r, np.rint(r), atol=1e-12)
        assert set(np.rint(r).ravel()) == {0.0, 1.0}
        assert r.mean() == pytest.approx(1 - p, abs=0.02)


@equation(
    "eq-mlp-moments",
    r"""\mathbb{E}\, \tilde h_j = h_j , \qquad
    \operatorname{Var} \tilde h_j = \frac{p}{1 - p}\, h_j^2 .""",
)
def test_moments_of_dropout(rng):
    h = rng.normal(size=5)
    for p in (0.25, 0.5):
        tilde = Dropout(p).forward(np.tile(h, (40_000, 1)), rng=rng)
        np.testing.assert_allclose(tilde.mean(axis=0), h, rtol=0.03)
        np.testing.assert_allclose(tilde.var(axis=0), p / (1 - p) * h**2, rtol=0.03)


@equation(
    "eq-mlp-price",
    r"""\begin{aligned}
\mathbb{E}\, \ell(\tilde z, y) \;\approx\;& \ell(z, y) \\
& + \frac{1}{2}\, \frac{p}{1 - p} \sum_j h_j^2 \operatorname{Var}_{k \sim \pi} w_{jk} .
\end{aligned}""",
)
def test_price_of_dropout(net, rng):
    W3 = 0.1 * net.w.W3  # the second order is enough where noise moves the logits little
    h, y, p = net.h2[0], net.y[0], 0.25
    z, tilde = h @ W3, Dropout(p).forward(np.tile(h, (200_000, 1)), rng=rng) @ W3
    mean = np.mean(np.log(np.exp(tilde).sum(axis=1)) - tilde[:, y])
    pi = softmax(z)
    price = 0.5 * p / (1 - p) * sum(h[j] ** 2 * (pi @ W3[j] ** 2 - (pi @ W3[j]) ** 2) for j in range(7))
    assert price > 1e-4
    assert mean - cost(z, y) == pytest.approx(price, rel=0.15)


def quadratic(rng, size=5):
    """A Hessian and a center: f is half of (theta - center) H (theta - center)."""
    a = rng.normal(size=(size, size))
    return a @ a.T + np.eye(size), rng.normal(size=size)


@equation("eq-mlp-newton", r"s = -H^{-1}\, \nabla f(\theta) .")
def test_newton(rng):
    H, center = quadratic(rng)
    theta = rng.normal(size=5)
    s = -np.linalg.solve(H, H @ (theta - center))
    np.testing.assert_allclose(theta + s, center, atol=1e-10)
    beta, values, vectors = hessian_of_history(*conjugate(H))  # from enough steps it knows H
    found = beta * np.eye(5) + (vectors.T * values) @ vectors
    np.testing.assert_allclose(-np.linalg.solve(found, H @ (theta - center)), s, rtol=1e-6)


def conjugate(H):
    """Steps s with s_i H s_j = 0, and the changes of the gradient."""
    steps = np.linalg.inv(np.linalg.cholesky(H))
    return steps, steps @ H


@equation(
    "eq-mlp-secant",
    r"""\begin{aligned}
y &= \nabla f(\theta + s) - \nabla f(\theta) \\
&= \Big( \int_0^1 H(\theta + \tau s)\, d\tau \Big)\, s .
\end{aligned}""",
)
def test_secant(net, rng):
    model = LogisticRegression(6, 4, dtype=np.float64)  # smooth: no unit switches on the way

    def gradient(theta):
        return model.loss_and_grad(theta, (net.x, net.y))[1]

    theta, s = rng.normal(size=(2, model.layout.size))
    h, taus = 1e-5, (np.arange(50) + 0.5) / 50
    products = [(gradient(theta + (t + h) * s) - gradient(theta + (t - h) * s)) / (2 * h) for t in taus]
    y = gradient(theta + s) - gradient(theta)
    np.testing.assert_allclose(np.mean(products, axis=0), y, atol=1e-3 * np.abs(y).max())


@equation(
    "eq-mlp-bfgs",
    r"B' = B + \frac{y y^\top}{y^\top s} - \frac{B s\, s^\top B}{s^\top B s} .",
)
def test_bfgs(rng):
    H, _ = quadratic(rng)
    steps = rng.normal(size=(3, 5))
    beta, values, vectors = hessian_of_history(steps, steps @ H)
    B = beta * np.eye(5)
    for s in steps[::-1]:  # the newest comes first
        y = H @ s
        B = B + np.outer(y, y) / (y @ s) - np.outer(B @ s, s @ B) / (s @ B @ s)
        np.testing.assert_allclose(B @ s, y, rtol=1e-9)
    np.testing.assert_allclose(beta * np.eye(5) + (vectors.T * values) @ vectors, B, rtol=1e-7, atol=1e-9)


@equation("eq-mlp-sum", r"f(\theta) = \frac{1}{N} \sum_{i=1}^{N} f_i(\theta) .")
def test_sum_of_subfunctions(net, rng, monkeypatch):
    x, y = rng.normal(size=(12, 6)), rng.integers(4, size=12)
    seen = {}
    walk = "adamcore.experiments.sfo._Walk"

    class Caught(Exception):
        """The subfunctions are known."""

    def catch(settings, subfunction, theta, number, rng):
        seen.update({i: subfunction(i, net.theta) for i in range(number)})
        raise Caught

    monkeypatch.setattr(walk, catch)
    streams = SimpleNamespace(initialization=rng, order=rng, noise=None)
    with pytest.raises(Caught):
        SFO(subfunctions=4).minimize(Problem(net.model, (x, y), digest=""), 1, streams)
    loss, gradient = net.model.loss_and_grad(net.theta, (x, y))
    assert sum(value for value, _ in seen.values()) / 4 == pytest.approx(loss, rel=1e-12)
    np.testing.assert_allclose(sum(g for _, g in seen.values()) / 4, gradient, rtol=1e-9, atol=1e-14)


def seen_models(rng, number=4, size=5):
    """SFO's models of random quadratics, each seen at several places; the quadratics; where each was seen last."""
    models, truth, last = _Models(number, size, history=8), [], []
    for i in range(number):
        H, center = quadratic(rng, size)
        here = rng.normal(size=size)
        for step in [np.zeros(size), *conjugate(H)[0]]:  # steps that tell all of H
            here = here + step
            pull = H @ (here - center)
            models.renew(i, here, (here - center) @ pull / 2, pull, tiny=1e-12)
        models.learn(i, np.ones(number, bool), size)
        truth.append((H, center))
        last.append(here)
    return models, truth, last


@equation(
    "eq-mlp-model",
    r"""\begin{aligned}
\tilde f_i(\theta) = f_i(\theta_i) &+ \nabla f_i(\theta_i)^\top (\theta - \theta_i) \\
&+ \tfrac{1}{2} (\theta - \theta_i)^\top H_i\, (\theta - \theta_i) .
\end{aligned}""",
)
def test_model_of_a_subfunction(rng):
    models, truth, last = seen_models(rng)
    theta = rng.normal(size=5)
    for i, ((H, center), here) in enumerate(zip(truth, last, strict=True)):
        d = theta - here
        by_hand = (here - center) @ H @ (here - center) / 2 + (H @ (here - center)) @ d + d @ H @ d / 2
        assert models.predict(i, theta) == pytest.approx(by_hand, rel=1e-6)
        assert by_hand == pytest.approx((theta - center) @ H @ (theta - center) / 2)  # it is a quadratic


@equation(
    "eq-mlp-step",
    r"\theta = \Big( \sum_i H_i \Big)^{-1} \sum_i \big( H_i\, \theta_i - \nabla f_i(\theta_i) \big) .",
)
def test_step_to_the_minimum_of_the_sum(rng):
    models, truth, last = seen_models(rng)
    pulls = [H @ here - H @ (here - center) for (H, center), here in zip(truth, last, strict=True)]
    theta = np.linalg.solve(sum(H for H, _ in truth), sum(pulls))
    start = rng.normal(size=5)
    step = -np.linalg.solve(models.hessian(5), models.slope(start))  # as SFO takes it, from anywhere
    np.testing.assert_allclose(start + step, theta, rtol=1e-5, atol=1e-6)


@equation(
    "eq-mlp-memory",
    r"""\begin{aligned}
\text{numbers kept by SFO} &\approx (3 N + 4)\, d , \\
\text{by Adam} &= 3\, d .
\end{aligned}""",
)
def test_memory():
    d = 400_000
    for number in (25, 40):
        assert SFO(subfunctions=number).numbers_kept(d, 60_000) / d == pytest.approx(3 * number + 4, rel=0.02)
    s = Adam().init(np.zeros(100))
    assert sum(array.size for array in (s.theta, s.m, s.v)) == 3 * 100


@pytest.fixture
def noisy(net):
    """The same network with dropout: its gradient along a unit vector, with coins of a seed."""
    model = MLP((6, 8, 7, 4), hidden_dropout=0.5, dtype=np.float64)
    direction = np.random.default_rng(1).normal(size=net.theta.size)
    direction /= np.linalg.norm(direction)

    def slope(theta, seed):
        return model.loss_and_grad(theta, (net.x, net.y), np.random.default_rng(seed))[1] @ direction

    return direction, slope


@equation("eq-mlp-noisy-secant", r"y = H s + \xi' - \xi .")
def test_a_change_of_noisy_gradients(net, noisy):
    """Along the step, the change is on average that of the mean gradient; its variance is that of two noises."""
    direction, slope = noisy
    here = np.array([slope(net.theta, seed) for seed in range(3000)])
    there = np.array([slope(net.theta + 0.3 * direction, seed) for seed in range(3000, 6000)])
    y = there - here
    again = np.array([slope(net.theta + 0.3 * direction, seed) for seed in range(3000)])  # the same coins as `here`
    assert y.mean() == pytest.approx(np.mean(again - here), abs=4 * y.std() / np.sqrt(3000))
    assert y.var() == pytest.approx(here.var() + there.var(), rel=0.1)


@equation("eq-mlp-noisy-curvature", r"\operatorname{sd} \hat\kappa = \frac{\sqrt 2\, \sigma}{\lVert s \rVert} .")
def test_spread_of_the_curvature(net, noisy):
    direction, slope = noisy
    sigma = np.std([slope(net.theta, seed) for seed in range(2000)])
    for length in (0.05, 0.005):
        s = length * direction
        changes = [slope(net.theta + s, seed) - slope(net.theta, seed + 2000) for seed in range(2000)]
        estimates = np.array(changes) * length / (s @ s)  # a change along s is length times one along its unit vector
        assert estimates.std() == pytest.approx(np.sqrt(2) * sigma / length, rel=0.1)


def entropy(pi):
    return -(pi * np.log(pi)).sum(axis=1)


@equation(
    "eq-mlp-scaling",
    r"""\begin{aligned}
& \sum_{l=1}^{3} \Big( \Big\langle W_l, \frac{\partial f}{\partial W_l} \Big\rangle
+ l\, \Big\langle b_l, \frac{\partial f}{\partial b_l} \Big\rangle \Big) \\
&\quad = 3\; \overline{\sum_k z_k\, (\pi_k - [k = y])} .
\end{aligned}""",
)
def test_scaling(net):
    loss, gradient = net.model.loss_and_grad(net.theta, (net.x, net.y))
    g, w = net.model.layout.views(gradient), net.w
    left = sum(np.vdot(getattr(w, f"W{k}"), getattr(g, f"W{k}")) for k in (1, 2, 3))
    left += sum(k * getattr(w, f"b{k}") @ getattr(g, f"b{k}") for k in (1, 2, 3))
    pi = softmax(net.z)
    right = 3 * np.mean(np.sum(net.z * (pi - np.eye(4)[net.y]), axis=1))
    assert left == pytest.approx(right, rel=1e-10)
    assert right == pytest.approx(3 * (loss - entropy(pi).mean()), rel=1e-10)


@equation("eq-mlp-balance", r"\lambda\, \lVert W \rVert^2 = 3\, \big( \overline{S} - \overline{\ell} \big) .")
def test_balance_at_a_minimum(rng):
    from scipy.optimize import minimize

    l2, x, y = 1e-2, rng.normal(size=(30, 5)), rng.integers(3, size=30)
    model = MLP((5, 6, 6, 3), l2=l2, dtype=np.float64)
    found = minimize(lambda theta: model.loss_and_grad(theta, (x, y)), model.init(rng), jac=True, tol=1e-12)
    w = model.layout.views(found.x)
    h2 = np.maximum(np.maximum(x @ w.W1 + w.b1, 0) @ w.W2 + w.b2, 0)
    pi = softmax(h2 @ w.W3 + w.b3)
    gap = entropy(pi).mean() - (found.fun - model.penalty(found.x))
    assert gap > 1e-3
    assert 2 * model.penalty(found.x) == pytest.approx(3 * gap, rel=0.01)
