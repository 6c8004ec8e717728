import numpy as np
import pytest

from adamcore import LogisticRegression
from adamcore.models import Layout


def problem(n=7, n_features=5, n_classes=4, l2=0.3, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    model = LogisticRegression(n_features, n_classes, l2=l2, dtype=dtype)
    x = rng.normal(size=(n, n_features)).astype(dtype)
    y = rng.integers(n_classes, size=n)
    theta = rng.normal(size=model.layout.size).astype(dtype)
    return model, theta, (x, y)


def objective(model, theta, batch):
    """The formula of the docstring, example by example."""
    x, y = batch
    w = model.layout.views(theta)
    total = 0.0
    for features, label in zip(x, y, strict=True):
        logits = features @ w.W + w.b
        total -= np.log(np.exp(logits[label]) / np.exp(logits).sum())
    return total / len(y) + model.l2 / 2 * (w.W**2).sum()


@pytest.mark.parametrize("n", [1, 7])
@pytest.mark.parametrize("n_classes", [1, 2, 4])
def test_loss_and_gradient(n, n_classes):
    model, theta, batch = problem(n=n, n_classes=n_classes)
    loss, gradient = model.loss_and_grad(theta, batch)
    np.testing.assert_allclose(loss, objective(model, theta, batch), rtol=1e-12)
    h = 1e-6
    for i, direction in enumerate(np.eye(theta.size)):
        ahead, behind = (objective(model, theta + sign * h * direction, batch) for sign in (1, -1))
        np.testing.assert_allclose(gradient[i], (ahead - behind) / (2 * h), rtol=1e-6, atol=1e-8)


def test_inputs_are_left_alone_and_dtype_is_kept():
    model, theta, (x, y) = problem(dtype=np.float32)
    copies = theta.copy(), x.copy(), y.copy()
    loss, gradient = model.loss_and_grad(theta, (x, y))
    for array, copy in zip((theta, x, y), copies, strict=True):
        np.testing.assert_array_equal(array, copy)
    assert isinstance(loss, float)
    assert gradient.dtype == np.float32
    assert gradient.shape == theta.shape
    assert not np.shares_memory(gradient, theta)


def test_large_logits_do_not_overflow():
    model, theta, batch = problem(l2=0.0)
    loss, gradient = model.loss_and_grad(theta * 1e4, batch)
    assert np.isfinite(loss)
    assert np.isfinite(gradient).all()


def test_starts_undecided_and_predicts_the_likeliest():
    model, theta, (x, _) = problem(l2=0.3)
    start = model.init(np.random.default_rng(0))
    assert model.loss_and_grad(start, (x, np.zeros(7, int)))[0] == pytest.approx(np.log(4))
    w = model.layout.views(theta)
    np.testing.assert_array_equal(model.predict(theta, x), (x @ w.W + w.b).argmax(axis=1))


def test_penalty_is_what_the_objective_adds():
    model, theta, batch = problem(l2=0.3)
    without = LogisticRegression(5, 4, dtype=np.float64)
    assert model.loss_and_grad(theta, batch)[0] == pytest.approx(
        without.loss_and_grad(theta, batch)[0] + model.penalty(theta)
    )
    assert without.penalty(theta) == 0


def test_smallest_sizes_and_dtypes():
    for dtype in (np.float32, np.float64):
        model = LogisticRegression(1, 1, dtype=dtype)
        assert model.dtype is dtype
        assert model.init(np.random.default_rng(0)).dtype == dtype
    assert model.layout.zeros(np.float64).dtype == np.float64
    assert model.layout.zeros().dtype == np.float32


@pytest.mark.parametrize("arguments", [{"n_features": 0}, {"n_classes": 0}, {"l2": -1.0}, {"l2": np.nan}])
def test_errors(arguments):
    with pytest.raises(ValueError, match="must be"):
        LogisticRegression(**{"n_features": 2, "n_classes": 2, **arguments})


def test_layout_views_share_memory_and_cover_theta_once():
    layout = Layout(W=(2, 3), b=(3,), scale=())
    theta = layout.zeros(np.float64)
    for value, view in enumerate(vars(layout.views(theta)).values(), start=1):
        view += value
    np.testing.assert_array_equal(theta, [1] * 6 + [2] * 3 + [3])
    with pytest.raises(ValueError, match=r"theta has shape \(9,\); Layout\(W=\(2, 3\), .*needs \(10,\)"):
        layout.views(theta[:-1])
