"""Sections 5 and 7: RMSProp, AdaGrad, AdaMax, averages of the iterates, and moving targets."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from adamcore.experiments.claims.autoencoder import grid_of
from adamcore.experiments.claims.claim import NOT_REPRODUCED, ONLY_IF, REFUTED, REPRODUCED, Claim, Finding
from adamcore.experiments.claims.rule import steps_in_alphas
from adamcore.experiments.digitized import Point, digitized_points
from adamcore.experiments.problems import make_problem
from adamcore.experiments.record import Record
from adamcore.experiments.statistics import PairedRatio, paired_ratio
from adamcore.experiments.train import streams, train_together
from adamcore.optim import AdaGrad, Adam, AdaMax, Averaged, RMSProp, inverse_sqrt, walk

Records = Mapping[str, Record]


def _momentum(records: Records) -> Finding:
    """Two steps of RMSProp with momentum and of Adam without correction, and both with a constant v."""
    g = np.array([[1.0], [3.0]])
    adam = steps_in_alphas(Adam(1.0, eps=0, bias_correction=False), g)[:, 0]
    # Adam's average takes in a tenth of each gradient, momentum all of it: so alpha is a tenth.
    rmsprop = 0.1 * steps_in_alphas(RMSProp(1.0, rho=0.999, mu=0.9, eps=0), g)[:, 0]
    signs = np.array([[1.0], [-1.0], [-1.0], [1.0]])
    one = steps_in_alphas(Adam(1.0, eps=0, bias_correction="second"), signs)
    other = 0.1 * steps_in_alphas(RMSProp(1.0, rho=0.999, mu=0.9, eps=0, initial=1.0), signs)
    differ = abs(adam[0] - rmsprop[0]) < 1e-9 < abs(adam[1] - rmsprop[1])
    equal = np.allclose(one, other, rtol=1e-9)
    return Finding(
        REPRODUCED if differ and equal else NOT_REPRODUCED,
        f"on gradients 1, 3 the second step is {adam[1]:.3f} alpha for Adam and {rmsprop[1]:.3f} for RMSProp "
        "with momentum, "
        "after equal first steps; they agree where v is constant",
        {"Adam": float(adam[1]), "RMSProp with momentum": float(rmsprop[1])},
    )


def out_of_frame(points: list[Point]) -> tuple[int, int]:
    """Return at how many settings of Figure 4 only the corrected run is in the frame, and only the uncorrected one.

    Examples
    --------
    >>> from adamcore.experiments import digitized_points
    >>> from adamcore.experiments.claims.relatives import out_of_frame
    >>> out_of_frame(digitized_points())
    (20, 1)
    """
    with_, without = (
        {(p.beta1, p.beta2, p.epochs, p.alpha) for p in points if p.bias_correction == corrected}
        for corrected in (True, False)
    )
    return len(with_ - without), len(without - with_)


def _large_steps(records: Records) -> Finding:
    """The longest uncorrected step on a constant gradient, and what left the frame of Figure 4."""
    longest = {
        beta2: float(steps_in_alphas(Adam(1.0, 0.9, beta2, eps=0, bias_correction=False), np.ones((100, 1))).max())
        for beta2 in (0.99, 0.999, 0.9999)
    }
    corrected, uncorrected = out_of_frame(digitized_points())
    numbers = {f"longest step at {beta2}": value for beta2, value in longest.items()}
    numbers |= {"only corrected in frame": corrected, "only uncorrected in frame": uncorrected}
    grows = 1.5 < longest[0.99] < longest[0.999] < longest[0.9999] and corrected > uncorrected
    reason = (
        f"uncorrected steps reach {longest[0.99]:.1f}, {longest[0.999]:.1f} and {longest[0.9999]:.1f} alpha "
        "at beta2 = 0.99, "
        f"0.999, 0.9999; in {corrected} settings of Figure 4 only the corrected run is in the frame, in "
        f"{uncorrected} only "
        "the other"
    )
    if "fig4" in records and records["fig4"].scale == "full":
        diverged = dict.fromkeys((True, False), 0)
        settings = 0
        for panel in grid_of(records["fig4"]).values():
            settings += len(panel[True])
            for corrected, losses in panel.items():
                diverged[corrected] += sum(bool(np.isinf(loss).any()) for loss in losses.values())
        numbers |= {"ours: diverged, corrected": diverged[True], "ours: diverged, uncorrected": diverged[False]}
        reason += (
            f"; in our grid of {settings} settings {diverged[False]} uncorrected runs diverge, and {diverged[True]} "
            "corrected ones"
        )
        grows &= diverged[False] > diverged[True]
    return Finding(REPRODUCED if grows else NOT_REPRODUCED, reason, numbers)


def _adagrad_limit(records: Records) -> Finding:
    """Run Adam near the limit beside AdaGrad."""
    g = np.random.default_rng(0).normal(size=(400, 10))
    near = Adam(inverse_sqrt(0.1), beta1=0, beta2=1 - 1e-9, eps=0)
    rules = (near, AdaGrad(0.1, eps=0))
    one, other = (_path(rule, g) for rule in rules)
    difference = float(np.abs(one - other).max())
    return Finding(
        REPRODUCED if difference < 1e-7 else NOT_REPRODUCED,
        "with beta1 = 0, 1 - beta2 = 1e-9 and alpha / sqrt(t), Adam's path of 400 steps "
        f"{'stays within' if difference < 1e-7 else 'leaves'} 1e-7 of AdaGrad's",
        {"within": 1e-7 if difference < 1e-7 else difference},
    )


def _path(rule, gradients: np.ndarray) -> np.ndarray:
    """Where a rule goes on given gradients."""
    stream = iter(gradients)
    return walk(rule, lambda theta: next(stream), np.zeros(gradients.shape[1]), len(gradients))


def _limit_without_correction(records: Records) -> Finding:
    """Fit the exponent of the first uncorrected step over 1 - beta2."""
    forgets = np.array([1e-4, 1e-6, 1e-8])
    first = [
        float(steps_in_alphas(Adam(1.0, 0.0, 1 - x, eps=0, bias_correction=False), np.ones((1, 1)))[0, 0])
        for x in forgets
    ]
    exponent = float(np.polyfit(np.log(forgets), np.log(first), 1)[0])
    return Finding(
        REPRODUCED if abs(exponent + 0.5) < 1e-3 else NOT_REPRODUCED,
        f"the first uncorrected step grows as (1 - beta2)^{exponent:.2f}: to {first[-1]:,.0f} alpha at 1 - "
        "beta2 = 1e-8",
        {"exponent": exponent, "first step at 1e-8": first[-1]},
    )


def squared_gradients(theta: np.ndarray, batch: int, draws: int) -> tuple[np.ndarray, np.ndarray]:
    """Return v_hat of a logistic regression at rest, and the diagonal of its Fisher information.

    Labels are drawn from the model with weights 0, features are normal with standard deviations from 0.1 to 3.

    Parameters
    ----------
    theta : numpy.ndarray
        The weights at which gradients are taken, (10,).
    batch, draws : int
        Examples a minibatch, and minibatches.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore.experiments.claims.relatives import squared_gradients
    >>> v, fisher = squared_gradients(np.zeros(10), batch=1, draws=500)
    >>> v.shape, fisher.shape
    ((10,), (10,))
    """
    rng = np.random.default_rng(0)
    x = rng.normal(size=(draws * batch, 10)) * np.geomspace(0.1, 3, 10)
    y = rng.integers(0, 2, size=draws * batch)
    p = 1 / (1 + np.exp(-x @ theta))
    gradients = ((p - y)[:, np.newaxis] * x).reshape(draws, batch, 10).mean(axis=1)
    rule = Adam(beta2=0.9999)
    s = rule.init(np.zeros(10))
    for g in gradients:
        rule.step(s, g)
    return s.v_hat, ((p * (1 - p))[:, np.newaxis] * x**2).mean(axis=0)


def _fisher(records: Records) -> Finding:
    """Divide v_hat by the Fisher information at the true weights, for single examples and minibatches."""
    truth, away = np.zeros(10), np.full(10, 0.3)
    ratio = {}
    for batch in (1, 128):
        v, fisher = squared_gradients(truth, batch, draws=1000)
        ratio[batch] = float(np.exp(np.log(v / fisher).mean()))
    v, fisher = squared_gradients(away, 128, draws=1000)
    apart = float(np.exp(np.log(128 * v / fisher).mean()))
    numbers = {"ratio at batch 1": ratio[1], "ratio at batch 128": ratio[128], "ratio away, times 128": apart}
    reason = (
        f"at the true weights v / Fisher is {ratio[1]:.2f} for single examples, {ratio[128]:.4f} for "
        "minibatches of 128; away "
        f"from them the mean gradient adds to it ({apart:.1f} / 128)"
    )
    if not 0.8 <= ratio[1] <= 1.25:
        return Finding(NOT_REPRODUCED, reason, numbers)
    if 0.8 <= ratio[128] <= 1.25:
        return Finding(REPRODUCED, reason, numbers)
    return Finding(ONLY_IF, reason, numbers, "each gradient is of one example, and the model is nearly right")


def norm_of_order(gradients: np.ndarray, beta2: float, p: float) -> np.ndarray:
    """Return v_t**(1/p) after the last gradient, equation (7) of arXiv:1412.6980, with its largest term taken out.

    Parameters
    ----------
    gradients : numpy.ndarray
        (steps, coordinates), none of them 0.
    beta2, p : float

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore.experiments.claims.relatives import norm_of_order
    >>> norm_of_order(np.array([[3.0]]), beta2=0.0, p=2)
    array([3.])
    """
    age = np.arange(len(gradients) - 1, -1, -1)[:, np.newaxis]
    weighted = beta2**age * np.abs(gradients)
    largest = weighted.max(axis=0)
    return largest * ((1 - beta2**p) * ((weighted / largest) ** p).sum(axis=0)) ** (1 / p)


def _infinite_order(records: Records) -> Finding:
    """Let p grow, and compare with AdaMax's u; look at the first step."""
    g = np.random.default_rng(0).normal(size=(50, 20))
    rule = AdaMax()
    s = rule.init(np.zeros(20))
    for row in g:
        rule.step(s, row)
    errors = {p: float(np.abs(norm_of_order(g, 0.999, p) / s.u - 1).max()) for p in (2, 200, 2_000)}
    first = float(np.abs(steps_in_alphas(rule, g[:1])).max())
    numbers = {f"error at p = {p}": error for p, error in errors.items()} | {"first step": first}
    holds = errors[2] > errors[200] > errors[2_000] and errors[2_000] < 1e-3 and abs(first - 1) < 1e-9
    return Finding(
        REPRODUCED if holds else NOT_REPRODUCED,
        f"the norm of order p is off by {100 * errors[2]:.0f} % at p = 2, {100 * errors[200]:.1f} % at 200, "
        f"{100 * errors[2_000]:.2f} % at 2,000; the first step is {first:.2f} alpha without correcting u",
        numbers,
    )


