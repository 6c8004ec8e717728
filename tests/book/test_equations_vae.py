"""The equations of book/paper/vae.ipynb, each against adamcore on random inputs."""

import numpy as np
import pytest

from adamcore import VAE, Adam, RMSProp
from adamcore.models import BernoulliCrossEntropy, GaussianKL
from tests.book.equations import equation

PIXELS, HIDDEN, LATENTS, IMAGES = 6, 5, 3, 4


class Case:
    """A small model, its parameters, images, one draw of the noise, and what they become on the way."""

    def __init__(self, rng, latents=LATENTS):
        self.model = VAE(PIXELS, hidden=HIDDEN, n_latent=latents, dtype=np.float64)
        self.theta = self.model.init(rng) + 0.3 * rng.normal(size=self.model.layout.size)
        self.x = rng.random((IMAGES, PIXELS))
        self.w = self.model.layout.views(self.theta)
        self.mu, self.s = self.model.encode(self.theta, self.x)
        self.sigma = np.exp(self.s / 2)
        self.seed = int(rng.integers(2**31))
        self.xi = np.random.default_rng(self.seed).standard_normal(self.mu.shape)
        self.z = self.mu + self.sigma * self.xi
        self.c = self.z @ self.w.decoder_W1 + self.w.decoder_b1
        self.a = np.log1p(np.exp(self.c)) @ self.w.decoder_W2 + self.w.decoder_b2
        self.p = self.model.decode(self.theta, self.z)

    def noise(self):
        """The generator that draws xi again."""
        return np.random.default_rng(self.seed)

    def delta(self):
        """The derivative of each image's reconstruction with respect to its latents, as the chapter has it."""
        return ((self.p - self.x) @ self.w.decoder_W2.T / (1 + np.exp(-self.c))) @ self.w.decoder_W1.T


@pytest.fixture
def case(rng):
    return Case(rng)


def kl(mu, s):
    """What adamcore says that one image's latents cost."""
    return GaussianKL().forward(np.atleast_2d(mu), np.atleast_2d(s))


def reconstruction(a, x):
    """What adamcore says that one image costs, given its scores."""
    return BernoulliCrossEntropy().forward(np.atleast_2d(a), np.atleast_2d(x))


def central(function, at, h=1e-5):
    """The derivative of a function of a vector, coordinate by coordinate."""
    unit = np.eye(len(at))
    return np.array([(function(at + h * e) - function(at - h * e)) / (2 * h) for e in unit])


@equation(
    "eq-vae-decoder",
    r"\begin{aligned} "
    r"p(x \mid z) &= \prod_{d} p_d^{\,x_d}\, (1 - p_d)^{1 - x_d} , \\ "
    r"p_d &= p_d(z) . "
    r"\end{aligned}",
)
def test_decoder(case, rng):
    x = rng.integers(2, size=(IMAGES, PIXELS)).astype(float)
    for i in range(IMAGES):
        likelihood = np.prod(case.p[i] ** x[i] * (1 - case.p[i]) ** (1 - x[i]))
        assert reconstruction(case.a[i], x[i]) == pytest.approx(-np.log(likelihood))


class Line:
    """A model with one latent, whose integrals over z are sums on a fine grid; all densities of one image."""

    def __init__(self, rng):
        case = Case(rng, latents=1)
        self.case, self.image = case, rng.integers(2, size=PIXELS).astype(float)
        self.z = np.linspace(-12, 12, 40_001)
        self.width = self.z[1] - self.z[0]
        p = case.model.decode(case.theta, self.z[:, np.newaxis])
        self.log_likelihood = (np.log(p) * self.image + np.log1p(-p) * (1 - self.image)).sum(axis=1)
        mu, s = case.model.encode(case.theta, self.image[np.newaxis])
        self.mu, self.s = mu[0, 0], s[0, 0]
        self.log_prior = -0.5 * np.log(2 * np.pi) - 0.5 * self.z**2
        self.log_q = -0.5 * np.log(2 * np.pi) - 0.5 * self.s - (self.z - self.mu) ** 2 / (2 * np.exp(self.s))
        self.log_p = np.log(self.mean_under(self.log_prior, np.exp(self.log_likelihood)))

    def mean_under(self, log_density, values):
        return np.sum(np.exp(log_density) * values) * self.width

    def divergence(self, log_other):
        return self.mean_under(self.log_q, self.log_q - log_other)

    def bound(self):
        """The bound: the decoder's part by the grid, the divergence as adamcore has it."""
        return self.mean_under(self.log_q, self.log_likelihood) - kl(self.mu, self.s)


