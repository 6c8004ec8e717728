"""The equations of book/paper/imdb_logistic.ipynb, each against adamcore on random inputs."""

import itertools

import numpy as np
import pytest

from adamcore import SGD, AdaGrad, Adam, RMSProp
from adamcore.models import BinaryLogisticRegression, SparseRows
from tests.book.equations import equation

WORDS, REVIEWS = 6, 7


class Case:
    """A random model, its parameters, bags of words as zeros and ones, and labels."""

    def __init__(self, rng, dropout=0.0):
        self.model = BinaryLogisticRegression(WORDS, dropout=dropout, rescale=False, dtype=np.float64)
        self.theta = rng.normal(size=WORDS + 1)
        self.w, self.b = self.theta[:WORDS], self.theta[WORDS]
        self.x = rng.integers(2, size=(REVIEWS, WORDS)).astype(float)
        self.y = rng.integers(2, size=REVIEWS)
        self.z = np.array([self.b + sum(row[j] * self.w[j] for j in range(WORDS)) for row in self.x])
        self.p = 1 / (1 + np.exp(-self.z))

    def cost(self, i, y, theta=None):
        """What adamcore says that a review costs, read with the label y; nothing is dropped."""
        theta = self.theta if theta is None else theta
        plain = BinaryLogisticRegression(WORDS, dtype=np.float64)
        return plain.loss(theta, (self.x[[i]], np.array([y])))


@pytest.fixture
def case(rng):
    return Case(rng)


@pytest.fixture
def noisy(rng):
    return Case(rng, dropout=rng.uniform(0.2, 0.8))


def weighted_masks(q):
    """Every way to keep or drop the words of a review, with its probability."""
    for kept in itertools.product((0, 1), repeat=WORDS):
        yield np.array(kept), np.prod([1 - q if keep else q for keep in kept])


def expected_cost(case, i, theta):
    """The expectation of a review's cost over all masks, one by one."""
    plain = BinaryLogisticRegression(WORDS, dtype=np.float64)
    return sum(
        share * plain.loss(theta, (case.x[[i]] * kept, case.y[[i]]))
        for kept, share in weighted_masks(case.model.dropout)
    )


@equation("eq-imdb-score", r"z_i = b + \sum_j x_{ij}\, w_j .")
def test_score(case):
    # The costs of the two labels differ by the score.
    for i in range(REVIEWS):
        assert case.cost(i, 0) - case.cost(i, 1) == pytest.approx(case.z[i])


@equation("eq-imdb-sigmoid", r"p_i = \sigma(z_i) = \frac{1}{1 + e^{-z_i}} .")
def test_sigmoid(case):
    for i in range(REVIEWS):
        assert np.exp(-case.cost(i, 1)) == pytest.approx(case.p[i])
        assert np.exp(-case.cost(i, 0)) == pytest.approx(1 - case.p[i])


@equation("eq-imdb-cost", r"\ell(z, y) = -y \log p - (1 - y) \log(1 - p) .")
def test_cost(case):
    for i, y in itertools.product(range(REVIEWS), (0, 1)):
        p = case.p[i]
        assert case.cost(i, y) == pytest.approx(-y * np.log(p) - (1 - y) * np.log(1 - p))


@equation("eq-imdb-softplus", r"\ell(z, y) = \log(1 + e^{z}) - y\, z .")
def test_softplus(case):
    for i, y in itertools.product(range(REVIEWS), (0, 1)):
        assert case.cost(i, y) == pytest.approx(np.log(1 + np.exp(case.z[i])) - y * case.z[i])


@equation("eq-imdb-delta", r"\frac{\partial \ell}{\partial z} = \frac{e^{z}}{1 + e^{z}} - y = p - y .")
def test_delta(case):
    # The score is moved through the bias, whose derivative adamcore gives.
    step, plain = 1e-6, BinaryLogisticRegression(WORDS, dtype=np.float64)
    along = step * np.eye(WORDS + 1)[WORDS]
    for i, y in itertools.product(range(REVIEWS), (0, 1)):
        slope = (case.cost(i, y, case.theta + along) - case.cost(i, y, case.theta - along)) / (2 * step)
        exact = plain.loss_and_grad(case.theta, (case.x[[i]], np.array([y])))[1][WORDS]
        e = np.exp(case.z[i])
        assert slope == pytest.approx(case.p[i] - y, abs=1e-8)
        assert exact == pytest.approx(e / (1 + e) - y)
        assert e / (1 + e) == pytest.approx(case.p[i])


