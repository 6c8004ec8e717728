"""What can be told from the files of the site: outline, landmarks, tables, weight. test_browser.py asks a browser."""

import posixpath
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup

from tests.plots.color import contrast

from .conftest import ROOT, toc_entries

PAGES = [*toc_entries(), "search", "genindex"]
MOST = 1_500_000
"""Bytes of a page with all that it loads, MathJax apart; not compressed, which is stricter than what is sent."""


@pytest.fixture(scope="module")
def soups(site):
    """The pages that readers come to, parsed; without the heading that only paper shows."""
    found = {}
    for name in PAGES:
        soup = BeautifulSoup((site.html / f"{name}.html").read_bytes(), "html.parser")
        for only_on_paper in soup.select("#jb-print-docs-body"):
            only_on_paper.decompose()
        found[name] = soup
    return found


def outline_troubles(soup) -> list[str]:
    """What is wrong with the headings of a page: more or less than one title, or a level left out on the way down."""
    headings = [(int(tag.name[1]), tag.get_text(" ", strip=True)) for tag in soup.find_all(re.compile("^h[1-6]$"))]
    troubles = [] if [level for level, _ in headings].count(1) == 1 else ["not one h1"]
    above = 0
    for level, text in headings:
        if level > above + 1:
            troubles.append(f"from h{above} to h{level}: {text}")
        if not text.rstrip("#").strip():
            troubles.append(f"an empty h{level}")
        above = level
    return troubles


@pytest.mark.parametrize("name", PAGES)
def test_headings_are_an_outline(name, soups):
    assert not outline_troubles(soups[name])


@pytest.mark.parametrize(
    ("page", "trouble"),
    [
        ("<h1>A</h1><h3>B</h3>", "from h1 to h3: B"),
        ("<h2>A</h2>", "not one h1"),
        ("<h1>A</h1><h1>B</h1>", "not one h1"),
        ("<h1>A</h1><h2>#</h2>", "an empty h2"),
    ],
)
def test_an_outline_with_a_hole_is_found(page, trouble):
    assert trouble in outline_troubles(BeautifulSoup(page, "html.parser"))


@pytest.mark.parametrize("name", PAGES)
def test_language_landmarks_and_the_way_past_the_menu(name, soups):
    soup = soups[name]
    assert soup.html["lang"] == "en"
    assert len(soup.find_all("main")) == 1
    first_link = soup.body.find("a", href=True)
    assert first_link.get_text() == "Skip to main content"
    assert soup.find(id=first_link["href"].removeprefix("#")).name == "main"
    title = soup.find("p", class_="logo__title")
    assert title is None or title.find_parent(["nav", "header"]), "the logo stands outside of all landmarks"
    silent = [nav for nav in soup.find_all("nav") if not (nav.get("aria-label") or nav.get("aria-labelledby"))]
    assert not silent


def table_troubles(table) -> list[str]:
    """What keeps a voice from saying which row and column a cell of a table belongs to."""
    head = table.find("thead")
    if head is None or not head.find("th"):
        return ["no header row"]
    troubles = [f"a header without text in {table.get('class')}" for th in table("th") if not th.get_text(strip=True)]
    for cell in table.find_all(["td", "th"]):
        if (cell.get("rowspan", "1"), cell.get("colspan", "1")) != ("1", "1"):
            troubles.append(f"a cell that spans several: {cell}")
    for row in table.select("tbody tr"):
        if any(cell.name == "th" for cell in row.find_all(["td", "th"])[1:]):
            troubles.append(f"a header that is not first in its row: {row}")
    return troubles


@pytest.mark.parametrize("name", PAGES)
def test_tables_are_simple_and_have_headers(name, soups):
    tables = soups[name].select("table:not(.genindextable)")  # the index is a list in columns
    assert not [trouble for table in tables for trouble in table_troubles(table)]


