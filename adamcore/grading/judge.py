"""Judges one submission: its cells run in a process of their own, its answers are compared here.

A test of an assignment is one statement, such as ``assert (report := check("1.1", ema)), report``. Here ``check`` is
the grader's own :class:`~adamcore.checks.Checker`, with the term's key, and ``ema`` is a function that asks the
submission's process. What the notebook does to numpy, to the checks or to Python happens there and changes no mark.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import functools
import inspect
import json
import os
import re
import signal
import site
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import adamcore
from adamcore.checks import Checker, RemoteError
from adamcore.grading import processes, sandbox
from adamcore.grading.channel import decode, encode
from adamcore.grading.sandbox import GARBAGE, START, Limits, Sandbox, Stopped

LARGEST = 50 * 2**20
"""Bytes in the largest notebook that is read."""

MOST_CELLS = 2000

LONGEST_TEXT = 4000
"""Letters of one message that are kept."""


class NotReadable(ValueError):
    """A file that is no notebook; the message says what is wrong with it."""


@dataclass(frozen=True)
class Cell:
    """A cell of a notebook.

    Attributes
    ----------
    kind : {"code", "markdown", "raw"}
    source : str
    name : str
        Its id, or nothing.
    metadata : dict
    """

    kind: str
    source: str
    name: str = ""
    metadata: dict[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Submission:
    """What a notebook holds.

    Attributes
    ----------
    cells : tuple of Cell
    metadata : dict
        Its own entry ``adamcore``: assignment, term and the digest of the source.
    """

    cells: tuple[Cell, ...]
    metadata: dict[str, Any]

    @property
    def code(self) -> list[str]:
        """The sources of the code cells."""
        return [cell.source for cell in self.cells if cell.kind == "code"]


@dataclass(frozen=True)
class Test:
    """One test of a question, public or hidden."""

    __test__ = False  # no test of ours, whatever its name

    code: str
    points: float
    hidden: bool = False


@dataclass(frozen=True)
class Question:
    """A question as it is graded.

    Attributes
    ----------
    name : str
        As in the source: ``"q1_1"``.
    number : str
        As students read it: ``"1.1"``.
    points : float
    tests : tuple of Test
        None of a question that is graded by hand.
    manual : bool
    rubric : str
        What points are given for by hand; markdown.
    title : str
    """

    name: str
    number: str
    points: float
    tests: tuple[Test, ...] = ()
    manual: bool = False
    rubric: str = ""
    title: str = ""

    @property
    def section(self) -> str:
        """The section that it stands in, the first part of its number."""
        return self.number.split(".")[0]


def named(sections: Sequence[str]) -> str:
    """Return sections as a sentence names them.

    Examples
    --------
    >>> named(["6"]), named(["4", "5"]), named(["1", "2", "3"])
    ('section 6', 'sections 4 and 5', 'sections 1 to 3')
    """
    if len(sections) == 1:
        return f"section {sections[0]}"
    numbers = [int(section) for section in sections]
    in_a_row = numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    if len(sections) > 2 and in_a_row:
        return f"sections {sections[0]} to {sections[-1]}"
    return f"sections {', '.join(sections[:-1])} and {sections[-1]}"


@dataclass(frozen=True)
class Assignment:
    """An assignment as the grader needs it; made by :mod:`adamcore.grading.build`.

    Attributes
    ----------
    name, term, key : str
        For :class:`~adamcore.checks.Checker`.
    questions : tuple of Question
    title : str
    source : str
        The digest of the source that it was made from.
    alternatives : tuple of tuple of str
        Sections of which a student chooses: ``(("4", "5"), ("6",))`` for sections 4 and 5, or section 6. Only the
        best of them counts. Empty if all sections are for everybody.
    """

    name: str
    term: str
    key: str = field(repr=False)
    questions: tuple[Question, ...]
    title: str = ""
    source: str = ""
    alternatives: tuple[tuple[str, ...], ...] = ()

    @property
    def possible(self) -> float:
        """The points that tests give: of alternatives, the largest counts."""
        return self._counted(self.points(part, manual=False) for part in self._split())

    @property
    def checked(self) -> float:
        """The points that tests give, those of all alternatives added up."""
        return sum(question.points for question in self.questions if not question.manual)

    @property
    def total(self) -> float:
        """The points of all questions, by tests and by hand."""
        return sum(question.points for question in self.questions)

    @property
    def full(self) -> float:
        """The points that are full marks: of alternatives, the largest counts."""
        points = [self.points(sections) for sections in self.alternatives]
        return self.total - sum(points) + max(points, default=0.0)

    def counted(self, result: Result) -> float:
        """Return the points of a result that count: those for everybody, and the best of the alternatives.

        Only points by tests are known here. Where an alternative has questions that are graded by hand, another one
        may turn out to give more.
        """
        return self._counted(
            sum(result.points(q.name) for q in self.questions if q.section in part) for part in self._split()
        )

    def _split(self) -> list[tuple[str, ...]]:
        """The sections for everybody, then each alternative."""
        return self.parts() or [tuple(dict.fromkeys(q.section for q in self.questions))]

    @staticmethod
    def _counted(points: Iterable[float]) -> float:
        """What is given to everybody, and the most of the others."""
        everybody, *others = points
        return everybody + max(others, default=0.0)

    def points(self, sections: Collection[str], manual: bool | None = None) -> float:
        """Return the points of sections: of all their questions, or only of those by hand, or not by hand."""
        return sum(q.points for q in self.questions if q.section in sections and manual in (None, q.manual))

    def parts(self) -> list[tuple[str, ...]]:
        """Return the sections in parts: those for everybody, then each alternative; none if nothing is chosen."""
        if not self.alternatives:
            return []
        chosen = {section for sections in self.alternatives for section in sections}
        everybody = dict.fromkeys(q.section for q in self.questions if q.section not in chosen)
        return [tuple(everybody), *self.alternatives]

    def choice(self) -> str:
        """Return in a sentence what is full marks, if students choose; empty if all sections are for everybody."""
        if not self.alternatives:
            return ""
        everybody, *others = self.parts()
        points = [f"{self.points(sections):g}" for sections in others]
        either = " or ".join(f"{named(sections)} ({p})" for sections, p in zip(others, points, strict=True))
        return (
            f"{self.full:g} of all {self.total:g} points are full marks: {named(everybody)} "
            f"({self.points(everybody):g}) for everybody, then {either}, whichever gives more."
        )

    def tests(self) -> Iterator[tuple[Question, Test]]:
        """Give every test with its question, in their order."""
        for question in self.questions:
            for test in question.tests:
                yield question, test

    @classmethod
    def load(cls, path: Path) -> Assignment:
        """Read ``assignment.json``.

        Raises
        ------
        ValueError
            If it is none.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if content.pop("format") != FORMAT:
                raise ValueError("it is of another version of adamcore")
            questions = tuple(
                Question(**question | {"tests": tuple(Test(**test) for test in question["tests"])})
                for question in content.pop("questions")
            )
            alternatives = tuple(tuple(sections) for sections in content.pop("alternatives", ()))
            return cls(questions=questions, alternatives=alternatives, **content)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{path} cannot be read ({error}); make it again with: make assignments") from error

    def dump(self) -> str:
        """Return the text of ``assignment.json``."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1) + "\n"


FORMAT = 1


@dataclass
class Mark:
    """What a test gave; ``mistake`` is the name of the known mistake that fits, if one does."""

    question: str
    hidden: bool
    points: float
    earned: float
    message: str
    mistake: str = ""


@dataclass
class Result:
    """What grading a submission gave; plain data alone.

    Attributes
    ----------
    file, assignment, term, student : str
    marks : list of Mark
    errors : list of dict
        Of the cells that raised or were stopped: ``cell`` (its number among the code cells, from 1), ``line`` (its
        first), ``kind``, ``text``, ``trace``.
    answers : dict
        What was written to questions that are graded by hand, by the question's name.
    printed : str
        The first part of what the notebook printed.
    notes : list of str
        For the instructor.
    fault : str
        Why nothing could be graded, if so.
    seconds : float
    """

    file: str
    assignment: str
    term: str = ""
    student: str = ""
    marks: list[Mark] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    printed: str = ""
    notes: list[str] = field(default_factory=list)
    fault: str = ""
    seconds: float = 0.0

    @property
    def earned(self) -> float:
        """The points that the tests gave."""
        return sum(mark.earned for mark in self.marks)

    def points(self, question: str) -> float:
        """The points that the tests gave to a question."""
        return sum(mark.earned for mark in self.marks if mark.question == question)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Result:
        """Return the result that ``dataclasses.asdict`` was given."""
        return cls(**content | {"marks": [Mark(**mark) for mark in content["marks"]]})


def read_notebook(path: Path) -> Submission:
    """Read a submission, which may be anything.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Submission

    Raises
    ------
    NotReadable
        If it is no notebook with code in it; the message is for the student.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "a.ipynb"
    ...     _ = path.write_text('{"cells": []}')
    ...     read_notebook(path)
    Traceback (most recent call last):
    adamcore.grading.judge.NotReadable: there are no code cells in it
    """
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise NotReadable(f"it has {size / 2**20:.0f} MB, and more than {LARGEST // 2**20} MB are not read: "
                              "clear the outputs (Edit, Clear Outputs of All Cells) and save it again")  # fmt: skip
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise NotReadable(f"it cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        if isinstance(error, NotReadable):
            raise
        raise NotReadable("it is no notebook: its content is not JSON. Was it renamed, or cut off?") from error
    cells = content.get("cells") if isinstance(content, dict) else None
    if not isinstance(cells, list):
        raise NotReadable("it is no notebook of version 4: open it in Jupyter and save it again")
    if len(cells) > MOST_CELLS:
        raise NotReadable(f"it has {len(cells)} cells; more than {MOST_CELLS} are not run")
    read = tuple(_cell(cell) for cell in cells if isinstance(cell, dict))
    if not any(cell.kind == "code" and cell.source.strip() for cell in read):
        raise NotReadable("there are no code cells in it")
    metadata = content.get("metadata")
    own = metadata.get("adamcore") if isinstance(metadata, dict) else None
    return Submission(read, own if isinstance(own, dict) else {})


def _cell(cell: dict[str, Any]) -> Cell:
    """One cell, whatever it holds."""
    source = cell.get("source")
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    metadata = cell.get("metadata")
    return Cell(
        str(cell.get("cell_type")),
        source if isinstance(source, str) else "",
        str(cell.get("id", "")),
        metadata if isinstance(metadata, dict) else {},
    )


class Missing(NameError):
    """A name that the notebook does not have."""


class Conversation:
    """The submission's process, started again where it had to be stopped.

    What was stopped once is not run again: a cell is left out, an answer counts as wrong. So a loop without end in
    one answer costs that answer alone.

    Parameters
    ----------
    cells : list of str
        Sources of the code cells.
    limits : Limits
    user : str, optional
        The user of the system to run it as.
    """

    def __init__(self, cells: list[str], limits: Limits, user: str | None = None) -> None:
        self.cells, self.limits, self.user = cells, limits, user
        self.errors: dict[int, dict[str, Any]] = {}
        self.left_out: set[int] = set()
        self.stopped: dict[str, str] = {}
        self.printed = ""
        self.starts = 0
        self.deadline = time.monotonic() + limits.total
        self.test_deadline = self.deadline
        self.sandbox: Sandbox | None = None

    def run(self) -> None:
        """Have the cells run, in a new process if need be.

        Raises
        ------
        Stopped
            If the time, or the number of starts, is used up.
        """
        while self.sandbox is None or self.sandbox.ended:
            if self.starts > self.limits.restarts:
                raise Stopped("its process had to be stopped too many times; nothing more was tried.")
            self.starts += 1
            seconds = self._left(START)
            self.close()
            self.sandbox = Sandbox(self.limits, self.user, seconds)
            for index, source in enumerate(self.cells):
                if index in self.left_out or not source.strip():
                    continue
                try:
                    reply = self.sandbox.ask("run", self._left(self.limits.cell), source=source, cell=index + 1)
                    error = reply.get("error") or reply.get("raised")
                    if error is not None:
                        self.errors.setdefault(index, _error(error))
                except Stopped as stop:
                    self.left_out.add(index)
                    self.errors[index] = {"kind": "Stopped", "text": str(stop), "trace": ""}
                    break

    def fetch(self, name: str) -> Any:
        """Return what a name holds in the notebook: plain data, or a function that asks the process.

        Raises
        ------
        Missing
            If the notebook has no such name.
        Stopped
            If the process had to be stopped.
        """
        self.run()
        reply = self._ask("fetch", name)
        if reply.get("missing"):
            raise Missing(name)
        if "callable" in reply:
            return _function(name, reply["callable"], lambda *args, **options: self.call(name, args, options))
        return self._value(name, reply)

    def call(self, name: str, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """Call a function of the notebook; what it does to its arguments is done to these.

        Raises
        ------
        RemoteError
            If it raised.
        Stopped
            If it had to be stopped.
        """
        self.run()
        sent = {"args": [encode(arg) for arg in args], "options": {k: encode(v) for k, v in options.items()}}
        reply = self._ask("call", name, **sent)
        value = self._value(name, reply)
        changed = reply.get("changed")
        if isinstance(changed, dict):
            for place, message in changed.items():
                arg = args[int(place)] if place.isdecimal() and int(place) < len(args) else options.get(place)
                with contextlib.suppress(ValueError):
                    _write_back(arg, decode(message))
        return value

    def close(self) -> None:
        """End the process; keep what it printed."""
        if self.sandbox is not None:
            self.sandbox.close()
            self.printed = self.printed or self.sandbox.text()

    def _ask(self, operation: str, name: str, **request: Any) -> dict[str, Any]:
        """Ask about a name, unless the process had to be stopped over it before."""
        if name in self.stopped:
            raise Stopped(self.stopped[name])
        try:
            seconds = self.limits.call
            left = self.test_deadline - time.monotonic()
            if left < seconds:
                seconds = max(left, 0.01)
            return self.sandbox.ask(operation, self._left(seconds), name=name, **request)
        except Stopped as stop:
            self.stopped[name] = str(stop)
            raise

    def _value(self, name: str, reply: dict[str, Any]) -> Any:
        """The plain data in a reply; what is none becomes an object of a class of the same name."""
        if "raised" in reply:
            error = _error(reply["raised"])
            raise RemoteError(error["kind"], error["text"])
        if "foreign" in reply:
            return type(_identifier(reply["foreign"]), (), {})()
        try:
            return decode(reply["value"])
        except (ValueError, KeyError, RecursionError, MemoryError):
            self.stopped[name] = GARBAGE
            self.sandbox.close()
            raise Stopped(GARBAGE) from None

    def _left(self, seconds: float) -> float:
        """So many seconds, or what is left of the submission's."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise Stopped(f"the {self.limits.total:.3g} seconds for the whole notebook are over.")
        return min(seconds, left)


