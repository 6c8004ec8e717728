"""Make nbval compare all that a chapter shows, and refuse what it cannot compare.

nbval re-runs every code cell and compares texts exactly; it never compares figures, knows no numeric tolerance,
and passes a cell that was never run. This pytest plugin adds:

- figures, and the frames of animations inside HTML, are compared pixel by pixel (`FIGURE_TOLERANCE`);
- a cell's metadata may say how its outputs are compared::

      {"compare": {"rtol": 0.02, "atol": 0.001}}   numbers may differ by atol + rtol * |stored|
      {"compare": {"figures": false}}              figures must be there, their pixels may differ

- a cell that was never run fails.
"""

import base64
import contextlib
import io
import math
import re
from dataclasses import dataclass

import numpy as np
import pytest
from nbval.plugin import IPyNbCell, IPyNbFile, NbCellError
from PIL import Image

FIGURE_TOLERANCE = 1.0
"""Largest root-mean-square difference of two figures' pixels, of 255.

Measured with matplotlib 3.11.2 on line plots (1 to 6 panels) and contour plots at the notebook's resolution:
the same data computed by four kernels of the linear-algebra library with 1 and 2 threads 0.01, every number
off by 1e-4 of the axis at most 0.44; then 1.7 for one marker left out of a six-panel figure, 2.1 to 9 for one
curve moved by 1.5 pixels, 3.7 to 13 for one moved by 3 pixels, 2.4 for one digit of a title.
"""

NUMBER = re.compile(
    r"""(?<![\w.])[-+]?(?:                                            # not inside a word, as in x1 or float32
        (?:(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?   # 12  60,000  1.  1.5  .5  1e-3
        |(?:nan|inf|infinity)(?!\w)
    )""",
    re.VERBOSE | re.IGNORECASE,
)
FRAME = re.compile(r"data:image/png;base64,([A-Za-z0-9+/=\\\n]+)")
FIGURE_TYPES = ("image/png", "image/jpeg")


@dataclass(frozen=True)
class Comparison:
    """How the outputs of one cell are compared: the entry `compare` of its metadata."""

    rtol: float = 0.0
    atol: float = 0.0
    figures: bool = True

    @classmethod
    def of(cls, cell) -> "Comparison":
        """Read it from a cell's metadata; ValueError says what is wrong with it."""
        entry = cell.metadata.get("compare", {})
        if not isinstance(entry, dict):
            raise ValueError(f'metadata "compare" is {entry!r}; write {{"compare": {{"rtol": 0.02}}}}')
        for key, value in entry.items():
            if key not in cls.__dataclass_fields__:
                known = ", ".join(cls.__dataclass_fields__)
                raise ValueError(f'metadata "compare" has the unknown key {key!r}; known are {known}')
            if key == "figures":
                good = isinstance(value, bool)
            else:
                good = type(value) in (int, float) and 0 <= value < math.inf
            if not good:
                expected = "true or false" if key == "figures" else "a number, zero or more"
                raise ValueError(f'metadata "compare": {key} is {value!r}; expected {expected}')
        return cls(**entry)

    @property
    def has_tolerance(self) -> bool:
        """Whether numbers may differ at all."""
        return self.rtol > 0 or self.atol > 0


def skeleton(text: str) -> str:
    """Everything in a text but its numbers and the padding around them."""
    return re.sub(r"[ \t]*\0[ \t]*", "\0", NUMBER.sub("\0", text))


def number_problems(stored: str, computed: str, rule: Comparison) -> list[str]:
    """Say which numbers of two texts with the same skeleton differ by more than the tolerance."""
    problems = []
    pairs = zip(NUMBER.finditer(stored), NUMBER.finditer(computed), strict=True)
    for count, (old, new) in enumerate(pairs, start=1):
        a, b = (float(match.group().replace(",", "")) for match in (old, new))
        allowed = rule.atol + rule.rtol * abs(a)
        if a == b or (math.isnan(a) and math.isnan(b)):
            continue
        # An infinity would allow anything; 1.02 - 1 is a little more than 0.02.
        if math.isfinite(a) and abs(b - a) <= allowed * (1 + 1e-9):
            continue
        line = stored[: old.end()].splitlines()[-1].strip()
        problems.append(
            f"number {count} ({line!r}): stored {old.group()}, computed {new.group()}; they differ by "
            f"{abs(b - a):.3g}, allowed is {allowed:.3g} (rtol {rule.rtol:g}, atol {rule.atol:g})"
        )
    return problems


def texts(output) -> tuple[dict, list[str]]:
    """Give the mapping that holds an output's texts, and their keys in it."""
    if output.output_type == "stream":
        return output, ["text"]
    data = output.get("data", {})
    return data, [mime for mime in data if mime.startswith("text/")]


