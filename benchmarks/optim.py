"""One step of Adam, ours and that of other libraries, side by side: ``python -m benchmarks.optim``.

README.md beside this file says how to read the numbers. Libraries that are not installed are left out.
"""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Callable
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import click
import numpy as np

from adamcore.optim import Adam, one_thread, pure_numpy
from benchmarks import side_by_side
from benchmarks.side_by_side import Contender, interleaved, quartiles, ratio

Arrays = list[np.ndarray]

SHAPES = {
    # The paper's networks (sections 6.2 and 6.3), weights and biases in turn.
    "mlp": [(784, 1000), (1000,), (1000, 1000), (1000,), (1000, 10), (10,)],
    # 5x5 convolutions that keep the size, each followed by pooling to half of it: 32x32x3 becomes 4x4x128.
    "cnn": [
        *[(5, 5, 3, 64), (64,), (5, 5, 64, 64), (64,), (5, 5, 64, 128), (128,)],
        *[(4 * 4 * 128, 1000), (1000,), (1000, 10), (10,)],
    ],
}

BYTES = 28
"""Bytes a step moves for each parameter: it reads g, and reads and writes theta, m and v, in float32."""

BANDWIDTH_SIZE = 25_000_000
"""Elements of the arrays that measure the memory's bandwidth: 100 MB each, more than most caches."""

LARGE = 1_000_000
"""Parameters from which on the memory's speed is worth a comparison."""

OURS = (
    "readable step",
    "in place, pure numpy",
    "in place, compiled, one thread",
    "in place, compiled",
    "in place, compiled, unchecked",
)
LIMIT = "the same bytes, little arithmetic"


def ours(inplace: bool, context: Callable, parts: Arrays, grads: Arrays, check_finite: bool = True) -> Contender:
    """One flat vector, as the paper's theta."""
    rule = Adam()
    s, g = rule.init(flat(parts)), flat(grads)
    return Contender(lambda: rule.step(s, g, inplace=inplace, check_finite=check_finite), context)


def compiled(threads: int, context: Callable, parts: Arrays, grads: Arrays, check_finite: bool = True) -> Contender:
    import numba

    numba.set_num_threads(threads)
    return ours(True, context, parts, grads, check_finite)


def torch_adam(threads: int, parts: Arrays, grads: Arrays, **options: bool) -> Contender:
    import torch

    torch.set_num_threads(threads)
    parameters = [torch.nn.Parameter(torch.tensor(part)) for part in parts]
    for parameter, grad in zip(parameters, grads, strict=True):
        parameter.grad = torch.tensor(grad)
    return Contender(torch.optim.Adam(parameters, **options).step)


def optax_adam(parts: Arrays, grads: Arrays) -> Contender:
    """Compiled as a whole, its arrays donated: the usual way to train with it."""
    import jax
    import optax

    rule = optax.adam(0.001)

    def apply(theta, state, grads):
        updates, state = rule.update(grads, state, theta)
        return optax.apply_updates(theta, updates), state

    theta = [jax.numpy.array(part) for part in parts]
    return jitted(apply, theta, rule.init(theta), grads)


def keras_adam(parts: Arrays, grads: Arrays) -> Contender:
    """On jax, compiled and its arrays donated, as its ``fit`` does."""
    import jax

    os.environ["KERAS_BACKEND"] = "jax"
    import keras

    rule = keras.optimizers.Adam(0.001)
    variables = [keras.Variable(part) for part in parts]
    rule.build(variables)

    def apply(theta, state, grads):
        return rule.stateless_apply(state, grads, theta)

    theta, state = ([jax.numpy.array(each.value) for each in of] for of in (variables, rule.variables))
    return jitted(apply, theta, state, grads)


def jitted(apply: Callable, theta: Any, state: Any, grads: Arrays) -> Contender:
    """A step compiled by jax, which waits for its results."""
    import jax

    step = jax.jit(apply, donate_argnums=(0, 1))
    grads = [jax.numpy.array(grad) for grad in grads]
    now = [theta, state]

    def call() -> None:
        now[:] = step(*now, grads)
        jax.block_until_ready(now)

    return Contender(call)


def sklearn_adam(parts: Arrays, grads: Arrays) -> Contender:
    """What MLPClassifier and MLPRegressor train with."""
    from sklearn.neural_network._stochastic_optimizers import AdamOptimizer

    parts = [part.copy() for part in parts]
    rule = AdamOptimizer(parts, learning_rate_init=0.001)
    return Contender(lambda: rule.update_params(parts, grads))


