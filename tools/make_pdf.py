"""Bind the built site into one PDF, as `make pdf` does: _build/adam-step-by-step.pdf.

The chapters of _build/html become one long document, which Chrome or Chromium prints: so links between chapters jump,
formulas are typeset once, and the PDF is tagged. It is printed twice. The first print tells on which page everything
stands; the second has these numbers in its table of contents. pypdf adds the outline and the title, pikepdf packs the
file. Nothing is downloaded: the browser gets its files from the built site, and every other request is an error.

Usage: python tools/make_pdf.py [--site FOLDER] [--output FILE] [--paper A4|Letter] [--only PAGE ...]
"""

import argparse
import html
import io
import logging
import os
import posixpath
import re
import shutil
import sys
import tomllib
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import yaml
from bs4 import BeautifulSoup, Tag

ROOT = Path(__file__).resolve().parent.parent
BROWSERS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"]
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
ADDRESS = "https://book.invalid/"  # of the long document, while it is printed; .invalid is nobody's
MINUTES = 60  # after which a browser that still lays out the book is stuck

DROPPED = "script, noscript, button, .headerlink, .viewcode-link, .toctree-wrapper"
SOLUTIONS = "solutions"
CONTENTS = "contents"
SYMBOLS = {"sqrt": "√", "cdot": "·", "infty": "∞", "le": "≤", "ge": "≥", "times": "×"}


class PdfError(Exception):
    """The PDF cannot be made; the message says what to do."""


# The plan: what stands where --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Entry:
    """A page of the site in the table of contents, with the pages below it."""

    page: str
    below: tuple["Entry", ...] = ()

    def pages(self) -> list[str]:
        """Give the page and those below it, in order."""
        return [self.page, *(p for entry in self.below for p in entry.pages())]


@dataclass(frozen=True)
class Part:
    """A part of the book; the first, of the root page alone, has no caption."""

    caption: str
    entries: tuple[Entry, ...]

    def pages(self) -> list[str]:
        """Give all its pages, in order."""
        return [p for entry in self.entries for p in entry.pages()]


def read_toc(text: str) -> list[Part]:
    """Read the parts of the book from the text of _toc.yml."""
    toc = yaml.safe_load(text)

    def entries(node):
        below = [*node.get("chapters", ()), *node.get("sections", ())]
        return tuple(Entry(n["file"], entries(n)) for n in below if "file" in n)

    parts = [Part(p.get("caption", ""), entries(p)) for p in toc.get("parts", ())]
    return [Part("", (Entry(toc["root"]),)), *parts]


def keep_only(parts: list[Part], pages: set[str]) -> list[Part]:
    """Cut the plan down to some pages; a page below one that goes moves up."""

    def kept(entries):
        found = []
        for entry in entries:
            below = kept(entry.below)
            found.extend([Entry(entry.page, below)] if entry.page in pages else below)
        return tuple(found)

    cut = [Part(part.caption, kept(part.entries)) for part in parts]
    return [part for part in cut if part.entries]


# One page of the site becomes a chapter ---------------------------------------------------------------------------


def anchor(page: str, fragment: str = "") -> str:
    """Name a place of the site within the long document, where the pages' own names would collide."""
    return f"{page}:{fragment}" if fragment else page


