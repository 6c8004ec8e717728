"""An address that was once published goes on leading to what stood there."""

import warnings

import pytest
from sphinx.testing.util import SphinxTestApp

from tools.permanent_links import (
    COMMAND,
    PUBLISHED,
    REDIRECTS,
    ROOT,
    BuiltSite,
    lines_to_write,
    load_redirects_extension,
    lost,
    read_published,
)

EXTENSION = load_redirects_extension()
MANY = 20


@pytest.fixture(scope="module")
def built(site):
    return BuiltSite(site.html)


def test_no_published_address_is_lost(built):
    """Add the line that this test prints to book/redirects.yml, after a look at where it leads."""
    published = read_published()
    missing = lost(published, built, EXTENSION.read(REDIRECTS), EXTENSION.follow)
    assert not missing, (
        f"readers may have kept these addresses, which are gone; write in {REDIRECTS.relative_to(ROOT)}:\n"
        + lines_to_write(missing, built, published)
    )


def test_every_page_is_on_the_list(built):
    """A page is a decision, and its address is listed with it.

    An anchor that is not on the list is no error: a heading of a new text may be rephrased until the list is renewed,
    which is part of a release. Until then, pytest's summary counts them.
    """
    new = built.stable(without=EXTENSION.read(REDIRECTS)) - set(read_published())
    pages = sorted(address for address in new if "#" not in address)
    assert not pages, f"new pages; run `{COMMAND}` to promise that they stay: {', '.join(pages)}"
    if len(new) > MANY:
        warnings.warn(f"{len(new)} anchors are on no list yet; `{COMMAND}` promises that they stay", stacklevel=1)


def test_the_list_is_sorted_and_has_what_it_should():
    lines = PUBLISHED.read_text(encoding="utf-8").splitlines()
    assert lines == sorted(set(lines))
    for address in (
        "book/adam/bias_correction#the-derivation-every-step",  # a heading
        "book/adam/algorithm#equation-eq-adam-m",
        "book/adam/algorithm#alg-adam",
        "book/adam/convergence#thm-conv-regret",
        "book/adam/bias_correction#ex-bias-peak",
        "book/intro#fig-front",
        "book/practice/popular_summary#s12",  # a label
        "book/reference/glossary#term-bias-correction",
        "book/reference/api/optim#adamcore.optim.Adam",
        "book/reference/bibliography#cite-kingma2015adam",
    ):
        assert address in lines


TEXTS = {
    "index": "# Start\n\n```{toctree}\npart/kept\npart/new\n```\n",
    "part/kept": "# Kept\n\n## A heading, rephrased\n\nText.\n\n```{glossary}\nterm\n  What it means.\n```\n",
    "part/new": "# New\n\n(label)=\n## A heading\n\n$$ x = y $$ (eq-x)\n",
}
PUBLISHED_ONCE = [
    "part/kept",
    "part/kept#a-heading",  # rephrased
    "part/kept#term-word",  # the term has another name now
    "part/kept#gone-elsewhere",
    "part/old",
    "part/old#a-heading",
    "part/old#went-to-kept",
    "part/older#a-heading",
]
REPAIRS = """\
part/kept#a-heading: part/kept#a-heading-rephrased
part/kept#term-word: part/kept#term-term
part/kept#gone-elsewhere: part/new#equation-eq-x
part/old: part/new
part/old#went-to-kept: part/kept#a-heading-rephrased
part/older: part/old
"""


def tiny_site(folder, redirects):
    source = folder / "source"
    for name, text in TEXTS.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / f"{name}.md").write_text(text, encoding="utf-8")
    (source / "book").mkdir()
    (source / "book" / "redirects.yml").write_text(redirects, encoding="utf-8")
    (source / "conf.py").write_text(
        f"import sys\nsys.path.append({str(ROOT / 'book' / '_extensions')!r})\n"
        "extensions = ['myst_parser', 'redirects']\nmyst_enable_extensions = ['dollarmath']\n"
        "html_theme = 'sphinx_book_theme'\nmathjax_path = 'none.js'\n",
        encoding="utf-8",
    )
    app = SphinxTestApp("html", srcdir=source, builddir=folder / "built", freshenv=True)
    try:
        app.build()
        return app.outdir, app.warning.getvalue()
    finally:
        app.cleanup()


