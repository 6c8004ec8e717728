"""The experiments of the book.

Each is followed by the hours that its full scale takes on one core: its number of steps times the time of one, which
is the median over 50 steps of Adam on one thread, :data:`STEP_MILLISECONDS`. Two jobs on two cores take half as long.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

from adamcore.experiments.experiment import Experiment, Scale
from adamcore.experiments.full_batch import LBFGS
from adamcore.experiments.online import Online
from adamcore.experiments.sfo import SFO
from adamcore.models import CNN, MLP
from adamcore.optim import SGD, AdaDelta, AdaGrad, Adam, FadingAdam, LayerAdam, Nesterov, RMSProp, Rule, inverse_sqrt

ALPHAS = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0, 3.0, 10.0)
"""The step sizes that every contender of a convex experiment is tried with, two a decade."""


STEP_MILLISECONDS = {
    "mnist_logistic": 0.22,
    "imdb_logistic": 0.33,
    "mnist_mlp": 9.4,
    "mnist_mlp with dropout": 10.4,
    "mnist_mlp of (100, 100) units": 0.8,
    "cifar_cnn": 182.0,
    "cifar_cnn with dropout": 181.0,
    "mnist_vae": 5.4,
    "sparse_stream": 0.05,
}
"""Processor time of one step on 128 examples, taking them from the data included, with OpenBLAS's AVX-512 kernels, on
a machine with other work on it; the convolutional network as its full scale has it, by Winograd's algorithm (273 and
280 without), the synthetic stream one example at eleven step sizes. With kernels for older processors
(``OPENBLAS_CORETYPE=Haswell``) the networks took 1.5 to 1.8 times as long."""


SFO_OVER_ADAM = {25: 0.9, 100: 3.0}
"""How many times as long as an epoch of Adam a pass of SFO takes, by the number of its subfunctions, with the network
and the 60,000 images of Figure 2 (b), on one thread: measured in turn by ``python -m benchmarks.sfo``. (Times in the
records are of no use for that: their runs were made at different times, beside other work.)"""


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
"""Full scale: 0.7 hours: 495 runs."""


def half_decades(center: float, number: int) -> tuple[float, ...]:
    """Return step sizes two a decade, such as 0.003, 0.01, 0.03 around 0.01.

    Parameters
    ----------
    center : float
        A power of ten.
    number : int
        How many; odd.

    Returns
    -------
    tuple of float

    Examples
    --------
    >>> from adamcore.experiments.catalog import half_decades
    >>> half_decades(0.01, 5)
    (0.001, 0.003, 0.01, 0.03, 0.1)
    """
    reach = number // 2
    return tuple(float(f"{center * 10 ** (k / 2):.0e}") for k in range(-reach, reach + 1))


def _grid(make: Callable[..., Rule], alphas: tuple[float, ...], per_epoch: int) -> tuple[Rule, ...]:
    """Each step size twice: constant, and divided by the square root of the epoch."""
    return tuple(make(alpha=decay) for alpha in alphas for decay in (alpha, inverse_sqrt(alpha, per_epoch)))


def _named(suffix: str, rules: dict[str, Rule]) -> dict[str, Rule]:
    """The contenders with a suffix to their names, as the legends of the paper have it."""
    return {name + suffix: rule for name, rule in rules.items()}


def _fig1b(epochs: int, n_train: int, seeds: int, suffix: str, *, tune: bool) -> Scale:
    per_epoch = steps_per_epoch(n_train, batch_size=128)
    contenders = {"AdaGrad": AdaGrad, "RMSProp": RMSProp, "SGDNesterov": Nesterov, "Adam": Adam}
    # Found by fitting the paper's curves, which are all with dropout.
    paper = {
        "AdaGrad": AdaGrad(alpha=0.05),
        "RMSProp": RMSProp(alpha=0.002, rho=0.9),
        "SGDNesterov": Nesterov(alpha=0.003, mu=0.9),
        "Adam": Adam(alpha=0.003),
    }
    return Scale(
        epochs=epochs,
        n_train=n_train,
        batch_size=128,
        seeds=seeds,
        paper=_named(suffix, paper),
        grid={name + suffix: _equal_grid(rule, per_epoch) for name, rule in contenders.items()} if tune else {},
        extend=tune,
    )


FIG1B = Experiment(
    name="fig1b",
    title="Figure 1 (right): logistic regression on IMDB, with dropout",
    problem="imdb_logistic",
    parameters={"dropout": 0.5},
    scales={
        "smoke": lambda: _fig1b(epochs=2, n_train=2_000, seeds=2, suffix="+dropout", tune=False),
        "book": lambda: _fig1b(epochs=30, n_train=25_000, seeds=1, suffix="+dropout", tune=False),
        "full": lambda: _fig1b(epochs=176, n_train=25_000, seeds=5, suffix="+dropout", tune=True),
    },
)
"""Full scale: 2.1 hours: 670 runs."""

FIG1B_CLEAN = Experiment(
    name="fig1b_clean",
    title="Section 6.1: logistic regression on IMDB, without dropout, 60 epochs",
    problem="imdb_logistic",
    parameters={"dropout": 0.0},
    scales={
        "smoke": lambda: _fig1b(epochs=2, n_train=2_000, seeds=2, suffix="", tune=False),
        "book": lambda: _fig1b(epochs=20, n_train=25_000, seeds=1, suffix="", tune=False),
        "full": lambda: _fig1b(epochs=60, n_train=25_000, seeds=5, suffix="", tune=True),
    },
)
"""Full scale: 0.7 hours: 670 runs. The paper says "with and without dropout noise" and shows the former."""


# The paper gives no rates; these are those of Hinton et al., arXiv:1207.0580, and Srivastava et al. (JMLR 2014).
DROPOUT = {"input_dropout": 0.2, "hidden_dropout": 0.5}
"""The rates of dropout in both networks, of the inputs and of the fully connected hidden units."""

SMALL_MLP = {"hidden": (200, 200)}
SMALL_CNN = {"channels": (8, 8, 16), "hidden": 64, "whiten": False}
SMALL_VAE = {"hidden": 100, "n_latent": 10}
"""The networks of the scales ``smoke`` and ``book``; whitening alone would take half of a book run's time."""

