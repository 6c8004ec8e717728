"""Runs and records, through the library and through the command line."""

import datetime
import json
import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from adamcore.__main__ import main
from adamcore.data import DataError, sources
from adamcore.experiments import (
    LBFGS,
    SFO,
    Record,
    fold,
    get_experiment,
    judge_mnist_logistic,
    load_record,
    run,
    runner,
    streams,
    train,
    unfold,
)
from adamcore.experiments.experiment import Run, Scale
from adamcore.experiments.files import StorageError, write_json
from adamcore.experiments.full_batch import method_from_dict
from adamcore.experiments.online import Online
from adamcore.experiments.record import require_same_start
from adamcore.optim import Adam

FIG1A = get_experiment("fig1a")
RESULTS = Path(__file__).parents[2] / "book" / "results"


def numbers(record):
    """The runs without their times."""
    return [{name: value for name, value in single.items() if "seconds" not in name} for single in record.runs]


@pytest.fixture(scope="module")
def smoke():
    return run(FIG1A, "smoke")


def test_jobs_never_change_a_number(smoke):
    assert numbers(run(FIG1A, "smoke", jobs=2)) == numbers(smoke)


def test_record_holds_every_setting_and_seed(smoke):
    assert len(smoke.runs) == 3 * len(smoke.seeds) == 6
    for contender in smoke.contenders:
        curves = smoke.paper_curves(contender)
        assert curves.shape == (2, 2)
        assert (curves[:, 1] < curves[:, 0]).all()
        assert (smoke.paper_curves(contender, "objective") >= curves).all()


def test_contenders_of_a_seed_start_alike_and_see_the_same_minibatch(smoke):
    first = {(single["seed"], single["first_losses"][0]) for single in smoke.runs}
    assert len(first) == 2
    starts = {(single["seed"], single["start"]["theta_0"], single["start"]["order"]) for single in smoke.runs}
    assert len(starts) == 2
    assert len({order for _, _, order in starts}) == 2


def test_runs_that_started_differently_make_no_record(smoke):
    runs = [{**single, "start": dict(single["start"])} for single in smoke.runs]
    require_same_start(runs)
    runs[1]["start"]["order"] = "another"
    with pytest.raises(ValueError, match=r"AdaGrad and SGDNesterov with seed 0 differ in order"):
        require_same_start(runs)
    del runs[1]["start"]  # as in the first record
    require_same_start(runs)


def test_finished_runs_are_not_made_again(tmp_path, smoke, monkeypatch):
    run(FIG1A, "smoke", seeds=1, folder=tmp_path)
    files = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert len(files) == 3
    made = []
    monkeypatch.setattr(
        runner, "make_run", lambda key, *rest, make=runner.make_run: made.append(key) or make(key, *rest)
    )
    record = run(FIG1A, "smoke", folder=tmp_path)
    assert len(made) == 3  # those of the second seed
    assert all(path.stat().st_mtime_ns == time for path, time in files.items())
    assert numbers(record) == numbers(smoke)


def test_recorded_runs_are_not_made_again(tmp_path, smoke, monkeypatch):
    """What a record holds is put back under the keys that its runs had, by the command too, where it is asked to."""
    made = run(FIG1A, "smoke", seeds=1, folder=tmp_path / "made")
    (tmp_path / "other").mkdir()
    assert unfold(made, tmp_path / "other") == 3
    files = {path.name: json.loads(path.read_text()) for path in (tmp_path / "made").iterdir()}
    assert {path.name: json.loads(path.read_text()) for path in (tmp_path / "other").iterdir()} == files
    assert unfold(made, tmp_path / "other") == 0
    assert unfold(replace(made, numerics_version=0), tmp_path / "empty") == 0

    (tmp_path / "book" / "results").mkdir(parents=True)
    made.save(tmp_path / "book" / "results" / "fig1a.json")
    monkeypatch.chdir(tmp_path)
    calls = []
    monkeypatch.setattr(
        runner, "make_run", lambda key, *rest, make=runner.make_run: calls.append(key) or make(key, *rest)
    )
    command = ["run", "fig1a", "--scale", "smoke", "--seeds", "2"]
    done = CliRunner().invoke(main, [*command, "--recorded"])
    assert done.exit_code == 0, done.output
    assert "3 runs are taken from book/results/fig1a.json." in done.output
    assert len(calls) == 3  # those of the second seed
    assert numbers(fold(FIG1A, "smoke", folder=tmp_path / "runs" / "fig1a")) == numbers(smoke)
    done = CliRunner().invoke(main, [*command, "--runs", "anew"])
    assert done.exit_code == 0, done.output
    assert len(calls) == 3 + 6  # who wants to reproduce the record makes all


