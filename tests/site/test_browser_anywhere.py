"""The site works where somebody copies it: from disk, without a server, and below any address of a server."""

import functools
import http.server
import shutil
import threading

import pytest

from .conftest import QuietHandler

pytestmark = pytest.mark.slow

SUB_PATH = "/some/sub/path"


class BelowSubPath(QuietHandler):
    """Serve the site below SUB_PATH, and nothing beside it."""

    def translate_path(self, path):
        inside = path.removeprefix(SUB_PATH)
        return super().translate_path(inside if inside != path else "/there-is-nothing-here")


@pytest.fixture(scope="module", params=["disk", "sub-path"])
def address(request, site, tmp_path_factory):
    if request.param == "disk":
        folder = tmp_path_factory.mktemp("disk") / "Bücher und mehr"
        shutil.copytree(site.html, folder)
        yield folder.as_uri()
        return
    handler = functools.partial(BelowSubPath, directory=site.html)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}{SUB_PATH}"
        server.shutdown()


@pytest.mark.parametrize(
    "name",
    [
        "book/intro",
        "book/adam/bias_correction",
        "book/adam/playground",
        "book/paper/scorecard",
        "book/reference/api/optim",
        "book/reference/glossary",
        "genindex",
        "search",
    ],
)
def test_a_page_opens_with_all_that_belongs_to_it(name, open_page):
    page = open_page(name)
    formulas, typeset = page.locator(".bd-article .math").count(), page.locator("mjx-container").count()
    assert typeset >= formulas
    assert page.evaluate("document.images.length && [...document.images].every((i) => i.complete && i.naturalWidth)")
    # A sheet that did not load has no rules; one that may not be read, as on disk, throws when asked for them.
    assert page.evaluate("getComputedStyle(document.querySelector('.bd-sidebar-primary')).position") == "sticky"
    assert not page.troubles, "\n".join(page.troubles)


def test_the_bare_address_leads_to_the_first_page(open_page, address):
    page = open_page("book/reference/notation")
    page.goto(f"{address}/index.html", wait_until="commit")
    page.wait_for_url(f"{address}/book/intro.html")
    # The page is left before its icon has come.
    troubles = [trouble for trouble in page.troubles if trouble != f"failed: {address}/_static/favicon.svg"]
    assert not troubles, "\n".join(troubles)


def test_chapters_lead_to_each_other(open_page, address):
    page = open_page("book/intro")
    page.locator('.bd-sidebar-primary a[href$="adam/bias_correction.html"]').click()
    page.wait_for_url(f"{address}/book/adam/bias_correction.html")
    page.locator(".next-page, a.right-next").first.click()
    page.wait_for_url(f"{address}/book/adam/algorithm.html")
    page.locator('a[href$="_sources/book/adam/algorithm.ipynb"]').first.wait_for(state="attached")
    assert not page.troubles, "\n".join(page.troubles)


def test_the_theme_can_be_switched_and_stays_switched(open_page, address):
    page = open_page("book/adam/algorithm")
    page.locator(".theme-switch-button:visible").first.click()
    chosen = page.evaluate("document.documentElement.dataset.mode")
    assert chosen in ("light", "dark")
    background = "getComputedStyle(document.body).backgroundColor"
    shown = page.evaluate(background)
    page.goto(f"{address}/book/reference/notation.html")
    assert page.evaluate("document.documentElement.dataset.mode") == chosen
    assert page.evaluate(background) == shown
    assert not page.troubles, "\n".join(page.troubles)


def test_the_playground_plays(open_page):
    page = open_page("book/adam/playground")
    first = page.locator(".playground-table tbody tr").first
    before = first.inner_text()
    page.get_by_label("surface").select_option("saddle")
    assert first.inner_text() != before
    assert "s=saddle" in page.url
    assert not page.troubles, "\n".join(page.troubles)


def test_the_search_searches(open_page, address):
    page = open_page("search")
    page.goto(f"{page.url}?q=bias correction")
    results = page.locator("#search-results li a")
    results.first.wait_for(timeout=20_000)
    page.wait_for_function("document.querySelector('.search-summary').innerText.includes('finished')")
    page.wait_for_load_state("networkidle")
    assert page.locator("#search-results li .context").count() == 0 or address.startswith("http")
    results.first.click()
    page.wait_for_url(f"{address}/book/**")
    assert not page.troubles, "\n".join(page.troubles)
