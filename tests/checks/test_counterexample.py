"""The fifth assignment: the answers are those of the package's rules, and what the notebook tells is so."""

import itertools

import numpy as np
import pytest

from adamcore import Adam, AMSGrad, inverse_sqrt
from adamcore.checks import Checker
from adamcore.checks import counterexample as ce
from adamcore.experiments.claims import CLAIMS

STUDENTS = ("ab123", "someone else", "学生")
GAMES = [(round((P - 1) * share, 2), P) for P, share in itertools.product((4, 5, 6), ce.SHARES)]
PLAN = {
    "claim": "C9",
    "statement": "The mean of v over many coordinates is E[g^2] (1 - beta2^t).",
    "statistic": "The largest distance from it, in standard errors, over the seeds.",
    "threshold": 3,
    "refuted_if": "above",
    "seeds": [1, 2, 3],
    "scale": "own simulation",
    "decided_before": True,
}


@pytest.fixture(params=STUDENTS)
def check(request):
    return Checker("counterexample", request.param)


def adam_walk(rounds, C, P, beta2, start, alpha=0.5):
    theta, v, g = [start], [], [ce.slope(t, C, P) for t in range(1, rounds + 1)]
    for t in range(1, rounds + 1):
        point, new_v = ce.adam_step(theta[-1], v[-1] if v else 0.0, t, g[t - 1], alpha, beta2)
        theta.append(float(point))
        v.append(float(new_v))
    return np.array(theta), np.array(g), np.array(v)


def amsgrad_walk(rounds, C, P, beta2, start, alpha=0.5):
    theta, state, v_hat = [start], (0.0, 0.0, 0.0), []
    for t in range(1, rounds + 1):
        point, *state = ce.amsgrad_step(theta[-1], *state, t, ce.slope(t, C, P), alpha, 0.0, beta2)
        theta.append(float(point))
        v_hat.append(float(state[2]))
    return np.array(theta), np.array(v_hat)


@pytest.mark.parametrize("beta1", [0.0, 0.9])
def test_the_steps_are_those_of_the_rules(beta1, rng):
    rules = [AMSGrad(alpha=inverse_sqrt(0.3), beta1=beta1, beta2=0.4, eps=0.0)]
    if beta1 == 0:
        rules.append(Adam(alpha=inverse_sqrt(0.3), beta1=0.0, beta2=0.4, eps=0.0, bias_correction=False))
    for rule in rules:
        s = rule.init(np.array([0.1, -0.2, 0.9]))
        theta, m, v, v_hat = s.theta, np.zeros(3), np.zeros(3), np.zeros(3)
        for t in range(1, 40):
            g = rng.normal(size=3)
            rule.step(s, g)
            s.theta = np.clip(s.theta, -1, 1)
            if isinstance(rule, AMSGrad):
                theta, m, v, v_hat = ce.amsgrad_step(theta, m, v, v_hat, t, g, 0.3, beta1, 0.4)
                np.testing.assert_allclose(v_hat, s.v_max, rtol=1e-12)
            else:
                theta, v = ce.adam_step(theta, v, t, g, 0.3, 0.4)
            np.testing.assert_allclose(theta, s.theta, rtol=1e-12)
        assert (np.abs(theta) <= 1).all()


def test_the_regret_is_that_against_the_best_of_many_points(rng):
    theta, g, points = rng.uniform(-1, 1, size=31), rng.normal(size=30), np.linspace(-1, 1, 2001)
    rival = min(sum(slope * point for slope in g) for point in points)
    assert ce.regret(theta, g) == pytest.approx(np.sum(g * theta[:-1]) - rival)


def test_the_game_in_floats_is_the_game_of_the_steps():
    theta, _, _ = adam_walk(ce.ROUNDS, 4.5, 3, 1 / (1 + 4.5**2), -0.75)
    np.testing.assert_allclose(ce._play(4.5, -0.75)[0], theta, atol=1e-12)


