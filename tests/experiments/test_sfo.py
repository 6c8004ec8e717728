"""SFO: its parts against formulas, and the whole on problems with a known end."""

import numpy as np
import pytest
from scipy import optimize

from adamcore import SGD, Adam, LogisticRegression
from adamcore.experiments import LBFGS, SFO, get_experiment, run, streams, train
from adamcore.experiments.full_batch import method_from_dict
from adamcore.experiments.problems import Problem, make_problem
from adamcore.experiments.sfo import SMALLEST_SCALE, _Models, _Seen, _Subspace, _Walk, hessian_of_history


class Quadratics:
    """An example is a quadratic function with a center and a Hessian of its own."""

    def __init__(self, dtype=np.float64, size=10):
        self.dtype, self.size = dtype, size

    def init(self, rng):
        return rng.normal(size=self.size).astype(self.dtype)

    def loss_and_grad(self, theta, batch, rng=None):
        centers, hessians = batch
        pulls = np.einsum("nij,nj->ni", hessians, theta - centers)
        return float(np.einsum("ni,ni->n", theta - centers, pulls).mean() / 2), pulls.mean(axis=0)

    def penalty(self, theta):
        return 0.0


def quadratics(n=200, size=10, condition=100.0, dtype=np.float64, seed=0):
    """A problem of n quadratics, and where their sum is least.

    Their Hessians differ by factors of up to 9, and have a ravine of the given condition in common.
    """
    rng = np.random.default_rng(seed)
    turns = np.linalg.qr(rng.normal(size=(n, size, size)))[0]
    values = 3.0 ** rng.uniform(-1, 1, (n, size))
    ravine = np.geomspace(1, condition, size) ** 0.5
    hessians = (turns * values[:, np.newaxis]) @ turns.transpose(0, 2, 1) * np.outer(ravine, ravine)
    centers = rng.normal(size=(n, size))
    best = np.linalg.solve(hessians.mean(axis=0), np.einsum("nij,nj->i", hessians, centers) / n)
    data = centers.astype(dtype), hessians.astype(dtype)
    return Problem(Quadratics(dtype, size), data, digest=""), best


def logistic(dtype=np.float64, l2=1e-3, n=1000, **more):
    """A small logistic regression on images, and its least objective."""
    x, y = make_problem("mnist_logistic", {"n_train": n, "l2": l2}).data
    x = x[:, ::7].astype(dtype)
    model = LogisticRegression(x.shape[1], 10, l2=l2, dtype=dtype, **more)
    return Problem(model, (x, y), digest="")


# The Hessian of a history.


def whole(beta, values, vectors):
    return beta * np.eye(vectors.shape[1]) + (vectors.T * values) @ vectors


def test_conjugate_steps_tell_the_whole_hessian(rng):
    """BFGS finds a quadratic's Hessian after as many conjugate steps as there are dimensions."""
    a = rng.normal(size=(6, 6))
    true = a @ a.T + np.eye(6)
    steps = np.linalg.inv(np.linalg.cholesky(true))  # rows s with s_i^T A s_j = 0
    np.testing.assert_allclose(whole(*hessian_of_history(steps, steps @ true)), true, rtol=1e-8)


def test_fewer_steps_tell_it_along_them(rng):
    """The newest change is matched; across all steps and changes it is a multiple of the identity."""
    a = rng.normal(size=(12, 12))
    true = a @ a.T / 12 + np.eye(12)
    steps = rng.normal(size=(3, 12))
    beta, values, vectors = hessian_of_history(steps, steps @ true)
    hessian = whole(beta, values, vectors)
    np.testing.assert_allclose(hessian @ steps[0], true @ steps[0], rtol=1e-9)
    assert np.linalg.norm(hessian @ steps[2] - true @ steps[2]) > 1e-3  # the oldest: only nearly
    np.testing.assert_allclose(vectors @ vectors.T, np.eye(6), atol=1e-12)
    across = np.linalg.svd(np.concatenate([steps, steps @ true]))[2][6:]
    np.testing.assert_allclose(hessian @ across.T, beta * across.T, atol=1e-12)
    assert np.linalg.eigvalsh(true)[0] <= beta <= np.linalg.eigvalsh(true)[-1]


