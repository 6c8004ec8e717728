"""Making runs: each once, each on one thread, each written down before the next is counted as done."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import joblib
from tqdm import tqdm

from adamcore.experiments.experiment import Experiment, Run
from adamcore.experiments.problems import make_problem
from adamcore.experiments.record import Record
from adamcore.experiments.train import streams, train


def run(
    experiment: Experiment,
    scale: str = "book",
    *,
    seeds: int | None = None,
    jobs: int = 1,
    folder: Path | None = None,
    progress: bool = False,
) -> Record:
    """Make all runs of an experiment at a scale, and return their record.

    Parameters
    ----------
    experiment : Experiment
    scale : {"smoke", "book", "full"}, default "book"
    seeds : int, optional
        How many seeds, 0 to seeds - 1; by default as many as the scale has.
    jobs : int, default 1
        Runs at a time, each in a process and on one thread of its own; never changes a number.
    folder : Path, optional
        Where single runs are kept: those that are there already are not made again. By default nothing is
        read or written.
    progress : bool, default False
        Whether to show a progress bar.

    Returns
    -------
    Record

    Raises
    ------
    ValueError
        If the scale is unknown, or ``seeds`` or ``jobs`` is below 1.

    Examples
    --------
    >>> from adamcore.experiments import get_experiment, run
    >>> record = run(get_experiment("fig1a"), "smoke", seeds=1)
    >>> record.contenders
    ['AdaGrad', 'SGDNesterov', 'Adam']
    """
    for name, value in (("seeds", seeds), ("jobs", jobs)):
        if value is not None and value < 1:
            raise ValueError(f"run: {name} = {value!r} is not allowed; it must be 1 or more.")
    size = experiment.scale(scale)
    digest = make_problem(experiment.problem, experiment.problem_parameters(size)).digest
    wanted = {single.key(digest): single for single in experiment.runs(size, seeds)}
    done = _finished(wanted, folder)
    missing = {key: single for key, single in wanted.items() if key not in done}
    with tqdm(total=len(wanted), initial=len(done), desc=experiment.name, unit="run", disable=not progress) as bar:
        for result in _make(missing, jobs):
            if folder is not None:
                write_json(folder / f"{result['key']}.json", result)
            done[result["key"]] = result
            bar.update()
    return Record.of(experiment, scale, size, seeds, digest, [done[key] for key in wanted])


def make_run(key: str, single: Run) -> dict[str, Any]:
    """One run; training is on one thread, so its result does not depend on how many jobs there are."""
    start = time.perf_counter()
    problem = make_problem(single.problem, dict(single.parameters))
    history = train(
        problem.model,
        single.rule,
        problem.data,
        epochs=single.epochs,
        batch_size=single.batch_size,
        streams=streams(single.seed),
    )
    return {
        "key": key,
        "contender": single.contender,
        "rule": single.rule.to_dict(),
        "seed": single.seed,
        "epoch_cost": _rounded(history.epoch_cost),
        "epoch_objective": _rounded(history.epoch_objective),
        "first_losses": _rounded(history.first_losses),
        "diverged_at": history.diverged_at,
        "seconds": round(time.perf_counter() - start, 2),
    }


def _rounded(numbers: list[float]) -> list[float]:
    """Five digits: more than another machine reproduces."""
    return [float(f"{number:.5g}") for number in numbers]


def _make(missing: dict[str, Run], jobs: int) -> Iterable[dict[str, Any]]:
    """Results as they come."""
    if jobs == 1:
        return (make_run(key, single) for key, single in missing.items())
    parallel = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered", pre_dispatch="2*n_jobs")
    return parallel(joblib.delayed(make_run)(key, single) for key, single in missing.items())


def _finished(wanted: dict[str, Run], folder: Path | None) -> dict[str, dict[str, Any]]:
    """The results of the wanted runs that lie in the folder already."""
    if folder is None:
        return {}
    return dict(_read(folder / f"{key}.json") for key in wanted if (folder / f"{key}.json").exists())


def _read(path: Path) -> tuple[str, dict[str, Any]]:
    """A single run's key and result."""
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not a finished run ({error}). Delete it; it will be made again.") from error
    return path.stem, result


def write_json(path: Path, content: Any, lines: Iterator[str] | None = None) -> None:
    """Write a file whole or not at all: beside its place first, then moved there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            if lines is None:
                json.dump(content, file)
            else:
                file.writelines(lines)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
