"""Making runs: each once, each on one thread, each written down before the next is counted as done."""

from __future__ import annotations

import contextlib
import datetime
import itertools
import json
import math
import os
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
from threadpoolctl import threadpool_limits

from adamcore.experiments.checkpoints import load_checkpoint, save_checkpoint
from adamcore.experiments.cluster import cluster_workers
from adamcore.experiments.edges import extended
from adamcore.experiments.experiment import NUMERICS_VERSION, Experiment, Run, RunError, Scale
from adamcore.experiments.files import StorageError, remove_abandoned, require_writable, write_json
from adamcore.experiments.full_batch import method_from_dict
from adamcore.experiments.measures import MEASURES
from adamcore.experiments.problems import TOGETHER, make_problem
from adamcore.experiments.progress import progress_bar
from adamcore.experiments.record import Record, versions
from adamcore.experiments.train import History, Streams, begin, streams, train_together
from adamcore.optim import one_thread

__all__ = ["Keeping", "RunError", "Unfinished", "fold", "make_run", "run", "unfold", "write_json"]


AT_MOST_TOGETHER = 34
"""Runs that are made together at the most: their states must stay in the cache."""

ALONE = threading.Lock()
"""Held while runs are made: two threads of one process would share a problem's model, and its memory."""

Workers = Callable[[Iterable], Iterable]
"""What makes several calls at a time: takes them as ``joblib.delayed`` makes them, gives results as they come."""


class Unfinished(RuntimeError):
    """A sweep whose time was up; what it did is kept, and the same command goes on with it.

    Examples
    --------
    >>> from adamcore.experiments import Unfinished, get_experiment, run
    >>> try:
    ...     run(get_experiment("sparse_regret"), "smoke", hours=0)
    ... except Unfinished as error:
    ...     print(error)
    0 of 12 runs are finished; the time is up
    """


@dataclass(frozen=True)
class Keeping:
    """What keeps a run from being lost, and when it has to stop.

    Attributes
    ----------
    folder : Path or None
        Where checkpoints and finished runs are; None keeps nothing.
    every : float
        Seconds between checkpoints, which are only written between two epochs.
    deadline : float
        When to stop, in the seconds of :func:`time.time`.
    """

    folder: Path | None = None
    every: float = 20.0
    deadline: float = math.inf

    def time_is_up(self) -> bool:
        """Return whether the deadline is over."""
        return time.time() >= self.deadline


