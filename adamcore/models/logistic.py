"""Logistic regression: multinomial and binary, on dense and on sparse examples, with dropout or without."""

from __future__ import annotations

from typing import Any

import numpy as np

from adamcore.models import _checks
from adamcore.models.layout import Layout
from adamcore.models.sparse import SparseRows

Examples = Any
"""Rows of features: numpy.ndarray, SparseRows, or a scipy.sparse matrix in CSR format."""


class LogisticRegression:
    r"""Multinomial logistic regression with L2 regularization of the weights.

    .. math::

        f(W, b) = -\frac1n \sum_{i=1}^n \log \operatorname{softmax}(x_i W + b)_{y_i}
                  + \frac{\lambda}{2} \lVert W \rVert^2

    The objective of section 6.1 of arXiv:1412.6980 ("L2-regularized multi-class logistic regression"). The
    paper gives neither lambda nor whether the bias is regularized; here it is not.

    With ``dropout``, training sees features of which each is replaced by zero with that probability, drawn anew
    for every example and minibatch (the paper's "dropout noise", after Wang & Manning, "Fast dropout training",
    ICML 2013). Zeros stay zeros, so a sparse example stays sparse.

    Parameters
    ----------
    n_features, n_classes : int
    l2 : float, default 0
        The strength lambda, >= 0.
    dropout : float, default 0
        The probability with which a feature is dropped in training, 0 <= dropout < 1.
    rescale : bool, default True
        How training and evaluation are brought to the same expected features: by dividing what is kept in
        training by 1 - dropout, or, if False, by multiplying all features by 1 - dropout in evaluation.
    dtype : type, default numpy.float32
        Of theta, the examples and the arithmetic: numpy.float32 or numpy.float64.

    Attributes
    ----------
    layout : Layout
        ``W`` (n_features, n_classes), then ``b`` (n_classes,).

    Raises
    ------
    ValueError
        If an argument is out of range; by the methods, if theta or a minibatch does not fit, a label for instance is
        none of 0 to n_classes - 1.

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

    def __init__(
        self,
        n_features: int,
        n_classes: int,
        *,
        l2: float = 0.0,
        dropout: float = 0.0,
        rescale: bool = True,
        dtype: type = np.float32,
    ) -> None:
        self.n_features = _checks.size("n_features", n_features)
        self.n_classes = _checks.size("n_classes", n_classes)
        self.l2 = _checks.strength("l2", l2)
        self.dropout = _checks.rate("dropout", dropout)
        self.rescale = bool(rescale)
        self.dtype = _checks.floating("dtype", dtype)
        self.layout = Layout(W=(self.n_features, self.n_classes), b=(self.n_classes,))

    def init(self, rng: np.random.Generator) -> np.ndarray:
        """Return the initial theta: zeros, since the objective is convex. ``rng`` is not used."""
        return self.layout.zeros(self.dtype)

    def loss_and_grad(
        self, theta: np.ndarray, batch: tuple[Examples, np.ndarray], rng: np.random.Generator | None = None
    ) -> tuple[float, np.ndarray]:
        """Return the objective on a minibatch, and its gradient.

        Parameters
        ----------
        theta : numpy.ndarray
            Flat parameters, in the order of ``layout``.
        batch : tuple
            Examples (n, n_features) in the model's dtype, dense, :class:`SparseRows` or a ``scipy.sparse`` matrix
            in CSR format; and labels (n,), integers.
        rng : numpy.random.Generator, optional
            Decides which features are dropped. None means evaluation: nothing is dropped.

        Returns
        -------
        loss : float
        gradient : numpy.ndarray
            Of theta's shape and dtype; a new array.
        """
        return self.loss_and_grad_of(theta, self.prepare(batch, rng))

    def prepare(
        self, batch: tuple[Examples, np.ndarray], rng: np.random.Generator | None = None
    ) -> tuple[np.ndarray | SparseRows, np.ndarray]:
        """Return what :meth:`loss_and_grad` makes of a minibatch before theta comes in: features are dropped.

        Several thetas that see the same examples with the same noise can share it.

        Examples
        --------
        >>> import numpy as np
        >>> from adamcore import LogisticRegression
        >>> model = LogisticRegression(2, 3, dropout=0.5)
        >>> batch = np.ones((4, 2), dtype=np.float32), np.array([0, 1, 2, 0])
        >>> theta = model.init(np.random.default_rng(0))
        >>> _, one = model.loss_and_grad(theta, batch, np.random.default_rng(1))
        >>> _, other = model.loss_and_grad_of(theta, model.prepare(batch, np.random.default_rng(1)))
        >>> bool((one == other).all())
        True
        """
        x, y = _checks.parts(batch, "x", "y")
        x = self._features(x, rng)
        return x, _checks.labels(y, len(x), self.n_classes)

    def loss_and_grad_of(
        self, theta: np.ndarray, prepared: tuple[np.ndarray | SparseRows, np.ndarray]
    ) -> tuple[float, np.ndarray]:
        """Return the objective and its gradient on what :meth:`prepare` returned."""
        x, y = prepared
        _checks.parameters(theta, self.dtype)
        w = self.layout.views(theta)
        loss, delta = self._cross_entropy(self._scores(w, x), y)
        gradient = np.empty_like(theta)
        d = self.layout.views(gradient)
        np.multiply(w.W, self.l2, out=d.W)
        d.W += (delta @ x).T
        delta.sum(axis=1, out=d.b)
        return loss + self.penalty(theta), gradient

    def loss(
        self, theta: np.ndarray, batch: tuple[Examples, np.ndarray], rng: np.random.Generator | None = None
    ) -> float:
        """Return the objective on a minibatch alone; as :meth:`loss_and_grad`."""
        x, y = self.prepare(batch, rng)
        _checks.parameters(theta, self.dtype)
        return self._cross_entropy(self._scores(self.layout.views(theta), x), y)[0] + self.penalty(theta)

    def penalty(self, theta: np.ndarray) -> float:
        """Return the part of the objective that does not depend on the data: ``(lambda / 2) |W|^2``."""
        if not self.l2:
            return 0.0
        weights = self.layout.views(theta).W
        return 0.5 * self.l2 * float(np.vdot(weights, weights))

    def predict(self, theta: np.ndarray, x: Examples) -> np.ndarray:
        """Return the most likely class of each row of ``x``: integers (n,)."""
        return self._scores_in_evaluation(theta, x).argmax(axis=0)

    def _scores_in_evaluation(self, theta: np.ndarray, x: Examples) -> np.ndarray:
        """The scores without noise: (n_classes, n)."""
        _checks.parameters(theta, self.dtype)
        return self._scores(self.layout.views(theta), self._features(x, None))

    def _features(self, x: Examples, rng: np.random.Generator | None) -> np.ndarray | SparseRows:
        """The examples as the weights meet them."""
        if hasattr(x, "indptr"):
            x = SparseRows.from_scipy(x, self.dtype)
        if isinstance(x, SparseRows):
            _checks.rows(x, self.n_features, self.dtype)
        else:
            x = _checks.examples(x, (self.n_features,), self.dtype)
        if not self.dropout:
            return x
        values = x.values if isinstance(x, SparseRows) else x
        if rng is not None:
            values = values * kept(values.shape, self.dropout, rng)
        # Either training or evaluation is scaled, so that their expected features agree.
        if rng is not None and self.rescale:
            values /= values.dtype.type(1 - self.dropout)
        elif rng is None and not self.rescale:
            values = values * values.dtype.type(1 - self.dropout)
        return x.with_values(values) if isinstance(x, SparseRows) else values

    @staticmethod
    def _scores(w: Any, x: np.ndarray | SparseRows) -> np.ndarray:
        """Return x W + b, transposed: (n_classes, n). Numpy adds up many short rows faster along their long side."""
        return np.add((x @ w.W).T, w.b[:, np.newaxis], order="C")

    @staticmethod
    def _cross_entropy(scores: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
        """The mean of -log softmax(scores)[y], and its gradient with respect to the scores, which it overwrites."""
        own = y, np.arange(len(y))
        scores -= scores.max(axis=0)  # so that exp cannot overflow
        own_scores = scores[own]
        exp = np.exp(scores, out=scores)
        total = exp.sum(axis=0)
        loss = (np.log(total) - own_scores).mean(dtype=np.float64)
        # Softmax minus the one-hot label.
        exp /= total
        exp[own] -= 1
        exp /= len(y)
        return float(loss), exp


class BinaryLogisticRegression(LogisticRegression):
    r"""Logistic regression of two classes, with one weight a feature.

    .. math::

        f(w, b) &= -\frac1n \sum_{i=1}^n \big[ y_i \log \sigma(z_i) + (1 - y_i) \log(1 - \sigma(z_i)) \big]
        + \frac{\lambda}{2} \lVert w \rVert^2, \\
        z_i &= x_i w + b, \qquad \sigma(z) = \frac{1}{1 + e^{-z}}

    The same family of predictions as :class:`LogisticRegression` with two classes, whose two columns of weights are
    redundant: only their difference counts. Started from zero, those two move by equal steps in opposite
    directions, so that Adam's step size there has twice the effect that it has here.

    Parameters
    ----------
    n_features : int
    l2, dropout, rescale, dtype
        As for :class:`LogisticRegression`.

    Attributes
    ----------
    layout : Layout
        ``W`` (n_features, 1), then ``b`` (1,).

    Raises
    ------
    ValueError
        As for :class:`LogisticRegression`.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore import Adam
    >>> from adamcore.data import load_imdb
    >>> from adamcore.models import BinaryLogisticRegression, SparseRows
    >>> imdb = load_imdb()
    >>> x, y = SparseRows.from_scipy(imdb.x_train), imdb.y_train
    >>> model = BinaryLogisticRegression(10_000, dropout=0.5)
    >>> rng = np.random.default_rng(0)
    >>> rule = Adam(alpha=0.01)
    >>> s = rule.init(model.init(rng))
    >>> for _ in range(200):
    ...     rows = rng.integers(len(y), size=128)
    ...     rule.step(s, model.loss_and_grad(s.theta, (x[rows], y[rows]), rng)[1], inplace=True)
    >>> accuracy = (model.predict(s.theta, x) == y).mean()
    >>> bool(accuracy > 0.85)
    True
    """

    def __init__(
        self,
        n_features: int,
        *,
        l2: float = 0.0,
        dropout: float = 0.0,
        rescale: bool = True,
        dtype: type = np.float32,
    ) -> None:
        super().__init__(n_features, 1, l2=l2, dropout=dropout, rescale=rescale, dtype=dtype)
        self.n_classes = 2  # though there is one score

    def predict(self, theta: np.ndarray, x: Examples) -> np.ndarray:
        """Return the likelier class of each row of ``x``: integers (n,), 0 or 1."""
        return (self._scores_in_evaluation(theta, x)[0] > 0).astype(np.intp)

    @staticmethod
    def _cross_entropy(scores: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
        """The mean of log(1 + e^z) - y z, and its gradient with respect to z: (sigma(z) - y) / n."""
        z = scores[0]
        softplus = np.logaddexp(0, z)
        loss = (softplus - y * z).mean(dtype=np.float64)
        delta = np.exp(z - softplus)
        delta -= y
        delta /= len(y)
        return float(loss), delta[np.newaxis]


def kept(shape: tuple[int, ...], dropout: float, rng: np.random.Generator) -> np.ndarray:
    """Return what dropout leaves: True with probability 1 - dropout, independently, in an array of bool.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore.models.logistic import kept
    >>> round(float(kept((100_000,), 0.2, np.random.default_rng(0)).mean()), 2)
    0.8
    """
    if dropout != 0.5:
        return rng.random(shape, dtype=np.float32) >= dropout
    # A coin needs one random bit, not a number: four times as fast.
    n = int(np.prod(shape))
    bits = np.unpackbits(np.frombuffer(rng.bytes(-(-n // 8)), np.uint8), count=n)
    return bits.view(bool).reshape(shape)
