"""Regret, counted: against plain training, against brute force, and where it is known in closed form."""

import dataclasses
import json

import numpy as np
import pytest

from adamcore.experiments import get_experiment, run, streams, train
from adamcore.experiments.full_batch import method_from_dict
from adamcore.experiments.online import FeatureHinge, Online, power_law
from adamcore.experiments.problems import Problem, make_problem
from adamcore.optim import SGD, AdaGrad, Adam, AdamW, LayerAdam, Nesterov, RMSProp, inverse_sqrt

ALPHAS = (0.03, 0.3, 3.0)
RULES = [SGD(alpha=1.0), AdaGrad(alpha=1.0), Adam(alpha=1.0), Adam(alpha=inverse_sqrt(1.0)), Nesterov(alpha=1.0)]


def stream(n=300, numbers=(3, 7), flips=0.2):
    return make_problem("sparse_stream", {"n_train": n, "numbers": numbers, "flips": flips})


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_all_step_sizes_at_a_time_are_trainings_of_their_own(rule):
    """One example a minibatch, one epoch: what a training pays is what the game pays."""
    problem = stream()
    history = Online(rule, ALPHAS).minimize(problem, 1, streams(3))
    order = streams(3).order.permutation(300)
    for alpha in ALPHAS:
        scaled = alpha if rule.alpha == 1 else inverse_sqrt(alpha)
        alone = dataclasses.replace(rule, alpha=scaled)
        s = alone.init(np.zeros(10))
        paid = np.zeros(2)
        for t in order:
            places, y = (part[t] for part in problem.data)
            paid += np.maximum(0, 1 - y * s.theta[places])
            _, g = problem.model.loss_and_grad(s.theta, tuple(part[t : t + 1] for part in problem.data))
            alone.step(s, g)
        best = problem.model.least(problem.data)
        found = [history.measures[0][f"d={d}, alpha={alpha:g}"] for d in (3, 7)]
        np.testing.assert_allclose(found, paid - best, rtol=1e-9)


def test_it_is_training_with_one_example_a_minibatch():
    problem = stream()
    trained = train(problem.model, AdaGrad(alpha=0.3), problem.data, epochs=1, batch_size=1, streams=streams(0))
    history = Online(AdaGrad(alpha=1.0), (0.3,)).minimize(problem, 1, streams(0))
    regret = sum(history.measures[0].values())
    assert regret == pytest.approx(300 * trained.epoch_cost[0] - problem.model.least(problem.data).sum(), rel=1e-4)


@pytest.mark.parametrize("seed", range(3))
def test_no_fixed_point_is_better_than_the_least(seed):
    """Against the losses themselves, on a grid for every weight: the least is reached there, and never undercut."""
    rng = np.random.default_rng(seed)
    places, labels = power_law(200, (2, 4), 1.5, 0.4, rng)
    model = FeatureHinge((2, 4))
    least = model.least((places, labels))
    values = np.linspace(-2, 2, 81)  # -1 and 1 among them
    by_part = []
    for column, here in zip(places.T, (slice(0, 2), slice(2, 6)), strict=True):
        y = labels[:, len(by_part)]
        by_part.append(
            sum(
                np.maximum(0, 1 - y[column == i][:, np.newaxis] * values).sum(axis=0).min()
                for i in range(here.start, here.stop)
            )
        )
    np.testing.assert_allclose(least, by_part)


def test_regret_in_closed_form():
    """All labels 1, one feature: SGD pays 1, 1 - alpha, 1 - 2 alpha, ... until nothing is left."""
    data = np.zeros((50, 1), np.int32), np.ones((50, 1), np.int8)
    problem = Problem(FeatureHinge((1,)), data, "")
    history = Online(SGD(alpha=1.0), (0.1, 0.25)).minimize(problem, 1, streams(0))
    assert history.measures[0]["d=1, alpha=0.1"] == pytest.approx(5.5)
    assert history.measures[0]["d=1, alpha=0.25"] == pytest.approx(2.5)
    assert history.first_losses == pytest.approx([1, 0.825, 0.65, 0.475, 0.3])
    assert history.epoch_cost == [pytest.approx((5.5 + 2.5) / 2 / 50)]


def test_gradient_by_differences(rng):
    model = FeatureHinge((3, 4))
    batch = power_law(6, (3, 4), 1.0, 0.5, rng)
    theta = rng.normal(size=7)
    loss, gradient = model.loss_and_grad(theta, batch)
    for i in range(7):
        step = 1e-6 * np.eye(7)[i]
        up, down = (model.loss_and_grad(theta + sign * step, batch)[0] for sign in (1, -1))
        assert gradient[i] == pytest.approx((up - down) / 2e-6, abs=1e-6)
    ones = [model.loss_and_grad(theta, tuple(part[k : k + 1] for part in batch)) for k in range(6)]
    assert loss == pytest.approx(np.mean([one for one, _ in ones]))
    np.testing.assert_allclose(gradient, np.mean([one for _, one in ones], axis=0))


def test_frequencies_follow_the_power_law(rng):
    places, labels = power_law(200_000, (2, 6), 2.0, 0.25, rng)
    expected = np.arange(1, 7) ** -2.0
    found = np.bincount(places[:, 1] - 2, minlength=6) / 200_000
    np.testing.assert_allclose(found, expected / expected.sum(), atol=0.005)
    assert set(places[:, 0]) == {0, 1}
    np.testing.assert_allclose((labels < 0).mean(axis=0), 0.25, atol=0.005)


def test_contenders_of_a_seed_see_the_same_order_and_seeds_another(tmp_path):
    record = run(get_experiment("sparse_regret"), "smoke", folder=tmp_path)
    orders = {(one["seed"], one["start"]["order"]) for one in record.runs}
    assert len(orders) == len(record.seeds) == 2
    assert record.measured("Adam", record.paper["Adam"], "d=4, alpha=0.1").shape == (2, 1)
    assert not record.missing


def test_the_start_of_a_game_can_be_played_alone():
    problem = stream()
    whole = Online(SGD(alpha=1.0), ALPHAS).minimize(problem, 1, streams(0))
    part = Online(SGD(alpha=1.0), ALPHAS).minimize(problem, 1, streams(0), steps=5)
    assert part.first_losses == whole.first_losses
    assert part.state.t == 5


def test_from_a_file():
    for rule in RULES[:4]:
        method = Online(rule, ALPHAS)
        assert method_from_dict(json.loads(json.dumps(method.to_dict()))) == method
    assert str(Online(SGD(alpha=1.0), ALPHAS)) == "SGD(alpha=1.0) at 3 step sizes"


@pytest.mark.parametrize(
    ("rule", "alphas", "words"),
    [
        (SGD(alpha=0.1), ALPHAS, "its alpha must be 1"),
        (SGD(alpha=inverse_sqrt(0.1)), ALPHAS, "its alpha must be 1"),
        (AdamW(alpha=1.0), ALPHAS, "only the gradients of a coordinate determine"),
        (LayerAdam(alpha=1.0), ALPHAS, "only the gradients of a coordinate determine"),
        (SGD(alpha=1.0), (), "give step sizes above 0"),
        (SGD(alpha=1.0), (0.1, 0.0), "give step sizes above 0"),
    ],
)
def test_errors(rule, alphas, words):
    with pytest.raises(ValueError, match=words):
        Online(rule, alphas)


def test_a_stream_is_played_once():
    with pytest.raises(ValueError, match="epochs = 2 is not allowed; a stream is played once"):
        Online(RMSProp(alpha=1.0), ALPHAS).minimize(stream(), 2, streams(0))
