"""The sources of the assignments: marks that add up, tests that a grader can evaluate, names that fit the checks."""

import ast
import json
import re
from pathlib import Path

import pytest

from adamcore.checks import ASSIGNMENTS, Open

SOURCES = Path(__file__).parents[2] / "book" / "assignments" / "sources"
TEST = re.compile(r'assert \(report := check\("([\d.]+)", (.+?)(, hidden=True)?\)\), report$')


def cells(assignment):
    notebook = json.loads((SOURCES / f"{assignment}.ipynb").read_text(encoding="utf-8"))
    return [{**cell, "source": "".join(cell["source"])} for cell in notebook["cells"]]


def questions(assignment):
    """For each question its settings, its prompt and the sources of its test cells."""
    found, inside, testing = [], None, False
    for cell in cells(assignment):
        source = cell["source"]
        if source.startswith("# BEGIN QUESTION"):
            settings = dict(line.split(": ", 1) for line in source.splitlines()[1:])
            inside = {**settings, "name": settings["name"][1:].replace("_", "."), "prompt": "", "tests": []}
            found.append(inside)
        elif source.startswith("# BEGIN TESTS") or source.startswith("# END TESTS"):
            testing = source.startswith("# BEGIN")
        elif testing:
            inside["tests"].append(source)
        elif inside and not inside["prompt"] and cell["cell_type"] == "markdown":
            inside["prompt"] = source
    return found


@pytest.fixture(params=ASSIGNMENTS)
def assignment(request):
    if request.param == "exercises":
        pytest.skip("the exercises stand in the chapters")
    return request.param


def test_every_source_has_its_checks():
    assert {path.stem for path in SOURCES.glob("*.ipynb")} == set(ASSIGNMENTS) - {"exercises"}


def test_questions_are_those_of_the_checks(assignment):
    automatic = [question["name"] for question in questions(assignment) if "manual" not in question]
    assert automatic == list(ASSIGNMENTS[assignment])


def test_points_add_up(assignment):
    by_hand = automatic = 0
    for question in questions(assignment):
        points = int(question["points"])
        stated = re.search(r"### Question ([\d.]+): .*\((\d+) points?\)", question["prompt"])
        assert stated, question["prompt"][:80]
        assert (stated[1], int(stated[2])) == (question["name"], points)
        if "manual" in question:
            by_hand += points
            assert not question["tests"]
        else:
            automatic += points
            assert sum(int(re.search(r"points: (\d+)", test)[1]) for test in question["tests"]) == points
    (title,) = [c["source"] for c in cells(assignment) if "**Points** " in c["source"]]
    stated = re.search(r"\*\*Points\*\* (\d+): (\d+) by checks, (\d+) for what you write", title)
    assert tuple(map(int, stated.groups())) == (automatic + by_hand, automatic, by_hand)


def test_tests_are_what_the_grader_can_evaluate(assignment):
    for question in questions(assignment):
        for test in question["tests"]:
            statement = test.split("# END TEST CONFIG\n", 1)[1].strip()
            found = TEST.match(statement)
            assert found, statement
            assert found[1] == question["name"]
            assert bool(found[3]) == ("hidden: true" in test)
            checked = ASSIGNMENTS[assignment][question["name"]]
            names = [node for node in ast.walk(ast.parse(f"({found[2]},)")) if isinstance(node, ast.Name)]
            assert len(names) == (checked.answers if isinstance(checked, Open) else 1), statement


def test_every_written_answer_has_a_rubric(assignment):
    for question in questions(assignment):
        if "manual" in question:
            where = f"q-{question['name'].replace('.', '-')}-solution"
            (answer,) = [cell["source"] for cell in cells(assignment) if cell["id"] == where]
            points = [int(p) for p in re.findall(r"^- (\d+) points?:", answer.split("**Rubric", 1)[1], re.MULTILINE)]
            assert sum(points) == int(question["points"])


def test_students_are_told_what_they_need(assignment):
    text = "\n".join(cell["source"] for cell in cells(assignment) if cell["cell_type"] == "markdown")
    for words in (
        "You will be able to",
        "**Before you begin**",
        "**Time** about ",
        "students.md",
        "Before you hand in",
    ):
        assert words in text, words
    assert f'Checker("{assignment}", STUDENT)' in "\n".join(cell["source"] for cell in cells(assignment))


def test_no_outputs_are_stored(assignment):
    for cell in cells(assignment):
        assert not cell.get("outputs"), cell["id"]
        assert not re.fullmatch(r"[0-9a-f]{8}", cell["id"]), f"{cell['id']}: give it a name that stays"
