"""What a network's output costs: the mean over a minibatch, and its gradient.

``forward`` returns the loss and remembers what ``backward`` needs; ``backward`` returns the gradient with respect to
the input of ``forward``, in an array that the next call overwrites, as layers do.
"""

from __future__ import annotations

import numpy as np

from adamcore.models._buffers import Buffered

FACTORS = 64
"""Numbers from 1 to 2 that are multiplied before a logarithm is taken: their product stays far from overflow."""


class SoftmaxCrossEntropy(Buffered):
    r"""The negative log-likelihood of labels, given logits.

    .. math::

        L = -\frac1n \sum_{i=1}^n \log p_{i, y_i}, \quad
        p_{ik} = \frac{e^{z_{ik}}}{\sum_l e^{z_{il}}}, \qquad
        \frac{\partial L}{\partial z_{ik}} = \frac1n \left(p_{ik} - [k = y_i]\right)

    The largest logit of each example is subtracted first, which leaves p as it is; so exp cannot overflow.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore.models import SoftmaxCrossEntropy
    >>> loss = SoftmaxCrossEntropy()
    >>> round(loss.forward(np.zeros((1, 4)), np.array([2])), 4)  # log 4
    1.3863
    >>> loss.backward()
    array([[ 0.25,  0.25, -0.75,  0.25]])
    """

    def forward(self, z: np.ndarray, y: np.ndarray) -> float:
        """Return the mean loss.

        Parameters
        ----------
        z : numpy.ndarray
            Logits (n, n_classes).
        y : numpy.ndarray
            Labels (n,), integers from 0.

        Returns
        -------
        float
        """
        self._y, self._rows = y, np.arange(len(y))
        log_p = np.subtract(z, z.max(axis=1, keepdims=True), out=self._like("log_p", z))
        self._p = np.exp(log_p, out=self._like("p", z))
        total = self._p.sum(axis=1, keepdims=True)
        self._p /= total
        log_p -= np.log(total)
        return -float(log_p[self._rows, y].mean(dtype=np.float64))

    def backward(self) -> np.ndarray:
        """Return the gradient with respect to the logits of the last ``forward``."""
        dz = np.divide(self._p, len(self._y), out=self._like("dz", self._p))
        dz[self._rows, self._y] -= 1 / len(self._y)
        return dz


class BernoulliCrossEntropy(Buffered):
    r"""The negative log-likelihood of pixels from 0 to 1, given logits.

    .. math::

        L &= -\frac1n \sum_{i=1}^n \sum_d x_{id} \log p_{id} + (1 - x_{id}) \log(1 - p_{id}), \\
        p &= \frac{1}{1 + e^{-z}}, \qquad
        \frac{\partial L}{\partial z_{id}} = \frac1n \left(p_{id} - x_{id}\right)

    It is the decoder's part of the loss in appendix C.1 of arXiv:1312.6114. Neither overflow nor the logarithm of a p
    that was rounded to 0 or 1 can happen when it is computed from :math:`u = e^{-|z|}`, which is at most 1:

    .. math::

        L = \frac1n \sum_{i=1}^n \sum_d z_{id} \left([z_{id} > 0] - x_{id}\right) + \log(1 + u_{id}), \qquad
        p = \frac{\max(u, [z > 0])}{1 + u}

    The logarithms are added as the logarithm of a product, so that one is taken for many pixels. Of each u, rounding
    1 + u loses at most 6e-8 in float32, no more than adding the numbers up does.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore.models import BernoulliCrossEntropy
    >>> loss = BernoulliCrossEntropy()
    >>> round(loss.forward(np.zeros((1, 2)), np.array([[0.0, 1.0]])), 4)  # 2 log 2
    1.3863
    >>> loss.backward()
    array([[ 0.5, -0.5]])
    """

    def forward(self, z: np.ndarray, x: np.ndarray) -> float:
        """Return the mean over examples of the sum over pixels.

        Parameters
        ----------
        z : numpy.ndarray
            Logits (n, n_pixels).
        x : numpy.ndarray
            Pixels from 0 to 1, of the same shape and dtype.

        Returns
        -------
        float
        """
        self._x = x
        u = np.abs(z, out=self._like("u", z))
        np.exp(np.negative(u, out=u), out=u)
        factors = np.add(u, 1, out=self._like("factors", z))
        positive = np.greater(z, 0, out=self._like("positive", z))

        self._p = np.maximum(u, positive, out=u)
        self._p /= factors
        linear = np.subtract(positive, x, out=positive)
        linear *= z
        logarithms = np.log([factors[i : i + FACTORS].prod(axis=0) for i in range(0, len(z), FACTORS)])
        total = linear.sum(axis=1).sum(dtype=np.float64) + logarithms.sum(dtype=np.float64)
        return float(total) / len(z)

    def backward(self) -> np.ndarray:
        """Return the gradient with respect to the logits of the last ``forward``."""
        dz = np.subtract(self._p, self._x, out=self._like("dz", self._x))
        dz /= len(self._x)
        return dz


class GaussianKL(Buffered):
    r"""The divergence of Gaussians with a diagonal covariance from the standard Gaussian.

    .. math::

        L = \frac1n \sum_{i=1}^n D_\text{KL}\left(\mathcal N(\mu_i, \sigma_i^2) \,\|\, \mathcal N(0, I)\right)
          = \frac{1}{2n} \sum_{i, j} \mu_{ij}^2 + \sigma_{ij}^2 - \log \sigma_{ij}^2 - 1

    .. math::

        \frac{\partial L}{\partial \mu} = \frac{\mu}{n}, \qquad
        \frac{\partial L}{\partial \log \sigma^2} = \frac{\sigma^2 - 1}{2n}

    Appendix B of arXiv:1312.6114.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore.models import GaussianKL
    >>> GaussianKL().forward(np.array([[2.0]]), np.array([[0.0]]))
    2.0
    """

    def forward(self, mean: np.ndarray, log_variance: np.ndarray) -> float:
        """Return the mean over examples of the sum over latent dimensions.

        Parameters
        ----------
        mean, log_variance : numpy.ndarray
            Each (n, n_latent).

        Returns
        -------
        float
        """
        self._mean = mean
        self._variance = np.exp(log_variance, out=self._like("variance", mean))
        each = mean**2
        each += self._variance
        each -= log_variance
        each -= 1
        return 0.5 * float(each.sum(axis=1).mean(dtype=np.float64))

    def backward(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the gradients with respect to the mean and the log variance of the last ``forward``."""
        n = len(self._mean)
        d_mean = np.divide(self._mean, n, out=self._like("d_mean", self._mean))
        d_log_variance = np.subtract(self._variance, 1, out=self._like("d_log_variance", self._mean))
        d_log_variance /= 2 * n
        return d_mean, d_log_variance
