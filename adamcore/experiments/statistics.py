"""Comparing two contenders over seeds, pair by pair, and one contender over its step sizes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

MARGIN = 0.05
"""A ratio within 5 % of 1, whichever of the two is divided by the other, is called similar."""


@dataclass(frozen=True)
class PairedRatio:
    """The ratio of two costs over seeds, and its confidence interval.

    Attributes
    ----------
    ratio : float
        Geometric mean over seeds of cost A / cost B.
    low, high : float
        Confidence interval of the ratio, of 95 % if nothing else was asked for, by Student's t on the differences of
        log cost.
    n : int
        The number of seeds.

    Examples
    --------
    >>> from adamcore.experiments import PairedRatio
    >>> print(PairedRatio(0.8, low=0.7, high=0.9, n=5))
    0.800 [0.700, 0.900] lower
    >>> PairedRatio(0.8, low=0.6, high=1.1, n=2).verdict
    'inconclusive'
    """

    ratio: float
    low: float
    high: float
    n: int

    @property
    def verdict(self) -> str:
        """In words, of A against B.

        ``"lower"``: A is lower by 5 % or more, and the interval lies below 1; ``"higher"``: the reverse;
        ``"similar"``: the interval lies within 5 % of 1, and so does that of B against A; ``"inconclusive"``: none
        of these. The bounds, 0.95 and 1 / 1.05 = 0.952, differ a little: a ratio between them, or between their
        inverses, is inconclusive however many seeds there are.
        """
        if self.ratio <= 1 - MARGIN and self.high < 1:
            return "lower"
        if self.ratio >= 1 / (1 - MARGIN) and self.low > 1:
            return "higher"
        if self.low >= 1 / (1 + MARGIN) and self.high <= 1 + MARGIN:
            return "similar"
        return "inconclusive"

    def __str__(self) -> str:
        return f"{self.ratio:.3f} [{self.low:.3f}, {self.high:.3f}] {self.verdict}"


def paired_ratio(a: np.ndarray, b: np.ndarray, level: float = 0.95) -> PairedRatio:
    """Compare two contenders' costs, seed by seed.

    Parameters
    ----------
    a, b : numpy.ndarray
        Positive costs, one a seed, in the same order of seeds; at least two.
    level : float, default 0.95
        Of the confidence interval. With k comparisons, 1 - 0.05 / k lets all intervals hold at once with a
        probability of 95 % or more (Bonferroni's inequality).

    Returns
    -------
    PairedRatio
        Where a run diverged its cost is infinite: in every seed of A but none of B, the ratio is infinite and higher;
        in some seeds only, or in both, it is not a number and inconclusive.

    Raises
    ------
    ValueError
        If the shapes differ, there is only one seed, or a cost is not positive.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore.experiments import paired_ratio
    >>> print(paired_ratio(np.array([0.80, 0.81, 0.79]), np.array([1.00, 1.01, 0.99])))
    0.800 [0.795, 0.805] lower
    """
    if np.shape(a) != np.shape(b) or np.ndim(a) != 1 or len(a) < 2:
        raise ValueError(
            f"expected two vectors of one cost a seed, two seeds or more; got {np.shape(a)}, {np.shape(b)}."
        )
    if not (np.all(np.asarray(a) > 0) and np.all(np.asarray(b) > 0)):
        raise ValueError("expected positive costs; only they have logarithms.")
    return _paired(np.log(a), np.log(b), level)


def _paired(log_a: np.ndarray, log_b: np.ndarray, level: float = 0.95) -> PairedRatio:
    """The ratio whose logarithm is the mean of the differences, with its interval."""
    n = len(log_a)
    with np.errstate(invalid="ignore"):  # infinity minus infinity, where both diverged
        difference = log_a - log_b
    if not np.isfinite(difference).all():
        every = next((sign for sign in (np.inf, -np.inf) if (difference == sign).all()), None)
        return PairedRatio(np.nan, 0.0, np.inf, n) if every is None else PairedRatio(*[float(np.exp(every))] * 3, n)
    half = stats.t.ppf((1 + level) / 2, n - 1) * difference.std(ddof=1) / np.sqrt(n)
    low, ratio, high = np.exp(difference.mean() + half * np.array([-1, 0, 1]))
    return PairedRatio(float(ratio), float(low), float(high), n)


@dataclass(frozen=True)
class Comparison:
    """Two contenders' training curves, compared over seeds.

    Attributes
    ----------
    at : dict of int to PairedRatio
        For each epoch that was asked for (0 is the first), the ratio of the costs there.
    area : PairedRatio
        The ratio over the whole time: its logarithm is the area between the two curves of log cost, divided by the
        time that they span.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore.experiments import compare
    >>> b = np.array([[1.0, 0.5, 0.25], [1.1, 0.5, 0.26]])
    >>> found = compare(b * [1.0, 0.8, 0.8], b, epochs=(0, -1))
    >>> {epoch: ratio.verdict for epoch, ratio in found.at.items()}
    {0: 'similar', 2: 'lower'}
    >>> print(found.area, "so", found.verdict)
    0.846 [0.846, 0.846] lower so faster
    """

    at: dict[int, PairedRatio]
    area: PairedRatio

    @property
    def verdict(self) -> str:
        """What the area says of A against B, ``"faster"``, ``"slower"``, ``"similar"`` or ``"inconclusive"``."""
        return {"lower": "faster", "higher": "slower"}.get(self.area.verdict, self.area.verdict)


def compare(a: np.ndarray, b: np.ndarray, epochs: tuple[int, ...] = (-1,)) -> Comparison:
    r"""Compare two contenders' curves, seed by seed: at given epochs, and by the area under log cost.

    For each seed the area is :math:`\int \log \text{cost}`, by the trapezoidal rule over the epochs. Per unit of
    time, a difference of areas is the logarithm of a ratio of costs, which is given the interval and the words of
    :class:`PairedRatio`: A is faster if it is lower by 5 % or more and the 95 % interval lies below 1.

    Parameters
    ----------
    a, b : numpy.ndarray
        Positive costs, (seeds, epochs), the seeds in the same order; at least two of each. Infinite from where a run
        diverged.
    epochs : tuple of int, default (-1,)
        Where to compare the costs themselves, counted from 0; negative ones from the end.

    Returns
    -------
    Comparison

    Raises
    ------
    ValueError
        If the shapes differ, there are fewer than two seeds or epochs, an epoch is out of range, or a cost is not
        positive.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore.experiments import compare
    >>> slow = np.array([[1.0, 0.5, 0.25], [1.1, 0.5, 0.26]])
    >>> found = compare(slow**2, slow, epochs=(1,))
    >>> found.verdict, str(found.at[1])
    ('faster', '0.500 [0.500, 0.500] lower')
    """
    a, b = np.asarray(a, float), np.asarray(b, float)
    if a.shape != b.shape or a.ndim != 2 or min(a.shape) < 2:
        raise ValueError(f"expected curves (seeds, epochs), two or more of each, twice; got {a.shape}, {b.shape}.")
    if not ((a > 0).all() and (b > 0).all()):
        raise ValueError("expected positive costs; only they have logarithms.")
    if bad := [epoch for epoch in epochs if not -a.shape[1] <= epoch < a.shape[1]]:
        raise ValueError(f"epochs = {bad} are not in the curves; they have epochs 0 to {a.shape[1] - 1}.")
    log_a, log_b = np.log(a), np.log(b)
    span = a.shape[1] - 1
    area = _paired(np.trapezoid(log_a) / span, np.trapezoid(log_b) / span)
    return Comparison({epoch % a.shape[1]: _paired(log_a[:, epoch], log_b[:, epoch]) for epoch in epochs}, area)


@dataclass(frozen=True)
class Sensitivity:
    """How far the step size may be off.

    Attributes
    ----------
    best : float
        The step size of the grid with the lowest cost.
    low, high : float
        From where to where the cost is within the tolerance of the lowest.
    edge : str
        ``"low"`` or ``"high"`` if the best stands at that end of the grid, which must then be extended before
        anything is said; otherwise empty.
    open : bool
        Whether the grid ends before the cost leaves the tolerance, so that the true width is larger.

    Examples
    --------
    A grid that ends too early: the best step size is its largest, and may not be the best of all.

    >>> import numpy as np
    >>> from adamcore.experiments import sensitivity
    >>> found = sensitivity(np.array([0.001, 0.01, 0.1]), np.array([1.2, 1.05, 1.0]))
    >>> found.best, found.edge, found.open
    (0.1, 'high', True)
    """

    best: float
    low: float
    high: float
    edge: str
    open: bool

    @property
    def decades(self) -> float:
        """The width, as the number of powers of ten between ``low`` and ``high``."""
        return float(np.log10(self.high / self.low))


def sensitivity(alphas: np.ndarray, costs: np.ndarray, tolerance: float = 0.1) -> Sensitivity:
    """Return the range of step sizes around the best one whose cost is within a tolerance of the lowest.

    Between the points of the grid, log cost is taken to be linear in log alpha. Next to a step size that
    diverged, the range ends at the last one that did not.

    Parameters
    ----------
    alphas : numpy.ndarray
        Positive step sizes of one contender that differ in nothing else, in any order.
    costs : numpy.ndarray
        The cost that each led to; infinite where it diverged.
    tolerance : float, default 0.1
        0.1 means: up to 10 % above the lowest cost of the grid.

    Returns
    -------
    Sensitivity

    Raises
    ------
    ValueError
        If the two are not vectors of the same length, a step size or cost is not positive, a step size stands there
        twice, or no cost is finite.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore.experiments import sensitivity
    >>> found = sensitivity(np.array([0.001, 0.01, 0.1, 1.0]), np.array([1.21, 1.0, 1.0, np.inf]))
    >>> round(found.low, 4), found.high, round(found.decades, 2), found.edge, found.open
    (0.0032, 0.1, 1.5, '', False)
    """
    alphas, costs = np.asarray(alphas, float), np.asarray(costs, float)
    if alphas.shape != costs.shape or alphas.ndim != 1 or not np.isfinite(costs).any():
        raise ValueError(
            f"expected step sizes and costs, as many of each, and a finite cost among them; got {alphas}, {costs}."
        )
    if not ((alphas > 0).all() and (costs > 0).all()):
        raise ValueError(
            f"expected positive step sizes and costs (only they have logarithms), and a cost of infinity where a "
            f"run diverged; got {alphas}, {costs}."
        )
    if len(np.unique(alphas)) < len(alphas):
        raise ValueError(f"expected each step size once; got {alphas}. Average over seeds first.")
    order = np.argsort(alphas)
    x, y = np.log10(alphas[order]), np.log(costs[order])
    k = int(np.argmin(y))
    limit = y[k] + np.log1p(tolerance)
    low, open_low = _where_it_crosses(x[k::-1], y[k::-1], limit)
    high, open_high = _where_it_crosses(x[k:], y[k:], limit)
    edge = "low" if k == 0 else "high" if k == len(x) - 1 else ""
    return Sensitivity(float(alphas[order][k]), 10.0**low, 10.0**high, edge, open_low or open_high)


def _where_it_crosses(x: np.ndarray, y: np.ndarray, limit: float) -> tuple[float, bool]:
    """The x where y first exceeds the limit, on the way from the first point, or the last x, if it never does."""
    above = np.flatnonzero(~(y <= limit))
    if not len(above):
        return float(x[-1]), True
    j = above[0]
    share = (limit - y[j - 1]) / (y[j] - y[j - 1]) if np.isfinite(y[j]) else 0.0
    return float(x[j - 1] + share * (x[j] - x[j - 1])), False
