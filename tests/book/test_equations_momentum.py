"""The equations of book/foundations/momentum.ipynb, each against adamcore or a simulation."""

import numpy as np
import pytest

from adamcore import SGD, Momentum, Nesterov, inverse_sqrt, walk
from tests.book.equations import equation

STEPS = 8


@pytest.fixture
def run(rng):
    """A function that feeds random gradients to a rule: the states after each step, and the gradients."""
    gradients = rng.normal(size=(STEPS, 3))
    start = rng.normal(size=3)

    def feed(rule):
        s = rule.init(start)
        thetas, sums = [s.theta], [s.b]
        for g in gradients:
            rule.step(s, g)
            thetas.append(s.theta)
            sums.append(s.b)
        return np.array(thetas), np.array(sums), gradients

    return feed


def eigenvalues(alpha, mu, h, rule=Momentum):
    """The two eigenvalues of one step of adamcore's rule on a bowl, from (z, b) to the next (z, b)."""
    columns = []
    for z, b in np.eye(2):
        made = rule(alpha=alpha, mu=mu)
        s = made.init(np.array([z]))
        s.b = np.array([b])
        made.step(s, h * s.theta)
        columns.append([s.theta[0], s.b[0]])
    return np.linalg.eigvals(np.array(columns).T)


def sizes(alpha, mu, h, rule=Momentum):
    """Their sizes, the larger one last."""
    return np.sort(np.abs(eigenvalues(alpha, mu, h, rule)))


def sum_and_product(alpha, mu, h, rule=Momentum):
    """Their sum and their product, read off a walk."""
    points = walk(rule(alpha=alpha, mu=mu), lambda theta: h * theta, np.ones(1), 4)[:, 0]
    # A linear recursion z_t = p z_{t-1} - q z_{t-2}, read off three of its equations.
    p, minus_q = np.linalg.lstsq(np.column_stack([points[1:-1], points[:-2]]), points[2:], rcond=None)[0]
    return p, -minus_q


@equation(
    "eq-mom-ball",
    r"""\begin{aligned}
    b_t &= \mu\, b_{t-1} + g_t, \qquad b_0 = 0, \\
    \theta_t &= \theta_{t-1} - \alpha\, b_t .
    \end{aligned}""",
)
def test_ball(run):
    thetas, b, g = run(Momentum(alpha=0.2, mu=0.7))
    assert (b[0] == 0).all()
    np.testing.assert_allclose(b[1:], 0.7 * b[:-1] + g, rtol=1e-13)
    np.testing.assert_allclose(thetas[1:], thetas[:-1] - 0.2 * b[1:], rtol=1e-13)


@equation(
    "eq-mom-newton",
    r"""\begin{aligned}
    M\, \frac{\theta_t - 2\theta_{t-1} + \theta_{t-2}}{\delta^2} &= - \nabla f(\theta_{t-1}) \\
    &\quad - \gamma\, \frac{\theta_{t-1} - \theta_{t-2}}{\delta} .
    \end{aligned}""",
)
def test_newton(rng):
    mass, friction, delta = 2.0, 1.5, 0.3
    rule = Momentum(alpha=delta**2 / mass, mu=1 - friction * delta / mass)
    z = walk(rule, lambda theta: theta**3, rng.normal(size=3), 12)
    force = -(z[1:-1] ** 3) - friction * (z[1:-1] - z[:-2]) / delta
    np.testing.assert_allclose(mass * (z[2:] - 2 * z[1:-1] + z[:-2]) / delta**2, force, rtol=1e-8)
    # And it is the ball: many small steps follow x'' = -x - x' / 2, whose solution is known.
    delta, steps = 1e-3, 4000
    fine = walk(Momentum(alpha=delta**2, mu=1 - 0.5 * delta), lambda theta: theta, np.ones(1), steps)[-1, 0]
    t, swing = steps * delta, np.sqrt(1 - 0.25**2)
    assert fine == pytest.approx(np.exp(-t / 4) * (np.cos(swing * t) + 0.25 / swing * np.sin(swing * t)), abs=2e-3)