@pytest.fixture
def line(rng):
    return Line(rng)


@equation(
    "eq-vae-divergence",
    r"D_\text{KL}(q \,\|\, p) = \operatorname{E}_{q}\!\left[ \log \frac{q(z)}{p(z)} \right] \ge 0 .",
)
def test_divergence(line):
    assert line.divergence(line.log_prior) == pytest.approx(kl(line.mu, line.s), rel=1e-6)
    assert line.divergence(line.log_prior) > 0
    assert line.divergence(line.log_q) == pytest.approx(0, abs=1e-12)


@equation(
    "eq-vae-identity",
    r"\log p(x) = \mathcal L(x) + D_\text{KL}\big( q(z \mid x) \,\|\, p(z \mid x) \big) ,",
)
def test_identity(line):
    log_posterior = line.log_likelihood + line.log_prior - line.log_p
    assert line.bound() + line.divergence(log_posterior) == pytest.approx(line.log_p, rel=1e-5)


@equation(
    "eq-vae-bound",
    r"\begin{aligned} "
    r"\mathcal L(x) &= \operatorname{E}_{q(z \mid x)}\big[ \log p(x \mid z) \big] \\ "
    r"&\quad - D_\text{KL}\big( q(z \mid x) \,\|\, p(z) \big) \\ "
    r"&\le \log p(x) . "
    r"\end{aligned}",
)
def test_bound(line):
    assert line.bound() <= line.log_p
    draws = 40_000
    images = np.repeat(line.image[np.newaxis], draws, axis=0)
    losses = [line.case.model.loss(line.case.theta, (images,), np.random.default_rng(k)) for k in range(5)]
    assert -np.mean(losses) == pytest.approx(line.bound(), abs=0.02)


@equation(
    "eq-vae-kl",
    r"\begin{aligned} "
    r"& D_\text{KL}\big( q(z \mid x) \,\|\, p(z) \big) \\ "
    r"& = \frac12 \sum_{k} \left( \mu_k^2 + \sigma_k^2 - s_k - 1 \right) . "
    r"\end{aligned}",
)
def test_kl(case, line):
    by_hand = 0.5 * (case.mu[0] ** 2 + case.sigma[0] ** 2 - case.s[0] - 1).sum()
    assert kl(case.mu[0], case.s[0]) == pytest.approx(by_hand)
    assert line.divergence(line.log_prior) == pytest.approx(
        0.5 * (line.mu**2 + np.exp(line.s) - line.s - 1), rel=1e-6
    )


@equation(
    "eq-vae-reconstruction",
    r"\begin{aligned} "
    r"& {-\log p(x \mid z)} = \sum_{d} \left( \log(1 + e^{a_d}) - x_d\, a_d \right) , \\ "
    r"& \frac{\partial \left( -\log p(x \mid z) \right)}{\partial a_d} = p_d - x_d . "
    r"\end{aligned}",
)
def test_reconstruction(case):
    for i in range(IMAGES):
        a, x = case.a[i], case.x[i]
        assert reconstruction(a, x) == pytest.approx((np.log1p(np.exp(a)) - x * a).sum())
        derivative = central(lambda scores, x=x: reconstruction(scores, x), a)
        np.testing.assert_allclose(derivative, case.p[i] - x, atol=1e-8)


