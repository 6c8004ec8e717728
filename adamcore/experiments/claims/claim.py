"""A claim of the paper as data, and the finding that a judge comes to."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from adamcore.experiments.catalog import EXPERIMENTS
from adamcore.experiments.record import Record

REPRODUCED = "reproduced"
ONLY_IF = "reproduced only if"
NOT_REPRODUCED = "not reproduced"
REFUTED = "refuted"
NOT_CHECKABLE = "not checkable"
NOT_RUN = "not run"

VERDICTS = (REPRODUCED, ONLY_IF, NOT_REPRODUCED, REFUTED, NOT_CHECKABLE, NOT_RUN)
"""All verdicts. A statement of mathematics is "reproduced" if it holds, and "refuted" by a counterexample."""


@dataclass(frozen=True)
class Finding:
    """What became of a claim, and the numbers it rests on.

    Parameters
    ----------
    verdict : str
        One of :data:`VERDICTS`.
    reason : str
        One line, with the numbers that decided.
    numbers : dict of str to float
        Those that the verdict follows from; kept to three significant digits, which any machine agrees on.
    condition : str, optional
        What must be granted, for the verdict "reproduced only if", and only for that.
    command : str, optional
        What makes the missing runs, for the verdict "not run".

    Raises
    ------
    ValueError
        If there is no such verdict, or a condition stands where none belongs, or none where one does.

    Examples
    --------
    >>> from adamcore.experiments.claims import Finding
    >>> print(Finding("reproduced only if", "first step 3.16 alpha", condition="nothing is corrected"))
    reproduced only if nothing is corrected
    """

    verdict: str
    reason: str
    numbers: dict[str, float] = field(default_factory=dict)
    condition: str = ""
    command: str = ""

    def __post_init__(self) -> None:
        if self.verdict not in VERDICTS:
            raise ValueError(f"verdict = {self.verdict!r} is not allowed; it must be one of {', '.join(VERDICTS)}.")
        if (self.verdict == ONLY_IF) != bool(self.condition):
            raise ValueError(f"condition = {self.condition!r}: {ONLY_IF!r} needs one, other verdicts have none.")
        object.__setattr__(self, "numbers", {name: rounded(value) for name, value in self.numbers.items()})

    def __str__(self) -> str:
        return f"{self.verdict} {self.condition}".strip()


@dataclass(frozen=True)
class Claim:
    """A claim of arXiv:1412.6980v9, how it is tested, and the function that judges it.

    Attributes
    ----------
    name : str
        C1 to C44.
    group : str
        The part of the paper that it belongs to, for the table.
    place : str
        Section, and figure if it has one.
    text : str
        The claim, in our words.
    test : str
        What tests it.
    statistic : str
        The number that decides, and where the line is drawn.
    scale, seeds : str
        How large, and how often.
    judge : callable
        Takes the records by name (a mapping of str to :class:`~adamcore.experiments.Record`); returns a
        :class:`Finding`.
    chapter : str
        Where the book shows it, seen from ``book/``; empty if no chapter does yet.

    Examples
    --------
    >>> from adamcore.experiments.claims import CLAIMS
    >>> CLAIMS["C1"].place, CLAIMS["C1"].text
    ('abstract, section 1', 'Adam needs little memory.')
    >>> print(CLAIMS["C1"].find({}))
    reproduced
    """

    name: str
    group: str
    place: str
    text: str
    test: str
    statistic: str
    scale: str
    seeds: str
    judge: Callable[[Mapping[str, Record]], Finding]
    chapter: str = ""

    def find(self, records: Mapping[str, Record]) -> Finding:
        """Judge the claim; where a run is missing, the finding is "not run" and says how to make it."""
        try:
            return self.judge(records)
        except NotRun as missing:
            return Finding(NOT_RUN, str(missing), missing.numbers, command=missing.command)


class NotRun(Exception):
    """Runs that a judge needs are not recorded.

    Parameters
    ----------
    reason : str
    command : str, optional
        What makes them; empty where no experiment is declared for it.
    numbers : dict of str to float, optional
        What is known all the same.

    Examples
    --------
    >>> from adamcore.experiments.claims import NotRun
    >>> NotRun("there is no record of fig9", "python -m adamcore run fig9").command
    'python -m adamcore run fig9'
    """

    def __init__(self, reason: str, command: str = "", numbers: Mapping[str, float] | None = None) -> None:
        super().__init__(reason)
        self.command = command
        self.numbers = dict(numbers or {})


def recorded(
    records: Mapping[str, Record],
    name: str,
    *contenders: str,
    grid: bool = False,
    but: Mapping[str, float] | None = None,
) -> Record:
    """Return the full-scale record of an experiment, if it holds what a judge needs.

    Parameters
    ----------
    records : mapping of str to Record
    name : str
        Of the experiment.
    *contenders : str
        Those that must have at least one seed at their paper-like settings. None: all of the experiment's.
    grid : bool, default False
        Whether every setting of their grids must be there too.
    but : mapping of str to float, optional
        Numbers that are known although the record is missing.

    Raises
    ------
    NotRun
        If something is missing; it names the command that makes it.

    Examples
    --------
    >>> from adamcore.experiments.claims import recorded
    >>> recorded({}, "fig3")
    Traceback (most recent call last):
    adamcore.experiments.claims.claim.NotRun: there is no full-scale record of fig3
    """
    command = f"python -m adamcore run {name} --scale full"
    record = records.get(name)
    if record is None or record.scale != "full":
        raise NotRun(f"there is no full-scale record of {name}", command, but)
    contenders = contenders or tuple(EXPERIMENTS[name].scale("full").paper)
    done = {contender for contender in record.contenders if paper_seeds(record, contender)}
    if absent := [contender for contender in contenders if contender not in done]:
        raise NotRun(f"the record of {name} has no runs of {', '.join(absent)}", command, but)
    if grid:
        incomplete = {contender for contender, rule, _ in record.missing if rule in record.grid.get(contender, [])}
        if absent := [one for one in contenders if one in incomplete or not record.grid.get(one)]:
            raise NotRun(f"the grid of {name} is not finished for {', '.join(absent)}", command, but)
    return record


def paper_seeds(record: Record, contender: str) -> set[int]:
    """Return the seeds with which a contender was run at its paper-like setting.

    Examples
    --------
    >>> from adamcore.experiments import get_experiment, run
    >>> from adamcore.experiments.claims import paper_seeds
    >>> paper_seeds(run(get_experiment("fig1a"), "smoke", seeds=2), "Adam")
    {0, 1}
    """
    wanted = record.paper.get(contender)
    return {run["seed"] for run in record.runs if run["contender"] == contender and run["rule"] == wanted}


def rounded(value: float) -> float:
    """Return a number with three significant digits.

    Examples
    --------
    >>> from adamcore.experiments.claims import rounded
    >>> rounded(3.16228), rounded(12345.6)
    (3.16, 12300.0)
    """
    return value if isinstance(value, int) or not math.isfinite(value) else float(f"{value:.3g}")
