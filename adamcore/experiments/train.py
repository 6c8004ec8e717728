"""Training: minibatches in, a history of the cost out."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from adamcore.data import minibatches
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
    state : State
        The state after the last step.
    """

    state: State
    epoch_objective: list[float] = field(default_factory=list)
    epoch_cost: list[float] = field(default_factory=list)
    first_losses: list[float] = field(default_factory=list)
    diverged_at: int | None = None


FIRST = 5
"""How many minibatch losses a history keeps one by one: enough to recognize a run by repeating its start."""


def train(
    model: Any,
    rule: Rule,
    data: tuple[Any, ...],
    *,
    epochs: int,
    batch_size: int,
    streams: Streams,
    on_epoch: Callable[[int, History], None] | None = None,
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
        Passes over the examples.
    batch_size : int
        Examples a minibatch; the last of an epoch may be shorter.
    streams : Streams
        Where initialization, order and noise come from.
    on_epoch : callable, optional
        Called as ``on_epoch(epoch, history)`` after each epoch, counted from 1.

    Returns
    -------
    History

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
    """
    history = History(rule.init(model.init(streams.initialization)))
    s = history.state
    n = data[0].shape[0]
    # A run that diverges overflows on its way; it is reported by its step, not by numpy's warnings.
    with np.errstate(over="ignore", invalid="ignore"), threadpool_limits(1, user_api="blas"), one_thread():
        for epoch in range(1, epochs + 1):
            objective = cost = 0.0
            for batch in minibatches(n, batch_size, streams.order):
                loss, gradient = model.loss_and_grad(s.theta, tuple(part[batch] for part in data), streams.noise)
                if len(history.first_losses) < FIRST:
                    history.first_losses.append(loss)
                if not math.isfinite(loss):
                    history.diverged_at = s.t + 1
                    return history
                objective += loss * len(batch)
                cost += (loss - model.penalty(s.theta)) * len(batch)
                try:
                    rule.step(s, gradient, inplace=True)
                except NotFiniteError:
                    history.diverged_at = s.t + 1
                    return history
            history.epoch_objective.append(objective / n)
            history.epoch_cost.append(cost / n)
            if on_epoch is not None:
                on_epoch(epoch, history)
    return history
