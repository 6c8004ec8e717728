"""On the real full sets, where somebody has them: ADAMCORE_SOURCES names a folder with

mnist/*-ubyte.gz    cifar-10-batches-bin/*.bin    imdb/imdb_train.csv
"""

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest

from adamcore.data import build, count_words, load_cifar10, load_imdb, packaged

SOURCES = os.environ.get("ADAMCORE_SOURCES")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not SOURCES, reason="ADAMCORE_SOURCES names no folder")]


@pytest.mark.parametrize("name", build.BUILDERS)
def test_built_again_byte_by_byte(name):
    files = build.BUILDERS[name](Path(SOURCES))
    assert {file: hashlib.sha256(content).hexdigest() for file, content in files.items()} == packaged.DIGESTS[name]


def test_cifar10(monkeypatch):
    monkeypatch.setenv("ADAMCORE_DATA", SOURCES)
    data = load_cifar10(full=True)
    np.testing.assert_allclose(data.x_train.mean(axis=(0, 1, 2)), [125.307, 122.950, 113.865], atol=5e-4)
    np.testing.assert_allclose(data.x_train.std(axis=(0, 1, 2)), [62.993, 62.089, 66.705], atol=5e-4)
    np.testing.assert_array_equal(np.bincount(data.y_train), [5000] * 10)
    np.testing.assert_array_equal(np.bincount(data.y_test), [1000] * 10)


def test_imdb_counts_from_all_texts():
    texts, labels = build.read_table((Path(SOURCES) / "imdb" / build.IMDB_TABLE).read_text(encoding="utf-8"))
    data = load_imdb()
    again = count_words(texts, data.feature_names)
    assert (again != data.x_train).nnz == 0
    np.testing.assert_array_equal(labels, data.y_train)
