"""Records: what was run, with what, and what came out; enough to believe it and to make it again."""

from __future__ import annotations

import importlib.metadata
import json
import math
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from adamcore.experiments.experiment import NUMERICS_VERSION
from adamcore.experiments.files import write_json
from adamcore.optim import Rule, from_dict, inverse_sqrt
from adamcore.optim.schedules import Schedule

if TYPE_CHECKING:
    from adamcore.experiments.experiment import Experiment, Run, Scale


class GridPoint(NamedTuple):
    """One setting of a contender's grid.

    Attributes
    ----------
    alpha : float
        The step size, before any decay.
    decay : str
        ``"none"``, ``"1/sqrt(step)"``, ``"1/sqrt(epoch)"``, or the name of another schedule.
    score : float
        Lower is better; see :meth:`Record.grid_points`.
    rule : Rule
        The setting itself.
    """

    alpha: float
    decay: str
    score: float
    rule: Rule

    @classmethod
    def of(cls, rule: Rule, score: float) -> GridPoint:
        """Take a rule apart into its step size and its decay."""
        if isinstance(rule.alpha, inverse_sqrt):
            unit = "step" if rule.alpha.steps_per_epoch == 1 else "epoch"
            return cls(rule.alpha.alpha, f"1/sqrt({unit})", score, rule)
        if isinstance(rule.alpha, Schedule):
            return cls(getattr(rule.alpha, "alpha", math.nan), type(rule.alpha).__name__, score, rule)
        return cls(rule.alpha, "none", score, rule)


