"""Spare the build work whose result nobody sees: it takes some 0.6 of the time, and the pages are the same.

Garbage: a build makes millions of small objects in one process, and keeps most of them until its end. Python looks
through all of them again and again for cycles that could be freed, which was a third of the time. Now it frees none
before the end. That takes about twice the memory, 1.1 GB.

Table of contents: the bar at the side lists the titles of all pages. For each page, Sphinx copies every heading and
every name of the programming interface, and then drops all but the titles. Here it is handed the titles alone.

Citations: for each, sphinxcontrib-bibtex asks for the same plug-in, and pybtex looks through the descriptions of all
installed packages to find it. Here it looks once.

Each takes only what the other packages offer to everybody. Where a later version does without it, nothing happens.
"""

import functools
import gc

import pybtex.plugin
from sphinx import addnodes


def collect_garbage_again(app, exception):
    """Leave the process as it was found."""
    gc.enable()


def look_up_plugins_once():
    """Remember which plug-in pybtex has found for which name."""
    find = getattr(pybtex.plugin, "find_plugin", None)
    if find is not None and not hasattr(find, "cache_info"):
        pybtex.plugin.find_plugin = functools.cache(find)


@functools.lru_cache(maxsize=1)
def titles(env):
    """The table of contents of every page, as Sphinx leaves it where only titles are asked for."""
    # A page may set its own depth, which can cut off the pages below it: there, Sphinx needs to see where they stand.
    return {name: toc if "tocdepth" in env.metadata[name] else titles_of(toc) for name, toc in env.tocs.items()}


def titles_of(toc):
    """A copy of one of them, with its title and what it says of pages below it."""
    toc = toc.deepcopy()
    for part in toc.children:
        if len(part) > 1:
            if below := list(part.findall(addnodes.toctree)):
                part[1][:] = below
            else:
                part.pop(1)
    return toc


def hand_over_titles(app, pagename, templatename, context, doctree):
    """Let the function that the theme calls for its bar see no more than it shows."""
    whole = context.get("toctree")
    if whole is None:
        return

    def toctree(*places, **options):
        env = app.env
        if not options.get("titles_only"):
            return whole(*places, **options)
        tocs, env.tocs = env.tocs, titles(env)
        try:
            return whole(*places, **options)
        finally:
            env.tocs = tocs

    context["toctree"] = toctree


def setup(app):
    gc.disable()  # here, not at an event: the extensions that are loaded next make many objects too
    look_up_plugins_once()
    app.connect("build-finished", collect_garbage_again, priority=999)  # the last of all
    app.connect("html-page-context", hand_over_titles)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
