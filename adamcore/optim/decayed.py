"""Weight decay for any rule."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar

from adamcore.optim.base import Rule, State, checked
from adamcore.optim.schedules import Schedule


@dataclass(frozen=True)
class Decayed(Rule):
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
        The strength lambda, >= 0.
    form : {"decoupled", "l2"}, default "decoupled"

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

    rule: Rule
    weight_decay: float | Schedule = 0.01
    form: str = "decoupled"
    choices: ClassVar[dict[str, tuple]] = {"form": ("decoupled", "l2")}

    def __post_init__(self) -> None:
        if not isinstance(self.rule, Rule) or not hasattr(self.rule, "alpha"):
            raise TypeError(f"Decayed: rule = {self.rule!r} is not a rule with an alpha, such as SGD().")
        for name in ("weight_decay", "form"):
            object.__setattr__(self, name, checked(self, name, getattr(self, name)))

    @property
    def owner(self) -> str:
        """The name that this rule's states carry."""
        return f"Decayed({self.rule.owner})"

    @property
    def slots(self) -> tuple[str, ...]:
        """The rule's own."""
        return self.rule.slots

    @property
    def scalars(self) -> dict[str, float]:
        """The rule's own."""
        return self.rule.scalars

    @property
    def elementwise(self) -> bool:
        """Whether the rule is."""
        return self.rule.elementwise

    def start_value(self, slot: str) -> float:
        """Return the rule's own."""
        return self.rule.start_value(slot)

    def at(self, t: int) -> Rule:
        """Return the rule at step ``t``, with all schedules read."""
        return dataclasses.replace(super().at(t), rule=self.rule.at(t))

    def update(self, s: State, g) -> None:
        """Decay, and apply the rule."""
        if self.form == "l2":
            self.rule.update(s, g + self.weight_decay * s.theta)
        else:
            shrinkage = self.rule.alpha * self.weight_decay * s.theta
            self.rule.update(s, g)
            s.theta = s.theta - shrinkage

    def to_dict(self) -> dict[str, Any]:
        """Return the rule as plain data."""
        return {**super().to_dict(), "rule": "Decayed", "of": self.rule.to_dict()}
