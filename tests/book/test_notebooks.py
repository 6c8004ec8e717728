"""Every stored chapter keeps to the rules of notebook_rules.py, and each rule bites."""

import copy

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tests.book.notebook_rules import NOTEBOOK_METADATA, ROOT, RULES, read
from tools.run_notebooks import chapters


def named(rule):
    return rule.__name__


@pytest.mark.parametrize("rule", RULES, ids=named)
@pytest.mark.parametrize("path", chapters(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_chapter(path, rule):
    problems = list(rule(read(path)))
    assert not problems, f"{path.relative_to(ROOT)}:\n" + "\n".join(problems)


@pytest.fixture
def notebook(tmp_path):
    """A notebook that breaks no rule: prose and code in turn, as it reads from its file."""
    picture = new_output("display_data", {"image/png": "AA==", "text/plain": "<Figure size 640x480 with 1 Axes>"})
    printed = new_output("stream", name="stdout", text="loss 0.5\n")
    alt = {"mystnb": {"image": {"alt": "The loss falls from one half to nearly zero in ten epochs."}}}
    cells = [
        new_markdown_cell("# A chapter", id="a"),
        new_code_cell("draw()", id="b", execution_count=1, outputs=[picture], metadata=alt),
        new_markdown_cell("Read https://example.org/home/ for more.", id="c"),
        new_code_cell("print(loss)", id="d", execution_count=2, outputs=[printed]),
    ]
    nbformat.write(new_notebook(cells=cells, metadata=NOTEBOOK_METADATA), tmp_path / "chapter.ipynb")
    return read(tmp_path / "chapter.ipynb")


def breaches(notebook):
    """The names of the rules that a notebook breaks."""
    return {rule.__name__ for rule in RULES if list(rule(notebook))}


def test_good_notebook_breaks_no_rule(notebook):
    assert breaches(notebook) == set()


FIRST, FIGURE, PROSE, DIGEST = range(4)
ERROR = {"output_type": "error", "ename": "ValueError", "evalue": "no", "traceback": []}


@pytest.mark.parametrize(
    ("rule", "where", "change"),
    [
        ("run_from_top_to_bottom", FIGURE, {"execution_count": None}),
        ("run_from_top_to_bottom", DIGEST, {"execution_count": 3}),
        ("run_from_top_to_bottom", DIGEST, {"execution_count": 1}),
        ("run_from_top_to_bottom", DIGEST, {"source": []}),
        ("no_stored_errors", FIGURE, {"outputs+": ERROR}),
        ("no_warnings", DIGEST, {"outputs+": {"output_type": "stream", "name": "stderr", "text": "Warning"}}),
        ("alternative_texts", FIGURE, {"metadata": {}}),
        ("alternative_texts", FIGURE, {"metadata": {"mystnb": {"image": {"alt": "A plot."}}}}),
        ("no_machine_paths", PROSE, {"source": "See /home/me/data.csv"}),
        ("no_machine_paths", DIGEST, {"source": 'open("/tmp/x")'}),
        ("no_machine_paths", DIGEST, {"source": r'open("C:\Users\me\x")'}),
        ("no_machine_paths", DIGEST, {"outputs+": {"output_type": "stream", "name": "stdout", "text": f"{ROOT}/x"}}),
        (
            "no_machine_paths",
            FIGURE,
            {"outputs+": {"output_type": "display_data", "data": {"text/html": "file:///x"}}},
        ),
        ("minimal_metadata", PROSE, {"metadata": {"execution": {"iopub.execute_input": "2020-01-01"}}}),
        ("minimal_metadata", None, {"metadata": {**NOTEBOOK_METADATA, "toc": {}}}),
        ("minimal_metadata", None, {"metadata": {}}),
        ("unique_ids", PROSE, {"id": "a"}),
        ("unique_ids", PROSE, {"id": None}),
        ("unique_ids", None, {"nbformat_minor": 4}),
        ("short_cells", DIGEST, {"source": "\n\n".join(["step()"] * 26)}),
        ("prose_before_code", PROSE, {"cell_type": "raw"}),
        ("prose_before_code", PROSE, {"source": "\n"}),
        ("prose_before_code", FIRST, {"cell_type": "raw"}),
        ("nothing_hidden_from_comparison", DIGEST, {"source": "# NBVAL_IGNORE_OUTPUT\nprint(loss)"}),
        ("nothing_hidden_from_comparison", DIGEST, {"source": "#NBVAL_SKIP"}),
        ("nothing_hidden_from_comparison", DIGEST, {"metadata": {"tags": ["nbval-skip"]}}),
        ("nothing_hidden_from_comparison", DIGEST, {"metadata": {"tags": ["nbval-ignore-output"]}}),
        ("digests_of_figures", DIGEST, {"outputs": []}),
        ("digests_of_figures", DIGEST, {"outputs": [{"output_type": "stream", "name": "stdout", "text": "done"}]}),
    ],
)
def test_rule_bites(notebook, rule, where, change):
    place = notebook if where is None else notebook["cells"][where]
    for key, value in change.items():
        if key == "outputs+":
            place["outputs"].append(value)
        else:
            place[key] = value
    assert breaches(notebook) == {rule}


def test_exemptions(notebook):
    cells = notebook["cells"]
    cells[DIGEST]["metadata"] = {"tags": ["raises-exception"]}
    cells[DIGEST]["outputs"].append(ERROR)
    hidden = copy.deepcopy(cells[DIGEST]) | {"id": "e", "execution_count": 3, "metadata": {"tags": ["remove-cell"]}}
    hidden["outputs"] = []
    assert breaches({**notebook, "cells": [*cells, hidden]}) == set()


def test_animation_needs_a_digest(notebook):
    frames = {"text/html": 'frames[0] = "data:image/png;base64,AAAA"'}
    notebook["cells"][DIGEST]["outputs"] = [{"output_type": "display_data", "data": frames}]
    notebook["cells"][FIGURE]["outputs"] = []
    assert breaches(notebook) == {"digests_of_figures"}


def test_assignments_are_no_chapters(tmp_path):
    for name in ("adam/one.ipynb", "assignments/two.ipynb", "_build/three.ipynb"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    assert chapters(tmp_path) == [tmp_path / "adam" / "one.ipynb"]
