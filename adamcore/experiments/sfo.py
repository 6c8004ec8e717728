"""SFO, the Sum of Functions Optimizer: quasi-Newton steps from minibatches, Adam's opponent in Figure 2 (b)."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from adamcore.experiments.train import FIRST, History, Streams, digest
from adamcore.optim import State, one_thread

if TYPE_CHECKING:
    from adamcore.experiments.problems import Problem

# What the reference implementation has as defaults (sfo.py of the authors' repository), under our names.
FIRST_ACTIVE = 2
"""Subfunctions that take part at the start (``init_subf``)."""
FLATTEST = 1e-8
"""The smallest eigenvalue of a subfunction's Hessian over its largest (1 / ``hess_max_dev``)."""
LONGEST = 10.0
"""The longest step over the mean of those before, from the second pass on (``max_step_length_ratio``)."""
NOISE = 1.0
"""Another subfunction takes part when the mean gradient's noise reaches so much of it (``max_gradient_noise``)."""
SMALLEST_SCALE = 1e-5
"""Below this, bad steps do not shorten the following ones."""
BACKOFFS = 10
"""How often a bad step is shortened a hundredfold before something is learned from it."""
SAME = 1e-12
"""Differences of the objective that are none (``eps``)."""
FEWEST = 25
"""Subfunctions below which the authors' code warns that convergence suffers."""


