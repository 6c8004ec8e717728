"""What the search of the book knows: equations by their names and numbers, and which chapter explains a term.

Sphinx ranks what it finds by book/_extensions/search_scorer.js. That file is handed what the book itself says: the
glossary names the chapter of each term, and the tables of notation name the equation of each symbol. After it comes
search_excerpts.js, which makes the formulas in the excerpts readable.
"""

import json
import re
from pathlib import Path
from typing import ClassVar

from docutils import nodes
from sphinx import addnodes
from sphinx.domains import ObjType
from sphinx.domains.math import MathDomain
from sphinx.util import docname_join

GLOSSARY = "book/reference/glossary"
NOTATION = "book/reference/notation"


class NamedEquations(MathDomain):
    """Sphinx's own domain of equations lists none of them, neither for the search nor for other books' links."""

    object_types: ClassVar = {"eq": ObjType("equation", "eq")}

    def get_type_name(self, type, primary=False):
        return type.lname  # "equation", not "mathematics equation"

    def get_objects(self):
        # The type is not called "equation": of an anchor made of type and name, the search keeps only a hyphen, and
        # makes it again from the name that it shows.
        for label, (page, number) in self.equations.items():
            anchor = nodes.make_id(f"equation-{label}")
            yield label, f"Equation ({number}), {label}", "eq", page, anchor, 1


def names(term):
    """The words that someone may look a term up by: 'stochastic gradient descent (SGD)' has two of them."""
    parts = re.split(r"[,、()（）]", term)
    return {name for part in [term, *parts] if (name := part.strip().lower())}


def chapters_of_terms(doctree):
    """From the name of each term in the glossary to the first page that its entry refers to."""
    found = {}
    for glossary in doctree.findall(addnodes.glossary):
        for item in glossary.findall(nodes.definition_list_item):
            page = next((x for x in item.findall(addnodes.pending_xref) if x["reftype"] == "doc"), None)
            if page is not None:
                target = docname_join(page["refdoc"], page["reftarget"])
                for term in item.findall(nodes.term):
                    for name in names(term.astext()):
                        found.setdefault(name, [target])
    return found


def equations_of_symbols(doctree, equations):
    """From the name of each symbol in code to the equation that defines it."""
    found = {}
    for row in doctree.findall(nodes.row):
        cells = [entry for entry in row.children if isinstance(entry, nodes.entry)]
        symbols = [code.astext() for code in cells[0].findall(nodes.literal)]
        labels = [x["reftarget"] for x in cells[-1].findall(addnodes.pending_xref) if x.get("reftype") == "eq"]
        if symbols and labels:
            if len(labels) != len(symbols):  # several names of one thing, or one name of several
                labels = labels[:1] * len(symbols)
            for symbol, label in zip(symbols, labels, strict=True):
                page, number = equations[label]
                anchor = nodes.make_id(f"equation-{label}")
                found.setdefault(symbol.lower(), [page, anchor, f"Equation ({number})"])
    return found


def write_scorer(app, env):
    """Put the scorer together when everything has been read."""
    explained = {}
    if NOTATION in env.found_docs:
        explained |= equations_of_symbols(env.get_doctree(NOTATION), env.get_domain("math").equations)
    if GLOSSARY in env.found_docs:
        explained |= chapters_of_terms(env.get_doctree(GLOSSARY))
    data = json.dumps(explained, ensure_ascii=False, sort_keys=True)
    scripts = (Path(__file__).with_name(f"search_{name}.js") for name in ("scorer", "excerpts"))
    scorer = "\n".join(script.read_text(encoding="utf-8") for script in scripts)
    path = Path(app.doctreedir) / "search_scorer.js"
    path.write_text(f"const EXPLAINED_IN = new Map(Object.entries({data}));\n\n{scorer}", encoding="utf-8")
    app.config.html_search_scorer = str(path)


def setup(app):
    app.add_domain(NamedEquations, override=True)
    app.connect("env-updated", write_scorer)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
