"""Names and shapes for the parts of one flat parameter vector."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np


class Layout:
    """How a flat vector divides into named arrays.

    The paper writes all parameters as one vector theta, and so does every rule here; a model looks at it
    through views, which share its memory.

    Parameters
    ----------
    **shapes : tuple of int
        The name and shape of each part, in the order in which they stand in the vector.

    Attributes
    ----------
    size : int
        The length of the flat vector.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore.models import Layout
    >>> layout = Layout(W=(2, 3), b=(3,))
    >>> layout.size
    9
    >>> theta = np.arange(9.0)
    >>> layout.views(theta).b
    array([6., 7., 8.])
    """

    def __init__(self, **shapes: tuple[int, ...]) -> None:
        self.shapes = shapes
        self._slices: dict[str, slice] = {}
        end = 0
        for name, shape in shapes.items():
            start, end = end, end + math.prod(shape)
            self._slices[name] = slice(start, end)
        self.size = end

    def __repr__(self) -> str:
        return f"Layout({', '.join(f'{name}={shape}' for name, shape in self.shapes.items())})"

    def views(self, theta: np.ndarray) -> SimpleNamespace:
        """Return the named parts of ``theta``: views, so writing to one writes to ``theta``.

        Raises
        ------
        ValueError
            If ``theta`` is not a vector of this layout's size.
        """
        if theta.shape != (self.size,):
            raise ValueError(f"theta has shape {theta.shape}; {self!r} needs ({self.size},).")
        return SimpleNamespace(
            **{name: theta[self._slices[name]].reshape(shape) for name, shape in self.shapes.items()}
        )

    def zeros(self, dtype: type = np.float32) -> np.ndarray:
        """Return a flat vector of this layout's size, all zero."""
        return np.zeros(self.size, dtype)
