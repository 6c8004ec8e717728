"""Saving a rule with its state, and going on from there as if nothing had happened."""

from __future__ import annotations

import errno
import json
import os
import secrets
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from adamcore.optim.base import DTYPES, Rule, State, check_state, from_dict

FORMAT = "adamcore checkpoint 1"

BIT_GENERATORS = ("PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64")
"""The names of numpy's bit generators that a file can hold."""


class CheckpointError(ValueError):
    """A file that is no checkpoint, a damaged one, or one of another rule.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> from adamcore import SGD
    >>> from adamcore.optim import CheckpointError, load, save
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "run.npz"
    ...     save(path, SGD(alpha=0.5), SGD(alpha=0.5).init(np.zeros(3)))
    ...     try:
    ...         load(path, SGD(alpha=0.1))
    ...     except CheckpointError as error:
    ...         print(path.name + str(error).removeprefix(str(path)))
    run.npz holds SGD(alpha=0.5), not SGD(alpha=0.1).
    """


class Checkpoint(NamedTuple):
    """What :func:`load` returns.

    Attributes
    ----------
    rule : Rule
    state : State
    rng : numpy.random.Generator or None
        The generator as it was, if one was saved.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> from adamcore import Adam
    >>> from adamcore.optim import load, save
    >>> rng = np.random.default_rng(0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(pathlib.Path(folder) / "run.npz", Adam(), Adam().init(np.zeros(2)), rng)
    ...     checkpoint = load(pathlib.Path(folder) / "run.npz")
    >>> rule, state, kept = checkpoint
    >>> rule == Adam(), state.theta, kept.random() == rng.random()
    (True, array([0., 0.]), True)
    """

    rule: Rule
    state: State
    rng: np.random.Generator | None