def from_root(page: str, path: str) -> str:
    """Turn a path that is relative to a page into one that is relative to the site."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(page), path))


def rewrite_link(href: str, page: str, pages: set[str], published: str) -> str | None:
    """Where a link of a page leads in the PDF: into it, to the published site, or, if that is unknown, nowhere.

    >>> pages = {"book/intro", "book/adam/moments"}
    >>> rewrite_link("../intro.html#top", "book/adam/moments", pages, "")
    '#book/intro:top'
    >>> rewrite_link("../../genindex.html", "book/adam/moments", pages, "https://example.org/book/")
    'https://example.org/book/genindex.html'
    >>> rewrite_link("../../genindex.html", "book/adam/moments", pages, "") is None
    True
    """
    parts = urlsplit(href)
    if parts.scheme or parts.netloc:
        return href
    path = from_root(page, unquote(parts.path)) if parts.path else f"{page}.html"
    target = path.removesuffix(".html")
    # A query sets the playground: that works on the site only.
    if path.endswith(".html") and target in pages and not parts.query:
        return "#" + anchor(target, unquote(parts.fragment))
    if not published:
        return None
    return published + urlunsplit(("", "", quote(path), parts.query, parts.fragment))


def plain(heading: str) -> str:
    r"""Write a heading without markup and without TeX, as an outline needs it.

    >>> plain(r"How fast can \(\hat v_t\) vanish,   and \(\beta_1\)?")
    'How fast can v̂_t vanish, and β_1?'
    """

    def letter(match):
        try:
            return unicodedata.lookup(f"GREEK SMALL LETTER {match[1]}")
        except KeyError:
            return SYMBOLS.get(match[1], match[1])

    def formula(match):
        tex = re.sub(r"\\hat\s*\{?(\w)\}?", "\\1\N{COMBINING CIRCUMFLEX ACCENT}", match[1])
        tex = re.sub(r"\\(?:math|text)\w*\s*", "", tex)
        return re.sub(r"[{}]|\\[,;! ]", "", re.sub(r"\\([A-Za-z]+)\s*", letter, tex))

    text = re.sub(r"\\\((.*?)\\\)", formula, heading, flags=re.S)
    return unicodedata.normalize("NFC", " ".join(text.split()))


@dataclass
class Chapter:
    """A page of the site, cut out and ready to be bound."""

    page: str
    title: str
    article: Tag
    sections: list[tuple[str, str]] = field(default_factory=list)  # title and anchor of each second-level heading
    solutions: list[Tag] = field(default_factory=list)


def cut_out(text: str, page: str, pages: set[str], published: str) -> Chapter:
    """Take the article out of a page; give its names and links the form they have in the long document."""
    _, start, rest = text.partition('<article class="bd-article">')
    inside, end, _ = rest.rpartition("</article>")
    if not (start and end):
        raise PdfError(f"{page}.html has no article: build the site again with `make book`")
    article = BeautifulSoup(inside, "html.parser")
    for element in article.select(DROPPED):
        element.decompose()

    for element in article.find_all(True):
        if "id" in element.attrs:
            element["id"] = anchor(page, element["id"])
        if element.name == "a" and "href" in element.attrs:
            href = rewrite_link(element["href"], page, pages, published)
            if href is None:
                del element["href"]
            else:
                element["href"] = href
        if "src" in element.attrs and not urlsplit(element["src"]).scheme:
            element["src"] = "/" + from_root(page, element["src"])
    for playground in article.select(".adam-playground"):
        if published:
            playground["data-live"] = f"{published}{page}.html"

    heading = article.find("h1")
    if heading is None:
        raise PdfError(f"{page}.html has no heading")
    sections = []
    for h2 in article.find_all("h2"):
        section = h2.find_parent("section")
        if section is not None and section.get("id"):
            sections.append((plain(h2.get_text()), section["id"]))
    return Chapter(page, plain(heading.get_text()), article, sections, move_solutions(article))


def move_solutions(article: BeautifulSoup) -> list[Tag]:
    """Take the solutions out, to stand at the end of the book; leave below each exercise where to find its own."""
    found = []
    for solution in article.select(".solution"):
        exercise = solution.find_previous(class_="exercise")
        place = article.new_tag("section", attrs={"class": "bound-solution", "id": solution["id"]})
        title = article.new_tag("h3")
        back = article.new_tag("a", href=f"#{exercise['id']}")
        back.string = " ".join(exercise.find(class_="admonition-title").get_text().split())
        title.append(back)
        place.append(title)
        for child in list(solution.contents):
            if not (isinstance(child, Tag) and "admonition-title" in child.get("class", ())):
                place.append(child.extract())
        pointer = article.new_tag("p", attrs={"class": "where-solved"})
        pointer.append("Solution: page ")
        pointer.append(page_reference(article, place["id"]))
        exercise.append(pointer)
        solution.decompose()
        found.append(place)
    return found


def page_reference(soup: BeautifulSoup, target: str) -> Tag:
    """Make a link that shows the number of the page that it leads to, once that is known."""
    link = soup.new_tag("a", href=f"#{target}", attrs={"class": "page-number", "data-page-of": target})
    link.string = "000"
    return link


# Chapters become a book -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """A line of the table of contents, which is also the PDF's outline."""

    title: str
    target: str
    kind: str  # part, chapter or section
    below: tuple["Line", ...] = ()


