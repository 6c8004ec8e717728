"""Every labelled equation of the book is locked, and the lock bites on a toy chapter."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.book.equations import (
    BOOK,
    EquationLockError,
    equation,
    equations_of_book,
    equations_of_tests,
    equations_of_text,
    imported,
    problems,
    tokens,
)


def test_every_equation_of_the_book_is_locked():
    found = problems(equations_of_book(BOOK), equations_of_tests(Path(__file__).parent))
    assert not found, "\n".join(found)


PAGE = r"""# Moments

$$
m_t = \beta_1 m_{t-1} + (1 - \beta_1) g_t.
$$ (eq-m)

Not locked: $$ a = b $$ and `$$ c = d $$ (code)`.

::::{admonition} A step
:::{math}
:label: eq-step
\theta_t = \theta_{t-1} - \alpha \hat m_t
:::
::::
"""
TESTS = r"""
import numpy as np
from tests.book.equations import equation

def first_moment(m, g, beta1):
    return beta1 * m + (1 - beta1) * g

@equation("eq-m", r"m_t = \beta_1 m_{t-1} + (1-\beta_1) g_t")
def test_first_moment(rng):
    m, g = rng.normal(size=2)
    np.testing.assert_allclose(first_moment(m, g, 0.9), 0.9 * m + (1 - 0.9) * g)

@equation("eq-step", r"\theta_t = \theta_{t-1} - \alpha \hat m_t")
def test_step(rng):
    theta, m = rng.normal(size=2)
    assert theta - 0.1 * m != theta
