"""Old addresses go on leading somewhere: pages that moved, and anchors whose heading was rephrased.

They are listed in book/redirects.yml, old to new, both as seen from the root of the site and without `.html`. What is
made of a line needs no server, so that it works wherever the site is copied to:

- `old: new`, a page: a small page that leads to the new one, and takes what follows a `#` or a `?` along.
- `page#old: page#new`: an empty element with the old name, where the new one is.
- `page#old: other#new`, a part that moved to another page: a note with a link, which shows only to those who came for
  that part.

Only the second would be simple with sphinx-reredirects, which knows pages and no anchors.
"""

import json
import posixpath
import re
from html import escape
from pathlib import Path
from urllib.parse import quote, urljoin

import yaml
from sphinx.errors import ConfigError
from sphinx.util import logging

FILE = Path("book/redirects.yml")
NOT_AROUND_TEXT = {
    "dl",
    "hr",
    "img",
    "input",
    "ol",
    "svg",
    "table",
    "tbody",
    "tr",
    "ul",
}  # no span may stand in these
log = logging.getLogger(__name__)

PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>This page has moved</title>
<meta name="description" content="This page has moved to {address}.">
<link rel="canonical" href="{canonical}">
<noscript><meta http-equiv="refresh" content="0; url={href}"></noscript>
<script>
  // The parts of this page that did not move with it.
  const parts = new Map({parts});
  const hash = decodeURIComponent(location.hash);
  const part = parts.get(hash);
  const to = new URL(part ?? {target}, location.href);
  to.search = location.search;
  if (part === undefined) to.hash = location.hash;
  location.replace(to);
</script>
</head>
<body>
<main>
<h1>This page has moved</h1>
<p>You find it at <a href="{href}">{address}</a>.</p>
</main>
</body>
</html>
"""


def read(path):
    """The redirects of a file, each straight to its last address."""
    redirects = yaml.safe_load(Path(path).read_text(encoding="utf-8")) or {}
    for old, new in redirects.items():
        if not (isinstance(new, str) and all(re.fullmatch(r"[^#\s]+(#[^#\s]+)?", a) for a in (old, new))):
            raise ConfigError(f"{path}: '{old}: {new}' must be 'page: page' or 'page#anchor: page#anchor'")
        if new.endswith(".html") or old.endswith(".html"):
            raise ConfigError(f"{path}: '{old}: {new}' must name pages without .html")
    return {old: follow(old, redirects) for old in redirects}


def follow(address, redirects):
    """Where an address leads in the end; a page takes its anchors along."""
    seen = []
    while address not in seen:
        seen.append(address)
        page, _, anchor = address.partition("#")
        if address in redirects:
            address = redirects[address]
        elif page in redirects:
            address = redirects[page] + (f"#{anchor}" if anchor and "#" not in redirects[page] else "")
        else:
            return address
    raise ConfigError(f"redirects go in a circle: {' -> '.join([*seen, address])}")


def href(address, start):
    """The address, as seen from a page."""
    page, _, anchor = address.partition("#")
    relative = posixpath.relpath(page + ".html", posixpath.dirname(start) or ".")
    return quote(relative) + (f"#{quote(anchor)}" if anchor else "")


def has_anchor(body, anchor):
    """Find the opening tag with this id."""
    return re.search(rf'<(\w+)(\s[^<>]*)?\sid="{re.escape(escape(anchor))}"[^<>]*>', body)


def keep_anchors(app, pagename, templatename, context, doctree):
    """Give what is on a page the names that it once had."""
    for old, new in app.config.redirects.items():
        page, _, anchor = old.partition("#")
        if page != pagename or not anchor or "body" not in context:
            continue
        if has_anchor(context["body"], anchor):
            log.warning("%s: %s is on the page, and needs no redirect", FILE, old)
            continue
        to, _, target = new.partition("#")
        if to == page and target:
            found = has_anchor(context["body"], target)
            if not found:
                log.warning("%s: %s leads to %s, which is not on the page", FILE, old, new)
                continue
            at = found.start() if found[1] in NOT_AROUND_TEXT else found.end()
            insert = f'<span id="{escape(anchor)}"></span>'
        else:
            heading = re.search("</h1>", context["body"])
            at = heading.end() if heading else 0
            title = app.env.titles[to].astext() if to in app.env.titles else to
            link = f'<a href="{escape(href(new, page))}">{escape(title)}</a>'
            insert = f'<p class="moved" id="{escape(anchor)}" role="note">What you look for has moved to {link}.</p>'
            context["metatags"] += "<style>.moved:not(:target) { display: none; }</style>"
        context["body"] = context["body"][:at] + insert + context["body"][at:]


def write_pages(app, exception):
    """Write a page for each that moved."""
    if exception is not None or app.builder.format != "html":
        return
    for old, new in app.config.redirects.items():
        if "#" in old:
            if (page := old.partition("#")[0]) not in app.env.found_docs and page not in app.config.redirects:
                log.warning("%s: %s: there is no page %s, and no redirect for it", FILE, old, page)
            continue
        if old in app.env.found_docs:
            log.warning("%s: %s is a page, and cannot lead elsewhere", FILE, old)
            continue
        if new.partition("#")[0] not in app.env.found_docs:
            log.warning("%s: %s leads to %s, which is no page", FILE, old, new)
            continue
        here = href(new, old)
        parts = [
            [f"#{of.partition('#')[2]}", href(to, old)]
            for of, to in app.config.redirects.items()
            if of.startswith(f"{old}#")
        ]
        path = Path(app.outdir, f"{old}.html")
        path.parent.mkdir(parents=True, exist_ok=True)
        text = PAGE.format(
            address=escape(new),
            href=escape(here),
            canonical=escape(urljoin(app.config.html_baseurl, href(new, "")) if app.config.html_baseurl else here),
            target=json.dumps(here).replace("<", r"\u003c"),
            parts=json.dumps(parts).replace("<", r"\u003c"),
        )
        path.write_text(text, encoding="utf-8")


def read_file(app, config):
    """Make the list a value of the configuration, so that a change of it makes the pages anew."""
    path = Path(app.srcdir) / FILE
    config.redirects = read(path) if path.exists() else {}


def setup(app):
    app.add_config_value("redirects", {}, "html", [dict])
    app.connect("config-inited", read_file)
    app.connect("html-page-context", keep_anchors)
    app.connect("build-finished", write_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