def save(path: str | Path, rule: Rule, s: State, rng: np.random.Generator | None = None) -> None:
    """Write a rule and its state to a file, whole or not at all.

    Parameters
    ----------
    path : str or Path
        The file, by custom ``*.npz``: numpy's archive, without pickle.
    rule : Rule
        One of :mod:`adamcore.optim`: a file names its rule, and a rule of your own could not be found again.
    s : State
        A state of that rule. Kept are theta, t, and the rule's slots and scalars.
    rng : numpy.random.Generator, optional
        A generator to keep with them.

    Raises
    ------
    TypeError
        If the state belongs to another rule, the rule or its schedule is not one of :mod:`adamcore.optim`, or
        ``rng`` is no generator of ``numpy.random``.
    ValueError
        If the state is not as its rule made it.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import numpy as np
    >>> from adamcore import Adam
    >>> from adamcore.optim import load, save
    >>> rule = Adam()
    >>> s = rule.init(np.zeros(3))
    >>> rule.step(s, np.ones(3))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(pathlib.Path(folder) / "run.npz", rule, s)
    ...     checkpoint = load(pathlib.Path(folder) / "run.npz")
    >>> checkpoint.state.t, checkpoint.rule == rule
    (1, True)
    """
    check_state(rule, s)
    path = Path(path)
    about = {
        "format": FORMAT,
        "rule": _readable(rule),
        "t": s.t,
        "scalars": {name: float(getattr(s, name)).hex() for name in rule.scalars},
        "rng": None if rng is None else _described(rng),
    }
    arrays = {name: getattr(s, name) for name in ("theta", *rule.slots)}
    # tempfile's would be readable by nobody else.
    temporary = path.with_name(f".{path.name}-{os.getpid()}-{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("xb") as file:
            np.savez(file, about=np.array(json.dumps(about)), **arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def load(path: str | Path, rule: Rule | None = None) -> Checkpoint:
    """Read what :func:`save` wrote; the next step gives the bits it would have given then.

    Parameters
    ----------
    path : str or Path
    rule : Rule, optional
        What the file must hold, hyper-parameters included; any rule by default.

    Returns
    -------
    Checkpoint

    Raises
    ------
    OSError, MemoryError
        If there is no such file (FileNotFoundError), or the system does not let it be read; it may be good.
    CheckpointError
        If it is not a checkpoint, is damaged, or holds another rule.

    Examples
    --------
    With a file between its two steps, or without, a run gives the same bits:

    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> from adamcore import Adam
    >>> from adamcore.optim import load, save
    >>> rule = Adam()
    >>> s = rule.init(np.zeros(3))
    >>> rule.step(s, np.ones(3))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(pathlib.Path(folder) / "run.npz", rule, s)
    ...     kept = load(pathlib.Path(folder) / "run.npz", rule).state
    >>> for state in (s, kept):
    ...     rule.step(state, np.array([1.0, -2.0, 3.0]))
    >>> np.array_equal(s.theta, kept.theta), kept.t
    (True, 2)
    """
    path = Path(path)
    try:
        with np.load(path, allow_pickle=False) as archive:
            # Reading all of it now finds a damaged member before anything is handed out.
            content = {name: archive[name] for name in archive.files}
        about = json.loads(str(content.pop("about")))
        if about["format"] != FORMAT:
            raise CheckpointError(f"{path} has the format {about['format']!r}; this version reads {FORMAT!r}.")
        saved = from_dict(about["rule"])
        scalars = {name: float.fromhex(about["scalars"][name]) for name in saved.scalars}
        arrays = {name: content.pop(name) for name in ("theta", *saved.slots)}
        t = _steps(about["t"])
        rng = None if about["rng"] is None else _generator(about["rng"])
    except (MemoryError, CheckpointError):
        raise
    except Exception as error:  # a damaged archive fails in more ways than can be listed
        # One of them leads to a place before its start, an invalid argument to the system.
        if isinstance(error, OSError) and error.errno not in (errno.EINVAL, None):
            raise
        raise CheckpointError(
            f"{path} is not a checkpoint, or is damaged ({type(error).__name__}: {error}). "
            "Go on from an earlier one, or start again."
        ) from error
    _check_arrays(path, arrays, content)
    if rule is not None and rule != saved:
        raise CheckpointError(f"{path} holds {saved}, not {rule}.")
    s = State(saved.owner, arrays.pop("theta"), t, **arrays, **scalars)
    saved.renew(s)
    return Checkpoint(saved, s, rng)


def _check_arrays(path: Path, arrays: dict[str, np.ndarray], rest: dict) -> None:
    """Raise unless all arrays fit theta, and none is left over."""
    theta = arrays["theta"]
    fits = all(array.shape == theta.shape and array.dtype == theta.dtype for array in arrays.values())
    if rest or not fits or theta.dtype not in DTYPES:
        shapes = {name: (array.shape, str(array.dtype)) for name, array in {**arrays, **rest}.items()}
        raise CheckpointError(f"{path} is not a checkpoint, or is damaged: its arrays do not fit together: {shapes}.")


def _readable(rule: Rule) -> dict[str, Any]:
    """The rule as plain data from which the very same rule comes back, or an error."""
    plain = rule.to_dict()
    try:
        found = from_dict(plain)
    except (TypeError, ValueError):
        found = None
    if found != rule:
        raise TypeError(
            f"a file can hold the rules and schedules of adamcore.optim, not {rule}: save the state's arrays instead."
        )
    return plain


def _steps(t: Any) -> int:
    """The number of steps taken, or an error."""
    if type(t) is not int or t < 0:
        raise ValueError(f"t = {t!r} is no number of steps")
    return t


def _described(rng: Any) -> dict[str, Any]:
    """The state of a generator as plain data, or an error."""
    if not isinstance(rng, np.random.Generator) or type(rng.bit_generator).__name__ not in BIT_GENERATORS:
        raise TypeError(f"rng = {rng!r} is not a numpy.random.Generator with one of {', '.join(BIT_GENERATORS)}.")
    return _plain(rng.bit_generator.state)


def _plain(value: Any) -> Any:
    """A generator's state without numpy's types."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return {"array": value.tolist(), "dtype": str(value.dtype)}
    return value.item() if isinstance(value, np.generic) else value


def _generator(plain: dict[str, Any]) -> np.random.Generator:
    """The generator that :func:`_plain` described; its name is looked up, never evaluated."""

    def back(value: Any) -> Any:
        if isinstance(value, dict) and set(value) == {"array", "dtype"}:
            return np.array(value["array"], dtype=value["dtype"])
        return {key: back(item) for key, item in value.items()} if isinstance(value, dict) else value

    if plain["bit_generator"] not in BIT_GENERATORS:
        raise ValueError(f"unknown generator {plain['bit_generator']!r}")
    bits = getattr(np.random, plain["bit_generator"])()
    bits.state = back(plain)
    return np.random.Generator(bits)