def plan_outline(parts: list[Part], chapters: dict[str, Chapter]) -> list[Line]:
    """Nest parts, chapters, sections; the solutions are the last part."""

    def chapter(entry):
        it = chapters[entry.page]
        sections = tuple(Line(title, target, "section") for title, target in it.sections)
        return Line(it.title, anchor(entry.page), "chapter", sections + tuple(map(chapter, entry.below)))

    lines = []
    for number, part in enumerate(parts):
        inside = tuple(map(chapter, part.entries))
        lines.extend([Line(part.caption, f"part-{number}", "part", inside)] if part.caption else inside)
    solved = [chapters[page] for part in parts for page in part.pages() if chapters[page].solutions]
    if solved:
        inside = tuple(Line(it.title, anchor(SOLUTIONS, it.page), "chapter") for it in solved)
        lines.append(Line("Solutions", SOLUTIONS, "part", inside))
    return lines


def flat(lines: list[Line]) -> list[Line]:
    """Give all lines in the order of reading."""
    return [one for line in lines for one in (line, *flat(line.below))]


@dataclass(frozen=True)
class Book:
    """What stands on the title page and the one after it."""

    title: str
    author: str
    year: str
    version: str
    published: str
    figure: str = ""


def describe(root: Path, site: Path) -> Book:
    """Read title, author, year and version where the project states them, the site's address from a built page."""
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    version = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    name = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))["root"] + ".html"
    try:
        first = (site / name).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise PdfError(f"{site / name} does not exist: build the site first, with `make book`") from None
    canonical = re.search(r'<link rel="canonical" href="([^"]+)"', first)
    published = canonical[1].removesuffix(name) if canonical and canonical[1].endswith(name) else ""
    figure = "_static/ravine.png" if (site / "_static/ravine.png").exists() else ""
    return Book(config["title"], config["author"], str(config["copyright"]), version, published, figure)


def front_matter(book: Book) -> str:
    """Write the title page, and the page that says what is different on paper."""
    e = html.escape
    site = f'<a href="{e(book.published)}">{e(book.published)}</a>' if book.published else "the site"
    figure = f'<img src="/{e(book.figure)}" alt="">' if book.figure else ""
    return f"""
<section class="title-page">
  <p class="book-title">{e(book.title)}</p>
  <p class="book-author">{e(book.author)}</p>
  {figure}
  <p class="book-version">Version {e(book.version)}, {e(book.year)}</p>
</section>
<section class="imprint">
  <p><strong>This is the book on paper.</strong> It is made from the pages of {site} and has all of their text.</p>
  <p>What moves there stands still here: of a figure in steps you see one step, and of a playground one setting.</p>
  <p>The solutions of the exercises are at the end of the book, since paper cannot fold them away. Each exercise says
  on which page its solution is.</p>
  <p>Every chapter is a notebook. To run it, or to change what it computes, open it on the site.</p>
  <p>Copyright {e(book.year)} {e(book.author)}. Text and figures may be used under the Creative Commons Attribution
  4.0 International license, the code under the 3-clause BSD license.</p>
</section>"""


def contents(lines: list[Line]) -> str:
    """Write the table of contents; the numbers of the pages are filled in later."""

    def item(line):
        target = html.escape(line.target)
        below = f"<ol>{''.join(map(item, line.below))}</ol>" if line.below else ""
        number = f'<a class="page-number" href="#{target}" data-page-of="{target}">000</a>'
        title = f'<a href="#{target}">{html.escape(line.title)}</a>'
        inside = f'<span class="contents-line">{title}<span class="dots"></span>{number}</span>{below}'
        return f'<li class="contents-{line.kind}">{inside}</li>'

    return f"""
<nav class="book-contents" id="{CONTENTS}" aria-labelledby="contents-title">
  <h1 id="contents-title"><a href="#{CONTENTS}">Contents</a></h1>
  <ol>{"".join(map(item, lines))}</ol>
</nav>"""


