"""How far runs on this machine are from those that the book holds for comparison."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from adamcore.__main__ import main
from adamcore.experiments import get_experiment, load_record, run
from adamcore.experiments.agreement import FOLDER, LEAST, MARGIN, MOST, TOLERANCES, differences, load_reference
from tools import measure_agreement

RESULTS = Path(__file__).parents[2] / "book" / "results"
SPREADS = json.loads((RESULTS / FOLDER / TOLERANCES).read_text(encoding="utf-8"))["spreads"]


@pytest.mark.parametrize("name", ["fig1a", "fig1b", "fig3_start", "fig4"])
def test_smoke_runs_agree_with_the_reference(name):
    reference, spreads = load_reference(name, "smoke", RESULTS)
    for each in differences(run(get_experiment(name), "smoke"), reference, spreads):
        assert each.within, each


def test_every_reference_has_its_spreads():
    files = {path.stem: load_record(path) for path in (RESULTS / FOLDER).glob("*-*.json")}
    assert set(files) == set(SPREADS) == set(measure_agreement.SETS)
    for stem, record in files.items():
        assert len(record.runs) == len(SPREADS[stem])
        assert not record.missing
        compared = [spread for spread in SPREADS[stem] if spread is not None and MARGIN * spread <= MOST]
        assert len(compared) >= 0.75 * len(SPREADS[stem]), "too few runs are stable enough to be compared"


@pytest.fixture(scope="module")
def reference():
    return load_reference("fig1a", "smoke", RESULTS)[0]


def changed(record, factor, number=0):
    runs = [dict(single) for single in record.runs]
    runs[number]["epoch_cost"] = [cost * factor for cost in runs[number]["epoch_cost"]]
    return replace(record, runs=runs)


def test_what_is_within(reference):
    n = len(reference.runs)
    made = changed(reference, 1.01)
    for spread, within in ((0.0, False), (0.001, False), (0.003, True), (None, True), (0.2, True)):
        first, *others = differences(made, reference, [spread] + [0.0] * (n - 1))
        assert first.largest == pytest.approx(math.log(1.01))
        assert first.within is within
        assert all(other.largest == 0 and other.tolerance == LEAST for other in others)


def test_a_run_that_ends_earlier_is_far_away(reference):
    made = changed(reference, 1)
    made.runs[0]["epoch_cost"] = made.runs[0]["epoch_cost"][:1]
    assert differences(made, reference, [0.0] * len(reference.runs))[0].largest == math.inf


def test_other_runs_are_refused(reference):
    with pytest.raises(ValueError, match="do not hold the same runs"):
        differences(replace(reference, runs=reference.runs[1:]), reference, [0.0] * len(reference.runs))
    with pytest.raises(ValueError, match="no reference for fig1a at scale full"):
        load_reference("fig1a", "full", RESULTS)


class TestCommand:
    def check(self, tmp_path, monkeypatch, reference, factor):
        folder = tmp_path / "book" / "results" / FOLDER
        folder.mkdir(parents=True)
        changed(reference, factor).save(folder / "fig1a-smoke.json")
        (folder / TOLERANCES).write_text(json.dumps({"spreads": {"fig1a-smoke": [0.0] * len(reference.runs)}}))
        monkeypatch.chdir(tmp_path)
        return CliRunner().invoke(main, ["check", "fig1a"])

    def test_agrees(self, tmp_path, monkeypatch, reference):
        done = self.check(tmp_path, monkeypatch, reference, 1.0)
        assert done.exit_code == 0, done.output
        assert f"{len(reference.runs)} of {len(reference.runs)} runs compared" in done.output

    def test_differs(self, tmp_path, monkeypatch, reference):
        done = self.check(tmp_path, monkeypatch, reference, 1.01)
        assert done.exit_code == 1
        assert "NOT within the tolerance: AdaGrad, seed 0" in done.output

    def test_has_no_reference(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        done = CliRunner().invoke(main, ["check", "fig3"])
        assert done.exit_code == 1
        assert "no reference for fig3 at scale smoke" in done.output
