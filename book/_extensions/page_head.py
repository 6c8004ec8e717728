"""What a page says about itself to those who do not read it: search engines, and whoever shows a link to it.

The sentences stand in book/descriptions.yml. sphinxext-opengraph makes the tags for links from them, and
sphinx-notfound-page the page for a wrong address; both need the address of the site, which stands once, as
`html: baseurl` in _config.yml. The map of the site is written here: sphinx-sitemap leaves out the pages that a second
build finds unchanged.
"""

from html import escape
from pathlib import Path
from urllib.parse import urljoin, urlsplit
from xml.etree import ElementTree

import yaml
from sphinx.errors import ConfigError

DESCRIPTIONS = Path("book/descriptions.yml")
SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"


def read_settings(app, config):
    """Hand the address and the sentences to those who need them."""
    address = config.html_baseurl
    if not (address.startswith("https://") and address.endswith("/")):
        raise ConfigError(f"_config.yml: html: baseurl is {address!r}; it must begin with https:// and end with /")
    config.ogp_site_url = address
    config.ogp_site_name = config.html_title
    config.notfound_urls_prefix = urlsplit(address).path
    # A value of the configuration, so that a changed sentence makes the pages anew.
    config.page_descriptions = yaml.safe_load((Path(app.srcdir) / DESCRIPTIONS).read_text(encoding="utf-8"))


def describe(app, pagename, templatename, context, doctree):
    """Give the page its sentence, before sphinxext-opengraph would take the page's first words."""
    text = app.config.page_descriptions.get(pagename)
    if text is None and pagename.startswith("_modules/") and pagename != "_modules/index":
        text = f"The source code of the Python module {context['title']}, with links back to its documentation."
    if text is not None:
        text = escape(text)
        context["metatags"] = f'{context.get("metatags", "")}\n<meta name="description" content="{text}" />\n'
        context["meta"] = {**(context.get("meta") or {}), "og:description": text}
    # For phones and for browsers that do not draw favicon.svg, from which it was made.
    icon = context["pathto"]("_static/touch_icon.png", True)
    context["metatags"] = f'{context.get("metatags", "")}\n<link rel="apple-touch-icon" href="{icon}" />\n'
    if pagename == app.config.root_doc:
        context["docstitle"] = ""  # the page's title is the book's: once is enough
    if pagename == app.config.notfound_pagename:
        context["pageurl"] = None  # it stands for many addresses
        context["content_root"] = app.config.notfound_urls_prefix


def add_front_door(app):
    """The page of the site's bare address, which is passed on most: it leads to the first page and speaks for it."""
    config = app.config
    context = {
        "title": config.html_title,
        "description": config.page_descriptions[config.root_doc],
        "address": urljoin(config.html_baseurl, app.builder.get_target_uri(config.root_doc)),
        "image": urljoin(config.html_baseurl, config.ogp_image),
    }
    yield "index", context, "index.html"


def write_sitemap(app, exception):
    """List the address of every page of the book."""
    if exception is not None or app.builder.name != "html":
        return
    ElementTree.register_namespace("", SITEMAP)
    urls = ElementTree.Element(f"{{{SITEMAP}}}urlset")
    for name in sorted(app.env.found_docs):
        url = ElementTree.SubElement(urls, f"{{{SITEMAP}}}url")
        address = urljoin(app.config.html_baseurl, app.builder.get_target_uri(name))
        ElementTree.SubElement(url, f"{{{SITEMAP}}}loc").text = address
    ElementTree.indent(urls)
    ElementTree.ElementTree(urls).write(Path(app.outdir) / "sitemap.xml", encoding="utf-8", xml_declaration=True)


def setup(app):
    app.add_config_value("page_descriptions", {}, "html", [dict])
    app.connect("config-inited", read_settings)
    app.connect("html-collect-pages", add_front_door)
    app.connect("html-page-context", describe, priority=450)  # sphinxext-opengraph comes at 500
    app.connect("build-finished", write_sitemap)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
