"""Stochastic gradient descent, and its two classic accelerations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from adamcore.optim.base import Rule, State
from adamcore.optim.schedules import Schedule


@dataclass(frozen=True)
class SGD(Rule):
    r"""Stochastic gradient descent: one step size for all coordinates.

    .. math:: \theta_t = \theta_{t-1} - \alpha g_t

    Parameters
    ----------
    alpha : float or Schedule, default 0.01
        The step size, in units of parameter per unit of gradient. There is no good default: it must suit
        the curvature of the objective (below 2 / h on a quadratic with curvature h).

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore import SGD
    >>> rule = SGD(alpha=0.5)
    >>> s = rule.init(np.array([1.0, 2.0]))
    >>> rule.step(s, np.array([1.0, -1.0]))
    >>> s.theta
    array([0.5, 2.5])
    """

    alpha: float | Schedule = 0.01

    def update(self, s: State, g) -> None:
        """Step straight down the gradient."""
        s.theta = s.theta - self.alpha * g


FORMS = ("heavy_ball", "velocity", "average")


@dataclass(frozen=True)
class Momentum(Rule):
    r"""Gradient descent with momentum, the heavy ball: steps add up while gradients agree.

    .. math::

        b_t &= \mu b_{t-1} + g_t \\
        \theta_t &= \theta_{t-1} - \alpha b_t

    A constant gradient is amplified by up to 1 / (1 - mu): tenfold at mu = 0.9. (Polyak, USSR Comput. Math.
    Math. Phys. 4, 1964; Sutskever et al., ICML 2013, section 2, in the form ``"velocity"``.)

    Parameters
    ----------
    alpha : float or Schedule, default 0.01
        The step size, in units of parameter per unit of gradient.
    mu : float, default 0.9
        The momentum coefficient, in [0, 1): how much of b is kept; 0 is plain gradient descent.
    form : {"heavy_ball", "velocity", "average"}, default "heavy_ball"
        What b adds up. ``"heavy_ball"``: gradients, as above. ``"velocity"``: steps,
        :math:`b_t = \mu b_{t-1} + \alpha_t g_t` and :math:`\theta_t = \theta_{t-1} - b_t`, which is the same
        while alpha is constant. ``"average"``: a moving average, :math:`b_t = \mu b_{t-1} + (1 - \mu) g_t`,
        as in Adam: the same steps as the heavy ball with alpha (1 - mu).

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore import Momentum
    >>> rule = Momentum(alpha=0.1, mu=0.9)
    >>> s = rule.init(np.array([0.0]))
    >>> for _ in range(2):
    ...     rule.step(s, np.array([1.0]))
    >>> round(float(s.theta[0]), 12)  # -0.1, then 1.9 times as far
    -0.29
    """

    alpha: float | Schedule = 0.01
    mu: float = 0.9
    form: str = "heavy_ball"
    slots: ClassVar[tuple[str, ...]] = ("b",)
    choices: ClassVar[dict[str, tuple]] = {"form": FORMS}

    def update(self, s: State, g) -> None:
        """Let b forget a little, add the gradient, and move along it."""
        added, taken = self.shares()
        s.b = self.mu * s.b + added * g
        s.theta = s.theta - taken * s.b

    def shares(self) -> tuple[float, float]:
        """Return the factor of g in b, and that of b in the step."""
        return {"heavy_ball": (1.0, self.alpha), "velocity": (self.alpha, 1.0), "average": (1 - self.mu, self.alpha)}[
            self.form
        ]


@dataclass(frozen=True)
class Nesterov(Momentum):
    r"""Nesterov's accelerated gradient, in the form that takes its gradient at theta.

    .. math::

        b_t &= \mu b_{t-1} + g_t \\
        \theta_t &= \theta_{t-1} - \alpha (g_t + \mu b_t)

    Nesterov (1983) takes the gradient at a point ahead of the iterate, at theta plus the momentum's next
    move. Here theta *is* that point ahead, which is what libraries store: with a constant alpha the two
    forms make the same steps, seen from two places (Sutskever et al., ICML 2013, section 2; Bengio et al.,
    arXiv:1212.0901, section 3.5). With a schedule they differ by how alpha changes within one step.

    Parameters
    ----------
    alpha : float or Schedule, default 0.01
        The step size, in units of parameter per unit of gradient.
    mu : float, default 0.9
        The momentum coefficient, in [0, 1).
    form : {"heavy_ball", "velocity", "average"}, default "heavy_ball"
        What b adds up; as for :class:`Momentum`.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore import Nesterov
    >>> rule = Nesterov(alpha=0.1, mu=0.9)
    >>> s = rule.init(np.array([0.0]))
    >>> rule.step(s, np.array([1.0]))
    >>> s.theta
    array([-0.19])
    """

    def update(self, s: State, g) -> None:
        """Let b forget a little, add the gradient, and move as far as b will carry next."""
        added, taken = self.shares()
        s.b = self.mu * s.b + added * g
        s.theta = s.theta - taken * (added * g + self.mu * s.b)
