r"""The parts of a network: each knows its output and, by the chain rule, its gradients.

A layer computes :math:`y = f(x; w)` in ``forward`` and remembers what ``backward`` needs. ``backward`` is given
:math:`\partial L / \partial y` for some loss L and returns :math:`\partial L / \partial x`; it writes
:math:`\partial L / \partial w` where it is told to. In the code these are ``dy``, ``dx`` and ``d``.

Layers do not own their parameters: ``w`` and ``d`` hold views of one flat theta and one flat gradient (see
:class:`adamcore.models.Layout`), taken at each call.

Layers own the arrays they return and use them again, since fresh memory costs more than the arithmetic: what
``forward`` or ``backward`` returned is overwritten by the layer's next call. So copy what you want to keep, and give
each thread its own layers.
"""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np

from adamcore.models import _checks
from adamcore.models._buffers import Buffered


def he_normal(rng: np.random.Generator, shape: tuple[int, ...], fan_in: int) -> np.ndarray:
    r"""Draw weights for a layer that is followed by ReLU.

    .. math:: W \sim \mathcal N\left(0, \frac{2}{n_\text{in}}\right)

    A unit with :math:`n_\text{in}` inputs then passes on the mean square of its inputs unchanged: half of the
    variance is lost where ReLU is zero, and the 2 makes up for it (arXiv:1502.01852, section 2.2).

    Parameters
    ----------
    rng : numpy.random.Generator
    shape : tuple of int
    fan_in : int
        Inputs of one unit; for a convolution, pixels of its window times channels.

    Returns
    -------
    numpy.ndarray
        float64, so that a model draws the same weights whatever its dtype.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore.models import he_normal
    >>> W = he_normal(np.random.default_rng(0), (200, 100), fan_in=200)
    >>> round(float(W.std()), 2)  # sqrt(2 / 200)
    0.1
    """
    return rng.normal(0.0, math.sqrt(2 / fan_in), shape)


