"""Training curves."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from adamcore.plots.style import optimizer_style


def curves(
    ax: Axes,
    costs: Mapping[str, np.ndarray | tuple[np.ndarray, np.ndarray]],
    *,
    title: str = "",
    xlabel: str = "epoch",
    ylabel: str = "training cost",
) -> None:
    """Draw one curve for each optimizer; several seeds give their mean and a band from lowest to highest.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where to draw.
    costs : mapping of str to array
        For each optimizer its cost by epoch (epochs,), that of several seeds (seeds, epochs), or a pair of
        arrays (epoch, cost).
    title, xlabel, ylabel : str

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import numpy as np
    >>> from adamcore.plots import curves
    >>> figure, ax = plt.subplots()
    >>> curves(ax, {"Adam": np.array([[3.0, 2.0], [3.2, 2.2]])}, title="Two seeds")
    >>> plt.close(figure)
    """
    for name, cost in costs.items():
        x, y = cost if isinstance(cost, tuple) else (np.arange(np.shape(cost)[-1]), cost)
        y = np.atleast_2d(y)
        style = optimizer_style(name)
        every = max(1, y.shape[1] // 6)
        ax.plot(x, y.mean(axis=0), label=name, markevery=(every // 2, every), **style)
        if len(y) > 1:
            ax.fill_between(x, y.min(axis=0), y.max(axis=0), color=style["color"], alpha=0.25, linewidth=0)
    ax.set(title=title, xlabel=xlabel, ylabel=ylabel)
    ax.legend()
