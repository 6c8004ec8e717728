"""Data sets that cannot vanish, and minibatches of them.

Each set is in the package, whole or in part, and loads without a network:

>>> from adamcore.data import load_mnist
>>> mnist = load_mnist()
>>> mnist.x_train.shape, mnist.y_test.shape
((60000, 28, 28), (10000,))

``load_imdb`` and ``load_cifar10`` take ``full=True`` for the official archive, which is downloaded once and kept.
"""

from adamcore.data.batches import minibatches
from adamcore.data.cifar10 import load_cifar10
from adamcore.data.dataset import DataError, Dataset
from adamcore.data.imdb import compare_imdb, load_imdb
from adamcore.data.mnist import load_mnist
from adamcore.data.preprocessing import Whitening, drop_words, normalize_contrast, scale_pixels
from adamcore.data.sources import data_folder
from adamcore.data.text import count_words

__all__ = [
    "DataError",
    "Dataset",
    "Whitening",
    "compare_imdb",
    "count_words",
    "data_folder",
    "drop_words",
    "load_cifar10",
    "load_imdb",
    "load_mnist",
    "minibatches",
    "normalize_contrast",
    "scale_pixels",
]