@pytest.mark.parametrize(("C", "P", "beta2"), [(3.0, 3, 0.1), (7.0, 5, 0.6), (101.0, 101, 0.99)])
def test_the_long_run_is_where_a_long_run_comes_to(C, P, beta2):
    rounds, alpha = 40 * P, 1e-9  # no walls, and a step size that stays
    g = np.array([ce.slope(t, C, P) for t in range(1, rounds + 1)])
    v, places = [0.0], [0.0]
    for one in g:
        v.append(beta2 * v[-1] + (1 - beta2) * one**2)
        places.append(places[-1] - alpha * one / np.sqrt(v[-1]))
    np.testing.assert_allclose(ce.steady(g[:P], beta2), v[-P:], rtol=1e-9)
    assert places[-1] - places[-1 - P] == pytest.approx(-alpha * ce.drift(g[:P], beta2), rel=1e-6)


def test_every_game_of_a_student_turns_once_and_the_walks_agree():
    """Question 3.3 and the two walks after it, for all games that students get; all walks at once."""
    turns, games = [], GAMES
    for C, P in games:
        signs = np.sign([ce.drift(ce._period(C, P), beta2) for beta2 in np.linspace(0, 0.9999, 400)])
        assert (np.diff(signs) != 0).sum() == 1
        turns.append(ce.turning(C, P))
    turns = np.array(turns)
    assert ((turns > 0.1) & (turns < 0.9)).all()
    theta, v = np.zeros((2, len(games))), np.zeros((2, len(games)))
    for t in range(1, 4201):
        g = np.array([ce.slope(t, C, P) for C, P in games])
        theta, v = ce.adam_step(theta, v, t, g, 0.5, np.array([turns - 0.05, turns + 0.05]))
    assert (theta[0] > 0.5).all()
    assert (theta[1] < -0.5).all()


def test_all_games_of_students_are_among_those(check):
    C, P = check.data("1.3")
    assert check.data("3.3") == (C, P)
    assert (C, P) in GAMES


@pytest.mark.parametrize("question", ["1.3", "2.3", "3.3"])
def test_no_two_mistakes_give_the_same_number_in_any_game(question):
    asked = ce.COUNTEREXAMPLE[question]
    runs = itertools.product((2.5, 3.5, 4.0, 4.5, 5.0, 6.0), (-1.0, -0.75, -0.5, -0.25, 0.25, 0.5))
    for game in runs if question == "2.3" else GAMES:
        values = np.array([asked.reference(*game), *(mistake.wrong(*game) for mistake in asked.mistakes)])
        apart = np.abs(np.subtract.outer(values, values)) / np.abs(values[0]) + np.eye(len(values))
        assert apart.min() > 2 * asked.rtol, (game, values)


def test_the_lost_games_cost_about_what_the_wrong_end_costs(check):
    C, start = check.data("2.3")
    assert ce.mean_regret(C, start) == pytest.approx(ce.standing(C, 3), rel=0.05)


def test_what_the_notebook_tells_of_the_runs():
    for start in (-1.0, 0.0, 1.0):
        assert adam_walk(900, 3.0, 3, 0.1, start)[0][-1] > 0.99
    theta, v_hat = amsgrad_walk(900, 3.0, 3, 0.1, 1.0)
    assert theta[-1] < -0.95
    assert (ce.gamma(v_hat, 0.5) >= -1e-9).all()
    _, _, v = adam_walk(900, 3.0, 3, 0.1, 0.0)
    assert (ce.gamma(v, 0.5) < 0).mean() == pytest.approx(2 / 3, abs=0.01)
    theta, _, v = adam_walk(900, 3.0, 3, 0.9, 0.0)
    assert (ce.gamma(v, 0.5) < 0).mean() > 0.5
    assert theta[-1] < -0.95


@pytest.mark.parametrize(("beta2", "sign"), [(0.99, -1), (0.999, -1), (0.9999, 1)])
def test_the_long_game_goes_the_way_of_its_drift(beta2, sign):
    assert np.sign(ce.drift(ce._period(101.0, 101), beta2)) == sign
    theta, _, _ = adam_walk(101 * 100, 101.0, 101, beta2, 0.0)
    assert np.sign(theta[1010] - theta[10100]) == sign


def test_dividing_all_slopes_changes_no_step():
    for t, g in enumerate((1010.0, -10.0, -10.0, 500.0), start=1):
        large, small = ce.adam_step(0.1, 100.0, t, g, 0.01, 0.9), ce.adam_step(0.1, 1.0, t, g / 10, 0.01, 0.9)
        assert large[0] == pytest.approx(small[0], rel=1e-14)