@pytest.mark.parametrize(
    "table",
    [
        "<tr><td>1</td></tr>",
        "<thead><tr><th>A</th><th></th></tr></thead>",
        "<thead><tr><th>A</th></tr></thead><tbody><tr><td colspan=2>1</td></tr></tbody>",
        "<thead><tr><th>A</th></tr></thead><tbody><tr><td>1</td><th>2</th></tr></tbody>",
    ],
)
def test_a_table_without_headers_is_found(table):
    assert table_troubles(BeautifulSoup(f"<table>{table}</table>", "html.parser").table)


def files_loaded(page: Path, soup) -> set[Path]:
    """What a page names and a style sheet of it names in turn; MathJax, which only pages with formulas use, apart."""
    rels = {"stylesheet", "icon", "preload"}
    addresses = [tag["src"] for tag in soup.find_all(["script", "img"], src=True)]
    addresses += [tag["href"] for tag in soup.find_all("link", href=True) if rels & set(tag.get("rel", []))]
    found = set()
    waiting = [(page, address) for address in addresses]
    while waiting:
        where, address = waiting.pop()
        if address.startswith("data:") or urlsplit(address).netloc:
            continue
        path = Path(posixpath.normpath((where.parent / unquote(urlsplit(address).path)).as_posix()))
        if path in found or not path.is_file() or "mathjax" in path.parts:
            continue
        found.add(path)
        if path.suffix == ".css":
            waiting += [(path, url) for url in re.findall(r"""url\(["']?([^"')]+)""", path.read_text("utf-8"))]
    return found


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_not_heavy(name, site, soups):
    page = site.html / f"{name}.html"
    sizes = {path: path.stat().st_size for path in {page} | files_loaded(page, soups[name])}
    heaviest = sorted(sizes, key=sizes.get)[-6:]
    assert sum(sizes.values()) <= MOST, f"{sum(sizes.values()):,} bytes, among them: " + ", ".join(
        f"{path.relative_to(site.html)} {sizes[path]:,}" for path in reversed(heaviest)
    )


def test_the_icons_that_pages_use_are_still_there(site, soups):
    styles = (site.html / "_static/styles/pydata-sphinx-theme.css").read_text("utf-8")
    classes = {name for soup in soups.values() for tag in soup(class_=True) for name in tag["class"]}
    used = {name for name in classes if name.startswith("fa-")}
    drawn = used - {"fa-solid", "fa-regular", "fa-brands", "fa-lg"}
    assert {"fa-bars", "fa-magnifying-glass"} <= drawn
    assert not [name for name in drawn if not re.search(rf"\.{name}:+before", styles)]


def variables(styles: str, theme: str) -> dict[str, str]:
    """The colors that style sheets, one after the other, set for a theme; the playground's own included."""
    theme_rule = rf'html\[data-theme="?{theme}"?\][^{{]*'
    rules = re.findall(rf"(?:{theme_rule}|(?<=\n)\.adam-playground )\{{([^}}]*)\}}", styles)
    return dict(re.findall(r"(--[a-z-]+):\s*(#[0-9a-f]+)", "\n".join(rules)))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_lines_and_letters_of_the_playground_stand_out(theme, site):
    names = [
        "styles/pydata-sphinx-theme.css",
        "styles/sphinx-book-theme.css",
        "custom.css",
        "playground/playground.css",
    ]
    styles = "\n".join((site.html / "_static" / name).read_text("utf-8") for name in names)
    colors = variables(styles, theme)
    page = colors["--pst-color-background"]
    assert (contrast(page, "white") < 1.1) == (theme == "light")
    for name in ("adam", "momentum", "adagrad", "rmsprop", "x", "y", "quiet"):  # lines, marks, edges of controls
        assert contrast(colors[f"--{name}"], page) >= 3, name
    for ground in ("background", "surface"):  # text on the page, text on buttons
        assert contrast(colors["--pst-color-text-base"], colors[f"--pst-color-{ground}"]) >= 4.5
    # Rules have dashes of their own, as in the figures: color is not alone.
    playground = (ROOT / "book/_static/playground/playground.css").read_text("utf-8")
    dashes = re.findall(r"\.playground-(?:Momentum|AdaGrad|RMSProp) \{[^}]*stroke-dasharray: ([\d. ]+);", playground)
    assert len(set(dashes)) == 3
