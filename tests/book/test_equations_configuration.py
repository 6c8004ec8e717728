"""The equations of book/practice/configuration.ipynb, each against adamcore on random inputs or a simulation."""

import numpy as np
import pytest

from adamcore import Adam, AdamW, Momentum, cosine, inverse_sqrt, walk, warmup
from tests.book.equations import equation


@pytest.mark.parametrize(
    "alpha", [0.3, inverse_sqrt(0.3), cosine(0.3, steps=50), warmup(0.3, steps=10)], ids=lambda a: type(a).__name__
)
@equation("eq-config-budget", r"A_T = \sum_{t=1}^{T} \alpha_t")
def test_budget(alpha, rng):
    rule = Adam(alpha=alpha, eps=0)
    budget = sum(rule.at(t).alpha for t in range(1, 51))
    steady = walk(rule, np.ones_like, np.zeros(1), steps=50)[-1, 0]
    assert steady == pytest.approx(-budget, rel=1e-12)
    # "about ... at most": with equal betas no gradients carry a parameter farther.
    balanced = Adam(alpha=alpha, beta1=0.9, beta2=0.9, eps=0)
    gradients = iter(rng.normal(0.5, 1, size=(50, 20)))
    assert np.abs(walk(balanced, lambda theta: next(gradients), np.zeros(20), steps=50)[-1]).max() <= budget


@equation("eq-config-sqrt-budget", r"\sum_{t=1}^{T} \frac{\alpha}{\sqrt t} \approx 2 \alpha \sqrt T .")
def test_budget_of_the_decay(rng):
    alpha = rng.uniform(0.01, 1)
    schedule = inverse_sqrt(alpha)
    for count in (100, 1000, 10_000):
        budget = sum(schedule(t) for t in range(1, count + 1))
        # Between the integrals of 1 / sqrt(t) from 1 to T + 1 and from 0 to T.
        assert 2 * alpha * (np.sqrt(count + 1) - 1) < budget < 2 * alpha * np.sqrt(count)


@equation("eq-config-epoch", r"\frac{\alpha / \sqrt{k}}{\alpha / \sqrt{k n}} = \sqrt n ,")
def test_steps_or_epochs(rng):
    n = int(rng.integers(2, 1000))
    per_step, per_epoch = inverse_sqrt(0.1), inverse_sqrt(0.1, steps_per_epoch=n)
    for k in (1, 2, 7):
        assert per_epoch(k * n) / per_step(k * n) == pytest.approx(n**0.5, rel=1e-12)


@equation(
    "eq-config-outlier",
    r"\frac{c}{\sqrt{v}} = \frac{1}{\sqrt{1 + (1 - \beta_2)(S^2 - 1)\, \beta_2^{k}}} .",
)
def test_outlier(rng):
    c, size, beta2 = rng.uniform(0.1, 10), rng.uniform(2, 200), rng.uniform(0.5, 0.99)
    rule = Adam(beta2=beta2, eps=0)
    s = rule.init(np.zeros(1))
    s.t = 10**6  # long ago; v is that of a constant gradient
    s.v = np.array([c**2])
    rule.step(s, np.array([size * c]))
    for k in range(50):
        expected = 1 / np.sqrt(1 + (1 - beta2) * (size**2 - 1) * beta2**k)
        np.testing.assert_allclose(c / np.sqrt(s.v_hat), expected, rtol=1e-9)
        rule.step(s, rng.choice([-c, c], size=1))


@equation(
    "eq-config-eps-large",
    r"""\begin{aligned}
    \theta_t &= \theta_{t-1} - \alpha\, \frac{\hat m_t}{\sqrt{\hat v_t} + \epsilon} \\
    &\approx \theta_{t-1} - \frac{\alpha}{\epsilon}\, \hat m_t .
    \end{aligned}""",
)
def test_large_epsilon(rng):
    eps, eta = 1e8, 0.05
    gradients = rng.normal(size=(30, 4))
    rule = Adam(alpha=eta * eps, eps=eps)
    s = rule.init(rng.normal(size=4))
    for g in gradients:
        before = s.theta
        rule.step(s, g)
        np.testing.assert_allclose(before - s.theta, eta * s.m_hat, rtol=1e-6, atol=1e-12)
    # Without bias correction it is momentum in its averaging form, step for step.
    sides = [Adam(alpha=eta * eps, eps=eps, bias_correction=False), Momentum(alpha=eta, mu=0.9, form="average")]
    ends = [walk(rule, lambda theta: np.array([3, 1, 0.1]) * theta, np.ones(3), steps=40)[-1] for rule in sides]
    np.testing.assert_allclose(*ends, rtol=1e-5)


def scaled(kappa, eps=1e-8, power=0.5):
    """The settings of the rule for kappa times as large minibatches, from those for kappa = 1."""
    return Adam(
        alpha=0.01 * kappa**power,
        beta1=1 - kappa * (1 - 0.9),
        beta2=1 - kappa * (1 - 0.999),
        eps=eps / kappa**0.5,
    )


