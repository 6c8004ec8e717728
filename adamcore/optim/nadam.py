"""NAdam and RAdam: two changes to the start and the momentum of Adam."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from adamcore.optim.base import Rule, State, divide, one_minus_power
from adamcore.optim.schedules import Schedule


@dataclass(frozen=True)
class NAdam(Rule):
    r"""NAdam: Adam with Nesterov's momentum.

    .. math::

        \mu_t &= \beta_1 (1 - \tfrac12\, 0.96^{\psi t}) \\
        \hat m_t &= \frac{\mu_{t+1} m_t}{1 - \prod_{i=1}^{t+1} \mu_i}
                    + \frac{(1 - \mu_t) g_t}{1 - \prod_{i=1}^{t} \mu_i} \\
        \theta_t &= \theta_{t-1} - \alpha\, \hat m_t / (\sqrt{\hat v_t} + \epsilon)

    with m and v as in Adam. Dozat, "Incorporating Nesterov Momentum into Adam" (ICLR workshop, 2016).

    Parameters
    ----------
    alpha : float or Schedule, default 0.002
        The step size, in parameter units; this default and the others are PyTorch's.
    beta1 : float, default 0.9
        How slowly the mean of the gradient forgets, in [0, 1); also what the momentum mu rises to.
    beta2 : float, default 0.999
        How slowly the mean of its square forgets, in [0, 1).
    eps : float, default 1e-8
        As for :class:`Adam`.
    momentum_decay : float or None, default 0.004
        The psi of the momentum's warm-up, from about beta1 / 2; None for a constant momentum, mu_t = beta1.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore import NAdam
    >>> rule = NAdam(alpha=0.1, momentum_decay=None)
    >>> s = rule.init(np.zeros(1))
    >>> rule.step(s, np.array([5.0]))
    >>> s.theta.round(4)  # further than Adam's 0.1: it looks ahead
    array([-0.1474])
    """

    alpha: float | Schedule = 0.002
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    momentum_decay: float | None = 0.004
    slots: ClassVar[tuple[str, ...]] = ("m", "v")
    scalars: ClassVar[dict[str, float]] = {"mu_product": 1.0}

    def update(self, s: State, g) -> None:
        """Adam's moments; the average looks one step ahead."""
        mu, mu_next = self.momentum(s.t), self.momentum(s.t + 1)
        s.mu_product = s.mu_product * mu
        s.m = self.beta1 * s.m + (1 - self.beta1) * g
        s.v = self.beta2 * s.v + (1 - self.beta2) * g**2
        s.m_hat = mu_next / (1 - s.mu_product * mu_next) * s.m + (1 - mu) / (1 - s.mu_product) * g
        s.v_hat = s.v / one_minus_power(self.beta2, s.t)
        s.theta = s.theta - self.alpha * divide(s.m_hat, np.sqrt(s.v_hat) + self.eps)

    def momentum(self, t: int) -> float:
        """Return mu at step ``t``."""
        if self.momentum_decay is None:
            return self.beta1
        return self.beta1 * (1 - 0.5 * 0.96 ** (t * self.momentum_decay))


@dataclass(frozen=True)
class RAdam(Rule):
    r"""RAdam: Adam that waits until its second moment can be trusted.

    .. math::

        \rho_\infty &= \frac{2}{1 - \beta_2} - 1, \qquad
        \rho_t = \rho_\infty - \frac{2 t \beta_2^t}{1 - \beta_2^t} \\
        r_t &= \sqrt{\frac{(\rho_t - 4)(\rho_t - 2) \rho_\infty}{(\rho_\infty - 4)(\rho_\infty - 2) \rho_t}} \\
        \theta_t &= \theta_{t-1} - \alpha\, r_t\, \hat m_t / (\sqrt{\hat v_t} + \epsilon)
                   \quad \text{if } \rho_t > 4, \text{ else } \theta_{t-1} - \alpha\, \hat m_t

    with the corrected moments of Adam. Liu et al., "On the Variance of the Adaptive Learning Rate and
    Beyond" (ICLR 2020), arXiv:1908.03265, Algorithm 2, which has no epsilon.

    Parameters
    ----------
    alpha : float or Schedule, default 0.001
        The step size: in parameter units while steps are adaptive, and per unit of gradient before.
    beta1 : float, default 0.9
        How slowly the mean of the gradient forgets, in [0, 1).
    beta2 : float, default 0.999
        How slowly the mean of its square forgets, in [0, 1). At the default the first adaptive step is the
        fifth; at 0.6 or less there is never one.
    eps : float, default 1e-8
        As for :class:`Adam`.
    threshold : float, default 4
        The rho above which steps are adaptive; PyTorch and optax use 5. Less than 4 counts as 4, since r_t
        has no meaning there.
    eps_place : {"outside", "hat"}, default "outside"
        As for :class:`Adam`.

    Examples
    --------
    >>> from adamcore import RAdam
    >>> rule = RAdam()
    >>> [round(rule.rectification(t), 4) for t in (4, 5, 100, 1000)]
    [0.0, 0.0173, 0.2153, 0.6453]
    """

    alpha: float | Schedule = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    threshold: float = 4.0
    eps_place: str = "outside"
    slots: ClassVar[tuple[str, ...]] = ("m", "v")
    choices: ClassVar[dict[str, tuple]] = {"eps_place": ("outside", "hat")}

    def update(self, s: State, g) -> None:
        """Algorithm 2 of arXiv:1908.03265."""
        s.m = self.beta1 * s.m + (1 - self.beta1) * g
        s.v = self.beta2 * s.v + (1 - self.beta2) * g**2
        s.m_hat = s.m / one_minus_power(self.beta1, s.t)
        v_correction = one_minus_power(self.beta2, s.t)
        s.v_hat = s.v / v_correction
        r = self.rectification(s.t)
        if r == 0:
            s.theta = s.theta - self.alpha * s.m_hat
            return
        eps = self.eps / v_correction**0.5 if self.eps_place == "hat" else self.eps
        s.theta = s.theta - self.alpha * r * divide(s.m_hat, np.sqrt(s.v_hat) + eps)

    def rectification(self, t: int) -> float:
        """Return r at step ``t``, or 0 where the step is not adaptive."""
        rho_inf = 2 / (1 - self.beta2) - 1
        rho = rho_inf - 2 * t * self.beta2**t / one_minus_power(self.beta2, t)
        if rho <= max(self.threshold, 4.0):
            return 0.0
        return math.sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho))
