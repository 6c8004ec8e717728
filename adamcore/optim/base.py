"""What every update rule shares: a frozen rule, an open state, and one step."""

from __future__ import annotations

import copy
import dataclasses
import functools
import math
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import numpy as np

from adamcore.optim._checks import as_float
from adamcore.optim.schedules import Schedule
from adamcore.optim.schedules import from_dict as schedule_from_dict

SLICE = 65_536
"""Coordinates that the in-place step updates at a time: the temporaries then stay in the cache."""

COMPILED_SIZE = 1_000
"""Coordinates from which on the in-place step uses a compiled kernel, if there is one."""

FINITE_SLICE = 262_144
"""Coordinates whose finiteness is checked at a time."""

DTYPES = (np.dtype(np.float32), np.dtype(np.float64))
"""What theta may be of."""

_ARRAYS = (np.ndarray, np.floating)
"""What a state's arrays may be: numpy's arithmetic turns an array of shape () into a scalar."""

_UNIT = (lambda x: 0 <= x < 1, "in [0, 1)")
_NOT_NEGATIVE = (lambda x: 0 <= x < math.inf, "a finite number >= 0")

_RANGES = {
    "alpha": _NOT_NEGATIVE,
    "weight_decay": _NOT_NEGATIVE,
    "beta": _UNIT,
    "beta1": _UNIT,
    "beta2": _UNIT,
    "mu": _UNIT,
    "rho": _UNIT,
    "eps": _NOT_NEGATIVE,
    "initial": _NOT_NEGATIVE,
    "momentum_decay": _NOT_NEGATIVE,
    "threshold": _NOT_NEGATIVE,
}
"""Hyper-parameter -> (test, what is allowed); one table, so that a name means one thing everywhere."""


_MAY_BE_SCHEDULED = ("alpha", "weight_decay")
"""A beta may not: dividing by 1 - beta**t would no longer correct its bias."""

_MAY_BE_NONE = ("momentum_decay", "beta")


class NotFiniteError(ValueError):
    """A gradient with NaN or infinity in it; the state was left as it was before the step.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore import Adam
    >>> from adamcore.optim import NotFiniteError
    >>> s = Adam().init(np.zeros(2))
    >>> try:
    ...     Adam().step(s, np.array([1.0, np.nan]))
    ... except NotFiniteError as error:
    ...     print(error)
    the gradient at step 1 is not finite: 1 of 2 values, the first at index (1,): nan. The state is unchanged.
    >>> s.t, s.theta
    (0, array([0., 0.]))
    """


class Kernel(NamedTuple):
    """A compiled way to apply a rule in place.

    Attributes
    ----------
    all_finite : callable
        Takes an array; whether no value is NaN or infinite.
    update : callable
        Takes a rule without schedules, a state and a gradient; what the rule's ``update`` does, in place.
    """

    all_finite: Callable[[np.ndarray], bool]
    update: Callable[[Any, State, np.ndarray], None]


class State:
    """Everything that changes while a rule is applied, under the paper's names.

    Made by :meth:`Rule.init`; its attributes are open to read and to plot.

    Attributes
    ----------
    theta : numpy.ndarray
        The parameters, float32 or float64, of any shape.
    t : int
        Steps taken so far; 0 before the first.
    owner : str
        The name of the rule that made this state.
    m, v, ... : numpy.ndarray
        The slots that the rule keeps between steps, each shaped like ``theta``.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore import Adam
    >>> s = Adam().init(np.zeros(2))
    >>> s
    State(owner='Adam', t=0, theta=array([0., 0.]), m=array([0., 0.]), v=array([0., 0.]))
    """

    theta: np.ndarray
    t: int
    owner: str

    def __init__(self, owner: str, theta: np.ndarray, t: int = 0, **kept: Any) -> None:
        self.owner = owner
        self.t = t
        self.theta = theta
        vars(self).update(kept)

    def __repr__(self) -> str:
        return f"State({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"


