"""Data sets that cannot vanish, and minibatches of them.

>>> from adamcore.data import load_mnist
>>> mnist = load_mnist()
>>> mnist.x_train.shape, mnist.y_test.shape
((60000, 28, 28), (10000,))
"""

from adamcore.data.batches import minibatches
from adamcore.data.dataset import DataError, Dataset
from adamcore.data.mnist import load_mnist

__all__ = ["DataError", "Dataset", "load_mnist", "minibatches"]
