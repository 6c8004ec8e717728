"""Keep the list of addresses that the site has promised, tests/site/published.txt.

Usage: python -m tools.permanent_links [--site _build/html]

Without --site, the book is built first, which takes a minute. Pages and anchors that are new are added. None is ever
removed: an address that the site no longer has needs a redirect, and the command prints the line to write in
book/redirects.yml.

What is promised: every page, and the anchors that stay when something is added before them: those of headings,
equations, exercises, figures, boxes, terms, names of the package, cited works, and labels. Not promised: what tools
number in order (`id7`, `index-0`, `term-12`, solutions), questions whose points are in the name, and the pages of
source code, which follow the code's files.
"""

import argparse
import difflib
import importlib.util
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from bs4 import BeautifulSoup

ROOT = Path(__file__).resolve().parent.parent
PUBLISHED = ROOT / "tests" / "site" / "published.txt"
REDIRECTS = ROOT / "book" / "redirects.yml"
COMMAND = "python -m tools.permanent_links"
NUMBERED = re.compile(
    r"(id|index-|fn|footnote-|footnote-reference-|term-|cell-|codecell)\d+"
    r"|.*-solution-\d+"
    r"|.*-\d+-(points?|minutes)"  # a question of an assignment, which may come to give more points
    # the inside of a box, with the same id in each
    r"|(exercise|solution|proof|algorithm|theorem|lemma|definition|remark|corollary|example|proposition)-content"
)
WITHOUT_PROMISE = re.compile(r"(_modules|_static)/.*|404")
ONLY_A_PAGE = re.compile(r"genindex|index|search|py-modindex|prf-prf")  # lists, with anchors for their letters


def load_redirects_extension():
    """The extension that acts on the redirects; its folder is on Sphinx's path only."""
    path = ROOT / "book" / "_extensions" / "redirects.py"
    spec = importlib.util.spec_from_file_location("redirects", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class BuiltSite:
    """The addresses of a built site; pages are parsed when they are asked for."""

    def __init__(self, html: Path):
        self.html = Path(html)
        self._anchors: dict[str, dict[str, bool]] = {}

    def anchors(self, page: str) -> dict[str, bool]:
        """Every id on a page, and whether it stands in what the book says there, not in the theme's frame."""
        if page not in self._anchors:
            soup = BeautifulSoup((self.html / f"{page}.html").read_bytes(), "html.parser")
            article = soup.find("article")
            inside = {tag["id"] for tag in article.find_all(id=True)} if article else set()
            self._anchors[page] = {tag["id"]: tag["id"] in inside for tag in soup.find_all(id=True)}
        return self._anchors[page]

    def has(self, address: str) -> bool:
        """Whether the page is there, and its anchor."""
        page, _, anchor = address.partition("#")
        return (self.html / f"{page}.html").is_file() and (not anchor or anchor in self.anchors(page))

    def stable(self, without: Iterable[str] = ()) -> set[str]:
        """The addresses that can be promised; `without` are those that are only there to lead elsewhere."""
        found = set()
        for path in self.html.rglob("*.html"):
            page = path.relative_to(self.html).with_suffix("").as_posix()
            if WITHOUT_PROMISE.fullmatch(page) or page in without:
                continue
            found.add(page)
            if not ONLY_A_PAGE.fullmatch(page):
                inside = (anchor for anchor, is_inside in self.anchors(page).items() if is_inside)
                found |= {f"{page}#{anchor}" for anchor in inside if not NUMBERED.fullmatch(anchor)}
        return found - set(without)


def lost(published: Iterable[str], site: BuiltSite, redirects: dict[str, str], follow) -> list[str]:
    """The promised addresses that lead nowhere. `redirects` tell where a page went that only leads elsewhere."""
    return [
        address
        for address in published
        if not (
            site.has(address.partition("#")[0])  # the page that leads elsewhere is a page, too
            and (site.has(address) or site.has(follow(address, redirects)))
        )
    ]


def lines_to_write(addresses: Iterable[str], site: BuiltSite, published: Iterable[str]) -> str:
    """Redirects for lost addresses, each with the new address that looks most like it."""
    new = sorted(site.stable() - set(published))
    lines = []
    for address in addresses:
        page, _, anchor = address.partition("#")
        of_its_kind = [n for n in new if bool(anchor) == ("#" in n) and (not anchor or n.startswith(f"{page}#"))]
        likely = difflib.get_close_matches(address, of_its_kind, n=1, cutoff=0.5)
        lines.append(f"{address}: {likely[0] if likely else 'NEW-ADDRESS'}")
    return "\n".join(lines)


def read_published(path: Path = PUBLISHED) -> list[str]:
    return path.read_text(encoding="utf-8").split() if path.exists() else []


def build(folder: Path) -> Path:
    jupyter_book = "from jupyter_book.cli.main import main; main()"
    subprocess.run(
        [sys.executable, "-c", jupyter_book, "build", ".", "--path-output", folder, "-n", "-q"], cwd=ROOT, check=True
    )
    return folder / "_build" / "html"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--site", type=Path, help="a built site; without it, the book is built")
    site = parser.parse_args(arguments).site
    extension = load_redirects_extension()
    redirects = extension.read(REDIRECTS)
    with tempfile.TemporaryDirectory() as folder:
        built = BuiltSite(site or build(Path(folder)))
        before = read_published()
        stable = built.stable(without=redirects)
        if not stable:
            parser.error(f"{built.html} has no pages; without --site, the book is built")
        missing = lost(before, built, redirects, extension.follow)
        after = sorted({*before, *stable})
        PUBLISHED.write_text("".join(f"{address}\n" for address in after), encoding="utf-8")
        print(f"{len(after) - len(set(before))} addresses added, {len(after)} in all.")
        if missing:
            print(f"{len(missing)} addresses are gone. Write in {REDIRECTS.relative_to(ROOT)}:")
            print(lines_to_write(missing, built, before))
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
