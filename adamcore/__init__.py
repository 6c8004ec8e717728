"""The Adam optimizer and its family in readable, tested numpy.

:mod:`adamcore.optim` holds the update rules, :mod:`adamcore.models` objectives with their gradients,
:mod:`adamcore.data` the data sets, :mod:`adamcore.experiments` the paper's figures as code, and
:mod:`adamcore.plots` draws them. The names used most stand here.

Examples
--------
>>> import numpy as np
>>> from adamcore import Adam
>>> rule = Adam(alpha=0.1)
>>> s = rule.init(np.array([3.0, -2.0]))
>>> for _ in range(200):
...     rule.step(s, 2 * s.theta)  # the gradient of |theta|^2
>>> bool(abs(s.theta).max() < 0.01)
True
"""

from adamcore.data import (
    DataError,
    Dataset,
    Whitening,
    drop_words,
    load_cifar10,
    load_imdb,
    load_mnist,
    minibatches,
    scale_pixels,
)
from adamcore.models import CNN, MLP, VAE, LogisticRegression
from adamcore.optim import (
    SGD,
    AdaDelta,
    AdaGrad,
    Adam,
    AdaMax,
    AdamL2,
    AdamW,
    AMSGrad,
    Averaged,
    Decayed,
    Lion,
    Momentum,
    NAdam,
    Nesterov,
    NotFiniteError,
    RAdam,
    RMSProp,
    Rule,
    State,
    Trace,
    cosine,
    inverse_sqrt,
    step_decay,
    walk,
    warmup,
)
from adamcore.versions import show_versions

__version__ = "0.1.0"

__all__ = [
    "CNN",
    "MLP",
    "SGD",
    "VAE",
    "AMSGrad",
    "AdaDelta",
    "AdaGrad",
    "AdaMax",
    "Adam",
    "AdamL2",
    "AdamW",
    "Averaged",
    "DataError",
    "Dataset",
    "Decayed",
    "Lion",
    "LogisticRegression",
    "Momentum",
    "NAdam",
    "Nesterov",
    "NotFiniteError",
    "RAdam",
    "RMSProp",
    "Rule",
    "State",
    "Trace",
    "Whitening",
    "__version__",
    "cosine",
    "drop_words",
    "inverse_sqrt",
    "load_cifar10",
    "load_imdb",
    "load_mnist",
    "minibatches",
    "scale_pixels",
    "show_versions",
    "step_decay",
    "walk",
    "warmup",
]
