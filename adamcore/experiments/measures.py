"""What may be measured after each epoch of a run, by name, so that an experiment can ask for it as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from adamcore.optim import Rule, State

if TYPE_CHECKING:
    from adamcore.experiments.problems import Problem

CHUNK = 1000
"""Examples evaluated at a time: large enough for fast matrix products, small enough for a network's memory."""

AT_MOST = 10_000
"""Examples on which the measure ``full_cost`` is taken: enough for two digits, and cheap beside an epoch."""


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

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> import numpy as np
    >>> from adamcore import SGD, LogisticRegression
    >>> from adamcore.experiments.measures import test_error
    >>> test = np.ones((4, 1), dtype=np.float32), np.array([0, 1, 1, 1])
    >>> problem = SimpleNamespace(model=LogisticRegression(1, 2), test=test)
    >>> test_error(1, problem, SGD().init(np.array([0, 0, 0, 1], dtype=np.float32)), SGD())
    {'test_error': 0.25}
    """
    test = getattr(problem, "test", None)
    if test is None or len(test) != 2:  # without labels there is nothing to get wrong
        return {}
    x, y = test
    n = x.shape[0]
    wrong = 0
    for start in range(0, n, CHUNK):
        rows = slice(start, start + CHUNK)
        wrong += np.count_nonzero(problem.model.predict(s.theta, x[rows]) != y[rows])
    return {"test_error": float(wrong / n)}


test_error.__test__ = False  # pytest: no test, whatever its name


def second_moment(epoch: int, problem: Problem, s: State, rule: Rule) -> dict[str, float]:
    r"""Return how large Adam's :math:`\sqrt{\hat v_t}` is beside epsilon, in each part of theta.

    Section 6.3 of arXiv:1412.6980: in convolutional networks "the second moment estimate vanishes to zeros after a
    few epochs and is dominated by the epsilon". It is the root that stands beside epsilon, so the root is measured.

    Returns
    -------
    dict of str to float
        For each part of ``model.layout``: ``<part>/below_eps`` and ``<part>/below_10_eps``, the fractions of its
        coordinates where the root is smaller, and ``<part>/rms``, its root mean square. Empty for a rule without v
        or epsilon.

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
    v, eps = getattr(s, "v", None), getattr(rule, "eps", None)
    if v is None or eps is None:
        return {}
    correction = rule.v_correction(s.t) if hasattr(rule, "v_correction") else 1.0
    measured = {}
    for name, part in vars(problem.model.layout.views(np.sqrt(v / correction))).items():
        measured[f"{name}/below_eps"] = np.count_nonzero(part < eps) / part.size
        measured[f"{name}/below_10_eps"] = np.count_nonzero(part < 10 * eps) / part.size
        measured[f"{name}/rms"] = float(np.sqrt(np.mean(np.square(part, dtype=np.float64))))
    return measured


MEASURES = {"full_cost": full_cost, "test_error": test_error, "second_moment": second_moment}
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
