"""Objectives: f(theta) and its gradient, on one flat vector theta."""

from adamcore.models.layout import Layout
from adamcore.models.logistic import LogisticRegression

__all__ = ["Layout", "LogisticRegression"]
