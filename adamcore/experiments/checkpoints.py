"""A run in progress, kept in a file, so that a killed run goes on from its last epoch to the same last bit."""

from __future__ import annotations

import io
import json
import os
import warnings
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from adamcore.experiments.files import cannot_write, write_file
from adamcore.experiments.train import History, Streams
from adamcore.optim import Rule, State

FORMAT = "adamcore run in progress 1"

KEPT = tuple(field.name for field in fields(History) if field.name != "state")
"""What of a history is plain numbers."""


def save_checkpoint(path: Path, key: str, rule: Rule, history: History, streams: Streams, seconds: float) -> None:
    """Write a run between two epochs to a file, whole or not at all: numpy's archive, without pickle.

    Parameters
    ----------
    path : Path
    key : str
        The identity of the run: :meth:`adamcore.experiments.experiment.Run.key`.
    rule : Rule
    history : History
        With the rule's state: theta, t, slots and scalars.
    streams : Streams
        As they are now.
    seconds : float
        How long the run has taken so far.

    Raises
    ------
    adamcore.experiments.files.StorageError
        If the file cannot be written.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> from adamcore import Adam, LogisticRegression
    >>> from adamcore.experiments import streams, train
    >>> from adamcore.experiments.checkpoints import load_checkpoint, save_checkpoint
    >>> model, rule = LogisticRegression(1, 2), Adam(alpha=0.1)
    >>> data = np.array([[0.0], [1.0], [2.0]], dtype=np.float32), np.array([0, 0, 1])
    >>> whole = train(model, rule, data, epochs=5, batch_size=2, streams=streams(0))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path, mine, theirs = pathlib.Path(folder) / "run.npz", streams(0), streams(0)
    ...     history = train(model, rule, data, epochs=3, batch_size=2, streams=mine)
    ...     save_checkpoint(path, "key", rule, history, mine, seconds=0.1)
    ...     history, seconds = load_checkpoint(path, "key", rule, model.init(None), theirs)
    >>> len(history.epoch_cost)
    3
    >>> history = train(model, rule, data, epochs=5, batch_size=2, streams=theirs, history=history)
    >>> history.epoch_cost == whole.epoch_cost
    True
    """
    s = history.state
    about = {
        "format": FORMAT,
        "key": key,
        "owner": s.owner,
        "t": s.t,
        "scalars": {name: float(getattr(s, name)).hex() for name in rule.scalars},
        "streams": {name: getattr(streams, name).bit_generator.state for name in Streams._fields},
        "history": {name: getattr(history, name) for name in KEPT},
        "seconds": seconds,
    }
    arrays = {name: getattr(s, name) for name in ("theta", *rule.slots)}
    write_file(path, lambda file: np.savez(file, about=np.array(json.dumps(about)), **arrays))


def load_checkpoint(
    path: Path, key: str, rule: Rule, theta: np.ndarray, streams: Streams
) -> tuple[History, float] | None:
    """Read what :func:`save_checkpoint` wrote, and put the streams where they were.

    A file that is damaged or of another run is set aside under the name ``*.damaged``, with a warning: the run
    then starts anew, which costs time but no number.

    Parameters
    ----------
    path : Path
    key : str
        The identity that the file must have.
    rule : Rule
    theta : numpy.ndarray
        Initial parameters, for the shape and dtype that the file's must have.
    streams : Streams
        Changed only if the checkpoint is good.

    Returns
    -------
    history : History
    seconds : float
        How long the run had taken.
        None instead of both where there is no checkpoint, or a damaged one.

    Raises
    ------
    OSError, MemoryError
        If the system does not let the file be read, as with too many open files. It may be good, and stays.

    Examples
    --------
    See :func:`save_checkpoint`. Where there is no file:

    >>> import pathlib
    >>> import numpy as np
    >>> from adamcore import Adam
    >>> from adamcore.experiments import streams
    >>> from adamcore.experiments.checkpoints import load_checkpoint
    >>> load_checkpoint(pathlib.Path("no_such.npz"), "key", Adam(), np.zeros(3), streams(0)) is None
    True
    """
    try:
        # All of it first: zipfile takes some of the system's errors for damage.
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        history, about = _read(content, key, rule, theta)
        before = {name: getattr(streams, name).bit_generator.state for name in Streams._fields}
        try:
            for name in Streams._fields:
                getattr(streams, name).bit_generator.state = about["streams"][name]
        except Exception:
            for name, state in before.items():
                getattr(streams, name).bit_generator.state = state
            raise
        return history, float(about["seconds"])
    except (MemoryError, OSError):  # the system's doing, not the file's
        raise
    except Exception as error:  # a damaged archive fails in more ways than can be listed
        aside = path.with_name(path.name + ".damaged")
        warnings.warn(
            f"{path} is damaged, or of another run ({type(error).__name__}: {error}); it is set aside as "
            f"{aside.name}, and the run starts anew.",
            stacklevel=2,
        )
        try:
            os.replace(path, aside)
        except OSError as refused:
            raise cannot_write(path.parent, refused) from refused
        return None


def _read(file: bytes, key: str, rule: Rule, theta: np.ndarray) -> tuple[History, dict[str, Any]]:
    """The history in a file, and what stands beside it; all of it read and checked before any of it is used."""
    with np.load(io.BytesIO(file), allow_pickle=False) as archive:
        content = {name: archive[name] for name in archive.files}
    about = json.loads(str(content.pop("about")))
    for name, value, expected in (
        ("format", about["format"], FORMAT),
        ("key", about["key"], key),
        ("state", about["owner"], rule.owner),
        ("arrays", set(content), {"theta", *rule.slots}),
        ("history", set(about["history"]), set(KEPT)),
    ):
        if value != expected:
            raise ValueError(f"its {name} is {value!r}, not {expected!r}")
    for name, array in content.items():
        if array.shape != theta.shape or array.dtype != theta.dtype:
            raise ValueError(f"{name} is {array.dtype}{array.shape}, not {theta.dtype}{theta.shape}")
    scalars = {name: float.fromhex(about["scalars"][name]) for name in rule.scalars}
    s = State(rule.owner, content.pop("theta"), int(about["t"]), **content, **scalars)
    rule.renew(s)
    return History(s, **about["history"]), about