class Rule:
    """An update rule: hyper-parameters only, frozen; what changes lives in a :class:`State`.

    A subclass is a frozen dataclass with an ``update`` that reads like the paper it comes from.

    Attributes
    ----------
    slots : tuple of str
        Arrays kept between steps, shaped like theta and zero at the start.
    scalars : dict
        Numbers kept between steps, with their initial values.
    elementwise : bool
        Whether each coordinate is updated by its own history alone, so that the rule may be applied to
        one slice of the coordinates after the other.
    choices : dict
        For each hyper-parameter that is no number, the values that it may take.
    lasting : tuple of str
        Arrays shaped like theta that every step leaves on the state, although they follow from what is kept;
        ``renew`` makes them.

    Raises
    ------
    TypeError
        If a hyper-parameter that must be a number is something else.
    ValueError
        If a hyper-parameter is out of its range; the error says what is allowed.

    Examples
    --------
    A rule of your own is its hyper-parameters and its update:

    >>> from dataclasses import dataclass
    >>> import numpy as np
    >>> from adamcore.optim import Rule
    >>> @dataclass(frozen=True)
    ... class SignDescent(Rule):
    ...     alpha: float = 0.1
    ...     def update(self, s, g):
    ...         s.theta = s.theta - self.alpha * np.sign(g)
    >>> rule = SignDescent()
    >>> s = rule.init(np.array([1.0, -2.0]))
    >>> rule.step(s, np.array([5.0, -0.1]))
    >>> s.theta
    array([ 0.9, -1.9])
    """

    slots: ClassVar[tuple[str, ...]] = ()
    scalars: ClassVar[dict[str, float]] = {}
    elementwise: ClassVar[bool] = True
    choices: ClassVar[dict[str, tuple]] = {}
    lasting: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = checked(self, field.name, getattr(self, field.name))
            object.__setattr__(self, field.name, value)

    @functools.cached_property
    def _scheduled(self) -> tuple[str, ...]:
        """The hyper-parameters that are schedules; found once, since every step asks."""
        return tuple(f.name for f in dataclasses.fields(self) if isinstance(getattr(self, f.name), Schedule))

    def init(self, theta: Any) -> State:
        """Make the state before the first step: a copy of ``theta``, every slot zero, t = 0.

        Parameters
        ----------
        theta : array_like
            Initial parameters, float32 or float64, of any shape.

        Returns
        -------
        State

        Raises
        ------
        TypeError
            If ``theta`` is not float32 or float64: integers cannot hold a step, and in float16 both
            epsilon = 1e-8 and the squares of small gradients are zero.
        ValueError
            If ``theta`` holds NaN or infinity.
        """
        theta = np.array(theta, order="C")
        if theta.dtype not in DTYPES:
            raise TypeError(
                f"theta has dtype {theta.dtype}; it must be float32 or float64. "
                "Convert it first: theta.astype(np.float32)."
            )
        if not all_finite(theta):
            raise ValueError(f"theta holds values that are not finite: {where_not_finite(theta)}.")
        kept = {name: np.full_like(theta, self.start_value(name)) for name in self.slots}
        return State(self.owner, theta, **kept, **self.scalars)

    @property
    def owner(self) -> str:
        """The name that this rule's states carry."""
        return type(self).__name__

    def start_value(self, slot: str) -> float:
        """Return what a slot holds before the first step: 0, unless the rule says otherwise."""
        return 0.0

    def update(self, s: State, g: np.ndarray) -> None:
        """Apply the rule's formula for step ``s.t``, which has been counted already."""
        raise NotImplementedError(f"{type(self).__name__} defines no update")

    def renew(self, s: State) -> None:
        """Make what ``lasting`` names, from what is kept: after a step in place, and in a state from a file."""

    def step(self, s: State, g: Any, *, inplace: bool = False, check_finite: bool = True) -> None:
        """Take one step: count it, then update the state with the gradient ``g``.

        Where one of the errors below is raised, the state is left as it was.

        Parameters
        ----------
        s : State
            A state made by :meth:`init` of a rule of the same class. Its attributes are rebound to new
            arrays, so an array that you took from it before keeps its values.
        g : array_like
            The gradient at ``s.theta``, of the same shape and dtype.
        inplace : bool, default False
            Write into the state's arrays instead, a cache-sized slice at a time or by a compiled kernel: the
            same numbers to the last bit, faster for large theta, and no new array of its size. Arrays that
            you took from the state before may change under you.
        check_finite : bool, default True
            Whether to look for NaN and infinity in the gradient before anything is changed. That reads the
            gradient once more, about an eighth of the memory traffic of Adam's compiled step. With False
            such values go into the state.

        Raises
        ------
        TypeError
            If ``s`` was made by another rule, or ``g`` has another dtype than theta.
        ValueError
            If ``g`` has another shape than theta, the state is not as its rule made it, or a schedule gives
            no finite number >= 0.
        NotFiniteError
            If ``g`` holds NaN or infinity; it names the step.
        """
        check_state(self, s)
        kernel = self.kernel() if inplace and s.theta.size >= COMPILED_SIZE else None
        sliced = inplace and self.elementwise and s.theta.size > SLICE
        g = checked_gradient(s, g)
        if check_finite:
            require_finite(s, g, kernel.all_finite if kernel else all_finite)
        rule = self.at(s.t + 1)
        s.t += 1
        if not (kernel or sliced):
            rule.update(s, g)
            return
        g = prepare_in_place(self, s, g)
        if kernel:
            kernel.update(rule, s, g)
        else:
            in_slices(rule, s, g)
        rule.renew(s)

    def kernel(self) -> Kernel | None:
        """Return a compiled way to the same numbers as ``update`` in place, if there is one."""
        return None

    def at(self, t: int) -> Rule:
        """Return the rule at step ``t``: itself, or a copy in which every schedule has become a number."""
        if not self._scheduled:
            return self
        rule = copy.copy(self)
        for name in self._scheduled:
            object.__setattr__(rule, name, value_at(self, name, t))
        object.__setattr__(rule, "_scheduled", ())
        return rule

    def to_dict(self) -> dict[str, Any]:
        """Return the rule as plain data, for a record or a file; :func:`from_dict` reads it back.

        Examples
        --------
        >>> from adamcore import SGD
        >>> SGD(alpha=0.5).to_dict()
        {'rule': 'SGD', 'alpha': 0.5}
        """
        plain: dict[str, Any] = {"rule": type(self).__name__}
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            plain[field.name] = value.to_dict() if isinstance(value, Schedule) else value
        return plain


