"""The equations of book/paper/scorecard.ipynb, each against adamcore on random inputs."""

import numpy as np
import pytest
from scipy import stats

from adamcore import Adam, inverse_sqrt
from adamcore.experiments import compare, paired_ratio
from adamcore.experiments.claims.theory import counterexample
from tests.book.equations import equation


@equation(
    "eq-score-area",
    r"\log a = \frac{1}{E - 1} \sum_{k=1}^{E-1} \frac{\log c_{k-1} + \log c_k}{2} .",
)
def test_area(rng):
    one, other = np.exp(rng.normal(size=(2, 4, 7)))
    a, b = (
        np.exp([sum((np.log(c[k - 1]) + np.log(c[k])) / 2 for k in range(1, 7)) / 6 for c in curves])
        for curves in (one, other)
    )
    area, ratio = compare(one, other).area, paired_ratio(a, b)
    np.testing.assert_allclose([area.ratio, area.low, area.high], [ratio.ratio, ratio.low, ratio.high])


@equation("eq-score-ratio", r"\log r = \frac{1}{n} \sum_{s=1}^{n} \left( \log a_s - \log b_s \right) .")
def test_ratio(rng):
    a, b = np.exp(rng.normal(size=(2, 5)))
    assert np.log(paired_ratio(a, b).ratio) == pytest.approx(sum(np.log(a) - np.log(b)) / 5)


@equation("eq-score-sigma", r"\sigma^2 = \frac{1}{n-1} \sum_{s=1}^{n} \left( d_s - \log r \right)^2 ,")
@equation("eq-score-interval", r"\log r \pm t_{0.975,\, n-1}\, \frac{\sigma}{\sqrt{n}} .")
def test_interval(rng):
    n = 5
    a, b = np.exp(rng.normal(size=(2, n)))
    found = paired_ratio(a, b)
    sigma = np.sqrt(sum((np.log(a) - np.log(b) - np.log(found.ratio)) ** 2) / (n - 1))
    reach = stats.t(n - 1).ppf(0.975) * sigma / np.sqrt(n)
    np.testing.assert_allclose(np.log([found.low, found.high]), np.log(found.ratio) + reach * np.array([-1, 1]))


def stream(x, t):
    """The function of step t, and its gradient by differences."""
    return 3 * max(x, -1) if t % 3 == 1 else abs(x - 1)


def follow(beta2, steps):
    """Where Adam goes, by the stream's differences, and what each step costs beyond the cost at -1."""
    rule = Adam(inverse_sqrt(0.5), beta1=0, beta2=beta2, eps=0)
    s = rule.init(np.zeros(1))
    paid = []
    for t in range(1, steps + 1):
        x = s.theta[0]
        paid.append(stream(x, t) - stream(-1, t))
        slope = (stream(x + 1e-9, t) - stream(x - 1e-9, t)) / 2e-9
        rule.step(s, np.array([round(slope)], dtype=float))
    return s.theta[0], paid


@equation(
    "eq-score-stream",
    r"""f_t(x) = \begin{cases}
    3 \max(x, -1) & \text{if } t \bmod 3 = 1, \\
    |x - 1| & \text{otherwise.}
    \end{cases}""",
)
def test_stream(rng):
    beta2 = rng.uniform(0.1, 0.4)
    assert counterexample(beta2, steps=60).end == pytest.approx(follow(beta2, 60)[0])
    for x in rng.uniform(-1, 1, size=5):  # a period costs x + 2
        assert sum(stream(x, t) for t in (1, 2, 3)) == pytest.approx(x + 2)


@equation("eq-score-regret", r"R(T) = \sum_{t=1}^{T} \left( f_t(x_{t-1}) - f_t(x^*) \right) .")
def test_regret(rng):
    beta2 = rng.uniform(0.1, 0.4)
    np.testing.assert_allclose(counterexample(beta2, steps=60).regret, np.cumsum(follow(beta2, 60)[1]))
