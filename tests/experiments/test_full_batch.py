"""L-BFGS on the full batch."""

import numpy as np
import pytest
from scipy import optimize

from adamcore import LogisticRegression
from adamcore.experiments import LBFGS, streams
from adamcore.experiments.problems import Problem, make_problem


def small(dtype=np.float64, l2=0.01, n=50, **more):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 4)).astype(dtype)
    return Problem(LogisticRegression(4, 3, l2=l2, dtype=dtype, **more), (x, rng.integers(3, size=n)), digest="")


def test_finds_the_minimum():
    problem = small()
    history = LBFGS().minimize(problem, epochs=100, streams=streams(0))
    exact = optimize.minimize(
        lambda theta: problem.model.loss_and_grad(theta, problem.data), np.zeros(15), jac=True, method="BFGS"
    )
    assert history.epoch_objective[-1] == pytest.approx(exact.fun, rel=1e-8)
    np.testing.assert_allclose(
        history.epoch_cost[-1], history.epoch_objective[-1] - problem.model.penalty(history.state.theta)
    )
    assert (np.diff(history.epoch_objective) <= 0).all()
    assert len(history.epoch_cost) == len(history.epoch_objective) == 100
    assert len(history.epoch_seconds) == history.state.t <= 100


def test_entry_k_is_what_k_plus_1_passes_have_found():
    """Counted from outside: an entry a pass, line searches included, and no pass more than asked for."""
    problem = small()
    calls = []
    original = problem.model.loss_and_grad

    def counted(theta, batch, rng=None):
        loss, gradient = original(theta, batch, rng)
        calls.append((len(batch[1]), loss))
        return loss, gradient

    problem.model.loss_and_grad = counted
    history = LBFGS(chunk=20).minimize(problem, epochs=7, streams=streams(0))
    assert [size for size, _ in calls] == [20, 20, 10] * 7
    losses = [sum(size * loss for size, loss in calls[k : k + 3]) / 50 for k in range(0, 21, 3)]
    np.testing.assert_allclose(history.epoch_objective, np.minimum.accumulate(losses))
    np.testing.assert_allclose(history.first_losses, losses[:5])


def test_chunks_do_not_change_the_objective():
    curves = [LBFGS(chunk=c).minimize(small(), epochs=10, streams=streams(0)).epoch_cost for c in (1, 7, 1000)]
    np.testing.assert_allclose(curves[1:], [curves[0]] * 2, rtol=1e-6)


def test_starts_where_training_starts():
    """The same theta_0 as any rule's run of this seed, and its digest to prove it."""
    problem = make_problem("mnist_mlp", {"n_train": 100, "hidden": (5,)})
    history = LBFGS().minimize(problem, epochs=1, streams=streams(3))
    theta = problem.model.init(streams(3).initialization)
    np.testing.assert_array_equal(history.state.theta, theta)
    assert history.state.theta.dtype == np.float32
    from adamcore import Adam
    from adamcore.experiments import train

    trained = train(problem.model, Adam(), problem.data, epochs=1, batch_size=50, streams=streams(3))
    assert trained.start["theta_0"] == history.start["theta_0"]


def test_float32_that_cannot_go_lower_stays_level():
    history = LBFGS().minimize(small(np.float32, l2=0.1), epochs=200, streams=streams(0))
    assert len(history.epoch_cost) == 200
    assert history.epoch_objective[-1] == history.epoch_objective[-50]
    assert history.diverged_at is None


def test_noise_makes_every_pass_another_objective():
    noisy = small(dropout=0.5)
    found, exact = (LBFGS().minimize(problem, epochs=60, streams=streams(0)) for problem in (noisy, small()))
    without = small()
    losses = [without.model.loss(history.state.theta, without.data) for history in (found, exact)]
    assert losses[0] > losses[1] * 1.001
    assert (np.diff(found.step_losses) > 0).any()
    assert min(exact.step_losses) == exact.epoch_objective[-1]


@pytest.mark.parametrize(("name", "value"), [("memory", 0), ("chunk", 2.5), ("chunk", -1)])
def test_errors(name, value):
    with pytest.raises(ValueError, match=f"LBFGS: {name} = {value} is not allowed; it must be a whole number"):
        LBFGS(**{name: value})


def test_settings_as_plain_data():
    assert LBFGS(memory=5).to_dict() == {"rule": "LBFGS", "memory": 5, "chunk": 1000}
    assert str(LBFGS(memory=5)) == "LBFGS(memory=5)"
    assert hash(LBFGS()) == hash(LBFGS())
