"""The figures of moving averages draw the numbers that they are given."""

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest

from adamcore.plots import forgetting, unfolding

matplotlib.use("agg")


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def data(ax):
    return [np.asarray(line.get_xydata()) for line in ax.lines]


def test_forgetting_shows_the_same_share_twice():
    left = {0.9: 0.9 ** np.arange(10), 0.5: 0.5 ** np.arange(10)}
    figure = forgetting(np.linspace(-1, 2, 10), left, spike=3, t=7)
    _, middle, bottom = figure.axes
    for k, beta in enumerate((0.9, 0.5)):
        weights, above_spike = data(middle)[2 * k : 2 * k + 2]
        shares, now = data(bottom)[2 * k : 2 * k + 2]
        np.testing.assert_allclose(weights, np.column_stack([np.arange(1, 8), beta ** np.arange(6.0, -1, -1)]))
        np.testing.assert_allclose(above_spike, [[3, beta**4]])
        np.testing.assert_allclose(shares, np.column_stack([np.arange(3, 8), beta ** np.arange(5.0)]))
        np.testing.assert_allclose(now, [[7, beta**4]])


def test_unfolding_shows_weights_that_add_up():
    g = np.array([1.0, 3.0, 2.0])
    m, m_hat = np.array([0.5, 1.75, 1.875]), np.array([1.0, 7 / 3, 15 / 7])
    top, bottom = unfolding(g, m, m_hat, beta=0.5, t=2, mean=2.0).axes
    zero, before, after = ([bar.get_height() for bar in bars] for bars in top.containers)
    assert zero == [0.25]
    assert before == [0.25, 0.5]
    assert sum(before) + sum(zero) == 1
    np.testing.assert_allclose(after, np.array([0.25, 0.5]) / 0.75)
    mean, gradients, average, corrected = data(bottom)
    assert (mean[:, 1] == 2).all()
    np.testing.assert_array_equal(gradients, [[1, 1], [2, 3]])
    np.testing.assert_array_equal(average[:, 1], m[:2])
    np.testing.assert_array_equal(corrected[:, 1], m_hat[:2])


def test_axes_stay_where_they_are():
    g = np.array([1.0, -3.0, 2.0, 5.0])
    share = {0.9: 0.9 ** np.arange(4)}
    for frames in (
        [forgetting(g, share, 1, t) for t in (1, 4)],
        [unfolding(g, g, g, 0.9, t, 0.0) for t in (1, 4)],
    ):
        one, other = ([(ax.get_xlim(), ax.get_ylim()) for ax in figure.axes] for figure in frames)
        assert one == other
