"""AdaGrad: a step size for every coordinate, from all its gradients so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from adamcore.optim.base import Rule, State, divide
from adamcore.optim.schedules import Schedule


@dataclass(frozen=True)
class AdaGrad(Rule):
    r"""AdaGrad: divide by the root of the sum of all squared gradients.

    .. math::

        G_t &= G_{t-1} + g_t^2 \\
        \theta_t &= \theta_{t-1} - \frac{\alpha\, g_t}{\sqrt{G_t} + \epsilon}

    Duchi, Hazan & Singer, JMLR 12 (2011), the diagonal form; as section 5 of arXiv:1412.6980 writes it.
    The sum only grows, so a coordinate's steps only shrink: about alpha / sqrt(t) while its gradients keep
    their size.

    Parameters
    ----------
    alpha : float or Schedule, default 0.01
        The length of the first step in every coordinate, in parameter units.
    eps : float, default 1e-10
        Keeps the first division safe; the paper has none. With 0, a coordinate that never had a gradient
        does not move.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore import AdaGrad
    >>> rule = AdaGrad(alpha=0.1, eps=0)
    >>> s = rule.init(np.array([0.0, 0.0]))
    >>> rule.step(s, np.array([100.0, 0.01]))
    >>> s.theta
    array([-0.1, -0.1])
    """

    alpha: float | Schedule = 0.01
    eps: float = 1e-10
    slots: ClassVar[tuple[str, ...]] = ("G",)

    def update(self, s: State, g) -> None:
        """Add the squares up, and divide by the root of their sum."""
        s.G = s.G + g**2
        s.theta = s.theta - self.alpha * divide(g, np.sqrt(s.G) + self.eps)
