"""Questions of the third assignment: which of seven Adams is right, and what is wrong with the others.

The suspects are texts, so that a student reads what is run. Each student gets six guilty ones, one of each kind, and
an innocent one, in an order of the student's own.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from adamcore.checks.algorithms import adam_step
from adamcore.checks.core import Case, Mistake, Question, Value

LETTERS = "abcdefg"
"""What the suspects are called."""


@dataclass(frozen=True)
class Suspect:
    """A step of Adam that is right, or has one line wrong.

    Attributes
    ----------
    source : str
        The text of a function ``step(theta, m, v, t, g, alpha, beta1, beta2, eps)`` that returns theta, m and v.
    line : int
        The line that is wrong, counted from 1; 0 if none is.
    kind : str
        What is wrong with it, in the assignment's words.
    accused : tuple of tuple
        For an innocent one: two accusations that look right.
    """

    source: str
    line: int = 0
    kind: str = "innocent"
    accused: tuple[tuple[int, str], ...] = ()

    @property
    def truth(self) -> tuple[int, str]:
        """What the student has to find."""
        return self.line, self.kind


def _suspect(body: str, *truth: Any, head: str = "beta1, beta2", **more: Any) -> Suspect:
    """A suspect whose text begins with the usual line."""
    return Suspect(f"def step(theta, m, v, t, g, alpha, {head}, eps):\n{body.strip(chr(10))}\n", *truth, **more)


INNOCENT = (
    _suspect(
        """
    m = m + (1 - beta1) * (g - m)
    v = v + (1 - beta2) * (g * g - v)
    root = np.sqrt(1 - beta2**t)
    alpha_t = alpha * root / (1 - beta1**t)
    eps_t = eps * root
    theta = theta - alpha_t * m / (np.sqrt(v) + eps_t)
    return theta, m, v
""",
        accused=((6, "epsilon"), (5, "bias correction")),
    ),
    _suspect(
        """
    m = g - beta1 * (g - m)
    v = g**2 - beta2 * (g**2 - v)
    known = 1 - np.array([beta1, beta2]) ** t
    width = eps + (v / known[1]) ** 0.5
    theta = theta - alpha / width * m / known[0]
    return theta, m, v
""",
        accused=((2, "memory"), (5, "epsilon")),
    ),
)
"""Right ones that do not look like Algorithm 1."""

GUILTY = (
    (
        _suspect(
            """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta1**t)
    theta = theta - alpha * m_hat / (np.sqrt(v_hat) + eps)
    return theta, m, v
""",
            4,
            "bias correction",
        ),
        _suspect(
            """
    m = (1 - beta1) * g + beta1 * m
    v = (1 - beta2) * g**2 + beta2 * v
    ratio = np.sqrt((1 - beta2**t) / (1 - beta1**t))
    below = np.sqrt(v) + eps * np.sqrt(1 - beta2**t)
    theta = theta - alpha * ratio * m / below
    return theta, m, v
""",
            4,
            "bias correction",
        ),
    ),
    (
        _suspect(
            """
    m = m + (1 - beta1) * (g - m)
    v = v + (1 - beta2) * (g**2 - v)
    mean = m / (1 - beta1**t)
    size = np.sqrt(v / (1 - beta2**t) + eps)
    theta = theta - alpha * mean / size
    return theta, m, v
""",
            5,
            "epsilon",
        ),
        _suspect(
            """
    first, second = 1 - beta1**t, 1 - beta2**t
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    size = np.maximum(np.sqrt(v / second), eps)
    theta = theta - alpha * (m / first) / size
    return theta, m, v
""",
            5,
            "epsilon",
        ),
    ),
    (
        _suspect(
            """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    theta = theta - alpha * m_hat / (np.sqrt(v_hat) + eps)
    return theta, m, v
""",
            1,
            "memory",
            head="beta2, beta1",
        ),
        _suspect(
            """
    m = (1 - beta1) * g + beta1 * m
    v = np.maximum(v, (1 - beta2) * g**2 + beta2 * v)
    alpha_t = alpha / (1 - beta1**t)
    size = np.sqrt(v / (1 - beta2**t)) + eps
    theta = theta - alpha_t * m / size
    return theta, m, v
""",
            3,
            "memory",
        ),
    ),
    (
        _suspect(
            """
    g = np.clip(g, -1, 1)
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    change = m / (1 - beta1**t)
    change = change / (np.sqrt(v / (1 - beta2**t)) + eps)
    theta = theta - alpha * change
    return theta, m, v
""",
            2,
            "gradient",
        ),
        _suspect(
            """
    g = np.sign(g) * np.log1p(np.abs(g))
    m = m + (1 - beta1) * (g - m)
    v = beta2 * v + (1 - beta2) * g**2
    v_hat = v / (1 - beta2**t)
    change = m / (1 - beta1**t) / (np.sqrt(v_hat) + eps)
    theta = theta - alpha * change
    return theta, m, v
""",
            2,
            "gradient",
        ),
    ),
    (
        _suspect(
            """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * np.mean(g**2)
    m_hat = m / (1 - beta1**t)
    size = np.sqrt(v / (1 - beta2**t)) + eps
    theta = theta - alpha / size * m_hat
    return theta, m, v
""",
            3,
            "coordinates",
        ),
        _suspect(
            """
    m = (1 - beta1) * g + beta1 * m
    v = (1 - beta2) * g * g + beta2 * v
    v_hat = v / (1 - beta2**t)
    size = np.sqrt(v_hat).max() + eps
    theta = theta - alpha * m / (1 - beta1**t) / size
    return theta, m, v
""",
            5,
            "coordinates",
        ),
    ),
    (
        _suspect(
            """
    m = m + (1 - beta1) * (g - m)
    v += (1 - beta2) * (g**2 - v)
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    theta = theta - alpha * m_hat / (np.sqrt(v_hat) + eps)
    return theta, m, v
""",
            3,
            "arguments",
        ),
        _suspect(
            """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    size = np.sqrt(v / (1 - beta2**t)) + eps
    theta -= alpha * m / (1 - beta1**t) / size
    return theta, m, v