@pytest.fixture(scope="module")
def moved(tmp_path_factory):
    """A tiny site with redirects of every kind."""
    return tiny_site(tmp_path_factory.mktemp("moved"), REPAIRS)


def test_an_address_that_is_gone_is_found_and_its_redirect_suggested(tmp_path):
    html, _ = tiny_site(tmp_path, "")
    site = BuiltSite(html)
    missing = lost(PUBLISHED_ONCE, site, {}, EXTENSION.follow)
    assert missing == PUBLISHED_ONCE[1:]
    lines = lines_to_write(missing, site, PUBLISHED_ONCE).splitlines()
    assert "part/kept#a-heading: part/kept#a-heading-rephrased" in lines
    assert "part/old: part/new" in lines


def test_redirects_repair_it(moved, tmp_path):
    html, warned = moved
    assert not warned
    redirects = tmp_path / "redirects.yml"
    redirects.write_text(REPAIRS, encoding="utf-8")
    redirects = EXTENSION.read(redirects)
    site = BuiltSite(html)
    assert lost(PUBLISHED_ONCE, site, redirects, EXTENSION.follow) == []
    assert lost(["part/old#never-there"], site, redirects, EXTENSION.follow) == ["part/old#never-there"]
    # What only leads elsewhere is no new promise.
    promised = site.stable(without=redirects)
    assert {"part/new#a-heading", "part/new#label", "part/new#equation-eq-x"} <= promised
    assert not promised & set(redirects)


@pytest.mark.parametrize(
    ("redirects", "complaint"),
    [
        ("part/kept#old: part/kept#nowhere", "is not on the page"),
        ("part/kept#a-heading-rephrased: part/new", "needs no redirect"),
        ("part/kept: part/new", "is a page, and cannot lead elsewhere"),
        ("part/old: part/nowhere", "is no page"),
        ("part/old#x: part/new", "there is no page part/old"),
    ],
)
def test_a_redirect_that_does_not_work_is_a_warning(redirects, complaint, tmp_path):
    _, warned = tiny_site(tmp_path, redirects)
    assert complaint in warned


@pytest.mark.parametrize(
    "redirects", ["a: b\nb: a", "a: a", "a: [b]", "a#b: c d", "a.html: b", "a: b#", "a#x: b#x\nb: a"]
)
def test_a_redirect_that_cannot_work_is_an_error(redirects, tmp_path):
    path = tmp_path / "redirects.yml"
    path.write_text(redirects, encoding="utf-8")
    with pytest.raises(EXTENSION.ConfigError, match=r"must (be|name)|circle"):
        EXTENSION.read(path)


@pytest.mark.slow
@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("part/old.html", "part/new.html"),
        ("part/old.html?q=1#a-heading", "part/new.html?q=1#a-heading"),
        ("part/older.html#label", "part/new.html#label"),
        ("part/old.html#went-to-kept", "part/kept.html#a-heading-rephrased"),
    ],
)
def test_a_browser_follows_a_page_that_moved(old, new, scripts, moved, browser):
    html, _ = moved
    page = browser.new_page(java_script_enabled=scripts)
    page.goto(f"{html.as_uri()}/{old}")
    if not scripts:  # the page is reached; what follows # and ? would need a script
        new = "part/new.html"
    page.wait_for_url(f"{html.as_uri()}/{new}", timeout=10_000)
    page.close()


@pytest.mark.slow
def test_a_browser_finds_an_anchor_without_scripts(moved, browser):
    html, _ = moved
    page = browser.new_page(java_script_enabled=False, viewport={"width": 800, "height": 300})
    page.goto(f"{html.as_uri()}/part/kept.html")
    note = page.locator(".moved")
    assert not note.is_visible()
    page.goto(f"{html.as_uri()}/part/kept.html#gone-elsewhere")
    assert note.is_visible()
    note.get_by_role("link").click()
    page.wait_for_url("**/part/new.html#equation-eq-x")
    page.goto(f"{html.as_uri()}/part/kept.html#a-heading")
    assert page.locator(":target").evaluate("e => e.parentElement.id") == "a-heading-rephrased"
    page.close()