def figures(outputs) -> list[Image.Image]:
    """Every figure of a cell's outputs and every frame of its animations, in order."""
    encoded = []
    for output in outputs:
        data = output.get("data", {})
        encoded += [data[mime] for mime in FIGURE_TYPES if mime in data]
        encoded += FRAME.findall(data.get("text/html", ""))
    return [Image.open(io.BytesIO(base64.b64decode(text))) for text in encoded]


def pixels(figure: Image.Image) -> np.ndarray:
    """Red, green and blue as the reader of a white page sees them."""
    figure = figure.convert("RGBA")
    page = Image.new("RGBA", figure.size, "white")
    return np.asarray(Image.alpha_composite(page, figure).convert("RGB"), dtype=float)


def figure_problems(stored: list, computed: list, *, compare_pixels: bool = True) -> list[str]:
    """Say which figures differ visibly."""
    if len(stored) != len(computed):
        return [f"{len(stored)} stored figures, {len(computed)} computed"]
    if not compare_pixels:
        return []
    problems = []
    for count, (old, new) in enumerate(zip(stored, computed, strict=True), start=1):
        if old.size != new.size:
            problems.append(f"figure {count}: stored with {old.size} pixels, computed with {new.size}")
            continue
        rms = float(np.sqrt(np.mean((pixels(old) - pixels(new)) ** 2)))
        if rms > FIGURE_TOLERANCE:
            problems.append(
                f"figure {count}: pixels differ by {rms:.2f} of 255 (root mean square), "
                f"allowed is {FIGURE_TOLERANCE:g}"
            )
    return problems


class GuardedCell(IPyNbCell):
    """A code cell whose figures are compared too, and whose numbers may have a tolerance."""

    @property
    def where(self) -> str:
        """Notebook and cell, for messages."""
        path = self.path
        if path.is_relative_to(self.config.rootpath):
            path = path.relative_to(self.config.rootpath)
        return f"{path}, {self.name}"

    def refusal(self) -> str | None:
        """Say why the cell cannot be compared."""
        try:
            Comparison.of(self.cell)
        except ValueError as error:
            return str(error)
        if self.cell.execution_count is None and self.cell.source.strip():
            return (
                "was never run (its execution_count is null), so there is nothing to compare with; "
                "execute the notebook with tools/run_notebooks.py"
            )
        return None

    def runtest(self):
        """Run and compare the cell."""
        refusal = self.refusal()
        if refusal is None:
            super().runtest()
            return
        self.options["check"] = False
        with contextlib.suppress(NbCellError):  # run all the same: the cells below need what this one defines
            super().runtest()
        self.raise_cell_error(f"{self.where}: {refusal}")

    def compare_outputs(self, test, ref, skip_compare=None):
        """Compare computed outputs with stored ones; what differs goes to comparison_traceback.

        Parameters
        ----------
        test, ref : list of NotebookNode
            Computed and stored outputs.
        skip_compare : tuple of str, optional
            Fields that nbval leaves out.

        Returns
        -------
        bool
            Whether they agree.
        """
        rule = Comparison.of(self.cell)
        problems = self.compare_numbers(test, ref, rule) if rule.has_tolerance else []
        same = super().compare_outputs(test, ref, skip_compare)
        problems += figure_problems(figures(ref), figures(test), compare_pixels=rule.figures)
        if problems:
            self.comparison_traceback[:0] = [f"{self.where}: {problem}" for problem in problems]
        return same and not problems

    def compare_numbers(self, test, ref, rule) -> list[str]:
        """Say which numbers are not close; put the stored text in the computed one's place, for nbval to compare."""
        problems = []
        for new_output, old_output in zip(test, ref, strict=False):
            new, keys = texts(new_output)
            old, _ = texts(old_output)
            for key in keys:
                if key not in old:
                    continue  # another kind of output: nbval says so
                stored, computed = self.sanitize(old[key]), self.sanitize(new[key])
                if skeleton(stored) != skeleton(computed):
                    continue  # other words: nbval says so
                problems += number_problems(stored, computed, rule)
                new[key] = old[key]
        return problems


class GuardedNotebook(IPyNbFile):
    """A notebook made of guarded cells."""

    def collect(self):
        """Yield the code cells."""
        for cell in super().collect():
            yield GuardedCell.from_parent(
                self, name=cell.name, cell_num=cell.cell_num, cell=cell.cell, options=cell.options
            )


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(parent):
    """Put a guarded notebook in place of each that nbval collects."""
    collectors = yield
    return [
        GuardedNotebook.from_parent(parent, path=one.path) if type(one) is IPyNbFile else one for one in collectors
    ]


def pytest_configure(config):
    """Find the configured sanitize file from every folder that pytest is called in."""
    given = config.option.nbval_sanitize_with
    if given is not None:
        config.option.nbval_sanitize_with = str(config.rootpath / given)
