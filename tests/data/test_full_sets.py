"""On the real full sets, where somebody has them: ADAMCORE_SOURCES names a folder with

mnist/*-ubyte.gz    cifar-10-batches-bin/*.bin    imdb/imdb_train.csv
"""

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest

from adamcore.data import build, cifar10, count_words, load_cifar10, load_imdb, packaged

SOURCES = os.environ.get("ADAMCORE_SOURCES")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not SOURCES, reason="ADAMCORE_SOURCES names no folder")]

MXNET = {
    "data_batch_1.bin": "aadd24acce27caa71bf4b10992e9e7b2d74c2540",
    "data_batch_2.bin": "c0ba65cce70568cd57b4e03e9ac8d2a5367c1795",
    "data_batch_3.bin": "1dd00a74ab1d17a6e7d73e185b69dbf31242f295",
    "data_batch_4.bin": "aab85764eb3584312d3c7f65fd2fd016e36a258e",
    "data_batch_5.bin": "26e2849e66a845b7f1e4614ae70f4889ae604628",
    "test_batch.bin": "67eb016db431130d61cd03c7ad570b013799c88c",
}
"""SHA-1 of CIFAR-10's official files as in the loader of Apache MXNet (mxnet.gluon.data.vision.CIFAR10)."""


@pytest.mark.parametrize("name", build.BUILDERS)
def test_built_again_byte_by_byte(name):
    files = build.BUILDERS[name](Path(SOURCES))
    assert {file: hashlib.sha256(content).hexdigest() for file, content in files.items()} == packaged.DIGESTS[name]


class TestCifar10:
    def test_known_facts(self, monkeypatch):
        monkeypatch.setenv("ADAMCORE_DATA", SOURCES)
        data = load_cifar10(full=True)
        np.testing.assert_allclose(data.x_train.mean(axis=(0, 1, 2)), [125.307, 122.950, 113.865], atol=5e-4)
        np.testing.assert_allclose(data.x_train.std(axis=(0, 1, 2)), [62.993, 62.089, 66.705], atol=5e-4)
        np.testing.assert_array_equal(np.bincount(data.y_train), [5000] * 10)
        np.testing.assert_array_equal(np.bincount(data.y_test), [1000] * 10)
        images = {image.tobytes() for images in (data.x_train, data.x_test) for image in images}
        assert len(images) == 60_000  # none is there twice

    def test_files_are_those_that_others_call_official(self):
        for name, digest in cifar10.BATCHES.items():
            content = (Path(SOURCES) / "cifar-10-batches-bin" / name).read_bytes()
            assert hashlib.sha256(content).hexdigest() == digest
            assert hashlib.sha1(content).hexdigest() == MXNET[name]


@pytest.fixture(scope="module")
def table():
    return build.read_table((Path(SOURCES) / "imdb" / build.IMDB_TABLE).read_text(encoding="utf-8"))


class TestImdb:
    def test_counts_from_all_texts(self, table):
        texts, labels = table
        data = load_imdb()
        again = count_words(texts, data.feature_names)
        assert (again != data.x_train).nnz == 0
        np.testing.assert_array_equal(labels, data.y_train)

    def test_the_table_counts_like_the_official_archive(self, table):
        """The words and counts that A. C. Mueller and S. Guido print for the official training set.

        Introduction to Machine Learning with Python, 2016, chapter 7: <br /> a space, all else as it is.
        """
        from sklearn.feature_extraction.text import CountVectorizer

        counts = CountVectorizer().fit_transform([text.replace("<br />", " ") for text in table[0]])
        assert counts.shape == (25_000, 74_849)
        assert counts.nnz == 3_431_196

    def test_copies(self, table):
        texts, labels = table
        assert len(texts) - len(set(texts)) == 96
        assert len(set(zip(texts, labels, strict=True))) == len(set(texts))  # copies have the same label
