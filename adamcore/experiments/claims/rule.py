"""Sections 1 to 3: the algorithm, its steps, and the bias correction, judged by formulas and small simulations."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

import numpy as np
from threadpoolctl import threadpool_limits

from adamcore.data import load_imdb, load_mnist, scale_pixels
from adamcore.experiments.claims.claim import NOT_REPRODUCED, ONLY_IF, REFUTED, REPRODUCED, Claim, Finding
from adamcore.experiments.record import Record
from adamcore.models import BinaryLogisticRegression, LogisticRegression, SparseRows
from adamcore.optim import SGD, AdaGrad, Adam, AdaMax, Momentum, Rule
from adamcore.optim.walk import walk

Records = Mapping[str, Record]

SILENCE = 5_000
"""Steps without a gradient after which v has forgotten its start, at the default beta2."""

TINY = 1e-9
"""Differences up to here are rounding errors of float64."""


def steps_in_alphas(rule: Rule, gradients: np.ndarray) -> np.ndarray:
    """Return the steps that a rule takes on given gradients, in units of alpha, with the sign of the gradient.

    Parameters
    ----------
    rule : Rule
        With a constant alpha.
    gradients : numpy.ndarray
        (steps, coordinates), float64.

    Returns
    -------
    numpy.ndarray
        (steps, coordinates).

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore import Adam
    >>> from adamcore.experiments.claims.rule import steps_in_alphas
    >>> steps_in_alphas(Adam(eps=0), np.array([[5.0, -0.1]])).round(9)
    array([[ 1., -1.]])
    """
    stream = iter(gradients)
    points = walk(rule, lambda theta: next(stream), np.zeros(gradients.shape[1]), len(gradients))
    return -np.diff(points, axis=0) / rule.alpha


def sharp_bound(beta1: float, beta2: float, t: np.ndarray | float) -> np.ndarray:
    r"""Return the largest step of Adam, in units of alpha and with epsilon = 0, at step t.

    With :math:`r = \beta_1^2 / \beta_2`, by the inequality of Cauchy and Schwarz,

    .. math::

        \frac{|\Delta_t|}{\alpha} \le \frac{1 - \beta_1}{\sqrt{1 - \beta_2}} \sqrt{\frac{1 - r^t}{1 - r}}
        \, \frac{\sqrt{1 - \beta_2^t}}{1 - \beta_1^t} ,

    with equality for gradients that grow as :math:`(\beta_2 / \beta_1)^t`. Section 2.1 of arXiv:1412.6980 leaves the
    second root out.

    Parameters
    ----------
    beta1, beta2 : float
        In (0, 1), with beta1**2 < beta2.
    t : array_like
        Steps, from 1.

    Examples
    --------
    >>> from adamcore.experiments.claims.rule import sharp_bound
    >>> round(float(sharp_bound(0.9, 0.999, 1)), 6), round(float(sharp_bound(0.9, 0.999, 1e6)), 2)
    (1.0, 7.27)
    """
    r = beta1**2 / beta2
    sums = np.sqrt((1 - r**t) / (1 - r)) * np.sqrt(1 - beta2**t) / (1 - beta1**t)
    return (1 - beta1) / np.sqrt(1 - beta2) * sums


def papers_bound(beta1: float, beta2: float) -> float:
    """Return section 2.1's bound on the step, in units of alpha.

    Examples
    --------
    >>> from adamcore.experiments.claims.rule import papers_bound
    >>> round(papers_bound(0.9, 0.999), 3), papers_bound(0.9, 0.9)
    (3.162, 1.0)
    """
    ratio = (1 - beta1) / np.sqrt(1 - beta2)
    return float(ratio) if ratio > 1 + TINY else 1.0  # 0.1 / sqrt(0.01) is 1 but for rounding


def _memory(records: Records) -> Finding:
    """Count the arrays of theta's size that a rule keeps, before the first step and after a few."""
    theta = np.zeros(100_000, np.float32)
    kept = {}
    for rule in (SGD(), Momentum(), AdaGrad(), AdaMax(), Adam()):
        s = rule.init(theta)
        counts = []
        for _ in range(3):
            counts.append(
                sum(part.nbytes for part in vars(s).values() if isinstance(part, np.ndarray)) / theta.nbytes
            )
            rule.step(s, np.ones_like(theta), inplace=True)
        kept[type(rule).__name__] = max(counts) - 1  # theta itself is no cost of the rule
    few = kept["Adam"] == 2
    return Finding(
        REPRODUCED if few else NOT_REPRODUCED,
        f"Adam keeps {kept['Adam']:g} numbers a parameter, however long it runs; AdaGrad {kept['AdaGrad']:g}, "
        f"plain SGD {kept['SGD']:g}",
        kept,
    )


