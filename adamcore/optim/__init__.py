"""Update rules: Adam and its family, in the symbols of the papers they come from.

A rule holds hyper-parameters and is frozen; a :class:`State` holds what changes. ``rule.init(theta)`` makes
the state, ``rule.step(state, gradient)`` takes one step.
"""

from adamcore.optim.adagrad import AdaGrad
from adamcore.optim.adam import Adam
from adamcore.optim.base import NotFiniteError, Rule, State, from_dict
from adamcore.optim.schedules import Schedule, inverse_sqrt
from adamcore.optim.sgd import SGD, Momentum, Nesterov

RULES = ("SGD", "Momentum", "Nesterov", "AdaGrad", "Adam")
"""The name of every rule."""

__all__ = [
    "RULES",
    "SGD",
    "AdaGrad",
    "Adam",
    "Momentum",
    "Nesterov",
    "NotFiniteError",
    "Rule",
    "Schedule",
    "State",
    "from_dict",
    "inverse_sqrt",
]
