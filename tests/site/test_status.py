"""The page on the book's status says what the committed files say, and the packed notebooks run anywhere."""

import json
import os
import re
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup

from tools import measure_book, notebooks_zip, release
from tools.run_notebooks import chapters, execute

from .conftest import ROOT

sys.path.insert(0, str(ROOT / "book" / "_extensions"))

import status_page

NAME = notebooks_zip.name(release.version())
REPOSITORY = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"]
RESULTS = ROOT / "book" / "results"


@pytest.fixture(scope="module")
def page(site):
    """The page, parsed."""
    return BeautifulSoup((site.html / "book/reference/status.html").read_bytes(), "html.parser")


def below(page, heading):
    """The text of each cell, row by row, of all tables of a section."""
    section = next(tag for tag in page.find_all("section") if tag.find(["h2"]).get_text().startswith(heading))
    return [[cell.get_text().strip() for cell in row.find_all(["td", "th"])] for row in section.find_all("tr")]


def test_versions_are_those_of_the_requirements(page):
    rows = {row[0]: row[1] for row in below(page, "What it was built with")}
    pins = dict(line.split("==") for line in (ROOT / "requirements.txt").read_text().split() if "==" in line)
    assert rows.pop("adamcore") == release.version()
    assert rows.pop("library") == "version"
    assert len(rows) >= 10
    assert all(pins[name] == version for name, version in rows.items())
    assert f"version {release.version()}" in page.get_text()


def test_every_record_is_there_with_its_day(page):
    rows = {row[0]: row for row in below(page, "What has been run")}
    commands = page.get_text()
    for path in RESULTS.glob("*.json"):
        record = json.loads(path.read_text(encoding="utf-8"))
        if path.stem == "scorecard":
            continue
        _, _, day, scale, seeds, runs, hours = rows[path.stem]
        assert re.fullmatch(r"20\d\d-\d\d-\d\d", day), "fold it anew: python -m adamcore report"
        assert (day, scale) == (record["made"], record["scale"])
        assert (int(seeds), int(runs)) == (len(record["seeds"]), len(record["runs"]))
        assert float(hours) == pytest.approx(sum(run["seconds"] for run in record["runs"]) / 3600, abs=0.06)
        assert f"{record['command']}\n" in commands


def test_every_chapter_has_its_times(page):
    held = json.loads((ROOT / status_page.TIMES).read_text(encoding="utf-8"))["chapters"]
    rows = [row for row in below(page, "How long it takes") if len(row) == 3][1:]
    assert len(rows) == len(chapters()) + 1
    names = {path.relative_to(ROOT).with_suffix("").as_posix() for path in chapters()}
    times = [one for name, one in held["each"].items() if name in names]
    known = [row for row in rows[:-1] if row[1] != "not measured"]
    assert sorted(float(row[1]) for row in known) == sorted(one["seconds"] for one in times)
    assert f"{len(known)} of {len(chapters())} chapters" in rows[-1][0]
    assert float(rows[-1][2]) == pytest.approx(sum(one["processor"] for one in times), abs=0.1)
    assert held["machine"]["processor"] in page.get_text()


def test_what_is_missing_has_a_command(page):
    text = page.get_text()
    claims = {row[0]: row[2] for row in below(page, "What has not been run") if re.fullmatch(r"C\d+", row[0])}
    scorecard = json.loads((RESULTS / "scorecard.json").read_text(encoding="utf-8"))
    assert set(claims) == {row["name"] for row in scorecard if row["verdict"] == "not run"}
    for row in scorecard:
        if row["verdict"] == "not run":
            assert f"run {claims[row['name']]} " in row["command"] or not row["command"]
            assert row["command"] in text
    for name in {"fig2a", "fig2a_tuning", "fig3_dropout"} - {path.stem for path in RESULTS.glob("*.json")}:
        assert f"python -m adamcore run {name} --scale full\n" in text


def test_claims_that_wait_are_listed_and_none_is_said(tmp_path):
    row = {"name": "C1", "text": "It works.", "verdict": "reproduced", "command": ""}
    path = tmp_path / "book" / "results" / "scorecard.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps([row]), encoding="utf-8")
    assert status_page.claims(tmp_path).startswith("Every claim has a verdict;")
    waits = {**row, "name": "C2", "verdict": "not run", "command": "python -m adamcore run fig9 --scale full"}
    path.write_text(json.dumps([row, waits]), encoding="utf-8")
    found = status_page.claims(tmp_path)
    assert found.startswith("These wait for runs:")
    assert "C2" in found
    assert "`fig9`" in found
    assert "C1" not in found


@pytest.fixture
def other(tmp_path):
    """A root in which only times were written down."""
    (tmp_path / "benchmarks" / "results").mkdir(parents=True)

    def write(**held):
        (tmp_path / status_page.TIMES).write_text(json.dumps(held), encoding="utf-8")
        return tmp_path

    return write


