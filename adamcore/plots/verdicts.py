"""How many claims have which verdict, group by group."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from adamcore.plots.style import BLUE, BROWN, CORNFLOWER, GREEN, VERMILION

LOOKS = (
    {"facecolor": GREEN, "hatch": ""},
    {"facecolor": CORNFLOWER, "hatch": "//"},
    {"facecolor": BROWN, "hatch": "\\\\"},
    {"facecolor": VERMILION, "hatch": "xx"},
    {"facecolor": BLUE, "hatch": ".."},
    {"facecolor": "white", "hatch": ""},
)
"""One for each kind, told apart by hatching without color."""


def verdict_bars(counts: Mapping[str, Mapping[str, int]]) -> Figure:
    """Draw one horizontal bar a group, divided by kind, with the numbers in it.

    Parameters
    ----------
    counts : mapping of str to mapping of str to int
        For each group, how many there are of each kind; the same kinds, at most six, in the same order.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there are more than six kinds.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from adamcore.plots.verdicts import verdict_bars
    >>> figure = verdict_bars({"Theory": {"refuted": 2, "not run": 2}, "The rule": {"refuted": 0, "not run": 1}})
    >>> plt.close(figure)
    """
    kinds = list(next(iter(counts.values())))
    if len(kinds) > len(LOOKS):
        raise ValueError(f"counts has {len(kinds)} kinds; {len(LOOKS)} can be told apart.")
    figure, ax = plt.subplots(figsize=(7.2, 0.42 * len(counts) + 1.4))
    rows = np.arange(len(counts))[::-1]
    left = np.zeros(len(counts))
    for kind, look in zip(kinds, LOOKS, strict=False):
        width = np.array([group[kind] for group in counts.values()])
        ax.barh(rows, width, left=left, height=0.7, edgecolor="black", linewidth=0.7, label=kind, **look)
        for row, start, number in zip(rows, left, width, strict=True):
            if number:
                label = {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none"}
                ax.text(start + number / 2, row, str(number), ha="center", va="center", fontsize=9, bbox=label)
        left += width
    ax.set_yticks(rows, labels=list(counts))
    ax.set(xlabel="claims", xlim=(0, left.max() + 0.1), xticks=range(int(left.max()) + 1))
    ax.set_axisbelow(True)
    ax.grid(visible=False, axis="y")
    figure.legend(loc="outside upper center", ncols=3, fontsize=9, handlelength=2)
    return figure
