"""Online learning: a rule meets one function after the other, pays for each, and its regret is counted."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from adamcore.experiments.train import FIRST, History, Streams, digest
from adamcore.models import Layout
from adamcore.optim import Rule, from_dict
from adamcore.optim.schedules import Schedule

if TYPE_CHECKING:
    from adamcore.experiments.problems import Problem


class FeatureHinge:
    r"""Hinge losses on examples with one feature each, for several numbers of features at once.

    .. math:: f_t(\theta) = \sum_d \left[ 1 - y_{t,d}\, \theta^{(d)}_{i(t,d)} \right]_+

    For each number d of features, theta has a part of its own: d weights, of which an example's only feature,
    i(t, d), picks one. The label y is 1 or -1. The parts have nothing in common but the rule and the clock: they are
    as many problems, put side by side because that is faster.

    Parameters
    ----------
    numbers : tuple of int
        How many features each of the problems has.

    Attributes
    ----------
    layout : Layout
        A part ``d4`` (4,) for 4 features, and so on.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore.experiments.online import FeatureHinge
    >>> model = FeatureHinge((2, 3))
    >>> batch = np.array([[1, 4]]), np.array([[1, -1]])  # places in theta: the second of two, the third of three
    >>> loss, gradient = model.loss_and_grad(model.init(None), batch)
    >>> loss, gradient.tolist()
    (2.0, [0.0, -1.0, 0.0, 0.0, 1.0])
    """

    def __init__(self, numbers: tuple[int, ...]) -> None:
        self.numbers = tuple(numbers)
        self.layout = Layout(**{f"d{number}": (number,) for number in self.numbers})

    def init(self, rng: np.random.Generator) -> np.ndarray:
        """Return the initial theta: zeros. ``rng`` is not used."""
        return self.layout.zeros()

    def loss_and_grad(
        self, theta: np.ndarray, batch: tuple[np.ndarray, np.ndarray], rng: np.random.Generator | None = None
    ) -> tuple[float, np.ndarray]:
        """Return the mean loss of examples and its gradient.

        Parameters
        ----------
        theta : numpy.ndarray
        batch : tuple
            For each example the places of its features in theta, and its labels; both (n, numbers of features).
        rng : numpy.random.Generator, optional
            Not used.
        """
        places, labels = batch
        slack = 1 - labels * theta[places]
        gradient = np.zeros_like(theta)
        np.add.at(gradient, places, (-labels * (slack > 0) / len(places)).astype(theta.dtype))
        return float(np.maximum(slack, 0).sum() / len(places)), gradient

    def penalty(self, theta: np.ndarray) -> float:
        """Return 0: the losses are all there is."""
        return 0.0

    def least(self, data: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        """Return the cost of all examples at the best fixed theta, for each number of features.

        A weight that meets p labels of 1 and q of -1 pays p [1 - theta]_+ + q [1 + theta]_+. Between -1 and 1 that is
        a straight line, outside it grows: the least is 2 min(p, q), at 1 or at -1.
        """
        places, labels = data
        size = self.layout.size
        p, q = (
            np.bincount(places.ravel(), weights=(labels == sign).ravel().astype(float), minlength=size)
            for sign in (1, -1)
        )
        return np.array([2 * part.sum() for part in vars(self.layout.views(np.minimum(p, q))).values()])


def power_law(
    n: int, numbers: tuple[int, ...], power: float, flips: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw examples for :class:`FeatureHinge`: feature i with a probability in proportion to i to the power -power.

    Parameters
    ----------
    n : int
        Examples.
    numbers : tuple of int
        How many features there are, for each of the problems.
    power : float
    flips : float
        The share of labels that are -1. Every weight's best value is 1 then: since rules treat a weight and its
        negative alike, and start from zero, nothing is lost by that.
    rng : numpy.random.Generator

    Returns
    -------
    places : numpy.ndarray
        (n, numbers of features), where in theta each example's feature stands.
    labels : numpy.ndarray
        Of the same shape, 1 or -1.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore.experiments.online import power_law
    >>> places, labels = power_law(100_000, (4,), power=2.0, flips=0.25, rng=np.random.default_rng(0))
    >>> (np.bincount(places[:, 0]) / 100_000).round(2)  # in proportion to 1, 1/4, 1/9, 1/16
    array([0.7 , 0.18, 0.08, 0.04])
    >>> (labels == -1).mean().round(2)
    np.float64(0.25)
    """
    columns = []
    for start, number in zip(np.cumsum([0, *numbers[:-1]]), numbers, strict=True):
        often = np.arange(1, number + 1) ** -float(power)
        columns.append(start + rng.choice(number, size=n, p=often / often.sum()))
    labels = np.where(rng.random((n, len(numbers))) < flips, -1, 1)
    return np.stack(columns, axis=1).astype(np.int32), labels.astype(np.int8)


