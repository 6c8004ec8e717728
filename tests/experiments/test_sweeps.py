"""Sweeps: contenders with problems of their own, measures, grids that grow, and records that are not complete yet."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from adamcore.__main__ import UNFINISHED, main
from adamcore.experiments import (
    EXPERIMENTS,
    LBFGS,
    Experiment,
    History,
    RunError,
    Scale,
    Unfinished,
    fold,
    get_experiment,
    load_record,
    run,
    streams,
)
from adamcore.experiments import runner as engine
from adamcore.experiments.edges import extended, next_setting
from adamcore.experiments.measures import (
    excess,
    gradient_sparsity,
    mean_cost,
    second_moment,
    test_bound,
    test_error,
)
from adamcore.experiments.problems import Problem, make_problem
from adamcore.experiments.record import GridPoint
from adamcore.models import Layout
from adamcore.optim import (
    SGD,
    AdaDelta,
    AdaGrad,
    Adam,
    AdaMax,
    AdamL2,
    AdamW,
    AMSGrad,
    Averaged,
    Decayed,
    FadingAdam,
    LayerAdam,
    Lion,
    NAdam,
    RAdam,
    RMSProp,
    inverse_sqrt,
    step_decay,
)
from adamcore.optim.base import State

SMALL = Scale(epochs=2, n_train=200, batch_size=50, seeds=2, paper={"Adam": Adam(), "SGD": SGD(alpha=0.1)}, grid={})


def experiment(size=SMALL, measures=()):
    return Experiment("small", "A small one", "mnist_logistic", {"l2": 0.0}, {"smoke": lambda: size}, measures)


def numbers(record):
    return [{name: value for name, value in single.items() if "seconds" not in name} for single in record.runs]


def test_a_contender_may_have_a_problem_of_its_own():
    """Same seed, same rule, same start: only the penalty differs, and the record says so."""
    paper = {"Adam": Adam(), "Adam+l2": Adam()}
    both = experiment(replace(SMALL, paper=paper, parameters={"Adam+l2": {"l2": 1.0}}))
    assert len({single.key("data") for single in both.runs(both.scale("smoke"))}) == 4
    record = run(both, "smoke")
    assert record.parameters == {"Adam+l2": {"l2": 1.0}}
    first, other = (record.paper_curves(name, "objective") for name in paper)
    assert (first < other).all()


def test_contenders_that_are_the_same_run_share_it():
    record = run(experiment(replace(SMALL, paper={"Adam": Adam(), "again": Adam()})), "smoke", seeds=1)
    assert [single["contender"] for single in record.runs] == ["Adam", "again"]
    np.testing.assert_array_equal(record.paper_curves("Adam"), record.paper_curves("again"))


def test_measures_are_recorded_epoch_by_epoch(tmp_path):
    measured = experiment(measures=("full_cost", "second_moment", "test_error"))
    record = run(measured, "smoke", seeds=1, jobs=2)
    rule = record.paper["Adam"]
    assert record.measured("Adam", rule, "full_cost").shape == (1, 2)
    assert (record.measured("Adam", rule, "W/rms") > 0).all()
    assert 0 < record.measured("Adam", rule, "test_error")[0, -1] < 0.5
    with pytest.raises(KeyError, match="holds no W/rms of SGD"):  # it has no second moment
        record.measured("SGD", record.paper["SGD"], "W/rms")
    without = run(experiment(), "smoke", seeds=1)
    assert [single["epoch_cost"] for single in without.runs] == [single["epoch_cost"] for single in record.runs]
    record.save(tmp_path / "a.json")
    assert load_record(tmp_path / "a.json") == record
    with pytest.raises(ValueError, match=r"measures = \['speed'\] are not known; there are full_cost"):
        experiment(measures=("speed",))


def test_what_is_measured():
    """On all 200 examples at once, by the definitions."""
    problem = make_problem("mnist_logistic", {"n_train": 2500, "l2": 0.1})
    theta = np.random.default_rng(0).normal(scale=0.1, size=7850).astype(np.float32)
    penalty = problem.model.penalty(theta)
    whole, _ = problem.model.loss_and_grad(theta, problem.data)
    assert mean_cost(problem.model, theta, problem.data) == pytest.approx(whole - penalty, rel=1e-5)
    part, _ = problem.model.loss_and_grad(theta, tuple(x[:1200] for x in problem.data))
    assert mean_cost(problem.model, theta, problem.data, 1200) == pytest.approx(part - penalty, rel=1e-5)
    tested = replace(problem, test=problem.data)
    wrong = problem.model.predict(theta, problem.data[0][:500]) != problem.data[1][:500]  # a fifth of 2,500
    assert test_error(1, tested, State("SGD", theta), SGD()) == {"test_error": wrong.mean()}
    assert test_error(1, replace(problem, test=None), State("SGD", theta), SGD()) == {}
    assert test_bound(1, tested, State("SGD", theta), SGD()) == {}  # it has labels, and no bound
    v = np.full(7850, 1e-18)
    v[:784] = 1e-14  # a tenth of W has a root of 1e-7, the rest one of 1e-9
    rule = Adam(bias_correction=False)
    found = second_moment(1, problem, State("Adam", theta, t=1, v=v), rule)
    assert found["W/below_eps"] == pytest.approx(0.9)
    assert found["b/below_10_eps"] == 1
    corrected = second_moment(1, problem, State("Adam", theta, t=1, v=v), Adam())  # divided by 1 - 0.999
    assert corrected["b/rms"] == pytest.approx(1e-9 / 0.001**0.5)
    assert corrected["W/below_eps"] == 0


ROOTED = [
    Adam(eps=0.3),
    Adam(eps=0.3, eps_place="hat"),
    Adam(eps=0.3, bias_correction="first"),
    AdamL2(eps=0.3, weight_decay=0.0),
    AdamW(eps=0.3, weight_decay=0.0),
    AMSGrad(eps=0.3, beta2=0.5),
    AMSGrad(eps=0.3, beta2=0.5, bias_correction=True, eps_place="hat"),
    AMSGrad(eps=0.3, beta2=0.5, bias_correction=True, maximum="corrected"),
    NAdam(eps=0.3),
    RAdam(eps=0.3),
    RAdam(eps=0.3, eps_place="hat"),
    FadingAdam(eps=0.3, hold=3, fade=2),
    LayerAdam(eps=0.3, sizes=(7, 1)),
    RMSProp(eps=0.3),
    RMSProp(eps=0.3, rho=0.5, centered=True),
]


@pytest.mark.parametrize("rule", ROOTED, ids=repr)
@pytest.mark.parametrize(
    "wrap", [lambda rule: rule, Averaged, lambda rule: Decayed(rule, 0.0)], ids=["alone", "Averaged", "Decayed"]
)
def test_the_second_moment_is_what_the_rule_divides_by(rule, wrap, rng):
    """Less epsilon, which in the place "hat" is larger at first; read from the step that the rule takes."""
    problem = Problem(Given(8), (np.ones((1, 8)),), digest="")
    wrapped = wrap(rule)
    s = wrapped.init(np.zeros(8))
    for size in (1.0, 3.0, 0.3, 0.1, 0.2, 0.1, 0.3):
        g = size * rng.normal(size=8) * np.array([0.01, 0.1, 1, 1, 3, 10, 0.1, 1])
        before = s.theta
        wrapped.step(s, g)
    numerator = g if isinstance(rule, RMSProp) else s.m_hat
    if isinstance(rule, RAdam):
        numerator = numerator * rule.rectification(s.t)
    hat = getattr(rule, "eps_place", "outside") == "hat"
    eps = 0.3 / (1 - rule.beta2**s.t) ** 0.5 if hat else 0.3
    root = rule.alpha * numerator / (before - s.theta) - eps
    kept = State(s.owner, s.theta, s.t, **{name: getattr(s, name) for name in wrapped.slots})
    for state in (s, kept):  # a step in place leaves no v_hat
        found = second_moment(1, problem, state, wrapped)
        for part, where in (("a", slice(7)), ("b", slice(7, 8))):
            assert found[f"{part}/rms"] == pytest.approx(np.sqrt(np.mean(root[where] ** 2)), rel=1e-6)
            assert found[f"{part}/below_eps"] == np.mean(root[where] < eps)
            assert found[f"{part}/below_10_eps"] == np.mean(root[where] < 10 * eps)


@pytest.mark.parametrize(
    "rule",
    [
        *(SGD(), Lion(), AdaGrad(), AdaMax(eps=1e-8), AdaDelta(), Averaged(AdaDelta())),
        *(kind(eps_place="inside") for kind in (Adam, AMSGrad, RMSProp)),
        Decayed(Adam(eps_place="inside")),
    ],
    ids=repr,
)
def test_a_rule_without_a_root_beside_epsilon_has_no_second_moment_to_measure(rule):
    problem = Problem(Given(8), (np.ones((1, 8)),), digest="")
    s = rule.init(np.zeros(8))
    rule.step(s, np.ones(8))
    assert second_moment(1, problem, s, rule) == {}


def test_the_bound_is_that_of_test_images_with_the_same_noise_each_time():
    problem = make_problem("mnist_vae", {"n_train": 50, "hidden": 5, "n_latent": 2})
    s = State("SGD", problem.model.init(np.random.default_rng(0)))
    first = test_bound(1, problem, s, SGD())
    assert test_bound(2, problem, s, SGD()) == first
    images = (problem.test[0][:10],)  # a fifth of 50
    assert first["test_bound"] == problem.model.loss(s.theta, images, np.random.default_rng(0))
    assert first["test_bound"] != pytest.approx(problem.model.loss(s.theta, images), rel=1e-6)
    assert test_bound(1, replace(problem, test=None), s, SGD()) == {}
    assert test_error(1, problem, s, SGD()) == {}


def test_the_excess_is_counted_from_the_minimum(rng):
    """At the minimum it is nothing, elsewhere the difference of the objectives; the gradient tells where that is."""
    problem = make_problem("mnist_logistic", {"n_train": 300, "l2": 0.01})
    at = LBFGS().minimize(problem, 500, streams(0)).state.theta
    assert np.linalg.norm(problem.model.loss_and_grad(at, problem.data)[1]) < 1e-4
    lowest = excess(1, problem, State("SGD", at), SGD())["excess"]
    assert abs(lowest) < 1e-6
    away = (at + rng.normal(scale=0.1, size=at.size)).astype(np.float32)
    expected = problem.model.loss(away, problem.data) - problem.model.loss(at, problem.data)
    assert expected > 0.01
    assert excess(1, problem, State("SGD", away), SGD())["excess"] == pytest.approx(expected, rel=1e-4)


class Given:
    """A model whose gradient on a minibatch is the minibatch's first row."""

    def __init__(self, n):
        self.layout = Layout(a=(n - 1,), b=(1,))

    def loss_and_grad(self, theta, batch, rng):
        return 0.0, batch[0][0].copy()


