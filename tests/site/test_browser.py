"""Every page in a real browser: on a phone and on a desk, by day and by night."""

from pathlib import Path

import pytest

from .conftest import ROOT, toc_entries

pytestmark = pytest.mark.slow

SCREENSHOTS = ROOT / "_build" / "screenshots"
PAGES = [*toc_entries(), "search", "genindex"]
WIDTHS = [390, 820, 1440]  # a phone, a tablet, a desk


def switch_theme(page, scheme):
    """Let the reader's system turn to light or dark, and wait for the page to follow."""
    page.emulate_media(color_scheme=scheme)
    page.wait_for_function("(scheme) => document.documentElement.dataset.theme === scheme", arg=scheme)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_page(name, scheme, open_page):
    page = open_page(name, WIDTHS[0], scheme)
    troubles = page.troubles
    shown = page.evaluate("document.documentElement.dataset.theme")
    if shown != scheme:
        troubles.append(f"the reader's system says {scheme}, the page is {shown}")
    formulas, typeset = page.locator(".bd-article .math").count(), page.locator("mjx-container").count()
    if typeset < formulas:
        troubles.append(f"{formulas} formulas, but only {typeset} typeset")
    if page.locator("mjx-merror, [data-mjx-error]").count():
        troubles.append("a formula does not parse")

    # Punctuation that is not in the line of its formula.
    torn = page.locator(".bd-article .whole").evaluate_all(
        "spans => spans.filter((span) => span.getClientRects().length > 1).map((span) => span.textContent)"
    )
    troubles += [f"a line is broken beside a formula: {one}" for one in torn]

    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.screenshot(path=SCREENSHOTS / f"{name.replace('/', '_')}-{width}-{scheme}.png", full_page=True)
        # What is wide has a box of its own that scrolls; the page does not.
        excess = page.evaluate("document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth")
        if excess > 0:
            troubles.append(f"the page scrolls sideways by {excess} pixels at a width of {width}")

    # On a desk no formula in a line scrolls: where a system always shows scroll bars, each would have one below it.
    scrolling = page.locator(".bd-article span.math").evaluate_all(
        "formulas => formulas.filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.textContent)"
    )
    troubles += [f"a formula has a scroll bar: {one}" for one in scrolling]

    # A phone's line shows the whole of a formula, of one in a solution, too; chapters split long ones.
    page.locator(".toggle-hidden").evaluate_all("all => all.forEach((one) => one.classList.remove('toggle-hidden'))")
    page.set_viewport_size({"width": min(WIDTHS), "height": 900})
    cut = page.locator(".bd-article p span.math").evaluate_all(
        """formulas => formulas.filter((one) => one.offsetParent && !one.closest("td, th, dl.py")
             && one.querySelector("mjx-math").getBoundingClientRect().right > one.getBoundingClientRect().right + 6)
           .map((one) => one.textContent)"""
    )
    troubles += [f"a line cuts off a formula: {one}" for one in cut]
    assert not troubles, "\n".join(troubles)


def test_search_finds_the_algorithm(open_page):
    page = open_page("search")
    page.goto(f"{page.url}?q=algorithm", wait_until="load")
    page.locator("#search-results li a").first.wait_for(timeout=10_000)
    assert not page.troubles


@pytest.mark.parametrize(
    ("query", "answer"),
    [("AMSGrad", "book/reference/api/optim.html"), ("bias correction", "book/adam/bias_correction.html")],
)
def test_search_finds_names_of_the_package_and_chapters(query, answer, open_page):
    page = open_page("search")
    page.goto(f"{page.url}?q={query}", wait_until="load")
    page.locator(f'#search-results li a[href*="{answer}"]').first.wait_for(timeout=10_000)
    assert not page.troubles


@pytest.mark.parametrize("name", toc_entries())
def test_solutions_are_hidden_until_asked_for(name, open_page):
    page = open_page(name)
    for solution in page.locator(".solution.dropdown").all():
        content = solution.locator("> section")
        assert not content.is_visible()
        solution.locator(".toggle-button").click()
        content.wait_for(state="visible", timeout=2_000)
    assert not page.troubles


def test_the_menu_of_a_formula_offers_only_what_is_here(open_page):
    for name in toc_entries():
        page = open_page(name)
        if page.locator("mjx-container").count():
            break
    else:
        pytest.skip("no page has a formula yet")
    page.locator("mjx-container").first.click(button="right")
    page.locator(".CtxtMenu_MenuFrame, .CtxtMenu_Menu").first.wait_for()
    for entry in ("Settings", "Accessibility"):
        assert page.locator(".CtxtMenu_MenuItem", has_text=entry).count() == 1
    enabled = page.evaluate(
        """() => {
            const menu = MathJax.startup.document.menu.menu;
            return [["Settings", "Renderer"], ["Accessibility", "Activate"]]
                .filter((path) => !menu.findID(...path).disabled);
        }"""
    )
    assert not enabled
    assert not page.troubles