def _error(error: Any) -> dict[str, str]:
    """An exception as the process told it, each text of a limited length."""
    error = error if isinstance(error, dict) else {}
    texts = {name: clean(str(error.get(name, "")))[-LONGEST_TEXT:] for name in ("kind", "text", "trace")}
    return texts | {"kind": _identifier(texts["kind"])}


def clean(text: str) -> str:
    r"""Return a text without what no file or page can hold: single surrogates and control characters.

    Examples
    --------
    >>> clean("a\x00b")
    'a?b'
    """
    text = text.encode("utf-8", "replace").decode("utf-8")
    return re.sub("[\x00-\x08\x0b-\x1f\x7f]", "?", text.replace("\r\n", "\n"))


def without_paths(text: str) -> str:
    """Return a text without the places of this machine: a file of a package begins with the package's name.

    Parameters
    ----------
    text : str
        What a submission printed, or the message or the traceback of an exception.

    Returns
    -------
    str
        A path in the submission's own folder is told as seen from there, that folder itself is ``.``, and Python is
        ``python``.

    Examples
    --------
    >>> import numpy
    >>> without_paths(f"{numpy.__file__}:3: RuntimeWarning")
    'numpy/__init__.py:3: RuntimeWarning'
    """
    pattern, names = _places()

    def told(found: re.Match[str]) -> str:
        if found["place"] is None:
            return "" if found["sep"] else "."
        name = names[found["place"]]
        return name + found["sep"] if name else "" if found["sep"] else "python"

    return pattern.sub(told, text)


