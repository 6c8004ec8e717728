r"""The equation lock: each labelled equation of the book is tied to a test of the code, and each such test to it.

A chapter labels an equation, in either of MyST's forms::

    $$ m_t = \beta_1 m_{t-1} + (1 - \beta_1) g_t $$ (eq-adam-m)

    ```{math}
    :label: eq-adam-m
    m_t = \beta_1 m_{t-1} + (1 - \beta_1) g_t
    ```

and a file tests/book/test_equations_<chapter>.py repeats it above a test that checks it on numbers::

    @equation("eq-adam-m", r"m_t = \beta_1 m_{t-1} + (1 - \beta_1) g_t")
    def test_first_moment(rng):
        assert ...

`problems` compares the two sides, so neither the page nor the test's LaTeX changes alone; the assertion ties the
LaTeX to the code.
"""

import ast
import importlib.util
import inspect
import json
import re
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

BOOK = Path(__file__).resolve().parents[2] / "book"
LEFT_OUT = {"assignments", "_build", ".ipynb_checkpoints"}
CODE_DIRECTIVES = {"{code}", "{code-block}", "{code-cell}", "{literalinclude}", "{raw}", "{mermaid}"}

# One pass from top to bottom, whichever begins first; what shows no mathematics is passed over.
BLOCKS = re.compile(
    r"""
    ^(?P<indent>[ \t>]*)(?P<fence>`{3,}|~{3,}|:{3,})[ \t]*(?P<info>[^\n`]*)\n
        (?P<body>.*?)
        (?:^[ \t>]*(?P=fence)[`~:]*[ \t]*$|\Z)
    | <!--.*?-->
    | ^%[^\n]*$                                                    # a comment in MyST
    | (?<!`)(?P<ticks>`+)(?!`)(?:(?!\n[ \t]*\n).)*?(?<!`)(?P=ticks)(?!`)
    | \$\$(?P<dollars>.*?)\$\$(?:[ \t]*\((?P<label>[^()\s]+)\))?
    | ^[ \t]*\\begin\{(?P<environment>equation|align|gather|multline|eqnarray|flalign|alignat)\}
    """,
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
OPTION = re.compile(r"^[ \t>]*:([\w-]+):[ \t]*(.*)$")


class EquationLockError(Exception):
    """An equation or a test that cannot be locked."""


@dataclass(frozen=True)
class Equation:
    """A labelled equation, on a page or above a test."""

    label: str
    latex: str
    where: str  # file, and the cell or the test in it


def equation(label: str, latex: str):
    """Tie a test function to a labelled equation of the book.

    Parameters
    ----------
    label : str
        The equation's label.
    latex : str
        Its LaTeX, as on the page; white space and a full stop or comma at its end do not matter.

    Returns
    -------
    callable
        A decorator that returns the test function as it is.

    Raises
    ------
    EquationLockError
        For a function that pytest would not run, or whose body asserts nothing: a lock that cannot fail.
    """

    def tie(function):
        plain = inspect.unwrap(function)  # without hypothesis around it
        name = f"{Path(plain.__code__.co_filename).name}::{plain.__qualname__}"
        if plain.__qualname__ != plain.__name__ or not plain.__name__.startswith("test_"):
            raise EquationLockError(f"{name}: expected a function test_… at the top of its file")
        if not asserts_something(plain):
            raise EquationLockError(
                f"{name}: nothing in its body can fail; check the equation {label!r} with assert or assert_allclose"
            )
        function.equations = [*getattr(function, "equations", []), Equation(label, latex, name)]
        return function

    return tie


def asserts_something(function) -> bool:
    """Whether a function's body has an assertion that depends on anything."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    for node in (inner for statement in tree.body for inner in ast.walk(statement)):
        if isinstance(node, ast.Assert):
            compared = [node.test]
        elif isinstance(node, ast.Call) and called_name(node.func).startswith("assert_"):
            compared = [*node.args, *node.keywords]  # as in np.testing.assert_allclose(computed, expected)
        else:
            continue
        if any(isinstance(inner, ast.Name) for one in compared for inner in ast.walk(one)):
            return True
    return False


def called_name(node) -> str:
    """Give the last part of the name that is called."""
    return getattr(node, "attr", getattr(node, "id", ""))


def tokens(latex: str) -> list[str]:
    r"""Take LaTeX apart: white space separates control words from letters (\alpha x), and is else nothing."""
    parts = re.findall(r"\\[A-Za-z]+|\\.|\S", latex, flags=re.DOTALL)
    while parts and parts[-1] in {".", ",", r"\,", r"\ ", r"\;"} and parts[-2:-1] not in ([r"\right"], [r"\left"]):
        parts.pop()
    return parts


def equations_of_text(text: str, where: str) -> list[Equation]:
    """Find the labelled equations of a Markdown text."""
    found = []
    for block in BLOCKS.finditer(text):
        if block["environment"]:
            raise EquationLockError(
                f"{where}: \\begin{{{block['environment']}}} is numbered but cannot be labelled; "
                "write it within $$ … $$ (label)"
            )
        if block["label"]:
            found.append(Equation(block["label"], block["dollars"], where))
        if not block["fence"]:
            continue
        directive, _, argument = block["info"].strip().partition(" ")
        if directive == "{math}":
            label, latex = math_directive(block["body"])
            if label:
                found.append(Equation(label, argument + "\n" + latex, where))
        elif directive.startswith("{") and directive not in CODE_DIRECTIVES:
            found += equations_of_text(block["body"], where)  # an admonition, a theorem, an exercise
    return found


def math_directive(body: str) -> tuple[str | None, str]:
    """Divide the body of a math directive into its label, if any, and its LaTeX."""
    label, lines = None, body.splitlines()
    while lines and (option := OPTION.match(lines[0])):
        if option[1] in {"label", "name"}:
            label = option[2].strip()
        lines.pop(0)
    return label, "\n".join(lines)


def equations_of_book(book: Path) -> list[Equation]:
    """Find the labelled equations of all pages under a folder: notebooks and .md files."""
    found = []
    for path in sorted([*book.rglob("*.ipynb"), *book.rglob("*.md")]):
        place = path.relative_to(book)
        if LEFT_OUT & set(place.parts):
            continue
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".md":
            found += equations_of_text(text, place.as_posix())
            continue
        for cell in json.loads(text)["cells"]:
            if cell["cell_type"] == "markdown":
                source = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
                found += equations_of_text(source, f"{place.as_posix()}, cell {cell.get('id')}")
    return found


def equations_of_tests(folder: Path) -> list[Equation]:
    """Find the equations that the files test_equations_*.py of a folder test.

    The files are imported here, whichever of them this process of pytest has collected.
    """
    found = []
    for path in sorted(folder.glob("test_equations_*.py")):
        for name, function in vars(imported(path)).items():
            for one in getattr(function, "equations", []):
                found.append(one)
                for mark in getattr(function, "pytestmark", []):
                    if mark.name in {"skip", "skipif", "xfail"}:
                        raise EquationLockError(f"{path.name}::{name}: a test marked {mark.name} locks nothing")
    return found


def imported(path: Path):
    """Import a file under a name of its own, without making it known to other modules."""
    specification = importlib.util.spec_from_file_location(f"equation_lock_{path.stem}", path)
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module  # dataclasses look themselves up
    try:
        specification.loader.exec_module(module)
    finally:
        del sys.modules[specification.name]
    return module


def problems(pages: list[Equation], tests: list[Equation]) -> list[str]:
    """Say where the equations of the pages and those of the tests differ.

    Parameters
    ----------
    pages, tests : list of Equation
        What `equations_of_book` and `equations_of_tests` found.

    Returns
    -------
    list of str
        One sentence for each difference; empty where every equation is locked.
    """
    found = []
    for side in (pages, tests):
        first = {}
        for one in side:
            if one.label in first:
                found.append(f"the label {one.label!r} stands twice: {first[one.label].where} and {one.where}")
            first.setdefault(one.label, one)
    page, test = ({one.label: one for one in reversed(side)} for side in (pages, tests))
    for label in sorted(page.keys() - test.keys()):
        one = page[label]
        found.append(
            f"{one.where}: the equation {label!r} has no test; write one under\n"
            f'    @equation("{label}", r"{" ".join(one.latex.split())}")'
        )
    for label in sorted(test.keys() - page.keys()):
        found.append(f"{test[label].where}: no page has an equation labelled {label!r}")
    for label in sorted(page.keys() & test.keys()):
        if tokens(page[label].latex) != tokens(test[label].latex):
            found.append(
                f"the equation {label!r} is not the same on both sides; change the one that is wrong:\n"
                f"    {page[label].where}: {' '.join(page[label].latex.split())}\n"
                f"    {test[label].where}: {' '.join(test[label].latex.split())}"
            )
    return found