""",
            5,
            "arguments",
        ),
    ),
)
"""Two of each kind; an experiment that finds one of them finds the other."""

WORDS = (
    "bias correction",
    "epsilon",
    "memory",
    "gradient",
    "coordinates",
    "arguments",
    "sign",
    "root",
    "count",
    "innocent",
)
"""What can be wrong with a suspect, in the order in which the assignment lists it."""

NEAR = {
    "bias correction": "count",
    "epsilon": "root",
    "memory": "bias correction",
    "gradient": "memory",
    "coordinates": "memory",
    "arguments": "memory",
}
"""The kind with which another may be confused."""

BY_SOURCE = {suspect.source: suspect for pair in (INNOCENT, *GUILTY) for suspect in pair}
"""Who has written what."""


@functools.cache
def made(source: str) -> Callable[..., Any]:
    """Return the function ``step`` that a suspect's text defines.

    Examples
    --------
    >>> theta, m, v = made(INNOCENT[0].source)(np.zeros(1), np.zeros(1), np.zeros(1), 1, np.ones(1), 0.5, 0.9, 0.9, 0)
    >>> theta
    array([-0.5])
    """
    space: dict[str, Any] = {"np": np}
    exec(source, space)  # a text of this module
    return space["step"]


def line_up(rng: np.random.Generator) -> tuple[dict[str, str]]:
    """Return a student's seven suspects: for each letter a text."""
    chosen = [pair[rng.integers(2)] for pair in (INNOCENT, *GUILTY)]
    return ({letter: chosen[i].source for letter, i in zip(LETTERS, rng.permutation(7), strict=True)},)


def record(step, gradients, alpha=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    """Return the steps theta_{t-1} - theta_t that an Adam makes on given gradients, of shape (T, d).

    Examples
    --------
    >>> record(adam_step, np.array([[4.0], [4.0]]), alpha=0.5)
    array([[0.5],
           [0.5]])
    """
    gradients = np.asarray(gradients, dtype=float)
    m, v, steps = np.zeros(gradients.shape[1]), np.zeros(gradients.shape[1]), []
    with np.errstate(all="ignore"):
        for t, g in enumerate(gradients, start=1):
            theta, m, v = step(np.zeros_like(g), m, v, t, g.copy(), alpha, beta1, beta2, eps)
            steps.append(-theta)
    return np.array(steps)


def steady(g: float, alpha: float, eps: float) -> float:
    """Return every step of Adam on gradients that are all g (Algorithm 1, with m_hat = g and v_hat = g^2).

    Examples
    --------
    >>> steady(-1e-8, 1.0, 1e-8)
    -0.5
    """
    return alpha * g / (abs(g) + eps) if g else 0.0


def spike(number: int, alpha: float, beta1: float, beta2: float) -> np.ndarray:
    """Return the first steps of Adam with eps = 0 on a positive gradient and then zeros (from Algorithm 1).

    Examples
    --------
    >>> spike(2, 1.0, 0.0, 0.9)
    array([1., 0.])
    """
    t = np.arange(1, number + 1)
    m_hat = (1 - beta1) * beta1 ** (t - 1.0) / (1 - beta1**t)
    v_hat = (1 - beta2) * beta2 ** (t - 1.0) / (1 - beta2**t)
    return alpha * m_hat / np.sqrt(v_hat)


def agree(a: Any, b: Any, rtol: float = 1e-6, atol: float = 0.0) -> bool:
    """Return whether two records are of one shape and agree to a millionth everywhere; nan agrees with nothing.

    Examples
    --------
    >>> agree([1.0, 2.0], [1.0, 2.0 + 1e-9]), agree([np.nan], [np.nan])
    (True, False)
    """
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=rtol, atol=atol))


def fails_steady(steps: np.ndarray, g: float, alpha: float, eps: float) -> bool:
    """Return whether steps (T,) on gradients that are all g are not those of Adam.

    Examples
    --------
    >>> fails_steady(np.array([0.1, 0.1]), 5.0, 0.1, 0.0), fails_steady(np.array([0.1, 0.2]), 5.0, 0.1, 0.0)
    (False, True)
    """
    return not agree(steps, np.full(len(steps), steady(g, alpha, eps)))


def fails_spike(steps: np.ndarray, alpha: float, beta1: float, beta2: float) -> bool:
    """Return whether steps (T,) on one positive gradient and then zeros, with eps = 0, are not those of Adam.

    Examples
    --------
    >>> fails_spike(np.array([0.1, 0.0]), 0.1, 0.0, 0.9)
    False
    """
    return not agree(steps, spike(len(steps), alpha, beta1, beta2))


def fails_scaled(steps: np.ndarray, scaled: np.ndarray) -> bool:
    """Return whether two records (T, d) differ, of which one was made with gradients times positive factors.

    Examples
    --------
    >>> fails_scaled(np.ones((2, 1)), np.ones((2, 1)))
    False
    """
    return not agree(steps, scaled)


def fails_resumed(straight: np.ndarray, again: np.ndarray) -> bool:
    """Return whether two records (T, d) differ by a single bit, in shape, or contain nan.

    Examples
    --------
    >>> fails_resumed(np.array([[1.0]]), np.array([[1.0 + 1e-15]]))
    True
    """
    return not np.array_equal(straight, again)


def losses(step: Callable[..., Any], number: int = 100) -> np.ndarray:
    """Return the losses of a suspect on the bowl 5 x^2 + y^2 / 2 from (3, -2), with alpha = 0.05.

    Examples
    --------
    >>> losses(adam_step, 2).round(3)
    array([47.   , 45.414])
    """
    h, theta = np.array([10.0, 1.0]), np.array([3.0, -2.0])
    m, v, found = np.zeros(2), np.zeros(2), []
    for t in range(1, number + 1):
        found.append(float(np.sum(h * theta**2) / 2))
        theta, m, v = step(theta, m, v, t, h * theta, 0.05, 0.9, 0.999, 1e-8)
    return np.array(found)


def train(
    gradients: list[dict[str, np.ndarray]],
    thetas: dict[str, np.ndarray],
    alpha: float,
    beta1: float,
    beta2: float,
    eps: float,
) -> dict[str, np.ndarray]:
    """Return the parameters after Adam's steps with given gradients, one dict of arrays a step.

    Examples
    --------
    >>> train([{"w": np.array([4.0])}] * 2, {"w": np.array([1.0])}, 0.25, 0.5, 0.5, 0.0)
    {'w': array([0.5])}
    """
    return _train(gradients, thetas, alpha, beta1, beta2, eps)


