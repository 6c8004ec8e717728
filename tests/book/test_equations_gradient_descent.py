"""The equations of book/foundations/gradient_descent.ipynb, each against adamcore or a simulation."""

import numpy as np
import pytest

from adamcore import SGD, LogisticRegression, inverse_sqrt, minibatches, walk
from adamcore.optim import Schedule
from tests.book.equations import BOOK, equation

COPIES = 40_000  # of a noisy walk: their mean square is then known to about 1 %


@pytest.fixture
def quadratic(rng):
    """A random positive definite H with its curvatures and axes, a minimum, and a start."""
    axes = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    curvatures = np.sort(rng.uniform(0.5, 20, size=4))
    hessian = axes @ np.diag(curvatures) @ axes.T
    minimum, start = rng.normal(size=(2, 4))
    return hessian, curvatures, axes, minimum, start


def noisy_walk(rng, alpha, h, sigma, steps, start=2.0):
    """The points of many independent copies of a noisy bowl, (steps + 1, copies), and the noise that they met."""
    noise = []

    def gradient(theta):
        noise.append(sigma * rng.normal(size=theta.shape))
        return h * theta + noise[-1]

    return walk(SGD(alpha=alpha), gradient, np.full(COPIES, start), steps), np.array(noise)


def one_step_factors(alpha, curvatures):
    """What one step of adamcore's SGD multiplies each coordinate by."""
    return walk(SGD(alpha=alpha), lambda theta: curvatures * theta, np.ones_like(curvatures), 1)[1]


@equation("eq-gd-step", r"\theta_t = \theta_{t-1} - \alpha\, g_t, \qquad g_t = \nabla f(\theta_{t-1}).")
def test_step(rng):
    theta = rng.normal(size=3)
    points = walk(SGD(alpha=0.3), lambda theta: theta**3, theta, 2)  # f is the sum of theta^4 / 4
    np.testing.assert_allclose(points[1], theta - 0.3 * theta**3)
    np.testing.assert_allclose(points[2], points[1] - 0.3 * points[1] ** 3)


@equation("eq-gd-descent", r"f(\theta - \alpha g) = f(\theta) - \alpha \lVert g \rVert^2 + O(\alpha^2).")
def test_descent(rng):
    model = LogisticRegression(5, 4, l2=0.1, dtype=np.float64)
    batch = rng.normal(size=(8, 5)), rng.integers(4, size=8)
    theta = rng.normal(size=model.layout.size)
    loss, g = model.loss_and_grad(theta, batch)
    alphas = np.array([1e-2, 1e-3, 1e-4])
    rest = [model.loss_and_grad(theta - alpha * g, batch)[0] - loss + alpha * (g @ g) for alpha in alphas]
    assert abs(rest[0]) > 1e-6  # there is something to shrink
    np.testing.assert_allclose(rest / alphas**2, rest[-1] / alphas[-1] ** 2, rtol=0.1)


@equation(
    "eq-gd-bowl",
    r"""\begin{aligned}
    \theta_t &= \theta_{t-1} - \alpha h\, \theta_{t-1} = (1 - \alpha h)\, \theta_{t-1}, \\
    \theta_t &= (1 - \alpha h)^t\, \theta_0 .
    \end{aligned}""",
)
def test_bowl(rng):
    h, alpha, start = rng.uniform(0.5, 3), rng.uniform(0.1, 0.6), rng.normal(size=1)
    points = walk(SGD(alpha=alpha), lambda theta: h * theta, start, 9)
    np.testing.assert_allclose(points[1:], (1 - alpha * h) * points[:-1])
    np.testing.assert_allclose(points[9], (1 - alpha * h) ** 9 * start)


@equation(
    "eq-gd-ravine",
    r"""\begin{aligned}
    f(\theta) &= \tfrac12 \left( h_1 \theta_1^2 + h_2 \theta_2^2 \right), \\
    h_1 &= 1, \quad h_2 = 100 .
    \end{aligned}""",
)
def test_ravine(chapter, rng):
    np.testing.assert_array_equal(chapter["h"], [1, 100])
    theta = rng.normal(size=2)
    assert chapter["f"](theta) == pytest.approx(0.5 * (1 * theta[0] ** 2 + 100 * theta[1] ** 2))