class _Counted(np.ndarray):
    """An array that counts the arithmetic done with it: one for each elementwise operation on all of it."""

    operations = 0

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        if method == "__call__" and ufunc.__name__ not in ("isfinite", "not_equal"):
            _Counted.operations += 1
        plain = [part.view(np.ndarray) if isinstance(part, _Counted) else part for part in inputs]
        if "out" in kwargs:
            kwargs["out"] = tuple(part.view(np.ndarray) for part in kwargs["out"])
        result = getattr(ufunc, method)(*plain, **kwargs)
        return result.view(_Counted) if isinstance(result, np.ndarray) else result


def operations(rule: Rule) -> int:
    """Return how many elementwise operations one update makes, each on all parameters.

    Examples
    --------
    >>> from adamcore import SGD
    >>> from adamcore.experiments.claims.rule import operations
    >>> operations(SGD())  # alpha times the gradient, and the subtraction
    2
    """
    s = rule.init(np.ones(4))
    s.t = 1
    for name in ("theta", *rule.slots):
        setattr(s, name, getattr(s, name).view(_Counted))
    _Counted.operations = 0
    rule.update(s, np.ones(4).view(_Counted))
    return _Counted.operations


def _computation(records: Records) -> Finding:
    """Compare the arithmetic of an update with that of the gradient it uses."""
    adam, sgd = operations(Adam()), operations(SGD())
    # A weight of a network is used once forward and twice backward, for its own gradient and for the layer
    # below, each time in a multiplication and an addition, for each of the paper's 128 examples.
    gradient = 3 * 2 * 128
    share = adam / gradient
    return Finding(
        REPRODUCED if share <= 0.1 else NOT_REPRODUCED,
        f"{adam} operations a parameter where SGD makes {sgd}: {100 * share:.1f} % of the {gradient} that "
        "the gradient "
        "of a fully connected network takes on 128 examples (counted, not timed)",
        {"Adam": adam, "SGD": sgd, "gradient": gradient, "share": share},
    )


def _invariance(records: Records) -> Finding:
    """Rescale each coordinate's gradients by a power of two, by a tiny constant, and by a changing factor."""
    rng = np.random.default_rng(0)
    g = rng.normal(size=(100, 20))
    exact, usual = Adam(eps=0), Adam()
    powers = 2.0 ** rng.integers(-20, 20, size=20)
    same = bool((steps_in_alphas(exact, g * powers) == steps_in_alphas(exact, g)).all())
    size = {scale: rms(steps_in_alphas(usual, g * scale)) / rms(steps_in_alphas(usual, g)) for scale in (1e-3, 1e-8)}
    growing = steps_in_alphas(exact, g * np.geomspace(1, 1000, 100)[:, np.newaxis])
    changed = rms(growing - steps_in_alphas(exact, g)) / rms(growing)
    numbers = {"size at 1e-3": size[1e-3], "size at 1e-8": size[1e-8], "changing scale": changed}
    if not same:
        return Finding(REFUTED, "steps change with the scale of the gradients even with epsilon = 0", numbers)
    reason = (
        "bit for bit with epsilon = 0 and powers of two; with the default epsilon, steps on gradients of size 1e-8 "
        f"shrink to {size[1e-8]:.2f} of their length; under a scale that changes, they change by "
        f"{100 * changed:.0f} %"
    )
    if abs(size[1e-8] - 1) > 0.01 or changed > 0.01:
        return Finding(ONLY_IF, reason, numbers, "gradients are large beside epsilon, and the scale is constant")
    return Finding(REPRODUCED, reason, numbers)


