"""Figures can be read: by day and by night, and with every kind of color vision.

All figures are drawn on white. The dark theme keeps them on white and dims them (book/_static/custom.css).
"""

import base64
import io
import itertools
import json
import re
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from PIL import Image

from adamcore.plots import OPTIMIZER_STYLES, use_style
from adamcore.plots.averages import LINES
from adamcore.plots.style import CYCLE

from .color import VISION, contrast, distance

ROOT = Path(__file__).resolve().parents[2]
CUSTOM_CSS = ROOT / "book" / "_static" / "custom.css"
CHAPTERS = sorted(p for p in ROOT.glob("book/*/*.ipynb") if p.parent.name != "assignments")
LINE, TEXT = 3.0, 4.5  # WCAG 2.2: 1.4.11 for what carries meaning, 1.4.3 for text
APART = 12  # in L*a*b*; a step of 2.3 is just seen


def dimmed() -> float:
    """How bright the dark theme leaves a figure, from the style sheet."""
    rule = re.search(
        r'html\[data-theme="dark"\] \.bd-content :is\(div\.cell_output, figure\) img[^{]*\{([^}]*)\}',
        CUSTOM_CSS.read_text(),
    )
    assert "background-color: #fff;" in rule[1]
    return float(re.search(r"brightness\(([\d.]+)\)", rule[1])[1])


THEMES = {"light": 1.0, "dark": dimmed()}
COLORS = sorted(
    {style["color"] for style in [*OPTIMIZER_STYLES.values(), *LINES]} | set(CYCLE.by_key()["color"])
)  # fmt: skip


def test_contrast_is_what_wcag_says():
    assert contrast("black", "white") == pytest.approx(21)
    assert contrast("#777777", "white") == pytest.approx(4.48, abs=0.005)
    assert contrast("#E69F00", "white") < LINE  # the orange that brown stands for


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("color", COLORS)
def test_lines_stand_out(color, theme):
    assert contrast(color, "white", THEMES[theme]) >= LINE


@pytest.mark.parametrize("theme", THEMES)
def test_text_can_be_read_and_the_grid_stays_behind(theme):
    with matplotlib.rc_context():
        use_style()
        assert matplotlib.rcParams["figure.facecolor"] == matplotlib.rcParams["axes.facecolor"] == "white"
        for name in ("text.color", "axes.labelcolor", "xtick.color", "ytick.color"):
            assert contrast(matplotlib.rcParams[name], "white", THEMES[theme]) >= TEXT, name
        assert contrast(matplotlib.rcParams["axes.edgecolor"], "white", THEMES[theme]) >= LINE
        assert contrast(matplotlib.rcParams["grid.color"], "white", THEMES[theme]) < LINE


def test_the_style_draws_with_the_cycle():
    with matplotlib.rc_context():
        use_style()
        assert matplotlib.rcParams["axes.prop_cycle"] == CYCLE


@pytest.mark.parametrize(
    "looks", [list(OPTIMIZER_STYLES.values()), list(LINES), list(CYCLE)], ids=["rules", "averages", "cycle"]
)
def test_no_two_lines_are_told_apart_by_color_alone(looks):
    assert len({str(look["linestyle"]) for look in looks}) == len(looks)
    if "marker" in looks[0]:
        assert len({look["marker"] for look in looks}) == len(looks)


@pytest.mark.parametrize("vision", VISION)
def test_colors_stay_apart(vision):
    gaps = {(a, b): distance(a, b, vision) for a, b in itertools.combinations(COLORS, 2)}
    assert min(gaps.values()) >= APART, min(gaps, key=gaps.get)


def test_a_color_blind_eye_is_simulated():
    assert distance("#e00000", "#7d6e00", "deuteranopia") < 0.5 * distance("#e00000", "#7d6e00")
    assert np.allclose([matrix.sum(axis=1) for matrix in VISION.values()], 1, atol=1e-3)  # white stays white


def cells(path: Path) -> list[dict]:
    return [cell for cell in json.loads(path.read_text("utf-8"))["cells"] if cell["cell_type"] == "code"]


def pale_colors(source: str) -> list[str]:
    """Lines of code with a color that vanishes on white, unless it only fills what has an edge."""
    found = []
    for line in source.splitlines():
        drawn = re.sub(r'facecolor="[^"]*"', "", line)
        colors = re.findall(r'"(#[0-9A-Fa-f]{6})"', drawn)
        if "edgecolor" in line:
            colors = re.findall(r'edgecolor="(#[0-9A-Fa-f]{6})"', line)
        if any(min(contrast(color, "white", dim) for dim in THEMES.values()) < LINE for color in colors):
            found.append(line.strip())
    return found


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_chapters_draw_with_colors_that_stand_out(path):
    assert not [line for cell in cells(path) for line in pale_colors("".join(cell["source"]))]


def test_a_pale_line_is_found():
    assert pale_colors('ax.plot(x, y, color="#E69F00")')
    assert pale_colors('ax.bar(x, y, color="#dddddd", edgecolor="#cccccc")')
    assert not pale_colors('ax.bar(x, y, color="#dddddd", edgecolor="#777777")')
    assert not pale_colors('ax.axhspan(0, 1, facecolor="#5B8DEF40", edgecolor="#5B8DEF")')


def pictures(path: Path):
    """Every stored figure of a chapter, and every frame of its figures in steps."""
    for cell in cells(path):
        for output in cell["outputs"]:
            data = output.get("data", {})
            if "image/png" in data:
                yield Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
            for code in re.findall(r'src="data:image/png;base64,([^"]+)', "".join(data.get("text/html", ""))):
                yield Image.open(io.BytesIO(base64.b64decode(code)))


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_stored_figures_are_dark_on_a_white_ground_of_their_own(path):
    """So that the dark theme, behind a picture, changes nothing in it."""
    for picture in pictures(path):
        pixels = np.asarray(picture.convert("RGBA"))
        assert (pixels[..., 3] == 255).all(), "a transparent figure has the page for its ground"
        frame = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])[:, :3]
        assert (frame >= 250).all(axis=1).mean() > 0.9
        assert pixels[..., :3].min() < 60, "no letter of this figure is dark"