def _without_paths_in(error: dict[str, Any]) -> dict[str, Any]:
    """An exception's texts without the places of this machine."""
    return error | {name: without_paths(error[name]) for name in ("text", "trace")}


@functools.cache
def _places() -> tuple[re.Pattern[str], dict[str, str]]:
    """A pattern of the places that are not told, the longest first; and what is told of each before what follows."""
    packages = [*sys.path, *site.getsitepackages(), site.getusersitepackages()]
    packages += [sysconfig.get_path(name) for name in ("purelib", "platlib", "stdlib", "platstdlib")]
    packages += [str(Path(adamcore.__file__).parent.parent)]
    prefixes = {sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix} - {"/usr", "/usr/local"}
    names = {str(Path.home()): "~"} | dict.fromkeys(prefixes, "python") | dict.fromkeys(packages, "")
    names |= {sys.executable: "python"}
    names = {place: name for place, name in names.items() if Path(place).is_absolute() and len(Path(place).parts) > 1}
    names = _also_written(names)
    temporary = _also_written({tempfile.gettempdir(): ""})
    own = rf"(?:{_any(temporary)})[\\/]+{re.escape(sandbox.PREFIX)}\w+"
    pattern = rf"(?<![\w.~-])(?:{own}|(?P<place>{_any(names)}))(?![\w.-])(?P<sep>[\\/]*)"
    return re.compile(pattern), names