def run(
    experiment: Experiment,
    scale: str = "book",
    *,
    seeds: int | None = None,
    jobs: int = 1,
    folder: Path | None = None,
    progress: bool = False,
    only: Collection[str] = (),
    fresh: bool = False,
    hours: float | None = None,
    cluster: str | None = None,
    checkpoint_seconds: float = 20.0,
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
        Where single runs are kept: those that are there already are not made again, and one that was killed goes on
        from its last checkpoint, to the same last bit. A contender that minimizes by itself has none, and starts
        again. By default nothing is read or written.
    progress : bool, default False
        Whether to show a progress bar.
    only : collection of str, optional
        Make the runs of these contenders only.
    fresh : bool, default False
        Whether to delete what the folder holds of these runs, and make them again.
    hours : float, optional
        Stop after so many hours, each run after its current epoch.
    cluster : str, optional
        Address of a Dask scheduler whose workers make the runs, such as ``tcp://127.0.0.1:8786``; see
        ``adamcore.experiments.cluster``.
    checkpoint_seconds : float, default 20
        Seconds between a run's checkpoints.

    Returns
    -------
    Record

    Raises
    ------
    ValueError
        If the scale or a contender is unknown, a number is out of its range, or a file in the folder is no run.
    RunError
        If a run fails, which the message names, or a process that makes runs is killed.
    Unfinished
        If the hours are over.
    adamcore.experiments.files.StorageError
        If the folder cannot be written to.

    Examples
    --------
    >>> from adamcore.experiments import get_experiment, run
    >>> record = run(get_experiment("fig1a"), "smoke", seeds=1)
    >>> record.contenders
    ['AdaGrad', 'SGDNesterov', 'Adam']
    """
    _check(seeds=seeds, jobs=jobs)
    size = original = _size(experiment, scale, only)
    number = size.seeds if seeds is None else seeds
    keeping = Keeping(
        folder=None if cluster else folder,
        every=checkpoint_seconds,
        deadline=math.inf if hours is None else time.time() + 3600 * hours,
    )
    with _workers(jobs, cluster) as workers:
        digest = _digest(experiment, size, workers)
        done: dict[str, dict[str, Any]] = {}
        while True:
            wanted = {single.key(digest): single for single in experiment.runs(size, number)}
            if fresh:
                _remove(wanted.keys() - done.keys(), folder)
            # Without a folder, what was made before the grid was extended is in memory alone.
            done = _finished(wanted, folder) if folder else {key: done[key] for key in wanted if key in done}
            missing = {key: single for key, single in wanted.items() if key not in done}
            if missing and folder is not None:
                require_writable(folder)
                remove_abandoned(folder)
            with progress_bar(
                progress, total=len(wanted), initial=len(done), desc=experiment.name, unit="run"
            ) as bar:
                for result in _make(missing, workers, keeping, jobs):
                    if result is None:
                        continue
                    if folder is not None:
                        _keep(folder, result)
                    done[result["key"]] = result
                    bar.update()
            if len(done) < len(wanted):
                raise Unfinished(f"{len(done)} of {len(wanted)} runs are finished; the time is up")
            record = _record(experiment, scale, size, number, digest, done, folder)
            larger = extended(size, original, record)
            if larger == size:
                return record
            size = larger


def fold(
    experiment: Experiment,
    scale: str = "book",
    *,
    folder: Path,
    seeds: int | None = None,
    only: Collection[str] = (),
) -> Record:
    """Return the record of the runs that are finished, making none; what it lacks is in ``record.missing``.

    Parameters
    ----------
    experiment, scale, folder, seeds, only
        As for :func:`run`.

    Returns
    -------
    Record
        The same for the same files, whoever made them and in whatever order.

    Raises
    ------
    ValueError
        As :func:`run`.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from adamcore.experiments import fold, get_experiment, run
    >>> experiment = get_experiment("fig1a")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     made = run(experiment, "smoke", seeds=1, folder=pathlib.Path(folder))
    ...     folded = fold(experiment, "smoke", seeds=2, folder=pathlib.Path(folder))
    >>> len(folded.runs), len(folded.missing)
    (3, 3)
    """
    _check(seeds=seeds)
    size = original = _size(experiment, scale, only)
    number = size.seeds if seeds is None else seeds
    digest = _digest(experiment, size, None)
    while True:
        wanted = {single.key(digest): single for single in experiment.runs(size, number)}
        record = _record(experiment, scale, size, number, digest, _finished(wanted, folder), folder)
        larger = extended(size, original, record)
        if larger == size:
            return record
        size = larger


def unfold(record: Record, folder: Path) -> int:
    """Put the runs of a record back into a folder as if they had been made there, so that none is made twice.

    Parameters
    ----------
    record : Record
    folder : Path
        Where single runs are kept; what it holds already stays as it is.

    Returns
    -------
    int
        How many runs were put there: none if another version of the mathematics made them. A run that the experiment
        has changed since, be it only in what is measured, is put there too, but its key is no longer asked for.

    Raises
    ------
    adamcore.experiments.files.StorageError
        If the folder cannot be written to.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from adamcore.experiments import get_experiment, run, unfold
    >>> record = run(get_experiment("fig1a"), "smoke", seeds=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     unfold(record, pathlib.Path(folder))
    3
    """
    if record.numerics_version != NUMERICS_VERSION:
        return 0
    require_writable(folder)
    common = {name: value for name, value in record.problem.items() if name != "name"}
    number = 0
    for result in record.runs:
        single = Run(
            problem=record.problem["name"],
            parameters=tuple(sorted({**common, **record.parameters.get(result["contender"], {})}.items())),
            contender=result["contender"],
            rule=method_from_dict(result["rule"]),
            seed=result["seed"],
            epochs=record.epochs,
            batch_size=record.batch_size,
            measures=tuple(record.measures),
        )
        key = single.key(record.data)
        if not (folder / f"{key}.json").exists():
            _keep(folder, {"key": key, **result, "versions": record.versions})
            if record.made:  # the file's date is all that says when a run was made
                noon = datetime.datetime.fromisoformat(f"{record.made}T12:00+00:00").timestamp()
                os.utime(folder / f"{key}.json", (noon, noon))
            number += 1
    return number


def make_run(key: str, single: Run, keeping: Keeping | None = None) -> dict[str, Any] | None:
    """Make one run, on one thread, so that its result does not depend on how many jobs there are.

    Parameters
    ----------
    key : str
        Its identity; see :meth:`adamcore.experiments.experiment.Run.key`.
    single : Run
    keeping : Keeping, optional
        Where its checkpoint is kept, and until when it may run.

    Returns
    -------
    dict or None
        What a record keeps of the run; None if it had to stop before its end.

    Raises
    ------
    RunError
        If anything goes wrong; the message names the run.
    adamcore.experiments.files.StorageError
        If the checkpoint cannot be written.

    Examples
    --------
    >>> from adamcore.experiments import get_experiment
    >>> from adamcore.experiments.runner import make_run
    >>> experiment = get_experiment("fig1a")
    >>> single = next(experiment.runs(experiment.scale("smoke")))
    >>> result = make_run("some key", single)
    >>> result["contender"], len(result["epoch_cost"])
    ('AdaGrad', 2)
    """
    return make_together({key: single}, keeping)[0]


def make_together(group: dict[str, Run], keeping: Keeping | None = None) -> list[dict[str, Any] | None]:
    """Make runs that differ in nothing but their rules, sharing what they can; each as by :func:`make_run`.

    Parameters
    ----------
    group : dict of str to Run
        By key; of one problem, seed and number of epochs.
    keeping : Keeping, optional
        As for :func:`make_run`.

    Returns
    -------
    list of dict or None
        In the order of the group.

    Raises
    ------
    RunError
        If anything goes wrong; the message names the first run and says how many others there were.
    adamcore.experiments.files.StorageError
        If a checkpoint cannot be written.

    Examples
    --------
    >>> from adamcore.experiments import get_experiment
    >>> from adamcore.experiments.runner import make_run, make_together
    >>> experiment = get_experiment("fig1b")
    >>> runs = {str(n): single for n, single in enumerate(experiment.runs(experiment.scale("smoke"), seeds=1))}
    >>> together = make_together(runs)
    >>> [make_run("1", runs["1"])["epoch_cost"] == together[1]["epoch_cost"], len(together)]
    [True, 4]
    """
    keeping = keeping or Keeping()
    key, single = next(iter(group.items()))
    if keeping.time_is_up():
        return [None] * len(group)
    try:
        there = {}  # another process may have been quicker
        if keeping.folder is not None:
            there = _finished(group, keeping.folder)
        with ALONE, threadpool_limits(1, user_api="blas"), one_thread():
            made = _made({key: single for key, single in group.items() if key not in there}, keeping)
        return [there.get(key, made.get(key)) for key in group]
    except StorageError:
        raise
    except Exception as error:
        others = f", or one of the {len(group) - 1} made together with it," if len(group) > 1 else ""
        raise RunError(f"the run {key} ({single}){others} failed: {type(error).__name__}: {error}") from error


def _end_with(parent: int) -> None:
    """End this process soon after its parent is gone, killed perhaps: nobody wants its results any more."""

    def watch() -> None:
        """What the thread does; files are written whole or not at all, so the end may come at any time."""
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _made(group: dict[str, Run], keeping: Keeping) -> dict[str, dict[str, Any]]:
    """The runs themselves: from their checkpoints, where there are any, to their ends or to the deadline."""
    made: dict[str, dict[str, Any]] = {}
    in_step: dict[int, list[_Unfinished]] = {}
    for key, single in group.items():
        if hasattr(single.rule, "minimize"):
            began = time.perf_counter()
            problem = make_problem(single.problem, dict(single.parameters))
            history = single.rule.minimize(problem, single.epochs, streams(single.seed))
            made[key] = _result(key, single, history, time.perf_counter() - began)
        else:
            one = _Unfinished.of(key, single, keeping.folder)
            in_step.setdefault(len(one.history.epoch_cost), []).append(one)
    # A kill between two of their checkpoints may have left runs of one group at different epochs.
    for together in in_step.values():
        made |= _train_to_the_end(together, keeping)
    return made


@dataclass
class _Unfinished:
    """A run that has not begun, or was stopped: where it is, and how long it took so far."""

    key: str
    single: Run
    source: Streams
    history: History
    seconds: float
    path: Path | None

    @classmethod
    def of(cls, key: str, single: Run, folder: Path | None) -> _Unfinished:
        """The run as its checkpoint has it, if there is one."""
        source = streams(single.seed)
        theta = make_problem(single.problem, dict(single.parameters)).model.init(source.initialization)
        path = None if folder is None else folder / f"{key}.npz"
        kept = None
        if path is not None and path.exists():
            kept = load_checkpoint(path, key, single.rule, theta, source)
        history, seconds = kept or (begin(single.rule, theta), 0.0)
        return cls(key, single, source, history, seconds, path)


def _train_to_the_end(group: list[_Unfinished], keeping: Keeping) -> dict[str, dict[str, Any]]:
    """Train runs that stopped after the same epoch, and return the results of those that have come to their end."""
    began = saved = time.perf_counter()
    first = group[0]
    epochs, source = first.single.epochs, first.source
    problem = make_problem(first.single.problem, dict(first.single.parameters))
    of = {id(one.history): one for one in group}
    stop = due = False

    def share() -> float:
        """How long each has taken: what they share is divided among them."""
        return (time.perf_counter() - began) / len(group)

    def measure(epoch: int, history: History) -> None:
        """What the experiment wants to know after each epoch."""
        single, measured = of[id(history)].single, {}
        for name in single.measures:
            measured |= MEASURES[name](epoch, problem, history.state, single.rule)
        history.measures.append({name: float(value) for name, value in measured.items()})

    def keep(epoch: int, history: History) -> bool:
        """Write a checkpoint if it is time for one, and stop if the time is up: for all of the group, or none."""
        nonlocal stop, due, saved
        one = of[id(history)]
        if one is next(each for each in group if each.history.diverged_at is None):
            stop = keeping.time_is_up()
            due = stop or time.perf_counter() - saved >= keeping.every
            saved = time.perf_counter() if due else saved
        if due and one.path is not None and epoch < epochs:
            save_checkpoint(one.path, one.key, one.single.rule, history, source, one.seconds + share())
        return stop

    train_together(
        problem.model,
        [one.single.rule for one in group],
        problem.data,
        epochs=epochs,
        batch_size=first.single.batch_size,
        streams=source,
        histories=[one.history for one in group],
        callbacks=[measure, keep] if first.single.measures else [keep],
    )
    return {
        one.key: _result(one.key, one.single, one.history, one.seconds + share())
        for one in group
        if one.history.diverged_at is not None or len(one.history.epoch_cost) == epochs
    }


def _result(key: str, single: Run, history: History, seconds: float) -> dict[str, Any]:
    """What is kept of a run."""
    result = {
        "key": key,
        "contender": single.contender,
        "rule": single.rule.to_dict(),
        "seed": single.seed,
        "epoch_cost": _rounded(history.epoch_cost),
        "epoch_objective": _rounded(history.epoch_objective),
        "first_losses": _rounded(history.first_losses),
        "diverged_at": history.diverged_at,
        "seconds": round(seconds, 2),
        "epoch_seconds": [round(value, 3) for value in getattr(history, "epoch_seconds", [])],
        "start": getattr(history, "start", {}),
        "versions": versions(),
    }
    if measures := getattr(history, "measures", []):
        names = dict.fromkeys(name for entry in measures for name in entry)
        result["measures"] = {
            name: [_finite(value) for value in _rounded([entry.get(name, math.nan) for entry in measures])]
            for name in names
        }
    return result


def _rounded(numbers: Iterable[float]) -> list[float]:
    """Five digits: more than another machine reproduces."""
    return [float(f"{number:.5g}") for number in numbers]


def _finite(number: float) -> float | None:
    """The number, or None where JSON has no name for it."""
    return number if math.isfinite(number) else None


def _check(**counts: int | None) -> None:
    """Raise unless every count that is given is 1 or more."""
    for name, value in counts.items():
        if value is not None and value < 1:
            raise ValueError(f"run: {name} = {value!r} is not allowed; it must be 1 or more.")


def _size(experiment: Experiment, scale: str, only: Collection[str]) -> Scale:
    """The scale, or the part of it that is asked for."""
    size = experiment.scale(scale)
    return size.only(only) if only else size


def _digest(experiment: Experiment, size: Scale, workers: Workers | None) -> str:
    """The digest of the data set, found by a worker if there are any: they need the data, this process does not."""
    job = experiment.problem, experiment.problem_parameters(size)
    if workers is None:
        return make_problem(*job).digest
    (found,) = workers([joblib.delayed(_digest_of)(*job)])
    return found


def _digest_of(name: str, parameters: dict[str, Any]) -> str:
    """The digest of a problem's data set."""
    return make_problem(name, parameters).digest


@contextlib.contextmanager
def _workers(jobs: int, cluster: str | None) -> Iterator[Workers | None]:
    """What makes several runs at a time; None where this process makes them one after the other."""
    if cluster is not None:
        with cluster_workers(cluster) as workers:
            yield workers
    elif jobs == 1:
        yield None
    else:
        # One run a task: a finished run must not wait for others before it is written down.
        options = {"return_as": "generator_unordered", "batch_size": 1}
        watch = {"initializer": _end_with, "initargs": (os.getpid(),)}
        try:
            with joblib.Parallel(n_jobs=jobs, backend="loky", **options, **watch) as workers:
                yield workers
        except BrokenProcessPool as error:
            raise RunError(
                "a process that made runs was killed, perhaps because the memory was full. Give the same command "
                "again: it goes on with what is kept, and needs less memory with fewer jobs"
            ) from error


def _make(
    missing: dict[str, Run], workers: Workers | None, keeping: Keeping, jobs: int
) -> Iterator[dict[str, Any] | None]:
    """Results as they come."""
    groups = list(_groups(missing, jobs))
    if workers is None:
        for group in groups:
            yield from _make_group(group, keeping)
    else:
        for results in workers(joblib.delayed(_make_group)(group, keeping) for group in groups):
            yield from results


def _groups(missing: dict[str, Run], jobs: int) -> Iterator[dict[str, Run]]:
    """The runs one by one, or, where that is better, several of the same seed at a time."""
    alike: dict[tuple, dict[str, Run]] = {}
    for key, single in missing.items():
        if single.problem in TOGETHER and not hasattr(single.rule, "minimize"):
            same = single.parameters, single.seed, single.epochs, single.batch_size, single.measures
            alike.setdefault(same, {})[key] = single
        else:
            yield {key: single}
    for runs in alike.values():
        size = min(AT_MOST_TOGETHER, -(-len(runs) // jobs))
        pairs = iter(runs.items())
        while group := dict(itertools.islice(pairs, size)):
            yield group


def _make_group(group: dict[str, Run], keeping: Keeping) -> list[dict[str, Any] | None]:
    """One task."""
    if len(group) > 1:
        return make_together(group, keeping)
    return [make_run(key, single, keeping) for key, single in group.items()]


def _record(
    experiment: Experiment,
    scale: str,
    size: Scale,
    seeds: int,
    digest: str,
    done: dict[str, dict[str, Any]],
    folder: Path | None,
) -> Record:
    """The record of the runs that are done, in the order of the experiment."""
    keyed = [(single.key(digest), single) for single in experiment.runs(size, seeds)]
    results = [(single, done[key]) for key, single in keyed if key in done]
    made = _last_day(folder / f"{key}.json" for key, _ in keyed if folder is not None and key in done)
    return Record.of(experiment, scale, size, seeds, digest, results, made)


def _last_day(paths: Iterable[Path]) -> str:
    """The day (UTC) on which the last of these files was written; empty if there is none."""
    times = [path.stat().st_mtime for path in paths if path.exists()]
    return datetime.datetime.fromtimestamp(max(times), datetime.UTC).date().isoformat() if times else ""


def _keep(folder: Path, result: dict[str, Any]) -> None:
    """Write a finished run down; only then is its checkpoint worth nothing."""
    write_json(folder / f"{result['key']}.json", result)
    (folder / f"{result['key']}.npz").unlink(missing_ok=True)


def _remove(wanted: Iterable[str], folder: Path | None) -> None:
    """Delete what the folder holds of these runs."""
    if folder is not None:
        require_writable(folder)  # before anything is gone
        for key in wanted:
            for ending in (".json", ".npz"):
                (folder / f"{key}{ending}").unlink(missing_ok=True)


def _finished(wanted: dict[str, Run], folder: Path | None) -> dict[str, dict[str, Any]]:
    """The results of the wanted runs that lie in the folder already."""
    if folder is None:
        return {}
    return dict(_read(folder / f"{key}.json") for key in wanted if (folder / f"{key}.json").exists())


def _read(path: Path) -> tuple[str, dict[str, Any]]:
    """A single run's key and result."""
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
        if result["key"] != path.stem:
            raise ValueError(f"it holds the run {result['key']!r}")
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is not a finished run ({error}). Delete it; it will be made again.") from error
    return path.stem, result
