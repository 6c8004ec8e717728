"""Questions of the fourth assignment: a fair comparison of optimizers, and what it does not show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import stdtrit

from adamcore.checks.core import Case, Mistake, Open, Question, Value, as_numbers

CONTENDERS = ("Nesterov", "AdaGrad", "RMSProp", "Adam")
"""The optimizers that the assignment compares."""

EPOCHS, SEEDS = 5, 3
"""Of every run of the assignment's own comparison, and of every setting."""

PASSES = 600
"""What a design may cost in all, in passes over the training images, so that the notebook stays fast."""

WORDS = ("lower", "higher", "similar", "inconclusive")
"""The verdicts, as :class:`adamcore.experiments.PairedRatio` has them."""

MARGIN = 0.05
"""A ratio within 5 % of 1, whichever of the two costs is divided by the other, is called similar."""


def grid(low: float, high: float, per_decade: int) -> np.ndarray:
    """Return step sizes from low to high, both included, evenly spaced in their logarithm.

    Parameters
    ----------
    low, high : float
        Positive; high lies a whole number of steps above low.
    per_decade : int
        The steps that make a factor of ten.

    Returns
    -------
    numpy.ndarray
        low first.

    Examples
    --------
    >>> grid(0.01, 1.0, 1)
    array([0.01, 0.1 , 1.  ])
    """
    return low * 10 ** (np.arange(_steps(low, high, per_decade) + 1) / per_decade)


def budget(contender: dict[str, Any]) -> tuple[int, int, int]:
    """Return what tuning a contender costs: its settings, their runs, and the passes over the data that these make.

    Parameters
    ----------
    contender : dict
        ``"search"``: the values that are tried of each hyper-parameter, a list by its name; every combination is
        a setting. ``"seeds"``: the runs of each setting. ``"epochs"``: the passes of each run.

    Examples
    --------
    >>> budget({"search": {"alpha": [0.001, 0.01, 0.1], "mu": [0.0, 0.9]}, "seeds": 5, "epochs": 10})
    (6, 30, 300)
    """
    settings = int(np.prod([len(values) for values in contender["search"].values()], dtype=int))
    runs = settings * contender["seeds"]
    return settings, runs, runs * contender["epochs"]


def best_setting(costs: np.ndarray) -> int:
    """Return the index of the setting with the lowest geometric mean over seeds; a failed run rules a setting out.

    Parameters
    ----------
    costs : numpy.ndarray
        (settings, seeds); NaN or infinity where a run failed. At least one setting has no such run.

    Examples
    --------
    >>> best_setting(np.array([[0.5, 0.5], [0.1, np.inf], [0.3, 0.4]]))
    2
    """
    return int(np.argmin(_scores(costs)))


def on_the_edge(alphas: np.ndarray, costs: np.ndarray) -> str:
    """Return at which end of its grid the best step size lies: ``"low"``, ``"high"``, or ``""`` if it lies inside.

    Parameters
    ----------
    alphas : numpy.ndarray
        Step sizes, in any order.
    costs : numpy.ndarray
        The cost of each; NaN or infinity where it failed.

    Examples
    --------
    >>> on_the_edge(np.array([0.1, 0.01, 0.001]), np.array([0.4, 0.5, 0.9]))
    'high'
    """
    alphas, best = np.asarray(alphas), _best(costs)
    return "low" if alphas[best] == alphas.min() else "high" if alphas[best] == alphas.max() else ""


def paired(a: np.ndarray, b: np.ndarray) -> tuple[float, float, float]:
    """Return the ratio of two contenders' costs, paired by seed, and its 95 % confidence interval.

    The mean of the differences of log cost, plus and minus Student's t quantile times its standard error, as powers
    of e: what :func:`adamcore.experiments.paired_ratio` computes.

    Parameters
    ----------
    a, b : numpy.ndarray
        Positive costs, one for each seed, in the same order.

    Returns
    -------
    ratio, low, high : float

    Examples
    --------
    >>> [round(value, 6) for value in paired(np.array([0.8, 0.4]), np.array([1.6, 0.8]))]
    [0.5, 0.5, 0.5]
    """
    return _interval(np.log(a) - np.log(b))


def verdict(ratio: float, low: float, high: float) -> str:
    """Return what a ratio and its interval say of the first contender: one of :data:`WORDS`.

    Examples
    --------
    >>> verdict(0.80, 0.75, 0.85), verdict(1.00, 0.97, 1.03), verdict(1.00, 0.80, 1.25)
    ('lower', 'similar', 'inconclusive')
    """
    if ratio <= 1 - MARGIN and high < 1:
        return "lower"
    if ratio >= 1 / (1 - MARGIN) and low > 1:
        return "higher"
    return "similar" if low >= 1 / (1 + MARGIN) and high <= 1 + MARGIN else "inconclusive"


def choose_and_report(validation: np.ndarray, test: np.ndarray) -> tuple[int, np.ndarray]:
    """Return the setting that is best by its validation costs, and the test costs of that setting.

    Parameters
    ----------
    validation, test : numpy.ndarray
        (settings, seeds).

    Returns
    -------
    choice : int
    reported : numpy.ndarray
        One test cost for each seed.

    Examples
    --------
    >>> choose_and_report(np.array([[0.3, 0.5], [0.3, 0.3]]), np.array([[0.1, 0.1], [0.4, 0.5]]))
    (1, array([0.4, 0.5]))
    """
    choice = best_setting(validation)
    return choice, np.asarray(test)[choice]


def decades(alphas: np.ndarray, costs: np.ndarray, factor: float) -> float:
    """Return how many powers of ten the step size may span around its best value without much harm.

    Parameters
    ----------
    alphas : numpy.ndarray
        Step sizes, ascending.
    costs : numpy.ndarray
        The cost of each; NaN or infinity where it failed.
    factor : float
        A step size is good if its cost is at most this factor times the lowest; those that are good and not cut
        off from the best one by a bad one count.

    Examples
    --------
    >>> decades(np.array([0.001, 0.01, 0.1, 1.0]), np.array([0.9, 0.32, 0.30, 0.5]), 1.1)
    1.0
    """
    first, last = _good(costs, factor)
    return float(np.log10(alphas[last] / alphas[first]))


def _steps(low, high, per_decade):
    """The number of steps from low to high; rounded, since a logarithm is hardly ever whole."""
    return round(per_decade * np.log10(high / low))


def _scores(costs):
    """The mean log cost of each setting; infinite where a run failed."""
    costs = np.asarray(costs, dtype=float)
    failed = ~np.isfinite(costs).all(axis=1)
    with np.errstate(all="ignore"):
        return np.where(failed, np.inf, np.log(costs).mean(axis=1))


def _best(costs):
    """The index of the lowest cost that is a number."""
    costs = np.asarray(costs, dtype=float)
    return int(np.argmin(np.where(np.isfinite(costs), costs, np.inf)))


def _good(costs, factor):
    """The first and the last index of the good step sizes around the best."""
    costs = np.asarray(costs, dtype=float)
    first = last = _best(costs)
    good = costs <= factor * costs[first]
    while first > 0 and good[first - 1]:
        first -= 1
    while last < len(costs) - 1 and good[last + 1]:
        last += 1
    return first, last


