"""An experiment as data: what is run, at which scales, and how a single run is identified."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from adamcore.experiments.measures import check_measures
from adamcore.optim import Rule

NUMERICS_VERSION = 1
"""Raised by every change of the mathematics that changes what a run gives: older runs are then made again."""


class RunError(RuntimeError):
    """A run that failed or was lost; the message says which or why. The runs that were finished are kept.

    Examples
    --------
    >>> from adamcore import SGD
    >>> from adamcore.experiments import Experiment, RunError, Scale, run
    >>> size = Scale(epochs=-1, n_train=50, batch_size=10, seeds=1, paper={"SGD": SGD(alpha=0.1)}, grid={})
    >>> try:
    ...     run(Experiment("mine", "a slip", "sparse_stream", {}, {"smoke": lambda: size}), "smoke")
    ... except RunError as error:
    ...     print(str(error).partition(" failed: ")[2])
    ValueError: train: epochs = -1 is not allowed; it must be 0 or more.
    """


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
    problem : dict, optional
        Parameters of the problem at this scale that differ from the experiment's, such as a smaller network.
    parameters : dict of str to dict, optional
        For a contender, parameters of the problem that differ from the experiment's, such as its dropout. They may
        not change which data set is used.
    extend : bool, default False
        Whether a grid whose best step size is its smallest or largest is extended by the next one, until the best
        has neighbors on both sides; see ``adamcore.experiments.edges.next_setting``.

    Notes
    -----
    A contender is a rule, or an object with ``to_dict()`` and ``minimize(problem, epochs, streams)``, which returns
    a :class:`~adamcore.experiments.train.History` or what looks like one.

    Examples
    --------
    >>> from adamcore import SGD, Adam
    >>> from adamcore.experiments import Scale
    >>> grid = (Adam(alpha=0.001), Adam(alpha=0.01))
    >>> paper = {"SGD": SGD(alpha=0.1), "Adam": grid[0]}
    >>> size = Scale(epochs=2, n_train=1000, batch_size=128, seeds=3, paper=paper, grid={"Adam": grid})
    >>> [(name, rule.alpha) for name, rule in size.settings()]
    [('SGD', 0.1), ('Adam', 0.001), ('Adam', 0.01)]
    >>> list(size.only(["Adam"]).paper)
    ['Adam']
    """

    epochs: int
    n_train: int
    batch_size: int
    seeds: int
    paper: dict[str, Rule]
    grid: dict[str, tuple[Rule, ...]]
    problem: dict[str, Any] = field(default_factory=dict)
    parameters: dict[str, dict[str, Any]] = field(default_factory=dict)
    extend: bool = False

    def settings(self) -> list[tuple[str, Rule]]:
        """Return every (contender, rule) of this scale once, the paper-like ones first."""
        both = [*self.paper.items(), *((name, rule) for name, rules in self.grid.items() for rule in rules)]
        return list(dict.fromkeys(both))

    def only(self, contenders: Collection[str]) -> Scale:
        """Return the same scale with some of its contenders only, in its own order.

        Raises
        ------
        ValueError
            If one is not known.
        """
        known = dict.fromkeys((*self.paper, *self.grid))
        if unknown := [name for name in contenders if name not in known]:
            raise ValueError(f"only = {unknown!r}: there is no such contender; there are {', '.join(known)}.")
        paper = {name: rule for name, rule in self.paper.items() if name in contenders}
        grid = {name: rules for name, rules in self.grid.items() if name in contenders}
        return replace(self, paper=paper, grid=grid)


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
    measures: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.contender}, seed {self.seed}: {self.rule} on {self.problem}({dict(self.parameters)})"

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
        if self.measures:
            what["measures"] = self.measures
        return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Experiment:
    """A figure of the paper as data.

    Attributes
    ----------
    name, title : str
        Such as ``fig1a``, and what it shows.
    problem : str
        A name in ``adamcore.experiments.problems.PROBLEMS``.
    parameters : dict
        The problem's parameters, but the number of training examples, which is the scale's.
    scales : dict of str to callable
        ``smoke`` (seconds, for tests), ``book`` (run live in the chapter) and ``full`` (the paper's size,
        recorded); each makes a :class:`Scale`.
    measures : tuple of str, optional
        What is measured after each epoch: names in ``adamcore.experiments.measures.MEASURES``.

    Examples
    --------
    One of your own, on the synthetic stream of ``sparse_regret``:

    >>> from adamcore import SGD, Adam
    >>> from adamcore.experiments import Experiment, Scale, run
    >>> paper = {"SGD": SGD(alpha=0.1), "Adam": Adam(alpha=0.1)}
    >>> size = Scale(epochs=1, n_train=50, batch_size=10, seeds=2, paper=paper, grid={})
    >>> experiment = Experiment("mine", "two rules", "sparse_stream", {"numbers": (4,)}, {"smoke": lambda: size})
    >>> [(single.seed, single.contender) for single in experiment.runs(size)]
    [(0, 'SGD'), (0, 'Adam'), (1, 'SGD'), (1, 'Adam')]
    >>> run(experiment, "smoke")
    Record(mine at scale smoke: 4 runs, 2 seeds)
    """

    name: str
    title: str
    problem: str
    parameters: dict[str, Any]
    scales: dict[str, Callable[[], Scale]]
    measures: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_measures(self.measures)

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

    def problem_parameters(self, scale: Scale, contender: str | None = None) -> dict[str, Any]:
        """Return the problem's parameters at this scale, with what a contender changes of them."""
        common = {**self.parameters, **scale.problem, "n_train": scale.n_train}
        return {**common, **scale.parameters.get(contender, {})}

    def runs(self, scale: Scale, seeds: int | None = None) -> Iterator[Run]:
        """Yield every single run of a scale, seed by seed, so that whole comparisons finish first."""
        for seed in range(scale.seeds if seeds is None else seeds):
            for contender, rule in scale.settings():
                yield Run(
                    problem=self.problem,
                    parameters=tuple(sorted(self.problem_parameters(scale, contender).items())),
                    contender=contender,
                    rule=rule,
                    seed=seed,
                    epochs=scale.epochs,
                    batch_size=scale.batch_size,
                    measures=self.measures,
                )
