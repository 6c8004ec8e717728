"""Runs the cells of one submission, then answers the grader's questions: ``python -m adamcore.grading.worker``.

It is started by :mod:`adamcore.grading.sandbox` and knows no key, no tests and no right answers. Requests come in on
standard input and are answered on standard output, one JSON message a line; for the submission itself, standard input
is empty, and what it prints goes to standard error. Whatever it does to numpy or to this module happens here, and the
grader compares elsewhere.
"""

from __future__ import annotations

import contextlib
import inspect
import logging
import os
import sys
import traceback
import warnings
from pathlib import Path
from typing import Any, BinaryIO

from adamcore.grading.channel import LETTERS, NotPlain, decode, encode, pack, unpack
from adamcore.grading.isolation import end_with_parent, isolate

MOST = 4000
"""Letters of a traceback that are kept: its last ones."""


class Worker:
    """The submission's namespace, and what can be asked of it.

    Parameters
    ----------
    requests, replies : binary file
        The grader's end is at the other side of these.
    """

    def __init__(self, requests: BinaryIO, replies: BinaryIO) -> None:
        self.requests, self.replies = requests, replies
        self.process = os.getpid()
        self.shell = _shell()

    def serve(self) -> None:
        """Answer until the grader closes its end."""
        operations = {"run": self.run, "fetch": self.fetch, "call": self.call}
        self.reply({"ready": True})
        for line in self.requests:
            request = unpack(line)
            try:
                reply = operations[request["op"]](request)
            except BaseException as error:  # also SystemExit: the notebook's, not ours
                reply = {"raised": describe(error)}
            self.reply({"id": request["id"], **reply})

    def reply(self, message: dict[str, Any]) -> None:
        """Send one message; a copy of this process that a submission made by forking says nothing, and ends."""
        if os.getpid() != self.process:
            os._exit(0)
        line = pack(message)
        self.replies.write(line)
        self.replies.flush()

    def run(self, request: dict[str, Any]) -> dict[str, Any]:
        """Run a cell; what it raises is for the feedback."""
        self.shell.compile.get_code_name = lambda *names: f"{CELL}{request['cell']}>"
        result = self.shell.run_cell(request["source"], store_history=False)
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        error = result.error_before_exec or result.error_in_exec
        return {"error": None if error is None else describe(error)}

    def fetch(self, request: dict[str, Any]) -> dict[str, Any]:
        """Give a name's value: plain data, or that it can be called."""
        space = self.shell.user_ns
        if request["name"] not in space:
            return {"missing": True}
        value = space[request["name"]]
        if callable(value):
            return {"callable": signature(value)}
        return _sent(value)

    def call(self, request: dict[str, Any]) -> dict[str, Any]:
        """Call a name; give what it returns, and which of the arguments it changed to what."""
        args = [decode(arg) for arg in request["args"]]
        options = {name: decode(option) for name, option in request["options"].items()}
        reply = _sent(self.shell.user_ns[request["name"]](*args, **options))
        changed = {}
        for place, sent, arg in [
            *((str(i), sent, arg) for i, (sent, arg) in enumerate(zip(request["args"], args, strict=True))),
            *((name, request["options"][name], option) for name, option in options.items()),
        ]:
            with contextlib.suppress(NotPlain):
                now = encode(arg)
                # As text, since NaN does not equal itself.
                if pack({"": now}) != pack({"": sent}):
                    changed[place] = now
        return {**reply, "changed": changed}


def limit(limits: dict[str, Any]) -> None:
    """Let this process have no more than so much, as far as the system knows limits; Windows knows none of these.

    Parameters
    ----------
    limits : dict
        ``memory`` and ``file`` in bytes, ``cpu`` in seconds.
    """
    try:
        import resource
    except ImportError:
        return
    for kind, amount in (
        (resource.RLIMIT_AS, limits["memory"]),
        (resource.RLIMIT_FSIZE, limits["file"]),
        (resource.RLIMIT_CPU, limits["cpu"]),
        (resource.RLIMIT_CORE, 0),
    ):
        _, most = resource.getrlimit(kind)
        amount = amount if most == resource.RLIM_INFINITY else min(amount, most)
        with contextlib.suppress(ValueError, OSError):  # macOS does not limit a process's memory
            resource.setrlimit(kind, (amount, amount))


def describe(error: BaseException) -> dict[str, str]:
    """Return an exception as texts: its class, its message, and the end of its traceback.

    Examples
    --------
    >>> try:
    ...     1 / 0
    ... except ZeroDivisionError as error:
    ...     found = describe(error)
    >>> found["kind"], found["text"]
    ('ZeroDivisionError', 'division by zero')
    """
    try:
        text = str(error)
    except Exception:
        text = "(its message cannot be read)"
    try:
        lines = traceback.format_exception(type(error), error, _own(error.__traceback__), limit=-12)
        trace = "".join(lines)
    except Exception:
        trace = type(error).__name__
    return {"kind": str(type(error).__name__)[:LETTERS], "text": text[:MOST], "trace": trace[-MOST:]}


def _own(trace: Any) -> Any:
    """The part of a traceback that is the notebook's, without the frames of IPython and of this file."""
    while trace is not None and not trace.tb_frame.f_code.co_filename.startswith(CELL):
        trace = trace.tb_next
    return trace


CELL = "<cell "
"""How a cell is named in a traceback, before its number."""


def signature(function: Any) -> list[list[Any]] | None:
    """Return a function's parameters as lists of name, kind and whether it may be left out; None if it tells none.

    Examples
    --------
    >>> signature(lambda a, b=1: a)
    [['a', 1, False], ['b', 1, True]]
    """
    try:
        parameters = inspect.signature(function).parameters.values()
        return [[str(p.name), int(p.kind), p.default is not p.empty] for p in parameters]
    except Exception:
        return None


def _sent(value: Any) -> dict[str, Any]:
    """A value as it is sent, or what cannot be sent."""
    try:
        return {"value": encode(value)}
    except NotPlain:
        return {"foreign": type(value).__name__[:LETTERS]}


def _shell() -> Any:
    """A shell as Jupyter's, without history, colors and questions."""
    from IPython.core.history import HistoryManager
    from IPython.core.interactiveshell import InteractiveShell

    HistoryManager.enabled = False
    InteractiveShell.colors = "nocolor"
    shell = InteractiveShell.instance()
    shell.showtraceback = shell.showsyntaxerror = lambda *args, **options: None  # the grader tells of errors
    shell.enable_gui = lambda *args, **options: None
    shell.enable_matplotlib = lambda *args, **options: ("agg", "agg")  # what %matplotlib does elsewhere
    shell.system = shell.system_raw  # the other way wants a terminal of its own
    shell.displayhook.write_output_prompt = lambda: None  # cells have no numbers here
    warnings.filterwarnings("ignore", message="To exit")  # what IPython advises after sys.exit
    warnings.filterwarnings("ignore", message="FigureCanvasAgg is non-interactive")  # plt.show() where nobody looks
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)  # that it builds a list of fonts
    sys.path.insert(0, "")
    return shell


def main() -> None:
    """Take standard input and output for the grader's channel, accept the limits, and serve."""
    requests = os.fdopen(os.dup(0), "rb")
    replies = os.fdopen(os.dup(1), "wb")
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.dup2(2, 1)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace", line_buffering=True)
    end_with_parent()
    worker = Worker(requests, replies)
    limit(unpack(requests.readline()))
    isolate(Path.cwd())
    worker.serve()


if __name__ == "__main__":
    main()
