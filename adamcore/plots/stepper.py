"""Figures that a reader steps through: a slider, buttons, and one picture for each value."""

from __future__ import annotations

import base64
import html
import io
import json
from collections.abc import Callable, Iterable, Sequence
from string import Template
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from PIL import Image

MOST_FRAMES = 24
LARGEST = 600_000
"""Bytes of HTML, all frames included."""
SHORTEST_ALT_TEXT = 30
"""Characters; "a plot" tells a listener nothing."""
COLORS = 128
"""Of a frame's palette. A plot of five lines changes by 1.2 of 255 (root mean square) and has a third of the size."""


class Stepper:
    """A figure with a slider; notebooks and the site show it as HTML. :func:`steppable` makes one.

    Parameters
    ----------
    frames : sequence of bytes
        The pictures, each a PNG.
    captions : sequence of str
        One for each.
    still : int
        The place of the frame that is shown first, on paper, and where no script runs.
    alt : str
        What the figure shows.
    label : str
        What the slider counts.

    Examples
    --------
    >>> from adamcore.plots.stepper import Stepper
    >>> Stepper([b"one", b"two"], ["First", "Second"], still=1, alt="", label="step")
    Stepper(2 frames)
    """

    def __init__(self, frames: Sequence[bytes], captions: Sequence[str], *, still: int, alt: str, label: str) -> None:
        self.frames = list(frames)
        self.captions = list(captions)
        self.still = still
        self.alt = alt
        self.label = label

    def __repr__(self) -> str:
        return f"Stepper({len(self.frames)} frames)"

    def _repr_html_(self) -> str:
        """The widget: nothing in it changes from run to run, and it needs neither kernel nor network."""
        addresses: list[str | None] = ["data:image/png;base64," + base64.b64encode(f).decode() for f in self.frames]
        first = addresses[self.still]
        addresses[self.still] = None  # it stands in the page already
        content = {"frames": addresses, "captions": self.captions, "still": self.still, "label": self.label}
        values = {
            "STYLE": STYLE,
            "SCRIPT": SCRIPT,
            "FIRST": first,
            "ALT": html.escape(self.alt),
            "CAPTION": html.escape(self.captions[self.still]),
            "CONTENT": json.dumps(content, ensure_ascii=False).replace("<", "\\u003c"),  # cannot end the script
        }
        return TEMPLATE.substitute(values)


def steppable(
    draw: Callable[[Any], Figure],
    frames: Iterable[Any],
    *,
    alt: str,
    captions: Sequence[str] | None = None,
    still: int = -1,
    label: str = "frame",
) -> Stepper:
    """Draw one figure for each frame, for the reader to step through with a slider and buttons.

    Nothing moves until the reader asks for it; who has asked the system for reduced motion gets no play button.
    Where no script runs, and on paper, the still is all there is: choose the frame that makes the point.

    Parameters
    ----------
    draw : callable
        Draws one frame: called with a value of ``frames``, returns a new matplotlib Figure. Set the limits of its
        axes, so that only what the figure is about moves.
    frames : iterable
        At most 24 values.
    alt : str
        What the figure shows and what changes in it, for those who do not see it; at least 30 characters.
    captions : sequence of str, optional
        A sentence for each frame, shown below it and read aloud; by default its number.
    still : int, default -1
        The place in ``frames`` of the frame that is shown first.
    label : str, default "frame"
        What the slider counts, in a word or two.

    Returns
    -------
    Stepper
        The last expression of a cell shows it; so does ``display``.

    Raises
    ------
    ValueError
        For no frame or more than 24, frames of different sizes, more than 600 kB in all, captions of another
        number, a still that is not among them, or an alternative text that is missing or too short.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from adamcore.plots import steppable
    >>> def draw(t):
    ...     figure, ax = plt.subplots(figsize=(4, 2))
    ...     ax.plot([0, t], [0, t], "o-")
    ...     ax.set(xlim=(0, 4), ylim=(0, 4))
    ...     return figure
    >>> steppable(draw, [1, 2, 3], alt="A straight line that grows by one unit with each step.", label="step")
    Stepper(3 frames)
    """
    values = list(frames)
    if not 1 <= len(values) <= MOST_FRAMES:
        raise ValueError(f"frames has {len(values)} values; from 1 to {MOST_FRAMES} are allowed. Leave some out.")
    if len(alt.strip()) < SHORTEST_ALT_TEXT:
        raise ValueError(
            f"alt = {alt!r} is too short; say in at least {SHORTEST_ALT_TEXT} characters what the figure shows "
            "and what changes in it."
        )
    if captions is None:
        captions = [f"{label} {number} of {len(values)}" for number in range(1, len(values) + 1)]
    if len(captions) != len(values):
        raise ValueError(f"captions has {len(captions)} entries for {len(values)} frames; give one for each.")
    if not -len(values) <= still < len(values):
        raise ValueError(f"still = {still} is not among the {len(values)} frames; the last one is -1.")

    pictures = [_png(draw(value)) for value in values]
    sizes = {Image.open(io.BytesIO(picture)).size for picture in pictures}
    if len(sizes) > 1:
        raise ValueError(f"draw returned figures of different sizes in pixels, {sorted(sizes)}; use one figsize.")
    made = Stepper(pictures, captions, still=still % len(values), alt=alt, label=label)
    if (size := len(made._repr_html_())) > LARGEST:
        raise ValueError(
            f"the widget has {size:,} bytes, at most {LARGEST:,} are allowed; draw fewer frames or smaller figures."
        )
    return made


