"""Questions of the fifth assignment: a game that Adam loses, why, AMSGrad, and a claim of the paper on trial."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from adamcore.checks.core import Case, Mistake, Open, Question, Value, close

ROUNDS = 900
"""How long the game of question 2.3 goes on."""

PERIODS = (4, 5, 6)
"""The lengths that the period of a student's game may have."""

SHARES = (1.15, 1.25, 1.35, 1.45, 1.6)
"""By how much the steep slope of a student's game may outweigh the gentle ones."""

SCALES = ("closed form", "own simulation", "smoke", "book")
"""At which a claim may be tested."""

FIELDS = ("claim", "statement", "statistic", "threshold", "refuted_if", "seeds", "scale", "decided_before")
"""Of the registration."""

CLAIMS = tuple(f"C{number}" for number in range(1, 45))
"""The names in adamcore.experiments.claims.CLAIMS, which takes long to import; a test compares them."""


SOON = "Run on, and see whether it comes out so."
"""What is said of a prediction."""


def slope(t: int, C: float, P: int) -> float:
    """Return the slope of round t: C if t mod P = 1, otherwise -1 (after section 3 of arXiv:1904.09237).

    Parameters
    ----------
    t : int
        The round, from 1.
    C : float
        The steep slope.
    P : int
        The period, at least 2; there it is 3.

    Returns
    -------
    float

    Examples
    --------
    >>> [slope(t, 3.0, 3) for t in range(1, 6)]
    [3.0, -1.0, -1.0, 3.0, -1.0]
    """
    return C if t % P == 1 else -1.0


def regret(theta: np.ndarray, g: np.ndarray) -> float:
    """Return what a walk paid more than the best fixed point in [-1, 1], for costs f_t(theta) = g_t theta.

    Equation (5) of arXiv:1412.6980. The sum of the costs, x times the sum of the slopes, is least at an end.

    Parameters
    ----------
    theta : numpy.ndarray
        The points theta_0 to theta_T, (T + 1,); round t is paid at theta_{t-1}.
    g : numpy.ndarray
        The slopes g_1 to g_T, (T,).

    Returns
    -------
    float

    Examples
    --------
    >>> float(regret(np.array([1.0, 0.0, 0.5, 1.0]), np.array([3.0, -1.0, -1.0])))
    3.5
    """
    return np.sum(g * theta[:-1]) + abs(np.sum(g))


def standing(C: float, P: int) -> float:
    """Return the regret a round of standing at +1, if left is the better side.

    Examples
    --------
    >>> round(standing(3.0, 3), 3)
    0.667
    """
    return 2 * (C - (P - 1)) / P


def adam_step(theta, v, t, g, alpha, beta2):
    """Return theta and v after a step of Adam with beta1 = 0, held in [-1, 1].

    The Adam of arXiv:1904.09237: alpha_t = alpha / sqrt(t), no bias correction, no epsilon.

    Parameters
    ----------
    theta, v : float or numpy.ndarray
        Before the step.
    t : int
        The number of this step, from 1.
    g : float or numpy.ndarray
    alpha, beta2 : float

    Returns
    -------
    theta, v : float or numpy.ndarray

    Examples
    --------
    >>> theta, v = adam_step(0.0, 0.0, 1, 3.0, 0.5, 0.1)
    >>> round(float(theta), 3), round(float(v), 3)
    (-0.527, 8.1)
    """
    v = beta2 * v + (1 - beta2) * g**2
    return _walk(theta, t, alpha, g / np.sqrt(v)), v


def mean_regret(C: float, start: float) -> float:
    """Return the regret a round of Adam in the game with P = 3, at alpha = 0.5 and beta2 = 1 / (1 + C**2).

    Examples
    --------
    >>> round(mean_regret(3.0, 0.0), 2)
    0.67
    """
    theta, g = _play(C, start)
    return float(regret(theta, g)) / ROUNDS


def steady(g: np.ndarray, beta2: float) -> np.ndarray:
    """Return v after each slope of a period that has gone on for ever.

    After the last one it is the average of a single period over the sum of its weights, 1 - beta2**P; that is the
    bias correction of arXiv:1412.6980. From there the recursion goes once around.

    Parameters
    ----------
    g : numpy.ndarray
        The slopes of a period, (P,).
    beta2 : float
        In [0, 1).

    Returns
    -------
    numpy.ndarray
        (P,).

    Examples
    --------
    >>> steady(np.array([3.0, -1.0, -1.0]), 0.5).round(3)
    array([5.571, 3.286, 2.143])
    """
    return _around(g, beta2, _around(g, beta2, 0.0)[-1] / (1 - beta2 ** len(g)))


def drift(g: np.ndarray, beta2: float) -> float:
    """Return how far a period takes Adam to the left, in units of alpha, without walls: the sum of g / sqrt(v).

    Examples
    --------
    >>> period = np.array([3.0, -1.0, -1.0])
    >>> round(float(drift(period, 0.1)), 2), round(float(drift(period, 0.9)), 2)
    (-0.68, 0.44)
    """
    return np.sum(g / np.sqrt(steady(g, beta2)))


def turning(C: float, P: int) -> float:
    """Return the beta2 at which the drift changes its sign, by bisection.

    Examples
    --------
    >>> round(turning(3.0, 3), 4)
    0.4723
    """
    low, high = 0.0, 1 - 1e-9
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if drift(_period(C, P), middle) < 0 else (low, middle)
    return low


def amsgrad_step(theta, m, v, v_hat, t, g, alpha, beta1, beta2):
    """Return theta, m, v and v_hat after a step of AMSGrad, held in [-1, 1] (Algorithm 2 of arXiv:1904.09237).

    alpha_t = alpha / sqrt(t), no bias correction, no epsilon; v_hat is the largest v so far.

    Parameters
    ----------
    theta, m, v, v_hat : float or numpy.ndarray
        Before the step.
    t : int
        The number of this step, from 1.
    g : float or numpy.ndarray
    alpha, beta1, beta2 : float

    Returns
    -------
    theta, m, v, v_hat : float or numpy.ndarray

    Examples
    --------
    >>> theta, m, v, v_hat = amsgrad_step(0.0, 0.0, 0.0, 8.0, 4, 1.0, 0.5, 0.0, 0.5)
    >>> round(float(theta), 3), float(v), float(v_hat)
    (-0.088, 0.5, 8.0)
    """
    m, v = _moments(m, v, g, beta1, beta2)
    v_hat = np.maximum(v_hat, v)
    return _walk(theta, t, alpha, m / np.sqrt(v_hat)), m, v, v_hat


