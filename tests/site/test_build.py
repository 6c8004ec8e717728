"""The site builds without a warning, hangs together, and needs no other host."""

import json
import re
from collections import Counter
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import yaml
from bs4 import BeautifulSoup
from PIL import Image

from .conftest import ROOT, toc_entries

CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
REPOSITORY = CONFIG["repository"]["url"]
OWNER_AND_NAME = REPOSITORY.removeprefix("https://github.com/")
TAG = CONFIG["repository"]["branch"]  # of the release; tests/test_release.py holds it to the version
NOTEBOOKS = [entry for entry in toc_entries() if (ROOT / f"{entry}.ipynb").exists()]


@pytest.fixture(scope="module")
def pages(site):
    """Every page, parsed, by its path."""
    return {page: BeautifulSoup(page.read_bytes(), "html.parser") for page in site.pages()}


def url_of(page, site):
    return page.relative_to(site.html).as_posix()


def file_at(path, page, site):
    """Where a link of a page leads; those of the page for a wrong address begin at the root of the published site."""
    root = urlsplit(CONFIG["html"]["baseurl"]).path
    if url_of(page, site) == "404.html" and path.startswith(root):
        return site.html / unquote(path.removeprefix(root))
    return (page.parent / unquote(path)).resolve()


def test_every_page_has_its_place_in_the_table_of_contents():
    """A page that is in no table of contents is not built, and nobody misses it."""
    pages = [page.relative_to(ROOT) for page in (ROOT / "book").rglob("*") if page.suffix in (".ipynb", ".md")]
    names = {page.with_suffix("").as_posix() for page in pages if not any(part[0] in "._" for part in page.parts)}
    solutions = {name for name in names if name.startswith("book/assignments/sources/")}
    assert names - solutions - set(toc_entries()) == set()


def test_no_solution_of_an_assignment_is_on_the_site(site):
    marks = ("BEGIN SOLUTION", "END TEST CONFIG", "<strong>Rubric")
    for path in site.html.rglob("*"):
        if path.is_file() and path.suffix in (".html", ".ipynb", ".txt", ".js"):
            assert "sources" not in path.relative_to(site.html).parts
            if "assignments" in path.as_posix():
                text = path.read_text(encoding="utf-8")
                assert not any(mark in text for mark in marks), path


def test_wide_figures_can_be_scrolled(pages, site):
    """Squeezed onto a phone, letters of several panels are too small to read."""
    boxed = Counter()
    for page, soup in pages.items():
        for image in soup.select(".cell_output img:not([src^='data:'])"):
            with Image.open(file_at(image["src"], page, site)) as picture:
                wide = picture.width > 850
            boxed[wide] += 1
            assert wide == ("wide-figure" in image.parent["class"]), (page.name, image["alt"][:60])
    assert boxed[True] > 10 < boxed[False]


def test_punctuation_stays_with_its_formula(pages):
    """A browser may break a line after a formula, also before a comma; the span "whole" forbids it."""
    apart = [
        (page.name, formula.get_text(), close)
        for page, soup in pages.items()
        for formula in soup.select("article span.math")
        if "whole" not in formula.parent.get("class", [])
        and re.match(r"[.,;:!?)’”]", close := str(formula.next_sibling or ""))
    ]
    assert not apart
    assert sum(len(soup.select("article .whole > span.math")) for soup in pages.values()) > 1000


def test_builds_without_a_warning(site):
    lines = re.sub(r"\x1b\[[\d;]*m", "", site.log).splitlines()
    troubles = [line for line in lines if re.search(r"\b(WARNING|ERROR|CRITICAL|\w*(Error|Exception))\b", line)]
    assert site.status == 0, "the build failed:\n" + "\n".join(troubles or lines[-40:])


def test_every_entry_of_the_table_of_contents_is_a_page(site):
    missing = [entry for entry in toc_entries() if not (site.html / f"{entry}.html").is_file()]
    assert not missing


