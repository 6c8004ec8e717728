"""Adam with one second moment a layer: what is left if coordinates do not adapt one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from adamcore.optim.base import Rule, State, divide, one_minus_power
from adamcore.optim.schedules import Schedule


@dataclass(frozen=True)
class LayerAdam(Rule):
    r"""Adam with a single v for each layer: the mean, over its coordinates, of what Adam would keep.

    .. math::

        m_t &= \beta_1 m_{t-1} + (1 - \beta_1)\, g_t \\
        v_t^{(l)} &= \beta_2 v_{t-1}^{(l)} + (1 - \beta_2)\, \frac{1}{n_l} \sum_{i \in l} g_{t,i}^2 \\
        \theta_{t,i} &= \theta_{t-1,i} - \alpha\, \hat m_{t,i} \Big/ \left(\sqrt{\hat v_t^{(l)}} + \epsilon\right)
            \quad \text{for } i \in l

    for each layer l of :math:`n_l` coordinates, with the corrections of :class:`Adam`. No published method is meant:
    it takes out of Adam what section 6.3 of arXiv:1412.6980 calls a poor approximation in convolutional networks, a v
    for each coordinate, and leaves what it praises there, a learning rate for each layer. In that it is near to
    momentum with gradients that are normalized layer by layer, such as NovoGrad (Ginsburg et al., arXiv:1905.11286),
    which however divides before it averages.

    Parameters
    ----------
    alpha : float or Schedule, default 0.001
        The step size, in parameter units: about the root mean square of a step in each layer, at most.
    beta1 : float, default 0.9
        How slowly the mean of the gradient forgets, in [0, 1).
    beta2 : float, default 0.999
        How slowly the mean of its square forgets, in [0, 1).
    eps : float, default 1e-8
        As for :class:`Adam`.
    sizes : tuple of int, default ()
        How many coordinates each layer has, in the order in which they stand in theta, each 1 or more; for a model,
        ``[math.prod(shape) for shape in model.layout.shapes.values()]`` takes weights and biases apart. Empty: theta
        is one layer.

    Raises
    ------
    ValueError
        If a size is no whole number of 1 or more; by ``init``, if their sum is not theta's size.

    Notes
    -----
    ``v`` is kept in theta's shape, each layer filled with its value, so that it reads as Adam's does. A layer needs
    its whole gradient, so the step in place is the readable one.

    Examples
    --------
    The first step has length alpha in the root mean square of each layer, but not in every coordinate:

    >>> import numpy as np
    >>> from adamcore.optim import LayerAdam
    >>> rule = LayerAdam(alpha=0.1, sizes=(2, 1))
    >>> s = rule.init(np.zeros(3))
    >>> rule.step(s, np.array([1.0, 7.0, -0.01]))
    >>> s.theta.round(4)
    array([-0.02, -0.14,  0.1 ])
    """

    alpha: float | Schedule = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    sizes: tuple[int, ...] = ()
    slots: ClassVar[tuple[str, ...]] = ("m", "v")
    elementwise: ClassVar[bool] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "sizes", tuple(self.sizes))  # a list, where it was read from a file
        if any(type(size) is not int or size < 1 for size in self.sizes):
            raise ValueError(
                f"LayerAdam: sizes = {self.sizes!r} is not allowed; it must hold whole numbers of 1 or more, the "
                "number of coordinates in each layer."
            )

    def init(self, theta: Any) -> State:
        """Make the state before the first step; theta must have as many coordinates as the layers together."""
        s = super().init(theta)
        if self.sizes and sum(self.sizes) != s.theta.size:
            raise ValueError(
                f"LayerAdam: sizes = {self.sizes!r} are {sum(self.sizes)} coordinates, but theta has {s.theta.size}. "
                "Give every layer's, in the order of theta."
            )
        return s

    def update(self, s: State, g) -> None:
        """Algorithm 1, but for one line."""
        s.m = self.beta1 * s.m + (1 - self.beta1) * g
        s.v = self.beta2 * s.v + (1 - self.beta2) * self.layer_means(g)
        s.m_hat = s.m / one_minus_power(self.beta1, s.t)
        s.v_hat = s.v / one_minus_power(self.beta2, s.t)
        s.theta = s.theta - self.alpha * divide(s.m_hat, np.sqrt(s.v_hat) + self.eps)

    def to_dict(self) -> dict[str, Any]:
        """Return the rule as plain data, the sizes as a list, as they come back from a file."""
        return {**super().to_dict(), "sizes": list(self.sizes)}

    def layer_means(self, g: np.ndarray) -> np.ndarray:
        """Return for each coordinate the mean of g**2 over its layer, in the shape and dtype of ``g``."""
        if g.size == 0:
            return np.zeros_like(g)
        sizes = self.sizes or (g.size,)
        starts = np.cumsum([0, *sizes[:-1]])
        sums = np.add.reduceat(np.square(g.reshape(-1), dtype=np.float64), starts)
        return np.repeat(sums / sizes, sizes).astype(g.dtype).reshape(g.shape)
