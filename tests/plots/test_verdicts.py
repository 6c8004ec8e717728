"""The bars of verdicts are as long as the counts, and can be told apart."""

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest

from adamcore.plots.verdicts import LOOKS, verdict_bars

matplotlib.use("agg")


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_bars_stand_one_after_the_other():
    counts = {"first": {"a": 2, "b": 0, "c": 3}, "second": {"a": 0, "b": 4, "c": 1}}
    (ax,) = verdict_bars(counts).axes
    widths = np.array([[bar.get_width() for bar in bars] for bars in ax.containers])
    starts = np.array([[bar.get_x() for bar in bars] for bars in ax.containers])
    np.testing.assert_array_equal(widths.T, [list(group.values()) for group in counts.values()])
    np.testing.assert_array_equal(starts, np.cumsum(widths, axis=0) - widths)
    top, bottom = (bar.get_y() for bar in ax.containers[0])
    assert top > bottom  # the first group is on top
    assert [label.get_text() for label in ax.get_yticklabels()] == list(counts)
    assert [text.get_text() for text in ax.texts] == ["2", "4", "3", "1"]  # none for nothing


def test_kinds_can_be_told_apart_without_color():
    gray = [matplotlib.colors.to_rgb(look["facecolor"]) @ np.array([0.299, 0.587, 0.114]) for look in LOOKS]
    for i, look in enumerate(LOOKS):
        for j in range(i):
            assert look["hatch"] != LOOKS[j]["hatch"] or abs(gray[i] - gray[j]) > 0.3
    with pytest.raises(ValueError, match="7 kinds"):
        verdict_bars({"one": dict.fromkeys("abcdefg", 1)})
