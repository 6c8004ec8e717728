"""What a page of the book points to, and whether it exists."""

import re
from dataclasses import dataclass
from pathlib import Path

from tests.book.equations import BOOK, equations_of_book
from tests.book.notebook_rules import ROOT, joined, read

SUFFIXES = (".ipynb", ".md")


def prose(path: Path) -> str:
    """Give the text of a page: of a notebook, its Markdown cells."""
    if path.suffix != ".ipynb":
        return path.read_text(encoding="utf-8")
    return "\n\n".join(joined(cell["source"]) for cell in read(path)["cells"] if cell["cell_type"] == "markdown")


@dataclass(frozen=True)
class Targets:
    """The pages, labelled equations, other labels and keys of the bibliography that a page can point to."""

    pages: frozenset
    equations: frozenset
    labels: frozenset
    keys: frozenset

    def missing(self, text: str, folder: Path):
        """Yield each target in a text of a page in a folder that does not exist."""
        for role, content in re.findall(r"\{([a-z]+(?::[a-z]+)?)\}`([^`]+)`", text):
            target = re.sub(r"^.*<(.+)>$", r"\1", content, flags=re.DOTALL)
            if role == "doc":
                if not any((folder / f"{target}{suffix}").resolve() in self.pages for suffix in SUFFIXES):
                    yield f"the page {target}"
            elif role in ("cite:p", "cite:t"):
                yield from (f"the source {key}" for key in target.split(",") if key.strip() not in self.keys)
            elif (role == "eq" and target not in self.equations) or (role == "ref" and target not in self.labels):
                yield f"{role} {target}"
        yield from (path for path in re.findall(r"`(tests/[\w/.]+)`", text) if not (ROOT / path).is_file())


def targets_of_book(book: Path = BOOK) -> Targets:
    """Collect everything that a page can point to."""
    pages = [path for suffix in SUFFIXES for path in book.rglob(f"*{suffix}")]
    labels = set()
    for path in pages:
        text = prose(path)
        labels |= set(re.findall(r"^\(([\w-]+)\)=$", text, re.MULTILINE))
        labels |= set(re.findall(r"^:(?:label|name): ([\w-]+)$", text, re.MULTILINE))
    bibliography = (book / "references.bib").read_text(encoding="utf-8")
    return Targets(
        frozenset(path.resolve() for path in pages),
        frozenset(one.label for one in equations_of_book(book)),
        frozenset(labels),
        frozenset(re.findall(r"^@\w+\{([\w-]+),", bibliography, re.MULTILINE)),
    )
