"""Problems: a model with its training data, by name, so that a record can say which it was.

What the paper does not say is a parameter here, and its value a decision of the catalog's. A smaller problem takes
the first ``n_train`` examples (of IMDB, whose reviews stand sorted by class, evenly spaced ones).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from adamcore.data import Dataset, Whitening, load_cifar10, load_imdb, load_mnist, normalize_contrast, scale_pixels
from adamcore.experiments.online import FeatureHinge, power_law
from adamcore.experiments.train import digest
from adamcore.models import CNN, MLP, VAE, BinaryLogisticRegression, LogisticRegression, SparseRows

EMBEDDED_CIFAR = 5_000
"""Training images of CIFAR-10 that are in the package; a problem with more of them needs the full set."""

BINARIZATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "none": lambda x: x,
    "threshold": lambda x: (x > 0.5).astype(x.dtype),
    "sampled": lambda x: (np.random.default_rng(0).random(x.shape, np.float32) < x).astype(x.dtype),
}
"""How gray pixels become what a Bernoulli distribution describes. ``"none"``: they stay gray and are taken for
probabilities, as the cross-entropy allows. ``"threshold"``: above one half is 1. ``"sampled"``: 1 with a probability
that is the gray value, drawn once for the whole data set."""


@dataclass(frozen=True, eq=False)
class Problem:
    """A model, its training examples, and the digest of the data set that they come from.

    Attributes
    ----------
    model : object
        Such as :class:`adamcore.models.LogisticRegression`.
    data : tuple
        What minibatches consist of: arrays or sparse rows of the same length.
    digest : str
        That of :class:`adamcore.data.Dataset`.
    test : tuple, optional
        The test set, as ``data``.
    """

    model: Any
    data: tuple[Any, ...]
    digest: str
    test: tuple[Any, ...] | None = None


def mnist_logistic(n_train: int, l2: float) -> Problem:
    """Section 6.1: multinomial logistic regression on the first ``n_train`` images, pixels from 0 to 1."""
    data, test, digest = _mnist(n_train)
    return Problem(LogisticRegression(784, 10, l2=l2), data, digest, test)


def imdb_logistic(
    n_train: int, dropout: float = 0.5, l2: float = 0.0, rescale: bool = False, counts: bool = False
) -> Problem:
    """Section 6.1: logistic regression on bags of words, with dropout noise on the words.

    Parameters
    ----------
    n_train : int
        Reviews, evenly spaced among the 25,000; as many of each class.
    dropout : float, default 0.5
        The paper's 50 %; 0 is its comparison without noise.
    l2 : float, default 0
    rescale : bool, default False
        Whether words that are kept count double; see :class:`adamcore.models.LogisticRegression`.
    counts : bool, default False
        Whether a word counts as often as it stands in a review, instead of once.
    """
    data, digest = _imdb(n_train, counts)
    model = BinaryLogisticRegression(data[0].shape[1], l2=l2, dropout=dropout, rescale=rescale)
    return Problem(model, data, digest)


def mnist_mlp(
    n_train: int,
    input_dropout: float = 0.0,
    hidden_dropout: float = 0.0,
    l2: float = 0.0,
    hidden: tuple[int, ...] = (1000, 1000),
) -> Problem:
    """Section 6.2: a network with two hidden layers of 1000 rectified linear units, pixels from 0 to 1."""
    data, test, digest = _mnist(n_train)
    model = MLP((784, *hidden, 10), input_dropout=input_dropout, hidden_dropout=hidden_dropout, l2=l2)
    return Problem(model, data, digest, test)


def cifar_cnn(
    n_train: int,
    input_dropout: float = 0.0,
    hidden_dropout: float = 0.0,
    l2: float = 0.0,
    channels: tuple[int, ...] = (64, 64, 128),
    hidden: int = 1000,
    whiten: bool = True,
    convolution: str = "direct",
    initialization: str = "he",
) -> Problem:
    """Section 6.3: the network c64-c64-c128-1000 on whitened images.

    Parameters
    ----------
    n_train : int
        Up to 5,000 images come from the embedded part of CIFAR-10, more from the full set; the digest says which.
    input_dropout, hidden_dropout, l2, channels, hidden, convolution, initialization
        As for :class:`adamcore.models.CNN`.
    whiten : bool, default True
        Whether each image's contrast is normalized and then all are whitened (ZCA, epsilon 0.1, fitted to these
        training images), or only the contrast is normalized, which takes a moment instead of half a minute.
    """
    data, test, digest = _cifar(n_train, whiten)
    model = CNN(
        (32, 32, 3),
        channels=channels,
        hidden=hidden,
        input_dropout=input_dropout,
        hidden_dropout=hidden_dropout,
        l2=l2,
        convolution=convolution,
        initialization=initialization,
    )
    return Problem(model, data, digest, test)


def mnist_vae(n_train: int, binarization: str = "none", hidden: int = 500, n_latent: int = 50) -> Problem:
    """Section 6.4: a variational auto-encoder of the first ``n_train`` images.

    Parameters
    ----------
    n_train, hidden, n_latent : int
    binarization : {"none", "threshold", "sampled"}, default "none"
        See :data:`BINARIZATIONS`.

    Raises
    ------
    ValueError
        If the binarization is unknown.
    """
    if binarization not in BINARIZATIONS:
        raise ValueError(f"binarization = {binarization!r} is not allowed; there are {', '.join(BINARIZATIONS)}.")
    (x, _), (x_test, _), digest = _mnist(n_train)
    binarized = BINARIZATIONS[binarization]
    return Problem(VAE(784, hidden=hidden, n_latent=n_latent), (binarized(x),), digest, (binarized(x_test),))


def sparse_stream(
    n_train: int, numbers: tuple[int, ...] = (4, 8, 16, 32), power: float = 2.0, flips: float = 0.25
) -> Problem:
    """Section 4: hinge losses on synthetic examples with one feature each, whose frequencies follow a power law.

    Parameters
    ----------
    n_train : int
        Examples, each of which is seen once.
    numbers : tuple of int, default (4, 8, 16, 32)
        How many features there are: as many problems, played side by side.
    power, flips : float
        As for :func:`adamcore.experiments.online.power_law`. The examples are drawn with seed 0.
    """
    data = power_law(n_train, numbers, power, flips, np.random.default_rng(0))
    return Problem(FeatureHinge(numbers), data, digest(*data))


# The data are kept apart from the problems: contenders whose dropout differs share them.


@lru_cache(maxsize=1)
def _mnist(n_train: int) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...], str]:
    """Training and test set, pixels from 0 to 1 in float32."""
    mnist = load_mnist()
    _check_number(n_train, mnist)
    return (
        (scale_pixels(mnist.x_train[:n_train]).reshape(-1, 784), mnist.y_train[:n_train].astype(np.intp)),
        (scale_pixels(mnist.x_test).reshape(-1, 784), mnist.y_test.astype(np.intp)),
        mnist.digest,
    )


@lru_cache(maxsize=1)
def _imdb(n_train: int, counts: bool) -> tuple[tuple[SparseRows, np.ndarray], str]:
    """Bags of words and their labels."""
    imdb = load_imdb()
    _check_number(n_train, imdb)
    rows = np.arange(n_train) * len(imdb.y_train) // n_train
    x = SparseRows.from_scipy(imdb.x_train)[rows]
    if not counts:
        x = x.with_values(np.ones_like(x.values))
    return (x, imdb.y_train[rows].astype(np.intp)), imdb.digest


@lru_cache(maxsize=1)
def _cifar(n_train: int, whiten: bool) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...], str]:
    """Training and test set; whitening all 50,000 takes some 40 seconds on one core, so it is done once."""
    cifar = load_cifar10(full=n_train > EMBEDDED_CIFAR)
    _check_number(n_train, cifar)
    x = cifar.x_train[:n_train]
    prepare = Whitening.fit(x).transform if whiten else normalize_contrast
    return (
        (prepare(x), cifar.y_train[:n_train].astype(np.intp)),
        (prepare(cifar.x_test), cifar.y_test.astype(np.intp)),
        cifar.digest,
    )


def _check_number(n_train: int, data: Dataset) -> None:
    """Raise unless there are so many training examples."""
    if not 1 <= n_train <= len(data.y_train):
        raise ValueError(
            f"n_train = {n_train} is not allowed; {data.name} has 1 to {len(data.y_train)} training examples here."
        )


PROBLEMS = {
    "mnist_logistic": mnist_logistic,
    "imdb_logistic": imdb_logistic,
    "mnist_mlp": mnist_mlp,
    "cifar_cnn": cifar_cnn,
    "mnist_vae": mnist_vae,
    "sparse_stream": sparse_stream,
}
"""Every problem by its name."""

TOGETHER = {"imdb_logistic"}
"""Problems whose runs of one seed are best made together: what they share, taking minibatches and drawing noise,
takes longer than what they do not."""


@lru_cache(maxsize=1)
def _cached(name: str, parameters: tuple) -> Problem:
    """The last problem asked for: a worker that makes many runs of one experiment loads its data once."""
    return PROBLEMS[name](**dict(parameters))


def make_problem(name: str, parameters: dict[str, Any]) -> Problem:
    """Return the problem of that name, with these parameters.

    Raises
    ------
    ValueError
        If there is none.

    Examples
    --------
    >>> from adamcore.experiments.problems import make_problem
    >>> problem = make_problem("imdb_logistic", {"n_train": 1000, "dropout": 0.5})
    >>> problem.data[0]
    SparseRows(1000 x 10000, 128199 stored entries)
    """
    if name not in PROBLEMS:
        raise ValueError(f"there is no problem {name!r}; there are {', '.join(PROBLEMS)}.")
    # A record read from JSON has lists where there were tuples.
    plain = {key: tuple(value) if isinstance(value, list) else value for key, value in parameters.items()}
    return _cached(name, tuple(sorted(plain.items())))
