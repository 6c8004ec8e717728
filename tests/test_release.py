"""The version stands in one place, and what follows from it agrees; what moves it touches nothing else."""

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml

import adamcore
from tools import release
from tools.run_notebooks import chapters

ROOT = Path(__file__).resolve().parent.parent
NUMBER = release.version()
ADDRESS = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"]


def test_every_place_says_the_same_version():
    assert release.VERSION.fullmatch(NUMBER)
    behind = [path.relative_to(ROOT).as_posix() for path in release.changes(ROOT, NUMBER)]
    assert not behind, "run: .venv/bin/python tools/release.py"


def test_what_follows_from_the_version():
    """Read by other means than the command writes it."""
    assert adamcore.__version__ == NUMBER
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))["version"] == NUMBER
    assert yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["repository"]["branch"] == f"v{NUMBER}"


@pytest.mark.parametrize(
    "path", release.files(ROOT, "book/**/*.ipynb"), ids=lambda path: f"{path.parent.name}-{path.stem}"
)
def test_a_notebook_fetches_the_package_it_was_written_with(path):
    """On Colab, its first cell; the folder is the one whose neighbors the chapter reads."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    setup = "".join(next(cell for cell in cells if cell["cell_type"] == "code")["source"])
    assert f" -b v{NUMBER} " in setup
    assert f" {ADDRESS} adam-book\n" in setup
    folder = path.parent.relative_to(ROOT).as_posix().removesuffix("/sources")
    assert setup.endswith("\n    !pip install --quiet ./adam-book\n" + f"    %cd adam-book/{folder}")


@pytest.fixture
def small(tmp_path):
    """What the command rewrites, with two notebooks."""
    names = ["pyproject.toml", "adamcore/__init__.py", "CITATION.cff", "_config.yml"]
    some = [chapters()[0], sorted((ROOT / release.SOURCES).glob("*.ipynb"))[0]]
    for name in [*names, *(path.relative_to(ROOT) for path in some)]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def test_a_new_version_changes_one_line_a_file(small):
    changed = release.changes(small, "12.3.4rc1")
    assert len(changed) == 6
    for path, text in changed.items():
        before = path.read_text(encoding="utf-8").splitlines()
        differ = [pair for pair in zip(before, text.splitlines(), strict=True) if pair[0] != pair[1]]
        assert len(differ) == 1
        assert re.search(r"[v\b\"' ]12\.3\.4rc1\b", differ[0][1])
        path.write_text(text, encoding="utf-8")
    assert release.version(small) == "12.3.4rc1"
    assert not release.changes(small, "12.3.4rc1")
    (small / "book" / "_build").mkdir()
    (small / "book" / "_build" / "old.ipynb").write_text("{}")
    back = release.changes(small, NUMBER)
    assert {path: path.read_bytes() for path in changed}.keys() == back.keys()
    assert all((ROOT / path.relative_to(small)).read_bytes() == text.encode() for path, text in back.items())


def test_a_notebook_without_its_first_cell_is_named(small):
    (small / "book" / "new.ipynb").write_text('{"cells": []}')
    with pytest.raises(ValueError, match=r"new\.ipynb: 0 places for the version, expected one"):
        release.changes(small, "0.2.0")


@pytest.mark.parametrize("wrong", ["v0.2.0", "0.2", "two"])
def test_what_is_no_version_is_refused(wrong, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["release.py", wrong])
    with pytest.raises(SystemExit):
        release.main()
    assert "not a version; write it like 0.2.0" in capsys.readouterr().err
