"""The page for a wrong address, shown as GitHub Pages shows it, and the first page as readers meet it."""

import functools
import http.server
import threading
from urllib.parse import urlsplit

import pytest
import yaml

from .conftest import ROOT, QuietHandler

pytestmark = pytest.mark.slow

SUB_PATH = urlsplit(yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["html"]["baseurl"]).path


class LikeGitHubPages(QuietHandler):
    """Serve the site below its published path, and 404.html for what is not there."""

    def translate_path(self, path):
        return super().translate_path(f"/{path.removeprefix(SUB_PATH)}" if path.startswith(SUB_PATH) else "/nothing")

    def send_error(self, code, message=None, explain=None):
        if code != 404:
            super().send_error(code, message, explain)
            return
        body = (ROOT / self.directory / "404.html").read_bytes()
        self.send_response(404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="module")
def address(site):
    handler = functools.partial(LikeGitHubPages, directory=site.html)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}{SUB_PATH}".rstrip("/")
        server.shutdown()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("name", ["nowhere", "book/adam/no/such/page/at/all"])
def test_a_wrong_address_shows_a_page_that_works(name, width, scheme, open_page, address):
    page = open_page(name, width=width, scheme=scheme)
    # The address itself is the only thing that is not there.
    missing = f"{address}/{name}.html"
    others = [t for t in page.troubles if t != f"404: {missing}" and "status of 404" not in t]
    assert not others, "\n".join(others)
    assert page.troubles.count(f"404: {missing}") == 1 and len(page.troubles) == 2
    assert page.locator("h1:visible").inner_text() == "There is no page at this address"
    assert page.evaluate("document.documentElement.dataset.theme") == scheme
    assert page.evaluate("getComputedStyle(document.querySelector('.not-found-search')).display") == "flex"
    assert page.evaluate("document.scrollingElement.scrollWidth <= document.scrollingElement.clientWidth")
    if width == 1440:
        assert page.locator(".navbar-brand img:visible").evaluate_all("(all) => all.every((i) => i.naturalWidth > 0)")
        page.locator('.bd-sidebar-primary a[href$="/adam/bias_correction.html"]').click()
        page.wait_for_url(f"{address}/book/adam/bias_correction.html", wait_until="commit")


def test_a_wrong_address_offers_the_search(open_page, address):
    page = open_page("no/such/page", width=390)
    page.locator(".not-found-search input").fill("bias correction")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{address}/search.html?q=bias+correction")
    first = page.locator("#search-results li a").first
    first.click()
    page.wait_for_url(f"{address}/book/**", wait_until="commit")


def test_a_wrong_address_offers_every_chapter(open_page, address):
    page = open_page("no/such/page", width=390)
    page.locator("article").get_by_role("link", name="Gradient descent").click()
    page.wait_for_url(f"{address}/book/foundations/gradient_descent.html", wait_until="commit")


@pytest.mark.parametrize(("width", "height"), [(390, 844), (820, 1180), (1440, 900)])
def test_the_first_page_opens_its_doors_on_the_first_screen(width, height, open_page):
    """What the book is, and where to start reading, without scrolling."""
    page = open_page("book/intro", width=width)
    page.set_viewport_size({"width": width, "height": height})
    assert page.locator(".doors .sd-card").count() == 3
    start = page.locator(".doors").get_by_role("link", name="Gradient descent").bounding_box()
    assert start["y"] + start["height"] < height
    assert not page.troubles
