"""CIFAR-10: 60,000 small photographs in ten classes; a tenth of them embedded in the package."""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from adamcore.data.archives import read_files, read_members
from adamcore.data.dataset import DataError, Dataset, digest_of, read_only
from adamcore.data.packaged import read_checked
from adamcore.data.sources import ARCHIVES, advised, find_or_fetch

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
SIDE = 32
RECORD = 1 + 3 * SIDE * SIDE
"""Bytes of a record: the label, then the red, the green and the blue values, each row by row."""

BATCH = 10_000
"""Records in a file."""

BATCHES = {
    "data_batch_1.bin": "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
    "data_batch_2.bin": "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
    "data_batch_3.bin": "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
    "data_batch_4.bin": "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
    "data_batch_5.bin": "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
    "test_batch.bin": "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
}
"""SHA-256 of the official files, the last one the test set."""

RECORDS_DIGEST = "f08f3fc8e9e44e051211a4e932c7b19cc739dedc35a38a2b568cc33faeffb522"
"""SHA-256 of the sorted SHA-256s of all 60,000 records: the same for any order of them."""

MAX_UNPACKED = 400_000_000
"""Bytes that the archive may unpack to; the official one has about 184 million."""

TILES = 50
"""Images in a row of an embedded mosaic."""


def load_cifar10(full: bool = False) -> Dataset:
    """Load CIFAR-10: a tenth of it, which needs no network, or all of it.

    Parameters
    ----------
    full : bool, default False
        Whether to load all 60,000 images. The official archive (170 MB) is downloaded the first time, unless it lies
        in the data folder: see ``python -m adamcore data where``.

    Returns
    -------
    Dataset
        ``x_train`` (5000, 32, 32, 3) and ``x_test`` (1000, 32, 32, 3), uint8, the last axis red, green, blue;
        with ``full``, (50000, 32, 32, 3) and (10000, 32, 32, 3) in the official order. ``y_train`` and ``y_test``,
        uint8. Every class is there equally often. Embedded images keep the official order too.

    Raises
    ------
    DataError
        If an embedded file is missing or damaged; with ``full``, if the set can be neither found nor downloaded, or
        what was found is not CIFAR-10.

    Examples
    --------
    >>> from adamcore.data import load_cifar10
    >>> cifar = load_cifar10()
    >>> cifar
    Dataset(CIFAR-10: 5,000 training and 1,000 test examples, 10 classes)
    >>> cifar.x_train.shape, cifar.class_names[cifar.y_train[0]]
    ((5000, 32, 32, 3), 'bird')
    """
    arrays = tuple(read_only(array) for array in (_full() if full else _embedded()))
    x_train, y_train, x_test, y_test = arrays
    return Dataset(
        name="CIFAR-10",
        x_train=x_train,
        y_train=y_train,
        x_test=x_test,
        y_test=y_test,
        class_names=CLASSES,
        source="A. Krizhevsky, V. Nair, G. Hinton: the CIFAR-10 dataset, its binary version"
        + ("" if full else "; 500 training and 100 test images a class"),
        license="None stated by its authors; see adamcore/data/LICENSES.md",
        citation="A. Krizhevsky: Learning multiple layers of features from tiny images. "
        "Technical report, University of Toronto, 2009.",
        digest=digest_of(*arrays),
    )


def _embedded() -> tuple[np.ndarray, ...]:
    """The embedded images and labels."""
    with np.load(io.BytesIO(read_checked("cifar10", "cifar10_labels.npz")), allow_pickle=False) as labels:
        y_train, y_test = labels["y_train"], labels["y_test"]
    mosaics = (read_checked("cifar10", f"cifar10_{split}.webp") for split in ("train", "test"))
    try:
        x_train, x_test = (from_mosaic(mosaic) for mosaic in mosaics)
    except OSError as error:  # the bytes are right, so it is the decoder that is not
        raise DataError(
            f"CIFAR-10: Pillow cannot decode the embedded images ({error}). `python -m PIL` says whether it knows "
            "WebP; the one from pip does."
        ) from None
    return x_train, y_train, x_test, y_test


def from_mosaic(content: bytes) -> np.ndarray:
    """The images of a lossless mosaic, (n, 32, 32, 3), from left to right and top to bottom."""
    from PIL import Image

    with Image.open(io.BytesIO(content), formats=("WEBP",)) as image:
        pixels = np.asarray(image.convert("RGB"))
    height, width = pixels.shape[0] // SIDE, pixels.shape[1] // SIDE
    tiles = pixels.reshape(height, SIDE, width, SIDE, 3).transpose(0, 2, 1, 3, 4)
    return np.ascontiguousarray(tiles).reshape(height * width, SIDE, SIDE, 3)


def to_mosaic(images: np.ndarray) -> bytes:
    """Images (n, 32, 32, 3) as one lossless WebP of `TILES` in a row; n must be a multiple of that."""
    from PIL import Image

    tiles = images.reshape(-1, TILES, SIDE, SIDE, 3).transpose(0, 2, 1, 3, 4)
    pixels = np.ascontiguousarray(tiles).reshape(-1, TILES * SIDE, 3)
    output = io.BytesIO()
    Image.fromarray(pixels).save(output, "WEBP", lossless=True, quality=100, method=4)
    return output.getvalue()


