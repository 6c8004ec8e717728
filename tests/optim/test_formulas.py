"""Dialects that are not recorded, each against its formula in tests/golden/FORMULAS.md, on plain Python floats."""

import math

import numpy as np
import pytest

from adamcore.optim import dialect, dialects
from adamcore.optim.dialects import REQUIRED


def sgd(gradients, theta, lr):
    for g in gradients:
        theta -= lr * g
    return theta


def momentum(gradients, theta, lr, mu):
    step = 0.0
    for g in gradients:
        step = mu * step - lr * g
        theta += step
    return theta


def nesterov(gradients, theta, lr, mu):
    step = 0.0
    for g in gradients:
        step = mu * step - lr * g
        theta += mu * step - lr * g
    return theta


def adagrad(gradients, theta, lr, eps, start=0.0, inside=False):
    total = start
    for g in gradients:
        total += g * g
        theta -= lr * g / (math.sqrt(total + eps) if inside else math.sqrt(total) + eps)
    return theta


def rmsprop(gradients, theta, lr, rho, eps, start=0.0, inside=False):
    v = start
    for g in gradients:
        v = rho * v + (1 - rho) * g * g
        theta -= lr * g / (math.sqrt(v + eps) if inside else math.sqrt(v) + eps)
    return theta


def adadelta(gradients, theta, lr, rho, eps):
    v = u = 0.0
    for g in gradients:
        v = rho * v + (1 - rho) * g * g
        step = math.sqrt((u + eps) / (v + eps)) * g
        u = rho * u + (1 - rho) * step * step
        theta -= lr * step
    return theta


def adam(gradients, theta, lr, beta1, beta2, eps, keep_maximum=False):
    """Algorithm 1."""
    m = v = largest = 0.0
    for t, g in enumerate(gradients, start=1):
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g * g
        largest = max(largest, v) if keep_maximum else v
        theta -= lr * m / (1 - beta1**t) / (math.sqrt(largest / (1 - beta2**t)) + eps)
    return theta


def adam_hat(gradients, theta, lr, beta1, beta2, eps, keep_maximum=False):
    """The order of section 2, whose epsilon stands beside the root of an uncorrected v."""
    m = v = largest = 0.0
    for t, g in enumerate(gradients, start=1):
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g * g
        largest = max(largest, v) if keep_maximum else v
        theta -= lr * math.sqrt(1 - beta2**t) / (1 - beta1**t) * m / (math.sqrt(largest) + eps)
    return theta


def adamax(gradients, theta, lr, beta1, beta2, eps, with_gradient=False):
    m = u = 0.0
    for t, g in enumerate(gradients, start=1):
        m = beta1 * m + (1 - beta1) * g
        u = max(beta2 * u, abs(g) + eps * with_gradient)
        theta -= lr / (1 - beta1**t) * m / (u + eps * (not with_gradient))
    return theta


def nadam(gradients, theta, lr, beta1, beta2, eps, psi):
    m = v = 0.0
    product = 1.0
    for t, g in enumerate(gradients, start=1):
        mu, after = (beta1 * (1 - 0.5 * 0.96 ** (k * psi)) for k in (t, t + 1))
        product *= mu
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g * g
        m_bar = (1 - mu) * g / (1 - product) + after * m / (1 - product * after)
        theta -= lr * m_bar / (math.sqrt(v / (1 - beta2**t)) + eps)
    return theta


def radam(gradients, theta, lr, beta1, beta2, eps):
    m = v = 0.0
    longest = 2 / (1 - beta2) - 1
    for t, g in enumerate(gradients, start=1):
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g * g
        length = longest - 2 * t * beta2**t / (1 - beta2**t)
        step = m / (1 - beta1**t)
        if length > 4:
            step /= math.sqrt(v / (1 - beta2**t)) + eps
            step *= math.sqrt((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length))
        theta -= lr * step
    return theta


GIVEN = {"alpha": 0.05, "mu": 0.8}
"""What is given where a library has no default."""

LR, MU = GIVEN.values()