@equation(
    "eq-vae-reparameterized",
    r"\begin{aligned} "
    r"z &= \mu + \sigma \odot \xi , \\ "
    r"\xi &\sim \mathcal N(0, I) , \qquad \sigma = e^{s / 2} . "
    r"\end{aligned}",
)
def test_reparameterized(case):
    # The loss that adamcore computes with this noise is that of this z.
    costs = [reconstruction(case.a[i], case.x[i]) + kl(case.mu[i], case.s[i]) for i in range(IMAGES)]
    assert case.model.loss(case.theta, (case.x,), case.noise()) == pytest.approx(np.mean(costs))
    xi = np.random.default_rng(1).standard_normal(1_000_000)
    z = case.mu[0, 0] + case.sigma[0, 0] * xi
    assert z.mean() == pytest.approx(case.mu[0, 0], abs=0.02)
    assert z.std() == pytest.approx(np.exp(case.s[0, 0] / 2), rel=0.01)


@equation(
    "eq-vae-jacobian",
    r"\frac{\partial z_k}{\partial \mu_k} = 1 , \qquad \frac{\partial z_k}{\partial s_k}"
    r" = \frac12\, \sigma_k\, \xi_k .",
)
def test_jacobian(case):
    mu, s, xi = case.mu[0], case.s[0], case.xi[0]
    by_mu = central(lambda at: at + np.exp(s / 2) * xi, mu)
    by_s = central(lambda at: mu + np.exp(at / 2) * xi, s)
    np.testing.assert_allclose(by_mu, np.eye(LATENTS), atol=1e-8)
    np.testing.assert_allclose(by_s, np.diag(0.5 * case.sigma[0] * xi), atol=1e-8)


@equation(
    "eq-vae-pathwise",
    r"\begin{aligned} "
    r"\frac{\partial}{\partial \mu_k} \operatorname{E}[h(z)] &= \operatorname{E}\!\left[ \frac{\partial "
    r"h}{\partial z_k} \right] , \\ "
    r"\frac{\partial}{\partial s_k} \operatorname{E}[h(z)] &= \operatorname{E}\!\left[ \frac12\, \sigma_k\, "
    r"\xi_k\, \frac{\partial h}{\partial z_k} \right] . "
    r"\end{aligned}",
)
def test_pathwise(line):
    xi, weights = np.polynomial.hermite_e.hermegauss(60)
    weights = weights / weights.sum()

    def mean(mu, s):
        return weights @ np.sin(mu + np.exp(s / 2) * xi)

    mu, s, h = line.mu, line.s, 1e-5
    slope = np.cos(mu + np.exp(s / 2) * xi)
    assert (mean(mu + h, s) - mean(mu - h, s)) / (2 * h) == pytest.approx(weights @ slope, abs=1e-8)
    by_s = weights @ (0.5 * np.exp(s / 2) * xi * slope)
    assert (mean(mu, s + h) - mean(mu, s - h)) / (2 * h) == pytest.approx(by_s, abs=1e-8)


@equation(
    "eq-vae-objective",
    r"\begin{aligned} "
    r"f &= \frac{1}{n} \sum_{i=1}^{n} \Big[ -\log p(x_i \mid z_i) \\ "
    r"& \quad + \frac12 \sum_{k} \left( \mu_{ik}^2 + \sigma_{ik}^2 - s_{ik} - 1 \right) \Big] . "
    r"\end{aligned}",
)
def test_objective(case):
    likelihood = (case.x * np.log(case.p) + (1 - case.x) * np.log(1 - case.p)).sum(axis=1)
    divergence = 0.5 * (case.mu**2 + case.sigma**2 - case.s - 1).sum(axis=1)
    loss, _ = case.model.loss_and_grad(case.theta, (case.x,), case.noise())
    assert loss == pytest.approx((-likelihood + divergence).sum() / IMAGES)


@equation(
    "eq-vae-delta",
    r"\delta = \left( (p - x)\, W_2^\top \odot \frac{1}{1 + e^{-c}} \right) W_1^\top .",
)
def test_delta(case):
    def cost(z, i):
        p = case.model.decode(case.theta, z[np.newaxis])[0]
        return -(case.x[i] * np.log(p) + (1 - case.x[i]) * np.log(1 - p)).sum()

    for i in range(IMAGES):
        derivative = central(lambda z, i=i: cost(z, i), case.z[i])
        np.testing.assert_allclose(case.delta()[i], derivative, atol=1e-7)


