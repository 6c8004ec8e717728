"""Update rules: Adam and its family, in the symbols of the papers they come from.

A rule holds hyper-parameters and is frozen; a :class:`State` holds what changes. ``rule.init(theta)`` makes
the state, ``rule.step(state, gradient)`` takes one step.
"""

from adamcore.optim.adagrad import AdaGrad
from adamcore.optim.adam import Adam, AdamL2, AdamW
from adamcore.optim.adamax import AdaMax
from adamcore.optim.amsgrad import AMSGrad
from adamcore.optim.averaged import Averaged
from adamcore.optim.base import NotFiniteError, Rule, State, from_dict
from adamcore.optim.checkpoint import Checkpoint, CheckpointError, load, save
from adamcore.optim.decayed import Decayed
from adamcore.optim.dialects import Dialect, dialect, dialects
from adamcore.optim.fading import FadingAdam
from adamcore.optim.fast import one_thread, pure_numpy
from adamcore.optim.layerwise import LayerAdam
from adamcore.optim.lion import Lion
from adamcore.optim.nadam import NAdam, RAdam
from adamcore.optim.rmsprop import AdaDelta, RMSProp
from adamcore.optim.schedules import Schedule, cosine, inverse_sqrt, step_decay, warmup
from adamcore.optim.sgd import SGD, Momentum, Nesterov
from adamcore.optim.trace import Trace
from adamcore.optim.walk import walk

RULES = (
    "SGD",
    "Momentum",
    "Nesterov",
    "AdaGrad",
    "RMSProp",
    "AdaDelta",
    "Adam",
    "AdamL2",
    "AdamW",
    "AdaMax",
    "AMSGrad",
    "NAdam",
    "RAdam",
    "Lion",
    "FadingAdam",
    "LayerAdam",
)
"""The name of every rule that stands by itself."""

WRAPPERS = ("Averaged", "Decayed")
"""The name of every rule that is made from another one."""

__all__ = [
    "RULES",
    "SGD",
    "WRAPPERS",
    "AMSGrad",
    "AdaDelta",
    "AdaGrad",
    "AdaMax",
    "Adam",
    "AdamL2",
    "AdamW",
    "Averaged",
    "Checkpoint",
    "CheckpointError",
    "Decayed",
    "Dialect",
    "FadingAdam",
    "LayerAdam",
    "Lion",
    "Momentum",
    "NAdam",
    "Nesterov",
    "NotFiniteError",
    "RAdam",
    "RMSProp",
    "Rule",
    "Schedule",
    "State",
    "Trace",
    "cosine",
    "dialect",
    "dialects",
    "from_dict",
    "inverse_sqrt",
    "load",
    "one_thread",
    "pure_numpy",
    "save",
    "step_decay",
    "walk",
    "warmup",
]
