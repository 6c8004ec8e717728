"""The edge rule: where the best step size of a grid is its smallest or largest, the grid was too small."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from adamcore.experiments.experiment import Scale
from adamcore.experiments.record import GridPoint, Record
from adamcore.optim import Rule
from adamcore.optim.schedules import Schedule

AT_MOST = 6
"""Settings that are added to one contender's grid: three decades of half a decade each."""


def next_setting(points: list[GridPoint]) -> Rule | None:
    """Return the setting by which a grid must be extended, if the best of it stands on its edge.

    The edge is that of the step size, among the settings that are otherwise like the best. The next step size
    goes on as the grid does, two steps a period: after 0.1, 0.3, 1 comes 3.

    Parameters
    ----------
    points : list of GridPoint
        From :meth:`adamcore.experiments.Record.grid_points`.

    Returns
    -------
    Rule or None
        None where the best has neighbors on both sides, where fewer than three step sizes say how to go on, or where
        nothing converged.

    Examples
    --------
    >>> from adamcore import SGD
    >>> from adamcore.experiments.edges import next_setting
    >>> from adamcore.experiments.record import GridPoint
    >>> scores = {0.1: 3.0, 0.3: 2.0, 1.0: 1.0}
    >>> next_setting([GridPoint.of(SGD(alpha=alpha), score) for alpha, score in scores.items()])
    SGD(alpha=3.0)
    """
    if not points:
        return None
    best = min(points, key=lambda point: point.score)
    family = {point.alpha for point in points if with_alpha(point.rule, best.alpha) == best.rule}
    alphas = sorted(family)
    if len(alphas) < 3 or not math.isfinite(best.score) or best.alpha not in (alphas[0], alphas[-1]):
        return None
    edge, neighbor, third = alphas[:3] if best.alpha == alphas[0] else alphas[:-4:-1]
    return with_alpha(best.rule, float(f"{neighbor * (edge / third):.6g}"))


def with_alpha(rule: Rule, alpha: float) -> Rule:
    """Return the rule with another step size, its decay kept.

    Examples
    --------
    >>> from adamcore import SGD, inverse_sqrt
    >>> from adamcore.experiments.edges import with_alpha
    >>> with_alpha(SGD(alpha=inverse_sqrt(0.1)), 0.3)
    SGD(alpha=inverse_sqrt(alpha=0.3, steps_per_epoch=1))
    """
    value: Any = alpha
    if isinstance(rule.alpha, Schedule):
        value = dataclasses.replace(rule.alpha, alpha=alpha)
    return dataclasses.replace(rule, alpha=value)


def extended(size: Scale, original: Scale, record: Record) -> Scale:
    """Return the scale with every grid extended that needs it; the same scale if none does.

    A grid some of whose runs are missing is left as it is: its best is not known yet.

    Parameters
    ----------
    size : Scale
        As it is now.
    original : Scale
        As it was declared: at most six settings are added to a contender's grid.
    record : Record
        Of ``size``.

    Examples
    --------
    >>> from adamcore.experiments import get_experiment, run
    >>> from adamcore.experiments.edges import extended
    >>> experiment = get_experiment("fig1a")
    >>> size = experiment.scale("smoke")  # has no grid
    >>> extended(size, size, run(experiment, "smoke", seeds=1)) == size
    True
    """
    if not size.extend:
        return size
    unfinished = {contender for contender, _, _ in record.missing}
    grid = dict(size.grid)
    for name, rules in size.grid.items():
        full = len(rules) - len(original.grid[name]) >= AT_MOST
        new = None if name in unfinished or full else next_setting(record.grid_points(name))
        if new is not None:
            grid[name] = (*rules, new)
    return dataclasses.replace(size, grid=grid)