@equation("eq-imdb-curvature", r"\frac{\partial^2 \ell}{\partial z^2} = \sigma'(z) = p\, (1 - p) \;\ge\; 0 .")
def test_curvature(case):
    step, plain = 1e-6, BinaryLogisticRegression(WORDS, dtype=np.float64)
    along = step * np.eye(WORDS + 1)[WORDS]
    for i in range(REVIEWS):
        ahead, behind = (
            plain.loss_and_grad(case.theta + sign * along, (case.x[[i]], case.y[[i]]))[1][WORDS] for sign in (1, -1)
        )
        assert (ahead - behind) / (2 * step) == pytest.approx(case.p[i] * (1 - case.p[i]), abs=1e-8)


@equation("eq-imdb-objective", r"f(w, b) = \frac{1}{n} \sum_{i=1}^{n} \ell(z_i, y_i) .")
def test_objective(case):
    expected = sum(case.cost(i, case.y[i]) for i in range(REVIEWS)) / REVIEWS
    assert case.model.loss(case.theta, (case.x, case.y)) == pytest.approx(expected)
    assert case.model.penalty(case.theta) == 0


@equation(
    "eq-imdb-gradient",
    r"""\begin{aligned}
    \frac{\partial f}{\partial w_j} &= \frac{1}{n} \sum_{i=1}^{n} x_{ij}\, (p_i - y_i), \\
    \frac{\partial f}{\partial b} &= \frac{1}{n} \sum_{i=1}^{n} (p_i - y_i) .
    \end{aligned}""",
)
def test_gradient(case):
    for x in (case.x, SparseRows.from_scipy(pytest.importorskip("scipy.sparse").csr_array(case.x), np.float64)):
        gradient = case.model.loss_and_grad(case.theta, (x, case.y))[1]
        for j in range(WORDS):
            by_hand = sum(case.x[i, j] * (case.p[i] - case.y[i]) for i in range(REVIEWS)) / REVIEWS
            assert gradient[j] == pytest.approx(by_hand)
        assert gradient[WORDS] == pytest.approx((case.p - case.y).sum() / REVIEWS)


@equation("eq-imdb-dropout", r"\tilde x_{ij} = r_{ij}\, x_{ij}, \qquad P(r_{ij} = 0) = q .")
def test_dropout(noisy, rng):
    # adamcore's gradient of a word is not zero where the word was kept, so that it shows the mask.
    q, draws = noisy.model.dropout, 4000
    x = np.ones((1, WORDS))
    seen = np.array([noisy.model.loss_and_grad(noisy.theta, (x, np.array([1])), rng)[1] != 0 for _ in range(draws)])
    np.testing.assert_allclose(1 - seen[:, :WORDS].mean(axis=0), q, atol=5 * np.sqrt(q * (1 - q) / draws))
    together = np.corrcoef(seen[:, :WORDS].T) - np.eye(WORDS)
    assert np.abs(together).max() < 5 / np.sqrt(draws)  # independent of each other
    x[0, 2] = 0  # a word that is not there cannot be kept
    assert all(noisy.model.loss_and_grad(noisy.theta, (x, np.array([1])), rng)[1][2] == 0 for _ in range(20))


@equation(
    "eq-imdb-moments",
    r"""\begin{aligned}
    \mathbb{E}\, \tilde z_i &= b + (1 - q) \sum_j x_{ij}\, w_j, \\
    \operatorname{Var} \tilde z_i &= q\, (1 - q) \sum_j x_{ij}\, w_j^2 .
    \end{aligned}""",
)
def test_moments(noisy):
    q = noisy.model.dropout
    for row in noisy.x:
        scores = [(noisy.b + (kept * row) @ noisy.w, share) for kept, share in weighted_masks(q)]
        mean = sum(share * score for score, share in scores)
        variance = sum(share * (score - mean) ** 2 for score, share in scores)
        assert mean == pytest.approx(noisy.b + (1 - q) * sum(row * noisy.w))
        assert variance == pytest.approx(q * (1 - q) * sum(row * noisy.w**2))
        # Evaluation, in which nothing is dropped, sees the mean.
        costs = [noisy.model.loss(noisy.theta, (row[np.newaxis], np.array([y]))) for y in (0, 1)]
        assert costs[0] - costs[1] == pytest.approx(mean)


@equation(
    "eq-imdb-noisy-objective",
    r"\tilde f(w, b) = \frac{1}{n} \sum_{i=1}^{n} \mathbb{E}\, \ell(\tilde z_i, y_i) .",
)
def test_noisy_objective(noisy, rng):
    exact = sum(expected_cost(noisy, i, noisy.theta) for i in range(REVIEWS)) / REVIEWS
    draws = [noisy.model.loss(noisy.theta, (noisy.x, noisy.y), rng) for _ in range(4000)]
    assert abs(np.mean(draws) - exact) < 5 * np.std(draws) / np.sqrt(len(draws))