FORMULAS = {
    "tensorflow1": {
        "sgd": (sgd, LR),
        "momentum": (momentum, LR, MU),
        "nesterov": (nesterov, LR, MU),
        "adagrad": (adagrad, LR, 0.0, 0.1),
        "rmsprop": (rmsprop, LR, 0.9, 1e-10, 1.0, True),
        "adadelta": (adadelta, 0.001, 0.95, 1e-8),
        "adam": (adam_hat, 0.001, 0.9, 0.999, 1e-8),
    },
    "keras1": {
        "sgd": (sgd, 0.01),
        "momentum": (momentum, 0.01, MU),
        "nesterov": (nesterov, 0.01, MU),
        "adagrad": (adagrad, 0.01, 1e-8),
        "rmsprop": (rmsprop, 0.001, 0.9, 1e-8),
        "adadelta": (adadelta, 1.0, 0.95, 1e-8),
        "adam": (adam_hat, 0.001, 0.9, 0.999, 1e-8),
        "adamax": (adamax, 0.002, 0.9, 0.999, 1e-8),
        "nadam": (nadam, 0.002, 0.9, 0.999, 1e-8, 0.004),
    },
    "keras2": {
        "sgd": (sgd, 0.01),
        "momentum": (momentum, 0.01, MU),
        "nesterov": (nesterov, 0.01, MU),
        "adagrad": (adagrad, 0.01, 1e-7),
        "rmsprop": (rmsprop, 0.001, 0.9, 1e-7),
        "adadelta": (adadelta, 1.0, 0.95, 1e-7),
        "adam": (adam_hat, 0.001, 0.9, 0.999, 1e-7),
        "amsgrad": (adam_hat, 0.001, 0.9, 0.999, 1e-7, True),
        "adamax": (adamax, 0.002, 0.9, 0.999, 1e-7),
        "nadam": (nadam, 0.002, 0.9, 0.999, 1e-7, 0.004),
    },
    "blocks": {
        "momentum": (momentum, 1.0, 0.0),
        "adagrad": (adagrad, 0.002, 1e-6),
        "adadelta": (adadelta, 1.0, 0.95, 1e-6),
        "adam": (adam_hat, 0.002, 0.9, 0.999, 1e-8),
    },
    "lasagne": {
        "sgd": (sgd, LR),
        "momentum": (momentum, LR, 0.9),
        "nesterov": (nesterov, LR, 0.9),
        "adagrad": (adagrad, 1.0, 1e-6, 0.0, True),
        "rmsprop": (rmsprop, 1.0, 0.9, 1e-6, 0.0, True),
        "adadelta": (adadelta, 1.0, 0.95, 1e-6),
        "adam": (adam_hat, 0.001, 0.9, 0.999, 1e-8),
        "amsgrad": (adam_hat, 0.001, 0.9, 0.999, 1e-8, True),
        "adamax": (adamax, 0.002, 0.9, 0.999, 1e-8),
    },
    "caffe": {
        "sgd": (sgd, LR),
        "momentum": (momentum, LR, 0.0),
        "nesterov": (nesterov, LR, 0.0),
        "adagrad": (adagrad, LR, 1e-8),
        "rmsprop": (rmsprop, LR, 0.99, 1e-8),
        "adadelta": (adadelta, LR, 0.0, 1e-8),
        "adam": (adam_hat, LR, 0.0, 0.999, 1e-8),
    },
    "mxnet": {
        "sgd": (sgd, 0.1),
        "momentum": (momentum, 0.1, 0.0),
        "nesterov": (nesterov, 0.1, 0.9),
        "adagrad": (adagrad, 0.01, 1e-6),
        "adadelta": (adadelta, 1.0, 0.9, 1e-6),
        "adam": (adam_hat, 0.001, 0.9, 0.999, 1e-8),
        "adamax": (adamax, 0.002, 0.9, 0.999, 0.0),
    },
    "chainer": {
        "sgd": (sgd, 0.01),
        "momentum": (momentum, 0.01, 0.9),
        "adagrad": (adagrad, 0.001, 1e-8),
        "rmsprop": (rmsprop, 0.01, 0.99, 1e-8),
        "adadelta": (adadelta, 1.0, 0.95, 1e-6),
        "adam": (adam_hat, 0.001, 0.9, 0.999, 1e-8),
        "amsgrad": (adam_hat, 0.001, 0.9, 0.999, 1e-8, True),
        "adamw": (adam_hat, 0.001, 0.9, 0.999, 1e-8),
    },
    "flux": {
        "sgd": (sgd, 0.1),
        "momentum": (momentum, 0.01, 0.9),
        "nesterov": (nesterov, 0.001, 0.9),
        "adagrad": (adagrad, 0.1, 1e-8, 1e-8),
        "rmsprop": (rmsprop, 0.001, 0.9, 1e-8),
        "adadelta": (adadelta, 1.0, 0.9, 1e-8),
        "adam": (adam, 0.001, 0.9, 0.999, 1e-8),
        "adamw": (adam, 0.001, 0.9, 0.999, 1e-8),
        "adamax": (adamax, 0.001, 0.9, 0.999, 1e-8),
        "radam": (radam, 0.001, 0.9, 0.999, 1e-8),
    },
    "tfjs": {
        "sgd": (sgd, LR),
        "momentum": (momentum, LR, MU),
        "nesterov": (nesterov, LR, MU),
        "adagrad": (adagrad, LR, 1e-7, 0.1, True),
        "rmsprop": (rmsprop, LR, 0.9, 1e-7, 0.0, True),
        "adam": (adam, 0.001, 0.9, 0.999, 1e-7),
        "adamax": (adamax, 0.002, 0.9, 0.999, 1e-7),
    },
    "paddle": {
        "adam": (adam, 0.001, 0.9, 0.999, 1e-8),
        "amsgrad": (adam, 0.001, 0.9, 0.999, 1e-8, True),
    },
    "torch7": {
        "sgd": (sgd, 0.001),
        "adagrad": (adagrad, 0.001, 1e-10),
        "rmsprop": (rmsprop, 0.01, 0.99, 1e-8),
        "adadelta": (adadelta, 1.0, 0.9, 1e-6),
        "adam": (adam_hat, 0.001, 0.9, 0.999, 1e-8),
        "adamax": (adamax, 0.002, 0.9, 0.999, 1e-38, True),
    },
}

