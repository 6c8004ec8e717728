"""Questions of the first assignment: moving averages and the bias correction, by hand."""

from __future__ import annotations

import numpy as np

from adamcore.checks.core import Case, Mistake, Question, Value


def average(g: np.ndarray, beta: float) -> np.ndarray:
    """Return m_1 to m_T of m_t = beta m_{t-1} + (1 - beta) g_t, from m_0 = 0 (arXiv:1412.6980, Algorithm 1).

    Parameters
    ----------
    g : numpy.ndarray
        Gradients g_1 to g_T, (T,) or (T, d).
    beta : float
        Between 0 and 1.

    Returns
    -------
    numpy.ndarray
        Of g's shape.

    Examples
    --------
    >>> average(np.array([1.0, 1.0]), 0.5)
    array([0.5 , 0.75])
    """
    return _recursion(g, beta, 1 - beta)


def weights(t: int, beta: float) -> np.ndarray:
    """Return the weights of g_1 to g_t in m_t, (1 - beta) beta^(t - i) (section 3 of arXiv:1412.6980).

    Examples
    --------
    >>> weights(3, 0.5)
    array([0.125, 0.25 , 0.5  ])
    """
    return (1 - beta) * beta ** np.arange(t - 1, -1, -1.0)


def total(t: int, beta: float) -> float:
    """Return the sum of the weights, 1 - beta^t (section 3 of arXiv:1412.6980).

    Examples
    --------
    >>> total(2, 0.5)
    0.75
    """
    return 1 - beta**t


def corrected(g: np.ndarray, beta: float) -> np.ndarray:
    """Return m_hat_1 to m_hat_T: each m_t over the sum of its weights (Algorithm 1 of arXiv:1412.6980).

    Examples
    --------
    >>> corrected(np.array([3.0, 3.0]), 0.9)
    array([3., 3.])
    """
    m = average(g, beta)
    return m / _column(1 - beta ** np.arange(1, len(m) + 1.0), m)


def half_life(beta: float) -> float:
    """Return the number of steps in which a gradient's weight falls to a half.

    Examples
    --------
    >>> round(half_life(0.9), 1)
    6.6
    """
    return float(np.log(0.5) / np.log(beta))


def beta_for(n: float) -> float:
    """Return the beta whose moving average is, in the long run, as variable as a mean of n values.

    The weights (1 - beta) beta^k have the squares' sum (1 - beta) / (1 + beta), which is 1/n for n equal weights.

    Examples
    --------
    >>> beta_for(19)
    0.9
    """
    return (n - 1) / (n + 1)


def uncorrected_step(t: int, beta1: float, beta2: float) -> float:
    """Return the step of Adam without corrections over that with them, for a constant gradient.

    Examples
    --------
    >>> round(uncorrected_step(1, 0.9, 0.999), 2)
    3.16
    """
    return float((1 - beta1**t) / np.sqrt(1 - beta2**t))


def _recursion(g, beta, factor, start=0.0):
    """The sequence m_t = beta m_{t-1} + factor g_t."""
    g = np.asarray(g)
    m, out = np.full(g.shape[1:], start, dtype=float), []
    for g_t in g:
        m = beta * m + factor * g_t
        out.append(m)
    return np.array(out)


def _column(values, like):
    """Values over time, to be multiplied with rows of an array."""
    return values.reshape(-1, *[1] * (like.ndim - 1))


def _start_at_first(g, beta):
    """The average that starts at the first gradient."""
    g = np.asarray(g, dtype=float)
    return np.concatenate([g[:1], _recursion(g[1:], beta, 1 - beta, start=g[0]).reshape(g[1:].shape)])


def _shifted(g, beta):
    """m_0 to m_{T-1}."""
    m = average(g, beta)
    return np.concatenate([np.zeros_like(m[:1]), m[:-1]])


def _powers(g, beta, power):
    """m_t over 1 - beta to a power of t."""
    m = average(g, beta)
    return m / _column(1 - beta ** power(np.arange(1, len(m) + 1.0)), m)