def _adamax_bound(records: Records) -> Finding:
    """Let gradients shrink exactly as fast as u forgets."""
    longest = {
        beta2: float(
            np.abs(steps_in_alphas(AdaMax(1.0, 0.9, beta2), beta2 ** np.arange(2000.0)[:, np.newaxis])).max()
        )
        for beta2 in (0.999, 0.99, 0.95)
    }
    reason = (
        f"gradients that shrink by beta2 a step reach {longest[0.999]:.4f} alpha at the defaults, under 1 % "
        "too long, but "
        f"{longest[0.99]:.2f} at beta2 = 0.99 and {longest[0.95]:.2f} at 0.95"
    )
    return Finding(
        REFUTED if max(longest.values()) > 1 + 1e-9 else REPRODUCED,
        reason,
        {f"longest step at {beta2}": value for beta2, value in longest.items()},
    )


def _finite_orders(records: Records) -> Finding:
    """Raise small and large gradients to the power p in float32."""
    sizes = np.geomspace(1e-6, 1e6, 121, dtype=np.float32)
    share = {}
    for p in (2, 10, 100):
        with np.errstate(over="ignore", under="ignore"):
            power = sizes ** np.float32(p)
        share[p] = float(np.mean(np.isfinite(power) & (power >= np.finfo(np.float32).tiny)))
    return Finding(
        REPRODUCED if share[2] == 1 and share[100] < share[10] < 1 else NOT_REPRODUCED,
        f"of gradients from 1e-6 to 1e6, float32 holds the p-th power of {100 * share[2]:.0f} % at p = 2, "
        f"{100 * share[10]:.0f} % at 10 and {100 * share[100]:.0f} % at 100",
        {f"held at p = {p}": value for p, value in share.items()},
    )