def test_limits_are_compared(other):
    about = {"made": "2026-01-02", "machine": {"processor": "P", "cores": 2, "system": "S", "load before": 7.2}}
    each = {"a": {"seconds": 41.0, "processor": 3.0}, "b": {"seconds": 2.0, "processor": 1.0}}
    root = other(chapters={**about, "seconds": 479.0, "each": each})
    rows = status_page.limits(root).splitlines()[2:]
    assert "| 8 min | 8 min | yes | 2026-01-02 |" in rows[0]
    assert "| 40 s | 41 s | **no** | 2026-01-02 |" in rows[1]
    assert rows[2].endswith("| 60 s | not measured | unknown | never |")
    assert rows[3].endswith("| 15 min | not measured | unknown | never |")
    assert "P, 2 cores, S; load of the minute before 7.2, so other programs were busy" in status_page.machines(root)
    about["machine"]["load before"] = 0.3
    assert "busy" not in status_page.machines(other(site={**about, "seconds": 61}))
    assert "| 60 s | 61 s | **no** |" in status_page.limits(other(site={**about, "seconds": 61}))


def test_runs_that_are_planned_and_recorded_are_not_missing():
    absent = status_page.absent()
    assert "fig1a" not in absent
    for name, (lacking, plan) in absent.items():
        assert 0 < lacking <= plan, name
    assert set(absent) <= set(status_page.EXPERIMENTS)


def test_nothing_unknown_is_measured(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["measure_book.py", "speed"])
    with pytest.raises(SystemExit):
        measure_book.main()
    assert "speed: not something to measure; there are chapters, site, test" in capsys.readouterr().err


@pytest.fixture(scope="module")
def packed(site):
    """The download, as it lies beside the pages."""
    with zipfile.ZipFile(site.html / f"{NAME}.zip") as archive:
        yield archive


def test_the_page_links_to_the_packed_notebooks(page, site):
    link = page.find("a", string=f"{NAME}.zip")
    target = (site.html / "book" / "reference" / link["href"]).resolve()
    assert target == (site.html / f"{NAME}.zip").resolve()
    said = re.search(rf"{re.escape(NAME)}\.zip, (\d+) MB", page.get_text()).group(1)
    assert abs(int(said) - target.stat().st_size / 1e6) < 1
    assert target.stat().st_size < 20e6


def test_the_packed_notebooks_are_all_there_and_no_solutions(packed):
    assert packed.testzip() is None
    places = {name.removeprefix(f"{NAME}/") for name in packed.namelist()}
    assert {path.relative_to(ROOT).as_posix() for path in chapters()} <= places
    students = {place for place in places if place.startswith("book/assignments/")}
    assert students == {p.relative_to(ROOT).as_posix() for p in (ROOT / "book" / "assignments").glob("*.ipynb")}
    for name in packed.namelist():
        text = packed.read(name).decode("utf-8", errors="ignore")
        assert not any(mark in text for mark in ("BEGIN SOLUTION", "END TEST CONFIG", "**Rubric")), name
        assert "sources" not in Path(name).parts


def test_what_chapters_read_is_packed(packed):
    """Names of files in their code, as seen from the chapter."""
    places = packed.namelist()
    read = set()
    for path in chapters():
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "code":
                for found in re.findall(r"""["'](\.\./[^"'{]*)""", "".join(cell["source"])):
                    if not found.endswith(".html"):
                        read.add(os.path.normpath(path.parent.relative_to(ROOT) / found))
    assert len(read) >= 3
    for place in read:
        assert any(f"{name}/".startswith(f"{NAME}/{place}/") for name in places), f"{place}: see READ_BY_CHAPTERS"


def test_the_same_files_give_the_same_bytes(packed, tmp_path):
    for name in "ab":
        notebooks_zip.write(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert [one.name for one in sorted(tmp_path.iterdir())] == ["a", "b"]
    assert packed.namelist() == sorted(packed.namelist())
    assert {one.date_time for one in packed.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_the_readme_says_what_to_install(packed):
    text = packed.read(f"{NAME}/README.txt").decode("utf-8")
    assert f"git+{REPOSITORY}@{release.tag(release.version())}" in text
    folders = re.findall(r"book/\w+", re.sub(r"https://\S+", "", text))
    assert len(folders) >= 6
    for folder in folders:
        assert any(name.startswith(f"{NAME}/{folder}/") for name in packed.namelist()), folder


def test_a_packed_notebook_runs_in_an_empty_folder(packed, tmp_path):
    """With nothing of the repository but the installed package; it reads a record, so the folders are right too."""
    packed.extractall(tmp_path)
    place = tmp_path / NAME / "book" / "paper" / "reproduce.ipynb"
    before = printed(place)
    execute(place)
    assert printed(place).count("within the tolerance") == before.count("within the tolerance") == 2


def printed(path):
    """All that the cells of a notebook print."""
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    return "".join(output.get("text", "") for cell in cells for output in cell.outputs)
