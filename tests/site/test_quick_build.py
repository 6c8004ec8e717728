"""What book/_extensions/quick_build.py spares the build changes no page."""

import gc
import sys

import pybtex.plugin
import pytest
from sphinx.testing.util import SphinxTestApp

from .conftest import ROOT

TEXTS = {
    "index": "# Start\n\n```{toctree}\n:caption: Part\n:hidden:\none\ntwo\n```\n",
    "one": "# One\n\n## A part of one\n\n### A part of the part\n\n## Another\n",
    "two": "# Two\n\n## A part of two\n\n```{toctree}\nbelow/three\nOther name <below/four>\n```\n\n## After it\n",
    "below/three": "# Three\n\n## A part of three\n\n{cite}`a`\n\n```{bibliography}\n```\n",
    "below/four": "---\ntocdepth: 1\n---\n# Four\n\n## A part of four\n\n{cite}`a` and {cite}`a`\n",
}


def build(folder, extensions):
    """The pages of a small site, by their names."""
    source = folder / "source"
    for name, text in TEXTS.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / f"{name}.md").write_text(text, encoding="utf-8")
    (source / "a.bib").write_text("@misc{a, author = {Ann Author}, title = {Title}, year = 2014}", encoding="utf-8")
    (source / "conf.py").write_text(
        f"import sys\nsys.path.append({str(ROOT / 'book' / '_extensions')!r})\n"
        f"extensions = {['myst_parser', 'sphinxcontrib.bibtex', *extensions]}\n"
        "bibtex_bibfiles = ['a.bib']\nhtml_theme = 'sphinx_book_theme'\nmathjax_path = 'none.js'\n",
        encoding="utf-8",
    )
    app = SphinxTestApp("html", srcdir=source, builddir=folder / "built", freshenv=True)
    try:
        app.build()
        assert not app.warning.getvalue()
        return {page.relative_to(app.outdir).as_posix(): page.read_bytes() for page in app.outdir.rglob("*.html")}
    finally:
        app.cleanup()


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """The same site, built without the extension and with it, and how often that had an answer at hand."""
    find = pybtex.plugin.find_plugin
    plain = build(tmp_path_factory.mktemp("plain"), [])
    try:
        quick = build(tmp_path_factory.mktemp("quick"), ["quick_build"])
        hits = pybtex.plugin.find_plugin.cache_info().hits, sys.modules["quick_build"].titles.cache_info().hits
    finally:
        pybtex.plugin.find_plugin = find
    return plain, quick, hits


def test_the_pages_are_the_same(both):
    plain, quick, _ = both
    assert plain.keys() == quick.keys() > {f"{name}.html" for name in TEXTS}
    assert [name for name in plain if plain[name] != quick[name]] == []


def test_it_still_spares_something(both):
    """A new version of the theme or of pybtex may have gone other ways."""
    assert min(both[2]) > 0


def test_garbage_is_collected_again_afterwards(both):
    assert gc.isenabled()
