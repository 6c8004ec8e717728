"""What every stored chapter keeps to, as far as it shows without running it.

Each rule is a function of a notebook (the plain dictionary of its JSON: nbformat would invent missing ids) that
yields one sentence for each breach.
"""

import itertools
import json
import re
from pathlib import Path

from bs4 import BeautifulSoup
from nbval.plugin import comment_markers, metadata_tags

from tests.book.guard import FRAME
from tools.run_notebooks import CELL_METADATA, NOTEBOOK_METADATA, ROOT

LONGEST_CELL = 25  # lines of code, blank ones not counted
SHORTEST_ALT_TEXT = 30  # characters; "a plot" tells a listener nothing
MACHINE_PATH = re.compile(
    r"(?<![\w./-])/(?:home|Users|root|tmp|var|work|workspace|builds|mnt|opt|usr|private|content)/[^\s\"']*"
    r"|file:///[^\s\"']*"
    r"|\b[A-Z]:\\Users\\[^\s\"']*"
    r"|File ~[/\\][^\s\"']*"
    rf"|{re.escape(str(ROOT))}/[^\s\"']*"
)
HIDDEN_FROM_COMPARISON = {*comment_markers, *metadata_tags} - {"raises-exception"}


def read(path: Path) -> dict:
    """Read a notebook as it is stored."""
    return json.loads(path.read_text(encoding="utf-8"))


def joined(text) -> str:
    """Give a text that the notebook format may store in lines."""
    return text if isinstance(text, str) else "".join(text)


def tags(cell) -> list[str]:
    """Give a cell's tags."""
    return cell["metadata"].get("tags", [])


def code_cells(notebook):
    """Yield (name, cell) for every code cell; the name counts from 0, as pytest does."""
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for number, cell in enumerate(cells):
        yield f"Cell {number}", cell


def shown_texts(cell):
    """Yield the source and every text among the outputs of a cell."""
    yield joined(cell["source"])
    for output in cell.get("outputs", []):
        yield joined(output.get("text", ""))
        yield "\n".join(output.get("traceback", []))
        for mime, content in output.get("data", {}).items():
            if mime.startswith("text/"):
                yield joined(content)


def has_image(cell) -> bool:
    """Whether a cell shows an image."""
    return any(mime.startswith("image/") for output in cell["outputs"] for mime in output.get("data", {}))


def html_of(cell) -> str:
    """Everything that a cell shows as HTML."""
    return "".join(joined(output.get("data", {}).get("text/html", "")) for output in cell["outputs"])


def has_animation(cell) -> bool:
    """Whether a cell shows frames inside HTML."""
    return bool(FRAME.search(html_of(cell)))


def has_digest(cell) -> bool:
    """Whether a cell prints a number; what stands beside an image names the image's object only."""
    for output in cell["outputs"]:
        data = output.get("data", {})
        if not any(mime.startswith("image/") for mime in data) and "text/html" not in data:
            text = joined(output.get("text", "")) + joined(data.get("text/plain", ""))
            if output.get("name") != "stderr" and re.search(r"\d", text):
                return True
    return False


def run_from_top_to_bottom(notebook):
    """Every code cell was executed once, in order, as a fresh kernel does."""
    expected = itertools.count(1)
    for name, cell in code_cells(notebook):
        if not joined(cell["source"]).strip():
            yield f"{name} is empty; delete it"
        elif cell["execution_count"] != (count := next(expected)):
            yield f"{name} has execution count {cell['execution_count']}, expected {count}; execute the notebook"


def no_stored_errors(notebook):
    """No cell failed, unless it is there to show an error."""
    for name, cell in code_cells(notebook):
        for output in cell["outputs"]:
            if output["output_type"] == "error" and "raises-exception" not in tags(cell):
                yield f"{name} stores the error {output['ename']}: {output['evalue']}"


def no_warnings(notebook):
    """Nothing was written to stderr, where warnings and progress bars go."""
    for name, cell in code_cells(notebook):
        for output in cell["outputs"]:
            if output.get("name") == "stderr":
                yield f"{name} stores stderr: {joined(output['text'])[:80]!r}"