def averages_over_last(alphas: tuple[float, ...], seeds: int = 4, epochs: int = 20) -> dict[float, PairedRatio]:
    """Return the test cost of averaged iterates over that of the last one: logistic regression on MNIST.

    On the first 3,000 training images; the average has beta = 0.99, a window of about 100 steps.

    Examples
    --------
    >>> from adamcore.experiments.claims.relatives import averages_over_last
    >>> averages_over_last((0.001,), seeds=2, epochs=1)[0.001].verdict
    'higher'
    """
    problem = make_problem("mnist_logistic", {"n_train": 3_000, "l2": 1e-4})
    rules = [Averaged(Adam(alpha), beta=0.99) for alpha in alphas]
    costs = np.empty((seeds, len(alphas), 2))
    for seed in range(seeds):
        runs = train_together(
            problem.model, rules, problem.data, epochs=epochs, batch_size=128, streams=streams(seed)
        )
        for k, run in enumerate(runs):
            ends = run.state.theta_hat, run.state.theta
            costs[seed, k] = [problem.model.loss(end, problem.test) - problem.model.penalty(end) for end in ends]
    return {alpha: paired_ratio(costs[:, k, 0], costs[:, k, 1]) for k, alpha in enumerate(alphas)}


def _averages(records: Records) -> Finding:
    """Compare test costs of averages and of last iterates, where these are noisy and where they still travel."""
    small, large = 0.001, 0.01
    found = averages_over_last((small, large))
    helped = {alpha: ratio.verdict == "lower" for alpha, ratio in found.items()}
    reason = "test cost of the average over that of the last iterate, logistic regression on MNIST: " + "; ".join(
        f"{ratio.ratio:.2f} [{ratio.low:.2f}, {ratio.high:.2f}] at alpha = {a}" for a, ratio in found.items()
    )
    numbers = {f"average over last, alpha = {alpha}": ratio.ratio for alpha, ratio in found.items()}
    if all(helped.values()):
        return Finding(REPRODUCED, reason, numbers)
    if helped[large]:
        condition = (
            "steps are so long that the last iterate is noisy: where it still travels, the average lags behind"
        )
        return Finding(ONLY_IF, reason, numbers, condition)
    return Finding(NOT_REPRODUCED, reason, numbers)