@equation(
    "eq-mom-polyak",
    r"""\begin{aligned}
    \theta_t &= \theta_{t-1} - \alpha\, g_t + \mu\, (\theta_{t-1} - \theta_{t-2}), \\
    \alpha &= \frac{\delta^2}{M}, \qquad \mu = 1 - \frac{\gamma \delta}{M} .
    \end{aligned}""",
)
def test_polyak(run):
    mass, friction, delta = 2.0, 1.5, 0.3
    alpha, mu = delta**2 / mass, 1 - friction * delta / mass
    thetas, _, g = run(Momentum(alpha=alpha, mu=mu))
    np.testing.assert_allclose(thetas[2:], thetas[1:-1] - alpha * g[1:] + mu * (thetas[1:-1] - thetas[:-2]))
    # The same step, from Newton's law: position and speed at t - 1, and the acceleration there.
    speed = (thetas[1:-1] - thetas[:-2]) / delta
    acceleration = (-g[1:] - friction * speed) / mass
    np.testing.assert_allclose(thetas[2:], thetas[1:-1] + delta * speed + delta**2 * acceleration)


@equation("eq-mom-unrolled", r"b_t = \sum_{i=1}^{t} \mu^{t-i} g_i .")
def test_unrolled(run):
    _, b, g = run(Momentum(mu=0.7))
    for t in range(1, STEPS + 1):
        np.testing.assert_allclose(b[t], sum(0.7 ** (t - i) * g[i - 1] for i in range(1, t + 1)), rtol=1e-12)


def sum_of(gradients, mu):
    """What adamcore's b holds after these gradients."""
    rule = Momentum(mu=mu)
    s = rule.init(np.zeros(1))
    for g in gradients:
        rule.step(s, np.array([g]))
    return s.b[0]


@equation("eq-mom-terminal", r"b_t = \frac{1 - \mu^t}{1 - \mu}\, g \;\longrightarrow\; \frac{g}{1 - \mu} .")
def test_terminal(rng):
    g, mu = rng.normal(), rng.uniform(0.3, 0.9)
    assert sum_of([g] * 7, mu) == pytest.approx((1 - mu**7) / (1 - mu) * g)
    assert sum_of([g] * 500, mu) == pytest.approx(g / (1 - mu))


@equation(
    "eq-mom-alternating",
    r"""\begin{aligned}
    b_t &= (-1)^t\, \frac{1 - (-\mu)^t}{1 + \mu}\, g , \\
    & \text{of size about } \frac{|g|}{1 + \mu} .
    \end{aligned}""",
)
def test_alternating(rng):
    g, mu = rng.normal(), rng.uniform(0.3, 0.9)
    for t in (1, 2, 5, 6):
        signs = [(-1) ** i * g for i in range(1, t + 1)]
        assert sum_of(signs, mu) == pytest.approx((-1) ** t * (1 - (-mu) ** t) / (1 + mu) * g)
    assert abs(sum_of([(-1) ** i * g for i in range(500)], mu)) == pytest.approx(abs(g) / (1 + mu))


@equation(
    "eq-mom-velocity",
    r"""\begin{aligned}
    v_t &= \mu\, v_{t-1} - \alpha\, g_t, \\
    \theta_t &= \theta_{t-1} + v_t .
    \end{aligned}""",
)
def test_velocity(run):
    thetas, b, g = run(Momentum(alpha=0.2, mu=0.7, form="velocity"))
    v = -b  # adamcore keeps the steps with the other sign
    np.testing.assert_allclose(v[1:], 0.7 * v[:-1] - 0.2 * g, rtol=1e-12)
    np.testing.assert_allclose(thetas[1:], thetas[:-1] + v[1:], rtol=1e-12)