@dataclass(frozen=True, repr=False)
class Record:
    """The runs of an experiment at one scale: all of them, or those that are finished; see :attr:`missing`.

    Attributes
    ----------
    experiment, title, scale, command : str
        What was run, and the command that runs it again.
    numerics_version : int
    problem : dict
        The problem's name and parameters.
    data : str
        The digest of the data set.
    epochs, batch_size : int
    seeds : list of int
    paper : dict of str to dict
        For each contender the paper-like setting, as :meth:`adamcore.optim.Rule.to_dict` writes it.
    grid : dict of str to list of dict
        For each contender the settings of the equal grid.
    versions : dict of str to str
        Of Python's packages that the numbers depend on, when the runs were made; several where they differ, such as
        ``"2.3.5, 2.4.0"``.
    seconds : float
        The run times of all runs added up, on whatever else the machine was doing.
    runs : list of dict
        For each run its contender, rule, seed, ``epoch_cost``, ``epoch_objective``, ``first_losses``,
        ``diverged_at`` (the step, or None) and ``seconds``. Runs made later than the first record also have
        ``start`` (digests of theta_0 and of the first epoch's order), ``epoch_seconds`` and, where the experiment or
        the contender measures something after each epoch, ``measures``: for each name its values, None where there
        was none.
    parameters : dict of str to dict
        For a contender, where its problem differs from the others'.
    measures : list of str
        What was measured after each epoch.
    made : str
        The day (UTC, such as 2026-11-23) on which the last of the runs was finished; empty if that was not kept. Two
        records that differ in nothing else are equal.

    Examples
    --------
    >>> from adamcore import SGD
    >>> from adamcore.experiments import Experiment, Scale, run
    >>> rules = (SGD(alpha=0.01), SGD(alpha=0.1))
    >>> size = Scale(epochs=2, n_train=50, batch_size=10, seeds=2, paper={"SGD": rules[0]}, grid={"SGD": rules})
    >>> record = run(Experiment("mine", "step sizes", "sparse_stream", {}, {"smoke": lambda: size}), "smoke")
    >>> record
    Record(mine at scale smoke: 4 runs, 2 seeds)
    >>> record.paper_curves("SGD").shape, record.best("SGD"), record.missing
    ((2, 2), SGD(alpha=0.1), [])
    """

    experiment: str
    title: str
    scale: str
    command: str
    numerics_version: int
    problem: dict[str, Any]
    data: str
    epochs: int
    batch_size: int
    seeds: list[int]
    paper: dict[str, dict[str, Any]]
    grid: dict[str, list[dict[str, Any]]]
    versions: dict[str, str]
    seconds: float
    runs: list[dict[str, Any]]
    parameters: dict[str, dict[str, Any]] = field(default_factory=dict)
    measures: list[str] = field(default_factory=list)
    made: str = field(default_factory=str, compare=False)

    @classmethod
    def of(
        cls,
        experiment: Experiment,
        scale: str,
        size: Scale,
        seeds: int,
        data: str,
        results: list[tuple[Run, dict[str, Any]]],
        made: str = "",
    ) -> Record:
        """Gather the results of single runs.

        Raises
        ------
        ValueError
            If contenders of one seed did not start at the same point, or saw other minibatches.
        """
        runs = [
            {
                **{name: value for name, value in result.items() if name not in ("key", "versions")},
                "contender": single.contender,
            }
            for single, result in results
        ]
        require_same_start(runs)
        flags = "" if seeds == experiment.scale(scale).seeds else f" --seeds {seeds}"
        if (few := list(size.paper)) != list(experiment.scale(scale).paper):
            flags += "".join(f" --only '{name}'" for name in few)
        return cls(
            experiment=experiment.name,
            title=experiment.title,
            scale=scale,
            command=f"python -m adamcore run {experiment.name} --scale {scale}{flags}",
            numerics_version=NUMERICS_VERSION,
            problem=_as_read({"name": experiment.problem, **experiment.problem_parameters(size)}),
            data=data,
            epochs=size.epochs,
            batch_size=size.batch_size,
            seeds=list(range(seeds)),
            paper={name: rule.to_dict() for name, rule in size.paper.items()},
            grid={name: [rule.to_dict() for rule in rules] for name, rules in size.grid.items()},
            versions=_together([result.get("versions", versions()) for _, result in results]),
            seconds=round(sum(single["seconds"] for single in runs), 1),
            runs=runs,
            parameters=_as_read(size.parameters),
            measures=list(experiment.measures),
            made=made,
        )

    def __repr__(self) -> str:
        return f"Record({self.experiment} at scale {self.scale}: {len(self.runs)} runs, {len(self.seeds)} seeds)"

    @property
    def contenders(self) -> list[str]:
        """The names of the contenders, in the order of the legend."""
        return list(self.paper)

    @property
    def missing(self) -> list[tuple[str, dict[str, Any], int]]:
        """Contender, rule and seed of every run that belongs to this record and is not in it."""
        settings = [*self.paper.items(), *((name, rule) for name, rules in self.grid.items() for rule in rules)]
        expected = [(name, rule, seed) for seed in self.seeds for name, rule in settings]
        wanted = {json.dumps(one, sort_keys=True): one for one in expected}
        for single in self.runs:
            held = single["contender"], single["rule"], single["seed"]
            wanted.pop(json.dumps(held, sort_keys=True), None)
        return list(wanted.values())

    def curves(self, contender: str, rule: Rule | dict[str, Any], what: str = "cost") -> np.ndarray:
        """Return one setting's curves: (seeds, epochs), infinite from where a run diverged.

        Parameters
        ----------
        contender : str
        rule : Rule or dict
        what : {"cost", "objective"}, default "cost"
            The fit to the data alone, or with the model's penalty: what is minimized.

        Raises
        ------
        KeyError
            If the record holds no such runs.
        """
        wanted = rule if isinstance(rule, dict) else rule.to_dict()
        found = [r[f"epoch_{what}"] for r in self.runs if r["contender"] == contender and r["rule"] == wanted]
        if not found:
            raise KeyError(f"{self!r} holds no runs of {contender} with {wanted}")
        return np.array([curve + [math.inf] * (self.epochs - len(curve)) for curve in found])

    def measured(self, contender: str, rule: Rule | dict[str, Any], name: str) -> np.ndarray:
        """Return what was measured of one setting after each epoch: (seeds, epochs), NaN where it was not.

        Parameters
        ----------
        contender : str
        rule : Rule or dict
        name : str
            Such as ``"test_error"``.

        Raises
        ------
        KeyError
            If the record holds no such runs, or they were not measured so.
        """
        wanted = rule if isinstance(rule, dict) else rule.to_dict()
        found = [
            single["measures"][name]
            for single in self.runs
            if single["contender"] == contender and single["rule"] == wanted and name in single.get("measures", {})
        ]
        if not found:
            raise KeyError(f"{self!r} holds no {name} of {contender} with {wanted}")
        return np.array([list(map(_or_nan, row)) + [math.nan] * (self.epochs - len(row)) for row in found])

    def paper_curves(self, contender: str, what: str = "cost") -> np.ndarray:
        """Return the curves at the contender's paper-like setting, (seeds, epochs)."""
        return self.curves(contender, self.paper[contender], what)

    def best_curves(self, contender: str, what: str = "cost") -> np.ndarray:
        """Return the curves at the contender's :meth:`best` setting, (seeds, epochs)."""
        return self.curves(contender, self.best(contender), what)

    def grid_points(self, contender: str, metric: str = "typical") -> list[GridPoint]:
        """Return every setting of a contender's grid with its score.

        Parameters
        ----------
        contender : str
        metric : {"typical", "final"}
            The geometric mean over seeds of the objective, over all epochs but the first (unless it is the only
            one) or at the last one.

        Returns
        -------
        list of GridPoint
            In the order of the grid; the score is infinite where a run diverged.
        """
        if metric not in ("typical", "final"):
            raise ValueError(f"metric = {metric!r} is not allowed; it must be 'typical' or 'final'.")
        part = slice(1, None) if metric == "typical" and self.epochs > 1 else slice(-1, None)
        points = []
        for plain in self.grid[contender]:
            logs = np.log(self.curves(contender, plain, "objective")[:, part])
            points.append(GridPoint.of(from_dict(plain), math.exp(logs.mean())))
        return points

    def best(self, contender: str, metric: str = "typical") -> Rule:
        """Return the setting of the contender's grid with the lowest score; see :meth:`grid_points`."""
        return min(self.grid_points(contender, metric), key=lambda point: point.score).rule

    def save(self, path: Path) -> None:
        """Write the record as JSON, a run a line; the file is there whole or not at all."""
        plain = asdict(self)
        optional = [field.name for field in fields(self) if field.default_factory is not MISSING]
        # Empty ones are left out: records without them, made before they existed, stay as they are.
        head = {name: value for name, value in plain.items() if name != "runs" and (value or name not in optional)}
        text = json.dumps(head, indent=1).removesuffix("\n}")
        runs = ",\n".join("  " + json.dumps(single) for single in self.runs)
        write_json(path, None, iter([text, ',\n "runs": [\n', runs, "\n ]\n}\n"]))


