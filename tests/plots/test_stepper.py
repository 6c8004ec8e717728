"""A figure in steps: what its HTML holds, what it refuses, and what a browser does with it."""

import base64
import io
import json

import matplotlib
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from bs4 import BeautifulSoup
from PIL import Image

from adamcore.plots import steppable
from adamcore.plots.stepper import LARGEST, MOST_FRAMES
from tests.book.guard import FRAME, figure_problems, figures
from tests.book.notebook_rules import alternative_texts

matplotlib.use("agg")

ALT = "A curve of five bends that moves to the right by one unit with each step."
CAPTIONS = ["The start.", "One step on: <b>&amp;", "Two steps </script> on."]


def draw(shift, noise=0.0, size=(6, 3)):
    figure, ax = plt.subplots(figsize=size)
    x = np.linspace(0, 10, 200)
    ax.plot(x, np.sin(x - shift) + noise * np.random.default_rng(0).normal(size=200))
    ax.set(ylim=(-1.2, 1.2))
    return figure


def made(**options):
    return steppable(draw, [0, 1, 2], **{"alt": ALT, "captions": CAPTIONS, "label": "step", **options})


def parsed(stepper):
    soup = BeautifulSoup(stepper._repr_html_(), "html.parser")
    return soup, json.loads(soup.find("script", type="application/json").string)


def pixels(address):
    picture = Image.open(io.BytesIO(base64.b64decode(address.removeprefix("data:image/png;base64,"))))
    return np.asarray(picture.convert("RGB"), dtype=float)


def test_without_a_script_the_still_carries_the_point():
    soup, _ = parsed(made(still=1))
    [image] = soup.find_all("img")
    assert image["alt"] == ALT
    assert soup.find("p").get_text() == CAPTIONS[1]
    assert not soup.find_all(["button", "input"])
    figure = draw(1)
    figure.savefig(file := io.BytesIO(), format="png")
    plt.close(figure)
    expected = np.asarray(Image.open(file).convert("RGB"), dtype=float)
    assert np.sqrt(np.mean((pixels(image["src"]) - expected) ** 2)) < 2  # the palette's loss


def test_every_frame_is_there_once_in_order():
    soup, content = parsed(made(still=1))
    assert (content["captions"], content["still"], content["label"]) == (CAPTIONS, 1, "step")
    assert content["frames"][1] is None  # the image's own
    content["frames"][1] = soup.find("img")["src"]
    assert len(set(content["frames"])) == 3
    for shift, address in enumerate(content["frames"]):
        again = steppable(draw, [shift], alt=ALT)
        assert address == parsed(again)[0].find("img")["src"]


def test_no_id_no_network_and_the_same_again():
    text = made()._repr_html_()
    assert text == made()._repr_html_()
    soup = BeautifulSoup(text, "html.parser")
    assert not soup.find_all(id=True)
    assert "//" not in FRAME.sub("", text)
    assert repr(made()) == "Stepper(3 frames)"


def test_figures_are_closed():
    before = plt.get_fignums()
    made()
    assert plt.get_fignums() == before


def test_captions_count_by_default():
    _, content = parsed(steppable(draw, [0, 1], alt=ALT, label="step"))
    assert content["captions"] == ["step 1 of 2", "step 2 of 2"]


def test_24_frames_of_a_line_plot_are_small_enough():
    stepper = steppable(draw, np.linspace(0, 6, MOST_FRAMES), alt=ALT)
    assert len(stepper._repr_html_()) <= LARGEST


def noisy_image(_):
    figure = plt.figure(figsize=(8, 8))
    figure.figimage(np.random.default_rng(0).random((800, 800)))
    return figure


@pytest.mark.parametrize(
    ("function", "frames", "options", "message"),
    [
        (draw, range(25), {}, "frames has 25 values; from 1 to 24"),
        (draw, [], {}, "frames has 0 values"),
        (draw, [0], {"alt": "A plot."}, "alt = 'A plot.' is too short"),
        (draw, [0, 1], {"captions": ["one"]}, "captions has 1 entries for 2 frames"),
        (draw, [0, 1], {"still": 2}, "still = 2 is not among the 2 frames"),
        (lambda k: draw(k, size=(6, 3 + k)), [0, 1], {}, "figures of different sizes in pixels"),
        (noisy_image, range(4), {}, "at most 600,000 are allowed"),
    ],
)
def test_refusals(function, frames, options, message):
    with pytest.raises(ValueError, match=message):
        steppable(function, frames, **{"alt": ALT, **options})


def test_alt_is_required():
    with pytest.raises(TypeError, match="alt"):
        steppable(draw, [0])


def output(stepper):
    data = {"text/html": stepper._repr_html_(), "text/plain": repr(stepper)}
    return nbformat.v4.new_output("display_data", data)


def test_the_guard_compares_every_frame():
    good = output(made())
    jittered = output(steppable(lambda k: draw(k, noise=1e-9), [0, 1, 2], alt=ALT, captions=CAPTIONS, label="step"))
    moved = output(steppable(lambda k: draw(k + 0.1 * (k == 1)), [0, 1, 2], alt=ALT, captions=CAPTIONS, label="step"))
    assert len(figures([good])) == 3
    assert figure_problems(figures([good]), figures([jittered])) == []
    [problem] = figure_problems(figures([good]), figures([moved]))
    assert "pixels differ" in problem
    texts = {FRAME.sub("", one.data["text/html"]) for one in (good, jittered, moved)}
    assert len(texts) == 1  # what is compared as text does not depend on pixels


