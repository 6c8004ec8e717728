"""Training: minibatches in, a history of the cost out."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from adamcore.data import minibatches
from adamcore.experiments.measures import mean_cost
from adamcore.optim import NotFiniteError, Rule, State, one_thread


class Streams(NamedTuple):
    """Three independent sources of randomness, so that changing what one is used for leaves the others.

    Attributes
    ----------
    initialization, order, noise : numpy.random.Generator
        For theta_0, for the order of the minibatches, and for dropout and other noise.
    """

    initialization: np.random.Generator
    order: np.random.Generator
    noise: np.random.Generator


def streams(seed: int) -> Streams:
    """Return the streams of a seed. All contenders of one seed start at the same point and see the same data.

    Examples
    --------
    >>> from adamcore.experiments import streams
    >>> streams(0).order.integers(100) == streams(0).order.integers(100)
    np.True_
    """
    return Streams(*(np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(3)))


@dataclass
class History:
    """What training leaves behind.

    Attributes
    ----------
    epoch_objective : list of float
        The mean of the minibatch objective over each epoch, each example weighing the same; entry 0 is the
        first epoch. The parameters change during an epoch, so this is not the objective at its end.
    epoch_cost : list of float
        The same without the model's penalty: the fit to the data alone.
    first_losses : list of float
        The objective on each of the first five minibatches.
    diverged_at : int or None
        The step at which the loss or gradient stopped being finite; training ended there.
    step_losses : list of float
        The objective on every minibatch, where asked for.
    full_cost : list of float
        The cost of all training data at the end of each epoch, without dropout, where asked for.
    measures : list of dict
        What callbacks measured, an entry an epoch, by name.
    epoch_seconds : list of float
        How long each epoch's steps took.
    start : dict of str to str
        Digests of ``"theta_0"`` and of the first epoch's ``"order"``, to see that two runs started alike.
    state : State
        The state after the last step.
    """

    state: State
    epoch_objective: list[float] = field(default_factory=list)
    epoch_cost: list[float] = field(default_factory=list)
    first_losses: list[float] = field(default_factory=list)
    diverged_at: int | None = None
    step_losses: list[float] = field(default_factory=list)
    full_cost: list[float] = field(default_factory=list)
    measures: list[dict[str, float]] = field(default_factory=list)
    epoch_seconds: list[float] = field(default_factory=list)
    start: dict[str, str] = field(default_factory=dict)


FIRST = 5
"""How many minibatch losses a history keeps one by one: enough to recognize a run by repeating its start."""

Callback = Callable[[int, History], Any]
"""Called after an epoch as ``callback(epoch, history)``, epochs counted from 1; a true value ends the training."""


def train(
    model: Any,
    rule: Rule,
    data: tuple[Any, ...],
    *,
    epochs: int,
    batch_size: int,
    streams: Streams,
    history: History | None = None,
    step_losses: bool = False,
    full_cost: bool = False,
    callbacks: Sequence[Callback] = (),
    progress: bool = False,
) -> History:
    """Minimize a model's objective on minibatches, on one thread.

    Parallelism is over runs: for models of this size that is faster than threads within one, and no result
    depends on how many threads there were.

    Parameters
    ----------
    model : object
        With ``init(rng)``, ``loss_and_grad(theta, batch, rng)`` and ``penalty(theta)``, such as
        :class:`adamcore.models.LogisticRegression`.
    rule : Rule
        The update rule.
    data : tuple
        What the model's minibatches consist of, such as the examples and their labels: arrays of the same
        length along the first axis, each indexed by the rows of a minibatch.
    epochs : int
        Passes over the examples, those of a continued history included.
    batch_size : int
        Examples a minibatch; the last of an epoch may be shorter.
    streams : Streams
        Where initialization, order and noise come from.
    history : History, optional
        Of a training that stopped between two epochs, to go on with; it is changed. With the same streams,
        the result is to the last bit that of a training that never stopped.
    step_losses, full_cost : bool, default False
        Whether to keep the objective on every minibatch, and the cost of all data after every epoch. The latter
        costs a forward pass over all data.
    callbacks : sequence of callable
        Each is called as ``callback(epoch, history)`` after every epoch, counted from 1. If one returns a true
        value, training ends there. A callback may add to ``history.measures``; it must not change ``history.state``.
    progress : bool, default False
        Whether to show a bar, in a notebook or a terminal, with the cost of the last epoch.

    Returns
    -------
    History
        A training that diverges ends at that step, named in ``diverged_at``; what was before is kept.

    Raises
    ------
    ValueError
        If ``epochs`` is negative.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore import Adam, LogisticRegression
    >>> from adamcore.experiments import streams, train
    >>> x = np.array([[0.0], [1.0], [2.0], [3.0]], dtype=np.float32)
    >>> y = np.array([0, 0, 1, 1])
    >>> history = train(LogisticRegression(1, 2), Adam(alpha=0.1), (x, y),
    ...                 epochs=100, batch_size=2, streams=streams(0))
    >>> history.epoch_cost[0] > 0.6, history.epoch_cost[-1] < 0.3
    (True, True)

    Until the cost is below 0.5, but no longer than 100 epochs:

    >>> history = train(LogisticRegression(1, 2), Adam(alpha=0.1), (x, y), epochs=100, batch_size=2,
    ...                 streams=streams(0), callbacks=[lambda epoch, history: history.epoch_cost[-1] < 0.5])
    >>> len(history.epoch_cost) < 100, history.epoch_cost[-1] < 0.5
    (True, True)
    """
    if epochs < 0:
        raise ValueError(f"train: epochs = {epochs!r} is not allowed; it must be 0 or more.")
    if history is None:
        theta = model.init(streams.initialization)
        history = History(rule.init(theta), start={"theta_0": digest(theta)})
    done = len(history.epoch_cost)
    # A run that diverges overflows on its way; it is reported by its step, not by numpy's warnings.
    with (
        np.errstate(over="ignore", invalid="ignore"),
        threadpool_limits(1, user_api="blas"),
        one_thread(),
        tqdm(total=epochs, initial=done, unit="epoch", disable=not progress) as bar,
    ):
        for epoch in range(done + 1, epochs + 1):
            batches = list(minibatches(data[0].shape[0], batch_size, streams.order))
            if epoch == 1:
                history.start["order"] = digest(*batches)
            _epoch(model, rule, data, batches, streams.noise, history, step_losses)
            if history.diverged_at is not None:
                break
            if full_cost:
                history.full_cost.append(mean_cost(model, history.state.theta, data))
            bar.set_postfix(cost=f"{history.epoch_cost[-1]:.4g}", refresh=False)
            bar.update()
            stops = [callback(epoch, history) for callback in callbacks]
            if any(stops):
                break
    return history


def _epoch(
    model: Any,
    rule: Rule,
    data: tuple[Any, ...],
    batches: list[np.ndarray],
    noise: np.random.Generator,
    history: History,
    step_losses: bool,
) -> None:
    """One pass over the data, added to the history; it ends early where the loss or gradient is not finite."""
    s = history.state
    begin = time.perf_counter()
    objective = cost = 0.0
    n = 0
    for batch in batches:
        loss, gradient = model.loss_and_grad(s.theta, tuple(part[batch] for part in data), noise)
        if len(history.first_losses) < FIRST:
            history.first_losses.append(loss)
        if step_losses:
            history.step_losses.append(loss)
        if not math.isfinite(loss):
            history.diverged_at = s.t + 1
            return
        n += len(batch)
        objective += loss * len(batch)
        cost += (loss - model.penalty(s.theta)) * len(batch)
        try:
            rule.step(s, gradient, inplace=True)
        except NotFiniteError:
            history.diverged_at = s.t + 1
            return
    history.epoch_objective.append(objective / n)
    history.epoch_cost.append(cost / n)
    history.epoch_seconds.append(time.perf_counter() - begin)


def digest(*arrays: np.ndarray) -> str:
    """Return 16 hexadecimal digits that tell arrays of one type from others: a part of SHA-256 of their bytes.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore.experiments.train import digest
    >>> digest(np.arange(3), np.arange(2)) == digest(np.array([0, 1, 2, 0, 1]))
    True
    """
    return hashlib.sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)).hexdigest()[:16]
