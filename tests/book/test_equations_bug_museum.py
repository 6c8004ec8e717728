"""The equations of book/practice/bug_museum.ipynb, each against adamcore on random inputs."""

from dataclasses import dataclass

import numpy as np
import pytest

from adamcore import Adam, AdamW
from tests.book.equations import equation


def ratios(rule, gradients):
    """The steps in units of alpha, a row each."""
    s = rule.init(np.zeros(np.shape(gradients)[1:]))
    made = []
    for g in gradients:
        s.theta = np.zeros_like(s.theta)
        rule.step(s, g)
        made.append(-s.theta / rule.alpha)
    return np.array(made)


def betas(rng):
    return rng.uniform(0.1, 0.95), rng.uniform(0.1, 0.999)


@equation(
    "eq-museum-steady",
    r"\theta_{t-1} - \theta_t = \alpha\, \frac{g}{|g| + \epsilon} \quad \text{for every } t .",
)
def test_steady(rng):
    for _ in range(5):
        beta1, beta2 = betas(rng)
        eps = 10.0 ** rng.uniform(-9, 0)
        g = rng.normal(size=6) * 10.0 ** rng.uniform(-10, 4, size=6)
        rule = Adam(alpha=0.3, beta1=beta1, beta2=beta2, eps=eps)
        expected = np.tile(g / (np.abs(g) + eps), (100, 1))
        np.testing.assert_allclose(ratios(rule, np.tile(g, (100, 1))), expected, rtol=1e-9)
    np.testing.assert_allclose(ratios(Adam(), np.full((50, 1), 1e-8)), 1 / 2, rtol=1e-9)


@equation(
    "eq-museum-turning",
    r"""\frac{|\theta_{t-1} - \theta_t|}{\alpha} = \frac{1 - \beta_1}{1 + \beta_1} \cdot
    \frac{1 - (-\beta_1)^t}{1 - \beta_1^t} .""",
)
def test_turning(rng):
    t = np.arange(1, 201)
    for beta1, beta2 in (betas(rng), betas(rng), (0.9, 0.999)):
        made = np.abs(ratios(Adam(beta1=beta1, beta2=beta2, eps=0), ((-1.0) ** t)[:, None]))[:, 0]
        expected = (1 - beta1) / (1 + beta1) * (1 - (-beta1) ** t) / (1 - beta1**t)
        np.testing.assert_allclose(made, expected, rtol=1e-9)
    assert made[-1] == pytest.approx(1 / 19, rel=1e-6)


@equation(
    "eq-museum-spike",
    r"""\begin{aligned}
    \frac{\theta_{t-1} - \theta_t}{\alpha}
    &= \frac{1 - \beta_1}{\sqrt{1 - \beta_2}} \left( \frac{\beta_1}{\sqrt{\beta_2}} \right)^{t-1} \\
    & \quad \cdot \frac{\sqrt{1 - \beta_2^t}}{1 - \beta_1^t} .
    \end{aligned}""",
)
def test_spike(rng):
    t = np.arange(1, 101)
    gradients = np.zeros((100, 2))
    gradients[0] = 1.0
    for beta1, beta2 in ((0.9, 0.999), (rng.uniform(0.1, 0.9), rng.uniform(0.8, 0.999))):
        made = ratios(Adam(beta1=beta1, beta2=beta2, eps=0), gradients)
        first = (1 - beta1) / np.sqrt(1 - beta2) * (beta1 / np.sqrt(beta2)) ** (t - 1)
        expected = first * np.sqrt(1 - beta2**t) / (1 - beta1**t)
        np.testing.assert_allclose(made, np.tile(expected[:, None], 2), rtol=1e-9)


@equation("eq-museum-nothing", r"\theta_t = (1 - \alpha \lambda)^t\, \theta_0 .")
def test_nothing(rng):
    theta, alpha, weight_decay = rng.normal(size=4), rng.uniform(0, 0.5), rng.uniform(0, 1)
    for rule, kept in (
        (Adam(alpha=alpha), 1.0),
        (AdamW(alpha=alpha, weight_decay=weight_decay), 1 - alpha * weight_decay),
    ):
        s = rule.init(theta)
        for t in range(1, 30):
            rule.step(s, np.zeros(4))
            np.testing.assert_allclose(s.theta, kept**t * theta, rtol=1e-12)


@dataclass(frozen=True)
class Frozen(Adam):
    def m_correction(self, t):
        return super().m_correction(1)

    def v_correction(self, t):
        return super().v_correction(1)


@equation("eq-museum-frozen", r"\frac{\sqrt{1 - \beta_2}}{1 - \beta_1}")
def test_frozen(rng):
    beta1, beta2 = rng.uniform(0.1, 0.9), rng.uniform(0.5, 0.95)
    gradients = rng.normal(size=(600, 3))
    frozen = ratios(Frozen(beta1=beta1, beta2=beta2, eps=0), gradients)[-1]
    right = ratios(Adam(beta1=beta1, beta2=beta2, eps=0), gradients)[-1]
    np.testing.assert_allclose(frozen / right, np.sqrt(1 - beta2) / (1 - beta1), rtol=1e-9)
