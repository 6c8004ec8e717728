"""One submission: what its process can be asked, and that marks follow from right answers alone."""

import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from adamcore.checks import RemoteError
from adamcore.grading import isolation, judge, processes, worker
from adamcore.grading.judge import Conversation, Missing, NotReadable, read_notebook
from adamcore.grading.sandbox import Limits, Stopped, can_run_as
from tests.grading.notebooks import RIGHT, TINY, check, text, write

LIMITS = Limits(cell=20, call=2, total=120)


@pytest.fixture(scope="module")
def talk():
    """A notebook that has run, to ask."""
    found = Conversation(
        [
            "import numpy as np\nx = np.arange(3.0)\nword = 'a'",
            "def add(a, b=2):\n    a += b\n    return a",
            "def lists(values, table):\n    values.append(1)\n    table['new'] = 2",
            "1 / 0",
            "def f(",
            "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()\n!echo from the shell",
            "def raises(n):\n    raise KeyError('no ' + str(n))",
            "def leaves():\n    import sys\n    sys.exit(3)",
            "def many():\n    yield 1",
            "print('printed')\nanswer = input()",
            "after = True",
        ],
        LIMITS,
    )
    found.run()
    yield found
    found.close()


def test_values_are_fetched(talk):
    np.testing.assert_array_equal(talk.fetch("x"), np.arange(3.0))
    assert talk.fetch("word") == "a"
    with pytest.raises(Missing, match="nowhere"):
        talk.fetch("nowhere")


def test_a_function_is_called_and_changes_its_arguments_here_too(talk):
    add = talk.fetch("add")
    given = np.array([1.0, 2.0])
    np.testing.assert_array_equal(add(given), [3.0, 4.0])
    np.testing.assert_array_equal(given, [3.0, 4.0])
    assert add(1, b=5) == 6
    values, table = [0], {}
    assert talk.fetch("lists")(values, table) is None
    assert (values, table) == ([0, 1], {"new": 2})


def test_a_function_has_the_parameters_of_the_one_it_stands_for(talk):
    import inspect

    signature = inspect.signature(talk.fetch("add"))
    signature.bind(1)
    signature.bind(1, b=2)
    with pytest.raises(TypeError):
        signature.bind(1, 2, 3)


def test_what_a_function_raises_is_told(talk):
    with pytest.raises(RemoteError) as caught:
        talk.fetch("raises")(3)
    assert (caught.value.kind, caught.value.text) == ("KeyError", "'no 3'")
    with pytest.raises(RemoteError) as caught:
        talk.fetch("leaves")()
    assert caught.value.kind == "SystemExit"
    assert talk.fetch("word") == "a"  # and the process is still there


def test_what_is_not_plain_keeps_the_name_of_its_class(talk):
    assert type(talk.fetch("many")()).__name__ == "generator"


def test_cells_that_raise_are_told_and_the_next_ones_run(talk):
    assert {index: error["kind"] for index, error in talk.errors.items()} == {
        3: "ZeroDivisionError",
        4: "SyntaxError",
        9: "EOFError",
    }
    assert talk.errors[3]["trace"].splitlines()[1:] == [
        '  File "<cell 4>", line 1, in <module>',
        "    1 / 0",
        "    ~~^~~",
        "ZeroDivisionError: division by zero",
    ]
    assert talk.fetch("after") is True


def test_what_is_printed_is_kept(talk):
    assert "printed" in talk.sandbox.text()
    assert "from the shell" in talk.sandbox.text()


