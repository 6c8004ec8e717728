"""Every rule on small problems, each with a step size that suits the two.

The step size rises over the first tenth of the steps, without which RAdam's first few, which are not adaptive, jump
out of any steep valley; and it falls to zero along half a cosine, since rules whose steps do not shrink with the
gradient settle only as their step size does. Losses are counted from the least there is, and compared with that at
the start.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from adamcore import optim
from adamcore.optim import cosine, warmup


@dataclass(frozen=True)
class Problem:
    """A loss to be minimized from a fixed start with a fixed number of steps."""

    start: np.ndarray
    loss: Callable  # theta -> how far above the least loss
    gradient: Callable  # theta, a random generator -> the gradient, or an estimate of it
    steps: int
    share: float  # of the loss at the start, to be reached


def bowl():
    """Half the squared distance, in three dimensions."""
    return Problem(np.array([1.0, -2.0, 3.0]), lambda x: x @ x / 2, lambda x, _: x, steps=300, share=1e-6)


def ravine():
    """A quadratic with curvatures 100 and 1, turned so that its axes are not those of the coordinates."""
    turn = np.array([[math.cos(0.5), -math.sin(0.5)], [math.sin(0.5), math.cos(0.5)]])
    h = turn @ np.diag([100.0, 1.0]) @ turn.T
    return Problem(turn @ np.array([1.0, 10.0]), lambda x: x @ h @ x / 2, lambda x, _: h @ x, steps=600, share=5e-3)


def rosenbrock():
    """A curved valley, from the classic start."""

    def loss(x):
        return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2

    def gradient(x, _):
        across = x[1] - x[0] ** 2
        return np.array([-2 * (1 - x[0]) - 400 * x[0] * across, 200 * across])

    return Problem(np.array([-1.2, 1.0]), loss, gradient, steps=3000, share=5e-3)


def logistic():
    """Two classes of 40 points, of which a tenth carry the wrong label, so that the least loss is not at infinity."""
    rng = np.random.default_rng(1)
    labels = np.repeat([-1.0, 1.0], 40)
    features = np.column_stack([rng.normal(size=(80, 2)) + 1.5 * labels[:, None], np.ones(80)])
    labels[::10] *= -1
    signed = features * labels[:, None]

    def total(x):
        return np.logaddexp(0, -signed @ x).mean()

    def gradient(x, _):
        return -signed.T @ (1 / (1 + np.exp(signed @ x))) / 80

    # Newton's method, to machine precision.
    best = np.zeros(3)
    for _ in range(20):
        p = 1 / (1 + np.exp(-features @ best))
        best = best - np.linalg.solve(features.T * (p * (1 - p)) @ features / 80, gradient(best, None))
    least = total(best)
    return Problem(np.array([-2.0, 3.0, 1.0]), lambda x: total(x) - least, gradient, steps=300, share=1e-4)


def noisy():
    """Curvatures from 0.1 to 10, and noise as large as the gradient at the start."""
    h = np.logspace(-1, 1, 5)
    return Problem(
        np.full(5, 3.0),
        lambda x: (h * x**2).sum() / 2,
        lambda x, rng: h * x + 3 * np.sqrt(h) * rng.normal(size=5),
        steps=1000,
        share=4e-3,
    )


def sparse():
    """Least squares on one example at a time, whose features are there in 1/2 to 1/64 of the examples."""
    rng = np.random.default_rng(2)
    often = 0.5 ** np.arange(1, 7)
    features = (rng.random((512, 6)) < often) * 1.0
    wanted = np.array([1.0, -1.0, 2.0, -2.0, 3.0, -3.0])
    targets = features @ wanted

    def gradient(x, rng):
        i = rng.integers(512)
        return (features[i] @ x - targets[i]) * features[i]

    return Problem(
        np.zeros(6), lambda x: ((features @ x - targets) ** 2).mean() / 2, gradient, steps=2000, share=2e-3
    )


PROBLEMS = {problem.__name__: problem() for problem in (bowl, ravine, rosenbrock, logistic, noisy, sparse)}

# fmt: off
ALPHA = {
    #              bowl  ravine  Rosen.  logis.   noisy  sparse, the order of PROBLEMS
    "SGD":      (   1.0,  0.013,  0.003,    3.0,    0.1,    0.5),
    "Momentum": (   1.0,   0.01,  0.001,    1.0,   0.01,   0.05),
    "Nesterov": (   0.3,   0.01, 0.0005,    1.0,   0.01,   0.05),
    "AdaGrad":  (  10.0,   10.0,    1.0,    3.0,    3.0,   10.0),
    "RMSProp":  (   0.1,    0.3,   0.01,    0.1,    0.3,    0.3),
    "AdaDelta": ( 300.0,  300.0,    1.0,  100.0,   30.0,  100.0),
    "Adam":     (   1.0,    3.0,    1.0,    0.3,    0.1,    0.3),
    "AdamL2":   (   1.0,    3.0,    1.0,    0.3,    0.1,    0.3),
    "AdamW":    (   1.0,    3.0,    0.3,    0.3,    0.1,    0.3),
    "AdaMax":   (   3.0,   10.0,    1.0,    3.0,    0.3,    3.0),
    "AMSGrad":  (   0.3,    3.0,    0.3,    0.3,    0.1,    0.1),
    "NAdam":    (   0.3,    1.0,    0.1,    0.3,    0.1,    0.3),
    "RAdam":    (   1.0,    1.0,    0.3,   10.0,    0.3,    1.0),
    "Lion":     (   0.2,    0.3,   0.01,    0.2,   0.03,   0.01),
    "FadingAdam":(  1.0,    3.0,    0.1,    0.3,    0.1,    0.3),
    "LayerAdam":(   1.0,    3.0,    1.0,    0.3,    1.0,    0.3),
}
# fmt: on
"""The step size at the start, by rule and problem."""


OTHER = {"AdamL2": {"weight_decay": 1e-4}, "AdamW": {"weight_decay": 1e-4}}
"""What else differs from the defaults: with a strong decay the least loss is elsewhere."""


def final_share(name, problem, alpha, seed=0):
    """The loss after the problem's steps, as a share of the loss at the start."""
    schedule = warmup(cosine(alpha, problem.steps), problem.steps // 10)
    rule = getattr(optim, name)(alpha=schedule, **OTHER.get(name, {}))
    rng = np.random.default_rng(seed)
    s = rule.init(problem.start)
    for _ in range(problem.steps):
        rule.step(s, problem.gradient(s.theta, rng))
    return problem.loss(s.theta) / problem.loss(problem.start)


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("name", optim.RULES)
def test_reaches_a_small_loss(name, problem):
    to_solve = PROBLEMS[problem]
    alpha = ALPHA[name][list(PROBLEMS).index(problem)]
    assert final_share(name, to_solve, alpha) < to_solve.share
