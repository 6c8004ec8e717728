"""All claims with what became of them: one table, rebuilt from the records by one command."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from adamcore.experiments.catalog import EXPERIMENTS
from adamcore.experiments.claims import autoencoder, relatives, rule, sentences, theory, training
from adamcore.experiments.claims.claim import VERDICTS, Claim, Finding
from adamcore.experiments.files import write_json
from adamcore.experiments.record import Record, load_record

_PARTS = (rule, theory, relatives, training, autoencoder, sentences)
_ALL = (*(claim for part in _PARTS for claim in part.CLAIMS), relatives.MOVING)

CLAIMS: dict[str, Claim] = {claim.name: claim for claim in sorted(_ALL, key=lambda claim: int(claim.name[1:]))}
"""The 44 claims by name, C1 to C44."""

GROUPS = (
    "The rule",
    "Its steps",
    "Bias correction",
    "Theory",
    "Relatives",
    "Extensions",
    "Logistic regression",
    "Multilayer network",
    "Convolutional network",
    "Auto-encoder",
    "Overall",
)
"""The parts of the paper, in the order of the table."""

FILE = "scorecard.json"
"""Where the scorecard stands among the records."""


class Row(NamedTuple):
    """A claim, its finding, and how many seeds each record has that its test names, such as ``{"fig1a": 5}``.

    Examples
    --------
    >>> from adamcore.experiments.claims import CLAIMS, Finding, Row
    >>> row = Row(CLAIMS["C1"], Finding("reproduced", "2 arrays"))
    >>> print(row.claim.name, row.claim.text, row.finding)
    C1 Adam needs little memory. reproduced
    """

    claim: Claim
    finding: Finding
    made: Mapping[str, int] = MappingProxyType({})


def load_records(folder: str | Path) -> dict[str, Record]:
    """Read the records of a folder that belong to experiments of the catalog.

    Parameters
    ----------
    folder : str or Path
        Such as ``book/results``.

    Returns
    -------
    dict of str to Record
        By the experiment's name; those that are not there are left out.

    Examples
    --------
    >>> from adamcore.experiments.claims import load_records
    >>> load_records("no-such-folder")
    {}
    """
    paths = {name: Path(folder) / f"{name}.json" for name in EXPERIMENTS}
    return {name: load_record(path) for name, path in paths.items() if path.exists()}


def scorecard(records: Mapping[str, Record], names: Iterable[str] = ()) -> list[Row]:
    """Judge every claim, or some.

    Parameters
    ----------
    records : mapping of str to Record
        Those that there are; see :func:`load_records`. Claims whose records are missing are "not run".
    names : iterable of str, optional
        Only these claims, such as C12.

    Returns
    -------
    list of Row
        In the order C1 to C44. The closed-form checks and simulations take a few seconds.

    Raises
    ------
    ValueError
        If there is no claim of that name.

    Examples
    --------
    >>> from adamcore.experiments.claims import scorecard
    >>> [(row.claim.name, row.finding.verdict) for row in scorecard({}, names=["C12", "C5"])]
    [('C5', 'refuted'), ('C12', 'refuted')]
    """
    names = tuple(names)
    if unknown := [name for name in names if name not in CLAIMS]:
        raise ValueError(f"names = {unknown!r}: there is no such claim; there are C1 to C{len(CLAIMS)}.")
    return [
        Row(claim, claim.find(records), _made(claim, records))
        for name, claim in CLAIMS.items()
        if name in names or not names
    ]


def _made(claim: Claim, records: Mapping[str, Record]) -> dict[str, int]:
    """The number of seeds in each record that the claim's test names."""
    named = [name for name in EXPERIMENTS if re.search(rf"\b{name}\b", claim.test)]
    return {name: len(records[name].seeds) if name in records else 0 for name in named}


def counts(rows: list[Row]) -> dict[str, dict[str, int]]:
    """Return for each group of claims how many have each verdict.

    Examples
    --------
    >>> from adamcore.experiments.claims import CLAIMS, Finding, Row, counts
    >>> counts([Row(CLAIMS["C1"], Finding("reproduced", "2 arrays"))])["The rule"]["reproduced"]
    1
    """
    found = {group: dict.fromkeys(VERDICTS, 0) for group in GROUPS}
    for row in rows:
        found[row.claim.group][row.finding.verdict] += 1
    return found


