from types import SimpleNamespace

import numpy as np
import pytest

from adamcore.models import Conv2D, MaxPool2D, convolution
from adamcore.models.convolution import fold, unfold


def by_definition(x, W):
    """The sum of the docstring, an entry after the other; outside of the image is zero."""
    n, height, width, _ = x.shape
    r = len(W) // 2
    y = np.zeros((n, height, width, W.shape[3]))
    for h, w, i, j in np.ndindex(height, width, len(W), len(W)):
        if 0 <= h + i - r < height and 0 <= w + j - r < width:
            y[:, h, w] += x[:, h + i - r, w + j - r] @ W[i, j]
    return y


@pytest.mark.parametrize("size", [1, 3, 5])
@pytest.mark.parametrize(("n_in", "n_out"), [(1, 1), (3, 2), (1, 8), (2, 10)])
@pytest.mark.parametrize(("height", "width"), [(7, 6), (1, 4), (2, 1)])
def test_convolution_is_its_definition(size, n_in, n_out, height, width):
    rng = np.random.default_rng(0)
    x, W = rng.normal(size=(3, height, width, n_in)), rng.normal(size=(size, size, n_in, n_out))
    y = Conv2D(n_in, n_out, size).forward(x, SimpleNamespace(W=W))
    np.testing.assert_allclose(y, by_definition(x, W), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("n_in", "n_out"), [(4, 3), (1, 8)])
@pytest.mark.parametrize("images", [1, 2, 5])
def test_blocks_of_any_size_give_the_same(n_in, n_out, images, monkeypatch):
    rng = np.random.default_rng(0)
    x, dy = rng.normal(size=(5, 6, 4, n_in)), rng.normal(size=(5, 6, 4, n_out))
    w, d = (SimpleNamespace(W=rng.normal(size=(5, 5, n_in, n_out))) for _ in range(2))

    def outcome():
        layer, pool = Conv2D(n_in, n_out), MaxPool2D()
        y, dx = layer.forward(x, w), layer.backward(dy, w, d)
        halved = pool.forward(y)
        return [y, dx, d.W.copy(), halved, pool.backward(np.cos(halved))]

    whole = outcome()
    monkeypatch.setattr(convolution, "BLOCK_BYTES", images * 6 * 4 * 5 * 8 * (n_in if n_in > 1 else 5))
    for now, then in zip(outcome(), whole, strict=True):
        np.testing.assert_allclose(now, then, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("axis", [1, 2])
@pytest.mark.parametrize("distances", [range(-2, 3), range(2, -3, -1), range(-1, 2), range(1)])
@pytest.mark.parametrize("length", [1, 2, 3, 6])
def test_fold_is_the_transpose_of_unfold(axis, distances, length):
    rng = np.random.default_rng(0)
    shape = [2, 3, 3]
    shape[axis] = length
    x, u = rng.normal(size=(*shape, 2)), rng.normal(size=(*shape, len(distances), 2))
    unfolded, folded = np.full_like(u, np.nan), np.full_like(x, np.nan)
    assert unfold(x, axis, distances, unfolded) is unfolded
    assert fold(u, axis, distances, folded) is folded
    np.testing.assert_allclose((unfolded * u).sum(), (x * folded).sum(), rtol=1e-12)


def windows(x):
    """The windows of pooling, an image's pixels named by their place."""
    height, width = x.shape[1] // 2, x.shape[2] // 2
    return {(h, w): x[:, 2 * h : 2 * h + 3, 2 * w : 2 * w + 3] for h in range(height) for w in range(width)}


@pytest.mark.parametrize(("height", "width"), [(2, 2), (3, 2), (4, 7), (5, 5), (32, 16)])
def test_pooling_is_the_largest_of_each_window(height, width):
    x = np.random.default_rng(0).normal(size=(2, height, width, 3))
    y = MaxPool2D().forward(x)
    assert y.shape == (2, height // 2, width // 2, 3)
    for (h, w), window in windows(x).items():
        np.testing.assert_array_equal(y[:, h, w], window.max(axis=(1, 2)))


@pytest.mark.parametrize(("height", "width"), [(2, 2), (3, 5), (4, 6), (7, 4)])
def test_ties_go_to_the_leftmost_column_and_its_uppermost_pixel(height, width):
    rng = np.random.default_rng(0)
    x = rng.integers(2, size=(20, height, width, 2)).astype(float)
    layer = MaxPool2D()
    dy = rng.normal(size=layer.forward(x).shape)
    expected = np.zeros_like(x)
    for h, w in np.ndindex(height // 2, width // 2):
        for image, channel in np.ndindex(len(x), 2):
            window = x[image, 2 * h : 2 * h + 3, 2 * w : 2 * w + 3, channel]
            column, row = np.unravel_index(window.T.argmax(), window.T.shape)  # argmax takes the first
            expected[image, 2 * h + row, 2 * w + column, channel] += dy[image, h, w, channel]
    np.testing.assert_allclose(layer.backward(dy), expected, rtol=1e-12)


def test_thirty_two_pixels_become_sixteen_eight_and_four():
    x, sizes = np.zeros((1, 32, 32, 1)), []
    for _ in range(3):
        x = MaxPool2D().forward(x)
        sizes.append(x.shape[1:3])
    assert sizes == [(16, 16), (8, 8), (4, 4)]
