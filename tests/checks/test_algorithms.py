"""What is special in the second assignment: mistakes that meet, change what they are given, or come with Python."""

import numpy as np
import pytest

from adamcore import Adam, AdaMax, walk
from adamcore.checks import Checker, algorithms
from adamcore.checks.algorithms import adam, adam_step, adamax_step, efficient_step, first_wrong_step, largest_step


@pytest.fixture
def check():
    return Checker("algorithms", "ab123")


def told(report):
    assert not report
    return str(report)


def test_the_references_are_the_package(rng):
    gradients, start = rng.normal(size=(30, 3)), rng.normal(size=3)
    settings = (0.01, 0.9, 0.99)
    rule = Adam(*settings, eps=1e-3)
    rows = iter(gradients)
    np.testing.assert_allclose(
        adam(gradients, start, *settings, 1e-3), walk(rule, lambda theta: next(rows), start, 30), rtol=1e-12
    )
    hat, largest = Adam(*settings, eps=1e-3, eps_place="hat"), AdaMax(*settings)
    states = [rule.init(start) for rule in (hat, largest)]
    one, other = (start, np.zeros(3), np.zeros(3)), (start, np.zeros(3), np.zeros(3))
    for t, g in enumerate(gradients * [1, 0, -1], start=1):
        one, other = efficient_step(*one, t, g, *settings, 1e-3), adamax_step(*other, t, g, *settings)
        for rule, state in zip((hat, largest), states, strict=True):
            rule.step(state, g)
        np.testing.assert_allclose(one[0], states[0].theta, rtol=1e-12)
        np.testing.assert_allclose(other[0], states[1].theta, rtol=1e-12)


@pytest.mark.parametrize(("name", "answer"), [("theta", 0), ("m", 1), ("v", 2)])
def test_what_is_changed_in_place_is_named(check, name, answer):
    def in_place(theta, m, v, t, g, alpha, beta1, beta2, eps):
        new = adam_step(theta, m, v, t, g, alpha, beta1, beta2, eps)
        (theta, m, v)[answer][:] = new[answer]
        return new

    message = told(check("2.3", in_place))
    assert f"changes its argument {name};" in message
    assert "a = a + b" in message


def test_of_two_mistakes_the_one_in_the_averages_is_told_first(check):
    def two(theta, m, v, t, g, alpha, beta1, beta2, eps):
        m = (1 - beta1) * m + beta1 * g
        v = beta2 * v + (1 - beta2) * g**2
        return theta + alpha * m / np.sqrt(v + eps), m, v

    report = check("2.3", two)
    assert "m is 9 times too large at t = 1. In " in str(report)
    assert report.mistake == "weights swapped in both"

    def three(theta, m, v, t, g, alpha, beta1, beta2, eps):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + ((1 - beta2) * g) ** 2
        return theta + alpha * m / np.sqrt(v + eps), m, v

    assert check("2.3", three).mistake == "the weight squared"


@pytest.mark.parametrize(
    ("question", "answer", "words"),
    [
        ("2.3", lambda theta, m, v, t, g, alpha, beta1, beta2, eps: theta, "There have to be 3 values: theta, m, v"),
        ("2.3", lambda theta, m, v, g, alpha, beta1, beta2, eps: (theta, m, v), "takes other arguments"),
        ("2.4", lambda *a: adam(*a)[-1], "thetas has to have the shape (3, 1) for two equal gradients"),
        ("2.4", lambda *a: adam(*a)[1:], "first row has to be theta_0 itself"),
        ("2.4", lambda *a: adam(*a)[:-1], "the last is lost"),
        (
            "2.13",
            lambda theta, m, u, t, g, alpha, beta1, beta2: (theta, m, max(beta2 * u, abs(g))),
            "raised ValueError: The truth value of an array",
        ),
        ("2.7", [1, 2, 3], "The list has to have the shape (4,)"),
        ("2.7", "B", "The list has to be an array of numbers"),
    ],
)
def test_answers_of_another_form(check, question, answer, words):
    assert words in told(check(question, answer))


def test_nothing_is_right_of_a_mean_over_coordinates(check):
    """A walk that is right for one parameter only."""

    def shared(gradients, theta_0, alpha, beta1, beta2, eps):
        step = algorithms._adam_with(v=lambda v, m, g, beta: beta * v + (1 - beta) * np.mean(g**2))
        return algorithms._walk(step)(gradients, theta_0, alpha, beta1, beta2, eps)

    assert "It is right for two equal gradients, and wrong for 6 gradients of 2 parameters" in told(
        check("2.4", shared)
    )


