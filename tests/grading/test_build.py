"""From a source to what is handed out; the parts that need no otter, and one whole build that does."""

import contextlib
import functools
import io
import json
from collections import Counter
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

from adamcore.checks import Checker
from adamcore.grading import build as builds
from adamcore.grading.build import BuildError, build, digest, read_questions, term_key
from adamcore.grading.judge import Assignment, Question
from tests.grading.notebooks import code, text

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCES = sorted((ROOT / builds.SOURCES).glob("*.ipynb"))


def raw(words):
    return text(words, kind="raw")


def source(
    config="name: q1_1\npoints: 3",
    manual="name: q1_2\npoints: 2\nmanual: true",
    rubric="**Rubric.**\n- 2 points: it.",
):
    cells = [
        text("# The title"),
        raw(f"# BEGIN QUESTION\n{config}"),
        text("### Question 1.1: twice (3 points)\n\nWrite it."),
        raw("# END QUESTION"),
        raw(f"# BEGIN QUESTION\n{manual}"),
        text("### Why? (2 points)"),
        text(f"Because.\n\n{rubric}"),
        raw("# END QUESTION"),
    ]
    return {"cells": cells, "metadata": {}}


def solved(*points, name="q1_1"):
    cases = [
        {"code": ">>> assert (report := check('1.1', f)), report\n", "hidden": bool(i), "points": p}
        for i, p in enumerate(points)
    ]
    return {"cells": [], "metadata": {"otter": {"tests": {name: {"suites": [{"cases": cases}]}}}}}


def test_questions_are_read_with_titles_tests_and_rubrics():
    first, second = read_questions(source(), solved(1, 2), Path("a.ipynb"))
    assert (first.number, first.title, first.points, first.manual) == ("1.1", "twice", 3.0, False)
    assert [(test.points, test.hidden) for test in first.tests] == [(1.0, False), (2.0, True)]
    assert first.tests[0].code == "assert (report := check('1.1', f)), report"
    assert (second.title, second.manual, second.rubric) == ("Why?", True, "- 2 points: it.")


@pytest.mark.parametrize(
    ("notebook", "tests", "words"),
    [
        (source(config="name: first\npoints: 3"), solved(1, 2), "like q1_2"),
        (source(config="name: q1_1"), solved(1, 2), "points: 3"),
        (source(), solved(1, 1), "its tests give 2 points, not 3"),
        (source(), solved(1, None), "each of them"),
        (source(), solved(1, 2, name="q9"), "it needs tests"),
        (source(rubric=""), solved(1, 2), "Rubric"),
        ({"cells": []}, solved(), "no question"),
    ],
)
def test_a_source_that_is_not_as_it_should_be_is_refused(notebook, tests, words):
    with pytest.raises(BuildError, match=words):
        read_questions(notebook, tests, Path("a.ipynb"))


OTTERS = {
    "cells": [
        code('check = Checker("tiny", STUDENT)', "setup", tags=["remove-cell"]),
        text("<!-- BEGIN QUESTION -->\n\nWhy?", "why", editable=False, deletable=False),
        text("_Type your answer here, replacing this text._", "random", tags=["otter_answer_cell"]),
        text("<!-- END QUESTION -->\n\n", "end"),
        code("f = 1  # SOLUTION", "f", otter={"tests": ["q1_1"]}, tags=["otter_answer_cell"]),
        code(
            '# BEGIN SOLUTION NO PROMPT\nx = 1\n# END SOLUTION\n""" # BEGIN PROMPT\nx = ...\n"""  # END PROMPT', "x"
        ),
    ],
    "metadata": {"otter": {"tests": {}}, "kernelspec": {"name": "python3"}},
}
OTTERS["cells"][0]["outputs"] = [{"output_type": "stream", "text": "x"}]


def finished(term):
    questions = (Question("q1_1", "1.1", 1.0), Question("q1_2", "1.2", 1.0, manual=True, rubric="r"))
    return builds._finished(OTTERS, Assignment("tiny", term, "key", questions), {"adamcore": {"term": term}})