PLAYGROUND = "book/adam/playground"


def adam_is_at(page):
    """Where the table under the surface has Adam."""
    return page.locator(".playground-table tbody tr").first.locator("td").all_inner_texts()


def test_the_playground_is_dragged_and_keeps_its_setting_in_the_address(open_page):
    page = open_page(PLAYGROUND)
    assert page.locator(".adam-playground svg").count() >= 4
    before = adam_is_at(page)
    box = page.locator(".playground-knob").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 80, y + 30, steps=5)
    page.mouse.up()
    dragged = adam_is_at(page)
    assert dragged != before
    start = [page.get_by_label(f"start {c}").input_value() for c in "xy"]
    page.goto(page.url, wait_until="load")  # what someone who was sent the address sees
    assert [page.get_by_label(f"start {c}").input_value() for c in "xy"] == start
    assert adam_is_at(page) == dragged
    page.get_by_role("button", name="Reset").click()
    assert adam_is_at(page) == before
    assert not page.troubles


def test_the_playground_needs_no_mouse(open_page):
    page = open_page(PLAYGROUND)
    before = adam_is_at(page)
    page.get_by_label("α, the step size of Adam").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    after = adam_is_at(page)
    assert after != before
    page.get_by_label("start x").fill("-2")
    page.keyboard.press("Tab")
    assert adam_is_at(page) != after
    page.get_by_label("surface").select_option("saddle")
    assert "s=saddle" in page.url
    page.get_by_label("step t", exact=True).focus()
    page.keyboard.press("Home")
    assert page.locator(".playground-time output").inner_text().startswith("0 of")
    page.keyboard.press("Tab")  # to the button
    page.keyboard.press("Enter")
    page.wait_for_function("!document.querySelector('.playground-time output').textContent.startsWith('0 of')")
    page.get_by_role("button", name="Pause").click()
    assert not page.troubles


@pytest.mark.parametrize("query", ["s=nowhere&b1=2&a=-1&x=1e9&T=7&t=-3&r=knitting", "b1=0.5", "s=ravine&a=&b2=nan"])
def test_a_wrong_address_sets_what_it_can(open_page, query):
    page = open_page(PLAYGROUND)
    before = adam_is_at(page)
    page.goto(f"{page.url.split('?')[0]}?{query}", wait_until="load")
    assert adam_is_at(page) == before
    assert not page.troubles


def test_the_playground_agrees_with_what_its_page_says(open_page):
    page = open_page(PLAYGROUND)
    page.get_by_role("link", name="Six times too far.").click()
    page.wait_for_load_state("load")
    assert not page.get_by_label("bias correction").is_checked()
    page.get_by_label("step t", exact=True).fill("12")
    assert adam_is_at(page)[-1].split(", ")[1] == "-6.57"
    page.get_by_label("bias correction").check()
    assert adam_is_at(page)[-1].split(", ")[1] == "-1"
    assert not page.troubles


def test_small_playgrounds_stand_in_the_chapters(open_page):
    page = open_page("book/adam/bias_correction")
    assert "at most 6.57, at step 12" in page.locator(".adam-playground [role=status]").inner_text()
    page.get_by_label("β₂").press("ArrowRight")
    assert "at most 6.57" not in page.locator(".adam-playground [role=status]").inner_text()
    page = open_page("book/adam/step_size")
    said = page.locator(".adam-playground [role=status]").inner_text()
    assert "standard deviation 0.2" in said
    assert not page.troubles


THEME_CHANGES = ["color-contrast", "link-in-text-block"]
"""Rules of axe about colors, which are all that the theme changes."""


@pytest.mark.parametrize("name", PAGES)
def test_nobody_is_shut_out(name, open_page):
    axe = pytest.importorskip("axe_playwright_python", reason='axe is not installed: pip install -e ".[browser]"')
    page = open_page(name)
    page.add_script_tag(path=next(Path(axe.__file__).parent.glob("axe*.js")))
    # The glyphs of formulas are hidden from voices, and would take axe half of its time. Their MathML stays.
    page.evaluate("document.querySelectorAll('mjx-math').forEach((glyphs) => glyphs.remove())")
    troubles = []
    for scheme, options in [("light", {}), ("dark", {"runOnly": {"type": "rule", "values": THEME_CHANGES}})]:
        switch_theme(page, scheme)
        # Colors fade from one theme into the other; what axe would see on the way is no theme's.
        page.wait_for_function("document.getAnimations().every((one) => one.playState !== 'running')")
        result = page.evaluate("(options) => axe.run(document, options)", options | {"resultTypes": ["violations"]})
        assert "color-contrast" in {rule["id"] for rule in result["passes"]}
        troubles += [
            f"{scheme}: {violation['id']} ({violation['help']}): {node['html'][:200]}"
            for violation in result["violations"]
            for node in violation["nodes"]
        ]
    assert not troubles, "\n".join(troubles)
