"""Objectives: f(theta) and its gradient, on one flat vector theta."""

from adamcore.models.layout import Layout
from adamcore.models.logistic import BinaryLogisticRegression, LogisticRegression
from adamcore.models.sparse import SparseRows

__all__ = ["BinaryLogisticRegression", "Layout", "LogisticRegression", "SparseRows"]