@equation(
    "eq-mom-average",
    r"""\begin{aligned}
    m_t &= \mu\, m_{t-1} + (1 - \mu)\, g_t, \\
    \theta_t &= \theta_{t-1} - \alpha'\, m_t .
    \end{aligned}""",
)
def test_average(run):
    thetas, m, g = run(Momentum(alpha=0.2, mu=0.7, form="average"))
    np.testing.assert_allclose(m[1:], 0.7 * m[:-1] + (1 - 0.7) * g, rtol=1e-12)
    np.testing.assert_allclose(thetas[1:], thetas[:-1] - 0.2 * m[1:], rtol=1e-12)


@equation(
    "eq-mom-translate",
    r"""\begin{aligned}
    v_t &= -\alpha\, b_t, \qquad m_t = (1 - \mu)\, b_t, \\
    \alpha' &= \frac{\alpha}{1 - \mu} .
    \end{aligned}""",
)
def test_translate(run):
    ball = run(Momentum(alpha=0.2, mu=0.7))
    velocity = run(Momentum(alpha=0.2, mu=0.7, form="velocity"))
    average = run(Momentum(alpha=0.2 / (1 - 0.7), mu=0.7, form="average"))
    np.testing.assert_allclose(-velocity[1], -0.2 * ball[1], rtol=1e-12)
    np.testing.assert_allclose(average[1], (1 - 0.7) * ball[1], rtol=1e-12)
    for other in (velocity, average):
        np.testing.assert_allclose(other[0], ball[0], rtol=1e-12)


@equation(
    "eq-mom-schedule",
    r"""\begin{aligned}
    & \text{ball:} && \theta_t - \theta_{t-1} = -\alpha_t \sum_{i=1}^{t} \mu^{t-i} g_i , \\
    & \text{velocity:} && \theta_t - \theta_{t-1} = -\sum_{i=1}^{t} \mu^{t-i} \alpha_i\, g_i .
    \end{aligned}""",
)
def test_schedule(run):
    alpha = inverse_sqrt(0.2)
    ball, _, g = run(Momentum(alpha=alpha, mu=0.7))
    velocity, _, _ = run(Momentum(alpha=alpha, mu=0.7, form="velocity"))
    for t in range(1, STEPS + 1):
        back = [(0.7 ** (t - i), alpha(i), g[i - 1]) for i in range(1, t + 1)]
        np.testing.assert_allclose(ball[t] - ball[t - 1], -alpha(t) * sum(w * one for w, _, one in back), rtol=1e-9)
        np.testing.assert_allclose(velocity[t] - velocity[t - 1], -sum(w * a * one for w, a, one in back), rtol=1e-9)


@equation("eq-mom-recursion", r"z_t = (1 + \mu - \alpha h)\, z_{t-1} - \mu\, z_{t-2} .")
def test_recursion(rng):
    alpha, mu, h = rng.uniform(0.1, 0.9, size=3)
    z = walk(Momentum(alpha=alpha, mu=mu), lambda theta: h * theta, rng.normal(size=2), 10)
    np.testing.assert_allclose(z[2:], (1 + mu - alpha * h) * z[1:-1] - mu * z[:-2], atol=1e-12)


@equation(
    "eq-mom-matrix",
    r"""\begin{pmatrix} z_t \\ z_{t-1} \end{pmatrix} =
    \begin{pmatrix} 1 + \mu - \alpha h & -\mu \\ 1 & 0 \end{pmatrix}
    \begin{pmatrix} z_{t-1} \\ z_{t-2} \end{pmatrix} .""",
)
def test_matrix(rng):
    alpha, mu, h = rng.uniform(0.1, 0.9, size=3)
    z = walk(Momentum(alpha=alpha, mu=mu), lambda theta: h * theta, rng.normal(size=1), 10)[:, 0]
    matrix = np.array([[1 + mu - alpha * h, -mu], [1, 0]])
    np.testing.assert_allclose([z[10], z[9]], np.linalg.matrix_power(matrix, 9) @ [z[1], z[0]], atol=1e-12)