def style_sheets(page: str, site: Path) -> str:
    """Link the style sheets that the site's pages link, in their order."""
    soup = BeautifulSoup((site / f"{page}.html").read_text(encoding="utf-8").partition("</head>")[0], "html.parser")
    for link in soup.select("link[rel=stylesheet]"):
        link["href"] = "/" + from_root(page, link["href"])
    return "".join(map(str, soup.select("link[rel=stylesheet]")))


def running_head(name: str, text: str) -> str:
    """Style the pages of one name: what they are about stands at their top."""
    quoted = text.replace("\\", "\\\\").replace('"', '\\"').replace("<", "")
    return f'@page {name} {{ @top-left {{ content: "{quoted}"; }} }}\n'


def bind(
    book: Book, parts: list[Part], chapters: dict[str, Chapter], lines: list[Line], sheets: str, paper: str
) -> str:
    """Write the long document."""
    e = html.escape
    heads, body = [], []

    def add(kind, title, target, inside):
        name = f"leaf{len(heads)}"
        heads.append(running_head(name, title))
        body.append(f'<section class="{kind}" id="{e(target)}" style="page: {name}">{inside}</section>')

    for number, part in enumerate(parts):
        if part.caption:
            inside = "".join(f"<li>{e(chapters[entry.page].title)}</li>" for entry in part.entries)
            body.append(
                f'<section class="part-page" id="part-{number}"><h1>{e(part.caption)}</h1><ul>{inside}</ul></section>'
            )
        for page in part.pages():
            add("chapter", chapters[page].title, page, str(chapters[page].article))
    solved = [chapters[page] for part in parts for page in part.pages() if chapters[page].solutions]
    if solved:
        body.append(f'<section class="part-page" id="{SOLUTIONS}"><h1>Solutions</h1></section>')
    for it in solved:
        inside = f"<h2>{e(it.title)}</h2>" + "".join(map(str, it.solutions))
        add("chapter", f"Solutions: {it.title}", anchor(SOLUTIONS, it.page), inside)

    own_style = (Path(__file__).parent / "make_pdf.css").read_text(encoding="utf-8")
    return f"""<!DOCTYPE html>
<html lang="en" data-theme="light" data-mode="light" data-bound="">
<head>
<meta charset="utf-8">
<title>{e(book.title)}</title>
{sheets}
<style>
@page {{ size: {paper}; }}
{own_style}
{"".join(heads)}</style>
<script>
window.MathJax = {{options: {{processHtmlClass: "tex2jax_process|mathjax_process|math|output_area"}}}};
</script>
<script defer src="/_static/mathjax/tex-chtml.js"></script>
<script defer src="/_static/print.js"></script>
<script defer src="/_static/playground/rules.js"></script>
<script defer src="/_static/playground/view.js"></script>
</head>
<body>
{front_matter(book)}
<div class="bd-main"><div class="bd-content"><div class="bd-article-container">
<article class="bd-article tex2jax_ignore mathjax_ignore">
{contents(lines)}
{"".join(body)}
</article>
</div></div></div>
</body>
</html>
"""


# Printing ---------------------------------------------------------------------------------------------------------


def find_browser() -> str:
    """Find an installed Chrome or Chromium."""
    for name in [os.environ.get("CHROME", ""), *BROWSERS]:
        if name and (found := shutil.which(name)):
            return found
    raise PdfError(
        "no Chrome or Chromium was found, and one has to print the book.\n"
        "Install one (on Debian and Ubuntu: sudo apt-get install chromium), or set the variable CHROME to its path."
    )


# Characters that no installed font has look alike: like one that is no character.
MISSING_LETTERS = """(text) => {
  const paint = (letter) => {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 40;
    const context = canvas.getContext("2d");
    context.font = "24px sans-serif";
    context.fillText(letter, 4, 30);
    return canvas.toDataURL();
  };
  const nothing = paint("\\u{10FFFE}");
  return [...new Set(text)].filter((letter) => letter.trim() && paint(letter) === nothing).join("");
}"""