def parse_records(content: bytes, name: str = "the file") -> tuple[np.ndarray, np.ndarray]:
    """Read CIFAR-10's binary format: records of a label byte and 3,072 color bytes.

    Parameters
    ----------
    content : bytes
        The whole file.
    name : str
        What to call it in an error.

    Returns
    -------
    x : numpy.ndarray
        uint8, (n, 32, 32, 3), read-only: a view of ``content``, whose memory order is color by color.
    y : numpy.ndarray
        uint8, (n,), read-only: a view of ``content``.

    Raises
    ------
    DataError
        If the length is not a whole number of records, or a label is above 9.

    Examples
    --------
    >>> from adamcore.data.cifar10 import parse_records
    >>> x, y = parse_records(bytes([7]) + bytes(1024) + bytes([255]) * 2048)
    >>> x.shape, x[0, 0, 0], y
    ((1, 32, 32, 3), array([  0, 255, 255], dtype=uint8), array([7], dtype=uint8))
    """
    if len(content) % RECORD or not content:
        raise DataError(
            f"{name} has {len(content):,} bytes, expected a multiple of {RECORD:,}: "
            "it is truncated, or not of CIFAR-10's binary version."
        )
    records = np.frombuffer(content, np.uint8).reshape(-1, RECORD)
    y = records[:, 0]
    if y.max() >= len(CLASSES):
        row = int(np.argmax(y))
        raise DataError(f"{name}: record {row} has the label {y[row]}, expected 0 to 9.")
    return records[:, 1:].reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1), y


def _full() -> tuple[np.ndarray, ...]:
    """All images and labels, from the data folder or the network."""
    archive = ARCHIVES["cifar10"]
    path = find_or_fetch(archive)
    with advised(archive):
        return read_full(path)


def read_full(path: Path) -> tuple[np.ndarray, ...]:
    """All images and labels of an official archive, or of the folder it unpacks to, checked.

    Parameters
    ----------
    path : pathlib.Path
        ``cifar-10-binary.tar.gz`` or ``cifar-10-batches-bin``.

    Returns
    -------
    x_train, y_train, x_test, y_test : numpy.ndarray
        uint8; (50000, 32, 32, 3), (50000,), (10000, 32, 32, 3) and (10000,).

    Raises
    ------
    DataError
        If a file is missing, twice there, damaged, or not CIFAR-10's.
    """
    n = BATCH * len(BATCHES)
    x, y = np.empty((n, SIDE, SIDE, 3), np.uint8), np.empty(n, np.uint8)
    rows = {name: slice(i * BATCH, (i + 1) * BATCH) for i, name in enumerate(BATCHES)}
    seen: dict[str, str] = {}
    for name, content in _files(path):
        where = f"{path}: {name}"
        if name in seen:
            raise DataError(f"{where} is there twice, expected once.")
        seen[name] = hashlib.sha256(content).hexdigest()
        images, labels = parse_records(content, where)
        if len(labels) != BATCH:
            raise DataError(f"{where} has {len(labels):,} records, expected {BATCH:,}.")
        x[rows[name]], y[rows[name]] = images, labels
    if missing := [name for name in BATCHES if name not in seen]:
        raise DataError(f"{path} lacks {', '.join(missing)}.")
    _check_content(path, seen, x, y)
    split = n - BATCH
    return x[:split], y[:split], x[split:], y[split:]


def _files(path: Path) -> Iterator[tuple[str, bytes]]:
    """Names and contents of the batches in an archive or a folder."""
    if path.is_dir():
        yield from read_files(path, BATCHES, max_size=BATCH * RECORD)
    else:
        members = read_members(
            path,
            lambda name: name.rpartition("/")[2] in BATCHES,
            max_member=BATCH * RECORD,
            max_total=MAX_UNPACKED,
        )
        for name, content in members:
            yield name.rpartition("/")[2], content


def _check_content(path: Path, seen: dict[str, str], x: np.ndarray, y: np.ndarray) -> None:
    """Every file is the official one; or all are the official records in another order, which is said."""
    others = [name for name in BATCHES if seen[name] != BATCHES[name]]
    if not others:
        return
    if records_digest(x, y) != RECORDS_DIGEST:
        raise DataError(
            f"{path}: {', '.join(others)} is damaged or changed: SHA-256 {seen[others[0]][:16]}..., "
            f"expected {BATCHES[others[0]][:16]}...."
        )
    warnings.warn(f"{path} has the records of CIFAR-10 in another order than the official one.", stacklevel=2)


def records_digest(x: np.ndarray, y: np.ndarray) -> str:
    """SHA-256 of the sorted SHA-256s of all records, first those of the training set, then those of the test set."""
    digests = [hashlib.sha256(x[row].tobytes() + y[row].tobytes()).digest() for row in range(len(y))]
    split = len(y) - BATCH
    return hashlib.sha256(b"".join(sorted(digests[:split]) + sorted(digests[split:]))).hexdigest()
