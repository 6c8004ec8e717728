"""Makes an assignment's student version, solutions and autograder from its one source.

The source is a notebook in otter-grader's format, in ``book/assignments/sources``. ``otter assign`` separates student
version and solutions, and runs the solutions; everything else is done here, and grading does not need otter.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import hmac
import importlib.util
import json
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adamcore.checks import ALTERNATIVES
from adamcore.checks.core import SAMPLE
from adamcore.experiments.files import write_file
from adamcore.grading.gradescope import write_zip
from adamcore.grading.judge import Assignment, Question, Test, judge

SOURCES = Path("book") / "assignments" / "sources"
INSTALL = 'python -m pip install -e ".[course]"'
"""What installs otter-grader."""

PLACEHOLDER = "*Type your answer here, in place of this line.*"


class BuildError(ValueError):
    """A source that cannot be made into an assignment; the message names it and says what is wrong."""


@dataclass(frozen=True)
class Built:
    """What was written for one assignment."""

    assignment: Assignment
    student: Path
    solutions: Path
    autograder: Path
    package: Path


def term_key(secret: str) -> str:
    """Return the key of a term's hidden cases: from the secret, and of no use to get it back.

    Parameters
    ----------
    secret : str
        The term's secret, TERM_SECRET.

    Returns
    -------
    str
        Hexadecimal digits.

    Examples
    --------
    >>> len(term_key("a secret")), term_key("a secret") == term_key("another")
    (64, False)
    """
    return hmac.new(secret.encode(), b"hidden", hashlib.sha256).hexdigest()


def digest(notebook: dict[str, Any]) -> str:
    """Return the SHA-256 of a notebook's cells: their kinds, ids and sources.

    Examples
    --------
    >>> digest({"cells": []}) == digest({"cells": [], "metadata": {"kernelspec": {}}})
    True
    """
    cells = [[cell["cell_type"], cell.get("id", ""), _text(cell)] for cell in notebook["cells"]]
    return hashlib.sha256(json.dumps(cells).encode()).hexdigest()


def build(source: Path, out: Path, term: str = SAMPLE, key: str = SAMPLE) -> Built:
    """Make everything of one assignment.

    Parameters
    ----------
    source : Path
        The source notebook.
    out : Path
        The folder to write ``student``, ``keys`` and ``autograder`` into.
    term, key : str, default "sample"

    Returns
    -------
    Built

    Raises
    ------
    BuildError
        If the source is not as it should be, a solution does not get full marks, or the student version gets any.
    """
    name = source.stem
    notebook = _read(source)
    student, solved = _assign(source)
    assignment = Assignment(
        name,
        term,
        key,
        read_questions(notebook, solved, source),
        _title(notebook),
        digest(notebook),
        ALTERNATIVES.get(name, ()),
    )
    own = {"adamcore": {"assignment": name, "term": term, "source": assignment.source}}
    texts = {
        "student": dump(_finished(student, assignment, own)),
        "keys": dump(_finished(solved, assignment, own)),
    }
    _prove(assignment, texts)
    paths = {}
    for kind, text in texts.items():
        paths[kind] = out / kind / f"{name}.ipynb"
        _write(paths[kind], text)
    folder = out / "autograder" / name
    _write(folder / "assignment.json", assignment.dump())
    package = out / "autograder" / f"{name}.zip"
    write_zip(package, assignment)
    if term != SAMPLE:
        for folder_of_term in (out / "autograder", out / "keys"):
            with contextlib.suppress(OSError):
                folder_of_term.chmod(0o700)  # on a machine that students share
    return Built(assignment, paths["student"], paths["keys"], folder, package)


def dump(notebook: dict[str, Any]) -> str:
    """Return a notebook's text as Jupyter writes it."""
    return json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def read_questions(source: dict[str, Any], solved: dict[str, Any], path: Path) -> tuple[Question, ...]:
    """Return the questions of a source in their order, with their tests as otter has extracted them.

    Parameters
    ----------
    source : dict
        The source notebook.
    solved : dict
        The notebook with solutions that otter made, which holds the tests in its metadata.
    path : Path
        The source's, for messages.

    Raises
    ------
    BuildError
        If points are missing or do not add up.
    """
    tests = solved.get("metadata", {}).get("otter", {}).get("tests", {})
    questions: list[Question] = []
    begun: dict[str, Any] | None = None
    for cell in source["cells"]:
        text = _text(cell)
        if cell["cell_type"] == "raw" and text.startswith("# BEGIN QUESTION"):
            begun = _config(text)
        elif cell["cell_type"] == "raw" and text.startswith("# END QUESTION") and begun is not None:
            questions.append(_question(begun, tests, path))
            begun = None
        elif cell["cell_type"] == "markdown" and begun is not None:
            begun.setdefault("title", _heading(text))
            if "**Rubric" in text:
                begun["rubric"] = re.split(r"\*\*Rubric\.?\*\*\.?", text, maxsplit=1)[-1].strip()
    if not questions:
        raise BuildError(f"{path}: there is no question in it (a raw cell that begins with # BEGIN QUESTION)")
    return tuple(questions)