class TestSparsityOfGradients:
    @staticmethod
    def measured(gradients):
        """Each of eight minibatches of 128 gets one of the gradients."""
        data = (np.repeat(np.asarray(gradients, np.float32), 128, axis=0),)
        problem = Problem(Given(data[0].shape[1]), data, "")
        return gradient_sparsity(1, problem, State("SGD", np.zeros(data[0].shape[1], np.float32)), SGD())

    def test_alike_everywhere(self):
        found = self.measured(np.full((8, 5), -3.0))
        assert found == dict.fromkeys(found, pytest.approx(0, abs=1e-6))
        assert list(found) == [f"{part}/{name}" for part in "ab" for name in ("zero", "small", "hoyer", "rare")]

    def test_one_coordinate_in_one_minibatch(self):
        g = np.zeros((8, 5))
        g[2, 1] = 7.0
        found = self.measured(g)
        assert found["a/zero"] == found["a/small"] == pytest.approx(31 / 32)
        assert found["a/hoyer"] == pytest.approx(1)
        assert found["a/rare"] == pytest.approx(7 / 8)
        assert (found["b/zero"], found["b/hoyer"], found["b/rare"]) == (1, 0, 0)

    def test_by_the_formulas(self, rng):
        g = (rng.normal(size=(8, 41)) ** 5).astype(np.float32)
        found = self.measured(g)
        a = np.abs(g[:, :40].astype(float))
        norms = a.sum(axis=1), np.sqrt((a**2).sum(axis=1))
        assert found["a/hoyer"] == pytest.approx(((40**0.5 - norms[0] / norms[1]) / (40**0.5 - 1)).mean(), rel=1e-5)
        assert found["a/small"] == pytest.approx((a < 0.01 * norms[1][:, None] / 40**0.5).mean())
        assert 0 < found["a/small"] < 1
        assert found["a/rare"] == pytest.approx(1 - (a.mean(axis=0) ** 2 / (a**2).mean(axis=0)).mean(), rel=1e-5)

    def test_scale_does_not_matter_and_training_is_not_disturbed(self, rng):
        g = rng.normal(size=(8, 12)).astype(np.float32)
        assert self.measured(g * 2.0**-40) == self.measured(g)
        measured = experiment(measures=("gradient_sparsity",))
        with_it, without = (run(one, "smoke", seeds=1) for one in (measured, experiment()))
        assert [one["epoch_cost"] for one in with_it.runs] == [one["epoch_cost"] for one in without.runs]
        values = with_it.measured("Adam", with_it.paper["Adam"], "W/hoyer")
        assert ((values > 0) & (values < 1)).all()  # of 200 examples: a whole minibatch and a part of one

    def test_a_sparser_gradient_measures_as_sparser(self, rng):
        g = rng.normal(size=(8, 1001))
        few = g * (rng.random(g.shape) < 0.1)
        dense, sparse = self.measured(g), self.measured(few)
        assert all(sparse[f"a/{name}"] > dense[f"a/{name}"] + 0.2 for name in ("zero", "small", "hoyer", "rare"))


