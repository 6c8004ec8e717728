"""Adam, Algorithm 1 of arXiv:1412.6980, and its two ways to decay weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from adamcore.optim import fast
from adamcore.optim.base import Kernel, Rule, State, divide, one_minus_power
from adamcore.optim.schedules import Schedule


@dataclass(frozen=True)
class Adam(Rule):
    r"""Adam: a moving average of the gradient, divided by the root of one of its square.

    .. math::

        m_t &= \beta_1 m_{t-1} + (1 - \beta_1) g_t \\
        v_t &= \beta_2 v_{t-1} + (1 - \beta_2) g_t^2 \\
        \hat m_t &= m_t / (1 - \beta_1^t) \\
        \hat v_t &= v_t / (1 - \beta_2^t) \\
        \theta_t &= \theta_{t-1} - \alpha\, \hat m_t / (\sqrt{\hat v_t} + \epsilon)

    Kingma & Ba, "Adam: A Method for Stochastic Optimization" (ICLR 2015), arXiv:1412.6980v9, Algorithm 1.

    Parameters
    ----------
    alpha : float or Schedule, default 0.001
        The step size, in parameter units: about the most that a coordinate moves in one step. These four
        defaults are the paper's, "good default settings for the tested machine learning problems".
    beta1 : float, default 0.9
        How slowly the mean of the gradient forgets, in [0, 1): a window of about 1 / (1 - beta1) = 10 steps.
    beta2 : float, default 0.999
        How slowly the mean of its square forgets, in [0, 1): about 1000 steps.
    eps : float, default 1e-8
        In units of gradient: coordinates whose gradients are smaller than this move less. With 0, a
        coordinate that never had a gradient does not move.
    bias_correction : {True, False, "first", "second"}, default True
        Which moments are corrected for their start at zero: both, as the paper does; none; only m; only v.
    eps_place : {"outside", "hat", "inside"}, default "outside"
        Where epsilon stands. ``"outside"``: Algorithm 1, as above. ``"hat"``: the paper's "more efficient"
        order of section 2, :math:`\alpha_t m_t / (\sqrt{v_t} + \hat\epsilon)` with
        :math:`\alpha_t = \alpha \sqrt{1 - \beta_2^t} / (1 - \beta_1^t)`; in the formula above its epsilon is
        :math:`\hat\epsilon / \sqrt{1 - \beta_2^t}`, larger at first. ``"inside"``:
        :math:`\sqrt{\hat v_t + \epsilon}`, where epsilon is in units of squared gradient.

    Notes
    -----
    The state keeps ``m`` and ``v``, two arrays of theta's size. ``m_hat`` and ``v_hat`` are left on it for
    whoever looks.

    In float32 and at the default beta2, the share of a gradient below about 3e-18 in v has fewer digits than
    float32 has elsewhere, and one below about 8e-22 adds zero, since its square underflows. One above about 1.8e19
    makes v infinite. A coordinate that has only ever had gradients that add zero does not see its own size, and
    one whose v is infinite stops.

    Examples
    --------
    The first step has length alpha in every coordinate, whatever the size of the gradient:

    >>> import numpy as np
    >>> from adamcore import Adam
    >>> rule = Adam(alpha=0.1)
    >>> s = rule.init(np.array([1.0, 1.0]))
    >>> rule.step(s, np.array([100.0, -0.01]))
    >>> s.theta.round(6)
    array([0.9, 1.1])
    """

    alpha: float | Schedule = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    bias_correction: bool | str = True
    eps_place: str = "outside"
    slots: ClassVar[tuple[str, ...]] = ("m", "v")
    choices: ClassVar[dict[str, tuple]] = {
        "bias_correction": (True, False, "first", "second"),
        "eps_place": ("outside", "hat", "inside"),
    }

    def update(self, s: State, g) -> None:
        """Algorithm 1, line for line."""
        s.m = self.beta1 * s.m + (1 - self.beta1) * g
        s.v = self.beta2 * s.v + (1 - self.beta2) * g**2
        s.m_hat = s.m / self.m_correction(s.t)
        s.v_hat = s.v / self.v_correction(s.t)
        s.theta = s.theta - self.alpha * divide(s.m_hat, self.denominator(s.v_hat, s.t))

    def kernel(self) -> Kernel | None:
        """Return the compiled kernel; a subclass has a formula of its own, and so has epsilon inside the root."""
        return fast.adam_kernel() if type(self) is Adam and self.eps_place != "inside" else None

    def m_correction(self, t: int) -> float:
        """Return what m is divided by at step ``t``: 1 - beta1**t, or 1 where m is not corrected."""
        return one_minus_power(self.beta1, t) if self.bias_correction in (True, "first") else 1.0

    def v_correction(self, t: int) -> float:
        """Return what v is divided by at step ``t``: 1 - beta2**t, or 1 where v is not corrected."""
        return one_minus_power(self.beta2, t) if self.bias_correction in (True, "second") else 1.0

    def denominator(self, v_hat: np.ndarray, t: int) -> np.ndarray:
        """Return sqrt(v_hat) + eps, or what stands there where epsilon has another place."""
        if self.eps_place == "inside":
            return np.sqrt(v_hat + self.eps)
        eps = self.eps / self.v_correction(t) ** 0.5 if self.eps_place == "hat" else self.eps
        return np.sqrt(v_hat) + eps


@dataclass(frozen=True)
class AdamL2(Adam):
    r"""Adam on an L2-regularized objective: the penalty's gradient enters both moments.

    .. math:: g_t \leftarrow g_t + \lambda \theta_{t-1}, \quad \text{then Adam}

    What many libraries call Adam's ``weight_decay``. Since the sum is divided by the root of v, weights
    with large gradients are decayed less (Loshchilov & Hutter, ICLR 2019, arXiv:1711.05101, section 2,
    Algorithm 2 in violet).

    Parameters
    ----------
    alpha, beta1, beta2, eps, bias_correction, eps_place
        As for :class:`Adam`.
    weight_decay : float or Schedule, default 0.01
        The strength lambda, >= 0, in units of gradient per unit of parameter. There is no good default: it
        must suit the size of the gradients. This one is that of :class:`AdamW`.

    Examples
    --------
    Without a gradient from the data, each step has length alpha, whatever lambda is:

    >>> import numpy as np
    >>> from adamcore import AdamL2
    >>> for weight_decay in (0.1, 0.001):
    ...     rule = AdamL2(alpha=0.01, eps=0, weight_decay=weight_decay)
    ...     s = rule.init(np.ones(1))
    ...     rule.step(s, np.zeros(1))
    ...     print(s.theta.round(6))
    [0.99]
    [0.99]
    """

    weight_decay: float | Schedule = 0.01

    def update(self, s: State, g) -> None:
        """Add the penalty's gradient, then Algorithm 1."""
        super().update(s, g + self.weight_decay * s.theta)


