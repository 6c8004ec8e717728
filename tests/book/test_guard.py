"""The guard bites: notebooks that should be red are red, for the reason that is in them, and no others."""

import base64
import io
import math
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import nbformat
import numpy as np
import pytest
from matplotlib import pyplot as plt
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbval.plugin import get_sanitize_patterns
from PIL import Image

from tests.book.guard import FRAME, Comparison, figure_problems, figures, number_problems, skeleton
from tools.run_notebooks import execute

ROOT = Path(__file__).resolve().parents[2]

NUMBER, FIGURE, DIGEST, ASSERTION = range(4)  # the code cells of the toy chapter
SOURCES = [
    'shift, width, loss = 0, 200, 0.5\nprint(f"first step: {0.001:.6f}")',
    # A kernel loads this in a fifth of matplotlib's time; the tolerance for matplotlib is tested below.
    "import io\n\nimport IPython.display\nfrom PIL import Image, ImageDraw\n\n"
    "picture = Image.new('RGB', (width, 150), 'white')\n"
    "ImageDraw.Draw(picture).line([0, 20, 100, 90 + shift, 200, 110 + shift], fill='blue', width=2)\n"
    "picture.save(file := io.BytesIO(), 'png')\ndisplay(IPython.display.Image(file.getvalue()))",
    'print(f"loss {loss:.3f} after 10 epochs")',
    "assert loss > 0",
]


def toy_chapter() -> nbformat.NotebookNode:
    """A chapter with a printed number, a figure, a digest with a tolerance and an assertion; never run."""
    notebook = new_notebook()
    for number, source in enumerate(SOURCES):
        notebook.cells += [
            new_markdown_cell("Prose.", id=f"prose-{number}"),
            new_code_cell(source, id=f"code-{number}"),
        ]
    code(notebook, DIGEST).metadata["compare"] = {"rtol": 0.02}
    return notebook


