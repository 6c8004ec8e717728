"""The equations of book/practice/popular_summary.ipynb, each against adamcore on random inputs."""

import numpy as np

from adamcore import Adam, inverse_sqrt
from tests.book.equations import equation


@equation("eq-summary-start", r"1 - m_t = \beta^t (1 - m_0) .")
def test_bias_of_the_start(rng):
    beta, m_0 = rng.uniform(0.1, 0.99, size=2)
    rule = Adam(beta1=beta)
    s = rule.init(np.zeros(1))
    s.m = np.array([m_0])
    for t in range(1, 30):
        rule.step(s, np.ones(1))
        np.testing.assert_allclose(1 - s.m[0], beta**t * (1 - m_0), rtol=1e-12, atol=1e-14)


@equation("eq-summary-epochs", r"\frac{\alpha}{\sqrt{n e}} = \frac{1}{\sqrt n} \cdot \frac{\alpha}{\sqrt e} .")
def test_steps_and_epochs(rng):
    alpha = rng.uniform(0.001, 1)
    for n, e in rng.integers(1, 500, size=(20, 2)):
        n, e = int(n), int(e)
        per_epoch = inverse_sqrt(alpha, steps_per_epoch=n)
        np.testing.assert_allclose(inverse_sqrt(alpha)(n * e), per_epoch(n * e) / np.sqrt(n))
        np.testing.assert_allclose(per_epoch(n * e), alpha / np.sqrt(e))
