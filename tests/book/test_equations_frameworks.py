"""The equations of book/practice/frameworks.ipynb, each against adamcore on random inputs."""

import math
from dataclasses import replace

import numpy as np
import pytest

from adamcore import Adam, walk
from adamcore.optim import dialect
from tests.book.equations import equation


def settings(rng):
    """An alpha, two decay rates and an epsilon."""
    alpha, beta1, beta2 = rng.uniform(0.01, 1), rng.uniform(0.1, 0.98), rng.uniform(0.5, 0.999)
    return {"alpha": alpha, "beta1": beta1, "beta2": beta2, "eps": 10 ** rng.uniform(-6, 0)}


def lengths(rule, size, steps):
    """How far a constant gradient moves a parameter, step by step."""
    return -np.diff(walk(rule, lambda theta: np.full(1, size), np.zeros(1), steps)[:, 0])


def some_steps(rule, rng, steps):
    """What the rule adds to theta at the last of some random steps, and the state after it."""
    s = rule.init(np.zeros(6))
    for _ in range(steps):
        before = s.theta
        rule.step(s, rng.normal(size=6) * 10.0 ** -np.arange(6))
    return s.theta - before, s


@equation("eq-fw-constant", r"|\theta_t - \theta_{t-1}| = \alpha\, \frac{g}{g + \epsilon_t}")
def test_step_for_a_constant_gradient(rng):
    chosen, g = settings(rng), 10 ** rng.uniform(-6, 0)
    made = lengths(Adam(**chosen), g, 30)
    np.testing.assert_allclose(made, chosen["alpha"] * g / (g + chosen["eps"]), rtol=1e-9)
    made = lengths(Adam(**chosen, eps_place="hat"), g, 30)  # an epsilon that changes with t
    eps = chosen["eps"] / np.sqrt(1 - chosen["beta2"] ** np.arange(1, 31))
    np.testing.assert_allclose(made, chosen["alpha"] * g / (g + eps), rtol=1e-9)


@equation("eq-fw-measure", r"\epsilon_t = g \left( \frac{\alpha}{|\theta_t - \theta_{t-1}|} - 1 \right)")
def test_measured_epsilon(rng):
    g = 1e-8
    for library in ("torch", "tfjs", "keras", "sklearn"):
        rule = dialect(library, "adam")
        measured = g * (rule.alpha / lengths(rule, g, 50) - 1)
        c = np.sqrt(1 - rule.beta2 ** np.arange(1, 51)) if rule.eps_place == "hat" else 1.0
        np.testing.assert_allclose(measured, rule.eps / c, rtol=1e-6)


@equation(
    "eq-fw-uncorrected",
    r"""\alpha\, \frac{m_t}{\sqrt{v_t} + \epsilon}
    = \alpha\, \frac{1 - \beta_1^t}{c_t} \cdot \frac{\hat m_t}{\sqrt{\hat v_t} + \epsilon / c_t}""",
)
def test_uncorrected(rng):
    chosen, t = settings(rng), int(rng.integers(1, 30))
    rule = dialect("mlx", "adam", **chosen)
    step, s = some_steps(rule, rng, t)
    c = math.sqrt(1 - rule.beta2**t)
    m_hat, v_hat = s.m / (1 - rule.beta1**t), s.v / (1 - rule.beta2**t)
    np.testing.assert_allclose(-step, rule.alpha * s.m / (np.sqrt(s.v) + rule.eps), rtol=1e-8)
    right = rule.alpha * (1 - rule.beta1**t) / c * m_hat / (np.sqrt(v_hat) + rule.eps / c)
    np.testing.assert_allclose(-step, right, rtol=1e-8)


@equation(
    "eq-fw-two",
    r"""\alpha\, \frac{\hat m_t}{\sqrt{\hat v_t} + \hat\epsilon / c_t}
    = \alpha\, c_t\, \frac{\hat m_t}{c_t \sqrt{\hat v_t} + \hat\epsilon}""",
)
def test_two_readings(rng):
    t = int(rng.integers(1, 30))
    rule = Adam(**settings(rng), eps_place="hat")
    step, s = some_steps(rule, rng, t)
    c = math.sqrt(1 - rule.beta2**t)
    np.testing.assert_allclose(-step, rule.alpha * s.m_hat / (np.sqrt(s.v_hat) + rule.eps / c), rtol=1e-8)
    np.testing.assert_allclose(-step, rule.alpha * c * s.m_hat / (c * np.sqrt(s.v_hat) + rule.eps), rtol=1e-8)