START = {"initialization": "glorot"}
"""How the convolutional network starts, of which the paper says nothing. In its first steps Adam, at its default step
size, moves a unit's 1600 weights mostly in one direction, and so its output by as much as that varies; units that end
below zero for all images never come back. How many do depends on the start. Of He's and Glorot's, Glorot's left more
of them, and had the lower cost of Adam after two epochs on all images (one seed)."""

FULL_CNN = {"convolution": "winograd"}
"""The full scale takes the larger convolutions by Winograd's algorithm: two thirds of the time, and the same numbers
in float64."""

CENTERS: dict[str, tuple[Callable[..., Rule], float]] = {
    "AdaGrad": (AdaGrad, 0.01),
    "RMSProp": (RMSProp, 0.001),
    "SGDNesterov": (Nesterov, 0.01),
    "AdaDelta": (AdaDelta, 1.0),
    "Adam": (Adam, 0.001),
}
"""For each contender of a network its rule, and the step size around which its grid is laid: that of its paper or of
the libraries. All grids have the same number of settings, and grow where the best stands on their edge."""


def _network_grid(names: tuple[str, ...], number: int, per_epoch: int | None) -> dict[str, tuple[Rule, ...]]:
    """The same number of step sizes for every contender; with both decays, or constant if ``per_epoch`` is None."""
    grids = {}
    for name in names:
        make, center = CENTERS[name]
        alphas = half_decades(center, number)
        grids[name] = tuple(make(alpha=a) for a in alphas) if per_epoch is None else _grid(make, alphas, per_epoch)
    return grids


