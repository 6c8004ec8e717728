"""What a check says of answers that fit no mistake, and of things that are no answers."""

import itertools

import numpy as np
import pytest

from adamcore.checks import ASSIGNMENTS, Case, Checker, Mistake, Question, RemoteError, Value, averages
from adamcore.checks.core import close, difference


@pytest.fixture
def check():
    return Checker("averages", "ab123")


def test_a_good_answer_is_told_in_one_line(check):
    report = check("1.1", averages.average)
    assert report
    assert str(report) == "1.1 (the moving average): right, in 9 cases."
    assert report._repr_markdown_().startswith("✅")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (..., "nothing yet"),
        (3.0, "has to be a function average(g, beta); yours is of the type float"),
        (lambda g: g, "other arguments than average(g, beta)"),
        (lambda g, beta: None, "returns nothing. Is there a return"),
        (lambda g, beta: ..., "returns nothing"),
        (lambda g, beta: 1 / 0, "raised ZeroDivisionError: division by zero"),
        (lambda g, beta: "m", "m has to be an array of numbers; yours is of the type str"),
        (lambda g, beta: averages.average(g, beta)[-1], "m has to have the shape (1,)"),
        (lambda g, beta: -averages.average(g, beta), "m has the wrong sign for a single gradient"),
        (lambda g, beta: 2 * averages.average(g, beta), "m is 2 times too large for a single gradient"),
        (lambda g, beta: 0 * g, "m is zero for a single gradient"),
        (lambda g, beta: np.nan * g, "m contains nan"),
        (
            lambda g, beta: averages.average(g, beta) + (beta == 0),
            "It is right for a single gradient, and wrong for beta",
        ),
        (lambda g, beta: averages.average(g, beta).astype(int), "m is zero"),
    ],
)
def test_an_answer_that_fits_no_mistake_is_described(check, answer, words):
    report = check("1.1", answer)
    assert not report
    assert words in str(report)
    assert report._repr_markdown_().startswith("❌")


def test_an_answer_that_changes_its_argument_is_told(check):
    def average(g, beta):
        m = averages.average(g, beta)
        g[:] = 0
        return m

    report = check("1.1", average)
    assert "changes its argument g" in str(report)
    assert "So far right in 0" not in str(report)  # the values are right, and the message says so


def test_an_answer_that_remembers_is_told(check):
    def average(g, beta, calls=[]):  # noqa: B006
        calls.append(1)
        return averages.average(g, beta) + (len(calls) > 9)

    assert "remembers an earlier call" in str(check("1.1", average))


def test_two_mistakes_of_which_the_first_output_shows_one():
    question = Question(
        title="two",
        signature="f(x)",
        reference=lambda x: (x, 2 * x),
        cases=lambda rng, hidden: [Case((x,), f"t = {x}") for x in (1.0, 2.0)],
        outputs=("m", "v"),
        mistakes=(Mistake("m doubled", lambda x: (2 * x, 2 * x), "Why twice?"),),
    )
    report = question.examine("1", (lambda x: (2 * x, 7.0),), np.random.default_rng(0), False)
    assert report.mistake == "m doubled"
    assert "m is 2 times too large at t = 1.0. Why twice?" in str(report)
    assert "There have to be 2 values: m, v. You give a float." in str(
        question.examine("1", (lambda x: x,), np.random.default_rng(0), False)
    )


def test_what_is_computed_first_is_told_first():
    question = Question(
        title="two",
        signature="f(x)",
        reference=lambda x: (3 * x, x),
        cases=lambda rng, hidden: [Case((x,), f"t = {x}") for x in (1.0, 2.0)],
        outputs=("theta", "m"),
        mistakes=(Mistake("m doubled", lambda x: (6 * x, 2 * x), "Why twice?"),),
        order=("m", "theta"),
    )
    report = question.examine("1", (lambda x: (7.0, 2 * x),), np.random.default_rng(0), False)
    assert report.mistake == "m doubled"
    assert "m is 2 times too large at t = 1.0. Why twice?" in str(report)
    report = question.examine("1", (lambda x: (7.0, x),), np.random.default_rng(0), False)
    assert "theta is 2.333 times too large at t = 1.0" in str(report)


def test_a_mistake_that_shows_in_the_shape_is_told():
    question = Question(
        title="upto",
        signature="f(n)",
        reference=lambda n: np.arange(n + 1),
        cases=lambda rng, hidden: [Case((n,), f"n = {n}") for n in (0, 3)],
        mistakes=(Mistake("the end left out", lambda n: np.arange(n), "Does n itself belong to it?"),),
    )
    report = question.examine("1", (lambda n: np.arange(n),), np.random.default_rng(0), False)
    assert report.mistake == "the end left out"
    assert "have the shape (1,) for n = 0; yours has the shape (0,). Does n itself" in str(report)
    other = question.examine("1", (lambda n: np.arange(n + 2),), np.random.default_rng(0), False)
    assert not other.mistake
    assert "yours has the shape (2,)" in str(other)
    first = question.examine("1", (lambda n: np.arange(n) if n < 3 else 1 / 0,), np.random.default_rng(0), False)
    assert "yours has the shape (0,)" in str(first)


