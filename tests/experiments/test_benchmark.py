"""The benchmark of logistic regression runs and writes its record; times are nobody's business here."""

import json

from click.testing import CliRunner

from benchmarks import logistic
from benchmarks.logistic import GRID, main


def test_steps(tmp_path, monkeypatch):
    monkeypatch.setattr(logistic, "CONTENDERS", {name: {} for name in logistic.CONTENDERS})
    monkeypatch.setattr(logistic.side_by_side, "restart_without", lambda: None)
    output = tmp_path / "logistic.json"
    done = CliRunner().invoke(
        main, ["--repeat", "2", "--patience", "0", "--no-grid", "--output", str(output)], catch_exceptions=False
    )
    assert done.exit_code == 0, done.output
    record = json.loads(output.read_text())
    assert list(record["steps"]) == ["mnist", "imdb"]
    for result in record["steps"].values():
        assert all(len(times) == 3 and min(times) > 0 for times in result["seconds"].values())


def test_the_grid_is_the_one_that_is_judged():
    runs = list(GRID.runs(GRID.scale("full")))
    assert len(runs) == 12 * 5
    assert {single.epochs for single in runs} == {5}
    assert len({single.rule for single in runs}) == 12