@equation(
    "eq-vae-gradient",
    r"\begin{aligned} "
    r"\frac{\partial f_i}{\partial \mu} &= \delta + \mu , \\ "
    r"\frac{\partial f_i}{\partial s} &= \frac12\, \delta \odot \sigma \odot \xi + \frac12 \left( \sigma^2 - "
    r"1 \right) . "
    r"\end{aligned}",
)
def test_gradient(case):
    _, gradient = case.model.loss_and_grad(case.theta, (case.x,), case.noise())
    delta = case.delta()
    d_mu, d_s = delta + case.mu, 0.5 * delta * case.sigma * case.xi + 0.5 * (case.sigma**2 - 1)
    got = case.model.layout.views(gradient)
    d = np.hstack([d_mu, d_s]) / IMAGES
    np.testing.assert_allclose(got.encoder_b2, d.sum(axis=0), atol=1e-12)
    y = np.log1p(np.exp(case.x @ case.w.encoder_W1 + case.w.encoder_b1))
    np.testing.assert_allclose(got.encoder_W2, y.T @ d, atol=1e-12)  # input times what arrives at the output


def walk(rule, gradients):
    """All points of a walk, the start included."""
    s = rule.init(np.zeros(gradients.shape[1]))
    points = [s.theta.copy()]
    for g in gradients:
        rule.step(s, g)
        points.append(s.theta.copy())
    return np.array(points)


@equation("eq-vae-uncorrected", r"\theta_t = \theta_{t-1} - \alpha\, \frac{m_t}{\sqrt{v_t} + \epsilon} .")
def test_uncorrected(rng):
    gradients = rng.normal(size=(30, 4))
    alpha, beta1, beta2, eps = 0.01, 0.9, 0.99, 1e-3
    theta, m, v = np.zeros(4), np.zeros(4), np.zeros(4)
    for g in gradients:
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2
        theta = theta - alpha * m / (np.sqrt(v) + eps)
    rule = Adam(alpha=alpha, beta1=beta1, beta2=beta2, eps=eps, bias_correction=False)
    np.testing.assert_allclose(walk(rule, gradients)[-1], theta)
    # With beta1 = 0 it is RMSProp, to the last bit.
    rule = Adam(alpha=alpha, beta1=0.0, beta2=beta2, bias_correction=False)
    np.testing.assert_array_equal(walk(rule, gradients), walk(RMSProp(alpha=alpha, rho=beta2), gradients))


@equation(
    "eq-vae-momentum",
    r"\begin{aligned} "
    r"& \text{Adam, uncorrected:} \\ "
    r"& \quad (1 - \beta_1) \sum_{i=1}^{t} \beta_1^{t-i}\, \frac{g_i}{\sqrt{v_t}} , \\ "
    r"& \text{RMSProp:} \\ "
    r"& \quad (1 - \beta_1) \sum_{i=1}^{t} \beta_1^{t-i}\, \frac{g_i}{\sqrt{v_i}} . "
    r"\end{aligned}",
)
def test_momentum(rng):
    gradients = rng.normal(size=(20, 3))
    alpha, beta1, beta2 = 0.01, 0.9, 0.999
    v = np.array([(1 - beta2) * beta2 ** np.arange(t)[::-1] @ gradients[:t] ** 2 for t in range(1, 21)])
    weights = [(1 - beta1) * beta1 ** np.arange(t)[::-1] for t in range(1, 21)]
    adam = [weights[t] @ gradients[: t + 1] / np.sqrt(v[t]) for t in range(20)]
    rmsprop = [weights[t] @ (gradients[: t + 1] / np.sqrt(v[: t + 1])) for t in range(20)]
    rule = Adam(alpha=alpha, beta1=beta1, beta2=beta2, eps=0.0, bias_correction=False)
    np.testing.assert_allclose(-np.diff(walk(rule, gradients), axis=0) / alpha, adam)
    rule = RMSProp(alpha=alpha * (1 - beta1), rho=beta2, mu=beta1, eps=0.0)
    np.testing.assert_allclose(-np.diff(walk(rule, gradients), axis=0) / alpha, rmsprop)
    assert not np.allclose(adam, rmsprop)