def _also_written(names: dict[str, str]) -> dict[str, str]:
    """Places with their resolved forms, and as Windows shows them in quotes, with each backslash twice."""
    names = {str(Path(place).resolve()): name for place, name in names.items()} | names
    return {place.replace("\\", "\\\\"): name for place, name in names.items()} | names


def _any(places: Iterable[str]) -> str:
    """A pattern of any of some places, the longest first."""
    return "|".join(map(re.escape, sorted(places, key=len, reverse=True)))


def _identifier(name: Any) -> str:
    """The name of a class, if it is one."""
    return name if isinstance(name, str) and name.isidentifier() and len(name) < 80 else "UnnamedError"


def _function(name: str, parameters: Any, ask: Callable[..., Any]) -> Callable[..., Any]:
    """A function that stands for the notebook's, with its name and its parameters."""
    ask.__name__ = ask.__qualname__ = name
    with contextlib.suppress(ValueError, TypeError):
        ask.__signature__ = inspect.Signature(
            [
                inspect.Parameter(
                    p, inspect._ParameterKind(kind), default=None if optional else inspect.Parameter.empty
                )
                for p, kind, optional in parameters
            ]
        )
    return ask


def _write_back(mine: Any, theirs: Any) -> None:
    """Do to an argument what the call did to its copy."""
    if isinstance(mine, np.ndarray) and isinstance(theirs, np.ndarray):
        if mine.shape == theirs.shape and mine.dtype == theirs.dtype:
            np.copyto(mine, theirs)
        elif mine.size:  # resized in place: no longer what it was, whatever it is
            np.copyto(mine, np.zeros((), mine.dtype) if mine.any() else np.ones((), mine.dtype))
    elif isinstance(mine, list) and isinstance(theirs, list):
        mine[:] = theirs
    elif isinstance(mine, dict) and isinstance(theirs, dict):
        mine.clear()
        mine.update(theirs)
    elif isinstance(mine, tuple) and isinstance(theirs, tuple) and len(mine) == len(theirs):
        for one, other in zip(mine, theirs, strict=True):
            _write_back(one, other)


