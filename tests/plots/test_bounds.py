"""The figure of a step and its bounds draws the numbers that it is given."""

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest

from adamcore.plots import against_bounds
from adamcore.plots.bounds import AGES

matplotlib.use("agg")

G = np.array([1.0, 2.0, 4.0, 8.0])
M_HAT = np.array([1.0, 1.5, 3.0, 6.0])
ROOT = np.array([1.0, 1.6, 2.0, 3.0])
BOUND = np.array([1.0, 1.2, 1.6, 2.5])


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def figure_at(t):
    return against_bounds(G, M_HAT, ROOT, BOUND, t, paper=3.0, ordinary=G / 10)


def data(ax):
    return [np.asarray(line.get_xydata()) for line in ax.lines]


def test_levels_are_in_units_of_the_newest_gradient():
    top, _ = figure_at(3).axes
    bars = [(bar.get_x() + bar.get_width() / 2, bar.get_height()) for bar in top.containers[0]]
    np.testing.assert_allclose(bars, [(0, 1), (1, 0.5), (2, 0.25)])
    m_hat, root = data(top)
    assert (m_hat[:, 1] == 3 / 4).all()
    assert (root[:, 1] == 2 / 4).all()


def test_lengths_are_their_quotient():
    _, bottom = figure_at(3).axes
    bound, paper, ordinary, lengths, now = data(bottom)
    np.testing.assert_array_equal(bound, np.column_stack([[1, 2, 3, 4], BOUND]))
    assert (paper[:, 1] == 3).all()
    np.testing.assert_allclose(ordinary, [[1, 0.1], [2, 0.2], [3, 0.4]])
    np.testing.assert_allclose(lengths, [[1, 1], [2, 1.5 / 1.6], [3, 1.5]])
    np.testing.assert_allclose(now, [[3, 1.5]])


def test_only_the_latest_gradients_are_drawn():
    many = np.ones(3 * AGES)
    top, _ = against_bounds(many, many, many, many, 2 * AGES, paper=3.0, ordinary=many).axes
    assert len(top.containers[0]) == AGES


def test_axes_stay_where_they_are():
    one, other = ([(ax.get_xlim(), ax.get_ylim()) for ax in figure_at(t).axes] for t in (1, 4))
    assert one == other