def _fig2a(epochs: int, n_train: int, seeds: int, problem: dict, *, tune: bool = False, both: bool = False) -> Scale:
    """Usual settings; with equal grids, or with the three decaying step sizes also constant."""
    per_epoch = steps_per_epoch(n_train, batch_size=128)
    # Not fitted to the paper's curves: usual step sizes, three of them with the decay that fits Figure 1.
    paper = {
        "AdaGrad": AdaGrad(alpha=0.01),
        "RMSProp": RMSProp(alpha=inverse_sqrt(0.001, per_epoch)),
        "SGDNesterov": Nesterov(alpha=inverse_sqrt(0.03, per_epoch), mu=0.9),
        "AdaDelta": AdaDelta(alpha=1.0),
        "Adam": Adam(alpha=inverse_sqrt(0.001, per_epoch)),
    }
    grid = _network_grid(tuple(paper), 7, per_epoch) if tune else {}
    if both:
        # The decay is our inference, so each contender that has it shows what it does.
        alphas = {"RMSProp": 0.001, "SGDNesterov": 0.03, "Adam": 0.001}
        grid = {name: _grid(CENTERS[name][0], (alpha,), per_epoch) for name, alpha in alphas.items()}
    return Scale(
        epochs=epochs,
        n_train=n_train,
        batch_size=128,
        seeds=seeds,
        paper=paper,
        grid=grid,
        problem=problem,
        extend=tune,
    )


FIG2A = Experiment(
    name="fig2a",
    title="Figure 2 (a): a multilayer network on MNIST, with dropout",
    problem="mnist_mlp",
    parameters=DROPOUT,
    scales={
        "smoke": lambda: _fig2a(epochs=2, n_train=1_000, seeds=2, problem={"hidden": (50, 50)}),
        "book": lambda: _fig2a(epochs=10, n_train=6_000, seeds=1, problem=SMALL_MLP),
        "full": lambda: _fig2a(epochs=201, n_train=60_000, seeds=3, problem={}, both=True),
    },
    # How large v is, section 6.3 compares between this network and the convolutional one.
    measures=("full_cost", "second_moment", "test_error"),
)
"""Full scale: 6.5 hours: 24 runs, since three of the five have their step size with the decay and without."""

FIG2A_TUNING = Experiment(
    name="fig2a_tuning",
    title="Figure 2 (a), tuning at 20 of the 200 epochs: a multilayer network on MNIST, with dropout",
    problem="mnist_mlp",
    parameters=DROPOUT,
    scales={
        "smoke": lambda: _fig2a(epochs=2, n_train=500, seeds=1, problem={"hidden": (10, 10)}, tune=True),
        "book": lambda: _fig2a(epochs=2, n_train=2_000, seeds=1, problem={"hidden": (50, 50)}, tune=True),
        "full": lambda: _fig2a(epochs=20, n_train=60_000, seeds=1, problem={}, tune=True),
    },
)
"""Full scale: 1.9 hours: 70 runs, and more where the best of a grid stands on its edge."""


def _fig2b(epochs: int, n_train: int, seeds: int, problem: dict, *, tune: bool) -> Scale:
    per_epoch = steps_per_epoch(n_train, batch_size=128)
    # No setting of Adam that was tried has the form of the paper's curve, which falls ever faster up to epoch 9.
    return Scale(
        epochs=epochs,
        n_train=n_train,
        batch_size=128,
        seeds=seeds,
        paper={
            "LBFGS": LBFGS(),
            "Adam": Adam(alpha=inverse_sqrt(0.001, per_epoch)),
            "SFO": SFO(),
            "SFO+dropout": SFO(),
            # These take too long for the chapter: more parts make SFO better and slower, and it has no step size to
            # tune; Adam with the same dropout shows what the cost that SFO minimizes there can fall to.
            **(
                {
                    "SFO, 100 parts": SFO(subfunctions=100),
                    "SFO+dropout, 100 parts": SFO(subfunctions=100),
                    "Adam+dropout": Adam(alpha=inverse_sqrt(0.001, per_epoch)),
                }
                if tune
                else {}
            ),
        },
        grid=_network_grid(("Adam",), 7, per_epoch) if tune else {},
        problem=problem,
        parameters={"SFO+dropout": DROPOUT}
        | (dict.fromkeys(("SFO+dropout, 100 parts", "Adam+dropout"), DROPOUT) if tune else {}),
        extend=tune,
    )