def code(notebook, number):
    """Give the code cell with this number, as pytest counts them."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"][number]


def edit(number, old, new):
    """Change the source of a cell, not its stored outputs."""

    def change(notebook):
        cell = code(notebook, number)
        assert old in cell.source
        cell.source = cell.source.replace(old, new)

    return change


def stored(number, **fields):
    """Change what is stored with a cell, not its source."""
    return lambda notebook: code(notebook, number).update(fields)


def both(*changes):
    """Make several changes."""

    def change(notebook):
        for one in changes:
            one(notebook)

    return change


any_figure = stored(FIGURE, metadata={"compare": {"figures": False}})
moved_curve = edit(NUMBER, "= 0, 200", "= 3, 200")  # by at most 3 pixels

# What is done to the good chapter, and the cells that must be red, with what their messages say.
VARIANTS = {
    "good": (both(), {}),
    "within the tolerance": (both(any_figure, moved_curve, edit(NUMBER, "0.5", "0.507")), {}),
    "numbers changed": (
        both(edit(NUMBER, "0.001:", "0.002:"), edit(NUMBER, "0.5", "0.515")),
        {
            NUMBER: ["first step: 0.001000", "first step: 0.002000"],
            DIGEST: ["number 1 ('loss 0.500'): stored 0.500, computed 0.515", "allowed is 0.01 (rtol 0.02, atol 0)"],
        },
    ),
    "curve moved": (moved_curve, {FIGURE: ["figure 1: pixels differ by", "allowed is 1"]}),
    "other words": (
        both(edit(NUMBER, "= 0, 200", "= 0, 210"), edit(DIGEST, "epochs", "steps")),
        {FIGURE: ["figure 1: stored with"], DIGEST: ["after 10 epochs", "after 10 steps"]},
    ),
    "not stored": (
        both(stored(NUMBER, outputs=[]), stored(FIGURE, outputs=[])),
        {NUMBER: ["Unexpected output fields", "stdout"], FIGURE: ["0 stored figures, 1 computed"]},
    ),
    "not shown": (
        both(any_figure, edit(FIGURE, "display(", "str("), edit(DIGEST, "print(", "str(")),
        {FIGURE: ["1 stored figures, 0 computed"], DIGEST: ["Missing output fields", "stdout"]},
    ),
    "never run": (
        both(stored(NUMBER, execution_count=None, outputs=[]), stored(DIGEST, execution_count=None)),
        {NUMBER: ["never run.ipynb, Cell 0: was never run"], DIGEST: ["never run.ipynb, Cell 2: was never run"]},
    ),
    "assertion": (edit(NUMBER, "0.5", "-0.5"), {DIGEST: ["computed -0.500"], ASSERTION: ["AssertionError"]}),
    "unknown key": (
        stored(DIGEST, metadata={"compare": {"tolerance": 0.02}}),
        {DIGEST: ["unknown key 'tolerance'; known are rtol, atol, figures"]},
    ),
}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Test every variant in one run of pytest: for each, the message of every red cell."""
    folder = tmp_path_factory.mktemp("variants")
    good = folder / "good.ipynb"
    nbformat.write(toy_chapter(), good)
    execute(good)
    text = good.read_text(encoding="utf-8")
    for name, (change, _) in VARIANTS.items():
        notebook = nbformat.reads(text, as_version=4)
        change(notebook)
        nbformat.write(notebook, folder / f"{name}.ipynb")
    report = folder / "report.xml"
    command = [sys.executable, "-m", "pytest", "-q", "--color=no", "-p", "no:cacheprovider", f"--junitxml={report}"]
    configuration = ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(ROOT), "-p", "tests.book.guard"]
    # The outer run's own settings, such as a worker's name, are not for the inner run.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    run = subprocess.run(
        [*command, *configuration, str(folder)],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert report.exists(), run.stdout + run.stderr
    red = {name: {} for name in VARIANTS}
    cells = dict.fromkeys(VARIANTS, 0)
    for case in ET.parse(report).iter("testcase"):
        name = re.search(r"([^./]+)\.ipynb", case.get("classname")).group(1)
        cells[name] += 1
        for failure in [*case.iter("failure"), *case.iter("error")]:
            red[name][int(case.get("name").removeprefix("Cell "))] = failure.text
    assert set(cells.values()) == {len(SOURCES)}, run.stdout + run.stderr
    return red


@pytest.mark.parametrize("name", VARIANTS)
def test_variant(results, name):
    _, expected = VARIANTS[name]
    assert set(results[name]) == set(expected), "\n".join(results[name].values())
    for number, messages in expected.items():
        for message in messages:
            assert message in results[name][number]


def test_this_run_of_pytest_is_guarded(request):
    assert request.config.pluginmanager.has_plugin("tests.book.guard")


def test_skeleton_is_blind_to_numbers_and_padding_only():
    assert skeleton("loss  9.99, [ 9.99 10.01]") == skeleton("loss 10.01, [10.01  9.99]")
    assert skeleton("step 60,000: nan") == skeleton("step 1e-3: -inf")
    assert skeleton("loss 1") != skeleton("risk 1")
    assert skeleton("x1 = 2") != skeleton("x2 = 2")
    assert skeleton("1 2") != skeleton("12")
    assert skeleton("information") == "information"
    assert skeleton("2.5x") == skeleton("3x") != skeleton("3y")


@pytest.mark.parametrize(
    ("old", "new", "agree"),
    [
        ("1.00", "1.02", True),
        ("1.00", "1.03", False),
        ("1.00", "0.97", False),
        ("-1.00", "1.00", False),
        ("60,000", "61,000", True),
        ("60,000", "62,000", False),
        ("1e-3", "1.01e-3", True),
        ("1e-3", "1.01e-2", False),
        ("0", "1e-9", False),
        ("nan", "nan", True),
        ("inf", "inf", True),
        ("inf", "-inf", False),
        ("inf", "1.0", False),
        ("1.0", "inf", False),
        ("nan", "1.0", False),
        ("1.0", "nan", False),
        ("1.0 2.0", "1.01 2.9", False),
    ],
)
def test_numbers_agree_within_the_tolerance(old, new, agree):
    assert skeleton(old) == skeleton(new)
    assert (number_problems(old, new, Comparison(rtol=0.02)) == []) is agree


