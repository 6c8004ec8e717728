"""The parts around grading: which assignment a file is, the table, the page, the commands' messages."""

import csv
import io
import json
import re
from html.parser import HTMLParser

import pytest
from click.testing import CliRunner

from adamcore.__main__ import main
from adamcore.grading import folder as folders
from adamcore.grading.feedback import page
from adamcore.grading.folder import FolderError, load_assignments, submissions, summary, to_csv, which
from adamcore.grading.gradescope import to_gradescope
from adamcore.grading.judge import Mark, Result
from tests.grading.notebooks import RIGHT, TINY, write

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\" ' &amp; </pre></style>"


def result(file="a.ipynb", student="ab1", earned=(1.0, 0.0, 1.0), **more):
    marks = [
        Mark("q1_1", False, 1.0, earned[0], "public words"),
        Mark("q1_1", True, 2.0, earned[1], "hidden words", "" if earned[1] else "t starts at 0"),
        Mark("q1_2", False, 1.0, earned[2], "seven words"),
    ]
    return Result(file, "tiny", "sample", student, marks, seconds=1.5, **more)


class Page(HTMLParser):
    """All tags, their attributes, and the text outside of the style sheet."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.words, self.inside = [], [], "", ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.inside = tag
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        self.inside = ""

    def handle_data(self, data):
        if self.inside != "style":
            self.words += data


def test_nothing_of_a_submission_runs_in_its_page():
    error = {"cell": 3, "line": EVIL, "kind": "ValueError", "text": EVIL, "trace": EVIL}
    stopped = {"cell": 4, "line": EVIL, "kind": "Stopped", "text": EVIL, "trace": ""}
    found = result(
        EVIL, EVIL, errors=[error, stopped], answers={"q1_3": EVIL}, printed=EVIL, fault=EVIL, notes=[EVIL]
    )
    found.marks[0].message = EVIL
    text = page(found, TINY)
    seen = Page(text)
    assert not {"script", "img", "link", "iframe", "object", "form", "base"} & set(seen.tags)
    assert not [name for name, _ in seen.attributes if name.startswith("on") or name in ("src", "style", "srcset")]
    assert all(value.startswith("#") for name, value in seen.attributes if name == "href")
    assert seen.words.count(EVIL) >= 8
    assert not re.search(r"https?:|url\(|@import", text)


def test_a_page_says_what_a_student_can_learn_from():
    error = {"cell": 3, "line": "x = y", "kind": "NameError", "text": "", "trace": "\n".join(map(str, range(100)))}
    text = page(result(errors=[error], answers={"q1_3": "My answer."}), TINY)
    words = " ".join(Page(text).words.split())
    for part in (
        "2 of 4 points by checks",
        "Up to 4 more are given by hand",
        "The check in your notebook: 1 of 1. Public words",
        "More cases, tried when marking: 0 of 2. Hidden words",
        "Code cell 3, which begins with x = y",
        "My answer.",
        "1 point: a < b.",
    ):
        assert part in words
    assert "99" in words
    assert " 50 " not in words  # only the last lines of a traceback
    assert "prefers-color-scheme: dark" in text


def test_a_page_for_what_is_no_assignment():
    assert "could not be graded" in page(Result("a.ipynb", "", fault="it is something else"), None)


def rows(*results):
    return list(csv.DictReader(io.StringIO(to_csv(list(results), {"tiny": TINY}))))


def test_the_table_has_the_points_of_each_question():
    (row,) = rows(result())
    assert row == {
        "file": "a.ipynb",
        "student": "ab1",
        "assignment": "tiny",
        "1.1": "1",
        "1.2": "1",
        "total": "2",
        "possible": "4",
        "open by hand": "4",
        "full marks": "8",
        "seconds": "1.5",
        "mistakes": "1.1 t starts at 0",
        "notes": "",
    }


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", " =1", "\t=1", "\r\n=1", "|a", "%x"])
def test_no_text_is_taken_for_a_formula(text):
    (row,) = rows(result(text, text, notes=[text]))
    for name in ("file", "student", "notes"):
        assert row[name].startswith("'"), name
        assert "\n" not in row[name]


def test_two_files_of_one_student_and_a_strange_id_are_noted():
    results = [
        result("ab1.ipynb"),
        result("cd2/a.ipynb", "cd2"),
        result("ef3.ipynb", "ab1"),
        result("x.ipynb", "sample"),
    ]
    results.append(result("gh4.ipynb", "gh4"))
    folders._note_doubles(results)
    folders._note_names(results)
    assert results[0].notes == ["the same student also handed in ef3.ipynb"]
    assert results[1].notes == results[4].notes == []
    assert "not in the file's name" in results[2].notes[1]
    assert results[3].notes == ["the student id is still 'sample'"]


def test_a_course_at_a_glance():
    text = summary([result(), result(earned=(1.0, 2.0, 1.0)), Result("b.ipynb", "")], {"tiny": TINY})
    assert "tiny: 2 graded, on average 3.0 of 4 points by checks" in text
    assert "1.1     1 of 2 with full marks; most often: t starts at 0 (1)" in text
    assert "cannot be told which assignment they are: b.ipynb" in text


@pytest.mark.parametrize(
    ("file", "cells", "own", "name"),
    [
        ("x.ipynb", RIGHT, {"assignment": "broken"}, "broken"),
        ("x.ipynb", RIGHT, {"assignment": ["unknown"]}, ""),
        ("x.ipynb", ["check = Checker('averages', STUDENT)"], {"assignment": "unknown"}, "averages"),
        ("AB1 Averages (2).ipynb", RIGHT, {"assignment": None}, "averages"),
        ("averages or broken.ipynb", RIGHT, {"assignment": None}, ""),
    ],
)
def test_which_assignment_a_notebook_is(tmp_path, file, cells, own, name):
    assert which(write(tmp_path / file, *cells, **own), ["averages", "broken"]) == name


def test_a_file_that_is_no_notebook_is_known_by_its_name(tmp_path):
    (tmp_path / "ab1-broken.ipynb").write_text("{")
    assert which(tmp_path / "ab1-broken.ipynb", ["averages", "broken"]) == "broken"


def test_notebooks_are_found_below_the_folder_but_not_checkpoints(tmp_path):
    for name in ("b.ipynb", "sub/a.ipynb", ".ipynb_checkpoints/b-checkpoint.ipynb", "a.txt", "__MACOSX/._b.ipynb"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}")
    assert [path.name for path in submissions(tmp_path)] == ["b.ipynb", "a.ipynb"]


def test_what_cannot_be_graded_is_told_with_what_to_do(tmp_path):
    with pytest.raises(FolderError, match="there is no folder"):
        submissions(tmp_path / "nowhere")
    with pytest.raises(FolderError, match="there is no notebook"):
        submissions(tmp_path)
    with pytest.raises(FolderError, match="make assignments"):
        load_assignments(tmp_path)


def command(*args, **env):
    done = CliRunner().invoke(main, list(map(str, args)), env={"TERM_SECRET": None} | env)
    return done.exit_code, done.output


def test_the_commands_say_what_to_do(tmp_path, monkeypatch):
    assert command("grade", tmp_path, "--autograders", tmp_path)[0] == 1
    assert "make assignments" in command("grade", tmp_path, "--autograders", tmp_path)[1]
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "assignment.json").write_text(TINY.dump())
    code, output = command("grade", tmp_path / "nowhere", "--autograders", tmp_path)
    assert code == 1
    assert "there is no folder" in output
    code, output = command("grade", tmp_path, "--autograders", tmp_path, "--user", "no-such-user")
    assert code == 1
    assert "--user no-such-user" in output
    monkeypatch.chdir(tmp_path)
    code, output = command("assignments")
    assert code == 1
    assert "from the root of the repository" in output


def test_otter_is_named_with_the_command_that_installs_it(tmp_path, monkeypatch):
    sources = tmp_path / "book" / "assignments" / "sources"
    sources.mkdir(parents=True)
    write(sources / "tiny.ipynb", *RIGHT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("adamcore.grading.build.importlib.util.find_spec", lambda name: None)
    code, output = command("assignments")
    assert code == 1
    assert 'pip install -e ".[course]"' in output
    code, output = command("assignments", "tinny")
    assert code == 2
    assert "there are tiny" in output


@pytest.mark.parametrize(
    ("args", "secret", "words"),
    [
        ((), "a long enough secret", "the sample term has no secret"),
        (("--term", "2027s"), None, "needs a secret"),
        (("--term", "2027s"), "short", "fewer than 12 letters"),
        (("--term", "../up"), "a long enough secret", "letters, digits"),
    ],
)
def test_a_term_and_its_secret_belong_together_and_the_secret_is_not_shown(args, secret, words):
    code, output = command("assignments", *args, TERM_SECRET=secret)
    assert code == 2
    assert words in output
    assert secret is None or secret not in output


def test_gradescope_sees_hidden_tests_when_marks_are_published():
    error = {"cell": 3, "line": "x", "kind": "Stopped", "text": "it printed too much.", "trace": ""}
    found = to_gradescope(result(errors=[error]), TINY)
    json.dumps(found)
    assert [test["visibility"] for test in found["tests"]] == ["visible", "after_published", "visible"]
    assert [(test["score"], test["max_score"]) for test in found["tests"]] == [(1, 1), (0, 2), (1, 1)]
    assert [test["number"] for test in found["tests"]] == ["1.1", "1.1", "1.2"]
    assert "it printed too much" in found["output"]
    assert "Graded by hand: 1.3 (4 points)" in found["output"]
    assert found["stdout_visibility"] == "hidden"