def from_dict(plain: dict[str, Any]) -> Rule:
    """Make a rule from what :meth:`Rule.to_dict` returned.

    Parameters
    ----------
    plain : dict
        The key ``"rule"`` names a class of :mod:`adamcore.optim`; the others are its hyper-parameters.

    Returns
    -------
    Rule

    Raises
    ------
    ValueError
        If the rule, or one of its hyper-parameters, is not known, or what a rule is made from is missing.
    TypeError
        If ``plain`` is not a dict.

    Examples
    --------
    >>> from adamcore.optim import from_dict
    >>> from_dict({"rule": "SGD", "alpha": 0.5})
    SGD(alpha=0.5)
    """
    from adamcore import optim

    if not isinstance(plain, dict):
        raise TypeError(
            f"a rule as plain data is a dict, such as {{'rule': 'SGD', 'alpha': 0.5}}; this is {plain!r}."
        )
    rules = {name: getattr(optim, name) for name in (*optim.RULES, *optim.WRAPPERS)}
    hyper = {name: value for name, value in plain.items() if name not in ("rule", "of")}
    name = plain.get("rule")
    if not isinstance(name, str) or name not in rules:
        raise ValueError(f"unknown rule {name!r}; there are {', '.join(rules)}.")
    if name in optim.WRAPPERS and "of" not in plain:
        raise ValueError(f'{name} is made from another rule, whose data stand under "of"; here is only {plain!r}.')
    if "of" in plain:
        hyper["rule"] = from_dict(plain["of"])
    known = [field.name for field in dataclasses.fields(rules[name])]
    if unknown := set(hyper) - set(known):
        raise ValueError(f"{name} has no {', '.join(sorted(unknown))}; it has {', '.join(known)}.")
    return rules[name](
        **{key: schedule_from_dict(value) if isinstance(value, dict) else value for key, value in hyper.items()}
    )


