"""IMDB: 50,000 movie reviews, good or bad; the word counts of one half embedded in the package."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from adamcore.data.archives import read_files, read_members
from adamcore.data.dataset import DataError, Dataset, digest_of, read_only
from adamcore.data.packaged import read_checked
from adamcore.data.sources import ARCHIVES, advised, find_or_fetch
from adamcore.data.text import count_words

if TYPE_CHECKING:
    from scipy.sparse import csr_array

CLASSES = ("negative", "positive")
FOLDERS = ("neg", "pos")
SPLITS = ("train", "test")
WORDS = 10_000

PER_CLASS = 12_500
"""Reviews of a class in a split."""

MEMBER = re.compile(r"(?:^|/)(train|test)/(neg|pos)/(\d+)_(\d+)\.txt\Z")
"""A labelled review: its split, its class, its number and its stars. Those of train/unsup have no label."""

MAX_REVIEW = 1_000_000
MAX_UNPACKED = 1_000_000_000
"""Bytes that a review and the whole archive may have; the official ones stay far below."""


class Review(NamedTuple):
    """A review of the official archive."""

    number: int
    stars: int
    text: str


def load_imdb(full: bool = False, text: bool = False) -> Dataset:
    """Load IMDB: the word counts of its training set, which need no network, or all of it.

    The embedded part has no test set: ``x_test`` has no rows, and ``splits`` is ``("train",)``. Hold out some of the
    training set, or load the full set. Rows are sorted by label: draw those that you hold out at random.

    Parameters
    ----------
    full : bool, default False
        Whether to load both halves from the official archive (84 MB), which is downloaded the first time, unless it
        lies in the data folder: see ``python -m adamcore data where``. Takes some twenty seconds.
    text : bool, default False
        Whether to give the reviews themselves instead of counts. Needs the official archive, too.

    Returns
    -------
    Dataset
        ``x_train`` (25000, 10000), a `scipy.sparse.csr_array` of uint16: how often each of the 10,000 words most
        frequent in the training set, ``feature_names``, stands in each review. ``y_train``, uint8: 0 negative,
        1 positive. ``x_test`` (0, 10000); with ``full``, (25000, 10000).
        With ``text``, ``x_train`` and ``x_test`` are arrays (25000,) of ``str``, markup and all.
        The full set is ordered by split, label and number in the archive; the embedded rows are in another order, in
        which numbers are not known, but sorted by label, too.

    Raises
    ------
    DataError
        If an embedded file is missing or damaged; with ``full`` or ``text``, if the archive can be neither found nor
        downloaded, or what was found is not IMDB.

    Examples
    --------
    >>> from adamcore.data import load_imdb
    >>> imdb = load_imdb()
    >>> imdb
    Dataset(IMDB: 25,000 training and 0 test examples, 2 classes)
    >>> imdb.x_train.shape, imdb.x_train.dtype, imdb.x_test.shape, imdb.splits
    ((25000, 10000), dtype('uint16'), (0, 10000), ('train',))
    >>> imdb.feature_names[:5]
    ('the', 'and', 'of', 'to', 'is')
    """
    if text:
        arrays, words = _full_text(), ()
    else:
        words = vocabulary()
        arrays = _full_counts(words) if full else embedded_counts()
    x_train, y_train, x_test, y_test = (read_only(array) for array in arrays)
    return Dataset(
        name="IMDB",
        x_train=x_train,
        y_train=y_train,
        x_test=x_test,
        y_test=y_test,
        class_names=CLASSES,
        source="A. L. Maas et al.: Large Movie Review Dataset v1.0"
        + ("" if full or text else ", its training set as counts of its 10,000 most frequent words"),
        license="None stated by its authors; the reviews are their writers'. See adamcore/data/LICENSES.md",
        citation="A. L. Maas, R. E. Daly, P. T. Pham, D. Huang, A. Y. Ng, C. Potts: Learning word vectors for "
        "sentiment analysis. ACL, 2011.",
        digest=digest_of(*arrays),
        splits=SPLITS if full or text else SPLITS[:1],
        feature_names=words,
    )


def vocabulary() -> tuple[str, ...]:
    """The 10,000 words, the most frequent first: word j is counted in column j.

    Returns
    -------
    tuple of str

    Raises
    ------
    DataError
        If the embedded file is missing or damaged.
    """
    with _packed() as packed:
        return tuple(packed["vocabulary"].tobytes().decode().split("\n"))


def embedded_counts() -> tuple[csr_array, np.ndarray, csr_array, np.ndarray]:
    """The embedded word counts and labels, and a test set without rows."""
    from scipy.sparse import csr_array

    with _packed() as packed:
        y = packed["labels"]
        x = unpack_counts({name: packed[name] for name in PACKED}, WORDS)
    return x, y, csr_array((0, WORDS), dtype=x.dtype), y[:0].copy()


def _packed():
    """The embedded file, whose arrays are unpacked when they are asked for."""
    return np.load(io.BytesIO(read_checked("imdb", "imdb.npz")), allow_pickle=False)


PACKED = ("row_lengths", "gaps_low", "gaps_high", "counts")
"""Arrays that a packed matrix of counts has."""


def pack_counts(x: csr_array) -> dict[str, np.ndarray]:
    """A sparse matrix of counts as small arrays that compress well; `unpack_counts` is the way back.

    Words are numbered by frequency, so the gaps between the columns of a row are mostly small: high and low bytes of
    them apart, the high ones are nearly all zero.

    Parameters
    ----------
    x : scipy.sparse.csr_array
        Counts from 1 to 256, at most 65,535 in a row and 65,536 columns, the indices of each row sorted.

    Returns
    -------
    dict of str to numpy.ndarray
        ``row_lengths``, uint16: stored counts a row. For each stored count, uint8: ``gaps_low`` and ``gaps_high``,
        the columns skipped since the one before in its row, and ``counts``, the count minus 1.

    Raises
    ------
    ValueError
        If a count, a row or the matrix is too large to be packed so.
    """
    lengths = np.diff(x.indptr)
    fits = x.shape[1] <= 65_536 and lengths.max(initial=0) <= 65_535
    if not fits or (x.nnz and not 1 <= x.data.min() <= x.data.max() <= 256):
        raise ValueError("pack_counts: counts from 1 to 256, up to 65,535 in a row and 65,536 columns can be packed.")
    gaps = np.diff(x.indices, prepend=0) - 1
    starts = x.indptr[:-1][lengths > 0]
    gaps[starts] = x.indices[starts]
    return {
        "row_lengths": lengths.astype(np.uint16),
        "gaps_low": (gaps & 255).astype(np.uint8),
        "gaps_high": (gaps >> 8).astype(np.uint8),
        "counts": (x.data.astype(np.int64) - 1).astype(np.uint8),
    }


def unpack_counts(packed: dict[str, np.ndarray], columns: int) -> csr_array:
    """The sparse matrix that was packed by `pack_counts`, its counts uint16."""
    from scipy.sparse import csr_array

    lengths = packed["row_lengths"].astype(np.int32)
    indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    steps = packed["gaps_high"].astype(np.int32) * 256 + packed["gaps_low"] + 1
    # One running sum over all rows; what it had reached before each row comes off again.
    sums = np.concatenate([[0], np.cumsum(steps, dtype=np.int64)])
    indices = sums[1:] - np.repeat(sums[indptr[:-1]], lengths) - 1
    data = packed["counts"].astype(np.uint16) + 1
    return csr_array((data, indices.astype(np.int32), indptr), shape=(len(lengths), columns))


def _full_text() -> tuple[np.ndarray, ...]:
    """Reviews and labels of both splits."""
    reviews = _reviews()
    arrays = []
    for split in SPLITS:
        texts = [review.text for folder in FOLDERS for review in reviews[split, folder]]
        x = np.empty(len(texts), dtype=object)
        x[:] = texts
        arrays += [x, np.repeat(np.arange(2, dtype=np.uint8), [len(reviews[split, folder]) for folder in FOLDERS])]
    return tuple(arrays)


def _reviews() -> dict[tuple[str, str], list[Review]]:
    """The labelled reviews, from the data folder or the network."""
    archive = ARCHIVES["imdb"]
    path = find_or_fetch(archive)
    with advised(archive):
        return read_reviews(path)


def _full_counts(words: Iterable[str]) -> tuple:
    """Word counts and labels of both splits."""
    x_train, y_train, x_test, y_test = _full_text()
    return count_words(x_train, words), y_train, count_words(x_test, words), y_test


def read_reviews(path: Path) -> dict[tuple[str, str], list[Review]]:
    """The labelled reviews of an official archive, or of the folder it unpacks to, checked.

    Parameters
    ----------
    path : pathlib.Path
        ``aclImdb_v1.tar.gz`` or ``aclImdb``. The archive is read once from front to back.

    Returns
    -------
    dict of (str, str) to list of Review
        By split and class, such as ``("train", "neg")``, in the order of their numbers.

    Raises
    ------
    DataError
        If the archive is damaged, a review is not UTF-8, is there twice or has stars that contradict its class, or
        there are not 12,500 reviews of each class in each split.
    """
    found: dict[tuple[str, str], dict[int, Review]] = {(s, f): {} for s in SPLITS for f in FOLDERS}
    for name, content in _files(path):
        split, folder, number, stars = MEMBER.search(name).groups()  # type: ignore[union-attr]
        where = f"{path}: {name}"
        if int(number) in found[split, folder]:
            raise DataError(f"{where}: review {number} is there twice, expected once.")
        _check_stars(int(stars), folder, where)
        found[split, folder][int(number)] = Review(int(number), int(stars), _decoded(content, where))
    counts = {f"{split}/{folder}": len(reviews) for (split, folder), reviews in found.items()}
    if set(counts.values()) != {PER_CLASS}:
        raise DataError(
            f"{path} is not complete: it has {', '.join(f'{n:,} reviews in {f}' for f, n in counts.items())}; "
            f"expected {PER_CLASS:,} in each."
        )
    return {key: [reviews[number] for number in sorted(reviews)] for key, reviews in found.items()}


def _files(path: Path) -> Iterator[tuple[str, bytes]]:
    """Names and contents of the labelled reviews in an archive or a folder."""
    if path.is_dir():
        files = (file for split in SPLITS for folder in FOLDERS for file in (path / split / folder).glob("*_*.txt"))
        names = sorted(file.relative_to(path).as_posix() for file in files)
        yield from read_files(path, filter(MEMBER.search, names), max_size=MAX_REVIEW)
    else:
        yield from read_members(
            path, lambda name: MEMBER.search(name) is not None, max_member=MAX_REVIEW, max_total=MAX_UNPACKED
        )


def _check_stars(stars: int, folder: str, where: str) -> None:
    """A good review has 7 to 10 stars, a bad one 1 to 4; 0 says that they were left out."""
    low, high = (1, 4) if folder == "neg" else (7, 10)
    if stars and not low <= stars <= high:
        raise DataError(f"{where} has {stars} stars, expected {low} to {high} in {folder}.")


def _decoded(content: bytes, where: str) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{where} is not UTF-8 ({error}).") from None


@dataclass(frozen=True)
class Differences:
    """Where the embedded rows and an archive's training reviews differ, as label and counts.

    Attributes
    ----------
    rows : tuple of int
        Embedded rows without a review of the same label and counts.
    reviews : tuple of str
        Reviews without such a row, such as ``"train/pos/200_8.txt"``.
    """

    rows: tuple[int, ...]
    reviews: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{len(self.rows):,} embedded rows are not in the archive: {_first(self.rows)}; "
            f"{len(self.reviews):,} reviews of the archive are not embedded: {_first(self.reviews)}"
        )


def _first(items: tuple) -> str:
    """The first ten, as text."""
    return ", ".join(map(str, items[:10])) + (", ..." if len(items) > 10 else "") if items else "none"


def compare_imdb(path: Path | None = None) -> Differences:
    """Count the words of the official training reviews again, and list what differs from the embedded rows.

    Rows and reviews are matched by label and counts, since their order is not the same.

    Parameters
    ----------
    path : pathlib.Path, optional
        The official archive or its unpacked folder; by default that of the data folder.

    Returns
    -------
    Differences
        Print it for a summary.

    Raises
    ------
    DataError
        As ``load_imdb`` with ``full``.

    Examples
    --------
    The official archive is not in the package. An archive or folder that is not complete is refused:

    >>> import pathlib, tempfile
    >>> from adamcore.data import DataError, compare_imdb
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     try:
    ...         compare_imdb(pathlib.Path(folder))
    ...     except DataError as error:
    ...         print(str(error).removeprefix(f"{folder} "))
    is not complete: it has 0 reviews in train/neg, 0 reviews in train/pos, 0 reviews in test/neg,
    0 reviews in test/pos; expected 12,500 in each.

    What is returned prints like this:

    >>> from adamcore.data.imdb import Differences
    >>> print(Differences(rows=(2, 3), reviews=("train/neg/7_1.txt", "train/pos/200_8.txt")))
    2 embedded rows are not in the archive: 2, 3;
    2 reviews of the archive are not embedded: train/neg/7_1.txt, train/pos/200_8.txt
    """
    reviews = read_reviews(path) if path else _reviews()
    x, y, _, _ = embedded_counts()
    names, texts, labels = [], [], []
    for label, folder in enumerate(FOLDERS):
        for review in reviews["train", folder]:
            names.append(f"train/{folder}/{review.number}_{review.stars}.txt")
            texts.append(review.text)
            labels.append(label)
    return differences(x, y, count_words(texts, vocabulary()), np.array(labels), names)


def differences(x: csr_array, y: np.ndarray, other: csr_array, labels: np.ndarray, names: list[str]) -> Differences:
    """Match two sets of labelled rows, whatever their order; each row is matched once."""
    left = Counter(_keys(other, labels))
    rows = tuple(row for row, key in enumerate(_keys(x, y)) if not _take(left, key))
    ours = Counter(_keys(x, y))
    return Differences(
        rows, tuple(name for name, key in zip(names, _keys(other, labels), strict=True) if not _take(ours, key))
    )


def _keys(x: csr_array, y: np.ndarray) -> Iterator[bytes]:
    """For each row its label, columns and counts as bytes."""
    for label, start, stop in zip(y, x.indptr[:-1], x.indptr[1:], strict=True):
        yield (
            bytes([label])
            + x.indices[start:stop].astype("<i4").tobytes()
            + x.data[start:stop].astype("<u2").tobytes()
        )


def _take(stock: Counter, key: bytes) -> bool:
    """Take one of a kind out of stock, if there is one."""
    stock[key] -= 1
    return stock[key] >= 0
