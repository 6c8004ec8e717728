"""What every loader returns, and how it checks what it reads."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np


class DataError(ValueError):
    """A file of a data set that is missing, damaged or another than it should be."""


@dataclass(frozen=True, repr=False)
class Dataset:
    """A data set in memory. Its arrays are read-only: copy what you want to change.

    Attributes
    ----------
    name : str
    x_train, x_test : numpy.ndarray
        The examples; dtype and shape are said by the loader.
    y_train, y_test : numpy.ndarray
        Their labels, uint8, indices into ``class_names``.
    class_names : tuple of str
    source : str
        Where the data come from.
    license : str
        Under what terms they may be used.
    citation : str
        What to cite.
    digest : str
        SHA-256 of the four arrays' bytes, in the order above, train before test, x before y.
    """

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    class_names: tuple[str, ...]
    source: str
    license: str
    citation: str
    digest: str

    def __repr__(self) -> str:
        train, test = len(self.y_train), len(self.y_test)
        return f"Dataset({self.name}: {train:,} training and {test:,} test examples, {len(self.class_names)} classes)"


def check_digest(content: bytes, expected: str, name: str, advice: str) -> None:
    """Raise unless the SHA-256 of the content is the expected one."""
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise DataError(
            f"{name} is damaged: its content has SHA-256 {found[:16]}..., expected {expected[:16]}.... {advice}"
        )
