"""One compiled kernel: Adam's update in a single pass, where numba is installed (extra ``fast``).

The formula has one home, :meth:`adamcore.optim.Adam.update`; this is the same arithmetic, operation by
operation, and the tests hold the two equal to the last bit. numba is imported when it is first of use.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from adamcore.optim.base import Kernel, State

if TYPE_CHECKING:
    from adamcore.optim.adam import Adam

PARALLEL_SIZE = 262_144
"""Coordinates from which on more than one thread pays."""

# numba's simplest threading layer ends the process when two Python threads enter it at once.
_LOCK = threading.Lock()

_settings = threading.local()


class Kernels(NamedTuple):
    """The compiled functions, each for one thread and for all."""

    adam: Callable
    adam_parallel: Callable
    finite: Callable
    finite_parallel: Callable


@functools.cache
def kernels() -> Kernels | None:
    """Compile, or find compiled; None where numba is missing or does not work with this numpy."""
    if importlib.util.find_spec("numba") is None:
        return None
    try:
        import numba
    except ImportError:
        return None

    # The loop is a free variable, because numba's cache tells functions apart by these, not by options.
    def make(loop: Callable, parallel: bool) -> tuple[Callable, Callable]:
        def adam(
            theta, m, v, g, beta1, one_minus_beta1, beta2, one_minus_beta2, m_correction, v_correction, alpha, eps
        ):
            zero = eps - eps  # of the same dtype: a literal would make the arithmetic float64
            for i in loop(theta.size):
                m[i] = beta1 * m[i] + one_minus_beta1 * g[i]
                v[i] = beta2 * v[i] + one_minus_beta2 * (g[i] * g[i])
                denominator = np.sqrt(v[i] / v_correction) + eps
                ratio = (m[i] / m_correction) / denominator
                theta[i] = theta[i] - alpha * (ratio if denominator != zero else zero)

        def finite(g):
            # x - x is 0, or NaN where x is not finite. Four places are read at a time: a single stream
            # would not fill the way to the memory.
            quarter = g.size // 4
            a, b, c, d = g[:quarter], g[quarter : 2 * quarter], g[2 * quarter : 3 * quarter], g[3 * quarter :]
            total = g.dtype.type(0)
            for i in loop(quarter):
                total += (a[i] - a[i]) + (b[i] - b[i]) + (c[i] - c[i]) + (d[i] - d[i])
            for i in range(quarter, d.size):  # what four do not divide
                total += d[i] - d[i]
            return total == 0

        options = {"cache": True, "error_model": "numpy", "parallel": parallel, "nogil": True}
        # The terms of finite's sum may be added in any order, and so in vectors; nothing else is relaxed.
        relaxed = {**options, "fastmath": {"reassoc"}}
        try:
            return numba.njit(**options)(adam), numba.njit(**relaxed)(finite)
        except RuntimeError:  # nowhere to write a cache
            options["cache"] = relaxed["cache"] = False
            return numba.njit(**options)(adam), numba.njit(**relaxed)(finite)

    serial, parallel = make(range, False), make(numba.prange, True)
    return Kernels(serial[0], parallel[0], serial[1], parallel[1])


def adam_kernel() -> Kernel | None:
    """The compiled kernel of Adam, if it can be used here and now."""
    if getattr(_settings, "pure_numpy", False) or kernels() is None:
        return None
    return Kernel(all_finite, update)


def update(rule: Adam, s: State, g: np.ndarray) -> None:
    """Adam's update of the whole state, in place."""
    theta, m, v, g = (array.reshape(-1) for array in (s.theta, s.m, s.v, g))
    v_correction = rule.v_correction(s.t)
    eps = rule.eps / v_correction**0.5 if rule.eps_place == "hat" else rule.eps
    numbers = (
        rule.beta1,
        1 - rule.beta1,
        rule.beta2,
        1 - rule.beta2,
        rule.m_correction(s.t),
        v_correction,
        rule.alpha,
        eps,
    )
    # As numpy does with Python floats: each number is rounded to theta's dtype, then used.
    _call(kernels().adam, kernels().adam_parallel, theta, m, v, g, *map(theta.dtype.type, numbers))


def all_finite(x: np.ndarray) -> bool:
    """Whether no value is NaN or infinite, in one pass."""
    return bool(_call(kernels().finite, kernels().finite_parallel, x.reshape(-1)))


def _call(serial: Callable, parallel: Callable, first: np.ndarray, *rest: object) -> object:
    """The kernel for one thread or for all, by size and by what was asked for."""
    if first.size < PARALLEL_SIZE or getattr(_settings, "one_thread", False):
        return serial(first, *rest)
    with _LOCK:
        return parallel(first, *rest)


@contextlib.contextmanager
def _switched(name: str) -> Iterator[None]:
    """A setting of this Python thread, on for a while."""
    before = getattr(_settings, name, False)
    setattr(_settings, name, True)
    try:
        yield
    finally:
        setattr(_settings, name, before)


def pure_numpy() -> contextlib.AbstractContextManager[None]:
    """Leave the compiled kernel out for a while, for a comparison; numbers are the same.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore import Adam
    >>> from adamcore.optim import pure_numpy
    >>> rule = Adam()
    >>> one, other = rule.init(np.ones(50_000)), rule.init(np.ones(50_000))
    >>> rule.step(one, one.theta, inplace=True)
    >>> with pure_numpy():
    ...     rule.step(other, other.theta, inplace=True)
    >>> bool((one.theta == other.theta).all())
    True
    """
    return _switched("pure_numpy")


def one_thread() -> contextlib.AbstractContextManager[None]:
    """Keep the compiled kernel to one thread for a while, as when many runs share the cores.

    Examples
    --------
    >>> from adamcore.optim import one_thread
    >>> with one_thread():
    ...     pass  # train
    """
    return _switched("one_thread")
