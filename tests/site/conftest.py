"""Build the site once, whatever number of workers and test files ask for it, and open its pages in a browser."""

import functools
import http.server
import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
SECONDS_TO_BUILD = 600


@dataclass(frozen=True)
class Site:
    """What a build left behind."""

    html: Path
    status: int
    log: str

    def pages(self) -> list[Path]:
        """Every HTML page, the search page and the index included."""
        return sorted(p for p in self.html.rglob("*.html") if "_static" not in p.relative_to(self.html).parts)


def toc_entries() -> list[str]:
    """The documents that _toc.yml names, without suffix, the root first."""
    found = []

    def walk(node):
        if isinstance(node, dict):
            found.extend(node[key] for key in ("root", "file") if key in node)
            for child in node.values():
                walk(child)
        elif isinstance(node, list):
            for child in node:
                walk(child)

    walk(yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8")))
    return found


def build(folder: Path) -> None:
    """Build as `make book` does, warnings as errors, but into another folder; keep status and log beside it."""
    # The package has no __main__, and the console script may not be on PATH.
    jupyter_book = "from jupyter_book.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", jupyter_book, "build", ".", "--path-output", folder, "-W", "-n", "--keep-going"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        env=os.environ | {"PYTHONIOENCODING": "utf-8", "NO_COLOR": "1"},
    )
    result = folder / "result.part"
    result.write_text(json.dumps({"status": done.returncode, "log": done.stdout}), encoding="utf-8")
    result.rename(folder / "result.json")  # appears whole or not at all


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Site:
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent  # the folder that all workers of this run have in common
    folder = shared / "site"
    try:
        folder.mkdir()  # succeeds in one worker only; the others wait for its result
    except FileExistsError:
        pass
    else:
        build(folder)
    deadline = time.monotonic() + SECONDS_TO_BUILD
    while not (folder / "result.json").exists():
        if time.monotonic() > deadline:
            pytest.fail(f"another test worker did not finish building the site in {SECONDS_TO_BUILD} s")
        time.sleep(0.2)
    return Site(folder / "_build" / "html", **json.loads((folder / "result.json").read_text(encoding="utf-8")))


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def address(site):
    handler = functools.partial(QuietHandler, directory=site.html)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def open_page(browser, address):
    """Open a page with all other hosts blocked; what goes wrong is collected in `page.troubles`."""
    contexts = []

    def open_page(name, width=1440, scheme="light"):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.troubles = []

        def guard(route):
            if route.request.url.startswith((address, "data:", "blob:")):
                route.continue_()
            else:
                page.troubles.append(f"asks another host: {route.request.url}")
                route.abort()

        page.route("**/*", guard)
        page.on("console", lambda m: m.type == "error" and page.troubles.append(f"console: {m.text}"))
        page.on("pageerror", lambda e: page.troubles.append(f"script: {e}"))
        page.on("response", lambda r: r.status >= 400 and page.troubles.append(f"{r.status}: {r.url}"))
        page.on("requestfailed", lambda r: page.troubles.append(f"failed: {r.url}"))
        page.goto(f"{address}/{name}.html", wait_until="load")
        page.evaluate("window.MathJax?.startup?.promise")
        page.wait_for_load_state("networkidle")
        return page

    yield open_page
    for context in contexts:
        context.close()
