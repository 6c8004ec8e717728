"""Minibatches: every example once an epoch, in an order that depends only on the generator."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np


def minibatches(n: int, batch_size: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Yield the indices of one epoch's minibatches, in random order.

    Parameters
    ----------
    n : int
        Number of examples, >= 1.
    batch_size : int
        Examples a minibatch, >= 1. If it does not divide ``n``, the last minibatch is shorter.
    rng : numpy.random.Generator
        Decides the order; called once an epoch.

    Yields
    ------
    numpy.ndarray
        Indices into the examples, each from 0 to n - 1 exactly once an epoch.

    Raises
    ------
    ValueError
        If ``n`` or ``batch_size`` is below 1.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore import minibatches
    >>> [len(batch) for batch in minibatches(10, 4, np.random.default_rng(0))]
    [4, 4, 2]
    """
    for name, value in (("n", n), ("batch_size", batch_size)):
        if value < 1:
            raise ValueError(f"minibatches: {name} = {value!r} is not allowed; it must be 1 or more.")
    order = rng.permutation(n)
    for start in range(0, n, batch_size):
        yield order[start : start + batch_size]
