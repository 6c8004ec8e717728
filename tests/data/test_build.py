"""What is embedded is what the builders make of the full sets: here on slices of these, see test_full_sets.py."""

import csv
import gzip
import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import features

from adamcore.data import DataError, build, cifar10, count_words, load_cifar10, load_imdb, packaged
from adamcore.data.build import BUILDERS, PER_CLASS, SEED, build_cifar10, build_imdb, build_mnist, choose, read_table
from adamcore.data.mnist import DIGESTS
from adamcore.data.sources import ARCHIVES
from tests.data.conftest import make_tar
from tests.data.test_cifar10 import lay_out

SLICES = Path(__file__).parent / "slices"
EMBEDDED = packaged.files("adamcore.data") / "embedded"


@pytest.fixture(scope="module")
def cifar_slice():
    """All 60,000 labels, and the first 40 records of the training set."""
    with np.load(SLICES / "cifar10_slice.npz", allow_pickle=False) as stored:
        return dict(stored)


@pytest.fixture(scope="module")
def cifar_labels():
    with np.load(io.BytesIO((EMBEDDED / "cifar10_labels.npz").read_bytes()), allow_pickle=False) as stored:
        return dict(stored)


class TestCifar10:
    def test_the_same_images_are_chosen(self, cifar_slice, cifar_labels):
        rng = np.random.default_rng(SEED)
        for split in ("train", "test"):
            labels = cifar_slice[f"y_{split}"]
            rows = choose(labels, PER_CLASS[split], rng)
            np.testing.assert_array_equal(rows, cifar_labels[f"rows_{split}"])
            np.testing.assert_array_equal(labels[rows], cifar_labels[f"y_{split}"])

    def test_embedded_images_are_those_of_the_full_set(self, cifar_slice, cifar_labels):
        x, y = cifar10.parse_records(cifar_slice["first_records"].tobytes())
        rows = cifar_labels["rows_train"][cifar_labels["rows_train"] < len(y)]
        assert len(rows) == 4
        data = load_cifar10()
        np.testing.assert_array_equal(data.x_train[: len(rows)], x[rows])
        np.testing.assert_array_equal(data.y_train[: len(rows)], y[rows])

    def test_the_mosaic_has_the_same_bytes(self):
        content = (EMBEDDED / "cifar10_test.webp").read_bytes()
        images = cifar10.from_mosaic(content)
        again = cifar10.to_mosaic(images)
        np.testing.assert_array_equal(cifar10.from_mosaic(again), images)
        if features.version("webp") == "1.6.0":  # another encoder may choose other bytes for the same pixels
            assert again == content

    @pytest.mark.parametrize("way", ["folder", "inside", "archive"])
    def test_build(self, way, small_cifar10, tmp_path, monkeypatch):
        monkeypatch.setattr(build, "PER_CLASS", {"train": 5, "test": 1})
        monkeypatch.setattr(cifar10, "TILES", 10)
        if way == "archive":
            make_tar(tmp_path / "cifar-10-binary.tar.gz", [(f"a/{n}", c) for n, c in small_cifar10.items()])
        else:
            lay_out(small_cifar10, tmp_path / "cifar-10-batches-bin" if way == "inside" else tmp_path)
        files = build_cifar10(tmp_path)
        assert set(files) == set(packaged.DIGESTS["cifar10"])
        assert files == build_cifar10(tmp_path)
        full = cifar10.read_full(next(tmp_path.iterdir()) if way != "folder" else tmp_path)
        with np.load(io.BytesIO(files["cifar10_labels.npz"]), allow_pickle=False) as stored:
            for split, x, y, per_class in (("train", *full[:2], 5), ("test", *full[2:], 1)):
                rows, labels = stored[f"rows_{split}"], stored[f"y_{split}"]
                np.testing.assert_array_equal(labels, y[rows])
                np.testing.assert_array_equal(np.bincount(labels), [per_class] * 10)
                np.testing.assert_array_equal(cifar10.from_mosaic(files[f"cifar10_{split}.webp"]), x[rows])