def rms(x: np.ndarray) -> float:
    """Return the root mean square.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore.experiments.claims.rule import rms
    >>> rms(np.array([1.0, -1.0]))
    1.0
    """
    return float(np.sqrt(np.mean(np.square(x))))


def longest_step(beta1: float, beta2: float, growing: int = 300) -> float:
    """Return the longest step that Adam takes on gradients made to be its worst, in units of alpha.

    First a long silence, then gradients that grow as (beta2 / beta1)**t; epsilon is 0.

    Examples
    --------
    >>> from adamcore.experiments.claims.rule import longest_step
    >>> round(longest_step(0.9, 0.9), 6)  # equal decay rates: never longer than alpha
    1.0
    """
    g = np.concatenate([np.zeros(SILENCE), (beta2 / beta1) ** np.arange(-growing, 0.0)])
    return float(np.abs(steps_in_alphas(Adam(1.0, beta1, beta2, eps=0), g[:, np.newaxis])).max())


def _bounds(records: Records) -> Finding:
    """Exceed section 2.1's bounds, and try to exceed the sharp one."""
    numbers = {}
    broken = []
    for beta1, beta2 in ((0.9, 0.999), (0.95, 0.99), (0.9, 0.9)):
        longest, bound = longest_step(beta1, beta2), papers_bound(beta1, beta2)
        numbers |= {f"longest at {beta1}, {beta2}": longest, f"bound at {beta1}, {beta2}": bound}
        if longest > bound + TINY:
            broken.append(f"{longest:.2f} alpha at ({beta1}, {beta2}), where it says {bound:.2f}")
    rng = np.random.default_rng(0)
    g = rng.normal(size=(100, 300)) * np.exp(rng.normal(size=(100, 300)) * 3)
    t = np.arange(1, 101)
    share = np.abs(steps_in_alphas(Adam(1.0, eps=0), g)).max(axis=1) / sharp_bound(0.9, 0.999, t)
    numbers["largest share of the sharp bound"] = float(share.max())
    if not broken or share.max() > 1 + TINY:
        return Finding(NOT_REPRODUCED, "the bounds were not exceeded as the sharp bound predicts", numbers)
    return Finding(
        REFUTED,
        f"no worst-case bounds: steps of {'; '.join(broken)}. They hold for beta1 = beta2; that steps are "
        "typically at "
        "most about alpha stands",
        numbers,
    )


def _lone_gradient(records: Records) -> Finding:
    """After a silence, let 12 equal gradients come instead of one."""
    g = np.concatenate([np.zeros(SILENCE), np.ones(12)])[:, np.newaxis]
    steps = steps_in_alphas(Adam(1.0, eps=0), g)[SILENCE:, 0]
    alone, later = float(steps[0]), float(steps[1:].max())
    numbers = {"one gradient": alone, "longest later": later}
    reason = f"a lone gradient after silence gives {alone:.2f} alpha, but 12 equal ones give up to {later:.2f} alpha"
    return Finding(REFUTED if later > alone + TINY else REPRODUCED, reason, numbers)


def _equal_case(records: Records) -> Finding:
    """Look for steps of alpha or more where 1 - beta1 equals the root of 1 - beta2."""
    first = float(np.abs(steps_in_alphas(Adam(1.0, 0.9, 0.99, eps=0), np.array([[0.3]])))[0, 0])
    longest = longest_step(0.9, 0.99)
    reason = (
        f"at (0.9, 0.99) the first step is {first:.2f} alpha, not less; growing gradients reach {longest:.2f} alpha"
    )
    return Finding(
        REFUTED if longest > 1 + TINY else REPRODUCED, reason, {"first step": first, "longest step": longest}
    )


