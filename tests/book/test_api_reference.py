"""The pages of the package's reference: every public name on one of them, once, and nothing that does not exist."""

import doctest
import importlib
import inspect
import pkgutil
import re
from collections import Counter
from dataclasses import dataclass

import pytest

import adamcore
from adamcore.optim import RULES, WRAPPERS
from tests.book.equations import BOOK
from tests.book.links import SUFFIXES, prose, targets_of_book

FOLDER = BOOK / "reference" / "api"
PAGES = sorted(FOLDER.glob("*.md"))
NOT_IN_ALL = {"adamcore.experiments.files.StorageError"}
"""Documented although no ``__all__`` has it: readers may meet it."""


@dataclass(frozen=True)
class Entry:
    """A name that a page documents."""

    page: str
    kind: str
    name: str
    members: tuple[str, ...]

    @property
    def value(self):
        """What the name stands for."""
        return value_of(self.name)


def value_of(name):
    """Import the longest part of a dotted name that is a module, and look up the rest."""
    parts = name.split(".")
    for length in range(len(parts) - 1, 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            found = getattr(found, part)
        return found
    raise ModuleNotFoundError(name)


def read_entries():
    """Give every name that a page documents."""
    directive = re.compile(
        r"^\.\. (auto(?:class|function|exception)|py:data):: ([\w.]+)\n((?:   :.*\n)*)", re.MULTILINE
    )
    for page in PAGES:
        for kind, name, options in directive.findall(prose(page)):
            options = dict(re.findall(r":([\w-]+): (.*)", options))
            members = tuple(options.get("members", "").replace(",", " ").split())
            yield Entry(page.stem, kind, ".".join(filter(None, (options.get("module"), name))), members)


ENTRIES = list(read_entries())


def packages():
    """Give the package, and each package in it, that says what is public."""
    names = ["adamcore"]
    names += [found.name for found in pkgutil.walk_packages(adamcore.__path__, "adamcore.") if found.ispkg]
    modules = [importlib.import_module(name) for name in names]
    return [module for module in modules if hasattr(module, "__all__")]


PUBLIC = [f"{module.__name__}.{name}" for module in packages() for name in module.__all__]


def identity(name):
    """Give one text for a class or function, wherever it is imported from; for data, its name."""
    value = value_of(name)
    return f"{value.__module__}.{value.__qualname__}" if inspect.isclass(value) or inspect.isfunction(value) else name


def test_every_public_name_is_documented_once():
    documented = Counter(identity(entry.name) for entry in ENTRIES)
    public = {identity(name) for name in PUBLIC}
    assert len(packages()) >= 8
    assert public - set(documented) == set(), "not documented in book/reference/api"
    assert [name for name, times in documented.items() if times > 1] == []
    assert set(documented) - public == NOT_IN_ALL


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_entry(entry):
    assert entry.name in {*PUBLIC, *NOT_IN_ALL}, "documented under a name that readers do not import"
    value = entry.value
    kind = "class" if inspect.isclass(value) else "function" if inspect.isfunction(value) else "data"
    kind = "exception" if kind == "class" and issubclass(value, Exception) else kind
    assert entry.kind in (f"auto{kind}", f"py:{kind}")
    for member in entry.members:
        assert inspect.getdoc(getattr(value, member)), f"{member} has no docstring, so the page would leave it out"
    if kind != "data":
        assert re.match(r"\S.*[.?]$", inspect.getdoc(value).split("\n\n")[0].replace("\n", " "))


def examples_of(value):
    """Give the examples that run in the section Examples of a name's own docstring, not of one that it inherits."""
    _, _, section = inspect.cleandoc(value.__doc__ or "").partition("\nExamples\n--------\n")
    return [one for one in doctest.DocTestParser().get_examples(section) if not one.options.get(doctest.SKIP)]


def test_examples_are_found_where_they_run():
    def none():
        """Do nothing.

        >>> 1 + 1  # no section
        2
        """

    def skipped():
        """Do nothing.

        Examples
        --------
        >>> 1 + 1  # doctest: +SKIP
        2
        """

    def example():
        """Do nothing.

        Examples
        --------
        >>> 1 + 1
        2
        """

    assert [len(examples_of(value)) for value in (none, skipped, example)] == [0, 0, 1]


@pytest.mark.parametrize("name", [name for name in PUBLIC if callable(value_of(name))])
def test_every_public_class_and_function_has_an_example(name):
    """Dataclasses and errors too; pytest runs the examples of every module."""
    assert examples_of(value_of(name)), "its docstring has no section Examples with one that runs"


def rows(text):
    """Give the rows of a page's tables, as lists of cells, without their heads."""
    for table in re.findall(r"^\|.*(?:\n\|.*)*", text, re.MULTILINE):
        for line in table.split("\n")[2:]:
            yield [cell.strip() for cell in line.strip("|").split("|")]


ROLE = re.compile(r"\{py:(\w+)\}`~?([\w.]+)`")


@pytest.mark.parametrize("page", [page for page in PAGES if page.stem != "index"], ids=lambda page: page.stem)
def test_the_tables_of_a_page_have_its_names(page):
    names = Counter(name for first, *_ in rows(prose(page)) for _, name in ROLE.findall(first))
    assert names == Counter(entry.name for entry in ENTRIES if entry.page == page.stem)


def test_the_door_has_the_names_at_the_top():
    names = [
        name
        for _, cell in rows(prose(FOLDER / "index.md").partition("## Names at the top")[2])
        for _, name in ROLE.findall(cell)
    ]
    assert sorted(map(identity, names)) == sorted(identity(f"adamcore.{name}") for name in adamcore.__all__)


def test_the_door_leads_to_every_page():
    linked = re.findall(r"^\| \{doc\}`(\w+)`", prose(FOLDER / "index.md"), re.MULTILINE)
    assert {page.stem for page in PAGES} - set(linked) == {"index"}


def test_links():
    book = targets_of_book()
    assert [(page.stem, missing) for page in PAGES for missing in book.missing(prose(page), FOLDER)] == []


ROLES = {"autoclass": "class", "autofunction": "func", "autoexception": "exc", "py:data": "data"}


def test_links_to_names_are_to_documented_ones():
    known = {(ROLES[entry.kind], entry.name) for entry in ENTRIES}
    pages = [page for suffix in SUFFIXES for page in BOOK.rglob(f"*{suffix}")]
    found = {(page.stem, *link) for page in pages for link in ROLE.findall(prose(page))}
    assert len(found) > len(ENTRIES)
    assert [link for link in found if link[1:] not in known] == []


def table_of_rules():
    """Give for each rule its row in the table at the top of its page."""
    text = prose(FOLDER / "optim.md").partition("## The rules at a glance")[2].partition("\n## ")[0]
    return {ROLE.findall(rule)[0][1].rpartition(".")[2]: (where, paper) for rule, where, paper in rows(text)}


def test_every_rule_has_its_chapter_and_its_paper():
    table = table_of_rules()
    assert list(table) == [*RULES, *WRAPPERS]
    for where, paper in table.values():
        assert "{doc}`" in where
        assert "{cite:t}`" in paper


@pytest.mark.parametrize("rule", [*RULES, *WRAPPERS])
def test_a_formula_stands_in_the_chapter_that_the_table_names(rule):
    where, _ = table_of_rules()[rule]
    [chapter] = re.findall(r"\{doc\}`([^`]+)`", where)
    text = prose((FOLDER / f"{chapter}.ipynb").resolve())
    for label in re.findall(r"\{eq\}`([^`]+)`", where):
        assert f"({label})" in text
    if "{eq}" in where:
        assert re.search(r"\{py:class\}`~adamcore\.optim\.|<\.\./reference/api/optim>`", text), "no way back"
