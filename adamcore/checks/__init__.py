"""Checks for exercises and assignments that name the likely mistake.

A student makes a :class:`Checker` for an assignment and calls it with each answer. Nothing here knows how marks are
given: ``adamcore.grading`` does.
"""

from adamcore.checks.algorithms import ALGORITHMS
from adamcore.checks.averages import AVERAGES
from adamcore.checks.broken import BROKEN
from adamcore.checks.comparison import COMPARISON
from adamcore.checks.core import (
    Case,
    Checker,
    Mistake,
    Open,
    Question,
    RemoteError,
    Report,
    Value,
    check_exercise,
)
from adamcore.checks.counterexample import COUNTEREXAMPLE
from adamcore.checks.exercises import EXERCISES

ASSIGNMENTS: dict[str, dict[str, Question | Value | Open]] = {
    "averages": AVERAGES,
    "algorithms": ALGORITHMS,
    "broken": BROKEN,
    "comparison": COMPARISON,
    "counterexample": COUNTEREXAMPLE,
    "exercises": EXERCISES,
}
"""The questions of each assignment, by their numbers; the exercises of the chapters, by their labels."""

ALTERNATIVES: dict[str, tuple[tuple[str, ...], ...]] = {"counterexample": (("4", "5"), ("6",))}
"""Of the assignments that let students choose: the sections of each choice, of which the best one counts."""

__all__ = [
    "ALTERNATIVES",
    "ASSIGNMENTS",
    "Case",
    "Checker",
    "Mistake",
    "Open",
    "Question",
    "RemoteError",
    "Report",
    "Value",
    "check_exercise",
]