def _batches(n: int, epochs: int, size: int = 128) -> Iterator[np.ndarray]:
    """The rows of every minibatch."""
    rng = np.random.default_rng(0)
    for _ in range(epochs):
        order = rng.permutation(n)
        yield from (order[start : start + size] for start in range(0, n, size))


def _share_of_long_steps(model, data, epochs: int, limit: float) -> float:
    """Of all steps of coordinates that have met a gradient, the share longer than the limit, in units of alpha."""
    rule = Adam()
    s = rule.init(model.init(np.random.default_rng(0)))
    long = moved = 0
    with threadpool_limits(1):  # products this small are slower on several threads
        for rows in _batches(len(data[1]), epochs):
            before = s.theta
            rule.step(s, model.loss_and_grad(s.theta, tuple(part[rows] for part in data))[1])
            awake = s.v > 0
            long += int(np.count_nonzero(np.abs(s.theta - before)[awake] > limit * rule.alpha))
            moved += int(np.count_nonzero(awake))
    return long / moved


def _typical_steps(records: Records) -> Finding:
    """Count long steps in two logistic regressions, one dense and one sparse."""
    mnist, imdb = load_mnist(), load_imdb()
    pixels = scale_pixels(mnist.x_train[:4000]).reshape(-1, 784), mnist.y_train[:4000].astype(np.intp)
    words = SparseRows.from_scipy(imdb.x_train)
    words = words.with_values(np.ones_like(words.values)), imdb.y_train.astype(np.intp)
    dense = _share_of_long_steps(LogisticRegression(784, 10), pixels, 10, limit=1.1)
    sparse = _share_of_long_steps(BinaryLogisticRegression(words[0].shape[1]), words, 10, limit=1.1)
    numbers = {"MNIST": round(dense, 4), "IMDB": round(sparse, 4)}
    reason = (
        f"longer than 1.1 alpha: {100 * dense:.2f} % of the steps on MNIST's pixels, {100 * sparse:.2f} % on "
        "IMDB's words"
    )
    if dense <= 0.01 and sparse <= 0.01:
        return Finding(REPRODUCED, reason, numbers)
    if dense <= 0.01:
        return Finding(ONLY_IF, reason, numbers, "gradients are not sparse")
    return Finding(NOT_REPRODUCED, reason, numbers)


def _annealing(records: Records) -> Finding:
    """Measure steps on gradients of four ratios of mean to standard deviation."""
    noise = np.random.default_rng(0).normal(size=(4000, 200))
    numbers = {}
    worst = 0.0
    lengths = []
    for ratio in (3.0, 1.0, 0.3, 0.0):
        late = steps_in_alphas(Adam(1.0), ratio + noise)[2000:]
        worst = max(worst, abs(float(late.mean()) - ratio / np.sqrt(ratio**2 + 1)))
        lengths.append(rms(late))
        numbers[f"mean step at {ratio:g}"] = float(late.mean()) if ratio else 0.0
    floor = float(np.sqrt((1 - 0.9) / (1 + 0.9)))
    numbers |= {"length without signal": lengths[-1], "floor": floor}
    falls = all(a > b for a, b in itertools.pairwise(lengths)) and worst < 0.02
    reason = (
        f"the mean step falls with the signal as mu / sqrt(mu^2 + sigma^2), but the length only to {lengths[-1]:.3f} "
        f"alpha, not to 0 (theory: {floor:.3f})"
    )
    if not falls:
        return Finding(NOT_REPRODUCED, reason, numbers)
    return Finding(
        ONLY_IF, reason, numbers, "annealing may end at a floor: with constant alpha, noise keeps theta moving"
    )