def test_the_chapters_rule_reads_the_alternative_text():
    cell = {"cell_type": "code", "metadata": {}, "source": "", "outputs": [output(made())]}
    assert list(alternative_texts({"cells": [cell]})) == []
    silent = FRAME.sub("data:image/png;base64,AAAA", made()._repr_html_()).replace(ALT, "")
    cell["outputs"] = [nbformat.v4.new_output("display_data", {"text/html": silent})]
    [problem] = alternative_texts({"cells": [cell]})
    assert "Cell 0 shows an image" in problem


@pytest.fixture
def open_stepper(browser):
    """Open a page with one stepper of three frames, its still the second, on a phone."""
    contexts = []

    def open_stepper(**options):
        context = browser.new_context(viewport={"width": 390, "height": 800}, **options)
        contexts.append(context)
        page = context.new_page()
        page.troubles = []
        page.on("pageerror", lambda error: page.troubles.append(str(error)))
        page.on("request", lambda r: r.url.startswith("data:") or page.troubles.append(r.url))
        page.set_content(
            "<!doctype html><meta name=viewport content='width=device-width'>" + made(still=1)._repr_html_()
        )
        return page

    yield open_stepper
    for context in contexts:
        context.close()


def shown(page):
    """The caption, the slider's place, and what it says."""
    slider = page.locator(".stepper input")
    return (
        CAPTIONS.index(page.locator(".stepper p").text_content()),
        int(slider.input_value()),
        slider.get_attribute("aria-valuetext"),
    )


@pytest.mark.slow
def test_one_that_lost_its_script_does_not_stop_the_next(open_stepper):
    page = open_stepper()
    assert page.locator(".stepper button").count() == 3
    cut = made()._repr_html_().split("<script")[0] + "</div>"  # as JupyterLab shows an untrusted notebook
    page.set_content(cut + made()._repr_html_())
    assert page.locator(".stepper").count() == 2
    assert page.locator(".stepper button").count() == 3
    assert not page.troubles


@pytest.mark.slow
def test_the_reader_steps(open_stepper):
    page = open_stepper()
    slider = page.locator(".stepper input")
    assert [slider.get_attribute(name) for name in ("min", "max", "step")] == ["0", "2", "1"]
    assert shown(page) == (1, 1, "2 of 3")
    pictures = {}
    page.get_by_label("Next").click()
    assert shown(page) == (2, 2, "3 of 3")
    page.get_by_label("Next").click()
    assert shown(page) == (2, 2, "3 of 3")
    for _ in range(2):
        page.get_by_label("Previous").click()
    assert shown(page) == (0, 0, "1 of 3")
    slider = page.get_by_label("step", exact=True)
    slider.focus()
    for place, key in enumerate(["Home", "ArrowRight", "End"]):
        slider.press(key)
        assert shown(page)[0] == place
        pictures[page.locator(".stepper img").get_attribute("src")] = page.locator(".stepper img").get_attribute(
            "alt"
        )
    assert len(pictures) == 3 and set(pictures.values()) == {ALT}
    assert not page.troubles


@pytest.mark.slow
def test_play_starts_when_asked_ends_by_itself_and_can_be_stopped(open_stepper):
    page = open_stepper()
    page.clock.install()
    page.clock.run_for(5_000)
    assert shown(page)[0] == 1  # nothing moves before the reader asks
    page.get_by_text("Play").click()
    assert page.locator(".stepper p").get_attribute("aria-live") == "off"
    page.clock.run_for(1_000)
    assert shown(page)[0] == 2
    assert page.locator(".stepper p").get_attribute("aria-live") == "polite"
    page.get_by_text("Play").click()  # from the end: once more from the start
    assert shown(page)[0] == 0
    page.clock.run_for(1_000)
    page.get_by_text("Pause").click()
    page.clock.run_for(5_000)
    assert shown(page)[0] == 1
    assert not page.troubles


@pytest.mark.slow
def test_reduced_motion_leaves_stepping(open_stepper):
    page = open_stepper(reduced_motion="reduce")
    assert not page.get_by_text("Play").is_visible()
    page.get_by_label("Next").click()
    assert shown(page)[0] == 2


@pytest.mark.slow
def test_without_javascript_and_on_paper(open_stepper):
    page = open_stepper(java_script_enabled=False)
    assert page.locator(".stepper img").is_visible()
    assert not page.locator(".stepper-controls").is_visible()
    page = open_stepper()
    page.get_by_label("Next").click()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert shown(page)[0] == 1
    assert not page.locator(".stepper-controls").is_visible()


@pytest.mark.slow
def test_fits_a_phone_and_a_finger(open_stepper):
    page = open_stepper()
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 390
    for control in page.locator(".stepper :is(button, input)").all():
        box = control.bounding_box()
        assert box["width"] >= 44 and box["height"] >= 44