def test_other_ways_to_write_it_are_right_too(check):
    def written_differently(theta, m, v, t, g, alpha, beta1, beta2, eps):
        m = m + (1 - beta1) * (g - m)
        v = v - (1 - beta2) * (v - g * g)
        root = np.sqrt(1 - beta2**t)
        return [theta - alpha * root / (1 - beta1**t) * m / (np.sqrt(v) + eps * root), m, v]

    def with_where(theta, m, u, t, g, alpha, beta1, beta2):
        m, u = beta1 * m + (1 - beta1) * g, np.max([beta2 * u, abs(g)], axis=0)
        with np.errstate(invalid="ignore"):
            return theta - np.where(u > 0, alpha / (1 - beta1**t) * m / u, 0), m, u

    def filled(gradients, theta_0, alpha, beta1, beta2, eps):
        thetas = np.empty((len(gradients) + 1, len(theta_0)))
        thetas[0], m, v = theta_0, 0, 0
        for t in range(1, len(thetas)):
            thetas[t], m, v = adam_step(thetas[t - 1], m, v, t, gradients[t - 1], alpha, beta1, beta2, eps)
        return thetas

    def compared_by_numpy(thetas, g, alpha, eps):
        off = ~np.isclose(-np.diff(thetas), alpha * g / (abs(g) + eps), rtol=1e-3, atol=0)
        return np.flatnonzero(off)[0] + 1 if off.any() else 0

    for hidden in (False, True):
        assert check("2.3", written_differently, hidden=hidden)
        assert check("2.4", filled, hidden=hidden)
        assert check("2.6", compared_by_numpy, hidden=hidden)
        assert check("2.13", with_where, hidden=hidden)


def test_four_walks_of_which_one_is_adams():
    orders = set()
    for number in range(30):
        walks, g, alpha, eps = Checker("algorithms", f"student {number}").data("2.7")
        wrong = [first_wrong_step(walk, g, alpha, eps) for walk in walks]
        assert sorted(wrong)[:3] == [0, 1, 2]
        assert 12 <= max(wrong) < 30
        assert (np.diff(walks, axis=1) * np.sign(g) < 0).all(), "all walks lead downhill, as the question says"
        orders.add(tuple(np.argsort(wrong)))
    assert len(orders) > 10


def test_growing_gradients_pass_the_papers_bound():
    for beta1 in (0.85, 0.9):
        for beta2 in (0.998, 0.999):
            bound = (1 - beta1) / np.sqrt(1 - beta2)
            r = beta1**2 / beta2
            for T in (400, 800):
                sharp = bound * np.sqrt((1 - r**T) / (1 - r)) * np.sqrt(1 - beta2**T) / (1 - beta1**T)
                assert algorithms.longest(beta1, beta2, T) == pytest.approx(sharp, rel=1e-9)
                assert sharp > bound
    for number in range(20):
        _, _, T = Checker("algorithms", f"student {number}").data("2.10")
        assert 400 <= T < 800


def test_the_first_step_by_hand_is_adams():
    for number in range(20):
        theta, g, alpha = Checker("algorithms", f"student {number}").data("2.1")
        assert {-1, 1} == set(np.sign(g))
        zero = np.zeros(3)
        assert Checker("algorithms", f"student {number}")(
            "2.1", adam_step(theta, zero, zero, 1, g, alpha, 0.9, 0.999, 1e-8)[0]
        )
        assert largest_step(np.array([theta, theta - alpha * np.sign(g)])) == pytest.approx(alpha)


@pytest.mark.parametrize("rtol", [1e-4, 1e-2])
def test_a_wrong_step_is_one_that_is_off_by_more_than_a_thousandth(check, rtol):
    def compared(thetas, g, alpha, eps):
        off = ~np.isclose(-np.diff(thetas), alpha * g / (abs(g) + eps), rtol=rtol, atol=0)
        return np.flatnonzero(off)[0] + 1 if off.any() else 0

    assert not check("2.6", compared, hidden=True)


@pytest.mark.parametrize("alpha", [0.001, 0.003, 0.01, 0.025, 0.1, 0.5, 2.0])
def test_a_longest_step_with_its_alpha_is_told_for_any_alpha(check, alpha):
    longest = algorithms.longest(*check.data("2.10"))
    assert check("2.10", longest)
    assert check("2.10", alpha * longest).mistake == "not divided by alpha"


@pytest.mark.parametrize("factor", [0.0, -1.0, 0.1234, 3.3333])
def test_not_every_number_is_a_step_with_its_alpha(check, factor):
    assert not check("2.10", factor * algorithms.longest(*check.data("2.10"))).mistake