def _over_gaps(alphas, costs, factor):
    """The width from the first good step size to the last, whatever lies between."""
    good = alphas[costs <= factor * costs[_best(costs)]]
    return float(np.log10(good.max() / good.min()))


def _interval(differences, quantile=None, ddof=1, root=None, back=np.exp):
    """Mean and confidence interval of differences of logarithms, turned back; each part can be made wrong."""
    n = len(differences)
    quantile = stdtrit(n - 1, 0.975) if quantile is None else quantile
    half = quantile * np.std(differences, ddof=ddof) / (np.sqrt(n) if root is None else root(n))
    center = np.mean(differences)
    return tuple(float(back(center + sign * half)) for sign in (0, -1, 1))


def _unpaired(a, b):
    """The interval of two independent samples."""
    n = len(a)
    half = stdtrit(2 * n - 2, 0.975) * np.sqrt((np.var(np.log(a), ddof=1) + np.var(np.log(b), ddof=1)) / n)
    center = np.mean(np.log(a)) - np.mean(np.log(b))
    return tuple(float(np.exp(center + sign * half)) for sign in (0, -1, 1))


def _swapped_ends(a, b):
    """The interval's ends in the wrong order."""
    ratio, low, high = paired(a, b)
    return ratio, high, low


def _lengths(contender):
    """How many values of each hyper-parameter are tried."""
    return [len(values) for values in contender["search"].values()]


def _counted(contender, settings=None, runs=None, passes=None):
    """A budget of which parts are given; what follows from them is computed on."""
    settings = budget(contender)[0] if settings is None else settings
    runs = settings * contender["seeds"] if runs is None else runs
    return settings, runs, runs * contender["epochs"] if passes is None else passes


def _skipping(costs):
    """The best setting if failed runs are left out of the means."""
    finite = np.isfinite(costs)
    total = np.where(finite, np.log(np.where(finite, costs, 1.0)), 0.0).sum(axis=1)
    number = finite.sum(axis=1)
    return int(np.argmin(np.where(number > 0, total / np.maximum(number, 1), np.inf)))


def _finite(costs):
    """Costs with infinity for whatever failed."""
    return np.where(np.isfinite(costs), costs, np.inf)


def _ruled_out(costs, score):
    """The setting with the lowest score among those without a failed run."""
    return int(np.argmin(np.where(np.isfinite(costs).all(axis=1), score(_finite(costs)), np.inf)))


def _among_the_rest(costs):
    """The index that the best setting has once those that failed are taken out."""
    scores = _scores(costs)
    return int(np.argmin(scores[np.isfinite(scores)]))


def _by_test_and_validation(validation, test):
    """The setting that is best on both data sets together."""
    choice = int(np.argmin(_scores(validation) + _scores(test)))
    return choice, test[choice]


def _each_its_own(validation, test):
    """For each seed the test cost of the setting that is best for that seed."""
    rows = np.argmin(_finite(validation), axis=0)
    return best_setting(validation), test[rows, np.arange(test.shape[1])]


def _edge(alphas, costs, best):
    """Where the alpha of an index lies."""
    return "low" if alphas[best] == alphas.min() else "high" if alphas[best] == alphas.max() else ""


def _edge_without_failed(alphas, costs):
    """The edge if step sizes that failed are taken out of the grid first."""
    kept = np.isfinite(costs)
    return on_the_edge(alphas[kept], costs[kept])


def _near_the_edge(alphas, costs):
    """A grid whose two outermost values count as the edge."""
    rank = int(np.argsort(np.argsort(alphas))[_best(costs)])
    return "low" if rank <= 1 else "high" if rank >= len(alphas) - 2 else ""


def _grids(rng: np.random.Generator, hidden: bool) -> list[Case]:
    """Cases for grids; the last of the public ones does not end at a power of ten."""
    start = 10.0 ** -int(rng.integers(2, 6))
    triples = [
        (0.01, 1.0, 1, "two decades, one step each"),
        (0.001, 10.0, 2, "four decades, two steps each"),
        (start, 100 * start, 3, "two decades, three steps each"),
        (0.001, 0.001 * 10**2.5, 2, "two and a half decades, two steps each"),
    ]
    if hidden:
        triples += [
            (0.3, 3000.0, 4, "a start that is no power of ten"),
            (0.02, 0.02, 2, "low = high"),
            (0.1, 0.1 * 10 ** (4 / 3), 3, "one and a third decades, three steps each"),
        ]
    return [Case((low, high, n), label) for low, high, n, label in triples]


def _designs(rng: np.random.Generator, hidden: bool) -> list[Case]:
    """Cases for counting."""

    def values(n):
        return [float(value) for value in np.round(rng.uniform(0.001, 1, size=n), 4)]

    def case(label, seeds, epochs, **lengths):
        search = {name: values(n) for name, n in lengths.items()}
        return Case(({"search": search, "seeds": seeds, "epochs": epochs},), label)

    n = int(rng.integers(5, 12))
    cases = [
        case("one hyper-parameter", 3, 10, alpha=n),
        case("two hyper-parameters", 5, 20, alpha=7, beta1=2),
        case("three hyper-parameters", 4, 6, beta1=2, alpha=5, eps=3),
        case("nothing searched", 3, 10),
    ]
    if hidden:
        cases += [
            case("a single value", 5, 8, alpha=1),
            case("five hyper-parameters", 2, 7, a=2, b=3, c=1, d=2, e=4),
            case("a single run of a single epoch", 1, 1, alpha=6, mu=2),
        ]
    return cases


def _tables(rng: np.random.Generator, hidden: bool, settings: int = 6) -> list[tuple[np.ndarray, str]]:
    """Costs over settings and seeds, with and without failed runs."""
    nan, inf = np.nan, np.inf
    tables = [
        (np.array([[0.9, 0.9, 0.9], [0.5, 0.5, 0.5], [0.7, 0.7, 0.7]]), "three settings"),
        (np.array([[0.8, 0.8, 0.8], [0.2, 0.9, 0.9], [0.5, 0.5, 0.5]]), "a setting with one lucky run"),
        (np.array([[1.0, 1.0, 5.0], [1.9, 1.9, 1.9], [9.0, 9.0, 9.0]]), "a setting with one bad run"),
        (np.array([[0.4, 0.4, 3.0], [0.6, 0.6, 0.6]]), "a setting with one very bad run"),
        (np.array([[0.5, 0.5, 2.0], [0.9, 1.2, 1.2]]), "a setting with one worse run"),
        (np.array([[0.9, 0.9], [nan, 7.0], [0.4, 0.4], [0.6, 0.6]]), "a run that gave NaN"),
        (np.array([[0.9, 0.9], [nan, 0.5], [0.4, 0.4], [0.6, 0.6]]), "a run that gave NaN in a good setting"),
        (np.array([[inf, 0.1], [0.3, 0.3], [0.35, 0.35], [0.5, 0.5]]), "a run that diverged"),
    ]
    for _ in range(5):
        costs = np.exp(rng.normal(size=(settings, 4)))
        tables.append((costs, "costs at random"))
        costs = np.exp(rng.normal(size=(settings, 4)))
        costs[rng.integers(2), rng.integers(4)] = nan
        costs[rng.integers(2, 4), rng.integers(4)] = inf
        tables.append((costs, "costs at random, two runs failed"))
    if hidden:
        tables += [
            (np.array([[nan, nan, nan], [inf, inf, inf], [3e4, 2e4, 5e4]]), "a single setting that did not fail"),
            (np.exp(rng.normal(size=(40, 3))), "40 settings"),
            (1e-12 * np.exp(rng.normal(size=(5, 3))), "tiny costs"),
            (np.exp(rng.normal(size=(5, 1))), "a single seed"),
        ]
    return tables