def test_a_student_version_has_no_trace_of_otter():
    notebook = finished("sample")
    assert "otter" not in json.dumps(notebook).lower()
    assert "SOLUTION" not in json.dumps(notebook)
    assert [cell["id"] for cell in notebook["cells"]] == ["setup", "why", "answer-q1_2", "f", "x"]
    assert notebook["cells"][0]["metadata"] == {"tags": ["remove-cell"]}
    assert notebook["cells"][0]["outputs"] == []
    assert notebook["cells"][2]["metadata"] == {"adamcore": {"answer": "q1_2"}}
    assert "".join(notebook["cells"][4]["source"]) == "x = 1"
    assert notebook["metadata"] == {"kernelspec": {"name": "python3"}, "adamcore": {"term": "sample"}}


def test_a_term_is_written_where_the_checker_is_made():
    assert 'Checker("tiny", STUDENT, term="2027s")' in "".join(finished("2027s")["cells"][0]["source"])
    assert "2027s" not in json.dumps(finished("sample"))


def test_a_key_follows_from_the_secret_and_does_not_show_it():
    assert term_key("one secret of a term") == term_key("one secret of a term")
    assert term_key("one secret of a term") != term_key("another secret of it")
    assert "secret" not in term_key("one secret of a term")


def test_the_digest_is_of_the_cells():
    changed = source()
    changed["cells"][0]["source"] = "# Another title"
    assert digest(source()) != digest(changed)
    as_lines = source()
    for cell in as_lines["cells"]:
        cell["source"] = cell["source"].splitlines(True)
    assert digest(as_lines) == digest(source())


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_the_student_version_in_the_book_is_made_from_its_source(path):
    student = path.parent.parent / path.name
    if not student.exists():
        pytest.skip("not made yet: make assignments")
    own = json.loads(student.read_text(encoding="utf-8"))["metadata"]["adamcore"]
    now = digest(json.loads(path.read_text(encoding="utf-8")))
    assert own == {"assignment": path.stem, "term": "sample", "source": now}, "make assignments"


def wrong_with_other_keys(built, keys=20):
    """The questions whose solutions a hidden test refuses with some key, and how often."""
    space = {}
    plt.switch_backend("agg")
    with contextlib.redirect_stdout(io.StringIO()):
        for cell in json.loads(built.solutions.read_text(encoding="utf-8"))["cells"]:
            lines = "".join(cell["source"])
            if cell["cell_type"] == "code" and not any(
                line.lstrip().startswith(("!", "%")) for line in lines.splitlines()
            ):
                exec(lines, space)
    wrong = Counter()
    for number in range(keys):
        space["check"] = Checker(built.assignment.name, "sample", key=f"key {number}")
        for question, test in built.assignment.tests():
            try:
                exec(test.code, space)
            except AssertionError:
                wrong[question.number] += 1
    return wrong


@pytest.mark.slow
@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_the_student_version_in_the_book_is_what_the_build_makes(path, tmp_path, monkeypatch):
    pytest.importorskip("otter", reason="otter-grader is not installed")
    monkeypatch.setattr(builds, "_assign", functools.cache(builds._assign))  # once for both terms
    built = build(path, tmp_path)
    student = path.parent.parent / path.name
    if student.exists():
        assert built.student.read_bytes() == student.read_bytes()
    text = built.student.read_text(encoding="utf-8")
    assert "SOLUTION" not in text
    assert "hidden=True" not in text
    assert "Rubric" not in text
    assert Assignment.load(built.autograder / "assignment.json") == built.assignment
    assert wrong_with_other_keys(built) == {}
    term = build(path, tmp_path / "term", "2027s", term_key("a secret of this term"))
    assert term.assignment.key not in term.student.read_text() + term.solutions.read_text()
    assert "a secret of this term" not in (term.autograder / "assignment.json").read_text()