FILL_IN = """(pages) => {
  for (const link of document.querySelectorAll("[data-page-of]"))
    link.textContent = pages[link.dataset.pageOf] ?? "";
}"""


def print_twice(document: str, site: Path, browser) -> tuple[bytes, str]:
    """Print the long document with the page numbers of its first print in it; give also the letters no font has."""
    troubles = []
    site = site.resolve()

    def serve(route):
        path = unquote(urlsplit(route.request.url).path).lstrip("/")
        file = (site / path).resolve()
        if not route.request.url.startswith(ADDRESS):
            if not route.request.url.startswith(("data:", "blob:")):
                troubles.append(f"asks another host: {route.request.url}")
            route.abort()
        elif path == "":
            route.fulfill(body=document, content_type="text/html; charset=utf-8")
        elif file.is_file() and file.is_relative_to(site):
            route.fulfill(path=file)
        else:
            troubles.append(f"{path} is not in {site}")
            route.abort()

    context = browser.new_context(
        viewport={"width": 1000, "height": 1000}, color_scheme="light", reduced_motion="reduce"
    )
    context.set_default_timeout(MINUTES * 60_000)
    try:
        page = context.new_page()
        page.route("**/*", serve)
        page.on("pageerror", lambda e: troubles.append(f"script: {e}"))
        page.goto(ADDRESS, wait_until="load")
        page.evaluate("window.MathJax.startup.promise")
        page.evaluate("document.fonts.ready")
        formulas, typeset = page.locator("article .math").count(), page.locator("article .math mjx-container").count()
        if typeset < formulas:
            troubles.append(f"{formulas} formulas, but only {typeset} are typeset")
        if page.locator("mjx-merror, [data-mjx-error]").count():
            troubles.append("a formula does not parse")
        if troubles:
            raise PdfError("the site cannot be printed:\n" + "\n".join(troubles))
        missing = page.evaluate(MISSING_LETTERS, BeautifulSoup(document, "html.parser").get_text())

        def one():
            return page.pdf(prefer_css_page_size=True, print_background=True, tagged=True)

        first = one()
        page.evaluate(FILL_IN, page_numbers(first))
        second = one()
        if page_numbers(first) != page_numbers(second):
            raise PdfError(
                "the numbers in the table of contents moved the pages: widen .page-number in tools/make_pdf.css"
            )
        return second, missing
    finally:
        context.close()


def page_numbers(pdf: bytes) -> dict[str, int]:
    """On which page, counted from 1, each place stands that a link leads to."""
    from pypdf import PdfReader

    reader = PdfReader(io.BytesIO(pdf))
    return {
        unquote(name.removeprefix("/")): reader.get_destination_page_number(destination) + 1
        for name, destination in reader.named_destinations.items()
    }


def finish(pdf: bytes, book: Book, lines: list[Line], output: Path) -> int:
    """Add outline and title to what was printed, write it, and give the number of its pages."""
    import pikepdf
    from pypdf import PdfReader, PdfWriter
    from pypdf.generic import Fit, NameObject, TextStringObject

    reader = PdfReader(io.BytesIO(pdf))
    places = {unquote(name.removeprefix("/")): d for name, d in reader.named_destinations.items()}
    writer = PdfWriter(clone_from=reader)
    writer.pdf_header = reader.pdf_header

    def add(line, parent=None):
        if line.target not in places:
            raise PdfError(f"{line.title!r} is in the table of contents, but {line.target} is nowhere in the PDF")
        place = places[line.target]
        fit = Fit.xyz(left=0, top=float(place.top)) if place.top is not None else Fit.fit()
        item = writer.add_outline_item(
            title=line.title,
            page_number=reader.get_destination_page_number(place),
            parent=parent,
            fit=fit,
            is_open=line.kind == "part",
        )
        for one in line.below:
            add(one, item)

    add(Line("Contents", CONTENTS, "section"))
    for line in lines:
        add(line)
    writer.page_mode = "/UseOutlines"
    writer.root_object[NameObject("/Lang")] = TextStringObject("en")
    # The day of the print is no property of the book: the same input gives the same metadata.
    writer.metadata = {
        "/Title": book.title,
        "/Author": book.author,
        "/Subject": "The Adam optimizer, its derivation, and its paper's experiments",
        "/Keywords": f"version {book.version}",
    }
    writer.create_viewer_preferences()
    writer.viewer_preferences.display_doctitle = True
    output.parent.mkdir(parents=True, exist_ok=True)
    part = output.with_suffix(".part")
    loose = io.BytesIO()
    writer.write(loose)
    with pikepdf.open(loose) as pdf:  # the tags are many small objects: packed, they take half of the file less
        pdf.save(part, object_stream_mode=pikepdf.ObjectStreamMode.generate, deterministic_id=True)
    part.replace(output)
    return len(writer.pages)


