"""Minibatches: every example once an epoch, in an order that depends only on the generator."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np


def minibatches(n: int, batch_size: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """The indices of one epoch's minibatches, in random order.

    Parameters
    ----------
    n : int
        Number of examples, >= 1.
    batch_size : int
        Examples a minibatch, >= 1. If it does not divide ``n``, the last minibatch is shorter.
    rng : numpy.random.Generator
        Decides the order; asked once, at the call.

    Returns
    -------
    iterator of numpy.ndarray
        Indices into the examples, int64, each from 0 to n - 1 exactly once.

    Raises
    ------
    ValueError
        If ``n`` or ``batch_size`` is no whole number, or below 1.
    TypeError
        If ``rng`` is no generator: a seed would give every epoch the same order.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore import minibatches
    >>> [len(batch) for batch in minibatches(10, 4, np.random.default_rng(0))]
    [4, 4, 2]
    """
    for name, value in (("n", n), ("batch_size", batch_size)):
        if not isinstance(value, (int, np.integer)) or value < 1:
            raise ValueError(f"minibatches: {name} = {value!r} is not allowed; it must be a whole number, 1 or more.")
    check_generator("minibatches", rng)
    order = rng.permutation(n)
    return (order[start : start + batch_size] for start in range(0, n, batch_size))


def check_generator(function: str, rng: object) -> None:
    """Raise unless rng is a generator."""
    if not isinstance(rng, np.random.Generator):
        raise TypeError(
            f"{function}: rng = {rng!r} is not allowed; it must be a numpy.random.Generator, "
            "such as numpy.random.default_rng(0), made once for all epochs."
        )