def mean_square(rule, kappa, examples, rng, *, h, sigma):
    """The mean of x^2 over 4,000 noisy parabolas, in the second half of a run."""
    s, late = rule.init(np.zeros(4000)), []
    for t in range(examples // kappa):
        rule.step(s, h * s.theta + sigma / kappa**0.5 * rng.normal(size=4000))
        if 2 * t * kappa >= examples:
            late.append((s.theta**2).mean())
    return np.mean(late)


@equation(
    "eq-config-floor",
    r"\frac{(\sqrt\kappa\, \alpha)\, (\sigma / \sqrt\kappa)}{2h} = \frac{\alpha\, \sigma}{2h} .",
)
def test_floor_is_kept(rng):
    floor = 0.01 * 8 / 2
    for kappa in (1, 4):
        assert mean_square(scaled(kappa), kappa, 8000, rng, h=1.0, sigma=8.0) == pytest.approx(floor, rel=0.08)
    # Neither the old step size nor the linear rule keeps it.
    assert mean_square(scaled(4, power=0), 4, 8000, rng, h=1.0, sigma=8.0) < 0.7 * floor
    assert mean_square(scaled(4, power=1), 4, 8000, rng, h=1.0, sigma=8.0) > 1.5 * floor


@equation(
    "eq-config-batch",
    r"""\begin{aligned}
    \alpha' &= \sqrt\kappa\; \alpha , \\
    1 - \beta_i' &= \kappa\, (1 - \beta_i) , \\
    \epsilon' &= \epsilon / \sqrt\kappa .
    \end{aligned}""",
)
def test_square_root_rule(rng):
    # In pure noise with an epsilon as large as the noise, equal numbers of examples make walks equally wide.
    kappa, sigma = 4, 3.0
    for beta, new in ((0.9, scaled(kappa).beta1), (0.999, scaled(kappa).beta2)):
        assert kappa / (1 - new) == pytest.approx(1 / (1 - beta))  # the window, counted in old minibatches
    wide = mean_square(scaled(1, eps=sigma), 1, 8000, rng, h=0.0, sigma=sigma)
    assert mean_square(scaled(kappa, eps=sigma), kappa, 8000, rng, h=0.0, sigma=sigma) == pytest.approx(
        wide, rel=0.08
    )
    # With epsilon left as it was, they do not; the factor eps * sqrt(kappa) undoes the rule's last part.
    left = scaled(kappa, eps=sigma * kappa**0.5)
    assert mean_square(left, kappa, 8000, rng, h=0.0, sigma=sigma) < 0.6 * wide


@equation(
    "eq-config-decoupled",
    r"""\begin{aligned}
    \theta_t &= (1 - \alpha \lambda)\, \theta_{t-1} , \quad \text{so} \\
    \theta_t &= (1 - \alpha \lambda)^t\, \theta_0 :
    \end{aligned}""",
)
def test_decoupled_decay(rng):
    start, alpha, weight_decay = rng.normal(size=5), rng.uniform(0.001, 0.1), rng.uniform(0.01, 1)
    visited = walk(AdamW(alpha=alpha, weight_decay=weight_decay), np.zeros_like, start, steps=40)
    np.testing.assert_allclose(visited[1:], (1 - alpha * weight_decay) * visited[:-1], rtol=1e-12)
    np.testing.assert_allclose(visited[-1], (1 - alpha * weight_decay) ** 40 * start, rtol=1e-10)


@equation(
    "eq-config-clip",
    r"g \leftarrow g \cdot \min\!\left( 1,\; \frac{c}{\lVert g \rVert} \right) .",
)
def test_clipping(rng):
    def clipped(g, c):
        return g * min(1, c / np.linalg.norm(g))

    g = rng.normal(size=6)
    norm = np.linalg.norm(g)
    np.testing.assert_allclose(np.linalg.norm(clipped(g, 0.3 * norm)), 0.3 * norm)
    assert (clipped(g, 1.1 * norm) == g).all()
    # Where every gradient is clipped, Adam does not see the threshold.
    gradients, ends = 50 * rng.normal(size=(100, 3)), []
    for c in (1.0, 2.0**-6):
        rule = Adam(eps=0)
        s = rule.init(np.zeros(3))
        for each in gradients:
            rule.step(s, clipped(each, c))
        ends.append(s.theta)
    np.testing.assert_array_equal(*ends)


def bf16(x):
    """Rounded to eight significant binary digits, as the chapter does it."""
    digits, exponent = np.frexp(np.asarray(x, np.float32))
    return np.ldexp(np.round(digits * 256) / 256, exponent)


@equation(
    "eq-config-lost",
    r"""\begin{aligned}
    & |\Delta| < 2^{-(p+1)}\, |x| \\
    & \Longrightarrow \; x + \Delta \text{ is rounded to } x .
    \end{aligned}""",
)
def test_lost_changes(rng):
    for p, rounded in ((8, bf16), (11, np.float16), (24, np.float32)):
        x = np.asarray(rounded(rng.uniform(0.3, 3, size=500) * rng.choice([-1, 1], size=500)), float)
        x[:2] = 1, -2  # powers of two, where the numbers below are closest
        limit = 2.0 ** -(p + 1) * np.abs(x)
        for sign in (-1, 1):
            np.testing.assert_array_equal(np.asarray(rounded(x + sign * 0.999 * limit), float), x)
        # The limit is sharp at a power of two, toward zero.
        assert float(rounded(np.float64(1) - 1.001 * 2.0 ** -(p + 1))) < 1
    # In bf16, v does not decay at the default beta2, and does at 0.95.
    assert bf16(np.float32(0.999) * np.float32(1)) == 1
    assert bf16(np.float32(0.95) * np.float32(1)) < 1
    # Between 0.996 and 0.998 it sticks before it has halved, wherever it starts; below, it does not stick.
    start = np.float32(1) + np.arange(128, dtype=np.float32) / 128
    for beta2 in (0.9962, 0.997, 0.9979, 0.996):
        v = start
        for _ in range(4000):
            v = bf16(np.float32(beta2) * v)
        assert (v > start / 2).all() if beta2 > 0.996 else (v < start / 1000).all(), beta2


def test_bf16_is_that_of_ml_dtypes(rng):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    x = (rng.normal(size=2000) * 10.0 ** rng.integers(-20, 20, size=2000)).astype(np.float32)
    np.testing.assert_array_equal(bf16(x), x.astype(ml_dtypes.bfloat16).astype(np.float32))
