"""Logistic regression, ours and in other libraries: ``python -m benchmarks.logistic``.

A step of MNIST's and of IMDB's (minibatches of 128, Adam, float32, one thread), and a grid of 60 runs: 12 step sizes,
5 seeds, 5 epochs of MNIST. README.md beside this file says how to read the numbers. Libraries that are not installed
are left out.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np
from threadpoolctl import threadpool_limits

from adamcore import Adam
from adamcore.experiments import Experiment, Scale, run
from adamcore.experiments.problems import make_problem
from adamcore.models import SparseRows
from adamcore.optim import one_thread
from benchmarks import side_by_side
from benchmarks.side_by_side import Contender, interleaved, quartiles, ratio

BATCH = 128
OURS, WITH_ROWS = "adamcore", "adamcore, taking the minibatch from the data too"
TORCH, TORCH_FUSED = "torch, default", "torch, fused"
DROPOUT = 0.5

PROBLEMS = {
    "mnist": ("mnist_logistic", {"n_train": 60_000, "l2": 0.0}),
    "imdb": ("imdb_logistic", {"n_train": 25_000, "dropout": DROPOUT}),
}

EPOCHS, SEEDS = 5, 5
ALPHAS = (1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 1e-1, 2e-1, 5e-1)
GRID = Experiment(
    name="logistic_grid",
    title="12 step sizes of Adam, 5 seeds, 5 epochs of MNIST",
    problem="mnist_logistic",
    parameters={"l2": 0.0},
    scales={
        "full": lambda: Scale(
            epochs=EPOCHS,
            n_train=60_000,
            batch_size=BATCH,
            seeds=SEEDS,
            paper={"Adam": Adam()},
            grid={"Adam": tuple(Adam(alpha=alpha) for alpha in ALPHAS)},
        )
    },
)


@contextlib.contextmanager
def single():
    """One thread, of BLAS and of the compiled kernel."""
    with threadpool_limits(1, "blas"), one_thread():
        yield


def ours(name: str, *, take: bool) -> Contender:
    """A step as ``adamcore.experiments.train`` does it, on rows taken already or each time."""
    problem = make_problem(*PROBLEMS[name])
    rows = np.random.default_rng(0).permutation(problem.data[0].shape[0])[:BATCH]
    fixed = tuple(part[rows] for part in problem.data)
    rule, rng = Adam(), np.random.default_rng(0)
    s = rule.init(problem.model.init(rng))

    def step() -> None:
        batch = tuple(part[rows] for part in problem.data) if take else fixed
        rule.step(s, problem.model.loss_and_grad(s.theta, batch, rng)[1], inplace=True)

    return Contender(step, single)


def minibatch(name: str) -> tuple[Any, np.ndarray]:
    """The rows that all contenders take."""
    data = make_problem(*PROBLEMS[name]).data
    rows = np.random.default_rng(0).permutation(data[0].shape[0])[:BATCH]
    return data[0][rows], data[1][rows]


def torch_step(name: str, *, fused: bool = False) -> Contender:
    """A step as a reader of torch's tutorials would write it; an ``EmbeddingBag`` adds up the words of a review."""
    import torch

    torch.set_num_threads(1)
    x, y = minibatch(name)
    if isinstance(x, SparseRows):
        forward, parameters = torch_bag(x)
        labels = torch.from_numpy(y.astype(np.float32))
        measure = torch.nn.functional.binary_cross_entropy_with_logits
    else:
        model, features = torch.nn.Linear(784, 10), torch.from_numpy(x)
        forward, parameters = lambda: model(features), list(model.parameters())
        labels, measure = torch.from_numpy(y), torch.nn.functional.cross_entropy
    rule = torch.optim.Adam(parameters, lr=0.001, **({"fused": True} if fused else {}))

    def step() -> None:
        rule.zero_grad()
        measure(forward(), labels).backward()
        rule.step()

    return Contender(step)


def torch_bag(x: SparseRows) -> tuple[Callable[[], Any], list]:
    """The scores of a minibatch of bags of words, with dropout, and the parameters."""
    import torch

    weights = torch.nn.EmbeddingBag(x.shape[1], 1, mode="sum")
    bias = torch.nn.Parameter(torch.zeros(1))
    words, starts, values = (torch.from_numpy(part) for part in (x.columns, x.starts[:-1], x.values))

    def forward() -> Any:
        kept = values * (torch.rand(len(values)) >= DROPOUT)
        return weights(words, starts, per_sample_weights=kept)[:, 0] + bias

    return forward, [*weights.parameters(), bias]


def optax_step(name: str) -> Contender:
    """A step compiled by jax, which waits for its results; of dense examples only."""
    import jax
    import optax

    x, y = (jax.numpy.array(part) for part in minibatch(name))
    rule = optax.adam(0.001)
    theta = {"W": jax.numpy.zeros((784, 10)), "b": jax.numpy.zeros(10)}

    def loss(theta: dict, x: Any, y: Any) -> Any:
        logits = x @ theta["W"] + theta["b"]
        return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()

    @jax.jit
    def apply(theta: dict, state: Any, x: Any, y: Any) -> tuple:
        change, state = rule.update(jax.grad(loss)(theta, x, y), state, theta)
        return optax.apply_updates(theta, change), state

    now = [theta, rule.init(theta)]

    def step() -> None:
        now[:] = apply(*now, x, y)
        jax.block_until_ready(now)

    return Contender(step)


