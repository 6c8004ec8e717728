"""Draw the ravine, with SGD and Adam in it: for the front page and the README, and as the picture of a shared link.

Usage: python tools/front_picture.py
"""

from pathlib import Path

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from adamcore import SGD, Adam
from adamcore.plots import contours, path, use_style

STATIC = Path(__file__).resolve().parent.parent / "book" / "_static"
CURVATURE = np.array([1.0, 100.0])
RULES = (SGD(alpha=0.019), Adam(alpha=0.3))


def walk(rule: SGD | Adam, steps: int = 60) -> np.ndarray:
    """Every point that the rule visits."""
    s = rule.init(np.array([-4.0, 1.0]))
    visited = [s.theta]
    for _ in range(steps):
        rule.step(s, CURVATURE * s.theta)
        visited.append(s.theta)
    return np.array(visited)


def draw(ax: Axes, rule: SGD | Adam) -> None:
    """The valley, the walk, and a star at the minimum. Numbers at the axes would be too small to read on a phone."""
    contours(ax, lambda x: 0.5 * (CURVATURE * x**2).sum(axis=-1), (-4.4, 1.2), (-1.3, 1.3), [0.3, 2, 6, 15, 35, 60])
    path(ax, walk(rule), type(rule).__name__)
    ax.plot(0, 0, "k*", markersize=10)
    ax.set(xticks=[], yticks=[], xlabel="", ylabel="")
    ax.spines[["left", "bottom"]].set_visible(False)


def front_picture() -> None:
    figure, axes = plt.subplots(1, 2, figsize=(7.2, 1.95))
    for ax, rule in zip(axes, RULES, strict=True):
        draw(ax, rule)
        ax.set_title(f"{type(rule).__name__}, 60 steps", fontsize=13)
    figure.savefig(STATIC / "ravine.png", dpi=200, metadata={"Software": None})


def social_card() -> None:
    """Of 1200 by 630 pixels, as Open Graph wants it, with letters that are read when it is as small as a stamp."""
    figure = plt.figure(figsize=(12, 6.3), layout="none")
    figure.text(0.05, 0.82, "Adam, step by step", fontsize=58, fontweight="bold")
    figure.text(
        0.05, 0.7, "The optimizer, its code and its paper, explained and checked", fontsize=25, color="#444444"
    )
    for left, rule in zip((0.05, 0.515), RULES, strict=True):
        ax = figure.add_axes((left, 0.05, 0.435, 0.47))
        draw(ax, rule)
        ax.set_title(type(rule).__name__, fontsize=30, pad=10)
        track, star = ax.lines
        track.set(linewidth=2.4, markersize=6)
        star.set(markersize=18)
    figure.savefig(STATIC / "social_card.png", dpi=100, metadata={"Software": None})


def main() -> None:
    use_style()
    front_picture()
    social_card()


if __name__ == "__main__":
    main()