@equation(
    "eq-mom-eigenvalues",
    r"""\begin{aligned}
    & \lambda^2 - (1 + \mu - \alpha h)\, \lambda + \mu = 0, \\
    & \lambda = \frac{1 + \mu - \alpha h \pm \sqrt{(1 + \mu - \alpha h)^2 - 4 \mu}}{2} .
    \end{aligned}""",
)
def test_eigenvalues(rng):
    for alpha, mu, h in rng.uniform([0.05, 0, 0.5], [1, 0.95, 3], size=(20, 3)):
        middle = 1 + mu - alpha * h
        solutions = (middle + np.array([1, -1]) * np.sqrt(middle**2 - 4 * mu + 0j)) / 2
        np.testing.assert_allclose(solutions**2 - middle * solutions + mu, 0, atol=1e-12)
        for one in eigenvalues(alpha, mu, h):  # with its sign, not only its size
            assert np.abs(solutions - one).min() < 1e-6
        assert sum_and_product(alpha, mu, h) == pytest.approx((middle, mu), abs=1e-6)


@equation(
    "eq-mom-band",
    r"""\begin{aligned}
    & (1 - \sqrt\mu)^2 \le \alpha h \le (1 + \sqrt\mu)^2 \\
    \Longrightarrow\quad & |\lambda_1| = |\lambda_2| = \sqrt\mu .
    \end{aligned}""",
)
def test_band(rng):
    for mu in rng.uniform(0.05, 0.95, size=10):
        root = np.sqrt(mu)
        low, high = (1 - root) ** 2, (1 + root) ** 2
        for ah in (1.001 * low, *np.linspace(low, high, 12)[1:-1], 0.999 * high):
            np.testing.assert_allclose(sizes(ah, mu, 1.0), root)
        for ah in (0.98 * low, 1.02 * high):
            assert sizes(ah, mu, 1.0)[1] > root * 1.0001


@equation("eq-mom-stable", r"0 < \alpha h < 2 (1 + \mu) .")
def test_stable(rng):
    for mu in rng.uniform(0, 0.95, size=10):
        limit = 2 * (1 + mu)
        for ah, stable in ((0.01, True), (0.995 * limit, True), (1.005 * limit, False), (0.0, False)):
            assert (sizes(ah, mu, 1.0)[1] < 1 - 1e-9) == stable


def settings_of(kappa):
    """The curvatures 0.5 and 0.5 kappa."""
    return 0.5, 0.5 * kappa


def worst(alpha, mu, low, high, rule=Momentum):
    """The rate over all curvatures from low to high."""
    return max(sizes(alpha, mu, h, rule)[1] for h in np.linspace(low, high, 40))


@equation(
    "eq-mom-best",
    r"""\begin{aligned}
    \alpha^* &= \left( \frac{2}{\sqrt{h_{\max}} + \sqrt{h_{\min}}} \right)^{\!2}, \\
    \mu^* &= \left( \frac{\sqrt\kappa - 1}{\sqrt\kappa + 1} \right)^{\!2},
    \end{aligned}""",
)
def test_best(rng):
    for kappa in (3.0, 20.0, 300.0):
        low, high = settings_of(kappa)
        alpha, mu = (2 / (np.sqrt(high) + np.sqrt(low))) ** 2, ((np.sqrt(kappa) - 1) / (np.sqrt(kappa) + 1)) ** 2
        best = worst(alpha, mu, low, high)
        for factor, shift in rng.normal(scale=0.1, size=(60, 2)):
            other = worst(alpha * np.exp(factor), np.clip(mu + shift, 0, 0.999), low, high)
            assert other > best - 1e-5  # at the ends of the band rounding makes roots of 1e-16


@equation(
    "eq-mom-best-rate",
    r"\rho^* = \sqrt{\mu^*} = \frac{\sqrt\kappa - 1}{\sqrt\kappa + 1} .",
)
def test_best_rate():
    for kappa in (3.0, 20.0, 300.0):
        low, high = settings_of(kappa)
        rate = (np.sqrt(kappa) - 1) / (np.sqrt(kappa) + 1)
        rule = Momentum(alpha=(2 / (np.sqrt(high) + np.sqrt(low))) ** 2, mu=rate**2)
        assert worst(rule.alpha, rule.mu, low, high) == pytest.approx(rate, abs=1e-6)
        h = np.linspace(low, high, 9)
        points = walk(rule, lambda theta, h=h: h * theta, np.ones(9), int(25 / -np.log(rate)))
        n = len(points) // 2
        measured = (np.abs(points[-1]).max() / np.abs(points[n]).max()) ** (1 / (len(points) - 1 - n))
        assert measured == pytest.approx(rate * 2 ** (1 / n), rel=0.03)  # like t * rate^t


