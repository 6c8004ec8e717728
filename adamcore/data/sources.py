"""Where the full sets come from, where they are kept, and how they get there."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from adamcore.data.dataset import DataError

VARIABLE = "ADAMCORE_DATA"
TIMEOUT = (10.0, 30.0)
"""Seconds to wait for a connection, and for the next bytes."""

UNFINISHED = ".unfinished-"
ENDINGS = (".tar.gz", ".tgz", ".tar")


@dataclass(frozen=True)
class Archive:
    """An official archive, and what is known of it.

    Attributes
    ----------
    name : str
        As in `python -m adamcore data fetch NAME`.
    title : str
    file : str
        Its file name in the data folder.
    folder : str
        The folder that unpacking it by hand makes, which is read just as well.
    first : str
        Something that lies in that folder; if it lies in the data folder itself, this is read like that folder.
    size : int
        In bytes.
    sha256, md5 : str
        Checksums; the data set's own page or its best-known loaders publish the MD5.
    addresses : tuple of str
        Tried in this order. Since the checksum is compared, any address is as good as the official one.
    embedded : str
        What the package itself holds of the set.
    """

    name: str
    title: str
    file: str
    folder: str
    first: str
    size: int
    sha256: str
    md5: str
    addresses: tuple[str, ...]
    embedded: str


ARCHIVES = {
    "cifar10": Archive(
        name="cifar10",
        title="CIFAR-10",
        file="cifar-10-binary.tar.gz",
        folder="cifar-10-batches-bin",
        first="data_batch_1.bin",
        size=170_052_171,
        sha256="c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        md5="c32a1d4ab5d03f1284b67883e8d87530",
        addresses=(
            "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
            "https://cave.cs.toronto.edu/kriz/cifar-10-binary.tar.gz",  # where the first one redirects to
            "https://storage.googleapis.com/mirror.tensorflow.org/www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
        ),
        embedded="5,000 training and 1,000 test images: load_cifar10()",
    ),
    "imdb": Archive(
        name="imdb",
        title="IMDB",
        file="aclImdb_v1.tar.gz",
        folder="aclImdb",
        first="train/neg",
        size=84_125_825,
        sha256="c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe",
        md5="7c2ac02c03563afcf9b574c7e56c153a",
        addresses=(
            "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",
            "https://dataset.bj.bcebos.com/imdb%2FaclImdb_v1.tar.gz",  # PaddlePaddle's copy, the same checksum
        ),
        embedded="the word counts of the 25,000 training reviews: load_imdb()",
    ),
}


def data_folder() -> Path:
    """The folder of the full sets: ``ADAMCORE_DATA``, or the platform's usual place for caches.

    Returns
    -------
    pathlib.Path
        Absolute; it need not exist yet.

    Examples
    --------
    >>> from adamcore.data import data_folder
    >>> data_folder().is_absolute()
    True
    """
    chosen = os.environ.get(VARIABLE)
    if chosen:
        return Path(chosen).expanduser().absolute()
    import pooch

    return Path(pooch.os_cache("adamcore"))


def find(archive: Archive) -> Path | None:
    """What the data folder holds of a set: the archive, packed or not, else the unpacked folder, else nothing."""
    root, stem = data_folder(), archive.file.removesuffix(".tar.gz")
    named = [root / f"{stem}{ending}" for ending in ENDINGS]  # some browsers unpack what they save
    # Somebody's own archive of the official folder:
    others = sorted(path for path in root.glob(f"{archive.folder}*") if path.name.endswith(ENDINGS))
    for path in (*named, *others):
        if os.path.isfile(path):  # unlike path.is_file(), no error for a folder that we may not look into
            return path
    # Some programs unpack into one more folder, with the name of the archive:
    for folder in (root / archive.folder, root / stem / archive.folder):
        if os.path.isdir(folder):
            return folder
    return root if os.path.exists(root / archive.first) else None


def find_or_fetch(archive: Archive) -> Path:
    """What the data folder holds of a set, downloaded first if it holds nothing."""
    return find(archive) or fetch(archive)


def is_official(path: Path, archive: Archive) -> bool:
    """Whether a file is the official archive, byte for byte; one that cannot be read is not."""
    try:
        return path.is_file() and path.stat().st_size == archive.size and sha256_of(path) == archive.sha256
    except OSError:
        return False


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fetch(archive: Archive, *, progress: bool = True) -> Path:
    """Download an official archive into the data folder, unless it is there.

    The download gets a name of its own and is moved into place after its checksum was compared, so that what is in
    place is whole, and a failed download leaves an earlier file as it was. Of several processes one downloads; the
    others wait for it.

    Parameters
    ----------
    archive : Archive
    progress : bool, default True
        Whether to show a progress bar.

    Returns
    -------
    pathlib.Path
        The archive.

    Raises
    ------
    DataError
        If the data folder cannot be written, or no address gives the official archive. The message says what each
        one gave, and how to get the file by hand.
    """
    place = data_folder() / archive.file
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        if is_official(place, archive):
            return place
        with _alone(place.parent, progress) as alone:
            if not is_official(place, archive):  # another process may have been faster
                if alone:
                    _remove_unfinished(place.parent)
                _from_any_address(archive, place, progress)
    except OSError as error:
        raise DataError(
            f"{archive.title}: the data folder {place.parent} cannot be written ({error}). "
            f"Make room, or name another folder in the environment variable {VARIABLE}.\n{how_to_get(archive)}"
        ) from error
    return place


def _from_any_address(archive: Archive, place: Path, progress: bool) -> None:
    """Put the archive in its place from the first address that has it."""
    import requests

    failures = []
    for address in archive.addresses:
        try:
            return _from_address(address, archive, place, progress)
        except (requests.RequestException, ValueError) as error:  # ValueError: pooch's for another checksum
            failures.append(f"  {address}\n    {_reason(error)}")
    raise DataError(
        f"{archive.title}: the full set is not here and could not be downloaded.\n"
        + "\n".join(failures)
        + f"\n{how_to_get(archive)}"
    )


def _from_address(address: str, archive: Archive, place: Path, progress: bool) -> None:
    """Download into a folder beside the place, compare, move."""
    import pooch

    with tempfile.TemporaryDirectory(prefix=UNFINISHED, dir=place.parent, ignore_cleanup_errors=True) as folder:
        got = pooch.retrieve(
            address,
            known_hash=f"sha256:{archive.sha256}",
            fname=archive.file,
            path=folder,
            downloader=_downloader(archive, progress),
        )
        _make_readable(Path(got))
        os.replace(got, place)


def _make_readable(path: Path) -> None:
    """Give a file the rights of any new file; pooch's can be read by its owner alone, and a class shares a folder."""
    usual = path.with_name("usual")
    usual.touch()
    shutil.copymode(usual, path)


