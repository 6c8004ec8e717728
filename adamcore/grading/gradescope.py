"""An autograder for Gradescope: the zip that a teacher uploads, and what runs there on each submission.

The layout and the fields are those of Gradescope's documentation, read in November 2026:

- https://gradescope-autograders.readthedocs.io/en/latest/specs/ (``setup.sh`` and ``run_autograder`` at the zip's
  root; ``/autograder/source``, ``/autograder/submission``, ``/autograder/results/results.json``; visibilities)
- https://gradescope-autograders.readthedocs.io/en/latest/best_practices/ (run submissions as another user than root,
  who may not read the source; write results whatever happens)
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from adamcore.experiments.files import write_file, write_json
from adamcore.grading.judge import Assignment, Question, Result
from adamcore.grading.sandbox import can_run_as

ROOT = Path("/autograder")
USER = "student"
"""The user that setup.sh makes, who runs submissions."""

PACKAGE = ("pyproject.toml", "README.md", "LICENSE", "LICENSE-TEXT")
"""What installing the package needs beside ``adamcore``."""

REQUIREMENTS = "ipython>=8\n"
"""What grading needs beside what the package itself asks for; otter is not needed."""

SETUP = """\
#!/usr/bin/env bash
# Run once by Gradescope, as root, on Ubuntu: installs what grading needs.
set -euo pipefail
apt-get update
apt-get install -y python3 python3-venv
# The package needs Python 3.11; Ubuntu 22.04 has an older one as python3, and a newer one beside it.
newest() {
    for python in python3.13 python3.12 python3.11 python3; do
        if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$python"
            return
        fi
    done
}
if [ -z "$(newest)" ]; then apt-get install -y python3.11 python3.11-venv || true; fi
if [ -z "$(newest)" ]; then
    echo "There is no Python 3.11 or later. Choose Ubuntu 24.04 as the base image, and build again." >&2
    exit 1
fi
"$(newest)" -m venv /autograder/venv
/autograder/venv/bin/python -m pip install /autograder/source -r /autograder/source/requirements.txt
# Submissions run as this user, who can read neither the tests nor the key.
id student >/dev/null 2>&1 || useradd --no-create-home student
chmod -R go= /autograder/source
"""

RUN = """\
#!/usr/bin/env bash
# Run by Gradescope for each submission; the two variables are for trying it elsewhere.
root="${AUTOGRADER_ROOT:-/autograder}"
exec "${AUTOGRADER_PYTHON:-$root/venv/bin/python}" -m adamcore.grading.gradescope "$root"
"""


def write_zip(path: Path, assignment: Assignment) -> None:
    """Write Gradescope's zip for an assignment: the same bytes for the same content.

    Parameters
    ----------
    path : Path
    assignment : Assignment
        With its key: whoever has the zip has the hidden cases.

    Raises
    ------
    StorageError
        If it cannot be written.
    """

    def write(file: BinaryIO) -> None:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content, mode in _members(assignment):
                entry = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
                entry.external_attr = (0o100000 | mode) << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, content)

    write_file(path, write)


def _members(assignment: Assignment) -> Iterator[tuple[str, bytes, int]]:
    """The names, contents and modes of what is in the zip."""
    yield "setup.sh", SETUP.encode(), 0o755
    yield "run_autograder", RUN.encode(), 0o755
    yield "requirements.txt", REQUIREMENTS.encode(), 0o644
    yield "assignment.json", assignment.dump().encode(), 0o600
    package = Path(__file__).resolve().parent.parent
    for name in PACKAGE:
        yield name, (package.parent / name).read_bytes(), 0o644
    for file in sorted(package.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts and not file.name.startswith("."):
            yield file.relative_to(package.parent).as_posix(), file.read_bytes(), 0o644


def run(root: Path = ROOT) -> dict[str, Any]:
    """Grade the submission in ``root/submission``, and write ``root/results/results.json``.

    Parameters
    ----------
    root : Path, default /autograder

    Returns
    -------
    dict
        What was written. It is written whatever happens.
    """
    start = time.monotonic()
    try:
        content = _graded(root)
    except Exception as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)  # for the teacher, who alone sees it
        content = {"score": 0, "output": "The autograder itself failed. Tell your teacher, who can read why."}
    content["execution_time"] = round(time.monotonic() - start)
    write_json(root / "results" / "results.json", content)
    return content


def _graded(root: Path) -> dict[str, Any]:
    """What the submission's notebook gives."""
    from adamcore.grading.folder import grade_one, which

    path = root / "source" / "assignment.json"
    assignment = Assignment.load(path)
    found = sorted(file for file in (root / "submission").rglob("*.ipynb") if not file.name.startswith("."))
    own = [file for file in found if which(file, [assignment.name])] or found
    if len(own) != 1:
        names = ", ".join(file.name for file in own)
        wrong = (
            f"there are {len(own)} notebooks ({names}); hand in one"
            if own
            else "there is no notebook (*.ipynb) in it"
        )
        return {"score": 0, "output": f"Your submission could not be graded: {wrong}."}
    _close(root)
    result = grade_one(own[0], assignment, path, user=_user())
    return to_gradescope(result, assignment)


def _close(root: Path) -> None:
    """Keep others than root out of the tests and the results."""
    for folder in (root / "source", root / "results"):
        with contextlib.suppress(OSError):
            folder.chmod(0o700)


def _user() -> str | None:
    """The user to run submissions as, if that can be chosen."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return None
    if can_run_as(USER):
        return USER
    print(f"There is no user {USER} who can run Python: submissions run as root.", file=sys.stderr)
    return None


def to_gradescope(result: Result, assignment: Assignment) -> dict[str, Any]:
    """Return a result as Gradescope reads it: one entry a test, hidden ones shown when marks are published.

    Parameters
    ----------
    result : Result
    assignment : Assignment

    Returns
    -------
    dict
    """
    questions = {question.name: question for question in assignment.questions}
    tests = [
        {
            "score": mark.earned,
            "max_score": mark.points,
            "number": questions[mark.question].number,
            "name": f"{_name(questions[mark.question])} ({'more cases' if mark.hidden else 'as in the notebook'})",
            "output": mark.message,
            "visibility": "after_published" if mark.hidden else "visible",
        }
        for mark in result.marks
    ]
    lines = [f"The file could not be graded: {result.fault}."] if result.fault else []
    for error in result.errors:
        told = error["trace"].strip() or error["text"]
        lines.append(f"Code cell {error['cell']} ({error['line']}) did not run to its end:\n{told}")
    if assignment.alternatives:
        lines.append(assignment.choice())
    if by_hand := [f"{q.number} ({q.points:g} points)" for q in assignment.questions if q.manual]:
        lines.append(f"Graded by hand: {', '.join(by_hand)}.")
    # Gradescope adds up the tests if it is given no score; of alternatives, only one counts.
    score = {"score": assignment.counted(result)} if assignment.alternatives else {}
    return {
        **score,
        "tests": tests,
        "output": "\n\n".join(lines),
        "stdout_visibility": "hidden",
        "extra_data": {"student": result.student, "notes": result.notes},
    }


def _name(question: Question) -> str:
    """A question's title."""
    return question.title or f"question {question.number}"


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT), indent=1))
