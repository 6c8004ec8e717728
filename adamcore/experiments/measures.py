"""What may be measured after each epoch of a run, by name, so that an experiment can ask for it as data."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from adamcore.optim import Adam, AMSGrad, FadingAdam, LayerAdam, NAdam, RAdam, RMSProp, Rule, State
from adamcore.optim.base import one_minus_power
from adamcore.optim.wrapper import Wrapper

if TYPE_CHECKING:
    from adamcore.experiments.problems import Problem

CHUNK = 1000
"""Examples evaluated at a time: large enough for fast matrix products, small enough for a network's memory."""

AT_MOST = 10_000
"""Examples on which the measure ``full_cost`` is taken: enough for two digits, and cheap beside an epoch."""

TEST_SHARE = 5
"""A measure takes at most a fifth as many test examples as there are training examples, so that it stays cheap beside
an epoch of a small run; the paper's own sizes use them all."""

IMAGES = 1000
"""Test images on which the measure ``test_bound`` is taken."""

PASSES = 3000
"""Evaluations of the whole objective that L-BFGS may make to find its minimum, for the measure ``excess``."""

SAMPLED = 8, 128
"""The minibatches, and the examples in each, whose gradients the measure ``gradient_sparsity`` takes."""


def mean_cost(model: Any, theta: np.ndarray, data: tuple[Any, ...], at_most: int | None = None) -> float:
    """Return the model's cost at ``theta`` over the data: no dropout or other noise, no penalty.

    Parameters
    ----------
    model : object
        With ``loss(theta, batch)`` or, failing that, ``loss_and_grad(theta, batch)``, and ``penalty(theta)``.
    theta : numpy.ndarray
    data : tuple
        Arrays or sparse matrices of the same length, as for :func:`adamcore.experiments.train`.
    at_most : int, optional
        Use only so many examples, the first ones.

    Returns
    -------
    float

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore import LogisticRegression
    >>> from adamcore.experiments.measures import mean_cost
    >>> model = LogisticRegression(1, 2)
    >>> data = np.ones((3, 1), dtype=np.float32), np.array([0, 1, 1])
    >>> round(np.exp(mean_cost(model, model.init(None), data)), 4)  # all weights zero: two classes, equally likely
    np.float64(2.0)
    """
    n = data[0].shape[0] if at_most is None else min(at_most, data[0].shape[0])
    loss = getattr(model, "loss", None) or (lambda *arguments: model.loss_and_grad(*arguments)[0])
    total = 0.0
    for start in range(0, n, CHUNK):
        rows = slice(start, min(start + CHUNK, n))
        total += loss(theta, tuple(part[rows] for part in data)) * (rows.stop - rows.start)
    return total / n - model.penalty(theta)


def full_cost(epoch: int, problem: Problem, s: State, rule: Rule) -> dict[str, float]:
    """Return the cost of the training data at the end of an epoch, without dropout, on at most 10,000 examples.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore import SGD, LogisticRegression
    >>> from adamcore.experiments.measures import full_cost
    >>> from adamcore.experiments.problems import Problem
    >>> data = np.ones((3, 1), dtype=np.float32), np.array([0, 1, 1])
    >>> problem = Problem(LogisticRegression(1, 2), data, digest="")
    >>> round(full_cost(1, problem, SGD().init(problem.model.init(None)), SGD())["full_cost"], 4)
    0.6931
    """
    return {"full_cost": mean_cost(problem.model, s.theta, problem.data, AT_MOST)}