def _png(figure: Figure) -> bytes:
    """Save a figure with a palette, and close it: an open one would be shown once more below the cell."""
    whole, small = io.BytesIO(), io.BytesIO()
    figure.savefig(whole, format="png")
    plt.close(figure)
    picture = Image.open(whole).convert("RGB")
    picture = picture.quantize(COLORS, method=Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE)
    picture.save(small, format="png", optimize=True)
    return small.getvalue()


STYLE = """
.stepper { max-width: 50rem; margin: 0 auto; }
.stepper img { display: block; max-width: 100%; height: auto; margin: 0 auto; background: #fff; }
.stepper-controls { display: flex; flex-wrap: wrap; align-items: center; gap: 0 0.5rem; margin-top: 0.25rem; }
.stepper button[hidden] { display: none; }
.stepper label { display: flex; flex: 1 1 8rem; align-items: center; gap: 0.5rem; min-width: 0; min-height: 44px; }
.stepper input { flex: 1; min-width: 0; height: 44px; margin: 0; accent-color: #0072b2; }
.stepper button { min-width: 44px; min-height: 44px; padding: 0 0.5rem; border: 1px solid currentColor;
  border-radius: 0.4rem; background: none; color: inherit; font: inherit; cursor: pointer; }
.stepper :is(button, input):focus-visible { outline: 3px solid #0072b2; outline-offset: 2px; }
html[data-theme="dark"] .stepper :is(button, input) { accent-color: #56b4e9; outline-color: #56b4e9; }
.stepper p { min-height: 3em; margin: 0.25rem 0 1rem; text-align: center; }
@media print { .stepper-controls { display: none !important; } .stepper { break-inside: avoid; } }
"""

# The script makes the controls: where it does not run, as in a notebook that is not trusted, there are none that do
# nothing. No ids: a page may show one notebook twice.
TEMPLATE = Template("""\
<div class="stepper" role="group" aria-label="Figure in steps">
<style>$STYLE</style>
<img src="$FIRST" alt="$ALT">
<p aria-live="polite">$CAPTION</p>
<script type="application/json">$CONTENT</script>
<script>$SCRIPT</script>
</div>""")

SCRIPT = """
for (const root of document.querySelectorAll(".stepper:not([data-ready])")) {
  const data = root.querySelector("script[type='application/json']");
  if (!data) continue;  /* cut out where the notebook is not trusted */
  root.dataset.ready = "";
  const { frames, captions, still, label } = JSON.parse(data.textContent);
  const last = frames.length - 1;
  const [image, caption] = ["img", "p"].map((tag) => root.querySelector(tag));
  frames[still] = image.src;

  const controls = document.createElement("div");
  controls.className = "stepper-controls";
  controls.innerHTML =
    '<button type="button" aria-label="Previous">&#9664;&#xFE0E;</button>' +
    '<label><span></span> <input type="range" min="0" step="1"></label>' +
    '<button type="button" aria-label="Next">&#9654;&#xFE0E;</button>' +
    '<button type="button">Play</button>';
  controls.querySelector("span").textContent = label;
  const slider = controls.querySelector("input");
  const [previous, next, play] = controls.querySelectorAll("button");
  slider.max = last;
  for (const control of [slider, previous, next, play])
    control.dataset.lmSuppressShortcuts = "true";  /* JupyterLab leaves its keys to it */

  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let place = still, timer = null;
  const show = (k) => {
    place = Math.max(0, Math.min(last, k));
    slider.value = place;
    slider.setAttribute("aria-valuetext", (place + 1) + " of " + (last + 1));
    image.src = frames[place];
    caption.textContent = captions[place];
  };
  const stop = () => {
    clearInterval(timer);
    timer = null;
    play.textContent = "Play";
    caption.setAttribute("aria-live", "polite");
  };
  const tick = () => {
    if (root.isConnected) show(place + 1);
    if (place === last || !root.isConnected) stop();
  };
  const start = () => {
    if (place === last) show(0);
    play.textContent = "Pause";
    caption.setAttribute("aria-live", "off");  /* a voice could not keep up */
    timer = setInterval(tick, 800);
  };
  const respect = () => { stop(); play.hidden = calm.matches; };

  slider.addEventListener("input", () => { stop(); show(Number(slider.value)); });
  previous.addEventListener("click", () => { stop(); show(place - 1); });
  next.addEventListener("click", () => { stop(); show(place + 1); });
  play.addEventListener("click", () => timer === null ? start() : stop());
  calm.addEventListener("change", respect);
  addEventListener("beforeprint", () => { stop(); show(still); });
  respect();
  show(still);
  image.after(controls);
}
"""