CONTENDERS: dict[str, dict[str, Callable[[], Contender]]] = {
    "mnist": {
        TORCH: lambda: torch_step("mnist"),
        TORCH_FUSED: lambda: torch_step("mnist", fused=True),
        "optax, jitted": lambda: optax_step("mnist"),
    },
    "imdb": {
        TORCH: lambda: torch_step("imdb"),
        TORCH_FUSED: lambda: torch_step("imdb", fused=True),
    },
}
"""The others, for each problem. torch goes first: see :mod:`benchmarks.optim`."""


def measure(name: str, repeat: int, patience: float) -> dict[str, Any]:
    """Times in seconds and ratios of one problem's step, each as lower quartile, median and upper quartile."""
    made = {}
    for other, make in CONTENDERS[name].items():
        try:
            made[other] = make()
        except ImportError as error:
            click.echo(f"left out: {other} ({error})")
    made |= {OURS: ours(name, take=False), WITH_ROWS: ours(name, take=True)}
    times, disturbed = interleaved(made, repeat, patience=patience)
    return {
        "disturbed rounds": disturbed,
        "seconds": {contender: quartiles(values) for contender, values in times.items()},
        "ratios": {other: ratio(times[OURS], times[other]) for other in made if other not in (OURS, WITH_ROWS)},
    }


def measure_grid(jobs: int, theirs: int) -> dict[str, Any]:
    """Seconds of all runs of the grid, ours on so many processes, and torch's one after another."""
    start = time.perf_counter()
    record = run(GRID, "full", jobs=jobs)
    grid = {"runs": len(record.runs), "jobs": jobs, OURS: round(time.perf_counter() - start, 2)}
    with contextlib.suppress(ImportError):
        one = torch_runs(theirs) / theirs
        grid |= {
            TORCH: round(one * grid["runs"], 1),
            "torch's runs that were made": theirs,
            "ratio": round(grid[OURS] / one / grid["runs"], 3),
        }
    return grid


def torch_runs(number: int) -> float:
    """Seconds of so many runs in torch, on one thread, with the data in memory and the order drawn each epoch."""
    import torch

    torch.set_num_threads(1)
    x, y = (torch.from_numpy(part) for part in make_problem(*PROBLEMS["mnist"]).data)
    start = time.perf_counter()
    for alpha in ALPHAS[:number]:
        model = torch.nn.Linear(784, 10)
        rule = torch.optim.Adam(model.parameters(), lr=alpha)
        for _ in range(EPOCHS):
            total = 0.0
            for rows in torch.randperm(len(y)).split(BATCH):
                rule.zero_grad()
                loss = torch.nn.functional.cross_entropy(model(x[rows]), y[rows])
                loss.backward()
                rule.step()
                total += loss.item() * len(rows)
    return time.perf_counter() - start


def report(name: str, result: dict[str, Any]) -> None:
    """Print the medians of times and ratios."""
    click.echo(f"\na step of {name}: {result['disturbed rounds']} rounds disturbed by other processes")
    for contender, seconds in result["seconds"].items():
        beside = f"   ours / theirs {result['ratios'][contender][1]:.2f}" if contender in result["ratios"] else ""
        click.echo(f"{contender:50} {seconds[1] * 1e6:8.0f} µs{beside}")


@click.command()
@click.option("--repeat", type=click.IntRange(min=2), default=31, show_default=True, help="Rounds.")
@click.option(
    "--patience",
    type=float,
    default=60,
    show_default=True,
    help="Seconds for each problem in which rounds that other processes disturb are made again.",
)
@click.option("--grid/--no-grid", default=True, show_default=True, help="Whether to make the 60 runs.")
@click.option("--jobs", type=click.IntRange(1), default=os.cpu_count(), show_default="all cores", help="Of the grid.")
@click.option(
    "--torch-runs",
    "theirs",
    type=click.IntRange(1, len(ALPHAS)),
    default=6,
    show_default=True,
    help="How many of its runs to make in torch, for the time of all.",
)
@side_by_side.output_option("logistic")
def main(repeat: int, patience: float, grid: bool, jobs: int, theirs: int, output: Path) -> None:
    """Time logistic regression against other libraries, and write a record of times and ratios."""
    side_by_side.restart_without()
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    about = side_by_side.machine()
    installed = side_by_side.versions("adamcore", "numpy", "numba", "torch", "jax", "optax")
    for name, value in {**about, "versions": installed}.items():
        click.echo(f"{name}: {value}")
    record = {
        "what": "a training step in float32: lower quartile, median and upper quartile over the rounds; a grid",
        "machine": about,
        "versions": installed,
        "rounds": repeat,
        "steps": {},
    }
    for name in PROBLEMS:
        record["steps"][name] = measure(name, repeat, patience)
        report(name, record["steps"][name])
    if grid:
        record["grid"] = measure_grid(jobs, theirs)
        click.echo(f"\n{GRID.title}: {record['grid']}")
    side_by_side.write(output, record)
    click.echo(f"\nwritten: {output}")


if __name__ == "__main__":
    main()
