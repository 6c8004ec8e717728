"""Exercises of the chapters whose answer is code: the same checks, by the exercise's label."""

from __future__ import annotations

from math import comb

import numpy as np

from adamcore.checks.core import Case, Mistake, Question, Value


def _cases(*settings: tuple, hidden: tuple[tuple, ...] = (), label: str):
    """Cases from lists of arguments; the label is filled with them."""

    def cases(rng: np.random.Generator, with_hidden: bool) -> list[Case]:
        return [Case(args, label.format(*args)) for args in (*settings, *(hidden if with_hidden else ()))]

    return cases


def worth(beta: float, t: int) -> float:
    """Return the effective sample size of m_hat_t for independent gradients.

    Examples
    --------
    >>> worth(0.9, 1)
    1.0
    """
    return (1 + beta) * (1 - beta**t) / ((1 - beta) * (1 + beta**t))


def one_minus_power(distance: float, t: int) -> float:
    """Return 1 - (1 - distance)^t without loss of digits.

    Examples
    --------
    >>> one_minus_power(1e-9, 1)
    1e-09
    """
    return float(-np.expm1(t * np.log1p(-distance)))


def safe_root(g: np.ndarray, beta2: float, p: int) -> float:
    """Return v_T^(1/p) of the averages of |g|^p with beta2^p, without a power that overflows.

    Examples
    --------
    >>> round(safe_root(np.array([1e-30, 2e-30]), 0.5, 100) / 2e-30, 6)
    1.0
    """
    g = np.abs(np.asarray(g, dtype=float))
    x = beta2 ** np.arange(len(g) - 1, -1, -1.0) * g
    return float(x.max() * ((1 - beta2**p) * np.sum((x / x.max()) ** p)) ** (1 / p))


def _norm(g, beta2, p, factor):
    """The same with another factor before the sum."""
    x = beta2 ** np.arange(len(g) - 1, -1, -1.0) * np.abs(np.asarray(g, dtype=float))
    return float(x.max() * (factor * np.sum((x / x.max()) ** p)) ** (1 / p))


def _overflowing(g, beta2, p):
    """The average itself, in the gradients' own precision."""
    v = np.float32(0)
    for g_t in np.asarray(g, dtype=np.float32):
        v = np.float32(beta2**p) * v + np.float32(1 - beta2**p) * np.abs(g_t) ** np.float32(p)
    return float(v ** np.float32(1 / p))


def _gradients(rng: np.random.Generator, hidden: bool) -> list[Case]:
    """Gradients in single precision, too small or too large for their hundredth power."""
    sizes = (1e-3, 1.0, 1e3) + ((1e-20, 1e20) if hidden else ())
    return [
        Case(((size * rng.normal(size=50)).astype(np.float32), 0.999, 100), f"gradients of size {size:g}", 1e-4)
        for size in sizes
    ]


def drift_zero(C: float) -> float:
    """Return the beta2 below which Adam drifts the wrong way, in the game with the slopes C, -1, -1.

    With beta1 = 0: its step down, on average over three rounds, is C/sqrt(v_1) - 1/sqrt(v_2) - 1/sqrt(v_3), where v_1
    to v_3 repeat themselves.

    Examples
    --------
    >>> round(drift_zero(3.0), 4)
    0.4723
    """
    low, high = 1e-6, 1 - 1e-9
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (low, middle) if _drift(middle, C) > 0 else (middle, high)
    return (low + high) / 2


def _drift(beta2: float, C: float) -> float:
    """The sum of three steps down."""
    first = (1 - beta2) * (C**2 + beta2**2 + beta2) / (1 - beta2**3)
    second = beta2 * first + (1 - beta2)
    third = beta2 * second + (1 - beta2)
    return C / np.sqrt(first) - 1 / np.sqrt(second) - 1 / np.sqrt(third)


def chance_of_best(n: int, i: int, k: int) -> float:
    """Return the probability that k of n settings, drawn without replacement, contain one of the i best.

    Examples
    --------
    >>> chance_of_best(10, 1, 5)
    0.5
    """
    return 1 - comb(n - i, k) / comb(n, k)


PEAK = 1.2564312086261697
"""The solution of x = ln(1 + 2x) that is not zero."""