@equation(
    "eq-imdb-noisy-gradient",
    r"\frac{\partial \tilde f}{\partial w_j} = \frac{1}{n} \sum_{i=1}^{n} "
    r"\mathbb{E} \big[ \tilde x_{ij}\, (\tilde p_i - y_i) \big] .",
)
def test_noisy_gradient(noisy, rng):
    by_masks, step = np.zeros(WORDS), 1e-6
    for kept, share in weighted_masks(noisy.model.dropout):
        x = noisy.x * kept
        by_masks += share * x.T @ (1 / (1 + np.exp(-noisy.b - x @ noisy.w)) - noisy.y) / REVIEWS
    for j in range(WORDS):
        along = step * np.eye(WORDS + 1)[j]
        ahead, behind = (
            sum(expected_cost(noisy, i, noisy.theta + sign * along) for i in range(REVIEWS)) / REVIEWS
            for sign in (1, -1)
        )
        assert by_masks[j] == pytest.approx((ahead - behind) / (2 * step), abs=1e-8)
    draws = np.array([noisy.model.loss_and_grad(noisy.theta, (noisy.x, noisy.y), rng)[1] for _ in range(4000)])
    error = draws.std(axis=0)[:WORDS] / np.sqrt(len(draws))
    assert (np.abs(draws.mean(axis=0)[:WORDS] - by_masks) < 5 * error + 1e-12).all()


@equation(
    "eq-imdb-price",
    r"\mathbb{E}\, \ell(\tilde z, y) \;\approx\; \ell(\mu, y) "
    r"+ \frac{1}{2}\, \bar p\, (1 - \bar p) \operatorname{Var} \tilde z .",
)
def test_price(noisy):
    """The error falls as the cube of the weights, the price itself as their square."""
    q, errors = noisy.model.dropout, {}
    for scale in (1e-2, 1e-3):
        theta = noisy.theta * np.r_[np.full(WORDS, scale), 1]
        errors[scale] = []
        for i in range(REVIEWS):
            mu = theta[WORDS] + (1 - q) * noisy.x[i] @ theta[:WORDS]
            p = 1 / (1 + np.exp(-mu))
            free = noisy.model.loss(theta, (noisy.x[[i]], noisy.y[[i]]))
            scores = [
                (theta[WORDS] + (kept * noisy.x[i]) @ theta[:WORDS], share) for kept, share in weighted_masks(q)
            ]
            price = 0.5 * p * (1 - p) * sum(share * (score - mu) ** 2 for score, share in scores)
            exact = expected_cost(noisy, i, theta) - free
            assert exact >= 0  # Jensen
            errors[scale].append(abs(exact - price))
            assert errors[scale][-1] <= 0.1 * price + 1e-15
    assert max(errors[1e-3]) < max(errors[1e-2]) / 500


@equation("eq-imdb-chance", r"P(g_j \ne 0) = 1 - \big( 1 - (1 - q)\, s_j \big)^{n} .")
def test_chance(rng):
    """A word in a share s of the reviews, in minibatches of n of them."""
    q, s, n, draws = 0.5, 0.08, 10, 3000
    model = BinaryLogisticRegression(2, dropout=q, rescale=False, dtype=np.float64)
    theta, hits = rng.normal(size=3), 0
    for _ in range(draws):
        x = np.column_stack([rng.random(n) < s, np.ones(n)]).astype(float)
        hits += model.loss_and_grad(theta, (x, rng.integers(2, size=n)), rng)[1][0] != 0
    chance = 1 - (1 - (1 - q) * s) ** n
    assert abs(hits / draws - chance) < 5 * np.sqrt(chance * (1 - chance) / draws)


def walks(rule, signs, c):
    """Where a rule ends from 0, for every row of signs at once: each coordinate is a walk of its own."""
    s = rule.init(np.zeros(len(signs)))
    for column in np.transpose(signs):
        rule.step(s, c * column)
    return s.theta


