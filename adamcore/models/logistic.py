"""Multinomial logistic regression."""

from __future__ import annotations

import numpy as np

from adamcore.models.layout import Layout


class LogisticRegression:
    r"""Multinomial logistic regression with L2 regularization of the weights.

    .. math::

        f(W, b) = -\frac1n \sum_{i=1}^n \log \operatorname{softmax}(x_i W + b)_{y_i}
                  + \frac{\lambda}{2} \lVert W \rVert^2

    The objective of section 6.1 of arXiv:1412.6980 ("L2-regularized multi-class logistic regression"). The
    paper gives neither lambda nor whether the bias is regularized; here it is not.

    Parameters
    ----------
    n_features, n_classes : int
    l2 : float, default 0
        The strength lambda, >= 0.
    dtype : type, default numpy.float32
        Of theta and of the arithmetic.

    Attributes
    ----------
    layout : Layout
        ``W`` (n_features, n_classes), then ``b`` (n_classes,).

    Raises
    ------
    ValueError
        If ``l2`` is negative, or a size is below 1.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore import LogisticRegression
    >>> model = LogisticRegression(n_features=2, n_classes=3)
    >>> theta = model.init(np.random.default_rng(0))
    >>> x, y = np.array([[1.0, 2.0]], dtype=np.float32), np.array([0])
    >>> loss, gradient = model.loss_and_grad(theta, (x, y))
    >>> round(float(np.exp(loss)), 4)  # all weights zero: each of three classes is equally likely
    3.0
    """

    def __init__(self, n_features: int, n_classes: int, *, l2: float = 0.0, dtype: type = np.float32) -> None:
        if n_features < 1 or n_classes < 1:
            raise ValueError(f"n_features = {n_features}, n_classes = {n_classes}: both must be 1 or more.")
        if not l2 >= 0:
            raise ValueError(f"l2 = {l2!r} is not allowed; it must be >= 0.")
        self.l2 = float(l2)
        self.dtype = dtype
        self.layout = Layout(W=(n_features, n_classes), b=(n_classes,))

    def init(self, rng: np.random.Generator) -> np.ndarray:
        """Return the initial theta: zeros, since the objective is convex. ``rng`` is not used."""
        return self.layout.zeros(self.dtype)

    def loss_and_grad(
        self, theta: np.ndarray, batch: tuple[np.ndarray, np.ndarray], rng: np.random.Generator | None = None
    ) -> tuple[float, np.ndarray]:
        """Return the objective on a minibatch, and its gradient.

        Parameters
        ----------
        theta : numpy.ndarray
            Flat parameters, in the order of ``layout``.
        batch : tuple of numpy.ndarray
            Examples (n, n_features) in the model's dtype, and labels (n,), integers.
        rng : numpy.random.Generator, optional
            Not used: this model has no noise.

        Returns
        -------
        loss : float
        gradient : numpy.ndarray
            Of theta's shape and dtype; a new array.
        """
        x, y = batch
        rows = np.arange(len(y))
        w = self.layout.views(theta)
        log_p = self._log_probabilities(w, x)
        loss = -log_p[rows, y].mean(dtype=np.float64) + self.penalty(theta)

        # The gradient with respect to the logits is softmax minus the one-hot label.
        delta = np.exp(log_p, out=log_p)
        delta[rows, y] -= 1
        delta /= len(y)
        gradient = np.empty_like(theta)
        d = self.layout.views(gradient)
        np.matmul(x.T, delta, out=d.W)
        if self.l2:
            d.W += self.l2 * w.W
        delta.sum(axis=0, out=d.b)
        return float(loss), gradient

    def penalty(self, theta: np.ndarray) -> float:
        """Return the part of the objective that does not depend on the data: (lambda / 2) |W|^2."""
        if not self.l2:
            return 0.0
        weights = self.layout.views(theta).W
        return 0.5 * self.l2 * float(np.vdot(weights, weights))

    def predict(self, theta: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Return the most likely class of each row of ``x``: integers (n,)."""
        w = self.layout.views(theta)
        return (x @ w.W + w.b).argmax(axis=1)

    @staticmethod
    def _log_probabilities(w, x: np.ndarray) -> np.ndarray:
        """Log softmax(x W + b), shifted by the largest logit so that exp cannot overflow."""
        z = x @ w.W
        z += w.b
        z -= z.max(axis=1, keepdims=True)
        z -= np.log(np.exp(z).sum(axis=1, keepdims=True))
        return z
