"""Draw the picture on the front page and in the README: the ravine, with SGD and Adam in it.

Usage: python tools/front_picture.py
"""

from pathlib import Path

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import numpy as np

from adamcore import SGD, Adam
from adamcore.plots import contours, path, use_style

TARGET = Path(__file__).resolve().parent.parent / "book" / "_static" / "ravine.png"
CURVATURE = np.array([1.0, 100.0])


def main() -> None:
    use_style()
    figure, axes = plt.subplots(1, 2, figsize=(9.6, 2.9), sharey=True)
    for ax, rule in zip(axes, (SGD(alpha=0.019), Adam(alpha=0.3)), strict=True):
        s = rule.init(np.array([-4.0, 1.0]))
        visited = [s.theta]
        for _ in range(60):
            rule.step(s, CURVATURE * s.theta)
            visited.append(s.theta)
        contours(
            ax, lambda x: 0.5 * (CURVATURE * x**2).sum(axis=-1), (-4.4, 1.2), (-1.3, 1.3), [0.3, 2, 6, 15, 35, 60]
        )
        path(ax, np.array(visited), type(rule).__name__)
        ax.plot(0, 0, "k*", markersize=10)
        ax.set_title(f"{type(rule).__name__}, 60 steps")
    axes[1].set_ylabel("")
    figure.savefig(TARGET, metadata={"Software": None})


if __name__ == "__main__":
    main()