def limit(threads: int, parts: Arrays, grads: Arrays) -> Contender:
    """What no step can be faster than, if it moves all of its bytes: three additions."""
    theta, g = flat(parts), flat(grads)
    m, v = np.zeros_like(theta), np.zeros_like(theta)
    move = bandwidth_kernels(threads)["move"]
    return Contender(lambda: move(theta, m, v, g))


def flat(arrays: Arrays) -> np.ndarray:
    return np.concatenate([array.ravel() for array in arrays])


@functools.cache
def bandwidth_kernels(threads: int) -> dict[str, Callable]:
    """Compile what measures the memory."""
    import numba

    numba.set_num_threads(threads)

    def move(theta, m, v, g):
        for i in numba.prange(theta.size):
            theta[i] += g[i]
            m[i] += g[i]
            v[i] += g[i]

    def triad(a, b, c):
        for i in numba.prange(a.size):
            a[i] = b[i] + np.float32(3) * c[i]

    return {function.__name__: numba.njit(parallel=True)(function) for function in (move, triad)}


def bandwidth(threads: int, repeat: int, patience: float) -> dict[str, list[float]]:
    """Gigabytes a second that can be read and written, as quartiles; what a cache reads to write is not counted."""
    a, b, c = (np.ones(BANDWIDTH_SIZE, np.float32) for _ in range(3))
    ways = {"copy, numpy, one thread": (Contender(lambda: np.copyto(a, b)), 2)}
    try:
        triad = bandwidth_kernels(threads)["triad"]
        ways["triad, numba, all threads"] = (Contender(lambda: triad(a, b, c)), 3)
    except ImportError:
        pass
    times = interleaved({name: way for name, (way, _) in ways.items()}, repeat, patience=patience).seconds
    return {name: quartiles([arrays * a.nbytes / t / 1e9 for t in times[name]]) for name, (_, arrays) in ways.items()}


def makers(threads: int) -> dict[str, Callable[[Arrays, Arrays], Contender]]:
    """Return how to make each contender that can be made here, and say which cannot."""
    wanted = {
        OURS[0]: functools.partial(ours, False, nullcontext),
        OURS[1]: functools.partial(ours, True, pure_numpy),
        OURS[2]: functools.partial(compiled, threads, one_thread),
        OURS[3]: functools.partial(compiled, threads, nullcontext),
        OURS[4]: functools.partial(compiled, threads, nullcontext, check_finite=False),
        "torch, default": functools.partial(torch_adam, threads),
        "torch, for loop": functools.partial(torch_adam, threads, foreach=False, fused=False),
        "torch, foreach": functools.partial(torch_adam, threads, foreach=True),
        "torch, fused": functools.partial(torch_adam, threads, fused=True),
        "optax, jitted": optax_adam,
        "keras on jax, jitted": keras_adam,
        "scikit-learn": sklearn_adam,
        LIMIT: functools.partial(limit, threads),
    }
    # torch first: where numba has started its threads before torch is loaded, the two sets of threads get in
    # each other's way, and torch's loop takes up to 60 times as long as alone.
    with suppress(ImportError):
        import torch  # noqa: F401
    made = {}
    for name, maker in wanted.items():
        try:
            maker(*problem([(2,)]))
        except ImportError as error:
            click.echo(f"left out: {name} ({error})")
        else:
            made[name] = maker
    return made


def problem(shapes: list[tuple[int, ...]]) -> tuple[Arrays, Arrays]:
    """Parameters and a gradient of the size that training meets."""
    rng = np.random.default_rng(0)
    parts, grads = ([rng.standard_normal(shape, np.float32) for shape in shapes] for _ in range(2))
    return parts, [np.float32(0.01) * grad for grad in grads]


def measure(
    makers: dict[str, Callable], shapes: list[tuple[int, ...]], repeat: int, patience: float
) -> dict[str, Any]:
    """Times in seconds and ratios of one size, each as lower quartile, median and upper quartile."""
    parts, grads = problem(shapes)
    size = sum(part.size for part in parts)
    entered = {name: maker(parts, grads) for name, maker in makers.items() if name != LIMIT or size >= LARGE}
    times, disturbed = interleaved(entered, repeat, patience=patience)
    mine = [name for name in OURS if name in times]
    theirs = [name for name in times if name not in OURS]
    return {
        "parameters": size,
        "arrays": len(parts),
        "disturbed rounds": disturbed,
        "seconds": {name: quartiles(values) for name, values in times.items()},
        "ratios": {our: {their: ratio(times[our], times[their]) for their in theirs} for our in mine},
    }


