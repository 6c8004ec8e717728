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

from adamcore.data import minibatches
from adamcore.experiments.measures import mean_cost
from adamcore.experiments.progress import progress_bar
from adamcore.optim import NotFiniteError, Rule, State, one_thread


class Streams(NamedTuple):
    """Three independent sources of randomness, so that changing what one is used for leaves the others.

    Attributes
    ----------
    initialization, order, noise : numpy.random.Generator
        For theta_0, for the order of the minibatches, and for dropout and other noise.

    Examples
    --------
    Drawing more noise does not change the order:

    >>> from adamcore.experiments import streams
    >>> one, other = streams(0), streams(0)
    >>> _ = one.noise.random(1000)
    >>> one.order.permutation(5).tolist() == other.order.permutation(5).tolist()
    True
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

    Examples
    --------
    Three epochs of two minibatches, and then two more:

    >>> import numpy as np
    >>> from adamcore import Adam, LogisticRegression
    >>> from adamcore.experiments import streams, train
    >>> model, source = LogisticRegression(1, 2), streams(0)
    >>> data = np.array([[0.0], [1.0], [2.0], [3.0]], dtype=np.float32), np.array([0, 0, 1, 1])
    >>> history = train(model, Adam(alpha=0.1), data, epochs=3, batch_size=2, streams=source)
    >>> len(history.epoch_cost), history.state.t, history.diverged_at
    (3, 6, None)
    >>> history = train(model, Adam(alpha=0.1), data, epochs=5, batch_size=2, streams=source, history=history)
    >>> len(history.epoch_cost), history.state.t
    (5, 10)
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
        the result is to the last bit that of a training that never stopped. One that diverged stays as it is.
    step_losses, full_cost : bool, default False
        Whether to keep the objective on every minibatch, and the cost of all data after every epoch. The latter
        costs a forward pass over all data.
    callbacks : sequence of callable
        Each is called as ``callback(epoch, history)`` after every epoch, counted from 1. If one returns a true
        value, training ends there. A callback may add to ``history.measures``; it must not change ``history.state``.
    progress : bool, default False
        Whether to show a bar with the cost of the last epoch; see
        ``adamcore.experiments.progress.progress_bar``.

    Returns
    -------
    History
        A training that diverges ends at that step, named in ``diverged_at``; what was before is kept.

    Raises
    ------
    ValueError
        If ``epochs`` is negative, or the parts of the data do not have the same length.

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
    (history,) = train_together(
        model,
        [rule],
        data,
        epochs=epochs,
        batch_size=batch_size,
        streams=streams,
        histories=None if history is None else [history],
        step_losses=step_losses,
        full_cost=full_cost,
        callbacks=callbacks,
        progress=progress,
    )
    return history


def train_together(
    model: Any,
    rules: Sequence[Rule],
    data: tuple[Any, ...],
    *,
    epochs: int,
    batch_size: int,
    streams: Streams,
    histories: Sequence[History] | None = None,
    step_losses: bool = False,
    full_cost: bool = False,
    callbacks: Sequence[Callback] = (),
    progress: bool = False,
) -> list[History]:
    """Train with several rules side by side, on the same minibatches with the same noise; see :func:`train`.

    Each gets, to the last bit, what it gets in a training of its own; taking a minibatch and drawing its noise is
    done once for all. Where the model is small, that takes most of the time.

    Parameters
    ----------
    model : object
        As for :func:`train`; for more than one rule also with ``prepare(batch, rng)`` and
        ``loss_and_grad_of(theta, prepared)``.
    rules : sequence of Rule
    data, epochs, batch_size, streams, step_losses, full_cost, progress
        As for :func:`train`.
    histories : sequence of History, optional
        Of trainings that stopped after the same epoch, one for each rule, to go on with.
    callbacks : sequence of callable
        Each is called with every history; a true value ends the training of that one.

    Returns
    -------
    list of History
        One for each rule. The time of an epoch is divided among those that were still training.

    Raises
    ------
    ValueError
        As :func:`train`, and if the histories have not stopped after the same epoch.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore import SGD, Adam, LogisticRegression
    >>> from adamcore.experiments import streams, train
    >>> from adamcore.experiments.train import train_together
    >>> model = LogisticRegression(1, 2, dropout=0.2)
    >>> data = np.array([[0.0], [1.0], [2.0]], dtype=np.float32), np.array([0, 0, 1])
    >>> both = train_together(model, [SGD(), Adam()], data, epochs=3, batch_size=2, streams=streams(0))
    >>> alone = train(model, Adam(), data, epochs=3, batch_size=2, streams=streams(0))
    >>> both[1].epoch_cost == alone.epoch_cost
    True
    """
    if epochs < 0:
        raise ValueError(f"train: epochs = {epochs!r} is not allowed; it must be 0 or more.")
    lengths = [part.shape[0] for part in data]
    if len(set(lengths)) != 1:
        raise ValueError(f"train: the parts of data have the lengths {lengths}; all must have the same.")
    if histories is None:
        theta = model.init(streams.initialization)
        histories = [begin(rule, theta) for rule in rules]
    done = len(histories[0].epoch_cost)
    if any(len(history.epoch_cost) != done for history in histories):
        raise ValueError("train: the histories have stopped after different epochs; continue each on its own.")
    active = [one for one in zip(rules, histories, strict=True) if one[1].diverged_at is None]
    if not active:
        return list(histories)
    # A run that diverges overflows on its way; it is reported by its step, not by numpy's warnings.
    with (
        np.errstate(over="ignore", invalid="ignore"),
        threadpool_limits(1, user_api="blas"),
        one_thread(),
        progress_bar(progress, total=epochs, initial=done, unit="epoch") as bar,
    ):
        for epoch in range(done + 1, epochs + 1):
            batches = list(minibatches(lengths[0], batch_size, streams.order))
            if epoch == 1:
                order = digest(*batches)
                for history in histories:
                    history.start["order"] = order
            _epoch(model, active, data, batches, streams.noise, step_losses)
            active = [(rule, history) for rule, history in active if history.diverged_at is None]
            for _, history in active:
                if full_cost:
                    history.full_cost.append(mean_cost(model, history.state.theta, data))
                bar.set_postfix(cost=f"{history.epoch_cost[-1]:.4g}", refresh=False)
            if active:
                bar.update()
            # Every callback is called, whatever an earlier one said.
            answers = [[callback(epoch, history) for callback in callbacks] for _, history in active]
            active = [one for one, stops in zip(active, answers, strict=True) if not any(stops)]
            if not active:
                break
    return list(histories)


def begin(rule: Rule, theta: np.ndarray) -> History:
    """Return the history of a training that has not begun.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore import Adam
    >>> from adamcore.experiments.train import begin
    >>> begin(Adam(), np.zeros(2)).epoch_cost
    []
    """
    return History(rule.init(theta), start={"theta_0": digest(theta)})


def _epoch(
    model: Any,
    active: list[tuple[Rule, History]],
    data: tuple[Any, ...],
    batches: list[np.ndarray],
    noise: np.random.Generator,
    step_losses: bool,
) -> None:
    """One pass over the data, added to the histories; it ends early where a loss or gradient is not finite."""
    began = time.perf_counter()
    passes = [_Pass(rule, history) for rule, history in active]
    alone = len(passes) == 1
    for batch in batches:
        examples = tuple(part[batch] for part in data)
        prepared = None if alone else model.prepare(examples, noise)
        for one in passes:
            theta = one.history.state.theta
            loss, gradient = (
                model.loss_and_grad(theta, examples, noise) if alone else model.loss_and_grad_of(theta, prepared)
            )
            one.step(loss, gradient, loss - model.penalty(theta), len(batch), step_losses)
        passes = [one for one in passes if one.history.diverged_at is None]
        if not passes:
            return
    seconds = (time.perf_counter() - began) / len(passes)
    for one in passes:
        one.history.epoch_objective.append(one.objective / one.n)
        one.history.epoch_cost.append(one.cost / one.n)
        one.history.epoch_seconds.append(seconds)


class _Pass:
    """What one training adds up during an epoch."""

    def __init__(self, rule: Rule, history: History) -> None:
        self.rule, self.history = rule, history
        self.objective = self.cost = 0.0
        self.n = 0

    def step(self, loss: float, gradient: np.ndarray, cost: float, n: int, keep: bool) -> None:
        """Count a minibatch of n examples and take the step, or say at which step the training diverged."""
        history = self.history
        if len(history.first_losses) < FIRST:
            history.first_losses.append(loss)
        if keep:
            history.step_losses.append(loss)
        if not math.isfinite(loss):
            history.diverged_at = history.state.t + 1
            return
        self.n += n
        self.objective += loss * n
        self.cost += cost * n
        try:
            self.rule.step(history.state, gradient, inplace=True)
        except NotFiniteError:
            history.diverged_at = history.state.t + 1


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
