"""The command line: ``python -m adamcore``."""

from __future__ import annotations

from pathlib import Path

import click

import adamcore
from adamcore.data.command import data
from adamcore.experiments import EXPERIMENTS, Record, judge_mnist_logistic
from adamcore.experiments import run as run_experiment
from adamcore.experiments.claims import CLOSE

SCALES = ("smoke", "book", "full")


@click.group()
@click.version_option(adamcore.__version__, package_name="adamcore")
def main() -> None:
    """Run the experiments of the book on Adam, and report on them."""


main.add_command(data)


def _common(command):
    """The argument and options that `run` and `report` share."""
    for option in (
        click.option(
            "--runs",
            "folder",
            type=click.Path(file_okay=False, path_type=Path),
            default=Path("runs"),
            show_default=True,
            help="Where single runs are kept.",
        ),
        click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Runs at a time."),
        click.option("--seeds", type=click.IntRange(min=1), help="Number of seeds [default: the scale's]."),
        click.option("--scale", type=click.Choice(SCALES), default="book", show_default=True),
        click.argument("name", type=click.Choice(tuple(EXPERIMENTS))),
    ):
        command = option(command)
    return command


@main.command()
@_common
def run(name: str, scale: str, seeds: int | None, jobs: int, folder: Path) -> None:
    """Make the runs of experiment NAME that are not there yet, and judge them."""
    _print(_record(name, scale, seeds, jobs, folder))


@main.command()
@_common
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write [default: book/results/NAME.json].",
)
def report(name: str, scale: str, seeds: int | None, jobs: int, folder: Path, output: Path | None) -> None:
    """Fold the runs of experiment NAME into one record, making those that are missing."""
    output = output or Path("book") / "results" / f"{name}.json"
    if not output.parent.is_dir():
        raise click.ClickException(
            f"there is no folder {output.parent}: run this from the root of the repository, or say --output."
        )
    record = _record(name, scale, seeds, jobs, folder)
    record.save(output)
    _print(record)
    click.echo(f"written: {output}")


def _record(name: str, scale: str, seeds: int | None, jobs: int, folder: Path) -> Record:
    try:
        return run_experiment(EXPERIMENTS[name], scale, seeds=seeds, jobs=jobs, folder=folder / name, progress=True)
    except (OSError, ValueError) as error:
        raise click.ClickException(f"{error}\nFinished runs are kept in {folder / name}.") from error


def _print(record: Record) -> None:
    """The verdict, with the numbers it follows from."""
    verdict = judge_mnist_logistic(record)
    click.echo(f"{record.title}; scale {record.scale}, {len(record.seeds)} seeds, {record.epochs} epochs")
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
