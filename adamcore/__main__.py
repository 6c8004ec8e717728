"""The command line: ``python -m adamcore``."""

from __future__ import annotations

import contextlib
import json
import math
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

import adamcore
from adamcore.data.command import data
from adamcore.experiments import (
    EXPERIMENTS,
    Record,
    RunError,
    Unfinished,
    fold,
    judge_mnist_logistic,
    load_record,
    unfold,
)
from adamcore.experiments import run as run_experiment
from adamcore.experiments.agreement import differences, load_reference
from adamcore.experiments.claims import CLOSE, load_records, scorecard, table, write_scorecard
from adamcore.grading.command import assignments, grade

SCALES = ("smoke", "book", "full")
UNFINISHED = 3
"""The exit status of a sweep that stopped because its hours were over."""


@click.group()
@click.version_option(adamcore.__version__, package_name="adamcore")
def main() -> None:
    """Run the experiments of the book on Adam and report on them; make and grade its assignments."""


main.add_command(data)
main.add_command(assignments)
main.add_command(grade)


def _common(command):
    """The options that `run` and `report` share."""
    for option in (
        click.option(
            "--runs",
            "folder",
            type=click.Path(file_okay=False, path_type=Path),
            default=Path("runs"),
            show_default=True,
            help="Where single runs are kept, in a folder for each experiment.",
        ),
        click.option(
            "--only", multiple=True, metavar="CONTENDER", help="Only the runs of this contender; may be repeated."
        ),
        click.option("--seeds", type=click.IntRange(min=1), help="Number of seeds [default: the scale's]."),
    ):
        command = option(command)
    return command


@main.command()
@click.argument("name", type=click.Choice(tuple(EXPERIMENTS)))
@click.option("--scale", type=click.Choice(SCALES), default="book", show_default=True)
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Runs at a time.")
@click.option(
    "--resume/--fresh",
    default=True,
    help="Go on with what is there [the default], or delete these runs and make them again.",
)
@click.option(
    "--hours", type=click.FloatRange(min=0), help="Stop after so many hours, each run after its current epoch."
)
@click.option("--cluster", metavar="ADDRESS", help="Make the runs on a Dask cluster, such as tcp://127.0.0.1:8786.")
@click.option(
    "--recorded",
    is_flag=True,
    help="Take the runs that the record in book/results holds from there, instead of making them again.",
)
@_common
def run(
    name: str,
    scale: str,
    jobs: int,
    resume: bool,
    hours: float | None,
    cluster: str | None,
    recorded: bool,
    seeds: int | None,
    only: tuple[str, ...],
    folder: Path,
) -> None:
    """Make the runs of experiment NAME that are not there yet, and judge them.

    It may be stopped or killed at any time: the same command goes on where it was.
    """
    if recorded and not resume:
        raise click.UsageError("--recorded and --fresh exclude each other: one keeps old runs, the other deletes.")
    with _errors_in_words(folder / name):
        if recorded:
            _take_recorded(name, scale, folder / name)
        record = run_experiment(
            EXPERIMENTS[name],
            scale,
            seeds=seeds,
            jobs=jobs,
            folder=folder / name,
            progress=True,
            only=only,
            fresh=not resume,
            hours=hours,
            cluster=cluster,
        )
    _print(record)


def _take_recorded(name: str, scale: str, folder: Path) -> None:
    """Put the runs of the record in book/results where single runs are kept, and say how many."""
    path = Path("book") / "results" / f"{name}.json"
    if not path.exists():
        raise ValueError(f"there is no {path} to take runs from: run this from the root of the repository, or leave "
                         "out --recorded")  # fmt: skip
    record = load_record(path)
    if record.scale != scale:
        raise ValueError(f"{path} holds runs of scale {record.scale}, not {scale}: name that scale, or leave out "
                         "--recorded")  # fmt: skip
    click.echo(f"{unfold(record, folder)} runs are taken from {path}.")


@main.command()
@click.argument("names", nargs=-1, type=click.Choice(tuple(EXPERIMENTS)), metavar="[NAME]...")
@click.option("--scale", type=click.Choice(SCALES), default="full", show_default=True)
@_common
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write [default: book/results/NAME.json].",
)
@click.option(
    "--scorecard", "judged", is_flag=True, help="Judge the paper's claims by the records in book/results instead."
)
def report(
    names: tuple[str, ...],
    scale: str,
    seeds: int | None,
    only: tuple[str, ...],
    folder: Path,
    output: Path | None,
    judged: bool,
) -> None:
    """Fold the finished runs of each experiment NAME into one record, and say what is missing.

    Without a NAME, those experiments that have runs of this scale. No run is made.
    """
    if output is not None and len(names) != 1:
        raise click.UsageError("--output needs exactly one NAME.")
    if output is None and not (Path("book") / "results").is_dir():
        raise click.ClickException("there is no folder book/results: run this from the root of the repository, or "
                                   "say --output.")  # fmt: skip
    if judged:
        _print_scorecard(Path("book") / "results")
        return
    for name in names or (name for name in EXPERIMENTS if any((folder / name).glob("*.json"))):
        with _errors_in_words(folder / name):
            record = fold(EXPERIMENTS[name], scale, folder=folder / name, seeds=seeds, only=only)
            if record.runs:
                path = output or Path("book") / "results" / f"{name}.json"
                _refuse_to_shrink(path, record, chosen=output is not None)
                record.save(path)
                _print(record)
                click.echo(f"written: {path}\n")
            elif names:
                raise ValueError(f"no run of {name} at scale {scale} is finished; make them with: {record.command}")


