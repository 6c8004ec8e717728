"""The paper's own curves, and how far another lies from them."""

from __future__ import annotations

import csv
from importlib.resources import files
from typing import NamedTuple

import numpy as np

FIGURES = ("fig1a", "fig1b", "fig2a", "fig2b", "fig2b_walltime", "fig3a", "fig3b")
"""The figures that show curves; ``fig4`` shows single points, see :func:`digitized_points`."""


def digitized_curves(figure: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return the curves of a figure of arXiv:1412.6980v9, as coordinates of its vector graphics.

    Parameters
    ----------
    figure : str
        ``fig1a``, ``fig1b``: logistic regression on MNIST, on IMDB; ``fig2a``: the multilayer network with
        dropout; ``fig2b``, ``fig2b_walltime``: without, by epoch and by "normalized walltime"; ``fig3a``, ``fig3b``:
        the convolutional network's first three epochs, and all.

    Returns
    -------
    dict of str to (numpy.ndarray, numpy.ndarray)
        For each name in the legend, the epochs and the training cost. The paper writes AdaGrad in two ways,
        here it is always AdaGrad.

    Raises
    ------
    ValueError
        If there are no curves of that figure.

    Examples
    --------
    >>> from adamcore.experiments import digitized_curves
    >>> x, y = digitized_curves("fig1a")["Adam"]
    >>> x[10], y[10]
    (np.float64(10.0), np.float64(0.27981))
    """
    if figure not in FIGURES:
        raise ValueError(f"there are no digitized curves of {figure!r}; there are those of {', '.join(FIGURES)}.")
    points: dict[str, list[tuple[float, float]]] = {}
    for row in _rows(figure):
        points.setdefault(row["curve"], []).append((abs(float(row["x"])), float(row["y"])))
    return {name: (np.array(curve)[:, 0], np.array(curve)[:, 1]) for name, curve in points.items()}


class Point(NamedTuple):
    """One visible point of Figure 4.

    Attributes
    ----------
    beta1, beta2 : float
    epochs : int
        10 or 100.
    bias_correction : bool
    alpha : float
        The step size, rounded to the half decades of the figure's grid: 0.00003, 0.0001, ... 0.01.
    loss : float
        From 95 to 140; what lies above is outside of the frame.
    """

    beta1: float
    beta2: float
    epochs: int
    bias_correction: bool
    alpha: float
    loss: float


def digitized_points() -> list[Point]:
    """Return the points of Figure 4 of arXiv:1412.6980v9: the auto-encoder's loss with and without bias correction.

    Returns
    -------
    list of Point

    Examples
    --------
    >>> from adamcore.experiments import digitized_points
    >>> min(digitized_points(), key=lambda point: point.loss)
    Point(beta1=0.9, beta2=0.999, epochs=100, bias_correction=False, alpha=0.001, loss=98.7)
    """
    return [
        Point(
            beta1=float(row["beta1"]),
            beta2=float(row["beta2"]),
            epochs=int(row["epochs"]),
            bias_correction=row["bias_correction"] == "1",
            alpha=float(f"{10 ** float(row['log10_alpha']):.0e}"),
            loss=float(row["loss"]),
        )
        for row in _rows("fig4")
    ]


def _rows(figure: str) -> list[dict[str, str]]:
    """The lines of a figure's file, by the names in its first."""
    path = files("adamcore.experiments") / "figures" / f"{figure}.csv"
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def log_rms(cost: np.ndarray, x: np.ndarray, y: np.ndarray) -> float:
    """Return the root mean square difference of log cost from a digitized curve.

    Parameters
    ----------
    cost : numpy.ndarray
        Cost by epoch; entry k is compared with the digitized point at x = k.
    x, y : numpy.ndarray
        The digitized curve. Points between whole epochs (where a curve enters the frame) and beyond the
        last epoch are left out.

    Returns
    -------
    float
        0.05 means: typically 5 % apart.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore.experiments import log_rms
    >>> round(log_rms(np.array([1.0, 0.5]), np.array([0.0, 1.0]), np.array([1.1, 0.5])), 4)
    0.0674
    """
    epoch = np.rint(x).astype(int)
    use = (np.abs(x - epoch) < 0.01) & (epoch < len(cost))
    return float(np.sqrt(np.mean(np.log(cost[epoch[use]] / y[use]) ** 2)))