def read_chapters(site: Path, parts: list[Part], published: str) -> dict[str, Chapter]:
    """Cut all pages of the plan out of the built site."""
    pages = {page for part in parts for page in part.pages()}
    chapters = {}
    for page in sorted(pages):
        file = site / f"{page}.html"
        if not file.exists():
            raise PdfError(f"{file} does not exist, but _toc.yml names {page}: build the site again with `make book`")
        chapters[page] = cut_out(file.read_text(encoding="utf-8"), page, pages, published)
    for part in parts:
        if not part.caption:  # the landing page, whose heading stands on the title page already
            for it in (chapters[entry.page] for entry in part.entries):
                it.article.h1.string = it.title = "About this book"
    return chapters


def make_pdf(site: Path, output: Path, paper: str, only: list[str] | None, browser) -> tuple[int, str]:
    """Bind the built site with a browser of playwright; give the number of pages and the letters no font has."""
    book = describe(ROOT, site)
    parts = read_toc((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    if only:
        known = {page for part in parts for page in part.pages()}
        if unknown := set(only) - known:
            raise PdfError(f"{sorted(unknown)} are not in _toc.yml, which has {sorted(known)}")
        parts = keep_only(parts, set(only))
    chapters = read_chapters(site, parts, book.published)
    lines = plan_outline(parts, chapters)
    document = bind(book, parts, chapters, lines, style_sheets(next(iter(chapters)), site), paper)
    pdf, missing = print_twice(document, site, browser)
    return finish(pdf, book, lines, output), missing


def main() -> int:
    parser = argparse.ArgumentParser(description="Bind the built site into one PDF.")
    parser.add_argument("--site", type=Path, default=ROOT / "_build/html", help="the built site")
    parser.add_argument("--output", type=Path, default=ROOT / "_build/adam-step-by-step.pdf")
    parser.add_argument("--paper", choices=["A4", "Letter"], default="A4")
    parser.add_argument("--only", nargs="+", metavar="PAGE", help="some pages only, as _toc.yml names them")
    given = parser.parse_args()
    logging.getLogger("pypdf").setLevel(logging.ERROR)  # it remarks on how Chrome counts a file's objects
    try:
        try:
            import pikepdf  # noqa: F401
            import pypdf  # noqa: F401
            from playwright.sync_api import Error as PlaywrightError
            from playwright.sync_api import sync_playwright
        except ImportError as error:
            raise PdfError(f'{error.name} is not installed: python -m pip install -e ".[browser]"') from None
        executable = find_browser()
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
                pages, missing = make_pdf(given.site, given.output, given.paper, given.only, browser)
                browser.close()
        except PlaywrightError as error:
            raise PdfError(f"the browser {executable} failed (CHROME can name another): {error}") from None
    except PdfError as error:
        print(f"make_pdf: {error}", file=sys.stderr)
        return 1
    print(f"{given.output}: {pages} pages, {given.output.stat().st_size / 1e6:.1f} MB")
    if missing:
        print(
            f"make_pdf: no installed font has the letters {missing[:40]}; they are printed as empty boxes.\n"
            "On Debian and Ubuntu: sudo apt-get install fonts-noto-cjk fonts-noto-color-emoji",
            file=sys.stderr,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
