"""The playground's arithmetic, run by node, against adamcore."""

import json
import shutil
import subprocess

import numpy as np
import pytest

from adamcore import AdaGrad, Adam, Momentum, RMSProp

from .conftest import ROOT

SCRIPT = ROOT / "book" / "_static" / "playground" / "rules.js"
NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="node is not installed")

SURFACES = {
    "ravine": lambda x, y: (x, 25 * y),
    "tilted": lambda x, y: (0.5 * (x + y + 25 * (x - y)), 0.5 * (x + y - 25 * (x - y))),
    "bend": lambda x, y: (-2 * (1 - x) - 40 * x * (y - x**2), 20 * (y - x**2)),
    "saddle": lambda x, y: (x, -y + y**3),
    "plateau": lambda x, y: (x * np.exp(-(x**2 + y**2) / 2), y * np.exp(-(x**2 + y**2) / 2)),
    "slope": lambda x, y: (0.01, 1.0),
}
RULES = ("Adam", "Momentum", "AdaGrad", "RMSProp")


def node(expression, argument=None):
    """What a JavaScript expression of `api` and `argument` gives."""
    code = (
        f"const api = require({json.dumps(str(SCRIPT))});"
        "const argument = JSON.parse(require('fs').readFileSync(0, 'utf8'));"
        f"process.stdout.write(JSON.stringify({expression}));"
    )
    done = subprocess.run([NODE, "-e", code], input=json.dumps(argument), text=True, capture_output=True, check=True)
    return json.loads(done.stdout)


def settings(rng):
    """Any place of the sliders."""
    return {
        "surface": str(rng.choice(list(SURFACES))),
        "start": rng.uniform(-2, 2, size=2).tolist(),
        "alphas": {name: float(10 ** rng.uniform(-4, -1)) for name in RULES},
        "beta1": float(rng.choice([0, 0.5, 0.9, 0.99, rng.uniform()])),
        "beta2": float(rng.choice([0, 0.9, 0.99, 0.999, 0.9999, 1 - 1e-7])),
        "eps": float(rng.choice([1e-8, 1e-3, 1.0, 0.0])),
        "corrected": bool(rng.random() < 0.7),
        "noise": float(rng.choice([0, 0.3, 2])),
        "steps": 60,
    }


def rule(name, chosen):
    alpha, beta1, beta2, eps = chosen["alphas"][name], chosen["beta1"], chosen["beta2"], chosen["eps"]
    return {
        "Adam": lambda: Adam(alpha=alpha, beta1=beta1, beta2=beta2, eps=eps, bias_correction=chosen["corrected"]),
        "Momentum": lambda: Momentum(alpha=alpha, mu=beta1),
        "AdaGrad": lambda: AdaGrad(alpha=alpha, eps=eps),
        "RMSProp": lambda: RMSProp(alpha=alpha, rho=beta2, eps=eps),
    }[name]()


def test_it_agrees_with_adamcore():
    rng = np.random.default_rng(0)
    trials = [settings(rng) for _ in range(60)]
    runs = node(
        "argument.map((s) => Object.fromEntries("
        "api.rules.map((name) => [name, api.run(name, api.surfaces[s.surface], s)])))",
        trials,
    )
    noises = node("api.normals(1, 120)")
    compared = 0
    for chosen, paths in zip(trials, runs, strict=True):
        noise = chosen["noise"] * np.reshape(noises, (-1, 2))
        for name in RULES:
            path = paths[name]
            chosen_rule = rule(name, chosen)
            s = chosen_rule.init(np.array(chosen["start"]))
            for t, theta in enumerate(path["theta"][1:]):
                g = np.array(SURFACES[chosen["surface"]](*s.theta)) + noise[t]
                before = s.theta
                chosen_rule.step(s, g)
                scale = max(1, np.abs(s.theta).max())
                np.testing.assert_allclose(theta, s.theta, rtol=1e-10, atol=1e-10 * scale)
                np.testing.assert_allclose(path["g"][t], g, rtol=1e-9, atol=1e-9 * max(1, np.abs(g).max()))
                np.testing.assert_allclose(path["step"][t], s.theta - before, rtol=1e-9, atol=1e-10 * scale)
                if name == "Adam":
                    np.testing.assert_allclose(path["mHat"][t], s.m_hat, rtol=1e-10, atol=1e-10 * np.abs(g).max())
                    np.testing.assert_allclose(path["rootV"][t], np.sqrt(s.v_hat), rtol=1e-10, atol=1e-10)
                # What is compared must not be the growth of a last digit along an unstable path.
                s.theta = np.array(theta)
                compared += 1
    assert compared > 60 * 4 * 40


def test_gradients_are_those_of_the_surfaces():
    points = np.random.default_rng(1).uniform(-1.5, 1.5, size=(20, 2)).tolist()
    h = 1e-6
    for name in SURFACES:
        found = node(
            f"argument.map(([x, y]) => {{ const s = api.surfaces[{name!r}]; return [s.gradient(x, y),"
            f" [(s.f(x + {h}, y) - s.f(x - {h}, y)) / {2 * h}, (s.f(x, y + {h}) - s.f(x, y - {h})) / {2 * h}]]; }})",
            points,
        )
        for exact, numerical in found:
            np.testing.assert_allclose(exact, numerical, rtol=1e-6, atol=1e-6)


def test_minima_are_minima():
    found = node(
        "Object.fromEntries(Object.entries(api.surfaces).map(([n, s]) => [n, s.minimum && s.gradient(...s.minimum)]))"
    )
    assert set(found) == set(SURFACES)
    for name, gradient in found.items():
        assert gradient is None or np.allclose(gradient, 0), name


def test_noise_is_normal():
    z = np.array(node("api.normals(7, 20000)"))
    assert abs(z.mean()) < 0.03
    assert abs(z.std() - 1) < 0.03
    assert abs((np.abs(z) < 1).mean() - 0.683) < 0.015


def test_a_path_that_diverges_ends():
    path = node(
        "api.run('Momentum', api.surfaces.ravine, argument)",
        {
            **settings(np.random.default_rng(2)),
            "start": [-4, 1],
            "alphas": {"Momentum": 1.0},
            "beta1": 0.9,
            "steps": 400,
        },
    )
    assert path["diverged"] < 400
    assert len(path["theta"]) == path["diverged"]
