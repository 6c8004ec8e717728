import numpy as np
import pytest
from scipy import stats

from adamcore.experiments import compare, digitized_curves, digitized_points, log_rms, paired_ratio, sensitivity
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
        (1.00, 0.951, 1.00, "inconclusive"),  # the other way round it reaches 1.0515
        (1.00, 1 / 1.049, 1.049, "similar"),
    ],
)
def test_verdicts_in_either_direction(ratio, low, high, verdict):
    assert PairedRatio(ratio, low, high, 5).verdict == verdict
    turned = {"lower": "higher", "higher": "lower"}.get(verdict, verdict)
    assert PairedRatio(1 / ratio, 1 / high, 1 / low, 5).verdict == turned


def test_the_verdict_turns_around_with_the_pair():
    a, b = np.array([1.0, 1.1, 1.2]), np.array([2.0, 2.1, 2.3])
    assert (paired_ratio(a, b).verdict, paired_ratio(b, a).verdict) == ("lower", "higher")


@pytest.mark.parametrize("shape", [(1,), (2, 2), ()])
def test_errors(shape):
    with pytest.raises(ValueError, match="two seeds or more"):
        paired_ratio(np.ones(shape), np.ones(shape))


def test_costs_must_have_logarithms():
    with pytest.raises(ValueError, match="expected positive costs"):
        paired_ratio(np.array([1.0, 0.0]), np.ones(2))
    with pytest.raises(ValueError, match="expected positive costs"):
        compare(np.array([[1.0, np.nan], [1.0, 1.0]]), np.ones((2, 2)))


@pytest.mark.parametrize(
    ("a", "b", "ratio", "verdict"),
    [
        ([np.inf, np.inf], [1.0, 1.0], np.inf, "higher"),
        ([1.0, 1.0], [np.inf, np.inf], 0.0, "lower"),
        ([np.inf, 1.0], [1.0, 1.0], np.nan, "inconclusive"),
        ([np.inf, np.inf], [np.inf, np.inf], np.nan, "inconclusive"),
        ([np.inf, 1.0], [1.0, np.inf], np.nan, "inconclusive"),
    ],
)
def test_divergence(a, b, ratio, verdict):
    found = paired_ratio(np.array(a), np.array(b))
    np.testing.assert_equal(found.ratio, ratio)
    assert found.verdict == verdict


def test_comparison_at_epochs_and_by_area():
    rng = np.random.default_rng(0)
    a, b = np.exp(rng.normal(size=(2, 5, 7)))
    found = compare(a, b, epochs=(0, 3, -1))
    assert list(found.at) == [0, 3, 6]
    for epoch, ratio in found.at.items():
        assert ratio == paired_ratio(a[:, epoch], b[:, epoch])
    # The trapezoidal rule: the ends count half.
    weights = np.array([0.5, 1, 1, 1, 1, 1, 0.5]) / 6
    expected = stats.ttest_rel(np.log(a) @ weights, np.log(b) @ weights).confidence_interval(0.95)
    np.testing.assert_allclose([found.area.low, found.area.high], np.exp([expected.low, expected.high]))


def test_words_of_a_comparison():
    curves = np.exp(-np.arange(5.0)) * np.array([[1.0], [1.1], [1.2]])
    noise = 1 + 0.01 * np.array([[1.0], [-1.0], [0.5]])
    assert compare(curves, curves).verdict == "similar"
    assert compare(0.9 * curves * noise, curves).verdict == "faster"
    assert compare(curves, 0.9 * curves * noise).verdict == "slower"
    assert compare(0.96 * curves, curves * noise).verdict == "inconclusive"
    diverged = curves.copy()
    diverged[:, 2:] = np.inf
    assert compare(diverged, curves).verdict == "slower"


@pytest.mark.parametrize("shape", [(1, 5), (5, 1), (5,)])
def test_comparison_needs_seeds_and_epochs(shape):
    with pytest.raises(ValueError, match="two or more of each"):
        compare(np.ones(shape), np.ones(shape))
    with pytest.raises(ValueError, match=r"epochs = \[9\] are not in the curves; they have epochs 0 to 2"):
        compare(np.ones((2, 3)), np.ones((2, 3)), epochs=(1, 9))


