"""Panels of losses over step sizes show all losses that they are given, also those above the frame."""

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest

from adamcore.plots import basins
from adamcore.plots.averages import LINES

matplotlib.use("agg")

LOSSES = {
    "first": {
        "corrected": {0.01: 105.0, 0.001: np.array([110.0, 112.0]), 0.1: np.inf},
        "uncorrected": {0.001: 104.0, 0.01: 300.0},
    },
    "second": {"uncorrected": {0.001: 120.0}},
}


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def lines(ax):
    """The lines of a panel, a line and its triangles for each contender in turn."""
    return [np.asarray(line.get_xydata(), float) for line in ax.lines]


def test_losses_in_the_order_of_the_step_sizes():
    first, second = basins(LOSSES, ylim=(95, 140)).axes
    corrected, _, uncorrected, _ = lines(first)
    np.testing.assert_array_equal(corrected, [(0.001, 111), (0.01, 105), (0.1, np.nan)])  # the mean of both seeds
    np.testing.assert_array_equal(uncorrected, [(0.001, 104), (0.01, 300)])
    assert [len(line) for line in lines(second)] == [0, 0, 1, 0]
    assert [ax.get_title() for ax in (first, second)] == ["first", "second"]
    assert first.get_ylim() == second.get_ylim() == (95, 140)


def test_a_loss_above_the_frame_is_a_triangle_in_it():
    first = basins(LOSSES, ylim=(95, 140)).axes[0]
    _, diverged, _, high = lines(first)
    for (x, y), alpha in ((diverged[0], 0.1), (high[0], 0.01)):
        assert x == pytest.approx(alpha, rel=0.15)
        assert 130 < y < 140
    assert len(diverged) == len(high) == 1
    assert {line.get_marker() for line in first.lines[1::2]} == {"^"}


def test_a_contender_looks_the_same_in_every_panel():
    figure = basins(LOSSES, ylim=(95, 140))
    first, second = figure.axes
    for ax in (first, second):
        assert [line.get_color() for line in ax.lines[::2]] == [style["color"] for style in LINES[:2]]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["corrected", "uncorrected"]


def test_the_grid_of_panels():
    four = {str(number): LOSSES["first"] for number in range(4)}
    axes = basins(four, ylim=(95, 140), xlim=(1e-5, 1), title="four").axes
    assert [ax.axison for ax in axes] == [True] * 4 + [False] * 2
    assert axes[0].get_xlim() == (1e-5, 1)
    assert axes[0].figure.get_suptitle() == "four"
    with pytest.raises(ValueError, match="4 contenders, a, b, c, d"):
        basins({"one": {name: {1.0: 1.0} for name in "abcd"}}, ylim=(0, 2))