def gamma(v: np.ndarray, alpha: float) -> np.ndarray:
    """Return Gamma_2 to Gamma_T, the changes of sqrt(v_t) / alpha_t for alpha_t = alpha / sqrt(t).

    After section 3 of arXiv:1904.09237, which counts from t to t + 1.

    Parameters
    ----------
    v : numpy.ndarray
        What is under the root of the denominator, v_1 to v_T, (T,).
    alpha : float

    Returns
    -------
    numpy.ndarray
        (T - 1,).

    Examples
    --------
    >>> gamma(np.array([4.0, 2.0, 3.0]), 0.5)
    array([0., 2.])
    """
    return np.diff(np.sqrt(np.arange(1, len(v) + 1) * v)) / alpha


def _walk(theta, t, alpha, length):
    """A step of so many alpha_t, held in [-1, 1]."""
    return np.clip(theta - alpha / np.sqrt(t) * length, -1, 1)


def _moments(m, v, g, beta1, beta2):
    """Both averages after a gradient."""
    return beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2


def _play(C, start, alpha=0.5, corrected=False, P=3, C_of_beta2=None):
    """Points and slopes of the game with P = 3; in floats, since it is played for every mistake."""
    g = [slope(t, C, P) for t in range(1, ROUNDS + 1)]
    beta2 = 1 / (1 + (C if C_of_beta2 is None else C_of_beta2) ** 2)
    theta, v, power = [start], 0.0, 1.0
    for t, one in enumerate(g, start=1):
        v, power = beta2 * v + (1 - beta2) * one * one, beta2 * power
        length = one / math.sqrt(v / (1 - power) if corrected else v)
        theta.append(min(1.0, max(-1.0, theta[-1] - alpha / math.sqrt(t) * length)))
    return np.array(theta), np.array(g)


def _only_paid(theta, g):
    """The sum of the costs."""
    return np.sum(g * theta[:-1])


def _after_the_step(theta, g):
    """The regret of the points that come one round later."""
    return np.sum(g * theta[1:]) + abs(np.sum(g))


def _mean(walk, score=regret):
    """A score of a walk, a round."""
    return float(score(*walk)) / ROUNDS


def _played_as_in(answer, C, start, games):
    """Whether the walk was made with numbers of one of other games, in its beta2, its slopes or both."""
    made = {(C, P, C) for _, P in games}  # steep slope, period, and C in beta2
    for other, P in games:
        made |= {(C, 3, other), (other, 3, C), (other, 3, other), (other, P, other)}
    walks = (_play(steep, start, P=P, C_of_beta2=in_beta2) for steep, P, in_beta2 in sorted(made))
    return any(close(answer, _mean(walk), rtol=1e-6, atol=0) for walk in walks)


def _period(C, P):
    """The slopes of a period."""
    return np.array([C, *[-1.0] * (P - 1)])


def _around(g, beta2, v, power=2):
    """The average of the squares, or of another power, after each slope of a period, from v."""
    out = []
    for one in np.asarray(g, dtype=float) ** power:
        v = beta2 * v + (1 - beta2) * one
        out.append(v)
    return np.array(out)


def _corrected_step(theta, v, t, g, alpha, beta2):
    """Algorithm 1's denominator."""
    v = beta2 * v + (1 - beta2) * g**2
    return _walk(theta, t, alpha, g / np.sqrt(v / (1 - beta2**t))), v


def _adam_variant(length, new_v=None, time=lambda t: t):
    """A step with another length, another v, or another count of time."""

    def step(theta, v, t, g, alpha, beta2):
        after = (new_v or (lambda v, g, beta2: beta2 * v + (1 - beta2) * g**2))(v, g, beta2)
        return _walk(theta, time(t), alpha, length(g, after, v)), after

    return step


def _by_root(g, v, old):
    """How long Adam's step is, in units of alpha_t."""
    return g / np.sqrt(v)


def _adam_in(finish):
    """A step that treats the point and the length otherwise: finish(theta, length, t, alpha)."""

    def step(theta, v, t, g, alpha, beta2):
        v = beta2 * v + (1 - beta2) * g**2
        return finish(theta, g / np.sqrt(v), t, alpha), v

    return step


def _amsgrad_variant(largest, length=lambda m, v, v_hat, g, t, b1, b2: m / np.sqrt(v_hat), state=None):
    """AMSGrad with another maximum, another step, or another state handed back."""

    def step(theta, m, v, v_hat, t, g, alpha, beta1, beta2):
        old = (m, v, v_hat)
        m, v = _moments(m, v, g, beta1, beta2)
        v_hat = largest(old[2], v, old[1], g)
        theta = _walk(theta, t, alpha, length(m, v, v_hat, g, t, beta1, beta2))
        return (theta, *(state(old, (m, v, v_hat)) if state else (m, v, v_hat)))

    return step


def _largest(v_hat, v, old, g):
    """The right maximum."""
    return np.maximum(v_hat, v)


def _amsgrad_in(finish):
    """AMSGrad that treats the point and the length otherwise: finish(theta, length, t, alpha)."""

    def step(theta, m, v, v_hat, t, g, alpha, beta1, beta2):
        _, m, v, v_hat = amsgrad_step(theta, m, v, v_hat, t, g, alpha, beta1, beta2)
        return finish(theta, m / np.sqrt(v_hat), t, alpha), m, v, v_hat

    return step


def _corrected_before(theta, m, v, v_hat, t, g, alpha, beta1, beta2):
    """The maximum of the corrected v, with a corrected m."""
    m, v = _moments(m, v, g, beta1, beta2)
    v_hat = np.maximum(v_hat, v / (1 - beta2**t))
    return _walk(theta, t, alpha, m / (1 - beta1**t) / np.sqrt(v_hat)), m, v, v_hat


