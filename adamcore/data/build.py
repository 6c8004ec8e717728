"""Making the embedded files from the full sets; `python -m adamcore data build` runs it."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np

from adamcore.data.archives import GZIP_MAGIC, decompress
from adamcore.data.cifar10 import read_full, to_mosaic
from adamcore.data.dataset import DataError
from adamcore.data.idx import parse_idx
from adamcore.data.imdb import WORDS, pack_counts
from adamcore.data.mnist import DIGESTS
from adamcore.data.text import count_words, most_frequent_words

SEED = 20141222
"""Of the generator that chooses the embedded images of CIFAR-10."""

PER_CLASS = {"train": 500, "test": 100}
"""Embedded images of CIFAR-10 a class."""

IMDB_TABLE = "imdb_train.csv"
IMDB_TABLE_DIGEST = "0ee7df69245ca053db679b6c092801cc46d87ba4406798c9c7e09f3f292c6fa7"
"""The table that the embedded counts were made from, and its SHA-256."""

Files = dict[str, bytes]
"""Contents of embedded files by name."""


def build_mnist(folder: Path) -> Files:
    """MNIST's embedded files: the four official ones, gzipped without a date.

    Parameters
    ----------
    folder : pathlib.Path
        Holds the official IDX files, gzipped or not, or a folder ``mnist`` that does.

    Returns
    -------
    Files

    Raises
    ------
    DataError
        If a file is missing or not the official one.
    """
    files = {}
    for name, digest in DIGESTS.items():
        content = _first_of(folder, f"{name}.gz", f"mnist/{name}.gz", name, f"mnist/{name}").read_bytes()
        if content.startswith(GZIP_MAGIC):
            content = decompress(content, f"{folder}: {name}.gz", "Get it again.")
        parse_idx(content, name)
        if hashlib.sha256(content).hexdigest() != digest:
            raise DataError(f"{folder}: {name} is not the official file; its SHA-256 should be {digest[:16]}....")
        files[f"{name}.gz"] = gzip.compress(content, 9, mtime=0)
    return files


def build_imdb(folder: Path) -> Files:
    """IMDB's embedded file: the vocabulary, and the counts of its words.

    Parameters
    ----------
    folder : pathlib.Path
        Holds ``imdb_train.csv``, or a folder ``imdb`` that does: a table of the 25,000 labelled training reviews,
        UTF-8, with the columns ``text`` and ``label``, 1 for positive.

    Returns
    -------
    Files

    Raises
    ------
    DataError
        If the table is missing or another one than was used.
    """
    path = _first_of(folder, IMDB_TABLE, f"imdb/{IMDB_TABLE}")
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != IMDB_TABLE_DIGEST:
        raise DataError(f"{path} is another table than was used; its SHA-256 should be {IMDB_TABLE_DIGEST[:16]}....")
    texts, labels = read_table(content.decode("utf-8"), str(path))
    return pack_reviews(texts, labels, WORDS)


def read_table(content: str, name: str = "the table") -> tuple[list[str], np.ndarray]:
    """Texts and labels of a table in CSV with the columns ``text`` and ``label``."""
    usual = csv.field_size_limit(10**7)  # the library's own limit is 131,072 characters a field
    try:
        rows = list(csv.DictReader(io.StringIO(content, newline="")))
    finally:
        csv.field_size_limit(usual)  # it holds for the whole process
    if not rows or {"text", "label"} - set(rows[0]):
        raise DataError(f"{name}: expected a table with the columns text and label.")
    for row, entry in enumerate(rows):
        if entry["label"] not in ("0", "1"):
            raise DataError(f"{name}: row {row} has the label {entry['label']!r}, expected 0 or 1.")
    return [entry["text"] for entry in rows], np.array([int(entry["label"]) for entry in rows], np.uint8)


def pack_reviews(texts: list[str], labels: np.ndarray, words: int) -> Files:
    """IMDB's embedded file from texts and labels."""
    vocabulary = most_frequent_words(texts, words)
    packed = pack_counts(count_words(texts, vocabulary))
    encoded = np.frombuffer("\n".join(vocabulary).encode(), np.uint8)
    return {"imdb.npz": _npz(labels=labels, vocabulary=encoded, **packed)}


def build_cifar10(folder: Path) -> Files:
    """CIFAR-10's embedded files: mosaics of the chosen images, their labels and where they stand in the full set.

    Parameters
    ----------
    folder : pathlib.Path
        Holds ``cifar-10-binary.tar.gz`` or ``cifar-10-batches-bin``, or is the latter.

    Returns
    -------
    Files

    Raises
    ------
    DataError
        If the full set is not there, or another one.
    """
    path = _first_of(folder, "cifar-10-binary.tar.gz", "cifar-10-batches-bin", "data_batch_1.bin")
    x_train, y_train, x_test, y_test = read_full(folder if path.suffix == ".bin" else path)
    rng = np.random.default_rng(SEED)
    train, test = (choose(y, n, rng) for y, n in ((y_train, PER_CLASS["train"]), (y_test, PER_CLASS["test"])))
    return {
        "cifar10_labels.npz": _npz(
            y_train=y_train[train],
            y_test=y_test[test],
            rows_train=train.astype(np.uint16),
            rows_test=test.astype(np.uint16),
        ),
        "cifar10_train.webp": to_mosaic(x_train[train]),
        "cifar10_test.webp": to_mosaic(x_test[test]),
    }


def choose(y: np.ndarray, per_class: int, rng: np.random.Generator) -> np.ndarray:
    """Rows of the same number of examples of each class, class by class at random, then sorted.

    Parameters
    ----------
    y : numpy.ndarray
        Labels.
    per_class : int
    rng : numpy.random.Generator

    Returns
    -------
    numpy.ndarray
        int64, increasing.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore.data.build import choose
    >>> y = np.array([0, 1, 1, 0, 1, 0])
    >>> y[choose(y, 2, np.random.default_rng(0))].sum()
    np.int64(2)
    """
    rows = [rng.choice(np.flatnonzero(y == label), per_class, replace=False) for label in np.unique(y)]
    return np.sort(np.concatenate(rows))


def _npz(**arrays: np.ndarray) -> bytes:
    """Arrays as a compressed .npz, whose members numpy gives a fixed date."""
    output = io.BytesIO()
    np.savez_compressed(output, **arrays)
    return output.getvalue()


def _first_of(folder: Path, *names: str) -> Path:
    """The first of these that the folder holds."""
    for name in names:
        if (folder / name).exists():
            return folder / name
    raise DataError(f"{folder} holds none of {', '.join(names)}. Say with --from where the full set is.")


BUILDERS: dict[str, Callable[[Path], Files]] = {"mnist": build_mnist, "imdb": build_imdb, "cifar10": build_cifar10}
"""By name of the data set."""
