"""One training step of the paper's networks, ours and in other libraries: ``python -m benchmarks.models``.

A step is a minibatch of 128 examples: loss, gradient and Adam's update, in float32. README.md beside this file says
how to read the numbers. Libraries that are not installed are left out.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np
from threadpoolctl import threadpool_limits

from adamcore import CNN, MLP, VAE, Adam
from adamcore.optim import one_thread
from benchmarks import side_by_side
from benchmarks.side_by_side import Contender, interleaved, quartiles, ratio

BATCH = 128
INPUT_DROPOUT, HIDDEN_DROPOUT = 0.2, 0.5

EXAMPLES = {"mlp": 60_000, "cnn": 50_000, "vae": 60_000}
"""Training examples of MNIST and CIFAR-10: what an epoch consists of."""

OURS = "adamcore"
WINOGRAD = "adamcore, Winograd"


def batch(model: str) -> tuple[np.ndarray, ...]:
    """A minibatch of random images, and labels unless the model is the auto-encoder."""
    rng = np.random.default_rng(0)
    if model == "vae":
        return (rng.random((BATCH, 784), np.float32),)
    shape = (BATCH, 32, 32, 3) if model == "cnn" else (BATCH, 784)
    return rng.standard_normal(shape, np.float32), rng.integers(10, size=BATCH)


def ours(model: Any, threads: int, data: tuple[np.ndarray, ...]) -> Contender:
    """As ``adamcore.experiments.train`` does a step."""
    rule, rng = Adam(), np.random.default_rng(0)
    s = rule.init(model.init(rng))

    def step() -> None:
        _, gradient = model.loss_and_grad(s.theta, data, rng)
        rule.step(s, gradient, inplace=True)

    @contextlib.contextmanager
    def limited():
        with threadpool_limits(threads, "blas"), one_thread() if threads == 1 else contextlib.nullcontext():
            yield

    return Contender(step, limited)


def torch_step(threads: int, network: Any, loss: Callable[[], Any]) -> Contender:
    """Eager, with the optimizer as it is by default."""
    import torch

    torch.set_num_threads(threads)
    optimizer = torch.optim.Adam(network.parameters())

    def step() -> None:
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()

    return Contender(step)


def torch_mlp(threads: int, data: tuple[np.ndarray, ...]) -> Contender:
    import torch
    from torch import nn

    x, y = map(torch.tensor, data)
    network = nn.Sequential(
        *(nn.Dropout(INPUT_DROPOUT), nn.Linear(784, 1000), nn.ReLU(), nn.Dropout(HIDDEN_DROPOUT)),
        *(nn.Linear(1000, 1000), nn.ReLU(), nn.Dropout(HIDDEN_DROPOUT), nn.Linear(1000, 10)),
    )
    return torch_step(threads, network, lambda: nn.functional.cross_entropy(network(x), y))


def torch_cnn(channels_last: bool, threads: int, data: tuple[np.ndarray, ...]) -> Contender:
    import torch
    from torch import nn

    layout = torch.channels_last if channels_last else torch.contiguous_format
    x, y = torch.tensor(data[0]).permute(0, 3, 1, 2).contiguous(memory_format=layout), torch.tensor(data[1])
    stages = [
        (nn.Conv2d(n_in, n_out, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2, ceil_mode=True))
        for n_in, n_out in ((3, 64), (64, 64), (64, 128))
    ]
    network = nn.Sequential(
        *(nn.Dropout(INPUT_DROPOUT), *sum(stages, ()), nn.Flatten()),
        *(nn.Linear(2048, 1000), nn.ReLU(), nn.Dropout(HIDDEN_DROPOUT), nn.Linear(1000, 10)),
    ).to(memory_format=layout)
    return torch_step(threads, network, lambda: nn.functional.cross_entropy(network(x), y))


def torch_vae(threads: int, data: tuple[np.ndarray, ...]) -> Contender:
    import torch
    from torch import nn

    x = torch.tensor(data[0])
    encoder = nn.Sequential(nn.Linear(784, 500), nn.Softplus(), nn.Linear(500, 100))
    decoder = nn.Sequential(nn.Linear(50, 500), nn.Softplus(), nn.Linear(500, 784))

    def loss() -> Any:
        mean, log_variance = encoder(x).chunk(2, dim=1)
        z = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        logits = decoder(z)
        reconstruction = nn.functional.binary_cross_entropy_with_logits(logits, x, reduction="sum")
        return (reconstruction + 0.5 * (mean**2 + log_variance.exp() - log_variance - 1).sum()) / len(x)

    return torch_step(threads, nn.ModuleList([encoder, decoder]), loss)


def sklearn_mlp(threads: int, data: tuple[np.ndarray, ...]) -> Contender:
    """One minibatch given to ``partial_fit``; it has no dropout, and less to do for that."""
    from sklearn.neural_network import MLPClassifier

    x, y = data
    network = MLPClassifier((1000, 1000), batch_size=BATCH, alpha=0.0)
    network.partial_fit(x, y, classes=np.arange(10))
    return Contender(lambda: network.partial_fit(x, y), functools.partial(threadpool_limits, threads, "blas"))


def optax_step(model: Any, loss: Callable, data: tuple[np.ndarray, ...]) -> Contender:
    """Compiled as a whole, its arrays donated; ``loss(parameters, key, *data)``."""
    import jax
    import optax

    rule = optax.adam(0.001)

    @functools.partial(jax.jit, donate_argnums=(0, 1, 2))
    def step(w, state, key, data):
        key, now = jax.random.split(key)
        updates, state = rule.update(jax.grad(loss)(w, now, *data), state, w)
        return optax.apply_updates(w, updates), state, key

    theta = model.init(np.random.default_rng(0))
    w = {name: jax.numpy.array(part) for name, part in vars(model.layout.views(theta)).items()}
    data = tuple(jax.numpy.array(part) for part in data)
    now = [w, rule.init(w), jax.random.key(0)]

    def call() -> None:
        now[:] = step(*now, data)
        jax.block_until_ready(now)

    return Contender(call)


def jax_dropout(key: Any, h: Any, rate: float) -> Any:
    import jax

    return jax.numpy.where(jax.random.bernoulli(key, 1 - rate, h.shape), h / (1 - rate), 0)


def jax_classifier(w: dict, first: int, key: Any, h: Any, y: Any, n_layers: int) -> Any:
    """Fully connected layers from number ``first`` on, and the loss."""
    import jax
    import optax

    for k, noise in zip(range(first, first + n_layers - 1), jax.random.split(key, n_layers - 1), strict=True):
        h = jax_dropout(noise, jax.nn.relu(h @ w[f"W{k}"] + w[f"b{k}"]), HIDDEN_DROPOUT)
    last = first + n_layers - 1
    logits = h @ w[f"W{last}"] + w[f"b{last}"]
    return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()


def optax_mlp(threads: int, data: tuple[np.ndarray, ...]) -> Contender:
    import jax

    def loss(w, key, x, y):
        of_input, of_hidden = jax.random.split(key)
        return jax_classifier(w, 1, of_hidden, jax_dropout(of_input, x, INPUT_DROPOUT), y, 3)

    return optax_step(MLP(), loss, data)


def optax_cnn(threads: int, data: tuple[np.ndarray, ...]) -> Contender:
    import jax

    def loss(w, key, x, y):
        of_input, of_hidden = jax.random.split(key)
        h = jax_dropout(of_input, x, INPUT_DROPOUT)
        for k in (1, 2, 3):
            h = jax.lax.conv_general_dilated(
                h, w[f"W{k}"], (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
            )
            padding = ((0, 0), (0, 1), (0, 1), (0, 0))
            h = jax.lax.reduce_window(h, -np.inf, jax.lax.max, (1, 3, 3, 1), (1, 2, 2, 1), padding)
            h = jax.nn.relu(h + w[f"b{k}"])
        return jax_classifier(w, 4, of_hidden, h.reshape(len(h), -1), y, 2)

    return optax_step(CNN(), loss, data)


def optax_vae(threads: int, data: tuple[np.ndarray, ...]) -> Contender:
    import jax
    import optax

    def coder(w, name, h):
        h = jax.nn.softplus(h @ w[f"{name}_W1"] + w[f"{name}_b1"])
        return h @ w[f"{name}_W2"] + w[f"{name}_b2"]

    def loss(w, key, x):
        mean, log_variance = jax.numpy.split(coder(w, "encoder", x), 2, axis=1)
        z = mean + jax.numpy.exp(0.5 * log_variance) * jax.random.normal(key, mean.shape)
        reconstruction = optax.sigmoid_binary_cross_entropy(coder(w, "decoder", z), x).sum()
        divergence = 0.5 * (mean**2 + jax.numpy.exp(log_variance) - log_variance - 1).sum()
        return (reconstruction + divergence) / len(x)

    return optax_step(VAE(), loss, data)


def our_network(model: str, **options: Any) -> Any:
    noise = {"input_dropout": INPUT_DROPOUT, "hidden_dropout": HIDDEN_DROPOUT}
    return VAE() if model == "vae" else {"mlp": MLP, "cnn": CNN}[model](**noise, **options)


def our_step(model: str, threads: int, data: tuple[np.ndarray, ...], **options: Any) -> Contender:
    return ours(our_network(model, **options), threads, data)


# torch first: see benchmarks.optim.
MODELS: dict[str, dict[str, Callable[[int, tuple], Contender]]] = {
    "mlp": {
        "torch": torch_mlp,
        OURS: functools.partial(our_step, "mlp"),
        "scikit-learn, no dropout": sklearn_mlp,
        "optax, jitted": optax_mlp,
    },
    "cnn": {
        "torch, NCHW": functools.partial(torch_cnn, False),
        "torch, channels last": functools.partial(torch_cnn, True),
        OURS: functools.partial(our_step, "cnn"),
        WINOGRAD: functools.partial(our_step, "cnn", convolution="winograd"),
        "optax, jitted": optax_cnn,
    },
    "vae": {
        "torch": torch_vae,
        OURS: functools.partial(our_step, "vae"),
        "optax, jitted": optax_vae,
    },
}


def made(model: str, threads: int) -> dict[str, Contender]:
    """The contenders that can be made here; says which cannot."""
    data, contenders = batch(model), {}
    for name, make in MODELS[model].items():
        try:
            contenders[name] = make(threads, data)
        except ImportError as error:
            click.echo(f"left out: {name} ({error})")
    return contenders


def measure(model: str, threads: int, repeat: int, patience: float) -> dict[str, Any]:
    """Times in seconds and ratios of one model, each as lower quartile, median and upper quartile."""
    times, disturbed = interleaved(made(model, threads), repeat, patience=patience)
    steps = -(-EXAMPLES[model] // BATCH)
    return {
        "parameters": our_network(model).layout.size,
        "minibatch": BATCH,
        "disturbed rounds": disturbed,
        "seconds a step": {name: quartiles(values) for name, values in times.items()},
        "seconds an epoch, computed": {
            name: quartiles([steps * value for value in values]) for name, values in times.items()
        },
        "ratios": {
            our: {their: ratio(times[our], times[their]) for their in times if not their.startswith(OURS)}
            for our in times
            if our.startswith(OURS)
        },
    }


def memory(model: str) -> float | None:
    """The most memory, in megabytes, that a process of its own held while it made three of our steps."""
    command = [sys.executable, "-m", "benchmarks.models", "--memory-of", model]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    return float(said) if said else None


def print_memory(model: str) -> None:
    """Print it, where the system tells; ``getrusage`` will not do, it counts the parent before the start too."""
    contender = our_step(model, 1, batch(model))
    with contender.context():
        for _ in range(3):
            contender.call()
    about = Path("/proc/self/status")
    if about.is_file():
        click.echo(int(re.search(r"VmHWM:\s*(\d+) kB", about.read_text())[1]) * 1024 / 1e6)


def keep_to(threads: int) -> None:
    """Keep this process to as many cores as threads, where the system can: jax cannot be told otherwise."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-threads:])