@equation(
    "eq-gd-quadratic",
    r"""\begin{aligned}
    f(\theta) &= \tfrac12 (\theta - \theta^*)^\top H\, (\theta - \theta^*), \\
    \nabla f(\theta) &= H (\theta - \theta^*),
    \end{aligned}""",
)
def test_quadratic(quadratic):
    hessian, _, _, minimum, theta = quadratic

    def f(theta):
        return 0.5 * (theta - minimum) @ hessian @ (theta - minimum)

    slopes = [(f(theta + 1e-5 * e) - f(theta - 1e-5 * e)) / 2e-5 for e in np.eye(4)]
    np.testing.assert_allclose(slopes, hessian @ (theta - minimum), rtol=1e-6)


@equation(
    "eq-gd-error",
    r"""\begin{aligned}
    \theta_t - \theta^* &= \theta_{t-1} - \theta^* - \alpha H (\theta_{t-1} - \theta^*) \\
    &= (I - \alpha H)(\theta_{t-1} - \theta^*).
    \end{aligned}""",
)
def test_error(quadratic):
    hessian, _, _, minimum, start = quadratic
    points = walk(SGD(alpha=0.07), lambda theta: hessian @ (theta - minimum), start, 5)
    expected = (points[:-1] - minimum) @ (np.eye(4) - 0.07 * hessian).T
    np.testing.assert_allclose(points[1:] - minimum, expected, rtol=1e-12)


@equation("eq-gd-eigen", r"z_{t,i} = (1 - \alpha h_i)^t\, z_{0,i} .")
def test_eigen(quadratic):
    hessian, curvatures, axes, minimum, start = quadratic
    points = walk(SGD(alpha=0.07), lambda theta: hessian @ (theta - minimum), start, 12)
    z = (points - minimum) @ axes
    np.testing.assert_allclose(z[12], (1 - 0.07 * curvatures) ** 12 * z[0], rtol=1e-9, atol=1e-12)


@equation("eq-gd-stable", r"0 < \alpha < \frac{2}{h_{\max}} .")
def test_stable(quadratic):
    hessian, curvatures, _, minimum, start = quadratic
    for factor, arrives in ((0.98, True), (0.01, True), (1.02, False), (0.0, False)):
        rule = SGD(alpha=factor * 2 / curvatures.max())
        end = walk(rule, lambda theta: hessian @ (theta - minimum), start, 20_000 if arrives else 500)[-1]
        distance = np.abs(end - minimum).max()
        assert distance < 1e-6 if arrives else distance > 0.1


@equation(
    "eq-gd-rate",
    r"""\begin{aligned}
    \rho(\alpha) &= \max_i\, \lvert 1 - \alpha h_i \rvert \\
    &= \max \left( \lvert 1 - \alpha h_{\min} \rvert,\; \lvert 1 - \alpha h_{\max} \rvert \right).
    \end{aligned}""",
)
def test_rate(quadratic):
    _, curvatures, *_ = quadratic
    for alpha in np.linspace(0.01, 0.2, 20):
        rate = np.abs(one_step_factors(alpha, curvatures)).max()
        assert rate == pytest.approx(max(abs(1 - alpha * curvatures.min()), abs(1 - alpha * curvatures.max())))


def best_of_a_grid(curvatures):
    """The best step size and its rate, by trying 200,000."""
    alphas = np.linspace(0, 2 / curvatures.max(), 200_001)
    rates = np.abs(1 - alphas[:, None] * curvatures).max(axis=1)
    return alphas[rates.argmin()], rates.min()


@equation(
    "eq-gd-best-alpha",
    r"""\begin{aligned}
    & 1 - \alpha h_{\min} = \alpha h_{\max} - 1 \\
    \Longleftrightarrow\quad & \alpha^* = \frac{2}{h_{\min} + h_{\max}} .
    \end{aligned}""",
)
def test_best_alpha(quadratic):
    _, curvatures, *_ = quadratic
    best = 2 / (curvatures.min() + curvatures.max())
    assert best_of_a_grid(curvatures)[0] == pytest.approx(best, rel=1e-4)
    factors = one_step_factors(best, curvatures)
    assert factors[0] == pytest.approx(-factors[-1])


@equation(
    "eq-gd-best-rate",
    r"""\begin{aligned}
    \rho^* &= 1 - \frac{2 h_{\min}}{h_{\min} + h_{\max}} = \frac{h_{\max} - h_{\min}}{h_{\max} + h_{\min}} \\
    &= \frac{\kappa - 1}{\kappa + 1}, \qquad \kappa = \frac{h_{\max}}{h_{\min}} .
    \end{aligned}""",
)
def test_best_rate(quadratic):
    _, curvatures, *_ = quadratic
    low, high = curvatures[[0, -1]]
    kappa = high / low
    for rate in (1 - 2 * low / (low + high), (high - low) / (high + low), (kappa - 1) / (kappa + 1)):
        assert best_of_a_grid(curvatures)[1] == pytest.approx(rate, rel=1e-4)


