"""Moving averages at one moment: what they weigh, and what they have come to."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from adamcore.plots.style import BLUE, BROWN, VERMILION

LINES = (
    {"color": VERMILION, "linestyle": "-", "marker": "o"},
    {"color": BLUE, "linestyle": (0, (5, 1.6)), "marker": "D"},
    {"color": BROWN, "linestyle": (0, (1, 1.2)), "marker": "s"},
)
"""One for each average in a figure, told apart without color."""


def forgetting(gradients: np.ndarray, left: Mapping[float, np.ndarray], spike: int, t: int) -> Figure:
    """Draw what moving averages still hold of one gradient, seen at step t.

    Above, the gradients up to step t. In the middle, the weight that each average gives them, the newest being 1.
    Below, the share of the spike that is left, step by step: its last point is as high as the weight above the spike.

    Parameters
    ----------
    gradients : numpy.ndarray
        All gradients, (steps,); that of step i at index i - 1.
    left : mapping of float to numpy.ndarray
        For each beta the share of a gradient that is left after 0, 1, ... steps, (steps,).
    spike : int
        The step whose gradient is followed, from 1.
    t : int
        The present, from ``spike`` to the number of steps.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import numpy as np
    >>> from adamcore.plots import forgetting
    >>> gradients = np.array([0.1, 5.0, -0.2, 0.3])
    >>> figure = forgetting(gradients, {0.9: 0.9 ** np.arange(4)}, spike=2, t=4)
    >>> plt.close(figure)
    """
    figure, (top, middle, bottom) = plt.subplots(3, 1, figsize=(7.2, 4.6), sharex=True)
    now = np.arange(1, t + 1)
    colors = np.where(now == spike, VERMILION, "#777777")
    top.vlines(now, 0, gradients[:t], colors=colors, linewidth=2)
    top.axhline(0, color="#777777", linewidth=0.8)
    top.set(ylim=(min(0, gradients.min()) - 0.5, gradients.max() + 0.5), title="gradients so far")
    for style, (beta, share) in zip(LINES, left.items(), strict=False):
        line = {"color": style["color"], "linestyle": style["linestyle"]}
        age = t - spike
        middle.plot(now, share[t - now], **line)
        middle.plot(spike, share[age], marker=style["marker"], color=style["color"], markersize=7)
        bottom.plot(np.arange(spike, t + 1), share[: age + 1], label=f"beta = {beta:g}", **line)
        bottom.plot(t, share[age], marker=style["marker"], color=style["color"], markersize=7)
    middle.set_title("their weights now, the newest being 1")
    bottom.set_title("share of the long gradient that is left")
    bottom.set_xlabel("step")
    bottom.legend(loc="center right")
    for ax in (middle, bottom):
        ax.set(ylim=(-0.05, 1.12), xlim=(0, len(gradients) + 1))
    return figure


def unfolding(gradients: np.ndarray, m: np.ndarray, m_hat: np.ndarray, beta: float, t: int, mean: float) -> Figure:
    """Draw a moving average that started at zero, at step t, with and without its correction.

    Above, its weights: filled before the correction, with what the zero at the start holds as a hatched bar;
    outlined after it. Below, the gradients, the average and the corrected average so far.

    Parameters
    ----------
    gradients, m, m_hat : numpy.ndarray
        All gradients, and the two averages after each, (steps,); those of step i at index i - 1.
    beta : float
    t : int
        The present, from 1.
    mean : float
        What the average estimates.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import numpy as np
    >>> from adamcore.plots import unfolding
    >>> figure = unfolding(np.ones(3), np.array([0.1, 0.19, 0.271]), np.ones(3), beta=0.9, t=2, mean=1.0)
    >>> plt.close(figure)
    """
    figure, (top, bottom) = plt.subplots(2, 1, figsize=(7.2, 4.6), sharex=True)
    now = np.arange(1, t + 1)
    weights = (1 - beta) * beta ** (t - now)
    top.bar(0, beta**t, color="white", edgecolor="#777777", hatch="///", label="weight of the zero start")
    top.bar(now, weights, color=BLUE, label="weights of the gradients")
    top.bar(
        now, weights / (1 - beta**t), fill=False, edgecolor=VERMILION, linewidth=1.6, label="after the correction"
    )
    top.set(ylim=(0, 1.05), ylabel="weight")
    top.legend(loc="upper right")
    bottom.axhline(mean, color="#777777", linewidth=0.8)
    bottom.plot(now, gradients[:t], ".", color="#777777", markersize=7, label="gradients")
    bottom.plot(now, m[:t], color=BLUE, linestyle=(0, (5, 1.6)), marker="D", label="m")
    bottom.plot(now, m_hat[:t], color=VERMILION, marker="o", label="m corrected")
    low, high = min(0, gradients.min()), gradients.max()
    bottom.set(xlim=(-0.7, len(gradients) + 0.7), ylim=(low - 0.5, high + 0.2), xlabel="step")
    bottom.set_xticks(range(0, len(gradients) + 1, 5))
    bottom.legend(loc="lower right", ncols=3)
    return figure