@dataclass(frozen=True)
class Online:
    r"""A rule that plays a stream of :class:`FeatureHinge` losses once, with many step sizes at a time.

    Before it sees :math:`f_t`, it stands at :math:`\theta_{t-1}`, and pays :math:`f_t(\theta_{t-1})`. Its regret is
    what it paid more than the best fixed point would have,

    .. math:: R(T) = \sum_{t=1}^T f_t(\theta_{t-1}) - \min_\theta \sum_{t=1}^T f_t(\theta),

    which :meth:`FeatureHinge.least` knows exactly.

    The steps of SGD, AdaGrad and Adam are alpha times something that only the gradients determine. So a run with step
    size alpha is one with step size 1 for :math:`\theta / \alpha`, and all step sizes and all numbers of features are
    played as one long theta, each with its own gradients. Rules act coordinate by coordinate: to them it is the same.

    Parameters
    ----------
    of : Rule
        The rule, with ``alpha`` 1, or a schedule whose ``alpha`` is 1, and no weight decay; or its plain data.
    alphas : tuple of float
        The step sizes in its place.

    Raises
    ------
    ValueError
        If the rule's alpha is not 1, it has a weight decay or acts on more than one coordinate at a time, or there is
        no step size, or one that is not above 0.

    Notes
    -----
    It is no rule, since it counts more than one cost: a run calls :meth:`minimize`, and does not go on where a killed
    one stopped.

    Examples
    --------
    >>> from adamcore.experiments.online import Online
    >>> from adamcore.experiments.problems import make_problem
    >>> from adamcore.experiments import streams
    >>> from adamcore.optim import AdaGrad
    >>> problem = make_problem("sparse_stream", {"n_train": 2000, "numbers": (2, 8)})
    >>> history = Online(AdaGrad(alpha=1.0), alphas=(0.01, 1.0)).minimize(problem, 1, streams(0))
    >>> for name, regret in history.measures[0].items():
    ...     print(name, round(regret))
    d=2, alpha=0.01 726
    d=2, alpha=1 45
    d=8, alpha=0.01 815
    d=8, alpha=1 75
    """

    of: Rule
    alphas: tuple[float, ...]

    def __post_init__(self) -> None:
        rule = self.of if isinstance(self.of, Rule) else from_dict(self.of)
        object.__setattr__(self, "of", rule)
        object.__setattr__(self, "alphas", tuple(float(alpha) for alpha in self.alphas))
        if not hasattr(rule, "alpha") or hasattr(rule, "weight_decay") or not rule.elementwise:
            raise ValueError(
                f"Online: of = {rule!r} is not allowed; its steps must be alpha times something that only the "
                "gradients of a coordinate determine, as those of SGD, AdaGrad and Adam."
            )
        if (rule.alpha.alpha if isinstance(rule.alpha, Schedule) else rule.alpha) != 1:
            raise ValueError(f"Online: of = {rule!r} is not allowed; its alpha must be 1, alphas stand in its place.")
        if not self.alphas or not min(self.alphas) > 0:
            raise ValueError(f"Online: alphas = {self.alphas!r} is not allowed; give step sizes above 0.")

    def __str__(self) -> str:
        return f"{self.of} at {len(self.alphas)} step sizes"

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain data.

        Examples
        --------
        >>> from adamcore.experiments.online import Online
        >>> from adamcore.optim import SGD
        >>> Online(SGD(alpha=1.0), (0.1, 1.0)).to_dict()
        {'rule': 'Online', 'of': {'rule': 'SGD', 'alpha': 1.0}, 'alphas': [0.1, 1.0]}
        """
        return {"rule": type(self).__name__, "of": self.of.to_dict(), "alphas": list(self.alphas)}

    def minimize(self, problem: Problem, epochs: int, streams: Streams, steps: int | None = None) -> History:
        """Play a problem's examples once, in an order that the streams decide.

        Parameters
        ----------
        problem : Problem
            Whose model is a :class:`FeatureHinge`.
        epochs : int
            1: in a second pass nothing would be new.
        streams : Streams
        steps : int, optional
            Play only so many examples.

        Returns
        -------
        History
            ``measures`` has one entry: for each step size and number of features, ``"d=4, alpha=0.1"``, the regret.
            ``epoch_cost`` is the mean cost of an example over all of them.

        Raises
        ------
        ValueError
            If ``epochs`` is not 1.
        """
        if epochs != 1:
            raise ValueError(f"Online: epochs = {epochs!r} is not allowed; a stream is played once.")
        model, alphas = problem.model, np.array(self.alphas)[:, np.newaxis]
        order = streams.order.permutation(len(problem.data[0]))[:steps]
        places, labels = (array[order] for array in problem.data)
        s = self.of.init(np.zeros((len(self.alphas), model.layout.size)))
        gradient = np.zeros_like(s.theta)
        paid = np.zeros((len(self.alphas), len(model.numbers)))
        first = []
        begin = time.perf_counter()
        for here, y in zip(places, labels.astype(float), strict=True):
            slack = 1 - (y * alphas) * s.theta[:, here]
            loss = np.maximum(slack, 0)
            paid += loss
            if len(first) < FIRST:
                first.append(float(loss.mean()))
            gradient[:, here] = (slack > 0) * -y
            self.of.step(s, gradient, inplace=True, check_finite=False)
            gradient[:, here] = 0
        cost = float(paid.mean() / len(places))
        regret = paid - model.least((places, labels))
        return History(
            s,
            epoch_objective=[cost],
            epoch_cost=[cost],
            first_losses=first,
            measures=[
                {
                    f"d={number}, alpha={alpha:g}": float(regret[i, j])
                    for j, number in enumerate(model.numbers)
                    for i, alpha in enumerate(self.alphas)
                }
            ],
            epoch_seconds=[time.perf_counter() - begin],
            start={"theta_0": digest(s.theta[:0]), "order": digest(order)},
        )
