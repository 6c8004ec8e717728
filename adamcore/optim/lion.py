"""Lion: the sign of an interpolated momentum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from adamcore.optim.base import Rule, State
from adamcore.optim.schedules import Schedule


@dataclass(frozen=True)
class Lion(Rule):
    r"""Lion: every coordinate moves by alpha, in the direction of an average of gradients.

    .. math::

        c_t &= \beta_1 m_{t-1} + (1 - \beta_1) g_t \\
        \theta_t &= \theta_{t-1} - \alpha (\operatorname{sign}(c_t) + \lambda \theta_{t-1}) \\
        m_t &= \beta_2 m_{t-1} + (1 - \beta_2) g_t

    Chen et al., "Symbolic Discovery of Optimization Algorithms" (NeurIPS 2023), arXiv:2302.06675.

    Parameters
    ----------
    alpha : float or Schedule, default 1e-4
        The step of every coordinate, in parameter units; the paper advises 3 to 10 times less than Adam's.
    beta1 : float, default 0.9
        The share of the average in the direction, in [0, 1); both betas are the paper's.
    beta2 : float, default 0.99
        How slowly the average forgets, in [0, 1): a window of about 1 / (1 - beta2) = 100 steps.
    weight_decay : float or Schedule, default 0
        The strength lambda, >= 0; each step takes alpha_t * lambda of theta away, as in :class:`AdamW`.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore import Lion
    >>> rule = Lion(alpha=0.1)
    >>> s = rule.init(np.zeros(3))
    >>> rule.step(s, np.array([100.0, -0.01, 0.0]))
    >>> s.theta
    array([-0.1,  0.1,  0. ])
    """

    alpha: float | Schedule = 1e-4
    beta1: float = 0.9
    beta2: float = 0.99
    weight_decay: float | Schedule = 0.0
    slots: ClassVar[tuple[str, ...]] = ("m",)

    def update(self, s: State, g) -> None:
        """Move by the sign of the interpolation, then update the average."""
        c = self.beta1 * s.m + (1 - self.beta1) * g
        s.theta = s.theta - self.alpha * (np.sign(c) + self.weight_decay * s.theta)
        s.m = self.beta2 * s.m + (1 - self.beta2) * g
