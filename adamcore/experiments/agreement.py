"""How close another machine must come: records of small scales to compare with, and measured tolerances."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from adamcore.experiments.record import Record, load_record

FOLDER = "reference"
"""Of the records to compare with, beside the others."""

TOLERANCES = "tolerances.json"
"""Their measured spreads, in the same folder."""

MARGIN = 5.0
"""The tolerance is so many times the spread that was measured: a new machine may differ more than those tried."""

LEAST = 1e-3
"""The tolerance is at least this: records keep five digits, and a spread of zero promises nothing."""

MOST = 0.25
"""Where the tolerance would be more than this, the run is not compared: it amplifies rounding too much."""


class Difference(NamedTuple):
    """How far one run is from that of the reference.

    Attributes
    ----------
    contender : str
    rule : dict
    seed : int
    largest : float
        The largest absolute difference of log cost over the epochs: 0.01 is 1 %. Infinite if only one of the two
        diverged, or both at different epochs.
    tolerance : float
        What is allowed; infinite where the run is not compared.
    """

    contender: str
    rule: dict[str, Any]
    seed: int
    largest: float
    tolerance: float

    @property
    def within(self) -> bool:
        """Whether the difference is allowed."""
        return self.largest <= self.tolerance


def largest_difference(one: list[float], other: list[float]) -> float:
    """Return the largest absolute difference of the logarithms of two curves, infinite if they end differently.

    Examples
    --------
    >>> from adamcore.experiments.agreement import largest_difference
    >>> round(largest_difference([1.0, 0.5], [1.0, 0.55]), 4)
    0.0953
    >>> largest_difference([1.0, 0.5], [1.0])
    inf
    """
    if len(one) != len(other):
        return math.inf
    return float(np.abs(np.log(np.array(one) / np.array(other))).max(initial=0.0))


def differences(made: Record, reference: Record, spreads: list[float | None]) -> list[Difference]:
    """Compare a record with its reference, run by run.

    Parameters
    ----------
    made, reference : Record
        Of the same experiment and scale.
    spreads : list of float or None
        For each run of the reference how much it changed from one setting of the machine to another; None for
        those that ended differently.

    Returns
    -------
    list of Difference
        In the reference's order.

    Raises
    ------
    ValueError
        If the two are not of the same runs.

    Examples
    --------
    >>> from adamcore.experiments import get_experiment, run
    >>> from adamcore.experiments.agreement import differences
    >>> record = run(get_experiment("fig1a"), "smoke", seeds=1)
    >>> [(each.contender, each.largest) for each in differences(record, record, [0.0] * 3)]
    [('AdaGrad', 0.0), ('SGDNesterov', 0.0), ('Adam', 0.0)]
    """
    there = {_name(run): run for run in made.runs}
    if len(spreads) != len(reference.runs) or set(there) != {_name(run) for run in reference.runs}:
        raise ValueError(f"{made!r} and {reference!r} do not hold the same runs, so they cannot be compared.")
    found = []
    for run, spread in zip(reference.runs, spreads, strict=True):
        tolerance = math.inf if spread is None else max(LEAST, MARGIN * spread)
        found.append(
            Difference(
                contender=run["contender"],
                rule=run["rule"],
                seed=run["seed"],
                largest=largest_difference(there[_name(run)]["epoch_cost"], run["epoch_cost"]),
                tolerance=tolerance if tolerance <= MOST else math.inf,
            )
        )
    return found


def load_reference(name: str, scale: str, results: str | Path) -> tuple[Record, list[float | None]]:
    """Read what an experiment's runs at a small scale are compared with.

    Parameters
    ----------
    name, scale : str
    results : str or Path
        Such as ``book/results``.

    Returns
    -------
    record : Record
    spreads : list of float or None
        See :func:`differences`.

    Raises
    ------
    ValueError
        If there is no reference of that name and scale.

    Examples
    --------
    >>> from adamcore.experiments.agreement import load_reference
    >>> load_reference("fig3", "full", "book/results")
    Traceback (most recent call last):
    ValueError: there is no reference for fig3 at scale full in book/results/reference
    """
    folder = Path(results) / FOLDER
    path = folder / f"{name}-{scale}.json"
    if not path.exists():
        raise ValueError(f"there is no reference for {name} at scale {scale} in {folder.as_posix()}")
    tolerances = json.loads((folder / TOLERANCES).read_text(encoding="utf-8"))
    return load_record(path), tolerances["spreads"][path.stem]


def _name(run: dict[str, Any]) -> tuple[str, str, int]:
    """What tells a run from the others of its record."""
    return run["contender"], json.dumps(run["rule"], sort_keys=True), run["seed"]