def _only_v_corrected_before(theta, m, v, v_hat, t, g, alpha, beta1, beta2):
    """The maximum of the corrected v."""
    m, v = _moments(m, v, g, beta1, beta2)
    v_hat = np.maximum(v_hat, v / (1 - beta2**t))
    return _walk(theta, t, alpha, m / np.sqrt(v_hat)), m, v, v_hat


def _fed_back(theta, m, v, v_hat, t, g, alpha, beta1, beta2):
    """The maximum in the place of v."""
    return amsgrad_step(theta, m, v_hat, v_hat, t, g, alpha, beta1, beta2)


def _rounds(rng: np.random.Generator, hidden: bool) -> list[Case]:
    """Cases for the slope."""
    C = float(rng.integers(4, 9))
    games = [
        (1, 3.0, 3),
        (2, 3.0, 3),
        (3, 3.0, 3),
        (4, 3.0, 3),
        (6, C, 5),
        (5, C, 5),
        (int(rng.integers(50, 90)), C, 4),
    ]
    if hidden:
        games += [(102, 1010.0, 101), (101, 1010.0, 101), (7, 2.5, 2), (8, 2.5, 2), (999_999_999_999, 2.5, 3)]
    return [Case((t, C, P), f"t = {t}, C = {C:g}, P = {P}") for t, C, P in games]


def _walks(rng: np.random.Generator, hidden: bool) -> list[Case]:
    """Cases for the regret."""

    def walk(T):
        return np.round(rng.uniform(-0.9, 0.9, size=T + 1), 2)

    game = np.tile([3.0, -1.0, -1.0], 4)
    cases = [
        Case((np.array([0.5, -0.75]), np.array([2.0])), "a single round"),
        Case((walk(3), np.array([3.0, -1.0, -1.0])), "one period, 3, -1, -1"),
        Case((walk(12), game), "four periods"),
        Case((walk(3), np.array([1.0, -2.0, -2.0])), "slopes 1, -2, -2"),
        Case((walk(20), rng.normal(size=20) + 0.3), "20 slopes of any size"),
        Case((walk(20), rng.normal(size=20) - 0.5), "20 slopes, most of them negative"),
    ]
    if hidden:
        cases += [
            Case((np.ones(13), game), "standing at +1"),
            Case((-np.ones(13), game), "standing at -1"),
            Case((walk(4), np.array([1, -2, 3, -2])), "slopes whose sum is zero"),
            Case((walk(5000), rng.normal(size=5000)), "5000 slopes"),
        ]
    return cases


def _steps(rng: np.random.Generator, hidden: bool) -> list[Case]:
    """Cases for a step of Adam."""
    x, v = (float(np.round(rng.uniform(*ends), 2)) for ends in ((-0.3, 0.3), (1.5, 4.0)))
    three = np.round(rng.uniform(-0.3, 0.3, size=3), 2)
    cases = [
        Case((0.0, 0.0, 1, 3.0, 0.5, 0.1), "t = 1"),
        Case((-0.5, 8.1, 2, -1.0, 0.5, 0.1), "t = 2"),
        Case((x, v, 9, -1.0, 0.5, 0.4), "t = 9"),
        Case((0.9, 2.0, 3, -3.0, 0.5, 0.6), "t = 3, close to the right end"),
        Case((-0.95, 2.0, 5, 3.0, 0.5, 0.6), "t = 5, close to the left end"),
        Case((three, np.array([4.0, 1.0, 0.5]), 4, np.array([3.0, -1.0, 2.0]), 0.2, 0.3), "t = 4, three coordinates"),
        Case((0.8, 0.5, 2, 3.0, 4.0, 0.9), "t = 2, a long step"),
    ]
    if hidden:
        cases += [
            Case((x, v, 1000, 2.0, 0.5, 0.999), "t = 1000"),
            Case((x, v, 6, -2.0, 0.5, 0.0), "beta2 = 0"),
            Case((x, v, 7, 0.0, 0.5, 0.9), "g = 0"),
            Case((three, np.zeros(3), 1, np.array([3, -1, -1]), 0.1, 0.5), "t = 1, whole numbers as slopes"),
            Case((-1.0, v, 8, 3.0, 0.5, 0.2), "a walk that stands at the left end"),
        ]
    return cases


def _maxima(rng: np.random.Generator, hidden: bool) -> list[Case]:
    """Cases for a step of AMSGrad: v_hat above the new v, and below it."""
    x, m, v = (float(np.round(rng.uniform(*ends), 2)) for ends in ((-0.3, 0.3), (-1, 1), (1.5, 4.0)))
    three = (np.round(rng.uniform(-0.3, 0.3, size=3), 2), np.array([0.5, -0.4, 0.3]), np.array([4.0, 1.0, 0.5]))
    g = np.array([3.0, -1.0, 2.0])
    cases = [
        Case((0.0, 0.0, 0.0, 0.0, 1, 3.0, 0.5, 0.9, 0.1), "t = 1"),
        Case((-0.3, 0.4, 8.1, 8.1, 2, -1.0, 0.5, 0.9, 0.1), "t = 2, a small slope after a large one"),
        Case((x, m, v, 9.0, 9, -1.0, 0.5, 0.5, 0.4), "t = 9, v_hat above v"),
        Case((x, m, v, v, 3, 5.0, 0.5, 0.5, 0.4), "t = 3, a new largest v"),
        Case((*three, np.array([5.0, 1.2, 6.0]), 4, g, 0.3, 0.8, 0.3), "t = 4, three coordinates"),
        Case((0.98, -0.9, 1.0, 1.5, 5, -2.0, 0.5, 0.3, 0.9), "t = 5, close to the right end"),
        Case((-0.98, 0.9, 1.0, 1.5, 6, 2.0, 0.5, 0.3, 0.9), "t = 6, close to the left end"),
        Case((0.9, 0.5, 0.5, 0.6, 2, 3.0, 4.0, 0.2, 0.9), "t = 2, a long step"),
    ]
    if hidden:
        cases += [
            Case((x, m, v, 2 * v, 2000, 1.0, 0.5, 0.9, 0.999), "t = 2000"),
            Case((x, m, v, 2 * v, 7, 1.0, 0.5, 0.0, 0.0), "both betas 0"),
            Case((x, m, v, v, 8, 0.0, 0.5, 0.9, 0.9), "g = 0"),
            Case((*three, three[2], 1, np.array([3, -1, -1]), 0.3, 0.9, 0.99), "whole numbers as slopes"),
            Case((*three, np.array([0.1, 50.0, 0.1]), 12, g, 0.3, 0.9, 0.5), "one coordinate with a large v_hat"),
        ]
    return cases


