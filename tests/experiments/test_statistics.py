import numpy as np
import pytest
from scipy import stats

from adamcore.experiments import digitized_curves, log_rms, paired_ratio
from adamcore.experiments.statistics import PairedRatio


def test_interval_is_students_t_on_log_differences():
    rng = np.random.default_rng(0)
    a, b = np.exp(rng.normal(size=(2, 6)))
    result = paired_ratio(a, b)
    expected = stats.ttest_rel(np.log(a), np.log(b)).confidence_interval(0.95)
    np.testing.assert_allclose([result.low, result.high], np.exp([expected.low, expected.high]))
    assert result.ratio == pytest.approx(np.exp(np.log(a / b).mean()))
    assert result.n == 6


@pytest.mark.parametrize(
    ("ratio", "low", "high", "verdict"),
    [
        (0.90, 0.85, 0.95, "lower"),
        (0.90, 0.80, 1.01, "inconclusive"),
        (0.97, 0.96, 0.98, "similar"),
        (0.96, 0.94, 0.98, "inconclusive"),
        (1.00, 0.90, 1.10, "inconclusive"),
        (1.10, 1.05, 1.15, "higher"),
        (1.10, 0.99, 1.20, "inconclusive"),
    ],
)
def test_verdicts(ratio, low, high, verdict):
    assert PairedRatio(ratio, low, high, 5).verdict == verdict


def test_the_verdict_turns_around_with_the_pair():
    a, b = np.array([1.0, 1.1, 1.2]), np.array([2.0, 2.1, 2.3])
    assert (paired_ratio(a, b).verdict, paired_ratio(b, a).verdict) == ("lower", "higher")


@pytest.mark.parametrize("shape", [(1,), (2, 2), ()])
def test_errors(shape):
    with pytest.raises(ValueError, match="two seeds or more"):
        paired_ratio(np.ones(shape), np.ones(shape))


def test_log_rms_uses_whole_epochs_within_both_curves():
    x = np.array([0.5, 1.0, 2.0, 3.0])
    y = np.array([9.0, 1.0, 2.0, 9.0])
    assert log_rms(np.array([7.0, 1.1, 2.2]), x, y) == pytest.approx(np.log(1.1))


def test_digitized_curves_are_the_papers():
    curves = digitized_curves("fig1a")
    assert list(curves) == ["AdaGrad", "SGDNesterov", "Adam"]
    assert curves["Adam"][0][0] == 0
    x, y = curves["AdaGrad"]
    assert x[0] == pytest.approx(5.107)  # the curve enters the frame between two epochs
    assert (np.diff(x) > 0).all()
    assert y[x == 10] == pytest.approx(0.646, abs=1e-3)
    with pytest.raises(ValueError, match="no digitized curves of 'fig9'"):
        digitized_curves("fig9")