def test_nothing_else_is_a_page(site):
    generated = {"index", "404", "genindex", "search", "prf-prf", "py-modindex"}
    built = {url_of(page, site).removesuffix(".html") for page in site.pages()}
    extra = {name for name in built - generated - set(toc_entries()) if not name.startswith("_modules/")}
    assert not extra


def test_internal_links_and_anchors_resolve(site, pages):
    broken = []
    anchors = {page: {tag["id"] for tag in soup.find_all(id=True)} for page, soup in pages.items()}
    for page, soup in pages.items():
        for tag in soup.find_all("a", href=True):
            parts = urlsplit(tag["href"])
            if parts.scheme or parts.netloc:
                continue
            target = file_at(parts.path, page, site) if parts.path else page
            fragment = unquote(parts.fragment)
            if not target.is_file() or (fragment and target in anchors and fragment not in anchors[target]):
                broken.append(f"{url_of(page, site)}: {tag['href']}")
    assert not broken, "\n".join(broken)


def test_no_resource_comes_from_another_host(site, pages):
    elsewhere = re.compile(r"^\s*(https?:)?//", re.I)  # from the start: base64 of an image may hold "//"
    # A link with another rel, such as "canonical" or "license", is an address and fetches nothing.
    fetched = {"stylesheet", "icon", "preload", "modulepreload", "prefetch", "manifest"}
    found = []
    for page, soup in pages.items():
        for tag in soup.find_all(src=elsewhere) + soup.find_all("object", data=elsewhere):
            found.append(f"{url_of(page, site)}: {tag}")
        for tag in soup.find_all("link", href=elsewhere):
            if fetched & set(tag.get("rel", [])):
                found.append(f"{url_of(page, site)}: {tag}")
        for style in soup.find_all("style"):
            found += [f"{url_of(page, site)}: {a}" for a in remote_addresses_in_css(style.get_text())]
    for sheet in site.html.rglob("*.css"):
        found += [f"{url_of(sheet, site)}: {a}" for a in remote_addresses_in_css(sheet.read_text(encoding="utf-8"))]
    assert not found, "\n".join(found)


def remote_addresses_in_css(text: str) -> list[str]:
    return re.findall(r"""(?:url\(|@import)\s*["']?((?:https?:)?//[^"')\s]+)""", text, re.I)


def test_local_resources_exist(site, pages):
    missing = []
    for page, soup in pages.items():
        for tag in soup.find_all(["script", "img", "link"]):
            parts = urlsplit(tag.get("src") or tag.get("href") or "")
            if parts.path and not parts.scheme and not file_at(parts.path, page, site).is_file():
                missing.append(f"{url_of(page, site)}: {parts.path}")
    assert not missing, "\n".join(missing)


def test_every_image_says_what_it_shows(site, pages):
    silent = []
    for page, soup in pages.items():
        for image in soup.find_all("img"):
            alt = image.get("alt")
            in_text = image.find_parent("article") is not None
            # myst-nb's default is the file's name, which is a hash; Sphinx's is the file's path.
            is_file_name = alt and re.search(r"[0-9a-f]{16}|\.(png|svg|jpe?g|webp)$", alt)
            if alt is None or is_file_name or (in_text and not alt.strip()):
                silent.append(f"{url_of(page, site)}: {image.get('src')} (alt={alt!r})")
    assert not silent, "set mystnb: {image: {alt: ...}} in the cell's metadata:\n" + "\n".join(silent)


def test_the_search_knows_names_and_terms(site):
    text = (site.html / "searchindex.js").read_text(encoding="utf-8")
    index = json.loads(text.removeprefix("Search.setIndex(").removesuffix(")"))
    documents = index["docnames"]
    names = {
        f"{module}.{name}": documents[at] for module, found in index["objects"].items() for at, *_, name in found
    }
    assert names["adamcore.optim.AMSGrad"] == "book/reference/api/optim"
    titles = {title: [documents[at] for at, _ in places] for title, places in index["alltitles"].items()}
    assert "book/adam/bias_correction" in titles["Bias correction"]