EXERCISES: dict[str, Question | Value] = {
    "ex-ada-chance": Question(
        title="how often is there a chance",
        signature="chance(s, n)",
        reference=lambda s, n: 1 - (1 - s) ** n,
        cases=_cases((0.1, 20), (0.01, 20), (0.5, 1), (0.001, 128), label="s = {:g}, n = {}"),
        outputs=("the share",),
        mistakes=(
            Mistake("s n", lambda s, n: s * n, "This counts a minibatch twice in which the word stands twice."),
            Mistake("none at all", lambda s, n: (1 - s) ** n, "This is the share in which the word does not occur."),
            Mistake("all of them", lambda s, n: s**n, "This is the share in which every review has the word."),
        ),
    ),
    "ex-moments-epoch": Question(
        title="a half-life of n steps",
        signature="beta_with_half_life(n)",
        reference=lambda n: 0.5 ** (1 / n),
        cases=_cases((469,), (1,), (10,), (1000,), label="n = {}"),
        outputs=("beta",),
        mistakes=(
            Mistake("1 - 1/n", lambda n: 1 - 1 / n, "After n steps about 1/e is left with this beta, not a half."),
            Mistake("e", lambda n: np.exp(-1 / n), "After n steps 1/e is left with this beta, not a half."),
            Mistake("2 ** (1/n)", lambda n: 2 ** (1 / n), "Is your beta below 1?"),
        ),
    ),
    "ex-moments-early": Question(
        title="how many gradients it is worth",
        signature="worth(beta, t)",
        reference=worth,
        cases=_cases((0.9, 1), (0.9, 2), (0.9, 30), (0.999, 30), (0.5, 1000), label="t = {1}, beta = {0:g}"),
        outputs=("the sample size",),
        mistakes=(
            Mistake(
                "in the long run",
                lambda beta, t: (1 + beta) / (1 - beta),
                "This is what it tends to. After one step there is one gradient.",
            ),
            Mistake(
                "not corrected",
                lambda beta, t: (1 + beta) / ((1 - beta) * (1 - beta ** (2 * t))),
                "This belongs to m_t. The correction multiplies the variance by 1 / (1 - beta**t)**2.",
            ),
            Mistake("t", lambda beta, t: float(t), "That would be a plain mean, whose weights are all the same."),
        ),
    ),
    "ex-bias-peak": Question(
        title="where the peak is",
        signature="peak(beta1)",
        reference=lambda beta1: PEAK / -np.log(beta1),
        cases=_cases((0.9,), (0.8,), (0.95,), (0.99,), label="beta1 = {:g}"),
        outputs=("t",),
        mistakes=(
            Mistake("x", lambda beta1: PEAK, "This is x. What is t if x = -t ln(beta1)?"),
            Mistake("negative", lambda beta1: PEAK / np.log(beta1), "The logarithm of beta1 is negative."),
            Mistake("1 - beta1", lambda beta1: PEAK / (1 - beta1), "-ln(beta1) is only about 1 - beta1."),
            Mistake("zero", lambda beta1: 0.0, "x = 0 solves the equation, and is no peak. Where did you start?"),
        ),
        rtol=1e-6,
    ),
    "ex-bias-computing": Question(
        title="1 - beta^t without loss",
        signature="one_minus_power(distance, t)",
        reference=one_minus_power,
        cases=_cases((0.1, 1), (1e-3, 10), (1e-9, 10), (1e-12, 1000), label="distance = {:g}, t = {}"),
        outputs=("1 - beta**t",),
        mistakes=(
            Mistake(
                "naive",
                lambda distance, t: 1 - (1 - distance) ** t,
                "1 - distance has already lost the digits. Do not form it: log1p takes -distance itself.",
            ),
            Mistake(
                "log",
                lambda distance, t: -np.expm1(t * np.log(1 - distance)),
                "expm1 is there, but the logarithm of 1 - distance has lost the digits already.",
            ),
            Mistake(
                "exp",
                lambda distance, t: 1 - np.exp(t * np.log1p(-distance)),
                "log1p is there, but 1 - exp(...) loses the digits again.",
            ),
            Mistake("negative", lambda distance, t: -one_minus_power(distance, t), "Is 1 - beta**t positive?"),
        ),
        rtol=1e-13,
        atol=0.0,
    ),
    "ex-adam-eps-hat": Question(
        title="from epsilon hat to epsilon",
        signature="epsilon(eps_hat, beta2, t)",
        reference=lambda eps_hat, beta2, t: eps_hat / np.sqrt(1 - beta2**t),
        cases=_cases((1e-7, 0.999, 1), (1e-7, 0.999, 100), (1e-3, 0.9, 5), label="t = {2}, beta2 = {1:g}"),
        outputs=("epsilon",),
        atol=0.0,
        mistakes=(
            Mistake(
                "multiplied",
                lambda eps_hat, beta2, t: eps_hat * np.sqrt(1 - beta2**t),
                "This is the way back, from epsilon to epsilon hat.",
            ),
            Mistake(
                "no root",
                lambda eps_hat, beta2, t: eps_hat / (1 - beta2**t),
                "It is the root of v that is corrected.",
            ),
            Mistake("the same", lambda eps_hat, beta2, t: eps_hat, "They agree after many steps only. And at first?"),
        ),
    ),
    "ex-max-stable": Question(
        title="a large power, safely",
        signature="safe_root(g, beta2, p)",
        reference=safe_root,
        cases=_gradients,
        outputs=("the root",),
        atol=0.0,
        rtol=1e-4,
        mistakes=(
            Mistake(
                "overflow", _overflowing, "|g|**p has left what 32 bits can hold. Divide by the largest term first."
            ),
            Mistake(
                "no factor",
                lambda g, beta2, p: _norm(g, beta2, p, 1.0),
                "The sum has the factor 1 - beta2**p before it, and its root is not 1.",
            ),
            Mistake(
                "1 - beta2",
                lambda g, beta2, p: _norm(g, beta2, p, 1 - beta2),
                "The paper's average of powers has beta2**p: which factor stands before the new term then?",
            ),
            Mistake(
                "no decay",
                lambda g, beta2, p: _norm(g, 1.0, p, 1 - beta2**p),
                "Old gradients count less: where is beta2**(t - i)?",
            ),
            Mistake(
                "the largest", lambda g, beta2, p: float(np.abs(g).max()), "That is the limit, without any decay."
            ),
        ),
    ),
    "ex-conv-threshold": Value(
        title="another steep slope",
        reference=lambda: drift_zero(4.0),
        outputs=("the zero",),
        rtol=2e-3,
        mistakes=(
            Mistake("C = 3", lambda: drift_zero(3.0), "This is the zero for C = 3. The exercise has C = 4."),
            Mistake("squared", lambda: drift_zero(4.0) ** 2, "Is this beta2, or its square?"),
        ),
    ),
    "ex-mom-critical": Value(
        title="no swing",
        reference=lambda: (0.64, 0.8),
        outputs=("mu", "the rate"),
        mistakes=(
            Mistake("rate mu", lambda: (0.64, 0.64), "mu is right. The rate is the size of the double root."),
            Mistake("0.8 twice", lambda: (0.8, 0.8), "This is the root of mu. Which mu makes the discriminant zero?"),
        ),
    ),
    "ex-step-alpha": Value(
        title="how small an alpha",
        reference=lambda: 0.01,
        outputs=("alpha",),
        mistakes=(
            Mistake(
                "a factor 2",
                lambda: 0.005,
                "The floor is alpha sigma / (2 h), and x**2 has h = 2: is a factor 2 missing?",
            ),
            Mistake("sigma squared", lambda: 0.0025, "sigma stands in the floor once, not squared."),
            Mistake("root", lambda: 0.1, "The mean square shall be 0.01, not its root."),
        ),
    ),
    "ex-choosing-tries": Question(
        title="how many tries",
        signature="chance(n, i, k)",
        reference=chance_of_best,
        cases=_cases((33, 1, 16), (33, 1, 17), (30, 3, 10), (300, 30, 20), label="n = {}, i = {}, k = {}"),
        outputs=("the chance",),
        mistakes=(
            Mistake(
                "with replacement",
                lambda n, i, k: 1 - (1 - i / n) ** k,
                "This draws with replacement: the same setting could be tried twice.",
            ),
            Mistake("k/n", lambda n, i, k: k / n, "This is the chance for the one best. What about the i best?"),
            Mistake(
                "none of them",
                lambda n, i, k: comb(n - i, k) / comb(n, k),
                "This is the chance to draw none of them.",
            ),
        ),
    ),
    "ex-config-budget": Question(
        title="a budget",
        signature="alpha_needed(distance, factors)",
        reference=lambda distance, factors: distance / np.sum(factors),
        cases=lambda rng, hidden: [
            Case((2.0, np.ones(5000)), "a constant schedule"),
            Case((2.0, 1 / np.sqrt(np.arange(1, 5001))), "1/sqrt(step)"),
            Case((0.5, rng.uniform(size=100)), "any schedule"),
        ],
        outputs=("alpha",),
        mistakes=(
            Mistake(
                "the steps' number", lambda d, f: d / len(f), "This forgets the schedule: its factors are below 1."
            ),
            Mistake("the mean", lambda d, f: d / np.mean(f), "One step of average size is not the whole way."),
            Mistake(
                "upside down", lambda d, f: np.sum(f) / d, "A longer way needs a larger alpha, not a smaller one."
            ),
        ),
    ),
}
"""By the labels of the exercises in the chapters."""