@equation(
    "eq-gd-steps",
    r"""\begin{aligned}
    N &= \frac{1}{\ln (1 / \rho^*)} \le \frac{\kappa}{2}, \\
    & \text{and close to } \frac{\kappa}{2} \text{ when } \kappa \text{ is large}.
    \end{aligned}""",
)
def test_steps():
    for kappa in (1.5, 3, 10, 100, 1000):
        curvatures = np.array([1.0, kappa])
        points = walk(SGD(alpha=2 / (1 + kappa)), lambda theta, h=curvatures: h * theta, np.ones(2), 4000)
        reached = int((np.abs(points).max(axis=1) > np.exp(-1)).sum())  # the first step at 1/e or below
        n = 1 / np.log((kappa + 1) / (kappa - 1))
        assert n <= kappa / 2
        assert reached == int(np.ceil(n))
        assert kappa < 10 or n == pytest.approx(kappa / 2, rel=0.01)


@equation(
    "eq-gd-unbiased",
    r"""g = \frac1B \sum_{b=1}^{B} \nabla f_{j_b}(\theta), \qquad \operatorname{E}[g] = \nabla f(\theta).""",
)
def test_unbiased(rng):
    model = LogisticRegression(3, 3, dtype=np.float64)
    x, y = rng.normal(size=(5, 3)), rng.integers(3, size=5)
    theta = rng.normal(size=model.layout.size)
    single = np.array([model.loss_and_grad(theta, (x[[j]], y[[j]]))[1] for j in range(5)])
    drawn = [0, 3, 3, 1]
    np.testing.assert_allclose(model.loss_and_grad(theta, (x[drawn], y[drawn]))[1], single[drawn].mean(axis=0))
    pairs = [model.loss_and_grad(theta, (x[[i, j]], y[[i, j]]))[1] for i in range(5) for j in range(5)]
    np.testing.assert_allclose(np.mean(pairs, axis=0), model.loss_and_grad(theta, (x, y))[1])
    # Also within an epoch, where nothing is put back:
    epoch = [model.loss_and_grad(theta, (x[b], y[b]))[1] for _ in range(4000) for b in minibatches(5, 1, rng)]
    np.testing.assert_allclose(np.mean(epoch, axis=0), model.loss_and_grad(theta, (x, y))[1])


@equation("eq-gd-variance", r"\operatorname{Var}[g] = \frac{B \sigma_1^2}{B^2} = \frac{\sigma_1^2}{B} .")
def test_variance(rng):
    model = LogisticRegression(3, 3, dtype=np.float64)
    x, y = rng.normal(size=(5, 3)), rng.integers(3, size=5)
    theta = rng.normal(size=model.layout.size)
    single = np.array([model.loss_and_grad(theta, (x[[j]], y[[j]]))[1] for j in range(5)])
    draws = np.array(np.meshgrid(*[range(5)] * 3)).reshape(3, -1).T  # every way to draw 3 of 5, with putting back
    g = np.array([model.loss_and_grad(theta, (x[drawn], y[drawn]))[1] for drawn in draws])
    np.testing.assert_allclose(g.var(axis=0), single.var(axis=0) / 3)


@equation(
    "eq-gd-noisy",
    r"""\begin{aligned}
    \theta_t &= \theta_{t-1} - \alpha\, (h\, \theta_{t-1} + \xi_t) \\
    &= (1 - \alpha h)\, \theta_{t-1} - \alpha\, \xi_t .
    \end{aligned}""",
)
def test_noisy(rng):
    points, noise = noisy_walk(rng, alpha=0.3, h=1.7, sigma=0.8, steps=4)
    np.testing.assert_allclose(points[1:], (1 - 0.3 * 1.7) * points[:-1] - 0.3 * noise, atol=1e-13)


@equation(
    "eq-gd-mean-square",
    r"\operatorname{E}[\theta_t^2] = (1 - \alpha h)^2\, \operatorname{E}[\theta_{t-1}^2] + \alpha^2 \sigma^2 .",
)
def test_mean_square(rng):
    points, _ = noisy_walk(rng, alpha=0.3, h=1.7, sigma=0.8, steps=4)
    squares = (points**2).mean(axis=1)
    np.testing.assert_allclose(squares[1:], (1 - 0.3 * 1.7) ** 2 * squares[:-1] + 0.3**2 * 0.8**2, rtol=0.03)


