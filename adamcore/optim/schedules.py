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

from adamcore.optim._checks import as_float


class Schedule:
    """A step size that depends on the step: ``schedule(t)`` for t = 1, 2, 3, ...

    Examples
    --------
    A schedule of your own is its parameters and its value at step t:

    >>> from dataclasses import dataclass
    >>> from adamcore import Adam
    >>> from adamcore.optim import Schedule
    >>> @dataclass(frozen=True)
    ... class linear(Schedule):
    ...     alpha: float
    ...     steps: int
    ...     def __call__(self, t):
    ...         return self.alpha * max(0.0, 1 - (t - 1) / self.steps)
    >>> schedule = linear(0.1, steps=4)
    >>> [schedule(1), schedule(3), schedule(9)]
    [0.1, 0.05, 0.0]
    >>> Adam(alpha=schedule).at(3).alpha
    0.05
    """

    def __call__(self, t: int) -> float:
        """Return the value at step ``t`` >= 1."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """Return the schedule as plain data; :func:`from_dict` reads it back."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        plain = {name: value.to_dict() if isinstance(value, Schedule) else value for name, value in values.items()}
        return {"schedule": type(self).__name__, **plain}


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
        check(self, alpha=not_negative, steps_per_epoch=whole)

    def __call__(self, t: int) -> float:
        """Return the step size at step ``t`` >= 1."""
        return self.alpha / math.sqrt(-(-t // self.steps_per_epoch))

    def __str__(self) -> str:
        return f"{self.alpha:g} / sqrt({'step' if self.steps_per_epoch == 1 else 'epoch'})"


@dataclass(frozen=True)
class step_decay(Schedule):
    r"""A staircase: alpha, divided again and again.

    .. math:: \alpha_t = \alpha\, \gamma^{\lfloor (t - 1) / n \rfloor}

    Parameters
    ----------
    alpha : float
        The value of the first ``every`` steps; finite and >= 0.
    every : int
        Steps n on each stair.
    factor : float, default 0.1
        Gamma, what the value is multiplied by at each stair; finite and >= 0.

    Raises
    ------
    ValueError
        If ``alpha`` or ``factor`` is negative or not finite, or ``every`` is not a positive whole number.

    Examples
    --------
    >>> from adamcore.optim import step_decay
    >>> [step_decay(1.0, every=2, factor=0.5)(t) for t in (1, 2, 3, 4, 5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """

    alpha: float
    every: int
    factor: float = 0.1

    def __post_init__(self) -> None:
        check(self, alpha=not_negative, every=whole, factor=not_negative)

    def __call__(self, t: int) -> float:
        """Return the step size at step ``t`` >= 1."""
        try:
            return self.alpha * self.factor ** ((t - 1) // self.every)
        except OverflowError:  # where numpy's floats would become infinite
            return math.inf if self.alpha > 0 else 0.0


@dataclass(frozen=True)
class cosine(Schedule):
    r"""Half a cosine from alpha down to a last value, and flat from there.

    .. math:: \alpha_t = \alpha_{\text{end}} + \tfrac12 (\alpha - \alpha_{\text{end}})
              \left(1 + \cos \frac{\pi \min(t - 1, n)}{n}\right)

    Loshchilov & Hutter, "SGDR" (ICLR 2017), arXiv:1608.03983, equation 5, without restarts.

    Parameters
    ----------
    alpha : float
        The value of the first step; finite and >= 0.
    steps : int
        The number n of steps until the last value is reached.
    end : float, default 0
        The last value; finite and >= 0.

    Raises
    ------
    ValueError
        If ``alpha`` or ``end`` is negative or not finite, or ``steps`` is not a positive whole number.

    Examples
    --------
    >>> from adamcore.optim import cosine
    >>> [round(cosine(1.0, steps=4)(t), 4) for t in (1, 2, 3, 4, 5, 6)]
    [1.0, 0.8536, 0.5, 0.1464, 0.0, 0.0]
    """

    alpha: float
    steps: int
    end: float = 0.0

    def __post_init__(self) -> None:
        check(self, alpha=not_negative, steps=whole, end=not_negative)

    def __call__(self, t: int) -> float:
        """Return the step size at step ``t`` >= 1."""
        share = min(t - 1, self.steps) / self.steps
        return self.end + 0.5 * (self.alpha - self.end) * (1 + math.cos(math.pi * share))


@dataclass(frozen=True)
class warmup(Schedule):
    r"""A linear rise over the first steps, times a number or another schedule.

    .. math:: \alpha_t = \min(1, t / n)\, \alpha(t)

    Ma & Yarats (AAAI 2021, arXiv:1910.04209) advise n = 2 / (1 - beta2) for Adam. The other schedule counts
    its steps from the start, not from the end of the rise.

    Parameters
    ----------
    alpha : float or Schedule
        What it rises to.
    steps : int
        The number n of steps that it takes.

    Raises
    ------
    ValueError
        If ``alpha`` is negative or not finite, or ``steps`` is not a positive whole number.

    Examples
    --------
    >>> from adamcore.optim import inverse_sqrt, warmup
    >>> [warmup(1.0, steps=4)(t) for t in (1, 2, 4, 9)]
    [0.25, 0.5, 1.0, 1.0]
    >>> warmup(inverse_sqrt(1.0), steps=2)(4)
    0.5
    """

    alpha: float | Schedule
    steps: int

    def __post_init__(self) -> None:
        check(self, steps=whole)
        if not isinstance(self.alpha, Schedule):
            check(self, alpha=not_negative)

    def __call__(self, t: int) -> float:
        """Return the step size at step ``t`` >= 1."""
        alpha = self.alpha(t) if isinstance(self.alpha, Schedule) else self.alpha
        return min(1.0, t / self.steps) * alpha


SCHEDULES = {schedule.__name__: schedule for schedule in (inverse_sqrt, step_decay, cosine, warmup)}
"""Every schedule by its name."""


def not_negative(value: Any) -> float:
    """A finite number >= 0."""
    number = as_float(value)
    if number is None or not 0 <= number < math.inf:
        raise ValueError
    return number


def whole(value: Any) -> int:
    """A whole number >= 1."""
    number = as_float(value)
    if number is None or not 1 <= number < math.inf or number != int(number):
        raise ValueError
    return int(number)


def check(schedule: Schedule, **tests: Any) -> None:
    """Turn a schedule's parameters into plain numbers; the test's docstring says what is allowed."""
    for name, test in tests.items():
        value = getattr(schedule, name)
        try:
            object.__setattr__(schedule, name, test(value))
        except ValueError:
            allowed = test.__doc__.rstrip(".")
            allowed = allowed[0].lower() + allowed[1:]
            message = f"{type(schedule).__name__}: {name} = {value!r} is not allowed; it must be {allowed}."
            raise ValueError(message) from None


def from_dict(plain: dict[str, Any]) -> Schedule:
    """Make a schedule from what :meth:`Schedule.to_dict` returned.

    Examples
    --------
    >>> from adamcore.optim import schedules
    >>> schedules.from_dict({"schedule": "inverse_sqrt", "alpha": 0.1})
    inverse_sqrt(alpha=0.1, steps_per_epoch=1)
    """
    name = plain.get("schedule")
    if not isinstance(name, str) or name not in SCHEDULES:
        raise ValueError(f"unknown schedule {name!r}; there are {', '.join(SCHEDULES)}.")
    parameters = {key: value for key, value in plain.items() if key != "schedule"}
    fields = dataclasses.fields(SCHEDULES[name])
    if unknown := set(parameters) - {field.name for field in fields}:
        raise ValueError(f"{name} has no {', '.join(sorted(unknown))}; it has {', '.join(f.name for f in fields)}.")
    required = [field.name for field in fields if field.default is dataclasses.MISSING]
    if missing := [each for each in required if each not in parameters]:
        raise ValueError(f"{name} needs {', '.join(required)}; {', '.join(missing)} is missing.")
    if isinstance(parameters.get("alpha"), dict):
        parameters["alpha"] = from_dict(parameters["alpha"])
    return SCHEDULES[name](**parameters)
