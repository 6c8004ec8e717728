"""Convolution and pooling of images, channels last: (n, height, width, channels)."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np

from adamcore.models import _checks
from adamcore.models.layers import INITIALIZATIONS, Layer

BLOCK_BYTES = 1_500_000
"""Images are taken in blocks whose windows fill about this much, so that they stay in a processor's cache."""


class Conv2D(Layer):
    r"""Slide a window over an image; at each place, every output channel is one scalar product.

    .. math::

        y_{h, w, k} = \sum_{i, j, c} x_{h + i - r,\; w + j - r,\; c}\; W_{i, j, c, k},
        \qquad i, j = 0, \dots, 2r

    Outside of the image x is zero, so that y is as large as x ("same" padding). W is not flipped, as in all
    libraries: strictly, this is a cross-correlation. There is no bias; see :class:`Bias`.

    Three steps, each linear, compute it as large matrix products:

    1. *unfold* rows: beside each pixel, lay the 2r pixels above and below it;
    2. *multiply* by W, as a matrix with a row for each (i, c) and a column for each (j, k);
    3. *fold* columns: each pixel collects, for each j, the product that stands j - r places beside it.

    ``backward`` is the same, transposed, from the last step to the first. Where an image has few channels, as at
    a network's input, its columns are unfolded too, and nothing is left to fold.

    Parameters
    ----------
    n_in, n_out : int
        Channels of the input (n, height, width, n_in) and of the output (n, height, width, n_out).
    size : int, default 5
        Height and width of the window, 2r + 1; odd.
    initialization : {"he", "glorot"}
        See :func:`he_normal` and :func:`glorot_uniform`.

    Raises
    ------
    ValueError
        If a number is below 1, the size is even, the initialization is none of these, or an input has another shape.

    Examples
    --------
    >>> import numpy as np
    >>> from types import SimpleNamespace
    >>> from adamcore.models import Conv2D
    >>> image = np.arange(6.0).reshape(1, 2, 3, 1)
    >>> sums = Conv2D(1, 1, size=3).forward(image, SimpleNamespace(W=np.ones((3, 3, 1, 1))))
    >>> sums[0, :, :, 0]
    array([[ 8., 15., 12.],
           [ 8., 15., 12.]])
    """

    def __init__(self, n_in: int, n_out: int, size: int = 5, initialization: str = "he") -> None:
        super().__init__()
        self.n_in, self.n_out = _checks.size("n_in", n_in), _checks.size("n_out", n_out)
        self.size, self.initialization = _checks.size("size", size), _checks.initialization(initialization)
        if self.size % 2 == 0:
            raise ValueError(f"size = {size} is not allowed; a window with a pixel in its middle has an odd size.")
        self.shapes = {"W": (self.size, self.size, self.n_in, self.n_out)}
        self._reach = range(-(self.size // 2), self.size // 2 + 1)
        # What is copied for a pixel: its column of the input, and as many outputs; or its whole window.
        self._whole_windows = self.size * self.n_in <= self.n_out

    def __repr__(self) -> str:
        return f"Conv2D({self.n_in}, {self.n_out}, size={self.size})"

    def init(self, w: SimpleNamespace, rng: np.random.Generator) -> None:
        """Draw W; its fan-in is a window."""
        w.W[...] = INITIALIZATIONS[self.initialization](rng, self.shapes["W"])

    def forward(
        self, x: np.ndarray, w: SimpleNamespace | None = None, rng: np.random.Generator | None = None
    ) -> np.ndarray:
        """Return the convolution of each image with W."""
        if x.ndim != 4 or x.shape[3] != self.n_in:
            raise ValueError(f"x has shape {x.shape}; {self!r} needs (n, height, width, {self.n_in}).")
        self._x = x = np.ascontiguousarray(x)
        y = self._buffer("y", (*x.shape[:3], self.n_out), x.dtype)
        matrix = self._matrix(w.W)
        for block in self._blocks(x):
            windows = self._unfold_input(x[block])
            if self._whole_windows:
                np.matmul(windows, matrix, out=y[block].reshape(-1, self.n_out))
            else:
                products = self._products(x[block])
                np.matmul(windows, matrix, out=products.reshape(len(windows), -1))
                fold(products, 2, self._reach[::-1], y[block])
        return y

    def backward(
        self,
        dy: np.ndarray,
        w: SimpleNamespace | None = None,
        d: SimpleNamespace | None = None,
        input_gradient: bool = True,
    ) -> np.ndarray | None:
        """Return the gradient with respect to the images; write that with respect to W."""
        x, dy = self._x, np.ascontiguousarray(dy)
        matrix = self._matrix(w.W)
        d_matrix = self._like("d_matrix", matrix)
        d_matrix[...] = 0
        of_block = self._like("d_matrix of a block", matrix)
        dx = self._like("dx", x) if input_gradient else None
        for block in self._blocks(x):
            windows = self._unfold_input(x[block])
            d_products = self._unfold_output(dy[block])
            d_matrix += np.matmul(windows.T, d_products, out=of_block)
            if input_gradient:
                d_windows = np.matmul(d_products, matrix.T, out=self._like("d_windows", windows))
                self._fold_input(d_windows, dx[block])
        d.W[...] = self._from_matrix(d_matrix)
        return dx

    def _blocks(self, x: np.ndarray) -> Iterator[slice]:
        """Slices of the minibatch."""
        widest = self.size * (self.size * self.n_in if self._whole_windows else max(self.n_in, self.n_out))
        images = max(1, BLOCK_BYTES // (x[0, :, :, 0].size * widest * x.itemsize))
        return (slice(start, start + images) for start in range(0, len(x), images))

    def _matrix(self, W: np.ndarray) -> np.ndarray:
        """W as the matrix of the product."""
        if self._whole_windows:
            return W.reshape(-1, self.n_out)
        return W.transpose(0, 2, 1, 3).reshape(self.size * self.n_in, self.size * self.n_out)

    def _from_matrix(self, matrix: np.ndarray) -> np.ndarray:
        """The same, back."""
        if self._whole_windows:
            return matrix.reshape(self.shapes["W"])
        return matrix.reshape(self.size, self.n_in, self.size, self.n_out).transpose(0, 2, 1, 3)

    def _unfold_input(self, x: np.ndarray) -> np.ndarray:
        """Each pixel's window, or its column of one, in a row of a matrix."""
        if self._whole_windows:
            rows = self._buffer("rows", (*x.shape[:3], self.size, self.n_in), x.dtype)
            x = unfold(x, 2, self._reach, rows).reshape(*x.shape[:3], -1)
        windows = self._buffer("windows", (*x.shape[:3], self.size, x.shape[3]), x.dtype)
        return unfold(x, 1, self._reach, windows).reshape(-1, self.size * x.shape[3])

    def _fold_input(self, d_windows: np.ndarray, dx: np.ndarray) -> None:
        """The transpose of ``_unfold_input``: write what all windows say about a pixel, added."""
        if not self._whole_windows:
            fold(d_windows.reshape(*dx.shape[:3], self.size, self.n_in), 1, self._reach, dx)
            return
        d_rows = self._buffer("d_rows", (*dx.shape[:3], self.size * self.n_in), dx.dtype)
        fold(d_windows.reshape(*dx.shape[:3], self.size, -1), 1, self._reach, d_rows)
        fold(d_rows.reshape(*dx.shape[:3], self.size, self.n_in), 2, self._reach, dx)

    def _products(self, x: np.ndarray) -> np.ndarray:
        """Room for the product: at each pixel, the output channels for each column of the window."""
        return self._buffer("products", (*x.shape[:3], self.size, self.n_out), x.dtype)

    def _unfold_output(self, dy: np.ndarray) -> np.ndarray:
        """The transpose of the last step: the gradient with respect to the product."""
        if self._whole_windows:
            return dy.reshape(-1, self.n_out)
        return unfold(dy, 2, self._reach[::-1], self._products(dy)).reshape(-1, self.size * self.n_out)


def unfold(x: np.ndarray, axis: int, distances: range, out: np.ndarray) -> np.ndarray:
    r"""Beside each pixel, lay the pixels at these distances along an axis; outside of the image is zero.

    .. math:: u_{p, t} = x_{p + \delta_t}

    Parameters
    ----------
    x : numpy.ndarray
        Images (n, height, width, channels), contiguous.
    axis : {1, 2}
        Along the height, or along the width.
    distances : sequence of int
        The delta.
    out : numpy.ndarray
        (n, height, width, len(distances), channels), contiguous, where u is written.

    Returns
    -------
    numpy.ndarray
        ``out``.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore.models.convolution import unfold
    >>> x = np.array([1.0, 2.0, 3.0]).reshape(1, 3, 1, 1)
    >>> unfold(x, 1, range(-1, 2), np.empty((1, 3, 1, 3, 1))).reshape(3, 3)
    array([[0., 1., 2.],
           [1., 2., 3.],
           [2., 3., 0.]])
    """
    # numpy copies a pixel much faster as one item than as so many numbers.
    pixel = f"V{x.shape[3] * x.itemsize}"
    x, copies = (np.moveaxis(array.view(pixel)[..., 0], axis, 0) for array in (x, out))
    for t, distance in enumerate(distances):
        here, there = _overlap(len(x), distance)
        copies[here, ..., t] = x[there]
        copies[: here.start, ..., t] = copies[here.stop :, ..., t] = np.zeros((), pixel)
    return out


def fold(u: np.ndarray, axis: int, distances: range, out: np.ndarray) -> np.ndarray:
    r"""Add each entry to the pixel that :func:`unfold` would have copied it from: the transpose of unfold.

    .. math:: x_p = \sum_t u_{p - \delta_t, t}

    Parameters
    ----------
    u : numpy.ndarray
        (n, height, width, len(distances), channels).
    axis : {1, 2}
        Along the height, or along the width.
    distances : sequence of int
        The delta, 0 among them.
    out : numpy.ndarray
        (n, height, width, channels), where x is written.

    Returns
    -------
    numpy.ndarray
        ``out``.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore.models.convolution import fold
    >>> fold(np.ones((1, 3, 1, 3, 1)), 1, range(-1, 2), np.empty((1, 3, 1, 1))).ravel()
    array([2., 3., 2.])
    """
    u, x = np.moveaxis(u, axis, 0), np.moveaxis(out, axis, 0)
    x[...] = u[..., distances.index(0), :]
    for t, distance in enumerate(distances):
        if distance:
            here, there = _overlap(len(x), distance)
            x[there] += u[here, ..., t, :]
    return out


def _overlap(length: int, distance: int) -> tuple[slice, slice]:
    """The places p, and p + distance, for which both are within the image."""
    first, stop = max(0, -distance), max(0, length - max(0, distance))
    first = min(first, stop)
    return slice(first, stop), slice(first + distance, stop + distance) if stop > first else slice(0, 0)


class MaxPool2D(Layer):
    r"""Halve an image: at every second pixel, the largest of a window of three by three.

    .. math:: y_{h, w, c} = \max_{0 \le i, j \le 2} x_{2h + i,\; 2w + j,\; c}

    A window begins at every even pixel but a last one without a neighbor, and is cut off where the image ends: 32
    pixels become 16, 8, 4 (windows 0 to 2, 2 to 4, ..., and 30 to 31), and 5 become 2 (0 to 2, and 2 to 4).
    Section 6.3 of arXiv:1412.6980 has "3x3 max pooling with stride of 2" and says no more about it.

    The gradient goes to the pixel that was the largest. Of several that are equal, it goes to the leftmost, and
    within a column to the uppermost: the maximum is taken over each column's three pixels first, then over three
    columns.

    Raises
    ------
    ValueError
        If an image is smaller than 2 by 2.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore.models import MaxPool2D
    >>> image = np.array([[1.0, 9, 2, 3], [4, 5, 6, 7], [0, 0, 8, 0], [0, 0, 0, 0]]).reshape(1, 4, 4, 1)
    >>> layer = MaxPool2D()
    >>> layer.forward(image)[0, :, :, 0]
    array([[9., 8.],
           [8., 8.]])
    >>> layer.backward(np.ones((1, 2, 2, 1)))[0, :, :, 0]
    array([[0., 1., 0., 0.],
           [0., 0., 0., 0.],
           [0., 0., 3., 0.],
           [0., 0., 0., 0.]])
    """

    def __repr__(self) -> str:
        return "MaxPool2D()"

    def forward(
        self, x: np.ndarray, w: SimpleNamespace | None = None, rng: np.random.Generator | None = None
    ) -> np.ndarray:
        """Return the maxima, (n, height // 2, width // 2, channels)."""
        if x.ndim != 4 or min(x.shape[1:3]) < 2:
            raise ValueError(f"x has shape {x.shape}; MaxPool2D needs (n, height, width, channels), 2 by 2 or more.")
        self._x_shape = n, height, width, channels = x.shape
        y = self._buffer("y", (n, height // 2, width // 2, channels), x.dtype)
        tall = (n, height // 2, width, channels)
        self._choices = [
            [self._buffer(f"{axis} {which}", shape, bool) for which in ("second", "third")]
            for axis, shape in (("rows", tall), ("columns", y.shape))
        ]
        for block in self._blocks(x):
            columns = self._buffer("columns", (len(x[block]), *tall[1:]), x.dtype)
            _maxima(x[block], 1, columns, *(choice[block] for choice in self._choices[0]))
            _maxima(columns, 2, y[block], *(choice[block] for choice in self._choices[1]))
        return y

    def backward(
        self,
        dy: np.ndarray,
        w: SimpleNamespace | None = None,
        d: SimpleNamespace | None = None,
        input_gradient: bool = True,
    ) -> np.ndarray:
        """Return dy where the maxima were, and 0 elsewhere."""
        _, height, width, channels = self._x_shape
        dx = self._buffer("dx", self._x_shape, dy.dtype)
        for block in self._blocks(dx):
            dy_block = dy[block]
            d_columns = self._buffer("columns", (len(dy_block), height // 2, width, channels), dy.dtype)
            scratch = self._buffer("scratch", (2, d_columns.size), dy.dtype)
            _to_maxima(dy_block, 2, d_columns, *(choice[block] for choice in self._choices[1]), scratch)
            _to_maxima(d_columns, 1, dx[block], *(choice[block] for choice in self._choices[0]), scratch)
        return dx

    def _blocks(self, x: np.ndarray) -> Iterator[slice]:
        """Slices of the minibatch."""
        images = max(1, BLOCK_BYTES // x[0].nbytes)
        return (slice(start, start + images) for start in range(0, len(x), images))


def _thirds(x: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Along an axis, first, second and third pixel of each window; the third may lack the last window's."""
    half = x.shape[axis] // 2
    before = (slice(None),) * axis
    return tuple(x[(*before, slice(start, 2 * half + (start == 2), 2))] for start in (0, 1, 2))


def _maxima(x: np.ndarray, axis: int, y: np.ndarray, second: np.ndarray, third: np.ndarray) -> None:
    """Write to ``y`` the maxima of windows along one axis, and to the masks which pixel was the largest."""
    a, b, c = _thirds(x, axis)
    np.greater(b, a, out=second)
    np.maximum(a, b, out=y)
    whole = (slice(None),) * axis + (slice(c.shape[axis]),)
    third[(slice(None),) * axis + (slice(c.shape[axis], None),)] = False
    np.greater(c, y[whole], out=third[whole])
    np.maximum(y[whole], c, out=y[whole])


def _to_maxima(
    dy: np.ndarray, axis: int, dx: np.ndarray, second: np.ndarray, third: np.ndarray, scratch: np.ndarray
) -> None:
    """Write to ``dx`` each window's ``dy`` at its largest pixel; neighboring windows share a pixel."""
    a, b, c = _thirds(dx, axis)
    to_third, to_second = (flat[: dy.size].reshape(dy.shape) for flat in scratch)
    whole = (slice(None),) * axis + (slice(c.shape[axis]),)
    if dx.shape[axis] % 2:  # the last pixel is nobody's first
        dx[(slice(None),) * axis + (slice(-1, None),)] = 0
    # A mask decides who gets dy, and a difference, which is exact, gives the other what is left: dy or 0.
    np.multiply(dy, third, out=to_third)
    not_third = np.subtract(dy, to_third, out=a)
    np.multiply(not_third, second, out=to_second)
    np.subtract(not_third, to_second, out=a)
    b[...] = to_second
    c += to_third[whole]