"""


class Toy:
    """A book of one chapter and a folder of one file of tests, both of which can be changed."""

    def __init__(self, folder):
        self.page = folder / "book" / "chapter.md"
        self.tests = folder / "tests" / "test_equations_chapter.py"
        for path, text in ((self.page, PAGE), (self.tests, TESTS)):
            path.parent.mkdir()
            path.write_text(text, encoding="utf-8")

    def change(self, path, old, new):
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1
        path.write_text(text.replace(old, new), encoding="utf-8")

    def problems(self):
        return problems(equations_of_book(self.page.parent), equations_of_tests(self.tests.parent))


@pytest.fixture
def toy(tmp_path):
    return Toy(tmp_path)


def test_locked_toy_is_green(toy):
    assert toy.problems() == []
    rng = np.random.default_rng(0)
    imported(toy.tests).test_first_moment(rng)


def test_sign_changed_on_the_page(toy):
    toy.change(toy.page, r"(1 - \beta_1)", r"(1 + \beta_1)")
    [message] = toy.problems()
    for part in ("'eq-m'", "chapter.md: ", r"(1 + \beta_1)", "::test_first_moment: ", r"(1-\beta_1)"):
        assert part in message


def test_sign_changed_in_the_latex_of_the_test(toy):
    toy.change(toy.tests, r"\theta_{t-1} - \alpha", r"\theta_{t-1} + \alpha")
    [message] = toy.problems()
    assert "'eq-step' is not the same on both sides" in message


def test_sign_changed_in_the_code(toy, rng):
    toy.change(toy.tests, "return beta1 * m + (1", "return beta1 * m - (1")
    assert toy.problems() == []
    with pytest.raises(AssertionError, match="Not equal"):
        imported(toy.tests).test_first_moment(rng)


def test_equation_without_a_test(toy):
    toy.page.write_text(PAGE + "\n$$ x = 1 $$ (eq-new)\n", encoding="utf-8")
    [message] = toy.problems()
    assert "chapter.md: the equation 'eq-new' has no test" in message
    assert '@equation("eq-new", r"x = 1")' in message


def test_test_without_an_equation(toy):
    toy.change(toy.page, "$$ (eq-m)", "$$")
    assert toy.problems() == ["test_equations_chapter.py::test_first_moment: no page has an equation labelled 'eq-m'"]


def test_label_twice_on_pages(toy):
    cell = {"cell_type": "markdown", "id": "c1", "source": ["$$ m_t = 0 $$ (eq-m)"]}
    (toy.page.parent / "other.ipynb").write_text(json.dumps({"cells": [cell]}), encoding="utf-8")
    assert toy.problems() == ["the label 'eq-m' stands twice: chapter.md and other.ipynb, cell c1"]


def test_label_twice_among_tests(toy):
    other = toy.tests.with_name("test_equations_other.py")
    other.write_text(TESTS.replace('"eq-step"', '"eq-m"'), encoding="utf-8")
    assert len([message for message in toy.problems() if "stands twice" in message]) == 2


def test_changed_in_a_notebook(toy):
    cell = {"cell_type": "markdown", "id": "c1", "source": PAGE.replace("- \\alpha", "+ \\alpha").splitlines(True)}
    toy.page.unlink()
    toy.page.with_suffix(".ipynb").write_text(json.dumps({"cells": [cell]}), encoding="utf-8")
    [message] = toy.problems()
    assert "chapter.ipynb, cell c1: " in message


def test_skipped_test_locks_nothing(toy):
    toy.change(toy.tests, '@equation("eq-m"', 'import pytest\n@pytest.mark.skip(reason="later")\n@equation("eq-m"')
    with pytest.raises(EquationLockError, match="test_first_moment: a test marked skip locks nothing"):
        toy.problems()


@pytest.mark.parametrize(
    "body",
    ["x = 1", "assert True", "assert 1 + 1 == 2", "np.testing.assert_allclose(1, 1)", "print('assert x')"],
)
def test_test_that_cannot_fail_is_refused(toy, body):
    toy.change(toy.tests, "assert theta - 0.1 * m != theta", body)
    with pytest.raises(EquationLockError, match="test_step: nothing in its body can fail"):
        toy.problems()


def test_function_that_pytest_would_not_run_is_refused():
    with pytest.raises(EquationLockError, match="expected a function test_"):

        @equation("eq-m", "m")
        def first_moment(m):
            assert m


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("a + b", "a+b", True),
        (r"\alpha x", r"\alphax", False),
        (r"\alpha  x", "\\alpha\nx", True),
        (r"\alpha{x}", r"\alpha {x}", True),
        ("x = 1.", "x = 1", True),
        (r"x = 1\,,", "x = 1", True),
        (r"\left( x \right.", r"\left( x \right", False),
        ("x_1", "x_2", False),
        (r"a \\ b", r"a b", False),
        ("1.5", "15", False),
    ],
)
def test_white_space_and_final_punctuation_do_not_matter(one, other, same):
    assert (tokens(one) == tokens(other)) is same


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("$$ a $$ (one) and $$ b $$ then $$ c $$ (two)", ["one", "two"]),
        ("```{math}\n:label: one\n:nowrap:\na\n```\n\n$$b$$ (two)", ["one", "two"]),
        (":::{math}\n:label: one\na\n:::", ["one"]),
        ("```{math}\na\n```", []),
        ("````{prf:theorem}\n:label: thm\n```{math}\n:label: one\na\n```\n````", ["one"]),
        ("- item\n\n  ```{math}\n  :label: one\n  a\n  ```\n", ["one"]),
        ("```python\n$$ a $$ (one)\n```\n$$ b $$ (two)", ["two"]),
        ("````markdown\n```{math}\n:label: one\na\n```\n````", []),
        ("`$$` costs \\$\\$ and $$ a $$ (one)", ["one"]),
        ("<!-- $$ a $$ (one) -->\n% $$ b $$ (two)\n", []),
        ("$$\n\\begin{aligned}\na &= b \\\\\n&= c\n\\end{aligned}\n$$ (one)", ["one"]),
    ],
)
def test_where_labels_are_found(text, labels):
    assert [one.label for one in equations_of_text(text, "page")] == labels


def test_environment_that_cannot_be_labelled_is_refused():
    with pytest.raises(EquationLockError, match=r"page: \\begin\{align\} is numbered but cannot be labelled"):
        equations_of_text("Text\n\n\\begin{align}\na &= b\n\\end{align}\n", "page")
    assert equations_of_text("\\begin{align*}\na &= b\n\\end{align*}\n", "page") == []


def test_assignments_are_left_out(toy):
    folder = toy.page.parent / "assignments"
    folder.mkdir()
    (folder / "sheet.md").write_text("$$ x $$ (eq-sheet)", encoding="utf-8")
    assert toy.problems() == []
