"""Runs that are made together are, to the last bit, those that are made alone."""

from dataclasses import replace

import numpy as np
import pytest

from adamcore import AdaGrad, Adam, LogisticRegression, Nesterov, RMSProp
from adamcore.experiments import get_experiment, run, runner, streams, train
from adamcore.experiments.experiment import Run
from adamcore.experiments.runner import Keeping, make_run, make_together
from adamcore.experiments.train import train_together
from adamcore.models import MLP

FIG1B = get_experiment("fig1b")
RULES = [Adam(alpha=0.01), AdaGrad(alpha=0.05), Nesterov(alpha=0.01), RMSProp(alpha=0.002)]


def group(*rules, seed=0, epochs=3):
    parameters = (("dropout", 0.5), ("n_train", 500))
    return {
        str(n): Run("imdb_logistic", parameters, type(rule).__name__, rule, seed=seed, epochs=epochs, batch_size=128)
        for n, rule in enumerate(rules)
    }


def without_times(result):
    return {name: value for name, value in result.items() if "seconds" not in name}


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(70, 20)).astype(np.float32)
    return x, (x[:, 0] > 0).astype(int)


def test_each_history_is_that_of_a_training_alone(data):
    model = LogisticRegression(20, 2, l2=0.01, dropout=0.5)
    options = {"epochs": 4, "batch_size": 16, "full_cost": True, "step_losses": True}
    together = train_together(model, RULES, data, streams=streams(3), **options)
    for rule, history in zip(RULES, together, strict=True):
        alone = train(model, rule, data, streams=streams(3), **options)
        for name in ("epoch_cost", "epoch_objective", "first_losses", "step_losses", "full_cost", "start"):
            assert getattr(history, name) == getattr(alone, name), name
        np.testing.assert_array_equal(history.state.theta, alone.state.theta)
        assert len(history.epoch_seconds) == 4


def test_one_that_diverges_leaves_the_others_alone(data):
    """Not even the noise that the others see is another."""
    model = LogisticRegression(20, 2, dropout=0.5)
    wild = Nesterov(alpha=1e38)
    options = {"epochs": 3, "batch_size": 16}
    diverged, history = train_together(model, [wild, RULES[0]], data, streams=streams(3), **options)
    assert diverged.diverged_at == train(model, wild, data, streams=streams(3), **options).diverged_at
    assert history.epoch_cost == train(model, RULES[0], data, streams=streams(3), **options).epoch_cost
    both = train_together(model, [wild, wild], data, streams=streams(3), **options)
    assert [one.diverged_at for one in both] == [diverged.diverged_at] * 2


def test_a_callback_ends_its_own_training_only(data):
    model = LogisticRegression(20, 2)
    options = {"epochs": 5, "batch_size": 16, "streams": streams(0)}
    slow, fast = train_together(
        model,
        [Adam(alpha=1e-6), Adam(alpha=0.1)],
        data,
        callbacks=[lambda _, history: history.epoch_cost[-1] < 0.5],
        **options,
    )
    assert len(slow.epoch_cost) == 5 > len(fast.epoch_cost)


def test_histories_must_be_in_step(data):
    model = LogisticRegression(20, 2)
    options = {"batch_size": 16, "streams": streams(0)}
    one, other = (train(model, RULES[0], data, epochs=epochs, **options) for epochs in (1, 2))
    with pytest.raises(ValueError, match="different epochs"):
        train_together(model, RULES[:2], data, epochs=3, histories=[one, other], **options)


def test_a_network_is_not_trained_together(data):
    """It has no way to share its noise, and would gain nothing."""
    with pytest.raises(AttributeError, match="prepare"):
        train_together(MLP((20, 5, 2)), RULES[:2], data, epochs=1, batch_size=16, streams=streams(0))


def test_results_are_those_of_single_runs():
    runs = group(*RULES)
    for (key, single), result in zip(runs.items(), make_together(runs), strict=True):
        assert without_times(result) == without_times(make_run(key, single))


def test_what_is_measured_is_that_of_single_runs():
    """Rules whose second moments and epsilons differ: one measured with another's rule would show."""
    rules = Adam(alpha=0.01, eps=1e-3), RMSProp(alpha=0.002), AdaGrad(alpha=0.05)
    runs = {key: replace(single, measures=("second_moment",)) for key, single in group(*rules, epochs=2).items()}
    results = make_together(runs)
    for (key, single), result in zip(runs.items(), results, strict=True):
        assert without_times(result) == without_times(make_run(key, single))
    adam, rmsprop, adagrad = (result.get("measures", {}) for result in results)
    assert 0 < adam["W/below_10_eps"][-1] != rmsprop["W/below_10_eps"][-1]
    assert adagrad == {}  # it keeps a sum, and no mean square


def test_the_deadline_stops_all_and_they_go_on(tmp_path, monkeypatch):
    runs = group(*RULES)
    whole = make_together(runs)
    asked = iter([False, False, True])  # at the start, after the first epoch, after the second
    monkeypatch.setattr(Keeping, "time_is_up", lambda self: next(asked, False))
    assert make_together(runs, Keeping(tmp_path)) == [None] * 4
    assert {path.stem for path in tmp_path.glob("*.npz")} == set(runs)
    assert [without_times(one) for one in make_together(runs, Keeping(tmp_path))] == list(map(without_times, whole))


def test_runs_left_at_different_epochs_go_on(tmp_path, monkeypatch):
    """As after a kill between two of their checkpoints; one is finished already, one never began."""
    runs = group(*RULES, epochs=4)
    whole = make_together(runs)
    for key, stop in (("0", 1), ("1", 2)):
        asked = iter([False] * stop + [True])
        monkeypatch.setattr(Keeping, "time_is_up", lambda self, asked=asked: next(asked, False))
        assert make_run(key, runs[key], Keeping(tmp_path)) is None
    monkeypatch.undo()
    runner._keep(tmp_path, make_run("2", runs["2"]))
    again = make_together(runs, Keeping(tmp_path))
    assert [without_times(one) for one in again] == list(map(without_times, whole))


def test_groups_hold_what_can_be_shared():
    size = replace(FIG1B.scale("full"), grid={})
    runs = {single.key("digest"): single for single in FIG1B.runs(size, seeds=2)}
    groups = list(runner._groups(runs, jobs=1))
    assert [len(one) for one in groups] == [4, 4]
    assert all(len({single.seed for single in one.values()}) == 1 for one in groups)
    assert [len(one) for one in runner._groups(runs, jobs=2)] == [2, 2, 2, 2]
    many = {single.key("digest"): single for single in FIG1B.runs(FIG1B.scale("full"), seeds=1)}
    assert max(len(one) for one in runner._groups(many, jobs=1)) == runner.AT_MOST_TOGETHER
    other = get_experiment("fig3_dropout")
    networks = {single.key("digest"): single for single in other.runs(other.scale("smoke"))}
    assert [len(one) for one in runner._groups(networks, jobs=1)] == [1, 1, 1]


def test_jobs_never_change_a_number():
    def numbers(record):
        return [without_times(single) for single in record.runs]

    assert numbers(run(FIG1B, "smoke", jobs=2)) == numbers(run(FIG1B, "smoke"))