def tracking(rule, steps: int = 6000) -> np.ndarray:
    """Return the mean squared distance from an optimum that moves steadily, in each third of the steps.

    The objective is a quadratic with noisy gradients; the optimum moves by 0.005 a step in each of 50 coordinates.

    Examples
    --------
    >>> from adamcore import Adam
    >>> from adamcore.experiments.claims.relatives import tracking
    >>> tracking(Adam(0.03), steps=30).shape
    (3,)
    """
    rng = np.random.default_rng(0)
    s = rule.init(np.zeros(50))
    errors = np.empty(steps)
    for t in range(steps):
        optimum = 0.005 * t
        errors[t] = np.mean((s.theta - optimum) ** 2)
        rule.step(s, s.theta - optimum + rng.normal(size=50))
    return errors.reshape(3, -1).mean(axis=1)


def _moving_target(records: Records) -> Finding:
    """Track a moving optimum with Adam and with AdaGrad at several step sizes."""
    adam = tracking(Adam(0.03))
    growth = {"Adam": adam[2] / adam[1]}
    last = {"Adam": adam[2]}
    for alpha in (0.1, 0.3, 1.0, 3.0):
        errors = tracking(AdaGrad(alpha))
        growth[f"AdaGrad {alpha:g}"], last[f"AdaGrad {alpha:g}"] = errors[2] / errors[1], errors[2]
    growing = sum(value > 1.1 for name, value in growth.items() if name != "Adam")
    best = min(value for name, value in last.items() if name != "Adam")
    numbers = {f"growth, {name}": float(value) for name, value in growth.items()}
    numbers |= {"last error, Adam": float(last["Adam"]), "last error, best AdaGrad": float(best)}
    return Finding(
        REPRODUCED if growth["Adam"] < 1.1 and last["Adam"] < 1 else NOT_REPRODUCED,
        f"behind a steadily moving optimum Adam's error stays level: {last['Adam']:.2f}, "
        f"{growth['Adam']:.2f} of what it was; "
        f"AdaGrad's grows at {growing} of {len(last) - 1} step sizes, and is {best:.2f} at the best of them",
        numbers,
    )


