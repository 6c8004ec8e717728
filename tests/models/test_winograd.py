from types import SimpleNamespace

import numpy as np
import pytest

from adamcore.models import Conv2D, WinogradConv2D, winograd
from adamcore.models.winograd import POINTS, transforms


@pytest.mark.parametrize(
    ("tile", "size", "points"),
    [(1, 1, ()), (2, 3, (0, 1, -1)), (4, 3, (0, 1, -1, 2, -2)), (4, 5, POINTS), (3, 2, (5, 1, 0))],
)
def test_transforms_give_a_correlation(tile, size, points):
    A, B, G = transforms(tile, size, points)
    rng = np.random.default_rng(0)
    d, g = rng.normal(size=tile + size - 1), rng.normal(size=size)
    np.testing.assert_allclose(A.T @ ((G @ g) * (B.T @ d)), np.correlate(d, g), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("n_in", "n_out"), [(3, 5), (4, 1)])
@pytest.mark.parametrize(("height", "width"), [(4, 8), (16, 16), (3, 9), (1, 1), (6, 5)])
@pytest.mark.parametrize("block_bytes", [1, winograd.BLOCK_BYTES])
def test_it_is_the_direct_convolution(n_in, n_out, height, width, block_bytes, monkeypatch):
    monkeypatch.setattr(winograd, "BLOCK_BYTES", block_bytes)
    rng = np.random.default_rng(0)
    w = SimpleNamespace(W=rng.normal(size=(5, 5, n_in, n_out)))
    x, dy = rng.normal(size=(3, height, width, n_in)), rng.normal(size=(3, height, width, n_out))
    results = []
    for layer in (Conv2D(n_in, n_out), WinogradConv2D(n_in, n_out)):
        d = SimpleNamespace(W=np.full_like(w.W, np.nan))
        results.append((layer.forward(x, w), layer.backward(dy, w, d), d.W))
    for direct, ours in zip(*results, strict=True):
        np.testing.assert_allclose(ours, direct, rtol=1e-11, atol=1e-12 * np.abs(direct).max())


def test_what_it_costs_in_digits():
    """The docstring's numbers, up to a factor of two: errors in float32 relative to the size of the results."""
    rng = np.random.default_rng(0)
    W, x = rng.normal(size=(5, 5, 16, 16)), rng.normal(size=(4, 16, 16, 16))
    exact = Conv2D(16, 16).forward(x, SimpleNamespace(W=W))
    single = SimpleNamespace(W=W.astype(np.float32))
    errors = [
        np.sqrt(np.mean((layer.forward(x.astype(np.float32), single) - exact) ** 2) / np.mean(exact**2))
        for layer in (Conv2D(16, 16), WinogradConv2D(16, 16))
    ]
    assert 5e-8 < errors[0] < 4e-7
    assert 1.5e-6 < errors[1] < 6e-6