def _fed_back(g, beta):
    """Corrected values that are put in the place of m."""
    m, out = np.zeros(np.shape(g)[1:]), []
    for t, g_t in enumerate(g, start=1):
        m = (beta * m + (1 - beta) * g_t) / (1 - beta**t)
        out.append(m)
    return np.array(out)


def _gradients(rng: np.random.Generator, hidden: bool) -> list[Case]:
    """Cases for the two averages."""
    cases = [
        Case((np.array([1.0]), 0.9), "a single gradient"),
        Case((np.array([2.0, 2.0, 2.0]), 0.5), "three equal gradients, beta = 0.5"),
        Case((rng.normal(size=5), 0.9), "5 gradients, beta = 0.9"),
        Case((rng.normal(size=5), 0.99), "5 gradients, beta = 0.99"),
        Case((rng.normal(size=200), 0.9), "200 gradients, beta = 0.9"),
        Case((np.arange(1, 5), 0.75), "whole numbers as gradients"),
        Case((rng.normal(size=(6, 3)), 0.9), "gradients of three parameters"),
        Case((rng.normal(size=4), 0.0), "beta = 0"),
        Case((rng.normal(size=30), float(np.round(rng.uniform(0.5, 0.95), 3))), "30 gradients"),
    ]
    if hidden:
        cases += [
            Case((1e-8 * rng.normal(size=10), 0.9), "tiny gradients"),
            Case((rng.normal(size=2000), 0.999), "2000 gradients, beta = 0.999"),
            # All positive: where an average passes near zero, the last bits of float32 are a large share of it.
            Case((rng.uniform(1, 2, size=20).astype(np.float32), 0.9), "gradients in float32", 1e-5),
        ]
    return cases


def _times(rng: np.random.Generator, hidden: bool) -> list[Case]:
    """Cases for functions of t and beta."""
    pairs = [(1, 0.9), (2, 0.9), (3, 0.5), (10, 0.99), (int(rng.integers(4, 40)), 0.9)]
    if hidden:
        pairs += [(int(rng.integers(100, 3000)), 0.999), (5, 0.0), (1, 0.9999)]
    return [Case((t, beta), f"t = {t}, beta = {beta:g}") for t, beta in pairs]


def _betas(rng: np.random.Generator, hidden: bool) -> list[Case]:
    """Cases for functions of beta."""
    betas = [0.5, 0.9, 0.999, float(np.round(rng.uniform(0.6, 0.99), 3))]
    betas += [0.01, 0.99999] if hidden else []
    return [Case((beta,), f"beta = {beta:g}") for beta in betas]


def _numbers(rng: np.random.Generator, hidden: bool) -> list[Case]:
    """Cases for functions of an effective number."""
    numbers = [1.0, 3.0, 19.0, float(rng.integers(5, 300))] + ([1999.0, 1.5] if hidden else [])
    return [Case((n,), f"n = {n:g}") for n in numbers]


def _steps(rng: np.random.Generator, hidden: bool) -> list[Case]:
    """Cases for functions of t and both betas."""
    triples = [(1, 0.9, 0.999), (2, 0.9, 0.999), (12, 0.9, 0.999), (int(rng.integers(20, 2000)), 0.9, 0.99)]
    triples += [(1, 0.0, 0.9999), (int(rng.integers(5, 50)), 0.5, 0.5)] if hidden else []
    return [Case((t, b1, b2), f"t = {t}, beta1 = {b1:g}, beta2 = {b2:g}") for t, b1, b2 in triples]


def _three(rng: np.random.Generator) -> tuple[np.ndarray]:
    """Three gradients that are easy to reckon with."""
    return (rng.choice(np.arange(1, 10), size=3, replace=False).astype(float) * rng.choice([-1, 1], size=3),)


def _two_betas(rng: np.random.Generator) -> tuple[float, float]:
    """A beta1 and a beta2 of which Adam without corrections has its largest step somewhere."""
    return float(rng.choice([0.8, 0.85, 0.9, 0.95])), float(rng.choice([0.995, 0.998, 0.999, 0.9995]))


