"""The equations of book/practice/popular_summary.ipynb, each against adamcore on random inputs."""

import numpy as np

from adamcore import Adam
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