FIG2B = Experiment(
    name="fig2b",
    title="Figure 2 (b): a multilayer network on MNIST without dropout, Adam against SFO and L-BFGS",
    problem="mnist_mlp",
    # "L2 weight decay" of a strength that is not given. The paper's cost falls to 6e-6.
    parameters={"l2": 0.0},
    scales={
        "smoke": lambda: _fig2b(epochs=3, n_train=500, seeds=2, problem={"hidden": (20, 20)}, tune=False),
        "book": lambda: _fig2b(epochs=15, n_train=6_000, seeds=1, problem=SMALL_MLP, tune=False),
        "full": lambda: _fig2b(epochs=26, n_train=60_000, seeds=3, problem={}, tune=True),
    },
    # L-BFGS knows the cost after each epoch; Adam's mean over an epoch is not comparable with it, its full cost is.
    measures=("full_cost", "second_moment", "test_error"),
)
"""Full scale: 2.3 hours: 60 runs. L-BFGS and SFO have as many passes over the data as Adam has epochs.

Of SFO's runs 3 have 25 parts (0.6 GB of memory more than a run of Adam), 3 the same with dropout, and 6 have 100
parts (2.2 GB more), as its authors' own experiments with a network of two hidden layers had, 3 of them with dropout.
"""


def _cnn_settings(per_epoch: int) -> dict[str, Rule]:
    """Usual step sizes, not fitted to Figure 3; AdaGrad's is that of Figure 1. The decay is our inference."""
    return {
        "AdaGrad": AdaGrad(alpha=0.001),
        "SGDNesterov": Nesterov(alpha=inverse_sqrt(0.01, per_epoch), mu=0.9),
        "Adam": Adam(alpha=inverse_sqrt(0.001, per_epoch)),
    }


def _fig3(epochs: int, n_train: int, seeds: int, problem: dict) -> Scale:
    """Each contender with a constant step size and with the decay; what the records and verdicts draw first."""
    per_epoch = steps_per_epoch(n_train, batch_size=128)
    alphas = {"AdaGrad": 0.001, "SGDNesterov": 0.01, "Adam": 0.001}
    return Scale(
        epochs=epochs,
        n_train=n_train,
        batch_size=128,
        seeds=seeds,
        paper=_cnn_settings(per_epoch),
        grid={name: _grid(CENTERS[name][0], (alpha,), per_epoch) for name, alpha in alphas.items()},
        problem=problem,
    )


def _fig3_dropout(epochs: int, n_train: int, seeds: int, problem: dict, *, both: bool) -> Scale:
    """The contenders with dropout, and, if wanted, also without."""
    paper = _cnn_settings(steps_per_epoch(n_train, batch_size=128))
    with_dropout = _named("+dropout", paper)
    return Scale(
        epochs=epochs,
        n_train=n_train,
        batch_size=128,
        seeds=seeds,
        paper={**paper, **with_dropout} if both else with_dropout,
        grid={},
        problem=problem,
        parameters=dict.fromkeys(with_dropout, DROPOUT),
    )


def _fig3_fall(epochs: int, n_train: int, seeds: int, problem: dict) -> Scale:
    """Adam alone, as in the long run."""
    paper = {"Adam": _cnn_settings(steps_per_epoch(n_train, batch_size=128))["Adam"]}
    return Scale(epochs=epochs, n_train=n_train, batch_size=128, seeds=seeds, paper=paper, grid={}, problem=problem)


def _fig3_tuning(epochs: int, n_train: int, problem: dict, number: int) -> Scale:
    per_epoch = steps_per_epoch(n_train, batch_size=128)
    paper = _cnn_settings(per_epoch)
    return Scale(
        epochs=epochs,
        n_train=n_train,
        batch_size=128,
        seeds=1,
        paper=paper,
        grid=_network_grid(tuple(paper), number, None),
        problem=problem,
        extend=True,
    )


FIG3 = Experiment(
    name="fig3",
    title="Figure 3: a convolutional network on CIFAR-10, without dropout",
    problem="cifar_cnn",
    parameters=START,
    scales={
        "smoke": lambda: _fig3(epochs=1, n_train=256, seeds=1, problem={**SMALL_CNN, "channels": (4, 4, 4)}),
        "book": lambda: _fig3(epochs=6, n_train=1_000, seeds=1, problem=SMALL_CNN),
        "full": lambda: _fig3(epochs=46, n_train=50_000, seeds=1, problem=FULL_CNN),
    },
    measures=("second_moment", "test_error"),
)
"""Full scale: 5.5 hours: 6 runs. More seeds, of one contender: ``--seeds 3 --only Adam``."""

