"""Loss surfaces of two parameters, and the paths of optimizers on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes

from adamcore.plots.style import optimizer_style


def contours(
    ax: Axes,
    f: Callable[[np.ndarray], np.ndarray],
    xlim: tuple[float, float],
    ylim: tuple[float, float],
    levels: Sequence[float],
) -> None:
    """Draw the level lines of a function of two parameters.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where to draw.
    f : callable
        Maps points of shape (..., 2) to values of shape (...).
    xlim, ylim : tuple of float
        The part of the plane to draw.
    levels : sequence of float
        The values whose lines are drawn, rising.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from adamcore.plots import contours
    >>> figure, ax = plt.subplots()
    >>> contours(ax, lambda theta: (theta**2).sum(axis=-1), (-1, 1), (-1, 1), levels=[0.1, 0.5, 1])
    >>> plt.close(figure)
    """
    grid = np.stack(np.meshgrid(np.linspace(*xlim, 200), np.linspace(*ylim, 200)), axis=-1)
    ax.contour(grid[..., 0], grid[..., 1], f(grid), levels=levels, colors="#888888", linewidths=0.8)
    ax.set(xlim=xlim, ylim=ylim, xlabel=r"$\theta_1$", ylabel=r"$\theta_2$")
    ax.grid(False)


def path(ax: Axes, thetas: np.ndarray, name: str, *, label: str | None = None) -> None:
    """Draw an optimizer's path: a marker at each step.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where to draw.
    thetas : numpy.ndarray
        The points visited, (steps + 1, 2).
    name : str
        The optimizer, which decides color, line and marker.
    label : str, optional
        The text in the legend; the name by default.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import numpy as np
    >>> from adamcore.plots import path
    >>> figure, ax = plt.subplots()
    >>> path(ax, np.array([[1.0, 1.0], [0.5, 0.0]]), "Adam")
    >>> plt.close(figure)
    """
    style = optimizer_style(name)
    ax.plot(
        *np.transpose(thetas),
        label=label or name,
        linewidth=1.3,
        markersize=3,
        **{k: style[k] for k in style if k != "linestyle"},
    )
