"""Files that are there whole or not at all, whatever happens while they are written."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

ABANDONED = 60
"""Seconds after which a temporary file is taken for a killed process's: writing one takes far less."""


class StorageError(OSError):
    """A folder that cannot be written to; the message says what to do."""


def write_file(path: Path, write: Callable[[BinaryIO], Any]) -> None:
    """Write a file whole or not at all: beside its place first, then moved there.

    Parameters
    ----------
    path : Path
        Where; its folder is made if it is not there.
    write : callable
        Called with the open temporary file; writes the content.

    Raises
    ------
    StorageError
        If that fails, as on a full disk or in a folder that is read-only. What was there before stays.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from adamcore.experiments.files import write_file
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_file(pathlib.Path(folder) / "a.txt", lambda file: file.write(b"whole"))
    ...     print((pathlib.Path(folder) / "a.txt").read_text())
    whole
    """
    # tempfile's would be readable by nobody else.
    temporary = path.with_name(f".{path.stem}-{os.getpid()}-{secrets.token_hex(4)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise cannot_write(path.parent, error) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_json(path: Path, content: Any, lines: Iterator[str] | None = None) -> None:
    """Write JSON, or its lines made already, whole or not at all; see :func:`write_file`.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from adamcore.experiments.files import write_json
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_json(pathlib.Path(folder) / "a.json", {"a": 1})
    ...     print((pathlib.Path(folder) / "a.json").read_text())
    {"a": 1}
    """
    text = json.dumps(content) if lines is None else "".join(lines)
    write_file(path, lambda file: file.write(text.encode()))


def cannot_write(folder: Path, error: OSError) -> StorageError:
    """Return the error that says which folder cannot be written to, why, and what to do."""
    reason = error.strerror or str(error)
    return StorageError(
        error.errno,
        f"cannot write to {folder} ({reason}). What was finished before is intact. Make room there, or copy the "
        "folder to another place and name that; then give the same command again, which goes on from there",
    )


def require_writable(folder: Path) -> None:
    """Make the folder if need be, and raise now, not hours later, if nothing can be written there.

    Raises
    ------
    StorageError
        If it cannot be written to.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from adamcore.experiments.files import require_writable
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     require_writable(pathlib.Path(folder) / "new")
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".writable-", suffix=".tmp"):
            pass
    except OSError as error:
        raise cannot_write(folder, error) from error


def remove_abandoned(folder: Path) -> None:
    """Remove the temporary files that a killed process left; a running one's are younger.

    Examples
    --------
    >>> import os, pathlib, tempfile
    >>> from adamcore.experiments.files import remove_abandoned
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     old = pathlib.Path(folder) / ".key-x.tmp"
    ...     old.touch()
    ...     os.utime(old, (0, 0))
    ...     remove_abandoned(pathlib.Path(folder))
    ...     old.exists()
    False
    """
    for path in folder.glob(".*.tmp"):
        try:
            if time.time() - path.stat().st_mtime > ABANDONED:
                path.unlink()
        except FileNotFoundError:
            pass  # another process was quicker
