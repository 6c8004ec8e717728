"""What constructors and minibatches are held to, with errors that say what to do."""

from __future__ import annotations

from typing import Any

import numpy as np


def size(name: str, value: Any) -> int:
    """A number of units, channels or pixels."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise ValueError(f"{name} = {value!r} is not allowed; it must be an integer, 1 or more.")
    return int(value)


def sizes(name: str, values: Any, least: int) -> tuple[int, ...]:
    """Several of them."""
    values = tuple(values)
    if len(values) < least:
        raise ValueError(f"{name} = {values!r} has {len(values)} entries; it must have {least} or more.")
    return tuple(size(f"{name}[{i}]", value) for i, value in enumerate(values))


def rate(name: str, value: float) -> float:
    """The probability that dropout sets an entry to zero."""
    if not 0 <= value < 1:
        raise ValueError(f"{name} = {value!r} is not allowed; it must be at least 0 and below 1.")
    return float(value)


def strength(name: str, value: float) -> float:
    """The strength of a penalty."""
    if not 0 <= value < np.inf:
        raise ValueError(f"{name} = {value!r} is not allowed; it must be a finite number, 0 or more.")
    return float(value)


def initialization(value: str) -> str:
    """How weights start."""
    if value not in ("he", "glorot"):
        raise ValueError(f"initialization = {value!r} is not allowed; it must be 'he' or 'glorot'.")
    return value


def floating(name: str, value: Any) -> type:
    """The type of theta and of the arithmetic."""
    if value not in (np.float32, np.float64, float, np.dtype(np.float32), np.dtype(np.float64)):
        raise ValueError(f"{name} = {value!r} is not allowed; it must be numpy.float32 or numpy.float64.")
    return np.dtype(value).type


def parameters(theta: np.ndarray, dtype: type) -> None:
    """Theta has the model's dtype: another would slow every product, or lose digits, without a word."""
    if theta.dtype != dtype:
        raise ValueError(f"theta has dtype {theta.dtype}; the model was made with dtype={np.dtype(dtype)}.")


def parts(batch: Any, *names: str) -> tuple[Any, ...]:
    """A minibatch, taken apart."""
    if not isinstance(batch, (tuple, list)) or len(batch) != len(names):
        got = f"{len(batch)} parts" if isinstance(batch, (tuple, list)) else f"type {type(batch).__name__}"
        raise ValueError(f"batch has {got}; it must be a tuple ({', '.join(names)}{',' * (len(names) == 1)}).")
    return tuple(batch)


def examples(x: Any, shape: tuple[int, ...], dtype: type, name: str = "x") -> np.ndarray:
    """The examples of a minibatch."""
    wanted = f"({', '.join(['n', *map(str, shape)])}{'' if shape else ','})"
    if not isinstance(x, np.ndarray) or x.ndim != len(shape) + 1 or x.shape[1:] != shape or len(x) == 0:
        got = f"shape {x.shape}" if isinstance(x, np.ndarray) else f"type {type(x).__name__}"
        raise ValueError(f"{name} has {got}; it must be an array of shape {wanted}, n >= 1.")
    if x.dtype != dtype:
        raise ValueError(f"{name} has dtype {x.dtype}; it must be the model's, {np.dtype(dtype)}: use {name}.astype.")
    return np.ascontiguousarray(x)


def rows(x: Any, n_columns: int, dtype: type) -> None:
    """The examples of a minibatch, sparse."""
    if len(x) == 0 or x.shape[1] != n_columns:
        raise ValueError(f"x has shape {x.shape}; it must have the shape (n, {n_columns}), n >= 1.")
    if x.dtype != dtype:
        raise ValueError(
            f"x has dtype {x.dtype}; it must be the model's, {np.dtype(dtype)}: use x.with_values and astype."
        )


def labels(y: Any, n: int, n_classes: int) -> np.ndarray:
    """The labels of a minibatch."""
    if not isinstance(y, np.ndarray) or y.shape != (n,) or not np.issubdtype(y.dtype, np.integer):
        got = f"shape {y.shape}, dtype {y.dtype}" if isinstance(y, np.ndarray) else f"type {type(y).__name__}"
        raise ValueError(f"y has {got}; it must be an array of integers of shape ({n},), one label an example.")
    # Seen as unsigned, in its own byte order, a negative label is a huge one: one look instead of two.
    if y.view(f"{y.dtype.byteorder}u{y.itemsize}").max() >= n_classes:
        raise ValueError(f"y has labels from {y.min()} to {y.max()}; they must be from 0 to {n_classes - 1}.")
    return y
