"""A submission's process as the grader holds it: starting, asking, waiting no longer than allowed, ending.

What the process may use is limited in four ways: seconds by this side's clock; memory, the size of files and
processor time by the system's limits; processes and their memory together by looking at them now and then; and what
it prints by throwing away what is beyond. On Windows only the clock and the printing are limited.
"""

from __future__ import annotations

import contextlib
import functools
import os
import queue
import shutil
import signal
import site
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from adamcore.grading import processes
from adamcore.grading.channel import LONGEST, pack, unpack

START = 60
"""Seconds in which a process has to be ready: importing takes far less, but not on a machine that is busy."""

ROOM = 4096
"""Bytes that a pipe takes at once on every system."""

PREFIX = "adamcore-grading-"
"""How the folder of a submission's process begins."""

LOOK = 0.5
"""Seconds between two looks at the processes."""


@dataclass(frozen=True)
class Limits:
    """What one submission may use.

    Attributes
    ----------
    cell, call, test, total : float
        Seconds for one cell, for one call of an answer, for all calls of one test, and for everything.
    memory : int
        Bytes of one process's address space, and of the resident memory of all its processes together.
    file : int
        Bytes in one file that it writes.
    kept, printed : int
        Bytes of what it prints that are kept for the feedback; and after how many it is stopped.
    processes : int
        How many it may have at a time.
    restarts : int
        How many times its cells are run again after one of them, or an answer, had to be stopped.
    """

    cell: float = 60
    call: float = 10
    test: float = 60
    total: float = 300
    memory: int = 4 * 2**30
    file: int = 64 * 2**20
    kept: int = 20_000
    printed: int = 32 * 2**20
    processes: int = 64
    restarts: int = 6

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value > 0:
                raise ValueError(f"{name} = {value!r}: a limit has to be positive")


class Stopped(BaseException):
    """The submission's process has ended, or had to be ended; the message says why, to the student, as a sentence.

    It is no Exception, so that no check takes it for what an answer raised.
    """


