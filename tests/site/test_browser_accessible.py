"""Without a mouse, and without motion: keys reach everything and show where they are; nothing moves that need not."""

import pytest

pytestmark = pytest.mark.slow

PLAYGROUND = "book/adam/playground"
IN_STEPS = "book/adam/moments"  # has a figure in steps and hidden solutions


def focused(page):
    """What has the focus, and whether a ring of at least two pixels shows it."""
    return page.evaluate(
        """() => {
            const at = document.activeElement;
            const style = getComputedStyle(at);
            const label = at.getAttribute("aria-label") ?? at.labels?.[0]?.textContent ?? at.textContent;
            return {
                name: label.trim().slice(0, 40),
                ring: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
            };
        }"""
    )


def tab_through(page, scope, most=60):
    """Tab from the element before the first control in `scope` until the focus leaves it; yield what was reached."""
    controls = page.locator(f"{scope} :is(button, input, select, [tabindex='0'])").locator("visible=true")
    controls.first.focus()
    page.keyboard.press("Shift+Tab")
    for _ in range(most):
        page.keyboard.press("Tab")
        if not page.evaluate("(scope) => document.activeElement.closest(scope) !== null", scope):
            return
        yield focused(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_keys_reach_every_control_of_the_playground_and_show_it(scheme, open_page):
    page = open_page(PLAYGROUND, scheme=scheme)
    controls = page.locator(".adam-playground :is(button, input, select)").locator("visible=true").count()
    reached = list(tab_through(page, ".adam-playground"))
    assert len(reached) >= controls
    assert not [one["name"] for one in reached if not one["ring"]]
    assert all(one["name"] for one in reached)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_keys_reach_a_figure_in_steps_and_show_it(scheme, open_page):
    page = open_page(IN_STEPS, scheme=scheme)
    reached = list(tab_through(page, ".stepper"))
    assert [one["name"] for one in reached if one["name"] in ("Previous", "Next", "Play")] == [
        "Previous",
        "Next",
        "Play",
    ]
    assert len(reached) == 4  # and the slider
    assert not [one["name"] for one in reached if not one["ring"]]


def test_a_solution_opens_and_closes_by_key(open_page):
    page = open_page(IN_STEPS)
    solution = page.locator(".solution.dropdown").first
    content = solution.locator("> section")
    button = solution.locator(".toggle-button")
    page.keyboard.press("Tab")  # rings show for those who use keys
    button.focus()
    assert focused(page)["ring"]
    page.keyboard.press("Enter")
    content.wait_for(state="visible", timeout=2_000)
    page.keyboard.press("Enter")
    content.wait_for(state="hidden", timeout=2_000)


def test_the_first_tab_leads_past_the_menu(open_page):
    page = open_page(IN_STEPS)
    page.keyboard.press("Tab")
    link = page.locator(":focus")
    assert link.inner_text() == "Skip to main content"
    assert link.is_visible()
    page.keyboard.press("Enter")
    assert page.url.endswith("#main-content")


@pytest.mark.parametrize("name", [PLAYGROUND, IN_STEPS])
def test_nothing_moves_by_itself(name, open_page):
    page = open_page(name)
    shown = (
        "() => [...document.querySelectorAll('.stepper img, .stepper p, .playground-table')].map((e) => e.outerHTML)"
    )
    before = page.evaluate(shown)
    page.wait_for_timeout(1_500)  # two frames of a figure in steps
    assert page.evaluate(shown) == before


@pytest.mark.parametrize("name", [PLAYGROUND, IN_STEPS])
def test_who_asks_for_less_motion_gets_none(name, open_page):
    page = open_page(name)
    play = page.locator(".adam-playground, .stepper").first.get_by_role("button", name="Play")
    assert play.is_visible()
    page.emulate_media(reduced_motion="reduce")
    play.wait_for(state="hidden", timeout=2_000)
    page.reload(wait_until="load")
    assert not play.is_visible()
    assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"
    moving = page.evaluate(
        """() => [...document.querySelectorAll("*")].filter((e) => {
            const style = getComputedStyle(e);
            const lasts = (times) => times.split(",").some((time) => parseFloat(time) > 0);
            const animated = style.animationName !== "none" && lasts(style.animationDuration);
            return animated || lasts(style.transitionDuration);
        }).map((e) => e.outerHTML.slice(0, 100))"""
    )
    assert not moving
    assert not page.troubles
