"""The equations of book/paper/cifar_cnn.ipynb, each against adamcore on random inputs."""

from types import SimpleNamespace

import numpy as np
import pytest

from adamcore import Adam, inverse_sqrt
from adamcore.data import Whitening
from adamcore.experiments import log_rms
from adamcore.models import Conv2D, MaxPool2D, glorot_uniform
from tests.book.equations import equation


def padded(x, h, w, c):
    """The pixel, or zero outside of the image."""
    return x[h, w, c] if 0 <= h < x.shape[0] and 0 <= w < x.shape[1] else 0.0


@pytest.fixture
def layer(rng):
    """A convolution of one image of 6 by 7 pixels with 2 channels into 3, and its weights."""
    return Conv2D(2, 3, size=5), rng.normal(size=(6, 7, 2)), SimpleNamespace(W=rng.normal(size=(5, 5, 2, 3)))


@equation(
    "eq-cnn-convolution",
    r"y_{h, w, k} = \sum_{i = 0}^{4} \sum_{j = 0}^{4} \sum_{c} x_{h + i - r,\, w + j - r,\, c}\; W_{i, j, c, k} ,",
)
def test_convolution(layer):
    convolution, x, w = layer
    y = convolution.forward(x[np.newaxis], w)[0]
    for h, column, k in np.ndindex(6, 7, 3):
        by_hand = sum(padded(x, h + i - 2, column + j - 2, c) * w.W[i, j, c, k] for i, j, c in np.ndindex(5, 5, 2))
        assert y[h, column, k] == pytest.approx(by_hand, rel=1e-10, abs=1e-12)


@equation("eq-cnn-pooling", r"y_{h, w, c} = \max_{0 \le i, j \le 2} x_{2 h + i,\, 2 w + j,\, c} .")
def test_pooling(rng):
    x = rng.normal(size=(8, 8, 2))
    y = MaxPool2D().forward(x[np.newaxis])[0]
    for h, w, c in np.ndindex(4, 4, 2):  # the last windows are cut off where the image ends
        assert y[h, w, c] == x[2 * h : 2 * h + 3, 2 * w : 2 * w + 3, c].max()


@equation(
    "eq-cnn-shared",
    r"""\frac{\partial L}{\partial W_{i, j, c, k}} = \sum_{h, w} \frac{\partial L}{\partial y_{h, w, k}}\;
    x_{h + i - r,\, w + j - r,\, c} .""",
)
def test_gradient_of_a_shared_weight(layer, rng):
    convolution, x, w = layer
    convolution.forward(x[np.newaxis], w)
    dy, d = rng.normal(size=(6, 7, 3)), SimpleNamespace(W=np.empty((5, 5, 2, 3)))
    convolution.backward(dy[np.newaxis], w, d)
    for i, j, c, k in np.ndindex(5, 5, 2, 3):
        by_hand = sum(dy[h, column, k] * padded(x, h + i - 2, column + j - 2, c) for h, column in np.ndindex(6, 7))
        assert d.W[i, j, c, k] == pytest.approx(by_hand, rel=1e-10, abs=1e-12)


@equation(
    "eq-cnn-whitening",
    r"x' = U \operatorname{diag}\!\left( \frac{1}{\sqrt{s + \epsilon}} \right) U^\top (x - \mu) .",
)
def test_whitening(rng):
    x = rng.normal(size=(500, 6)) @ rng.normal(size=(6, 6)) + rng.normal(size=6)
    mean = x.mean(axis=0)
    s, U = np.linalg.eigh(np.cov(x.T, bias=True))
    by_hand = np.array([U @ np.diag(1 / np.sqrt(s + 0.1)) @ U.T @ (one - mean) for one in x])
    found = Whitening.fit(x, epsilon=0.1, contrast=False).transform(x)
    np.testing.assert_allclose(found, by_hand, atol=2e-5)


@pytest.fixture
def unit(rng):
    """Inputs that are never negative, and weights as Glorot and Bengio draw them."""
    x = np.abs(rng.normal(size=200))
    return x, glorot_uniform(rng, (200, 200))[:, 0], np.sqrt(2 / 400)