FIG3_DROPOUT = Experiment(
    name="fig3_dropout",
    title="Figure 3: a convolutional network on CIFAR-10, with dropout",
    problem="cifar_cnn",
    parameters=START,
    scales={
        "smoke": lambda: _fig3_dropout(1, 256, 1, {**SMALL_CNN, "channels": (4, 4, 4)}, both=False),
        "book": lambda: _fig3_dropout(6, 1_000, 1, SMALL_CNN, both=False),
        "full": lambda: _fig3_dropout(46, 50_000, 1, FULL_CNN, both=False),
    },
    measures=("full_cost", "second_moment", "test_error"),
)
"""Full scale: 2.7 hours: 3 runs."""

FIG3_START = Experiment(
    name="fig3_start",
    title="Figure 3 (left): a convolutional network on CIFAR-10, its first epochs",
    problem="cifar_cnn",
    parameters=START,
    scales={
        "smoke": lambda: _fig3_dropout(2, 256, 1, {**SMALL_CNN, "channels": (4, 4, 4)}, both=True),
        "book": lambda: _fig3_dropout(3, 1_000, 1, SMALL_CNN, both=True),
        "full": lambda: _fig3_dropout(4, 50_000, 3, FULL_CNN, both=True),
    },
)
"""Full scale: 1.4 hours: 18 runs."""

FIG3_FALL = Experiment(
    name="fig3_fall",
    title="Figure 3 (right): Adam on the convolutional network, its first 17 epochs from several seeds",
    problem="cifar_cnn",
    parameters=START,
    scales={
        "smoke": lambda: _fig3_fall(1, 256, 2, {**SMALL_CNN, "channels": (4, 4, 4)}),
        "book": lambda: _fig3_fall(6, 1_000, 2, SMALL_CNN),
        "full": lambda: _fig3_fall(17, 50_000, 3, FULL_CNN),
    },
)
"""Full scale: 1.0 hours: 3 runs. It shows how much of the curve's steep fall a seed decides."""

FIG3_HE = Experiment(
    name="fig3_he",
    title="Figure 3 (right): Adam on the convolutional network from another start, He's, its first 17 epochs",
    problem="cifar_cnn",
    parameters={"initialization": "he"},
    scales={
        "smoke": lambda: _fig3_fall(1, 256, 1, {**SMALL_CNN, "channels": (4, 4, 4)}),
        "book": lambda: _fig3_fall(6, 1_000, 1, SMALL_CNN),
        "full": lambda: _fig3_fall(17, 50_000, 1, FULL_CNN),
    },
)
"""Full scale: 0.3 hours: 1 run. It shows how much of the curve's steep fall the start decides."""

FIG3_TUNING = Experiment(
    name="fig3_tuning",
    title="Figure 3, tuning on 10,000 images and 10 epochs: a convolutional network on CIFAR-10, without dropout",
    problem="cifar_cnn",
    parameters=START,
    scales={
        "smoke": lambda: _fig3_tuning(1, 128, {**SMALL_CNN, "channels": (4, 4, 4)}, number=3),
        "book": lambda: _fig3_tuning(2, 500, SMALL_CNN, number=3),
        "full": lambda: _fig3_tuning(10, 10_000, FULL_CNN, number=7),
    },
)
"""Full scale: 0.9 hours: 23 runs, and more where the best of a grid stands on its edge."""


VAE_CONTENDERS: dict[str, dict[str, float | bool]] = {
    f"beta1={beta1:g}, beta2={beta2:g}, {'corrected' if corrected else 'uncorrected'}": {
        "beta1": beta1,
        "beta2": beta2,
        "bias_correction": corrected,
    }
    for beta1 in (0.0, 0.9)
    for beta2 in (0.99, 0.999, 0.9999)
    for corrected in (True, False)
}
"""The contenders of Figure 4: all panels and both colors. Without correction Adam is RMSProp, with momentum if
beta1 > 0."""


def _fig4(epochs: int, n_train: int, seeds: int, problem: dict, alphas: tuple[float, ...]) -> Scale:
    return Scale(
        epochs=epochs,
        n_train=n_train,
        batch_size=128,
        seeds=seeds,
        paper={name: Adam(alpha=0.001, **betas) for name, betas in VAE_CONTENDERS.items()},
        grid={name: tuple(Adam(alpha=a, **betas) for a in alphas) for name, betas in VAE_CONTENDERS.items()},
        problem=problem,
    )


