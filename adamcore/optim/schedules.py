"""Schedules: step sizes that change with the step t.

A schedule is a small frozen dataclass that is called like the function it stands for, so that it prints,
compares and saves. Its name is in lower case because it reads as that function:
``Adam(alpha=inverse_sqrt(0.001))``.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any


class Schedule:
    """A step size that depends on the step: ``schedule(t)`` for t = 1, 2, 3, ..."""

    def __call__(self, t: int) -> float:
        """Return the value at step ``t`` >= 1."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """Return the schedule as plain data; :func:`from_dict` reads it back."""
        return {"schedule": type(self).__name__, **dataclasses.asdict(self)}


@dataclass(frozen=True)
class inverse_sqrt(Schedule):
    r"""The paper's decay, alpha / sqrt(t), counted in steps or in epochs.

    .. math:: \alpha_t = \frac{\alpha}{\sqrt{\lceil t / n \rceil}}

    with n = ``steps_per_epoch``. Section 4 of arXiv:1412.6980 states the decay for a time step t (n = 1);
    section 6.1 uses it without saying what t counts there.

    Parameters
    ----------
    alpha : float
        The step size before the decay; finite and >= 0.
    steps_per_epoch : int, default 1
        1 decays at every step; the number of minibatches of an epoch makes the divisor the square root of
        the epoch, constant within it.

    Raises
    ------
    ValueError
        If ``alpha`` is negative or not finite, or ``steps_per_epoch`` is not a positive whole number.

    Examples
    --------
    >>> from adamcore.optim import inverse_sqrt
    >>> [inverse_sqrt(0.1)(t) for t in (1, 4, 100)]
    [0.1, 0.05, 0.01]
    >>> per_epoch = inverse_sqrt(0.1, steps_per_epoch=469)
    >>> per_epoch(469), round(per_epoch(470), 4)
    (0.1, 0.0707)
    >>> print(inverse_sqrt(0.1), "and", per_epoch)
    0.1 / sqrt(step) and 0.1 / sqrt(epoch)
    """

    alpha: float
    steps_per_epoch: int = 1

    def __post_init__(self) -> None:
        alpha, steps = float(self.alpha), self.steps_per_epoch
        if not 0 <= alpha < math.inf:
            raise ValueError(f"inverse_sqrt: alpha = {alpha!r} is not allowed; it must be a finite number >= 0.")
        if steps != int(steps) or steps < 1:
            raise ValueError(f"inverse_sqrt: steps_per_epoch = {steps!r} is not allowed; it must be 1, 2, 3, ...")
        object.__setattr__(self, "alpha", alpha)
        object.__setattr__(self, "steps_per_epoch", int(steps))

    def __call__(self, t: int) -> float:
        """Return the step size at step ``t`` >= 1."""
        return self.alpha / math.sqrt(-(-t // self.steps_per_epoch))

    def __str__(self) -> str:
        return f"{self.alpha:g} / sqrt({'step' if self.steps_per_epoch == 1 else 'epoch'})"


SCHEDULES = {"inverse_sqrt": inverse_sqrt}
"""Every schedule by its name."""


def from_dict(plain: dict[str, Any]) -> Schedule:
    """Make a schedule from what :meth:`Schedule.to_dict` returned.

    Examples
    --------
    >>> from adamcore.optim import schedules
    >>> schedules.from_dict({"schedule": "inverse_sqrt", "alpha": 0.1})
    inverse_sqrt(alpha=0.1, steps_per_epoch=1)
    """
    name = plain.get("schedule")
    if name not in SCHEDULES:
        raise ValueError(f"unknown schedule {name!r}; there are {', '.join(SCHEDULES)}.")
    return SCHEDULES[name](**{key: value for key, value in plain.items() if key != "schedule"})
