"""Grades a folder of submissions: marks in one CSV, and a page of feedback for each."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import re
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

from joblib import Parallel, delayed

from adamcore.experiments.files import require_writable, write_file
from adamcore.grading.feedback import page
from adamcore.grading.judge import Assignment, Mark, NotReadable, Result, read_notebook
from adamcore.grading.sandbox import Limits

SLACK = 120
"""Seconds more than a submission's that its grader gets before it is taken for stuck."""


class FolderError(ValueError):
    """A folder that cannot be graded; the message says what to do."""


def load_assignments(folder: Path) -> dict[str, Assignment]:
    """Return the assignments of a folder of autograders by their names.

    Parameters
    ----------
    folder : Path
        What ``make assignments`` has made: ``_build/assignments/sample/autograder``, or that of a term.

    Raises
    ------
    FolderError
        If there are none.
    """
    found = [Assignment.load(path) for path in sorted(folder.glob("*/assignment.json"))]
    if not found:
        raise FolderError(
            f"there are no autograders in {folder}. Make them first: make assignments, or for a term: make "
            "assignments TERM=2027s, with TERM_SECRET in the environment, and grade with that TERM too"
        )
    return {assignment.name: assignment for assignment in found}


def submissions(folder: Path) -> list[Path]:
    """Return the notebooks below a folder, without Jupyter's checkpoints.

    Raises
    ------
    FolderError
        If there is no such folder, or no notebook in it.
    """
    if not folder.is_dir():
        raise FolderError(f"there is no folder {folder}: name the one that holds the notebooks that were handed in")
    found = [
        path
        for path in sorted(folder.rglob("*.ipynb"))
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts[:-1])
        and not path.name.startswith("._")
    ]  # fmt: skip
    if not found:
        raise FolderError(f"there is no notebook (*.ipynb) in {folder} or below it")
    return found


def which(path: Path, assignments: Iterable[str]) -> str:
    """Return the name of the assignment that a notebook answers, by itself, else its code, else its file's name.

    Parameters
    ----------
    path : Path
    assignments : iterable of str
        The names to choose from.

    Returns
    -------
    str
        Empty if it cannot be told.
    """
    names = list(assignments)
    with contextlib.suppress(NotReadable):
        notebook = read_notebook(path)
        if notebook.metadata.get("assignment") in names:
            return notebook.metadata["assignment"]
        for source in notebook.code:
            for name in re.findall(r"Checker\(\s*['\"](\w+)['\"]", source):
                if name in names:
                    return name
    named = [name for name in names if name in path.name.lower()]
    return named[0] if len(named) == 1 else ""


def grade(
    folder: Path,
    assignments: dict[str, Assignment],
    autograders: Path,
    *,
    jobs: int = 1,
    limits: Limits | None = None,
    user: str | None = None,
    progress: Callable[[int], contextlib.AbstractContextManager[Callable[[], object]]] | None = None,
) -> list[Result]:
    """Grade every notebook below a folder, and write ``grades.csv`` and ``feedback`` into it.

    Parameters
    ----------
    folder : Path
    assignments : dict
        From :func:`load_assignments`.
    autograders : Path
        The folder they come from.
    jobs : int, default 1
        Submissions at a time.
    limits : Limits, optional
        For each of them.
    user : str, optional
        Run submissions as this user of the system; needs root.
    progress : callable, optional
        Given the number of submissions, a context that gives what to call after each.

    Returns
    -------
    list of Result
        In the order of the files' names.

    Raises
    ------
    FolderError
        If there is nothing to grade.
    """
    found = submissions(folder)
    require_writable(folder)
    limits = limits or Limits()
    results: dict[Path, Result] = {}
    with Graders() as graders, (progress or _silent)(len(found)) as tick:

        def one(path: Path) -> tuple[Path, Result]:
            return path, _graded(path, assignments, autograders, limits, user, graders)

        work = Parallel(n_jobs=jobs, backend="threading", return_as="generator_unordered")
        for path, result in work(delayed(one)(path) for path in found):
            result.file = path.relative_to(folder).as_posix()
            results[path] = result
            tick()
    ordered = [results[path] for path in found]
    _note_doubles(ordered)
    _note_names(ordered)
    for path, result in results.items():
        target = folder / "feedback" / path.relative_to(folder).with_suffix(".html")
        text = page(result, assignments.get(result.assignment))
        write_file(target, lambda file, text=text: file.write(text.encode("utf-8", "replace")))
    table = to_csv(ordered, assignments)
    write_file(folder / "grades.csv", lambda file: file.write(table.encode("utf-8-sig", "replace")))
    return ordered


