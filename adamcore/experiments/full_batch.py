"""L-BFGS on the whole training set, which stands beside SFO as an opponent of Adam in Figure 2 (b)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import minimize
from threadpoolctl import threadpool_limits

from adamcore.experiments.online import Online
from adamcore.experiments.sfo import SFO
from adamcore.experiments.train import FIRST, History, Streams, digest
from adamcore.optim import Rule, State, from_dict

if TYPE_CHECKING:
    from adamcore.experiments.problems import Problem


class _Spent(Exception):
    """All passes over the data were made."""


@dataclass(frozen=True)
class LBFGS:
    r"""Limited-memory BFGS, a quasi-Newton method that needs the exact gradient: a pass over all data for each.

    From the last steps :math:`s_k` and changes of the gradient :math:`y_k` it keeps an approximation of the inverse
    Hessian matrix, and searches along :math:`-H_k \nabla f(\theta)` (Liu & Nocedal, Mathematical Programming 45,
    1989; ``scipy.optimize``'s L-BFGS-B, without bounds).

    In section 6.2 of arXiv:1412.6980 Adam's opponent is SFO, which combines quasi-Newton steps with minibatches
    (arXiv:1311.2115; :class:`~adamcore.experiments.SFO`). **This is not SFO.** It is the best known quasi-Newton
    method, and shows beside SFO what minibatches are worth: it makes one step a pass over the data at most, SFO many.

    It is no rule, since it decides itself where to evaluate the objective; a run calls :meth:`minimize`.

    Parameters
    ----------
    memory : int, default 10
        Pairs of steps and changes of the gradient that are kept.
    chunk : int, default 1000
        Examples that are worked on at a time, so that memory does not grow with the data.

    Raises
    ------
    ValueError
        If either is not a whole number of 1 or more.

    Examples
    --------
    >>> from adamcore.experiments import LBFGS, streams
    >>> from adamcore.experiments.problems import make_problem
    >>> problem = make_problem("mnist_logistic", {"n_train": 500, "l2": 1e-4})
    >>> history = LBFGS().minimize(problem, epochs=20, streams=streams(0))
    >>> len(history.epoch_cost), history.epoch_cost[0] > 2.3, history.epoch_cost[-1] < 0.2
    (20, True, True)
    """

    memory: int = 10
    chunk: int = 1000

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, int) or value < 1:
                raise ValueError(
                    f"LBFGS: {field.name} = {value!r} is not allowed; it must be a whole number of 1 or more."
                )

    def __str__(self) -> str:
        return f"LBFGS(memory={self.memory})"

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain data.

        Examples
        --------
        >>> from adamcore.experiments import LBFGS
        >>> LBFGS().to_dict()
        {'rule': 'LBFGS', 'memory': 10, 'chunk': 1000}
        """
        return {"rule": type(self).__name__, **asdict(self)}

    def minimize(self, problem: Problem, epochs: int, streams: Streams) -> History:
        """Minimize a problem's objective over all of its data, on one thread.

        Parameters
        ----------
        problem : Problem
        epochs : int
            Passes over the data: evaluations of the objective and its gradient, those that a line search makes and
            throws away included.
        streams : Streams
            Where theta_0 comes from, and dropout, if the model has any: then every pass meets another objective,
            which is what the paper says SFO failed on.

        Returns
        -------
        History
            Entry k of ``epoch_cost`` and ``epoch_objective`` belongs to the best theta known after k + 1 passes; the
            first is theta_0's. Where no lower objective is found in the model's arithmetic, the curve stays level.
            ``state.theta`` is the best theta; ``step_losses`` has what each pass evaluated, the best or not (with
            dropout the lowest is also the luckiest).
        """
        model, n = problem.model, problem.data[0].shape[0]
        theta = model.init(streams.initialization)
        history = History(State("LBFGS", theta), start={"theta_0": digest(theta)})
        begin = time.perf_counter()

        def objective(at: np.ndarray) -> tuple[float, np.ndarray]:
            nonlocal begin
            if len(history.epoch_cost) == epochs:
                raise _Spent
            candidate = at.astype(theta.dtype)
            value, gradient = self._over_all(model, candidate, problem.data, n, streams.noise)
            history.step_losses.append(value)
            if len(history.first_losses) < FIRST:
                history.first_losses.append(value)
            if not history.epoch_objective or value < history.epoch_objective[-1]:
                history.state.theta = candidate
                history.epoch_objective.append(value)
                history.epoch_cost.append(value - model.penalty(candidate))
            else:
                history.epoch_objective.append(history.epoch_objective[-1])
                history.epoch_cost.append(history.epoch_cost[-1])
            now = time.perf_counter()
            history.epoch_seconds.append(now - begin)
            begin = now
            return value, gradient

        options = {"maxcor": self.memory, "maxiter": epochs, "maxfun": epochs, "ftol": 0.0, "gtol": 0.0}
        with np.errstate(over="ignore", invalid="ignore"), threadpool_limits(1, user_api="blas"):
            try:
                # Where a line search fails, it starts again from the best theta, its memory empty.
                while len(history.epoch_cost) < epochs:
                    start = history.state.theta
                    minimize(objective, start.astype(np.float64), jac=True, method="L-BFGS-B", options=options)
                    if history.state.theta is start:
                        break
            except _Spent:
                pass
        history.state.t = len(history.epoch_cost)
        for curve in (history.epoch_objective, history.epoch_cost):
            curve.extend(curve[-1:] * (epochs - len(curve)))
        return history

    def _over_all(
        self, model: Any, theta: np.ndarray, data: tuple[Any, ...], n: int, noise: np.random.Generator
    ) -> tuple[float, np.ndarray]:
        """The objective over all examples and its gradient, summed in float64."""
        total, gradient = 0.0, np.zeros(theta.shape)
        for rows in self._chunks(n):
            loss, part = model.loss_and_grad(theta, tuple(array[rows] for array in data), noise)
            share = (rows.stop - rows.start) / n
            total += share * loss
            gradient += share * part
        return total, gradient

    def _chunks(self, n: int) -> Iterator[slice]:
        """Slices that cover n examples."""
        return (slice(start, min(start + self.chunk, n)) for start in range(0, n, self.chunk))


def method_from_dict(plain: dict[str, Any]) -> Rule | LBFGS | SFO | Online:
    """Return the contender that a record holds as plain data: a rule, or a method that minimizes by itself.

    Examples
    --------
    >>> from adamcore.experiments import LBFGS
    >>> from adamcore.experiments.full_batch import method_from_dict
    >>> method_from_dict(LBFGS(memory=5).to_dict())
    LBFGS(memory=5, chunk=1000)
    """
    for method in (LBFGS, SFO, Online):
        if plain["rule"] == method.__name__:
            return method(**{name: value for name, value in plain.items() if name != "rule"})
    return from_dict(plain)