FIG4 = Experiment(
    name="fig4",
    title="Figure 4 (top): a variational auto-encoder on MNIST after 10 epochs, with and without bias correction",
    problem="mnist_vae",
    # The paper does not say how pixels became binary. Gray pixels, taken for probabilities, give the losses that its
    # figure shows (pilot: 107.2 after 10 epochs at the defaults, the figure's 107.0).
    parameters={"binarization": "none"},
    scales={
        "smoke": lambda: _fig4(1, 500, 1, {"hidden": 20, "n_latent": 5}, alphas=(1e-3,)),
        "book": lambda: _fig4(10, 2_000, 1, SMALL_VAE, alphas=(3e-4, 1e-3, 3e-3, 1e-2)),
        "full": lambda: _fig4(10, 60_000, 3, {}, alphas=half_decades(1e-3, 9)),
    },
    # Nor does the paper say whether its losses are those of training or of test images.
    measures=("test_bound",),
)
"""Full scale: 2.3 hours: 324 runs."""

FIG4_LONG = Experiment(
    name="fig4_long",
    title="Figure 4 (bottom): a variational auto-encoder after 100 epochs, on a tenth of MNIST's images",
    problem="mnist_vae",
    parameters={"binarization": "none"},
    scales={
        "smoke": lambda: _fig4(2, 200, 1, {"hidden": 20, "n_latent": 5}, alphas=(1e-3,)),
        "book": lambda: _fig4(30, 600, 1, SMALL_VAE, alphas=(3e-4, 1e-3, 3e-3, 1e-2)),
        "full": lambda: _fig4(100, 6_000, 1, {}, alphas=half_decades(1e-3, 9)),
    },
    # A tenth of the images is soon learned by heart: how much of the loss that is, only other images tell.
    measures=("test_bound",),
)
"""Full scale: 0.8 hours: 108 runs."""

# What follows is not in the paper's figures: sentences of its text, each made an experiment.

BETA1_CONTENDERS = {
    f"beta1={beta1:g}{fading}": (beta1, bool(fading)) for beta1 in (0.9, 0.99) for fading in ("", ", fading")
}
"""The contenders on a beta1 that fades: what it is at first, and whether it falls to zero over the last fifth."""


