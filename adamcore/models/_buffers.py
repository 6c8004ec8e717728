"""Working memory that is kept between calls, since fresh memory costs more than the arithmetic done in it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


class Buffered:
    """Something that uses the same arrays in each call, whatever the size of the minibatch."""

    def __init__(self) -> None:
        self._buffers: dict[str, np.ndarray] = {}

    def _buffer(self, name: str, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        """An array that holds whatever was last written to it: the beginning of the largest asked for so far."""
        size, kept = math.prod(shape), self._buffers.get(name)
        if kept is None or kept.size < size or kept.dtype != dtype:
            self._buffers[name] = kept = np.empty(size, dtype)
        return kept[:size].reshape(shape)

    def _like(self, name: str, x: np.ndarray) -> np.ndarray:
        """Such an array, of another's shape and dtype."""
        return self._buffer(name, x.shape, x.dtype)