def _expected_v(records: Records) -> Finding:
    """Compare the mean of v over many coordinates with the formula, in standard errors."""
    rng = np.random.default_rng(0)
    rule = Adam()
    s = rule.init(np.zeros(20_000))
    worst = 0.0
    for t in range(1, 101):
        rule.step(s, rng.normal(1.0, 2.0, size=s.theta.shape))
        if t in (1, 10, 100):
            expected = (1.0**2 + 2.0**2) * (1 - rule.beta2**t)
            worst = max(worst, abs(s.v.mean() - expected) / (s.v.std() / np.sqrt(s.v.size)))
    return Finding(
        REPRODUCED if worst <= 3 else NOT_REPRODUCED,
        f"at t = 1, 10, 100 the mean of v over 20,000 coordinates is within {worst:.1f} standard errors of it",
        {"standard errors": float(worst)},
    )


def _drift(records: Records) -> Finding:
    """Let the squared gradient grow by 1 a step, and compare what v misses with the exact zeta."""
    steps = 4000
    t = np.arange(1, steps + 1)
    lags = {}
    error = 0.0
    for beta2 in (0.9, 0.999):
        rule = Adam(beta2=beta2)
        s = rule.init(np.zeros(1))
        for g in np.sqrt(t):
            rule.step(s, np.array([g]))
        zeta = float(s.v[0]) - steps * (1 - beta2**steps)
        exact = -beta2 * (1 - steps * beta2 ** (steps - 1) + (steps - 1) * beta2**steps) / (1 - beta2)
        error = max(error, abs(zeta / exact - 1))
        lags[f"lag at {beta2}"] = -zeta
    holds = error < TINY and lags["lag at 0.9"] < lags["lag at 0.999"] / 10
    return Finding(
        REPRODUCED if holds else NOT_REPRODUCED,
        f"where E[g^2] grows steadily, v lags {lags['lag at 0.9']:.1f} steps behind at beta2 = 0.9 and "
        f"{lags['lag at 0.999']:.0f} at 0.999; the exact zeta agrees to {TINY:g}. (The sentence says beta1; "
        "it is beta2 "
        "that averages the squares.)",
        lags,
    )


def _sparse_start(records: Records) -> Finding:
    """Measure how well v is known from rare gradients, and the first step without correction."""
    rng = np.random.default_rng(0)
    g = (rng.random((3000, 300)) < 0.01) * 1.0
    spread = {}
    for beta2 in (0.9, 0.99, 0.999):
        rule = Adam(beta2=beta2)
        s = rule.init(np.zeros(300))
        for row in g:
            rule.step(s, row)
        spread[beta2] = float(s.v_hat.std() / s.v_hat.mean())
    first = {
        beta2: float(steps_in_alphas(Adam(1.0, 0.9, beta2, eps=0, bias_correction=False), np.ones((1, 1)))[0, 0])
        for beta2 in (0.99, 0.999, 0.9999)
    }
    numbers = {f"spread of v at {b}": value for b, value in spread.items()}
    numbers |= {f"first step at {b}": value for b, value in first.items()}
    falls = spread[0.9] > spread[0.99] > spread[0.999] and first[0.99] < first[0.999] < first[0.9999]
    reason = (
        f"with a gradient in 1 step of 100, v's relative spread is {spread[0.9]:.1f} at beta2 = 0.9 and "
        f"{spread[0.999]:.1f} at 0.999; uncorrected first steps are {first[0.99]:.0f}, {first[0.999]:.2f} and "
        f"{first[0.9999]:.0f} alpha at 0.99, 0.999, 0.9999"
    )
    if not falls:
        return Finding(NOT_REPRODUCED, reason, numbers)
    return Finding(ONLY_IF, reason, numbers, 'its "small value of beta2" is read as a small 1 - beta2')


_RULE, _STEPS, _BIAS = "The rule", "Its steps", "Bias correction"

