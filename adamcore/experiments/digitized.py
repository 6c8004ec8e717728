"""The paper's own curves, and how far another lies from them."""

from __future__ import annotations

import csv
from importlib.resources import files

import numpy as np


def digitized_curves(figure: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return the curves of a figure of arXiv:1412.6980v9, as coordinates of its vector graphics.

    Parameters
    ----------
    figure : str
        Such as ``fig1a``.

    Returns
    -------
    dict of str to (numpy.ndarray, numpy.ndarray)
        For each name in the legend, the epochs and the training cost.

    Examples
    --------
    >>> from adamcore.experiments import digitized_curves
    >>> x, y = digitized_curves("fig1a")["Adam"]
    >>> x[10], y[10]
    (np.float64(10.0), np.float64(0.27981))
    """
    path = files("adamcore.experiments") / "figures" / f"{figure}.csv"
    if not path.is_file():
        raise ValueError(f"there are no digitized curves of {figure!r}.")
    points: dict[str, list[tuple[float, float]]] = {}
    for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines()):
        points.setdefault(row["curve"], []).append((abs(float(row["x"])), float(row["y"])))
    return {name: (np.array(curve)[:, 0], np.array(curve)[:, 1]) for name, curve in points.items()}


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
