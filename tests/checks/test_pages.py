"""What the pages about the assignments say of them, and what the checks say in them."""

import json
import re
from pathlib import Path

import pytest

from adamcore.checks import ASSIGNMENTS

FOLDER = Path(__file__).parents[2] / "book" / "assignments"
PAGES = {
    name: (FOLDER / f"{name}.md").read_text(encoding="utf-8") for name in ("students", "instructors", "lectures")
}
MESSAGES = {mistake.message for questions in ASSIGNMENTS.values() for question in questions.values()
            for mistake in getattr(question, "mistakes", ())}  # fmt: skip


def stated(assignment):
    """Minutes, and points by checks and by hand, as the assignment itself says."""
    notebook = json.loads((FOLDER / "sources" / f"{assignment}.ipynb").read_text(encoding="utf-8"))
    text = "\n".join("".join(cell["source"]) for cell in notebook["cells"])
    minutes = re.search(r"\*\*Time\*\* about (\d+) minutes", text)[1]
    points = re.search(r"\*\*Points\*\* \d+: (\d+) by checks, (\d+) for what you write", text)
    return minutes, points[1], points[2]


@pytest.mark.parametrize("assignment", [name for name in ASSIGNMENTS if name != "exercises"])
def test_minutes_and_points_are_those_of_the_assignment(assignment):
    minutes, checked, written = stated(assignment)
    (row,) = re.findall(rf"^\| \d \| {{doc}}`{assignment}` \|.*$", PAGES["instructors"], re.MULTILINE)
    assert row.endswith(f"| {minutes} | {checked}, {written} |")
    (row,) = re.findall(rf"^\| \d \| {{doc}}`{assignment}` \|.*$", PAGES["students"], re.MULTILINE)
    assert row.endswith(f"| {minutes} |")


def test_quoted_messages_are_those_of_the_checks():
    quoted = re.findall(r'\| "(.+)" \|$', PAGES["instructors"], re.MULTILINE)
    assert len(quoted) >= 5
    for message in quoted:
        assert message in MESSAGES, message


def test_the_sample_of_a_check_is_what_it_says():
    from adamcore.checks import Checker, averages

    right, wrong = (line for line in re.findall(r"^> (?:✅|❌) (.+(?:\n> .+)*)", PAGES["students"], re.MULTILINE))
    check = Checker("averages", "ab123")
    assert right.replace("\n> ", " ") == str(check("1.1", averages.average))
    start = ASSIGNMENTS["averages"]["1.1"].mistakes[0].wrong
    assert wrong.replace("\n> ", " ") == str(check("1.1", start))


def test_lecture_plans_take_the_minutes_they_have():
    tables = re.findall(r"\| minutes \| what \| from \|\n\|.*\n((?:\|.*\n)+)", PAGES["lectures"])
    assert len(tables) == 4
    for table in tables:
        assert sum(int(row.split("|")[1]) for row in table.splitlines()) == 90
    rows = re.findall(r"^\| \d \|.*$", PAGES["lectures"].split("## Six lectures")[1], re.MULTILINE)
    assert len(rows) == 6
    for row in rows:
        assert sum(map(int, re.findall(r"` (\d+)", row.split("|")[3]))) == 90, row