def load_record(path: str | Path) -> Record:
    """Read a record that :meth:`Record.save` wrote.

    Parameters
    ----------
    path : str or Path
        Such as ``book/results/fig1a.json``.

    Returns
    -------
    Record

    Raises
    ------
    ValueError
        If the file is not a record.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from adamcore.experiments import get_experiment, load_record, run
    >>> record = run(get_experiment("sparse_regret"), "smoke", seeds=1, only=["SGD"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     record.save(pathlib.Path(folder) / "sparse_regret.json")
    ...     again = load_record(pathlib.Path(folder) / "sparse_regret.json")
    >>> again == record, again.command
    (True, "python -m adamcore run sparse_regret --scale smoke --seeds 1 --only 'SGD'")
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not a record: {error}") from error
    needed = {field.name for field in fields(Record) if field.default_factory is MISSING}
    optional = {field.name for field in fields(Record)} - needed
    if not isinstance(content, dict) or not needed <= set(content) <= needed | optional:
        raise ValueError(
            f"{path} is not a record: expected exactly the entries {', '.join(sorted(needed))}, and perhaps "
            f"{', '.join(sorted(optional))}."
        )
    return Record(**content)


def require_same_start(runs: list[dict[str, Any]]) -> None:
    """Raise unless all runs of a seed began with the same theta_0 and saw their minibatches in the same order.

    Runs without digests, made before they were kept, are passed over.

    Raises
    ------
    ValueError
        If two runs of a seed differ.

    Examples
    --------
    >>> from adamcore.experiments.record import require_same_start
    >>> require_same_start([{"contender": name, "seed": 0, "start": {"theta_0": "a"}} for name in ("Adam", "SGD")])
    """
    first: dict[tuple[int, str], dict[str, Any]] = {}
    for single in runs:
        for what, digest in single.get("start", {}).items():
            other = first.setdefault((single["seed"], what), single)
            if other["start"][what] != digest:
                raise ValueError(
                    f"{other['contender']} and {single['contender']} with seed {single['seed']} differ in {what}: "
                    "they cannot be compared. Make the runs of one record with the same code and libraries."
                )


def versions() -> dict[str, str]:
    """Return the versions of the packages that a run's numbers depend on.

    Examples
    --------
    >>> from adamcore.experiments.record import versions
    >>> list(versions())
    ['numpy', 'adamcore']
    """
    return {name: importlib.metadata.version(name) for name in ("numpy", "adamcore")}


def _together(found: list[dict[str, str]]) -> dict[str, str]:
    """One entry a package, with all its versions."""
    names = dict.fromkeys(name for one in found or [versions()] for name in one)
    return {name: ", ".join(sorted({one[name] for one in found or [versions()] if name in one})) for name in names}


def _as_read(plain: dict[str, Any]) -> dict[str, Any]:
    """What comes back from a file: lists for tuples."""
    return json.loads(json.dumps(plain))


def _or_nan(value: float | None) -> float:
    """The value, or NaN for none."""
    return math.nan if value is None else value
