"""Addresses that stand elsewhere than in links: in pictures, style sheets and forms."""

import functools
import re
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup

ADDRESSES = {"action", "data", "formaction", "href", "poster", "src", "xlink:href"}
OF_ELEMENTS = {"aria-controls", "aria-describedby", "aria-labelledby", "aria-owns", "for", "headers", "list"}
NAME_OF_FILE = re.compile(r"[^\s:]+\.(html|js|css|png|svg)")
CSS_ADDRESS = re.compile(r"""(?:url\(\s*|@import\s+)(?:"([^"]*)"|'([^']*)'|([^"'()\s;]+))""", re.I)


@functools.cache
def parse(text):
    return BeautifulSoup(text, "html.parser")


@pytest.fixture(scope="module", autouse=True)
def forget_pages():
    yield
    parse.cache_clear()


def addresses(text, kind):
    """Every address in the text of a page or a picture ("html", "svg") or of a style sheet ("css")."""
    if kind == "css":
        text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
        return [next(filter(None, found.groups()), "") for found in CSS_ADDRESS.finditer(text)]
    found = []
    text = re.sub(r"^\s*<\?xml[^>]*\?>", "", text)  # html.parser warns of it
    for tag in parse(text).find_all(True):
        for name, value in tag.attrs.items():
            if name == "srcset":
                found += [candidate.split()[0] for candidate in value.split(",") if candidate.strip()]
            elif name in ADDRESSES or (
                name.startswith("data-") and re.fullmatch(r"[^\s:]+\.(html|js|css|png|svg)", value)
            ):
                found.append(value)
            elif name == "style" or (isinstance(value, str) and value.startswith("url(")):
                found += addresses(value, "css")
        if tag.name == "style":
            found += addresses(tag.get_text(), "css")
    return found


def broken(text, kind, path, root):
    """The addresses in a file of the site that lead to no file of the site."""
    ids = set(re.findall(r'\bid="([^"]+)"', text))
    wrong = []
    for address in addresses(text, kind):
        parts = urlsplit(address.strip())
        if parts.scheme or parts.netloc:
            continue
        if not parts.path:
            if kind != "css" and parts.fragment and unquote(parts.fragment) not in ids:
                wrong.append(address)
            continue
        target = (path.parent / unquote(parts.path)).resolve()
        if parts.path.startswith("/") or not target.is_relative_to(root) or not target.is_file():
            wrong.append(address)
    return wrong


@pytest.mark.parametrize("kind", ["html", "svg", "css"])
def test_every_address_in_a_file_of_the_site_leads_to_one(kind, site):
    root = site.html.resolve()
    wrong = []
    for path in sorted(root.rglob(f"*.{kind}")):
        inside = path.relative_to(root)
        if kind == "html" and ("_static" in inside.parts or inside.name == "404.html"):
            continue  # the theme's templates are no pages; the page of a wrong address has absolute ones
        text = path.read_text(encoding="utf-8")
        wrong += [f"{inside.as_posix()}: {address}" for address in broken(text, kind, path, root)]
    assert not wrong, "\n".join(wrong)


def test_elements_name_elements_that_are_there(site):
    wrong = []
    for path in site.pages():
        soup = parse(path.read_text(encoding="utf-8"))
        ids = {tag["id"] for tag in soup.find_all(id=True)}
        for tag in soup.find_all(True):
            for name in OF_ELEMENTS & set(tag.attrs):
                named = tag[name] if isinstance(tag[name], list) else tag[name].split()
                wrong += [f"{path.relative_to(site.html)}: {name}={one}" for one in named if one not in ids]
            target = tag.get("data-bs-target", tag.get("data-target", ""))
            if target.startswith("#") and target[1:] not in ids:
                wrong.append(f"{path.relative_to(site.html)}: {target}")
    assert not wrong, "\n".join(wrong)


def test_what_can_be_downloaded_is_there_and_whole(site):
    """The page's source, as the button of the page offers it, is the file that the page was made from."""
    seen = 0
    for path in site.pages():
        soup = parse(path.read_text(encoding="utf-8"))
        for link in soup.select("a.btn-download-source-button[href], a.reference.download[href], a[download][href]"):
            target = (path.parent / unquote(urlsplit(link["href"]).path)).resolve()
            assert target.is_file(), f"{path}: {link['href']}"
            assert target.stat().st_size > 0
            seen += target.suffix == ".ipynb"
    assert seen > 20


def test_broken_addresses_are_found(tmp_path):
    (tmp_path / "here.png").touch()
    page = tmp_path / "page.html"
    html = """
        <img src="here.png" srcset="here.png 1x, gone2x.png 2x"> <form action="nowhere.html"></form>
        <svg><defs><g id="arrow"/></defs><use href="#arrow"/><use xlink:href="#no-arrow"/>
        <image href="gone.svg"/></svg>
        <div style="background: url('gone.jpg')" data-source="gone.js" data-n="3.5"></div>
        <style>@import "gone.css"; p { cursor: url(here.png); }</style>
        <a href="#top-of-nothing"></a> <a href="../../outside.html"></a> <a href="/root.html"></a>
        <a href="https://example.org/"></a> <a href="mailto:a@example.org"></a> <img src="data:image/png;base64,AA">
    """
    assert broken(html, "html", page, tmp_path) == [
        "gone2x.png",
        "nowhere.html",
        "#no-arrow",
        "gone.svg",
        "gone.jpg",
        "gone.js",
        "gone.css",
        "#top-of-nothing",
        "../../outside.html",
        "/root.html",
    ]
    css = "a { src: url(here.png), url( 'gone.woff' ); filter: url(#x) } /* url(old.png) */"
    assert broken(css, "css", page, tmp_path) == ["gone.woff"]
