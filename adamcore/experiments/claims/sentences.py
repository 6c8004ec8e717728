"""Sentences of sections 4, 6.3 and 6.4 that no figure of the paper shows, each judged by an experiment of its own."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from adamcore.experiments.catalog import BETA1_CONTENDERS
from adamcore.experiments.claims.claim import NOT_REPRODUCED, ONLY_IF, REPRODUCED, Claim, Finding, NotRun, recorded
from adamcore.experiments.claims.evidence import ONE_SEED, versus
from adamcore.experiments.record import GridPoint, Record
from adamcore.experiments.statistics import PairedRatio, paired_ratio
from adamcore.models import VAE
from adamcore.optim import Rule, from_dict

Records = Mapping[str, Record]

GAP = 0.1
"""How far below SGD's exponent of the number of features another must be. From 4 to 32 features the bounds differ by
0.18: the square root of d has the exponent 0.5, the sum of 1 / i up to d, behind the log d, one of 0.32."""

EARLY, LATE = 10, 100
"""The epochs after which Figure 4 shows its losses, between which section 6.4 sees gradients become sparser."""


def _two_seeds(record: Record) -> None:
    """Raise unless there can be an interval."""
    if len(record.seeds) < 2:
        raise NotRun(f"the record of {record.experiment} has one seed, which gives no interval", record.command)


def _inside(record: Record, contender: str, alpha: float, alphas: list[float]) -> None:
    """Raise if the best step size is the smallest or largest that was tried: a better one may be beyond."""
    if len(alphas) > 1 and alpha in (min(alphas), max(alphas)):
        raise NotRun(f"{record.experiment}: the best step size of {contender}, {alpha:g}, is the last that was tried")


# Section 4: sparse features.


def tuned_regrets(record: Record, contender: str) -> np.ndarray:
    """Return the regret at the best setting for each number of features: (seeds, numbers of features).

    The best has the lowest mean over seeds, among all step sizes, constant and decaying.

    Parameters
    ----------
    record : Record
        Of ``sparse_regret``.
    contender : str

    Raises
    ------
    NotRun
        If the best step size is the smallest or the largest of its kind.

    Examples
    --------
    >>> from adamcore.experiments import get_experiment, run
    >>> from adamcore.experiments.claims import NotRun
    >>> from adamcore.experiments.claims.sentences import tuned_regrets
    >>> record = run(get_experiment("sparse_regret"), "smoke", seeds=1)
    >>> try:
    ...     tuned_regrets(record, "SGD")
    ... except NotRun as missing:  # two step sizes are not enough to find the best
    ...     print(missing)
    sparse_regret: the best step size of SGD, 1, is the last that was tried
    """
    columns = []
    for number in record.problem["numbers"]:
        tried = [
            (record.measured(contender, plain, f"d={number}, alpha={alpha:g}")[:, 0], alpha, plain["alphas"])
            for plain in record.grid[contender]
            for alpha in plain["alphas"]
        ]
        regret, alpha, alphas = min(tried, key=lambda one: one[0].mean())
        _inside(record, contender, alpha, alphas)
        columns.append(regret)
    return np.stack(columns, axis=1)


def exponents(regrets: np.ndarray, numbers: list[int]) -> np.ndarray:
    """Return for each seed the exponent p of regret ~ d**p, a straight line through the logarithms.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore.experiments.claims.sentences import exponents
    >>> exponents(np.array([[3.0, 6.0, 12.0]]), [1, 4, 16]).round(6)
    array([0.5])
    """
    return np.polyfit(np.log(numbers), np.log(regrets).T, 1)[0]


def _sparse_features(records: Records) -> Finding:
    """Compare the exponents of the number of features, seed by seed."""
    record = recorded(records, "sparse_regret", grid=True)
    _two_seeds(record)
    numbers = record.problem["numbers"]
    regrets = {name: tuned_regrets(record, name) for name in ("SGD", "AdaGrad", "Adam")}
    grow = {name: exponents(regret, numbers) for name, regret in regrets.items()}
    below, found, differences = {}, {}, {}
    for name in ("AdaGrad", "Adam"):
        # An interval of a difference is the logarithm of one of a ratio.
        ratio = paired_ratio(np.exp(grow[name]), np.exp(grow["SGD"]))
        below[name] = math.log(ratio.ratio) <= -GAP and ratio.high < 1
        low, middle, high = (math.log(x) for x in (ratio.low, ratio.ratio, ratio.high))
        differences[name] = f"{middle:.2f} [{low:.2f}, {high:.2f}]"
        found[f"{name}'s exponent less SGD's, at most"] = math.log(ratio.high)
    bound = exponents(np.array([[sum(1 / i for i in range(1, d + 1)) for d in numbers]]), numbers)[0]
    found |= {f"exponent of {name}": float(one.mean()) for name, one in grow.items()}
    found |= {"exponent of the sum of 1 / i": float(bound)}
    found |= {
        f"{name} / SGD at {numbers[-1]} features": float((regrets[name] / regrets["SGD"])[:, -1].mean())
        for name in below
    }
    reason = (
        f"from {numbers[0]} to {numbers[-1]} features, each contender at its best step size, regret grows as "
        + ", ".join(f"d^{one.mean():.2f} for {name}" for name, one in grow.items())
        + f" (the sum of 1/i, behind the log d, as d^{bound:.2f}); less SGD's exponent, with its interval: "
        + ", ".join(f"{name} {less}" for name, less in differences.items())
        + f"; at {numbers[-1]} features "
        + " and ".join(f"{name}'s is {found[f'{name} / SGD at {numbers[-1]} features']:.2f}" for name in below)
        + " of SGD's"
    )
    if all(below.values()):
        return Finding(REPRODUCED, reason, found)
    if any(below.values()):
        (name,) = (name for name, yes in below.items() if yes)
        (other,) = (name for name, yes in below.items() if not yes)
        return Finding(ONLY_IF, reason, found, f"it is said of {name}: for {other} these seeds do not show it")
    return Finding(NOT_REPRODUCED, reason, found)


# Section 4: a beta1 that fades.


def last_values(record: Record, contender: str, rule: Rule | dict[str, Any], measure: str) -> np.ndarray:
    """Return what was measured after the last epoch, a value a seed; infinite where a run diverged.

    Examples
    --------
    >>> from adamcore.experiments import get_experiment, run
    >>> from adamcore.experiments.claims.sentences import last_values
    >>> record = run(get_experiment("fading_mlp"), "smoke", seeds=2)
    >>> last_values(record, "beta1=0.9", record.paper["beta1=0.9"], "full_cost").shape
    (2,)
    """
    values = record.measured(contender, rule, measure)[:, -1]
    return np.where(np.isnan(values), np.inf, values)


def _best_last(record: Record, contender: str, measure: str) -> np.ndarray:
    """The values at the setting of the grid that is lowest in the geometric mean over seeds."""
    tried = [(last_values(record, contender, plain, measure), from_dict(plain)) for plain in record.grid[contender]]
    points = [GridPoint.of(rule, float(np.log(values).mean())) for values, rule in tried]
    k = min(range(len(points)), key=lambda i: points[i].score)
    _inside(record, contender, points[k].alpha, [one.alpha for one in points if one.decay == points[k].decay])
    return tried[k][0]


FADES = (("fading_logistic", "excess", "logistic regression"), ("fading_mlp", "full_cost", "a network"))
"""Experiment, what is measured at the end, and what is trained."""


class Fading(NamedTuple):
    """What is left at the end with a fading beta1 over what is left with a constant one; below 1, fading helped.

    Attributes
    ----------
    what : str
        What was trained.
    constant : str
        The contender with the constant beta1.
    tuned, default : PairedRatio
        Each at its best step size, and both at 0.001.
    """

    what: str
    constant: str
    tuned: PairedRatio
    default: PairedRatio


def fading(records: Records) -> list[Fading]:
    """Compare a fading beta1 with a constant one, for each of :data:`FADES` and each beta1.

    Parameters
    ----------
    records : mapping of str to Record
        With ``fading_logistic`` and ``fading_mlp``.

    Raises
    ------
    NotRun
        If a record is missing or incomplete, has one seed, or has a best step size that is the last that was tried.

    Examples
    --------
    >>> from adamcore.experiments.claims import NotRun
    >>> from adamcore.experiments.claims.sentences import fading
    >>> try:
    ...     fading({})
    ... except NotRun as missing:
    ...     print(missing)
    there is no full-scale record of fading_logistic
    """
    found = []
    for name, measure, what in FADES:
        record = recorded(records, name, grid=True)
        _two_seeds(record)
        for constant in (one for one, (_, fades) in BETA1_CONTENDERS.items() if not fades):
            pair = f"{constant}, fading", constant
            tuned = paired_ratio(*(_best_last(record, one, measure) for one in pair))
            default = paired_ratio(*(last_values(record, one, record.paper[one], measure) for one in pair))
            found.append(Fading(what, constant, tuned, default))
    return found


def _fading(records: Records) -> Finding:
    """The last value with a fading beta1 over that with a constant one."""
    compared = fading(records)
    tuned = {(one.what, one.constant): one.tuned for one in compared}
    default = {(one.what, one.constant): one.default for one in compared}
    found = {f"{what}, {constant}, tuned": ratio.ratio for (what, constant), ratio in tuned.items()}
    found |= {f"{what}, {constant}, alpha = 0.001": ratio.ratio for (what, constant), ratio in default.items()}
    reason = (
        "what is left at the end, fading over constant, every contender at its best step size: "
        + ", ".join(f"{_with_interval(ratio)} for {what} at {constant}" for (what, constant), ratio in tuned.items())
        + "; all at alpha = 0.001: "
        + ", ".join(f"{ratio.ratio:.2f}" for ratio in default.values())
    )
    for constant in dict.fromkeys(constant for _, constant in tuned):
        helped = [what for _, _, what in FADES if tuned[what, constant].verdict == "lower"]
        conditions = [f"{constant.replace('=', ' is ')}"] if constant != "beta1=0.9" else []
        if helped and len(helped) < len(FADES):
            conditions.append(f"{helped[0]} is trained")
        if helped and conditions:
            return Finding(ONLY_IF, reason, found, ", and ".join(conditions))
        if helped:
            return Finding(REPRODUCED, reason, found)
    return Finding(NOT_REPRODUCED, reason, found)


def _with_interval(ratio: PairedRatio) -> str:
    """A ratio for a sentence."""
    return f"{ratio.ratio:.2f} [{ratio.low:.2f}, {ratio.high:.2f}]"


# Section 6.3: Adam without either moment.


def _moments_of_a_cnn(records: Records) -> Finding:
    """Whether m is missed more than a v for each coordinate, and the latter less than in the other network."""
    cnn, mlp = (recorded(records, name, grid=True) for name in ("ablation_cnn", "ablation_mlp"))
    without = {
        (name, one): versus(record, one, "Adam", tuned=True)
        for name, record in (("CNN", cnn), ("MLP", mlp))
        for one in ("beta1=0", "one v a layer")
    }
    direct = versus(cnn, "beta1=0", "one v a layer", tuned=True)
    numbers = {f"{name}, {one} / Adam": found.ratio for (name, one), found in without.items()}
    numbers["CNN, beta1=0 / one v a layer"] = direct.ratio
    # Not judged: what the last epoch alone would say.
    for (name, one), record in (((name, one), cnn if name == "CNN" else mlp) for name, one in without):
        numbers[f"last cost: {name}, {one} / Adam"] = versus(record, one, "Adam", tuned=True, epoch=-1).ratio
    reason = (
        "in the convolutional network, each contender tuned, the cost (area under its logarithm) over Adam's is "
        f"{without['CNN', 'beta1=0']} "
        f"without the first moment and {without['CNN', 'one v a layer']} with one v a layer, the first over the "
        f"second {direct}; in the fully connected one {without['MLP', 'beta1=0']} and "
        f"{without['MLP', 'one v a layer']}"
    )
    if direct.word != "higher":
        return Finding(NOT_REPRODUCED, reason, numbers)
    conditions = []
    if not without["CNN", "one v a layer"].high < without["MLP", "one v a layer"].low:
        conditions.append("convolutional networks are not compared with fully connected ones")
    if min(direct.seeds, *(found.seeds for found in without.values())) == 1:
        conditions.append(ONE_SEED)
    if conditions:
        return Finding(ONLY_IF, reason, numbers, ", and ".join(conditions))
    return Finding(REPRODUCED, reason, numbers)


# Section 6.4: sparser gradients.


class Sparsity(NamedTuple):
    """How sparse an auto-encoder's gradients are, a value a seed: the mean over all coordinates.

    Attributes
    ----------
    early, late : numpy.ndarray
        After epochs 10 and 100.
    """

    early: np.ndarray
    late: np.ndarray

    def ratio(self) -> PairedRatio:
        """Return late over early."""
        return paired_ratio(self.late, self.early)


def sparsity(record: Record, contender: str, name: str) -> Sparsity:
    """Return one of the numbers of the measure ``gradient_sparsity`` for a whole auto-encoder.

    Parameters
    ----------
    record : Record
        Of ``vae_sparsity``, with 100 epochs or more.
    contender : str
    name : {"zero", "small", "hoyer", "rare"}

    Returns
    -------
    Sparsity
        Of its parts, each weighs as much as it has coordinates.
    """
    shapes = VAE(hidden=record.problem.get("hidden", 500), n_latent=record.problem.get("n_latent", 50)).layout.shapes
    sizes = {part: math.prod(shape) for part, shape in shapes.items()}
    rule = record.paper[contender]
    whole = sum(size * record.measured(contender, rule, f"{part}/{name}") for part, size in sizes.items())
    return Sparsity(*(whole[:, epoch - 1] / sum(sizes.values()) for epoch in (EARLY, LATE)))


def _sparser_late(records: Records) -> Finding:
    """Compare after epoch 10 and after epoch 100: within a minibatch, and over minibatches."""
    record = recorded(records, "vae_sparsity")
    _two_seeds(record)
    numbers, words, rises = {}, [], {"hoyer": [], "rare": []}
    for contender in record.contenders:
        for name, how in (("hoyer", "within a minibatch"), ("rare", "over minibatches")):
            found = sparsity(record, contender, name)
            numbers |= {f"{contender}, {name}, {EARLY}": float(found.early.mean())}
            numbers |= {f"{contender}, {name}, {LATE}": float(found.late.mean())}
            rises[name].append(found.ratio().verdict == "higher")
            beta1 = contender.split(",")[0]
            words.append(f"{how} {found.early.mean():.2f} and {found.late.mean():.2f} ({beta1})")
    reason = f"sparsity of the gradient after {EARLY} and {LATE} epochs: {', '.join(words)}"
    within, over = all(rises["hoyer"]), all(rises["rare"])
    if within and over:
        return Finding(REPRODUCED, reason, numbers)
    if within or over:
        counted = ("within a minibatch", "over minibatches") if within else ("over minibatches", "within a minibatch")
        return Finding(ONLY_IF, reason, numbers, f"sparsity is counted {counted[0]}, not {counted[1]}")
    return Finding(NOT_REPRODUCED, reason, numbers)


CLAIMS = (
    Claim(
        name="C14",
        group="Theory",
        place="section 4",
        text=("On sparse features the regret of adaptive methods is O(log d sqrt(T)) instead of O(sqrt(d T))."),
        test=(
            "record sparse_regret: hinge losses on one feature at a time, the i-th in proportion to 1 / i^2; SGD, "
            "AdaGrad and Adam at the best of the same step sizes for every d"
        ),
        statistic=f"exponent of d: Adam's and AdaGrad's {GAP} or more below SGD's, 95 % interval below 0",
        scale="4 to 32 features, 524,288 examples",
        seeds="3",
        judge=_sparse_features,
        chapter="adam/convergence",
    ),
    Claim(
        name="C15",
        group="Theory",
        place="section 4",
        text="Letting beta1 decay to zero towards the end can help.",
        test=(
            "records fading_logistic and fading_mlp: beta1 constant against one that falls to zero over the last "
            "fifth, each at its best step size"
        ),
        statistic=(
            "paired ratio of what is left at the end (of the excess over the minimum; of the network's cost) <= "
            "0.95, interval below 1, at beta1 = 0.9"
        ),
        scale="10,000 images of MNIST, 20 epochs",
        seeds="5",
        judge=_fading,
        chapter="adam/convergence",
    ),
    Claim(
        name="C32",
        group="Convolutional network",
        place="section 6.3",
        text=("v approximates a CNN's geometry poorly; the first moment's variance reduction matters more."),
        test=(
            "records ablation_cnn and ablation_mlp: Adam, Adam with beta1 = 0, and Adam with one v a layer, each at "
            "its best step size"
        ),
        statistic=(
            "ratio of cost (area under log cost) of beta1 = 0 to one v a layer in the CNN >= 1 / 0.95, interval "
            "above 1; and one v a layer costs less in the CNN than in the MLP, by their intervals"
        ),
        scale="5,000 images, 20 epochs",
        seeds="3",
        judge=_moments_of_a_cnn,
        chapter="paper/cifar_cnn",
    ),
    Claim(
        name="C37",
        group="Auto-encoder",
        place="section 6.4",
        text="Gradients become sparser late in training, as hidden units specialize.",
        test="record vae_sparsity: Hoyer's sparsity of the gradient, and how rare a coordinate's gradient is",
        statistic=(
            f"ratio of sparsity after {LATE} epochs to that after {EARLY} >= 1 / 0.95, interval above 1, for both "
            "and at both values of beta1"
        ),
        scale="60,000 images, 100 epochs",
        seeds="3",
        judge=_sparser_late,
        chapter="paper/vae",
    ),
)
"""Claims C14, C15, C32 and C37."""
