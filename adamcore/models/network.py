"""A network that tells classes apart: layers, softmax cross-entropy, and L2 regularization."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from adamcore.models import _checks
from adamcore.models.layers import Layer, Sequential
from adamcore.models.layout import Layout
from adamcore.models.losses import SoftmaxCrossEntropy

EVALUATED_AT_ONCE = 256
"""Examples; without noise a long batch is evaluated in parts, so that memory does not grow with it."""

SLICE = 16384
"""Parameters to which the gradient of the penalty is added at once, so that they stay in a processor's cache."""


def parts(n: int) -> Iterator[slice]:
    """Yield the slices in which ``n`` examples are evaluated.

    Examples
    --------
    >>> from adamcore.models.network import parts
    >>> [(part.start, part.stop) for part in parts(300)]
    [(0, 256), (256, 300)]
    """
    return (slice(start, min(start + EVALUATED_AT_ONCE, n)) for start in range(0, n, EVALUATED_AT_ONCE))


class Classifier:
    r"""Layers that turn an example into logits, with the objective that they are trained on.

    .. math::

        f(\theta) = -\frac1n \sum_{i=1}^n \log \operatorname{softmax}(\text{layers}(x_i; \theta))_{y_i}
                    + \frac{\lambda}{2} \lVert W \rVert^2

    W are all parameters whose names begin with W: weights are regularized, biases are not. :class:`MLP` and
    :class:`CNN` are networks of this kind. An instance keeps its working memory between calls, so give each thread
    its own.

    Parameters
    ----------
    *layers : Layer
        The last one returns logits (n, n_classes).
    example : tuple of int
        The shape of one example.
    n_classes : int
    l2 : float, default 0
        The strength lambda, >= 0.
    dtype : type, default numpy.float32
        Of theta, the examples and the arithmetic: numpy.float32 or numpy.float64.

    Attributes
    ----------
    layout : Layout
        All layers' parameters.

    Raises
    ------
    ValueError
        If ``l2``, ``dtype`` or a size is out of range; by the methods, if theta or a minibatch does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore.models import Classifier, Dense, Softplus
    >>> model = Classifier(Dense(4, 8), Softplus(), Dense(8, 3), example=(4,), n_classes=3)
    >>> theta = model.init(np.random.default_rng(0))
    >>> x, y = np.ones((5, 4), np.float32), np.array([0, 1, 2, 0, 1])
    >>> loss, gradient = model.loss_and_grad(theta, (x, y))
    >>> gradient.shape == theta.shape
    True
    """

    def __init__(
        self, *layers: Layer, example: tuple[int, ...], n_classes: int, l2: float = 0.0, dtype: type = np.float32
    ) -> None:
        self.example = _checks.sizes("example", example, least=1)
        self.n_classes = _checks.size("n_classes", n_classes)
        self.l2 = _checks.strength("l2", l2)
        self.dtype = _checks.floating("dtype", dtype)
        self.layers = Sequential(*layers)
        self.layout = Layout(**self.layers.shapes)
        self._weights = [name for name in self.layers.shapes if name.startswith("W")]
        self._loss = SoftmaxCrossEntropy()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.layers.layers))}; l2={self.l2})"

    def init(self, rng: np.random.Generator) -> np.ndarray:
        """Return the initial theta, in the model's dtype: each layer's weights drawn, biases zero."""
        theta = self.layout.zeros(self.dtype)
        self.layers.init(self.layout.views(theta), rng)
        return theta

    def loss_and_grad(
        self, theta: np.ndarray, batch: tuple[np.ndarray, np.ndarray], rng: np.random.Generator | None = None
    ) -> tuple[float, np.ndarray]:
        """Return the objective on a minibatch, and its gradient.

        Parameters
        ----------
        theta : numpy.ndarray
            Flat parameters, in the order of ``layout``.
        batch : tuple of numpy.ndarray
            Examples, one along the first axis after the other, in the model's dtype, and labels (n,), integers.
        rng : numpy.random.Generator, optional
            Source of dropout's noise. Without it there is none: evaluation.

        Returns
        -------
        loss : float
        gradient : numpy.ndarray
            Of theta's shape and dtype; a new array.
        """
        x, y = self._checked(theta, batch)
        w = self.layout.views(theta)
        loss = self._loss.forward(self.layers.forward(x, w, rng), y) + self.penalty(theta)

        gradient = np.empty_like(theta)
        d = self.layout.views(gradient)
        self.layers.backward(self._loss.backward(), w, d, input_gradient=False)
        if self.l2:
            self._add_gradient_of_penalty(w, d)
        return loss, gradient

    def loss(
        self, theta: np.ndarray, batch: tuple[np.ndarray, np.ndarray], rng: np.random.Generator | None = None
    ) -> float:
        """Return the objective alone. The batch may be a whole data set if there is no ``rng``.

        Parameters
        ----------
        theta, batch, rng
            As for ``loss_and_grad``.

        Returns
        -------
        float
        """
        x, y = self._checked(theta, batch)
        w = self.layout.views(theta)
        total = 0.0
        for part in parts(len(y)) if rng is None else [slice(0, len(y))]:
            logits = self.layers.forward(x[part], w, rng)
            total += self._loss.forward(logits, y[part]) * len(logits)
        return total / len(y) + self.penalty(theta)

    def penalty(self, theta: np.ndarray) -> float:
        """Return the part of the objective that does not depend on the data: ``(lambda / 2) |W|^2``."""
        if not self.l2:
            return 0.0
        w = self.layout.views(theta)
        return 0.5 * self.l2 * math.fsum(np.vdot(W, W) for W in (getattr(w, name) for name in self._weights))

    def predict(self, theta: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Return the most likely class of each example of ``x``, without dropout: integers (n,)."""
        _checks.parameters(theta, self.dtype)
        x = _checks.examples(x, self.example, self.dtype)
        w = self.layout.views(theta)
        return np.concatenate([self.layers.forward(x[part], w).argmax(axis=1) for part in parts(len(x))])

    def _checked(self, theta: np.ndarray, batch: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """The minibatch, if it and theta fit the model."""
        _checks.parameters(theta, self.dtype)
        x, y = _checks.parts(batch, "x", "y")
        x = _checks.examples(x, self.example, self.dtype)
        return x, _checks.labels(y, len(x), self.n_classes)

    def _add_gradient_of_penalty(self, w, d) -> None:
        """Add lambda W to the gradient."""
        for name in self._weights:
            weights, gradient = getattr(w, name).ravel(), getattr(d, name).ravel()
            for start in range(0, weights.size, SLICE):
                here = slice(start, start + SLICE)
                gradient[here] += self.l2 * weights[here]
