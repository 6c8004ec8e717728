"""The equations of book/practice/after_adam.ipynb, each against adamcore on random inputs or a simulation."""

import itertools
from dataclasses import dataclass

import numpy as np
import pytest

from adamcore import SGD, Adam, LogisticRegression, minibatches, walk
from adamcore.optim import AdamL2, AdamW, Averaged, Lion, NAdam, RAdam, Rule
from tests.book.equations import BOOK, equation

A, B, C = 3.4445, -4.7750, 2.0315  # Muon's coefficients, as on the page


@pytest.fixture(scope="module")
def chapter():
    """The functions that the chapter's cells define; what the cells load, train and print is dropped."""
    import nbformat

    cells = nbformat.read(BOOK / "practice" / "after_adam.ipynb", as_version=4).cells
    code = {cell["id"]: cell.source for cell in cells if cell.cell_type == "code"}
    names: dict = {"np": np, "minibatches": minibatches}
    for cell, end in (("adafactor", "runs ="), ("sophia", "start ="), ("muon", "network =")):
        functions = code[cell].split(end)[0]
        exec(functions[functions.index("def ") :], names)
    return names


@equation(
    "eq-after-nadam",
    r"\hat m_t = \frac{\beta_1\, m_t}{1 - \beta_1^{t+1}} + \frac{(1 - \beta_1)\, g_t}{1 - \beta_1^t} .",
)
def test_nadam_looks_ahead(rng):
    beta1 = rng.uniform(0.1, 0.95)
    rule = NAdam(alpha=0.1, beta1=beta1, eps=0, momentum_decay=None)
    s, m = rule.init(np.zeros(3)), np.zeros(3)
    for t, g in enumerate(rng.normal(size=(12, 3)), start=1):
        before = s.theta
        rule.step(s, g)
        m = beta1 * m + (1 - beta1) * g
        m_hat = beta1 * m / (1 - beta1 ** (t + 1)) + (1 - beta1) * g / (1 - beta1**t)
        np.testing.assert_allclose(s.theta, before - 0.1 * m_hat / np.sqrt(s.v_hat), rtol=1e-12, atol=1e-15)


@equation(
    "eq-after-radam",
    r"""\begin{aligned}
    \rho_\infty &= \frac{2}{1 - \beta_2} - 1 , \\
    \rho_t &= \rho_\infty - \frac{2 t\, \beta_2^t}{1 - \beta_2^t} , \\
    r_t &= \sqrt{ \frac{(\rho_t - 4)(\rho_t - 2)\, \rho_\infty}{(\rho_\infty - 4)(\rho_\infty - 2)\, \rho_t} } .
    \end{aligned}""",
)
def test_radam_waits(rng):
    for beta2 in (0.99, 0.999, rng.uniform(0.9, 0.9999)):
        rule = RAdam(alpha=0.1, beta2=beta2, eps=0)
        s = rule.init(np.zeros(3))
        infinity = 2 / (1 - beta2) - 1
        for t, g in enumerate(rng.normal(size=(60, 3)), start=1):
            before = s.theta
            rule.step(s, g)
            rho = infinity - 2 * t * beta2**t / (1 - beta2**t)
            if rho > 4:
                r = np.sqrt((rho - 4) * (rho - 2) * infinity / ((infinity - 4) * (infinity - 2) * rho))
                made = 0.1 * r * s.m_hat / np.sqrt(s.v_hat)
            else:
                made = 0.1 * s.m_hat
            np.testing.assert_allclose(before - s.theta, made, rtol=1e-9, atol=1e-15)
    assert RAdam().rectification(4) == 0 < RAdam().rectification(5)  # "four steps" at the default