def test_absolute_tolerance():
    assert number_problems("0", "0.01", Comparison(atol=0.02)) == []
    assert number_problems("0", "0.03", Comparison(atol=0.02)) != []


@pytest.mark.parametrize(
    "entry", [0.02, {"Rtol": 0.1}, {"rtol": "0.1"}, {"rtol": -1}, {"atol": math.inf}, {"rtol": True}, {"figures": 0}]
)
def test_what_compare_must_not_say(entry):
    with pytest.raises(ValueError, match='metadata "compare"'):
        Comparison.of(new_code_cell(metadata={"compare": entry}))


def drawn(*, shift=0.0, noise=0.0, marker=True):
    """Draw curves with matplotlib, the first moved by `shift` pixels, all numbers off by `noise` of the axis."""
    x = np.linspace(0, 10, 200)
    errors = noise * 1.6 * np.random.default_rng(0).standard_normal((3, x.size))
    figure, axes = plt.subplots()
    for k in range(3):
        axes.plot(x, np.exp(-x / (2 + k)) + errors[k] + (shift * 1.6 / 370 if k == 0 else 0))
    if marker:
        axes.plot([5], [0.8], "o", markersize=5)
    axes.set(xlim=(0, 10), ylim=(-0.3, 1.3))
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=100)
    plt.close(figure)
    return Image.open(file)


def test_figure_tolerance_separates_jitter_from_what_a_reader_sees():
    good = drawn()
    for noise in (0, 1e-12, 1e-6, 1e-4):
        assert figure_problems([good], [drawn(noise=noise)]) == []
    for change in ({"shift": 1.5}, {"shift": -3}, {"marker": False}):
        assert "figure 1: pixels differ" in figure_problems([good], [drawn(**change)])[0]


def test_transparent_figures_are_compared_as_shown():
    a, b = Image.new("RGBA", (9, 9), (0, 0, 0, 0)), Image.new("RGBA", (9, 9), (0, 0, 0, 255))
    assert figure_problems([a], [a]) == []
    assert figure_problems([a], [b]) != []


def test_frames_of_an_animation_are_figures():
    def html(figure):
        figure.save(file := io.BytesIO(), "png")
        text = base64.encodebytes(file.getvalue()).decode().replace("\n", "\\\n")  # as matplotlib's to_jshtml
        frame = f'frames[0] = "data:image/png;base64,{text}"'
        return [nbformat.v4.new_output("display_data", {"text/html": frame})]

    good, moved = html(drawn()), html(drawn(shift=5))
    assert len(figures(good)) == 1
    assert figure_problems(figures(good), figures(good)) == []
    assert figure_problems(figures(good), figures(moved)) != []
    rules = get_sanitize_patterns((ROOT / "tests/book/sanitize.cfg").read_text(encoding="utf-8"))
    assert FRAME.pattern.replace("(", "").replace(")", "") in dict(rules)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<object at 0x7f0123456789>", "<object at ADDRESS>"),
        ("loss 0.98 s ± 0.02 s", "loss 0.98 s ± 0.02 s"),
        ("0x1.8p+1", "0x1.8p+1"),
        ("1.2 ms ± 3 μs per loop (mean ± std. dev. of 7 runs, 1,000 loops each)\nloss 1", "TIMING\nloss 1"),
    ],
)
def test_sanitizing_hides_no_digest(text, shown):
    for pattern, replacement in get_sanitize_patterns((ROOT / "tests/book/sanitize.cfg").read_text(encoding="utf-8")):
        text = re.sub(pattern, replacement, text)
    assert text == shown
