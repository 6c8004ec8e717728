import hashlib
import io

import numpy as np
import pytest
from scipy.sparse import csr_array

from adamcore import minibatches
from adamcore.data import DataError, compare_imdb, imdb, load_imdb, packaged
from adamcore.data.dataset import digest_of
from adamcore.data.imdb import Review, differences, pack_counts, read_reviews, unpack_counts
from tests.data.conftest import make_tar


def archive(reviews, folder, name="aclImdb_v1.tar.gz"):
    """An archive of the official layout: reviews, those without label, and what else is in there."""
    rest = {
        "aclImdb/README": b"Large Movie Review Dataset v1.0",
        "aclImdb/imdb.vocab": b"the\nand\n",
        "aclImdb/train/unsup/0_0.txt": b"no label",
        "aclImdb/train/labeledBow.feat": b"9 0:9 1:1",
        "aclImdb/train/urls_pos.txt": b"http://www.imdb.com/title/tt0453418/usercomments",
    }
    return make_tar(folder / name, [*rest.items(), *reviews.items()])


def unpacked(reviews, folder):
    for name, content in {**reviews, "aclImdb/train/unsup/0_0.txt": b"no label"}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder / "aclImdb"


class TestEmbedded:
    def test_known_facts(self):
        data = load_imdb()
        assert isinstance(data.x_train, csr_array)
        assert (data.x_train.shape, data.x_train.dtype, data.x_train.nnz) == ((25_000, 10_000), np.uint16, 3_156_260)
        assert data.x_train.has_canonical_format
        assert data.x_train.data.min() == 1
        np.testing.assert_array_equal(np.bincount(data.y_train), [12_500, 12_500])
        assert data.digest == "0550c67b601a31b26d74be1dcb6e1526792c0d7c963855344b0e36a71dc1582b"

    def test_there_is_no_test_set_but_its_shape(self):
        data = load_imdb()
        assert (data.x_test.shape, data.x_test.dtype, data.y_test.shape) == ((0, 10_000), np.uint16, (0,))
        assert data.splits == ("train",)

    def test_words_in_order_of_frequency(self):
        data = load_imdb()
        assert len(set(data.feature_names)) == 10_000
        totals = data.x_train.sum(axis=0)
        assert (np.diff(totals.astype(np.int64)) <= 0).all()
        assert data.feature_names[:3] == ("the", "and", "of")
        assert totals[-1] == 31
        # Ties stand in order of letters.
        last = [word for word, total in zip(data.feature_names, totals, strict=True) if total == totals[-1]]
        assert last == sorted(last)

    def test_labels_belong_to_the_rows(self):
        data = load_imdb()
        for word, label in (("awful", 0), ("worst", 0), ("wonderful", 1), ("excellent", 1)):
            rows = data.x_train[:, [data.feature_names.index(word)]].nonzero()[0]
            assert (data.y_train[rows] == label).mean() > 0.75

    def test_rows_are_sorted_by_label(self):
        """Who holds some out has to shuffle: the docstring and the book say so."""
        assert np.count_nonzero(np.diff(load_imdb().y_train)) == 1

    def test_arrays_are_read_only(self):
        data = load_imdb()
        for array in (data.x_train.data, data.x_train.indices, data.x_train.indptr, data.y_train):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 0

    def test_minibatches_of_it(self):
        data = load_imdb()
        rows = next(minibatches(len(data.y_train), 128, np.random.default_rng(0)))
        batch = data.x_train[rows]
        np.testing.assert_array_equal(batch[[3]].toarray(), data.x_train[rows[[3]]].toarray())
        assert (batch @ np.ones((10_000, 2), np.float32)).shape == (128, 2)

    @pytest.mark.parametrize("fault", ["missing", "damaged"])
    def test_faults(self, copied, fault):
        file = copied / "imdb.npz"
        if fault == "missing":
            file.unlink()
        else:
            file.write_bytes(file.read_bytes()[:-1])
        with pytest.raises(DataError, match=f"IMDB: the embedded file imdb.npz is {fault}"):
            load_imdb()

    def test_nothing_is_unpickled(self, copied, monkeypatch):
        output = io.BytesIO()
        np.savez(output, vocabulary=np.array([print], dtype=object))
        (copied / "imdb.npz").write_bytes(output.getvalue())
        monkeypatch.setitem(packaged.DIGESTS["imdb"], "imdb.npz", hashlib.sha256(output.getvalue()).hexdigest())
        with pytest.raises(ValueError, match="allow_pickle=False"):
            load_imdb()


