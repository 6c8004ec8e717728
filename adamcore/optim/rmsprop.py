"""RMSProp and AdaDelta: AdaGrad that forgets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from adamcore.optim.base import Rule, State, divide, root
from adamcore.optim.schedules import Schedule


@dataclass(frozen=True)
class RMSProp(Rule):
    r"""RMSProp: divide by the root of a moving average of squared gradients.

    .. math::

        v_t &= \rho v_{t-1} + (1 - \rho) g_t^2 \\
        \theta_t &= \theta_{t-1} - \frac{\alpha\, g_t}{\sqrt{v_t} + \epsilon}

    Tieleman & Hinton, COURSERA "Neural Networks for Machine Learning", lecture 6.5 (2012). What is averaged
    is the *second* raw moment, as in Adam; RMSProp has no first moment and no bias correction. With
    momentum (Graves, arXiv:1308.0850, section 4.2) the momentum is of the *rescaled* gradient, where Adam
    rescales the averaged one:

    .. math:: b_t = \mu b_{t-1} + \frac{g_t}{\sqrt{v_t} + \epsilon}, \quad \theta_t = \theta_{t-1} - \alpha b_t

    Parameters
    ----------
    alpha : float or Schedule, default 0.001
        The step size, in parameter units. As v starts at zero, the first step is 1 / sqrt(1 - rho) alpha.
    rho : float, default 0.9
        How slowly the mean square forgets, in [0, 1); 0.9 is the lecture's.
    eps : float, default 1e-8
        Keeps the division safe. With 0, a coordinate that never had a gradient does not move.
    centered : bool, default False
        Divide by the root of the variance instead: of v minus the square of a moving average of g, kept as
        ``g_mean`` (Graves). Where rounding makes the difference negative, it is taken as zero.
    mu : float, default 0
        Momentum of the rescaled gradient, in [0, 1).
    form : {"heavy_ball", "velocity"}, default "heavy_ball"
        As for :class:`Momentum`.
    initial : float, default 0
        What v starts from; TensorFlow 1 starts from 1, which makes the first steps smaller while gradients
        are below 1.
    eps_place : {"outside", "inside"}, default "outside"
        ``"inside"``: :math:`\sqrt{v_t + \epsilon}`.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore import RMSProp
    >>> rule = RMSProp(alpha=0.1, rho=0.9, eps=0)
    >>> s = rule.init(np.zeros(1))
    >>> rule.step(s, np.array([5.0]))
    >>> s.theta.round(4)  # not 0.1: v holds a tenth of the square
    array([-0.3162])
    """

    alpha: float | Schedule = 0.001
    rho: float = 0.9
    eps: float = 1e-8
    centered: bool = False
    mu: float = 0.0
    form: str = "heavy_ball"
    initial: float = 0.0
    eps_place: str = "outside"
    choices: ClassVar[dict[str, tuple]] = {
        "centered": (True, False),
        "form": ("heavy_ball", "velocity"),
        "eps_place": ("outside", "inside"),
    }

    @property
    def slots(self) -> tuple[str, ...]:
        """``v``, and what the switches need besides."""
        return ("v",) + ("g_mean",) * self.centered + ("b",) * (self.mu > 0)

    def start_value(self, slot: str) -> float:
        """Return what the mean square starts from; the others start at 0."""
        return self.initial if slot == "v" else 0.0

    def update(self, s: State, g) -> None:
        """Average the squares, and divide by the root of the average."""
        s.v = self.rho * s.v + (1 - self.rho) * g**2
        spread = s.v
        if self.centered:
            s.g_mean = self.rho * s.g_mean + (1 - self.rho) * g
            spread = np.maximum(s.v - s.g_mean**2, 0)
        rescaled = divide(g, root(spread, self.eps, self.eps_place))
        if self.mu == 0:
            s.theta = s.theta - self.alpha * rescaled
        elif self.form == "heavy_ball":
            s.b = self.mu * s.b + rescaled
            s.theta = s.theta - self.alpha * s.b
        else:
            s.b = self.mu * s.b + self.alpha * rescaled
            s.theta = s.theta - s.b


@dataclass(frozen=True)
class AdaDelta(Rule):
    r"""AdaDelta: RMSProp whose step size is the root mean square of its own recent steps.

    .. math::

        v_t &= \rho v_{t-1} + (1 - \rho) g_t^2 \\
        \Delta_t &= \frac{\sqrt{u_{t-1} + \epsilon}}{\sqrt{v_t + \epsilon}}\, g_t \\
        u_t &= \rho u_{t-1} + (1 - \rho) \Delta_t^2 \\
        \theta_t &= \theta_{t-1} - \alpha \Delta_t

    Zeiler, "ADADELTA: An Adaptive Learning Rate Method", arXiv:1212.5701, Algorithm 1, where alpha = 1 and
    the sign is that of the step. The numerator gives the step the units of a parameter. Epsilon is no
    detail here: the first step is as long as it lets it be.

    Parameters
    ----------
    alpha : float or Schedule, default 1
        A factor on the step; the paper has none.
    rho : float, default 0.95
        How slowly both averages forget, in [0, 1); the paper's choice for MNIST.
    eps : float, default 1e-6
        In units of squared gradient below, of squared parameter above; the paper's choice for MNIST.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore import AdaDelta
    >>> rule = AdaDelta()
    >>> s = rule.init(np.zeros(1))
    >>> rule.step(s, np.array([5.0]))
    >>> s.theta.round(6)
    array([-0.004472])
    """

    alpha: float | Schedule = 1.0
    rho: float = 0.95
    eps: float = 1e-6
    slots: ClassVar[tuple[str, ...]] = ("v", "u")

    def update(self, s: State, g) -> None:
        """Algorithm 1 of arXiv:1212.5701, line for line."""
        s.v = self.rho * s.v + (1 - self.rho) * g**2
        delta = divide(np.sqrt(s.u + self.eps), np.sqrt(s.v + self.eps)) * g
        s.u = self.rho * s.u + (1 - self.rho) * delta**2
        s.theta = s.theta - self.alpha * delta