def _periods(rng: np.random.Generator, hidden: bool) -> list[Case]:
    """Cases for functions of a period and beta2."""
    C, P = float(rng.integers(5, 10)), int(rng.integers(4, 6))
    beta2 = float(np.round(rng.uniform(0.2, 0.8), 2))
    cases = [
        Case((_period(3.0, 3), 0.1), "the period 3, -1, -1, beta2 = 0.1"),
        Case((_period(3.0, 3), 0.9), "the period 3, -1, -1, beta2 = 0.9"),
        Case((_period(C, P), beta2), f"C = {C:g}, P = {P}, beta2 = {beta2:g}"),
        Case((np.array([-1.0, -2.0, 4.0, -0.5]), 0.6), "the period -1, -2, 4, -0.5, beta2 = 0.6"),
    ]
    if hidden:
        cases += [
            Case((_period(3.0, 3), 0.0), "beta2 = 0"),
            Case((_period(3.0, 3), 0.99999), "beta2 = 0.99999"),
            Case((10 * _period(101.0, 101), 0.999), "a period of 101"),
            Case((np.array([2, -1, 0, -3, 1]), 0.7), "a period of whole numbers, one of them 0"),
            Case((np.array([1.5]), 0.5), "a period of a single slope"),
        ]
    return cases


def _denominators(rng: np.random.Generator, hidden: bool) -> list[Case]:
    """Cases for the Gammas."""
    cases = [
        Case((np.array([4.0, 2.0, 3.0]), 0.5), "v = 4, 2, 3"),
        Case((np.full(5, 2.0), 0.1), "a constant v"),
        Case((np.round(rng.uniform(1, 9, size=6), 1), 0.5), "6 values"),
    ]
    if hidden:
        cases += [
            Case((rng.uniform(1, 9, size=3000), 0.001), "3000 values"),
            Case((np.array([9, 4, 1, 0]), 2.0), "whole numbers"),
            Case((np.array([2.0, 0.5]), 0.5), "two values"),
        ]
    return cases


def _game(rng: np.random.Generator) -> tuple[float, int]:
    """A game in which left is right, and whose drift changes its sign at a beta2 that is not close to 0 or 1."""
    P = int(rng.integers(PERIODS[0], PERIODS[-1] + 1))
    return _steep(P, rng.choice(SHARES)), P


def _steep(P: int, share: float) -> float:
    """The steep slope that outweighs the gentle ones by so much."""
    return float(np.round((P - 1) * share, 2))


def _other_games(C: float) -> list[tuple[float, int]]:
    """All games that question 1.3 may give, but those with this steep slope."""
    return [(steep, P) for P in PERIODS for share in SHARES if (steep := _steep(P, share)) != C]


def _losing(rng: np.random.Generator) -> tuple[float, float]:
    """A steep slope for P = 3, and where to start."""
    return float(rng.choice([2.5, 3.5, 4.0, 4.5, 5.0, 6.0])), float(rng.choice([-1.0, -0.75, -0.5, -0.25, 0.25, 0.5]))


def _bisected(C: float, P: int, f: Callable[[np.ndarray, float], float]) -> float:
    """Where another function changes its sign."""
    low, high = 0.0, 1 - 1e-9
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if f(_period(C, P), middle) < 0 else (low, middle)
    return low


def _predicted(answers: tuple[Any, ...], rng: np.random.Generator, hidden: bool) -> str:
    """Whether a prediction is made; which one does not matter."""
    if _is_end(answers[0]):
        return ""
    return "Write -1 or 1, the end that you predict. Either gives the mark: what counts is that you decide before."


def _three_predicted(answers: tuple[Any, ...], rng: np.random.Generator, hidden: bool) -> str:
    """Whether three predictions are made."""
    (answer,) = answers
    if isinstance(answer, tuple | list | np.ndarray) and len(answer) == 3 and all(map(_is_end, answer)):
        return ""
    return "Give three predictions, each -1 or 1, one for each beta2 in its order: (-1, -1, -1), say."


def _is_end(answer: Any) -> bool:
    """Whether this is one of the two ends of the interval."""
    return isinstance(answer, int | float | np.number) and not isinstance(answer, bool) and abs(answer) == 1


def _registration(answers: tuple[Any, ...], rng: np.random.Generator, hidden: bool) -> str:
    """What is missing in the plan of a test."""
    (plan,) = answers
    if not isinstance(plan, dict):
        return f"The registration has to be a dict with the fields {', '.join(FIELDS)}."
    if missing := [field for field in FIELDS if field not in plan]:
        return f"These fields are missing: {', '.join(missing)}. Keep all that the skeleton has."
    if not isinstance(plan["claim"], str) or plan["claim"] not in CLAIMS:
        return f"claim has to be the number of a claim in the list above, from {CLAIMS[0]} to {CLAIMS[-1]}."
    for field, question in (
        ("statement", "What exactly would be true of which numbers, if the claim held?"),
        ("statistic", "Which number will you compute, from what, and how are several runs put together?"),
    ):
        if not isinstance(plan[field], str) or len(plan[field].split()) < 6:
            return f"Fill the field {field} with a sentence. {question}"
    threshold = plan["threshold"]
    number = isinstance(threshold, int | float | np.number) and not isinstance(threshold, bool)
    if not number or not math.isfinite(threshold):
        return "threshold has to be a number: where does the statistic change from 'holds' to 'refuted'?"
    if not isinstance(plan["refuted_if"], str) or plan["refuted_if"] not in ("above", "below"):
        return 'refuted_if has to be "above" or "below": on which side of the threshold is the claim refuted?'
    seeds = plan["seeds"]
    whole = isinstance(seeds, list | tuple | np.ndarray) and all(
        isinstance(seed, int | np.integer) and not isinstance(seed, bool) and seed >= 0 for seed in seeds
    )
    if not whole or len({int(seed) for seed in seeds}) < 3:
        return "seeds has to be a list of at least three different whole numbers, such as those of your generators."
    if not isinstance(plan["scale"], str) or plan["scale"] not in SCALES:
        return f"scale has to be one of {', '.join(SCALES)}."
    if plan["decided_before"] is not True:
        return (
            "decided_before has to be True. If you have looked at results already, choose another statistic or other "
            "seeds, and write the plan before you run anything."
        )
    return ""


