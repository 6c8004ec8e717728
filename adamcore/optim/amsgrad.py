"""AMSGrad: Adam whose denominator never shrinks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from adamcore.optim.adam import Adam
from adamcore.optim.base import State, divide


@dataclass(frozen=True)
class AMSGrad(Adam):
    r"""AMSGrad: divide by the root of the largest second moment so far.

    .. math::

        m_t &= \beta_1 m_{t-1} + (1 - \beta_1) g_t \\
        v_t &= \beta_2 v_{t-1} + (1 - \beta_2) g_t^2 \\
        \hat v_t &= \max(\hat v_{t-1}, v_t) \\
        \theta_t &= \theta_{t-1} - \alpha\, m_t / \sqrt{\hat v_t}

    Reddi, Kale & Kumar, "On the Convergence of Adam and Beyond" (ICLR 2018), arXiv:1904.09237, Algorithm 2.
    Their hat means the maximum, not a bias correction: they correct nothing. Libraries correct, and differ
    in whether the maximum is taken before or after.

    Parameters
    ----------
    alpha : float or Schedule, default 0.001
        The step size, in parameter units. This default and those of the betas are Adam's.
    beta1 : float, default 0.9
        How slowly the mean of the gradient forgets, in [0, 1).
    beta2 : float, default 0.999
        How slowly the mean of its square forgets, in [0, 1), below the largest so far.
    eps : float, default 1e-8
        As for :class:`Adam`; the paper has none.
    bias_correction : {False, True, "first", "second"}, default False
        As for :class:`Adam`, but none by default, as in the paper.
    eps_place : {"outside", "hat", "inside"}, default "outside"
        As for :class:`Adam`.
    maximum : {"raw", "corrected"}, default "raw"
        Of what the maximum is. ``"raw"``: of v as it is; a correction, if any, comes after (PyTorch).
        ``"corrected"``: of the corrected v (optax).

    Examples
    --------
    After one large gradient, small ones move theta hardly at all, for ever:

    >>> import numpy as np
    >>> from adamcore import Adam, AMSGrad
    >>> for rule in (Adam(beta1=0, beta2=0.9), AMSGrad(beta1=0, beta2=0.9, bias_correction=True)):
    ...     s = rule.init(np.zeros(1))
    ...     for g in (100.0, *[1.0] * 200):
    ...         rule.step(s, np.array([g]))
    ...     print(type(rule).__name__, (s.v_hat**0.5).round(3))
    Adam [1.]
    AMSGrad [31.623]
    """

    bias_correction: bool | str = False
    maximum: str = "raw"
    slots: ClassVar[tuple[str, ...]] = ("m", "v", "v_max")
    choices: ClassVar[dict[str, tuple]] = {**Adam.choices, "maximum": ("raw", "corrected")}

    def update(self, s: State, g) -> None:
        """Algorithm 2 of arXiv:1904.09237, with the corrections that libraries add."""
        s.m = self.beta1 * s.m + (1 - self.beta1) * g
        s.v = self.beta2 * s.v + (1 - self.beta2) * g**2
        s.m_hat = s.m / self.m_correction(s.t)
        if self.maximum == "raw":
            s.v_max = np.maximum(s.v_max, s.v)
            s.v_hat = s.v_max / self.v_correction(s.t)
        else:
            s.v_max = np.maximum(s.v_max, s.v / self.v_correction(s.t))
            s.v_hat = s.v_max
        s.theta = s.theta - self.alpha * divide(s.m_hat, self.denominator(s.v_hat, s.t))