def test_it_is_bfgs_from_the_oldest_pair_to_the_newest(rng):
    """Against the update in the form of Nocedal & Wright's book (6.19), which works on the inverse."""
    a = rng.normal(size=(8, 8))
    true = a @ a.T + np.eye(8)
    steps = rng.normal(size=(4, 8))
    changes = steps @ true
    beta, values, vectors = hessian_of_history(steps, changes)
    inverse = np.eye(8) / beta
    for s, y in zip(steps[::-1], changes[::-1], strict=True):
        turn = np.eye(8) - np.outer(s, y) / (y @ s)
        inverse = turn @ inverse @ turn.T + np.outer(s, s) / (y @ s)
    np.testing.assert_allclose(whole(beta, values, vectors), np.linalg.inv(inverse), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("curved", [-1.0, 0.0])
def test_every_hessian_leads_down(rng, curved):
    """Where a function curves down, or where history contradicts itself, eigenvalues are positive all the same."""
    true = np.diag([curved, 1.0, 10.0, 100.0])
    steps = np.concatenate([np.eye(4)[:2], rng.normal(size=(2, 4))])
    for changes in (steps @ true, -(steps @ np.abs(true))):
        eigenvalues = np.linalg.eigvalsh(whole(*hessian_of_history(steps, changes)))
        assert eigenvalues[0] >= 0.99e-8 * eigenvalues[-1] > 0


def test_a_direction_that_is_all_but_flat_counts_as_the_median_one():
    """A step along it would be endless: below 1e-8 of the largest, an eigenvalue is not believed."""
    flat = np.diag([1e-12, 1.0, 3.0])
    eigenvalues = np.linalg.eigvalsh(whole(*hessian_of_history(np.eye(3), flat)))
    np.testing.assert_allclose(eigenvalues, [1, 1, 3], rtol=1e-6)


def test_history_without_changes_takes_what_others_have():
    steps = np.eye(3)[:2]
    beta, _, _ = hessian_of_history(steps, np.zeros((2, 3)), otherwise=7.0)
    assert beta == 7.0


# The subspace.


@pytest.mark.parametrize(("dtype", "exact"), [(np.float64, 1e-13), (np.float32, 3e-6)])
def test_what_is_admitted_comes_back(rng, dtype, exact):
    space = _Subspace(500, 20, np.dtype(dtype))
    for k in range(20):
        x = (rng.normal(size=500) * 10.0 ** rng.integers(-4, 4)).astype(dtype)
        coordinates = space.admit(x)
        assert space.directions == k + 1
        np.testing.assert_allclose(space.vector(coordinates), x, atol=exact * np.linalg.norm(x))
        np.testing.assert_allclose(np.linalg.norm(coordinates), np.linalg.norm(x), rtol=exact)
    np.testing.assert_allclose(space.basis @ space.basis.T, np.eye(20), atol=exact)
    inside = space.vector(rng.normal(size=20))
    np.testing.assert_allclose(space.vector(space.admit(inside)), inside, atol=20 * exact)
    outside = space.admit(rng.normal(size=500).astype(dtype))  # full: the projection alone
    assert space.directions == 20
    assert 0 < np.linalg.norm(outside) < 15


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_lies_inside_adds_no_direction(rng, dtype):
    space = _Subspace(1000, 10, np.dtype(dtype))
    for _ in range(4):
        space.admit(rng.normal(size=1000).astype(dtype))
    for _ in range(5):
        space.admit(1e3 * space.vector(rng.normal(size=4)))
    space.admit(np.zeros(1000, dtype))
    assert space.directions == 4


@pytest.mark.parametrize(("dtype", "exact"), [(np.float64, 1e-12), (np.float32, 2e-5)])
def test_turned_a_hundred_times_the_basis_stays_orthonormal_and_keeps_what_it_must(rng, dtype, exact):
    space = _Subspace(9000, 12, np.dtype(dtype))  # longer than the pieces in which it is turned
    wanted = rng.normal(size=9000).astype(dtype)
    kept = space.admit(wanted)
    for _ in range(100):
        while space.directions < 12:
            space.admit(rng.normal(size=9000).astype(dtype))
        others = rng.normal(size=(5, 12))
        new = np.linalg.qr(np.concatenate([kept[np.newaxis], others]).T)[0]
        space.turn(new)
        kept = np.concatenate([kept @ new, np.zeros(6)])
    basis = space.basis[: space.directions]
    np.testing.assert_allclose(basis @ basis.T, np.eye(6), atol=exact)
    np.testing.assert_allclose(space.vector(kept), wanted, atol=exact * np.linalg.norm(wanted))


# The models.


def full_models(rng, number=5, k=8, most=10, pairs=3):
    """Models of random quadratics, seen along random ways."""
    models = _Models(number, most, history=pairs)
    hessians = []
    for i in range(number):
        a = rng.normal(size=(k, k))
        hessians.append(a @ a.T + np.eye(k))
        for _ in range(pairs + 2):
            at = np.zeros(most)
            at[:k] = rng.normal(size=k)
            gradient = np.zeros(most)
            gradient[:k] = hessians[i] @ at[:k]
            models.renew(i, at, at[:k] @ hessians[i] @ at[:k] / 2, gradient, tiny=1e-12)
        models.learn(i, np.ones(number, bool), k)
    return models


def test_the_sum_of_the_models_is_what_its_parts_say(rng):
    models, k = full_models(rng), 8
    here, h = np.concatenate([rng.normal(size=k), [0, 0]]), 1e-5
    parts = [whole(models.beta[i], models.values[i], models.vectors[i]) for i in range(5)]
    np.testing.assert_allclose(models.hessian(k), sum(parts)[:k, :k], rtol=1e-10)
    total = lambda at: sum(models.predict(i, at) for i in range(5))  # noqa: E731
    numeric = [(total(here + h * e) - total(here - h * e)) / (2 * h) for e in np.eye(10)[:k]]
    np.testing.assert_allclose(models.slope(here)[:k], numeric, rtol=1e-6)
    away = here - models.at
    np.testing.assert_allclose(models.curvatures(here), [d @ p @ d for d, p in zip(away, parts, strict=True)])
    assert models.pairs.tolist() == [3] * 5


def test_a_turn_that_loses_nothing_changes_no_prediction(rng):
    models, k = full_models(rng), 8
    here = np.concatenate([rng.normal(size=k), [0, 0]])
    before = [models.predict(i, here) for i in range(5)], np.linalg.eigvalsh(models.hessian(k)), models.slope(here)
    new = np.linalg.qr(rng.normal(size=(k, k)))[0]
    models.turn(new)
    turned = np.concatenate([here[:k] @ new, [0, 0]])
    np.testing.assert_allclose([models.predict(i, turned) for i in range(5)], before[0])
    np.testing.assert_allclose(np.linalg.eigvalsh(models.hessian(k)), before[1])
    np.testing.assert_allclose(models.slope(turned)[:k] @ new.T, before[2][:k], rtol=1e-8)


def test_the_first_gradient_is_no_change():
    models = _Models(1, 4, history=2)
    models.renew(0, np.ones(4), 1.0, np.ones(4), tiny=1e-12)
    assert models.pairs[0] == 0
    models.renew(0, 2 * np.ones(4), 2.0, 3 * np.ones(4), tiny=1e-12)
    assert models.pairs[0] == 1
    np.testing.assert_array_equal(models.changes[0, 0], [2] * 4)


def test_of_the_history_the_newest_pairs_are_kept_and_none_that_says_nothing(rng):
    models = _Models(1, 4, history=2)
    where = [np.array([float(k), 0, 0, 0]) for k in range(5)]
    for at in where[:4]:
        models.renew(0, at, 0.0, 2 * at, tiny=1e-12)
    assert models.pairs[0] == 2
    np.testing.assert_array_equal(models.steps[0], [[1, 0, 0, 0]] * 2)
    for at, gradient in ((where[3], 2 * where[3]), (where[4], 2 * where[3] + np.eye(4)[1])):
        models.renew(0, at, 0.0, gradient, tiny=1e-12)  # no step; a change at right angles to the step
    np.testing.assert_array_equal(models.changes[0], [[2, 0, 0, 0]] * 2)


# The walk.


def walk_on(problem, number=5, seed=0, **settings):
    """A walk on a problem, every evaluation in a list: which, where, value."""
    model, seen = problem.model, []
    parts = np.array_split(np.arange(len(problem.data[0])), number)

    def subfunction(i, at):
        value, gradient = model.loss_and_grad(at, tuple(array[parts[i]] for array in problem.data))
        seen.append((i, at.copy(), value))
        return value, gradient

    rng = np.random.default_rng(seed)
    return _Walk(SFO(**settings), subfunction, model.init(rng), number, rng), seen


def test_the_first_step_is_short_and_against_the_gradient():
    problem, _ = quadratics()
    walk, seen = walk_on(problem)
    walk.observe()
    i = seen[0][0]
    rows = slice(40 * i, 40 * i + 40)
    _, gradient = problem.model.loss_and_grad(seen[0][1], tuple(array[rows] for array in problem.data))
    walk.step()
    np.testing.assert_allclose(walk.theta() - seen[0][1], -gradient / 2e5, rtol=1e-6)  # two Hessians of 1e5 I
    walk.observe()
    assert seen[1][0] == i  # again the same, which then has a history


def test_a_step_goes_to_the_minimum_of_the_sum_of_the_models():
    walk, _ = walk_on(quadratics()[0])
    for _ in range(20):
        walk.observe()
        walk.step()
    walk.observe()
    k = walk.space.directions
    walk.scale = 1.0
    start = walk.models.slope(walk.point)[:k]
    walk.step()
    left = walk.models.slope(walk.point)[:k]
    assert np.linalg.norm(left) < 1e-6 * np.linalg.norm(start)
    total = lambda at: sum(walk.models.predict(i, at) for i in range(5))  # noqa: E731
    assert walk.promised == pytest.approx(total(walk.before) - total(walk.point), rel=1e-4)


def test_steps_are_no_longer_than_ten_times_their_mean_and_no_shorter_than_a_root_of_a_rounding():
    walk, _ = walk_on(quadratics()[0])
    for _ in range(10):
        walk.observe()
        walk.step()
    walk.observe()
    walk.way = 1e-5 * walk.evaluations
    walk.step()
    assert np.linalg.norm(walk.point - walk.before) == pytest.approx(1e-4)
    walk.observe()
    walk.scale = 1e-20
    walk.step()
    assert np.linalg.norm(walk.point - walk.before) == pytest.approx(2.0**-26)


def test_a_bad_step_is_taken_back_and_the_next_one_is_half_as_long():
    walk, seen = walk_on(quadratics()[0])
    for _ in range(40):
        walk.observe()
        walk.step()
    walk.observe()
    stood, scale, bad, before = walk.theta(), walk.scale, walk.bad_steps, len(seen)
    walk.step()
    ordinary = walk.subfunction

    def with_a_wall(i, at):
        value, gradient = ordinary(i, at)
        return value + 1e6 * np.sum((at - stood) ** 2), gradient + 2e6 * (at - stood)

    walk.subfunction = with_a_wall
    walk.point[0] += 1.0
    walk.observe()
    np.testing.assert_allclose(walk.theta(), stood, rtol=1e-12)
    assert walk.bad_steps == bad + 1
    assert walk.scale == scale / 2
    visited = seen[before:]
    assert len({i for i, _, _ in visited}) == 1
    far = [np.linalg.norm(at - stood) for _, at, _ in visited]
    assert far[1] == 0  # where it was
    assert far[2] == pytest.approx(0.01 * far[0])  # closer, before something is learned
    assert walk.evaluations == len(seen)
    i = visited[0][0]  # something was learned from the way back, too
    assert np.linalg.norm(walk.models.steps[i, 0]) == pytest.approx(far[-1])
    for _ in range(60):
        walk._judge(0, _Seen(walk.point, np.inf, np.zeros(10)))
    assert walk.scale == SMALLEST_SCALE


def test_a_first_evaluation_is_bad_if_it_is_out_of_line_with_the_others():
    walk, _ = walk_on(quadratics()[0])
    walk.models.value[:4], walk.counts[:] = [1.0, 2.0, 3.0, 2.0], [2, 2, 2, 2, 1]
    seen = [_Seen(walk.point, value, np.ones(10)) for value in (-9.0, 2.0, 4.1, 4.2, np.nan, np.inf)]
    assert [bool(walk._is_bad(4, one)) for one in seen] == [False, False, False, True, True, True]  # 2 + 3 sqrt(0.5)
    walk.counts[:4] = 1  # no others yet
    assert not walk._is_bad(4, seen[3])


def test_when_the_subspace_is_full_last_gradients_and_positions_stay():
    walk, _ = walk_on(quadratics(n=100, size=60)[0], number=5)
    turned = 0
    for _ in range(60):
        space, models = walk.space, walk.models
        before = space.directions, walk.theta(), *(list(map(space.vector, x)) for x in (models.at, models.gradient))
        walk._make_room()
        assert space.directions + 2 <= len(space.basis)
        turned += space.directions < before[0]
        after = space.directions, walk.theta(), *(list(map(space.vector, x)) for x in (models.at, models.gradient))
        for one, other in zip(before[1:], after[1:], strict=True):
            np.testing.assert_allclose(other, one, atol=1e-10)
        walk.observe()
        walk.step()
    assert turned > 3


def test_the_farthest_is_evaluated_next():
    walk, _ = walk_on(quadratics()[0])
    for _ in range(80):
        walk.observe()
        walk.step()
    assert walk.active.all()
    d = walk.point - walk.models.at
    k = walk.space.directions
    by_sum = np.einsum("ik,kl,il->i", d[:, :k], walk.models.hessian(k), d[:, :k])
    by_own = walk.models.curvatures(walk.point)
    walk.models.at[2] -= 5.0
    assert {walk._choose() for _ in range(20)} == {2}
    walk.models.at[2] += 5.0
    assert {walk._choose() for _ in range(40)} == {by_sum.argmax(), by_own.argmax()}


def test_two_take_part_at_first_and_all_in_the_end_each_evaluated_twice_before_the_next_comes():
    walk, seen = walk_on(quadratics(n=300)[0], number=30)
    grown = []
    for _ in range(150):
        grown.append(int(walk.active.sum()))
        assert (walk.counts[walk.active] < 2).sum() <= 2
        walk.observe()
        walk.step()
    assert grown[0] == 2
    assert set(np.diff(grown)) <= {0, 1}
    assert grown[-1] == 30
    assert len({i for i, _, _ in seen[:4]}) == 2


def test_without_noise_another_takes_part_after_a_round():
    """Gradients that are all alike are no reason to ask for more, but nobody waits forever."""
    (centers, hessians), number = quadratics(n=1)[0].data, 6
    alike = Problem(Quadratics(), (np.repeat(centers, number, axis=0), np.repeat(hessians, number, axis=0)), "")
    walk, _ = walk_on(alike, number=number)
    waited, since = [], 0
    while not walk.active.all():
        before = int(walk.active.sum())
        walk.observe()
        walk.step()
        since += 1
        assert walk.bad_steps == 0
        if walk.active.sum() > before:
            waited.append((since, before))
            since = 0
        assert since < 20
    assert all(since > before for since, before in waited)


# The whole.


@pytest.mark.parametrize(("condition", "seed"), [(10.0, 0), (100.0, 1), (100.0, 2)])
def test_a_sum_of_quadratics_is_minimized(condition, seed):
    """To ten digits within 25 passes, where the gradient of the whole alone would need hundreds."""
    problem, best = quadratics(condition=condition, seed=seed)
    history = SFO(subfunctions=20).minimize(problem, 25, streams(seed))
    least, _ = problem.model.loss_and_grad(best, problem.data)
    gaps = np.array(history.epoch_objective) - least
    assert gaps[-1] < 1e-10 * gaps[0]
    np.testing.assert_allclose(history.state.theta, best, atol=1e-5)


def test_more_parameters_than_directions():
    problem, best = quadratics(n=200, size=60, condition=30.0)
    history = SFO(subfunctions=8).minimize(problem, 60, streams(0))
    assert history.measures[-1]["directions"] <= 27 < 60
    least, _ = problem.model.loss_and_grad(best, problem.data)
    gaps = np.array(history.epoch_objective) - least
    assert gaps[-1] < 1e-6 * gaps[0]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_hessian_it_has_after_ten_passes_is_about_the_true_one(seed):
    """In every direction between half of it and the whole, though the true one's eigenvalues differ by 100."""
    problem, _ = quadratics(n=100, size=5, condition=100.0, seed=seed)
    walk, _ = walk_on(problem, number=4, seed=seed)
    for _ in range(40):
        walk.observe()
        walk.step()
    k = walk.space.directions
    basis = walk.space.basis[:k]
    true = 4 * basis @ problem.data[1].mean(axis=0) @ basis.T
    assert k == 5
    assert np.linalg.cond(true) > 90
    share = np.linalg.eigvals(np.linalg.solve(true, walk.models.hessian(k))).real
    assert 0.5 < share.min() <= share.max() < 1.1


def passes_until(curve, level):
    """How many passes until a curve is at a level; infinite if it never is."""
    below = np.flatnonzero(np.array(curve) <= level)
    return below[0] + 1 if below.size else np.inf


def test_on_a_logistic_regression_it_needs_fewer_passes_than_sgd_and_adam_at_their_best_step_size():
    """Until 5 % above the minimum, each measured over all data after a pass."""
    problem = logistic(n=300)
    whole = lambda theta: problem.model.loss_and_grad(theta, problem.data)  # noqa: E731
    start = problem.model.init(None)
    least = optimize.minimize(whole, start, jac=True, method="L-BFGS-B", options={"ftol": 1e-14, "gtol": 1e-8}).fun
    passes = {}
    for name, rules in {
        "SGD": [SGD(alpha) for alpha in (0.03, 0.1, 0.3, 1.0)],
        "Adam": [Adam(alpha) for alpha in (0.003, 0.01, 0.03, 0.1)],
    }.items():
        curves = []
        for rule in rules:
            curves.append(curve := [])
            train(
                problem.model, rule, problem.data, epochs=20, batch_size=20, streams=streams(0),
                callbacks=[lambda epoch, history, curve=curve: curve.append(whole(history.state.theta)[0])],
            )  # fmt: skip
        passes[name] = min(passes_until(curve, 1.05 * least) for curve in curves)
    passes["LBFGS"] = passes_until(LBFGS().minimize(problem, 20, streams(0)).epoch_objective, 1.05 * least)
    history = SFO().minimize(problem, 20, streams(0))
    passes["SFO"] = passes_until(history.epoch_objective, 1.05 * least)
    assert passes["SFO"] < min(passes["SGD"], passes["Adam"], passes["LBFGS"]), passes


def test_float32_is_enough_for_its_subspace():
    """It comes as near to the minimum as in float64, though coordinates come from products in float32."""
    single, double = (
        SFO().minimize(logistic(dtype, n=300), 15, streams(0)).epoch_objective[-1]
        for dtype in (np.float32, np.float64)
    )
    assert single == pytest.approx(double, rel=0.01)


def test_a_pass_is_as_many_evaluations_as_there_are_subfunctions():
    """Counted from outside; each subfunction is always of the same examples, and together they are all."""
    problem = logistic(n=103)
    batches = []

    def counted(method):
        def call(theta, batch, rng=None):
            batches.append(tuple(map(tuple, batch[0])))
            return method(theta, batch, rng)

        return call

    problem.model.loss_and_grad, problem.model.loss = map(counted, (problem.model.loss_and_grad, problem.model.loss))
    history = SFO(subfunctions=10).minimize(problem, 12, streams(0))
    whole = [k for k, batch in enumerate(batches) if len(batch) == 103]
    parts = [k for k, batch in enumerate(batches) if len(batch) != 103]
    assert len(whole) == 12  # the objective after each pass, which is no part of it
    assert 120 <= len(parts) == len(history.step_losses) == history.state.t <= 120 + 11
    for number, k in enumerate(whole, start=1):
        assert 10 * number <= sum(one < k for one in parts) <= 10 * number + 11
    different = {batches[k] for k in parts}
    assert sorted(map(len, different)) == [10] * 7 + [11] * 3
    assert sorted(row for part in different for row in part) == sorted(map(tuple, problem.data[0]))


def test_examples_weigh_the_same_whatever_the_size_of_their_part():
    """Parts of unequal size add up to the objective times their number, and so do chunks."""
    problem, best = quadratics(n=47)
    for chunk in (1000, 4):
        history = SFO(subfunctions=10, chunk=chunk).minimize(problem, 25, streams(0))
        np.testing.assert_allclose(history.state.theta, best, atol=1e-4)
    least, _ = problem.model.loss_and_grad(history.state.theta, problem.data)
    assert history.epoch_objective[-1] == pytest.approx(least, rel=1e-12)


def test_subfunctions_add_up_to_as_many_objectives_and_have_their_own_gradients(monkeypatch):
    """Of parts of 4 and of 5 examples, in chunks of 2 and 3: where a step would be judged wrong otherwise."""
    handed = {}

    def stop(settings, subfunction, theta, number, rng):
        handed.update(subfunction=subfunction, number=number)
        raise KeyboardInterrupt

    monkeypatch.setattr("adamcore.experiments.sfo._Walk", stop)
    problem, _ = quadratics(n=47)
    with pytest.raises(KeyboardInterrupt):
        SFO(subfunctions=10, chunk=3).minimize(problem, 1, streams(0))
    at, h = np.linspace(-1, 1, 10), 1e-6
    parts = [handed["subfunction"](i, at) for i in range(handed["number"])]
    objective, gradient = problem.model.loss_and_grad(at, problem.data)
    assert sum(value for value, _ in parts) == pytest.approx(10 * objective)
    np.testing.assert_allclose(sum(one for _, one in parts), 10 * gradient)
    for i, (value, one) in enumerate(parts):
        assert handed["subfunction"](i, at + h * np.eye(10)[3])[0] - value == pytest.approx(h * one[3], rel=1e-4)


def test_entry_k_is_the_objective_where_it_stands_after_k_plus_1_passes():
    problem = logistic(l2=0.1)
    history = SFO().minimize(problem, 4, streams(0))
    theta = history.state.theta
    objective, _ = problem.model.loss_and_grad(theta, problem.data)
    assert history.epoch_objective[-1] == pytest.approx(objective)
    assert history.epoch_cost[-1] == pytest.approx(objective - problem.model.penalty(theta))
    lengths = {len(curve) for curve in (history.epoch_objective, history.epoch_cost, history.epoch_seconds)}
    assert lengths == {4} == {len(history.measures)}
    assert len(history.first_losses) == 5
    assert min(history.epoch_seconds) > 0


def test_same_seed_same_bits():
    problem = make_problem("mnist_mlp", {"n_train": 300, "hidden": (8,), "hidden_dropout": 0.5})
    one, two, other = (SFO().minimize(problem, 3, streams(seed)) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one.state.theta, two.state.theta)
    assert one.step_losses == two.step_losses
    assert one.step_losses != other.step_losses


def test_starts_where_training_starts():
    problem = make_problem("mnist_mlp", {"n_train": 100, "hidden": (5,)})
    history = SFO().minimize(problem, 1, streams(3))
    trained = train(problem.model, Adam(), problem.data, epochs=1, batch_size=50, streams=streams(3))
    assert trained.start["theta_0"] == history.start["theta_0"]
    assert history.state.theta.dtype == np.float32


# What goes wrong.


class Broken(Quadratics):
    """No number comes back where theta is too far away, or from an example with a center that is too far away."""

    def __init__(self, radius, size=10):
        super().__init__(size=size)
        self.radius = radius

    def loss_and_grad(self, theta, batch, rng=None):
        value, gradient = super().loss_and_grad(theta, batch)
        if np.linalg.norm(theta) > self.radius or np.abs(batch[0]).max() > 1e3:
            return np.nan, np.full_like(gradient, np.nan)
        return value, gradient


def test_nan_at_the_start_is_recorded():
    problem, _ = quadratics()
    history = SFO().minimize(Problem(Broken(0.0), problem.data, ""), 5, streams(0))
    assert history.diverged_at == 2  # where it began, and, since that was bad, where it was before: the same point
    assert history.epoch_cost == []
    assert len(history.step_losses) >= 1
    assert np.isnan(history.step_losses).all()


def test_a_subfunction_without_numbers_is_recorded_when_it_is_met():
    problem, _ = quadratics()
    problem.data[0][17] = 1e4
    history = SFO(subfunctions=10).minimize(Problem(Broken(1e9), problem.data, ""), 20, streams(1))
    assert history.diverged_at == len(history.step_losses) > 10
    assert len(history.epoch_cost) == history.diverged_at // 10 < 20
    assert np.isfinite(history.state.theta).all()


def test_steps_to_where_there_are_no_numbers_are_taken_back():
    """The way to the minimum leads along the border of what can be evaluated."""
    problem, best = quadratics()
    model = Broken(np.linalg.norm(best) + 0.01)
    model.init = lambda rng: -best * 0.999
    history = SFO(subfunctions=10).minimize(Problem(model, problem.data, ""), 40, streams(0))
    assert history.diverged_at is None
    assert np.isnan(history.step_losses).any()
    np.testing.assert_allclose(history.state.theta, best, atol=1e-3)


def test_dropout_is_no_error():
    """Gradients that contradict each other: what comes of it is for a record to say; it ends, and in numbers."""
    problem = make_problem(
        "mnist_mlp", {"n_train": 300, "hidden": (20,), "input_dropout": 0.2, "hidden_dropout": 0.5}
    )
    history = SFO().minimize(problem, 8, streams(0))
    assert history.diverged_at is None
    assert len(history.epoch_cost) == 8
    assert np.isfinite(history.epoch_cost).all()
    assert np.isfinite(history.state.theta).all()


# Its place among the others.


def test_the_count_of_the_numbers_kept_is_that_of_a_run_and_grows_with_the_subfunctions():
    problem = make_problem("mnist_mlp", {"n_train": 100, "hidden": (50,)})
    size = problem.model.init(streams(0).initialization).size
    counts = []
    for number in (4, 8, 16):
        settings = SFO(subfunctions=number)
        counts.append(settings.numbers_kept(size, 100))
        history = settings.minimize(problem, 1, streams(0))
        assert history.measures[-1]["numbers_kept"] == counts[-1]
        assert counts[-1] > (3 * number + 3) * size
    first, second = np.diff(counts)
    assert second == pytest.approx(2 * first, rel=0.02)


@pytest.mark.parametrize(
    ("name", "value"), [("subfunctions", 1), ("subfunctions", 2.5), ("history", 0), ("chunk", -1)]
)
def test_errors(name, value):
    with pytest.raises(ValueError, match=f"SFO: {name} = {value} is not allowed; it must be a whole number"):
        SFO(**{name: value})


@pytest.mark.parametrize("value", [0.0, -1.0, np.inf, np.nan, "much"])
def test_error_of_the_curvature(value):
    with pytest.raises(ValueError, match=r"SFO: curvature = .* is not allowed; it must be finite and above 0"):
        SFO(curvature=value)


def test_fewer_examples_than_subfunctions():
    problem, _ = quadratics(n=20)
    with pytest.raises(ValueError, match="SFO: 20 examples cannot be divided into 25 subfunctions"):
        SFO().minimize(problem, 1, streams(0))


def test_settings_as_plain_data():
    plain = {"rule": "SFO", "subfunctions": 30, "history": 5, "curvature": 1e5, "chunk": 1000}
    assert SFO(subfunctions=30, history=5).to_dict() == plain
    assert method_from_dict(plain) == SFO(subfunctions=30, history=5)
    assert method_from_dict(SFO().to_dict()) == SFO()
    assert method_from_dict(LBFGS().to_dict()) == LBFGS()
    assert str(SFO(subfunctions=30)) == "SFO(subfunctions=30, history=10)"
    assert str(SFO()) == "SFO(subfunctions=by the number of examples, history=10)"
    assert hash(SFO()) == hash(SFO())


def test_a_run_that_is_stopped_starts_again(tmp_path):
    """It writes no checkpoint, and a second run of it is the first again."""
    records = [
        run(get_experiment("fig2b"), "smoke", seeds=1, only=["SFO"], folder=tmp_path / name, checkpoint_seconds=0)
        for name in ("one", "two")
    ]
    kept = [{**record.runs[0], "seconds": 0, "epoch_seconds": []} for record in records]
    assert kept[0] == kept[1]
    assert [path.suffix for path in (tmp_path / "one").iterdir()] == [".json"]
    assert records[0].measured("SFO", SFO(), "numbers_kept").shape == (1, 3)
