"""The paper's claims, and verdicts that are computed: from formulas, small simulations, its figures, and records."""

from adamcore.experiments.claims.claim import VERDICTS, Claim, Finding, NotRun, paper_seeds, recorded, rounded
from adamcore.experiments.claims.evidence import Versus, settle, versus
from adamcore.experiments.claims.mnist_logistic import CLOSE, PAIRS, Verdict, judge_mnist_logistic, typical
from adamcore.experiments.claims.scorecard import (
    CLAIMS,
    GROUPS,
    Row,
    counts,
    html_table,
    load_records,
    plain,
    scorecard,
    table,
    write_scorecard,
)

__all__ = [
    "CLAIMS",
    "CLOSE",
    "GROUPS",
    "PAIRS",
    "VERDICTS",
    "Claim",
    "Finding",
    "NotRun",
    "Row",
    "Verdict",
    "Versus",
    "counts",
    "html_table",
    "judge_mnist_logistic",
    "load_records",
    "paper_seeds",
    "plain",
    "recorded",
    "rounded",
    "scorecard",
    "settle",
    "table",
    "typical",
    "versus",
    "write_scorecard",
]