class Sandbox:
    """A process that runs one submission, in a temporary folder and a session of its own.

    Parameters
    ----------
    limits : Limits
    user : str, optional
        Run it as this user of the system; needs root.
    seconds : float, optional
        In which it has to be ready.

    Raises
    ------
    Stopped
        If the process cannot be started.
    """

    def __init__(self, limits: Limits, user: str | None = None, seconds: float = START) -> None:
        self.limits = limits
        self.number = 0
        self.printed = 0
        self.kept = bytearray()
        self.ended = ""
        self._closed = False
        self._looked = time.monotonic()
        self._folder = tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True)
        folder = Path(self._folder.name)
        _furnish(folder)
        options = _as_user(user, folder) if user else {}
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "adamcore.grading.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=folder,
                env=_environment(folder),
                start_new_session=True,
                **options,
            )
        except BaseException:
            self._folder.cleanup()
            raise
        self._replies: queue.Queue[bytes | None] = queue.Queue(maxsize=4)
        self._threads = {
            self.process.stdout: threading.Thread(target=self._listen, args=(self.process.stdout,), daemon=True),
            self.process.stderr: threading.Thread(target=self._print, args=(self.process.stderr,), daemon=True),
        }
        for thread in self._threads.values():
            thread.start()
        try:
            self._send({"memory": limits.memory, "file": limits.file, "cpu": int(limits.total) + 1})
            self._receive(time.monotonic() + seconds, "the notebook's process did not start.")
        except Stopped:
            self.close()
            raise

    def ask(self, operation: str, seconds: float, **request: Any) -> dict[str, Any]:
        """Send a request and wait for its answer.

        Parameters
        ----------
        operation : {"run", "fetch", "call"}
        seconds : float
            How long to wait.
        **request
            What the operation needs.

        Returns
        -------
        dict

        Raises
        ------
        Stopped
            If there is no answer in time, or none that can be understood. The process is ended then.
        """
        if self.ended:
            raise Stopped(self.ended)
        self.number += 1
        deadline = time.monotonic() + seconds
        slow = f"it took longer than {seconds:.3g} seconds and was stopped. Is there a loop that never ends?"
        try:
            self._send({"id": self.number, "op": operation, **request})
            reply = self._receive(deadline, slow)
            if reply.pop("id", None) != self.number:
                raise Stopped(GARBAGE)
            return reply
        except Stopped as stop:
            self.ended = str(stop)
            self.close()
            raise

    def text(self) -> str:
        """Return the first part of what the submission printed: whole lines, if it was cut off."""
        kept = bytes(self.kept)
        if self.printed > len(kept):
            kept = kept[: kept.rfind(b"\n") + 1] or kept
            return f"{kept.decode('utf-8', 'replace')}\n(and {self.printed - len(kept)} bytes more)"
        return kept.decode("utf-8", "replace")

    def close(self) -> None:
        """End the process, everything that it has started, and its folder."""
        if self._closed:
            return
        self._closed = True
        self.ended = self.ended or "it has ended."
        if hasattr(os, "killpg"):
            with contextlib.suppress(OSError):
                os.killpg(self.process.pid, signal.SIGKILL)
        with contextlib.suppress(OSError):
            self.process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        for _ in range(20):  # what is killed may just have started another
            family = self._family(processes.table())
            if not family:
                break
            processes.end(family)
            time.sleep(0.02)
        for stream, thread in self._threads.items():
            thread.join(2)
            if not thread.is_alive():  # else a process that got away holds the other end; closing would wait for it
                stream.close()
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        self._folder.cleanup()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _send(self, message: dict[str, Any]) -> None:
        """Write a request; a process that does not read it is found by the clock, one that is gone by its silence."""
        line = pack(message)

        def write() -> None:
            with contextlib.suppress(OSError, ValueError):
                self.process.stdin.write(line)
                self.process.stdin.flush()

        if len(line) < ROOM:
            write()
        else:  # a process that reads nothing must not keep us waiting
            threading.Thread(target=write, daemon=True).start()

    def _receive(self, deadline: float, slow: str) -> dict[str, Any]:
        """Wait for the next message, looking at the clock, the processes and what is printed."""
        while True:
            try:
                line = self._replies.get(timeout=max(0.001, min(LOOK, deadline - time.monotonic())))
            except queue.Empty:
                self._look()
                if time.monotonic() > deadline:
                    raise Stopped(slow) from None
                continue
            if line is None:
                raise Stopped(self._why_ended())
            try:
                return unpack(line)
            except ValueError:
                raise Stopped(GARBAGE) from None

    def _look(self) -> None:
        """Stop a submission that prints without end, or has too many processes, or too much memory in all of them."""
        if self.printed > self.limits.printed:
            raise Stopped(f"it printed more than {self.limits.printed // 2**20} MB and was stopped.")
        if time.monotonic() - self._looked < LOOK:
            return
        self._looked = time.monotonic()
        found = processes.table()
        family = self._family(found)
        if len(family) > self.limits.processes:
            raise Stopped(f"it started more than {self.limits.processes} processes and was stopped.")
        if sum(found[number].memory for number in family) > self.limits.memory:
            raise Stopped(
                f"its processes took more than {self.limits.memory / 2**30:.3g} GB of memory and were stopped."
            )

    def _family(self, found: dict[int, processes.Process]) -> set[int]:
        """The submission's processes that are there: below it, in its session, or adopted by this one."""
        own = {number for number, process in found.items() if process.session == self.process.pid}
        family = own | processes.below(self.process.pid, found)
        if ADOPTING:
            family |= processes.below(os.getpid(), found)
        return family

    def _why_ended(self) -> str:
        """In words, why there is no process any more."""
        try:
            code = self.process.wait(2)
        except subprocess.TimeoutExpired:
            return "it closed the grader's channel."
        if code < 0:
            name = signal.Signals(-code).name if -code in list(signal.Signals) else str(-code)
            why = {
                "SIGXCPU": "it used too much processor time.",
                "SIGKILL": "it was killed: it may have taken all memory, or have killed itself.",
                "SIGSEGV": "it crashed in compiled code (SIGSEGV): out of memory, or recursion without end?",
            }
            return why.get(name, f"it was ended by the signal {name}.")
        return f"it ended its own process (exit code {code})."

    def _listen(self, stream: BinaryIO) -> None:
        """Read messages, each of a limited length, and wait while nobody takes them."""
        line: bytes | None = b""
        while line is not None:
            try:
                line = stream.readline(LONGEST + 1) or None
            except (OSError, ValueError):
                line = None
            while not self.ended:
                try:
                    self._replies.put(line, timeout=1)
                    break
                except queue.Full:
                    continue
            if self.ended:
                return

    def _print(self, stream: BinaryIO) -> None:
        """Read what is printed; keep the first part."""
        while True:
            try:
                chunk = os.read(stream.fileno(), 2**16)
            except (OSError, ValueError):
                return
            if not chunk:
                return
            self.printed += len(chunk)
            self.kept += chunk[: max(0, self.limits.kept - len(self.kept))]