@pytest.mark.parametrize("hidden", [False, True])
def test_a_small_epsilon_does_no_harm(check, hidden):
    def adam_step(theta, v, t, g, alpha, beta2):
        v = beta2 * v + (1 - beta2) * g**2
        return np.clip(theta - alpha / t**0.5 * g / (np.sqrt(v) + 1e-8), -1, 1), v

    assert check("2.1", adam_step, hidden=hidden)


def test_one_coordinate_alone_is_told_by_what_it_raises(check):
    def adam_step(theta, v, t, g, alpha, beta2):
        v = beta2 * v + (1 - beta2) * g**2
        return max(-1, min(1, theta - alpha / t**0.5 * g / v**0.5)), v

    assert "three coordinates" in str(check("2.1", adam_step))


@pytest.mark.parametrize("answer", [-1, 1, 1.0, np.int64(-1)])
@pytest.mark.parametrize("question", ["2.2", "4.2"])
def test_every_prediction_is_right(check, question, answer):
    assert check(question, answer)


@pytest.mark.parametrize("answer", [0, True, "left", 0.5, (1,), None])
def test_what_is_no_prediction_is_told(check, answer):
    assert not check("2.2", answer)


@pytest.mark.parametrize(("answer", "right"), [((1, 1, -1), True), ([-1, 1, 1], True), ((1, 1), False), (1, False)])
def test_three_predictions(check, answer, right):
    assert bool(check("3.4", answer)) == right


def test_the_claims_are_those_of_the_book():
    assert tuple(CLAIMS) == ce.CLAIMS


def test_a_registration_that_is_filled_in_is_right(check):
    assert check("6.1", PLAN)
    assert check("6.1", {**PLAN, "threshold": np.float64(0.5), "seeds": np.arange(3)})


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("claim", "C45", "from C1 to C44"),
        ("claim", 9, "number of a claim"),
        ("claim", "", "number of a claim"),
        ("statement", "It holds.", "What exactly would be true"),
        ("statement", None, "What exactly would be true"),
        ("statistic", "", "Which number will you compute"),
        ("threshold", "small", "has to be a number"),
        ("threshold", True, "has to be a number"),
        ("threshold", None, "has to be a number"),
        ("threshold", float("nan"), "has to be a number"),
        ("refuted_if", "", "on which side"),
        ("refuted_if", ["above"], "on which side"),
        ("seeds", [1, 2], "at least three different"),
        ("seeds", [1, 1, 1], "at least three different"),
        ("seeds", [0.5, 1, 2], "at least three different"),
        ("seeds", 3, "at least three different"),
        ("scale", "large", "one of closed form"),
        ("scale", [], "one of closed form"),
        ("decided_before", False, "before you run anything"),
        ("decided_before", "True", "before you run anything"),
    ],
)
def test_what_is_missing_in_a_registration_is_told(check, field, value, words):
    report = check("6.1", {**PLAN, field: value})
    assert not report
    assert words in str(report)
    assert field in str(report)


def test_a_registration_has_all_fields(check):
    assert "These fields are missing: claim, statement" in str(check("6.1", {}))
    assert "has to be a dict" in str(check("6.1", "C9"))


def test_numbers_of_another_question_are_told(check):
    (C, P), (C_run, start) = check.data("1.3"), check.data("2.3")
    runs = [
        (C_run, 3, 1 / (1 + C**2)),  # the formula copied with its letter
        (C, 3, 1 / (1 + C**2)),
        (C, 3, 1 / (1 + C_run**2)),
        (C, P, 1 / (1 + C**2)),
        (C_run, P, 1 / (1 + C_run**2)),
    ]
    for steep, period, beta2 in runs:
        theta, g, _ = adam_walk(ce.ROUNDS, steep, period, beta2, start)
        assert check("2.3", ce.regret(theta, g) / ce.ROUNDS).mistake == "numbers of 1.3"
    assert check("2.3", ce.mean_regret(C_run, start))
    assert not check("2.3", ce.mean_regret(C_run, start) + 0.01).mistake


def test_the_other_games_are_all_that_question_1_3_can_give():
    assert ce._other_games(0.0) == GAMES
    assert set(GAMES) - set(ce._other_games(5.0)) == {(5.0, 5)}