@main.command()
@click.argument("name", type=click.Choice(tuple(EXPERIMENTS)))
@click.option("--scale", type=click.Choice(SCALES[:-1]), default="smoke", show_default=True)
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Runs at a time.")
def check(name: str, scale: str, jobs: int) -> None:
    """Make the small runs of experiment NAME anew, and say how far they are from those in book/results/reference.

    What is allowed is five times the differences that were measured between kernels of the linear algebra and numbers
    of threads, and at least 0.1 %. Ends with exit status 1 if anything is farther away.
    """
    results = Path("book") / "results"
    with _errors_in_words(results):
        reference, spreads = load_reference(name, scale, results)
        record = run_experiment(EXPERIMENTS[name], scale, jobs=jobs, progress=True)
        found = differences(record, reference, spreads)
    compared = [each for each in found if math.isfinite(each.tolerance)]
    outside = [each for each in compared if not each.within]
    for contender in reference.contenders:
        mine = [each for each in compared if each.contender == contender]
        if mine:
            worst = max(mine, key=lambda each: each.largest / each.tolerance)
            click.echo(f"{contender:34s} {100 * worst.largest:8.4f} %, allowed {100 * worst.tolerance:.2f} %")
    click.echo(f"{len(compared)} of {len(found)} runs compared; the others amplify rounding too much to be.")
    for each in outside:
        click.echo(f"NOT within the tolerance: {each.contender}, seed {each.seed}: {each.rule}")
    if outside:
        raise click.ClickException(f"{len(outside)} runs differ by more than is allowed.")


def _print_scorecard(results: Path) -> None:
    """Every claim with its verdict, also written beside the records."""
    with _errors_in_words(results):
        rows = scorecard(load_records(results))
        click.echo(table(rows))
        click.echo(f"written: {write_scorecard(rows, results)}")


def _refuse_to_shrink(path: Path, record: Record, *, chosen: bool) -> None:
    """Raise rather than write over a record that holds other runs, unless the file was chosen."""
    if chosen or not path.exists():
        return
    old = load_record(path)
    if old.scale != record.scale:
        raise ValueError(
            f"{path} holds runs of scale {old.scale}, and these are of scale {record.scale}: write to another file "
            "with --output"
        )
    here = {_identity(single) for single in record.runs}
    lost = [single for single in old.runs if _identity(single) not in here]
    if lost:
        raise ValueError(
            f"{path} holds {len(old.runs)} runs, of which {len(lost)} are not among these, such as "
            f"{lost[0]['contender']}, seed {lost[0]['seed']}: {lost[0]['rule']}. Report them together, without "
            "--only and with all seeds; what is not here, "
            f"`python -m adamcore run {record.experiment} --scale {old.scale} --recorded` takes from there. Or write "
            "to another file with --output"
        )


def _identity(single: dict[str, Any]) -> str:
    """What tells a run of a record from its others."""
    return json.dumps([single["contender"], single["rule"], single["seed"]], sort_keys=True)


@contextlib.contextmanager
def _errors_in_words(folder: Path) -> Iterator[None]:
    """What can go wrong without being a mistake in the code, said in words, with the way to go on."""
    again = f"Go on with: {shlex.join(['python', '-m', 'adamcore', *sys.argv[1:]])}"
    try:
        yield
    except KeyboardInterrupt:
        click.echo(f"\nStopped. Finished runs and checkpoints are kept in {folder}.\n{again}", err=True)
        sys.exit(130)
    except Unfinished as stop:
        click.echo(f"{stop}. They are kept in {folder}.\n{again}", err=True)
        sys.exit(UNFINISHED)
    except (OSError, ValueError, RunError) as error:
        raise click.ClickException(f"{error}\nFinished runs are kept in {folder}.") from error


def _print(record: Record) -> None:
    """What the record holds, what it lacks, and the verdict with the numbers it follows from."""
    click.echo(f"{record.title}; scale {record.scale}, {len(record.seeds)} seeds, {record.epochs} epochs")
    if record.missing:
        click.echo(f"{len(record.runs)} runs are finished, {len(record.missing)} are missing:")
        for contender, rule, seed in record.missing[:5]:
            click.echo(f"  {contender}, seed {seed}: {rule}")
        if len(record.missing) > 5:
            click.echo(f"  and {len(record.missing) - 5} more")
        click.echo(f"Make them with: {record.command}")
    elif record.experiment == "fig1a" and len(record.contenders) == 3:
        _print_verdict(record)
    else:
        click.echo(f"All {len(record.runs)} runs are finished.")


def _print_verdict(record: Record) -> None:
    """The verdict on Figure 1 (left)."""
    verdict = judge_mnist_logistic(record)
    if verdict.distances:
        click.echo("Distance from the paper's curve at the paper-like settings (RMS of log cost):")
    for name, distance in verdict.distances.items():
        comment = "within" if distance <= CLOSE else "NOT within"
        click.echo(f"  {name:12s} {100 * distance:5.1f} %   {comment} {100 * CLOSE:.0f} %")
    for label, ratios in (("paper-like settings", verdict.paper_like), ("all tuned alike", verdict.tuned)):
        if ratios:
            click.echo(f"Ratio of the typical cost over the epochs, {label} (95 % interval):")
            for pair, ratio in ratios.items():
                click.echo(f"  {pair:22s} {ratio}")
    click.echo(f"{verdict.claim}: {verdict.verdict}")


if __name__ == "__main__":
    main(prog_name="python -m adamcore")
