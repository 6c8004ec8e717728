"""MNIST: 70,000 images of handwritten digits, all embedded in the package."""

from __future__ import annotations

import numpy as np

from adamcore.data.archives import decompress
from adamcore.data.dataset import DataError, Dataset, check_digest, digest_of
from adamcore.data.idx import parse_idx
from adamcore.data.packaged import ADVICE, read_packaged

DIGESTS = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
"""SHA-256 of the official files, decompressed."""


def load_mnist() -> Dataset:
    """Load MNIST; no network is needed.

    Returns
    -------
    Dataset
        ``x_train`` (60000, 28, 28) and ``x_test`` (10000, 28, 28), uint8, 0 for background and 255 for ink;
        ``y_train`` and ``y_test``, uint8, the digits.

    Raises
    ------
    DataError
        If an embedded file is missing or damaged.

    Examples
    --------
    >>> from adamcore import load_mnist
    >>> mnist = load_mnist()
    >>> mnist
    Dataset(MNIST: 60,000 training and 10,000 test examples, 10 classes)
    >>> mnist.y_train[:5]
    array([5, 0, 4, 1, 9], dtype=uint8)
    """
    x_train, y_train, x_test, y_test = (read(name) for name in DIGESTS)
    if len(x_train) != len(y_train) or len(x_test) != len(y_test):
        raise DataError("MNIST: the numbers of images and of labels differ.")
    return Dataset(
        name="MNIST",
        x_train=x_train,
        y_train=y_train,
        x_test=x_test,
        y_test=y_test,
        class_names=tuple("0123456789"),
        source="Y. LeCun, C. Cortes, C. J. C. Burges: the MNIST database of handwritten digits, the official files",
        license="Creative Commons Attribution-ShareAlike 3.0; see adamcore/data/LICENSES.md",
        citation="Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: Gradient-based learning applied to document "
        "recognition. Proceedings of the IEEE 86(11):2278-2324, 1998.",
        digest=digest_of(x_train, y_train, x_test, y_test),
    )


def read(name: str) -> np.ndarray:
    """One embedded file as an array, its content checked: gzip's own bytes are not the official ones, these are."""
    where = f"MNIST: the embedded file {name}.gz"
    content = decompress(read_packaged("mnist", f"{name}.gz"), where, ADVICE)
    check_digest(content, DIGESTS[name], where, ADVICE)
    return parse_idx(content, name)
