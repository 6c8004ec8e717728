"""The equations of book/adam/algorithm.ipynb, each against adamcore on random inputs."""

from functools import partial

import numpy as np
import pytest

from adamcore import SGD, AdaGrad, Adam, inverse_sqrt
from tests.book.equations import equation

H = np.array([1.0, 100.0])


def quadratic(theta):
    return 0.5 * (H[0] * theta[0] ** 2 + H[1] * theta[1] ** 2)


def one_step(rng, t=None, **hyper):
    """A rule with random decay rates, its state before and after a step at a random t, and the gradient."""
    rule = Adam(**{"alpha": 0.3, "beta1": rng.uniform(0.1, 0.95), "beta2": rng.uniform(0.1, 0.999), **hyper})
    before = rule.init(rng.normal(size=5))
    for _ in range(int(rng.integers(1, 20)) if t is None else t - 1):
        rule.step(before, rng.normal(size=5))
    after = rule.init(before.theta)
    after.t, after.m, after.v = before.t, before.m, before.v
    g = rng.normal(size=5)
    rule.step(after, g)
    return rule, before, after, g


@equation(
    "eq-ravine",
    r"f(\theta) = \tfrac{1}{2} \left( h_1 \theta_1^2 + h_2 \theta_2^2 \right) .",
)
def test_ravine(chapter, rng):
    assert (chapter["h"] == H).all()
    for theta in rng.normal(size=(10, 2)):
        assert chapter["f"](theta) == pytest.approx(quadratic(theta))


@equation("eq-ravine-gradient", r"g = \nabla f(\theta) = \left( h_1 \theta_1,\; h_2 \theta_2 \right).")
def test_ravine_gradient(chapter, rng):
    theta, step = rng.normal(size=2), 1e-6
    for i, direction in enumerate(np.eye(2)):
        slope = (quadratic(theta + step * direction) - quadratic(theta - step * direction)) / (2 * step)
        assert chapter["gradient"](theta)[i] == pytest.approx(slope)


@equation("eq-sgd", r"\theta_t = \theta_{t-1} - \alpha\, g_t,")
def test_sgd(rng):
    theta, g = rng.normal(size=(2, 4))
    s = SGD(alpha=0.2).init(theta)
    SGD(alpha=0.2).step(s, g)
    np.testing.assert_array_equal(s.theta, theta - 0.2 * g)


@equation(
    "eq-sgd-ravine",
    r"\theta_{t,i} = \theta_{t-1,i} - \alpha h_i \theta_{t-1,i} = (1 - \alpha h_i)\, \theta_{t-1,i}.",
)
def test_sgd_in_the_ravine(rng):
    theta, alpha = rng.normal(size=2), rng.uniform(0, 0.03)
    s = SGD(alpha=alpha).init(theta)
    SGD(alpha=alpha).step(s, H * theta)
    np.testing.assert_allclose(s.theta, (1 - alpha * H) * theta)


@equation("eq-sgd-stable", r"0 < \alpha < \frac{2}{h_i}.")
def test_sgd_stable():
    for factor, shrinks in ((0.99, True), (1.01, False), (0.0, False)):
        rule = SGD(alpha=factor * 2 / H[1])
        s = rule.init(np.array([0.0, 1.0]))
        for _ in range(10):
            rule.step(s, H * s.theta)
        assert (abs(s.theta[1]) < 1) == shrinks


@equation("eq-adam-m", r"m_t = \beta_1 m_{t-1} + (1 - \beta_1)\, g_t")
def test_first_moment(rng):
    rule, before, after, g = one_step(rng)
    np.testing.assert_allclose(after.m, rule.beta1 * before.m + (1 - rule.beta1) * g, rtol=1e-13)


@equation("eq-adam-v", r"v_t = \beta_2 v_{t-1} + (1 - \beta_2)\, g_t^2")
def test_second_moment(rng):
    rule, before, after, g = one_step(rng)
    np.testing.assert_allclose(after.v, rule.beta2 * before.v + (1 - rule.beta2) * g * g, rtol=1e-13)


