"""An experiment as data: what is run, at which scales, and how a single run is identified."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from adamcore.optim import Rule

NUMERICS_VERSION = 1
"""Raised by every change of the mathematics that changes what a run gives: older runs are then made again."""


@dataclass(frozen=True)
class Scale:
    """One size of an experiment.

    Attributes
    ----------
    epochs, n_train, batch_size, seeds : int
        How long, on how many examples, in minibatches of what size, and with how many seeds (0, 1, ...).
    paper : dict of str to Rule
        For each contender the setting that comes closest to the paper's curve.
    grid : dict of str to tuple of Rule
        For each contender the settings among which the best is chosen; empty where none is.
    """

    epochs: int
    n_train: int
    batch_size: int
    seeds: int
    paper: dict[str, Rule]
    grid: dict[str, tuple[Rule, ...]]

    def settings(self) -> list[tuple[str, Rule]]:
        """Return every (contender, rule) of this scale once, the paper-like ones first."""
        both = [*self.paper.items(), *((name, rule) for name, rules in self.grid.items() for rule in rules)]
        return list(dict.fromkeys(both))


@dataclass(frozen=True)
class Run:
    """A single run: everything that determines its numbers, but the data and the version of the code."""

    problem: str
    parameters: tuple[tuple[str, Any], ...]
    contender: str
    rule: Rule
    seed: int
    epochs: int
    batch_size: int

    def key(self, digest: str) -> str:
        """Return the identity of this run on data of this digest: 16 hexadecimal digits."""
        what = {
            "numerics_version": NUMERICS_VERSION,
            "data": digest,
            "problem": self.problem,
            "parameters": dict(self.parameters),
            "rule": self.rule.to_dict(),
            "seed": self.seed,
            "epochs": self.epochs,
            "batch_size": self.batch_size,
        }
        return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Experiment:
    """A figure of the paper as data.

    Attributes
    ----------
    name, title : str
        Such as ``fig1a``, and what it shows.
    problem : str
        A name in :data:`adamcore.experiments.problems.PROBLEMS`.
    parameters : dict
        The problem's parameters, but the number of training examples, which is the scale's.
    scales : dict of str to callable
        ``smoke`` (seconds, for tests), ``book`` (run live in the chapter) and ``full`` (the paper's size,
        recorded); each makes a :class:`Scale`.
    """

    name: str
    title: str
    problem: str
    parameters: dict[str, Any]
    scales: dict[str, Callable[[], Scale]]

    def scale(self, name: str) -> Scale:
        """Return the scale of that name.

        Raises
        ------
        ValueError
            If there is none.
        """
        if name not in self.scales:
            raise ValueError(f"{self.name} has no scale {name!r}; it has {', '.join(self.scales)}.")
        return self.scales[name]()

    def problem_parameters(self, scale: Scale) -> dict[str, Any]:
        """Return the problem's parameters at this scale."""
        return {**self.parameters, "n_train": scale.n_train}

    def runs(self, scale: Scale, seeds: int | None = None) -> Iterator[Run]:
        """Yield every single run of a scale, seed by seed, so that whole comparisons finish first."""
        for seed in range(scale.seeds if seeds is None else seeds):
            for contender, rule in scale.settings():
                yield Run(
                    problem=self.problem,
                    parameters=tuple(sorted(self.problem_parameters(scale).items())),
                    contender=contender,
                    rule=rule,
                    seed=seed,
                    epochs=scale.epochs,
                    batch_size=scale.batch_size,
                )
