"""A folder of submissions graded by one command: right, wrong in every known way, broken and hostile ones."""

import csv
import json
import secrets
import subprocess
import sys
from dataclasses import dataclass

import pytest

from adamcore.checks import ASSIGNMENTS
from adamcore.grading import isolation, processes

pytestmark = pytest.mark.slow

ANSWERS = {
    "1.1": "average",
    "1.2": "m_3",
    "1.3": "weights",
    "1.4": "total",
    "1.5": "half_life",
    "1.6": "beta_for",
    "1.7": "corrected",
    "1.8": "uncorrected_step",
    "1.9": "largest_at",
}
POINTS = {"1.1": 3, "1.2": 2, "1.3": 3, "1.4": 2, "1.5": 2, "1.6": 2, "1.7": 4, "1.8": 2, "1.9": 2}
MISTAKES = max(len(ASSIGNMENTS["averages"][name].mistakes) for name in ANSWERS)
MARKER = str(10**8 + secrets.randbelow(10**8))
"""Seconds that a process sleeps which a submission leaves behind: nobody else's does."""


@dataclass
class Expected:
    """What is known of a submission: the questions that it loses, and words of its feedback."""

    lost: tuple[str, ...] = ()
    words: str = ""


NOTHING = tuple(POINTS)


def planted(number):
    """A cell that gives every answer with its mistake of this number, and those right that have not so many."""
    lines = ["from adamcore.checks import ASSIGNMENTS"]
    for question, name in ANSWERS.items():
        of = f'ASSIGNMENTS["averages"]["{question}"]'
        known = ASSIGNMENTS["averages"][question]
        answer = f"{of}.mistakes[{number}].wrong" if number < len(known.mistakes) else f"{of}.reference"
        if hasattr(known, "data"):
            lines.append(f'data = check.data("{question}")')
            answer += "(*data)" if question == "1.9" else "(data)"
        lines.append(f"{name} = {answer}")
    return "\n".join(lines)


