"""One style for each optimizer, whatever the paper's legends call it."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from adamcore.experiments import EXPERIMENTS
from adamcore.plots import OPTIMIZER_STYLES, curves, optimizer_style


def test_every_contender_of_a_figure_with_curves_has_a_style():
    names = {
        name
        for key in ("fig1a", "fig1b", "fig1b_clean", "fig2a", "fig2b")
        for name in EXPERIMENTS[key].scale("full").paper
    }
    assert {"SGDNesterov", "SGDNesterov+dropout", "AdaDelta", "SFO, 100 parts"} <= names
    for name in names:
        assert optimizer_style(name) in OPTIMIZER_STYLES.values()


def test_a_suffix_changes_nothing_but_the_legend():
    assert optimizer_style("SGDNesterov+dropout") == OPTIMIZER_STYLES["Nesterov"]
    figure, ax = plt.subplots()
    curves(ax, {"RMSProp+dropout": np.array([[2.0, 1.0], [2.2, 1.1]])})
    assert ax.lines[0].get_color() == OPTIMIZER_STYLES["RMSProp"]["color"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["RMSProp+dropout"]
    plt.close(figure)


def test_styles_are_told_apart_without_color():
    looks = {(str(style["linestyle"]), style["marker"]) for style in OPTIMIZER_STYLES.values()}
    assert len(looks) == len(OPTIMIZER_STYLES)


def test_the_caller_may_change_a_style():
    optimizer_style("Adam")["color"] = "red"
    assert optimizer_style("Adam")["color"] != "red"


def test_an_unknown_name_is_named():
    with pytest.raises(ValueError, match=r"name = 'Adan\+dropout' has no style; there are SGD, .*SGDNesterov"):
        optimizer_style("Adan+dropout")