def judge(
    path: Path,
    assignment: Assignment,
    limits: Limits | None = None,
    user: str | None = None,
    check: Callable[..., Any] | None = None,
) -> Result:
    """Grade one submission.

    Parameters
    ----------
    path : Path
        The notebook.
    assignment : Assignment
    limits : Limits, optional
    user : str, optional
        Run it as this user of the system; needs root.
    check : callable, optional
        Instead of the assignment's :class:`~adamcore.checks.Checker`.

    Returns
    -------
    Result
        Whatever the submission is: what is wrong with it is told there.
    """
    start = time.monotonic()
    result = Result(path.name, assignment.name, assignment.term)
    try:
        notebook = read_notebook(path)
    except NotReadable as error:
        result.fault = clean(str(error))
        for question, test in assignment.tests():
            result.marks.append(Mark(question.name, test.hidden, test.points, 0.0, f"The file: {result.fault}."))
        return result
    result.answers = written_answers(notebook, assignment)
    _note_metadata(notebook, assignment, result)
    talk = Conversation(notebook.code, limits or Limits(), user)
    with contextlib.closing(talk):
        with contextlib.suppress(Stopped):  # the tests will tell
            talk.run()
        result.student = _student(talk, notebook, result)
        if check is None:
            check = Checker(assignment.name, result.student or "nobody", term=assignment.term, key=assignment.key)
        for question, test in assignment.tests():
            mark = Mark(question.name, test.hidden, test.points, 0.0, "")
            _try(test, mark, talk, check, result)
            mark.message = without_paths(clean(mark.message))[:LONGEST_TEXT]
            result.marks.append(mark)
    result.errors = [
        {"cell": index + 1, "line": _first_line(talk.cells[index]), **_without_paths_in(error)}
        for index, error in sorted(talk.errors.items())
    ]
    result.notes += [
        f"code cell {e['cell']} was stopped: {e['text']}" for e in result.errors if e["kind"] == "Stopped"
    ]
    result.notes += [f"{name} was stopped: {why}" for name, why in talk.stopped.items()]
    result.printed = without_paths(clean(talk.printed))
    result.seconds = round(time.monotonic() - start, 1)
    return result


