"""The book on paper: a printed page, and the whole bound into one PDF by tools/make_pdf.py."""

import io
import re
import shutil

import pytest

from tools import make_pdf
from tools.make_pdf import Entry, Line, Part, PdfError

from .conftest import ROOT, toc_entries

# One page of each kind; the whole book takes minutes.
SOME = [
    "book/intro",
    "book/adam/bias_correction",
    "book/adam/playground",
    "book/paper/scorecard",
    "book/reference/notation",
    "book/reference/api/index",
    "book/reference/api/plots",
    "book/reference/bibliography",
]

FIRST = "About this book"

TOC = """
root: book/intro
parts:
  - caption: One
    chapters:
      - file: book/a
      - file: book/b
        sections:
          - file: book/b/below
  - caption: Two
    chapters:
      - file: book/c
"""

PAGE = r"""<html><head></head><body><button>Search</button><article class="bd-article">
<section id="top"><h1><span>3. </span>Means<a class="headerlink" href="#top">#</a></h1>
<p id="id1">See <a href="../c.html#eq-1">(1)</a>, <a href="#id1">here</a>, <a href="../genindex.html">the index</a>,
<a href="https://example.org/x">elsewhere</a> and <a href="?a=1">a setting</a>.</p><img src="../../_images/f.png">
<section id="why"><h2>Why \(\beta_1\)<a class="headerlink" href="#why">#</a></h2>
<div class="exercise admonition" id="ex-one"><p class="admonition-title">Exercise 3.1 (One)</p><p>Ask.</p></div>
<div class="solution dropdown admonition" id="book/b-solution-1"><p class="admonition-title">Solution</p>
<section id="solution-content"><p>Answer: <span class="math">\(x &lt; y\)</span></p></section></div>
<script>let code = "</article>";</script></section></section></article></body></html>"""


# Without a browser ------------------------------------------------------------------------------------------------