def checked(rule: Rule, name: str, value: Any) -> Any:
    """The hyper-parameter as a Python float (a numpy scalar would turn float32 arrays into float64)."""
    owner = type(rule).__name__
    if name in rule.choices:
        if not any(value is choice or (isinstance(value, str) and value == choice) for choice in rule.choices[name]):
            allowed = ", ".join(map(repr, rule.choices[name]))
            raise ValueError(f"{owner}: {name} = {value!r} is not allowed; it must be one of {allowed}.")
        return value
    scheduled = name in _MAY_BE_SCHEDULED
    optional = name in _MAY_BE_NONE
    if name not in _RANGES or (scheduled and isinstance(value, Schedule)) or (optional and value is None):
        return value
    test, allowed = _RANGES[name]
    allowed += ", or a schedule" if scheduled else ", or None" if optional else ""
    number = as_float(value)
    if number is None:
        raise TypeError(f"{owner}: {name} = {value!r} is not a number; it must be {allowed}.")
    if not test(number):
        raise ValueError(f"{owner}: {name} = {number!r} is not allowed; it must be {allowed}.")
    return number


def value_at(rule: Rule, name: str, t: int) -> float:
    """The value of a schedule at step t, or an error that names the step."""
    schedule = getattr(rule, name)
    try:
        value = schedule(t)
    except OverflowError:  # Python's floats raise it where numpy's become infinite
        value = math.inf
    number = as_float(value)
    test, allowed = _NOT_NEGATIVE
    if number is None or not test(number):
        owner = type(rule).__name__
        raise ValueError(f"{owner}: {name} = {schedule!r} gives {value!r} at step {t}; it must give {allowed}.")
    return number


def check_state(rule: Rule, s: State) -> None:
    """Raise unless the state is one that this rule made; it is open, so its arrays may have been replaced."""
    if not isinstance(s, State):
        raise TypeError(f"s = {s!r} is not a state: make one with {type(rule).__name__}(...).init(theta).")
    if s.owner != rule.owner:
        make = f"{type(rule).__name__}(...).init(theta)"
        raise TypeError(f"this state belongs to {s.owner}, not to {rule.owner}: make one with {make}.")
    if type(s.t) is not int or s.t < 0:
        raise ValueError(f"this state has t = {s.t!r}; it must be the number of steps taken, an int >= 0.")
    theta, kept = s.theta, vars(s)
    if not isinstance(theta, _ARRAYS) or theta.dtype not in DTYPES:
        raise ValueError(f"this state has theta = {theta!r}; it must be a float32 or float64 array.")
    for name in (*rule.slots, *rule.scalars):
        if name not in kept:
            raise ValueError(f"this state has no {name}, which {rule} keeps: make one with its init(theta).")
    for name in rule.slots:
        array = kept[name]
        # The compiled kernel takes the arrays as they come: it would read and write beyond the end of a shorter one.
        if not isinstance(array, _ARRAYS) or array.shape != theta.shape or array.dtype != theta.dtype:
            raise ValueError(
                f"this state has {name} = {array!r}; it must be an array like theta, "
                f"of shape {theta.shape} and dtype {theta.dtype}."
            )


def checked_gradient(s: State, g: Any) -> np.ndarray:
    """The gradient as an array, or an error that names the step it came at."""
    g = np.asarray(g)
    if g.shape != s.theta.shape:
        raise ValueError(f"the gradient at step {s.t + 1} has shape {g.shape}, but theta has {s.theta.shape}.")
    if g.dtype != s.theta.dtype:
        raise TypeError(
            f"the gradient at step {s.t + 1} has dtype {g.dtype}, but theta has {s.theta.dtype}. "
            "Compute it in theta's dtype, or convert it with g.astype(theta.dtype)."
        )
    return g


def require_finite(s: State, g: np.ndarray, finite: Callable[[np.ndarray], bool]) -> None:
    """Raise if the gradient holds NaN or infinity; the error names the step it came at."""
    if not finite(g):
        raise NotFiniteError(
            f"the gradient at step {s.t + 1} is not finite: {where_not_finite(g)}. The state is unchanged."
        )


def all_finite(x: np.ndarray) -> bool:
    """Whether no value is NaN or infinite, without a temporary of x's size."""
    if x.size <= FINITE_SLICE:
        return np.count_nonzero(np.isfinite(x)) == x.size  # of small arrays in half the time of all()
    flat = x.reshape(-1)
    return all(np.isfinite(flat[i : i + FINITE_SLICE]).all() for i in range(0, x.size, FINITE_SLICE))