def _question(config: dict[str, Any], tests: dict[str, Any], path: Path) -> Question:
    """One question, from the lines of its first cell and otter's tests."""
    name = config.get("name", "")
    where = f"{path}, question {name or '(without a name)'}"
    if not re.fullmatch(r"q\d+(_\d+)*", name):
        raise BuildError(f"{where}: its name has to be like q1_2")
    number = name[1:].replace("_", ".")
    try:
        points = float(config["points"])
    except (KeyError, ValueError):
        raise BuildError(f"{where}: there has to be a line such as points: 3") from None
    common = {"name": name, "number": number, "points": points, "title": config.get("title", "")}
    if config.get("manual") == "true":
        if not config.get("rubric"):
            raise BuildError(f"{where}: a question that is graded by hand needs a **Rubric** in its solution cell")
        return Question(**common, manual=True, rubric=config["rubric"])
    cases = [case for suite in tests.get(name, {}).get("suites", ()) for case in suite["cases"]]
    if not cases or any(case.get("points") is None for case in cases):
        raise BuildError(f"{where}: it needs tests, and each of them a line such as points: 1 in its TEST CONFIG")
    found = tuple(Test(_statement(case["code"]), float(case["points"]), bool(case["hidden"])) for case in cases)
    if sum(test.points for test in found) != points:
        raise BuildError(f"{where}: its tests give {sum(test.points for test in found):g} points, not {points:g}")
    return Question(**common, tests=found)


def _config(text: str) -> dict[str, Any]:
    """The lines ``name: value`` of a raw cell."""
    pairs = (line.split(":", 1) for line in text.splitlines()[1:] if ":" in line)
    return {key.strip(): value.strip() for key, value in pairs}


def _heading(text: str) -> str:
    """The title in a prompt's heading: ``### Question 1.1: the recursion (3 points)`` gives ``the recursion``."""
    first = next((line for line in text.splitlines() if line.startswith("#")), "")
    title = re.sub(r"^#+\s*(Question\s+[\d.]*\d\s*:?)?\s*", "", first)
    return re.sub(r"\s*\([\d.]+ points?\)\s*$", "", title)


def _title(notebook: dict[str, Any]) -> str:
    """The notebook's first heading."""
    lines = (
        line for cell in notebook["cells"] if cell["cell_type"] == "markdown" for line in _text(cell).splitlines()
    )
    return next((line.lstrip("# ").strip() for line in lines if line.startswith("# ")), "")


def _statement(code: str) -> str:
    """A test as otter stores it, without its prompts."""
    return "".join(line.removeprefix(">>> ").removeprefix("... ") for line in code.splitlines(keepends=True)).strip()


def _read(path: Path) -> dict[str, Any]:
    """A source notebook."""
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        digest(notebook)
    except (ValueError, KeyError, TypeError) as error:
        raise BuildError(f"{path}: this is no notebook of version 4 ({error})") from error
    return notebook