EQUAL = """
import numpy as np
class Array(np.ndarray):
    def __eq__(self, other):
        return True
class Number(float):
    def __eq__(self, other):
        return True
    def __sub__(self, other):
        return 0.0
    def __abs__(self):
        return 0.0
average = corrected = lambda g, beta: np.zeros(np.shape(g)).view(Array)
weights = lambda t, beta: np.zeros(t).view(Array)
total = lambda t, beta: Number(0.3)
half_life = beta_for = lambda value: Number(0.3)
uncorrected_step = lambda t, beta1, beta2: Number(0.3)
m_3 = largest_at = Number(0.3)
"""
PATCHES = """
import builtins, sys
import numpy as np
import adamcore.checks.core as core
import adamcore.grading.channel as channel
np.isclose = np.allclose = lambda *a, **k: True
core.close = lambda *a, **k: True
core.Report.__bool__ = lambda self: True
core.Checker.__call__ = lambda *a, **k: True
sys.modules["adamcore.checks"] = sys.modules["adamcore.grading.judge"] = core
builtins.all = lambda values: True
"""
LEAVES = f"""
import os
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execvp("sleep", ["sleep", "{MARKER}"])
    os._exit(0)
"""
GARBAGE = """
import os
for handle in range(3, 30):
    try:
        os.write(handle, b'{"id": 1, "value": 7}\\n')
    except OSError:
        pass
"""
HARMLESS = {  # what a solution does beside: it costs nothing, since the answers are right
    "loops in a cell": ("while True: pass", "longer than"),
    "exits": ("import sys\nsys.exit(1)", "SystemExit"),
    "exits at once": ("import os\nos._exit(3)", "exit code 3"),
    "prints megabytes": ("print('x' * 50_000_000)\nprint('<script>alert(1)</script>')", "bytes more"),
    "prints without end": ("while True: print('x' * 10_000)", "printed more than"),
    "allocates without end": ("kept = []\nwhile True: kept.append(np.ones(10**7))", "MemoryError"),
    "forks": ("import os\nfor _ in range(3): os.fork()", ""),
    "leaves a process": (LEAVES, ""),
    "closes everything": ("import os\nos.closerange(0, 100)", "closed the grader|exit code"),
    "writes into the pipe": (GARBAGE, "wrote into the channel"),
    "crashes": ("import ctypes\nctypes.string_at(0)", "SIGSEGV"),
    "imports what is not there": ("import no_such_module", "No module named"),
    "asks": ("name = input('Who are you?')", "EOFError"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("submissions")


@pytest.fixture(scope="module")
def expected(built, folder):
    """Write the submissions; what is known of each."""
    solved = json.loads(built.solutions.read_text())
    blank = json.loads(built.student.read_text())
    known = {}

    def hand_in(name, notebook, more="", lost=(), words="", student=None, after="hand-in"):
        notebook = json.loads(json.dumps(notebook))
        for cell in notebook["cells"]:
            lines = "".join(cell["source"])
            cell["source"] = lines.replace('STUDENT = "sample"', f'STUDENT = "{student or name}"')
        if more:
            place = [cell["id"] for cell in notebook["cells"]].index(after)
            cell = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": more}
            notebook["cells"].insert(place + 1, cell)
        (folder / f"{name}.ipynb").write_text(json.dumps(notebook))
        known[f"{name}.ipynb"] = Expected(tuple(lost), words)

    hand_in("the solution", solved)
    hand_in("the solution again", solved, student="the solution")
    hand_in("nothing", blank, lost=NOTHING, words="returns nothing")
    for number in range(MISTAKES):
        having = [name for name in ANSWERS if number < len(ASSIGNMENTS["averages"][name].mistakes)]
        hand_in(f"mistake {number}", solved, planted(number), lost=having)
    for name, (cell, words) in HARMLESS.items():
        hand_in(name, solved, cell, words=words, after="setup")
    hand_in("loops in an answer", solved, "def half_life(beta):\n    while True: pass", ["1.5"], "longer than")
    hand_in("exits in an answer", solved, "import os\ndef half_life(beta): os._exit(0)", ["1.5"], "exit code 0")
    hand_in("renames", solved, "mean = average\ndel average", ["1.1", "1.7"], "has no average")
    hand_in("a wrong cell", solved, "def half_life(beta:", words="SyntaxError")
    hand_in("patches", blank, PATCHES, NOTHING, after="setup")
    hand_in("equal to all", blank, EQUAL, NOTHING)
    kills = "import os\nos.kill(os.getppid(), 9)"
    if isolation.version() >= 6:
        hand_in("kills its grader", solved, kills, words="PermissionError")
    else:
        hand_in("kills its grader", solved, kills, NOTHING, "ended from outside")
    for name, content, words in (
        ("empty averages", b"", "not JSON"),
        ("cut averages", json.dumps(solved).encode()[:5000], "not JSON"),
        ("averages without cells", b'{"cells": [], "metadata": {}, "nbformat": 4}', "no code cells"),
    ):
        (folder / f"{name}.ipynb").write_bytes(content)
        known[f"{name}.ipynb"] = Expected(NOTHING, words)
    with (folder / "huge averages.ipynb").open("wb") as file:
        file.truncate(60 * 2**20)
    known["huge averages.ipynb"] = Expected(NOTHING, "60 MB")
    return known


@pytest.fixture(scope="module")
def graded(built, folder, expected):
    """Grade them all by one command; the table."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "adamcore", "grade", str(folder), "--quiet", "--jobs", "2"),
            *("--autograders", str(built.autograder.parent), "--cell-seconds", "30", "--call-seconds", "5"),
            *("--memory", "2"),
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    with (folder / "grades.csv").open(encoding="utf-8-sig") as file:
        return {row["file"]: row for row in csv.DictReader(file)}, done.stdout


def test_there_are_as_many_marks_as_submissions(expected, graded):
    table, _ = graded
    assert len(expected) >= 30
    assert table.keys() == expected.keys()


def test_every_submission_gets_what_is_known_of_it(expected, graded):
    table, _ = graded
    wrong = {}
    for name, known in expected.items():
        row = table[name]
        for question, points in POINTS.items():
            given = float(row[question])
            if (given < points) if question in known.lost else (given == points):
                continue
            wrong[name, question] = given, row["notes"]
        if known.lost == NOTHING and not name.startswith("mistake"):
            assert float(row["total"]) == 0, name
        assert float(row["total"]) == sum(float(row[question]) for question in POINTS)
        assert (row["possible"], row["open by hand"]) == ("22", "8")
    assert not wrong


def test_every_page_says_why(expected, graded, folder):
    for name, known in expected.items():
        page = (folder / "feedback" / name).with_suffix(".html").read_text(encoding="utf-8")
        assert any(words in page for words in known.words.split("|")), name
        assert "<script" not in page
        assert "the key of a term" not in page


def test_a_known_mistake_is_named_in_the_table(graded):
    table, summary = graded
    for number in range(MISTAKES):
        named = table[f"mistake {number}.ipynb"]["mistakes"]
        for question in ANSWERS:
            mistakes = ASSIGNMENTS["averages"][question].mistakes
            if number < len(mistakes):
                assert f"{question} {mistakes[number].name}" in named
    assert "most often" in summary


def test_what_is_strange_is_noted(graded):
    table, _ = graded
    assert "also handed in the solution again.ipynb" in table["the solution.ipynb"]["notes"]
    assert "it names ASSIGNMENTS" in table["mistake 0.ipynb"]["notes"]
    assert "it names adamcore.checks" in table["patches.ipynb"]["notes"]
    assert "was stopped" in table["loops in an answer.ipynb"]["notes"]


def test_no_process_is_left_behind(graded):
    for number in processes.table():
        try:
            assert MARKER.encode() not in (processes.PROC / str(number) / "cmdline").read_bytes()
        except OSError:
            continue