def where_not_finite(x: np.ndarray) -> str:
    """How many values are not finite, and the first of them, in words."""
    bad = np.flatnonzero(~np.isfinite(x))
    index = np.unravel_index(bad[0], x.shape)
    return (
        f"{bad.size} of {x.size} values, the first at index {tuple(int(i) for i in index)}: {x.reshape(-1)[bad[0]]}"
    )


def prepare_in_place(rule: Rule, s: State, g: np.ndarray) -> np.ndarray:
    """Leave on the state what the in-place step keeps up to date, in arrays that it can write to.

    Each of them gets memory of its own. So does the gradient, which is returned, if it lies in theirs in such a way
    that the step might write to a place before it reads it.
    """
    kept = ("theta", *rule.slots)
    # What an earlier readable step left for whoever looks (m_hat, v_hat) would be out of date.
    for name in set(vars(s)) - {"owner", "t", *kept, *rule.scalars, *rule.lasting}:
        delattr(s, name)
    arrays: list[np.ndarray] = []
    for name in kept:
        array = np.ascontiguousarray(getattr(s, name))
        alone = array.flags.writeable and not any(may_overlap(array, other) for other in arrays)
        arrays.append(array if alone else array.copy())
        setattr(s, name, arrays[-1])
    for name in set(rule.lasting) & set(vars(s)):
        array = getattr(s, name)
        fits = isinstance(array, np.ndarray) and (array.shape, array.dtype) == (s.theta.shape, s.theta.dtype)
        if not fits or not array.flags.writeable or any(may_overlap(array, other) for other in (g, *arrays)):
            delattr(s, name)
    # theta is written last: where g is theta itself, each coordinate's gradient has been read by then.
    if any(may_overlap(g, array) for array in arrays) and not same_places(g, s.theta):
        return g.copy()
    return g


def may_overlap(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two arrays may share memory, judged by where each begins and ends."""
    # Two arrays that own their memory share none, which is seen faster than where they lie.
    return a is b or (not (a.flags.owndata and b.flags.owndata) and np.may_share_memory(a, b))


def same_places(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two arrays have each of their elements at the same place in memory."""
    if a is b:
        return True
    start, other = (array.__array_interface__["data"][0] for array in (a, b))
    return (start, a.shape, a.strides) == (other, b.shape, b.strides)


def in_slices(rule: Rule, s: State, g: np.ndarray) -> None:
    """Apply the rule's readable update to one slice of the state after the other, writing back in place."""
    kept = ("theta", *rule.slots)
    whole = {name: getattr(s, name).reshape(-1) for name in kept}
    scalars = {name: getattr(s, name) for name in rule.scalars}
    g = g.reshape(-1)
    part = State(s.owner, s.theta, s.t)
    # Freed at once: from then on glibc keeps as much for the temporaries below. Otherwise it may give them back
    # to the system after each slice and fetch them again page by page, which takes as long as the arithmetic.
    np.empty(8 * SLICE, g.dtype)
    for start in range(0, g.size, SLICE):
        here = slice(start, start + SLICE)
        vars(part).update({name: array[here] for name, array in whole.items()}, **scalars)
        rule.update(part, g[here])
        for name, array in whole.items():
            array[here] = getattr(part, name)
    for name in scalars:
        setattr(s, name, getattr(part, name))


def one_minus_power(beta: float, t: int) -> float:
    """1 - beta**t, accurate also where beta is so close to 1 that the difference would lose its digits."""
    if 1 - beta < 1e-6:
        return -math.expm1(t * math.log1p(beta - 1))
    return 1 - beta**t


def divide(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """A / b, and 0 where b is 0: a coordinate that never had a gradient does not move."""
    if b.size == 0 or b.min() > 0:
        return a / b
    return np.divide(a, b, out=np.zeros_like(a), where=b != 0)


def root(x: np.ndarray, eps: float, eps_place: str) -> np.ndarray:
    """sqrt(x) + eps, or sqrt(x + eps) where epsilon stands inside."""
    return np.sqrt(x + eps) if eps_place == "inside" else np.sqrt(x) + eps