def _train(gradients, thetas, alpha, beta1, beta2, eps, mistakes=()):
    """The loop, with the mistakes that are named."""
    thetas = dict(thetas)
    m = {name: np.zeros_like(theta) for name, theta in thetas.items()}
    v = m if "one dict" in mistakes else dict(m)
    t = -1 if "from zero" in mistakes else 0
    for g in gradients:
        if "count inside" not in mistakes:
            t += 1
        if "starts again" in mistakes:
            m, v = ({name: np.zeros_like(theta) for name, theta in thetas.items()} for _ in range(2))
        for name in thetas:
            if "count inside" in mistakes:
                t += 1
            number = 1 if "not counted" in mistakes else t
            # From left to right, as in the assignment's loop: with one dict for both, v is what stays.
            thetas[name], m[name], v[name] = adam_step(
                thetas[name], m[name], v[name], number, g[name], alpha, beta1, beta2, eps
            )
    return thetas


def _looping(*mistakes: str) -> Callable[..., Any]:
    """The loop with these mistakes."""
    return lambda *args: _train(*args, mistakes=mistakes)


def interrupted(
    step: Callable[..., Any], gradients: np.ndarray, stop: int, keep: Callable[..., Any] = lambda *state: state
) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions after step ``stop``: of a run that goes through, and of one that goes on from there.

    Parameters
    ----------
    step : callable
        An Adam's step; what it changes in place is changed.
    gradients : numpy.ndarray
        Of shape (T, d).
    stop : int
        The step after which theta, m, v and t are kept, without a copy, until the first run is through.
    keep : callable, optional
        ``keep(theta, m, v, t)`` returns what is left of them when the second run begins.

    Returns
    -------
    tuple of numpy.ndarray
        Both of shape (T - stop, d).

    Examples
    --------
    >>> straight, again = interrupted(adam_step, np.ones((3, 1)), 1)
    >>> np.array_equal(straight, again)
    True
    """

    def run(theta, m, v, t, rows):
        path = []
        for row in rows:
            t += 1
            theta, m, v = step(theta, m, v, t, row.copy(), 0.01, 0.9, 0.999, 1e-8)
            path.append(theta.copy())
        return path, (theta, m, v, t)

    zeros = (np.zeros(gradients.shape[1]) for _ in range(3))
    _, kept = run(*zeros, 0, gradients[:stop])
    straight, _ = run(*kept, gradients[stop:])
    again, _ = run(*keep(*kept), gradients[stop:])
    return np.array(straight), np.array(again)


def _damaged(steps: np.ndarray, how: str) -> np.ndarray:
    """A record with a fault that shows which steps a test looks at."""
    steps = steps.copy()
    if how == "nan":
        steps[0] = np.nan
    elif how == "infinite":
        steps[len(steps) // 2] = np.inf
    elif how == "in turn":  # and the mean stays
        half = np.abs(steps[0]) / 2
        steps[::2] += half
        steps[1::2] -= half
    elif how == "early":
        steps[:3] *= 1.5
    elif how == "later":
        steps[1:] *= 1.5
    elif how == "once":
        steps[len(steps) // 2] *= 1.0001
    elif how == "uphill":
        steps = -steps
    elif how == "short":
        steps = steps[:-1]
    return steps


DAMAGED = {
    "nan": "a first step that is nan",
    "in turn": "steps that are too long and too short in turn",
    "early": "steps that are wrong at the start only",
    "later": "a first step that is right, and no other",
    "uphill": "steps that lead uphill",
}
"""The faults that public cases have."""

HIDDEN = {"infinite": "a step that is infinite", "once": "one wrong step among many"}
"""The faults that hidden cases have as well."""

MORE = {**DAMAGED, **HIDDEN}


def _steady_cases(rng: np.random.Generator, hidden: bool) -> list[Case]:
    """Records on a constant gradient."""
    large, wrong, inside = float(rng.uniform(2, 9)), made(GUILTY[0][0].source), made(GUILTY[1][0].source)

    def case(label, step, g, number=60, alpha=0.001, eps=1e-8, how=""):
        steps = record(step, np.full((number, 1), g), alpha=alpha, eps=eps)[:, 0]
        return Case((_damaged(steps, how), g, alpha, eps), label)

    cases = [
        case("a right Adam", adam_step, large),
        case("a right Adam and a negative gradient", adam_step, -large / 100),
        case("a right Adam and a gradient as small as eps", adam_step, 1e-8),
        case("a right Adam and gradients that are zero", adam_step, 0.0),
        case("a right Adam that computes in another order", made(INNOCENT[1].source), large, number=200),
        case("a right Adam with alpha = 1", adam_step, large, alpha=1.0),
        case("a wrong bias correction", wrong, large),
        case("eps inside the root, and a gradient as small as eps", inside, 1e-8),
        case("a wrong bias correction, and a very small alpha", wrong, large, alpha=1e-9),
    ]
    cases += [case(label, adam_step, large, how=how) for how, label in (MORE if hidden else DAMAGED).items()]
    if hidden:
        cases += [
            case("a denominator that is eps at least, and a gradient as small", made(GUILTY[1][1].source), -2e-8),
            case("a right Adam with alpha = 2 and eps = 0", adam_step, large, alpha=2.0, eps=0.0),
            case("a right Adam with a large eps", adam_step, large, eps=0.1),
            case("eps inside the root, and a large eps", inside, large, eps=0.1),
            case("a single step", adam_step, large, number=1),
        ]
    return cases


def _spike_cases(rng: np.random.Generator, hidden: bool) -> list[Case]:
    """Records on one positive gradient and then zeros."""
    swapped, never = (made(suspect.source) for suspect in GUILTY[2])
    beta1, beta2 = float(rng.choice([0.5, 0.7, 0.8])), float(rng.choice([0.95, 0.98, 0.99]))

    def case(label, step, number=60, alpha=0.001, beta1=0.9, beta2=0.999, size=None, how=""):
        gradients = np.zeros((number, 1))
        gradients[0] = size or rng.uniform(1.5, 5)
        steps = record(step, gradients, alpha=alpha, beta1=beta1, beta2=beta2, eps=0.0)[:, 0]
        return Case((_damaged(steps, how), alpha, beta1, beta2), label)

    cases = [
        case("a right Adam", adam_step),
        case("a right Adam with other betas", adam_step, beta1=beta1, beta2=beta2),
        case("a right Adam with beta1 = 0", adam_step, beta1=0.0),
        case("a right Adam that computes in another order", made(INNOCENT[0].source), number=200, beta1=beta1),
        case("a right Adam and a single step", adam_step, number=1, beta1=0.5, beta2=0.75, size=2.0),
        case("betas in the wrong order", swapped),
        case("a v that never fades", never),
        case("a step that uses g instead of m_hat", _uses_g),
        case("a wrong bias correction", made(GUILTY[0][0].source)),
        case("no bias correction", _as_they_are),
        case("averages that fade before they are used", _fades_early),
        case("a division by v_hat without the root", _no_root_step, size=1.0),
        case("a v that never fades, and a very small alpha", never, alpha=1e-9),
        case("corrections that stay as they are at the first step", _same_corrections, size=2.0),
        case("a correction of m alone", _only_m_corrected, size=2.0),
        case("a correction of v alone", _only_v_corrected, size=2.0),
    ]
    cases += [case(label, adam_step, how=how) for how, label in (MORE if hidden else DAMAGED).items()]
    if hidden:
        cases += [
            case("a right Adam with equal betas", adam_step, beta1=0.9, beta2=0.9),
            case("a right Adam with alpha = 1", adam_step, alpha=1.0),
            case("a v with the memory of m", _both_beta1),
        ]
    return cases


def _dividing(by: Callable[[int, float, float], tuple[float, float]]) -> Callable[..., Any]:
    """A step that divides m and v by other numbers than 1 - beta**t, given as a function of t and both betas."""

    def step(theta, m, v, t, g, alpha, beta1, beta2, eps):
        _, m, v = adam_step(theta, m, v, t, g, alpha, beta1, beta2, eps)
        by_m, by_v = by(t, beta1, beta2)
        return theta - alpha * m / by_m / (np.sqrt(v / by_v) + eps), m, v

    return step


_as_they_are = _dividing(lambda t, beta1, beta2: (1.0, 1.0))
_same_corrections = _dividing(lambda t, beta1, beta2: (1 - beta1, 1 - beta2))
_only_m_corrected = _dividing(lambda t, beta1, beta2: (1 - beta1**t, 1.0))
_only_v_corrected = _dividing(lambda t, beta1, beta2: (1.0, 1 - beta2**t))


def _uses_g(theta, m, v, t, g, alpha, beta1, beta2, eps):
    """A step that has the gradient in the place of m_hat."""
    _, m, v = adam_step(theta, m, v, t, g, alpha, beta1, beta2, eps)
    return theta - alpha * g / (np.sqrt(v / (1 - beta2**t)) + eps), m, v


def _fades_early(theta, m, v, t, g, alpha, beta1, beta2, eps):
    """A step that multiplies the averages by their betas once more before it uses them."""
    _, m, v = adam_step(theta, m, v, t, g, alpha, beta1, beta2, eps)
    m_hat, v_hat = beta1 * m / (1 - beta1**t), beta2 * v / (1 - beta2**t)
    return theta - alpha * m_hat / (np.sqrt(v_hat) + eps), m, v


def _no_root_step(theta, m, v, t, g, alpha, beta1, beta2, eps):
    """A step that divides by v_hat."""
    _, m, v = adam_step(theta, m, v, t, g, alpha, beta1, beta2, eps)
    return theta - alpha * m / (1 - beta1**t) / (v / (1 - beta2**t) + eps), m, v


def _both_beta1(theta, m, v, t, g, alpha, beta1, beta2, eps):
    """A step whose two averages have the same beta."""
    return adam_step(theta, m, v, t, g, alpha, beta1, beta1, eps)


def _scaled_cases(rng: np.random.Generator, hidden: bool) -> list[Case]:
    """Pairs of records, on gradients and on the same gradients times factors."""
    gradients, both, second = rng.normal(size=(80, 2)), np.array([1000.0, 1000.0]), np.array([1.0, 1000.0])
    clipped, logarithms = (made(suspect.source) for suspect in GUILTY[3])
    shared, largest = (made(suspect.source) for suspect in GUILTY[4])

    def case(label, step, factors, alpha=0.001, how="", g=gradients):
        steps, scaled = (record(step, rows, alpha=alpha, eps=0.0) for rows in (g, g * factors))
        return Case((steps, _damaged(scaled, how)), label)

    cases = [
        case("a right Adam", adam_step, both),
        case("a right Adam of which one coordinate is scaled", adam_step, second),
        case("a right Adam that computes in another order", made(INNOCENT[0].source), both / 7),
        case("a right Adam that is scaled by powers of two", adam_step, np.array([1024.0, 1 / 64])),
        case("gradients that are clipped", clipped, both),
        case("gradients that are clipped, of which one coordinate is scaled", clipped, second),
        case("a v that all coordinates share", shared, second),
        case("gradients that are clipped, and a very small alpha", clipped, both, alpha=1e-9),
    ]
    cases += [case(label, adam_step, both, how=how) for how, label in (MORE if hidden else DAMAGED).items()]
    if hidden:
        three, factors = rng.normal(size=(9, 3)), np.array([1e-6, 1.0, 1e6])
        cases += [
            case("gradients whose logarithms are used", logarithms, both / 1e4),
            case("a denominator that all coordinates share", largest, second),
            case("a right Adam with three coordinates", adam_step, factors, g=three),
        ]
    broken_down = np.full((80, 2), np.nan)
    return [*cases, Case((broken_down, broken_down.copy()), "two records that are nan throughout")]


def _resumed_cases(rng: np.random.Generator, hidden: bool) -> list[Case]:
    """Pairs of positions, of a run that went through and of one that was stopped and went on."""
    gradients = rng.normal(size=(50, 3))

    def case(label, step=adam_step, keep=lambda *state: state, stop=20, how=""):
        straight, again = interrupted(step, gradients, stop, keep)
        return Case((straight, _damaged(again, how)), label)

    cases = [
        case("a right Adam"),
        case("a right Adam that computes in another order", made(INNOCENT[1].source)),
        case("a v that is changed in place", made(GUILTY[5][0].source)),
        case("a theta that is changed in place", made(GUILTY[5][1].source)),
        case("a state that was saved with 9 digits", keep=lambda *state: [np.round(part, 9) for part in state]),
        case("a count that begins again", keep=lambda theta, m, v, t: (theta, m, v, 0)),
        case("a run that ends a step too early", how="short"),
    ]
    for how, label in (MORE if hidden else DAMAGED).items():
        label = "positions of the wrong sign" if how == "uphill" else label.replace("step", "position")
        cases.append(case(label, how=how))
    if hidden:
        cases += [
            case("an m that was not saved", keep=lambda theta, m, v, t: (theta, 0 * m, v, t)),
            case("a right Adam that is stopped after one step", stop=1),
        ]
    broken_down = np.full((20, 3), np.nan)
    return [*cases, Case((broken_down, broken_down.copy()), "two runs that are nan throughout")]


# What is wrong with the tests that students write. ``same(a, b)`` is how such a test compares.


def _first(a, b, same=agree):
    """Compares the first step only."""
    return same(a[:1], b[:1])


def _last(a, b, same=agree):
    """Compares the last step only."""
    return same(a[-1:], b[-1:])


def _nan_passes(a, b):
    """Looks for a difference that is too large, and nan is not."""
    return not np.any(np.abs(a - b) > 1e-6 * np.abs(b))


def _means(a, b):
    """Compares means."""
    return abs(np.mean(a) - np.mean(b)) <= 1e-6 * abs(np.mean(b))


def _unsigned(a, b):
    """Compares sizes."""
    return agree(np.abs(a), np.abs(b))


def _forgiving(a, b):
    """What numpy compares with by itself."""
    return agree(a, b, rtol=1e-5, atol=1e-8)


INVERTED = "You accuse the right ones and acquit the others. Does True mean that something is wrong?"
NEVER = "Your test accuses nobody. A test that cannot fail is no test: when does it return True?"
ALWAYS = "Your test accuses everybody, a right Adam too. What do you expect, and how exactly must it agree?"
FIRST = "You look at the first step only. Which bugs show later?"
LAST = "You look at the last step only. Which bugs show at the start and are forgotten later?"
NAN = "A record with nan passes. What is nan > 0, and what would a comparison the other way around say?"
MEANS = "Too long and too short cancel in your comparison. Should you compare means, or every single step?"
SIGNS = "Steps that lead uphill pass. What becomes of the sign in your comparison?"
EXACT = "You accuse right Adams that compute in another order. How many digits do two orders of computing share?"
FORGIVING = (
    "Steps may be as small as alpha = 1e-9. Which differences does your comparison forgive there? Look up what "
    "np.allclose allows besides rtol."
)


def _comparing(expected: Callable[..., Any]) -> tuple[Mistake, ...]:
    """The mistakes that all tests may have; ``expected(*args)`` gives the two arrays that should agree."""

    def by(same):
        return lambda *args: not same(*expected(*args))

    return (
        Mistake("inverted", lambda *args: agree(*expected(*args)), INVERTED),
        Mistake("never accuses", lambda *args: False, NEVER),
        Mistake("always accuses", lambda *args: True, ALWAYS),
        Mistake("the first only", by(_first), FIRST),
        Mistake("the last only", by(_last), LAST),
        Mistake("nan passes", by(_nan_passes), NAN),
        Mistake("means", by(_means), MEANS),
        Mistake("signs lost", by(_unsigned), SIGNS),
        Mistake("exactly equal", by(np.array_equal), EXACT),
        Mistake("an absolute tolerance", by(_forgiving), FORGIVING),
    )


def _expect_steady(formula: Callable[..., float]) -> Callable[..., Any]:
    """The test with a constant gradient and another expectation."""
    return lambda steps, g, alpha, eps: not agree(steps, np.full(len(steps), formula(g, alpha, eps)))


def _expect_spike(formula: Callable[..., Any]) -> Callable[..., Any]:
    """The test with a spike and another expectation of the step over alpha."""

    def wrong(steps, alpha, beta1, beta2):
        return not agree(steps, alpha * formula(np.arange(1.0, len(steps) + 1), beta1, beta2))

    return wrong


def _factors(t, beta1, beta2, power=1):
    """m_hat and v_hat of a spike of 1, with the power t - ``power``."""
    return (
        (1 - beta1) * beta1 ** (t - power) / (1 - beta1**t),
        (1 - beta2) * beta2 ** (t - power) / (1 - beta2**t),
    )


def _one_power_too_many(t, beta1, beta2):
    m_hat, v_hat = _factors(t, beta1, beta2, power=0)
    return m_hat / np.sqrt(v_hat)


def _no_root(t, beta1, beta2):
    m_hat, v_hat = _factors(t, beta1, beta2)
    return m_hat / v_hat


def _not_corrected(t, beta1, beta2):
    return spike(len(t), 1.0, beta1, beta2) * (1 - beta1**t) / np.sqrt(1 - beta2**t)


def _corrected_once(t, beta1, beta2):
    """The powers alone: 1 - beta cancels at the first step, but not later."""
    return beta1 ** (t - 1) / np.sqrt(beta2 ** (t - 1))


def _verdict(letter: str) -> Value:
    """The question what is wrong with the suspect of this letter."""

    def suspect(sources: dict[str, str]) -> Suspect:
        return BY_SOURCE[sources[letter]]

    def taken_in(sources):
        found = suspect(sources)
        return (0, "innocent") if found.line else found.accused[0]

    def elsewhere(sources):
        found = suspect(sources)
        if not found.line:
            return found.accused[1]
        last = found.source.count("\n") - 1
        return next(line for line in (last, 2, 3) if line not in (found.line, found.line - 1)), found.kind

    def another_kind(sources):
        found = suspect(sources)
        return found.line, NEAR.get(found.kind, "root")

    def from_zero(sources):
        found = suspect(sources)
        return (found.line - 1, found.kind) if found.line else (1, "innocent")

    def takes_in(answer, sources):
        line, kind = answer
        return bool(line) == (kind != "innocent") == (not suspect(sources).line)

    def is_elsewhere(answer, sources):
        line, kind = answer
        return bool(suspect(sources).line) and line not in (0, suspect(sources).line) and kind != "innocent"

    def is_another_kind(answer, sources):
        line, kind = answer
        return line == suspect(sources).line or bool(line) != (kind != "innocent")

    return Value(
        title=f"suspect {letter}",
        data=line_up,
        seed="1.1",
        reference=lambda sources: suspect(sources).truth,
        outputs=("the line", "the kind"),
        told=False,
        words=WORDS,
        mistakes=(
            Mistake(
                "taken in",
                taken_in,
                "Guilty or innocent? Look at all six columns of the picture: is this suspect convicted in any?",
                fits=takes_in,
            ),
            Mistake(
                "another line",
                elsewhere,
                "Which is the first line whose value is not that of Algorithm 1? Print every value of a step. If "
                "this line reads as it should, from where do the values that go into it come?",
                fits=is_elsewhere,
            ),
            Mistake(
                "another kind",
                another_kind,
                "The line and the kind do not fit together. What does this line do to the values, in one sentence?",
                fits=is_another_kind,
            ),
            Mistake(
                "counted from zero",
                from_zero,
                "Do you count as the listing does? The line with def is line 1; an innocent suspect has the line 0.",
            ),
        ),
    )


def _states(rng: np.random.Generator, hidden: bool) -> list[Case]:
    """Cases for a single step."""
    usual = (0.001, 0.9, 0.999, 1e-8)

    def case(label, t, scale=1.0, rest=usual, size=3, kind=float, rtol=None):
        g, m = scale * rng.normal(size=size), scale * rng.normal(size=size)
        m, v = (np.zeros(size), np.zeros(size)) if t == 1 else (m, scale**2 * rng.uniform(0.5, 2, size=size))
        arrays = [a.astype(kind) for a in (rng.normal(size=size), m, v)]
        return Case((*arrays, t, g.astype(kind), *rest), label, rtol)

    zero = np.zeros(3)
    cases = [
        case("t = 1", 1),
        case("t = 2", 2),
        case(f"t = {(t := int(rng.integers(5, 60)))}", t),
        case("large gradients", 4, scale=50.0),
        case("gradients as small as eps", 3, scale=1e-8),
        case("other betas and a large alpha", 7, rest=(0.5, 0.6, 0.95, 1e-8)),
        case("a large eps", 5, rest=(0.01, 0.9, 0.999, 0.1)),
    ]
    if hidden:
        cases += [
            case("eps = 0", 6, rest=(0.001, 0.9, 0.999, 0.0)),
            case("beta1 = 0", 3, rest=(0.001, 0.0, 0.999, 1e-8)),
            case("t = 5000", 5000),
            case("a single parameter", 2, size=1),
            case("numbers in float32", 9, kind=np.float32, rtol=1e-5),
            Case((np.ones(3), zero, zero, 1, zero, *usual), "gradients that are zero"),
        ]
    return cases


def _stored(theta, m, v, t, g, alpha, beta1, beta2, eps):
    """A step that returns the corrected averages as the state."""
    theta, m, v = adam_step(theta, m, v, t, g, alpha, beta1, beta2, eps)
    return theta, m / (1 - beta1**t), v / (1 - beta2**t)


def _uphill(theta, *args):
    """A step in the wrong direction."""
    changed, m, v = adam_step(theta, *args)
    return 2 * theta - changed, m, v


def _eps_hat(theta, m, v, t, g, alpha, beta1, beta2, eps):
    """A step whose eps is added before the correction."""
    _, m, v = adam_step(theta, m, v, t, g, alpha, beta1, beta2, eps)
    return theta - alpha * np.sqrt(1 - beta2**t) / (1 - beta1**t) * m / (np.sqrt(v) + eps), m, v


def _sets(rng: np.random.Generator, hidden: bool) -> list[Case]:
    """Cases for the loop over several arrays."""

    def case(label, steps, rest=(0.01, 0.9, 0.999, 1e-8), **shapes):
        thetas = {name: rng.normal(size=shape) for name, shape in shapes.items()}
        gradients = [{name: rng.normal(size=shape) for name, shape in shapes.items()} for _ in range(steps)]
        return Case((gradients, thetas, *rest), label)

    cases = [
        case("one array and one step", 1, weights=3),
        case("one array and five steps", 5, weights=3),
        case("two arrays and one step", 1, weights=(2, 3), bias=3),
        case("two arrays and five steps", 5, weights=(2, 3), bias=3),
    ]
    if hidden:
        cases += [
            case("no gradient at all", 0, weights=3),
            case("four arrays and 40 steps", 40, a=2, b=(2, 2), c=1, d=3),
            case("other betas", 8, rest=(0.1, 0.5, 0.8, 1e-4), weights=2, bias=1),
        ]
    return cases


def _uncorrected(beta1: float, beta2: float) -> np.ndarray:
    """The first 100 steps of Adam without corrections on equal gradients, over alpha."""
    t = np.arange(1, 101)
    return (1 - beta1**t) / np.sqrt(1 - beta2**t)


def _betas(rng: np.random.Generator) -> tuple[float, float]:
    """A beta1 and a beta2."""
    return float(rng.choice([0.8, 0.85, 0.9, 0.95])), float(rng.choice([0.99, 0.995, 0.998, 0.999]))


def _by_loss(sources: dict[str, str], place: int) -> str:
    """The letter at this place, in the order of the losses after 20 steps."""
    return sorted(sources, key=lambda letter: losses(made(sources[letter]), 21)[20])[place]


_SAME_STEADY = _comparing(lambda steps, g, alpha, eps: (steps, np.full(len(steps), steady(g, alpha, eps))))
_SAME_SPIKE = _comparing(lambda steps, alpha, beta1, beta2: (steps, spike(len(steps), alpha, beta1, beta2)))
_SAME = _comparing(lambda steps, scaled: (scaled, steps))


def _bits(same: Callable[..., bool]) -> Callable[..., bool]:
    """A test of two runs that accuses if they are of different lengths, or not ``same``."""
    return lambda straight, again: len(straight) != len(again) or not same(straight, again)


BROKEN: dict[str, Question | Value] = {
    "1.1": Value(
        title="the fastest",
        data=line_up,
        reference=lambda sources: _by_loss(sources, 0),
        outputs=("the letter",),
        mistakes=(
            Mistake(
                "the slowest",
                lambda sources: _by_loss(sources, -1),
                "This one has the highest loss after 20 steps. Which has the lowest?",
            ),
            Mistake(
                "a capital",
                lambda sources: _by_loss(sources, 0).upper(),
                "The suspects have small letters. Which of them do you mean?",
            ),
        ),
    ),
    "2.1": Question(
        title="a constant gradient",
        signature="fails_steady(steps, g, alpha, eps)",
        reference=fails_steady,
        cases=_steady_cases,
        outputs=("the verdict",),
        mistakes=(
            *_SAME_STEADY,
            Mistake(
                "without alpha",
                _expect_steady(lambda g, alpha, eps: g / (abs(g) + eps)),
                "Records are steps of theta. By what does Adam multiply the quotient?",
            ),
            Mistake(
                "without eps",
                _expect_steady(lambda g, alpha, eps: alpha * np.sign(g)),
                "Your expectation is wrong where g is as small as eps. What does Adam add to the size of g, and "
                "where?",
            ),
            Mistake(
                "eps inside the root",
                _expect_steady(lambda g, alpha, eps: alpha * g / np.sqrt(g**2 + eps)),
                "Your expectation has the very bug that one suspect may have. Where does Algorithm 1 add eps?",
            ),
            Mistake(
                "g without its size",
                _expect_steady(lambda g, alpha, eps: alpha * g / (g + eps)),
                "You accuse right Adams if g is negative. What is the root of g**2 then?",
            ),
            Mistake(
                "the other sign",
                _expect_steady(lambda g, alpha, eps: -alpha * g / (abs(g) + eps)),
                "A record holds what theta loses, theta_{t-1} - theta_t. Which sign has it if g is positive?",
            ),
        ),
    ),
    "2.2": Question(
        title="a spike",
        signature="fails_spike(steps, alpha, beta1, beta2)",
        reference=fails_spike,
        cases=_spike_cases,
        outputs=("the verdict",),
        mistakes=(
            *_SAME_SPIKE,
            Mistake(
                "one power too many",
                _expect_spike(_one_power_too_many),
                "Try t = 1: m_1 = (1 - beta1) g_1. How often has it been multiplied by beta1 at step t?",
            ),
            Mistake(
                "betas in the wrong order",
                _expect_spike(lambda t, beta1, beta2: spike(len(t), 1.0, beta2, beta1)),
                "You acquit an Adam with its betas in the wrong order. Which beta belongs to m, and which to v?",
            ),
            Mistake(
                "no root",
                _expect_spike(_no_root),
                "By what does Adam divide m_hat? For a spike of 1, v_hat is not yet it.",
            ),
            Mistake(
                "not corrected",
                _expect_spike(_not_corrected),
                "Compute your first expected step by hand. Should it not be alpha? What became of m_1, and of v_1?",
            ),
            Mistake(
                "corrections left out after the first step",
                _expect_spike(_corrected_once),
                "Your first expected step is right, and the second is not. By what are m_2 and v_2 divided to make "
                "m_hat_2 and v_hat_2, and does it cancel?",
            ),
            Mistake(
                "m not corrected",
                _expect_spike(lambda t, beta1, beta2: spike(len(t), 1.0, beta1, beta2) * (1 - beta1**t)),
                "In your expected steps v is corrected, and m is not. Is the first of them alpha?",
            ),
            Mistake(
                "v not corrected",
                _expect_spike(lambda t, beta1, beta2: spike(len(t), 1.0, beta1, beta2) / np.sqrt(1 - beta2**t)),
                "In your expected steps m is corrected, and v is not. Is the first of them alpha?",
            ),
            Mistake(
                "stops at once",
                _expect_spike(lambda t, beta1, beta2: (t == 1).astype(float)),
                "You expect no step after the first. Is m zero as soon as the gradient is?",
            ),
            Mistake(
                "the other sign",
                _expect_spike(lambda t, beta1, beta2: -spike(len(t), 1.0, beta1, beta2)),
                "A record holds what theta loses, theta_{t-1} - theta_t. Which sign has it if the spike is positive?",
            ),
        ),
    ),
    "2.3": Question(
        title="other units",
        signature="fails_scaled(steps, scaled)",
        reference=fails_scaled,
        cases=_scaled_cases,
        outputs=("the verdict",),
        mistakes=(
            *_SAME,
            Mistake(
                "one coordinate",
                lambda steps, scaled: not agree(steps[:, 0], scaled[:, 0]),
                "You look at the first coordinate only. What if only the second one was scaled?",
            ),
            Mistake(
                "nan equals nan",
                lambda steps, scaled: not np.allclose(steps, scaled, rtol=1e-6, atol=0, equal_nan=True),
                "Two runs that break down alike pass. Does nan agree with nan here? What does equal_nan do?",
            ),
        ),
    ),
    "2.4": Question(
        title="stopped and resumed",
        signature="fails_resumed(straight, again)",
        reference=fails_resumed,
        cases=_resumed_cases,
        outputs=("the verdict",),
        mistakes=(
            Mistake("inverted", lambda straight, again: np.array_equal(straight, again), INVERTED),
            Mistake("never accuses", lambda straight, again: False, NEVER),
            Mistake("always accuses", lambda straight, again: True, ALWAYS),
            Mistake(
                "a tolerance",
                _bits(agree),
                "You forgive small differences. Both runs do the very same operations: is there a reason for any?",
            ),
            Mistake(
                "the last only", _bits(lambda a, b: _last(a, b, np.array_equal)), LAST.replace("step", "position")
            ),
            Mistake(
                "the first only", _bits(lambda a, b: _first(a, b, np.array_equal)), FIRST.replace("step", "position")
            ),
            Mistake("nan passes", _bits(lambda a, b: not np.any(np.abs(a - b) > 0)), NAN),
            Mistake(
                "the shorter one",
                lambda straight, again: not all(np.array_equal(a, b) for a, b in zip(straight, again, strict=False)),
                "A run that ends too early passes. What does zip do with what one of the two has more?",
            ),
            Mistake(
                "signs lost",
                _bits(lambda a, b: np.array_equal(np.abs(a), np.abs(b))),
                "Positions of the wrong sign pass. What becomes of the sign in your comparison?",
            ),
            Mistake(
                "nan equals nan",
                lambda straight, again: not np.array_equal(straight, again, equal_nan=True),
                "Two runs that break down alike pass. Does nan agree with nan here? What does equal_nan do?",
            ),
        ),
    ),
    **{f"3.{number}": _verdict(letter) for number, letter in enumerate(LETTERS, start=1)},
    "4.1": Question(
        title="a step, repaired",
        signature="repaired(theta, m, v, t, g, alpha, beta1, beta2, eps)",
        reference=adam_step,
        cases=_states,
        outputs=("theta", "m", "v"),
        atol=0.0,
        mistakes=(
            Mistake(
                "v corrected as m",
                made(GUILTY[0][0].source),
                "Two lines were copied, and one letter was not changed. Which beta does v remember with?",
            ),
            Mistake(
                "one root over both",
                made(GUILTY[0][1].source),
                "Derive alpha_t from Algorithm 1: which of the corrections gets under a root, and which does not?",
            ),
            Mistake("no correction", _as_they_are, "You use m and v as they are. What are m_hat and v_hat at t = 1?"),
            Mistake(
                "m not corrected",
                _only_v_corrected,
                "v is corrected, m is not. What is m_hat at t = 1?",
            ),
            Mistake(
                "v not corrected",
                _only_m_corrected,
                "m is corrected, v is not. What is v_hat at t = 1?",
            ),
            Mistake(
                "no power of t",
                _same_corrections,
                "The first step is right, later ones are not. How do the corrections change with t?",
            ),
            Mistake(
                "betas exchanged",
                _dividing(lambda t, beta1, beta2: (1 - beta2**t, 1 - beta1**t)),
                "Each average is corrected with the other's beta. With which beta does m remember?",
            ),
            Mistake(
                "m corrected as v",
                _dividing(lambda t, beta1, beta2: (1 - beta2**t, 1 - beta2**t)),
                "Both averages are corrected with the same beta. With which beta does m remember?",
            ),
            Mistake(
                "corrections stored",
                _stored,
                "theta is right, but you return the corrected averages. With which m does the next step go on?",
            ),
            Mistake("uphill", _uphill, "Your step leads uphill. Which sign has a step down?"),
            Mistake(
                "eps before the correction",
                _eps_hat,
                "This is the paper's second form. How must its eps_hat change with t to be Algorithm 1?",
            ),
        ),
    ),
    "4.2": Question(
        title="the loop, repaired",
        signature="train(gradients, thetas, alpha, beta1, beta2, eps)",
        reference=train,
        cases=_sets,
        outputs=("the result",),
        mistakes=(
            Mistake(
                "as it was",
                _looping("count inside", "one dict"),
                "Both bugs are still there. Print t at each call, and compare m with v after the first step.",
            ),
            Mistake(
                "counted for each array",
                _looping("count inside"),
                "With one array it is right, with two it is not. What is t when the second array has its first step?",
            ),
            Mistake(
                "one dict for both",
                _looping("one dict"),
                "The first step is right, the second is not. After the first, is m another dict than v?",
            ),
            Mistake(
                "counted from zero",
                _looping("from zero"),
                "The first step has the number 1. When do you add to t, before the step or after it?",
            ),
            Mistake(
                "not counted", _looping("not counted"), "t is 1 for ever. Where do you add to it, and is it reached?"
            ),
            Mistake(
                "starts again",
                _looping("starts again"),
                "Every step begins with averages of zero. Where are m and v made, inside the loop or before it?",
            ),
        ),
    ),
    "5.1": Value(
        title="the way without corrections",
        data=_betas,
        reference=lambda beta1, beta2: float(_uncorrected(beta1, beta2).sum()),
        outputs=("the way",),
        mistakes=(
            Mistake(
                "the longest step",
                lambda beta1, beta2: float(_uncorrected(beta1, beta2).max()),
                "This is the longest of the steps. How far do all hundred lead together?",
            ),
            Mistake(
                "the last step",
                lambda beta1, beta2: float(_uncorrected(beta1, beta2)[-1]),
                "This is the last of the steps. How far do all hundred lead together?",
            ),
            Mistake(
                "the mean",
                lambda beta1, beta2: float(_uncorrected(beta1, beta2).mean()),
                "This is the mean of the steps. How far do all hundred lead together?",
            ),
            Mistake(
                "corrected",
                lambda beta1, beta2: 100.0,
                "This is how far a right Adam comes. What are m_t and v_t, without their corrections?",
            ),
            Mistake(
                "times alpha",
                lambda beta1, beta2: 0.001 * float(_uncorrected(beta1, beta2).sum()),
                "This is the way itself, for alpha = 0.001. The question asks for it in units of alpha.",
            ),
            Mistake(
                "only v",
                lambda beta1, beta2: float(sum(1 / np.sqrt(1 - beta2 ** np.arange(1, 101)))),
                "v is not corrected; here m is not either. Which of the two starts too small?",
            ),
            Mistake(
                "only m",
                lambda beta1, beta2: float(sum(1 - beta1 ** np.arange(1, 101))),
                "m is not corrected; here v is not either. Which of the two starts too small?",
            ),
            Mistake(
                "one step less",
                lambda beta1, beta2: float(_uncorrected(beta1, beta2)[:-1].sum()),
                "One step is missing. Does range(1, 100) have a hundred numbers?",
            ),
        ),
    ),
    "5.2": Value(
        title="where eps begins to matter",
        data=lambda rng: (float(rng.choice([1e-10, 1e-8, 1e-7, 1e-6, 1e-5])),),
        reference=lambda eps: float(np.sqrt(eps / 3)),
        outputs=("g",),
        atol=0.0,
        mistakes=(
            Mistake(
                "of a right Adam",
                lambda eps: eps,
                "For a right Adam, half steps begin at g = eps. The question is about eps inside the root.",
            ),
            Mistake(
                "the root of eps",
                lambda eps: float(np.sqrt(eps)),
                "Here the step is 0.71 alpha. Put g / sqrt(g**2 + eps) = 1/2, and square both sides.",
            ),
            Mistake(
                "eps / 3",
                lambda eps: eps / 3,
                "This is g**2. What is g?",
            ),
            Mistake(
                "a third of the root",
                lambda eps: float(np.sqrt(eps)) / 3,
                "When you solve for g**2, the 3 is still under the root. Put your g into the formula to see.",
            ),
            Mistake(
                "the root of 3 eps",
                lambda eps: float(np.sqrt(3 * eps)),
                "Here the step is 0.87 alpha. Put g / sqrt(g**2 + eps) = 1/2, and square both sides.",
            ),
            Mistake(
                "half",
                lambda eps: float(np.sqrt(eps / 2)),
                "Here the step is 0.58 alpha. What is the square of 1/2?",
            ),
        ),
    ),
}
"""Break it: find and explain the bugs in six broken Adams."""