@equation(
    "eq-imdb-walks",
    r"""\begin{aligned}
    \text{SGD:} \quad & \mathbb{E}\, w^2 = \alpha^2 c^2 N, \\
    \text{AdaGrad:} \quad & \mathbb{E}\, w^2 = \alpha^2 \sum_{k=1}^{N} \frac{1}{k} .
    \end{aligned}""",
)
def test_walks(rng):
    """All 2^N patterns of signs, each as likely as the others: the expectation itself."""
    n, c, alpha = 10, rng.uniform(0.1, 10), rng.uniform(0.1, 2)
    signs = np.array(list(itertools.product((-1.0, 1.0), repeat=n)))
    assert np.mean(walks(SGD(alpha=alpha), signs, c) ** 2) == pytest.approx(alpha**2 * c**2 * n)
    harmonic = sum(1 / k for k in range(1, n + 1))
    assert np.mean(walks(AdaGrad(alpha=alpha, eps=0), signs, c) ** 2) == pytest.approx(alpha**2 * harmonic)
    # Silence between two gradients changes neither.
    gaps = np.zeros((len(signs), 3 * n))
    gaps[:, ::3] = signs
    for rule in (SGD(alpha=alpha), AdaGrad(alpha=alpha, eps=0)):
        np.testing.assert_allclose(walks(rule, gaps, c), walks(rule, signs, c), atol=1e-12)


@equation("eq-imdb-adam-walk", r"\text{Adam:} \quad \mathbb{E}\, w^2 \;\approx\; \alpha^2\, T .")
def test_adam_walk(rng):
    """After v has settled, for any share of steps with a gradient that is far above 1 - beta2."""
    rule, settled, steps, walkers = Adam(alpha=0.01), 1000, 2000, 3000
    for share in (1.0, 0.1, 0.02):
        s, begin = rule.init(np.zeros(walkers)), None
        for t in range(settled + steps):
            if t == settled:
                begin = s.theta
            signs = np.where(rng.random(walkers) < 0.5, -1.0, 1.0) * (rng.random(walkers) < share)
            rule.step(s, 7.0 * signs)
        moved = np.mean((s.theta - begin) ** 2) / (rule.alpha**2 * steps)
        # The mean of 1 / v is above 1 / the mean of v, by the more the fewer gradients v remembers.
        above = 1 + (1 - rule.beta2) / share
        assert 1 - 5 * np.sqrt(2 / walkers) < moved < above * (1 + 5 * np.sqrt(2 / walkers)), share


@equation(
    "eq-imdb-short-memory",
    r"|\Delta w| = \frac{\alpha\, c}{\sqrt{(1 - \rho)\, c^2}} = \frac{\alpha}{\sqrt{1 - \rho}} .",
)
def test_short_memory(rng):
    """A gradient after a silence that is long beside RMSProp's memory."""
    alpha, rho, c = rng.uniform(0.1, 2), rng.uniform(0.5, 0.95), rng.uniform(0.1, 10)
    s = (rule := RMSProp(alpha=alpha, rho=rho, eps=0)).init(np.zeros(1))
    for g in [c, -c, c] + [0.0] * 2000:
        rule.step(s, np.array([g]))
    before = s.theta.copy()
    rule.step(s, np.array([c]))
    assert abs(s.theta - before)[0] == pytest.approx(alpha / np.sqrt(1 - rho))


@equation(
    "eq-imdb-steepness",
    r"""\frac{\partial^2 f}{\partial w_j^2} = \frac{1}{n} \sum_{i=1}^{n} x_{ij}\, p_i\, (1 - p_i)
    \;\le\; \frac{s_j}{4} ,""",
)
def test_steepness(case):
    step, share = 1e-6, case.x.mean(axis=0)
    for theta in (case.theta, np.zeros(WORDS + 1)):
        for j in range(WORDS):
            along = step * np.eye(WORDS + 1)[j]
            ahead, behind = (
                case.model.loss_and_grad(theta + sign * along, (case.x, case.y))[1][j] for sign in (1, -1)
            )
            p = 1 / (1 + np.exp(-theta[WORDS] - case.x @ theta[:WORDS]))
            steepness = np.mean(case.x[:, j] * p * (1 - p))
            assert (ahead - behind) / (2 * step) == pytest.approx(steepness, abs=1e-8)
            assert steepness <= share[j] / 4 + 1e-15
            if not theta.any():
                assert steepness == pytest.approx(share[j] / 4)


@equation(
    "eq-imdb-no-minimum",
    r"\lim_{c \to \infty} f(c\, w, c\, b) = 0 .",
)
def test_no_minimum(case):
    """Labels that the weights put on their right side; with one of them turned, the limit is not zero."""
    y = (case.z > 0).astype(int)
    assert ((2 * y - 1) * case.z > 0).all()
    smallest = np.abs(case.z).min()
    costs = [case.model.loss(c * case.theta, (case.x, y)) for c in (1, 10, 100, 1000)]
    assert (np.diff(costs) <= 0).all()
    for c, cost in zip((1, 10, 100, 1000), costs, strict=True):
        assert 0 <= cost <= np.exp(-c * smallest)
    y[0] = 1 - y[0]
    assert case.model.loss(1000 * case.theta, (case.x, y)) == pytest.approx(1000 * abs(case.z[0]) / REVIEWS, rel=0.01)