def _assign(source: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """What ``otter assign`` makes of a source: the student version and the one with solutions; it runs the latter."""
    if importlib.util.find_spec("otter") is None:
        raise BuildError(f"otter-grader is not installed; install it with: {INSTALL}")
    with tempfile.TemporaryDirectory(prefix="adamcore-assign-") as folder:
        out = Path(folder) / "out"
        done = subprocess.run(
            [sys.executable, "-m", "otter", "assign", "--no-pdfs", str(source.resolve()), str(out)],
            cwd=folder,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode != 0:
            raise BuildError(f"{source}: otter refuses it.\n{_end(done.stdout + done.stderr)}")
        return tuple(_read(out / kind / source.name) for kind in ("student", "autograder"))  # type: ignore[return-value]


def _end(text: str) -> str:
    """The last lines of what a program printed."""
    return "\n".join(text.strip().splitlines()[-25:])


def _finished(notebook: dict[str, Any], assignment: Assignment, own: dict[str, Any]) -> dict[str, Any]:
    """A notebook of otter's without its traces: no outputs, tags and tests; stable ids; the term in its Checker."""
    cells = []
    manual = iter([question.name for question in assignment.questions if question.manual])
    termed = False
    for cell in copy.deepcopy(notebook["cells"]):
        tags = cell["metadata"].get("tags", [])
        text = re.sub(r"<!-- (BEGIN|END) QUESTION -->\s*", "", _text(cell))
        metadata = {k: v for k, v in cell["metadata"].items() if k not in ("otter", "tags", "deletable", "editable")}
        if kept := [tag for tag in tags if not tag.startswith("otter_")]:
            metadata["tags"] = kept
        if cell["cell_type"] == "code":
            text = _without_markers(text)
        name = cell.get("id", "")
        if cell["cell_type"] == "markdown" and "otter_answer_cell" in tags:
            question = next(manual)
            name, metadata["adamcore"] = f"answer-{question}", {"answer": question}
            text = PLACEHOLDER
        elif cell["cell_type"] == "code" and assignment.term != SAMPLE:
            text, found = re.subn(
                rf'Checker\("{re.escape(assignment.name)}", STUDENT\)',
                f'Checker("{assignment.name}", STUDENT, term={json.dumps(assignment.term)})',
                text,
            )
            termed = termed or bool(found)
        if not text.strip():
            continue
        new = {"cell_type": cell["cell_type"], "id": name, "metadata": metadata, "source": text.splitlines(True)}
        if cell["cell_type"] == "code":
            new |= {"execution_count": None, "outputs": []}
        cells.append(new)
    if assignment.term != SAMPLE and not termed:
        raise BuildError(
            f'{assignment.name}: no cell holds Checker("{assignment.name}", STUDENT), where the term belongs'
        )
    kept = {key: notebook["metadata"][key] for key in ("kernelspec", "language_info") if key in notebook["metadata"]}
    return {"cells": cells, "metadata": kept | own, "nbformat": 4, "nbformat_minor": 5}


def _without_markers(text: str) -> str:
    """A solution without otter's comments."""
    text = re.sub(
        r'^[ \t]*""" # BEGIN PROMPT\n.*?^[ \t]*"""\s*# END PROMPT\n?', "", text, flags=re.MULTILINE | re.DOTALL
    )
    text = re.sub(r"^[ \t]*# (BEGIN|END) SOLUTION( NO PROMPT)?[ \t]*\n?", "", text, flags=re.MULTILINE)
    return re.sub(r"[ \t]*# SOLUTION( NO PROMPT)?[ \t]*$", "", text, flags=re.MULTILINE).rstrip("\n")


def _prove(assignment: Assignment, texts: dict[str, str]) -> None:
    """Refuse one whose solutions do not get full marks from the grader, or whose student version has any."""
    with tempfile.TemporaryDirectory(prefix="adamcore-prove-") as folder:
        for kind, wanted in (("keys", assignment.checked), ("student", 0)):
            path = Path(folder) / f"{kind}.ipynb"
            path.write_text(texts[kind], encoding="utf-8")
            result = judge(path, assignment)
            if result.earned != wanted:
                wrong = [m for m in result.marks if (m.earned != m.points) == (kind == "keys")]
                raise BuildError(
                    f"{assignment.name}: the {'solutions' if kind == 'keys' else 'student version'} would get "
                    f"{result.earned:g} of {assignment.checked:g} points instead of {wanted:g}:\n"
                    + "\n".join(f"  {m.question}{', hidden' if m.hidden else ''}: {m.message}" for m in wrong)
                    + "".join(f"\n  cell {e['cell']}: {e['kind']}: {e['text']}" for e in result.errors)
                )


def _text(cell: dict[str, Any]) -> str:
    """A cell's source as one text."""
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def _write(path: Path, text: str) -> None:
    """Write a text whole or not at all."""
    write_file(path, lambda file: file.write(text.encode("utf-8")))