@equation(
    "eq-mom-range",
    r"""\begin{aligned}
    & (1 - r)\left( 1 - \frac{\mu}{r} \right) \le \alpha h \\
    & \quad \le (1 + r)\left( 1 + \frac{\mu}{r} \right) .
    \end{aligned}""",
)
def test_range(rng):
    for r in rng.uniform(0.2, 0.99, size=20):
        mu = rng.uniform(0, r**2)
        low, high = (1 - r) * (1 - mu / r), (1 + r) * (1 + mu / r)
        for ah in (1.001 * low, *np.linspace(low, high, 9)[1:-1], 0.999 * high):
            assert sizes(ah, mu, 1.0)[1] < r
        for ah in (0.999 * low, 1.001 * high):
            assert sizes(ah, mu, 1.0)[1] > r
        assert high / low <= ((1 + r) / (1 - r)) ** 2  # what the note concludes: the band at mu = r^2 is the widest


def looked_ahead(gradient, start, alpha, mu, steps):
    """Nesterov's form: the points theta_t, and the points ahead of them."""
    theta, v = start, np.zeros_like(start)
    thetas, ahead = [theta], [theta + mu * v]
    for t in range(1, steps + 1):
        v = mu * v - alpha(t) * gradient(theta + mu * v)
        theta = theta + v
        thetas.append(theta)
        ahead.append(theta + mu * v)
    return np.array(thetas), np.array(ahead)


@equation(
    "eq-mom-lookahead",
    r"""\begin{aligned}
    v_t &= \mu\, v_{t-1} - \alpha\, \nabla f(\theta_{t-1} + \mu\, v_{t-1}), \\
    \theta_t &= \theta_{t-1} + v_t .
    \end{aligned}""",
)
def test_lookahead(rng):
    start = rng.normal(size=3)
    _, ahead = looked_ahead(lambda theta: theta**3, start, lambda t: 0.1, 0.7, 20)
    np.testing.assert_allclose(walk(Nesterov(alpha=0.1, mu=0.7), lambda theta: theta**3, start, 20), ahead)
    # With a schedule the velocity form is exact, as the chapter says, and the ball form is not.
    schedule = inverse_sqrt(0.1)
    _, ahead = looked_ahead(lambda theta: theta**3, start, schedule, 0.7, 20)
    stored = {
        form: walk(Nesterov(alpha=schedule, mu=0.7, form=form), lambda theta: theta**3, start, 20)
        for form in ("velocity", "heavy_ball")
    }
    np.testing.assert_allclose(stored["velocity"], ahead)
    assert np.abs(stored["heavy_ball"] - ahead).max() > 1e-4


@equation(
    "eq-mom-nesterov",
    r"""\begin{aligned}
    b_t &= \mu\, b_{t-1} + g_t, \\
    \theta_t &= \theta_{t-1} - \alpha\, (g_t + \mu\, b_t) .
    \end{aligned}""",
)
def test_nesterov(run):
    thetas, b, g = run(Nesterov(alpha=0.2, mu=0.7))
    np.testing.assert_allclose(b[1:], 0.7 * b[:-1] + g, rtol=1e-12)
    np.testing.assert_allclose(thetas[1:], thetas[:-1] - 0.2 * (g + 0.7 * b[1:]), rtol=1e-12)