@contextlib.contextmanager
def _silent(count: int) -> Iterator[Callable[[], object]]:
    """No progress."""
    yield lambda: None


class Graders:
    """The graders' processes that are running, so that an interrupted command leaves none behind."""

    def __init__(self) -> None:
        self.running: set[subprocess.Popen] = set()
        self.lock = threading.Lock()
        self.over = False

    def __enter__(self) -> Graders:
        return self

    def __exit__(self, *error: object) -> None:
        with self.lock:
            self.over = True
            for process in self.running:
                process.terminate()

    def run(self, request: str, seconds: float) -> tuple[int | None, str, str]:
        """Run one grader; its exit code, or None if it took too long, and what it printed."""
        with self.lock:
            if self.over:
                raise FolderError("interrupted")
            process = subprocess.Popen(
                [sys.executable, "-m", "adamcore.grading.judge"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
            )
            self.running.add(process)
        try:
            out, err = process.communicate(request, timeout=seconds)
        except subprocess.TimeoutExpired:
            process.terminate()
            try:
                process.communicate(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
            return None, "", ""
        finally:
            with self.lock:
                self.running.discard(process)
        return process.returncode, out, err


def _graded(
    path: Path,
    assignments: dict[str, Assignment],
    autograders: Path,
    limits: Limits,
    user: str | None,
    graders: Graders,
) -> Result:
    """One submission of any of the assignments."""
    name = which(path, assignments) or (next(iter(assignments)) if len(assignments) == 1 else "")
    if name:
        source = autograders / name / "assignment.json"
        return grade_one(path, assignments[name], source, limits=limits, user=user, graders=graders)
    fault = "it cannot be told which assignment this is"
    with contextlib.suppress(NotReadable):
        read_notebook(path)
        return Result(path.name, "", fault=f"{fault}; there are: {', '.join(assignments)}")
    return Result(path.name, "", fault=f"{fault}: it is no notebook that can be read")


def grade_one(
    path: Path,
    assignment: Assignment,
    source: Path,
    *,
    limits: Limits | None = None,
    user: str | None = None,
    graders: Graders | None = None,
) -> Result:
    """Grade one submission through a process that it may bring down without harm to others.

    Parameters
    ----------
    path : Path
    assignment : Assignment
    source : Path
        The ``assignment.json`` that it comes from.
    limits : Limits, optional
    user : str, optional
        Run the submission as this user of the system; needs root.
    graders : Graders, optional
        Where to enter the process while it runs.

    Returns
    -------
    Result
    """
    limits = limits or Limits()
    request = {
        "path": str(path.resolve()),
        "assignment": str(source.resolve()),
        "limits": asdict(limits),
        "user": user,
    }
    with contextlib.nullcontext(graders) if graders else Graders() as running:
        code, out, err = running.run(json.dumps(request), limits.total + SLACK)
    try:
        return Result.from_json(json.loads(out))
    except (ValueError, KeyError, TypeError):
        fault = "the process that grades it was ended from outside: it may have been the notebook that did it"
        if code is None:
            fault = f"grading it took longer than {limits.total + SLACK:.3g} seconds"
        result = Result(path.name, assignment.name, assignment.term, fault=fault)
        lines = err.strip().splitlines()
        result.notes.append(f"grading ended with the exit code {code}{': ' + lines[-1][:300] if lines else ''}")
        result.marks = [Mark(q.name, t.hidden, t.points, 0.0, f"{fault}.") for q, t in assignment.tests()]
        return result


def _note_doubles(results: list[Result]) -> None:
    """Note where one student has handed in two files for one assignment."""
    count = Counter((result.student, result.assignment) for result in results if result.student)
    for result in results:
        if count[result.student, result.assignment] > 1:
            others = [
                other.file
                for other in results
                if other is not result and (other.student, other.assignment) == (result.student, result.assignment)
            ]
            result.notes.append(f"the same student also handed in {', '.join(others)}")


def _note_names(results: list[Result]) -> None:
    """Note where the id in the notebook is not in the file's name, if most files are named by their ids."""
    named = [bool(r.student) and r.student.lower() in r.file.lower() for r in results]
    usual = sum(named) > len(results) / 2
    for result, is_named in zip(results, named, strict=True):
        if result.student == "sample":
            result.notes.append("the student id is still 'sample'")
        elif usual and result.student and not is_named:
            result.notes.append(f"the student id in the notebook, {result.student!r}, is not in the file's name")


def to_csv(results: list[Result], assignments: dict[str, Assignment]) -> str:
    """Return the marks as CSV, one line a submission, with a column for each question.

    Parameters
    ----------
    results : list of Result
    assignments : dict
        Their assignments by name.

    Returns
    -------
    str
        Texts that a spreadsheet would take for a formula begin with an apostrophe.
    """
    used = [assignments[name] for name in dict.fromkeys(r.assignment for r in results) if name in assignments]
    numbers = list(dict.fromkeys(q.number for assignment in used for q in assignment.questions if not q.manual))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(
        [
            "file",
            "student",
            "assignment",
            *numbers,
            "total",
            "possible",
            "open by hand",
            "full marks",
            "seconds",
            "mistakes",
            "notes",
        ]
    )
    for result in results:
        assignment = assignments.get(result.assignment)
        questions = assignment.questions if assignment else ()
        points = {q.number: _number(result.points(q.name)) for q in questions if not q.manual}
        title = {q.name: q.number for q in questions}
        mistakes = dict.fromkeys(f"{title[mark.question]} {mark.mistake}" for mark in result.marks if mark.mistake)
        row = [
            result.file,
            result.student,
            result.assignment,
            *(points.get(number, "") for number in numbers),
            _number(assignment.counted(result)) if assignment else "",
            _number(assignment.possible) if assignment else "",
            _number(sum(q.points for q in questions if q.manual)) if assignment else "",
            _number(assignment.full) if assignment else "",
            result.seconds,
            "; ".join(mistakes),
            "; ".join(filter(None, [result.fault, *result.notes])),
        ]
        writer.writerow([defused(cell) if isinstance(cell, str) else cell for cell in row])
    return out.getvalue()


def defused(text: str) -> str:
    """Return a text so that no spreadsheet takes it for a formula.

    Examples
    --------
    >>> defused("=1+1"), defused("a=1")
    ("'=1+1", 'a=1')
    """
    text = text.replace("\r", " ").replace("\n", " ").replace("\t", " ")
    return f"'{text}" if text.lstrip()[:1] in tuple("=+-@|%") else text


def _number(points: float) -> float | int:
    """3.0 as 3."""
    return int(points) if points == int(points) else round(points, 4)


def summary(results: list[Result], assignments: dict[str, Assignment]) -> str:
    """Return in lines how a course did: each question's share of full marks, and the mistake that is made most.

    Parameters
    ----------
    results : list of Result
    assignments : dict
        Their assignments by name.

    Returns
    -------
    str
    """
    lines = []
    for name, assignment in assignments.items():
        own = [result for result in results if result.assignment == name]
        if not own:
            continue
        mean = sum(assignment.counted(result) for result in own) / len(own)
        lines.append(f"{name}: {len(own)} graded, on average {mean:.1f} of {assignment.possible:g} points by checks")
        lines += [f"  {assignment.choice()}"] if assignment.alternatives else []
        for question in assignment.questions:
            if question.manual:
                lines.append(f"  {question.number:5s} {question.points:g} points by hand")
                continue
            full = sum(result.points(question.name) == question.points for result in own)
            made = Counter()
            for result in own:
                made.update({m.mistake for m in result.marks if m.question == question.name and m.mistake})
            often = "".join(f"; most often: {mistake} ({count})" for mistake, count in made.most_common(1))
            lines.append(f"  {question.number:5s} {full:3d} of {len(own)} with full marks{often}")
    unread = [result.file for result in results if not result.assignment]
    if unread:
        lines.append(f"not graded, since it cannot be told which assignment they are: {', '.join(unread)}")
    return "\n".join(lines)
