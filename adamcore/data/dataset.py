"""What every loader returns, and how it checks what it reads."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csr_array

AnyArray = TypeVar("AnyArray")


class DataError(ValueError):
    """A file of a data set that is missing, damaged or another than it should be.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from adamcore.data import DataError, compare_imdb
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "aclImdb_v1.tar.gz"
    ...     _ = path.write_bytes(b"half a download")
    ...     try:
    ...         compare_imdb(path)
    ...     except DataError as error:
    ...         print(path.name + str(error).removeprefix(str(path)).partition(" (")[0])
    aclImdb_v1.tar.gz is damaged or truncated, or not a tar archive, gzipped or plain
    """


@dataclass(frozen=True, repr=False, eq=False)
class Dataset:
    """A data set in memory. Its arrays are read-only: copy what you want to change.

    Attributes
    ----------
    name : str
    x_train, x_test : numpy.ndarray or scipy.sparse.csr_array
        The examples, one a row; dtype and shape are said by the loader. Texts are an array of ``str``,
        dtype ``object``.
    y_train, y_test : numpy.ndarray
        Their labels, uint8, indices into ``class_names``.
    class_names : tuple of str
    source : str
        Where the data come from.
    license : str
        Under what terms they may be used.
    citation : str
        What to cite.
    digest : str
        SHA-256 of the four arrays' bytes, in the order above, train before test, x before y. Of a sparse matrix:
        its data, indices and indptr. Of texts: the length in bytes as eight little-endian bytes, then UTF-8.
    splits : tuple of str
        Those of ``"train"`` and ``"test"`` that hold examples; the others have the right shape and no rows.
    feature_names : tuple of str
        What the columns of x stand for: the words of a bag of words. Empty where it says nothing.

    Examples
    --------
    >>> from adamcore.data import load_mnist
    >>> mnist = load_mnist()
    >>> mnist.name, mnist.splits, mnist.class_names[mnist.y_train[0]]
    ('MNIST', ('train', 'test'), '5')
    >>> mnist.x_train[0, 0, 0] = 1
    Traceback (most recent call last):
        ...
    ValueError: assignment destination is read-only
    """

    name: str
    x_train: np.ndarray | csr_array
    y_train: np.ndarray
    x_test: np.ndarray | csr_array
    y_test: np.ndarray
    class_names: tuple[str, ...]
    source: str
    license: str
    citation: str
    digest: str
    splits: tuple[str, ...] = ("train", "test")
    feature_names: tuple[str, ...] = ()

    def __repr__(self) -> str:
        train, test = len(self.y_train), len(self.y_test)
        return f"Dataset({self.name}: {train:,} training and {test:,} test examples, {len(self.class_names)} classes)"


def check_digest(content: bytes, expected: str, name: str, advice: str) -> None:
    """Raise unless the SHA-256 of the content is the expected one."""
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise DataError(
            f"{name} is damaged: its content has SHA-256 {found[:16]}..., expected {expected[:16]}.... {advice}"
        )


def digest_of(*arrays: Any) -> str:
    """SHA-256 of what the arrays hold, as told in `Dataset`."""
    digest = hashlib.sha256()
    for array in arrays:
        for part in _parts(array):
            digest.update(part)
    return digest.hexdigest()


def _parts(array: Any):
    """The bytes that a digest of the array is made of."""
    if hasattr(array, "indptr"):
        yield from (np.ascontiguousarray(part) for part in (array.data, array.indices, array.indptr))
    elif array.dtype == object:
        for text in array:
            encoded = text.encode()
            yield len(encoded).to_bytes(8, "little") + encoded
    else:
        yield np.ascontiguousarray(array)


def read_only(array: AnyArray) -> AnyArray:
    """The same array, dense or sparse, with its memory protected against writing."""
    for part in (array.data, array.indices, array.indptr) if hasattr(array, "indptr") else (array,):
        part.flags.writeable = False
    return array
