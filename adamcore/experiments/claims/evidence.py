"""Comparing contenders of a record for a verdict: with an interval over seeds, or, with one seed, without."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np

from adamcore.experiments.claims.claim import NOT_REPRODUCED, ONLY_IF, REPRODUCED, Finding
from adamcore.experiments.record import Record
from adamcore.experiments.statistics import MARGIN, compare

ONE_SEED = "the one seed that was run is typical"
NOT_TUNED = "the paper-like settings may stand for tuned ones, which were not run"
AS_FITTED = "the contenders keep the paper-like settings instead of the best of an equal grid"
WHEN_TUNED = "every contender is tuned on an equal grid"


@dataclass(frozen=True)
class Versus:
    """One contender's cost over another's.

    Attributes
    ----------
    ratio : float
        Below 1: the first one's is lower.
    word : str
        ``"lower"``, ``"higher"``, ``"similar"`` or ``"inconclusive"``, as
        :class:`~adamcore.experiments.statistics.PairedRatio` says it; from the ratio alone if there is one seed.
    seeds : int
    low, high : float
        The 95 % interval; with one seed, the ratio itself.

    Examples
    --------
    >>> from adamcore.experiments.claims import Versus
    >>> print(Versus(0.8, "lower", seeds=3, low=0.7, high=0.9))
    0.80 ([0.70, 0.90], lower)
    >>> print(Versus(0.8, "lower", seeds=1, low=0.8, high=0.8))
    0.80 (one seed, lower)
    """

    ratio: float
    word: str
    seeds: int
    low: float
    high: float

    def __str__(self) -> str:
        if self.seeds == 1:
            # A very small ratio is not "0.00".
            return f"{self.ratio:{'.2f' if self.ratio >= 0.1 else '.2g'}} (one seed, {self.word})"
        # Two digits would show a narrow interval as one number, on the wrong side of a line perhaps.
        form = ".3f" if self.high - self.low < 0.02 else ".2f"
        return f"{self.ratio:{form}} ([{self.low:{form}}, {self.high:{form}}], {self.word})"


def versus(record: Record, a: str, b: str, *, tuned: bool = False, epoch: int | None = None) -> Versus:
    """Compare two contenders over the seeds that both were run with.

    Parameters
    ----------
    record : Record
    a, b : str
        Contenders.
    tuned : bool, default False
        Whether each has the best setting of its grid, instead of the paper-like one.
    epoch : int, optional
        Compare the costs there; by default the areas under log cost, over all epochs.

    Returns
    -------
    Versus

    Examples
    --------
    >>> from adamcore.experiments import get_experiment, run
    >>> from adamcore.experiments.claims import versus
    >>> record = run(get_experiment("fig1a"), "smoke", seeds=2)
    >>> versus(record, "Adam", "Adam").word, versus(record, "SGDNesterov", "AdaGrad").word
    ('similar', 'lower')
    """
    first, second = (by_seed(record, name, tuned=tuned) for name in (a, b))
    seeds = sorted(set(first) & set(second))
    if not seeds:
        raise ValueError(f"{record!r}: {a} and {b} have no seed in common.")
    one, other = (np.array([curves[seed] for seed in seeds]) for curves in (first, second))
    if len(seeds) > 1:
        found = compare(one, other, epochs=(-1 if epoch is None else epoch,))
        ratio = found.area if epoch is None else next(iter(found.at.values()))
        return Versus(ratio.ratio, ratio.verdict, len(seeds), ratio.low, ratio.high)
    with np.errstate(invalid="ignore"):  # infinity minus infinity, where both diverged
        difference = np.log(one[0]) - np.log(other[0])
    area = np.trapezoid(difference) / (len(difference) - 1)
    return _of_one_seed(float(np.exp(area if epoch is None else difference[epoch])))


def by_seed(record: Record, contender: str, *, tuned: bool) -> dict[int, list[float]]:
    """Return each seed's curve of cost, infinite from where it diverged.

    Parameters
    ----------
    record : Record
    contender : str
    tuned : bool
        Whether at the best setting of its grid, instead of the paper-like one.

    Returns
    -------
    dict of int to list of float
        Of the seeds that were run, which may be fewer than the record's.

    Examples
    --------
    >>> from adamcore.experiments import get_experiment, run
    >>> from adamcore.experiments.claims.evidence import by_seed
    >>> list(by_seed(run(get_experiment("fig1a"), "smoke", seeds=2), "Adam", tuned=False))
    [0, 1]
    """
    rule = record.best(contender).to_dict() if tuned else record.paper[contender]
    rule = json.loads(json.dumps(rule))
    return {
        run["seed"]: run["epoch_cost"] + [np.inf] * (record.epochs - len(run["epoch_cost"]))
        for run in record.runs
        if run["contender"] == contender and run["rule"] == rule
    }


def _of_one_seed(ratio: float) -> Versus:
    """The words of a ratio that has no interval."""
    word = "similar"
    if np.isnan(ratio):
        word = "inconclusive"
    elif ratio <= 1 - MARGIN:
        word = "lower"
    elif ratio >= 1 / (1 - MARGIN):
        word = "higher"
    return Versus(ratio, word, 1, ratio, ratio)


def settle(
    paper_like: bool, tuned: bool | None, seeds: int, reason: str, numbers: dict[str, float], *, also: str = ""
) -> Finding:
    """Turn what held at the paper-like settings, and with all tuned alike, into a finding.

    Parameters
    ----------
    paper_like : bool
        Whether the claim held at the paper-like settings.
    tuned : bool or None
        Whether it held with every contender at the best setting of an equal grid; None: not run.
    seeds : int
        The smallest number that any comparison rests on.
    reason : str
    numbers : dict of str to float
    also : str, optional
        One more thing that must be granted.

    Returns
    -------
    Finding
        Whichever way it goes, it says what was not run: as a condition, or, where nothing holds, behind the reason.

    Examples
    --------
    >>> from adamcore.experiments.claims import settle
    >>> print(settle(True, True, 3, "0.80 and 0.90", {}))
    reproduced
    >>> print(settle(True, False, 3, "0.80 and 1.00", {}))
    reproduced only if the contenders keep the paper-like settings instead of the best of an equal grid
    >>> found = settle(False, None, 1, "1.00", {})
    >>> print(found, "because:", found.reason)
    not reproduced because: 1.00 (one seed; nobody was tuned)
    """
    if not paper_like and not tuned:
        lacking = ["one seed"] * (seeds == 1) + ["nobody was tuned"] * (tuned is None)
        return Finding(NOT_REPRODUCED, reason + f" ({'; '.join(lacking)})" * bool(lacking), numbers)
    conditions = []
    if tuned is None:
        conditions.append(NOT_TUNED)
    elif not tuned:
        conditions.append(AS_FITTED)
    elif not paper_like:
        conditions.append(WHEN_TUNED)
    if also:
        conditions.append(also)
    if seeds == 1:
        conditions.append(ONE_SEED)
    if conditions:
        return Finding(ONLY_IF, reason, numbers, ", and ".join(conditions))
    return Finding(REPRODUCED, reason, numbers)