@equation("eq-adam-m-hat", r"\hat m_t = \frac{m_t}{1 - \beta_1^t}")
def test_corrected_first_moment(rng):
    rule, before, after, _ = one_step(rng)
    np.testing.assert_allclose(after.m_hat, after.m / (1 - rule.beta1 ** (before.t + 1)), rtol=1e-12)


@equation("eq-adam-v-hat", r"\hat v_t = \frac{v_t}{1 - \beta_2^t}")
def test_corrected_second_moment(rng):
    rule, before, after, _ = one_step(rng)
    np.testing.assert_allclose(after.v_hat, after.v / (1 - rule.beta2 ** (before.t + 1)), rtol=1e-12)


@equation(
    "eq-adam-step",
    r"\theta_t = \theta_{t-1} - \alpha\, \frac{\hat m_t}{\sqrt{\hat v_t} + \epsilon}",
)
def test_step(rng):
    rule, before, after, _ = one_step(rng, eps=0.5)
    expected = before.theta - rule.alpha * after.m_hat / (np.sqrt(after.v_hat) + rule.eps)
    np.testing.assert_allclose(after.theta, expected, rtol=1e-13)


@equation(
    "eq-adam-first-step",
    r"""\theta_1 = \theta_0 - \alpha\, \frac{g_1}{|g_1| + \epsilon} \approx
    \theta_0 - \alpha \operatorname{sign}(g_1).""",
)
def test_first_step(rng):
    rule, before, after, g = one_step(rng, t=1, eps=0.1)
    np.testing.assert_allclose(after.theta, before.theta - rule.alpha * g / (np.abs(g) + rule.eps), rtol=1e-12)
    rule, before, after, g = one_step(rng, t=1, eps=1e-8)
    np.testing.assert_allclose(after.theta, before.theta - rule.alpha * np.sign(g), atol=1e-6)


@equation(
    "eq-adam-scale",
    r"""\frac{c\, \hat m_t}{\sqrt{c^2\, \hat v_t}} = \frac{\hat m_t}{\sqrt{\hat v_t}}
    \qquad (c > 0,\; \epsilon = 0).""",
)
def test_scale(rng):
    rule = Adam(eps=0)
    c = 10 ** rng.uniform(-3, 3, size=4)
    one, other = rule.init(np.zeros(4)), rule.init(np.zeros(4))
    for g in rng.normal(size=(10, 4)):
        rule.step(one, g)
        rule.step(other, c * g)
        np.testing.assert_allclose(other.m_hat, c * one.m_hat, rtol=1e-10)
        np.testing.assert_allclose(other.v_hat, c**2 * one.v_hat, rtol=1e-10)
        np.testing.assert_allclose(other.theta, one.theta, rtol=1e-9)


@equation(
    "eq-adam-efficient",
    r"""\begin{aligned}
    \theta_t &= \theta_{t-1} - \alpha_t\, \frac{m_t}{\sqrt{v_t} + \hat\epsilon_t} , \\
    \alpha_t &= \alpha\, \frac{\sqrt{1 - \beta_2^t}}{1 - \beta_1^t} ,
    \end{aligned}""",
)
@equation("eq-adam-eps-hat", r"\hat\epsilon_t = \epsilon\, \sqrt{1 - \beta_2^t} .")
def test_efficient_order(rng):
    """The same as Algorithm 1, with an epsilon as large as the gradients, so that its place matters."""
    rule, before, after, _ = one_step(rng, eps=0.5)
    alpha_t = rule.alpha * np.sqrt(1 - rule.beta2**after.t) / (1 - rule.beta1**after.t)
    eps_hat_t = rule.eps * np.sqrt(1 - rule.beta2**after.t)
    expected = before.theta - alpha_t * after.m / (np.sqrt(after.v) + eps_hat_t)
    np.testing.assert_allclose(after.theta, expected, rtol=1e-12)


