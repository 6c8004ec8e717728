"""Record what other libraries' optimizers do: tests/golden.

Every optimizer is run, in float64, on the same sequences of gradients; its parameters after each step
are kept. Needs the extra `peers` and scikit-learn; tinygrad and mlx are recorded where they are installed.

    python tools/record_golden.py                  # every library that can be imported
    python tools/record_golden.py torch optax      # only these
"""

import importlib
import importlib.metadata
import importlib.util
import inspect
import json
import os
import platform
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import numpy as np

GOLDEN = Path(__file__).resolve().parents[1] / "tests" / "golden"
SEED = 14126980
STEPS = 120
CHECKPOINTS = (1, 2, 12, 60, STEPS)


@dataclass(frozen=True)
class Row:
    """One optimizer with one set of arguments.

    Parameters
    ----------
    name : str
        What the row is called; unique within its library.
    path : str
        The optimizer, as the library spells it.
    arguments : dict
        The keyword arguments it is called with; everything else is the library's default.
    single : tuple of str
        Quantities that the library keeps in float32 although the parameters are float64.
    """

    name: str
    path: str
    arguments: dict[str, Any] = field(default_factory=dict)
    single: tuple[str, ...] = ()


# --- The gradients ----------------------------------------------------------------------------------------


def make_gradients() -> dict[str, np.ndarray]:
    """Return the coordinates' names, their gradients (STEPS rows) and where the parameters start.

    A coordinate with small gradients starts small, so that its steps are not lost in rounding.
    """
    rng = np.random.default_rng(SEED)
    t = np.arange(1, STEPS + 1)
    ones = np.ones(STEPS)
    first_zero = 0.1 + 0.3 * rng.standard_normal(STEPS)
    first_zero[0] = 0
    table = {
        "constant 3.7": (1.5, 3.7 * ones),
        "constant -1e-4": (-0.8, -1e-4 * ones),
        "constant 1e-9": (3e-4, 1e-9 * ones),
        "alternating": (0.6, 0.5 * (-1.0) ** t),
        "tiny noise": (2e-7, 1e-12 * rng.standard_normal(STEPS)),
        "sparse": (-1.2, np.where(rng.random(STEPS) < 0.05, 1 + 0.5 * rng.standard_normal(STEPS), 0)),
        "lone spike": (0.9, np.where(t == 60, 1e4, 0)),
        "zero": (1.1, 0 * ones),
        "noise": (-0.4, rng.standard_normal(STEPS)),
        "noise with mean": (2.0, 0.5 + rng.standard_normal(STEPS)),
        "decaying": (0.25, 0.95 ** (t - 1.0)),
        "growing": (-0.7, 1e-3 * (0.999 / 0.9) ** (t - 1.0)),
        "first zero": (0.35, first_zero),
    }
    return {
        "coordinates": np.array(list(table)),
        "gradients": np.stack([column for _, column in table.values()], axis=1),
        "theta_0": np.array([start for start, _ in table.values()]),
    }


def read_gradients(folder: Path) -> dict[str, np.ndarray]:
    """Return the stored gradients, made first where there are none: libraries recorded apart must agree."""
    path = folder / "gradients.npz"
    if not path.exists():
        write_arrays(path, make_gradients())
    with np.load(path, allow_pickle=False) as stored:
        return dict(stored)


# --- The rows ---------------------------------------------------------------------------------------------