def plain(rows: list[Row]) -> list[dict[str, Any]]:
    """Return the scorecard as plain data, as it is written to its file.

    A number that is not finite, as where a run diverged, becomes a text, such as ``"inf"``: JSON has none.

    Examples
    --------
    >>> from adamcore.experiments.claims import CLAIMS, Finding, Row, plain
    >>> plain([Row(CLAIMS["C1"], Finding("reproduced", "2 arrays"))])[0]["verdict"]
    'reproduced'
    """
    claims = ("name", "group", "place", "text", "test", "statistic", "scale", "seeds", "chapter")
    findings = ("verdict", "condition", "reason", "numbers", "command")
    return [
        {key: getattr(row.claim, key) for key in claims}
        | {"seeds_made": dict(row.made)}
        | {key: getattr(row.finding, key) for key in findings}
        | {"numbers": {name: n if math.isfinite(n) else str(float(n)) for name, n in row.finding.numbers.items()}}
        for row in rows
    ]


def write_scorecard(rows: list[Row], folder: str | Path) -> Path:
    """Write the scorecard beside the records, whole or not at all, and return its path.

    Examples
    --------
    >>> import tempfile
    >>> from adamcore.experiments.claims import CLAIMS, Finding, Row, write_scorecard
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_scorecard([Row(CLAIMS["C1"], Finding("reproduced", "2 arrays"))], folder).name
    'scorecard.json'
    """
    path = Path(folder) / FILE
    text = json.dumps(plain(rows), indent=1, allow_nan=False)
    write_json(path, None, iter([text, "\n"]))
    return path


def table(rows: list[Row]) -> str:
    """Return the scorecard as text, a claim in two lines.

    Examples
    --------
    >>> from adamcore.experiments.claims import CLAIMS, Finding, Row, table
    >>> print(table([Row(CLAIMS["C1"], Finding("reproduced", "2 arrays"))]))
    The rule
    C1   abstract, section 1: Adam needs little memory.
         -> reproduced: 2 arrays
    """
    lines = []
    for group in GROUPS:
        members = [row for row in rows if row.claim.group == group]
        lines += [group] if members else []
        for claim, finding, _ in members:
            command = f"; run: {finding.command}" if finding.command else ""
            lines.append(f"{claim.name:4s} {claim.place}: {claim.text}")
            lines.append(f"     -> {finding}: {finding.reason}{command}")
    return "\n".join(lines)


def html_table(rows: list[Row], group: str, to_book: str = "../") -> str:
    """Return a group of the scorecard as a table in HTML.

    Parameters
    ----------
    rows : list of Row
    group : str
        One of :data:`GROUPS`.
    to_book : str, default "../"
        What leads from the page to the folder ``book/``, for the links.

    Examples
    --------
    >>> from adamcore.experiments.claims import CLAIMS, Finding, Row, html_table
    >>> page = html_table([Row(CLAIMS["C1"], Finding("reproduced", "2 arrays"))], "The rule")
    >>> '<a href="../adam/algorithm.html">C1</a>' in page, "<strong>reproduced</strong>" in page
    (True, True)
    """
    lines = [
        '<div style="overflow-x: auto"><table class="table dataframe" style="min-width: 36rem; text-align: left">',
        f"<caption>{escape(group)}</caption>",
        "<thead><tr><th>claim</th><th>the paper says</th><th>verdict</th><th>because</th></tr></thead><tbody>",
    ]
    for claim, finding, made in (row for row in rows if row.claim.group == group):
        name = f'<a href="{to_book}{claim.chapter}.html">{claim.name}</a>' if claim.chapter else claim.name
        says = f"{escape(claim.text)} <em>({escape(claim.place)})</em>"
        verdict = f"<strong>{finding.verdict}</strong> {escape(finding.condition)}".strip()
        command = f"; run <code>{escape(finding.command)}</code>" if finding.command else ""
        seeds = claim.seeds + (" planned; made: " + ", ".join(f"{k} in {name}" for name, k in made.items())) * bool(
            made
        )
        code = f"{claim.judge.__module__}.{claim.judge.__name__}"
        how = f"Test: {claim.test}. Line: {claim.statistic}. Scale: {claim.scale}. Seeds: {seeds}. Code: {code}."
        because = f"{escape(finding.reason)}{command} <details><summary>the test</summary>{escape(how)}</details>"
        lines.append(f"<tr><td>{name}</td><td>{says}</td><td>{verdict}</td><td>{because}</td></tr>")
    return "\n".join([*lines, "</tbody></table></div>"])
