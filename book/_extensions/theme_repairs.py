"""What the theme does for any site, made to fit this one: small files, and roles that a screen reader understands.

Icons: the theme sends a script of 1.5 MB with every drawing of Font Awesome, and its fonts besides. The pages use
some twenty of them. After a build the script is empty, and fonts and style sheet hold what the pages name.

Figures: large ones are packed once more, without loss. Wide ones, of several panels, get a box to scroll in: on a
phone their letters would be too small to read.

Bibliography: Sphinx gives its entries a role that has gone out of use, and that is not allowed in a list.

Lines: a browser may break one between a formula and what is written close to it, before a percent sign, and after
the hyphens of an option. On a phone lines then begin with a comma, or with "%".

Signatures: they break after the module and the bracket, and show no function as a default.
"""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from docutils import nodes
from fontTools import subset
from fontTools.ttLib import TTFont
from PIL import Image

SCRIPT = Path("scripts", "fontawesome.js")
STYLES = Path("styles", "pydata-sphinx-theme.css")
FONTS = Path("vendor", "fontawesome", "webfonts")
WIDE = 850  # pixels of a figure's width; one panel has about 800
LARGE = 30_000  # bytes of an image from which packing it again is worth the time
# A formula in a line, brackets and quotes before it, and punctuation and endings (βs, k-th) after it.
FORMULA = re.compile(
    r"""([(\[“‘]*)(<span class="math notranslate nohighlight">[^<]*</span>)((?:[^\s\w<&/–—]|s\b|th\b)*)"""
)
ICON_RULE = re.compile(r'((?:\.fa-[a-z0-9-]+:+before,?)+)\{content:"\\([0-9a-f]+)"\}')


def icons_named(folder: Path) -> set[str]:
    """Icons that the pages and scripts of the site ask for, such as "fa-bars"."""
    scripts = [path for path in (folder / "_static").rglob("*.js") if path.name != SCRIPT.name]
    texts = (path.read_text(encoding="utf-8") for path in [*folder.rglob("*.html"), *scripts])
    return {name for text in texts for name in re.findall(r"\bfa-[a-z0-9-]+", text)}


def without_unused(styles: str, names: set[str]) -> tuple[str, set[int]]:
    """Drop the rules of icons without a name in ``names``; return the rest and the characters that it shows."""

    def kept(rule: re.Match) -> str:
        own = {one.strip(".").partition(":")[0] for one in rule[1].split(",")}
        return rule[0] if own & names else ""

    styles = ICON_RULE.sub(kept, styles)
    # One small file for each font, in a format that needs no other program to be written.
    styles = re.sub(r'url\([^)]*\.woff2\) format\("woff2"\),(?=url\([^)]*\.ttf\))', "", styles)
    return styles, characters(styles)


def characters(styles: str) -> set[int]:
    """The characters of the private use area that a style sheet shows, escaped or not."""
    escaped = {int(code, 16) for code in re.findall(r"\\([ef][0-9a-f]{3})\b", styles)}
    return escaped | {ord(one) for one in styles if 0xE000 <= ord(one) <= 0xF8FF}


def lighten(app, exception) -> None:
    """Leave out of the built site what its pages do not use."""
    static = Path(app.outdir, "_static")
    if exception or app.builder.format != "html" or not (static / STYLES).exists():
        return
    (static / SCRIPT).write_text("// The icons of this site come from a font.\n", encoding="utf-8")
    styles, shown = without_unused((static / STYLES).read_text(encoding="utf-8"), icons_named(Path(app.outdir)))
    (static / STYLES).write_text(styles, encoding="utf-8")
    for sheet in static.rglob("*.css"):
        shown |= characters(sheet.read_text(encoding="utf-8"))
    for path in (static / FONTS).glob("*.ttf"):
        font = TTFont(path, recalcTimestamp=False)
        options = subset.Options(glyph_names=False, hinting=False, layout_features=[])
        smaller = subset.Subsetter(options)
        smaller.populate(unicodes=shown)
        smaller.subset(font)
        font.save(path)
        path.with_suffix(".woff2").unlink(missing_ok=True)
    large = [path for path in Path(app.outdir, "_images").glob("*.png") if path.stat().st_size > LARGE]
    with ThreadPoolExecutor() as pool:  # threads are enough: Pillow packs without holding Python's lock
        list(pool.map(pack, large))


def pack(path: Path) -> None:
    """Store a picture that hides nothing behind transparency without that channel, in as few bytes as PNG allows."""
    with Image.open(path) as picture:
        if picture.mode == "RGBA" and picture.getextrema()[3] == (255, 255):
            picture.convert("RGB").save(path, optimize=True)


def box_wide_figures(app, doctree, docname) -> None:
    """Put each wide picture that a cell shows into a box: custom.css lets it scroll, the theme lets keys reach it."""
    for image in list(doctree.findall(nodes.image)):
        if "cell_output" not in image.parent.get("classes", []):
            continue
        with Image.open(Path(app.srcdir, image["uri"])) as picture:
            wide = picture.width > WIDE
        if wide:
            box = nodes.container(classes=["output", "wide-figure"])
            image.replace_self(box)
            box += image


def repair_roles(app, pagename, templatename, context, doctree) -> None:
    """Entries of a bibliography are items of its list."""
    if context.get("body"):
        context["body"] = context["body"].replace('role="doc-biblioentry"', 'role="listitem"')


def keep_together(body: str) -> str:
    """Put formulas, and what stands close to them, into spans that are not broken, and options; tie percent signs."""

    def whole(found: re.Match) -> str:
        return f'<span class="whole">{found[0]}</span>' if found[1] or found[3] else found[0]

    parts = re.split(r"(<pre\b.*?</pre>)", FORMULA.sub(whole, body), flags=re.DOTALL)
    for at in range(0, len(parts), 2):  # blocks of code stay as they are
        part = re.sub(r"(?<=\d) %", "\N{NO-BREAK SPACE}%", parts[at])
        parts[at] = part.replace('<span class="pre">-', '<span class="pre whole">-')  # an option, such as --jobs
    return "".join(parts)


def plain_defaults(app, what, name, obj, options, signature, returns):
    """A default that is made by a function has no value to show."""
    return re.sub(r"<factory>|<function [\w.]*(<lambda>)?>", "...", signature or ""), returns


def break_between_names(body: str) -> str:
    """Let the signature of a name of the package break after a dot and a bracket, before it breaks within a word."""
    body = body.replace('</span></span><span class="sig-name', '</span></span><wbr><span class="sig-name')
    return body.replace('<span class="sig-paren">(</span>', '<span class="sig-paren">(</span><wbr>')


def repair_lines(app, pagename, templatename, context, doctree) -> None:
    """No line begins with a comma or a percent sign, and none ends with a bracket."""
    if context.get("body"):
        context["body"] = break_between_names(keep_together(context["body"]))


def setup(app):
    app.connect("build-finished", lighten)
    app.connect("doctree-resolved", box_wide_figures)
    app.connect("html-page-context", repair_roles)
    app.connect("html-page-context", repair_lines)
    app.setup_extension("sphinx.ext.autodoc")  # whose event it is
    app.connect("autodoc-process-signature", plain_defaults)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