def test_what_another_process_raised_is_told_as_if_it_were_here(check):
    def average(g, beta):
        raise RemoteError("KeyError", "'m'")

    assert "raised KeyError: 'm'" in str(check("1.1", average))


def test_hidden_cases_show_no_numbers(check):
    report = check("1.1", lambda g, beta: 2 * averages.average(g, beta), hidden=True)
    assert not report
    assert report.evidence == ""
    assert report.cases > 8


def test_a_value_that_is_rounded_is_told_so(check):
    exact = averages.average(check.data("1.2"), 0.9)[-1]
    assert "Have you rounded?" in str(check("1.2", float(f"{exact:.3g}") * 1.001))
    assert "Have you rounded?" not in str(check("1.2", 1.05 * exact))


def test_students_have_numbers_of_their_own():
    mine, theirs = (Checker("averages", student).data("1.2") for student in ("ab123", "cd456"))
    assert not np.array_equal(mine, theirs)
    np.testing.assert_array_equal(mine, Checker("averages", "ab123").data("1.2"))
    assert not np.array_equal(mine, Checker("averages", "ab123", term="2027s").data("1.2"))
    assert not Checker("averages", "cd456")("1.2", averages.average(mine, 0.9)[-1])


def test_questions_may_share_their_numbers_and_keep_what_is_right_to_themselves(monkeypatch):
    numbers = {"data": lambda rng: (rng.normal(),), "reference": lambda x: x}
    two = {"1": Value("one", **numbers), "2": Value("two", **numbers, told=False, seed="1")}
    monkeypatch.setitem(ASSIGNMENTS, "toy", {**two, "3": Value("three", **numbers)})
    check = Checker("toy", "ab123")
    assert check.data("1") == check.data("2") != check.data("3")
    for answer in (check.data("1"), 1 + check.data("1")):
        report = check("2", answer)
        assert report
        assert str(report) == "2 (two): noted. Whether it is right, you will learn with the marks."
        assert report._repr_markdown_().startswith("📝")
    assert not check("2", "a word")
    assert not check("2", 1 + check.data("1"), hidden=True)
    assert str(check("2", check.data("1"), hidden=True)) == "2 (two): right, in 1 case."


def test_the_key_changes_hidden_cases_only():
    seen = []

    def average(g, beta):
        seen.append(np.array(g))
        return averages.average(g, beta)

    for key in ("sample", "secret"):
        for hidden in (False, True):
            assert Checker("averages", "ab123", key=key)("1.1", average, hidden=hidden)
    public, hidden, public_again, other = seen[:10], seen[10:23], seen[23:33], seen[33:]
    assert all(np.array_equal(a, b) for a, b in zip(public, public_again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(hidden, other, strict=True))
    assert "secret" not in repr(Checker("averages", "ab123", key="secret"))


class Everything(float):
    """Equal to anything, or so it says."""

    def __eq__(self, other):
        return True

    __hash__ = float.__hash__


class EverythingArray(np.ndarray):
    def __array_ufunc__(self, *args, **kwargs):
        return np.True_


class EveryText(str):
    def __eq__(self, other):
        return True

    __hash__ = str.__hash__


@pytest.mark.parametrize(
    ("given", "expected"),
    [(Everything(2.0), 1.0), (np.zeros(2).view(EverythingArray), np.ones(2)), (EveryText(), "a")],
)
def test_an_object_that_claims_to_be_equal_is_not(given, expected):
    assert not close(given, expected, rtol=1e-9, atol=0)


@pytest.mark.parametrize(
    ("given", "expected", "same"),
    [
        (1, 1.0, True),
        (np.float32(1), 1.0, True),
        ([1, 2], np.array([1.0, 2.0]), True),
        ((1, 2), (1, 3), False),
        ((1,), (1, 2), False),
        ({"a": 1.0}, {"a": 1.0}, True),
        ({"a": 1.0}, {"b": 1.0}, False),
        (np.nan, np.nan, True),
        (True, True, True),
        (np.True_, True, True),
        (1, True, False),
        (None, None, True),
        ("a", "b", False),
        (3 + 0j, 3.0, False),
        (np.array([object()]), 1.0, False),
    ],
)
def test_plain_data_are_compared(given, expected, same):
    assert close(given, expected, rtol=1e-9, atol=0) == same


@pytest.mark.parametrize(
    ("given", "expected", "words"),
    [
        (11, 12, "is too small (yours is 11)"),
        (-2.0, 1.0, "has the wrong sign and is 2 times too large"),
        (np.array([1.0, 3.0]), np.array([1.0, 2.0]), "is not right (yours is 3, entry 1)"),
        (1.00001, 1.0, "is not right (yours is 1.00001)"),
        ("a", "b", "is not what it should be"),
    ],
)
def test_a_difference_is_put_into_words(given, expected, words):
    assert difference(given, expected) == words


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Checker("knitting", "ab123"), "assignment = 'knitting'"),
        (lambda: Checker("averages", ""), "student = ''"),
        (lambda: Checker("averages", 7), "student = 7"),
        (lambda: Checker("averages", "ab123")("9.9", 1), "question = '9.9'"),
        (lambda: Checker("averages", "ab123")("1.1", 1, 2), "takes 1 answer"),
        (lambda: Checker("averages", "ab123").data("1.1"), "comes without data"),
    ],
)
def test_a_wrong_call_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()


