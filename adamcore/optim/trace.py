"""Watching a few coordinates closely, without slowing the others down."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from adamcore.optim.base import Rule, State, check_state


class Trace:
    """A record of everything that a rule computes for a few coordinates, made for plots.

    It applies the readable update to copies of these coordinates, so the state that you train, and its fast
    path, are not touched.

    Parameters
    ----------
    rule : Rule
        An elementwise rule.
    s : State
        The state to watch, before the first step to be recorded.
    coordinates : sequence of int
        Indices into the flattened theta.

    Attributes
    ----------
    history : dict of str to numpy.ndarray
        For ``t`` (steps,), and for ``g``, ``step``, ``theta``, the rule's slots and what else its update
        leaves (``m_hat``, ``v_hat``): an array (steps, coordinates). ``step`` is what was added to theta.

    Raises
    ------
    TypeError
        If the state belongs to another rule, or a coordinate is no whole number.
    ValueError
        If the rule is not elementwise, or a coordinate is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore import Adam, Trace
    >>> rule = Adam()
    >>> s = rule.init(np.zeros(1000))
    >>> trace = Trace(rule, s, coordinates=[3, 7])
    >>> for _ in range(5):
    ...     g = np.linspace(-1, 1, 1000)
    ...     trace.record(g)
    ...     rule.step(s, g, inplace=True)
    >>> trace.history["m_hat"].shape
    (5, 2)
    >>> bool((trace.history["theta"][-1] == s.theta[[3, 7]]).all())
    True
    """

    def __init__(self, rule: Rule, s: State, coordinates: Sequence[int]) -> None:
        if not rule.elementwise:
            raise ValueError(f"Trace: {type(rule).__name__} is not elementwise; a part of theta has no path.")
        check_state(rule, s)
        self.coordinates = np.ravel(coordinates)
        if self.coordinates.size and not np.issubdtype(self.coordinates.dtype, np.integer):
            raise TypeError(f"Trace: coordinates must be whole numbers; got {coordinates!r}.")
        self.coordinates = self.coordinates.astype(np.intp)
        size = s.theta.size
        if ((self.coordinates < 0) | (self.coordinates >= size)).any():
            raise ValueError(f"Trace: coordinates must be from 0 to {size - 1}; got {list(coordinates)}.")
        self.rule, self._shape = rule, s.theta.shape
        parts = {name: np.ravel(getattr(s, name))[self.coordinates] for name in ("theta", *rule.slots)}
        scalars = {name: getattr(s, name) for name in rule.scalars}
        self._state = State(s.owner, t=s.t, **parts, **scalars)
        self._rows: dict[str, list] = {}

    def record(self, g: np.ndarray) -> None:
        """Take one step with these coordinates of the gradient ``g``, and write down what happened.

        Parameters
        ----------
        g : numpy.ndarray
            The whole gradient, of theta's shape and dtype.

        Raises
        ------
        TypeError, ValueError
            If it has another dtype or shape.
        NotFiniteError
            If it holds NaN or infinity at one of the coordinates.
        """
        s = self._state
        g = np.asarray(g)
        if g.shape != self._shape:
            raise ValueError(f"the gradient at step {s.t + 1} has shape {g.shape}, but theta has {self._shape}.")
        part = g.ravel()[self.coordinates]
        before = s.theta
        self.rule.step(s, part)
        row = {name: value for name, value in vars(s).items() if name != "owner"}
        row |= {"g": part, "step": s.theta - before}
        for name, value in row.items():
            self._rows.setdefault(name, []).append(value)

    @property
    def history(self) -> dict[str, np.ndarray]:
        """What was recorded, a row a step."""
        return {name: np.array(rows) for name, rows in self._rows.items()}
