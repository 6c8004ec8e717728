"""One look for the whole book."""

from __future__ import annotations

from typing import Any

import matplotlib

# The palette of Okabe and Ito (2008), which stays apart under every common color blindness.
ORANGE, SKY, GREEN, YELLOW = "#E69F00", "#56B4E9", "#009E73", "#F0E442"
BLUE, VERMILION, PURPLE, BLACK = "#0072B2", "#D55E00", "#CC79A7", "#000000"

OPTIMIZER_STYLES: dict[str, dict[str, Any]] = {
    "SGD": {"color": BLACK, "linestyle": (0, (1, 1.2)), "marker": "s"},
    "Momentum": {"color": PURPLE, "linestyle": (0, (3, 1, 1, 1)), "marker": "v"},
    "Nesterov": {"color": GREEN, "linestyle": (0, (5, 1.6)), "marker": "^"},
    "AdaGrad": {"color": BLUE, "linestyle": (0, (6, 1.5, 1.2, 1.5)), "marker": "D"},
    "RMSProp": {"color": ORANGE, "linestyle": (0, (8, 2)), "marker": "P"},
    "AdaDelta": {"color": SKY, "linestyle": (0, (2, 1, 2, 3)), "marker": "X"},
    "Adam": {"color": VERMILION, "linestyle": "-", "marker": "o"},
}
"""Each optimizer's color, line and marker, the same in every figure."""

ALIASES = {"SGDNesterov": "Nesterov"}
"""Names of the paper's legends for optimizers that have another name here."""


def optimizer_style(name: str) -> dict[str, Any]:
    """Return the keyword arguments for drawing an optimizer's line.

    Parameters
    ----------
    name : str
        Of an optimizer, here or in the paper's legends. What follows a plus sign, as in ``"Adam+dropout"``, says how
        it was trained, and changes nothing.

    Returns
    -------
    dict
        ``color``, ``linestyle`` and ``marker``, for the caller to change.

    Raises
    ------
    ValueError
        If there is no style of that name.

    Examples
    --------
    >>> from adamcore.plots import optimizer_style
    >>> optimizer_style("SGDNesterov") == optimizer_style("Nesterov")
    True
    >>> optimizer_style("Adam+dropout") == optimizer_style("Adam")
    True
    """
    plain = name.split("+")[0]
    plain = ALIASES.get(plain, plain)
    if plain not in OPTIMIZER_STYLES:
        known = ", ".join([*OPTIMIZER_STYLES, *ALIASES])
        raise ValueError(f"name = {name!r} has no style; there are {known}, each with or without a suffix after '+'.")
    return dict(OPTIMIZER_STYLES[plain])


def use_style() -> None:
    """Make matplotlib draw in the book's style from here on; every chapter calls it once.

    Examples
    --------
    >>> from adamcore.plots import use_style
    >>> use_style()
    """
    matplotlib.rcParams.update(
        {
            "figure.figsize": (7.2, 4.0),
            "figure.dpi": 110,
            "figure.facecolor": "white",
            "figure.constrained_layout.use": True,
            "font.size": 11,
            "axes.titlesize": 11,
            "axes.titlelocation": "left",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "grid.color": "#dddddd",
            "grid.linewidth": 0.6,
            "lines.linewidth": 1.8,
            "lines.markersize": 4.5,
            "legend.frameon": False,
            "legend.handlelength": 3.2,
            # The same file for the same figure.
            "svg.hashsalt": "adamcore",
        }
    )
