"""The pages on notation and terms: complete, without dead links, and in agreement with the code and other pages."""

import inspect
import re

import pytest

from adamcore import SGD, AdaDelta, AdaGrad, Adam, AdaMax, AMSGrad, Averaged, Momentum, RMSProp
from adamcore.optim import dialects
from tests.book.equations import BOOK
from tests.book.links import prose, targets_of_book

FOLDER = BOOK / "reference"
GLOSSARY = FOLDER / "glossary.md"
NOTATION = FOLDER / "notation.md"
CHINESE = re.compile(r"[\u4e00-\u9fff]+")
NOT_TRANSLATED = {"AdaDelta", "AdaMax", "AMSGrad", "Adam", "AdamW"}


@pytest.fixture(scope="module")
def book():
    """What a page can point to."""
    return targets_of_book()


def entries():
    """Give the glossary's entries: the lines of terms, and the lines below them."""
    found = []
    for block in re.findall(r"^```\{glossary\}\n(.*?)^```$", prose(GLOSSARY), re.MULTILINE | re.DOTALL):
        for entry in re.split(r"\n\n(?=\S)", block.rstrip("\n")):
            lines = entry.split("\n")
            found.append(
                (
                    [line for line in lines if line and line[0] != " "],
                    [line.strip() for line in lines if line[:1] == " "],
                )
            )
    return found


ENTRIES = entries()


@pytest.mark.parametrize("page", [GLOSSARY, NOTATION], ids=lambda page: page.stem)
def test_links(page, book):
    assert not list(book.missing(prose(page), FOLDER))


def test_there_are_enough_terms_each_once():
    terms = [term for names, _ in ENTRIES for term in names]
    assert len(ENTRIES) >= 80
    assert len(set(terms)) == len(terms)


@pytest.mark.parametrize(("names", "lines"), ENTRIES, ids=[names[0] for names, _ in ENTRIES])
def test_entry(names, lines):
    english, *chinese = names
    assert not CHINESE.search(english)
    assert any(CHINESE.search(name) for name in chinese) or english in NOT_TRANSLATED
    meaning = lines[0]
    assert re.search(r"\. \{doc\}`[^`]+`$", meaning), "a meaning ends with a period and the chapter"
    assert len(meaning.split()) < 40, "one line, not a paragraph"


MISTRANSLATED = [
    (names[0], match.group(1), match.group(2))
    for names, lines in ENTRIES
    for line in lines
    if (match := re.match(r"\*\*Not\*\* (.*): \{ref\}`.*<(s\d+[a-c]?)>`\.$", line))
]


def test_every_warning_is_read():
    assert len(MISTRANSLATED) == prose(GLOSSARY).count("\n  **Not** ") >= 10


@pytest.mark.parametrize(("term", "warning", "statement"), MISTRANSLATED, ids=[one[0] for one in MISTRANSLATED])
def test_mistranslation_stands_in_its_statement(term, warning, statement):
    page = prose(BOOK / "practice" / "popular_summary.ipynb")
    text = page[page.index(f"({statement})=\n") :].split("\n### ", 2)[1]
    assert any(word in text for word in CHINESE.findall(warning)), f"{statement} does not mention {warning}"


def table(title, text):
    """Give the rows of the first table below a heading, as lists of cells, without its head."""
    below = text[text.index(f"\n## {title}\n") :]
    lines = re.search(r"^\|.*(?:\n\|.*)*", below, re.MULTILINE).group().split("\n")[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.parametrize("title", ["Adam", "Its relatives"])
def test_names_in_code_are_names_of_the_package(title):
    rules = [
        Adam(),
        RMSProp(centered=True, mu=0.9),
        AdaGrad(mu=0.9),
        AdaDelta(),
        AdaMax(),
        AMSGrad(),
        Momentum(),
        SGD(),
    ]
    rules.append(Averaged(Adam()))
    known = {"theta", "t", "g", "m_hat", "v_hat", "loss_and_grad", "Averaged", "l2", "weight_decay"}
    for rule in rules:
        known |= set(rule.slots) | set(rule.__dataclass_fields__)
    for row in table(title, prose(NOTATION)):
        for name in re.findall(r"`([^`]+)`", row[0]):
            assert name in known, f"{row[0]}: {name}"


def test_every_library_has_every_name():
    rows = table("What libraries call them", prose(NOTATION))
    for library, names in rows[1:]:
        for symbol in (r"\alpha", r"\beta", r"\epsilon", "m", "v", "t"):
            assert re.search(rf"\${re.escape(symbol)}\$ [^;`]*`", names), f"{library} has no name for {symbol}"
    assert len(rows) >= len({row.library for row in dialects()} - {"keras1", "keras2", "blocks"})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "function", "library"),
    [
        ("torch.optim", "Adam", "PyTorch"),
        ("keras.optimizers", "Adam", "Keras"),
        ("optax", "adam", "optax"),
        ("jax.example_libraries.optimizers", "adam", "JAX, examples"),
        ("sklearn.neural_network", "MLPClassifier", "scikit-learn"),
    ],
)
def test_names_are_the_library_s(module, function, library):
    module = pytest.importorskip(module)
    [row] = [row for row in table("What libraries call them", prose(NOTATION)) if row[0] == library]
    names = re.findall(r"`([^`]+)`", row[1].split("; $m$")[0])
    assert set(names) <= set(inspect.signature(getattr(module, function)).parameters)