def _costs(rng: np.random.Generator, hidden: bool) -> list[Case]:
    """Cases for the choice of a setting."""
    return [Case((costs,), label) for costs, label in _tables(rng, hidden)]


def _both_costs(rng: np.random.Generator, hidden: bool) -> list[Case]:
    """Cases for the choice on validation data and the report on test data, which differ but not by much."""
    tables = [(costs, label) for costs, label in _tables(rng, hidden) if np.isfinite(costs).all()]
    tables += [(np.exp(rng.normal(size=(8, 3))), "eight settings") for _ in range(8)]
    cases = [Case((costs, costs * np.exp(rng.normal(size=costs.shape))), label) for costs, label in tables]
    validation, test = (np.repeat([row], 2, axis=0).T for row in ([0.5, 0.6, 0.9], [0.9, 0.6, 0.58]))
    return [*cases, Case((validation, test), "images that disagree")]


def _edges(rng: np.random.Generator, hidden: bool) -> list[Case]:
    """Cases for the ends of a grid."""
    nan, inf = np.nan, np.inf
    rows: list[tuple[Sequence[float], Sequence[float], str]] = [
        ([0.001, 0.01, 0.1, 1.0, 10.0], [0.9, 0.6, 0.3, 0.5, 0.8], "a best value inside"),
        ([0.001, 0.01, 0.1, 1.0, 10.0], [0.3, 0.5, 0.6, 0.8, 0.9], "the smallest alpha is best"),
        ([0.001, 0.01, 0.1, 1.0, 10.0], [0.9, 0.8, 0.6, 0.5, 0.3], "the largest alpha is best"),
        ([0.001, 0.01, 0.1, 1.0, 10.0], [0.9, 0.3, 0.5, 0.6, 0.8], "the second alpha is best"),
        ([10.0, 1.0, 0.1, 0.01, 0.001], [0.3, 0.5, 0.6, 0.8, 0.9], "alphas that descend"),
        ([0.1, 1.0, 0.001, 10.0, 0.01], [0.3, 0.5, 0.9, 0.8, 0.6], "alphas in no order"),
        ([0.001, 0.01, 0.1, 1.0, 10.0], [0.9, 0.6, 0.5, 0.3, inf], "the largest alpha diverged"),
        ([0.001, 0.01, 0.1, 1.0, 10.0], [nan, 0.3, 0.5, 0.6, 0.8], "the smallest alpha gave NaN"),
    ]
    for _ in range(3):
        alphas = rng.permutation(grid(0.001, 10.0, 1))
        rows.append((alphas, np.round(rng.uniform(0.2, 1, size=5), 3), "costs at random"))
    if hidden:
        rows += [
            ([0.1, 0.3, 1.0], [nan, inf, 0.4], "a single alpha that did not fail"),
            (rng.permutation(grid(1e-5, 10.0, 2)), np.round(rng.uniform(0.2, 1, size=13), 4), "13 alphas"),
            ([0.3, 1.0, 3.0], [-1.0, -3.0, -2.0], "an objective below zero"),
        ]
    return [Case((np.array(alphas), np.array(costs)), label) for alphas, costs, label in rows]


def _pairs(rng: np.random.Generator, hidden: bool) -> list[Case]:
    """Cases for two contenders over seeds: what a seed brings is shared, so that pairing matters."""

    def case(n, label, shared=0.3, scale=1.0, dtype=float, rtol=None):
        seed = rng.normal(scale=shared, size=n)
        a, b = (np.exp(seed + rng.normal(scale=0.05, size=n) + shift) for shift in (-0.1, 0.0))
        return Case(((scale * a).astype(dtype), (scale * b).astype(dtype)), label, rtol)

    b = np.exp(rng.normal(size=4))
    cases = [
        Case((np.array([0.8, 0.4]), np.array([1.0, 0.8])), "two seeds"),
        case(3, "three seeds"),
        case(5, "five seeds"),
        case(10, "ten seeds"),
        Case((0.8 * b, b), "four seeds in which a is always 0.8 b"),
    ]
    if hidden:
        cases += [
            case(30, "thirty seeds"),
            case(6, "tiny costs", scale=1e-9),
            case(8, "seeds that share nothing", shared=0.0),
            case(6, "costs in float32", dtype=np.float32, rtol=1e-4),
        ]
    return cases


def _with_bounds(*, lower=1 - MARGIN, higher=1 / (1 - MARGIN), low=1 / (1 + MARGIN), high=1 + MARGIN):
    """A verdict with other bounds."""

    def wrong(ratio, start, end):
        if ratio <= lower and end < 1:
            return "lower"
        if ratio >= higher and start > 1:
            return "higher"
        return "similar" if start >= low and end <= high else "inconclusive"

    return wrong


def _ratios(rng: np.random.Generator, hidden: bool) -> list[Case]:
    """Cases for verdicts; each of the mistakes needs one of them."""
    triples = [
        (0.80, 0.70, 0.90),
        (0.80, 0.60, 1.06),
        (0.93, 0.89, 0.97),
        (0.97, 0.96, 0.98),
        (0.97, 0.90, 1.04),
        (0.96, 0.94, 0.99),
        (1.00, 0.97, 1.03),
        (1.00, 0.80, 1.25),
        (1.25, 1.10, 1.40),
        (1.20, 0.90, 1.60),
        (1.0515, 1.045, 1.058),
        (0.975, 0.951, 0.999),
        (0.951, 0.945, 0.957),
        (1.045, 1.040, 1.0515),
    ]
    ratio = float(np.round(rng.uniform(0.5, 0.9), 3))
    triples += [(ratio, ratio - 0.05, ratio + 0.05), (1 / ratio, 1 / (ratio + 0.05), 1 / (ratio - 0.05))]
    if hidden:
        inf = np.inf
        triples += [(np.nan, 0.0, inf), (inf, inf, inf), (0.0, 0.0, 0.0), (0.95, 0.92, 0.98), (1.0, 1.0, 1.0)]
        triples += [(0.90, 0.81, 1.0), (1.06, 1.01, 1.11), (1.0, 0.96, 1.05), (1.10, 1.0, 1.21)]
    return [Case(triple, "ratio {:.4g} [{:.4g}, {:.4g}]".format(*triple)) for triple in triples]