def test_a_record_says_when_its_last_run_was_finished(tmp_path):
    """By its files, also after they came from a record; runs that nobody wrote down have no day."""
    first = run(FIG1A, "smoke", seeds=1, folder=tmp_path / "made")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", first.made)
    for path, day in zip(sorted((tmp_path / "made").iterdir()), (3, 5, 4), strict=True):
        when = datetime.datetime(2026, 1, day, 23, 30, tzinfo=datetime.UTC).timestamp()
        os.utime(path, (when, when))
    record = fold(FIG1A, "smoke", folder=tmp_path / "made")
    assert record.made == "2026-01-05"
    record.save(tmp_path / "record.json")
    unfold(load_record(tmp_path / "record.json"), tmp_path / "other")
    assert fold(FIG1A, "smoke", folder=tmp_path / "other").made == "2026-01-05"
    assert fold(FIG1A, "smoke", folder=tmp_path / "empty").made == ""
    assert run(FIG1A, "smoke", seeds=1).made == ""


def test_a_record_names_the_versions_that_its_runs_were_made_with(tmp_path, monkeypatch):
    """Not those of whoever folds them, nor of whoever takes them from a record."""
    was = run(FIG1A, "smoke", seeds=1, folder=tmp_path / "made").versions
    assert set(was) == {"numpy", "adamcore"}
    with monkeypatch.context() as patch:
        patch.setattr("importlib.metadata.version", lambda name: "99.0")
        folded = fold(FIG1A, "smoke", seeds=1, folder=tmp_path / "made")
        unfold(folded, tmp_path / "other")
        assert folded.versions == fold(FIG1A, "smoke", seeds=1, folder=tmp_path / "other").versions == was
        mixed = run(FIG1A, "smoke", seeds=2, folder=tmp_path / "made")
    assert mixed.versions == {name: f"{version}, 99.0" for name, version in was.items()}
    assert not any("versions" in single for single in mixed.runs)


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["fig1b"], 1, "there is no book/results/fig1b.json to take runs from"),
        (["fig1a", "--scale", "book"], 1, "fig1a.json holds runs of scale smoke, not book: name that scale"),
        (["fig1a", "--fresh"], 2, "--recorded and --fresh exclude each other"),
    ],
)
def test_runs_that_cannot_be_taken_from_a_record(tmp_path, smoke, monkeypatch, arguments, status, words):
    (tmp_path / "book" / "results").mkdir(parents=True)
    smoke.save(tmp_path / "book" / "results" / "fig1a.json")
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["run", *arguments, "--recorded"])
    assert done.exit_code == status
    assert words in done.output
    assert not list(tmp_path.glob("runs/*/*.json"))


@pytest.mark.parametrize("name", ["fig1b", "fig2b", "fig3", "fig3_start", "fig4", "sparse_regret", "ablation_mlp"])
def test_recorded_runs_keep_their_keys(name, tmp_path):
    """Measures, layers, several parameters, L-BFGS, games: whatever a key depends on comes back from the file."""
    experiment = get_experiment(name)
    size = experiment.scale("smoke")
    wanted = list(experiment.runs(size, 1))
    results = [
        (one, {"seconds": 0, "rule": one.rule.to_dict(), "seed": one.seed, "contender": one.contender})
        for one in wanted
    ]
    Record.of(experiment, "smoke", size, 1, "digest", results).save(tmp_path / "record.json")
    unfold(load_record(tmp_path / "record.json"), tmp_path / "runs")
    assert {path.stem for path in (tmp_path / "runs").iterdir()} == {one.key("digest") for one in wanted}


