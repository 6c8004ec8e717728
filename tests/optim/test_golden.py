"""Dialects against what the libraries themselves did, recorded in tests/golden."""

import json
from pathlib import Path

import numpy as np
import pytest

from adamcore.optim import Decayed, dialect, dialects

GOLDEN = Path(__file__).parents[1] / "golden"
LIBRARIES = ("torch", "keras", "optax", "sklearn", "jax", "tinygrad", "mlx")

# Each library's spelling of a hyper-parameter, in this package's.
NAMES = {
    "lr": "alpha", "learning_rate": "alpha", "learning_rate_init": "alpha", "step_size": "alpha",
    "epsilon": "eps", "momentum": "mu", "mass": "mu", "decay": "rho", "gamma": "rho", "rho": "rho",
    "beta_1": "beta1", "b1": "beta1", "beta1": "beta1", "beta_2": "beta2", "b2": "beta2", "beta2": "beta2",
    "initial_accumulator_value": "initial", "initial_scale": "initial", "eps": "eps", "centered": "centered",
    "weight_decay": "weight_decay", "momentum_decay": "momentum_decay", "threshold": "threshold",
    "bias_correction": "bias_correction",
}  # fmt: skip

# What the table of dialects leaves out, and why.
LEFT_OUT = {
    "torch": {
        "momentum_dampened": "dampening spares the first gradient",
        "adagrad_lr_decay": "a schedule of another form",
        "asgd": "averaged SGD with its own schedule",
        "asgd_other": "averaged SGD with its own schedule",
        "nadam_single": "a running product in float32",
    },
    "optax": {
        "rmsprop_bias_correction": "a switch of optax alone",
        "rmsprop_nesterov": "a switch of optax alone",
        "adadelta_no_lr": "climbs",
        "adam_eps_root": "two epsilons at once",
        "adamaxw": "a rule of optax alone",
        "radam_nesterov": "a switch of optax alone",
    },
    "tinygrad": {"momentum_classic": "a switch of tinygrad alone"},
    "mlx": {"momentum_dampened": "held below, as the form 'average'"},
}


def rows(library):
    record = json.loads((GOLDEN / f"{library}.json").read_text(encoding="utf-8"))
    return {row["name"]: row for row in record["rows"]}


def optimizer_of(library, row):
    """The name in the table of dialects for a recorded row."""
    arguments = row["defaults"] | row["arguments"]
    name = row["class"].rpartition(".")[2].lower().removesuffix("optimizer")
    if name == "sgd":
        momentum = arguments.get("momentum") or 0
        return "sgd" if not momentum else "nesterov" if arguments.get("nesterov") else "momentum"
    if arguments.get("amsgrad"):
        return "amsgrad"
    if name in ("adam", "nadam") and arguments.get("nesterov"):
        return "nadam"
    return {"nadamw": "nadam", "rmsprop_momentum": "rmsprop"}.get(name, name)


def rule_of(library, row):
    """The dialect of a recorded row, with the row's arguments."""
    arguments = dict(row["arguments"])
    optimizer = optimizer_of(library, row)
    hyper = {}
    if "betas" in arguments:
        hyper["beta1"], hyper["beta2"] = arguments.pop("betas")
    if "alpha" in arguments:  # torch's and MLX's RMSProp: the decay
        hyper["rho"] = arguments.pop("alpha")
    hyper |= {NAMES[name]: value for name, value in arguments.items() if name in NAMES}
    if row["class"].endswith("rmsprop_momentum"):
        hyper.setdefault("mu", row["defaults"]["momentum"])
    if optimizer == "sgd":
        hyper.pop("mu", None)
    if not arguments.get("eps_in_sqrt", True):
        hyper["eps_place"] = "outside"
    if "bias_correction_mu" in arguments:
        hyper["bias_correction"] = False
    decoupled = hyper.pop("weight_decay", None) if arguments.get("decoupled_weight_decay") else None
    if library != "keras" and row["class"].endswith("AdamW") and optimizer == "amsgrad":
        decoupled = hyper.pop("weight_decay", row["defaults"]["weight_decay"])
    if library == "keras" and row["class"].endswith("AdamW") and optimizer == "amsgrad":
        hyper.setdefault("weight_decay", row["defaults"]["weight_decay"])
    if row["class"].endswith("nadamw"):
        decoupled = hyper.pop("weight_decay", row["defaults"]["weight_decay"])
    rule = dialect(library, optimizer, **hyper)
    return rule if decoupled is None else Decayed(rule, decoupled)


