"""Dialects: what other libraries compute under the same names, as data.

Libraries differ in where epsilon stands, in what an accumulator starts from, in which maximum AMSGrad keeps,
in what a weight decay is multiplied by, and in their defaults. Each row of :func:`dialects` is one optimizer of
one library, as a rule of this package with the library's own default settings.

Rows of libraries that can be installed are held against them: against trajectories recorded from them to
1e-12 in every test run, and live in the slow ones (``tests/golden``; the versions stand there). The others
are held against the formula in their source, or numbers that they publish (``tests/golden/FORMULAS.md``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from adamcore.optim.adagrad import AdaGrad
from adamcore.optim.adam import Adam, AdamL2, AdamW
from adamcore.optim.adamax import AdaMax
from adamcore.optim.amsgrad import AMSGrad
from adamcore.optim.base import Rule
from adamcore.optim.decayed import Decayed
from adamcore.optim.lion import Lion
from adamcore.optim.nadam import NAdam, RAdam
from adamcore.optim.rmsprop import AdaDelta, RMSProp
from adamcore.optim.sgd import SGD, Momentum, Nesterov

REQUIRED = object()
"""In place of a default: the library has none, so the caller must give one."""


@dataclass(frozen=True)
class Dialect:
    """One optimizer of one library.

    Attributes
    ----------
    library, optimizer : str
        The names that :func:`dialect` takes.
    rule : type
        The rule of this package that computes the same.
    settings : dict
        Its hyper-parameters where the library's defaults or formula differ from the rule's own defaults.
    decay : {"l2", "decoupled"} or None
        What the library's ``weight_decay`` means for this optimizer, if it has one beside the rule's own.
    held_against : str
        ``"recorded"``: trajectories of the library itself; otherwise the source that the formula was read in.

    Examples
    --------
    >>> from adamcore.optim import dialect, dialects
    >>> (row,) = (row for row in dialects() if (row.library, row.optimizer) == ("keras2", "adam"))
    >>> row.rule.__name__, row.settings, row.decay
    ('Adam', {'eps': 1e-07, 'eps_place': 'hat'}, None)
    >>> dialect("keras2", "adam") == row.rule(**row.settings)
    True
    """

    library: str
    optimizer: str
    rule: type[Rule]
    settings: dict[str, Any]
    decay: str | None
    held_against: str


def dialect(library: str, optimizer: str, **hyper: Any) -> Rule:
    """Return an optimizer as a library computes it, with that library's defaults.

    Parameters
    ----------
    library : str
        Such as ``"torch"``, ``"keras"``, ``"optax"`` or ``"tensorflow1"``; see :func:`dialects`.
    optimizer : str
        Such as ``"adam"``, ``"adamw"``, ``"amsgrad"`` or ``"rmsprop"``.
    **hyper
        Hyper-parameters that differ from the library's defaults, under this package's names: ``alpha`` for a
        learning rate, ``beta1``, ``beta2``, ``eps``, ``mu`` for a momentum, ``rho`` for the decay of RMSProp
        and AdaDelta, ``weight_decay``.

    Returns
    -------
    Rule

    Raises
    ------
    ValueError
        If the library or the optimizer is not in the table, or the library has no default step size and
        none is given.
    TypeError
        If a hyper-parameter is not one of this optimizer's.

    Examples
    --------
    >>> from adamcore.optim import dialect
    >>> rule = dialect("keras", "adam", alpha=0.01)
    >>> rule.eps, rule.eps_place
    (1e-07, 'hat')
    >>> dialect("torch", "adam") == dialect("jax", "adam", alpha=0.001)
    True
    """
    rows = {row.optimizer: row for row in dialects() if row.library == library}
    if not rows:
        libraries = ", ".join(dict.fromkeys(row.library for row in dialects()))
        raise ValueError(f"there is no dialect of {library!r}; there are {libraries}.")
    if optimizer not in rows:
        raise ValueError(f"there is no {optimizer!r} of {library}; there are {', '.join(rows)}.")
    row = rows[optimizer]
    settings = {**row.settings, **hyper}
    if missing := [name for name, value in settings.items() if value is REQUIRED]:
        raise ValueError(f"{library} has no default {missing[0]} for {optimizer}: give one, {missing[0]}=...")
    allowed = [field.name for field in fields(row.rule)] + ["weight_decay"] * (row.decay is not None)
    if unknown := sorted(set(hyper) - set(allowed)):
        raise TypeError(f"{optimizer} of {library} has no {', '.join(unknown)}; it has {', '.join(allowed)}.")
    if row.decay is None or "weight_decay" not in hyper:
        return row.rule(**settings)
    if row.rule is Adam:
        return {"l2": AdamL2, "decoupled": AdamW}[row.decay](**settings)
    weight_decay = settings.pop("weight_decay")
    return Decayed(row.rule(**settings), weight_decay, row.decay)


def dialects() -> tuple[Dialect, ...]:
    """Return every row of the table.

    Examples
    --------
    >>> from adamcore.optim import dialects
    >>> adams = [row for row in dialects() if row.optimizer == "adam"]
    >>> sorted({row.settings.get("eps_place", "outside") for row in adams})
    ['hat', 'outside']
    """
    return tuple(_rows())


_HAT = {"eps_place": "hat"}
_INSIDE = {"eps_place": "inside"}
_RAW = {"bias_correction": True, "maximum": "raw"}
_VELOCITY = {"form": "velocity"}
_NO_ALPHA = {"alpha": REQUIRED}

_RECORDED: dict[str, dict[str, tuple]] = {
    "torch": {
        "sgd": (SGD, {"alpha": 1e-3}),
        "momentum": (Momentum, {"alpha": 1e-3}),
        "nesterov": (Nesterov, {"alpha": 1e-3}),
        "adagrad": (AdaGrad, {}),
        "rmsprop": (RMSProp, {"alpha": 0.01, "rho": 0.99}),
        "adadelta": (AdaDelta, {"rho": 0.9}),
        "adam": (Adam, {}),
        "amsgrad": (AMSGrad, _RAW),
        "adamw": (AdamW, {}),
        "adamax": (AdaMax, {"eps": 1e-8, "eps_place": "gradient"}),
        "nadam": (NAdam, {}),
        "radam": (RAdam, {"threshold": 5.0, "eps_place": "hat"}),
    },
    "keras": {
        "sgd": (SGD, {}),
        "momentum": (Momentum, _VELOCITY),
        "nesterov": (Nesterov, _VELOCITY),
        "adagrad": (AdaGrad, {"alpha": 1e-3, "eps": 1e-7, "initial": 0.1, **_INSIDE}),
        "rmsprop": (RMSProp, {"eps": 1e-7, **_INSIDE, **_VELOCITY}),
        "adadelta": (AdaDelta, {"alpha": 1e-3, "eps": 1e-7}),
        "adam": (Adam, {"eps": 1e-7, **_HAT}),
        "amsgrad": (AMSGrad, {"eps": 1e-7, **_HAT, **_RAW}),
        "adamw": (AdamW, {"eps": 1e-7, "weight_decay": 0.004, **_HAT}),
        "adamax": (AdaMax, {"alpha": 1e-3, "eps": 1e-7}),
        "nadam": (NAdam, {"alpha": 1e-3, "eps": 1e-7, "momentum_decay": 1.0}),
        "lion": (Lion, {"alpha": 1e-3}),
    },
    "optax": {
        "sgd": (SGD, _NO_ALPHA),
        "momentum": (Momentum, {**_NO_ALPHA, "mu": REQUIRED}),
        "nesterov": (Nesterov, {**_NO_ALPHA, "mu": REQUIRED}),
        "adagrad": (AdaGrad, {**_NO_ALPHA, "eps": 1e-7, "initial": 0.1, **_INSIDE}),
        "rmsprop": (RMSProp, {**_NO_ALPHA, **_INSIDE, **_VELOCITY}),
        "adadelta": (AdaDelta, {**_NO_ALPHA, "rho": 0.9}),
        "adam": (Adam, _NO_ALPHA),
        "amsgrad": (AMSGrad, {**_NO_ALPHA, "bias_correction": True, "maximum": "corrected"}),
        "adamw": (AdamW, {**_NO_ALPHA, "weight_decay": 1e-4}),
        "adamax": (AdaMax, {**_NO_ALPHA, "eps": 1e-8, "eps_place": "gradient"}),
        "nadam": (NAdam, {**_NO_ALPHA, "momentum_decay": None}),
        "radam": (RAdam, {**_NO_ALPHA, "threshold": 5.0}),
        "lion": (Lion, {**_NO_ALPHA, "weight_decay": 1e-3}),
    },
    "sklearn": {
        "sgd": (SGD, {"alpha": 0.1}),
        "momentum": (Momentum, {"alpha": 0.1, **_VELOCITY}),
        "nesterov": (Nesterov, {"alpha": 0.1, **_VELOCITY}),
        "adam": (Adam, _HAT),
    },
    "jax": {
        "sgd": (SGD, _NO_ALPHA),
        "momentum": (Momentum, {**_NO_ALPHA, "mu": REQUIRED}),
        "nesterov": (Nesterov, {**_NO_ALPHA, "mu": REQUIRED}),
        "adagrad": (AdaGrad, {**_NO_ALPHA, "eps": 0.0, "mu": 0.9}),
        "rmsprop": (RMSProp, {**_NO_ALPHA, **_INSIDE, **_VELOCITY}),
        "adam": (Adam, _NO_ALPHA),
        "adamax": (AdaMax, {**_NO_ALPHA, "eps": 1e-8}),
    },
    "tinygrad": {
        "sgd": (SGD, {"alpha": 1e-3}),
        "momentum": (Momentum, {"alpha": 1e-3, "mu": REQUIRED}),
        "nesterov": (Nesterov, {"alpha": 1e-3, "mu": REQUIRED}),
        "adam": (Adam, {}),
        "adamw": (AdamW, {}),
    },
    "mlx": {
        "sgd": (SGD, _NO_ALPHA),
        "momentum": (Momentum, {**_NO_ALPHA, "mu": REQUIRED}),
        "nesterov": (Nesterov, {**_NO_ALPHA, "mu": REQUIRED}),
        "adagrad": (AdaGrad, {**_NO_ALPHA, "eps": 1e-8}),
        "rmsprop": (RMSProp, {**_NO_ALPHA, "rho": 0.99}),
        "adadelta": (AdaDelta, {**_NO_ALPHA, "rho": 0.9}),
        "adam": (Adam, {**_NO_ALPHA, "bias_correction": False}),
        "adamw": (AdamW, {**_NO_ALPHA, "bias_correction": False}),
        "adamax": (AdaMax, {**_NO_ALPHA, "eps": 1e-8, "bias_correction": False}),
        "lion": (Lion, _NO_ALPHA),
    },
}

_FROM_SOURCE: dict[str, tuple[str, dict[str, tuple]]] = {
    "tensorflow1": (
        "tensorflow/tensorflow: tensorflow/core/kernels/training_ops.cc, tensorflow/python/training/*.py",
        {
            "sgd": (SGD, _NO_ALPHA),
            "momentum": (Momentum, {**_NO_ALPHA, "mu": REQUIRED}),
            "nesterov": (Nesterov, {**_NO_ALPHA, "mu": REQUIRED}),
            "adagrad": (AdaGrad, {**_NO_ALPHA, "eps": 0.0, "initial": 0.1}),
            "rmsprop": (RMSProp, {**_NO_ALPHA, "eps": 1e-10, "initial": 1.0, **_INSIDE, **_VELOCITY}),
            "adadelta": (AdaDelta, {"alpha": 1e-3, "eps": 1e-8}),
            "adam": (Adam, _HAT),
        },
    ),
    "keras1": (
        "keras-team/keras: keras/optimizers.py, up to 2.1.2, where epsilon is 1e-8",
        {
            "sgd": (SGD, {}),
            "momentum": (Momentum, {"mu": REQUIRED, **_VELOCITY}),
            "nesterov": (Nesterov, {"mu": REQUIRED, **_VELOCITY}),
            "adagrad": (AdaGrad, {"eps": 1e-8}),
            "rmsprop": (RMSProp, {}),
            "adadelta": (AdaDelta, {"eps": 1e-8}),
            "adam": (Adam, _HAT),
            "adamax": (AdaMax, {"eps": 1e-8}),
            "nadam": (NAdam, {}),
        },
    ),
    "keras2": (
        "keras-team/keras: keras/optimizers.py at fe1d48bfb605, where epsilon is 1e-7",
        {
            "sgd": (SGD, {}),
            "momentum": (Momentum, {"mu": REQUIRED, **_VELOCITY}),
            "nesterov": (Nesterov, {"mu": REQUIRED, **_VELOCITY}),
            "adagrad": (AdaGrad, {"eps": 1e-7}),
            "rmsprop": (RMSProp, {"eps": 1e-7}),
            "adadelta": (AdaDelta, {"eps": 1e-7}),
            "adam": (Adam, {"eps": 1e-7, **_HAT}),
            "amsgrad": (AMSGrad, {"eps": 1e-7, **_HAT, **_RAW}),
            "adamax": (AdaMax, {"eps": 1e-7}),
            "nadam": (NAdam, {"eps": 1e-7}),
        },
    ),
    "blocks": (
        "mila-iqia/blocks: blocks/algorithms/__init__.py at 55d3159fbc03",
        {
            "momentum": (Momentum, {"alpha": 1.0, "mu": 0.0, **_VELOCITY}),
            "adagrad": (AdaGrad, {"alpha": 0.002, "eps": 1e-6}),
            "adadelta": (AdaDelta, {}),
            "adam": (Adam, {"alpha": 0.002, **_HAT}),
        },
    ),
    "lasagne": (
        "Lasagne/Lasagne: lasagne/updates.py at 07ce3cc5fda0",
        {
            "sgd": (SGD, _NO_ALPHA),
            "momentum": (Momentum, {**_NO_ALPHA, **_VELOCITY}),
            "nesterov": (Nesterov, {**_NO_ALPHA, **_VELOCITY}),
            "adagrad": (AdaGrad, {"alpha": 1.0, "eps": 1e-6, **_INSIDE}),
            "rmsprop": (RMSProp, {"alpha": 1.0, "eps": 1e-6, **_INSIDE}),
            "adadelta": (AdaDelta, {}),
            "adam": (Adam, _HAT),
            "amsgrad": (AMSGrad, {**_HAT, **_RAW}),
            "adamax": (AdaMax, {"eps": 1e-8}),
        },
    ),
    "caffe": (
        "BVLC/caffe: src/caffe/proto/caffe.proto at 00733bbb76c2, src/caffe/solvers/*.cpp",
        {
            "sgd": (SGD, _NO_ALPHA),
            "momentum": (Momentum, {**_NO_ALPHA, "mu": 0.0, **_VELOCITY}),
            "nesterov": (Nesterov, {**_NO_ALPHA, "mu": 0.0, **_VELOCITY}),
            "adagrad": (AdaGrad, {**_NO_ALPHA, "eps": 1e-8}),
            "rmsprop": (RMSProp, {**_NO_ALPHA, "rho": 0.99}),
            # The momentum, which is AdaDelta's rho and Adam's beta1, has no default; 0.9 comes from an example.
            "adadelta": (AdaDelta, {**_NO_ALPHA, "rho": 0.0, "eps": 1e-8}),
            "adam": (Adam, {**_NO_ALPHA, "beta1": 0.0, **_HAT}),
        },
    ),
    "mxnet": (
        "apache/mxnet: python/mxnet/optimizer/*.py",
        {
            "sgd": (SGD, {"alpha": 0.1}),
            "momentum": (Momentum, {"alpha": 0.1, "mu": 0.0, **_VELOCITY}),
            "nesterov": (Nesterov, {"alpha": 0.1, **_VELOCITY}),
            "adagrad": (AdaGrad, {"eps": 1e-6}),
            "adadelta": (AdaDelta, {"rho": 0.9}),
            "adam": (Adam, _HAT),
            "adamax": (AdaMax, {}),
        },
    ),
    "chainer": (
        "chainer/chainer: chainer/optimizers/*.py (adam.py at 026c01a5618d)",
        {
            "sgd": (SGD, {}),
            "momentum": (Momentum, _VELOCITY),
            "adagrad": (AdaGrad, {"alpha": 1e-3, "eps": 1e-8}),
            "rmsprop": (RMSProp, {"alpha": 0.01, "rho": 0.99}),
            "adadelta": (AdaDelta, {}),
            "adam": (Adam, _HAT),
            "amsgrad": (AMSGrad, {**_HAT, **_RAW}),
            # Its weight_decay_rate is not multiplied by alpha, and is 0 where none is given.
            "adamw": (AdamW, {"weight_decay": 0.0, "decay_form": "paper", **_HAT}),
        },
    ),
    "flux": (
        "FluxML/Optimisers.jl: src/rules.jl at 007b97215de5",
        {
            "sgd": (SGD, {"alpha": 0.1}),
            "momentum": (Momentum, _VELOCITY),
            "nesterov": (Nesterov, {"alpha": 1e-3, **_VELOCITY}),
            "adagrad": (AdaGrad, {"alpha": 0.1, "eps": 1e-8, "initial": 1e-8}),
            "rmsprop": (RMSProp, {}),
            "adadelta": (AdaDelta, {"rho": 0.9, "eps": 1e-8}),
            "adam": (Adam, {}),
            "adamw": (AdamW, {"weight_decay": 0.0}),
            "adamax": (AdaMax, {"alpha": 1e-3, "eps": 1e-8}),
            "radam": (RAdam, {}),
        },
    ),
    "tfjs": (
        "tensorflow/tfjs: tfjs-core/src/optimizers/*.ts (adam_optimizer.ts at 1c698d541fba), where epsilon is 1e-7",
        {
            "sgd": (SGD, _NO_ALPHA),
            "momentum": (Momentum, {**_NO_ALPHA, "mu": REQUIRED}),
            "nesterov": (Nesterov, {**_NO_ALPHA, "mu": REQUIRED}),
            "adagrad": (AdaGrad, {**_NO_ALPHA, "eps": 1e-7, "initial": 0.1, **_INSIDE}),
            "rmsprop": (RMSProp, {**_NO_ALPHA, "eps": 1e-7, **_INSIDE, **_VELOCITY}),
            "adam": (Adam, {"eps": 1e-7}),
            "adamax": (AdaMax, {"eps": 1e-7}),
        },
    ),
    "paddle": (
        "PaddlePaddle/Paddle: paddle/phi/kernels/funcs/adam_functors.h at 02dea0c71741",
        {
            "adam": (Adam, {}),
            "amsgrad": (AMSGrad, _RAW),
        },
    ),
    "torch7": (
        "torch/optim: *.lua",
        {
            "sgd": (SGD, {"alpha": 1e-3}),
            "adagrad": (AdaGrad, {"alpha": 1e-3}),
            "rmsprop": (RMSProp, {"alpha": 0.01, "rho": 0.99}),
            "adadelta": (AdaDelta, {"rho": 0.9}),
            "adam": (Adam, _HAT),
            "adamax": (AdaMax, {"eps": 1e-38, "eps_place": "gradient"}),
        },
    ),
}


_DECAY = {
    ("torch", None): "l2",
    ("keras", None): "decoupled",
    ("optax", "adadelta"): "l2",
    ("tinygrad", "sgd"): "l2",
    ("tinygrad", "momentum"): "l2",
    ("tinygrad", "nesterov"): "l2",
    ("mlx", "sgd"): "l2",
    ("mlx", "momentum"): "l2",
    ("mlx", "nesterov"): "l2",
}
"""(library, optimizer), or (library, None) for all of its optimizers, to the meaning of ``weight_decay``."""


def _rows() -> Iterator[Dialect]:
    """The two tables as rows."""
    tables = {library: ("recorded", table) for library, table in _RECORDED.items()} | _FROM_SOURCE
    for library, (held_against, table) in tables.items():
        for optimizer, (rule, settings) in table.items():
            decay = _DECAY.get((library, optimizer)) or _DECAY.get((library, None))
            if "weight_decay" in rule.__dataclass_fields__:
                decay = None
            yield Dialect(library, optimizer, rule, dict(settings), decay, held_against)
