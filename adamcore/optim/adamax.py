"""AdaMax, Algorithm 2 of arXiv:1412.6980."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from adamcore.optim.base import Rule, State, divide, one_minus_power
from adamcore.optim.schedules import Schedule


@dataclass(frozen=True)
class AdaMax(Rule):
    r"""AdaMax: Adam with the largest recent gradient in the place of the root mean square.

    .. math::

        m_t &= \beta_1 m_{t-1} + (1 - \beta_1) g_t \\
        u_t &= \max(\beta_2 u_{t-1}, |g_t|) \\
        \theta_t &= \theta_{t-1} - \frac{\alpha}{1 - \beta_1^t} \frac{m_t}{u_t}

    Kingma & Ba, arXiv:1412.6980v9, section 7.1, Algorithm 2. The maximum needs no bias correction.

    Parameters
    ----------
    alpha : float or Schedule, default 0.002
        The step size, in parameter units: at these defaults, which are the paper's, no coordinate moves more
        than 1.0091 times as far in one step (section 7.1 says alpha; shrinking gradients exceed it).
    beta1 : float, default 0.9
        How slowly the mean of the gradient forgets, in [0, 1).
    beta2 : float, default 0.999
        How slowly the maximum forgets, in [0, 1).
    eps : float, default 0
        The paper has none; a coordinate that never had a gradient does not move. Libraries add one.
    eps_place : {"outside", "gradient"}, default "outside"
        ``"outside"``: m / (u + eps). ``"gradient"``: u is the maximum of beta2 u and abs(g) + eps, as in PyTorch
        and optax.
    bias_correction : bool, default True
        Whether m is corrected for its start at zero.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore import AdaMax
    >>> rule = AdaMax(alpha=0.1)
    >>> s = rule.init(np.array([1.0, 1.0]))
    >>> rule.step(s, np.array([100.0, 0.0]))
    >>> s.theta.round(6)
    array([0.9, 1. ])
    """

    alpha: float | Schedule = 0.002
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 0.0
    eps_place: str = "outside"
    bias_correction: bool = True
    slots: ClassVar[tuple[str, ...]] = ("m", "u")
    choices: ClassVar[dict[str, tuple]] = {"eps_place": ("outside", "gradient"), "bias_correction": (True, False)}

    def update(self, s: State, g) -> None:
        """Algorithm 2, line for line."""
        outside, inside = (self.eps, 0.0) if self.eps_place == "outside" else (0.0, self.eps)
        s.m = self.beta1 * s.m + (1 - self.beta1) * g
        s.u = np.maximum(self.beta2 * s.u, np.abs(g) + inside)
        correction = one_minus_power(self.beta1, s.t) if self.bias_correction else 1.0
        s.theta = s.theta - self.alpha / correction * divide(s.m, s.u + outside)
