r"""Convolution with fewer multiplications: the algorithm of Winograd, as arXiv:1509.09308 applies it to networks.

Two polynomials of degree 4 and 3 are multiplied by 5 times 4 products of coefficients; or, after Toom and Cook, by
evaluating both at 8 points, 8 products of values, and interpolation. Evaluation and interpolation are linear, and
where a kernel meets many images and channels they cost little. In two dimensions 64 products replace 400. A
convolution is such a product of polynomials, and what a network calls a convolution, a correlation, its transpose.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np

from adamcore.models.convolution import Conv2D

TILE = 4
"""Height and width of the part of the output that is computed at once."""

POINTS = (0, 1, -1, 2, -2, 0.5, -0.5)
"""Where polynomials are evaluated, besides at infinity; small numbers and their inverses lose the fewest digits."""

BLOCK_BYTES = 2_000_000
"""Images are taken in blocks whose transformed tiles fill about this much, so that they stay in the cache."""


def transforms(tile: int, size: int, points: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    r"""Return the matrices A, B and G of a correlation in one dimension.

    .. math::

        y_k = \sum_{i=0}^{r-1} d_{k + i}\, g_i, \quad k = 0, \dots, m - 1
        \qquad\Longleftrightarrow\qquad
        y = A^\top \left[ (G g) \odot (B^\top d) \right]

    With V the matrix of powers of the points (each row the powers of one point; for the point at infinity, the
    coefficient of the highest power), G and A are its first r and m columns, and :math:`B = V^{-1}`. For then
    :math:`V^{-1} [(G g) \odot (A h)]` has the coefficients of the product of the polynomials g and h, and the
    scalar product of that with d is the scalar product of y with h, for all h.

    Parameters
    ----------
    tile : int
        m, the length of y.
    size : int
        r, the length of g.
    points : tuple of float
        m + r - 2 different numbers.

    Returns
    -------
    A, B, G : numpy.ndarray
        float64, of shapes (m + r - 1, m), (m + r - 1, m + r - 1) and (m + r - 1, r).

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore.models.winograd import transforms
    >>> A, B, G = transforms(2, 3, (0, 1, -1))
    >>> d, g = np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, 10.0, 100.0])
    >>> (A.T @ ((G @ g) * (B.T @ d))).round(9)  # 1 + 20 + 300, 2 + 30 + 400
    array([321., 432.])
    """

    def evaluated(n: int) -> np.ndarray:
        infinity = np.eye(n)[-1:]
        return np.concatenate([np.vander(np.array(points, float), n, increasing=True), infinity])

    return evaluated(tile), np.linalg.inv(evaluated(tile + size - 1)), evaluated(size)


class WinogradConv2D(Conv2D):
    r"""The same function as :class:`Conv2D` with windows of five by five, with 64 multiplications instead of 400.

    Each image is cut into tiles of 8 by 8 pixels, which overlap by 4. For a tile d, one kernel g and the matrices
    of ``transforms``, in both dimensions, the 4 by 4 pixels of the output that it determines are

    .. math:: Y = A^\top \left[ (G g G^\top) \odot (B^\top d B) \right] A

    The sum over input channels is taken between the transforms, so that it is 64 matrix products, one for each
    point in the plane. ``backward`` is the transpose of each step, from the last to the first.

    The price is accuracy. Sums and differences of values that are larger than the result cost digits: in float32
    its error is about 3e-6 of the result's size, against 1e-7 in :class:`Conv2D`. In float64 the two agree to 13
    digits.

    Parameters
    ----------
    n_in, n_out : int
        Channels of the input (n, height, width, n_in) and of the output (n, height, width, n_out).
    initialization : {"he", "glorot"}
        As for :class:`Conv2D`.

    Raises
    ------
    ValueError
        If a number is below 1, the initialization is none of these, or an input has another shape.

    Examples
    --------
    >>> import numpy as np
    >>> from types import SimpleNamespace
    >>> from adamcore.models import Conv2D, WinogradConv2D
    >>> rng = np.random.default_rng(0)
    >>> x, w = rng.random((1, 6, 9, 2)), SimpleNamespace(W=rng.random((5, 5, 2, 3)))
    >>> np.allclose(WinogradConv2D(2, 3).forward(x, w), Conv2D(2, 3).forward(x, w))
    True
    """

    def __init__(self, n_in: int, n_out: int, initialization: str = "he") -> None:
        super().__init__(n_in, n_out, size=5, initialization=initialization)
        # Pixels of a tile are numbered row by row; so are the points of the plane.
        self._A, self._B, self._G = (np.kron(each, each) for each in transforms(TILE, self.size, POINTS))

    def __repr__(self) -> str:
        return f"WinogradConv2D({self.n_in}, {self.n_out})"

    def forward(
        self, x: np.ndarray, w: SimpleNamespace | None = None, rng: np.random.Generator | None = None
    ) -> np.ndarray:
        """Return the convolution of each image with W."""
        if x.ndim != 4 or x.shape[3] != self.n_in:
            raise ValueError(f"x has shape {x.shape}; {self!r} needs (n, height, width, {self.n_in}).")
        self._x = x
        y = self._buffer("y", (*x.shape[:3], self.n_out), x.dtype)
        kernels = self._transformed_kernels(w.W)
        for block in self._blocks_of_tiles(x):
            products = self._points("products", x[block], self.n_out)
            np.matmul(self._transformed_tiles(x[block]), kernels, out=products)
            _join(self._transform("outputs", self._A.T, products), y[block])
        return y

    def backward(
        self,
        dy: np.ndarray,
        w: SimpleNamespace | None = None,
        d: SimpleNamespace | None = None,
        input_gradient: bool = True,
    ) -> np.ndarray | None:
        """Return the gradient with respect to the images; write that with respect to W."""
        x = self._x
        kernels = self._transformed_kernels(w.W)
        d_kernels = self._like("d_kernels", kernels)
        d_kernels[...] = 0
        of_block = self._like("d_kernels of a block", kernels)
        dx = self._like("dx", x) if input_gradient else None
        for block in self._blocks_of_tiles(x):
            tiles = self._transformed_tiles(x[block])
            d_outputs = self._buffer("outputs", (TILE**2, tiles.shape[1], self.n_out), dy.dtype)
            _cut(dy[block], d_outputs)
            d_products = self._transform("products", self._A, d_outputs)
            d_kernels += np.matmul(tiles.transpose(0, 2, 1), d_products, out=of_block)
            if input_gradient:
                d_tiles = np.matmul(d_products, kernels.transpose(0, 2, 1), out=tiles)
                _add_overlapping(self._transform("tiles", self._B, d_tiles), self._padded(x[block]), dx[block])
        d.W[...] = (self._G.T.astype(x.dtype) @ d_kernels.reshape(len(d_kernels), -1)).reshape(d.W.shape)
        return dx

    def _blocks_of_tiles(self, x: np.ndarray) -> Iterator[slice]:
        """Slices of the minibatch."""
        bytes_a_pixel = 4 * max(self.n_in, self.n_out) * x.itemsize
        images = max(1, BLOCK_BYTES // (x[0, :, :, 0].size * bytes_a_pixel))
        return (slice(start, start + images) for start in range(0, len(x), images))

    def _points(self, name: str, x: np.ndarray, channels: int) -> np.ndarray:
        """Room for a matrix with a row for each tile, at each point of the plane."""
        tiles = len(x) * _count(x.shape[1]) * _count(x.shape[2])
        return self._buffer(name, (len(self._B), tiles, channels), x.dtype)

    def _transform(self, name: str, matrix: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Apply a transform to the first axis: pixels of a tile, or points of the plane."""
        out = self._buffer(name, (len(matrix), *x.shape[1:]), x.dtype)
        np.matmul(matrix.astype(x.dtype), x.reshape(len(x), -1), out=out.reshape(len(out), -1))
        return out

    def _transformed_kernels(self, W: np.ndarray) -> np.ndarray:
        """G W: a matrix (n_in, n_out) for each point of the plane."""
        return self._transform("kernels", self._G, W.reshape(self.size**2, self.n_in, self.n_out))

    def _padded(self, x: np.ndarray) -> np.ndarray:
        """Room for images with their border, in squares: (n, rows of squares, 4, columns of squares, 4, channels)."""
        rows, columns = (_count(length) + 1 for length in x.shape[1:3])
        return self._buffer("padded", (len(x), rows, TILE, columns, TILE, x.shape[3]), x.dtype)

    def _transformed_tiles(self, x: np.ndarray) -> np.ndarray:
        """B^T d for all tiles of these images: a matrix (tiles, n_in) for each point of the plane."""
        padded = self._padded(x)
        padded[...] = 0
        _inside(padded, x.shape)[...] = x
        tiles = self._points("tiles", x, self.n_in)
        for quarter, squares in _quarters(tiles, padded):
            quarter[...] = squares
        return self._transform("transformed", self._B.T, tiles)


