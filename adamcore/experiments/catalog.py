"""The experiments of the book."""

from __future__ import annotations

from adamcore.experiments.experiment import Experiment, Scale
from adamcore.optim import AdaGrad, Adam, Nesterov, Rule, inverse_sqrt

ALPHAS = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0, 3.0, 10.0)
"""The step sizes that every contender of a convex experiment is tried with, two a decade."""


def steps_per_epoch(n_train: int, batch_size: int) -> int:
    """Minibatches in one pass, the last short one included."""
    return -(-n_train // batch_size)


def _equal_grid(make: type[Rule], per_epoch: int) -> tuple[Rule, ...]:
    """One contender's share of an equal grid: every step size, constant and with both readings of the decay."""
    decays = (float, inverse_sqrt, lambda alpha: inverse_sqrt(alpha, per_epoch))
    return tuple(make(alpha=decay(alpha)) for decay in decays for alpha in ALPHAS)


def _fig1a(epochs: int, n_train: int, seeds: int, *, tune: bool) -> Scale:
    per_epoch = steps_per_epoch(n_train, batch_size=128)
    contenders = {"AdaGrad": AdaGrad, "SGDNesterov": Nesterov, "Adam": Adam}
    return Scale(
        epochs=epochs,
        n_train=n_train,
        batch_size=128,
        seeds=seeds,
        # The paper gives no step sizes; these were found by fitting its curves.
        paper={
            "AdaGrad": AdaGrad(alpha=0.001),
            "SGDNesterov": Nesterov(alpha=0.01, mu=0.9),
            "Adam": Adam(alpha=inverse_sqrt(0.001, per_epoch)),
        },
        grid={name: _equal_grid(rule, per_epoch) for name, rule in contenders.items()} if tune else {},
    )


FIG1A = Experiment(
    name="fig1a",
    title="Figure 1 (left): logistic regression on MNIST",
    problem="mnist_logistic",
    parameters={"l2": 1e-4},
    scales={
        "smoke": lambda: _fig1a(epochs=2, n_train=2_000, seeds=2, tune=False),
        "book": lambda: _fig1a(epochs=46, n_train=60_000, seeds=1, tune=False),
        "full": lambda: _fig1a(epochs=46, n_train=60_000, seeds=5, tune=True),
    },
)

EXPERIMENTS = {experiment.name: experiment for experiment in (FIG1A,)}
"""Every experiment by its name."""


def get_experiment(name: str) -> Experiment:
    """Return the experiment of that name.

    Raises
    ------
    ValueError
        If there is none.

    Examples
    --------
    >>> from adamcore.experiments import get_experiment
    >>> get_experiment("fig1a").title
    'Figure 1 (left): logistic regression on MNIST'
    """
    if name not in EXPERIMENTS:
        raise ValueError(f"there is no experiment {name!r}; there are {', '.join(EXPERIMENTS)}.")
    return EXPERIMENTS[name]
