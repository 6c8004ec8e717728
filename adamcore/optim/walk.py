"""The points that a rule visits on an objective without noise."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from adamcore.optim._checks import as_float
from adamcore.optim.base import Rule


def walk(rule: Rule, gradient: Callable[[np.ndarray], Any], theta: Any, steps: int) -> np.ndarray:
    r"""Take steps along a gradient and return every point visited, the start included.

    .. math:: g_t = \nabla f(\theta_{t-1}), \qquad \theta_t = \text{what the rule makes of } \theta_{t-1}, g_t

    for t = 1, ..., ``steps``: the loop of Algorithm 1 of arXiv:1412.6980, for any rule. A walk has no randomness of
    its own; a gradient that draws random numbers brings its own generator.

    Parameters
    ----------
    rule : Rule
        Any rule of :mod:`adamcore.optim`, or one of your own. It is not changed.
    gradient : callable
        Maps theta to the gradient there, an array of theta's shape and dtype.
    theta : array_like
        Where to start: float32 or float64, of any shape. It is not changed.
    steps : int
        How many steps to take; 0 returns the start alone.

    Returns
    -------
    numpy.ndarray
        The points, (steps + 1, \*theta.shape), in theta's dtype: the start first, and at index t the point after
        t steps.

    Raises
    ------
    ValueError
        If ``steps`` is not a whole number >= 0, or a gradient has another shape than theta.
    TypeError
        If ``theta`` is not float32 or float64, or a gradient has another dtype.
    NotFiniteError
        If the walk diverges so far that a gradient is no longer finite; it names the step.

    Examples
    --------
    On f(theta) = theta^2 / 2 the gradient is theta itself. With a step size of 0.5 each step halves it:

    >>> import numpy as np
    >>> from adamcore import SGD, walk
    >>> walk(SGD(alpha=0.5), lambda theta: theta, np.array([8.0, -4.0]), steps=3)
    array([[ 8. , -4. ],
           [ 4. , -2. ],
           [ 2. , -1. ],
           [ 1. , -0.5]])
    """
    count = whole(steps)
    s = rule.init(theta)
    points = np.empty((count + 1, *s.theta.shape), s.theta.dtype)
    points[0] = s.theta
    for t in range(1, count + 1):
        rule.step(s, gradient(s.theta))
        points[t] = s.theta
    return points


def whole(steps: Any) -> int:
    """The number of steps, or an error that says what is allowed."""
    number = as_float(steps)
    if number is not None and 0 <= number < math.inf and number == int(number):
        return int(number)
    raise ValueError(f"walk: steps = {steps!r} is not allowed; it must be a whole number >= 0.")