def _as_user(user: str, folder: Path) -> dict[str, Any]:
    """What starts a process as another user, whose the folder becomes."""
    import pwd

    group = pwd.getpwnam(user).pw_gid
    for path in (folder, *folder.rglob("*")):
        shutil.chown(path, user, group)
    return {"user": user, "group": group, "extra_groups": []}


def can_run_as(user: str) -> bool:
    """Return whether this process can start Python with this package as another user of the system.

    Parameters
    ----------
    user : str

    Returns
    -------
    bool
    """
    try:
        with tempfile.TemporaryDirectory(prefix=PREFIX) as name:
            options = _as_user(user, Path(name))
            command = [sys.executable, "-c", "import adamcore"]
            subprocess.run(
                command, check=True, capture_output=True, cwd=name, env=_environment(Path(name)), **options
            )
    except (ImportError, KeyError, OSError, subprocess.SubprocessError):
        return False
    return True


GARBAGE = "it wrote into the channel to the grader, which is not for it."
ADOPTING = False
"""Whether this process grades one submission and has no other children; set by the judge's own process."""


def _furnish(folder: Path) -> None:
    """Put into a home what would otherwise take seconds to make: matplotlib's list of fonts."""
    config = folder / ".config" / "matplotlib"
    config.mkdir(parents=True)
    for name, content in _fonts().items():
        (config / name).write_bytes(content)


@functools.cache
def _fonts() -> dict[str, bytes]:
    """The lists of fonts that matplotlib has made on this machine."""
    import matplotlib

    found = {}
    with contextlib.suppress(OSError, RuntimeError):
        for path in Path(matplotlib.get_cachedir()).glob("fontlist-*.json"):
            found[path.name] = path.read_bytes()
    return found


def _environment(folder: Path) -> dict[str, str]:
    """All that a submission's process is told of its surroundings: nothing of the grader's."""
    import adamcore

    here = {name: os.environ[name] for name in PASSED if name in os.environ}
    home = str(folder)
    return here | {
        "HOME": home,
        "USERPROFILE": home,
        "TMPDIR": home,
        "TEMP": home,
        "TMP": home,
        "IPYTHONDIR": str(folder / ".ipython"),
        "MPLCONFIGDIR": str(folder / ".config" / "matplotlib"),
        "MPLBACKEND": "Agg",
        "JOBLIB_MULTIPROCESSING": "0",  # else it warns that isolation leaves it no semaphores
        "PYTHONUSERBASE": site.getuserbase(),
        "PYTHONPATH": str(Path(adamcore.__file__).resolve().parent.parent),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONIOENCODING": "utf-8",
        "LC_ALL": "C.UTF-8",
        **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"),
    }


PASSED = ("PATH", "SYSTEMROOT", "SYSTEMDRIVE", "COMSPEC", "PATHEXT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
"""What a process needs of its surroundings to start at all."""
