"""What the paper does to its inputs: scaling, dropout on a bag of words, whitening."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from adamcore.data.batches import check_generator
from adamcore.data.dataset import DataError, read_only

if TYPE_CHECKING:
    from numpy.typing import DTypeLike
    from scipy.sparse import csr_array

BLOCK = 1000
"""Images that are worked on at a time, to save memory."""


def scale_pixels(x: np.ndarray, dtype: DTypeLike = np.float32) -> np.ndarray:
    """Bring bytes to the range from 0 to 1.

    Parameters
    ----------
    x : numpy.ndarray
        uint8, any shape.
    dtype : dtype, default numpy.float32

    Returns
    -------
    numpy.ndarray
        x / 255, of the shape of x.

    Raises
    ------
    TypeError
        If x is not uint8: it may be scaled already.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore.data import scale_pixels
    >>> scale_pixels(np.array([0, 51, 255], np.uint8))
    array([0. , 0.2, 1. ], dtype=float32)
    """
    if x.dtype != np.uint8:
        raise TypeError(f"scale_pixels: x is {x.dtype}, expected uint8. Is it scaled already?")
    return np.divide(x, 255, dtype=dtype)


def drop_words(x: csr_array, rng: np.random.Generator, rate: float = 0.5, dtype: DTypeLike = np.float32) -> csr_array:
    """Dropout on bags of words: leave out each word of each row with the same probability.

    The counts that stay are divided by 1 - rate, so that the expected row is the one given (section 6.1 of the paper
    applies 50 % dropout noise to the IMDB reviews). A word is left out with all its occurrences in a row. The matrix
    never becomes dense: the time is that of drawing one number a stored count.

    Parameters
    ----------
    x : scipy.sparse.csr_array
        Any rows, of any real dtype; not changed.
    rng : numpy.random.Generator
        Decides which words are left out; called once.
    rate : float, default 0.5
        Probability of leaving a word out, 0 <= rate < 1.
    dtype : dtype, default numpy.float32

    Returns
    -------
    scipy.sparse.csr_array
        The shape of x, with fewer stored entries.

    Raises
    ------
    ValueError
        If ``rate`` is out of range.
    TypeError
        If x is not sparse, or ``rng`` is no generator: a seed would leave out the same words every time.
    DataError
        If x holds a NaN or an infinity.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore.data import drop_words, load_imdb
    >>> x = load_imdb().x_train[:100]
    >>> noisy = drop_words(x, np.random.default_rng(0))
    >>> bool(0.45 < noisy.nnz / x.nnz < 0.55), noisy.dtype
    (True, dtype('float32'))
    """
    if not hasattr(x, "indptr"):
        raise TypeError(f"drop_words: x is a {type(x).__name__}, expected a scipy.sparse.csr_array: csr_array(x).")
    check_generator("drop_words", rng)
    if not 0 <= rate < 1:
        raise ValueError(f"drop_words: rate = {rate!r} is not allowed; it must be at least 0 and below 1.")
    _check_finite(x.data, "drop_words: x")
    kept = rng.random(x.nnz, dtype=np.float32) >= rate
    before = np.concatenate([[0], np.cumsum(kept)]).astype(x.indptr.dtype)
    data = x.data[kept].astype(dtype)
    data /= np.asarray(1 - rate, dtype)
    return type(x)((data, x.indices[kept], before[x.indptr]), shape=x.shape)


def normalize_contrast(x: np.ndarray, floor: float = 1e-3) -> np.ndarray:
    """Give each image mean 0 and standard deviation 1 over its own pixels and colors (global contrast normalization).

    Parameters
    ----------
    x : numpy.ndarray
        Images, one along the first axis; uint8, or floats. Bytes are scaled to the range from 0 to 1 first.
    floor : float, default 1e-3
        A smaller standard deviation is replaced by this, > 0: an image of one color stays zero.

    Returns
    -------
    numpy.ndarray
        float32, of the shape of x.

    Raises
    ------
    ValueError
        If ``floor`` is not above 0.
    DataError
        If x holds a NaN or an infinity.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore.data import normalize_contrast
    >>> normalize_contrast(np.array([[1.0, 3.0], [5.0, 5.0]]))
    array([[-1.,  1.],
           [ 0.,  0.]], dtype=float32)
    """
    if not floor > 0:
        raise ValueError(f"normalize_contrast: floor = {floor!r} is not allowed; it must be above 0.")
    flat = _rows(x, "normalize_contrast: x")
    flat -= flat.mean(axis=1, keepdims=True)
    flat /= np.maximum(flat.std(axis=1, keepdims=True), np.float32(floor))
    return flat.reshape(x.shape)


@dataclass(frozen=True, repr=False, eq=False)
class Whitening:
    r"""ZCA whitening of images, after global contrast normalization.

    With the training set's mean :math:`\mu` and covariance :math:`C = U\, \mathrm{diag}(s)\, U^T`, an image x becomes
    :math:`W (x - \mu)`, where :math:`W = U\, \mathrm{diag}(1 / \sqrt{s + \epsilon})\, U^T`. The covariance becomes
    :math:`U\, \mathrm{diag}(s / (s + \epsilon))\, U^T`: the identity but for directions in which the images hardly
    vary, and which would be nothing but amplified noise. Of all matrices that whiten, this one changes the images
    least.

    Attributes
    ----------
    mean : numpy.ndarray
        float32, (d,).
    matrix : numpy.ndarray
        float32, (d, d), symmetric: W.
    contrast : bool
        Whether each image's contrast is normalized first.
    epsilon : float

    Examples
    --------
    Learned from training images, used on others; here of two pixels that are much alike:

    >>> import numpy as np
    >>> from adamcore.data import Whitening
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(2000, 1)) + 0.3 * rng.normal(size=(2000, 2))
    >>> x_train, x_test = x[:1000], x[1000:]
    >>> whitening = Whitening.fit(x_train, epsilon=0, contrast=False)
    >>> whitening
    Whitening(2 pixels and colors, contrast=False, epsilon=0)
    >>> white = whitening.transform(x_test)
    >>> bool(np.corrcoef(x_test.T)[0, 1] > 0.9), bool(abs(np.corrcoef(white.T)[0, 1]) < 0.1)
    (True, True)
    """

    mean: np.ndarray
    matrix: np.ndarray
    contrast: bool
    epsilon: float

    def __repr__(self) -> str:
        return f"Whitening({len(self.mean)} pixels and colors, contrast={self.contrast}, epsilon={self.epsilon:g})"

    @classmethod
    def fit(cls, x: np.ndarray, epsilon: float = 0.1, contrast: bool = True) -> Whitening:
        """Learn the mean and the matrix from a training set. Never show it the test set.

        Parameters
        ----------
        x : numpy.ndarray
            Images, (n, ...), uint8 or floats, n >= 2.
        epsilon : float, default 0.1
            Added to each eigenvalue, >= 0. With normalized contrast, 0.1 is what pylearn2 used for CIFAR-10. The
            smaller, the closer to the identity is the covariance, and the more noise is amplified.
        contrast : bool, default True
            Whether to normalize each image's contrast first.

        Returns
        -------
        Whitening
            For CIFAR-10 this takes a while, most of it for the eigenvalues of a 3072 x 3072 matrix.

        Raises
        ------
        ValueError
            If there are fewer than two images, or ``epsilon`` is negative.
        DataError
            If x holds a NaN or an infinity; or with ``epsilon`` 0, if the images hardly vary in some direction.

        Examples
        --------
        >>> import numpy as np
        >>> from adamcore.data import Whitening
        >>> rng = np.random.default_rng(0)
        >>> x = rng.normal(size=(1000, 3)) @ rng.normal(size=(3, 3))  # correlated
        >>> white = Whitening.fit(x, epsilon=0, contrast=False).transform(x)
        >>> bool(np.allclose(np.cov(white.T, bias=True), np.eye(3), atol=1e-4))
        True
        """
        if len(x) < 2:
            raise ValueError(f"Whitening.fit: x has {len(x)} images; two or more are needed.")
        if not epsilon >= 0:
            raise ValueError(f"Whitening.fit: epsilon = {epsilon!r} is not allowed; it must be 0 or more.")
        mean, covariance = _moments(x, contrast)
        values, vectors = np.linalg.eigh(covariance)
        if epsilon == 0 and values.min() <= values.max() * 1e-6:  # nothing but rounding, in float32
            raise DataError("Whitening.fit: x hardly varies in some direction; choose an epsilon above 0.")
        raised = np.maximum(values, 0) + epsilon  # rounding makes eigenvalues slightly negative
        matrix = (vectors / np.sqrt(raised)) @ vectors.T
        return cls(read_only(mean.astype(np.float32)), read_only(matrix.astype(np.float32)), contrast, epsilon)

    def transform(self, x: np.ndarray) -> np.ndarray:
        """Whiten images.

        Parameters
        ----------
        x : numpy.ndarray
            Images, (n, ...), with as many pixels and colors as those of the training set.

        Returns
        -------
        numpy.ndarray
            float32, of the shape of x.

        Raises
        ------
        ValueError
            If the images are of another size.
        DataError
            If x holds a NaN or an infinity.
        """
        if x[:1].size != len(self.mean) * len(x[:1]):
            raise ValueError(
                f"Whitening.transform: images are {x.shape[1:]}, expected {len(self.mean)} numbers each."
            )
        output = np.empty(x.shape, np.float32)
        flat = output.reshape(len(x), len(self.mean))
        for start in range(0, len(x), BLOCK):
            block = _prepared(x[start : start + BLOCK], self.contrast)
            np.matmul(block - self.mean, self.matrix, out=flat[start : start + BLOCK])
        return output


def _moments(x: np.ndarray, contrast: bool) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance, float64: products in float32, as fast, are summed in float64, as exact."""
    blocks = [slice(start, start + BLOCK) for start in range(0, len(x), BLOCK)]
    mean = sum(_prepared(x[block], contrast).sum(axis=0, dtype=np.float64) for block in blocks) / len(x)
    covariance = np.zeros((len(mean), len(mean)))
    for block in blocks:
        centered = _prepared(x[block], contrast) - mean.astype(np.float32)
        covariance += centered.T @ centered
    return mean, covariance / len(x)


def _prepared(x: np.ndarray, contrast: bool) -> np.ndarray:
    """Images as float32 rows, scaled if they are bytes."""
    if contrast:
        return normalize_contrast(x).reshape(len(x), -1)
    return _rows(x, "Whitening: x")


def _rows(x: np.ndarray, name: str) -> np.ndarray:
    """A copy as float32 rows, one an image, scaled if they are bytes, checked."""
    rows = scale_pixels(x) if x.dtype == np.uint8 else x.astype(np.float32)
    _check_finite(rows, name)
    return rows.reshape(len(x), math.prod(x.shape[1:]))


def _check_finite(x: np.ndarray, name: str) -> None:
    """Raise if there is a NaN or an infinity."""
    if x.dtype.kind == "f" and not np.isfinite(x).all():
        raise DataError(
            f"{name} holds a NaN or an infinity, the first as number {int(np.argmin(np.isfinite(x).ravel()))}; "
            "leave such examples out."
        )