class TestPacking:
    @pytest.mark.parametrize("shape", [(1, 1), (5, 300), (40, 60_000), (3, 0), (0, 7)])
    @pytest.mark.parametrize("density", [0.0, 0.02, 1.0])
    def test_there_and_back(self, rng, shape, density):
        dense = (rng.integers(1, 257, shape) * (rng.random(shape) < density)).astype(np.uint16)
        dense[::3] = 0  # rows without a word
        back = unpack_counts(pack_counts(csr_array(dense)), shape[1])
        np.testing.assert_array_equal(back.toarray(), dense, strict=True)
        assert back.indices.dtype == np.int32

    @pytest.mark.parametrize("dense", [[[257]], [[1] + [0] * 65_536]])
    def test_too_large(self, dense):
        with pytest.raises(ValueError, match="counts from 1 to 256"):
            pack_counts(csr_array(np.array(dense, np.uint16)))


class TestFull:
    @pytest.mark.parametrize("way", ["archive", "renamed", "from here", "folder", "the data folder itself"])
    def test_every_way_to_lay_it_out(self, way, small_imdb, folder):
        if way == "archive":
            archive(small_imdb, folder)
        elif way == "renamed":
            archive(small_imdb, folder, "aclImdb.tgz")
        elif way == "from here":
            archive({f"./{name}": content for name, content in small_imdb.items()}, folder)
        elif way == "folder":
            unpacked(small_imdb, folder)
        else:
            unpacked(small_imdb, folder.parent).rename(folder)
        data = load_imdb(text=True)
        assert list(data.x_train[:4]) == [
            "bad film 0, the train ever",
            "bad film 2, the train ever",
            "bad film 10, the train ever",
            "Great<br />film 0 né train",
        ]
        np.testing.assert_array_equal(data.y_train, [0, 0, 0, 1, 1, 1])
        np.testing.assert_array_equal(data.y_test, [0, 0, 0, 1, 1, 1])
        assert data.x_test[-1] == "Great<br />film 10 né test"
        assert data.splits == ("train", "test")
        with pytest.raises(ValueError, match="read-only"):
            data.x_train[0] = ""

    def test_counts(self, small_imdb, folder):
        archive(small_imdb, folder)
        data = load_imdb(full=True)
        assert data.x_train.shape == data.x_test.shape == (6, 10_000)
        assert data.x_train.dtype == np.uint16
        columns = [data.feature_names.index(word) for word in ("bad", "great", "film", "br")[:3]]
        np.testing.assert_array_equal(data.x_test[:, columns].toarray(), [[1, 0, 1]] * 3 + [[0, 1, 1]] * 3)
        assert len(data.feature_names) == 10_000
        for x, word in ((data.x_train, "train"), (data.x_test, "test")):  # each review names its split
            np.testing.assert_array_equal(x[:, [data.feature_names.index(word)]].toarray(), 1)

    def test_digests_tell_texts_and_counts_apart(self, small_imdb, folder):
        archive(small_imdb, folder)
        assert load_imdb(full=True).digest != load_imdb(text=True).digest
        before = load_imdb(text=True).digest
        small_imdb["aclImdb/test/pos/0_7.txt"] += b"."
        archive(small_imdb, folder)
        assert load_imdb(text=True).digest != before

    def test_digests_tell_where_a_text_ends(self):
        assert digest_of(np.array(["ab", "c"], object)) != digest_of(np.array(["a", "bc"], object))

    def test_stars_are_kept(self, small_imdb, tmp_path):
        reviews = read_reviews(archive(small_imdb, tmp_path))
        assert reviews["train", "pos"][1] == Review(2, 9, "Great<br />film 2 né train")

    @pytest.mark.parametrize(
        ("name", "content", "message"),
        [
            ("aclImdb/train/neg/7_8.txt", b"x", "train/neg/7_8.txt has 8 stars, expected 1 to 4 in neg"),
            ("aclImdb/test/pos/7_5.txt", b"x", "test/pos/7_5.txt has 5 stars, expected 7 to 10 in pos"),
            ("aclImdb/test/pos/7_11.txt", b"x", "test/pos/7_11.txt has 11 stars"),
            ("aclImdb/test/pos/2_7.txt", b"x", "review 2 is there twice"),
            ("aclImdb/test/pos/7_7.txt", b"x\xff", "test/pos/7_7.txt is not UTF-8"),
            ("aclImdb/test/pos/7_7.txt", b"x", r"is not complete: .* 4 reviews in test/pos; expected 3 in each"),
            ("aclImdb/test/pos/7_7.txt", b"x" * 1_000_001, "has 1,000,001 bytes, expected at most 1,000,000"),
        ],
    )
    def test_faults(self, small_imdb, folder, name, content, message):
        archive({**small_imdb, name: content}, folder)
        with pytest.raises(DataError, match=message) as caught:
            load_imdb(full=True)
        assert "adamcore data fetch imdb" in str(caught.value)

    def test_an_archive_that_unpacks_without_end(self, small_imdb, folder, monkeypatch):
        monkeypatch.setattr(imdb, "MAX_UNPACKED", 100_000)
        archive(small_imdb, folder)
        assert len(load_imdb(text=True).x_train) == 6
        archive({"aclImdb/more": bytes(10**6), **small_imdb}, folder)
        with pytest.raises(DataError, match="unpacks to more than 100,000 bytes"):
            load_imdb(full=True)

    def test_a_review_too_large_in_a_folder(self, small_imdb, folder):
        unpacked({**small_imdb, "aclImdb/test/pos/7_7.txt": b"x" * 1_000_001}, folder)
        with pytest.raises(DataError, match="test/pos/7_7.txt has more than 1,000,000 bytes"):
            load_imdb(full=True)

    def test_missing(self, small_imdb, folder):
        del small_imdb["aclImdb/train/neg/0_1.txt"]
        unpacked(small_imdb, folder)
        with pytest.raises(DataError, match="2 reviews in train/neg, 3 reviews in train/pos"):
            load_imdb(full=True)