@dataclass(frozen=True)
class Exact:
    """A contender that is no rule: it sees the whole problem."""

    depth: int = 1

    def to_dict(self):
        return {"rule": "Exact", "depth": self.depth}

    def minimize(self, problem, epochs, source):
        assert problem.data[0].shape[0] == 200
        return History(None, epoch_objective=[1.0] * epochs, epoch_cost=[float(source.order.random())] * epochs)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_contender_may_minimize_by_itself(tmp_path, jobs):
    mixed = experiment(replace(SMALL, paper={"Adam": Adam(), "Exact": Exact()}))
    record = run(mixed, "smoke", jobs=jobs, folder=tmp_path)
    curves = record.paper_curves("Exact")
    assert curves.shape == (2, 2)
    assert curves[0, 0] != curves[1, 0]  # another seed
    assert numbers(fold(mixed, "smoke", folder=tmp_path)) == numbers(record)


def test_a_failing_run_is_named(monkeypatch):
    class Broken(Exact):
        def minimize(self, problem, epochs, source):
            raise RuntimeError("no memory")

    broken = experiment(replace(SMALL, paper={"Broken": Broken()}))
    with pytest.raises(RunError, match=r"Broken, seed 0: .* failed: RuntimeError: no memory"):
        run(broken, "smoke")