def glorot_uniform(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    r"""Draw weights for a layer whose activation is about linear around zero.

    .. math:: W \sim U\left(-a, a\right), \qquad a = \sqrt{\frac{6}{n_\text{in} + n_\text{out}}}

    The variance :math:`2 / (n_\text{in} + n_\text{out})` is a compromise between what keeps the variance of the
    signals and what keeps that of the gradients (Glorot and Bengio, 2010, equation 16).

    Parameters
    ----------
    rng : numpy.random.Generator
    shape : tuple of int
        Ends with inputs and outputs. What stands before them is the window of a convolution, whose pixels count as
        inputs of a unit, and as outputs that an input reaches.

    Returns
    -------
    numpy.ndarray
        float64, so that a model draws the same weights whatever its dtype.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore.models import glorot_uniform
    >>> W = glorot_uniform(np.random.default_rng(0), (200, 100))
    >>> bool(abs(W).max() < np.sqrt(6 / 300))
    True
    """
    limit = math.sqrt(6 / (math.prod(shape[:-2]) * (shape[-2] + shape[-1])))
    return rng.uniform(-limit, limit, shape)


INITIALIZATIONS = {
    "he": lambda rng, shape: he_normal(rng, shape, math.prod(shape[:-1])),
    "glorot": glorot_uniform,
}
"""What draws the weights of a layer, (..., inputs, outputs), by name."""


class Layer(Buffered):
    """What all layers share. By itself it passes its input through.

    Attributes
    ----------
    shapes : dict of str to tuple of int
        Name and shape of each parameter; empty for a layer without.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore.models import Layer
    >>> class Double(Layer):
    ...     def forward(self, x, w=None, rng=None):
    ...         return 2 * x
    ...
    ...     def backward(self, dy, w=None, d=None, input_gradient=True):
    ...         return 2 * dy
    >>> Double().forward(np.array([[1.0, 2.0]]))
    array([[2., 4.]])
    """

    def __init__(self) -> None:
        super().__init__()
        self.shapes: dict[str, tuple[int, ...]] = {}

    def init(self, w: SimpleNamespace, rng: np.random.Generator) -> None:
        """Write initial parameters into the views ``w``."""

    def forward(
        self, x: np.ndarray, w: SimpleNamespace | None = None, rng: np.random.Generator | None = None
    ) -> np.ndarray:
        """Return the output for a minibatch, and remember what ``backward`` needs.

        Parameters
        ----------
        x : numpy.ndarray
            One example along the first axis after the other. It is not changed.
        w : SimpleNamespace, optional
            The layer's parameters.
        rng : numpy.random.Generator, optional
            Source of noise. Without it there is none: evaluation.

        Returns
        -------
        numpy.ndarray
            Of ``x``'s dtype; overwritten by the layer's next call.
        """
        return x

    def backward(
        self,
        dy: np.ndarray,
        w: SimpleNamespace | None = None,
        d: SimpleNamespace | None = None,
        input_gradient: bool = True,
    ) -> np.ndarray | None:
        """Return the gradient with respect to the input of the last ``forward``.

        Parameters
        ----------
        dy : numpy.ndarray
            The gradient with respect to the output. It is not changed.
        w : SimpleNamespace, optional
            The layer's parameters.
        d : SimpleNamespace, optional
            Where the gradients with respect to the parameters are written.
        input_gradient : bool, default True
            Whether the gradient with respect to the input is wanted; the first layer of a network saves it.

        Returns
        -------
        numpy.ndarray or None
            Overwritten by the layer's next call. None if it is not wanted.
        """
        return dy


class Dense(Layer):
    r"""Every output depends on every input.

    .. math::

        y = x W + b, \qquad
        \frac{\partial L}{\partial x} = \frac{\partial L}{\partial y} W^\top, \quad
        \frac{\partial L}{\partial W} = x^\top \frac{\partial L}{\partial y}, \quad
        \frac{\partial L}{\partial b} = \sum_i \frac{\partial L}{\partial y_i}

    Parameters
    ----------
    n_in, n_out : int
        Input (n, n_in), output (n, n_out).
    initialization : {"he", "glorot"}
        See :func:`he_normal` and :func:`glorot_uniform`; b starts at zero.

    Raises
    ------
    ValueError
        If a size is below 1, the initialization is none of these, or an input has another shape.

    Examples
    --------
    >>> import numpy as np
    >>> from types import SimpleNamespace
    >>> from adamcore.models import Dense
    >>> layer = Dense(2, 1)
    >>> w = SimpleNamespace(W=np.array([[3.0], [4.0]]), b=np.array([0.5]))
    >>> layer.forward(np.array([[1.0, 10.0]]), w)
    array([[43.5]])
    >>> d = SimpleNamespace(W=np.empty((2, 1)), b=np.empty(1))
    >>> layer.backward(np.array([[1.0]]), w, d)
    array([[3., 4.]])
    >>> d.W
    array([[ 1.],
           [10.]])
    """

    def __init__(self, n_in: int, n_out: int, initialization: str = "he") -> None:
        super().__init__()
        self.n_in, self.n_out = _checks.size("n_in", n_in), _checks.size("n_out", n_out)
        self.initialization = _checks.initialization(initialization)
        self.shapes = {"W": (self.n_in, self.n_out), "b": (self.n_out,)}

    def __repr__(self) -> str:
        return f"Dense({self.n_in}, {self.n_out})"

    def init(self, w: SimpleNamespace, rng: np.random.Generator) -> None:
        """Draw W, and set b to zero."""
        w.W[...] = INITIALIZATIONS[self.initialization](rng, self.shapes["W"])
        w.b[...] = 0

    def forward(
        self, x: np.ndarray, w: SimpleNamespace | None = None, rng: np.random.Generator | None = None
    ) -> np.ndarray:
        """Return x W + b."""
        if x.ndim != 2 or x.shape[1] != self.n_in:
            raise ValueError(f"x has shape {x.shape}; {self!r} needs (n, {self.n_in}).")
        self._x = x
        y = np.matmul(x, w.W, out=self._buffer("y", (len(x), self.n_out), x.dtype))
        y += w.b
        return y

    def backward(
        self,
        dy: np.ndarray,
        w: SimpleNamespace | None = None,
        d: SimpleNamespace | None = None,
        input_gradient: bool = True,
    ) -> np.ndarray | None:
        """Return dy W^T; write x^T dy and the sum of dy over the examples."""
        np.matmul(self._x.T, dy, out=d.W)
        dy.sum(axis=0, out=d.b)
        if not input_gradient:
            return None
        return np.matmul(dy, w.W.T, out=self._like("dx", self._x))


class Bias(Layer):
    r"""Add one number to each channel, where a convolution comes without.

    .. math:: y = x + b, \qquad \frac{\partial L}{\partial b} = \sum \frac{\partial L}{\partial y}

    The sum is over all examples and pixels.

    Parameters
    ----------
    n_channels : int
        Length of the last axis of the input, which may have any number of axes.

    Raises
    ------
    ValueError
        If the number of channels is below 1, or not that of an input.

    Examples
    --------
    >>> import numpy as np
    >>> from types import SimpleNamespace
    >>> from adamcore.models import Bias
    >>> Bias(2).forward(np.zeros((1, 2)), SimpleNamespace(b=np.array([1.0, -1.0])))
    array([[ 1., -1.]])
    """

    def __init__(self, n_channels: int) -> None:
        super().__init__()
        self.n_channels = _checks.size("n_channels", n_channels)
        self.shapes = {"b": (self.n_channels,)}

    def __repr__(self) -> str:
        return f"Bias({self.n_channels})"

    def init(self, w: SimpleNamespace, rng: np.random.Generator) -> None:
        """Set b to zero."""
        w.b[...] = 0

    def forward(
        self, x: np.ndarray, w: SimpleNamespace | None = None, rng: np.random.Generator | None = None
    ) -> np.ndarray:
        """Return x + b."""
        if x.shape[-1] != self.n_channels:
            raise ValueError(f"x has shape {x.shape}; {self!r} needs a last axis of length {self.n_channels}.")
        return np.add(x, w.b, out=self._like("y", x))

    def backward(
        self,
        dy: np.ndarray,
        w: SimpleNamespace | None = None,
        d: SimpleNamespace | None = None,
        input_gradient: bool = True,
    ) -> np.ndarray:
        """Return dy; write its sum over all axes but the last."""
        dy.reshape(-1, self.n_channels).sum(axis=0, out=d.b)
        return dy


class ReLU(Layer):
    r"""Rectified linear units.

    .. math::

        y = \max(x, 0), \qquad
        \frac{\partial L}{\partial x} = \frac{\partial L}{\partial y} \cdot [x > 0]

    At the kink, x = 0, the derivative is taken to be 0, as everybody does.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore.models import ReLU
    >>> layer = ReLU()
    >>> layer.forward(np.array([[-1.0, 0.0, 2.0]]))
    array([[0., 0., 2.]])
    >>> layer.backward(np.array([[5.0, 5.0, 5.0]]))
    array([[0., 0., 5.]])
    """

    def __repr__(self) -> str:
        return "ReLU()"

    def forward(
        self, x: np.ndarray, w: SimpleNamespace | None = None, rng: np.random.Generator | None = None
    ) -> np.ndarray:
        """Return the positive part of x."""
        self._y = self._like("y", x)
        # numpy compares with an array of zeros about three times as fast as with the number 0.
        flat = x.reshape(len(x), -1)
        np.maximum(flat, np.zeros(flat.shape[1], x.dtype), out=self._y.reshape(flat.shape))
        return self._y

    def backward(
        self,
        dy: np.ndarray,
        w: SimpleNamespace | None = None,
        d: SimpleNamespace | None = None,
        input_gradient: bool = True,
    ) -> np.ndarray:
        """Return dy where the unit was active, and 0 elsewhere."""
        active = np.greater(self._y, 0, out=self._buffer("active", dy.shape, bool))
        return np.multiply(dy, active, out=self._like("dx", dy))


class Softplus(Layer):
    r"""A smooth version of ReLU.

    .. math::

        y = \log(1 + e^x), \qquad
        \frac{\partial L}{\partial x} = \frac{\partial L}{\partial y} \cdot \frac{1}{1 + e^{-x}}

    The derivative is the logistic function. Both need the same exponential, so that they are computed together.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore.models import Softplus
    >>> layer = Softplus()
    >>> layer.forward(np.array([[-1000.0, 0.0, 20.0]])).round(3)
    array([[ 0.   ,  0.693, 20.   ]])
    >>> layer.backward(np.ones((1, 3)))
    array([[0. , 0.5, 1. ]])
    """

    def __repr__(self) -> str:
        return "Softplus()"

    def forward(
        self, x: np.ndarray, w: SimpleNamespace | None = None, rng: np.random.Generator | None = None
    ) -> np.ndarray:
        """Return log(1 + exp(x)), without overflow."""
        y, self._slope = softplus(x, self._like("y", x), self._like("slope", x), self._like("scratch", x))
        return y

    def backward(
        self,
        dy: np.ndarray,
        w: SimpleNamespace | None = None,
        d: SimpleNamespace | None = None,
        input_gradient: bool = True,
    ) -> np.ndarray:
        """Return dy times the logistic function of x."""
        return np.multiply(dy, self._slope, out=self._like("dx", dy))


HUGE = 50
"""From here on log(1 + exp(x)) is x, in float64 too, and its slope is 1; exp would soon overflow in float32."""


def softplus(x: np.ndarray, out: np.ndarray, slope: np.ndarray, scratch: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""Write log(1 + u) with u = exp(x) to ``out``, and the slope, the logistic function u / (1 + u), to ``slope``.

    The sum 1 + u is rounded to w. What that loses, :math:`u - (w - 1)`, is known exactly, and
    :math:`\log(1 + u) = \log w + (u - (w - 1)) / w` up to its square. So no digit is lost, however small the
    result. ``numpy.log1p`` gives the same digits, but takes several times as long where it is not vectorized.

    Parameters
    ----------
    x, out, slope, scratch : numpy.ndarray
        Of the same shape and dtype, four different arrays.

    Returns
    -------
    out, slope : numpy.ndarray

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore.models.layers import softplus
    >>> y, slope = softplus(np.array([-50.0, 0.0, 1e6]), *np.empty((3, 3)))
    >>> y
    array([1.92874985e-22, 6.93147181e-01, 1.00000000e+06])
    >>> slope
    array([1.92874985e-22, 5.00000000e-01, 1.00000000e+00])
    """
    # A row of numbers, since numpy compares with an array more than twice as fast as with one number.
    u = np.minimum(x, np.full(x.shape[-1], HUGE, x.dtype), out=slope)
    np.exp(u, out=u)
    w = np.add(u, 1, out=out)
    lost = np.subtract(w, 1, out=scratch)
    np.subtract(u, lost, out=lost)
    lost /= w
    slope = np.divide(u, w, out=u)
    y = np.log(w, out=w)
    y += lost
    return np.maximum(y, x, out=y), slope  # y is never below x; above HUGE it is x


class Dropout(Layer):
    r"""Set entries to zero at random, and scale up the others.

    .. math::

        y = x \odot \frac{k}{1 - p}, \qquad k_{ij} \sim \text{Bernoulli}(1 - p), \qquad
        \frac{\partial L}{\partial x} = \frac{\partial L}{\partial y} \odot \frac{k}{1 - p}

    Dropout is arXiv:1207.0580; scaling during training instead of evaluation ("inverted" dropout) keeps the mean
    of y at x, so that evaluation (``rng=None``) is the identity.

    Parameters
    ----------
    rate : float
        The probability p of a zero, at least 0 and below 1. It is rounded to a multiple of 1/65536, so that 16
        random bits decide on an entry, or one if p is 1/2; the scale uses the rounded rate.

    Raises
    ------
    ValueError
        If the rate is not in that range.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore.models import Dropout
    >>> layer, x = Dropout(0.5), np.ones((1, 6))
    >>> sorted(set(layer.forward(x, rng=np.random.default_rng(0)).ravel().tolist()))
    [0.0, 2.0]
    >>> layer.forward(x)  # evaluation
    array([[1., 1., 1., 1., 1., 1.]])
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = _checks.rate("rate", rate)
        self._kept_of_65536 = max(1, round((1 - self.rate) * 65536))
        self._mask: np.ndarray | None = None

    def __repr__(self) -> str:
        return f"Dropout({self.rate})"

    def forward(
        self, x: np.ndarray, w: SimpleNamespace | None = None, rng: np.random.Generator | None = None
    ) -> np.ndarray:
        """Return x with noise if ``rng`` is given and the rate is not 0, else x itself."""
        self._mask = None
        if rng is None or self._kept_of_65536 == 65536:
            return x
        scale = x.dtype.type(65536 / self._kept_of_65536)
        self._mask = np.multiply(self._keep(x.shape, rng), scale, out=self._like("mask", x))
        return np.multiply(x, self._mask, out=self._like("y", x))

    def backward(
        self,
        dy: np.ndarray,
        w: SimpleNamespace | None = None,
        d: SimpleNamespace | None = None,
        input_gradient: bool = True,
    ) -> np.ndarray:
        """Return dy with the same noise."""
        if self._mask is None:
            return dy
        return np.multiply(dy, self._mask, out=self._like("dx", dy))

    def _keep(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        """True for each entry that stays."""
        size = math.prod(shape)
        if self._kept_of_65536 == 32768:
            return np.unpackbits(_random_bytes(-(-size // 8), rng), count=size).view(bool).reshape(shape)
        bits = _random_bytes(2 * size, rng).view(np.uint16)
        if self._kept_of_65536 > 32768:  # compare with what fits into 16 bits
            return np.greater_equal(bits, 65536 - self._kept_of_65536).reshape(shape)
        return np.less(bits, self._kept_of_65536).reshape(shape)


def _random_bytes(size: int, rng: np.random.Generator) -> np.ndarray:
    """Random bytes, drawn eight at a time."""
    words = rng.integers(0, 2**64 - 1, -(-size // 8), np.uint64, endpoint=True)
    return words.view(np.uint8)[:size]


class Flatten(Layer):
    """Lay out the axes of an example one after the other, in numpy's order.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore.models import Flatten
    >>> Flatten().forward(np.zeros((2, 4, 4, 3))).shape
    (2, 48)
    """

    def __repr__(self) -> str:
        return "Flatten()"

    def forward(
        self, x: np.ndarray, w: SimpleNamespace | None = None, rng: np.random.Generator | None = None
    ) -> np.ndarray:
        """Return x as a matrix with one row an example."""
        self._shape = x.shape
        return x.reshape(len(x), -1)

    def backward(
        self,
        dy: np.ndarray,
        w: SimpleNamespace | None = None,
        d: SimpleNamespace | None = None,
        input_gradient: bool = True,
    ) -> np.ndarray:
        """Return dy in the shape of x."""
        return dy.reshape(self._shape)


class Sequential(Layer):
    r"""Layers one after the other: the chain rule.

    .. math::

        y = f_k(\cdots f_2(f_1(x))), \qquad
        \frac{\partial L}{\partial x} = \frac{\partial L}{\partial y}
        \frac{\partial f_k}{\partial f_{k-1}} \cdots \frac{\partial f_1}{\partial x}

    ``backward`` multiplies from the left, so that it multiplies vectors by matrices, one vector an example, and never
    two matrices.

    Parameters
    ----------
    *layers : Layer
    prefix : str, default ""
        Stands before the names of all parameters.

    Attributes
    ----------
    shapes : dict of str to tuple of int
        The layers' parameters, numbered in their order: ``W1``, ``b1``, ``W2``, ...

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore.models import Dense, Layout, ReLU, Sequential
    >>> network = Sequential(Dense(4, 3), ReLU(), Dense(3, 2))
    >>> network.shapes
    {'W1': (4, 3), 'b1': (3,), 'W2': (3, 2), 'b2': (2,)}
    >>> layout = Layout(**network.shapes)
    >>> theta = layout.zeros()
    >>> network.init(layout.views(theta), np.random.default_rng(0))
    >>> network.forward(np.ones((5, 4), np.float32), layout.views(theta)).shape
    (5, 2)
    """

    def __init__(self, *layers: Layer, prefix: str = "") -> None:
        super().__init__()
        self.layers = layers
        self._names: list[dict[str, str]] = []
        seen: dict[str, int] = {}
        for layer in layers:
            names = {}
            for name, shape in layer.shapes.items():
                seen[name] = seen.get(name, 0) + 1
                names[name] = f"{prefix}{name}{seen[name]}"
                self.shapes[names[name]] = shape
            self._names.append(names)
        self._first = next((i for i, layer in enumerate(layers) if layer.shapes), len(layers))

    def __repr__(self) -> str:
        return f"Sequential({', '.join(map(repr, self.layers))})"

    def init(self, w: SimpleNamespace, rng: np.random.Generator) -> None:
        """Write initial parameters of all layers."""
        for i, layer in enumerate(self.layers):
            layer.init(self._of(w, i), rng)

    def forward(
        self, x: np.ndarray, w: SimpleNamespace | None = None, rng: np.random.Generator | None = None
    ) -> np.ndarray:
        """Return the output of the last layer."""
        for i, layer in enumerate(self.layers):
            x = layer.forward(x, self._of(w, i), rng)
        return x

    def backward(
        self,
        dy: np.ndarray,
        w: SimpleNamespace | None = None,
        d: SimpleNamespace | None = None,
        input_gradient: bool = True,
    ) -> np.ndarray | None:
        """Return the gradient with respect to the input of the first layer; write those of all parameters."""
        last_needed = 0 if input_gradient else self._first
        for i in reversed(range(last_needed, len(self.layers))):
            layer = self.layers[i]
            dy = layer.backward(dy, self._of(w, i), self._of(d, i), input_gradient or i > self._first)
        return dy if input_gradient else None

    def _of(self, w: SimpleNamespace | None, i: int) -> SimpleNamespace:
        """The parameters of layer i, under its own names."""
        return SimpleNamespace(**{name: getattr(w, full) for name, full in self._names[i].items()})