CLAIMS = (
    Claim(
        name="C1",
        group=_RULE,
        place="abstract, section 1",
        text="Adam needs little memory.",
        test="count the arrays that it keeps",
        statistic="arrays of theta's size, beside theta: 2",
        scale="100,000 parameters",
        seeds="none",
        judge=_memory,
        chapter="adam/algorithm",
    ),
    Claim(
        name="C2",
        group=_RULE,
        place="abstract, section 1",
        text="Adam is computationally efficient.",
        test="count an update's operations, beside those of the gradient",
        statistic="share <= 10 %",
        scale="per parameter, batch 128",
        seeds="none",
        judge=_computation,
        chapter="adam/algorithm",
    ),
    Claim(
        name="C3",
        group=_RULE,
        place="abstract, section 2.1",
        text="Its steps do not change when gradients are rescaled, each coordinate by its own factor.",
        test="rescale by powers of two, by 1e-8, and by a changing factor",
        statistic="bit for bit with epsilon = 0; within 1 % with the default",
        scale="20 coordinates, 100 steps",
        seeds="1",
        judge=_invariance,
        chapter="adam/algorithm",
    ),
    Claim(
        name="C4",
        group=_STEPS,
        place="section 2.1",
        text=(
            "A step is at most alpha (1 - beta1) / sqrt(1 - beta2) long if that exceeds alpha, else at most alpha."
        ),
        test="the worst gradients after a silence; random ones against the sharp bound",
        statistic="longest step / alpha against the bound",
        scale="5,300 steps; 300 random sequences",
        seeds="1",
        judge=_bounds,
        chapter="adam/step_size",
    ),
    Claim(
        name="C5",
        group=_STEPS,
        place="section 2.1",
        text=(
            "Steps longer than alpha happen only in the most severe case of sparsity: one gradient after zeros alone."
        ),
        test="12 equal gradients after a silence",
        statistic="a later step longer than the first",
        scale="5,012 steps",
        seeds="none",
        judge=_lone_gradient,
        chapter="adam/step_size",
    ),
    Claim(
        name="C6",
        group=_STEPS,
        place="section 2.1",
        text="If 1 - beta1 = sqrt(1 - beta2), every step is shorter than alpha.",
        test="the first step, and the worst gradients, at (0.9, 0.99)",
        statistic="longest step / alpha < 1",
        scale="5,300 steps",
        seeds="none",
        judge=_equal_case,
        chapter="adam/step_size",
    ),
    Claim(
        name="C7",
        group=_STEPS,
        place="section 2.1",
        text="In common scenarios a step is at most about alpha long.",
        test="logistic regression on pixels and on words",
        statistic="at most 1 % of the steps longer than 1.1 alpha",
        scale="4,000 images and 25,000 reviews, 10 epochs",
        seeds="1",
        judge=_typical_steps,
        chapter="adam/step_size",
    ),
    Claim(
        name="C8",
        group=_STEPS,
        place="section 2.1",
        text="Where the signal-to-noise ratio is small, steps are small: an automatic annealing.",
        test="Gaussian gradients of four signal-to-noise ratios",
        statistic="mean step within 0.02 alpha of the formula; length falls",
        scale="200 coordinates, 4,000 steps",
        seeds="1",
        judge=_annealing,
        chapter="adam/moments",
    ),
    Claim(
        name="C9",
        group=_BIAS,
        place="section 3",
        text="For a stationary gradient, E[v_t] = E[g^2] (1 - beta2^t).",
        test="the mean of v over many coordinates",
        statistic="within 3 standard errors",
        scale="20,000 coordinates, 100 steps",
        seeds="1",
        judge=_expected_v,
        chapter="adam/bias_correction",
    ),
    Claim(
        name="C10",
        group=_BIAS,
        place="section 3",
        text="What is left, zeta, stays small if old gradients get small weights.",
        test="squared gradients that grow steadily, against the exact zeta",
        statistic="equal to 1e-9; smaller for a faster decay",
        scale="4,000 steps",
        seeds="none",
        judge=_drift,
        chapter="adam/bias_correction",
    ),
    Claim(
        name="C11",
        group=_BIAS,
        place="section 3",
        text=("Sparse gradients need a slow average, and then a missing correction makes first steps much larger."),
        test="rare gradients; first steps without correction",
        statistic="v's spread falls and first steps grow with beta2",
        scale="300 coordinates, 3,000 steps",
        seeds="1",
        judge=_sparse_start,
        chapter="adam/bias_correction",
    ),
)
"""Claims C1 to C11."""