@equation("eq-adam-eps-of-hat", r"\epsilon_t = \frac{\hat\epsilon}{\sqrt{1 - \beta_2^t}} ,")
def test_constant_epsilon_hat_is_an_epsilon_that_falls(rng):
    rule, before, after, _ = one_step(rng, eps=0.5, eps_place="hat")
    eps_t = rule.eps / np.sqrt(1 - rule.beta2**after.t)
    expected = before.theta - rule.alpha * after.m_hat / (np.sqrt(after.v_hat) + eps_t)
    np.testing.assert_allclose(after.theta, expected, rtol=1e-12)


@equation(
    "eq-adam-limit",
    r"\lim_{\beta_2 \to 1} \hat v_t = \frac{1}{t} \sum_{i=1}^{t} g_i^2 ,",
)
def test_limit_of_v_hat(rng):
    rule = Adam(beta2=1 - 1e-10)
    s = rule.init(np.zeros(4))
    squares = 0
    for t, g in enumerate(rng.normal(size=(20, 4)), start=1):
        rule.step(s, g)
        squares = squares + g**2
        np.testing.assert_allclose(s.v_hat, squares / t, rtol=1e-7)


@equation(
    "eq-adam-adagrad",
    r"""\frac{\alpha}{\sqrt t} \cdot \frac{g_t}{\sqrt{\frac{1}{t} \sum_{i=1}^{t} g_i^2}}
    = \frac{\alpha\, g_t}{\sqrt{\sum_{i=1}^{t} g_i^2}} ,""",
)
def test_adagrad_is_a_limit(rng):
    adam, adagrad = Adam(alpha=inverse_sqrt(0.3), beta1=0, beta2=1 - 1e-10, eps=0), AdaGrad(alpha=0.3, eps=0)
    one, other = adam.init(np.zeros(4)), adagrad.init(np.zeros(4))
    squares = 0
    for g in rng.normal(size=(20, 4)):
        before = one.theta
        adam.step(one, g)
        adagrad.step(other, g)
        squares = squares + g**2
        np.testing.assert_allclose(one.theta - before, -0.3 * g / np.sqrt(squares), rtol=1e-7)
        np.testing.assert_allclose(one.theta, other.theta, rtol=1e-6, atol=1e-9)


@equation(
    "eq-adam-uncorrected-first-step",
    r"""\alpha\, \frac{(1 - \beta_1)\, |g_1|}{\sqrt{1 - \beta_2}\; |g_1|} =
    \alpha\, \frac{1 - \beta_1}{\sqrt{1 - \beta_2}},""",
)
def test_uncorrected_first_step(chapter, rng):
    g = np.array([1.0, -1.0, 1.0]) * rng.exponential(size=3)
    for beta1, beta2 in ((rng.uniform(0.1, 0.95), rng.uniform(0.1, 0.999)), (0.9, 0.999)):
        first = (1 - beta1) / np.sqrt(1 - beta2)
        for rule in (chapter["Uncorrected"], partial(Adam, bias_correction=False)):
            rule = rule(alpha=0.3, beta1=beta1, beta2=beta2, eps=0)
            s = rule.init(np.zeros(3))
            rule.step(s, g)
            np.testing.assert_allclose(np.abs(s.theta), 0.3 * first)
    assert first == pytest.approx(3.16, abs=0.005)  # at the defaults


@pytest.fixture(scope="module")
def chapter():
    """The names that the chapter's cells define, figures left out."""
    import nbformat

    from tests.book.equations import BOOK

    cells = nbformat.read(BOOK / "adam" / "algorithm.ipynb", as_version=4).cells
    code = {cell["id"]: cell.source for cell in cells if cell.cell_type == "code"}
    names: dict = {}
    exec(code["imports"].replace("use_style()", "") + "\n" + code["ravine-code"], names)
    exec(code["uncorrected"].split("\n\n\n")[0], names)
    return names