@equation(
    "eq-after-equal",
    r"""\frac{\hat m_t}{\sqrt{\hat v_t}} = \frac{\operatorname{sign}(\hat m_t)}{\sqrt{1 + s_t^2 / \hat m_t^2}}
    \qquad (\beta_1 = \beta_2) .""",
)
def test_equal_betas_give_sign_and_spread(rng):
    beta = rng.uniform(0.3, 0.98)
    rule = Adam(alpha=1.0, beta1=beta, beta2=beta, eps=0)
    s, gradients = rule.init(np.zeros(4)), rng.normal(0.5, 1.0, size=(25, 4))
    for t, g in enumerate(gradients, start=1):
        before = s.theta
        rule.step(s, g)
        weights = (1 - beta) * beta ** (t - np.arange(1, t + 1)) / (1 - beta**t)
        mean = weights @ gradients[:t]
        variance = weights @ (gradients[:t] - mean) ** 2
        np.testing.assert_allclose(before - s.theta, np.sign(mean) / np.sqrt(1 + variance / mean**2), rtol=1e-8)


@equation(
    "eq-after-lion",
    r"""\begin{aligned}
    c_t &= \beta_1 m_{t-1} + (1 - \beta_1)\, g_t , \\
    \theta_t &= \theta_{t-1} - \alpha \left( \operatorname{sign}(c_t) + \lambda\, \theta_{t-1} \right) , \\
    m_t &= \beta_2 m_{t-1} + (1 - \beta_2)\, g_t .
    \end{aligned}""",
)
def test_lion(rng):
    beta1, beta2 = rng.uniform(0.1, 0.99, size=2)
    rule = Lion(alpha=0.02, beta1=beta1, beta2=beta2, weight_decay=0.3)
    s = rule.init(rng.normal(size=5))
    theta, m = s.theta, np.zeros(5)
    for g in rng.normal(size=(20, 5)):
        rule.step(s, g)
        theta = theta - 0.02 * (np.sign(beta1 * m + (1 - beta1) * g) + 0.3 * theta)
        m = beta2 * m + (1 - beta2) * g
        np.testing.assert_allclose(s.theta, theta, rtol=1e-12)


@equation(
    "eq-after-adamw",
    r"""\theta_t = \theta_{t-1} - \alpha\, \frac{\hat m_t}{\sqrt{\hat v_t} + \epsilon}
    - \alpha \lambda\, \theta_{t-1} .""",
)
def test_adamw(rng):
    rule = AdamW(alpha=0.05, eps=1e-3, weight_decay=0.4)
    s = rule.init(rng.normal(size=5))
    for g in rng.normal(size=(20, 5)):
        before = s.theta
        rule.step(s, g)
        moved = 0.05 * s.m_hat / (np.sqrt(s.v_hat) + 1e-3) + 0.05 * 0.4 * before
        np.testing.assert_allclose(s.theta, before - moved, rtol=1e-12)


@equation(
    "eq-after-decay",
    r"""\frac{\operatorname{E}[\theta_t]}{\theta_0} \approx \begin{cases}
    e^{-\alpha \lambda t / s} & \text{penalty,} \\
    e^{-\alpha \lambda t} & \text{AdamW.} \end{cases}""",
)
def test_decay(rng):
    alpha, decay, steps = 1e-3, 0.1, 400
    for size in (0.5, 2.0):  # much larger than decay * theta
        left = {}
        for rule in (AdamL2(alpha=alpha, weight_decay=decay), AdamW(alpha=alpha, weight_decay=decay)):
            s = rule.init(np.ones(2000))
            noise = np.random.default_rng(5)
            for _ in range(steps):
                rule.step(s, size * noise.normal(size=2000))
            left[type(rule)] = s.theta.mean()
        assert left[AdamL2] == pytest.approx(np.exp(-alpha * decay * steps / size), abs=0.005)
        assert left[AdamW] == pytest.approx(np.exp(-alpha * decay * steps), abs=0.005)


def rank_one(V):
    """What Adafactor rebuilds from the sums of rows and columns."""
    return np.outer(V.sum(axis=1), V.sum(axis=0)) / V.sum()