def test_sensitivity_interpolates_between_the_points_around_the_best():
    alphas = 10.0 ** np.arange(-4, 1)
    costs = np.exp([0.2, 0.0, 0.05, 0.4, 0.0001])  # lower again far away: not around the best
    found = sensitivity(alphas, costs, tolerance=np.expm1(0.1))
    assert (found.best, found.edge, found.open) == (1e-3, "", False)
    assert np.log10(found.low) == pytest.approx(-3.5)
    assert np.log10(found.high) == pytest.approx(-2 + 0.05 / 0.35)
    assert found.decades == pytest.approx(1.5 + 0.05 / 0.35)
    shuffled = np.random.default_rng(0).permutation(5)
    assert sensitivity(alphas[shuffled], costs[shuffled], np.expm1(0.1)) == found


@pytest.mark.parametrize(
    ("costs", "low", "high", "edge", "is_open"),
    [
        ([1.0, 2.0, 3.0], 0.1, None, "low", True),
        ([3.0, 2.0, 1.0], None, 10.0, "high", True),
        ([1.05, 1.0, 1.05], 0.1, 10.0, "", True),
        ([np.inf, 1.0, np.inf], 1.0, 1.0, "", False),
    ],
)
def test_sensitivity_at_the_edges(costs, low, high, edge, is_open):
    found = sensitivity(np.array([0.1, 1.0, 10.0]), np.array(costs))
    assert (found.edge, found.open) == (edge, is_open)
    assert low is None or found.low == pytest.approx(low)
    assert high is None or found.high == pytest.approx(high)


def test_sensitivity_needs_a_run_that_converged():
    with pytest.raises(ValueError, match="a finite cost among them"):
        sensitivity(np.ones(2), np.full(2, np.inf))


@pytest.mark.parametrize(
    ("alphas", "costs", "words"),
    [
        ([0.1, 1.0, 10.0], [np.nan, 1.0, 2.0], "a cost of infinity where a run diverged"),
        ([0.1, 1.0, 10.0], [2.0, 0.0, 2.0], "positive step sizes and costs"),
        ([0.0, 1.0, 10.0], [2.0, 1.0, 2.0], "positive step sizes and costs"),
        ([0.1, 1.0, 1.0], [2.0, 1.0, 2.0], "each step size once; .*Average over seeds"),
    ],
)
def test_sensitivity_refuses_what_has_no_logarithm_or_no_order(alphas, costs, words):
    with pytest.raises(ValueError, match=words):
        sensitivity(np.array(alphas), np.array(costs))


def test_log_rms_uses_whole_epochs_within_both_curves():
    x = np.array([0.5, 1.0, 2.0, 3.0])
    y = np.array([9.0, 1.0, 2.0, 9.0])
    assert log_rms(np.array([7.0, 1.1, 2.2]), x, y) == pytest.approx(np.log(1.1))


@pytest.mark.parametrize(
    ("figure", "curve", "epoch", "cost"),
    [
        ("fig1a", "AdaGrad", 10, 0.646),
        ("fig1b", "AdaGrad+dropout", 1, 0.388),
        ("fig2a", "Adam", 200, 0.0066),
        ("fig2b", "SFO", 5, 0.571),
        ("fig2b_walltime", "SFO", 25, 0.570),
        ("fig3a", "SGDNesterov", 2, 1.157),
        ("fig3b", "Adam+dropout", 45, 0.024),
    ],
)
def test_digitized_curves_are_the_papers(figure, curve, epoch, cost):
    curves = digitized_curves(figure)
    for name, (x, y) in curves.items():
        assert (x >= 0).all(), name
        assert (np.diff(x) > 0).all(), name
        assert (y > 0).all(), name
    x, y = curves[curve]
    assert y[np.abs(x - epoch) < 0.01] == pytest.approx(cost, rel=0.05)


def test_names_of_digitized_curves():
    assert list(digitized_curves("fig1a")) == ["AdaGrad", "SGDNesterov", "Adam"]
    assert set(digitized_curves("fig1b")) == {f"{a}+dropout" for a in ("AdaGrad", "RMSProp", "SGDNesterov", "Adam")}
    assert set(digitized_curves("fig3a")) == set(digitized_curves("fig3b"))
    assert digitized_curves("fig1a")["AdaGrad"][0][0] == pytest.approx(5.107)  # enters the frame between two epochs
    with pytest.raises(ValueError, match="no digitized curves of 'fig9'"):
        digitized_curves("fig9")


def test_digitized_points():
    points = digitized_points()
    assert len(points) == len(set(points)) == 87
    assert {point.alpha for point in points} == {3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2}
    losses = {point[:5]: point.loss for point in points}
    assert losses[0.9, 0.9999, 100, True, 3e-5] == 118.8
    assert losses[0.9, 0.9999, 100, False, 3e-5] == 113.6