@equation(
    "eq-mom-nesterov-quadratic",
    r"""\begin{aligned}
    & z_t = (1 - \alpha h) \left( (1 + \mu)\, z_{t-1} - \mu\, z_{t-2} \right), \\
    & \lambda^2 - (1 + \mu)(1 - \alpha h)\, \lambda + \mu\, (1 - \alpha h) = 0 .
    \end{aligned}""",
)
def test_nesterov_quadratic(rng):
    alpha, mu, h = rng.uniform(0.2, 0.8, size=3)
    thetas, _ = looked_ahead(lambda theta: h * theta, rng.normal(size=2), lambda t: alpha, mu, 10)
    expected = (1 - alpha * h) * ((1 + mu) * thetas[1:-1] - mu * thetas[:-2])
    np.testing.assert_allclose(thetas[2:], expected, atol=1e-12)
    # The stored points of adamcore follow the same recursion, so the same eigenvalues.
    total, product = sum_and_product(alpha, mu, h, Nesterov)
    assert total == pytest.approx((1 + mu) * (1 - alpha * h))
    assert product == pytest.approx(mu * (1 - alpha * h))


@equation(
    "eq-mom-nesterov-rate",
    r"""\begin{aligned}
    & \alpha = \frac{1}{h_{\max}}, \quad \mu = \frac{\sqrt\kappa - 1}{\sqrt\kappa + 1} \\
    \Longrightarrow\quad & \rho = 1 - \frac{1}{\sqrt\kappa} .
    \end{aligned}""",
)
def test_nesterov_rate():
    for kappa in (3.0, 20.0, 300.0):
        low, high = settings_of(kappa)
        mu = (np.sqrt(kappa) - 1) / (np.sqrt(kappa) + 1)
        assert worst(1 / high, mu, low, high, Nesterov) == pytest.approx(1 - 1 / np.sqrt(kappa), abs=1e-6)


@equation(
    "eq-mom-direction",
    r"""\frac{|g| / (1 - \mu)}{\sigma / \sqrt{1 - \mu^2}} = \frac{|g|}{\sigma} \sqrt{\frac{1 + \mu}{1 - \mu}} .""",
)
def test_direction(rng):
    g, sigma, mu = -0.7, 1.3, 0.8
    rule = Momentum(mu=mu)
    s = rule.init(np.zeros(200_000))
    for _ in range(60):
        rule.step(s, g + sigma * rng.normal(size=200_000))
    assert s.b.mean() == pytest.approx(g / (1 - mu), rel=0.01)
    assert s.b.std() == pytest.approx(sigma / np.sqrt(1 - mu**2), rel=0.01)
    assert abs(s.b.mean()) / s.b.std() == pytest.approx(abs(g) / sigma * np.sqrt((1 + mu) / (1 - mu)), rel=0.02)


@equation(
    "eq-mom-noise-floor",
    r"""\begin{aligned}
    V &= \frac{1 + \mu}{1 - \mu} \cdot \frac{\alpha\, \sigma^2}{h\, (2 + 2\mu - \alpha h)} \\
    &\approx \frac{\alpha}{1 - \mu} \cdot \frac{\sigma^2}{2 h} \qquad (\alpha h \text{ small}).
    \end{aligned}""",
)
def test_noise_floor(rng):
    h, sigma = 1.7, 0.8

    def measured(rule, steps):
        points = walk(rule, lambda theta: h * theta + sigma * rng.normal(size=theta.shape), np.zeros(20_000), steps)
        return (points[steps // 2 :] ** 2).mean()

    for alpha, mu in ((0.5, 0.3), (1.0, 0.6), (0.1, 0.8)):
        exact = (1 + mu) / (1 - mu) * alpha * sigma**2 / (h * (2 + 2 * mu - alpha * h))
        assert measured(Momentum(alpha=alpha, mu=mu), 200) == pytest.approx(exact, rel=0.03)
    small = 0.02 / (1 - 0.8) * sigma**2 / (2 * h)
    assert measured(Momentum(alpha=0.02, mu=0.8), 200) == pytest.approx(small, rel=0.05)
    assert measured(SGD(alpha=0.02 / (1 - 0.8)), 200) == pytest.approx(small, rel=0.1)
