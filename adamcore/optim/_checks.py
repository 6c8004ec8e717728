"""What is a number."""

from __future__ import annotations

import math
import numbers
from typing import Any

import numpy as np


def as_float(value: Any) -> float | None:
    """A real number as a Python float; None for all else, also for what float() would take, as "0.1" and True."""
    if isinstance(value, np.ndarray) and value.shape == ():
        value = value[()]
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real):
        return None
    try:
        return float(value)
    except OverflowError:  # a whole number beyond all floats
        return math.inf if value > 0 else -math.inf
