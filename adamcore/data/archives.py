"""Reading archives without unpacking them to disk: a tar once from front to back, member by member."""

from __future__ import annotations

import gzip
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from adamcore.data.dataset import DataError

GZIP_MAGIC = b"\x1f\x8b"
CHUNK = 1 << 20


class Limited:
    """A readable file that refuses to give more than ``limit`` bytes: what unpacks without end stops here."""

    def __init__(self, file: BinaryIO, limit: int, path: Path):
        self.file, self.limit, self.path = file, limit, path
        self.left = limit

    def read(self, size: int) -> bytes:
        """The next bytes, at most ``size``."""
        content = self.file.read(size)
        self.left -= len(content)
        if self.left < 0:
            raise DataError(
                f"{self.path} unpacks to more than {self.limit:,} bytes, which the official archive does not; "
                "it was not read further."
            )
        return content


def read_members(
    path: Path, wanted: Callable[[str], bool], *, max_member: int, max_total: int
) -> Iterator[tuple[str, bytes]]:
    """Yield the wanted members of a tar archive, gzipped or not, in the order in which they lie there.

    Parameters
    ----------
    path : Path
    wanted : callable
        Says for a member's name whether its content is wanted.
    max_member, max_total : int
        Bytes that one wanted member, and all of the unpacked archive, may have.

    Yields
    ------
    name : str
    content : bytes

    Raises
    ------
    DataError
        If the archive cannot be read, is damaged or truncated, a limit is passed, a wanted member is not a plain
        file, or any member has an absolute path or one with ``..``.
    """
    try:
        with _unpacked(path) as file:
            limited = Limited(file, max_total, path)
            with tarfile.open(fileobj=limited, mode="r|") as tar:  # type: ignore[call-overload]
                yield from _members(tar, path, wanted, max_member)
            while limited.read(CHUNK):  # gzip's checksum stands at the end, and is checked when that is reached
                pass
    except DataError:
        raise
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, ValueError, LookupError) as error:
        # The last two are tarfile's for a header whose numbers are none, or end before they should.
        raise DataError(
            f"{path} is damaged or truncated, or not a tar archive, gzipped or plain ({error})."
        ) from None
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error}).") from None


def read_files(folder: Path, names: Iterable[str], *, max_size: int) -> Iterator[tuple[str, bytes]]:
    """Yield those of the files that are there, as `read_members` does of the archive that was unpacked.

    Parameters
    ----------
    folder : Path
    names : iterable of str
        Paths below the folder.
    max_size : int
        Bytes that one file may have.

    Yields
    ------
    name : str
    content : bytes

    Raises
    ------
    DataError
        If a file cannot be read, or is too large.
    """
    for name in names:
        try:
            if not (folder / name).is_file():
                continue
            with (folder / name).open("rb") as file:
                content = file.read(max_size + 1)
        except OSError as error:
            raise DataError(f"{folder}: {name} cannot be read ({error}).") from None
        if len(content) > max_size:
            raise DataError(f"{folder}: {name} has more than {max_size:,} bytes, expected at most that.")
        yield name, content


def decompress(content: bytes, where: str, advice: str) -> bytes:
    """What gzip packed, or an error that says what and where."""
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{where} cannot be read ({error}). {advice}") from None


def _unpacked(path: Path) -> BinaryIO:
    """The file, through gzip if it starts like one: some browsers unpack what they save."""
    with path.open("rb") as file:
        packed = file.read(2) == GZIP_MAGIC
    return gzip.open(path, "rb") if packed else path.open("rb")  # type: ignore[return-value]


def _members(
    tar: tarfile.TarFile, path: Path, wanted: Callable[[str], bool], max_member: int
) -> Iterator[tuple[str, bytes]]:
    while (member := tar.next()) is not None:
        tar.members = []  # 100,000 of them would be kept otherwise
        _check_name(member.name, path)
        if member.isdir() or not wanted(member.name):
            continue
        if not member.isreg():
            raise DataError(f"{path}: its member {member.name} is a link or a device, expected a plain file.")
        if member.size > max_member:
            raise DataError(
                f"{path}: its member {member.name} has {member.size:,} bytes, expected at most {max_member:,}."
            )
        file = tar.extractfile(member)
        assert file is not None  # a plain file
        yield member.name, file.read()


def _check_name(name: str, path: Path) -> None:
    """Refuse an archive whose member would land outside the folder it is unpacked in."""
    parts = name.replace("\\", "/").split("/")
    if not parts[0] or parts[0].endswith(":") or ".." in parts:
        raise DataError(
            f"{path}: its member {name!r} has an absolute path or one with '..', which no official archive has; "
            "it was not read further."
        )
