"""The museum of broken Adams, as book/practice/bug_museum.ipynb defines it: each piece is caught, no right rule is.

The pieces stand in the notebook, where readers see them, and not in adamcore, where somebody could import a broken
optimizer by accident. So this file runs the notebook's own cells; only what trains on MNIST is left out.
"""

import ast
import functools
import itertools

import nbformat
import numpy as np
import pytest

from adamcore import Adam, AdamW, AMSGrad
from tests.book.equations import BOOK

CELLS = nbformat.read(BOOK / "practice" / "bug_museum.ipynb", as_version=4).cells
CODE = {cell["id"]: cell.source for cell in CELLS if cell.cell_type == "code"}
TRAINS = {"train", "cost", "said", "label"}  # names that need MNIST


def definitions(source):
    """The part of a cell that defines something: classes, functions, and numbers without training."""
    kept = [
        node
        for node in ast.parse(source).body
        if isinstance(node, (ast.Import, ast.ImportFrom, ast.ClassDef, ast.FunctionDef, ast.Assign))
        and not {name.id for name in ast.walk(node) if isinstance(name, ast.Name)} & TRAINS
    ]
    return ast.unparse(ast.Module(body=kept, type_ignores=[]))


def portraits(source):
    """The lines of a cell that hang a piece: portrait(piece, own=test)."""
    calls = [node for node in ast.parse(source).body if isinstance(node, ast.Expr)]
    return [ast.unparse(call) for call in calls if ast.unparse(call).startswith("portrait(")]


def museum():
    """The notebook's names, and its pieces, each with the test that is named beside it."""
    names, pieces = {}, []
    exec(definitions(CODE["imports"]), names)
    names["portrait"] = lambda rule, own: pieces.append((rule, own))
    for name in CODE:
        if name.startswith("tests-"):
            exec(definitions(CODE[name]), names)
        if name.startswith("exhibit-"):
            exec("\n".join([definitions(CODE[name]), *portraits(CODE[name])]), names)
    return names, pieces


NAMES, PIECES = museum()
TESTS = NAMES["tests"]
RIGHT = [Adam(), AdamW(), AMSGrad(bias_correction=True), Adam(alpha=0.3), AdamW(weight_decay=0.1), NAMES["Right"]()]


def named(value):
    return getattr(value, "__name__", type(value).__name__)


@functools.cache
def passes(test, rule):
    return NAMES["passes"](test, rule)


def caught(test, rule):
    return passes(test, rule) is False


def test_every_piece_hangs():
    defined = [
        node.name
        for name, source in CODE.items()
        if name.startswith("exhibit-")
        for node in ast.parse(source).body
        if isinstance(node, ast.ClassDef)
    ]
    assert [named(rule) for rule, _ in PIECES] == defined
    assert len(defined) == len(set(defined)) == 24
    assert len(TESTS) == 11


@pytest.mark.parametrize(("piece", "own"), PIECES, ids=named)
def test_piece_fails_its_own_test(piece, own):
    assert caught(own, piece)


@pytest.mark.parametrize("test", TESTS, ids=named)
@pytest.mark.parametrize("rule", RIGHT, ids=repr)
def test_right_rules_pass(rule, test):
    assert passes(test, rule) in (True, None)


@pytest.mark.parametrize("test", TESTS, ids=named)
def test_each_test_can_fail_and_can_pass(test):
    assert any(caught(test, piece) for piece, _ in PIECES)
    assert any(passes(test, rule) for rule in RIGHT)


def test_five_are_enough_and_four_are_not():
    sees = {test: {named(piece) for piece, _ in PIECES if caught(test, piece)} for test in TESTS}
    every = {named(piece) for piece, _ in PIECES}
    enough = {
        size: [
            set(map(named, chosen)) for chosen in itertools.combinations(TESTS, size) if covers(chosen, sees, every)
        ]
        for size in range(1, 6)
    }
    assert not any(enough[size] for size in range(1, 5))
    assert {"half", "spike", "zero", "resumed", "maximum"} in enough[5]
    assert len(enough[5]) == 2


def covers(chosen, sees, every):
    return set().union(*(sees[test] for test in chosen)) == every


def test_the_helpers_are_right(rng):
    rules = [Adam(alpha=0.1), NAMES["Right"](alpha=0.1)]
    states = [rule.init(np.zeros(5)) for rule in rules]
    for g in rng.normal(size=(50, 5)):
        for rule, s in zip(rules, states, strict=True):
            rule.step(s, g)
    np.testing.assert_allclose(states[0].theta, states[1].theta, rtol=1e-13)
