"""The loss over the step size, panel by panel."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from adamcore.plots.averages import LINES


def basins(
    panels: Mapping[str, Mapping[str, Mapping[float, float | np.ndarray]]],
    *,
    ylim: tuple[float, float],
    xlim: tuple[float, float] | None = None,
    columns: int = 3,
    ylabel: str = "loss",
    title: str = "",
) -> Figure:
    """Draw the loss over the step size, one panel beside the other, and show also what leaves the frame.

    Parameters
    ----------
    panels : mapping of str to mapping of str to mapping of float to float or array
        For each panel's title, for each contender (at most three), for each step size its loss, or those of several
        seeds, of which the mean is drawn. An infinite loss is a run that diverged; what was not run is left out.
    ylim : (float, float)
        The frame. A loss above it is a triangle at its upper edge.
    xlim : (float, float), optional
        By default, all step sizes.
    columns : int, default 3
        Panels beside each other.
    ylabel, title : str

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If a panel has more than three contenders.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import numpy as np
    >>> from adamcore.plots import basins
    >>> losses = {"corrected": {0.001: 110.0, 0.01: 105.0}, "uncorrected": {0.001: 104.0, 0.01: np.inf}}
    >>> figure = basins({"beta2 = 0.999": losses}, ylim=(95, 140))
    >>> plt.close(figure)
    """
    columns = min(columns, len(panels))
    rows = -(-len(panels) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(8, 0.9 + 2.2 * rows), sharex=True, sharey=True, squeeze=False)
    for ax in axes.flat[len(panels) :]:
        ax.set_axis_off()
    shown = {}  # a contender's style is the same in all panels, also where it has no losses
    names = list(dict.fromkeys(name for losses in panels.values() for name in losses))
    if len(names) > len(LINES):
        raise ValueError(f"panels has {len(names)} contenders, {', '.join(names)}; {len(LINES)} can be told apart.")
    for ax, (panel, losses) in zip(axes.flat, panels.items(), strict=False):
        for name, style in zip(names, LINES, strict=False):
            alphas = sorted(losses.get(name, {}))
            means = np.array([np.mean(losses[name][alpha]) for alpha in alphas])
            (line,) = ax.plot(alphas, np.where(np.isfinite(means), means, np.nan), **style)
            shown.setdefault(name, line)
            gone = [alpha for alpha, mean in zip(alphas, means, strict=True) if not mean <= ylim[1]]
            # Side by side where several leave the frame at the same step size, and inside it by half a marker.
            shift = 1.12 ** (2 * names.index(name) - len(names) + 1)
            height = ylim[1] - 0.03 * (ylim[1] - ylim[0])
            ax.plot(np.array(gone) * shift, [height] * len(gone), "^", color=style["color"], markersize=5)
        ax.set(xscale="log", ylim=ylim, title=panel)
        ax.minorticks_off()
    if xlim is not None:
        axes[0, 0].set_xlim(xlim)
    for ax in axes[-1]:
        ax.set_xlabel("step size")
    for ax in axes[:, 0]:
        ax.set_ylabel(ylabel)
    if title:
        figure.suptitle(title, fontsize=11)
    figure.legend(shown.values(), shown, loc="outside lower center", ncols=len(shown))
    return figure