def _fading(epochs: int, n_train: int, seeds: int, alphas: tuple[float, ...], problem: dict | None = None) -> Scale:
    per_epoch = steps_per_epoch(n_train, batch_size=128)
    last = epochs - max(1, epochs // 5)

    def contender(beta1: float, fading: bool) -> Callable[..., Rule]:
        """Adam, or Adam that fades over the last fifth of the epochs, for any alpha."""
        if fading:
            return partial(FadingAdam, beta1=beta1, hold=last * per_epoch, fade=(epochs - last) * per_epoch)
        return partial(Adam, beta1=beta1)

    contenders = {name: contender(*settings) for name, settings in BETA1_CONTENDERS.items()}
    return Scale(
        epochs=epochs,
        n_train=n_train,
        batch_size=128,
        seeds=seeds,
        paper={name: make(alpha=0.001) for name, make in contenders.items()},
        grid={name: _grid(make, alphas, per_epoch) for name, make in contenders.items()},
        problem=problem or {},
    )


FADING_LOGISTIC = Experiment(
    name="fading_logistic",
    title="Section 4: a beta1 that fades at the end, logistic regression on 10,000 images of MNIST, 20 epochs",
    problem="mnist_logistic",
    parameters={"l2": 1e-4},
    scales={
        "smoke": lambda: _fading(epochs=2, n_train=500, seeds=2, alphas=(1e-3,)),
        "book": lambda: _fading(epochs=10, n_train=2_000, seeds=2, alphas=half_decades(1e-2, 3)),
        "full": lambda: _fading(epochs=20, n_train=10_000, seeds=5, alphas=half_decades(1e-2, 5)),
    },
    measures=("excess",),
)
"""Full scale: 0.0 hours: 200 runs, a second each with the measure."""

FADING_MLP = Experiment(
    name="fading_mlp",
    title="Section 4: a beta1 that fades at the end, a small network on 10,000 images of MNIST, 20 epochs",
    problem="mnist_mlp",
    parameters={"hidden": (100, 100)},
    scales={
        "smoke": lambda: _fading(2, 500, 2, alphas=(1e-3,), problem={"hidden": (20, 20)}),
        "book": lambda: _fading(10, 2_000, 1, alphas=half_decades(1e-3, 3), problem={"hidden": (50, 50)}),
        "full": lambda: _fading(20, 10_000, 5, alphas=half_decades(1e-3, 7)),
    },
    measures=("full_cost",),
)
"""Full scale: 0.1 hours: 280 runs."""


def _sparse_regret(n_train: int, seeds: int, alphas: tuple[float, ...], problem: dict | None = None) -> Scale:
    """Each contender as its theory has it, and with the other choice between a constant and a decaying step size."""
    constant, decaying = 1.0, inverse_sqrt(1.0)
    contenders = {"SGD": (SGD, decaying), "AdaGrad": (AdaGrad, constant), "Adam": (Adam, decaying)}
    return Scale(
        epochs=1,
        n_train=n_train,
        batch_size=1,
        seeds=seeds,
        paper={name: Online(make(alpha=own), alphas) for name, (make, own) in contenders.items()},
        grid={
            name: tuple(Online(make(alpha=alpha), alphas) for alpha in (constant, decaying))
            for name, (make, _) in contenders.items()
        },
        problem=problem or {},
    )


SPARSE_REGRET = Experiment(
    name="sparse_regret",
    title="Section 4: regret and the number of features, where these follow a power law",
    problem="sparse_stream",
    # Even the rarest of 32 features is met some 300 times. With more features than the cube root of T, the last ones
    # are met so rarely that they cost hardly anything, whoever plays, and regret stops growing.
    parameters={"numbers": (4, 8, 16, 32), "power": 2.0, "flips": 0.25},
    scales={
        "smoke": lambda: _sparse_regret(500, 2, (0.1, 1.0), {"numbers": (2, 4)}),
        "book": lambda: _sparse_regret(2**14, 1, half_decades(0.1, 9), {"numbers": (2, 4, 8)}),
        "full": lambda: _sparse_regret(2**19, 3, half_decades(0.1, 13)),
    },
)
"""Full scale: 0.1 hours: 18 runs, each with thirteen step sizes."""

ABLATION_CONTENDERS: dict[str, Callable[..., Rule]] = {
    "Adam": lambda sizes, alpha: Adam(alpha=alpha),
    "beta1=0": lambda sizes, alpha: Adam(alpha=alpha, beta1=0.0),
    "one v a layer": lambda sizes, alpha: LayerAdam(alpha=alpha, sizes=sizes),
}
"""Adam, Adam without the first moment, and Adam without a second moment of each coordinate's own."""


def _ablation(
    epochs: int, n_train: int, seeds: int, number: int, model: Callable[..., Any], problem: dict | None = None
) -> Scale:
    problem = problem or {}
    shapes = model(**{name: value for name, value in problem.items() if name in ("channels", "hidden")}).layout.shapes
    sizes = tuple(math.prod(shape) for shape in shapes.values())
    return Scale(
        epochs=epochs,
        n_train=n_train,
        batch_size=128,
        seeds=seeds,
        paper={name: make(sizes, 0.001) for name, make in ABLATION_CONTENDERS.items()},
        grid={
            name: tuple(make(sizes, alpha) for alpha in half_decades(0.001, number))
            for name, make in ABLATION_CONTENDERS.items()
        },
        problem=problem,
        extend=number > 1,
    )


def _mlp(hidden: tuple[int, ...] = (1000, 1000)) -> MLP:
    """The network of section 6.2, for its layers."""
    return MLP((784, *hidden, 10))


ABLATION_CNN = Experiment(
    name="ablation_cnn",
    title="Section 6.3: Adam without either moment, a convolutional network on 5,000 images of CIFAR-10, 20 epochs",
    problem="cifar_cnn",
    parameters=START,
    scales={
        "smoke": lambda: _ablation(1, 128, 1, 1, CNN, {**SMALL_CNN, "channels": (4, 4, 4)}),
        "book": lambda: _ablation(4, 500, 1, 1, CNN, SMALL_CNN),
        "full": lambda: _ablation(20, 5_000, 3, 5, CNN, FULL_CNN),
    },
)
"""Full scale: 1.8 hours: 45 runs, and more where the best of a grid stands on its edge. It needs the embedded images
only."""

ABLATION_MLP = Experiment(
    name="ablation_mlp",
    title="Section 6.3: Adam without either moment, the multilayer network on 5,000 images of MNIST, 20 epochs",
    problem="mnist_mlp",
    parameters={},
    scales={
        "smoke": lambda: _ablation(1, 500, 1, 1, _mlp, {"hidden": (20, 20)}),
        "book": lambda: _ablation(4, 2_000, 1, 3, _mlp, SMALL_MLP),
        "full": lambda: _ablation(20, 5_000, 3, 5, _mlp),
    },
)
"""Full scale: 0.1 hours: 45 runs, and more where the best of a grid stands on its edge. One v a layer has no compiled
step, and takes twice as long."""


def _vae_sparsity(epochs: int, n_train: int, seeds: int, problem: dict) -> Scale:
    """Two contenders of Figure 4 at the default step size."""
    names = ("beta1=0.9, beta2=0.999, corrected", "beta1=0, beta2=0.999, corrected")
    return Scale(
        epochs=epochs,
        n_train=n_train,
        batch_size=128,
        seeds=seeds,
        paper={name: Adam(alpha=0.001, **VAE_CONTENDERS[name]) for name in names},
        grid={},
        problem=problem,
    )


VAE_SPARSITY = Experiment(
    name="vae_sparsity",
    title="Section 6.4: how sparse the gradients of a variational auto-encoder become in 100 epochs",
    problem="mnist_vae",
    parameters={"binarization": "none"},
    scales={
        "smoke": lambda: _vae_sparsity(2, 300, 1, {"hidden": 20, "n_latent": 5}),
        "book": lambda: _vae_sparsity(20, 1_000, 1, SMALL_VAE),
        "full": lambda: _vae_sparsity(100, 60_000, 3, {}),
    },
    measures=("gradient_sparsity",),
)
"""Full scale: 0.4 hours: 6 runs. An experiment of its own, with the paper's images and epochs: the runs of Figure 4
need no measure for it."""

EXPERIMENTS = {
    experiment.name: experiment
    for experiment in (
        FIG1A,
        FIG1B,
        FIG1B_CLEAN,
        FIG2A,
        FIG2A_TUNING,
        FIG2B,
        FIG3,
        FIG3_DROPOUT,
        FIG3_FALL,
        FIG3_HE,
        FIG3_START,
        FIG3_TUNING,
        FIG4,
        FIG4_LONG,
        SPARSE_REGRET,
        FADING_LOGISTIC,
        FADING_MLP,
        ABLATION_CNN,
        ABLATION_MLP,
        VAE_SPARSITY,
    )
}
"""Every experiment by its name."""


def hours(experiment: Experiment, scale: str = "full") -> float:
    """Return how long all runs of a scale take, one after another on one core, by :data:`STEP_MILLISECONDS`.

    Not counted are the loading of data, measures, and a grid's extensions; a pass of L-BFGS is counted as an epoch of
    Adam, one of SFO as :data:`SFO_OVER_ADAM` of them.
    Of a scale with a smaller network it says nothing.

    Parameters
    ----------
    experiment : Experiment
    scale : str, default "full"

    Returns
    -------
    float

    Examples
    --------
    >>> from adamcore.experiments import get_experiment
    >>> from adamcore.experiments.catalog import hours
    >>> round(hours(get_experiment("fig4")), 1)
    2.3
    """
    size = experiment.scale(scale)
    steps = steps_per_epoch(size.n_train, size.batch_size)
    total = 0.0
    for single in experiment.runs(size):
        parameters = dict(single.parameters)
        small = f"{single.problem} of {parameters.get('hidden')} units"
        noisy = f"{single.problem} with dropout" if parameters.get("hidden_dropout") else ""
        name = next(one for one in (small, noisy, single.problem) if one in STEP_MILLISECONDS)
        times = SFO_OVER_ADAM[single.rule.number(size.n_train)] if isinstance(single.rule, SFO) else 1.0
        total += single.epochs * steps * times * STEP_MILLISECONDS[name]
    return total / 3.6e6


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