def _basins(rng: np.random.Generator, hidden: bool) -> list[Case]:
    """Cases for the width of a basin."""
    nan, inf = np.nan, np.inf
    alphas = grid(0.001, 10.0, 2)
    rows = [
        (grid(0.001, 1.0, 1), [0.9, 0.32, 0.30, 0.5], 1.1, "four alphas"),
        (alphas, [2.0, 1.2, 0.8, 0.62, 0.6, 0.64, 0.65, 0.9, 3.0], 1.1, "a basin"),
        (alphas, [0.62, 1.2, 0.8, 0.62, 0.6, 0.64, 0.9, 0.63, 3.0], 1.1, "good alphas beyond a bad one"),
        (alphas, [2.0, 1.2, 0.8, 0.7, 0.65, 0.6, 0.7, inf, nan], 1.2, "alphas that failed"),
        (alphas, [2.0, 1.5, 1.2, 0.9, 0.3, 0.8, 1.0, 1.6, 3.0], 1.1, "no good alpha but the best"),
        (alphas, [2.0, 1.5, 0.5, 0.4, 0.3, 0.35, 0.7, 1.6, 3.0], 2.0, "within a factor of 2"),
    ]
    center, steep = rng.uniform(-1.5, 0.5), rng.uniform(0.2, 0.6)
    rows.append((alphas, np.round(0.3 + steep * (np.log10(alphas) - center) ** 2, 4), 1.5, "a basin of yours"))
    if hidden:
        rows += [
            (alphas, [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5], 1.1, "a flat basin"),
            (grid(1e-5, 1e-3, 3), [0.30, 0.31, 0.32, 0.36, 0.5, 0.7, 0.9], 1.1, "a best value at the low end"),
            (np.array([0.1, 0.2, 0.5, 1.0]), [0.40, 0.31, 0.30, 0.32], 1.1, "another spacing"),
            (grid(0.1, 10.0, 1), [nan, 0.3, inf], 1.1, "neighbors that failed"),
        ]
    return [Case((np.array(a), np.array(c, dtype=float), f), label) for a, c, f, label in rows]


def _study(rng: np.random.Generator) -> tuple[dict[str, dict[str, Any]]]:
    """A comparison with three unfair things in it, each done to another contender."""
    generous, starved, lucky, plain = (str(name) for name in rng.permutation(["P", "Q", "R", "S"]))

    def tried(low, n, others, seeds, level, best_at, shuffled=False, luckiest=False):
        alphas = low * 10 ** (np.arange(n) / 2)
        basin = level * np.exp(0.13 * np.abs(np.arange(n) - best_at))
        costs = np.round(basin[:, None] * np.exp(rng.normal(scale=0.02, size=(n, seeds))), 3)
        # One good and one bad run of the best setting, so that its lowest cost and its mean are told apart.
        costs[best_at, :2] = np.round(np.array([0.9, 1.12]) * level, 3)
        mean = np.exp(np.log(costs[best_at]).mean())
        order = np.arange(n)
        if shuffled:
            order = np.concatenate([rng.permutation(np.delete(order, best_at)), [best_at]])
        return {
            "search": {"alpha": [float(f"{alpha:.3g}") for alpha in alphas[order]], **others},
            "seeds": seeds,
            "epochs": 20,
            "costs": costs[order],
            "reported": round(float(costs[best_at].min() if luckiest else mean), 3),
        }

    beta, mu = [0.8, 0.9, 0.95, 0.99], [0.0, 0.9]
    study = {
        generous: tried(0.0001, 7, {"beta1": beta}, 2, 0.280, int(rng.integers(2, 5))),
        starved: tried(0.00001, 11, {}, 3, 0.360, int(rng.choice([0, 10]))),
        lucky: tried(0.001, 7, {"mu": mu}, 3, 0.335, int(rng.integers(2, 5)), luckiest=True),
        plain: tried(0.001, 9, {}, 10, 0.350, int(rng.integers(3, 6)), shuffled=True),
    }
    return ({name: study[name] for name in sorted(study)},)


def _found(study: dict[str, dict[str, Any]]) -> tuple[str, str, str]:
    """Who had the most settings, whose best step size ends its grid, and whose report is its luckiest run."""
    most = max(study, key=lambda name: budget(study[name])[0])
    edge = next(name for name in study if on_the_edge(_alphas(study[name]), np.exp(_scores(study[name]["costs"]))))

    def off(name):
        best = study[name]["costs"][best_setting(study[name]["costs"])]
        return study[name]["reported"] - np.exp(np.log(best).mean())

    return most, edge, min(study, key=off)


def _alphas(contender):
    """The step sizes that were tried."""
    return np.array(contender["search"]["alpha"])


def _last_but_inside(contender):
    """Whether the best step size stands last in its list, but is neither the smallest nor the largest."""
    costs = contender["costs"]
    return best_setting(costs) == len(costs) - 1 and not on_the_edge(_alphas(contender), np.exp(_scores(costs)))


def _misread(study, place, by):
    """The findings with one of them read off by the wrong measure."""
    found = list(_found(study))
    found[place] = max(study, key=lambda name: by(study[name]))
    return tuple(found)


def _design(answers: tuple[Any, ...], rng: np.random.Generator, hidden: bool) -> str:
    """What to say of a design of a comparison and a prediction."""
    design, prediction = answers
    if not isinstance(design, dict) or sorted(map(str, design)) != sorted(CONTENDERS):
        return f"The design has to be a dict with the keys {', '.join(CONTENDERS)}."
    settings = {}
    for name, line in design.items():
        numbers = as_numbers(line)
        if numbers is None or numbers.shape != (3,) or not np.isfinite(numbers).all():
            return f"{name}: three numbers are needed: low, high, per_decade."
        low, high, per_decade = map(float, numbers)
        if not 0 < low < high:
            return f"{name}: low has to be positive and below high; yours are {low:g} and {high:g}."
        if per_decade < 1 or per_decade != int(per_decade):
            return f"{name}: per_decade has to be a whole number, at least 1; yours is {per_decade:g}."
        steps = per_decade * np.log10(high / low)
        if abs(steps - round(steps)) > 0.02:
            return f"{name}: from {low:g} to {high:g} there are {steps:.2f} steps; choose ends with a whole number."
        settings[name] = round(steps) + 1
    counts = ", ".join(f"{name} {n}" for name, n in settings.items())
    if len(set(settings.values())) > 1:
        return f"The budgets are not equal. Settings: {counts}. Who has more of them has more chances of a good one."
    if min(settings.values()) < 5:
        return f"Only {min(settings.values())} settings each: with fewer than 5 the best is too easily on an edge."
    if (passes := sum(settings.values()) * SEEDS * EPOCHS) > PASSES:
        return f"This costs {passes} passes over the training images, and the budget is {PASSES}. Where can you save?"
    return _prediction(prediction)


def _prediction(prediction: Any) -> str:
    """What to say of a prediction."""
    if not isinstance(prediction, dict) or not {"first", "second", "verdict"} <= prediction.keys():
        return "The prediction has to be a dict with the keys first, second, verdict."
    first, second, word = (prediction[key] for key in ("first", "second", "verdict"))
    if first not in CONTENDERS or second not in CONTENDERS or first == second:
        return f"The prediction has to name two different contenders, of {', '.join(CONTENDERS)}."
    if word not in WORDS:
        return f"The predicted verdict has to be one of {', '.join(WORDS)}."
    return ""