class TestEdges:
    @staticmethod
    def points(scores, decay=float):
        return [GridPoint.of(SGD(alpha=decay(alpha)), score) for alpha, score in scores.items()]

    @pytest.mark.parametrize(
        ("scores", "alpha"),
        [
            ({0.1: 3, 0.3: 2, 1.0: 1}, 3.0),
            ({0.1: 3, 0.3: 2, 1.0: 1, 3.0: 0.5}, 10.0),
            ({0.1: 1, 0.3: 2, 1.0: 3}, 0.03),
            ({0.03: 1, 0.1: 2, 0.3: 2, 1.0: 3}, 0.01),
            ({0.1: 1, 0.2: 2, 0.4: 3}, 0.05),
            ({1.0: 1, 0.1: 3, 0.3: 2}, 3.0),
            ({0.1: 3, 0.3: 2, 1.0: 3}, None),
            ({0.1: 3, 0.3: 2}, None),
            ({0.1: np.inf, 0.3: np.inf, 1.0: np.inf}, None),
            ({}, None),
        ],
    )
    def test_next_setting(self, scores, alpha):
        assert next_setting(self.points(scores)) == (None if alpha is None else SGD(alpha=alpha))

    def test_the_edge_is_that_of_the_settings_like_the_best(self):
        """Without decay 0.3 is in the middle; with it, it is the largest."""
        plain = self.points({0.1: 5, 0.3: 5, 1.0: 5, 3.0: 5})
        decayed = self.points({0.03: 5, 0.1: 4, 0.3: 3}, inverse_sqrt)
        assert next_setting(plain + decayed) == SGD(alpha=inverse_sqrt(1.0))

    def test_other_schedules_have_a_name(self):
        rule = SGD(alpha=step_decay(0.5, every=10))
        assert GridPoint.of(rule, 1.0)[:2] == (0.5, "step_decay")

    def test_a_grid_grows_until_its_best_has_neighbors(self, tmp_path):
        grid = {"SGD": tuple(SGD(alpha=alpha) for alpha in (1e-4, 3e-4, 1e-3))}
        small = replace(SMALL, paper={"SGD": SGD(alpha=1e-4)}, grid=grid, seeds=1, extend=True)
        record = run(experiment(small), "smoke", folder=tmp_path)
        alphas = [point.alpha for point in record.grid_points("SGD")]
        assert alphas[:5] == [1e-4, 3e-4, 1e-3, 3e-3, 1e-2]
        assert record.best("SGD").alpha not in (alphas[0], alphas[-1]) or len(alphas) == 9
        assert len(alphas) <= 9
        assert fold(experiment(small), "smoke", folder=tmp_path) == record
        assert not record.missing
        next(tmp_path.glob("*.json")).unlink()
        assert len(fold(experiment(small), "smoke", folder=tmp_path).missing) == 1
        fixed = run(experiment(replace(small, extend=False)), "smoke")
        assert len(fixed.grid_points("SGD")) == 3

    def test_a_grid_that_grows_makes_no_run_twice_also_without_a_folder(self, monkeypatch):
        made = []
        monkeypatch.setattr(
            engine, "make_run", lambda key, *rest, make=engine.make_run: made.append(key) or make(key, *rest)
        )
        grid = {"SGD": tuple(SGD(alpha=alpha) for alpha in (1e-4, 3e-4, 1e-3))}
        small = replace(SMALL, paper={"SGD": SGD(alpha=1e-4)}, grid=grid, seeds=1, extend=True)
        record = run(experiment(small), "smoke")
        assert len(record.runs) > 3
        assert len(made) == len(set(made)) == len(record.runs)

    def test_a_grid_does_not_grow_for_ever(self):
        small = replace(SMALL, paper={}, grid={"SGD": (SGD(), SGD(alpha=1), SGD(alpha=2))}, extend=True)
        longer = replace(small, grid={"SGD": (*small.grid["SGD"], *(SGD(alpha=a) for a in range(3, 9)))})

        class Full:
            missing = ()

            def grid_points(self, name):
                raise AssertionError("it is full")

        assert extended(longer, small, Full()) == longer


