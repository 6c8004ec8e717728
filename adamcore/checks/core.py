"""Checks that diagnose: is the answer right, and if not, which mistake is the likely one.

A question knows the right answer as a function, cases to try it on, and *mistakes*: the same function with one thing
wrong. An answer that agrees with a mistake wherever the mistake matters is told which one it is. What fits no mistake
is described: a wrong sign, a constant factor, right at the first step only.

Answers take and return plain data: numbers, strings, tuples, lists, dicts, arrays. So the same check serves in a
notebook, where the answer is a function, and in grading, where it is a function in another process.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import inspect
import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

SAMPLE = "sample"
"""The term, the student and the key of what is public: the versions in the book, and the solutions beside them."""


CHANGES = (
    "The values are right, but your function changes its argument {}; the caller may still need it. Write a = a + b "
    "instead of a += b, or work on a copy."
)
REMEMBERS = (
    "The first call is right, but the same call later gives something else: your function remembers an earlier call. "
    "Is there a global variable, or a default argument that is a list or an array?"
)


EXCHANGED = "another order"
"""The name of the mistake of an answer that gives the right outputs in another order than the one asked for."""

XOR = "Python writes a power as beta**t; the sign ^ means something else."


class RemoteError(RuntimeError):
    """What an answer raised in another process: ``kind`` is the name of its class, ``text`` its message.

    Examples
    --------
    >>> from adamcore.checks import RemoteError
    >>> try:
    ...     raise RemoteError("ZeroDivisionError", "division by zero")
    ... except RemoteError as error:
    ...     print(error.kind, "and", error.text)
    ZeroDivisionError and division by zero
    """

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(f"{kind}: {text}")
        self.kind, self.text = kind, text


@dataclass(frozen=True)
class Case:
    """What an answer is tried on.

    Attributes
    ----------
    args : tuple
        The arguments; each call gets a copy of its own.
    label : str
        Where we are, as a message says it: ``"t = 1"`` or ``"beta = 0"``.
    rtol : float, optional
        The relative tolerance, if it is not the question's: for float32, say.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore.checks import Case, Question
    >>> cases = [Case((0.9, 1), "t = 1"), Case((0.9, 2), "t = 2")]
    >>> question = Question("the divisor", "divisor(beta, t)", lambda beta, t: 1 - beta**t, lambda rng, hidden: cases)
    >>> report = question.examine("1", (lambda beta, t: 1 - beta,), np.random.default_rng(0), hidden=False)
    >>> print(report.evidence, report.message)
    The result is 1.9 times too small at t = 2. It is right at t = 1, and wrong at t = 2. What is different there?
    """

    args: tuple[Any, ...]
    label: str
    rtol: float | None = None


@dataclass(frozen=True)
class Mistake:
    """A mistake that is often made.

    Attributes
    ----------
    name : str
        A few words, such as ``"t starts at 0"``.
    wrong : callable
        The right answer with this mistake planted: same arguments, same kind of result.
    message : str
        A question or a hint that leads to the repair, as a whole sentence. What is seen of the mistake ("v_hat is
        1000 times too small at t = 1") is put before it.
    fits : callable, optional
        ``fits(answer, *args)`` returns whether an answer has this mistake, if more than one answer has it, such as a
        pair of which one part is wrong in any way; ``wrong`` then is an example.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore.checks import Case, Mistake, Question
    >>> late = Mistake("t starts at 0", lambda beta, t: 1 - beta ** (t - 1), "What is t at the first step?")
    >>> question = Question(
    ...     title="the divisor",
    ...     signature="divisor(beta, t)",
    ...     reference=lambda beta, t: 1 - beta**t,
    ...     cases=lambda rng, hidden: [Case((0.9, 1), "t = 1"), Case((0.9, 2), "t = 2")],
    ...     mistakes=(late,),
    ... )
    >>> report = question.examine("1", (lambda beta, t: 1 - beta**t / beta,), np.random.default_rng(0), hidden=False)
    >>> report.mistake
    't starts at 0'
    >>> print(report.evidence, report.message)
    The result is zero at t = 1. What is t at the first step?
    """

    name: str
    wrong: Callable[..., Any]
    message: str
    fits: Callable[..., bool] | None = None


@dataclass(frozen=True)
class Report:
    """What a check found. It is true if the answer is right, and prints what there is to say.

    Attributes
    ----------
    question, title : str
    right : int
        The number of cases in which the answer is right.
    cases : int
    message : str
        Empty if all is right; otherwise the likely mistake and what to do.
    evidence : str
        What was seen, with numbers; empty for hidden cases.
    mistake : str
        The name of the :class:`Mistake` that fits, if one does.
    noted : str
        What to say if only the form was looked at, because telling more would answer the question.

    Examples
    --------
    >>> from adamcore.checks import Checker
    >>> report = Checker("averages", "ab123")("1.4", lambda t, beta: beta**t)
    >>> bool(report), report.right, report.cases, report.mistake
    (False, 0, 5, 'beta**t')
    >>> print(report.message)
    This is the weight that m_0 = 0 has. What is left for others?
    """

    question: str
    title: str
    right: int
    cases: int
    message: str = ""
    evidence: str = ""
    mistake: str = ""
    noted: str = ""

    def __bool__(self) -> bool:
        return not self.message

    def __str__(self) -> str:
        name = f"{self.question} ({self.title})"
        if self and self.noted:
            return f"{name}: noted. {self.noted}"
        if self:
            return f"{name}: right, in {self.cases} {'cases' if self.cases != 1 else 'case'}."
        share = f" So far right in {self.right} of {self.cases} cases." if self.cases > 1 and self.right else ""
        return f"{name}: not yet. {' '.join(filter(None, (self.evidence, self.message)))}{share}"

    __repr__ = __str__

    def _repr_markdown_(self) -> str:
        """How a notebook shows it; what came from the answer is not read as markdown."""
        sign = ("📝" if self.noted else "✅") if self else "❌"
        return f"{sign} " + "".join(f"\\{c}" if c in "\\`*_{}[]<>()#+-.!|~$" else c for c in str(self))


@dataclass(frozen=True)
class Question:
    """A question whose answer is a function.

    Attributes
    ----------
    title : str
    signature : str
        As the assignment gives it: ``"average(g, beta)"``.
    reference : callable
        The right answer.
    cases : callable
        ``cases(rng, hidden)`` returns the list of :class:`Case`. The student seeds the public ones, the term's
        key the hidden ones.
    outputs : tuple of str
        Names of what is returned, if it is a tuple: ``("m", "v")``; otherwise one name, which messages use.
    mistakes : tuple of Mistake
        The more usual ones first.
    rtol, atol : float
        How near is right.
    order : tuple of str, optional
        The outputs in the order in which they are computed, if they are returned in another: the first of them that
        is wrong is told, since the later ones are wrong with it.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore.checks import Case, Question
    >>> question = Question(
    ...     title="the first moment",
    ...     signature="moment(m, g, beta)",
    ...     reference=lambda m, g, beta: beta * m + (1 - beta) * g,
    ...     cases=lambda rng, hidden: [Case((0.0, float(rng.normal()), 0.9), "t = 1")],
    ...     outputs=("m",),
    ... )
    >>> question.examine("1", (lambda m, g, beta: m + (1 - beta) * (g - m),), np.random.default_rng(0), hidden=False)
    1 (the first moment): right, in 1 case.
    >>> question.examine("1", (lambda m, g, beta: beta * m + g,), np.random.default_rng(0), hidden=False).evidence
    'm is 10 times too large at t = 1.'
    """

    title: str
    signature: str
    reference: Callable[..., Any]
    cases: Callable[[np.random.Generator, bool], list[Case]]
    outputs: tuple[str, ...] = ("the result",)
    mistakes: tuple[Mistake, ...] = ()
    rtol: float = 1e-9
    atol: float = 1e-12
    order: tuple[str, ...] = ()

    def examine(self, name: str, answers: tuple[Any, ...], rng: np.random.Generator, hidden: bool) -> Report:
        """Try the answer on every case, and say what is wrong with it."""
        (answer,) = _so_many(name, answers, 1)
        cases = self.cases(rng, hidden)

        def report(right: int, message: str, evidence: str = "", mistake: str = "") -> Report:
            evidence = "" if hidden else evidence
            return Report(name, self.title, right, len(cases), message, evidence, mistake)

        if message := self._no_function(answer):
            return report(0, message)
        given, expected, changed, form = [], [], "", ""
        for case in cases:
            args = copy.deepcopy(case.args)
            try:
                given.append(answer(*args))
            except Exception as error:  # whatever an answer raises is its own, and has to be told
                told = form or self._raised(error, case)
                if mistake := self._likely_before(_kind(error), given, expected, cases):
                    return report(0, f"{told} {mistake.message}" if hidden else mistake.message, told, mistake.name)
                return report(0, told)
            changed = changed or _first_change(self.signature, case.args, args)
            expected.append(self._call(self.reference, case))
            form = form or self._form(given[-1], expected[-1], case)
        if form:  # a mistake may show in the form, such as an end that is left out
            mistake = self._likely(given, expected, cases)
            return report(0, mistake.message, form, mistake.name) if mistake else report(0, form)

        wrong = [not self._agree(g, e, case) for g, e, case in zip(given, expected, cases, strict=True)]
        right = wrong.count(False)
        if any(wrong):
            first = wrong.index(True)
            evidence = self._evidence(given[first], expected[first], cases[first])
            if mistake := self._likely(given, expected, cases):
                return report(right, mistake.message, evidence, mistake.name)
            return report(right, self._unknown(wrong, cases), evidence)
        if changed:
            return report(0, CHANGES.format(changed))
        again = answer(*copy.deepcopy(cases[0].args))
        if not self._agree(again, expected[0], cases[0]):
            return report(right, REMEMBERS)
        return report(right, "")

    def _no_function(self, answer: Any) -> str:
        """What to say of an answer that is not a function of so many arguments."""
        if answer is ...:
            return f"There is nothing yet. Replace the three dots by a function {self.signature}."
        if not callable(answer):
            return f"The answer has to be a function {self.signature}; yours is of the type {type(answer).__name__}."
        try:
            inspect.signature(answer).bind(*([None] * len(_parameters(self.signature))))
        except TypeError:
            return (
                f"Your function takes other arguments than {self.signature}; keep their number and order: the check "
                "gives them by position."
            )
        except ValueError:
            pass  # a function that does not tell its arguments: calling it will
        return ""

    def _raised(self, error: Exception, case: Case) -> str:
        """What to say of an answer that raised an exception."""
        text = error.text if isinstance(error, RemoteError) else str(error)
        text = text.strip()[:300] or "(without a message)"
        told = f"Called {_place(case.label)}, your function raised {_kind(error)}: {text}."
        return f"{told} {XOR}" if "unsupported operand type(s) for ^" in text else told

    def _call(self, function: Callable[..., Any], case: Case) -> Any:
        """A function of ours on a copy of a case; wrong ones may divide by zero."""
        with np.errstate(all="ignore"):
            return function(*copy.deepcopy(case.args))

    def _form(self, given: Any, expected: Any, case: Case) -> str:
        """What to say of a result of the wrong form, before its values are looked at."""
        if given is None or given is ...:
            called = _place(case.label)
            return f"Called {called}, your function returns nothing. Is there a return, and is it reached?"
        names, parts, wanted = self.outputs, (given,), (expected,)
        if len(names) > 1:
            if not isinstance(given, tuple | list) or len(given) != len(names):
                found = f"{len(given)} values" if isinstance(given, tuple | list) else f"a {type(given).__name__}"
                return f"There have to be {len(names)} values: {', '.join(names)}. You give {found}."
            parts, wanted = tuple(given), tuple(expected)
        for output, part, want in zip(names, parts, wanted, strict=True):
            if message := _wrong_form(output, part, want, case.label):
                return message
        return ""

    def _parts(self, value: Any) -> tuple[Any, ...]:
        """A result as a tuple with one entry for each output, if it has so many."""
        several = len(self.outputs) > 1 and isinstance(value, tuple | list)
        return tuple(value) if several else (value,)

    def _computed(self) -> list[int]:
        """Where the outputs stand, in the order in which they are computed."""
        return [self.outputs.index(name) for name in self.order or self.outputs]

    def _agree(self, given: Any, expected: Any, case: Case) -> bool:
        """Whether all outputs are right in one case."""
        rtol = self.rtol if case.rtol is None else case.rtol
        parts, wanted = self._parts(given), self._parts(expected)
        same_number = len(parts) == len(wanted)
        return same_number and all(close(g, e, rtol, self.atol) for g, e in zip(parts, wanted, strict=True))

    def _likely(self, given: list[Any], expected: list[Any], cases: list[Case]) -> Mistake | None:
        """The mistake that fits best: in all cases, or as another order of what is right, or in a first output."""
        wrongs = self._wrongs(cases)
        return (
            self._likely_wholly(given, cases, wrongs)
            or self._likely_exchanged(given, expected, cases)
            or self._likely_in_part(given, expected, cases, wrongs)
        )

    def _wrongs(self, cases: list[Case]) -> list[tuple[Mistake, list[Any]]]:
        """The mistakes that can be made with these arguments, with what they give."""
        wrongs = []
        for mistake in self.mistakes:
            with contextlib.suppress(ArithmeticError, ValueError, IndexError):
                wrongs.append((mistake, [self._call(mistake.wrong, case) for case in cases]))
        return wrongs

    def _likely_wholly(
        self, given: list[Any], cases: list[Case], wrongs: list[tuple[Mistake, list[Any]]]
    ) -> Mistake | None:
        """The first mistake that agrees with the answer in all cases; else the first that fits in all."""
        for mistake, outcome in wrongs:
            every = zip(given, outcome, cases, strict=True)
            if all(self._agree(g, w, case) for g, w, case in every):
                return mistake
        for mistake, _ in wrongs:
            if mistake.fits is None:
                continue
            with contextlib.suppress(ArithmeticError, ValueError, IndexError, TypeError):
                if all(mistake.fits(g, *copy.deepcopy(case.args)) for g, case in zip(given, cases, strict=True)):
                    return mistake
        return None

    def _likely_exchanged(self, given: list[Any], expected: list[Any], cases: list[Case]) -> Mistake | None:
        """A mistake made for an answer that gives the right outputs in another order."""
        for order in itertools.permutations(range(len(self.outputs))):
            pairs = (
                (g, [self._parts(e)[i] for i in order], c) for g, e, c in zip(given, expected, cases, strict=True)
            )
            if list(order) != sorted(order) and all(self._agree(*pair) for pair in pairs):
                asked, found = ", ".join(self.outputs), ", ".join(self.outputs[i] for i in order)
                return Mistake(EXCHANGED, self.reference, f"You return {found}, in this order. Asked for is {asked}.")
        return None

    def _likely_before(self, kind: str, given: list[Any], expected: list[Any], cases: list[Case]) -> Mistake | None:
        """The first mistake that agrees in all cases before one that raised, and raises there or was wrong before."""
        before, here = list(zip(given, cases, strict=False)), cases[len(given)]
        wrong = not all(self._agree(g, e, case) for (g, case), e in zip(before, expected, strict=True))
        for mistake in self.mistakes:
            with contextlib.suppress(ArithmeticError, ValueError, IndexError):
                alike = all(self._agree(g, self._call(mistake.wrong, case), case) for g, case in before)
                if alike and (wrong or self._raises(mistake, here) == kind):
                    return mistake
        return None

    def _raises(self, mistake: Mistake, case: Case) -> str:
        """The kind of exception that a mistake raises in a case; empty if none."""
        try:
            self._call(mistake.wrong, case)
        except Exception as error:
            return _kind(error)
        return ""

    def _likely_in_part(
        self, given: list[Any], expected: list[Any], cases: list[Case], wrongs: list[tuple[Mistake, list[Any]]]
    ) -> Mistake | None:
        """The first mistake that agrees with the answer in its first wrong output."""
        if any(len(self._parts(value)) != len(self.outputs) for value in given):
            return None
        for index in self._computed():
            column = [[self._parts(value)[index] for value in values] for values in (given, expected)]
            rtols = [self.rtol if case.rtol is None else case.rtol for case in cases]
            if all(close(g, e, r, self.atol) for g, e, r in zip(*column, rtols, strict=True)):
                continue
            for mistake, outcome in wrongs:
                theirs = [self._parts(value)[index] for value in outcome]
                if all(close(g, w, r, self.atol) for g, w, r in zip(column[0], theirs, rtols, strict=True)):
                    return mistake
            break  # later outputs are computed from this one
        return None

    def _evidence(self, given: Any, expected: Any, case: Case) -> str:
        """What is seen of the first wrong output of a case."""
        rtol = self.rtol if case.rtol is None else case.rtol
        for index in self._computed():
            name, g, e = self.outputs[index], self._parts(given)[index], self._parts(expected)[index]
            if not close(g, e, rtol, self.atol):
                return (
                    f"{name[0].upper() + name[1:] if ' ' in name else name} {difference(g, e)} {_place(case.label)}."
                )
        return ""

    def _unknown(self, wrong: list[bool], cases: list[Case]) -> str:
        """What to say where no known mistake fits."""
        labels = list(dict.fromkeys(case.label for case, bad in zip(cases, wrong, strict=True) if bad))
        good = list(dict.fromkeys(case.label for case, bad in zip(cases, wrong, strict=True) if not bad))
        if not good:
            return "No usual mistake fits. Compute one small case by hand, and print every intermediate value."
        wrong_at = _place("; ".join(labels[:3]))
        return f"It is right {_place(good[0])}, and wrong {wrong_at}. What is different there?"


@dataclass(frozen=True)
class Value:
    """A question whose answer is data: a number, an array, a word, a tuple of them.

    Attributes
    ----------
    title : str
    reference : callable
        Returns the right answer from the data that ``data`` made.
    data : callable, optional
        ``data(rng)`` returns a tuple: the numbers of this student, which :meth:`Checker.data` hands out.
    outputs : tuple of str
        As in :class:`Question`.
    mistakes : tuple of Mistake
        Wrong answers, as functions of the data.
    rtol, atol : float
    told : bool, default True
        Whether the public check says if the answer is right. If not, it checks the form alone, and the hidden check
        the answer: for questions that could be answered by trying.
    seed : str, optional
        The question whose numbers these are, if several questions are about the same ones. By default they are its
        own.
    words : tuple of str
        If the answer has a word, those among which it is chosen: another one is a matter of form.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore.checks import Value
    >>> question = Value("how many steps", lambda beta: 1 / (1 - beta), data=lambda rng: (rng.uniform(0.5, 0.99),))
    >>> (beta,) = question.data(np.random.default_rng(0))  # this student's number
    >>> question.examine("1", (1 / (1 - beta),), np.random.default_rng(0), hidden=False)
    1 (how many steps): right, in 1 case.
    >>> question.examine("1", (1 / beta,), np.random.default_rng(0), hidden=False).right
    0
    """

    title: str
    reference: Callable[..., Any]
    data: Callable[[np.random.Generator], tuple[Any, ...]] = field(default=lambda rng: ())
    outputs: tuple[str, ...] = ("the answer",)
    mistakes: tuple[Mistake, ...] = ()
    rtol: float = 1e-6
    atol: float = 1e-12
    told: bool = True
    seed: str = ""
    words: tuple[str, ...] = ()

    def examine(self, name: str, answers: tuple[Any, ...], rng: np.random.Generator, hidden: bool) -> Report:
        """Compare the answer with the right one, for the data of this student."""
        (answer,) = _so_many(name, answers, 1)
        function = Question(
            title=self.title,
            signature="()",
            reference=lambda *data: self.reference(*data),
            cases=lambda rng, hidden: [Case(self.data(rng), "your numbers")],
            outputs=self.outputs,
            mistakes=self.mistakes,
            rtol=self.rtol,
            atol=self.atol,
        )
        (case,) = function.cases(rng, hidden)
        expected = function._call(self.reference, case)

        def report(right: int, message: str, evidence: str = "", mistake: str = "") -> Report:
            return Report(name, self.title, right, 1, message, "" if hidden else evidence, mistake)

        if answer is ... or answer is None:
            return report(0, "There is nothing yet. Replace the three dots by your answer.")
        if callable(answer):
            return report(0, "The answer has to be a value; yours is a function. Did you forget to call it?")
        if message := function._form(answer, expected, case):
            return report(0, message)
        for part in function._parts(answer):
            if self.words and isinstance(part, str) and part not in self.words:
                return report(0, f"{part!r} is none of the words: they are {', '.join(self.words)}.")
        if not self.told and not hidden:
            return Report(name, self.title, 1, 1, noted="Whether it is right, you will learn with the marks.")
        if function._agree(answer, expected, case):
            return report(1, "")
        # No word of right parts in another order: that would tell which they are.
        wrongs = function._wrongs([case])
        mistake = function._likely_wholly([answer], [case], wrongs) or function._likely_in_part(
            [answer], [expected], [case], wrongs
        )
        if mistake:
            message = mistake.message
        elif close(answer, expected, rtol=0.01, atol=0):
            message = "It agrees to two digits. Have you rounded? Keep all digits that Python gives."
        else:
            message = "No usual mistake fits. Go through it again, one step at a time."
        return report(0, message, function._evidence(answer, expected, case), mistake.name if mistake else "")


@dataclass(frozen=True)
class Open:
    """A question with many right answers.

    Attributes
    ----------
    title : str
    examiner : callable
        ``examiner(answers, rng, hidden)`` returns a message, empty if the answers are right. They are plain data, or
        functions of it.
    answers : int, default 1
        How many it takes.
    noted : str, optional
        What to say of an answer that is complete, if none is wrong: of a prediction, say.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore.checks import Open
    >>> def examiner(answers, rng, hidden):
    ...     (beta,) = answers
    ...     return "" if 0.9 <= beta < 1 else "How large is 1 / (1 - beta)?"
    >>> question = Open("a beta that averages over ten steps or more", examiner)
    >>> question.examine("1", (0.99,), np.random.default_rng(0), hidden=False)
    1 (a beta that averages over ten steps or more): right, in 1 case.
    >>> question.examine("1", (0.5,), np.random.default_rng(0), hidden=False).right
    0
    """

    title: str
    examiner: Callable[[tuple[Any, ...], np.random.Generator, bool], str]
    answers: int = 1
    noted: str = ""

    def examine(self, name: str, answers: tuple[Any, ...], rng: np.random.Generator, hidden: bool) -> Report:
        """Hand the answers to the examiner; what they raise is told."""
        answers = _so_many(name, answers, self.answers)
        if any(answer is ... or answer is None for answer in answers):
            return Report(name, self.title, 0, 1, "There is nothing yet. Replace the three dots by your answer.")
        try:
            message = self.examiner(copy.deepcopy(answers), rng, hidden)
        except Exception as error:  # an answer of a form that nobody thought of
            message = f"Your answer could not be examined; it led to {_kind(error)}: {str(error)[:300]}."
        return Report(name, self.title, int(not message), 1, message, noted=self.noted)


@dataclass(frozen=True)
class Checker:
    """Checks the answers of one student to one assignment.

    Parameters
    ----------
    assignment : str
        Such as ``"averages"``; see :data:`adamcore.checks.ASSIGNMENTS`.
    student : str
        The student's id. It seeds the public cases and the student's own numbers: other students have others.
    term : str, default "sample"
        Makes those of one term differ from those of another.
    key : str, default "sample"
        Seeds the hidden cases. Of a real term only the grader has it.

    Raises
    ------
    ValueError
        If there is no such assignment, or the student's id is empty.

    Examples
    --------
    >>> from adamcore.checks import Checker
    >>> check = Checker("averages", "ab123")
    >>> check("1.4", lambda t, beta: 1 - beta**t)
    1.4 (the sum of the weights): right, in 5 cases.
    >>> report = check("1.4", lambda t, beta: beta**t)
    >>> bool(report), report.mistake
    (False, 'beta**t')
    """

    assignment: str
    student: str
    term: str = SAMPLE
    key: str = field(default=SAMPLE, repr=False)

    def __post_init__(self) -> None:
        from adamcore.checks import ASSIGNMENTS  # which imports this module

        if self.assignment not in ASSIGNMENTS:
            raise ValueError(
                f"assignment = {self.assignment!r}: there is no such assignment; there are {', '.join(ASSIGNMENTS)}."
            )
        for name in ("student", "term", "key"):
            value = getattr(self, name)
            if not isinstance(value, str) or not value.strip():
                raise ValueError(f"{name} = {value!r}: it has to be a text that is not empty.")

    def __call__(self, question: str, *answers: Any, hidden: bool = False) -> Report:
        """Check the answer to a question.

        Parameters
        ----------
        question : str
            Its number, such as ``"1.1"``.
        *answers
            Usually one: a function, or a value.
        hidden : bool, default False
            Whether to try the hidden cases, which the key seeds, instead of the public ones.

        Returns
        -------
        Report

        Raises
        ------
        ValueError
            If there is no such question, or it takes another number of answers.
        """
        found = self._question(question)
        seeds = (self.key, "hidden") if hidden and not isinstance(found, Value) else (self.term, self.student)
        rng = _generator(self.assignment, _seed(question, found), *seeds)
        return found.examine(question, answers, rng, hidden)

    def data(self, question: str) -> Any:
        """Return the numbers that a question gives to this student: one thing, or a tuple of several.

        Parameters
        ----------
        question : str
            Its number, such as ``"1.2"``.

        Returns
        -------
        object
            Numbers or arrays; a new copy.

        Raises
        ------
        ValueError
            If there is no such question, or it comes without data.
        """
        found = self._question(question)
        rng = _generator(self.assignment, _seed(question, found), self.term, self.student)
        data = found.data(rng) if isinstance(found, Value) else ()
        if not data:
            raise ValueError(f"question = {question!r}: this question comes without data.")
        return data[0] if len(data) == 1 else data

    def _question(self, name: str) -> Question | Value | Open:
        """The question of this name."""
        from adamcore.checks import ASSIGNMENTS

        questions = ASSIGNMENTS[self.assignment]
        if name not in questions:
            raise ValueError(
                f"question = {name!r}: {self.assignment!r} has no such question; it has {', '.join(questions)}."
            )
        return questions[name]


def check_exercise(label: str, answer: Any) -> Report:
    """Check the answer to an exercise of a chapter.

    Parameters
    ----------
    label : str
        The exercise's label, as the chapter gives it.
    answer : object
        A function, or a value.

    Returns
    -------
    Report

    Raises
    ------
    ValueError
        If no exercise with a check has this label.

    Examples
    --------
    >>> from adamcore.checks import check_exercise
    >>> check_exercise("ex-moments-epoch", lambda n: 0.5 ** (1 / n))
    ex-moments-epoch (a half-life of n steps): right, in 4 cases.
    """
    return Checker("exercises", "reader")(label, answer)


def close(given: Any, expected: Any, rtol: float, atol: float) -> bool:
    """Return whether plain data agree: numbers and arrays within the tolerances, the rest exactly.

    Parameters
    ----------
    given, expected : object
        Numbers, strings, None, arrays, and tuples, lists and dicts of these.
    rtol, atol : float
        As numpy.isclose has them, relative to what is expected. NaN equals NaN.

    Returns
    -------
    bool

    Examples
    --------
    >>> close((1.0, "a"), (1.0 + 1e-12, "a"), rtol=1e-9, atol=0)
    True
    >>> close(1, "1", rtol=1e-9, atol=0)
    False
    """
    if isinstance(expected, dict):
        same = isinstance(given, dict) and given.keys() == expected.keys()
        return same and all(close(given[k], expected[k], rtol, atol) for k in expected)
    if isinstance(expected, tuple | list):
        same = isinstance(given, tuple | list | np.ndarray) and len(given) == len(expected)
        return same and all(close(g, e, rtol, atol) for g, e in zip(given, expected, strict=True))
    if isinstance(expected, str | bool | np.bool_) or expected is None:
        # By its type first: an object of a notebook's own class may claim to be equal to anything.
        same_type = type(given) is type(expected) or isinstance(given, np.bool_) or isinstance(expected, np.bool_)
        return same_type and (bool(given) == bool(expected) if not isinstance(expected, str) else given == expected)
    array = as_numbers(given)
    if array is None or array.shape != np.shape(expected):
        return False
    with np.errstate(all="ignore"):
        return bool(np.isclose(array, np.asarray(expected, dtype=float), rtol=rtol, atol=atol, equal_nan=True).all())


def as_numbers(value: Any) -> np.ndarray | None:
    """Return a number, or an array or list of numbers, as a float64 array of numpy's own class; None if it is none.

    Examples
    --------
    >>> as_numbers([1, 2.5])
    array([1. , 2.5])
    >>> as_numbers("1") is None
    True
    """
    try:
        array = np.array(value, subok=False)
    except (ValueError, TypeError):
        return None
    return array.astype(float) if array.dtype.kind in "iuf" else None


def difference(given: Any, expected: Any) -> str:
    """Return in words how a result differs from the right one, without giving the right one away.

    Parameters
    ----------
    given, expected : object
        Of the same form.

    Returns
    -------
    str
        Without its subject: ``"is 1000 times too small"``.

    Examples
    --------
    >>> difference(np.array([0.001, 0.002]), np.array([1.0, 2.0]))
    'is 1000 times too small'
    >>> difference(-1.0, 1.0)
    'has the wrong sign'
    >>> difference(1.5, 1.0)
    'is 1.5 times too large'
    """
    g, e = as_numbers(given), as_numbers(expected)
    if g is None or e is None or g.shape != e.shape:
        return "is not what it should be"
    if not np.isfinite(g).all() and np.isfinite(e).all():
        return f"contains {'nan' if np.isnan(g).any() else 'infinity'}"
    g, e = g.ravel(), e.ravel()
    if not g.any() and e.any():
        return "is zero"
    if e.size == 1 and np.asarray(expected).dtype.kind in "iu":
        return f"is too {'small' if g[0] < e[0] else 'large'} (yours is {g[0]:g})"
    used = (e != 0) & (g != 0)
    if used.any() and not g[e == 0].any() and not e[g == 0].any():
        ratios = g[used] / e[used]
        if math.isclose(ratios.min(), ratios.max(), rel_tol=1e-6):
            ratio = float(ratios[0])
            if math.isclose(ratio, -1, rel_tol=1e-6):
                return "has the wrong sign"
            sign = "has the wrong sign and " if ratio < 0 else ""
            size = abs(ratio)
            times = size if size > 1 else 1 / size
            if f"{times:.4g}" != "1":
                return f"{sign}is {times:.4g} times too {'large' if size > 1 else 'small'}"
    far = int(np.argmax(np.abs(g - e)))
    where = _entry(far, np.shape(expected)) if g.size > 1 else ""
    return f"is not right (yours is {g[far]:.6g}{where})"


def _entry(index: int, shape: tuple[int, ...]) -> str:
    """Where an entry of an array is, as numpy counts."""
    place = [int(i) for i in np.unravel_index(index, shape)]
    return f", entry {place[0] if len(place) == 1 else place}"


def _wrong_form(output: str, given: Any, expected: Any, label: str) -> str:
    """What to say if an output is not of the form of the expected one."""
    if " " in output:  # words begin a sentence; a name of the program stays as it is
        output = output[0].upper() + output[1:]
    if isinstance(expected, str | bool | np.bool_ | dict):
        kind = {str: "a text", dict: "a dict"}.get(type(expected), "True or False")
        if not isinstance(given, (bool, np.bool_) if kind == "True or False" else type(expected)):
            return f"{output} has to be {kind}; yours is of the type {type(given).__name__}."
        return ""
    if isinstance(expected, tuple | list):
        if not isinstance(given, tuple | list | np.ndarray) or len(given) != len(expected):
            return f"{output} has to be a sequence of {len(expected)} entries."
        return ""
    numbers = as_numbers(given)
    if numbers is None:
        what = "a number" if np.ndim(expected) == 0 else "an array of numbers"
        return f"{output} has to be {what}; yours is of the type {type(given).__name__}."
    if numbers.shape != np.shape(expected):
        shape = np.shape(expected)
        wanted = f"have the shape {shape}" if shape else "be a single number"
        return f"{output} has to {wanted} {_place(label)}; yours has the shape {numbers.shape}."
    return ""


def _kind(error: Exception) -> str:
    """The name of an exception's class, also of one in another process."""
    return error.kind if isinstance(error, RemoteError) else type(error).__name__


def _place(label: str) -> str:
    """Where a case is, with its preposition: at t = 1, but for a single gradient."""
    return f"{'at' if label.startswith('t = ') else 'for'} {label}"


def _first_change(signature: str, before: Sequence[Any], after: Sequence[Any]) -> str:
    """The name of the first argument that a call changed, or nothing."""
    for name, old, new in zip(_parameters(signature), before, after, strict=True):
        if not close(new, old, rtol=0, atol=0):
            return name
    return ""


def _parameters(signature: str) -> list[str]:
    """The names in ``"f(a, b=1)"``."""
    inside = signature[signature.index("(") + 1 : signature.rindex(")")]
    return [part.split("=")[0].strip() for part in inside.split(",") if part.strip() and part.strip() != "*"]


def _so_many(name: str, answers: tuple[Any, ...], number: int) -> tuple[Any, ...]:
    """The answers, if there are as many as the question takes."""
    if len(answers) != number:
        raise ValueError(f"question = {name!r}: it takes {number} answer(s), and {len(answers)} were given.")
    return answers


def _seed(name: str, question: Question | Value | Open) -> str:
    """The question whose numbers this one has."""
    return (question.seed if isinstance(question, Value) else "") or name


def _generator(*seeds: str) -> np.random.Generator:
    """A generator that texts seed."""
    digest = hashlib.sha256("\0".join(seeds).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))