ROWS = [row for row in dialects() if row.held_against != "recorded"]


def test_every_row_has_its_formula():
    assert {(row.library, row.optimizer) for row in ROWS} == {(a, b) for a, rows in FORMULAS.items() for b in rows}
    assert all("/" in row.held_against for row in ROWS)  # where the formula was read


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.library}-{row.optimizer}")
def test_formula_at_the_librarys_defaults(row):
    required = {name: GIVEN[name] for name, value in row.settings.items() if value is REQUIRED}
    rule = dialect(row.library, row.optimizer, **required)
    formula, *numbers = FORMULAS[row.library][row.optimizer]
    # Shrinking gradients, so that a maximum differs from the last; the last coordinates feel every epsilon.
    gradients = np.random.default_rng(0).normal(size=(40, 6)) * 0.9 ** np.arange(40)[:, np.newaxis]
    gradients *= np.array([3.0, 1.0, 1e-3, 1e-6, 1e-8, 1e-10])
    s = rule.init(np.zeros(6))
    for g in gradients:
        rule.step(s, g)
    expected = [formula(column, 0.0, *numbers) for column in gradients.T.tolist()]
    np.testing.assert_allclose(s.theta, expected, rtol=1e-11)


def test_the_decay_of_flux_and_chainer():
    """Without a gradient, only the decay is left: of Flux times the step size, of Chainer alone."""
    for library, share in {"flux": 1 - 0.1 * 0.2, "chainer": 1 - 0.2}.items():
        rule = dialect(library, "adamw", alpha=0.1, weight_decay=0.2)
        s = rule.init(np.ones(1))
        for _ in range(3):
            rule.step(s, np.zeros(1))
        np.testing.assert_allclose(s.theta, share**3, rtol=1e-14)
