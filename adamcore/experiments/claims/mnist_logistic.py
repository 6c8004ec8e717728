"""The paper's claims, and verdicts that are computed from records."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from adamcore.experiments.claims.evidence import by_seed
from adamcore.experiments.digitized import digitized_curves, log_rms
from adamcore.experiments.record import Record
from adamcore.experiments.statistics import PairedRatio, paired_ratio

CLOSE = 0.05
"""A curve within 5 % RMS in log cost of the paper's counts as the same."""


PAIRS = (("Adam", "SGDNesterov"), ("Adam", "AdaGrad"), ("SGDNesterov", "AdaGrad"))


@dataclass(frozen=True)
class Verdict:
    """What became of a claim.

    Attributes
    ----------
    claim : str
        In our words, with its place in the paper.
    verdict : str
        Reproduced, reproduced only at some settings, not reproduced, or not run.
    distances : dict of str to float
        For each contender, the RMS difference in log cost between our paper-like curve (mean over seeds)
        and the paper's. Empty where the record is smaller than the paper's experiment.
    paper_like, tuned : dict of str to PairedRatio
        For each comparison "A / B" the ratio of the typical cost (:func:`typical`) at the paper-like
        settings, and with every contender at its best setting of the equal grid. Empty where not run.

    Examples
    --------
    >>> from adamcore.experiments import PairedRatio, Verdict
    >>> ratios = {"Adam / AdaGrad": PairedRatio(0.8, low=0.7, high=0.9, n=5)}
    >>> found = Verdict("Adam is faster than AdaGrad", "reproduced at the paper-like settings", paper_like=ratios)
    >>> for pair, ratio in found.paper_like.items():
    ...     print(pair, ratio)
    Adam / AdaGrad 0.800 [0.700, 0.900] lower
    """

    claim: str
    verdict: str
    distances: dict[str, float] = field(default_factory=dict)
    paper_like: dict[str, PairedRatio] = field(default_factory=dict)
    tuned: dict[str, PairedRatio] = field(default_factory=dict)


def judge_mnist_logistic(record: Record) -> Verdict:
    """Judge section 6.1's first claim: Adam is about as fast as SGD-Nesterov, and both faster than AdaGrad.

    Parameters
    ----------
    record : Record
        Of the experiment ``fig1a``, at any scale.

    Returns
    -------
    Verdict

    Examples
    --------
    A record of made-up costs, the same for both seeds, so that nothing has to be trained:

    >>> from adamcore.experiments import Record, get_experiment, judge_mnist_logistic
    >>> costs = {"AdaGrad": [0.9, 0.6], "SGDNesterov": [0.8, 0.4], "Adam": [0.8, 0.39]}
    >>> experiment = get_experiment("fig1a")
    >>> size = experiment.scale("smoke")
    >>> runs = [
    ...     (one, {"rule": one.rule.to_dict(), "seed": one.seed, "epoch_cost": costs[one.contender], "seconds": 0.0})
    ...     for one in experiment.runs(size)
    ... ]
    >>> found = judge_mnist_logistic(Record.of(experiment, "smoke", size, 2, "no data", runs))
    >>> found.verdict
    'reproduced at the paper-like settings; tuned: not run'
    >>> print(found.paper_like["Adam / SGDNesterov"])
    0.975 [0.975, 0.975] similar
    """
    claim = "Section 6.1, Figure 1 (left): Adam converges like SGD-Nesterov, and both faster than AdaGrad"
    made = {name: by_seed(record, name, tuned=False) for name in record.contenders}
    distances = {}
    if record.problem["n_train"] == 60_000 and record.epochs > 45:
        theirs = digitized_curves("fig1a")
        distances = {
            name: log_rms(record.paper_curves(name).mean(axis=0), *theirs[name]) for name in made if made[name]
        }
    if len(set.intersection(*map(set, made.values()))) < 2:
        return Verdict(claim, "not run: fewer than two seeds of every contender give no interval", distances)
    paper_like = _ratios(made)
    held = _claim_holds(paper_like)
    if not record.grid or record.missing:
        word = "reproduced" if held else "not reproduced"
        return Verdict(claim, f"{word} at the paper-like settings; tuned: not run", distances, paper_like)
    tuned = _ratios({name: by_seed(record, name, tuned=True) for name in made})
    holds = _claim_holds(tuned)
    if held and holds:
        verdict = "reproduced"
    elif held:
        verdict = "reproduced at the paper-like settings; not when every contender is tuned alike"
    elif holds:
        verdict = "reproduced only if every contender is tuned"
    else:
        verdict = "not reproduced"
    return Verdict(claim, verdict, distances, paper_like, tuned)


def typical(curves: np.ndarray) -> np.ndarray:
    """Return each seed's geometric mean cost over all epochs but the first: lower means faster throughout.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore.experiments import typical
    >>> typical(np.array([[9.0, 4.0, 1.0]]))
    array([2.])
    """
    return np.exp(np.log(curves[:, 1:]).mean(axis=1))


def _ratios(made: dict[str, dict[int, list[float]]]) -> dict[str, PairedRatio]:
    """The ratios of the typical cost, for every pair, over the seeds that all contenders were run with."""
    seeds = sorted(set.intersection(*map(set, made.values())))
    costs = {name: typical(np.array([curves[seed] for seed in seeds])) for name, curves in made.items()}
    return {f"{a} / {b}": paired_ratio(costs[a], costs[b]) for a, b in PAIRS}


def _claim_holds(ratios: dict[str, PairedRatio]) -> bool:
    """Adam similar to SGD-Nesterov or lower, and both lower than AdaGrad."""
    return ratios["Adam / SGDNesterov"].verdict in ("similar", "lower") and all(
        ratios[f"{name} / AdaGrad"].verdict == "lower" for name in ("Adam", "SGDNesterov")
    )