@dataclass(frozen=True)
class AdamW(Adam):
    r"""Adam with decoupled weight decay: weights shrink by a factor of their own, outside the moments.

    .. math::

        \theta_t = \theta_{t-1} - \alpha_t \frac{\hat m_t}{\sqrt{\hat v_t} + \epsilon}
                   - \alpha_t \lambda \theta_{t-1}

    Loshchilov & Hutter, "Decoupled Weight Decay Regularization" (ICLR 2019), arXiv:1711.05101, Algorithm 2.
    There the last term is :math:`\eta_t \lambda \theta_{t-1}`, with a schedule :math:`\eta_t`, such as one that
    falls from 1 to 0, that also multiplies alpha: lambda then does not depend on alpha. Libraries multiply by
    the scheduled alpha instead, as the formula above.

    Parameters
    ----------
    alpha, beta1, beta2, eps, bias_correction, eps_place
        As for :class:`Adam`.
    weight_decay : float or Schedule, default 0.01
        The strength lambda, >= 0; the default is PyTorch's.
    decay_form : {"library", "paper"}, default "library"
        ``"library"``: each step takes alpha_t * lambda of theta away. ``"paper"``: it takes lambda_t away;
        give ``weight_decay`` the same schedule as alpha to get the paper's eta_t * lambda. A lambda of the
        paper's form corresponds to lambda / alpha of the other.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore import AdamW
    >>> rule = AdamW(alpha=0.01, weight_decay=0.1)
    >>> s = rule.init(np.ones(1))
    >>> rule.step(s, np.zeros(1))
    >>> s.theta  # only the decay, by 0.01 * 0.1
    array([0.999])
    """

    weight_decay: float | Schedule = 0.01
    decay_form: str = "library"
    choices: ClassVar[dict[str, tuple]] = {**Adam.choices, "decay_form": ("library", "paper")}

    def update(self, s: State, g) -> None:
        """Algorithm 1, then the decay of the weights as they were before the step."""
        decay = self.weight_decay * (self.alpha if self.decay_form == "library" else 1.0)
        shrinkage = decay * s.theta
        super().update(s, g)
        s.theta = s.theta - shrinkage