@equation(
    "eq-cnn-spread",
    r"""\begin{aligned}
    \operatorname{Var} z &= \sum_{i=1}^{n} x_i^2 \operatorname{Var} w_i \\
    &= \sigma_w^2 \sum_{i=1}^{n} x_i^2 = \sigma_w^2\, n\, \overline{x^2} ,
    \end{aligned}""",
)
def test_spread(unit, rng):
    x, _, sigma = unit
    z = np.concatenate([x @ glorot_uniform(rng, (200, 200)) for _ in range(200)])
    assert z.var() == pytest.approx(sigma**2 * len(x) * np.mean(x**2), rel=0.05)
    assert sigma**2 * np.sum(x**2) == pytest.approx(sigma**2 * len(x) * np.mean(x**2))


def shift_of_first_step(x, w, g, alpha):
    """How far Adam's first step moves the unit's output."""
    rule = Adam(alpha=alpha, eps=0.0)
    s = rule.init(w)
    rule.step(s, g)
    return s.theta @ x - w @ x


@equation(
    "eq-cnn-shift",
    r"""\begin{aligned}
    \Delta z &= -\alpha \sum_{i=1}^{n} \operatorname{sign}(g_i)\, x_i , \\
    |\Delta z| &\le \alpha\, n\, \bar x .
    \end{aligned}""",
)
def test_shift(unit, rng):
    x, w, _ = unit
    g = rng.normal(size=200)
    shift = shift_of_first_step(x, w, g, 0.001)
    assert shift == pytest.approx(-0.001 * np.sum(np.sign(g) * x), abs=1e-12)
    bound = 0.001 * len(x) * x.mean()
    assert abs(shift) < bound
    assert shift_of_first_step(x, w, np.abs(g), 0.001) == pytest.approx(-bound, rel=1e-9)


@equation(
    "eq-cnn-ratio",
    r"""\frac{\max |\Delta z|}{\sqrt{\operatorname{Var} z}}
    = \frac{\alpha\, n\, \bar x}{\sigma_w \sqrt{n\, \overline{x^2}}}
    = \frac{\alpha \sqrt n}{\sigma_w} \cdot \frac{\bar x}{\sqrt{\overline{x^2}}} .""",
)
def test_ratio(unit, rng):
    x, w, sigma = unit
    z = np.concatenate([x @ glorot_uniform(rng, (200, 200)) for _ in range(200)])
    largest = abs(shift_of_first_step(x, w, np.ones(200), 0.001))
    ratio = 0.001 * np.sqrt(200) / sigma * x.mean() / np.sqrt(np.mean(x**2))
    assert largest / z.std() == pytest.approx(ratio, rel=0.03)


@equation("eq-cnn-forget", r"v_{t+s} \;\ge\; \beta_2^{\,s}\; v_t ,")
def test_how_fast_v_can_shrink(rng):
    rule = Adam()
    for gradients in (rng.normal(size=(391, 5)), 1e-3 * rng.normal(size=(391, 5)), np.zeros((391, 5))):
        s = rule.init(np.zeros(5))
        for g in rng.normal(size=(100, 5)):
            rule.step(s, g)
        bound = rule.beta2 ** len(gradients) * s.v
        for g in gradients:
            rule.step(s, g)
        if gradients.any():
            assert (s.v > bound).all()
        else:
            np.testing.assert_allclose(s.v, bound, rtol=1e-12)


@equation("eq-cnn-decay", r"\alpha_e = \frac{\alpha}{\sqrt{e}} , \qquad e = 1, 2, 3, \dots")
def test_decay():
    schedule = inverse_sqrt(0.001, 391)
    for e in (1, 2, 45):
        for t in (391 * (e - 1) + 1, 391 * e):  # the first and the last step of an epoch
            assert schedule(t) == pytest.approx(0.001 / np.sqrt(e), rel=1e-12)


@equation(
    "eq-cnn-distance",
    r"D = \sqrt{ \frac{1}{K} \sum_{k=1}^{K} \left( \log c_k - \log c_k^* \right)^2 } .",
)
def test_distance(rng):
    ours, theirs = rng.uniform(0.01, 2, size=(2, 20))
    by_hand = np.sqrt(np.mean([(np.log(a) - np.log(b)) ** 2 for a, b in zip(ours[1:], theirs[1:], strict=True)]))
    assert log_rms(ours, np.arange(1.0, 20.0), theirs[1:]) == pytest.approx(by_hand, rel=1e-12)
