"""The length of Adam's step beside what bounds it."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from adamcore.plots.style import BLUE, BROWN, VERMILION

AGES = 40
"""So many of the latest gradients are drawn."""


def against_bounds(
    gradients: np.ndarray,
    m_hat: np.ndarray,
    root: np.ndarray,
    bound: np.ndarray,
    t: int,
    *,
    paper: float,
    ordinary: np.ndarray,
) -> Figure:
    """Draw Adam's step at step t: what it is a quotient of, and how long it is beside its bounds.

    Above, the latest gradients as bars, in units of the newest one, and two levels: the corrected average of the
    gradients and the root of that of their squares. Below, the quotient of the two levels so far, which
    is the length of the step in units of alpha, with its bounds.

    Parameters
    ----------
    gradients, m_hat, root : numpy.ndarray
        The gradients, and after each of them m_hat and the root of v_hat, (steps,); those of step i at index i - 1.
    bound : numpy.ndarray
        The longest step that is possible at each step, in units of alpha, (steps,).
    t : int
        The present, from 1.
    paper : float
        The bound to compare with, in units of alpha.
    ordinary : numpy.ndarray
        The lengths of the steps for other gradients, drawn thin, (steps,).

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import numpy as np
    >>> from adamcore.plots import against_bounds
    >>> one = np.ones(5)
    >>> figure = against_bounds(one, one, one, 1.1 * one, t=3, paper=3.2, ordinary=0.5 * one)
    >>> plt.close(figure)
    """
    figure, (top, bottom) = plt.subplots(2, 1, figsize=(7.2, 5.4), height_ratios=(2, 3))
    ages = np.arange(min(t, AGES))
    newest = gradients[t - 1]
    bars = gradients[t - 1 - ages] / newest
    top.bar(ages, bars, color="#bbbbbb", edgecolor="#777777", width=0.6, label="gradients")
    top.axhline(m_hat[t - 1] / newest, color=BLUE, linestyle=(0, (5, 1.6)), label="m_hat")
    top.axhline(root[t - 1] / newest, color=VERMILION, label="root of v_hat")
    top.set(xlim=(AGES - 0.5, -0.7), ylim=(0, 1.1), xlabel="age of the gradient", title="in units of the newest one")
    top.legend(loc="upper left", ncols=3)
    steps = np.arange(1, len(gradients) + 1)
    lengths = np.abs(m_hat / root)
    bottom.plot(steps, bound, color="#777777", linestyle=(0, (5, 1.6)), label="sharp bound")
    bottom.axhline(paper, color=BROWN, linestyle=(0, (1, 1.2)), label=f"the paper's {paper:.2f}")
    bottom.plot(steps[:t], ordinary[:t], color="#888888", linestyle="-", linewidth=1, label="ordinary gradients")
    bottom.plot(steps[:t], lengths[:t], color=VERMILION, linestyle="-", linewidth=2.4, label="these gradients")
    bottom.plot(t, lengths[t - 1], "o", color=VERMILION, markersize=8)
    bottom.set(xscale="log", xlim=(0.9, len(gradients) * 1.1), ylim=(0, 1.05 * max(bound.max(), paper)))
    bottom.set(xlabel="step", ylabel="step / alpha")
    bottom.legend(loc="upper left")
    return figure
