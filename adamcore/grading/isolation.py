"""Keeps a submission's process from other people's files, from the network and from other processes, where Linux can.

Landlock is a part of Linux in which a process gives up rights for itself and all that it starts, and needs no rights
to do so (https://docs.kernel.org/userspace-api/landlock.html). What it can forbid has grown: files since Linux 5.13,
TCP since 6.7, signals to processes outside since 6.12. Elsewhere nothing here has an effect.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Iterable
from pathlib import Path

CREATE, ADD, RESTRICT = 444, 445, 446
"""The numbers of the three system calls; the same on every architecture."""

READ = 1 << 0 | 1 << 2 | 1 << 3
"""Executing files, reading them, listing folders."""

FILE = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 14
"""What can be allowed for a file that is no folder: executing, writing, reading, truncating."""

NO_NEW_PRIVILEGES, DIE_WITH_PARENT = 38, 1
"""Of prctl: no rights through other programs, which Landlock asks for; and a signal when the parent ends."""


class _Rules(ctypes.Structure):
    """What is forbidden unless a rule allows it."""

    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _Below(ctypes.Structure):
    """What is allowed for a path and everything below."""

    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32))


def version() -> int:
    """Return the version of Landlock that this system has; 0 if none.

    Returns
    -------
    int
        From 1 files can be forbidden, from 4 TCP, from 6 signals.

    Examples
    --------
    >>> version() >= 0
    True
    """
    if not sys.platform.startswith("linux"):
        return 0
    return max(0, _call(CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(1)))


def described() -> str:
    """Return in words what this system keeps submissions from."""
    has = version()
    if has == 0:
        return (
            "This system cannot keep submissions from reading your files: grade what you do not trust in a container."
        )
    kept = ["your files"]
    kept += ["the network (TCP)"] if has >= 4 else []
    kept += ["your processes"] if has >= 6 else []
    return (
        f"Submissions are kept from {', '.join(kept[:-1])}{' and ' if kept[:-1] else ''}{kept[-1]} (Landlock {has})."
    )


def isolate(own: Path) -> bool:
    """Give up, for this process and all that it starts, everything but reading programs and writing into one folder.

    Parameters
    ----------
    own : Path
        The folder that may be written to.

    Returns
    -------
    bool
        Whether the system could do it.
    """
    has = version()
    if has == 0:
        return False
    files = (1 << {1: 13, 2: 14, 3: 15, 4: 15}.get(has, 16)) - 1
    rules = _Rules(files, 0b11 if has >= 4 else 0, 0b11 if has >= 6 else 0)
    size = 24 if has >= 6 else 16 if has >= 4 else 8
    handle = _call(CREATE, ctypes.byref(rules), ctypes.c_size_t(size), ctypes.c_uint32(0))
    if handle < 0:
        return False
    try:
        for path in readable():
            _allow(handle, path, READ & files)
        for path in (own, Path(os.devnull)):
            _allow(handle, path, files)
        libc = ctypes.CDLL(None)
        libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        return _call(RESTRICT, ctypes.c_int(handle), ctypes.c_uint32(0)) == 0
    finally:
        os.close(handle)


def readable() -> Iterable[Path]:
    """Return what a notebook needs to read: Python, its packages, this package, the system's programs."""
    package = Path(__file__).resolve().parent.parent
    paths = [Path(path) for path in SYSTEM]
    paths += [Path(path) for path in (sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix)]
    # Where this package stands beside other things, as in a clone, these are not for submissions.
    paths += [Path(path) for path in sys.path if path and Path(path).resolve() != package.parent]
    paths += [Path(path) for path in os.environ.get("LD_LIBRARY_PATH", "").split(":") if path]
    return [path for path in dict.fromkeys([*paths, package]) if path.exists() and path != Path("/")]


SYSTEM = (
    *("/usr", "/lib", "/lib64", "/lib32", "/bin", "/sbin", "/etc", "/nix/store"),
    *("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random"),
    *("/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/sys/devices/system"),
)


def _allow(handle: int, path: Path, allowed: int) -> None:
    """Allow something for a path and what is below it."""
    with contextlib.suppress(OSError):
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            rule = _Below(allowed if path.is_dir() else allowed & FILE, opened)
            _call(ADD, ctypes.c_int(handle), ctypes.c_int(1), ctypes.byref(rule), ctypes.c_uint32(0))
        finally:
            os.close(opened)


def _call(number: int, *args: object) -> int:
    """A system call; -1 if the system does not know it, or refuses."""
    try:
        syscall = ctypes.CDLL(None, use_errno=True).syscall
        syscall.restype = ctypes.c_long
        return int(syscall(ctypes.c_long(number), *args))
    except (OSError, AttributeError):
        return -1


def end_with_parent() -> None:
    """Have the system kill this process when the one that started it ends, on Linux."""
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).prctl(DIE_WITH_PARENT, int(signal.SIGKILL), 0, 0, 0)