SEVERAL = [
    (assignment, name)
    for assignment, questions in ASSIGNMENTS.items()
    for name, found in questions.items()
    if isinstance(found, Question) and len(found.outputs) > 1
]


@pytest.mark.parametrize(("assignment", "name"), SEVERAL)
@pytest.mark.parametrize("hidden", [False, True])
def test_right_results_in_another_order_are_told(assignment, name, hidden):
    question = ASSIGNMENTS[assignment][name]
    for order in itertools.permutations(range(len(question.outputs))):

        def answer(*args, order=order):
            result = question.reference(*args)
            return tuple(result[place] for place in order)

        report = Checker(assignment, "ab123")(name, answer, hidden=hidden)
        if list(order) == sorted(order):
            assert report
        elif report.mistake == "ends swapped":  # of 4.6, which has words of its own for it
            assert (name, order) == ("4.6", (0, 2, 1))
        else:
            found = ", ".join(question.outputs[place] for place in order)
            assert report.mistake == "another order", report
            assert f"You return {found}, in this order. Asked for is {', '.join(question.outputs)}." in str(report)


def test_the_parts_of_a_value_in_another_order_are_not_told():
    value = Value(title="three", reference=lambda: (1, 2, 3), outputs=("a", "b", "c"))
    report = value.examine("1", ((3, 1, 2),), np.random.default_rng(0), False)
    assert not report
    assert not report.mistake


def raising(before, mistakes):
    """A question whose right answer is 1 / x, of an answer that raises at x = 0, as a report."""
    question = Question(
        title="inverse",
        signature="f(x)",
        reference=lambda x: 1 / x if x else 0.0,
        cases=lambda rng, hidden: [Case((x,), f"x = {x}") for x in (*before, 0.0, 3.0)],
        mistakes=mistakes,
    )
    return lambda answer, hidden=False: question.examine("1", (answer,), np.random.default_rng(0), hidden)


@pytest.mark.parametrize("hidden", [False, True])
def test_a_mistake_that_shows_where_it_raises_is_told(hidden):
    wrong = Mistake("no zero", lambda x: 1 / x, "What if x is 0?")
    twice = Mistake("twice", lambda x: 2 / x if x else 0.0, "Why twice?")
    told = raising((2.0,), (twice, wrong))
    report = told(lambda x: 1 / x, hidden)
    assert report.mistake == "no zero"
    assert "Called for x = 0.0, your function raised ZeroDivisionError" in str(report)
    assert "What if x is 0?" in str(report)
    assert told(lambda x: 2 / x, hidden).mistake == "twice"  # wrong before it raised, as this one
    assert not told(lambda x: 3 / x, hidden).mistake
    assert not raising((), (twice,))(lambda x: 1 / x, hidden).mistake  # nothing yet that it could have agreed with
    assert not told(lambda x: 1 / x if x else [][0], hidden).mistake  # right, and another exception


def test_a_power_that_python_does_not_know_is_told(check):
    def total(t, beta):
        return 1 - beta ^ t

    assert "raised TypeError" in str(check("1.4", total))
    assert "Python writes a power as beta**t" in str(check("1.4", total, hidden=True))
    assert "power" not in str(check("1.4", lambda t, beta: 1 - "a" * beta))


def test_a_mistake_of_many_answers_is_told_after_those_of_one():
    question = Value(
        title="seven",
        reference=lambda: 7.0,
        mistakes=(
            Mistake("too large", lambda: 8.0, "Is it so much?", fits=lambda answer: answer > 7),
            Mistake("squared", lambda: 49.0, "Why squared?"),
            Mistake("broken", lambda: 0.0, "Never.", fits=lambda answer: answer[0]),
        ),
    )

    def told(answer):
        return question.examine("1", (answer,), np.random.default_rng(0), False).mistake

    assert [told(answer) for answer in (7.0, 8.0, 9.0, 49.0, 6.0)] == ["", "too large", "too large", "squared", ""]