@equation(
    "eq-fw-ratio",
    r"c_t \;\le\; \frac{\sqrt{\hat v_t} + \epsilon}{\sqrt{\hat v_t} + \epsilon / c_t} \;\le\; 1",
)
def test_ratio_of_the_steps(rng):
    for _ in range(20):
        chosen, t = settings(rng), int(rng.integers(1, 30))
        start = rng.integers(2**32)
        hat, s = some_steps(Adam(**chosen, eps_place="hat"), np.random.default_rng(start), t)
        one, _ = some_steps(Adam(**chosen), np.random.default_rng(start), t)
        c, root = math.sqrt(1 - chosen["beta2"] ** t), np.sqrt(s.v_hat)
        np.testing.assert_allclose(hat / one, (root + chosen["eps"]) / (root + chosen["eps"] / c), rtol=1e-6)
        assert (hat / one >= c * (1 - 1e-9)).all()
        assert (hat / one <= 1 + 1e-9).all()


@equation("eq-fw-time", r"c_t \ge q \quad \Longleftrightarrow \quad t \ge \frac{\ln (1 - q^2)}{\ln \beta_2}")
def test_time_of_the_warm_up(rng):
    for _ in range(20):
        beta2, q = rng.uniform(0.5, 0.9999), rng.uniform(0.05, 0.99)
        rule = Adam(alpha=1.0, beta2=beta2, eps=1e6, eps_place="hat")  # so large that the ratio is c_t
        reached = lengths(rule, 1.0, 100) / lengths(replace(rule, eps_place="outside"), 1.0, 100)
        late = np.arange(1, 101) >= math.log(1 - q**2) / math.log(beta2)
        away = np.abs(reached - q) > 1e-5
        np.testing.assert_array_equal((reached >= q)[away], late[away])


@equation(
    "eq-fw-convert",
    r"""\begin{aligned}
    \epsilon &= \frac{\hat\epsilon}{\sqrt{1 - \beta_2^t}} , \\
    \hat\epsilon &= \epsilon\, \sqrt{1 - \beta_2^t} .
    \end{aligned}""",
)
@pytest.mark.parametrize(("of", "to", "power"), [("hat", "outside", -0.5), ("outside", "hat", 0.5)])
def test_conversion(of, to, power, rng):
    chosen = settings(rng)
    rule, other = Adam(**chosen, eps_place=of), Adam(**chosen, eps_place=to)
    a, b = rule.init(np.zeros(6)), other.init(np.zeros(6))
    for t in range(1, 60):
        g = rng.normal(size=6) * 10.0 ** -np.arange(6)
        rule.step(a, g)
        replace(other, eps=rule.eps * (1 - rule.beta2**t) ** power).step(b, g)
    np.testing.assert_allclose(a.theta, b.theta, rtol=1e-10)


@equation(
    "eq-fw-large",
    r"""\begin{aligned}
    \alpha\, \frac{\hat m_t}{\sqrt{\hat v_t} + \epsilon}
    &= \frac{\alpha}{\epsilon} \cdot \frac{\hat m_t}{1 + \sqrt{\hat v_t} / \epsilon} , \\
    \alpha\, \frac{\hat m_t}{\sqrt{\hat v_t} + \hat\epsilon / c_t}
    &= \frac{\alpha}{\hat\epsilon}\, c_t \cdot \frac{\hat m_t}{1 + c_t \sqrt{\hat v_t} / \hat\epsilon} .
    \end{aligned}""",
)
def test_large_epsilon(rng):
    chosen, t = settings(rng), int(rng.integers(1, 30))
    alpha, eps, c = chosen["alpha"], chosen["eps"], math.sqrt(1 - chosen["beta2"] ** t)
    step, s = some_steps(Adam(**chosen), rng, t)
    np.testing.assert_allclose(-step, alpha / eps * s.m_hat / (1 + np.sqrt(s.v_hat) / eps), rtol=1e-8)
    step, s = some_steps(Adam(**chosen, eps_place="hat"), rng, t)
    np.testing.assert_allclose(-step, alpha / eps * c * s.m_hat / (1 + c * np.sqrt(s.v_hat) / eps), rtol=1e-8)


@pytest.mark.slow
def test_keras_run_in_torch(rng):
    """The page's lines for PyTorch: with epsilon set before every step it takes Keras's path."""
    torch = pytest.importorskip("torch")
    gradients = rng.normal(size=(100, 4)) * [1e-3, 1e-6, 1e-8, 1e-9]
    theta = torch.nn.Parameter(torch.zeros(4, dtype=torch.float64))
    optimizer = torch.optim.Adam([theta], lr=0.001)
    keras = dialect("keras", "adam")
    s = keras.init(np.zeros(4))
    for t, g in enumerate(gradients, start=1):
        for group in optimizer.param_groups:
            group["eps"] = 1e-7 / math.sqrt(1 - 0.999**t)
        theta.grad = torch.tensor(g)
        optimizer.step()
        keras.step(s, g)
    np.testing.assert_allclose(theta.detach().numpy(), s.theta, rtol=1e-11)
