"""The convolutional neural network of section 6.3."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from adamcore.models import _checks
from adamcore.models.convolution import Conv2D, MaxPool2D
from adamcore.models.layers import Bias, Dense, Dropout, Flatten, Layer, ReLU
from adamcore.models.network import Classifier
from adamcore.models.winograd import WinogradConv2D


class CNN(Classifier):
    r"""Stages of convolution, pooling and ReLU, and one fully connected hidden layer: c64-c64-c128-1000.

    .. math::

        h_0 = D(x), \qquad h_k = \max(\operatorname{pool}(W_k * h_{k-1}) + b_k, 0), \qquad
        z = D(\max(h_3 W_4 + b_4, 0))\, W_5 + b_5

    with dropout D, trained on the softmax cross-entropy of z and :math:`\frac{\lambda}{2} \lVert W \rVert^2`; see
    :class:`Classifier`. Section 6.3 of arXiv:1412.6980 has "three alternating stages of 5x5 convolution filters
    and 3x3 max pooling with stride of 2 that are followed by a fully connected layer of 1000 rectified linear
    hidden units", on whitened images, with dropout "to the input layer and fully connected layer". What it does
    not say is chosen here: convolutions keep the size (:class:`Conv2D`), pooling halves it (:class:`MaxPool2D`),
    so that 32 pixels become 16, 8 and 4; biases start at zero.

    The paper does not say where the stages have their rectifier. Pooling comes before bias and ReLU here, which
    is the same as pooling after them: neither changes which pixel is the largest, and there is a quarter left to do.

    Parameters
    ----------
    image : (int, int, int), default (32, 32, 3)
        Height, width, channels; height and width at least 2 for each stage, multiplied.
    channels : sequence of int, default (64, 64, 128)
        Of each stage.
    hidden : int, default 1000
        Units of the fully connected layer.
    n_classes : int, default 10
    input_dropout, hidden_dropout : float, default 0
        The rate at which inputs, and units of the fully connected layer, are set to zero in training.
    l2 : float, default 0
        The strength lambda, >= 0.
    convolution : {"direct", "winograd"}, default "direct"
        How convolutions after the first are computed: by :class:`Conv2D`, or faster and less exactly by
        :class:`WinogradConv2D`.
    initialization : {"he", "glorot"}, default "he"
        How weights start: as in :func:`he_normal` or :func:`glorot_uniform`. He's argument knows no pooling, which
        passes on the largest of nine: for nine independent standard normal numbers its mean square is 2.6, not 1/2.
        So with it the signal grows from stage to stage, and the first losses are several times log(n_classes).
    dtype : type, default numpy.float32
        Of theta, the images and the arithmetic: numpy.float32 or numpy.float64.

    Attributes
    ----------
    layout : Layout
        ``W1`` (5, 5, channels before, channels), ``b1`` (channels,), ...; then the two fully connected layers,
        (inputs, units) and (units, classes), each with its bias.

    Raises
    ------
    ValueError
        If an argument is out of range; by the methods, if theta or a minibatch does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore import CNN
    >>> CNN().layout.size
    2371266
    >>> model = CNN((8, 8, 1), channels=(4, 6), hidden=10, n_classes=3)
    >>> theta = model.init(np.random.default_rng(0))
    >>> images = np.random.default_rng(1).random((5, 8, 8, 1), dtype=np.float32)
    >>> loss, gradient = model.loss_and_grad(theta, (images, np.array([0, 1, 2, 0, 1])))
    >>> model.predict(theta, images).shape
    (5,)
    """

    def __init__(
        self,
        image: Sequence[int] = (32, 32, 3),
        *,
        channels: Sequence[int] = (64, 64, 128),
        hidden: int = 1000,
        n_classes: int = 10,
        input_dropout: float = 0.0,
        hidden_dropout: float = 0.0,
        l2: float = 0.0,
        convolution: str = "direct",
        initialization: str = "he",
        dtype: type = np.float32,
    ) -> None:
        self.image = _checks.sizes("image", image, least=3)
        self.channels = _checks.sizes("channels", channels, least=1)
        self.hidden = _checks.size("hidden", hidden)
        self.n_classes = _checks.size("n_classes", n_classes)
        self.input_dropout = _checks.rate("input_dropout", input_dropout)
        self.hidden_dropout = _checks.rate("hidden_dropout", hidden_dropout)
        if convolution not in ("direct", "winograd"):
            raise ValueError(f"convolution = {convolution!r} is not allowed; it must be 'direct' or 'winograd'.")
        self.convolution = convolution
        self.initialization = _checks.initialization(initialization)
        least = 2 ** len(self.channels)
        if len(self.image) != 3 or min(self.image[:2]) < least:
            raise ValueError(
                f"image = {self.image} is not allowed; it must be (height, width, channels), with height and width "
                f"{least} or more: each of {len(self.channels)} stages halves them."
            )
        super().__init__(*self._layers(), example=self.image, n_classes=self.n_classes, l2=l2, dtype=dtype)

    def __repr__(self) -> str:
        return (
            f"CNN({self.image}, channels={self.channels}, hidden={self.hidden}, n_classes={self.n_classes}, "
            f"input_dropout={self.input_dropout}, hidden_dropout={self.hidden_dropout}, l2={self.l2}, "
            f"convolution={self.convolution!r}, initialization={self.initialization!r}, "
            f"dtype={np.dtype(self.dtype)})"
        )

    def _layers(self) -> Iterator[Layer]:
        height, width, n_in = self.image
        yield Dropout(self.input_dropout)
        for stage, n_out in enumerate(self.channels):
            # The first has so few channels that the transforms would cost more than they save.
            convolution = Conv2D if stage == 0 or self.convolution == "direct" else WinogradConv2D
            here = convolution(n_in, n_out, initialization=self.initialization)
            yield from (here, MaxPool2D(), Bias(n_out), ReLU())
            height, width, n_in = height // 2, width // 2, n_out
        yield Flatten()
        yield Dense(height * width * n_in, self.hidden, self.initialization)
        yield from (ReLU(), Dropout(self.hidden_dropout))
        yield Dense(self.hidden, self.n_classes, self.initialization)