@dataclass(frozen=True)
class SFO:
    r"""The Sum of Functions Optimizer of Sohl-Dickstein, Poole & Ganguli (ICML 2014, arXiv:1311.2115).

    The data are divided once into N parts, so that the objective is a sum of N *subfunctions*,
    :math:`F(\theta) = \sum_i f_i(\theta)`. Each has a quadratic model around the point :math:`\theta_i` where it was
    evaluated last,

    .. math::

        \tilde f_i(\theta) = f_i(\theta_i) + \nabla f_i(\theta_i)^\top (\theta - \theta_i)
            + \tfrac12 (\theta - \theta_i)^\top H_i\, (\theta - \theta_i),

    whose Hessian :math:`H_i` comes from the subfunction's own history; see ``hessian_of_history``. A step goes to
    the minimum of the sum of all models, and then one subfunction is evaluated there, and its model renewed:

    .. math::

        \theta \leftarrow \theta - \eta \Bigl(\sum_i H_i\Bigr)^{-1} \sum_i \nabla \tilde f_i(\theta).

    So a step costs a minibatch, as one of SGD does, but uses what is known of all of them, as a Newton step does.
    :math:`\eta` is 1 except after bad steps. In short, and with the names that the authors' ``sfo.py`` has for it:

    - *Which subfunction* (``get_target_index``): one that takes part and has fewer than two evaluations; otherwise
      the one that was evaluated farthest from here, by the Hessian of the sum or, as a coin decides, its own.
    - *How many* (``expand_active_subfunctions``): two at first. Another one joins when the gradients of those that
      take part differ so much that their mean is mostly noise, after a bad step, or after a round without growth.
    - *Bad steps* (``handle_step_failure``): where a subfunction rises by more than all the others were to fall, theta
      goes back to where it was and :math:`\eta` is halved; it returns to 1 over the next N steps.
    - *Length of steps*: at most ten times their mean, and no shorter than the arithmetic can resolve.
    - *The subspace* (sections 2.3.1 and 2.3.2 of the paper, equations 7 to 9): gradients, positions and Hessians are
      kept as coordinates in an orthonormal basis of the directions that occurred. When it is full, only the last
      gradient and position of every subfunction are kept.

    It is no rule, since it decides itself where to evaluate what; a run calls :meth:`minimize`. Like
    :class:`~adamcore.experiments.full_batch.LBFGS`, and unlike a rule, it does not go on where a killed run stopped:
    it starts again.

    Parameters
    ----------
    subfunctions : int, optional
        N, 2 or more. By default a tenth of the square root of the number of examples, as the authors' README
        recommends, but not fewer than 25, below which their code warns that convergence suffers (and says that more
        than about 50 gain nothing).
    history : int, default 10
        Pairs of steps and changes of the gradient that are kept of each subfunction.
    curvature : float, default 1e5
        The Hessian of the first subfunctions, times the identity, until something is known of it: the larger, the
        shorter the first step.
    chunk : int, default 1000
        Examples that are worked on at a time, so that memory does not grow with the data.

    Raises
    ------
    ValueError
        If a setting is out of its range.

    Notes
    -----
    *Memory.* The basis has up to 3 N + 3 directions as long as theta, in theta's precision, of which float32 is
    enough: coordinates are float64. All else is small as long as theta is much longer than 40 N. For the 1000-1000
    network (1,796,010 parameters) in float32 and N = 25 that is 0.56 GB, for N = 100 2.2 GB, and for minibatches of
    128, N = 469, 10 GB. A record has the count of all numbers kept, as ``measures["numbers_kept"]``.

    *Dropout.* Two gradients of a subfunction with different masks differ even where theta does not, so their
    difference says nothing of the Hessian. The authors' README says that it "will break SFO" and recommends to fix
    each example's mask once and for all. Here masks are drawn anew, as the Adam paper's section 6.2 has it.

    *Differences from the reference implementation.* Positions are measured from theta_0, so that coordinates are
    small and theta_0 itself needs no direction. The subspace makes room before an evaluation, so none of a step's
    gradients loses a part; before all subfunctions take part it is collapsed to the directions there are, without
    random ones. Hessians are kept as eigenvalues and eigenvectors, not as complex square roots. A change of the
    gradient needs two gradients: after a bad step at its first evaluation, a subfunction's change is not reckoned
    from zero. Where the reference has absolute tolerances for float64, 1e-12 and 1e-8, ours follow the precision:
    4096 roundings for directions and the square root of a rounding, as in finite differences, for the shortest step
    (9e-13 and 1.5e-8 in float64). Steps are counted to a pass by evaluations, those of bad steps included, as there.

    Examples
    --------
    >>> from adamcore.experiments import SFO, streams
    >>> from adamcore.experiments.problems import make_problem
    >>> problem = make_problem("mnist_logistic", {"n_train": 500, "l2": 1e-4})
    >>> history = SFO().minimize(problem, epochs=10, streams=streams(0))
    >>> len(history.epoch_cost), history.epoch_cost[-1] < 0.1
    (10, True)
    """

    subfunctions: int | None = None
    history: int = 10
    curvature: float = 1e5
    chunk: int = 1000

    def __post_init__(self) -> None:
        for name, least in (("subfunctions", 2), ("history", 1), ("chunk", 1)):
            value = getattr(self, name)
            if (value is None and name == "subfunctions") or (isinstance(value, int) and value >= least):
                continue
            raise ValueError(
                f"SFO: {name} = {value!r} is not allowed; it must be a whole number of {least} or more"
                f"{', or None for the default' if name == 'subfunctions' else ''}."
            )
        if not (isinstance(self.curvature, (int, float)) and 0 < self.curvature < math.inf):
            raise ValueError(f"SFO: curvature = {self.curvature!r} is not allowed; it must be finite and above 0.")

    def __str__(self) -> str:
        number = "by the number of examples" if self.subfunctions is None else self.subfunctions
        return f"SFO(subfunctions={number}, history={self.history})"

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain data.

        Examples
        --------
        >>> from adamcore.experiments import SFO
        >>> SFO().to_dict()
        {'rule': 'SFO', 'subfunctions': None, 'history': 10, 'curvature': 100000.0, 'chunk': 1000}
        """
        return {"rule": type(self).__name__, **asdict(self)}

    def number(self, n: int) -> int:
        """Return N, the number of subfunctions, for n examples.

        Raises
        ------
        ValueError
            If there are not that many examples.

        Examples
        --------
        >>> from adamcore.experiments import SFO
        >>> SFO().number(60_000), SFO().number(1_000_000), SFO(subfunctions=100).number(60_000)
        (25, 100, 100)
        """
        number = max(FEWEST, round(math.sqrt(n) / 10)) if self.subfunctions is None else self.subfunctions
        if number > n:
            raise ValueError(
                f"SFO: {n} examples cannot be divided into {number} subfunctions; set subfunctions to {n} or less."
            )
        return number

    def numbers_kept(self, size: int, n: int, dtype: type = np.float32) -> int:
        """Return how many numbers are in the arrays that a run keeps; those of one evaluation are not among them.

        They are counted in arrays that are made for it, but never filled, so that a large network costs nothing.

        Parameters
        ----------
        size : int
            Of theta.
        n : int
            Examples.
        dtype : type, default numpy.float32
            Of theta.

        Raises
        ------
        ValueError
            As :meth:`number`.

        Examples
        --------
        >>> from adamcore.experiments import SFO
        >>> [round(SFO(subfunctions=n).numbers_kept(1_796_010, 60_000) / 1_796_010, 1) for n in (25, 50, 100)]
        [79.0, 154.2, 304.8]
        """
        walk = _Walk(self, None, np.zeros(size, dtype), self.number(n), np.random.default_rng(0))
        return int(walk.measures()["numbers_kept"])

    def minimize(self, problem: Problem, epochs: int, streams: Streams) -> History:
        """Minimize a problem's objective, on one thread.

        Parameters
        ----------
        problem : Problem
        epochs : int
            Passes over the data: N evaluations of a subfunction and its gradient each, whichever those are. The
            first few passes see some of the data several times and others not at all.
        streams : Streams
            Where theta_0 comes from, how the data are divided and which subfunctions are taken (``order``), and
            dropout, if the model has any.

        Returns
        -------
        History
            Entry k of ``epoch_cost`` and ``epoch_objective`` is over all the data, at the theta that had been
            accepted after k + 1 passes, with fresh dropout masks if the model has dropout; finding it is neither
            counted as a pass nor timed. (A rule's entry is the mean over the pass, theta changing meanwhile; what can
            be compared with SFO's is the measure ``full_cost`` of its run.) ``step_losses`` has every evaluation in
            turn, those of bad steps included. ``measures`` has for each pass ``active``, the subfunctions that take
            part; ``bad_steps`` so far; ``directions`` of the subspace; and ``numbers_kept`` in all arrays.
            ``state.theta`` is the last theta that was accepted. Where no finite value is left to go on from,
            ``diverged_at`` is the number of evaluations.
        """
        model, n = problem.model, problem.data[0].shape[0]
        parts = np.array_split(streams.order.permutation(n), self.number(n))
        theta = model.init(streams.initialization)
        history = History(State("SFO", theta), start={"theta_0": digest(theta), "subfunctions": digest(*parts)})

        def subfunction(i: int, at: np.ndarray) -> tuple[float, np.ndarray]:
            """f_i and its gradient. Each counts as much as its examples, and they add up to N objectives."""
            rows, value, gradient = parts[i], 0.0, np.zeros_like(at)
            for some in np.array_split(rows, -(-len(rows) // self.chunk)):
                loss, part = model.loss_and_grad(at, tuple(array[some] for array in problem.data), streams.noise)
                value += len(some) * loss
                gradient += at.dtype.type(len(some) * len(parts) / n) * part
            history.step_losses.append(value / len(rows))
            if len(history.first_losses) < FIRST:
                history.first_losses.append(value / len(rows))
            return value * len(parts) / n, gradient

        with (
            np.errstate(over="ignore", invalid="ignore", divide="ignore"),
            threadpool_limits(1, user_api="blas"),
            one_thread(),
        ):
            walk = _Walk(self, subfunction, theta, len(parts), streams.order)
            begin = time.perf_counter()
            while len(history.epoch_cost) < epochs:
                try:
                    walk.observe()
                except (_Lost, np.linalg.LinAlgError):
                    history.diverged_at = walk.evaluations
                    break
                for _ in range(walk.evaluations // len(parts) - len(history.epoch_cost)):
                    history.epoch_seconds.append(time.perf_counter() - begin)
                    history.state.theta = walk.theta()
                    objective = self._objective(model, history.state.theta, problem.data, n, streams.noise)
                    history.epoch_objective.append(objective)
                    history.epoch_cost.append(objective - model.penalty(history.state.theta))
                    history.measures.append(walk.measures())
                    begin = time.perf_counter()
                walk.step()
        history.state.t = walk.evaluations
        for curve in (history.epoch_objective, history.epoch_cost, history.epoch_seconds, history.measures):
            del curve[epochs:]
        return history

    def _objective(
        self, model: Any, theta: np.ndarray, data: tuple[Any, ...], n: int, noise: np.random.Generator
    ) -> float:
        """The objective over all examples."""
        loss = getattr(model, "loss", None) or (lambda *arguments: model.loss_and_grad(*arguments)[0])
        total = 0.0
        for start in range(0, n, self.chunk):
            rows = slice(start, min(start + self.chunk, n))
            total += (rows.stop - start) * loss(theta, tuple(array[rows] for array in data), noise)
        return total / n


def hessian_of_history(
    steps: np.ndarray, changes: np.ndarray, otherwise: float = 1.0
) -> tuple[float, np.ndarray, np.ndarray]:
    r"""Return the Hessian that a history of steps and changes of the gradient tells of, by BFGS.

    From the oldest pair to the newest, with :math:`B \leftarrow \beta I` to begin with,

    .. math::

        B \leftarrow B + \frac{y y^\top}{y^\top s} - \frac{B s\, s^\top B}{s^\top B s}.

    :math:`\beta` is the smallest singular value, of as many as there are pairs, of the matrix that turns all steps
    into the changes with least squares, and no less than 1e-8 of the largest. A history may contradict itself
    (:math:`y^\top s < 0` where the function curves down): eigenvalues of B that are negative, or below 1e-8 of the
    largest, become the median of the positive ones, so that the step is down. This is what ``update_hessian`` of the
    authors' ``sfo.py`` computes.

    Parameters
    ----------
    steps, changes : numpy.ndarray, shape (pairs, K)
        s and y, the newest first.
    otherwise : float, default 1
        The value of beta where the history gives none.

    Returns
    -------
    beta : float
    values : numpy.ndarray, shape (at most 2 * pairs,)
    vectors : numpy.ndarray, shape (at most 2 * pairs, K)
        Orthonormal rows, so that the Hessian is ``beta * I + vectors.T @ np.diag(values) @ vectors``.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore.experiments.sfo import hessian_of_history
    >>> true = np.diag([1.0, 10.0])
    >>> steps = np.eye(2)
    >>> beta, values, vectors = hessian_of_history(steps, steps @ true)
    >>> (beta * np.eye(2) + vectors.T @ np.diag(values) @ vectors).round(6)
    array([[ 1.,  0.],
           [ 0., 10.]])
    """
    basis = np.linalg.qr(np.concatenate([steps, changes]).T)[0]
    s, y = steps @ basis, changes @ basis
    sizes = np.linalg.svd(y.T @ np.linalg.pinv(s.T), compute_uv=False)[: len(steps)]
    if not np.isfinite(sizes).all() or sizes[-1] == 0:
        sizes = np.full(len(steps), otherwise)
    beta = max(sizes[-1], FLATTEST * sizes[0])
    b = beta * np.eye(basis.shape[1])
    for one, change in zip(s[::-1], y[::-1], strict=True):
        bs = b @ one
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            new = b + np.outer(change, change) / (change @ one) - np.outer(bs, bs) / (one @ bs)
        if np.isfinite(new).all():
            b = new
    values, vectors = np.linalg.eigh(b)
    if values[-1] > 0:
        values[values < FLATTEST * np.abs(values).max()] = np.median(values[values > 0])
    else:
        values[:] = sizes[0]
    return float(beta), values - beta, (basis @ vectors).T


class _Lost(Exception):
    """No finite value is left to go on from."""


class _Subspace:
    """An orthonormal basis of the directions that occurred, so that long vectors become few coordinates."""

    def __init__(self, size: int, most: int, dtype: np.dtype) -> None:
        self.basis = np.zeros((most, size), dtype)  # a direction a row: each lies in one piece
        self.directions = 0
        self.tiny = 4096 * np.finfo(dtype).eps

    def vector(self, coordinates: np.ndarray) -> np.ndarray:
        """The long vector of these coordinates."""
        k = self.directions
        return coordinates[:k].astype(self.basis.dtype) @ self.basis[:k]

    def admit(self, x: np.ndarray) -> np.ndarray:
        """Return x's coordinates; what of it points out of the subspace becomes a direction (equations 7 and 8).

        Gram-Schmidt is repeated where little of x is left: what is left is then mostly rounding.
        """
        k, coordinates = self.directions, np.zeros(len(self.basis))
        length = float(np.linalg.norm(x))
        if length == 0:
            return coordinates
        rest = x / x.dtype.type(length)
        for _ in range(3):
            known = self.basis[:k] @ rest
            coordinates[:k] += length * known
            rest -= known @ self.basis[:k]
            left = float(np.linalg.norm(rest))
            if left < self.tiny:
                return coordinates
            rest /= rest.dtype.type(left)
            length *= left
            if left > 0.1:
                break
        if k < len(self.basis):
            self.basis[k] = rest
            coordinates[k] = length
            self.directions = k + 1
        return coordinates

    def turn(self, new: np.ndarray) -> None:
        """Make the columns of ``new``, which are orthonormal coordinates, the directions (equation 9)."""
        k, fewer = new.shape
        new = new.astype(self.basis.dtype)
        for start in range(0, self.basis.shape[1], 8192):  # in pieces: a second basis would be too large
            piece = self.basis[:, start : start + 8192]
            piece[:fewer] = new.T @ piece[:k]
        self.directions = fewer


class _Models:
    """Every subfunction's quadratic model, in coordinates of the subspace; rows of subfunctions unseen are zero."""

    def __init__(self, number: int, most: int, history: int) -> None:
        self.value = np.full(number, np.nan)
        self.at = np.zeros((number, most))
        self.gradient = np.zeros((number, most))
        self.steps = np.zeros((number, history, most))
        self.changes = np.zeros((number, history, most))
        self.pairs = np.zeros(number, int)
        self.beta = np.zeros(number)
        self.values = np.zeros((number, 2 * history))
        self.vectors = np.zeros((number, 2 * history, most))
        self.low_rank = np.zeros((most, most))  # the sum of all Hessians, but for their multiples of the identity

    def hessian(self, k: int) -> np.ndarray:
        """The sum of all Hessians on the first k directions."""
        return self.low_rank[:k, :k] + self.beta.sum() * np.eye(k)

    def slope(self, at: np.ndarray) -> np.ndarray:
        """The gradient of the sum of all models."""
        d = at - self.at
        along = self.values * np.einsum("ilk,ik->il", self.vectors, d)
        return self.gradient.sum(axis=0) + self.beta @ d + np.einsum("ilk,il->k", self.vectors, along)

    def curvatures(self, at: np.ndarray) -> np.ndarray:
        """For each model the quadratic form of its Hessian, from where it was evaluated to here."""
        d = at - self.at
        along = np.einsum("ilk,ik->il", self.vectors, d)
        return self.beta * (d**2).sum(axis=1) + (self.values * along**2).sum(axis=1)

    def predict(self, i: int, at: np.ndarray) -> float:
        """Model i's value."""
        return float(self.value[i] + self.gradient[i] @ (at - self.at[i]) + self.curvatures(at)[i] / 2)

    def renew(self, i: int, at: np.ndarray, value: float, gradient: np.ndarray, tiny: float) -> None:
        """Put model i's expansion here; how its gradient changed on the way goes into its history."""
        if not np.isnan(self.value[i]):
            step, change = at - self.at[i], gradient - self.gradient[i]
            lengths = np.linalg.norm(step) * np.linalg.norm(change)
            # A step too short for its change to be told from rounding would say anything of the Hessian.
            if lengths > 0 and abs(step @ change) >= tiny * lengths:
                for kept, new in ((self.steps[i], step), (self.changes[i], change)):
                    kept[1:] = kept[:-1].copy()
                    kept[0] = new
                self.pairs[i] = min(self.pairs[i] + 1, len(kept))
        self.at[i], self.value[i], self.gradient[i] = at, value, gradient

    def learn(self, i: int, active: np.ndarray, k: int) -> None:
        """Make model i's Hessian anew from its history."""
        before = self._low_rank(i)
        self.values[i], self.vectors[i] = 0, 0
        if (pairs := self.pairs[i]) == 0:
            # The median eigenvalue of what is known of all: most directions of a young subspace are still empty.
            known = np.linalg.eigvalsh(self.hessian(k))
            empty = np.full(len(self.low_rank) - k, self.beta.sum())
            self.beta[i] = np.median(np.concatenate([known, empty])) / np.count_nonzero(active)
        else:
            otherwise = self.beta[active].max()
            self.beta[i], values, vectors = hessian_of_history(
                self.steps[i, :pairs, :k], self.changes[i, :pairs, :k], otherwise
            )
            self.values[i, : len(values)], self.vectors[i, : len(values), :k] = values, vectors
        self.low_rank += self._low_rank(i) - before

    def turn(self, new: np.ndarray) -> None:
        """Take everything over to the directions that are the columns of ``new``."""
        k, fewer = new.shape
        for kept in (self.at, self.gradient, self.steps, self.changes, self.vectors):
            kept[..., :fewer] = kept[..., :k] @ new
            kept[..., fewer:] = 0
        # From all parts again, so that roundings do not add up.
        vectors = self.vectors.reshape(-1, len(self.low_rank))
        self.low_rank = (vectors.T * self.values.reshape(-1)) @ vectors

    def _low_rank(self, i: int) -> np.ndarray:
        """Hessian i, but for its multiple of the identity."""
        return (self.vectors[i].T * self.values[i]) @ self.vectors[i]


class _Seen(NamedTuple):
    """One evaluation of a subfunction: where, its value, and its gradient, as long as theta."""

    at: np.ndarray
    value: float
    gradient: np.ndarray

    def finite(self) -> bool:
        """Whether something can be learned from it."""
        return bool(np.isfinite(self.value) and np.isfinite(np.linalg.norm(self.gradient)))


class _Walk:
    """The way of theta: an observation, a step, an observation, ..."""

    def __init__(
        self,
        settings: SFO,
        subfunction: Callable[[int, np.ndarray], tuple[float, np.ndarray]] | None,
        theta: np.ndarray,
        number: int,
        rng: np.random.Generator,
    ) -> None:
        self.subfunction, self.origin, self.number, self.rng = subfunction, theta, number, rng
        most = min(3 * number + 3, theta.size)
        self.space = _Subspace(theta.size, most, theta.dtype)
        self.models = _Models(number, most, settings.history)
        self.shortest = math.sqrt(np.finfo(theta.dtype).eps)
        self.point, self.before = np.zeros(most), np.zeros(most)
        self.active = np.zeros(number, bool)
        self.active[rng.permutation(number)[:FIRST_ACTIVE]] = True
        self.models.beta[self.active] = settings.curvature
        self.counts = np.zeros(number, int)
        self.evaluations = self.bad_steps = self.since_growth = 0
        self.scale, self.way, self.promised = 1.0, 0.0, 0.0
        self.failed = False

    def theta(self) -> np.ndarray:
        """Where it stands."""
        return self.origin + self.space.vector(self.point)

    def measures(self) -> dict[str, float]:
        """What a record keeps of it."""
        owners = self, self.space, self.models
        arrays = [array for owner in owners for array in vars(owner).values() if isinstance(array, np.ndarray)]
        return {
            "active": float(np.count_nonzero(self.active)),
            "bad_steps": float(self.bad_steps),
            "directions": float(self.space.directions),
            "numbers_kept": float(sum(array.size for array in arrays)),
        }

    def observe(self) -> None:
        """Evaluate a subfunction where the last step led, and learn from it; go back if the step was bad."""
        self._make_room()
        i = self._choose()
        kept, other = self._judge(i, self._evaluate(i, self.point))
        if not kept.finite():
            raise _Lost
        self.point = kept.at
        self.way += float(np.linalg.norm(self.point - self.before))
        for seen in (other, kept):
            if seen is not None and seen.finite():
                coordinates = self.space.admit(seen.gradient)
                self.models.renew(i, seen.at, seen.value, coordinates, self.space.tiny)
        self.models.learn(i, self.active, self.space.directions)

    def step(self) -> None:
        """Go to the minimum of the sum of all models, as far as it is trusted."""
        k = self.space.directions
        hessian, slope = self.models.hessian(k), self.models.slope(self.point)[:k]
        step = -self.scale * np.linalg.solve(hessian, slope)
        length = float(np.linalg.norm(step))
        if 0 < length < self.shortest:
            step *= self.shortest / length
            length = self.shortest
        mean = self.way / self.evaluations
        if self.evaluations > self.number and 0 < mean < length / LONGEST:
            step *= LONGEST * mean / length
        self.before = self.point.copy()
        self.point[:k] += step
        self.promised = float(step @ hessian @ step) / 2
        self._grow(hessian)

    def _evaluate(self, i: int, at: np.ndarray) -> _Seen:
        """Subfunction i there."""
        self.evaluations += 1
        self.counts[i] += 1
        return _Seen(at.copy(), *self.subfunction(i, self.origin + self.space.vector(at)))

    def _choose(self) -> int:
        """The subfunction of which another evaluation says the most."""
        for number in (1, 0):
            if (few := np.flatnonzero(self.active & (self.counts == number))).size:
                return int(few[0] if number else self.rng.choice(few))
        if self.rng.random() < 0.5:
            d = (self.point - self.models.at)[:, : self.space.directions]
            far = np.einsum("ik,ik->i", d @ self.models.hessian(self.space.directions), d)
            if far[self.active].max() < SAME and self._add_active():
                return int(np.flatnonzero(self.active & (self.counts == 0))[0])
        else:
            far = self.models.curvatures(self.point)
        return int(np.where(self.active, far, -np.inf).argmax())

    def _is_bad(self, i: int, seen: _Seen) -> bool:
        """Whether the step that led here should not have been made."""
        if not seen.finite():
            return True
        if self.counts[i] == 1:
            others = self.models.value[self.counts > 1]
            return others.size > 0 and seen.value > others.mean() + 3 * others.std()
        last, expected = self.models.value[i], self.models.predict(i, seen.at)
        return seen.value > last and seen.value - expected > self.promised - (last - expected)

    def _judge(self, i: int, here: _Seen) -> tuple[_Seen, _Seen | None]:
        """What to go on from, and what else was seen on the way."""
        self.failed = self._is_bad(i, here)
        if not self.failed:
            self.scale += (1 - self.scale) / self.number
            return here, None
        self.bad_steps += 1
        self.scale = max(self.scale / 2, SMALLEST_SCALE)
        back = self._evaluate(i, self.before)
        if not back.finite():
            return here, None
        expected = abs(self.models.predict(i, here.at) - self.models.value[i])
        if not np.isfinite(expected):  # its first evaluation
            expected = abs(here.value - back.value)
        enough = 10 * max(expected, SAME) if np.isfinite(expected) else SAME
        # A Hessian learned from an explosion would be of no use near here: first come closer.
        for _ in range(BACKOFFS):
            if here.value - back.value < enough:
                break
            here = self._evaluate(i, 0.99 * self.before + 0.01 * here.at)
        return (here, back) if here.value < back.value else (back, here)

    def _grow(self, hessian: np.ndarray) -> None:
        """Let another subfunction take part, if it is time."""
        number, gradients = np.count_nonzero(self.active), self.models.gradient[self.active, : len(hessian)]
        self.since_growth += 1
        if self.counts[self.active].min() < 2:
            return
        mean = gradients.mean(axis=0)
        rest = gradients - mean
        signal = mean @ np.linalg.solve(hessian, mean)
        noise = np.sum(rest.T * np.linalg.solve(hessian, rest.T)) / (number * (number - 1))
        if noise >= NOISE * signal or self.failed or self.since_growth > number + 1:
            self._add_active()

    def _add_active(self) -> bool:
        """Let one more subfunction take part; False if all do."""
        idle = np.flatnonzero(~self.active)
        if idle.size:
            self.active[self.rng.choice(idle)] = True
            self.since_growth = 0
        return idle.size > 0

    def _make_room(self) -> None:
        """See that two more directions fit in: as many as an observation can bring."""
        k, most = self.space.directions, len(self.space.basis)
        if k + 2 <= most or most == self.origin.size:  # nothing points out of the whole space
            return
        seen = ~np.isnan(self.models.value)
        wanted = [self.models.gradient[seen], self.models.at[seen], self.point[np.newaxis], self.before[np.newaxis]]
        new = np.linalg.qr(np.concatenate(wanted)[:, :k].T)[0]
        self.space.turn(new)
        self.models.turn(new)
        for place in (self.point, self.before):
            place[: new.shape[1]] = place[:k] @ new
            place[new.shape[1] :] = 0