class TestImdb:
    def test_the_tokenizer_gives_the_embedded_counts(self):
        with (SLICES / "imdb_slice.csv").open(encoding="utf-8", newline="") as file:
            entries = list(csv.DictReader(file))
        data = load_imdb()
        rows = [int(entry["row"]) for entry in entries]
        again = count_words([entry["text"] for entry in entries], data.feature_names)
        np.testing.assert_array_equal(again.toarray(), data.x_train[rows].toarray())
        np.testing.assert_array_equal([int(entry["label"]) for entry in entries], data.y_train[rows])

    def test_build(self, tmp_path, monkeypatch):
        content = (SLICES / "imdb_slice.csv").read_bytes()
        (tmp_path / "imdb").mkdir()
        (tmp_path / "imdb" / "imdb_train.csv").write_bytes(content)
        monkeypatch.setattr(build, "IMDB_TABLE_DIGEST", build.hashlib.sha256(content).hexdigest())
        files = build_imdb(tmp_path)
        assert files == build_imdb(tmp_path)
        with np.load(io.BytesIO(files["imdb.npz"]), allow_pickle=False) as stored:
            assert len(stored["row_lengths"]) == 6
            assert stored["vocabulary"].tobytes().decode().split("\n")[0] == "the"

    def test_another_table(self, tmp_path):
        (tmp_path / "imdb_train.csv").write_text("text,label\nx,1\n")
        with pytest.raises(DataError, match="another table than was used"):
            build_imdb(tmp_path)

    def test_a_long_review(self):
        before = csv.field_size_limit()
        text = "good " * 100_000
        assert read_table(f"text,label\n{text},1\n") == ([text], np.array([1]))
        assert csv.field_size_limit() == before

    @pytest.mark.parametrize("content", ["", "text\nx\n", "a,b\nx,1\n"])
    def test_columns(self, content):
        with pytest.raises(DataError, match="expected a table with the columns text and label"):
            read_table(content)

    @pytest.mark.parametrize("label", ["2", "-1", "", "nan", "1.0"])
    def test_label_out_of_range(self, label):
        with pytest.raises(DataError, match=f"the table: row 1 has the label '{label}', expected 0 or 1"):
            read_table(f"text,label\ngood,1\nbad,{label}\n")


class TestMnist:
    @pytest.fixture
    def official(self, tmp_path):
        for name in DIGESTS:
            (tmp_path / f"{name}.gz").write_bytes((EMBEDDED / f"{name}.gz").read_bytes())
        return tmp_path

    def test_labels_have_the_same_bytes(self, official, monkeypatch):
        labels = {name: digest for name, digest in DIGESTS.items() if "labels" in name}
        monkeypatch.setattr(build, "DIGESTS", labels)  # compressing the images takes long
        for name, content in build_mnist(official).items():
            assert gzip.decompress(content) == gzip.decompress((EMBEDDED / name).read_bytes())

    def test_another_file(self, official):
        (official / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(bytes([0, 0, 8, 1, 0, 0, 0, 1, 7])))
        with pytest.raises(DataError, match="train-images-idx3-ubyte is not the official file"):
            build_mnist(official)

    def test_truncated(self, official):
        file = official / "train-labels-idx1-ubyte.gz"
        file.write_bytes(file.read_bytes()[:-9])
        (official / "train-images-idx3-ubyte.gz").write_bytes(file.read_bytes())
        with pytest.raises(DataError, match="train-images-idx3-ubyte.gz cannot be read .* Get it again"):
            build_mnist(official)

    def test_wrong_magic_number(self, official):
        (official / "train-images-idx3-ubyte.gz").write_bytes(b"PK\3\4 and so on")
        with pytest.raises(DataError, match="train-images-idx3-ubyte is not an IDX file.*starts with 50 4b 03 04"):
            build_mnist(official)


@pytest.mark.parametrize("name", BUILDERS)
def test_nothing_to_build_from(name, tmp_path):
    with pytest.raises(DataError, match="holds none of .* Say with --from"):
        BUILDERS[name](tmp_path)


def test_every_embedded_file_has_a_digest():
    listed = {name for files in packaged.DIGESTS.values() for name in files}
    assert {file.name for file in EMBEDDED.iterdir()} == listed


def test_sources_and_products_are_written_down():
    text = " ".join((packaged.files("adamcore.data") / "LICENSES.md").read_text(encoding="utf-8").split())
    for name, digest in (*DIGESTS.items(), *cifar10.BATCHES.items(), (build.IMDB_TABLE, build.IMDB_TABLE_DIGEST)):
        assert re.search(rf"`{name}`[^`]*`{digest}`", text), name
    for files in packaged.DIGESTS.values():
        for name, digest in files.items():
            assert f"`{name}`, {len((EMBEDDED / name).read_bytes()):,} bytes, `{digest}`" in text


def test_archives_are_written_down():
    text = (Path(__file__).parents[2] / "book" / "reference" / "data.md").read_text(encoding="utf-8")
    for archive in ARCHIVES.values():
        row = next(line for line in text.splitlines() if line.startswith(f"- [{archive.file}]"))
        for fact in (f": {archive.size:,} bytes", f"SHA-256 `{archive.sha256}`", f"MD5 `{archive.md5}`"):
            assert fact in row


def test_together_they_are_small():
    assert sum(len(file.read_bytes()) for file in EMBEDDED.iterdir()) < 30e6