def test_a_recorded_run_is_not_taken_for_one_with_more_measures(tmp_path, smoke):
    """It has not measured what the experiment asks for by now."""
    unfold(smoke, tmp_path)
    assert not fold(FIG1A, "smoke", folder=tmp_path).missing
    assert len(fold(replace(FIG1A, measures=("full_cost",)), "smoke", folder=tmp_path).missing) == 6


def test_a_failing_run_loses_nothing(tmp_path, monkeypatch):
    """The third run fails: two are kept, nothing half-written lies about, and the rest is made next time."""
    make, calls = runner.make_run, []

    def fails_third(key, *rest):
        calls.append(key)
        if len(calls) == 3:
            raise OSError("no space left on device")
        return make(key, *rest)

    monkeypatch.setattr(runner, "make_run", fails_third)
    with pytest.raises(OSError, match="no space"):
        run(FIG1A, "smoke", seeds=1, folder=tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
    assert run(FIG1A, "smoke", seeds=1, folder=tmp_path).runs
    assert len(calls) == 4


def test_writing_is_whole_or_not_at_all(tmp_path, monkeypatch):
    path, ordinary = tmp_path / "a.json", tmp_path / "ordinary"
    write_json(path, {"old": 1})
    ordinary.touch()
    assert path.stat().st_mode == ordinary.stat().st_mode
    ordinary.unlink()
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError("disk")))
    with pytest.raises(StorageError, match=r"cannot write to .* \(disk\).*to another place and name that"):
        write_json(path, {"new": 2})
    assert json.loads(path.read_text()) == {"old": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_a_damaged_run_is_named(tmp_path):
    run(FIG1A, "smoke", seeds=1, folder=tmp_path)
    victim = sorted(tmp_path.iterdir())[0]
    victim.write_text("{")
    with pytest.raises(ValueError, match=rf"{victim.name} is not a finished run .*Delete it"):
        run(FIG1A, "smoke", seeds=1, folder=tmp_path)
    victim.write_text('{"key": "of another run"}')
    with pytest.raises(ValueError, match=rf"{victim.name} is not a finished run .*'of another run'"):
        run(FIG1A, "smoke", seeds=1, folder=tmp_path)


def test_the_key_depends_on_everything_that_determines_a_run(monkeypatch):
    one = Run("mnist_logistic", (("l2", 1e-4), ("n_train", 100)), "Adam", Adam(), seed=0, epochs=2, batch_size=128)
    others = [
        replace(one, parameters=(("l2", 0.0), ("n_train", 100))),
        replace(one, rule=Adam(alpha=0.1)),
        replace(one, seed=1),
        replace(one, epochs=3),
        replace(one, batch_size=64),
        replace(one, measures=("full_cost",)),
    ]
    keys = {single.key("digest") for single in (one, *others)} | {one.key("other data")}
    monkeypatch.setattr("adamcore.experiments.experiment.NUMERICS_VERSION", 99)
    assert len(keys | {one.key("digest")}) == 9


def test_keys_of_recorded_runs_stay_what_they_were():
    """The committed record of Figure 1 (left) was made under these keys; its runs must not be made again."""
    size = FIG1A.scale("full")
    single = next(iter(FIG1A.runs(size)))
    assert single.key(load_record(RESULTS / "fig1a.json").data) == "3a3835ae045cc7f1"


def test_save_and_load(tmp_path, smoke):
    smoke.save(tmp_path / "record.json")
    assert load_record(tmp_path / "record.json") == smoke
    (tmp_path / "other.json").write_text('{"a": 1}')
    with pytest.raises(ValueError, match=r"other.json is not a record: expected exactly the entries"):
        load_record(tmp_path / "other.json")
    (tmp_path / "cut.json").write_text((tmp_path / "record.json").read_text()[:-20])
    with pytest.raises(ValueError, match=r"cut.json is not a record"):
        load_record(tmp_path / "cut.json")


def test_best_setting_and_divergence(smoke):
    """On a made-up grid: a diverged setting is never the best, and the two metrics can disagree."""

    def single(alpha, cost, diverged_at=None):
        plain = Adam(alpha=alpha).to_dict()
        return {"contender": "Adam", "rule": plain, "seed": 0, "epoch_cost": cost, "epoch_objective": cost,
                "first_losses": [], "diverged_at": diverged_at, "seconds": 0}  # fmt: skip

    runs = [single(1.0, [9.0, 2.0, 2.0]), single(2.0, [9.0, 3.0, 1.5]), single(3.0, [0.1], 4)]
    record = replace(smoke, epochs=3, seeds=[0], runs=runs, grid={"Adam": [r["rule"] for r in runs]})
    assert record.best("Adam") == Adam(alpha=1.0)
    assert record.best("Adam", "final") == Adam(alpha=2.0)
    assert [point.score for point in record.grid_points("Adam")] == pytest.approx([2.0, 4.5**0.5, np.inf])
    assert record.grid_points("Adam")[0][:2] == (1.0, "none")
    assert np.isinf(record.curves("Adam", Adam(alpha=3.0))[0, 1:]).all()
    with pytest.raises(KeyError, match="holds no runs of Adam with"):
        record.curves("Adam", Adam(alpha=99.0))
    with pytest.raises(ValueError, match="metric = 'speed' is not allowed"):
        record.best("Adam", "speed")


def test_one_seed_gives_no_verdict():
    words = "not run: fewer than two seeds of every contender give no interval"
    assert judge_mnist_logistic(run(FIG1A, "smoke", seeds=1)).verdict == words


def test_contenders_are_compared_over_the_seeds_that_they_have_in_common(tmp_path):
    """Of a sweep that stopped, each may lack another seed: no pair may be made of two different ones."""
    whole = run(FIG1A, "smoke", seeds=4, folder=tmp_path)
    lacking = {"Adam": 0, "SGDNesterov": 1}
    runs = [one for one in whole.runs if lacking.get(one["contender"]) != one["seed"]]
    common = [one for one in whole.runs if one["seed"] in (2, 3)]
    found = judge_mnist_logistic(replace(whole, runs=runs))
    assert found.paper_like == judge_mnist_logistic(replace(whole, runs=common, seeds=[2, 3])).paper_like
    assert {ratio.n for ratio in found.paper_like.values()} == {2}
    one = [single for single in runs if single["seed"] != 3]
    assert judge_mnist_logistic(replace(whole, runs=one)).verdict.startswith("not run: fewer than two seeds")
    nobody = [single for single in whole.runs if single["contender"] != "Adam"]
    assert judge_mnist_logistic(replace(whole, runs=nobody)).verdict.startswith("not run: fewer than two seeds")


def test_errors():
    with pytest.raises(ValueError, match="no experiment 'fig9'; there are fig1a"):
        get_experiment("fig9")
    with pytest.raises(ValueError, match="fig1a has no scale 'huge'; it has smoke, book, full"):
        run(FIG1A, "huge")
    with pytest.raises(ValueError, match="run: jobs = 0 is not allowed"):
        run(FIG1A, "smoke", jobs=0)


def test_every_contender_gets_the_same_grid():
    scale = FIG1A.scale("full")
    assert isinstance(scale, Scale)
    shares = {name: [rule.to_dict()["alpha"] for rule in rules] for name, rules in scale.grid.items()}
    assert shares["Adam"] == shares["AdaGrad"] == shares["SGDNesterov"]
    assert len(shares["Adam"]) == 33


class TestCommandLine:
    def invoke(self, *arguments):
        return CliRunner().invoke(main, [str(argument) for argument in arguments])

    def test_run_and_report(self, tmp_path):
        done = self.invoke("run", "fig1a", "--scale", "smoke", "--runs", tmp_path)
        assert done.exit_code == 0, done.output
        assert "Adam / AdaGrad" in done.output
        output = tmp_path / "record.json"
        done = self.invoke("report", "fig1a", "--scale", "smoke", "--runs", tmp_path, "--output", output)
        assert done.exit_code == 0, done.output
        assert load_record(output).command == "python -m adamcore run fig1a --scale smoke"

    def test_a_report_never_takes_away_what_a_record_holds(self, tmp_path, monkeypatch, smoke):
        """Neither by a smaller scale with more runs, nor by as many other runs; unless the file is named."""
        path = tmp_path / "book" / "results" / "fig1a.json"
        path.parent.mkdir(parents=True)
        monkeypatch.chdir(tmp_path)
        for kept, words in (
            (replace(smoke, scale="full", runs=smoke.runs[:1]), "holds runs of scale full, and these are of scale"),
            (
                replace(smoke, runs=smoke.runs[3:]),
                "holds 3 runs, of which 3 are not among these, such as AdaGrad, ",
            ),
        ):
            kept.save(path)
            before = path.read_bytes()
            run(FIG1A, "smoke", seeds=1, folder=tmp_path / "runs" / "fig1a")
            done = self.invoke("report", "fig1a", "--scale", "smoke", "--seeds", "1")
            assert done.exit_code == 1
            assert words in done.output
            assert path.read_bytes() == before
            done = self.invoke("report", "fig1a", "--scale", "smoke", "--seeds", "1", "--output", "other.json")
            assert done.exit_code == 0, done.output
        replace(smoke, runs=smoke.runs[:3]).save(path)
        done = self.invoke("report", "fig1a", "--scale", "smoke", "--seeds", "1")
        assert done.exit_code == 0, done.output
        assert len(load_record(path).runs) == 3

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["run", "fig9"], "'fig9' is not"),
            (["run", "fig1a", "--scale", "huge"], "'huge' is not one of 'smoke', 'book', 'full'"),
            (["run", "fig1a", "--jobs", "0"], "0 is not in the range x>=1"),
            (["run", "fig1a", "--seeds", "x"], "'x' is not a valid integer"),
            (["walk"], "No such command 'walk'"),
        ],
    )
    def test_errors(self, arguments, message):
        done = self.invoke(*arguments)
        assert done.exit_code == 2
        assert message in done.output

    def test_report_outside_the_repository(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        done = self.invoke("report", "fig1a", "--scale", "smoke")
        assert done.exit_code == 1
        assert "run this from the root of the repository" in done.output

    def test_a_folder_that_cannot_be_written(self, tmp_path):
        (tmp_path / "file").write_text("")
        done = self.invoke("run", "fig1a", "--scale", "smoke", "--runs", tmp_path / "file" / "runs")
        assert done.exit_code == 1
        assert "Finished runs are kept in" in done.output


RECORDS = sorted(path for path in RESULTS.glob("*.json") if path.name != "scorecard.json")


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_committed_records_can_be_made_again(path, monkeypatch):
    """The first steps of one run of each record, made anew; a record is complete or says what it lacks."""
    record = load_record(path)
    experiment = get_experiment(record.experiment)
    scale = experiment.scale(record.scale)
    part = scale.only(record.contenders)
    expected = {(s.contender, json.dumps(s.rule.to_dict()), s.seed) for s in experiment.runs(part, len(record.seeds))}
    held = {(single["contender"], json.dumps(single["rule"]), single["seed"]) for single in record.runs}
    assert held
    lacking = expected - held
    assert len(lacking) == len(record.missing)
    assert scale.extend or held <= expected
    # A paper-like setting: with the longest steps of a grid, a few steps make a percent of a processor's rounding.
    usual = [single for single in record.runs if single["rule"] == record.paper[single["contender"]]]
    single = usual[-1]

    def no_network(archive, **options):
        raise DataError(f"{archive.file} is not here, and tests download nothing")

    monkeypatch.setattr(sources, "fetch", no_network)
    try:
        problem = runner.make_problem(experiment.problem, experiment.problem_parameters(scale, single["contender"]))
    except DataError as error:
        pytest.skip(f"the record needs a data set that is not here: {str(error).splitlines()[0]}")
    assert problem.digest == record.data
    rule, source = method_from_dict(single["rule"]), streams(single["seed"])
    if isinstance(rule, Online):
        history = rule.minimize(problem, 1, source, steps=5)
    elif isinstance(rule, (LBFGS, SFO)):
        history = rule.minimize(problem, 1, source)  # a pass of L-BFGS is one evaluation
    else:
        history = train(problem.model, rule, problem.data, epochs=1, batch_size=record.batch_size, streams=source)
    assert history.first_losses
    again = single["first_losses"][: len(history.first_losses)]
    np.testing.assert_allclose(history.first_losses, again, rtol=1e-3)
