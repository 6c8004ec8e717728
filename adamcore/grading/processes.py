"""Which processes a submission has started, and how to end them: Linux tells it in /proc, others do not."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")
ADOPT = 36
"""Linux's PR_SET_CHILD_SUBREAPER: orphans below this process become its children, whatever session they are in."""

CLOSED = 4
"""Linux's PR_SET_DUMPABLE; at 0, another process of the same user may not look into this one's memory and files."""


class Process(NamedTuple):
    """One line of the table of processes."""

    parent: int
    session: int
    memory: int


def table() -> dict[int, Process]:
    """Return every process by its number: its parent's, its session's, and its resident memory in bytes.

    Returns
    -------
    dict
        Empty where there is no /proc.

    Examples
    --------
    >>> import os
    >>> here = table()
    >>> not here or os.getpid() in here
    True
    """
    found: dict[int, Process] = {}
    with contextlib.suppress(OSError):
        for entry in os.scandir(PROC):
            if entry.name.isdecimal():
                # A process may end while its line is read, and its name may hold blanks and brackets.
                with contextlib.suppress(OSError, ValueError, IndexError):
                    fields = (PROC / entry.name / "stat").read_bytes().rsplit(b")", 1)[1].split()
                    found[int(entry.name)] = Process(int(fields[1]), int(fields[3]), int(fields[21]) * PAGE)
    return found


PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


def below(number: int, found: dict[int, Process]) -> set[int]:
    """Return the processes that one has started, and those that these have, and so on.

    Parameters
    ----------
    number : int
        The process at the top, which is not returned.
    found : dict
        From :func:`table`.

    Returns
    -------
    set of int

    Examples
    --------
    >>> found = {1: Process(0, 1, 0), 2: Process(1, 1, 0), 3: Process(2, 3, 0), 4: Process(1, 1, 0)}
    >>> sorted(below(2, found))
    [3]
    """
    children: dict[int, list[int]] = {}
    for pid, process in found.items():
        children.setdefault(process.parent, []).append(pid)
    reached: set[int] = set()
    waiting = [number]
    while waiting:
        for child in children.get(waiting.pop(), ()):
            if child not in reached:
                reached.add(child)
                waiting.append(child)
    return reached


def adopt() -> bool:
    """Make this process the parent of whatever is orphaned below it, and close it to others of the same user.

    For the one process that grades one submission: it has no other children. Returns whether the system can do it.
    """
    try:
        prctl = ctypes.CDLL(None, use_errno=True).prctl
    except (OSError, AttributeError, TypeError):  # not Linux
        return False
    prctl(CLOSED, 0, 0, 0, 0)
    return prctl(ADOPT, 1, 0, 0, 0) == 0


def end(numbers: Iterable[int]) -> None:
    """Kill processes, and collect those that are ours."""
    for number in numbers:
        with contextlib.suppress(OSError):
            os.kill(number, signal.SIGKILL)
    for number in numbers:
        with contextlib.suppress(OSError):
            os.waitpid(number, os.WNOHANG)