def test_one_epoch_is_scored_by_that_epoch():
    grid = {"SGD": (SGD(alpha=0.1), SGD(alpha=1e-5))}
    record = run(experiment(replace(SMALL, epochs=1, grid=grid)), "smoke")
    assert record.best("SGD") == SGD(alpha=0.1)
    assert all(np.isfinite(point.score) for point in record.grid_points("SGD"))


def test_only_some_contenders(tmp_path):
    record = run(experiment(), "smoke", only=["SGD"], folder=tmp_path)
    assert record.contenders == ["SGD"]
    assert record.command == "python -m adamcore run small --scale smoke --only 'SGD'"
    partial = fold(experiment(), "smoke", folder=tmp_path)
    assert {contender for contender, _, _ in partial.missing} == {"Adam"}
    assert len(partial.missing) == 2
    with pytest.raises(ValueError, match=r"only = \['Sgd'\]: there is no such contender; there are Adam, SGD"):
        run(experiment(), "smoke", only=["Sgd"])


def test_fresh_makes_the_runs_again_and_leaves_others(tmp_path):
    run(experiment(), "smoke", folder=tmp_path)
    for path in tmp_path.iterdir():
        path.write_text(json.dumps({**json.loads(path.read_text()), "seconds": -1}))
    record = run(experiment(), "smoke", seeds=1, folder=tmp_path, fresh=True)
    assert all(single["seconds"] >= 0 for single in record.runs)
    assert sum(json.loads(path.read_text())["seconds"] == -1 for path in tmp_path.iterdir()) == 2


