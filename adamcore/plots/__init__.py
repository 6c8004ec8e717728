"""Figures in one style: told apart without color, readable in a light and a dark theme.

Nothing here computes: each function draws the numbers that it is given.
"""

from adamcore.plots.averages import forgetting, unfolding
from adamcore.plots.basins import basins
from adamcore.plots.bounds import against_bounds
from adamcore.plots.curves import curves
from adamcore.plots.stepper import steppable
from adamcore.plots.style import OPTIMIZER_STYLES, optimizer_style, use_style
from adamcore.plots.surfaces import contours, path

__all__ = [
    "OPTIMIZER_STYLES",
    "against_bounds",
    "basins",
    "contours",
    "curves",
    "forgetting",
    "optimizer_style",
    "path",
    "steppable",
    "unfolding",
    "use_style",
]
