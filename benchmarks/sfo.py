"""A pass of SFO beside an epoch of Adam, on the network and the data of Figure 2 (b): ``python -m benchmarks.sfo``.

What SFO keeps and computes grows with the number of parts of the data, so it is timed with two numbers of parts. It
needs all of MNIST (``python -m adamcore data fetch mnist``) and 3 GB of memory. A round takes four to six minutes, on
a machine that should do nothing else meanwhile. README.md beside this file says how to read the numbers.
"""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np

from adamcore import Adam
from adamcore.experiments import EXPERIMENTS, SFO, streams, train
from adamcore.experiments.catalog import SFO_OVER_ADAM
from adamcore.experiments.problems import Problem, make_problem
from benchmarks import side_by_side

EPOCHS = 3
"""Of Adam."""

PASSES = 5
"""Of SFO, of which the last two count: in the course of the first ones it takes the parts into its model. Of 25 parts
nearly all take part by then (19 and 24, in the record of fig2b), of 100 about half (44 and 52; all from pass 10)."""


def seconds_of_adam(problem: Problem) -> float:
    """The median time of an epoch, the making of minibatches included."""
    history = train(problem.model, Adam(), problem.data, epochs=EPOCHS, batch_size=128, streams=streams(0))
    return float(np.median(history.epoch_seconds))


def seconds_of_sfo(problem: Problem, parts: int) -> float:
    """The mean time of the last two passes. Finding the cost of all data after each pass is not timed."""
    history = SFO(subfunctions=parts).minimize(problem, PASSES, streams(0))
    return float(np.mean(history.epoch_seconds[-2:]))


@click.command(help=__doc__.split("\n\n")[1].replace("``", "'"))
@click.option("--rounds", type=click.IntRange(min=1), default=2, show_default=True)
@click.option(
    "--scale",
    type=click.Choice(["smoke", "book", "full"]),
    default="full",
    show_default=True,
    help="Of fig2b. Only the full one tells anything; the others try this program.",
)
@side_by_side.output_option("sfo")
def main(rounds: int, scale: str, output: Path) -> None:
    """Time all contenders in turn, round after round, and write a record."""
    side_by_side.restart_without()
    experiment = EXPERIMENTS["fig2b"]
    problem = make_problem(experiment.problem, experiment.problem_parameters(experiment.scale(scale), "SFO"))
    machine = side_by_side.machine()
    adam, sfo = [], {parts: [] for parts in SFO_OVER_ADAM}
    for _ in range(rounds):
        adam.append(seconds_of_adam(problem))
        for parts in sfo:
            sfo[parts].append(seconds_of_sfo(problem, parts))
        print(f"Adam {adam[-1]:.1f} s", *(f"SFO, {parts} parts {sfo[parts][-1]:.1f} s" for parts in sfo), sep="; ")
    ratios = {parts: float(f"{np.mean(np.divide(times, adam)):.4g}") for parts, times in sfo.items()}
    record = {
        "what": "a pass of SFO over an epoch of Adam on one thread, by the number of parts: the mean over rounds",
        "machine": machine | {"load after": side_by_side.machine()["load before"]},
        "versions": side_by_side.versions("adamcore", "numpy", "numba"),
        "rounds": rounds,
        "scale": scale,
        "seconds": {"Adam": adam} | {f"SFO, {parts} parts": times for parts, times in sfo.items()},
        "ratios": ratios,
    }
    side_by_side.write(output, record)
    print(", ".join(f"{parts} parts: {ratio:.2f}" for parts, ratio in ratios.items()), f"\nwritten: {output}", sep="")


if __name__ == "__main__":
    main()