def tolerance(row):
    if row["float32"]:
        return 1e-5
    return 1e-11 if "centered" in row["name"] else 1e-12


CASES = [
    pytest.param(library, row, id=f"{library}-{name}")
    for library in LIBRARIES
    for name, row in rows(library).items()
    if name not in LEFT_OUT.get(library, {})
]


def assert_close(found, expected, tolerance):
    """Each coordinate against its own largest value."""
    difference = np.abs(found - expected).max(axis=0)
    scale = np.abs(expected).max(axis=0)
    assert (difference <= tolerance * scale).all(), f"worst: {(difference / scale).max():.2g}"


def trajectory(rule):
    with np.load(GOLDEN / "gradients.npz", allow_pickle=False) as archive:
        gradients, theta_0 = archive["gradients"], archive["theta_0"]
    s = rule.init(theta_0)
    visited = []
    for g in gradients:
        rule.step(s, g)
        visited.append(s.theta)
    return np.array(visited)


@pytest.mark.parametrize(("library", "row"), CASES)
def test_recorded_trajectory(library, row):
    with np.load(GOLDEN / row["trajectory"], allow_pickle=False) as archive:
        expected = archive[row["name"]]
    assert len(expected) >= 100
    assert_close(trajectory(rule_of(library, row)), expected, tolerance(row))


def test_momentum_as_an_average_is_a_dampened_buffer():
    from adamcore import Momentum

    row = rows("mlx")["momentum_dampened"]
    with np.load(GOLDEN / row["trajectory"], allow_pickle=False) as archive:
        expected = archive[row["name"]]
    rule = Momentum(alpha=row["arguments"]["learning_rate"], mu=0.9, form="average")
    # The recorded dampening, 0.9, leaves the share 1 - 0.9 of each gradient.
    assert row["arguments"]["dampening"] == 0.9
    assert_close(trajectory(rule), expected, 1e-12)


def test_every_recorded_dialect_is_held_at_its_defaults_and_elsewhere():
    """Each row of the table, with the library's defaults and with other settings, occurs among the cases."""
    held = {(case.values[0], optimizer_of(*case.values)) for case in CASES}
    recorded = {(row.library, row.optimizer) for row in dialects() if row.held_against == "recorded"}
    assert recorded
    assert recorded <= held


@pytest.mark.parametrize("library", LIBRARIES)
def test_what_is_left_out_exists(library):
    assert set(LEFT_OUT.get(library, {})) <= set(rows(library))


@pytest.mark.parametrize(("library", "row"), CASES)
def test_library_defaults(library, row):
    """The default of every hyper-parameter, as the library's own signature states it."""
    table = {(r.library, r.optimizer): r for r in dialects()}[library, optimizer_of(library, row)]
    required = {
        name for name, value in table.settings.items() if not isinstance(value, (int, float, str, type(None)))
    }
    rule = dialect(library, table.optimizer, **dict.fromkeys(required, 0.5))
    defaults = dict(row["defaults"])
    if "betas" in defaults:
        defaults["beta1"], defaults["beta2"] = defaults.pop("betas")
    if "alpha" in defaults:
        defaults["rho"] = defaults.pop("alpha")
    for name, value in defaults.items():
        ours = NAMES.get(name)
        if ours in required or not hasattr(rule, str(ours)) or value is None:
            continue
        # A class that is several optimizers by its switches has them off; jax's rmsprop_momentum has it on.
        if ours in ("mu", "momentum_decay", "weight_decay") and (not value or "rmsprop_momentum" in row["class"]):
            continue
        assert getattr(rule, ours) == value, name


PUBLISHED = json.loads((GOLDEN / "published.json").read_text(encoding="utf-8"))["entries"]
SUITES = {"keras": "keras", "lasagne": "lasagne", "blocks": "blocks", "tensorflow": "tensorflow1"}


def sigmoid_network(theta):
    """The gradient of the summed output of a network 2-3-1 of sigmoids at three inputs; torch's suite trains it."""
    x = np.array([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]])
    weight_1, bias_1, weight_2, bias_2 = theta[:6].reshape(3, 2), theta[6:9], theta[9:12], theta[12]
    hidden = 1 / (1 + np.exp(-(x @ weight_1.T + bias_1)))
    out = 1 / (1 + np.exp(-(hidden @ weight_2 + bias_2)))
    at_out = out * (1 - out)
    at_hidden = at_out[:, np.newaxis] * weight_2 * hidden * (1 - hidden)
    return np.concatenate([(at_hidden.T @ x).ravel(), at_hidden.sum(axis=0), at_out @ hidden, [at_out.sum()]])