@pytest.mark.parametrize("beta1", [0.0, 0.9])
@equation("eq-vae-mean-factor", r"\bar f(T) = \frac{1}{T} \sum_{t=1}^{T} f(t) ,")
def test_mean_factor(beta1):
    steps, alpha, beta2 = 300, 0.01, 0.999
    t = np.arange(1, steps + 1)
    mean = ((1 - beta1**t) / np.sqrt(1 - beta2**t)).sum() / steps
    # With a constant gradient a corrected step is alpha long, so that the ratio of the ways is the mean factor.
    ways = [
        walk(Adam(alpha=alpha, beta1=beta1, beta2=beta2, eps=0.0, bias_correction=how), np.ones((steps, 1)))[-1, 0]
        for how in (False, True)
    ]
    assert ways[0] / ways[1] == pytest.approx(mean)


@equation(
    "eq-vae-floor",
    r"\begin{aligned} "
    r"& \min_{a} \left( -\log p(x \mid z) \right) \\ "
    r"& = -\sum_{d} \big( x_d \log x_d \\ "
    r"& \qquad\quad + (1 - x_d) \log(1 - x_d) \big) , "
    r"\end{aligned}",
)
def test_floor(rng):
    x = rng.uniform(0.01, 0.99, PIXELS)
    floor = -(x * np.log(x) + (1 - x) * np.log(1 - x)).sum()
    best = np.log(x / (1 - x))  # where the logistic function is x
    assert reconstruction(best, x) == pytest.approx(floor)
    for _ in range(100):
        assert reconstruction(best + rng.normal(size=PIXELS), x) > floor
    black_and_white = rng.integers(2, size=PIXELS).astype(float)
    assert reconstruction(100 * (2 * black_and_white - 1), black_and_white) == pytest.approx(0, abs=1e-12)


@equation(
    "eq-vae-artanh",
    r"\begin{aligned} "
    r"\bar f(T) &\approx \frac{2}{T \ln (1 / \beta_2)} \\ "
    r"& \quad \cdot \operatorname{artanh} \sqrt{1 - \beta_2^T} . "
    r"\end{aligned}",
)
@pytest.mark.parametrize("beta2", [0.999, 0.9999])
@pytest.mark.parametrize("steps", [500, 5_000])
def test_artanh(beta2, steps):
    rate = np.log(1 / beta2)
    closed = 2 / (steps * rate) * np.arctanh(np.sqrt(1 - beta2**steps))
    # The integral itself, by the midpoint rule in t = r^2, where the integrand has no pole.
    r = (np.arange(200_000) + 0.5) * np.sqrt(steps) / 200_000
    integral = np.sum(2 * r / np.sqrt(-np.expm1(-rate * r**2))) * np.sqrt(steps) / 200_000
    assert closed == pytest.approx(integral / steps, rel=1e-6)
    # And the sum, which is Adam's own: beta1 = 0, so that a step is 1 / sqrt(1 - beta2^t) long.
    rule = Adam(alpha=1.0, beta1=0.0, beta2=beta2, eps=0.0, bias_correction=False)
    assert -walk(rule, np.ones((steps, 1)))[-1, 0] / steps == pytest.approx(closed, rel=0.08)


@equation(
    "eq-vae-score",
    r"\frac{\partial}{\partial \mu} \operatorname{E}[h(z)] = \operatorname{E}\!\left[ h(z)\, \frac{z - \mu}{\sigma^2}"
    r" \right] .",
)
def test_score(line):
    xi, weights = np.polynomial.hermite_e.hermegauss(60)
    weights, sigma, h = weights / weights.sum(), np.exp(line.s / 2), 1e-5
    z = line.mu + sigma * xi
    derivative = (weights @ np.sin(z + h) - weights @ np.sin(z - h)) / (2 * h)
    assert weights @ (np.sin(z) * (z - line.mu) / sigma**2) == pytest.approx(derivative, abs=1e-7)
