"""The variational auto-encoder of section 6.4."""

from __future__ import annotations

import numpy as np

from adamcore.models import _checks
from adamcore.models.layers import Dense, Sequential, Softplus
from adamcore.models.layout import Layout
from adamcore.models.losses import BernoulliCrossEntropy, GaussianKL
from adamcore.models.network import parts


class VAE:
    r"""A variational auto-encoder: Gaussian latent variables, Bernoulli pixels (arXiv:1312.6114).

    An encoder tells, for an image x, where its latent z is: :math:`q(z \mid x) = \mathcal N(\mu, \sigma^2)`. A
    decoder tells how likely pixels are, given z. Both have one hidden layer of softplus units. The loss is the
    negative evidence lower bound, in nats an example:

    .. math::

        L = \frac1n \sum_{i=1}^n
            \underbrace{-\log p(x_i \mid z_i)}_{\text{reconstruction}}
            + D_\text{KL}\left(q(z \mid x_i) \,\|\, \mathcal N(0, I)\right),
        \qquad z_i = \mu_i + \sigma_i \odot \epsilon_i, \quad \epsilon_i \sim \mathcal N(0, I)

    Written in this way (reparameterization), z is a differentiable function of :math:`\mu` and :math:`\sigma`:

    .. math::

        \frac{\partial L}{\partial \mu} = \frac{\partial L}{\partial z} + \dots, \qquad
        \frac{\partial L}{\partial \log \sigma^2}
            = \frac12 \frac{\partial L}{\partial z} \odot \sigma \odot \epsilon + \dots

    and the dots are the derivatives of the divergence. Section 6.4 of arXiv:1412.6980 has "a single hidden layer
    with 500 hidden units with softplus nonlinearities and a 50-dimensional spherical Gaussian latent variable".
    It does not name the initialization; here it is :func:`glorot_uniform`, biases zero. Each example gets one
    epsilon. An instance keeps its working memory between calls, so give each thread its own.

    Parameters
    ----------
    n_pixels : int, default 784
    hidden : int, default 500
        Units of the hidden layer of encoder and decoder.
    n_latent : int, default 50
    dtype : type, default numpy.float32
        Of theta, the images and the arithmetic: numpy.float32 or numpy.float64.

    Attributes
    ----------
    layout : Layout
        ``encoder_W1`` (n_pixels, hidden), ``encoder_b1``, ``encoder_W2`` (hidden, 2 n_latent: the mean, then the
        log variance), ``encoder_b2``; then ``decoder_W1`` (n_latent, hidden), ..., ``decoder_b2`` (n_pixels,).

    Raises
    ------
    ValueError
        If an argument is out of range; by the methods, if theta or a minibatch does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore import VAE
    >>> model = VAE(n_pixels=6, hidden=5, n_latent=2)
    >>> theta = model.init(np.random.default_rng(0))
    >>> images = np.array([[0, 0, 1, 1, 0, 1]], dtype=np.float32)
    >>> loss, gradient = model.loss_and_grad(theta, (images,), np.random.default_rng(1))
    >>> model.predict(theta, images).shape
    (1, 6)
    """

    def __init__(
        self, n_pixels: int = 784, *, hidden: int = 500, n_latent: int = 50, dtype: type = np.float32
    ) -> None:
        self.n_pixels, self.hidden = _checks.size("n_pixels", n_pixels), _checks.size("hidden", hidden)
        self.n_latent, self.dtype = _checks.size("n_latent", n_latent), _checks.floating("dtype", dtype)
        self.encoder = Sequential(
            Dense(n_pixels, hidden, "glorot"), Softplus(), Dense(hidden, 2 * n_latent, "glorot"), prefix="encoder_"
        )
        self.decoder = Sequential(
            Dense(n_latent, hidden, "glorot"), Softplus(), Dense(hidden, n_pixels, "glorot"), prefix="decoder_"
        )
        self.layout = Layout(**self.encoder.shapes, **self.decoder.shapes)
        self._reconstruction, self._divergence = BernoulliCrossEntropy(), GaussianKL()

    def __repr__(self) -> str:
        return f"VAE({self.n_pixels}, hidden={self.hidden}, n_latent={self.n_latent}, dtype={np.dtype(self.dtype)})"

    def init(self, rng: np.random.Generator) -> np.ndarray:
        """Return the initial theta, in the model's dtype: weights drawn, biases zero."""
        theta = self.layout.zeros(self.dtype)
        w = self.layout.views(theta)
        self.encoder.init(w, rng)
        self.decoder.init(w, rng)
        return theta

    def loss_and_grad(
        self, theta: np.ndarray, batch: tuple[np.ndarray], rng: np.random.Generator | None = None
    ) -> tuple[float, np.ndarray]:
        """Return the negative evidence lower bound on a minibatch, and its gradient.

        Parameters
        ----------
        theta : numpy.ndarray
            Flat parameters, in the order of ``layout``.
        batch : tuple of one numpy.ndarray
            Images (n, n_pixels) in the model's dtype, each pixel from 0 to 1.
        rng : numpy.random.Generator, optional
            Source of epsilon. Without it epsilon is zero, so that z is the mean: evaluation. The loss is then
            deterministic, but no lower bound any more; for one, give a generator.

        Returns
        -------
        loss : float
        gradient : numpy.ndarray
            Of theta's shape and dtype; a new array.
        """
        x = self._checked(theta, batch)
        w = self.layout.views(theta)
        loss = self._forward(x, w, rng)

        gradient = np.empty_like(theta)
        d = self.layout.views(gradient)
        dz = self.decoder.backward(self._reconstruction.backward(), w, d)
        d_mean, d_log_variance = self._divergence.backward()
        d_mean += dz
        if rng is not None:
            d_log_variance += 0.5 * dz * self._noise
        self.encoder.backward(np.concatenate([d_mean, d_log_variance], axis=1), w, d, input_gradient=False)
        return loss, gradient

    def loss(self, theta: np.ndarray, batch: tuple[np.ndarray], rng: np.random.Generator | None = None) -> float:
        """Return the negative evidence lower bound alone. The batch may be a whole data set if there is no ``rng``.

        Parameters
        ----------
        theta, batch, rng
            As for ``loss_and_grad``.

        Returns
        -------
        float
        """
        x = self._checked(theta, batch)
        w = self.layout.views(theta)
        batches = parts(len(x)) if rng is None else [slice(0, len(x))]
        return sum(self._forward(x[part], w, rng) * len(x[part]) for part in batches) / len(x)

    def penalty(self, theta: np.ndarray) -> float:
        """Return 0: no part of this objective depends on theta alone."""
        return 0.0

    def predict(self, theta: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Return the reconstruction of images (n, n_pixels): each pixel's mean, given z at the latent mean."""
        x = self._checked(theta, (x,))
        w = self.layout.views(theta)
        return np.concatenate([self.decode(theta, self._encode(x[part], w)[0]) for part in parts(len(x))])

    def encode(self, theta: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and log variance of the latent of images (n, n_pixels), each (n, n_latent)."""
        return self._encode(self._checked(theta, (x,)), self.layout.views(theta))

    def decode(self, theta: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Return each pixel's mean (n, n_pixels), given latents (n, n_latent); those from N(0, I) give samples."""
        _checks.parameters(theta, self.dtype)
        z = _checks.examples(z, (self.n_latent,), self.dtype, name="z")
        logits = self.decoder.forward(z, self.layout.views(theta))
        return 0.5 * (1 + np.tanh(0.5 * logits))  # the logistic function

    def _checked(self, theta: np.ndarray, batch: tuple[np.ndarray]) -> np.ndarray:
        """The images, if they and theta fit the model."""
        _checks.parameters(theta, self.dtype)
        (x,) = _checks.parts(batch, "x")
        x = _checks.examples(x, (self.n_pixels,), self.dtype)
        if not (x.min() >= 0 and x.max() <= 1):
            raise ValueError(f"x has pixels from {x.min()} to {x.max()}; they must be from 0 to 1.")
        return x

    def _encode(self, x: np.ndarray, w) -> tuple[np.ndarray, np.ndarray]:
        """Mean and log variance: the two halves of the encoder's output, copied."""
        encoded = self.encoder.forward(x, w)
        return encoded[:, : self.n_latent].copy(), encoded[:, self.n_latent :].copy()

    def _forward(self, x: np.ndarray, w, rng: np.random.Generator | None) -> float:
        """The loss; sigma times epsilon is kept for the way back."""
        mean, log_variance = self._encode(x, w)
        loss = self._divergence.forward(mean, log_variance)
        z = mean
        if rng is not None:
            self._noise = np.exp(0.5 * log_variance) * rng.standard_normal(mean.shape, self.dtype)
            z = mean + self._noise
        return loss + self._reconstruction.forward(self.decoder.forward(z, w), x)