@equation(
    "eq-gd-noise-floor",
    r"""\begin{aligned}
    & V\, \alpha h\, (2 - \alpha h) = \alpha^2 \sigma^2 \\
    \Longrightarrow\quad & V = \frac{\alpha\, \sigma^2}{h\, (2 - \alpha h)} .
    \end{aligned}""",
)
def test_noise_floor(rng):
    for alpha in (0.1, 0.5, 1.0):
        points, _ = noisy_walk(rng, alpha, h=1.7, sigma=0.8, steps=60)
        assert (points[40:] ** 2).mean() == pytest.approx(alpha * 0.8**2 / (1.7 * (2 - alpha * 1.7)), rel=0.03)


@equation(
    "eq-gd-transient",
    r"\operatorname{E}[\theta_t^2] = V + (1 - \alpha h)^{2t} \left( \theta_0^2 - V \right) .",
)
def test_transient(rng):
    points, _ = noisy_walk(rng, alpha=0.1, h=1.7, sigma=3.0, steps=25, start=2.0)
    floor = 0.1 * 3.0**2 / (1.7 * (2 - 0.1 * 1.7))
    expected = floor + (1 - 0.1 * 1.7) ** (2 * np.arange(26)) * (4.0 - floor)
    np.testing.assert_allclose((points**2).mean(axis=1), expected, rtol=0.04)


def mean_square_after(alpha_of, steps, start=9.0):
    """E[theta_t^2] of the bowl with h = 1 and sigma = 1, by its exact recursion."""
    for t in range(1, steps + 1):
        start = (1 - alpha_of(t)) ** 2 * start + alpha_of(t) ** 2
    return start


@equation(
    "eq-gd-robbins-monro",
    r"\sum_{t=1}^{\infty} \alpha_t = \infty, \qquad \sum_{t=1}^{\infty} \alpha_t^2 < \infty .",
)
def test_robbins_monro(rng):
    power = {p: mean_square_after(lambda t, p=p: 0.4 / t**p, 100_000) for p in (0, 0.75, 2)}
    assert power[0.75] < 1e-3  # both conditions hold
    assert power[0] == pytest.approx(0.4 / 1.6)  # the second fails: the floor
    assert power[2] > 1  # the first fails: stuck on the way
    # As the chapter says, they are not necessary: 1 / sqrt(t) breaks the second and arrives.
    schedule = inverse_sqrt(0.4)
    assert mean_square_after(schedule, 100_000) == pytest.approx(schedule(100_000) / 2, rel=0.01)


@equation(
    "eq-gd-one-over-t",
    r"""\theta_t = -\frac1h \cdot \frac1t \sum_{i=1}^{t} \xi_i, \qquad
    \operatorname{E}[\theta_t^2] = \frac{\sigma^2}{h^2\, t} .""",
)
def test_one_over_t(rng):
    class Reciprocal(Schedule):
        def __call__(self, t):
            return 1 / (1.7 * t)

    points, noise = noisy_walk(rng, Reciprocal(), h=1.7, sigma=0.8, steps=20)
    np.testing.assert_allclose(points[20], -noise.mean(axis=0) / 1.7, atol=1e-12)
    assert (points[20] ** 2).mean() == pytest.approx(0.8**2 / (1.7**2 * 20), rel=0.03)


@equation(
    "eq-gd-logistic-curvature",
    r"H = p\, (1 - p)\, \tfrac1n X^\top X, \qquad p = \tfrac{1}{10},",
)
def test_logistic_curvature(rng):
    x, y = rng.uniform(size=(30, 3)), rng.integers(10, size=30)
    model = LogisticRegression(3, 10, dtype=np.float64)
    start, digit, step = model.init(rng), 3, 1e-5
    places = model.layout.views(np.arange(start.size))
    weights = [*places.W[:, digit], places.b[digit]]  # of one digit, the bias last

    def slopes(theta):
        return model.loss_and_grad(theta, (x, y))[1][weights]

    moves = step * np.eye(start.size)[weights]
    hessian = [(slopes(start + move) - slopes(start - move)) / (2 * step) for move in moves]
    with_ones = np.column_stack([x, np.ones(30)])
    np.testing.assert_allclose(hessian, 0.1 * (1 - 0.1) * with_ones.T @ with_ones / 30, rtol=1e-6)


@pytest.fixture(scope="module")
def chapter():
    """The names that the chapter's ravine is made of."""
    import nbformat

    cells = nbformat.read(BOOK / "foundations" / "gradient_descent.ipynb", as_version=4).cells
    source = next(cell.source for cell in cells if cell["id"] == "ravine-code")
    names: dict = {"np": np}
    exec(source, names)
    return names
