"""AdaGrad: a step size for every coordinate, from all its gradients so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from adamcore.optim.base import Rule, State, divide, root
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
        The length of the first step in every coordinate, in parameter units. This default and that of eps are
        PyTorch's.
    eps : float, default 1e-10
        Keeps the first division safe; the paper has none. With 0, a coordinate that never had a gradient
        does not move.
    initial : float, default 0
        What the sum starts from. Libraries that start at 0.1 (Keras 3, optax, TensorFlow 1) make the first
        steps smaller.
    eps_place : {"outside", "inside"}, default "outside"
        ``"inside"``: :math:`\sqrt{G_t + \epsilon}`, where epsilon is in units of squared gradient.
    mu : float, default 0
        If above 0, the step is along a moving average of the rescaled gradient,
        :math:`b_t = \mu b_{t-1} + (1 - \mu) g_t / (\sqrt{G_t} + \epsilon)`, as ``jax.example_libraries`` does it.

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
    initial: float = 0.0
    eps_place: str = "outside"
    mu: float = 0.0
    choices: ClassVar[dict[str, tuple]] = {"eps_place": ("outside", "inside")}

    @property
    def slots(self) -> tuple[str, ...]:
        """``G``, and the average if there is one."""
        return ("G", "b") if self.mu > 0 else ("G",)

    def start_value(self, slot: str) -> float:
        """Return what the sum starts from; the average starts at 0."""
        return self.initial if slot == "G" else 0.0

    def update(self, s: State, g) -> None:
        """Add the squares up, and divide by the root of their sum."""
        s.G = s.G + g**2
        rescaled = divide(g, root(s.G, self.eps, self.eps_place))
        if self.mu > 0:
            s.b = rescaled = self.mu * s.b + (1 - self.mu) * rescaled
        s.theta = s.theta - self.alpha * rescaled