def _findings(answers: tuple[Any, ...], rng: np.random.Generator, hidden: bool) -> str:
    """Whether findings agree with the runs that they are about; what the runs show is not judged."""
    prediction, results, findings = answers
    if message := _prediction(prediction) or _runs(results):
        return message
    numbers = (
        [as_numbers(findings.get(key)) for key in ("ratio", "low", "high")] if isinstance(findings, dict) else [None]
    )
    if any(number is None or number.shape for number in numbers) or findings.get("verdict") not in WORDS:
        return f"The findings have to be a dict with numbers ratio, low, high, and a verdict: {', '.join(WORDS)}."
    first, second = prediction["first"], prediction["second"]
    for name in (first, second):
        scores = np.exp(_scores(results[name]["validation"]))
        if edge := on_the_edge(results[name]["alphas"], scores):
            best = np.asarray(results[name]["alphas"])[_best(scores)]
            end = {"low": "smallest", "high": "largest"}[edge]
            return (
                f"The best step size of {name}, {best:.3g}, is the {end} of its grid. What might lie beyond? Move "
                "that grid, keep the number of settings, and run again."
            )
    a, b = results[first], results[second]
    given = np.array([float(number) for number in numbers])

    def says(*triple):
        return np.allclose(given, triple, rtol=2e-3, atol=0, equal_nan=True)

    with np.errstate(all="ignore"):  # a tuned setting may have failed on the test images
        right = _compared(a, b)
        if not says(*right):
            return _wrong_findings(a, b, says, given[0], right[0])
    if findings["verdict"] != verdict(*right):
        return (
            f"The numbers are right, but they do not say {findings['verdict']!r}. Put your own ratio, low and high "
            "into your function verdict."
        )
    return ""


def _compared(a, b, how=paired, choose="validation", by="test"):
    """Two contenders, tuned and compared."""
    chosen = [np.asarray(one[by])[best_setting(one[choose])] for one in (a, b)]
    return how(*chosen)


def _wrong_findings(a, b, says, given, right):
    """What to say of a ratio and an interval that do not follow from the runs."""
    own = [_each_its_own(*(np.asarray(one[key]) for key in ("validation", "test")))[1] for one in (a, b)]
    if says(*_compared(b, a)):
        return "This is the second contender over the first. Which of the two does your prediction name first?"
    if says(*_compared(a, b, by="validation")):
        return (
            "These are the validation costs of the chosen settings. The images that chose flatter; which data do not?"
        )
    if says(*_compared(a, b, choose="test")):
        return "The settings are chosen by their test costs. What is left then to report on that has not chosen?"
    if says(*paired(*own)):
        return "Each seed got a setting of its own. One setting for a contender: the best over all seeds."
    if says(*_compared(a, b, how=_unpaired)):
        return (
            "The ratio is right, and the interval is that of two independent samples. What do runs of one seed share?"
        )
    if says(*_compared(a, b, how=lambda a, b: _interval(np.log(a) - np.log(b), quantile=1.96))):
        return (
            "The ratio is right, and the interval is too narrow: 1.96 is for a spread that is known. How many seeds?"
        )
    part = "The interval does not follow" if np.isclose(given, right, rtol=2e-3) else "The ratio does not follow"
    return f"{part} from your runs. Use choose_and_report for both contenders, then paired on what these report."


def _runs(results: Any) -> str:
    """What to say of the form of recorded runs."""
    if not isinstance(results, dict) or sorted(map(str, results)) != sorted(CONTENDERS):
        return f"The results have to be a dict with the keys {', '.join(CONTENDERS)}, as the given loop makes it."
    shapes = {}
    for name, one in results.items():
        parts = [
            as_numbers(one.get(key)) if isinstance(one, dict) else None for key in ("alphas", "validation", "test")
        ]
        if any(part is None for part in parts):
            return f"{name}: alphas, validation and test are needed, as the given loop makes them."
        alphas, validation, test = parts
        if validation.ndim != 2 or validation.shape != test.shape or alphas.shape != validation.shape[:1]:
            return f"{name}: validation and test have to be of the shape (settings, seeds), with one alpha a setting."
        if not (alphas > 0).all() or (validation <= 0).any() or (test <= 0).any():
            return f"{name}: step sizes and costs have to be positive."
        if not np.isfinite(_scores(validation)).any():
            return f"{name}: in every setting a run failed. Is low of its grid small enough?"
        shapes[name] = validation.shape
    if len(set(shapes.values())) > 1:
        counts = ", ".join(f"{name} {n} x {seeds}" for name, (n, seeds) in shapes.items())
        return f"The contenders did not get the same number of runs: {counts} (settings x seeds)."
    settings, seeds = next(iter(shapes.values()))
    if settings < 5 or seeds < SEEDS:
        return f"Too few runs: {settings} settings and {seeds} seeds; at least 5 and {SEEDS} are needed."
    return ""


