"""Problems: a model with its training data, by name, so that a record can say which it was."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from adamcore.data import load_mnist
from adamcore.models import LogisticRegression


@dataclass(frozen=True)
class Problem:
    """A model, its training examples, and the digest of the data set that they come from."""

    model: Any
    data: tuple[Any, ...]
    digest: str


def mnist_logistic(n_train: int, l2: float) -> Problem:
    """Section 6.1: multinomial logistic regression on the first ``n_train`` images, pixels from 0 to 1."""
    mnist = load_mnist()
    x = mnist.x_train[:n_train].reshape(-1, 784).astype(np.float32)
    x /= 255
    return Problem(LogisticRegression(784, 10, l2=l2), (x, mnist.y_train[:n_train].astype(np.intp)), mnist.digest)


PROBLEMS = {"mnist_logistic": mnist_logistic}
"""Every problem by its name."""


@lru_cache(maxsize=1)
def _cached(name: str, parameters: tuple) -> Problem:
    """The last problem asked for: a worker that makes many runs of one experiment loads its data once."""
    return PROBLEMS[name](**dict(parameters))


def make_problem(name: str, parameters: dict[str, Any]) -> Problem:
    """Return the problem of that name, with these parameters."""
    return _cached(name, tuple(sorted(parameters.items())))