_RELATED, _EXTENSIONS = "Relatives", "Extensions"

CLAIMS = (
    Claim(
        name="C16",
        group=_RELATED,
        place="section 5",
        text="RMSProp with momentum is another rule: its momentum is of the rescaled gradient.",
        test="two steps by both rules",
        statistic="equal first steps, unequal second",
        scale="2 steps",
        seeds="none",
        judge=_momentum,
        chapter="adam/algorithm",
    ),
    Claim(
        name="C17",
        group=_RELATED,
        place="section 5",
        text="Without correction a beta2 near 1 leads to very large steps and often to divergence.",
        test="longest uncorrected steps; the frame of Figure 4; record fig4, if it is there",
        statistic="steps grow with beta2; more corrected runs in the frame, and fewer that diverge",
        scale="100 steps; 12 panels of the figure; 60,000 images, 10 epochs",
        seeds="none",
        judge=_large_steps,
        chapter="adam/bias_correction",
    ),
    Claim(
        name="C18",
        group=_RELATED,
        place="section 5",
        text="AdaGrad is Adam with beta1 = 0, beta2 near 1 and alpha / sqrt(t).",
        test="both on the same gradients",
        statistic="paths apart by less than 1e-7",
        scale="400 steps",
        seeds="1",
        judge=_adagrad_limit,
        chapter="foundations/adagrad",
    ),
    Claim(
        name="C19",
        group=_RELATED,
        place="section 5",
        text="Without bias correction that limit is infinite.",
        test="first uncorrected steps",
        statistic="exponent of 1 - beta2: -0.5",
        scale="1 step",
        seeds="none",
        judge=_limit_without_correction,
        chapter="adam/bias_correction",
    ),
    Claim(
        name="C20",
        group=_RELATED,
        place="section 5",
        text="v approximates the diagonal of the Fisher information.",
        test="logistic regression with known truth",
        statistic="ratio from 0.8 to 1.25, for batches of 1 and 128",
        scale="10 weights, 1,000 minibatches",
        seeds="1",
        judge=_fisher,
    ),
    Claim(
        name="C38",
        group=_EXTENSIONS,
        place="section 7.1",
        text="AdaMax's maximum is the limit of norms of order p, and needs no correction.",
        test="orders 2, 200 and 2,000 against u",
        statistic="error falls below 0.1 %; first step alpha",
        scale="20 coordinates, 50 steps",
        seeds="1",
        judge=_infinite_order,
        chapter="adam/adamax_averaging",
    ),
    Claim(
        name="C39",
        group=_EXTENSIONS,
        place="section 7.1",
        text="A step of AdaMax is at most alpha long.",
        test="gradients that shrink by beta2 a step",
        statistic="longest step / alpha <= 1",
        scale="2,000 steps",
        seeds="none",
        judge=_adamax_bound,
        chapter="adam/adamax_averaging",
    ),
    Claim(
        name="C40",
        group=_EXTENSIONS,
        place="section 7.1",
        text="For large finite p such norms are numerically unstable.",
        test="powers of gradients in float32",
        statistic="share that neither overflows nor underflows falls with p",
        scale="121 sizes",
        seeds="none",
        judge=_finite_orders,
    ),
    Claim(
        name="C41",
        group=_EXTENSIONS,
        place="section 7.2",
        text="Averages of the iterates often generalize better than the last one.",
        test="logistic regression on MNIST at alpha = 0.001 and 0.01, and an average of its last 100 iterates or so",
        statistic="test cost of the average over the last iterate's <= 0.95, its 95 % interval below 1",
        scale="3,000 images, 20 epochs",
        seeds="4",
        judge=_averages,
        chapter="adam/adamax_averaging",
    ),
)
"""Claims C16 to C20 and C38 to C41."""

MOVING = Claim(
    name="C43",
    group="Overall",
    place="abstract, section 1",
    text="Adam suits objectives that change over time.",
    test="an optimum that moves steadily, beside AdaGrad",
    statistic="error of the last third over that of the second < 1.1",
    scale="50 coordinates, 6,000 steps",
    seeds="1",
    judge=_moving_target,
)
"""Claim C43."""
