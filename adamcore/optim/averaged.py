"""Averages of the iterates, section 7.2 of arXiv:1412.6980."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adamcore.optim.base import State, one_minus_power
from adamcore.optim.wrapper import Wrapper


@dataclass(frozen=True)
class Averaged(Wrapper):
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
        How slowly the average forgets, in [0, 1): a window of about 1 / (1 - beta) steps. The default is that
        of Adam's beta2. None for the mean of all iterates.

    Raises
    ------
    TypeError
        If ``rule`` is no rule, or ``beta`` no number.
    ValueError
        If ``rule`` is averaged already, or ``beta`` is out of its range.

    Notes
    -----
    The average is left on the state as ``theta_hat``, after every step, in place or not, and in a state from a file;
    before the first step there is none. It costs one more array, ``theta_bar``, and with a beta ``theta_hat`` is
    another.

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

    beta: float | None = 0.999

    def __post_init__(self) -> None:
        super().__post_init__()
        if "theta_bar" in self.rule.slots:
            raise ValueError(f"Averaged: rule = {self.rule!r} is averaged already; a state has one theta_bar.")

    @property
    def slots(self) -> tuple[str, ...]:
        """The rule's own, and the running average."""
        return (*self.rule.slots, "theta_bar")

    @property
    def lasting(self) -> tuple[str, ...]:
        """The rule's own, and the average."""
        return (*self.rule.lasting, "theta_hat")

    def start_value(self, slot: str) -> float:
        """Return the rule's own; the average starts at 0."""
        return 0.0 if slot == "theta_bar" else self.rule.start_value(slot)

    def update(self, s: State, g) -> None:
        """Step, then take the new iterate into the average."""
        self.rule.update(s, g)
        if self.beta is None:
            s.theta_bar = s.theta_bar + (s.theta - s.theta_bar) / s.t
            s.theta_hat = s.theta_bar
        else:
            s.theta_bar = self.beta * s.theta_bar + (1 - self.beta) * s.theta
            s.theta_hat = s.theta_bar / one_minus_power(self.beta, s.t)

    def renew(self, s: State) -> None:
        """Make the average from the running one, as ``update`` does, in the memory of the last if that is there."""
        self.rule.renew(s)
        if s.t == 0:
            return
        if self.beta is None:
            s.theta_hat = s.theta_bar
        else:
            s.theta_hat = np.divide(s.theta_bar, one_minus_power(self.beta, s.t), out=vars(s).get("theta_hat"))