@pytest.mark.skipif(isolation.version() < 1, reason="this system has no Landlock")
def test_a_submission_reads_and_writes_in_its_own_folder_alone(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("hidden")
    found = Conversation(
        [
            f"def read():\n    return open({str(secret)!r}).read()",
            f"def write():\n    open({str(secret)!r}, 'w').write('changed')",
            "import os\ndef signal():\n    os.kill(os.getppid(), 0)",
            "import socket\ndef connect(port):\n    socket.create_connection(('127.0.0.1', port), 1)",
            "def own():\n    open('a', 'w').write('b')\n    return open('a').read()",
            "def key():\n    return [name for name in os.environ if 'SECRET' in name]",
        ],
        LIMITS,
    )
    os.environ["TERM_SECRET"] = "x"
    try:
        found.run()
        assert found.fetch("own")() == "b"
        assert found.fetch("key")() == []
        forbidden = [("read", ()), ("write", ())]
        forbidden += [("connect", (9,))] if isolation.version() >= 4 else []
        forbidden += [("signal", ())] if isolation.version() >= 6 else []
        for name, args in forbidden:
            with pytest.raises(RemoteError) as caught:
                found.fetch(name)(*args)
            assert caught.value.kind == "PermissionError", name
    finally:
        del os.environ["TERM_SECRET"]
        found.close()
    assert secret.read_text() == "hidden"


def test_right_answers_get_full_marks(tmp_path):
    path = write(tmp_path / "a.ipynb", *RIGHT, text("Because.", adamcore={"answer": "q1_3"}))
    result = judge.judge(path, TINY, LIMITS, check=check)
    assert (result.student, result.earned, result.fault, result.errors) == ("ab1", 4.0, "", [])
    assert [mark.message for mark in result.marks] == ["twice", "twice", "seven"]
    assert result.answers == {"q1_3": "Because."}
    assert result.notes == []


def test_the_checker_is_the_one_of_this_assignment_term_key_and_student(tmp_path, monkeypatch):
    """With another key or student a right answer would be judged by another one's numbers."""
    seen = []
    monkeypatch.setattr(judge, "Checker", lambda *args, **options: seen.append((args, options)) or check)
    path = write(tmp_path / "a.ipynb", *RIGHT, term="2027s")
    result = judge.judge(path, replace(TINY, term="2027s", key="swordfish"), LIMITS)
    assert seen == [(("tiny", "ab1"), {"term": "2027s", "key": "swordfish"})]
    assert result.earned == 4.0


def test_a_function_that_loops_is_stopped_once_and_not_asked_again():
    found = Conversation(
        ["def forever():\n    while True:\n        pass", "def one():\n    return 1"], replace(LIMITS, call=1)
    )
    try:
        forever, one = found.fetch("forever"), found.fetch("one")
        with pytest.raises(Stopped, match="longer than 1 seconds"):
            forever()
        assert one() == 1  # of a process that was started anew
        with pytest.raises(Stopped, match="longer than 1 seconds"):
            forever()
        assert not found.sandbox.ended  # had it been asked, it would have been stopped again
        assert found.starts == 2
    finally:
        found.close()


def test_cells_that_end_the_process_are_left_out_until_it_was_started_too_many_times(tmp_path):
    """Three such cells: after one restart the third was never tried, so that nothing can be said of what follows."""
    path = write(tmp_path / "a.ipynb", *RIGHT, *["import os\nos._exit(1)"] * 3)
    result = judge.judge(path, TINY, replace(LIMITS, restarts=1), check=check)
    assert [mark.earned for mark in result.marks] == [0.0] * 3
    assert all("stopped too many times" in mark.message for mark in result.marks)
    assert [error["cell"] for error in result.errors] == [4, 5]
    assert result.student == "ab1"  # as the cell has it, where no process tells
    path = write(tmp_path / "b.ipynb", *RIGHT, "import os\nos._exit(1)")  # one restart is enough for one
    assert judge.judge(path, TINY, replace(LIMITS, restarts=1), check=check).earned == 4.0


def test_a_loop_costs_the_answer_that_loops_and_a_cell_that_ends_the_process_is_left_out(tmp_path):
    path = write(
        tmp_path / "a.ipynb",
        "STUDENT = 'ab1'",
        "import os\nos._exit(7)",
        "def double(values):\n    while values != [3.0]:\n        pass\n    return [6.0]",
        "seven = 7",
        term="other",
    )
    start = time.monotonic()
    result = judge.judge(path, TINY, LIMITS, check=check)
    assert [mark.earned for mark in result.marks] == [1.0, 0.0, 1.0]
    assert "longer than 2 seconds" in result.marks[1].message
    assert [(error["cell"], error["kind"], error["line"]) for error in result.errors] == [(2, "Stopped", "import os")]
    assert "exit code 7" in result.errors[0]["text"]
    assert any("term 'other'" in note for note in result.notes)
    assert time.monotonic() - start < LIMITS.total


def test_nothing_that_a_notebook_rebinds_gives_a_mark(tmp_path):
    path = write(
        tmp_path / "a.ipynb",
        "import builtins, json, os, sys, numpy as np, adamcore.checks.core as core",
        "class Yes(float):\n    __eq__ = lambda *a: True\n    __ne__ = lambda *a: False",
        "class Sevens(list):\n    __eq__ = lambda *a: True\n    __ne__ = lambda *a: False",
        "np.isclose = np.allclose = np.array_equal = lambda *a, **k: True\ncore.close = lambda *a: True",
        "report = True\ncheck = lambda *a, **k: True\ncore.Checker.__call__ = check",
        "sys.modules['adamcore.grading.judge'] = sys.modules['adamcore.checks'] = np",
        "builtins.all = builtins.isinstance = lambda *a: True",
        "seven = Yes(1)\ndef double(values):\n    return Sevens([1.0])",
    )
    result = judge.judge(path, TINY, LIMITS, check=check)
    assert result.earned == 0
    assert len(result.marks) == 3


def test_a_name_that_is_missing_is_told(tmp_path):
    path = write(tmp_path / "a.ipynb", "seven = 7", "def doubles(values):\n    return values")
    result = judge.judge(path, TINY, LIMITS, check=check)
    assert [mark.earned for mark in result.marks] == [0.0, 0.0, 1.0]
    assert "The notebook has no double" in result.marks[0].message
    assert "there is no STUDENT in the notebook" in result.notes


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is not JSON"),
        (b"{", "is not JSON"),
        (b"\xff\xfe\x00", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[]", "no notebook of version 4"),
        (b'{"worksheets": []}', "no notebook of version 4"),
        (b'{"cells": {}}', "no notebook of version 4"),
        (b'{"cells": []}', "no code cells"),
        (b'{"cells": [1, {"cell_type": "code"}, {"cell_type": "code", "source": [1]}]}', "no code cells"),
        (json.dumps({"cells": [{}] * 3000}).encode(), "3000 cells"),
    ],
)
def test_what_is_no_notebook_is_told_and_gets_no_marks(tmp_path, content, words):
    path = tmp_path / "a.ipynb"
    path.write_bytes(content)
    with pytest.raises(NotReadable, match=words):
        read_notebook(path)
    result = judge.judge(path, TINY)
    assert words in result.fault
    assert (result.earned, len(result.marks)) == (0, 3)