COMPARISON: dict[str, Question | Value | Open] = {
    "4.1": Question(
        title="an even grid",
        signature="grid(low, high, per_decade)",
        reference=grid,
        cases=_grids,
        outputs=("the grid",),
        mistakes=(
            Mistake(
                "evenly spaced",
                lambda low, high, n: np.linspace(low, high, _steps(low, high, n) + 1),
                "Your step sizes have equal differences, so that most of them are large. Which of their properties "
                "should be equal from one to the next?",
            ),
            Mistake(
                "high left out",
                lambda low, high, n: grid(low, high, n)[:-1],
                "The last step size is missing. Three posts stand at the ends of how many gaps?",
            ),
            Mistake(
                "low left out",
                lambda low, high, n: grid(low, high, n)[1:],
                "Your grid begins one step above low. What is the power of ten at the start?",
            ),
            Mistake(
                "one too many",
                lambda low, high, n: low * 10 ** (np.arange(_steps(low, high, n) + 2) / n),
                "Your grid goes one step beyond high. How many steps lead from low to high?",
            ),
            Mistake(
                "gaps for posts",
                lambda low, high, n: np.geomspace(low, high, max(_steps(low, high, n), 1)),
                "Both ends are right, and the steps between are too wide. Did you count the steps or the step sizes?",
            ),
            Mistake(
                "per_decade in all",
                lambda low, high, n: np.geomspace(low, high, n),
                "There are per_decade step sizes in all; each decade should have so many. Count the decades.",
            ),
            Mistake(
                "base e",
                lambda low, high, n: low * np.exp(np.arange(_steps(low, high, n) + 1) / n),
                "After per_decade steps your grid has grown by a factor of 2.718. By what should a decade grow?",
            ),
            Mistake(
                "base 2",
                lambda low, high, n: low * 2 ** (np.arange(_steps(low, high, n) + 1) / n),
                "After per_decade steps your grid has grown by a factor of 2. By what should a decade grow?",
            ),
            Mistake(
                "values as exponents",
                lambda low, high, n: np.logspace(low, high, _steps(low, high, n) + 1),
                "np.logspace wants the exponents of its ends, and it gets low and high themselves.",
            ),
            Mistake(
                "exponents",
                lambda low, high, n: np.log10(grid(low, high, n)),
                "These are the exponents. What has to be done with them before they are step sizes?",
            ),
            Mistake(
                "whole decades only",
                lambda low, high, n: low * 10 ** (np.arange(n * int(np.log10(high / low) + 1e-9) + 1) / n),
                "Your grid ends with the last whole decade. Where do you round: the decades, or the steps?",
            ),
            Mistake(
                "turned around",
                lambda low, high, n: grid(low, high, n)[::-1],
                "The order is turned around: low comes first.",
            ),
        ),
    ),
    "4.2": Question(
        title="the budget",
        signature="budget(contender)",
        reference=budget,
        cases=_designs,
        outputs=("settings", "runs", "passes"),
        mistakes=(
            Mistake(
                "added",
                lambda c: _counted(c, settings=sum(_lengths(c))),
                "You add the lengths of the lists. With 3 step sizes and 2 momenta, how many combinations are there?",
            ),
            Mistake(
                "one list",
                lambda c: _counted(c, settings=next(iter(_lengths(c)), 1)),
                "You count the values of one hyper-parameter only. What do the others do to the number of settings?",
            ),
            Mistake(
                "longest list",
                lambda c: _counted(c, settings=max(_lengths(c), default=1)),
                "You count the longest list. What do the shorter ones do to the number of settings?",
            ),
            Mistake(
                "lists",
                lambda c: _counted(c, settings=len(_lengths(c))),
                "You count the hyper-parameters, and not the values that are tried of each.",
            ),
            Mistake(
                "nothing is nothing",
                lambda c: _counted(c, settings=budget(c)[0] if c["search"] else 0),
                "Who searches nothing still runs once, at the defaults. What is a product without factors?",
            ),
            Mistake(
                "seeds added",
                lambda c: _counted(c, runs=budget(c)[0] + c["seeds"]),
                "You add the seeds to the settings. How often is each setting run?",
            ),
            Mistake(
                "seeds forgotten",
                lambda c: _counted(c, runs=budget(c)[0]),
                "Each setting is run once for every seed. Where do the seeds stand in your count?",
            ),
            Mistake(
                "seeds in the settings",
                lambda c: _counted(c, settings=budget(c)[1], runs=budget(c)[1]),
                "A seed is no setting: nobody chooses it. In which of the three numbers do seeds belong?",
            ),
            Mistake(
                "epochs forgotten",
                lambda c: _counted(c, passes=budget(c)[1]),
                "The passes are the runs. How often does each run go through the data?",
            ),
            Mistake(
                "passes of one run of each",
                lambda c: _counted(c, passes=budget(c)[0] * c["epochs"]),
                "The passes are those of one seed. Which of your numbers has to be multiplied by the epochs?",
            ),
        ),
    ),
    "4.3": Question(
        title="the best setting",
        signature="best_setting(costs)",
        reference=best_setting,
        cases=_costs,
        outputs=("the index",),
        mistakes=(
            Mistake(
                "NaN wins",
                lambda costs: int(np.argmin(np.log(costs).mean(axis=1))),
                "Is NaN the smallest? np.argmin says so. What should become of a setting with a failed run?",
            ),
            Mistake(
                "failed runs skipped",
                _skipping,
                "You leave failed runs out of the mean, so that a setting is judged by the runs that it survived. "
                "Would you want to use it?",
            ),
            Mistake(
                "NaN is zero",
                lambda costs: int(np.nan_to_num(costs).mean(axis=1).argmin()),
                "A failed run seems to count as a cost of zero, the best of all. What replaces NaN in your code?",
            ),
            Mistake(
                "index among the rest",
                _among_the_rest,
                "You take out the settings that failed, and return an index into what is left. Which row of costs "
                "is that?",
            ),
            Mistake(
                "luckiest run",
                lambda costs: int(np.argmin(_finite(costs).min(axis=1))),
                "You choose the setting with the best single run. What would another seed have said?",
            ),
            Mistake(
                "lucky run, failures ruled out",
                lambda costs: _ruled_out(costs, lambda c: c.min(axis=1)),
                "Failed settings are out, but among the others you look at the best run of each. How do the other "
                "seeds count?",
            ),
            Mistake(
                "plain mean",
                lambda costs: _ruled_out(costs, lambda c: c.mean(axis=1)),
                "Is this the plain mean of the costs? Average their logarithms: a cost that is twice as large and "
                "one that is half as large should cancel.",
            ),
            Mistake(
                "median",
                lambda costs: _ruled_out(costs, lambda c: np.median(c, axis=1)),
                "This is the median over seeds. The question asks for the geometric mean.",
            ),
            Mistake(
                "worst run",
                lambda costs: _ruled_out(costs, lambda c: c.max(axis=1)),
                "You compare the worst runs. The question asks for the geometric mean over seeds.",
            ),
            Mistake(
                "highest",
                lambda costs: int(np.argmax(np.where(np.isfinite(_scores(costs)), _scores(costs), -np.inf))),
                "This is the setting with the highest cost. Is more of a cost better?",
            ),
            Mistake(
                "first seed",
                lambda costs: _ruled_out(costs, lambda c: c[:, 0]),
                "Only the first seed seems to count. Over which axis do you average?",
            ),
            Mistake(
                "a seed",
                lambda costs: int(np.argmin(_scores(np.asarray(costs).T))),
                "Your index counts seeds: the mean is taken over settings. Which axis is which?",
            ),
            Mistake(
                "flat index",
                lambda costs: int(np.argmin(_finite(costs))),
                "This is an index into the flattened table. In which row is it, and do single runs matter?",
            ),
            Mistake(
                "counts from 1",
                lambda costs: best_setting(costs) + 1,
                "Your index is one too large. What is the index of the first row?",
            ),
        ),
    ),
    "4.4": Question(
        title="on the edge",
        signature="on_the_edge(alphas, costs)",
        reference=on_the_edge,
        cases=_edges,
        outputs=("the end",),
        mistakes=(
            Mistake(
                "by position",
                lambda alphas, costs: {0: "low", len(costs) - 1: "high"}.get(_best(costs), ""),
                "You look at the position in the list. What if the step sizes are not sorted?",
            ),
            Mistake(
                "ends swapped",
                lambda alphas, costs: {"low": "high", "high": "low", "": ""}[on_the_edge(alphas, costs)],
                "The two ends are swapped: which word belongs to the smallest step size?",
            ),
            Mistake(
                "by cost",
                lambda alphas, costs: _edge(
                    alphas, costs, int(np.argmax(np.where(np.isfinite(costs), costs, -np.inf)))
                ),
                "You look where the cost is highest. Which step size is the best one?",
            ),
            Mistake(
                "failed ones taken out",
                _edge_without_failed,
                "You take step sizes that failed out of the grid, so that it ends earlier. Were they tried or not?",
            ),
            Mistake(
                "NaN wins",
                lambda alphas, costs: _edge(alphas, costs, int(np.argmin(costs))),
                "Is NaN the smallest cost? np.argmin says so.",
            ),
            Mistake(
                "high end only",
                lambda alphas, costs: on_the_edge(alphas, costs).replace("low", ""),
                "You find the upper end only. A best step size can be the smallest, too.",
            ),
            Mistake(
                "low end only",
                lambda alphas, costs: on_the_edge(alphas, costs).replace("high", ""),
                "You find the lower end only. A best step size can be the largest, too.",
            ),
            Mistake(
                "near the edge",
                _near_the_edge,
                "The neighbor of an end has been compared with something on both sides. Is it on the edge?",
            ),
            Mistake(
                "never",
                lambda alphas, costs: "",
                "You never find an edge. Compare the best step size with the smallest and the largest of them.",
            ),
        ),
    ),
    "4.5": Value(
        title="three unfair things",
        data=_study,
        reference=_found,
        outputs=("most_settings", "at_the_edge", "best_seed"),
        told=False,
        mistakes=(
            Mistake(
                "runs for settings",
                lambda study: _misread(study, 0, lambda one: budget(one)[1]),
                "This one has the most runs. More seeds make a result surer, but do they give more chances of a good "
                "setting?",
            ),
            Mistake(
                "alphas for settings",
                lambda study: _misread(study, 0, lambda one: len(one["search"]["alpha"])),
                "This one has the most step sizes. Which other hyper-parameters were searched, and what does that "
                "make in all?",
            ),
            Mistake(
                "position for value",
                lambda study: _misread(study, 1, _last_but_inside),
                "The best of this one stands last in the list, and the list is not sorted. Is it the smallest or "
                "largest step size?",
            ),
            Mistake(
                "lowest report",
                lambda study: _misread(study, 2, lambda one: -one["reported"]),
                "This one reports the lowest cost. That may be honest. Compute from its runs what it should have "
                "reported.",
            ),
        ),
    ),
    "4.6": Question(
        title="pairs",
        signature="paired(a, b)",
        reference=paired,
        cases=_pairs,
        outputs=("ratio", "low", "high"),
        mistakes=(
            Mistake(
                "normal quantile",
                lambda a, b: _interval(np.log(a) - np.log(b), quantile=1.96),
                "Do you multiply by 1.96? That is for a spread that is known. With n seeds it is estimated: whose "
                "quantile, and with how many degrees of freedom?",
            ),
            Mistake(
                "n degrees of freedom",
                lambda a, b: _interval(np.log(a) - np.log(b), quantile=stdtrit(len(a), 0.975)),
                "How many degrees of freedom are left once the mean has been estimated from n differences?",
            ),
            Mistake(
                "one-sided",
                lambda a, b: _interval(np.log(a) - np.log(b), quantile=stdtrit(len(a) - 1, 0.95)),
                "If 95 % lie inside, how much lies below the interval, and how much above? Which quantile is that?",
            ),
            Mistake(
                "ddof = 0",
                lambda a, b: _interval(np.log(a) - np.log(b), ddof=0),
                "Your standard deviation divides by n. np.std has an argument for that; why n - 1?",
            ),
            Mistake(
                "spread of one run",
                lambda a, b: _interval(np.log(a) - np.log(b), root=lambda n: 1),
                "This interval is for a single new difference. How does the spread of a mean of n depend on n?",
            ),
            Mistake(
                "divided by n",
                lambda a, b: _interval(np.log(a) - np.log(b), root=lambda n: n),
                "You divide the standard deviation by n. How does the spread of a mean of n depend on n?",
            ),
            Mistake(
                "unpaired",
                _unpaired,
                "These are two independent samples. Take the difference of each seed first: what the seed does to "
                "both contenders cancels.",
            ),
            Mistake(
                "log10",
                lambda a, b: _interval(np.log10(a) - np.log10(b)),
                "Your logarithm and the power that undoes it do not have the same base.",
            ),
            Mistake(
                "not turned back",
                lambda a, b: _interval(np.log(a) - np.log(b), back=lambda x: x),
                "These are logarithms. What turns them into ratios?",
            ),
            Mistake(
                "b over a",
                lambda a, b: paired(b, a),
                "Your ratio is that of b to a. Which of the two costs comes first in the difference?",
            ),
            Mistake(
                "mean of ratios",
                lambda a, b: _interval(np.asarray(a) / b, back=lambda x: x),
                "This is the mean of the ratios, without logarithms. Exchange a and b: do you get the inverse?",
            ),
            Mistake(
                "differences of costs",
                lambda a, b: _interval(np.asarray(a) - b, back=lambda x: x),
                "These are differences of costs, and they change with the unit. Where are the logarithms?",
            ),
            Mistake(
                "ends swapped",
                _swapped_ends,
                "The upper end comes before the lower one.",
            ),
        ),
    ),
    "4.7": Question(
        title="the verdict",
        signature="verdict(ratio, low, high)",
        reference=verdict,
        cases=_ratios,
        outputs=("the verdict",),
        mistakes=(
            Mistake(
                "interval ignored",
                lambda r, low, high: "lower" if r <= 0.95 else "higher" if r >= 1 / 0.95 else "similar",
                "You judge by the ratio alone. What does the interval say of how sure it is?",
            ),
            Mistake(
                "absence of evidence",
                lambda r, low, high: verdict(r, low, high).replace("inconclusive", "similar"),
                "What is not lower and not higher is similar for you. Does an interval from 0.6 to 1.7 show that two "
                "costs are alike?",
            ),
            Mistake(
                "contains 1",
                lambda r, low, high: (
                    "similar" if low <= 1 <= high else verdict(r, low, high).replace("similar", "inconclusive")
                ),
                "You call it similar where the interval contains 1. A very wide one does, too. Where should the "
                "whole interval lie?",
            ),
            Mistake(
                "similar by the ratio",
                lambda r, low, high: (
                    verdict(r, low, high)
                    if verdict(r, low, high) in ("lower", "higher")
                    else "similar"
                    if 1 / 1.05 <= r <= 1.05
                    else "inconclusive"
                ),
                "For similar you look at the ratio alone. What has to lie within 5 % of 1?",
            ),
            Mistake(
                "significance alone",
                lambda r, low, high: (
                    "lower"
                    if high < 1 and verdict(r, low, high) != "similar"
                    else "higher"
                    if low > 1 and verdict(r, low, high) != "similar"
                    else verdict(r, low, high)
                ),
                "An interval on one side of 1 is not enough: with many seeds a difference of 1 % would do. Which "
                "other condition is there?",
            ),
            Mistake(
                "significance first",
                lambda r, low, high: "lower" if high < 1 else "higher" if low > 1 else verdict(r, low, high),
                "You ask only on which side of 1 the interval lies. A difference can be certain and tiny; what is it "
                "called then?",
            ),
            Mistake(
                "beyond the margin",
                lambda r, low, high: (
                    "lower"
                    if high <= 0.95
                    else "higher"
                    if low >= 1 / 0.95
                    else "similar"
                    if verdict(r, low, high) == "similar"
                    else "inconclusive"
                ),
                "You want the whole interval beyond the margin of 5 %. Which of the conditions is about the ratio, "
                "and which about the interval?",
            ),
            Mistake(
                "words swapped",
                lambda r, low, high: {"lower": "higher", "higher": "lower"}.get(
                    verdict(r, low, high), verdict(r, low, high)
                ),
                "Lower and higher are exchanged: the ratio is the first cost over the second.",
            ),
            Mistake(
                "higher from 1.05",
                _with_bounds(higher=1.05),
                "Your bound for higher is not the mirror of that for lower. If the ratio of A to B is 0.95, what is "
                "that of B to A?",
            ),
            Mistake(
                "similar from 0.95",
                _with_bounds(low=0.95),
                "Your two bounds for similar are no mirrors of each other. If the ratio of A to B is 1.05, what is "
                "that of B to A?",
            ),
            Mistake(
                "lower up to 1/1.05",
                _with_bounds(lower=1 / 1.05),
                "You call a ratio lower that the rule does not. Which bound does it have for lower, and which for "
                "similar?",
            ),
            Mistake(
                "similar up to 1/0.95",
                _with_bounds(high=1 / 0.95),
                "You call an interval similar that the rule does not. Which bound does it have for similar, and "
                "which for higher?",
            ),
            Mistake(
                "similar's bounds for lower and higher",
                _with_bounds(lower=1 / 1.05, higher=1.05),
                "Your lower and higher have the bounds of similar. Where does the rule divide by 0.95, and where by "
                "1.05?",
            ),
            Mistake(
                "the bounds of lower and higher for similar",
                _with_bounds(low=0.95, high=1 / 0.95),
                "Your similar has the bounds of lower and higher. Where does the rule divide by 0.95, and where by "
                "1.05?",
            ),
            Mistake(
                "bounds exchanged",
                _with_bounds(lower=1 / 1.05, higher=1.05, low=0.95, high=1 / 0.95),
                "The bounds of similar, and those of lower and higher, have changed places. Where does the rule "
                "divide by 0.95, and where by 1.05?",
            ),
            Mistake(
                "not symmetric",
                _with_bounds(higher=1.05, low=0.95),
                "Exchange the contenders: the ratio and the interval turn into their inverses. Does your verdict "
                "turn with them, near 0.95 and 1.05?",
            ),
        ),
    ),
    "4.8": Question(
        title="no leakage",
        signature="choose_and_report(validation, test)",
        reference=choose_and_report,
        cases=_both_costs,
        outputs=("choice", "reported"),
        mistakes=(
            Mistake(
                "chosen by test",
                lambda validation, test: (best_setting(test), test[best_setting(test)]),
                "You choose by the test costs, and then report them. Which data have not yet been looked at?",
            ),
            Mistake(
                "reports validation",
                lambda validation, test: (best_setting(validation), validation[best_setting(validation)]),
                "You report the validation costs, those by which the setting was chosen: of many noisy numbers the "
                "lowest. Which costs are not flattered?",
            ),
            Mistake(
                "chosen by both",
                _by_test_and_validation,
                "The choice looks at the test costs, too. However little they count, they have been seen then.",
            ),
            Mistake(
                "each seed its own",
                _each_its_own,
                "Each seed reports a setting of its own. Whoever uses the optimizer has to set one step size; which?",
            ),
            Mistake(
                "best test costs",
                lambda validation, test: (best_setting(validation), _finite(test).min(axis=0)),
                "You report the lowest test cost of every seed, whatever was chosen. Which row was the choice?",
            ),
            Mistake(
                "a mean",
                lambda validation, test: (best_setting(validation), float(np.mean(test[best_setting(validation)]))),
                "One number is not enough: the comparison needs a cost for each seed.",
            ),
            Mistake(
                "luckiest seed",
                lambda validation, test: (best_setting(validation), float(test[best_setting(validation)].min())),
                "This is the luckiest seed only. The comparison needs a cost for each.",
            ),
            Mistake(
                "luckiest run",
                lambda validation, test: (
                    int(np.argmin(validation.min(axis=1))),
                    test[int(np.argmin(validation.min(axis=1)))],
                ),
                "The setting with the luckiest run is chosen. Did you use best_setting?",
            ),
            Mistake(
                "first seed",
                lambda validation, test: (int(np.argmin(validation[:, 0])), test[int(np.argmin(validation[:, 0]))]),
                "The first seed alone seems to choose. Did you use best_setting?",
            ),
        ),
    ),
    "4.9": Open(title="your design and your prediction", examiner=_design, answers=2),
    "4.10": Question(
        title="the width of the basin",
        signature="decades(alphas, costs, factor)",
        reference=decades,
        cases=_basins,
        outputs=("the width",),
        mistakes=(
            Mistake(
                "gaps ignored",
                _over_gaps,
                "You go from the first good step size to the last, over bad ones between. How far can you walk from "
                "the best without meeting a bad one?",
            ),
            Mistake(
                "natural logarithm",
                lambda alphas, costs, factor: np.log(10) * decades(alphas, costs, factor),
                "Your unit is a factor of 2.718, and a decade is a factor of ten. Which logarithm counts decades?",
            ),
            Mistake(
                "the ratio",
                lambda alphas, costs, factor: 10 ** decades(alphas, costs, factor),
                "This is the ratio of the two ends. How many powers of ten is that?",
            ),
            Mistake(
                "the difference",
                lambda alphas, costs, factor: float(np.subtract(*alphas[list(_good(costs, factor))[::-1]])),
                "This is the difference of the two ends. Step sizes are compared by their ratio.",
            ),
            Mistake(
                "how many",
                lambda alphas, costs, factor: float(np.ptp(_good(costs, factor)) + 1),
                "You count step sizes. With a finer grid there would be more of them in the same width.",
            ),
            Mistake(
                "upward only",
                lambda alphas, costs, factor: float(np.log10(alphas[_good(costs, factor)[1]] / alphas[_best(costs)])),
                "You walk from the best step size upward only. What about smaller ones?",
            ),
            Mistake(
                "downward only",
                lambda alphas, costs, factor: float(np.log10(alphas[_best(costs)] / alphas[_good(costs, factor)[0]])),
                "You walk from the best step size downward only. What about larger ones?",
            ),
            Mistake(
                "factor of one more",
                lambda alphas, costs, factor: decades(alphas, costs, 1 + factor),
                "The limit is too high. If the lowest cost is 1 and the factor 1.1, which costs are good?",
            ),
            Mistake(
                "factor added",
                lambda alphas, costs, factor: decades(alphas, costs, 1 + factor / costs[_best(costs)]),
                "You add the factor to the lowest cost. What does within a factor mean?",
            ),
            Mistake(
                "first bad ones",
                lambda alphas, costs, factor: float(
                    np.log10(
                        alphas[min(_good(costs, factor)[1] + 1, len(costs) - 1)]
                        / alphas[max(_good(costs, factor)[0] - 1, 0)]
                    )
                ),
                "You go on to the first bad step size on either side. Where does the basin end: at it, or before it?",
            ),
        ),
    ),
    "4.11": Open(title="findings that agree with the runs", examiner=_findings, answers=3),
}
"""A fair comparison of optimizers, and what it does not show."""