def alternative_texts(notebook):
    """Every image is described for those who do not see it."""
    for name, cell in code_cells(notebook):
        alts = []
        if has_image(cell):
            alts.append(cell["metadata"].get("mystnb", {}).get("image", {}).get("alt", ""))
        if has_animation(cell):
            alts += [image.get("alt", "") for image in BeautifulSoup(html_of(cell), "html.parser").find_all("img")]
        for alt in (alt for alt in alts if len(alt.strip()) < SHORTEST_ALT_TEXT):
            yield (
                f"{name} shows an image with the alternative text {alt!r}; say what it shows in at least "
                f'{SHORTEST_ALT_TEXT} characters, in its metadata: {{"mystnb": {{"image": {{"alt": "…"}}}}}}; '
                "adamcore.plots.steppable takes it as alt"
            )


def no_machine_paths(notebook):
    """No source, output or traceback shows where it was made."""
    for cell in notebook["cells"]:
        for text in shown_texts(cell):
            for match in MACHINE_PATH.finditer(re.sub(r"\x1b\[[\d;]*m", "", text)):
                yield f"the cell {cell.get('id')!r} shows the path {match.group()!r} of one machine"


def minimal_metadata(notebook):
    """No time stamps, versions or editor settings; tools/run_notebooks.py writes what is left."""
    if notebook["metadata"] != NOTEBOOK_METADATA:
        yield f"the notebook's metadata is {notebook['metadata']}; execute it with tools/run_notebooks.py"
    for cell in notebook["cells"]:
        for key in sorted(set(cell["metadata"]) - CELL_METADATA):
            yield f"the cell {cell.get('id')!r} has metadata {key!r}; execute it with tools/run_notebooks.py"


def unique_ids(notebook):
    """Every cell has an id of its own, so that a re-run changes nothing else."""
    if (notebook["nbformat"], notebook["nbformat_minor"]) < (4, 5):
        yield f"format {notebook['nbformat']}.{notebook['nbformat_minor']} has no ids; use tools/run_notebooks.py"
    seen = set()
    for position, cell in enumerate(notebook["cells"]):
        if not cell.get("id"):
            yield f"the cell at position {position} has no id; execute it with tools/run_notebooks.py"
        elif cell["id"] in seen:
            yield f"two cells have the id {cell['id']!r}; delete one of the two ids and use tools/run_notebooks.py"
        seen.add(cell.get("id"))


def short_cells(notebook):
    """One idea a cell."""
    for name, cell in code_cells(notebook):
        lines = sum(bool(line.strip()) for line in joined(cell["source"]).splitlines())
        if lines > LONGEST_CELL:
            yield f"{name} has {lines} lines of code, at most {LONGEST_CELL} are readable; divide it"


def prose_before_code(notebook):
    """Every code cell that readers see comes after prose."""
    before = None
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown" and not joined(cell["source"]).strip():
            continue
        if cell["cell_type"] == "code":
            if "remove-cell" in tags(cell):
                continue
            if before != "markdown":
                first = (joined(cell["source"]).strip().splitlines() or [""])[0]
                yield f"no prose before the code cell {cell.get('id')!r} ({first!r})"
        before = cell["cell_type"]


def nothing_hidden_from_comparison(notebook):
    """No tag and no comment keeps nbval from comparing a cell."""
    for name, cell in code_cells(notebook):
        comments = {line.strip().lstrip("#").strip() for line in joined(cell["source"]).splitlines() if "#" in line}
        for marker in sorted((comments | set(tags(cell))) & HIDDEN_FROM_COMPARISON):
            yield f"{name} has the marker {marker!r}, which changes what is compared; give it a tolerance instead"


def digests_of_figures(notebook):
    """A figure's numbers are printed, in its cell or the next: pixels alone compare badly."""
    cells = list(code_cells(notebook))
    for place, (name, cell) in enumerate(cells):
        here_or_next = [one for _, one in cells[place : place + 2]]
        if (has_image(cell) or has_animation(cell)) and not any(map(has_digest, here_or_next)):
            yield f"{name} draws a figure, but neither it nor the next code cell prints numbers of it"


RULES = [
    run_from_top_to_bottom,
    no_stored_errors,
    no_warnings,
    alternative_texts,
    no_machine_paths,
    minimal_metadata,
    unique_ids,
    short_cells,
    prose_before_code,
    nothing_hidden_from_comparison,
    digests_of_figures,
]