def _peak(beta1: float, beta2: float, shift: int = 0) -> int:
    """The step t at which Adam without corrections takes its largest step."""
    t = np.arange(1, 2000)
    return int(t[((1 - beta1**t) / np.sqrt(1 - beta2**t)).argmax()]) + shift


AVERAGES: dict[str, Question | Value] = {
    "1.1": Question(
        title="the moving average",
        signature="average(g, beta)",
        reference=average,
        cases=_gradients,
        outputs=("m",),
        mistakes=(
            Mistake(
                "starts at g_1",
                _start_at_first,
                "Your average starts at the first gradient; here m_0 = 0. What is m_1 then?",
            ),
            Mistake(
                "weights swapped",
                lambda g, beta: _recursion(g, 1 - beta, beta),
                "Which of the two gets beta: the old average or the new gradient?",
            ),
            Mistake(
                "no 1 - beta",
                lambda g, beta: _recursion(g, beta, 1.0),
                "This is a sum, as momentum has it. By what is the new gradient multiplied in an average?",
            ),
            Mistake(
                "one step late",
                _shifted,
                "Your values are m_0, m_1, ...; they should begin with m_1. Do you store m before you update it?",
            ),
            Mistake(
                "mean of all",
                lambda g, beta: _recursion(g, 1.0, 1.0) / _column(np.arange(1, len(g) + 1.0), np.asarray(g)),
                "This is the mean of all gradients so far. In which line does beta stand?",
            ),
            Mistake(
                "corrected already",
                corrected,
                "You correct the bias already; that is a later question. Leave m as the recursion gives it.",
            ),
            Mistake(
                "only the last",
                lambda g, beta: (1 - beta) * np.asarray(g),
                "Each value knows its own gradient only. Does your loop keep m from one step to the next?",
            ),
            Mistake(
                "g_1 left out",
                lambda g, beta: average(np.concatenate([0.0 * np.asarray(g[:1]), g[1:]]), beta),
                "Your m_1 is 0, and g_1 is in none of the others. With which gradient does your loop begin?",
            ),
            Mistake(
                "squares",
                lambda g, beta: average(np.asarray(g) ** 2, beta),
                "This is the average of the squared gradients. What is averaged in m?",
            ),
        ),
    ),
    "1.2": Value(
        title="three steps by hand",
        data=_three,
        reference=lambda g: average(g, 0.9)[-1],
        outputs=("m_3",),
        mistakes=(
            Mistake(
                "weights swapped",
                lambda g: _recursion(g, 0.1, 0.9)[-1],
                "Which of the two gets 0.9: the old average or the new gradient?",
            ),
            Mistake(
                "starts at g_1",
                lambda g: _start_at_first(g, 0.9)[-1],
                "You start at the first gradient. What is m_1 if m_0 = 0?",
            ),
            Mistake(
                "mean", lambda g: g.mean(), "This is the plain mean. What does the recursion give, step by step?"
            ),
            Mistake("two steps", lambda g: average(g, 0.9)[1], "This is m_2. Which gradient is still missing?"),
            Mistake("corrected", lambda g: corrected(g, 0.9)[-1], "This is m_hat_3. The question asks for m_3."),
            Mistake("a sum", lambda g: _recursion(g, 0.9, 1.0)[-1], "By what is each new gradient multiplied?"),
            Mistake(
                "reversed",
                lambda g: average(g[::-1], 0.9)[-1],
                "Which of the three gradients came last? It has the largest weight.",
            ),
        ),
    ),
    "1.3": Question(
        title="the weights",
        signature="weights(t, beta)",
        reference=weights,
        cases=_times,
        outputs=("w",),
        mistakes=(
            Mistake(
                "reversed",
                lambda t, beta: weights(t, beta)[::-1],
                "The order is turned around: which gradient should weigh most in m_t, the first or the last?",
            ),
            Mistake(
                "no 1 - beta",
                lambda t, beta: weights(t, beta) / (1 - beta),
                "What was the newest gradient multiplied by when it came in?",
            ),
            Mistake(
                "one power too many",
                lambda t, beta: beta * weights(t, beta),
                "How often has the newest gradient been multiplied by beta when m_t is done?",
            ),
            Mistake(
                "normalized",
                lambda t, beta: weights(t, beta) / total(t, beta),
                "These add up to one: they are the weights in m_hat_t. Those in m_t do not. Why not?",
            ),
            Mistake(
                "equal",
                lambda t, beta: np.full(t, 1 / t),
                "Equal weights belong to a plain mean. Unroll the recursion for t = 2 with pencil and paper.",
            ),
        ),
    ),
    "1.4": Question(
        title="the sum of the weights",
        signature="total(t, beta)",
        reference=total,
        cases=_times,
        outputs=("the sum",),
        mistakes=(
            Mistake(
                "beta**t", lambda t, beta: beta**t, "This is the weight that m_0 = 0 has. What is left for others?"
            ),
            Mistake(
                "one power too few",
                lambda t, beta: 1 - beta ** (t - 1),
                "Try t = 1: m_1 = (1 - beta) g_1. What is the sum of the weights then?",
            ),
            Mistake(
                "one power too many",
                lambda t, beta: 1 - beta ** (t + 1),
                "Try t = 1: m_1 = (1 - beta) g_1. What is the sum of the weights then?",
            ),
            Mistake(
                "no 1 - beta",
                lambda t, beta: (1 - beta**t) / (1 - beta),
                "This is the sum of the powers of beta. Each weight has one more factor.",
            ),
            Mistake(
                "a power of 1 - beta",
                lambda t, beta: (1 - beta) ** t,
                "You take a power of 1 - beta. Which weights has m_2, and what do these two add up to?",
            ),
            Mistake(
                "weights swapped",
                lambda t, beta: 1 - (1 - beta) ** t,
                "beta and 1 - beta have changed places. Which of them does m_0 get at each step?",
            ),
            Mistake(
                "times t",
                lambda t, beta: 1 - beta * t,
                "You multiply by t, and the sum is below zero soon. How often is m_0 multiplied by beta in t steps?",
            ),
            Mistake(
                "one", lambda t, beta: 1.0, "They would add up to one if m_0 were an average already. It is zero."
            ),
        ),
    ),
    "1.5": Question(
        title="the half-life",
        signature="half_life(beta)",
        reference=half_life,
        cases=_betas,
        outputs=("the half-life",),
        mistakes=(
            Mistake(
                "negative", lambda beta: -half_life(beta), "Is a logarithm of a number below 1 positive or negative?"
            ),
            Mistake(
                "rounded up",
                lambda beta: float(np.ceil(half_life(beta))),
                "You have rounded it up to a whole number of steps. Give it as it comes.",
            ),
            Mistake(
                "1 / (1 - beta)",
                lambda beta: 1 / (1 - beta),
                "In so many steps the weight falls to about 1/e, not to a half.",
            ),
            Mistake(
                "1/e", lambda beta: -1 / np.log(beta), "In so many steps the weight falls to 1/e. Where does 1/2 go?"
            ),
            Mistake("inverted", lambda beta: 1 / half_life(beta), "Solve beta**n = 1/2 for n, one step at a time."),
            Mistake("another base", lambda beta: np.log(0.5) / np.log2(beta), "Both logarithms need the same base."),
        ),
    ),
    "1.6": Question(
        title="how much it averages",
        signature="beta_for(n)",
        reference=beta_for,
        cases=_numbers,
        outputs=("beta",),
        mistakes=(
            Mistake(
                "1 - 1/n",
                lambda n: 1 - 1 / n,
                "1/(1 - beta) is how long it remembers. How much it averages, squared weights tell.",
            ),
            Mistake(
                "2 / (n + 1)",
                lambda n: 2 / (n + 1),
                "This is 1 - beta, what some call the smoothing factor. The question asks for beta.",
            ),
            Mistake(
                "not turned around",
                lambda n: (1 + n) / (1 - n),
                "This looks like n as a function of beta, with n in the place of beta. Which of the two is given "
                "here, and which do you solve for?",
            ),
            Mistake(
                "turned around for 1/n",
                lambda n: (1 - n) / (1 + n),
                "Your beta is negative. Which does your formula equal before you solve it for beta: n, or the sum of "
                "the squares, which is 1/n?",
            ),
            Mistake("n / (n + 1)", lambda n: n / (n + 1), "Try n = 1: which beta makes m_t a single gradient?"),
        ),
    ),
    "1.7": Question(
        title="the correction",
        signature="corrected(g, beta)",
        reference=corrected,
        cases=_gradients,
        outputs=("m_hat",),
        mistakes=(
            Mistake("not corrected", average, "This is still m. By what do you divide it?"),
            Mistake(
                "no power of t",
                lambda g, beta: average(g, beta) / (1 - beta),
                "Did you divide by 1 - beta instead of 1 - beta**t? After many steps there is nothing to correct.",
            ),
            Mistake(
                "t starts at 0",
                lambda g, beta: _powers(g, beta, lambda t: t - 1),
                "Does your t start at 0? At the first step t is 1, so that you divide by 1 - beta.",
            ),
            Mistake(
                "t starts at 2",
                lambda g, beta: _powers(g, beta, lambda t: t + 1),
                "Is t counted once too often before the first division?",
            ),
            Mistake(
                "fed back",
                _fed_back,
                "You put the corrected value in the place of m. The recursion goes on with m; m_hat is only read.",
            ),
            Mistake(
                "multiplied",
                lambda g, beta: average(g, beta) * _column(1 - beta ** np.arange(1, len(g) + 1.0), np.asarray(g)),
                "m is too small at first. Does your correction make it larger or smaller?",
            ),
            Mistake(
                "starts at g_1",
                _start_at_first,
                "You start at the first gradient. That is unbiased too, but not the same. Start at zero, and divide.",
            ),
            Mistake(
                "last t for all",
                lambda g, beta: average(g, beta) / (1 - beta ** len(g)),
                "You divide all values by the last correction. Each m_t has its own, 1 - beta**t.",
            ),
        ),
    ),
    "1.8": Question(
        title="without correction",
        signature="uncorrected_step(t, beta1, beta2)",
        reference=uncorrected_step,
        cases=_steps,
        outputs=("the factor",),
        mistakes=(
            Mistake(
                "no root",
                lambda t, beta1, beta2: (1 - beta1**t) / (1 - beta2**t),
                "Adam divides by the root of v.",
            ),
            Mistake(
                "root of all",
                lambda t, beta1, beta2: float(np.sqrt((1 - beta1**t) / (1 - beta2**t))),
                "The root is of v alone, and yours is of the whole fraction.",
            ),
            Mistake(
                "inverted",
                lambda t, beta1, beta2: 1 / uncorrected_step(t, beta1, beta2),
                "Is m in the numerator? A v that is too small makes the step larger.",
            ),
            Mistake("only m", lambda t, beta1, beta2: 1 - beta1**t, "What about v? It is too small as well."),
            Mistake(
                "only v",
                lambda t, beta1, beta2: 1 / np.sqrt(1 - beta2**t),
                "What about m? It is too small as well.",
            ),
            Mistake(
                "betas swapped",
                lambda t, beta1, beta2: uncorrected_step(t, beta2, beta1),
                "Which beta belongs to m, and which to v?",
            ),
            Mistake("no effect", lambda t, beta1, beta2: 1.0, "This is the factor with both corrections."),
        ),
    ),
    "1.9": Value(
        title="its largest step",
        data=_two_betas,
        reference=_peak,
        outputs=("t",),
        mistakes=(
            Mistake(
                "an index",
                lambda beta1, beta2: _peak(beta1, beta2, shift=-1),
                "Is this an index that starts at 0? The first step has t = 1.",
            ),
            Mistake(
                "the first", lambda beta1, beta2: 1, "The first step is not the largest. What does m do meanwhile?"
            ),
        ),
    ),
}
"""Moving averages and the bias correction, by hand."""
