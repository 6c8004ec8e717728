"""What stands around the pages: sentences for search engines, the map of the site, the page for a wrong address."""

import re
from collections import Counter
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest
import yaml
from bs4 import BeautifulSoup
from PIL import Image

from .conftest import ROOT, toc_entries

CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
ADDRESS = CONFIG["html"]["baseurl"]
DESCRIPTIONS = yaml.safe_load((ROOT / "book" / "descriptions.yml").read_text(encoding="utf-8"))
SHORTEST, LONGEST = 50, 160  # characters; search engines cut off what is longer


@pytest.fixture(scope="module")
def heads(site):
    """The head of every page, parsed, by the page's address on the site."""
    texts = {page.relative_to(site.html).as_posix(): page.read_text(encoding="utf-8") for page in site.pages()}
    return {name: BeautifulSoup(text.partition("</head>")[0], "html.parser") for name, text in texts.items()}


def said(head, name):
    """What the tags of that name or property say."""
    return [
        tag["content"] for tag in head.find_all("meta", attrs={"name": name}) + head.find_all("meta", property=name)
    ]


def test_every_page_says_in_a_sentence_what_is_there(heads):
    sentences = {name: said(head, "description") for name, head in heads.items()}
    silent = [name for name, found in sentences.items() if len(found) != 1]
    assert not silent, f"give each a line in book/descriptions.yml: {silent}"
    lengths = {name: len(text) for name, [text] in sentences.items()}
    assert not {name: n for name, n in lengths.items() if not SHORTEST <= n <= LONGEST}
    times = Counter(text for name, [text] in sentences.items() if name != "index.html")  # it leads to the first page
    assert [text for text, n in times.items() if n > 1] == []


@pytest.mark.parametrize("entry", toc_entries())
def test_a_page_of_the_book_has_a_sentence_of_its_own(entry, heads):
    """One that was written for it, not the first words of the page."""
    assert said(heads[f"{entry}.html"], "description") == [DESCRIPTIONS[entry]]


def test_no_sentence_is_left_over(heads):
    assert [name for name in DESCRIPTIONS if f"{name}.html" not in heads] == []


def test_no_two_pages_have_one_title(heads):
    titles = {name: head.title.get_text() for name, head in heads.items() if name != "index.html"}
    assert [title for title, n in Counter(titles.values()).items() if n > 1] == []
    assert titles["book/intro.html"] == CONFIG["title"]


@pytest.mark.parametrize("entry", [*toc_entries(), "index"])
def test_a_link_to_a_page_shows_its_title_and_a_picture(entry, heads, site):
    head = heads[f"{entry}.html"]
    page = "book/intro" if entry == "index" else entry
    assert said(head, "og:url") == [f"{ADDRESS}{page}.html"] == [head.find("link", rel="canonical")["href"]]
    assert said(head, "og:description") == [DESCRIPTIONS[page]]
    [title], [image] = said(head, "og:title"), said(head, "og:image")
    assert title and title in head.title.get_text()
    assert said(head, "twitter:card") == ["summary_large_image"]
    assert image.startswith(ADDRESS) and (site.html / image.removeprefix(ADDRESS)).is_file()


def test_the_picture_of_a_link_has_the_size_that_it_says(heads, site):
    [image] = {tag for head in heads.values() for tag in said(head, "og:image")}
    file = site.html / image.removeprefix(ADDRESS)
    with Image.open(file) as picture:
        assert picture.size == (1200, 630)
        head = heads["book/intro.html"]
        assert said(head, "og:image:width") + said(head, "og:image:height") == [str(n) for n in picture.size]
    assert file.stat().st_size < 300_000
    assert said(head, "og:image:alt")


def test_every_page_has_icons(heads):
    without = [name for name, head in heads.items() if not head.find("link", rel="icon")]
    without += [n for n, head in heads.items() if n != "index.html" and not head.find("link", rel="apple-touch-icon")]
    assert not without


def test_the_map_of_the_site_names_every_page(site):
    places = ElementTree.parse(site.html / "sitemap.xml").iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")
    assert sorted(place.text for place in places) == sorted(f"{ADDRESS}{entry}.html" for entry in toc_entries())


def test_the_site_has_one_address():
    """The one where GitHub Pages publishes the project, wherever it is written."""
    owner, name = urlsplit(CONFIG["repository"]["url"]).path.strip("/").split("/")
    assert f"https://{owner}.github.io/{name}/" == ADDRESS
    files = [*ROOT.glob("*.md"), *ROOT.glob("*.cff"), ROOT / "pyproject.toml", ROOT / "_config.yml"]
    files += [p for suffix in ("md", "yml", "py", "html") for p in (ROOT / "book").rglob(f"*.{suffix}")]
    files += (ROOT / ".github").rglob("*.yml")
    for path in files:
        for found in re.findall(rf"https?://{owner}\.github\.io[^\s\"'<>)]*", path.read_text(encoding="utf-8")):
            assert found.startswith(ADDRESS), f"{path.relative_to(ROOT)}: {found}, but _config.yml says {ADDRESS}"


def test_the_page_for_a_wrong_address_works_at_any_depth(site):
    soup = BeautifulSoup((site.html / "404.html").read_bytes(), "html.parser")
    addresses = [tag[key] for key in ("href", "src", "action") for tag in soup.find_all(attrs={key: True})]
    root = urlsplit(ADDRESS).path
    relative = [a for a in addresses if not a.startswith((root, "https://", "#"))]
    assert not relative
    assert soup.html["data-content_root"] == root
    assert not soup.find("link", rel="canonical")
    listed = {a["href"] for a in soup.find("article").find_all("a", href=True)}
    top = [entry for entry in toc_entries() if not re.fullmatch("book/reference/api/(?!index).*", entry)]
    assert {f"{root}{entry}.html" for entry in top} <= listed
    assert soup.find("article").find("form", action=f"{root}search.html").find("input", attrs={"name": "q"})
