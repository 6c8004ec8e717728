"""Objectives: f(theta) and its gradient, on one flat vector theta."""

from adamcore.models.cnn import CNN
from adamcore.models.convolution import Conv2D, MaxPool2D
from adamcore.models.layers import (
    Bias,
    Dense,
    Dropout,
    Flatten,
    Layer,
    ReLU,
    Sequential,
    Softplus,
    glorot_uniform,
    he_normal,
)
from adamcore.models.layout import Layout
from adamcore.models.logistic import BinaryLogisticRegression, LogisticRegression
from adamcore.models.losses import BernoulliCrossEntropy, GaussianKL, SoftmaxCrossEntropy
from adamcore.models.mlp import MLP
from adamcore.models.network import Classifier
from adamcore.models.sparse import SparseRows
from adamcore.models.vae import VAE
from adamcore.models.winograd import WinogradConv2D

__all__ = [
    "CNN",
    "MLP",
    "VAE",
    "BernoulliCrossEntropy",
    "Bias",
    "BinaryLogisticRegression",
    "Classifier",
    "Conv2D",
    "Dense",
    "Dropout",
    "Flatten",
    "GaussianKL",
    "Layer",
    "Layout",
    "LogisticRegression",
    "MaxPool2D",
    "ReLU",
    "Sequential",
    "SoftmaxCrossEntropy",
    "Softplus",
    "SparseRows",
    "WinogradConv2D",
    "glorot_uniform",
    "he_normal",
]
