"""Averages of the iterates, section 7.2 of arXiv:1412.6980."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from adamcore.optim.base import Rule, State, one_minus_power


@dataclass(frozen=True)
class Averaged(Rule):
    r"""Any rule, with an average of its iterates kept beside them.

    With ``beta=None`` the mean of all iterates (Polyak & Juditsky, SIAM J. Control Optim. 30, 1992),

    .. math:: \bar\theta_t = \frac1t \sum_{k=1}^t \theta_k

    otherwise an exponential moving average, corrected for its start at zero:

    .. math::

        \bar\theta_t = \beta \bar\theta_{t-1} + (1 - \beta) \theta_t, \qquad
        \hat\theta_t = \bar\theta_t / (1 - \beta^t)

    Kingma & Ba, arXiv:1412.6980v9, section 7.2, where beta is Adam's beta2. The steps are those of the rule
    itself: the average is what you evaluate, not where the gradient is taken.

    Parameters
    ----------
    rule : Rule
        Makes the steps.
    beta : float or None, default 0.999
        How slowly the average forgets, in [0, 1); None for the mean of all iterates.

    Notes
    -----
    The average is left on the state as ``theta_hat``; it costs one more array, ``theta_bar``.

    Examples
    --------
    SGD that jumps from side to side; its average stands in the middle:

    >>> import numpy as np
    >>> from adamcore import SGD, Averaged
    >>> rule = Averaged(SGD(alpha=2.0), beta=None)
    >>> s = rule.init(np.ones(1))
    >>> for _ in range(10):
    ...     rule.step(s, s.theta)
    >>> s.theta, abs(s.theta_hat).round(6)
    (array([1.]), array([0.]))
    """

    rule: Rule
    beta: float | None = 0.999

    def __post_init__(self) -> None:
        if not isinstance(self.rule, Rule):
            raise TypeError(f"Averaged: rule = {self.rule!r} is not a rule, such as Adam().")
        if self.beta is not None:
            object.__setattr__(self, "beta", float(self.beta))
            if not 0 <= self.beta < 1:
                raise ValueError(f"Averaged: beta = {self.beta!r} is not allowed; it must be in [0, 1), or None.")

    @property
    def owner(self) -> str:
        """The name that this rule's states carry."""
        return f"Averaged({self.rule.owner})"

    @property
    def slots(self) -> tuple[str, ...]:
        """The rule's own, and the running average."""
        return (*self.rule.slots, "theta_bar")

    @property
    def scalars(self) -> dict[str, float]:
        """The rule's own."""
        return self.rule.scalars

    @property
    def elementwise(self) -> bool:
        """Whether the rule is."""
        return self.rule.elementwise

    def start_value(self, slot: str) -> float:
        """Return the rule's own; the average starts at 0."""
        return 0.0 if slot == "theta_bar" else self.rule.start_value(slot)

    def at(self, t: int) -> Rule:
        """Return the rule at step ``t``, with the inner rule's schedules read."""
        inner = self.rule.at(t)
        return self if inner is self.rule else dataclasses.replace(self, rule=inner)

    def update(self, s: State, g) -> None:
        """Step, then take the new iterate into the average."""
        self.rule.update(s, g)
        if self.beta is None:
            s.theta_bar = s.theta_bar + (s.theta - s.theta_bar) / s.t
            s.theta_hat = s.theta_bar
        else:
            s.theta_bar = self.beta * s.theta_bar + (1 - self.beta) * s.theta
            s.theta_hat = s.theta_bar / one_minus_power(self.beta, s.t)

    def to_dict(self) -> dict[str, Any]:
        """Return the rule as plain data."""
        return {**super().to_dict(), "rule": "Averaged", "of": self.rule.to_dict()}
