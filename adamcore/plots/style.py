"""One look for the whole book."""

from __future__ import annotations

from typing import Any

import matplotlib
from cycler import cycler

# From the palette of Okabe and Ito (2008), which stays apart under every common color blindness. Its orange, sky
# blue, yellow and purple are too pale for lines on white: brown and cornflower blue stand for the first two, and
# the purple is darker. tests/plots/test_contrast.py measures all of them, in the light theme and in the dark one.
BROWN, CORNFLOWER, GREEN, BLUE = "#6E4E00", "#5B8DEF", "#009E73", "#0072B2"
VERMILION, PURPLE, BLACK = "#D55E00", "#C46CA4", "#000000"

OPTIMIZER_STYLES: dict[str, dict[str, Any]] = {
    "SGD": {"color": BLACK, "linestyle": (0, (1, 1.2)), "marker": "s"},
    "Momentum": {"color": PURPLE, "linestyle": (0, (3, 1, 1, 1)), "marker": "v"},
    "Nesterov": {"color": GREEN, "linestyle": (0, (5, 1.6)), "marker": "^"},
    "AdaGrad": {"color": BLUE, "linestyle": (0, (6, 1.5, 1.2, 1.5)), "marker": "D"},
    "RMSProp": {"color": BROWN, "linestyle": (0, (8, 2)), "marker": "P"},
    "AdaDelta": {"color": CORNFLOWER, "linestyle": (0, (2, 1, 2, 3)), "marker": "X"},
    "Adam": {"color": VERMILION, "linestyle": "-", "marker": "o"},
    "SFO": {"color": BLACK, "linestyle": (0, (4, 1, 1, 1, 1, 1)), "marker": "*"},
    "LBFGS": {"color": PURPLE, "linestyle": (0, (1, 2.4)), "marker": "<"},
}
"""Each optimizer's color, line and marker, the same in every figure."""

ALIASES = {"SGDNesterov": "Nesterov"}
"""Names of the paper's legends for optimizers that have another name here."""

CYCLE = cycler(
    color=[BLUE, VERMILION, GREEN, PURPLE, BROWN, BLACK],
    linestyle=["-", (0, (5, 1.6)), (0, (6, 1.5, 1.2, 1.5)), (0, (3, 1, 1, 1)), (0, (8, 2)), (0, (1, 1.2))],
)
"""For lines that are given no look of their own: as everywhere, color is not alone."""


def optimizer_style(name: str) -> dict[str, Any]:
    """Return the keyword arguments for drawing an optimizer's line.

    Parameters
    ----------
    name : str
        Of an optimizer, here or in the paper's legends. What follows a plus sign or a comma, as in
        ``"Adam+dropout"`` or ``"SFO, 100 parts"``, says how it was trained, and changes nothing.

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
    plain = name.split("+")[0].split(",")[0]
    plain = ALIASES.get(plain, plain)
    if plain not in OPTIMIZER_STYLES:
        known = ", ".join([*OPTIMIZER_STYLES, *ALIASES])
        raise ValueError(
            f"name = {name!r} has no style; there are {known}, each with or without a suffix after '+' or ','."
        )
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
            "axes.axisbelow": True,
            "axes.prop_cycle": CYCLE,
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