def _downloader(archive: Archive, progress: bool) -> Callable[[str, str, object], None]:
    """Pooch's own, which also stops at a stall and past the archive's size."""
    import pooch

    # Asked for as it is: a server that adds a compression of its own would have it undone, and the checksum differ.
    http = pooch.HTTPDownloader(timeout=TIMEOUT, progressbar=progress, headers={"Accept-Encoding": "identity"})

    def download(address: str, output: str, owner: object) -> None:
        with open(output, "wb") as file:
            http(address, _AtMost(file, archive.size), owner)

    return download


class _AtMost:
    """A writable file that takes no more than so many bytes."""

    def __init__(self, file: BinaryIO, size: int):
        self.file, self.size, self.flush = file, size, file.flush

    def write(self, content: bytes) -> int:
        if self.file.tell() + len(content) > self.size:
            raise ValueError(f"it sends more than the {self.size:,} bytes of the official archive")
        return self.file.write(content)


def _reason(error: Exception) -> str:
    """Why an address failed, in one line."""
    return f"{type(error).__name__}: {error}".replace("\n", " ")


def _remove_unfinished(folder: Path) -> None:
    """Delete what killed downloads left; nobody else is downloading into this folder now."""
    for left in folder.glob(f"{UNFINISHED}*"):
        shutil.rmtree(left, ignore_errors=True)


@contextlib.contextmanager
def _alone(folder: Path, progress: bool) -> Iterator[bool]:
    """Wait until no other process downloads into the folder. The system frees the lock of a process that dies.

    Gives False on a file system without locks: then several may download at once, and the last one to finish wins.
    With ``progress``, says that it waits.
    """
    with _open_lock(folder / ".lock") as file:
        locked = True
        try:
            import fcntl
        except ImportError:  # Windows
            import msvcrt

            file.seek(0)
            while True:
                with contextlib.suppress(OSError):  # raised when it was taken for ten seconds
                    msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)  # type: ignore[attr-defined]
                    break
        else:
            try:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    if progress:
                        print(f"Waiting for another process that downloads into {folder}.", file=sys.stderr)
                    fcntl.flock(file, fcntl.LOCK_EX)
            except OSError:
                locked = False
        yield locked


def _open_lock(path: Path) -> BinaryIO:
    """The file to lock, made if need be. Somebody else's, who shares the folder, may be only for reading."""
    try:
        return path.open("a+b")
    except PermissionError:
        if not path.exists():
            raise
        return path.open("rb")


@contextlib.contextmanager
def advised(archive: Archive) -> Iterator[None]:
    """Add to a fault in a full set how to get a good one."""
    try:
        yield
    except DataError as fault:
        raise DataError(
            f"{fault}\nTo get a good one, which is then used instead: python -m adamcore data fetch {archive.name}\n"
            f"{how_to_get(archive)}"
        ) from None


def how_to_get(archive: Archive) -> str:
    """What is embedded, and how to get the rest by hand."""
    return (
        f"Without a network you have {archive.embedded}.\n"
        f"For the full set, get {archive.addresses[0]}\n"
        f"  ({archive.size:,} bytes, SHA-256 {archive.sha256}, MD5 {archive.md5})\n"
        f"and put it at {data_folder() / archive.file},\n"
        f"or its unpacked folder at {data_folder() / archive.folder}. "
        f"Another place: the environment variable {VARIABLE}."
    )