COUNTEREXAMPLE: dict[str, Question | Value | Open] = {
    "1.1": Question(
        title="the slopes",
        signature="slope(t, C, P)",
        reference=slope,
        cases=_rounds,
        outputs=("g",),
        mistakes=(
            Mistake(
                "steep at the end",
                lambda t, C, P: C if t % P == 0 else -1.0,
                "Your steep slope ends each period. It should open it: what is t mod P at t = 1, and at t = P?",
            ),
            Mistake(
                "steep at the second",
                lambda t, C, P: C if t % P == 2 % P else -1.0,
                "Your steep slope is in the second round of each period. Do you count rounds from 0?",
            ),
            Mistake(
                "steep once only",
                lambda t, C, P: C if t == 1 else -1.0,
                "Your steep slope comes once and never again. When does it come back?",
            ),
            Mistake(
                "signs swapped",
                lambda t, C, P: -slope(t, C, P),
                "The signs are swapped. Which of the two functions goes up with theta, C theta or -theta?",
            ),
            Mistake(
                "both go up",
                lambda t, C, P: C if t % P == 1 else 1.0,
                "All your functions go up. What is the derivative of -theta?",
            ),
            Mistake(
                "period 3 always",
                lambda t, C, P: slope(t, C, 3),
                "Your period is 3 whatever P is. Does P stand in your function?",
            ),
            Mistake(
                "C / (P - 1)",
                lambda t, C, P: C if t % P == 1 else -C / (P - 1),
                "Your gentle slopes make up for the steep one, so that no place is better. How steep is -theta?",
            ),
        ),
    ),
    "1.2": Question(
        title="the regret",
        signature="regret(theta, g)",
        reference=regret,
        cases=_walks,
        outputs=("R_T",),
        mistakes=(
            Mistake(
                "only what was paid",
                _only_paid,
                "This is what was paid. What would the best fixed point have paid?",
            ),
            Mistake(
                "after the step",
                _after_the_step,
                "Each round seems to be paid after its step. Where do you stand when f_t arrives?",
            ),
            Mistake(
                "-1 is always best",
                lambda theta, g: np.sum(g * theta[:-1]) + np.sum(g),
                "You compare with -1 always. Is it the best fixed point when the slopes add up to less than zero?",
            ),
            Mistake(
                "best of each round",
                lambda theta, g: np.sum(g * theta[:-1]) + np.sum(np.abs(g)),
                "You compare with the best point of each round. The rival is one fixed point for all rounds.",
            ),
            Mistake(
                "the worst fixed point",
                lambda theta, g: np.sum(g * theta[:-1]) - abs(np.sum(g)),
                "You compare with the worst fixed point. Is the least sum of costs positive or negative?",
            ),
            Mistake(
                "the mean",
                lambda theta, g: regret(theta, g) / len(g),
                "This is the regret a round. The question asks for the sum.",
            ),
            Mistake(
                "turned around",
                lambda theta, g: -regret(theta, g),
                "Regret is what you paid less what the best point paid. Which one do you subtract?",
            ),
            Mistake(
                "best of those visited",
                lambda theta, g: np.sum(g * theta[:-1]) - np.min(theta * np.sum(g)),
                "Your rival is the best of the visited points. It may be any point from -1 to 1.",
            ),
            Mistake(
                "the rival pays once",
                lambda theta, g: np.sum(g * theta[:-1]) + abs(np.mean(g)),
                "What the rival pays looks like a mean over the rounds. It pays in every round, as you do.",
            ),
        ),
    ),
    "1.3": Value(
        title="standing at the wrong end",
        data=_game,
        reference=standing,
        outputs=("the regret a round",),
        mistakes=(
            Mistake(
                "a period's",
                lambda C, P: P * standing(C, P),
                "This is the regret of a whole period. How many rounds has it?",
            ),
            Mistake(
                "compared with 0",
                lambda C, P: standing(C, P) / 2,
                "This is what +1 pays a round. The best point pays less than nothing; what does -1 pay?",
            ),
            Mistake(
                "P gentle rounds",
                lambda C, P: 2 * (C - P) / P,
                "How many of the P rounds are gentle? One of them is the steep one.",
            ),
            Mistake(
                "one gentle round",
                lambda C, P: 2 * (C - 1) / P,
                "You count a single gentle round. How many are there in a period?",
            ),
            Mistake(
                "gentle ones added",
                lambda C, P: 2 * (C + P - 1) / P,
                "You add all slopes by their sizes. At +1 the gentle rounds pay you something.",
            ),
        ),
    ),
    "2.1": Question(
        title="a step of Adam",
        signature="adam_step(theta, v, t, g, alpha, beta2)",
        reference=adam_step,
        cases=_steps,
        outputs=("theta", "v"),
        rtol=1e-6,
        mistakes=(
            Mistake(
                "corrected",
                _corrected_step,
                "You correct the bias of v. That is Algorithm 1 of Adam's paper; the Adam of this game does not.",
            ),
            Mistake(
                "not held",
                _adam_in(lambda theta, length, t, alpha: theta - alpha / np.sqrt(t) * length),
                "Your point leaves the interval. What happens to a move that would go beyond an end?",
            ),
            Mistake(
                "the step held",
                _adam_in(lambda theta, length, t, alpha: theta - np.clip(alpha / np.sqrt(t) * length, -1, 1)),
                "You hold the step in the interval. Which of the two must stay there, the step or the point?",
            ),
            Mistake(
                "held in [0, 1]",
                _adam_in(lambda theta, length, t, alpha: np.clip(theta - alpha / np.sqrt(t) * length, 0, 1)),
                "Your point never goes below 0. Where is the left end of the interval?",
            ),
            Mistake(
                "constant alpha",
                _adam_variant(_by_root, time=lambda t: 1),
                "Your step size is the same at every t. What is alpha_t?",
            ),
            Mistake(
                "alpha / t",
                _adam_variant(_by_root, time=lambda t: t**2),
                "Your step size falls too fast after the first step. What of t does alpha_t have below the line?",
            ),
            Mistake(
                "t counts from 0",
                _adam_variant(_by_root, time=lambda t: t + 1),
                "Your step size is one step ahead. The t that you get is 1 at the first step; is one added to it?",
            ),
            Mistake(
                "no root",
                _adam_variant(lambda g, v, old: g / v),
                "You divide by v. Its unit is that of a squared slope; what has to be done to it first?",
            ),
            Mistake(
                "uphill",
                _adam_variant(lambda g, v, old: -g / np.sqrt(v)),
                "Your step goes uphill. A positive slope should lower theta.",
            ),
            Mistake(
                "old v",
                _adam_variant(lambda g, v, old: g / np.sqrt(old)),
                "You divide by the v from before this step. Is v updated before it is used?",
            ),
            Mistake(
                "weights swapped",
                _adam_variant(_by_root, lambda v, g, beta2: (1 - beta2) * v + beta2 * g**2),
                "Which of the two gets beta2: the old v or the new squared slope?",
            ),
            Mistake(
                "a sum",
                _adam_variant(_by_root, lambda v, g, beta2: v + g**2),
                "Your v is a sum, as AdaGrad has it: it never forgets. By what are v and the new square multiplied?",
            ),
            Mistake(
                "no 1 - beta2",
                _adam_variant(_by_root, lambda v, g, beta2: beta2 * v + g**2),
                "By what is the new square multiplied in an average?",
            ),
            Mistake(
                "the slope alone",
                _adam_variant(lambda g, v, old: g),
                "This is a step of gradient descent. Where is the slope divided by its recent size?",
            ),
            Mistake(
                "the sign alone",
                _adam_variant(lambda g, v, old: np.sign(g)),
                "Your steps all have length alpha_t. Do you divide by the size of g, instead of the root of v?",
            ),
        ),
    ),
    "2.2": Open(title="that you predict", examiner=_predicted, noted=SOON),
    "2.3": Value(
        title="a game of your own",
        data=_losing,
        reference=mean_regret,
        outputs=("R_T / T",),
        mistakes=(
            Mistake(
                "not divided",
                lambda C, start: ROUNDS * mean_regret(C, start),
                "This is R_T. Divide it by the number of rounds.",
            ),
            Mistake(
                "a period's",
                lambda C, start: 3 * mean_regret(C, start),
                "This is the regret of a period. Divide by the number of rounds, not of periods.",
            ),
            Mistake(
                "the formula",
                lambda C, start: standing(C, 3),
                "This is what standing at +1 would cost. The walk needs some rounds to get there; what did it pay?",
            ),
            Mistake(
                "from 0",
                lambda C, start: mean_regret(C, 0.0),
                "This is the walk from 0. From which point does yours start?",
            ),
            Mistake(
                "corrected",
                lambda C, start: _mean(_play(C, start, corrected=True)),
                "Here Adam corrects the bias of v. Use your own adam_step, as question 2.1 describes it.",
            ),
            Mistake(
                "alpha 1",
                lambda C, start: _mean(_play(C, start, alpha=1.0)),
                "This is the walk with alpha = 1. Which alpha does the question give?",
            ),
            Mistake(
                "after the step",
                lambda C, start: _mean(_play(C, start), _after_the_step),
                "Each round seems to be paid after its step. Use your own regret, as question 1.2 describes it.",
            ),
            Mistake(
                "numbers of 1.3",
                lambda C, start: _mean(_play(C, start, C_of_beta2=_other_games(C)[0][0])),
                "The C or the P of question 1.3 seems to be in your run, perhaps in its beta2 alone. Which ones does "
                "this question give you?",
                fits=lambda answer, C, start: _played_as_in(answer, C, start, _other_games(C)),
            ),
            Mistake(
                "only what was paid",
                lambda C, start: _mean(_play(C, start), _only_paid),
                "This is what was paid a round. Compare with the best fixed point.",
            ),
        ),
    ),
    "3.1": Question(
        title="v in the long run",
        signature="steady(g, beta2)",
        reference=steady,
        cases=_periods,
        outputs=("v",),
        mistakes=(
            Mistake(
                "from zero",
                lambda g, beta2: _around(g, beta2, 0.0),
                "This is the first period, from v = 0. What is v before a period, in the long run?",
            ),
            Mistake(
                "corrected at each slope",
                lambda g, beta2: _around(g, beta2, 0.0) / (1 - beta2 ** np.arange(1, len(g) + 1.0)),
                "The last value is right. Why not the others? Before the first slope v is not 0; go around again.",
            ),
            Mistake(
                "the mean of the squares",
                lambda g, beta2: np.full(len(g), np.mean(np.asarray(g, dtype=float) ** 2)),
                "This is the mean of the squares, the limit for beta2 near 1. What does v do within a period?",
            ),
            Mistake(
                "before each slope",
                lambda g, beta2: np.roll(steady(g, beta2), 1),
                "These are the values before each slope. The question asks for those after it.",
            ),
            Mistake(
                "starts from the first value",
                lambda g, beta2: _around(g, beta2, steady(g, beta2)[0]),
                "You go around from the v after the first slope. After which slope of the last period do you start?",
            ),
            Mistake(
                "divided by 1 - beta2",
                lambda g, beta2: _around(g, beta2, _around(g, beta2, 0.0)[-1] / (1 - beta2)),
                "A whole period goes by before v is the same again. What is left of an old v after P slopes?",
            ),
            Mistake(
                "slopes not squared",
                lambda g, beta2: _around(g, beta2, _around(g, beta2, 0.0, 1)[-1] / (1 - beta2 ** len(g)), 1),
                "v averages squares. Are your slopes squared?",
            ),
            Mistake(
                "no 1 - beta2",
                lambda g, beta2: steady(g, beta2) / (1 - beta2),
                "By what is each new square multiplied in an average?",
            ),
            Mistake(
                "weights swapped",
                lambda g, beta2: steady(g, 1 - beta2),
                "Which of the two gets beta2: the old v or the new squared slope?",
            ),
            Mistake(
                "the root",
                lambda g, beta2: np.sqrt(steady(g, beta2)),
                "This is the root of v. Give v itself; the root comes in the next question.",
            ),
        ),
    ),
    "3.2": Question(
        title="the drift",
        signature="drift(g, beta2)",
        reference=drift,
        cases=_periods,
        outputs=("the drift",),
        mistakes=(
            Mistake(
                "to the right",
                lambda g, beta2: -drift(g, beta2),
                "The sign is turned: positive is to the left here. Which way does a positive slope send theta?",
            ),
            Mistake(
                "no root",
                lambda g, beta2: np.sum(g / steady(g, beta2)),
                "You divide by v itself. What does Adam divide by?",
            ),
            Mistake(
                "a step's",
                lambda g, beta2: drift(g, beta2) / len(g),
                "This is the mean of a step. The question asks for a whole period.",
            ),
            Mistake(
                "from zero",
                lambda g, beta2: np.sum(g / np.sqrt(_around(g, beta2, 0.0))),
                "This is the first period, from v = 0. Which v belongs to a game that has gone on for long?",
            ),
            Mistake(
                "v before the slope",
                lambda g, beta2: np.sum(g / np.sqrt(np.roll(steady(g, beta2), 1))),
                "Each slope is divided by the v before it. Adam updates v first, and then divides.",
            ),
            Mistake(
                "one denominator",
                lambda g, beta2: np.sum(g) / np.sqrt(np.mean(steady(g, beta2))),
                "You divide all slopes by the same number. Each has its own v, and that is the point of the example.",
            ),
            Mistake(
                "the last denominator",
                lambda g, beta2: np.sum(g) / np.sqrt(steady(g, beta2)[-1]),
                "You divide all slopes by the v at the end of the period. Each has its own.",
            ),
            Mistake(
                "signs alone",
                lambda g, beta2: np.sum(np.sign(g)),
                "You count slopes by their signs. That is right for beta2 = 0; what does v remember otherwise?",
            ),
            Mistake(
                "sizes added",
                lambda g, beta2: np.sum(np.abs(g) / np.sqrt(steady(g, beta2))),
                "You add up the lengths of all steps. Some of them go the other way.",
            ),
            Mistake(
                "the last slope missing",
                lambda g, beta2: np.sum((g / np.sqrt(steady(g, beta2)))[:-1]),
                "The last slope of the period is missing in your sum.",
            ),
            Mistake(
                "a product of sums",
                lambda g, beta2: np.sum(g) / np.sum(np.sqrt(steady(g, beta2))),
                "You divide a sum by a sum. Divide each slope by its own root first, and add afterwards.",
            ),
        ),
    ),
    "3.3": Value(
        title="where it turns",
        data=_game,
        seed="1.3",
        reference=turning,
        outputs=("beta2",),
        rtol=2e-4,
        mistakes=(
            Mistake(
                "the left end",
                lambda C, P: 0.0,
                "Your bisection ran to the left end. Which half do you keep if the drift in the middle is negative?",
            ),
            Mistake(
                "the right end",
                lambda C, P: 1.0,
                "Your bisection ran to the right end. Which half do you keep if the drift in the middle is positive?",
            ),
            Mistake(
                "the first middle",
                lambda C, P: 0.5,
                "This is the middle of the first interval. How often does your loop halve it?",
            ),
            Mistake(
                "that of the theorem",
                lambda C, P: 1 / (1 + C**2),
                "This is the beta2 that Reddi, Kale and Kumar choose for P = 3. Your game loses there, too, but the "
                "turn is somewhere above it.",
            ),
            Mistake(
                "a gentle slope short",
                lambda C, P: turning(C, P - 1),
                "This looks like a game with a shorter period. Has yours P slopes, one steep and P - 1 gentle?",
            ),
            Mistake(
                "C = 3, P = 3",
                lambda C, P: turning(3.0, 3),
                "This is the turn of the game with C = 3 and P = 3. Which C and P are yours?",
            ),
            Mistake(
                "its complement",
                lambda C, P: 1 - turning(C, P),
                "This is 1 - beta2 at the turn.",
            ),
            Mistake(
                "no root",
                lambda C, P: _bisected(C, P, lambda g, beta2: np.sum(g / steady(g, beta2))),
                "Here the drift has no roots. Is your answer to 3.2 right by now?",
            ),
            Mistake(
                "from zero",
                lambda C, P: _bisected(C, P, lambda g, beta2: np.sum(g / np.sqrt(_around(g, beta2, 0.0)))),
                "This is the turn of the first period, from v = 0. Is your answer to 3.1 right by now?",
            ),
        ),
    ),
    "3.4": Open(title="that you predict", examiner=_three_predicted, noted=SOON),
    "4.1": Question(
        title="a step of AMSGrad",
        signature="amsgrad_step(theta, m, v, v_hat, t, g, alpha, beta1, beta2)",
        reference=amsgrad_step,
        cases=_maxima,
        outputs=("theta", "m", "v", "v_hat"),
        rtol=1e-6,
        mistakes=(
            Mistake(
                "maximum not kept",
                _amsgrad_variant(lambda v_hat, v, old, g: v),
                "Your v_hat is the new v: that is Adam. What of the v_hat that came in?",
            ),
            Mistake(
                "of the last two",
                _amsgrad_variant(lambda v_hat, v, old, g: np.maximum(old, v)),
                "Your maximum is over the last two v. Which of the arguments holds the largest of all before?",
            ),
            Mistake(
                "of the squares",
                _amsgrad_variant(lambda v_hat, v, old, g: np.maximum(v_hat, g**2)),
                "Your maximum is over the squared slopes themselves. Of what is it in AMSGrad?",
            ),
            Mistake(
                "old v in the maximum",
                _amsgrad_variant(lambda v_hat, v, old, g: np.maximum(v_hat, old)),
                "The maximum is one step late. Is v updated before it is compared?",
            ),
            Mistake(
                "minimum",
                _amsgrad_variant(lambda v_hat, v, old, g: np.minimum(v_hat, v)),
                "You take the smaller of the two. Which way must the denominator never go?",
            ),
            Mistake(
                "coordinates mixed",
                _amsgrad_variant(lambda v_hat, v, old, g: np.maximum(v_hat, np.max(v)) + 0 * v),
                "The largest v of all coordinates serves for each. Every coordinate has a maximum of its own.",
            ),
            Mistake(
                "fed back into v",
                _fed_back,
                "Your v goes on from v_hat. The average goes on from v; v_hat is only read.",
            ),
            Mistake(
                "v replaced by v_hat",
                _amsgrad_variant(_largest, state=lambda old, new: (new[0], new[2], new[2])),
                "You hand back v_hat in the place of v. Then the next average starts from the maximum; keep both.",
            ),
            Mistake(
                "divided by v",
                _amsgrad_variant(_largest, lambda m, v, v_hat, g, t, b1, b2: m / np.sqrt(v)),
                "v_hat is right, but the step does not use it: it divides by the root of v.",
            ),
            Mistake(
                "corrected after the maximum",
                _amsgrad_variant(
                    _largest,
                    lambda m, v, v_hat, g, t, b1, b2: m / (1 - b1**t) / np.sqrt(v_hat / (1 - b2**t)),
                ),
                "You correct both biases after the maximum, as PyTorch does. The paper's version corrects nothing.",
            ),
            Mistake(
                "corrected before the maximum",
                _corrected_before,
                "You take the maximum of the corrected v, as optax does, and correct m. The paper corrects nothing.",
            ),
            Mistake(
                "v corrected before the maximum",
                _only_v_corrected_before,
                "You take the maximum of the corrected v. The paper's v_hat has a hat for the maximum, not for that.",
            ),
            Mistake(
                "m corrected",
                _amsgrad_variant(_largest, lambda m, v, v_hat, g, t, b1, b2: m / (1 - b1**t) / np.sqrt(v_hat)),
                "You correct the bias of m. The paper's AMSGrad takes m as it is.",
            ),
            Mistake(
                "v corrected after the maximum",
                _amsgrad_variant(_largest, lambda m, v, v_hat, g, t, b1, b2: m / np.sqrt(v_hat / (1 - b2**t))),
                "You correct the bias of v_hat. The paper's AMSGrad takes it as it is.",
            ),
            Mistake(
                "no momentum",
                _amsgrad_variant(_largest, lambda m, v, v_hat, g, t, b1, b2: g / np.sqrt(v_hat)),
                "m is right, but the step uses the slope itself. What stands above the line?",
            ),
            Mistake(
                "no root",
                _amsgrad_variant(_largest, lambda m, v, v_hat, g, t, b1, b2: m / v_hat),
                "You divide by v_hat itself. What has to be done to it first?",
            ),
            Mistake(
                "old state",
                _amsgrad_variant(_largest, state=lambda old, new: old),
                "theta moves as it should, but m, v and v_hat come back as they went in. Which do you return?",
            ),
            Mistake(
                "not held",
                _amsgrad_in(lambda theta, length, t, alpha: theta - alpha / np.sqrt(t) * length),
                "Your point leaves the interval. What happens to a move that would go beyond an end?",
            ),
            Mistake(
                "the step held",
                _amsgrad_in(lambda theta, length, t, alpha: theta - np.clip(alpha / np.sqrt(t) * length, -1, 1)),
                "You hold the step in the interval. Which of the two must stay there, the step or the point?",
            ),
            Mistake(
                "constant alpha",
                _amsgrad_in(lambda theta, length, t, alpha: np.clip(theta - alpha * length, -1, 1)),
                "Your step size is the same at every t. What is alpha_t?",
            ),
            Mistake(
                "betas swapped",
                lambda theta, m, v, v_hat, t, g, alpha, beta1, beta2: amsgrad_step(
                    theta, m, v, v_hat, t, g, alpha, beta2, beta1
                ),
                "Which beta belongs to m, and which to v?",
            ),
        ),
    ),
    "4.2": Open(title="that you predict", examiner=_predicted, noted=SOON),
    "5.1": Question(
        title="the Gammas",
        signature="gamma(v, alpha)",
        reference=gamma,
        cases=_denominators,
        outputs=("Gamma",),
        mistakes=(
            Mistake(
                "constant alpha",
                lambda v, alpha: np.diff(np.sqrt(v)) / alpha,
                "Your step size does not depend on t. What is 1 / alpha_t, and how does it grow?",
            ),
            Mistake(
                "turned around",
                lambda v, alpha: -gamma(v, alpha),
                "The sign is turned around. Which of the two is subtracted, the earlier or the later?",
            ),
            Mistake(
                "no root of v",
                lambda v, alpha: np.diff(np.sqrt(np.arange(1, len(v) + 1)) * v) / alpha,
                "You take differences of v itself. What does Adam divide by?",
            ),
            Mistake(
                "t without root",
                lambda v, alpha: np.diff(np.arange(1, len(v) + 1) * np.sqrt(v)) / alpha,
                "1 / alpha_t grows too fast here. How does alpha_t fall with t?",
            ),
            Mistake(
                "t from 0",
                lambda v, alpha: np.diff(np.sqrt(np.arange(len(v)) * v)) / alpha,
                "Your t starts at 0. The first v is v_1; what is the first alpha_t?",
            ),
            Mistake(
                "step sizes",
                lambda v, alpha: np.diff(alpha / np.sqrt(np.arange(1, len(v) + 1) * v)),
                "These are changes of the step size. Gamma is the change of its inverse.",
            ),
            Mistake(
                "times alpha_t",
                lambda v, alpha: np.diff(alpha / np.sqrt(np.arange(1, len(v) + 1)) * np.sqrt(v)),
                "You multiply the root by alpha_t. It is divided by it.",
            ),
            Mistake(
                "the same t",
                lambda v, alpha: np.sqrt(np.arange(2, len(v) + 1)) * np.diff(np.sqrt(v)) / alpha,
                "You use the new alpha_t for both terms. The earlier root belongs to the earlier step size.",
            ),
            Mistake(
                "no alpha",
                lambda v, alpha: alpha * gamma(v, alpha),
                "Where is alpha? The step sizes are alpha / sqrt(t).",
            ),
        ),
    ),
    "6.1": Open(title="the registration", examiner=_registration),
}
"""A game that Adam loses, AMSGrad, and a claim of the paper on trial."""
