"""The notebook runner: reproducible, and careful with what is stored."""

import json
import re
import subprocess
import sys

import pytest

from tools.run_notebooks import NOTEBOOK_METADATA, ROOT, NotebookError, execute, load, main, run_and_measure

GOOD = [
    ("markdown", "# Toy", {}),
    ("code", "import sys, time\nprint(1)\ntime.sleep(0.3)\nprint(2, flush=True)", {"execution": {"begin": "now"}}),
    ("code", "from pathlib import Path\nprint(Path('beside.txt').read_text(), sys.executable)", {"tags": ["here"]}),
]


def write(path, cells):
    """Write a notebook as an old editor does: without ids, and with settings of its own."""
    notebook = {"nbformat": 4, "nbformat_minor": 4, "metadata": {"toc": {}}, "cells": []}
    for kind, source, metadata in cells:
        fields = {"outputs": [], "execution_count": 7} if kind == "code" else {}
        notebook["cells"].append({"cell_type": kind, "source": source, "metadata": metadata, **fields})
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return path


def run(*arguments):
    """Run the tool as its user does."""
    command = [sys.executable, str(ROOT / "tools" / "run_notebooks.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def test_second_run_leaves_the_same_bytes(tmp_path, monkeypatch):
    fake = tmp_path / "kernels" / "python3" / "kernel.json"
    fake.parent.mkdir(parents=True)
    fake.write_text('{"argv": ["no-such-python"], "display_name": "x", "language": "python"}', encoding="utf-8")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))  # an installed kernel of the same name
    (tmp_path / "beside.txt").write_text("read beside the notebook", encoding="utf-8")
    path = write(tmp_path / "toy.ipynb", GOOD)
    first = run(path)
    assert first.returncode == 0, first.stderr
    assert re.search(r"\d\.\d s .*toy\.ipynb", first.stdout)
    bytes_after_first = path.read_bytes()
    notebook = json.loads(bytes_after_first)
    assert notebook["metadata"] == NOTEBOOK_METADATA
    assert [cell["metadata"] for cell in notebook["cells"]] == [{}, {}, {"tags": ["here"]}]
    assert [cell.get("execution_count") for cell in notebook["cells"]] == [None, 1, 2]
    assert [output["text"] for output in notebook["cells"][1]["outputs"]] == [["1\n", "2\n"]]
    assert "".join(notebook["cells"][2]["outputs"][0]["text"]) == f"read beside the notebook {sys.executable}\n"
    assert run(path).returncode == 0
    assert path.read_bytes() == bytes_after_first
    assert sorted(one.name for one in tmp_path.iterdir()) == ["beside.txt", "kernels", "toy.ipynb"]


def test_failing_cell_is_named_and_the_stored_file_stays(tmp_path):
    good = write(tmp_path / "good.ipynb", GOOD[:2])
    bad = write(tmp_path / "bad.ipynb", [*GOOD[:2], ("code", "\n1 / 0", {})])
    before = bad.read_bytes()
    result = run("--jobs", 2, good, bad)
    assert result.returncode == 1
    assert re.search(r"bad\.ipynb, Cell 1 \(id \w{8}, '1 / 0'\): failed; the stored file is as it was", result.stderr)
    assert "ZeroDivisionError: division by zero" in result.stderr
    assert bad.read_bytes() == before


def test_times_are_written_only_when_they_are_asked_for(tmp_path):
    """By the clock and of the processors; what else the file holds stays; a book that fails leaves it alone."""
    sleeps = write(tmp_path / "sleeps.ipynb", [("code", "import time; time.sleep(1.5)", {})])
    works = "import time; start = time.process_time()\nwhile time.process_time() < start + 1.5: pass"
    works = write(tmp_path / "works.ipynb", [("code", works, {})])
    file = tmp_path / "times.json"
    file.write_text('{"test": {"seconds": 5}, "chapters": {}}', encoding="utf-8")
    assert run_and_measure([works, sleeps], 2, file)
    held = json.loads(file.read_text(encoding="utf-8"))
    assert held["test"] == {"seconds": 5}
    chapters = held["chapters"]
    assert (chapters["jobs"], sorted(chapters["machine"])[0]) == (2, "BLAS")
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", chapters["made"])
    idle, busy = (chapters["each"][str(tmp_path / name)] for name in ("sleeps", "works"))
    assert min(idle["seconds"], busy["seconds"]) >= 1.5
    assert chapters["seconds"] >= max(idle["seconds"], busy["seconds"]) - 0.1
    if busy["processor"] is not None:  # as on Windows
        assert busy["processor"] > idle["processor"] + 1
    before = file.read_bytes()
    assert not run_and_measure([write(tmp_path / "bad.ipynb", [("code", "1 / 0", {})])], 1, file)
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--times", "times.json", "toy.ipynb"], "--times is of the whole book: name no notebooks"),
        (["--times", "no-folder/times.json"], "there is no folder no-folder"),
    ],
)
def test_times_of_half_a_book_are_refused(tmp_path, monkeypatch, capsys, arguments, words):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "toy.ipynb", GOOD)
    monkeypatch.setattr(sys, "argv", ["run_notebooks.py", *arguments])
    with pytest.raises(SystemExit):
        main()
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "[]", "{}", "not json"])
def test_unreadable_notebook(tmp_path, text):
    path = tmp_path / "broken.ipynb"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(NotebookError, match=r"broken\.ipynb: not a readable notebook"):
        execute(path)
    assert path.read_text(encoding="utf-8") == text


def test_missing_notebook(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["run_notebooks.py", str(tmp_path / "none.ipynb")])
    with pytest.raises(SystemExit):
        main()
    assert "none.ipynb: no such notebook" in capsys.readouterr().err


def test_ids_are_kept_and_missing_ones_depend_on_file_and_place_only(tmp_path):
    path = write(tmp_path / "toy.ipynb", GOOD)
    ids = [cell.id for cell in load(path).cells]
    assert len(set(ids)) == 3
    assert ids == [cell.id for cell in load(path).cells]
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert ids == [cell.id for cell in load(write(elsewhere / "toy.ipynb", GOOD)).cells]
    # A cell put before the others takes the place, but never the id, of one that has it.
    notebook = json.loads(path.read_text(encoding="utf-8"))
    for cell, one in zip(notebook["cells"], ids, strict=True):
        cell["id"] = one
    notebook["cells"].insert(0, {"cell_type": "markdown", "source": "New", "metadata": {}})
    notebook["cells"].append(dict(notebook["cells"][1]))  # a copy, id included
    path.write_text(json.dumps(notebook), encoding="utf-8")
    after = [cell.id for cell in load(path).cells]
    assert after[1:4] == ids
    assert len(set(after)) == 5
    assert after == [cell.id for cell in load(path).cells]  # the copy's new id is no accident
