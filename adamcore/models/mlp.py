"""The multi-layer neural network of section 6.2."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from adamcore.models import _checks
from adamcore.models.layers import Dense, Dropout, Layer, ReLU
from adamcore.models.network import Classifier


class MLP(Classifier):
    r"""A multi-layer perceptron with ReLU and dropout.

    .. math::

        h_0 = x, \qquad h_k = D(\max(h_{k-1} W_k + b_k, 0)), \qquad z = h_{K-1} W_K + b_K

    with dropout D, trained on the softmax cross-entropy of z and :math:`\frac{\lambda}{2} \lVert W \rVert^2`; see
    :class:`Classifier`. Section 6.2 of arXiv:1412.6980 has "two fully connected hidden layers with 1000 hidden
    units each and ReLU activation" on MNIST, with dropout in one experiment; it gives neither rates, nor lambda,
    nor the initialization. Here weights start as in :func:`he_normal`, biases at zero.

    Parameters
    ----------
    sizes : sequence of int, default (784, 1000, 1000, 10)
        Features, units of each hidden layer, classes.
    input_dropout, hidden_dropout : float, default 0
        The rate at which features, and hidden units, are set to zero in training.
    l2 : float, default 0
        The strength lambda, >= 0.
    dtype : type, default numpy.float32
        Of theta, the examples and the arithmetic: numpy.float32 or numpy.float64.

    Attributes
    ----------
    layout : Layout
        ``W1`` (features, units), ``b1`` (units,), ``W2``, ...

    Raises
    ------
    ValueError
        If an argument is out of range; by the methods, if theta or a minibatch does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore import MLP, Adam
    >>> model, rule = MLP((2, 16, 2)), Adam(alpha=0.05)
    >>> x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=np.float32)
    >>> y = np.array([0, 1, 1, 0])  # exclusive or, which no linear model can learn
    >>> s = rule.init(model.init(np.random.default_rng(0)))
    >>> for _ in range(100):
    ...     loss, gradient = model.loss_and_grad(s.theta, (x, y))
    ...     rule.step(s, gradient)
    >>> model.predict(s.theta, x)
    array([0, 1, 1, 0])
    """

    def __init__(
        self,
        sizes: Sequence[int] = (784, 1000, 1000, 10),
        *,
        input_dropout: float = 0.0,
        hidden_dropout: float = 0.0,
        l2: float = 0.0,
        dtype: type = np.float32,
    ) -> None:
        self.sizes = _checks.sizes("sizes", sizes, least=2)
        self.input_dropout = _checks.rate("input_dropout", input_dropout)
        self.hidden_dropout = _checks.rate("hidden_dropout", hidden_dropout)
        super().__init__(*self._layers(), example=self.sizes[:1], n_classes=self.sizes[-1], l2=l2, dtype=dtype)

    def __repr__(self) -> str:
        return (
            f"MLP({self.sizes}, input_dropout={self.input_dropout}, hidden_dropout={self.hidden_dropout}, "
            f"l2={self.l2}, dtype={np.dtype(self.dtype)})"
        )

    def _layers(self) -> Iterator[Layer]:
        yield Dropout(self.input_dropout)
        for n_in, n_out in zip(self.sizes[:-2], self.sizes[1:-1], strict=True):
            yield from (Dense(n_in, n_out), ReLU(), Dropout(self.hidden_dropout))
        yield Dense(*self.sizes[-2:])