@pytest.mark.parametrize("jobs", [1, 2])
def test_no_hours_left(tmp_path, jobs):
    with pytest.raises(Unfinished, match="0 of 4 runs are finished; the time is up"):
        run(experiment(), "smoke", hours=0, jobs=jobs, folder=tmp_path)
    assert len(run(experiment(), "smoke", hours=1, folder=tmp_path).runs) == 4


def test_folding_depends_on_the_files_alone(tmp_path):
    """Not on the order in which they were made."""
    whole = run(experiment(), "smoke", folder=tmp_path / "a")
    run(experiment(), "smoke", only=["SGD"], folder=tmp_path / "b")
    run(experiment(), "smoke", jobs=2, folder=tmp_path / "b")
    assert numbers(fold(experiment(), "smoke", folder=tmp_path / "b")) == numbers(whole)
    for name in "ab":
        fold(experiment(), "smoke", folder=tmp_path / "a").save(tmp_path / f"{name}.json")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_runs_that_started_differently_are_not_folded(tmp_path):
    run(experiment(), "smoke", seeds=1, folder=tmp_path)
    path = next(tmp_path.iterdir())
    content = json.loads(path.read_text())
    content["start"]["theta_0"] = "another"
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match="Adam and SGD with seed 0 differ in theta_0: they cannot be compared"):
        fold(experiment(), "smoke", seeds=1, folder=tmp_path)


def test_the_first_record_folds_to_the_same_entries():
    """It was made before there were measures and contenders' own parameters, and has no such entries."""
    record = load_record(Path(__file__).parents[2] / "book" / "results" / "fig1a.json")
    assert (record.parameters, record.measures, record.missing) == ({}, [], [])


class TestCommandLine:
    @pytest.fixture(autouse=True)
    def _place(self, tmp_path, monkeypatch):
        """Run in a place like the root of the repository."""
        monkeypatch.chdir(tmp_path)
        (tmp_path / "book" / "results").mkdir(parents=True)

    def invoke(self, *arguments):
        return CliRunner().invoke(main, [str(argument) for argument in arguments])

    def test_a_report_folds_what_is_there_and_says_what_is_missing(self, tmp_path):
        path = tmp_path / "book" / "results" / "fig1a.json"
        assert self.invoke("run", "fig1a", "--scale", "smoke", "--seeds", 1).exit_code == 0
        done = self.invoke("report", "--scale", "smoke")  # finds out by itself which experiment has runs
        assert done.exit_code == 0, done.output
        assert "3 runs are finished, 3 are missing" in done.output
        assert "SGDNesterov, seed 1" in done.output
        assert "Make them with: python -m adamcore run fig1a --scale smoke\n" in done.output
        assert len(load_record(path).runs) == 3
        assert self.invoke("run", "fig1a", "--scale", "smoke", "--jobs", 2).exit_code == 0
        done = self.invoke("report", "fig1a", "--scale", "smoke")
        assert "Adam / AdaGrad" in done.output
        assert len(load_record(path).runs) == 6
        done = self.invoke("report", "fig1a", "--scale", "smoke", "--only", "Adam")
        assert done.exit_code == 1
        assert "holds 6 runs, of which 4 are not among these, such as AdaGrad, seed 0" in done.output
        assert len(load_record(path).runs) == 6

    def test_a_report_of_nothing(self, tmp_path):
        done = self.invoke("report", "fig1a", "--scale", "smoke")
        assert done.exit_code == 1
        assert "no run of fig1a at scale smoke is finished; make them with: python -m adamcore run" in done.output
        assert self.invoke("report", "--output", "a.json").exit_code == 2

    def test_hours_fresh_and_only(self, tmp_path):
        done = self.invoke("run", "fig1a", "--scale", "smoke", "--hours", 0)
        assert done.exit_code == UNFINISHED
        assert "0 of 6 runs are finished; the time is up. They are kept in runs/fig1a.\nGo on with: " in done.output
        done = self.invoke("run", "fig1a", "--scale", "smoke", "--only", "Adam", "--fresh")
        assert "All 2 runs are finished." in done.output
        done = self.invoke("run", "fig1a", "--scale", "smoke", "--only", "adam")
        assert done.exit_code == 1
        assert "there are AdaGrad, SGDNesterov, Adam" in done.output


def test_experiments_name_measures_that_exist():
    for name in EXPERIMENTS:
        assert set(get_experiment(name).measures) <= set(engine.MEASURES)
