"""Every statement of the page on the popular summary has its parts, and whatever its evidence names exists."""

import re
from collections import Counter

import pytest

from tests.book.equations import BOOK
from tests.book.links import prose, targets_of_book
from tests.book.notebook_rules import joined, read

FOLDER = BOOK / "practice"
PAGE = FOLDER / "popular_summary.ipynb"
VERDICTS = {"correct", "imprecise", "outdated", "wrong", "translation error", "no claim"}
NUMBERS = [f"S{number}" for number in range(1, 35)]
LETTERED = ["S5a", "S5b", "S5c", "S10a", "S19a"]
PARTS = ("It says", "Verdict", "Evidence", "Better")
SOURCE = re.compile(r"[\w.-]+/[\w.-]+, `[\w./-]+`, commit [0-9a-f]{12}\b")  # repository, path, commit


def statements(cells):
    """Give each statement's cell by its number, and whether code follows it."""
    found = {}
    for cell, after in zip(cells, [*cells[1:], None], strict=True):
        text = joined(cell["source"])
        if cell["cell_type"] == "markdown" and (heading := re.search(r"^### (S\d+[a-z]?)\. \S", text, re.MULTILINE)):
            assert heading.group(1) not in found, f"{heading.group(1)} stands twice"
            found[heading.group(1)] = (text, after is not None and after["cell_type"] == "code")
    return found


def part(text, name):
    """Give the paragraph of a statement that begins with a name in bold letters, or an empty text."""
    match = re.search(rf"^\*\*{name}:[* ](.*)$", text, re.MULTILINE)
    return match.group(1).lstrip("* ").strip() if match else ""


CELLS = read(PAGE)["cells"]
FOUND = statements(CELLS)
PROSE = prose(PAGE)


@pytest.fixture(scope="module")
def book():
    """What a page can point to."""
    return targets_of_book()


def test_all_statements_are_there_in_order():
    def order(name):
        return int(re.sub(r"\D", "", name)), name

    assert list(FOUND) == sorted([*NUMBERS, *LETTERED], key=order)


@pytest.mark.parametrize("name", [*NUMBERS, *LETTERED])
def test_statement_is_complete(name):
    text, _ = FOUND[name]
    assert f"({name.lower()})=\n### {name}. " in text, "no anchor above the heading"
    for one in PARTS:
        assert part(text, one), f"{name} has no {one!r}"
    assert part(text, "Verdict").split(".")[0] in VERDICTS


@pytest.mark.parametrize("name", [*NUMBERS, *LETTERED])
def test_evidence_exists(name, book):
    text, code_follows = FOUND[name]
    evidence = part(text, "Evidence")
    assert not list(book.missing(text, FOLDER))
    if "the cell below" in evidence and "below {ref}" not in evidence:
        assert code_follows, f"{name} speaks of a cell below, and none follows"
    kinds = (r"\{(doc|eq|cite:[pt])\}`", r"`tests/", r"the cell ", r"\]\(https://", SOURCE, "page that we read")
    assert any(re.search(kind, evidence) for kind in kinds), f"{name} names nothing to look at"


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("{doc}`../adam/moments`", []),
        ("{doc}`moments`", ["the page moments"]),
        ("{doc}`what moments are <../adam/moment>`", ["the page ../adam/moment"]),
        ("{eq}`eq-none`", ["eq eq-none"]),
        ("{ref}`S1 <s1>` and {ref}`S99 <s99>`", ["ref s99"]),
        ("{cite:p}`kingma2015adam,nobody1900`", ["the source nobody1900"]),
        ("`tests/book/test_none.py`", ["tests/book/test_none.py"]),
    ],
)
def test_missing_target_is_found(text, missing, book):
    assert list(book.missing(text, FOLDER)) == missing


def test_numbers_in_prose_are_the_counts():
    words = {2: "two", 4: "four", 5: "five", 11: "eleven", 16: "sixteen"}
    count = Counter(part(text, "Verdict").split(".")[0] for text, _ in FOUND.values())
    right = count["correct"] + count["imprecise"]
    for sentence in (
        f"Of its {len(FOUND)} statements",
        f"{words[count['wrong']].capitalize()} of {len(FOUND)}.",
        f"{words[count['correct']].capitalize()} are correct as they stand, and {words[count['imprecise']]} more",
        f"{right} of {len(FOUND)} statements are correct, or right at the core",
        f"for each of its {len(FOUND)} statements",
        f"{words[count['translation error']]} of the others are wrong in the translation",
        f"Of {len(FOUND)} statements, {count['correct']} are correct and {count['imprecise']} right at the core; "
        f"{count['wrong']} are wrong",
    ):
        assert " ".join(sentence.split()) in " ".join(PROSE.split()), sentence


def test_the_summary_is_quoted_briefly():
    for name, (text, _) in FOUND.items():
        for quotation in re.findall(r'"([^"]+)"', part(text, "It says")):
            assert len(quotation.split()) <= 14, (
                f"{name} quotes {quotation!r}: another author's text, a few words are enough"
            )