def report(model: str, result: dict[str, Any]) -> None:
    """Print the medians."""
    click.echo(f"\n{model}, {result['disturbed rounds']} rounds disturbed by other processes")
    for name, (_, median, _) in result["seconds a step"].items():
        epoch = result["seconds an epoch, computed"][name][1]
        click.echo(f"  {name:25}{median * 1e3:9.2f} ms a step {epoch:8.1f} s an epoch")
    for our, ratios in result["ratios"].items():
        for their, (_, median, _) in ratios.items():
            click.echo(f"  {our} / {their}: {median:.2f}")
    if result["megabytes"]:
        click.echo(f"  {OURS}: {result['megabytes']:.0f} MB at most")


def parse_models(context: click.Context, parameter: click.Parameter, text: str) -> list[str]:
    """Names of models."""
    for name in text.split(","):
        if name not in MODELS:
            raise click.BadParameter(f"{name!r} is none of {', '.join(MODELS)}.")
    return text.split(",")


@click.command()
@click.option("--models", default=",".join(MODELS), show_default=True, callback=parse_models, help="Commas between.")
@click.option("--repeat", type=click.IntRange(min=2), default=21, show_default=True, help="Rounds.")
@click.option(
    "--patience",
    type=float,
    default=60,
    show_default=True,
    help="Seconds for each model in which rounds that other processes disturb are made again.",
)
@click.option(
    "--threads",
    type=click.IntRange(1, os.cpu_count()),
    default=1,
    show_default=True,
    help="Threads of every library; on Linux, also the cores that it may use.",
)
@side_by_side.output_option("models")
@click.option("--memory-of", hidden=True, type=click.Choice(list(MODELS)))
def main(models: list[str], repeat: int, patience: float, threads: int, output: Path, memory_of: str | None) -> None:
    """Time a training step of each network against other libraries, and write a record of times and ratios."""
    side_by_side.restart_without()
    if memory_of:
        print_memory(memory_of)
        return
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    keep_to(threads)
    about = side_by_side.machine()
    installed = side_by_side.versions("adamcore", "numpy", "numba", "torch", "jax", "optax", "scikit-learn")
    for name, value in {**about, "threads": threads, "versions": installed}.items():
        click.echo(f"{name}: {value}")
    record = {
        "what": "a training step in float32: lower quartile, median and upper quartile over the rounds",
        "machine": about,
        "versions": installed,
        "threads": threads,
        "rounds": repeat,
        "models": {},
    }
    for model in models:
        result = {**measure(model, threads, repeat, patience), "megabytes": memory(model)}
        record["models"][model] = result
        report(model, result)
    side_by_side.write(output, record)
    click.echo(f"\nwritten: {output}")


if __name__ == "__main__":
    main()
