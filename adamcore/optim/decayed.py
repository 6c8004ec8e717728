"""Weight decay for any rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from adamcore.optim.base import State
from adamcore.optim.schedules import Schedule
from adamcore.optim.wrapper import Wrapper


@dataclass(frozen=True)
class Decayed(Wrapper):
    r"""Any rule with weight decay, in one of the two forms that libraries mean by it.

    .. math::

        \text{l2:} \quad & g_t \leftarrow g_t + \lambda \theta_{t-1}, \text{ then the rule} \\
        \text{decoupled:} \quad & \theta_t = (\text{the rule's } \theta_t) - \alpha_t \lambda \theta_{t-1}

    For SGD the two are the same; for rules that divide by the size of gradients they are not (Loshchilov &
    Hutter, ICLR 2019, arXiv:1711.05101). :class:`AdamL2` and :class:`AdamW` are these two for Adam, as rules
    of their own.

    Parameters
    ----------
    rule : Rule
        Makes the steps; it must have an ``alpha``.
    weight_decay : float or Schedule, default 0.01
        The strength lambda, >= 0; the default is that of :class:`AdamW`.
    form : {"decoupled", "l2"}, default "decoupled"
        Which of the two: lambda times theta is added to the gradient (``"l2"``), or each step takes
        alpha_t * lambda of theta away (``"decoupled"``).

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore import SGD, Decayed
    >>> rule = Decayed(SGD(alpha=0.5), weight_decay=0.1)
    >>> s = rule.init(np.ones(1))
    >>> rule.step(s, np.zeros(1))
    >>> s.theta
    array([0.95])
    """

    weight_decay: float | Schedule = 0.01
    form: str = "decoupled"
    choices: ClassVar[dict[str, tuple]] = {"form": ("decoupled", "l2")}

    def __post_init__(self) -> None:
        if not hasattr(self.rule, "alpha"):
            raise TypeError(f"Decayed: rule = {self.rule!r} is not a rule with an alpha, such as SGD().")
        super().__post_init__()

    def update(self, s: State, g) -> None:
        """Decay, and apply the rule."""
        if self.form == "l2":
            self.rule.update(s, g + self.weight_decay * s.theta)
        else:
            shrinkage = self.rule.alpha * self.weight_decay * s.theta
            self.rule.update(s, g)
            s.theta = s.theta - shrinkage
