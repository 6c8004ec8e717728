"""Adam whose first moment fades out, as section 4 of arXiv:1412.6980 suggests for the end of training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from adamcore.optim.base import Rule, State, divide, one_minus_power
from adamcore.optim.schedules import Schedule


@dataclass(frozen=True)
class FadingAdam(Rule):
    r"""Adam with a beta1 that is constant at first and then falls to zero on a straight line.

    .. math::

        \beta_{1,t} &= \beta_1 \min\left(1, \max\left(0, 1 - \frac{t - n}{k}\right)\right) \\
        m_t &= \beta_{1,t}\, m_{t-1} + (1 - \beta_{1,t})\, g_t \\
        \hat m_t &= m_t / \Big(1 - \prod_{i=1}^t \beta_{1,i}\Big) \\
        \theta_t &= \theta_{t-1} - \alpha\, \hat m_t / (\sqrt{\hat v_t} + \epsilon)

    with n = ``hold``, k = ``fade``, and v as in :class:`Adam`. Section 4 of arXiv:1412.6980v9 decays
    :math:`\beta_{1,t}` towards zero, in the theorem as :math:`\beta_1 \lambda^{t-1}`, and says that this "matches
    previous empirical findings", that less momentum at the end of training can help (Sutskever et al., ICML 2013). It
    gives no form for practice; this line is the plainest that ends at zero.

    Algorithm 1 divides m by :math:`1 - \beta_1^t`, the sum of the weights that m gives to the gradients so far.
    With a beta1 that moves, :math:`g_i` has the weight :math:`(1 - \beta_{1,i}) \prod_{j>i} \beta_{1,j}`. The sum of
    these telescopes to :math:`1 - \prod_i \beta_{1,i}`. Divided by that, the weights of :math:`\hat m_t` sum to 1, so
    that on a constant gradient every :math:`\hat m_t` is that gradient. A division by :math:`1 - \beta_{1,t}^t` would
    not do it.

    Parameters
    ----------
    alpha : float or Schedule, default 0.001
        The step size, as for :class:`Adam`.
    beta1 : float, default 0.9
        How slowly the mean of the gradient forgets until it fades, in [0, 1).
    beta2 : float, default 0.999
        How slowly the mean of its square forgets, in [0, 1).
    eps : float, default 1e-8
        As for :class:`Adam`.
    hold : int, default 800
        Steps n with the full beta1, >= 0.
    fade : int, default 200
        Steps k in which it then falls to zero, >= 1; from step n + k on, m is the gradient itself. There is no good
        default for the two: they must suit the number of steps. These are the last fifth of 1,000.

    Raises
    ------
    ValueError
        If ``hold`` or ``fade`` is no whole number of that size.

    Notes
    -----
    The product of all beta1 so far is kept on the state, as ``beta1_product``.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore.optim import FadingAdam
    >>> rule = FadingAdam(hold=2, fade=2)
    >>> [rule.beta1_at(t) for t in (1, 2, 3, 4, 5)]
    [0.9, 0.9, 0.45, 0.0, 0.0]
    >>> s = rule.init(np.zeros(1))
    >>> for g in (5.0, 3.0, 1.0, -1.0):
    ...     rule.step(s, np.array([g]))
    >>> s.m_hat  # nothing is left of the past
    array([-1.])
    """

    alpha: float | Schedule = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    hold: int = 800
    fade: int = 200
    slots: ClassVar[tuple[str, ...]] = ("m", "v")
    scalars: ClassVar[dict[str, float]] = {"beta1_product": 1.0}

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, least in (("hold", 0), ("fade", 1)):
            value = getattr(self, name)
            if type(value) is not int or value < least:
                raise ValueError(
                    f"FadingAdam: {name} = {value!r} is not allowed; it must be a whole number of {least} or more, "
                    "counted in steps."
                )

    def update(self, s: State, g) -> None:
        """Algorithm 1 with the first moment's own beta at each step."""
        beta1 = self.beta1_at(s.t)
        s.beta1_product = s.beta1_product * beta1
        s.m = beta1 * s.m + (1 - beta1) * g
        s.v = self.beta2 * s.v + (1 - self.beta2) * g**2
        s.m_hat = s.m / (1 - s.beta1_product)
        s.v_hat = s.v / one_minus_power(self.beta2, s.t)
        s.theta = s.theta - self.alpha * divide(s.m_hat, np.sqrt(s.v_hat) + self.eps)

    def beta1_at(self, t: int) -> float:
        """Return beta1 at step ``t``."""
        return self.beta1 * min(1.0, max(0.0, 1 - (t - self.hold) / self.fade))
