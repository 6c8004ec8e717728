"""Fixtures for every test."""

import numpy as np
import pytest

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture
def rng() -> np.random.Generator:
    """A random generator that starts at the same place in every test."""
    return np.random.default_rng(20141222)


@pytest.fixture(scope="session")
def browser():
    """One for all tests of a run that open pages: playwright refuses to be started twice."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason='playwright is not installed: pip install -e ".[browser]"'
    )
    from tools.make_pdf import PdfError, find_browser  # here, so that other tests need no more than pytest and numpy

    try:
        executable = find_browser()
    except PdfError:
        pytest.skip("no Chrome or Chromium on PATH (the variable CHROME can name one)")
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield browser
        browser.close()