TORCH_BETAS = {"lr": 0.01, "betas": (0.8, 0.95), "eps": 1e-3}
TORCH = (
    Row("sgd", "torch.optim.SGD"),
    Row("sgd_weight_decay", "torch.optim.SGD", {"lr": 0.1, "weight_decay": 0.1}),
    Row("momentum", "torch.optim.SGD", {"momentum": 0.9}),
    Row("momentum_other", "torch.optim.SGD", {"lr": 0.05, "momentum": 0.8, "weight_decay": 0.1}),
    Row("momentum_dampened", "torch.optim.SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.9}),
    Row("nesterov", "torch.optim.SGD", {"momentum": 0.9, "nesterov": True}),
    Row(
        "nesterov_other",
        "torch.optim.SGD",
        {"lr": 0.05, "momentum": 0.8, "nesterov": True, "weight_decay": 0.1},
    ),
    Row("adagrad", "torch.optim.Adagrad"),
    Row("adagrad_eps", "torch.optim.Adagrad", {"lr": 0.1, "eps": 1e-3}),
    Row("adagrad_initial_accumulator", "torch.optim.Adagrad", {"initial_accumulator_value": 0.1}),
    Row("adagrad_lr_decay", "torch.optim.Adagrad", {"lr": 0.1, "lr_decay": 0.01}),
    Row("adagrad_weight_decay", "torch.optim.Adagrad", {"weight_decay": 0.1}),
    Row("rmsprop", "torch.optim.RMSprop"),
    Row("rmsprop_other", "torch.optim.RMSprop", {"lr": 0.001, "alpha": 0.9, "eps": 1e-3}),
    Row("rmsprop_centered", "torch.optim.RMSprop", {"centered": True}),
    Row(
        "rmsprop_centered_other",
        "torch.optim.RMSprop",
        {"centered": True, "lr": 0.001, "alpha": 0.95, "eps": 1e-3},
    ),
    Row("rmsprop_momentum", "torch.optim.RMSprop", {"momentum": 0.9}),
    Row(
        "rmsprop_momentum_other",
        "torch.optim.RMSprop",
        {"momentum": 0.8, "lr": 0.001, "alpha": 0.9, "eps": 1e-3},
    ),
    Row("rmsprop_centered_momentum", "torch.optim.RMSprop", {"centered": True, "momentum": 0.9}),
    Row("rmsprop_weight_decay", "torch.optim.RMSprop", {"weight_decay": 0.1}),
    Row("adadelta", "torch.optim.Adadelta"),
    Row("adadelta_other", "torch.optim.Adadelta", {"lr": 0.5, "rho": 0.95, "eps": 1e-3}),
    Row("adadelta_weight_decay", "torch.optim.Adadelta", {"weight_decay": 0.1}),
    Row("adam", "torch.optim.Adam"),
    Row("adam_other", "torch.optim.Adam", TORCH_BETAS),
    Row("adam_no_eps", "torch.optim.Adam", {"eps": 1e-30}),
    Row("adam_weight_decay", "torch.optim.Adam", {"weight_decay": 0.1}),
    Row("adam_weight_decay_other", "torch.optim.Adam", TORCH_BETAS | {"weight_decay": 0.1}),
    Row("adam_decoupled", "torch.optim.Adam", {"weight_decay": 0.1, "decoupled_weight_decay": True}),
    Row("amsgrad", "torch.optim.Adam", {"amsgrad": True}),
    Row("amsgrad_other", "torch.optim.Adam", TORCH_BETAS | {"amsgrad": True}),
    Row("adamw", "torch.optim.AdamW"),
    Row("adamw_other", "torch.optim.AdamW", TORCH_BETAS | {"weight_decay": 0.1}),
    Row("adamw_amsgrad", "torch.optim.AdamW", {"amsgrad": True}),
    Row("adamw_amsgrad_other", "torch.optim.AdamW", TORCH_BETAS | {"amsgrad": True, "weight_decay": 0.1}),
    Row("adamax", "torch.optim.Adamax"),
    Row("adamax_other", "torch.optim.Adamax", TORCH_BETAS),
    Row("adamax_weight_decay", "torch.optim.Adamax", {"weight_decay": 0.1}),
    Row("nadam", "torch.optim.NAdam"),
    Row("nadam_other", "torch.optim.NAdam", TORCH_BETAS | {"momentum_decay": 0.01}),
    Row("nadam_no_momentum_decay", "torch.optim.NAdam", {"momentum_decay": 0.0}),
    Row("nadam_weight_decay", "torch.optim.NAdam", {"weight_decay": 0.1}),
    Row("nadam_decoupled", "torch.optim.NAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True}),
    Row("nadam_single", "torch.optim.NAdam", {}, ("mu_product",)),
    Row("radam", "torch.optim.RAdam"),
    Row("radam_other", "torch.optim.RAdam", TORCH_BETAS),
    Row("radam_weight_decay", "torch.optim.RAdam", {"weight_decay": 0.1}),
    Row("radam_decoupled", "torch.optim.RAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True}),
    Row("asgd", "torch.optim.ASGD"),
    Row("asgd_other", "torch.optim.ASGD", {"lr": 0.05, "lambd": 0.1, "alpha": 0.6, "t0": 10.0}),
)

KERAS_BETAS = {"learning_rate": 0.01, "beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-3}
KERAS = (
    Row("sgd", "keras.optimizers.SGD"),
    Row("sgd_weight_decay", "keras.optimizers.SGD", {"learning_rate": 0.1, "weight_decay": 0.1}),
    Row("momentum", "keras.optimizers.SGD", {"momentum": 0.9}),
    Row("momentum_other", "keras.optimizers.SGD", {"learning_rate": 0.05, "momentum": 0.8}),
    Row("nesterov", "keras.optimizers.SGD", {"momentum": 0.9, "nesterov": True}),
    Row("nesterov_other", "keras.optimizers.SGD", {"learning_rate": 0.05, "momentum": 0.8, "nesterov": True}),
    Row("adagrad", "keras.optimizers.Adagrad"),
    Row(
        "adagrad_other",
        "keras.optimizers.Adagrad",
        {"learning_rate": 0.1, "initial_accumulator_value": 0.0, "epsilon": 1e-3},
    ),
    Row("adagrad_weight_decay", "keras.optimizers.Adagrad", {"weight_decay": 0.1}),
    Row("rmsprop", "keras.optimizers.RMSprop"),
    Row("rmsprop_other", "keras.optimizers.RMSprop", {"learning_rate": 0.01, "rho": 0.95, "epsilon": 1e-3}),
    Row("rmsprop_centered", "keras.optimizers.RMSprop", {"centered": True}),
    Row(
        "rmsprop_centered_other",
        "keras.optimizers.RMSprop",
        {"centered": True, "learning_rate": 0.01, "rho": 0.95, "epsilon": 1e-3},
    ),
    Row("rmsprop_momentum", "keras.optimizers.RMSprop", {"momentum": 0.9}),
    Row("rmsprop_centered_momentum", "keras.optimizers.RMSprop", {"centered": True, "momentum": 0.8}),
    Row("rmsprop_weight_decay", "keras.optimizers.RMSprop", {"weight_decay": 0.1}),
    Row("adadelta", "keras.optimizers.Adadelta"),
    Row("adadelta_other", "keras.optimizers.Adadelta", {"learning_rate": 1.0, "rho": 0.9, "epsilon": 1e-3}),
    Row("adadelta_weight_decay", "keras.optimizers.Adadelta", {"weight_decay": 0.1}),
    Row("adam", "keras.optimizers.Adam"),
    Row("adam_other", "keras.optimizers.Adam", KERAS_BETAS),
    Row("adam_weight_decay", "keras.optimizers.Adam", {"weight_decay": 0.1}),
    Row("amsgrad", "keras.optimizers.Adam", {"amsgrad": True}),
    Row("amsgrad_other", "keras.optimizers.Adam", KERAS_BETAS | {"amsgrad": True}),
    Row("adamw", "keras.optimizers.AdamW"),
    Row("adamw_other", "keras.optimizers.AdamW", KERAS_BETAS | {"weight_decay": 0.1}),
    Row("adamw_amsgrad", "keras.optimizers.AdamW", {"amsgrad": True}),
    Row("adamax", "keras.optimizers.Adamax"),
    Row("adamax_other", "keras.optimizers.Adamax", KERAS_BETAS),
    Row("adamax_weight_decay", "keras.optimizers.Adamax", {"weight_decay": 0.1}),
    Row("nadam", "keras.optimizers.Nadam"),
    Row("nadam_other", "keras.optimizers.Nadam", KERAS_BETAS),
    Row("nadam_weight_decay", "keras.optimizers.Nadam", {"weight_decay": 0.1}),
    Row("lion", "keras.optimizers.Lion"),
    Row(
        "lion_other",
        "keras.optimizers.Lion",
        {"learning_rate": 0.01, "beta_1": 0.8, "beta_2": 0.95, "weight_decay": 0.1},
    ),
)

OPTAX_LR = {"learning_rate": 0.001}
OPTAX_BETAS = {"learning_rate": 0.01, "b1": 0.8, "b2": 0.95, "eps": 1e-3}
OPTAX = (
    Row("sgd", "optax.sgd", {"learning_rate": 0.1}),
    Row("momentum", "optax.sgd", {"learning_rate": 0.1, "momentum": 0.9}),
    Row("momentum_other", "optax.sgd", {"learning_rate": 0.05, "momentum": 0.8}),
    Row("nesterov", "optax.sgd", {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True}),
    Row("nesterov_other", "optax.sgd", {"learning_rate": 0.05, "momentum": 0.8, "nesterov": True}),
    Row("adagrad", "optax.adagrad", {"learning_rate": 0.1}),
    Row(
        "adagrad_other",
        "optax.adagrad",
        {"learning_rate": 0.05, "initial_accumulator_value": 0.0, "eps": 1e-3},
    ),
    Row("rmsprop", "optax.rmsprop", OPTAX_LR),
    Row("rmsprop_other", "optax.rmsprop", {"learning_rate": 0.01, "decay": 0.95, "eps": 1e-3}),
    Row("rmsprop_eps_outside", "optax.rmsprop", OPTAX_LR | {"eps": 1e-3, "eps_in_sqrt": False}),
    Row("rmsprop_initial_scale", "optax.rmsprop", OPTAX_LR | {"initial_scale": 1.0}),
    Row("rmsprop_bias_correction", "optax.rmsprop", OPTAX_LR | {"bias_correction": True}),
    Row("rmsprop_centered", "optax.rmsprop", OPTAX_LR | {"centered": True}),
    Row(
        "rmsprop_centered_other",
        "optax.rmsprop",
        {"learning_rate": 0.01, "decay": 0.95, "eps": 1e-3, "centered": True},
    ),
    Row(
        "rmsprop_centered_eps_outside",
        "optax.rmsprop",
        OPTAX_LR | {"decay": 0.95, "eps": 1e-3, "centered": True, "eps_in_sqrt": False},
    ),
    Row("rmsprop_momentum", "optax.rmsprop", OPTAX_LR | {"momentum": 0.9}),
    Row("rmsprop_nesterov", "optax.rmsprop", OPTAX_LR | {"momentum": 0.8, "nesterov": True}),
    Row("rmsprop_centered_momentum", "optax.rmsprop", OPTAX_LR | {"centered": True, "momentum": 0.9}),
    Row("adadelta_no_lr", "optax.adadelta"),
    Row("adadelta", "optax.adadelta", {"learning_rate": 1.0}),
    Row(
        "adadelta_other",
        "optax.adadelta",
        {"learning_rate": 0.5, "rho": 0.95, "eps": 1e-3, "weight_decay": 0.1},
    ),
    Row("adam", "optax.adam", OPTAX_LR),
    Row("adam_other", "optax.adam", OPTAX_BETAS),
    Row("adam_eps_root", "optax.adam", OPTAX_LR | {"eps": 1e-8, "eps_root": 1e-3}),
    Row("adam_nesterov", "optax.adam", OPTAX_LR | {"nesterov": True}),
    Row("nadam", "optax.nadam", OPTAX_LR),
    Row("nadam_other", "optax.nadam", OPTAX_BETAS),
    Row("nadamw", "optax.nadamw", OPTAX_LR),
    Row("nadamw_other", "optax.nadamw", OPTAX_BETAS | {"weight_decay": 0.1}),
    Row("adamax", "optax.adamax", OPTAX_LR),
    Row("adamax_other", "optax.adamax", OPTAX_BETAS),
    Row("adamaxw", "optax.adamaxw", OPTAX_BETAS | {"weight_decay": 0.1}),
    Row("amsgrad", "optax.amsgrad", OPTAX_LR),
    Row("amsgrad_other", "optax.amsgrad", OPTAX_BETAS),
    Row(
        "amsgrad_uncorrected",
        "optax.amsgrad",
        OPTAX_LR | {"bias_correction_mu": False, "bias_correction_nu": False},
    ),
    Row("adamw", "optax.adamw", OPTAX_LR),
    Row("adamw_other", "optax.adamw", OPTAX_BETAS | {"weight_decay": 0.1}),
    Row("radam", "optax.radam", OPTAX_LR),
    Row("radam_other", "optax.radam", OPTAX_BETAS),
    Row("radam_threshold", "optax.radam", OPTAX_BETAS | {"threshold": 4.0}),
    Row("radam_nesterov", "optax.radam", OPTAX_LR | {"nesterov": True}),
    Row("lion", "optax.lion", OPTAX_LR),
    Row("lion_other", "optax.lion", {"learning_rate": 0.01, "b1": 0.8, "b2": 0.95, "weight_decay": 0.1}),
)

JAX_PATH = "jax.example_libraries.optimizers."
JAX = (
    Row("sgd", JAX_PATH + "sgd", {"step_size": 0.1}),
    Row("momentum", JAX_PATH + "momentum", {"step_size": 0.1, "mass": 0.9}),
    Row("nesterov", JAX_PATH + "nesterov", {"step_size": 0.1, "mass": 0.9}),
    Row("adagrad", JAX_PATH + "adagrad", {"step_size": 0.1}),
    Row("adagrad_other", JAX_PATH + "adagrad", {"step_size": 0.05, "momentum": 0.0}),
    Row("rmsprop", JAX_PATH + "rmsprop", {"step_size": 0.001}),
    Row("rmsprop_other", JAX_PATH + "rmsprop", {"step_size": 0.01, "gamma": 0.95, "eps": 1e-3}),
    Row("rmsprop_momentum", JAX_PATH + "rmsprop_momentum", {"step_size": 0.001}),
    Row(
        "rmsprop_momentum_other",
        JAX_PATH + "rmsprop_momentum",
        {"step_size": 0.01, "gamma": 0.95, "eps": 1e-3, "momentum": 0.8},
    ),
    Row("adam", JAX_PATH + "adam", {"step_size": 0.001}),
    Row("adam_other", JAX_PATH + "adam", {"step_size": 0.01, "b1": 0.8, "b2": 0.95, "eps": 1e-3}),
    Row("adamax", JAX_PATH + "adamax", {"step_size": 0.001}),
    Row("adamax_other", JAX_PATH + "adamax", {"step_size": 0.01, "b1": 0.8, "b2": 0.95, "eps": 1e-3}),
)

SKLEARN_PATH = "sklearn.neural_network._stochastic_optimizers."
SKLEARN = (
    Row("nesterov", SKLEARN_PATH + "SGDOptimizer"),
    Row("nesterov_other", SKLEARN_PATH + "SGDOptimizer", {"learning_rate_init": 0.05, "momentum": 0.8}),
    Row("momentum", SKLEARN_PATH + "SGDOptimizer", {"nesterov": False}),
    Row("sgd", SKLEARN_PATH + "SGDOptimizer", {"momentum": 0.0, "nesterov": False}),
    Row("adam", SKLEARN_PATH + "AdamOptimizer"),
    Row(
        "adam_other",
        SKLEARN_PATH + "AdamOptimizer",
        {"learning_rate_init": 0.01, "beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-3},
    ),
)

TINYGRAD_POWERS = ("b1_t", "b2_t")
TINYGRAD_BETAS = {"lr": 0.01, "b1": 0.8, "b2": 0.95, "eps": 1e-3}
TINYGRAD = (
    Row("sgd", "tinygrad.nn.optim.SGD"),
    Row("momentum", "tinygrad.nn.optim.SGD", {"momentum": 0.9}),
    Row("momentum_classic", "tinygrad.nn.optim.SGD", {"lr": 0.05, "momentum": 0.8, "classic": True}),
    Row("nesterov", "tinygrad.nn.optim.SGD", {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    Row("adam", "tinygrad.nn.optim.Adam", {}, TINYGRAD_POWERS),
    Row("adam_other", "tinygrad.nn.optim.Adam", TINYGRAD_BETAS, TINYGRAD_POWERS),
    Row("adamw", "tinygrad.nn.optim.AdamW", {}, TINYGRAD_POWERS),
    Row("adamw_other", "tinygrad.nn.optim.AdamW", TINYGRAD_BETAS | {"weight_decay": 0.1}, TINYGRAD_POWERS),
)

# mlx keeps the learning rate in float32, whatever it is given: only a power of two survives that.
MLX_LR = {"learning_rate": 2.0**-10}
MLX_BETAS = {"learning_rate": 2.0**-7, "betas": (0.8, 0.95), "eps": 1e-3}
MLX_CORRECTED = ("beta1**t", "beta2**t")
MLX = (
    Row("sgd", "mlx.optimizers.SGD", MLX_LR),
    Row("momentum", "mlx.optimizers.SGD", MLX_LR | {"momentum": 0.9, "weight_decay": 0.1}),
    Row("momentum_dampened", "mlx.optimizers.SGD", MLX_LR | {"momentum": 0.9, "dampening": 0.9}),
    Row("nesterov", "mlx.optimizers.SGD", MLX_LR | {"momentum": 0.9, "nesterov": True}),
    Row("adagrad", "mlx.optimizers.Adagrad", MLX_LR),
    Row("adagrad_other", "mlx.optimizers.Adagrad", {"learning_rate": 0.125, "eps": 1e-3}),
    Row("rmsprop", "mlx.optimizers.RMSprop", MLX_LR),
    Row("rmsprop_other", "mlx.optimizers.RMSprop", MLX_LR | {"alpha": 0.9, "eps": 1e-3}),
    Row("adadelta", "mlx.optimizers.AdaDelta", {"learning_rate": 1.0}),
    Row("adadelta_other", "mlx.optimizers.AdaDelta", {"learning_rate": 0.5, "rho": 0.95, "eps": 1e-3}),
    Row("adam", "mlx.optimizers.Adam", MLX_LR),
    Row("adam_other", "mlx.optimizers.Adam", MLX_BETAS),
    Row("adam_bias_correction", "mlx.optimizers.Adam", MLX_LR | {"bias_correction": True}, MLX_CORRECTED),
    Row(
        "adam_bias_correction_other",
        "mlx.optimizers.Adam",
        MLX_BETAS | {"bias_correction": True},
        MLX_CORRECTED,
    ),
    Row("adamw", "mlx.optimizers.AdamW", MLX_LR),
    Row("adamw_other", "mlx.optimizers.AdamW", MLX_BETAS | {"weight_decay": 0.1}),
    Row("adamax", "mlx.optimizers.Adamax", MLX_LR),
    Row("adamax_other", "mlx.optimizers.Adamax", MLX_BETAS),
    Row("lion", "mlx.optimizers.Lion", MLX_LR),
    Row(
        "lion_other",
        "mlx.optimizers.Lion",
        {"learning_rate": 2.0**-7, "betas": (0.8, 0.95), "weight_decay": 0.1},
    ),
)


# --- Running them -----------------------------------------------------------------------------------------


def resolve(path: str) -> Callable:
    """Return the object that a dotted path names."""
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def run_torch(row: Row, theta_0: np.ndarray, g: np.ndarray) -> Iterator[np.ndarray]:
    """Run a torch.optim optimizer; its scalars are float64 unless the row wants torch's default, float32."""
    import torch

    torch.set_default_dtype(torch.float32 if row.single else torch.float64)
    theta = torch.tensor(theta_0, dtype=torch.float64, requires_grad=True)
    optimizer = resolve(row.path)([theta], **row.arguments)
    for g_t in g:
        theta.grad = torch.tensor(g_t, dtype=torch.float64)
        optimizer.step()
        yield theta.detach().numpy().copy()


def run_keras(row: Row, theta_0: np.ndarray, g: np.ndarray) -> Iterator[np.ndarray]:
    """Run a Keras optimizer, its learning rate and all it keeps in float64."""
    import keras

    keras.config.set_floatx("float64")
    theta = keras.Variable(theta_0, dtype="float64")
    optimizer = resolve(row.path)(**row.arguments)
    for g_t in g:
        optimizer.apply_gradients([(keras.ops.convert_to_tensor(g_t, dtype="float64"), theta)])
        yield np.array(theta.numpy(), dtype=np.float64)


def run_optax(row: Row, theta_0: np.ndarray, g: np.ndarray) -> Iterator[np.ndarray]:
    """Run an optax transformation, one operation at a time (not compiled as a whole)."""
    import jax
    import optax

    transformation = resolve(row.path)(**row.arguments)
    theta = jax.numpy.asarray(theta_0)
    state = transformation.init(theta)
    for g_t in g:
        updates, state = transformation.update(jax.numpy.asarray(g_t), state, theta)
        theta = optax.apply_updates(theta, updates)
        yield np.array(theta)


def run_jax(row: Row, theta_0: np.ndarray, g: np.ndarray) -> Iterator[np.ndarray]:
    """Run an optimizer triple of jax.example_libraries."""
    import jax

    init, update, get_params = resolve(row.path)(**row.arguments)
    state = init(jax.numpy.asarray(theta_0))
    for i, g_t in enumerate(g):
        state = update(i, jax.numpy.asarray(g_t), state)
        yield np.array(get_params(state))


def run_sklearn(row: Row, theta_0: np.ndarray, g: np.ndarray) -> Iterator[np.ndarray]:
    """Run the optimizer behind scikit-learn's multi-layer perceptrons."""
    theta = theta_0.copy()
    optimizer = resolve(row.path)([theta], **row.arguments)
    for g_t in g:
        optimizer.update_params([theta], [g_t])
        yield theta.copy()


def run_tinygrad(row: Row, theta_0: np.ndarray, g: np.ndarray) -> Iterator[np.ndarray]:
    """Run a tinygrad optimizer with float64 state."""
    from tinygrad import Tensor, dtypes
    from tinygrad.helpers import Context

    theta = Tensor(theta_0.tolist(), dtype=dtypes.float64).is_param_(True)
    with Context(TRAINING=1):
        optimizer = resolve(row.path)([theta], **row.arguments)
        for g_t in g:
            theta.grad = Tensor(g_t.tolist(), dtype=dtypes.float64)
            optimizer.step()
            yield np.array(theta.numpy())


def run_mlx(row: Row, theta_0: np.ndarray, g: np.ndarray) -> Iterator[np.ndarray]:
    """Run an MLX optimizer; float64 exists on the processor only."""
    import mlx.core as mx

    mx.set_default_device(mx.cpu)
    optimizer = resolve(row.path)(**{k: list(v) if k == "betas" else v for k, v in row.arguments.items()})
    theta = mx.array(theta_0, dtype=mx.float64)
    for g_t in g:
        theta = optimizer.apply_gradients({"theta": mx.array(g_t, dtype=mx.float64)}, {"theta": theta})["theta"]
        mx.eval(theta)
        yield np.array(theta, dtype=np.float64)


@dataclass(frozen=True)
class Library:
    """A library: its distribution, its rows, how to run one, and what to set before it is imported."""

    distribution: str
    rows: tuple[Row, ...]
    run: Callable[[Row, np.ndarray, np.ndarray], Iterator[np.ndarray]]
    environment: dict[str, str] = field(default_factory=dict)


LIBRARIES = {
    "torch": Library("torch", TORCH, run_torch),
    "keras": Library("keras", KERAS, run_keras, {"KERAS_BACKEND": "jax", "JAX_ENABLE_X64": "1"}),
    "optax": Library("optax", OPTAX, run_optax, {"JAX_ENABLE_X64": "1"}),
    "jax": Library("jax", JAX, run_jax, {"JAX_ENABLE_X64": "1"}),
    "sklearn": Library("scikit-learn", SKLEARN, run_sklearn),
    "tinygrad": Library(
        "tinygrad", TINYGRAD, run_tinygrad, {"DEV": "PYTHON", "DEFAULT_FLOAT": "float64", "OPTIM_DTYPE": "float64"}
    ),
    "mlx": Library("mlx", MLX, run_mlx),
}


# --- Writing ----------------------------------------------------------------------------------------------


def plain(value: Any) -> Any:
    """Return a default or an argument as JSON can say it."""
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return plain(getattr(value, "value", type(value).__name__))


def defaults(path: str) -> dict[str, Any]:
    """Return the default of every argument of an optimizer that has one."""
    function = resolve(path)
    parameters = inspect.signature(function.__init__ if inspect.isclass(function) else function).parameters
    return {name: plain(p.default) for name, p in parameters.items() if p.default is not p.empty}


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary file beside `path`, and put it in its place only when all went well."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".recording-") as directory:
        partial = Path(directory) / path.name
        yield partial
        os.replace(partial, path)


def write_arrays(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write arrays as an .npz file; the same arrays give the same bytes."""
    with replacing(path) as partial:
        np.savez_compressed(partial, allow_pickle=False, **arrays)


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write JSON with one argument, default or checkpoint a line, and numbers in full precision."""
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    with replacing(path) as partial:
        partial.write_text(join_lists(text) + "\n", encoding="utf-8")


def join_lists(text: str) -> str:
    """Put each innermost list of numbers on one line."""
    return re.sub(r"\[[^\[\]{}]*\]", lambda match: re.sub(r"\s*\n\s*", " ", match[0]), text)


def record(name: str, folder: Path) -> int:
    """Run every row of a library and write its two files; return the number of rows."""
    library = LIBRARIES[name]
    os.environ.update(library.environment)
    given = read_gradients(folder)
    trajectories, rows = {}, []
    for row in library.rows:
        trajectory = np.stack(list(library.run(row, given["theta_0"], given["gradients"])))
        if trajectory.dtype != np.float64 or not np.isfinite(trajectory).all():
            raise click.ClickException(f"{name}, row {row.name}: not finite float64 numbers throughout")
        if np.array_equal(trajectory, trajectory.astype(np.float32)):
            raise click.ClickException(f"{name}, row {row.name}: these numbers are float32's")
        if row.name in trajectories:
            raise click.ClickException(f"{name}: two rows are called {row.name}")
        trajectories[row.name] = trajectory
        rows.append(
            {
                "name": row.name,
                "class": row.path,
                "arguments": {key: plain(value) for key, value in row.arguments.items()},
                "defaults": defaults(row.path),
                "float32": list(row.single),
                "trajectory": f"{name}.npz",
                "after": {str(t): trajectory[t - 1].tolist() for t in CHECKPOINTS},
            }
        )
    content = {
        "library": name,
        "version": importlib.metadata.version(library.distribution).partition("+")[0],
        "made_by": "tools/record_golden.py",
        "with": {"python": platform.python_version(), "numpy": np.__version__} | library.environment,
        "gradients": "gradients.npz",
        "coordinates": given["coordinates"].tolist(),
        "rows": rows,
    }
    write_arrays(folder / f"{name}.npz", trajectories)
    write_json(folder / f"{name}.json", content)
    return len(rows)


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(LIBRARIES)))
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), default=GOLDEN, show_default=False)
def main(names: tuple[str, ...], folder: Path) -> None:
    """Record the optimizers of the libraries NAMES, or of every one that is installed."""
    if not names:
        names = tuple(name for name in LIBRARIES if importlib.util.find_spec(name) is not None)
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        click.echo(f"{name}: {record(name, folder)} rows")


if __name__ == "__main__":
    main()