def test_the_plan_follows_the_table_of_contents():
    one, two = (
        Part("One", (Entry("book/a"), Entry("book/b", (Entry("book/b/below"),)))),
        Part("Two", (Entry("book/c"),)),
    )
    assert make_pdf.read_toc(TOC) == [Part("", (Entry("book/intro"),)), one, two]
    plan = make_pdf.read_toc((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    assert [page for part in plan for page in part.pages()] == toc_entries()


def test_some_pages_keep_their_parts():
    plan = make_pdf.keep_only(make_pdf.read_toc(TOC), {"book/b/below", "book/c"})
    assert plan == [Part("One", (Entry("book/b/below"),)), Part("Two", (Entry("book/c"),))]


@pytest.mark.parametrize(
    ("href", "inside", "published"),
    [
        ("a.html", "#book/x/a", "https://example.org/book/"),
        ("a.html#eq-1", "#book/x/a:eq-1", ""),
        ("../y/b.html#a%20b", "#book/y/b:a b", ""),
        ("#here", "#book/x/page:here", ""),
        ("#", "#book/x/page", ""),
        ("https://example.org/a.html#b", "https://example.org/a.html#b", ""),
        ("mailto:a@example.org", "mailto:a@example.org", ""),
        ("?a=1", None, ""),
        ("?a=1", "https://example.org/book/book/x/page.html?a=1", "https://example.org/book/"),
        ("../../genindex.html#A", "https://example.org/book/genindex.html#A", "https://example.org/book/"),
        ("../../_downloads/a.zip", None, ""),
    ],
)
def test_links_lead_into_the_pdf_where_they_can(href, inside, published):
    pages = {"book/x/a", "book/x/page", "book/y/b"}
    assert make_pdf.rewrite_link(href, "book/x/page", pages, published) == inside


def test_an_outline_has_letters_instead_of_tex():
    assert make_pdf.plain("  Why \n no \\(\\hat{u}\\), \\(\\beta_1\\) or \\(\\sqrt t\\)") == "Why no û, β_1 or √t"


def test_a_page_is_cut_out():
    chapter = make_pdf.cut_out(PAGE, "book/x/b", {"book/x/b", "book/c"}, "")
    assert chapter.title == "3. Means"
    assert chapter.sections == [("Why β_1", "book/x/b:why")]
    text = str(chapter.article)
    assert "Search" not in text and "code" not in text and "headerlink" not in text
    assert [a.get("href") for a in chapter.article.select("p#book\\/x\\/b\\:id1 a")] == [
        "#book/c:eq-1",
        "#book/x/b:id1",
        None,
        "https://example.org/x",
        None,
    ]
    assert chapter.article.img["src"] == "/_images/f.png"


def test_a_solution_moves_to_the_end_and_its_exercise_says_where():
    chapter = make_pdf.cut_out(PAGE, "book/x/b", {"book/x/b"}, "")
    assert "Answer" not in chapter.article.get_text()
    (solution,) = chapter.solutions
    assert solution["id"] == "book/x/b:book/b-solution-1"
    assert solution.h3.get_text() == "Exercise 3.1 (One)"
    assert solution.h3.a["href"] == "#book/x/b:ex-one"
    assert "\\(x &lt; y\\)" in str(solution)
    pointer = chapter.article.select_one(".exercise .where-solved a")
    assert (pointer["href"], pointer["data-page-of"]) == (f"#{solution['id']}", solution["id"])


def test_outline_is_part_chapter_section():
    chapters = {
        page: make_pdf.cut_out(PAGE.replace("Means", page), page, {"book/b"}, "")
        for page in ("book/intro", "book/a", "book/b", "book/b/below", "book/c")
    }
    lines = make_pdf.plan_outline(make_pdf.read_toc(TOC), chapters)
    assert [line.kind for line in lines] == ["chapter", "part", "part", "part"]
    assert [line.title for line in lines] == ["3. book/intro", "One", "Two", "Solutions"]
    b = lines[1].below[1]
    assert b.below == (
        Line("Why β_1", "book/b:why", "section"),
        Line("3. book/b/below", "book/b/below", "chapter", (Line("Why β_1", "book/b/below:why", "section"),)),
    )
    assert len(lines[-1].below) == 5


def test_what_is_missing_is_said(tmp_path, monkeypatch):
    with pytest.raises(PdfError, match="make book"):
        make_pdf.make_pdf(tmp_path, tmp_path / "x.pdf", "A4", None, None)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(PdfError, match="CHROME"):
        make_pdf.find_browser()


# With one ---------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("name", toc_entries())
def test_nothing_is_cut_off_at_the_edge_of_the_paper(name, open_page):
    page = open_page(name, width=650)  # A4 between its margins
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    too_wide = page.evaluate(
        """() => {
            const article = document.querySelector("article.bd-article");
            const edge = article.getBoundingClientRect().right;
            const found = [];
            for (const e of article.querySelectorAll("div.math mjx-math, table, pre, img, svg, dt")) {
                const box = e.getBoundingClientRect();
                const inside = e.matches("pre") ? e.scrollWidth - e.clientWidth : 0;
                if (box.width && (box.right > edge + 1 || inside > 1))
                    found.push(`${e.tagName} in ${e.closest("section").id}: ${e.textContent.slice(0, 60)}`);
            }
            return found;
        }"""
    )
    assert not too_wide
    buttons = page.locator(":is(button, input, select, summary, .headerlink, nav):visible")
    assert [b.inner_text() for b in buttons.all()] == []
    assert all(s.is_visible() for s in page.locator(".solution > section").all())


def texts(pdf):
    """The text of each page, on one line; ligatures of the extraction undone."""
    pypdf = pytest.importorskip("pypdf", reason='pypdf is not installed: pip install -e ".[browser]"')
    reader = pypdf.PdfReader(io.BytesIO(pdf))
    return [" ".join(page.extract_text().split()) for page in reader.pages]


@pytest.mark.slow
@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_a_page_is_printed(paper, open_page):
    page = open_page("book/adam/bias_correction", scheme="dark")
    printed = texts(page.pdf(format=paper, print_background=True))
    whole = " ".join(printed)
    number = len(printed)
    assert all(printed)
    for n, text in enumerate(printed, start=1):
        assert f"{n} / {number}" in text
        assert "6. Bias correction" in text
    for unwanted in ("Search", "Report an error", "Colab", "Previous", "Play", "Toggle", r"\frac", r"\beta"):
        assert not re.search(rf"(?<!\w){re.escape(unwanted)}(?!\w)", whole), unwanted
    assert "One of this figure’s steps" in whole
    assert "A still. The playground itself" in whole
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"  # as before
    assert not page.troubles


@pytest.fixture(scope="module")
def bound(site, browser, tmp_path_factory):
    """Some pages of the book as a PDF, and what the plan says of them."""
    pypdf = pytest.importorskip("pypdf", reason='pypdf is not installed: pip install -e ".[browser]"')
    pytest.importorskip("pikepdf", reason='pikepdf is not installed: pip install -e ".[browser]"')
    output = tmp_path_factory.mktemp("pdf") / "some.pdf"
    pages, _ = make_pdf.make_pdf(site.html, output, "A4", SOME, browser)
    parts = make_pdf.keep_only(make_pdf.read_toc((ROOT / "_toc.yml").read_text(encoding="utf-8")), set(SOME))
    chapters = make_pdf.read_chapters(site.html, parts, "")
    reader = pypdf.PdfReader(output)
    assert len(reader.pages) == pages
    return reader, make_pdf.plan_outline(parts, chapters), [" ".join(p.extract_text().split()) for p in reader.pages]


def squeezed(text):
    """Text without spaces, which a PDF has not."""
    return "".join(text.split())


def outline_of(reader):
    """The PDF's outline as (level, title, page counted from 0)."""

    def walk(items, level):
        for item in items:
            if isinstance(item, list):
                yield from walk(item, level + 1)
            else:
                yield level, item.title, reader.get_destination_page_number(item)

    return list(walk(reader.outline, 0))


@pytest.mark.slow
def test_the_outline_is_the_table_of_contents(bound):
    reader, lines, printed = bound

    def levels(lines, level=0):
        return [x for line in lines for x in ((level, line.title), *levels(line.below, level + 1))]

    outline = outline_of(reader)
    assert [(level, title) for level, title, _ in outline] == [(0, "Contents"), *levels(lines)]
    places = {line.target: page for line, (_, _, page) in zip(make_pdf.flat(lines), outline[1:], strict=True)}
    first = places["book/intro"]
    in_order = squeezed("".join(printed[outline[0][2] : first]))
    for line in make_pdf.flat(lines):
        title = squeezed(line.title.removeprefix("Solutions: "))
        assert f"{title}{places[line.target] + 1}" in in_order, line
        if not re.search(r"[^\x00-\x7f’“”]", title):  # a formula is typeset, letter by letter
            assert title in squeezed(printed[places[line.target]]), line


@pytest.mark.slow
def test_pages_are_numbered_and_none_is_blank(bound):
    reader, _, printed = bound
    assert all(text or page.images for text, page in zip(printed, reader.pages, strict=True))
    # The text of a page begins with its head and its foot.
    unnumbered = [n for n, text in enumerate(printed, start=1) if f" {n} " not in f" {text[:100]} "]
    # Title, imprint, and the pages that open a part.
    opening = [
        page + 1 for level, title, page in outline_of(reader) if level == 0 and title not in ("Contents", FIRST)
    ]
    assert unnumbered == [1, 2, *opening]


@pytest.mark.slow
def test_formulas_are_typeset(bound):
    reader, _, printed = bound
    places = reader.named_destinations
    page = reader.get_destination_page_number(places["/book/adam/bias_correction:equation-eq-bias-expectation"])
    assert "(6.2)" in printed[page] and "∑" in printed[page]
    for text in printed:
        assert not re.search(r"\\(frac|beta|hat|sqrt|begin|left|operatorname)\b|\\[(\[]", text)


@pytest.mark.slow
def test_links_jump_inside_and_lead_outside(bound):
    reader, lines, _ = bound
    places = {name.removeprefix("/") for name in reader.named_destinations}
    inside, outside = [], set()
    for page in reader.pages:
        for note in page.get("/Annots", ()):
            note = note.get_object()
            if note.get("/Subtype") != "/Link":
                continue
            action = note.get("/A", {})
            if "/URI" in action:
                outside.add(str(action["/URI"]))
            else:
                inside.append(str(note.get("/Dest", action.get("/D", ""))).removeprefix("/"))
    assert set(inside) <= places
    assert {line.target for line in make_pdf.flat(lines)} <= set(inside)
    assert any(target.startswith("book/reference/bibliography:") for target in inside)
    assert any("arxiv.org" in address or "doi.org" in address for address in outside)
    assert not [address for address in outside if ".invalid" in address or address.startswith("file:")]
    assert not [address for address in outside if re.search("mybinder|colab|issues/new", address)]


@pytest.mark.slow
def test_an_exercise_says_where_its_solution_is(bound):
    reader, _, printed = bound
    (number,) = set(re.findall(r"Solution: page (\d+)", " ".join(printed[: outline_of(reader)[-1][2]]))[:1])
    assert "Exercise 6.1" in printed[int(number) - 1]


@pytest.mark.slow
def test_the_file_describes_itself_and_carries_its_fonts(bound):
    reader, _, _ = bound
    assert reader.xref_objStm  # packed
    assert reader.metadata.title == "Adam, step by step"
    assert reader.metadata.author
    root = reader.trailer["/Root"]
    assert root["/Lang"] == "en"
    assert root["/MarkInfo"]["/Marked"] and "/StructTreeRoot" in root
    for page in reader.pages:
        for font in page["/Resources"].get("/Font", {}).values():
            font = font.get_object()
            if font["/Subtype"] == "/Type0":
                font = font["/DescendantFonts"][0].get_object()
            embedded = font["/Subtype"] == "/Type3" or {"/FontFile", "/FontFile2", "/FontFile3"} & set(
                font["/FontDescriptor"]
            )
            assert embedded, font
