"""What the rules that are made from another one share."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from adamcore.optim.base import Rule, State


@dataclass(frozen=True)
class Wrapper(Rule):
    """A rule that is made from another one: it keeps what that one keeps, and adds to its ``update``.

    Parameters
    ----------
    rule : Rule
        Makes the steps.

    Raises
    ------
    TypeError
        If ``rule`` is no rule.

    Examples
    --------
    Steps of half the length:

    >>> from dataclasses import dataclass
    >>> import numpy as np
    >>> from adamcore import SGD
    >>> from adamcore.optim.wrapper import Wrapper
    >>> @dataclass(frozen=True)
    ... class Halved(Wrapper):
    ...     def update(self, s, g):
    ...         before = s.theta
    ...         self.rule.update(s, g)
    ...         s.theta = (before + s.theta) / 2
    >>> rule = Halved(SGD(alpha=0.5))
    >>> s = rule.init(np.ones(1))
    >>> rule.step(s, np.ones(1))
    >>> s
    State(owner='Halved(SGD)', t=1, theta=array([0.75]))
    """

    rule: Rule

    def __post_init__(self) -> None:
        if not isinstance(self.rule, Rule):
            raise TypeError(f"{type(self).__name__}: rule = {self.rule!r} is not a rule, such as Adam().")
        super().__post_init__()

    def init(self, theta: Any) -> State:
        """Make the state before the first step, as for every rule, of a theta that the rule within takes too."""
        self.rule.init(theta)  # it may ask for more than every rule does, such as a certain size
        return super().init(theta)

    @property
    def owner(self) -> str:
        """The name that this rule's states carry: they belong to the wrapper and to the rule within."""
        return f"{type(self).__name__}({self.rule.owner})"

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

    @property
    def lasting(self) -> tuple[str, ...]:
        """The rule's own."""
        return self.rule.lasting

    def start_value(self, slot: str) -> float:
        """Return the rule's own."""
        return self.rule.start_value(slot)

    def renew(self, s: State) -> None:
        """Make what the rule's ``lasting`` names."""
        self.rule.renew(s)

    def at(self, t: int) -> Rule:
        """Return the rule at step ``t``, with all schedules read: its own, and those of the rule within."""
        outer, inner = super().at(t), self.rule.at(t)
        return outer if inner is self.rule else dataclasses.replace(outer, rule=inner)

    def to_dict(self) -> dict[str, Any]:
        """Return the rule as plain data; what it is made from stands under ``"of"``."""
        return {**super().to_dict(), "rule": type(self).__name__, "of": self.rule.to_dict()}