def _try(test: Test, mark: Mark, talk: Conversation, check: Callable[..., Any], result: Result) -> None:
    """Run one test; enter into its mark what it gives, and what to say."""
    talk.test_deadline = time.monotonic() + talk.limits.test
    space: dict[str, Any] = {"check": check, "np": np}
    tree = ast.parse(test.code)
    used = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    names = {node.id for node in used} - {node.id for node in used if isinstance(node.ctx, ast.Store)}
    try:
        for name in sorted(names - set(space) - set(dir(builtins))):
            space[name] = talk.fetch(name)
        exec(compile(tree, "<test>", "exec"), space)
    except AssertionError as error:
        mark.message = str(error)
        mark.mistake = str(getattr(error.args[0] if error.args else None, "mistake", ""))
    except Missing as error:
        mark.message = (
            f"The notebook has no {error}: the name was changed, or the cell that defines it did not run to its end."
        )
    except RemoteError as error:
        mark.message = f"Your code raised {error}"
    except Stopped as stop:
        mark.message = f"This could not be checked: {stop}"
    except Exception as error:
        what = clean(f"{type(error).__name__}: {error}"[:500])
        result.notes.append(f"a test raised {what} ({test.code})")
        mark.message = f"The test could not be made with your answer; it led to {what}. Tell your teacher."
    else:
        mark.earned = test.points
        mark.message = str(space.get("report", ""))


def written_answers(notebook: Submission, assignment: Assignment) -> dict[str, str]:
    """Return what was written to the questions that are graded by hand, by the question's name."""
    found = {}
    for question in assignment.questions:
        if question.manual:
            cells = [c for c in notebook.cells if c.metadata.get("adamcore") == {"answer": question.name}]
            cells = cells or [c for c in notebook.cells if c.name == f"answer-{question.name}"]
            found[question.name] = clean("\n\n".join(c.source for c in cells))
    return found


PEEKING = re.compile(r"adamcore\.checks\.\w|\bASSIGNMENTS\b|\.reference\b|import_module|adamcore\.grading")
"""What a notebook has no reason to name: the right answers are there."""


def _note_metadata(notebook: Submission, assignment: Assignment, result: Result) -> None:
    """Note for the instructor what does not fit between a notebook and the assignment."""
    own = notebook.metadata
    for number, source in enumerate(notebook.code, start=1):
        if found := PEEKING.search(source):
            result.notes.append(f"look at code cell {number}: it names {found[0]}")
    if not own:
        result.notes.append("the notebook does not say which assignment it is")
        return
    if own.get("term") != assignment.term:
        result.notes.append(f"the notebook is of the term {str(own.get('term'))[:40]!r}, not {assignment.term!r}")
    elif own.get("source") != assignment.source:
        result.notes.append("the notebook was made from another version of the assignment")


def _first_line(source: str) -> str:
    """The first line of a cell that says something."""
    return next((clean(line.strip())[:100] for line in source.splitlines() if line.strip()), "")


def _student(talk: Conversation, notebook: Submission, result: Result) -> str:
    """The student's id: what STUDENT holds after the cells have run, else what the notebook sets it to."""
    student: Any = None
    with contextlib.suppress(Stopped, Missing, RemoteError):
        student = talk.fetch("STUDENT")
    if not isinstance(student, str) or not student.strip():
        student = _set_in(notebook)
    if not student:
        result.notes.append("there is no STUDENT in the notebook")
    return clean(student.strip())[:100]


def _set_in(notebook: Submission) -> str:
    """The text that a cell sets STUDENT to."""
    found = re.search(r"^STUDENT\s*=\s*(['\"])(.*?)\1", "\n".join(notebook.code), re.MULTILINE)
    return found[2] if found else ""


def main() -> None:
    """Grade the submission that standard input names, and write the result to standard output; both are JSON."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever else is printed
    request = json.loads(sys.stdin.read())
    signal.signal(signal.SIGTERM, lambda *args: sys.exit(1))  # so that the submission's process is ended too
    sandbox.ADOPTING = processes.adopt()
    assignment = Assignment.load(Path(request["assignment"]))
    result = judge(Path(request["path"]), assignment, Limits(**request["limits"]), request["user"])
    json.dump(asdict(result), out)
    out.close()


if __name__ == "__main__":
    main()
