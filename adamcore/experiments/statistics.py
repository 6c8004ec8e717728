"""Comparing two contenders over seeds, pair by pair."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

MARGIN = 0.05
"""Ratios within 5 % of 1 are called similar."""


@dataclass(frozen=True)
class PairedRatio:
    """The ratio of two costs over seeds, and its confidence interval.

    Attributes
    ----------
    ratio : float
        Geometric mean over seeds of cost A / cost B.
    low, high : float
        95 % confidence interval of the ratio, by Student's t on the differences of log cost.
    n : int
        The number of seeds.
    """

    ratio: float
    low: float
    high: float
    n: int

    @property
    def verdict(self) -> str:
        """In words, of A against B.

        ``"lower"``: A is lower by 5 % or more, and the interval lies below 1; ``"higher"``: the reverse;
        ``"similar"``: the interval lies within 5 % of 1; ``"inconclusive"``: none of these.
        """
        if self.ratio <= 1 - MARGIN and self.high < 1:
            return "lower"
        if self.ratio >= 1 / (1 - MARGIN) and self.low > 1:
            return "higher"
        if self.low >= 1 - MARGIN and self.high <= 1 + MARGIN:
            return "similar"
        return "inconclusive"

    def __str__(self) -> str:
        return f"{self.ratio:.3f} [{self.low:.3f}, {self.high:.3f}] {self.verdict}"


def paired_ratio(a: np.ndarray, b: np.ndarray) -> PairedRatio:
    """Compare two contenders' costs, seed by seed.

    Parameters
    ----------
    a, b : numpy.ndarray
        Positive costs, one a seed, in the same order of seeds; at least two.

    Returns
    -------
    PairedRatio

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
    difference = np.log(a) - np.log(b)
    n = len(difference)
    half = stats.t.ppf(0.975, n - 1) * difference.std(ddof=1) / np.sqrt(n)
    low, ratio, high = np.exp(difference.mean() + half * np.array([-1, 0, 1]))
    return PairedRatio(float(ratio), float(low), float(high), n)