class TestComparison:
    def test_rows_and_reviews_without_a_partner(self):
        x = csr_array(np.array([[1, 0], [0, 2], [0, 2], [3, 1]], np.uint16))
        other = csr_array(np.array([[0, 2], [3, 1], [1, 0], [5, 5]], np.uint16))
        found = differences(x, np.array([0, 1, 1, 0]), other, np.array([1, 1, 0, 0]), ["a", "b", "c", "d"])
        assert found.rows == (2, 3)  # one of two equal rows is left over; the label of the last one differs
        assert found.reviews == ("b", "d")
        assert str(found) == (
            "2 embedded rows are not in the archive: 2, 3; 2 reviews of the archive are not embedded: b, d"
        )

    def test_of_a_small_archive(self, small_imdb, folder, monkeypatch):
        archive(small_imdb, folder)
        data = load_imdb(full=True)
        mixed = np.array([3, 0, 5, 1, 4, 2])
        embedded = data.x_train[mixed], data.y_train[mixed], data.x_test[:0], data.y_test[:0]
        monkeypatch.setattr(imdb, "embedded_counts", lambda: embedded)
        assert compare_imdb() == imdb.Differences((), ())
        small_imdb["aclImdb/train/pos/2_9.txt"] += b" film"
        found = compare_imdb(archive(small_imdb, folder.parent))
        assert found == imdb.Differences((4,), ("train/pos/2_9.txt",))

    def test_long_lists_are_cut(self):
        assert str(imdb.Differences(tuple(range(12)), ())).startswith(
            "12 embedded rows are not in the archive: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ...; 0 reviews"
        )