def mean_of_exp_squared(theta):
    return 2 * np.exp(2 * theta) / theta.size


GRADIENTS_OF = {function.__name__: function for function in (sigmoid_network, mean_of_exp_squared)}


def published_gradient(gradients, step, theta):
    """The gradient of step 0, 1, ... in one of the forms that published.json names."""
    if isinstance(gradients, list):
        return np.array(gradients[step])
    if "of" in gradients:
        return GRADIENTS_OF[gradients["of"]](theta)
    return np.array(gradients["constant"]) if "constant" in gradients else np.array(gradients["times_theta"]) * theta


def published_rule(entry):
    if "dialect" in entry:
        hyper = dict(entry["dialect"])
        decoupled = hyper.pop("decoupled", None)
        rule = dialect(hyper.pop("library"), hyper.pop("optimizer"), **hyper)
        return rule if decoupled is None else Decayed(rule, decoupled)
    settings = {k: v for k, v in entry["settings"].items() if v is not None}
    if entry["library"] in ("lasagne", "blocks", "tensorflow"):
        settings = {("rho" if k == "decay_rate" else k): v for k, v in settings.items()}
        settings.pop("decay_factor", None)
        settings.pop("use_nesterov", None)
    row = {"class": entry["optimizer"].replace("_momentum", ""), "arguments": settings, "defaults": {}}
    library = SUITES[entry["library"]]
    name = row["class"].rpartition(".")[2].lower().removesuffix("optimizer")
    if name in ("momentum", "nesterov"):
        return dialect(library, name, **{NAMES[k]: v for k, v in settings.items() if k in NAMES})
    return rule_of(library, row)


@pytest.mark.parametrize(
    "entry",
    [entry for entry in PUBLISHED if entry["optimizer"] != "blocks.algorithms.RMSProp"],  # a floor, no epsilon
    ids=lambda entry: f"{entry['optimizer']}-{entry['test']}",
)
def test_numbers_published_in_other_test_suites(entry):
    rule = published_rule(entry)
    width = len(next(iter(entry["expected"].values())))
    s = rule.init(np.array(entry["theta_0"] or [0.0] * width))
    for name, value in entry.get("state_0", {}).items():
        setattr(s, name, np.array(value) if name in rule.slots else value)
    compared = set()
    for step in range(max(map(int, entry["expected"])) - s.t):
        before = s.theta
        rule.step(s, published_gradient(entry["gradients"], step, s.theta))
        if str(s.t) in entry["expected"]:
            found = s.theta if entry["expected_of"] == "theta" else before - s.theta
            np.testing.assert_allclose(found, entry["expected"][str(s.t)], **entry["tolerance"])
            compared.add(str(s.t))
    assert compared == set(entry["expected"])


class TestErrors:
    def test_unknown(self):
        with pytest.raises(ValueError, match="no dialect of 'pytorch'; there are torch, keras, optax"):
            dialect("pytorch", "adam")
        with pytest.raises(ValueError, match="no 'lion' of torch; there are sgd, momentum"):
            dialect("torch", "lion")

    def test_no_default(self):
        with pytest.raises(ValueError, match=r"optax has no default alpha for adam: give one, alpha=\.\.\."):
            dialect("optax", "adam")
        with pytest.raises(ValueError, match="jax has no default mu for momentum"):
            dialect("jax", "momentum", alpha=0.1)

    def test_unknown_hyper_parameter(self):
        with pytest.raises(TypeError, match="adam of sklearn has no weight_decay; it has alpha, beta1"):
            dialect("sklearn", "adam", weight_decay=0.1)
        with pytest.raises(TypeError, match="sgd of torch has no beta1; it has alpha, weight_decay"):
            dialect("torch", "sgd", beta1=0.1)
        with pytest.raises(TypeError, match="sgd of torch has no beta1, beta2; it has alpha, weight_decay"):
            dialect("torch", "sgd", beta2=0.9, beta1=0.9)


def test_weight_decay_means_what_the_library_means():
    from adamcore import SGD, AdamL2, AdamW

    assert isinstance(dialect("torch", "adam", weight_decay=0.1), AdamL2)
    assert isinstance(dialect("keras", "adam", weight_decay=0.1), AdamW)
    assert dialect("keras", "sgd", weight_decay=0.1) == Decayed(SGD(alpha=0.01), 0.1, "decoupled")
    assert dialect("torch", "sgd", weight_decay=0.1) == Decayed(SGD(alpha=0.001), 0.1, "l2")