@equation(
    "eq-after-adafactor",
    r"""\begin{aligned}
    R_t &= \beta_{2,t}\, R_{t-1} + (1 - \beta_{2,t})\, G_t^2\, \mathbf 1 , \\
    C_t &= \beta_{2,t}\, C_{t-1} + (1 - \beta_{2,t})\, \mathbf 1^\top G_t^2 , \\
    \hat V_t &= \frac{R_t\, C_t}{\mathbf 1^\top R_t} , \qquad \beta_{2,t} = 1 - t^{-0.8} .
    \end{aligned}""",
)
def test_adafactor_keeps_the_sums(chapter, rng, monkeypatch):
    R, columns, V = np.zeros(6), np.zeros(4), np.zeros((6, 4))
    for t, G in enumerate(rng.normal(size=(9, 6, 4)), start=1):
        beta2 = 1 - t**-0.8
        R = beta2 * R + (1 - beta2) * (G**2) @ np.ones(4)
        columns = beta2 * columns + (1 - beta2) * np.ones(6) @ (G**2)
        V = beta2 * V + (1 - beta2) * G**2
        V_hat = np.outer(R, columns) / (np.ones(6) @ R)
        np.testing.assert_allclose(V_hat, rank_one(V), rtol=1e-12)  # the sums of the full average
        np.testing.assert_allclose(V_hat.sum(axis=1), V.sum(axis=1), rtol=1e-12)
        np.testing.assert_allclose(V_hat.sum(axis=0), V.sum(axis=0), rtol=1e-12)
    constant, total = np.abs(rng.normal(size=(6, 4))), 0.0
    for t in range(1, 9):  # the weights add up to one: nothing to correct
        total = (1 - t**-0.8) * total + t**-0.8 * constant
        np.testing.assert_allclose(total, constant, rtol=1e-12)
    single = np.outer(rng.normal(size=6), rng.normal(size=4)) ** 2  # of one example: of rank one exactly
    np.testing.assert_allclose(rank_one(single), single, rtol=1e-12)
    # The chapter's epoch, on a small problem: its costs, its last V, and what is rebuilt from the sums. The gradients
    # are so large that a missing 1 / (1 R) makes steps shorter: longer ones would be cut to what they should be.
    x, y, model = 10 * rng.standard_normal((300, 6), np.float32), rng.integers(3, size=300), LogisticRegression(6, 3)
    for name, value in {"x": x, "y": y, "model": model}.items():
        monkeypatch.setitem(chapter, name, value)
    monkeypatch.setitem(chapter, "minibatches", lambda n, size, rng: minibatches(n, size // 4, rng))
    for factored in (False, True):
        theta, V, alpha = model.layout.zeros(), np.zeros((6, 3)), 0.03
        costs, full, rebuilt = chapter["epoch"](factored, alpha)
        for t, batch in enumerate(minibatches(300, 32, np.random.default_rng(0)), start=1):
            cost, g = model.loss_and_grad(theta, (x[batch], y[batch]))
            G, beta2 = model.layout.views(g).W, 1 - t**-0.8
            V = beta2 * V + (1 - beta2) * G**2
            U = G / np.sqrt(rank_one(V) if factored else V)
            model.layout.views(theta).W[:] -= alpha * U / max(1.0, np.sqrt(np.mean(U**2)))
            assert costs[t - 1] == pytest.approx(cost, rel=1e-5)
        assert t == len(costs) == 10
        np.testing.assert_allclose(full, V, rtol=1e-4)
        np.testing.assert_allclose(rebuilt, rank_one(V), rtol=1e-4)


@dataclass(frozen=True)
class Sophia(Rule):
    """The clipped step, with a curvature that is handed in."""

    alpha: float = 0.1
    gamma: float = 0.5
    eps: float = 1e-12
    h: tuple = ()

    def update(self, s, g):
        s.theta = s.theta - self.alpha * np.clip(g / np.maximum(self.gamma * np.array(self.h), self.eps), -1, 1)


@equation(
    "eq-after-sophia",
    r"""\theta_t = \theta_{t-1} - \alpha\, \operatorname{clip}\left( \frac{m_t}{\max(\gamma\, h_t, \epsilon)} ,\, 1
    \right) .""",
)
def test_sophia_is_newton_or_sign(chapter, rng):
    h, alpha, gamma = (3.0, 40.0, 0.5), 0.1, 0.5
    near = rng.uniform(-1, 1, size=3) * gamma  # |g| < gamma h: nothing is clipped
    points = walk(Sophia(alpha, gamma, h=h), lambda theta: np.array(h) * theta, near, 1)
    np.testing.assert_allclose(points[1], (1 - alpha / gamma) * near)  # Newton, with the step size alpha / gamma
    theta, g = rng.normal(size=3), rng.normal(size=3)
    points = walk(Sophia(alpha, gamma, h=(-2.0, 0.0, -1e-9)), lambda theta: g, theta, 1)
    np.testing.assert_allclose(points[1], theta - alpha * np.sign(g))  # no positive curvature: sign descent
    far = walk(Sophia(alpha, gamma, h=h), lambda theta: np.array(h) * theta, 100 * near, 30)
    assert np.abs(np.diff(far, axis=0)).max() <= alpha * (1 + 1e-9)
    f, gradient, h, d = chapter["f"], chapter["gradient"], chapter["curvature"], 1e-5 * np.eye(2)
    for theta in rng.uniform(-1, 1, size=(20, 2)) * [0.02, 1.5]:  # clipped or not, of either curvature
        np.testing.assert_allclose(gradient(theta), [(f(theta + e) - f(theta - e)) / 2e-5 for e in d], atol=1e-6)
        slopes = [(gradient(theta + e) - gradient(theta - e)) @ e / 2e-10 for e in d]
        np.testing.assert_allclose(h(theta), slopes, atol=1e-6)
        points = walk(Sophia(0.05, 0.1, h=tuple(h(theta))), gradient, theta, 1)
        np.testing.assert_allclose(chapter["sophia"](theta), points[1], rtol=1e-12)


def newton_schulz(B_t, rounds=5):
    """As the page writes it, from the left."""
    X = B_t / np.linalg.norm(B_t)
    for _ in range(rounds):
        XX = X @ X.T
        X = A * X + B * XX @ X + C * XX @ XX @ X
    return X


@equation(
    "eq-after-muon",
    r"""\begin{aligned}
    B_t &= \mu B_{t-1} + G_t , \\
    \theta_t &= \theta_{t-1} - \alpha \operatorname{NS}(B_t) , \\
    \operatorname{NS}(B) &= X_5 , \quad X_0 = B / \|B\|_F , \\
    X_{k+1} &= a X_k + b\, (X_k X_k^\top) X_k \\
    &\quad + c\, (X_k X_k^\top)^2 X_k ,
    \end{aligned}""",
)
def test_muon_levels_singular_values(chapter, rng):
    theta, momentum = rng.normal(size=(5, 8)), np.zeros((5, 8))
    Q, _ = np.linalg.qr(rng.normal(size=(5, 5)))
    P, _ = np.linalg.qr(rng.normal(size=(8, 8)))
    turned_theta, turned_momentum = Q @ theta @ P, np.zeros((5, 8))
    for G in rng.normal(size=(6, 5, 8)):
        momentum, turned_momentum = 0.95 * momentum + G, 0.95 * turned_momentum + Q @ G @ P
        made = newton_schulz(momentum)
        theta, turned_theta = theta - 0.02 * made, turned_theta - 0.02 * newton_schulz(turned_momentum)
        values = np.linalg.svd(made, compute_uv=False)
        assert values.min() > 0.68 and values.max() < 1.21
        U, _, Vt = np.linalg.svd(momentum, full_matrices=False)
        inner = U.T @ made @ Vt.T  # the same directions: diagonal, and positive
        np.testing.assert_allclose(inner, np.diag(np.diag(inner)), atol=1e-10)
        assert (np.diag(inner) > 0).all()
    np.testing.assert_allclose(turned_theta, Q @ theta @ P, atol=1e-9)
    for G in (momentum, momentum.T, momentum[:, :5]):  # the chapter multiplies from the shorter side
        np.testing.assert_allclose(chapter["orthogonalize"](G), newton_schulz(G), atol=1e-10)
        np.testing.assert_allclose(chapter["orthogonalize"](G, rounds=2), newton_schulz(G, 2), atol=1e-10)


@equation(
    "eq-after-phi",
    r"""\begin{aligned}
    \sigma_{k+1} &= \varphi(\sigma_k) , \\
    \varphi(\sigma) &= a \sigma + b \sigma^3 + c \sigma^5 .
    \end{aligned}""",
)
def test_each_singular_value_goes_its_own_way(rng):
    U, s, Vt = np.linalg.svd(rng.normal(size=(4, 7)), full_matrices=False)
    sigma = s / np.sqrt((s**2).sum())
    for rounds in range(6):
        np.testing.assert_allclose(newton_schulz(U * s @ Vt, rounds), U * sigma @ Vt, atol=1e-10)
        sigma = A * sigma + B * sigma**3 + C * sigma**5


@equation(
    "eq-after-schedule-free",
    r"""\begin{aligned}
    y_t &= (1 - \beta)\, z_{t-1} + \beta\, x_{t-1} , \\
    z_t &= z_{t-1} - \alpha \nabla f(y_t) , \\
    x_t &= \left( 1 - \tfrac{1}{t} \right) x_{t-1} + \tfrac{1}{t}\, z_t .
    \end{aligned}""",
)
def test_schedule_free(rng):
    h, start, noise = rng.uniform(0.1, 1, size=4), rng.normal(size=4), rng.normal(size=(30, 4))

    def run(beta):
        x = z = start
        z_seen = []
        for t in range(1, 31):
            y = (1 - beta) * z + beta * x
            z = z - 0.3 * (h * y + noise[t - 1])
            x = (1 - 1 / t) * x + z / t
            z_seen.append(z)
        return x, y, np.array(z_seen)

    rule = Averaged(SGD(alpha=0.3), beta=None)  # beta = 0: the mean of SGD's iterates
    s = rule.init(start)
    for one in noise:
        rule.step(s, h * s.theta + one)
    x, _, z_seen = run(0.0)
    np.testing.assert_allclose(x, s.theta_hat, rtol=1e-9)
    np.testing.assert_allclose(z_seen[-1], s.theta, rtol=1e-9)
    for beta in (0.5, 0.9, 1.0):
        x, y, z_seen = run(beta)
        np.testing.assert_allclose(x, z_seen.mean(axis=0), rtol=1e-9)  # whatever beta is, x is the mean of the z
    np.testing.assert_allclose(y, z_seen[:-1].mean(axis=0), rtol=1e-9)  # beta = 1: the gradient is taken at the mean


class OneHot:
    """Classes with frequencies in whole numbers, each with a unit vector as its input; the bias stays zero."""

    def __init__(self, counts):
        self.counts = np.asarray(counts)
        self.c = len(counts)
        self.pi = self.counts / self.counts.sum()
        self.y = np.repeat(np.arange(self.c), self.counts)
        self.x = np.eye(self.c)[self.y]
        self.model = LogisticRegression(self.c, self.c, dtype=np.float64)

    def gradient(self, theta):
        g = self.model.loss_and_grad(theta, (self.x, self.y))[1].copy()
        self.model.layout.views(g).b[:] = 0
        return g

    def gaps(self, theta):
        """What the right logit has more than each wrong one, (classes, wrong ones)."""
        W = self.model.layout.views(theta).W
        apart = np.diag(W)[:, None] - W
        return apart[~np.eye(self.c, dtype=bool)].reshape(self.c, -1)

    def losses(self, theta):
        W = self.model.layout.views(theta).W
        return np.log(np.exp(W).sum(axis=1)) - np.diag(W)

    def run(self, rule, steps):
        return walk(rule, self.gradient, self.model.layout.zeros(np.float64), steps)


@pytest.fixture
def one_hot(rng):
    return OneHot(rng.integers(1, 40, size=6))


@equation("eq-after-loss", r"\ell_k = \ln \left( 1 + (c - 1)\, e^{-a_k} \right) ,")
def test_loss_of_a_gap(one_hot):
    theta = one_hot.run(SGD(alpha=2.0), 25)[-1]
    gaps = one_hot.gaps(theta)
    np.testing.assert_allclose(
        gaps, np.broadcast_to(gaps[:, :1], gaps.shape), atol=1e-12
    )  # the wrong ones stay equal
    expected = np.log(1 + (one_hot.c - 1) * np.exp(-gaps[:, 0]))
    np.testing.assert_allclose(one_hot.losses(theta), expected, rtol=1e-9)


@equation(
    "eq-after-gap-step",
    r"\begin{aligned} "
    r"\Delta a_k &= \alpha \pi_k \left( (1 - p_k) + p_j \right) \\ "
    r"&= \frac{\alpha\, c\, \pi_k}{e^{a_k} + c - 1} . "
    r"\end{aligned}",
)
def test_step_of_the_gap(one_hot):
    points = one_hot.run(SGD(alpha=3.0), 20)
    for before, after in itertools.pairwise(points):
        a = one_hot.gaps(before)[:, 0]
        p = np.exp(-one_hot.losses(before))
        wrong = (1 - p) / (one_hot.c - 1)
        made = one_hot.gaps(after)[:, 0] - a
        np.testing.assert_allclose(made, 3.0 * one_hot.pi * ((1 - p) + wrong), rtol=1e-8)
        np.testing.assert_allclose(made, 3.0 * one_hot.c * one_hot.pi / (np.exp(a) + one_hot.c - 1), rtol=1e-8)


@equation("eq-after-gap", r"e^{a_k} - 1 + (c - 1)\, a_k = \alpha\, c\, \pi_k\, t .")
def test_gap_by_the_time(one_hot):
    for alpha, steps, rtol in ((0.4, 200, 0.05), (0.04, 2000, 0.005)):  # the smaller the steps, the closer
        a = one_hot.gaps(one_hot.run(SGD(alpha=alpha), steps)[-1])[:, 0]
        left = np.exp(a) - 1 + (one_hot.c - 1) * a
        np.testing.assert_allclose(left, alpha * one_hot.c * one_hot.pi * steps, rtol=rtol)


@equation(
    "eq-after-rate",
    r"""\ell_k \approx (c - 1)\, e^{-a_k} \approx \frac{c - 1}{\alpha\, c\, \pi_k\, t}
    \approx \frac{1}{\alpha\, \pi_k\, t} .""",
)
def test_rate_late_in_training():
    classes = OneHot([1, 2, 3, 6, *[1] * 16])
    steps, alpha = 1000, 40.0
    theta = classes.run(SGD(alpha=alpha), steps)[-1]
    losses, a = classes.losses(theta), classes.gaps(theta)[:, 0]
    np.testing.assert_allclose(losses, (classes.c - 1) * np.exp(-a), rtol=0.01)
    promised = (classes.c - 1) / (alpha * classes.c * classes.pi * steps)
    np.testing.assert_allclose(losses, promised, rtol=0.06)
    np.testing.assert_allclose(losses, 1 / (alpha * classes.pi * steps), rtol=0.1)


@equation("eq-after-sign", r"\ell_k = \ln \left( 1 + (c - 1)\, e^{-2 \alpha t} \right) .")
def test_sign_descent_and_adam_know_no_frequency(one_hot):
    sign = Adam(alpha=0.05, beta1=0, beta2=0, eps=0)
    points = one_hot.run(sign, 60)
    for t in (1, 7, 60):
        expected = np.log(1 + (one_hot.c - 1) * np.exp(-2 * 0.05 * t))
        np.testing.assert_allclose(one_hot.losses(points[t]), np.full(one_hot.c, expected), rtol=1e-9)
    adam = one_hot.losses(one_hot.run(Adam(alpha=0.05, eps=0), 60)[-1])
    np.testing.assert_allclose(adam, np.full(one_hot.c, adam[0]), rtol=1e-8)
    plain = one_hot.losses(one_hot.run(SGD(alpha=1.0), 60)[-1])
    assert plain[one_hot.pi.argmin()] > 1.1 * plain[one_hot.pi.argmax()]
