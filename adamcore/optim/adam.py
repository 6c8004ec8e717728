"""Adam, Algorithm 1 of arXiv:1412.6980."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from adamcore.optim.base import Rule, State, divide, one_minus_power
from adamcore.optim.schedules import Schedule


@dataclass(frozen=True)
class Adam(Rule):
    r"""Adam: a moving average of the gradient, divided by the root of one of its square.

    .. math::

        m_t &= \beta_1 m_{t-1} + (1 - \beta_1) g_t \\
        v_t &= \beta_2 v_{t-1} + (1 - \beta_2) g_t^2 \\
        \hat m_t &= m_t / (1 - \beta_1^t) \\
        \hat v_t &= v_t / (1 - \beta_2^t) \\
        \theta_t &= \theta_{t-1} - \alpha\, \hat m_t / (\sqrt{\hat v_t} + \epsilon)

    Kingma & Ba, "Adam: A Method for Stochastic Optimization" (ICLR 2015), arXiv:1412.6980v9, Algorithm 1.
    Epsilon stands outside the root and after the correction, as there.

    Parameters
    ----------
    alpha : float or Schedule, default 0.001
        The step size, in parameter units: about the most that a coordinate moves in one step. All four
        defaults are the paper's, "good default settings for the tested machine learning problems".
    beta1 : float, default 0.9
        How slowly the mean of the gradient forgets, in [0, 1): a window of about 1 / (1 - beta1) = 10 steps.
    beta2 : float, default 0.999
        How slowly the mean of its square forgets, in [0, 1): about 1000 steps.
    eps : float, default 1e-8
        In units of gradient: coordinates whose gradients are smaller than this move less. With 0, a
        coordinate that never had a gradient does not move.

    Notes
    -----
    The state keeps ``m`` and ``v``, two arrays of theta's size. ``m_hat`` and ``v_hat`` are left on it for
    whoever looks.

    In float32 the square of a gradient below about 1e-23 is zero, and of one above about 1e19 infinite: a
    coordinate that has only ever had the former does not see its own size, and one that had the latter
    stops.

    Examples
    --------
    The first step has length alpha in every coordinate, whatever the size of the gradient:

    >>> import numpy as np
    >>> from adamcore import Adam
    >>> rule = Adam(alpha=0.1)
    >>> s = rule.init(np.array([1.0, 1.0]))
    >>> rule.step(s, np.array([100.0, -0.01]))
    >>> s.theta.round(6)
    array([0.9, 1.1])
    """

    alpha: float | Schedule = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    slots: ClassVar[tuple[str, ...]] = ("m", "v")

    def update(self, s: State, g) -> None:
        """Algorithm 1, line for line."""
        s.m = self.beta1 * s.m + (1 - self.beta1) * g
        s.v = self.beta2 * s.v + (1 - self.beta2) * g**2
        s.m_hat = s.m / one_minus_power(self.beta1, s.t)
        s.v_hat = s.v / one_minus_power(self.beta2, s.t)
        s.theta = s.theta - self.alpha * divide(s.m_hat, np.sqrt(s.v_hat) + self.eps)
