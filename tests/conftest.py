"""Fixtures for every test."""

import numpy as np
import pytest


@pytest.fixture
def rng() -> np.random.Generator:
    """A random generator that starts at the same place in every test."""
    return np.random.default_rng(20141222)
