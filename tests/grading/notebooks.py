"""A tiny assignment that needs no otter, and submissions to it."""

import json
from dataclasses import dataclass

from adamcore.grading.judge import Assignment, Question, Test


def code(source, name="x", **metadata):
    return {
        "cell_type": "code",
        "id": name,
        "metadata": metadata,
        "source": source,
        "outputs": [],
        "execution_count": None,
    }


def text(source, name="x", kind="markdown", **metadata):
    return {"cell_type": kind, "id": name, "metadata": metadata, "source": source}


def notebook(*cells, **own):
    cells = [code(cell) if isinstance(cell, str) else cell for cell in cells]
    metadata = {"adamcore": {"assignment": "tiny", "term": "sample", "source": "abc"} | own}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def write(path, *cells, **own):
    path.write_text(json.dumps(notebook(*cells, **own)))
    return path


TINY = Assignment(
    "tiny",
    "sample",
    "sample",
    (
        Question(
            "q1_1",
            "1.1",
            3.0,
            (
                Test('assert (report := check("1.1", double)), report', 1.0),
                Test('assert (report := check("1.1", double, hidden=True)), report', 2.0, hidden=True),
            ),
            title="twice",
        ),
        Question("q1_2", "1.2", 1.0, (Test('assert (report := check("1.2", seven)), report', 1.0),), title="seven"),
        Question("q1_3", "1.3", 4.0, manual=True, rubric="- 1 point: a < b.\n- 3 points: why."),
    ),
    "A tiny assignment",
    "abc",
)


@dataclass
class Report:
    right: bool
    words: str
    mistake: str = ""

    def __bool__(self):
        return self.right

    def __str__(self):
        return self.words


def check(question, answer, hidden=False):
    """Instead of adamcore.checks.Checker: 1.1 asks for a function that doubles a list of numbers, 1.2 for a seven."""
    if question == "1.2":
        return Report(answer == 7, "seven")
    values = [[1.0, 2.0], [0.0], [float("inf")]] if hidden else [[3.0]]
    for value in values:
        given = answer(list(value))
        if not isinstance(given, list) or given != [2 * v for v in value]:
            return Report(False, f"{given!r} is not twice", "a mistake")
    return Report(True, "twice")


RIGHT = ("STUDENT = 'ab1'", "def double(values):\n    return [2 * v for v in values]", "seven = 7")