def test_error(epoch: int, problem: Problem, s: State, rule: Rule) -> dict[str, float]:
    """Return the fraction of the test examples that are misclassified; nothing if the problem has none.

    Of a small problem only the first test examples are taken, a fifth as many as it has training examples.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore import SGD, LogisticRegression
    >>> from adamcore.experiments.measures import test_error
    >>> from adamcore.experiments.problems import Problem
    >>> x, y = np.ones((20, 1), dtype=np.float32), np.array([0, 1, 1, 1] * 5)
    >>> problem = Problem(LogisticRegression(1, 2), (x, y), digest="", test=(x, y))
    >>> test_error(1, problem, SGD().init(np.array([0, 0, 0, 1], dtype=np.float32)), SGD())
    {'test_error': 0.25}
    """
    if problem.test is None or len(problem.test) != 2:  # without labels there is nothing to get wrong
        return {}
    x, y = problem.test
    n = min(x.shape[0], problem.data[0].shape[0] // TEST_SHARE)
    wrong = 0
    for start in range(0, n, CHUNK):
        rows = slice(start, min(start + CHUNK, n))
        wrong += np.count_nonzero(problem.model.predict(s.theta, x[rows]) != y[rows])
    return {"test_error": float(wrong / n)}


test_error.__test__ = False  # pytest: no test, whatever its name


def second_moment(epoch: int, problem: Problem, s: State, rule: Rule) -> dict[str, float]:
    r"""Return how large Adam's :math:`\sqrt{\hat v_t}` is beside epsilon, in each part of theta.

    Section 6.3 of arXiv:1412.6980: in convolutional networks "the second moment estimate vanishes to zeros after a
    few epochs and is dominated by the epsilon". It is the root that stands beside epsilon, so the root is measured,
    of what the rule itself divides by.

    Returns
    -------
    dict of str to float
        For each part of ``model.layout``: ``<part>/below_eps`` and ``<part>/below_10_eps``, the fractions of its
        coordinates where the root is smaller, and ``<part>/rms``, its root mean square. Empty for a rule that has no
        root of a mean square beside an epsilon; see the notes.

    Notes
    -----
    For Adam, AdamL2, AdamW, FadingAdam, NAdam and RAdam the root is that of :math:`\hat v_t`, which RAdam keeps also
    while its steps are not adaptive yet. For LayerAdam it is that of a layer's :math:`\hat v_t`, for each coordinate
    of the layer; for AMSGrad of the largest so far; for RMSProp of v, which it does not correct, or of the variance
    where it is centered. With ``eps_place="hat"`` the epsilon beside the root of :math:`\hat v_t` is
    :math:`\hat\epsilon / \sqrt{1 - \beta_2^t}`. For a wrapper, such as Averaged, it is that of the rule within.

    Empty for AdaGrad, which keeps a sum and no mean; for AdaMax, which takes no root; for AdaDelta, and for others
    with ``eps_place="inside"``, where the epsilon stands under the root, in units of squared gradient; for rules that
    divide by nothing, and for those of your own.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> import numpy as np
    >>> from adamcore import Adam, LogisticRegression
    >>> from adamcore.experiments.measures import second_moment
    >>> rule = Adam(eps=1e-8)
    >>> s = rule.init(np.zeros(4))
    >>> rule.step(s, np.array([2.0, 1e-9, 2.0, 2.0]))  # after one step the root of v_hat is |g|
    >>> problem = SimpleNamespace(model=LogisticRegression(1, 2))
    >>> for name, value in second_moment(1, problem, s, rule).items():
    ...     print(name, round(value, 3))
    W/below_eps 0.5
    W/below_10_eps 0.5
    W/rms 1.414
    b/below_eps 0.0
    b/below_10_eps 0.0
    b/rms 2.0
    """
    while isinstance(rule, Wrapper):
        rule = rule.rule
    found = _under_the_root(rule, s)
    if found is None:
        return {}
    v_hat, eps = found
    measured = {}
    for name, part in vars(problem.model.layout.views(np.sqrt(v_hat))).items():
        measured[f"{name}/below_eps"] = np.count_nonzero(part < eps) / part.size
        measured[f"{name}/below_10_eps"] = np.count_nonzero(part < 10 * eps) / part.size
        measured[f"{name}/rms"] = float(np.sqrt(np.mean(np.square(part, dtype=np.float64))))
    return measured


def _under_the_root(rule: Rule, s: State) -> tuple[np.ndarray, float] | None:
    """What a rule takes the root of before it divides, and the epsilon that it adds to the root, if it does so.

    From what the state keeps, not from the ``v_hat`` that a readable step leaves: a step in place leaves none.
    """
    place = getattr(rule, "eps_place", "outside")
    if place == "inside":
        return None
    if isinstance(rule, RMSProp):
        return (np.maximum(s.v - s.g_mean**2, 0) if rule.centered else s.v), rule.eps
    if isinstance(rule, Adam):
        correction = rule.v_correction(s.t)
    elif isinstance(rule, (FadingAdam, LayerAdam, NAdam, RAdam)):
        correction = one_minus_power(rule.beta2, s.t)
    else:
        return None
    if isinstance(rule, AMSGrad):
        v_hat = s.v_max if rule.maximum == "corrected" else s.v_max / correction
    else:
        v_hat = s.v / correction
    return v_hat, rule.eps / correction**0.5 if place == "hat" else rule.eps


def test_bound(epoch: int, problem: Problem, s: State, rule: Rule) -> dict[str, float]:
    """Return an auto-encoder's negative evidence lower bound on test images; nothing if the problem has none.

    On the first 1,000, or a fifth as many as there are training images. Epsilon comes from a generator that is the
    same at every call, so that differences between epochs and contenders are theirs.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore import SGD, VAE
    >>> from adamcore.experiments.measures import test_bound
    >>> from adamcore.experiments.problems import Problem
    >>> images = np.full((10, 6), 0.5, dtype=np.float32)
    >>> problem = Problem(VAE(6, hidden=5, n_latent=2), (images,), digest="", test=(images,))
    >>> theta = problem.model.layout.zeros()  # each pixel costs log 2, and the latents nothing
    >>> round(test_bound(1, problem, SGD().init(theta), SGD())["test_bound"] / np.log(2), 4)
    np.float64(6.0)
    """
    if problem.test is None or len(problem.test) != 1:
        return {}
    n = min(IMAGES, problem.data[0].shape[0] // TEST_SHARE)
    noise = np.random.default_rng(0)
    return {"test_bound": problem.model.loss(s.theta, (problem.test[0][:n],), noise)}


test_bound.__test__ = False


def gradient_sparsity(epoch: int, problem: Problem, s: State, rule: Rule) -> dict[str, float]:
    r"""Return how sparse the gradients of minibatches are, in each part of theta: among coordinates, and over time.

    Section 6.4 of arXiv:1412.6980 explains its Figure 4 by gradients that become sparser towards the end of training.
    It does not say how that was seen. Units such as softplus never have a gradient of exactly zero, so being zero
    cannot be counted alone. Let :math:`g_k` be the gradient on minibatch k at the present theta, and n the size of a
    part.

    Returns
    -------
    dict of str to float
        For each part of ``model.layout``, from 8 minibatches of 128, the first 1,024 training examples:

        ``<part>/zero``
            The share of exact zeros.
        ``<part>/small``
            The share of coordinates of at most a hundredth of the part's root mean square in that minibatch.
        ``<part>/hoyer``
            :math:`(\sqrt n - \lVert g_k \rVert_1 / \lVert g_k \rVert_2) / (\sqrt n - 1)`, the mean over minibatches:
            0 if all coordinates are equally large, 1 if only one is not zero, whatever the scale (Hoyer, JMLR 5,
            2004). Minibatches in which the whole part is zero are left out; a part of one coordinate counts as 0.
        ``<part>/rare``
            How unevenly a coordinate's gradient is spread over minibatches, which is what a slow average of its
            square must bridge: 1 less the mean, over coordinates, of
            :math:`(\operatorname{mean}_k |g_k|)^2 / \operatorname{mean}_k g_k^2`. It is 0 if each has the same size
            in every minibatch, 7/8 if each has a gradient in only one of eight. Coordinates that never have one are
            left out.

    Notes
    -----
    Dropout and other noise come from a generator that is the same at every call. Training is not disturbed.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore import SGD, LogisticRegression
    >>> from adamcore.experiments.measures import gradient_sparsity
    >>> from adamcore.experiments.problems import Problem
    >>> x = np.zeros((1024, 4), dtype=np.float32)
    >>> x[:128, 0] = 1  # one of four features is ever there, and only in the first minibatch
    >>> problem = Problem(LogisticRegression(4, 2), (x, np.zeros(1024, dtype=int)), digest="")
    >>> theta = problem.model.init(None)
    >>> for name, value in gradient_sparsity(1, problem, SGD().init(theta), SGD()).items():
    ...     print(name, round(value, 3))
    W/zero 0.969
    W/small 0.969
    W/hoyer 0.773
    W/rare 0.875
    b/zero 0.0
    b/small 0.0
    b/hoyer 0.0
    b/rare 0.0
    """
    number, size = SAMPLED
    noise = np.random.default_rng(0)
    n = problem.data[0].shape[0]
    views = []
    for start in range(0, min(number * size, n), size):
        batch = tuple(array[start : min(start + size, n)] for array in problem.data)
        gradient = problem.model.loss_and_grad(s.theta, batch, noise)[1]
        views.append(vars(problem.model.layout.views(np.abs(gradient))))
    return {
        f"{part}/{name}": value
        for part in problem.model.layout.shapes
        for name, value in _sparsity(np.array([view[part].reshape(-1) for view in views], np.float64)).items()
    }


def _sparsity(sizes: np.ndarray) -> dict[str, float]:
    """The four numbers of one part: from |g| in float64, a row a minibatch."""
    root = np.sqrt(sizes.shape[1])
    rms = np.sqrt(np.square(sizes).mean(axis=1))
    seen = rms > 0
    # The 1-norm is n times the mean, the 2-norm sqrt(n) times the root mean square.
    ratio = sizes[seen].mean(axis=1) / rms[seen]
    hoyer = (root - root * ratio) / (root - 1) if root > 1 and seen.any() else np.zeros(1)
    second = np.square(sizes).mean(axis=0)
    ever = second > 0
    even = sizes.mean(axis=0)[ever] ** 2 / second[ever] if ever.any() else np.ones(1)
    return {
        "zero": float((sizes == 0).mean()),
        "small": float((sizes <= 0.01 * rms[:, np.newaxis]).mean()),
        "hoyer": float(hoyer.mean()),
        "rare": float(1 - even.mean()),
    }


def excess(epoch: int, problem: Problem, s: State, rule: Rule) -> dict[str, float]:
    """Return how far the objective on the whole training data is above its minimum, for a convex problem.

    Close to the minimum, costs differ in their last digits only, whatever a contender does; their distances to the
    minimum need not. The minimum is found by L-BFGS, once for a process.

    Examples
    --------
    >>> from adamcore import SGD
    >>> from adamcore.experiments.measures import excess
    >>> from adamcore.experiments.problems import make_problem
    >>> problem = make_problem("mnist_logistic", {"n_train": 100, "l2": 0.1})
    >>> round(excess(1, problem, SGD().init(problem.model.init(None)), SGD())["excess"], 2)  # all weights zero
    1.62
    """
    objective = mean_cost(problem.model, s.theta, problem.data) + problem.model.penalty(s.theta)
    return {"excess": objective - _minimum(problem)}


@lru_cache(maxsize=1)
def _minimum(problem: Problem) -> float:
    """The lowest objective that L-BFGS finds in the model's arithmetic."""
    from adamcore.experiments.full_batch import LBFGS  # it trains, and training measures
    from adamcore.experiments.train import streams

    s = LBFGS(memory=20).minimize(problem, PASSES, streams(0)).state
    return mean_cost(problem.model, s.theta, problem.data) + problem.model.penalty(s.theta)


MEASURES = {
    measure.__name__: measure
    for measure in (full_cost, test_error, second_moment, test_bound, gradient_sparsity, excess)
}
"""Every measure by its name, called as ``measure(epoch, problem, state, rule)``; returns floats by name."""


def check_measures(names: tuple[str, ...]) -> None:
    """Raise unless every name is a measure.

    Raises
    ------
    ValueError
        If one is not known; the message lists those that are.

    Examples
    --------
    >>> from adamcore.experiments.measures import check_measures
    >>> check_measures(("full_cost",))
    """
    if unknown := [name for name in names if name not in MEASURES]:
        raise ValueError(f"measures = {unknown!r} are not known; there are {', '.join(MEASURES)}.")