def test_names_of_the_package_have_their_formula_and_their_source(site, pages):
    soup = pages[site.html / "book/reference/api/optim.html"]
    entry = soup.find(id="adamcore.optim.Adam").parent
    assert r"\hat v_t &= v_t / (1 - \beta_2^t)" in entry.find("div", class_="math").get_text()
    assert entry.find("a", href="../../../_modules/adamcore/optim/adam.html#Adam")
    assert entry.find("div", class_="highlight-default")


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_a_notebook_opens_in_binder_and_colab(notebook, site, pages):
    links = {tag["href"] for tag in pages[site.html / f"{notebook}.html"].find_all("a", href=True)}
    assert f"https://mybinder.org/v2/gh/{OWNER_AND_NAME}/{TAG}?urlpath=lab/tree/{notebook}.ipynb" in links
    assert f"https://colab.research.google.com/github/{OWNER_AND_NAME}/blob/{TAG}/{notebook}.ipynb" in links


@pytest.mark.parametrize("entry", toc_entries())
def test_a_page_can_be_downloaded_and_reported(entry, site, pages):
    soup = pages[site.html / f"{entry}.html"]
    links = [tag["href"] for tag in soup.find_all("a", href=True)]
    assert any("/_sources/" in f"/{link}" for link in links)
    titles = [
        parse_qs(urlsplit(link).query)["title"] for link in links if link.startswith(f"{REPOSITORY}/issues/new?")
    ]
    assert [f"Error on page {entry} ({TAG})"] in titles  # the reader need not say where, nor in which version


def project_files():
    """Files in which people write the project's address by hand."""
    yield from ROOT.glob("*.md")
    yield from (ROOT / name for name in ("CITATION.cff", "pyproject.toml"))
    for pattern in ("*.md", "*.ipynb"):
        yield from (p for p in (ROOT / "book").rglob(pattern) if "_static" not in p.parts and "_build" not in p.parts)


def test_the_project_has_one_address():
    owner = OWNER_AND_NAME.partition("/")[0]
    colab = r"https://colab\.research\.google\.com/github/([\w.-]+/[\w.-]+/blob/[\w.-]+)"
    patterns = {
        rf"https?://github\.com/({owner}/[\w.-]+)": OWNER_AND_NAME,
        r"https://mybinder\.org/v2/gh/([\w.-]+/[\w.-]+/[\w.-]+)": f"{OWNER_AND_NAME}/{TAG}",
        colab: f"{OWNER_AND_NAME}/blob/{TAG}",
        r"git\+https://github\.com/([\w./-]+)": OWNER_AND_NAME,
    }
    wrong = []
    for path in project_files():
        if not path.exists():
            continue
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".ipynb":  # its outputs may hold megabytes of base64
            text = "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"])
        for pattern, expected in patterns.items():
            for found in re.findall(pattern, text):
                if found.rstrip(".").removesuffix(".git") != expected:
                    wrong.append(f"{path.relative_to(ROOT)}: {found}, but _config.yml says {expected}")
    assert not wrong, "\n".join(wrong)


def test_the_citation_names_the_project():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["repository-code"] == REPOSITORY
    assert citation["title"] == CONFIG["title"]
    assert [author["name"] for author in citation["authors"]] == [CONFIG["author"]]


def test_signatures_break_between_names_and_show_no_function(site, pages):
    reference = [soup for page, soup in pages.items() if "reference/api" in url_of(page, site)]
    names = [name for soup in reference for name in soup.select("dt.sig .sig-prename")]
    assert names
    assert all(name.find_next_sibling().name == "wbr" for name in names)
    signatures = " ".join(dt.get_text() for soup in reference for dt in soup.select("dt.sig"))
    assert "<function" not in signatures
    assert "<factory>" not in signatures