def _count(length: int) -> int:
    """Tiles side by side that cover an image."""
    return -(-length // TILE)


def _inside(padded: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The part of the squares where the images stand, behind a border of two."""
    n, rows, _, columns, _, channels = padded.shape
    whole = padded.reshape(n, rows * TILE, columns * TILE, channels)
    return whole[:, 2 : 2 + shape[1], 2 : 2 + shape[2]]


def _quarters(tiles: np.ndarray, padded: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Each quarter of all tiles, with the squares of the images that it is."""
    n, rows, _, columns, _, channels = padded.shape
    rows, columns = rows - 1, columns - 1
    split = tiles.reshape(2, TILE, 2, TILE, n, rows, columns, channels).transpose(0, 2, 4, 5, 1, 6, 3, 7)
    for down in (0, 1):
        for right in (0, 1):
            yield split[down, right], padded[:, down : down + rows, :, right : right + columns]


def _add_overlapping(tiles: np.ndarray, padded: np.ndarray, x: np.ndarray) -> None:
    """The transpose of cutting images into tiles: write to ``x`` the sum of what tiles say about each pixel."""
    padded[...] = 0
    for quarter, squares in _quarters(tiles, padded):
        squares += quarter
    x[...] = _inside(padded, x.shape)


def _join(outputs: np.ndarray, y: np.ndarray) -> None:
    """Write tiles of the output, (16, tiles, channels), to their places; what is outside of the image is left out."""
    n, height, width, channels = y.shape
    rows, columns = _count(height), _count(width)
    placed = outputs.reshape(TILE, TILE, n, rows, columns, channels).transpose(2, 3, 0, 4, 1, 5)
    if (rows * TILE, columns * TILE) == (height, width):
        y.reshape(placed.shape)[...] = placed
    else:
        y[...] = placed.reshape(n, rows * TILE, columns * TILE, channels)[:, :height, :width]


def _cut(dy: np.ndarray, d_outputs: np.ndarray) -> None:
    """The transpose of ``_join``."""
    n, height, width, channels = dy.shape
    rows, columns = _count(height), _count(width)
    if (rows * TILE, columns * TILE) != (height, width):
        beyond = ((0, 0), (0, rows * TILE - height), (0, columns * TILE - width), (0, 0))
        dy = np.pad(dy, beyond)
    squares = dy.reshape(n, rows, TILE, columns, TILE, channels)
    d_outputs.reshape(TILE, TILE, n, rows, columns, channels)[...] = squares.transpose(2, 4, 0, 1, 3, 5)