def test_a_huge_file_is_not_read(tmp_path):
    path = tmp_path / "a.ipynb"
    with path.open("wb") as file:
        file.truncate(judge.LARGEST + 1)
    with pytest.raises(NotReadable, match="50 MB"):
        read_notebook(path)


def test_a_submission_that_names_where_the_answers_are_is_noted(tmp_path):
    path = write(tmp_path / "a.ipynb", *RIGHT, "from adamcore.checks.averages import AVERAGES")
    notes = []

    class Noted:
        def __init__(self):
            self.notes = notes

    judge._note_metadata(read_notebook(path), TINY, Noted())
    assert notes == ["look at code cell 4: it names adamcore.checks.a"]


def test_an_assignment_is_read_as_it_was_written(tmp_path):
    path = tmp_path / "assignment.json"
    path.write_text(TINY.dump())
    assert judge.Assignment.load(path) == TINY
    path.write_text("{}")
    with pytest.raises(ValueError, match="make assignments"):
        judge.Assignment.load(path)


def test_the_key_is_not_shown():
    assert "swordfish" not in repr(replace(TINY, key="swordfish"))


def test_without_the_system_s_limits_nothing_fails(monkeypatch):
    monkeypatch.setitem(sys.modules, "resource", None)  # as on Windows
    monkeypatch.setattr(sys, "platform", "win32")
    worker.limit({"memory": 1, "file": 1, "cpu": 1})
    assert isolation.version() == 0
    assert not isolation.isolate(Path("."))
    monkeypatch.setattr(processes, "PROC", Path("/no/such/folder"))
    assert processes.table() == {}


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can run as another user")
def test_a_submission_can_run_as_another_user(tmp_path):
    assert not can_run_as("no-such-user")
    assert can_run_as("root")
    result = judge.judge(write(tmp_path / "a.ipynb", *RIGHT), TINY, LIMITS, "root", check)
    assert result.earned == 4.0


def test_limits_are_positive():
    with pytest.raises(ValueError, match="cell = 0"):
        Limits(cell=0)


def test_a_stop_is_no_exception():
    assert not issubclass(Stopped, Exception)