def table(title: str, rows: dict[str, list[str]], sizes: list[str]) -> None:
    """Print rows under one column for each size."""
    width = max(map(len, (title, *rows)))
    click.echo("\n" + title.ljust(width) + "".join(f"{size:>9}" for size in sizes))
    for name, cells in rows.items():
        click.echo(name.ljust(width) + "".join(f"{cell:>9}" for cell in cells))


def human(seconds: float) -> str:
    """Three digits and a unit."""
    for unit, scale in (("s", 1), ("ms", 1e3)):
        if seconds * scale >= 1:
            return f"{seconds * scale:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"


def report(results: dict[str, dict[str, Any]]) -> None:
    """Print the medians of all times, and of the ratios."""
    sizes = list(results)

    def rows(of: Callable[[dict], dict], show: Callable[[float], str]) -> dict[str, list[str]]:
        names = dict.fromkeys(name for size in sizes for name in of(results[size]))
        found = {name: [of(results[size]).get(name) for size in sizes] for name in names}
        return {name: [show(cell[1]) if cell else "–" for cell in cells] for name, cells in found.items()}

    table("median time of a step", rows(lambda result: result["seconds"], human), sizes)
    for our in results[sizes[0]]["ratios"]:
        ratios = rows(lambda result, our=our: result["ratios"][our], "{:.2f}".format)
        table(f"{our}: our time / theirs", ratios, sizes)


def parse_sizes(context: click.Context, parameter: click.Parameter, text: str) -> dict[str, list[tuple[int, ...]]]:
    """Shapes for each name of a network or number of parameters."""
    sizes = {}
    for name in text.split(","):
        try:
            sizes[name] = SHAPES.get(name) or [(int(float(name)),)]
        except ValueError:
            raise click.BadParameter(f"{name!r} is neither a number nor one of {', '.join(SHAPES)}.") from None
    return sizes


@click.command()
@click.option(
    "--sizes",
    default="1e2,1e3,1e4,1e5,1e6,mlp,cnn,1e7,5e7",
    show_default=True,
    callback=parse_sizes,
    help="Numbers of parameters, and networks of the paper, with commas between.",
)
@click.option("--repeat", type=click.IntRange(min=2), default=31, show_default=True, help="Rounds.")
@click.option(
    "--patience",
    type=float,
    default=60,
    show_default=True,
    help="Seconds for each size in which rounds that other processes disturb are made again.",
)
@click.option(
    "--threads",
    type=click.IntRange(1, os.cpu_count()),
    default=os.cpu_count(),
    show_default="all cores",
    help="Threads of numba and torch; jax always takes all cores.",
)
@side_by_side.output_option("optim")
def main(sizes: dict[str, list[tuple[int, ...]]], repeat: int, patience: float, threads: int, output: Path) -> None:
    """Time one step of Adam in float32 against other libraries, and write a record of times and ratios."""
    side_by_side.restart_without()
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    about = side_by_side.machine()
    made = makers(threads)
    installed = side_by_side.versions(
        *("adamcore", "numpy", "numba", "torch", "jax", "optax", "keras", "scikit-learn")
    )
    for name, value in {**about, "threads of numba and torch": threads, "versions": installed}.items():
        click.echo(f"{name}: {value}")
    record = {
        "what": "one step of Adam, float32: lower quartile, median and upper quartile over the rounds",
        "machine": about,
        "versions": installed,
        "threads": threads,
        "rounds": repeat,
        "bytes a parameter": BYTES,
        "gigabytes a second": {},
        "sizes": {},
    }
    if any(sum(map(math.prod, shapes)) >= LARGE for shapes in sizes.values()):
        record["gigabytes a second"] = bandwidth(threads, repeat, patience)
    for name, value in record["gigabytes a second"].items():
        click.echo(f"memory, {name}: {value[1]:.3g} GB/s, so a step moves a parameter in {BYTES / value[1]:.2f} ns")
    for size, shapes in sizes.items():
        record["sizes"][size] = measure(made, shapes, repeat, patience)
        disturbed = record["sizes"][size]["disturbed rounds"]
        click.echo(f"measured: {size}; {disturbed} of {repeat} rounds disturbed by other processes")
    report(record["sizes"])
    side_by_side.write(output, record)
    click.echo(f"\nwritten: {output}")


if __name__ == "__main__":
    main()
