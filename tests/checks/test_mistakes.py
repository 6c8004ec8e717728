"""Every planted mistake is told by its own message, in public and in hidden cases; right answers are right."""

import numpy as np
import pytest

from adamcore.checks import ASSIGNMENTS, Checker, Open, Question, Value

STUDENTS = ("ab123", "someone else", "学生")
FUNCTIONS = [(a, n) for a, questions in ASSIGNMENTS.items() for n, q in questions.items() if isinstance(q, Question)]
VALUES = [(a, n) for a, questions in ASSIGNMENTS.items() for n, q in questions.items() if isinstance(q, Value)]
IN_FUNCTIONS = [(a, n, mistake) for a, n in FUNCTIONS for mistake in ASSIGNMENTS[a][n].mistakes]
IN_VALUES = [(a, n, mistake) for a, n in VALUES for mistake in ASSIGNMENTS[a][n].mistakes]


def name(value):
    return getattr(value, "name", value)


def quiet(function):
    """A mistake may divide by zero, which a notebook would only warn of."""

    def call(*args):
        with np.errstate(all="ignore"):
            return function(*args)

    return call


@pytest.mark.parametrize(("assignment", "question"), FUNCTIONS)
@pytest.mark.parametrize("hidden", [False, True])
def test_the_reference_is_right(assignment, question, hidden):
    for student in STUDENTS:
        report = Checker(assignment, student)(question, ASSIGNMENTS[assignment][question].reference, hidden=hidden)
        assert report, report
        assert report.right == report.cases > 0


@pytest.mark.parametrize(("assignment", "question", "mistake"), IN_FUNCTIONS, ids=name)
@pytest.mark.parametrize("hidden", [False, True])
def test_a_mistake_in_a_function_is_told(assignment, question, mistake, hidden):
    for student in STUDENTS:
        report = Checker(assignment, student)(question, quiet(mistake.wrong), hidden=hidden)
        assert not report
        assert report.mistake == mistake.name, report
        assert mistake.message in str(report)
        assert report.right < report.cases
        assert bool(report.evidence) != hidden


@pytest.mark.parametrize(("assignment", "question"), VALUES)
def test_a_value_is_right(assignment, question):
    found = ASSIGNMENTS[assignment][question]
    for student in STUDENTS:
        check = Checker(assignment, student)
        report = check(question, found.reference(*data(check, question)))
        assert report, report
        assert check(question, found.reference(*data(check, question)), hidden=True)


@pytest.mark.parametrize(("assignment", "question", "mistake"), IN_VALUES, ids=name)
def test_a_mistake_in_a_value_is_told(assignment, question, mistake):
    for student in STUDENTS:
        check = Checker(assignment, student)
        for hidden in (False, True):
            report = check(question, mistake.wrong(*data(check, question)), hidden=hidden)
            if hidden or ASSIGNMENTS[assignment][question].told:
                assert report.mistake == mistake.name, report
                assert mistake.message in str(report)
            else:
                assert report, "the public check of this question looks at the form alone"


def data(check, question):
    """The student's numbers, as a tuple; none if the question has none."""
    try:
        found = check.data(question)
    except ValueError:
        return ()
    return found if isinstance(found, tuple) else (found,)


def test_nothing_is_right_before_it_is_answered():
    for assignment, questions in ASSIGNMENTS.items():
        check = Checker(assignment, "ab123")
        for question, found in questions.items():
            blanks = [...] * (found.answers if isinstance(found, Open) else 1)
            assert not check(question, *blanks)
            assert "nothing yet" in str(check(question, *blanks))


def test_messages_are_sentences_that_give_no_answer_away():
    for assignment, question, mistake in IN_FUNCTIONS + IN_VALUES:
        where = (assignment, question, mistake.name)
        assert mistake.message[0].isalnum() or mistake.message[0] in "|-", where
        assert mistake.message[-1] in ".?", where
        assert len(mistake.message) < 240, where
        assert not set(mistake.message) & set("$\\"), where  # pages of feedback and terminals show it as it is
    for (assignment, question), questions in {
        (a, n): [m.name for m in ASSIGNMENTS[a][n].mistakes] for a, n in FUNCTIONS + VALUES
    }.items():
        assert len(set(questions)) == len(questions), (assignment, question)


def test_there_are_many_mistakes():
    assert len({mistake.message for _, _, mistake in IN_FUNCTIONS + IN_VALUES}) >= 15
