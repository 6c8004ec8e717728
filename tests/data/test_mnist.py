import gzip

import numpy as np
import pytest

from adamcore.data import DataError, load_mnist
from adamcore.data.idx import parse_idx


def test_known_facts():
    data = load_mnist()
    assert (data.x_train.shape, data.x_test.shape) == ((60_000, 28, 28), (10_000, 28, 28))
    assert {array.dtype for array in (data.x_train, data.y_train, data.x_test, data.y_test)} == {np.dtype(np.uint8)}
    # The mean and standard deviation that every tutorial scales by, and the classes' sizes.
    assert round(data.x_train.mean() / 255, 4) == 0.1307
    assert round(data.x_train.std() / 255, 4) == 0.3081
    counts = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    np.testing.assert_array_equal(np.bincount(data.y_train), counts)
    assert data.class_names[data.y_test[0]] == "7"
    assert "ShareAlike" in data.license
    assert len(data.digest) == 64


def test_no_image_is_there_twice():
    data = load_mnist()
    images = {image.tobytes() for images in (data.x_train, data.x_test) for image in images}
    assert len(images) == 70_000


def test_arrays_are_read_only():
    data = load_mnist()
    with pytest.raises(ValueError, match="read-only"):
        data.x_train[0] = 0


def test_data_sets_can_be_compared():
    data = load_mnist()
    assert data == data
    assert data != load_mnist()  # another object; digest says whether it holds the same
    assert data.digest == load_mnist().digest


class TestDamage:
    """Each on a copy of the embedded files."""

    NAME = "t10k-labels-idx1-ubyte"

    @pytest.fixture
    def file(self, copied):
        return copied / f"{self.NAME}.gz"

    def test_missing(self, file):
        file.unlink()
        with pytest.raises(DataError, match=rf"{self.NAME}.gz is missing. Install the package again"):
            load_mnist()

    def test_truncated(self, file):
        file.write_bytes(file.read_bytes()[:-100])
        with pytest.raises(DataError, match=rf"{self.NAME}.gz cannot be read .* Install"):
            load_mnist()

    def test_not_gzip(self, file):
        file.write_bytes(b"<html>404</html>")
        with pytest.raises(DataError, match=rf"{self.NAME}.gz cannot be read .* Install"):
            load_mnist()

    def test_other_content(self, file):
        content = bytearray(gzip.decompress(file.read_bytes()))
        content[100] ^= 1
        file.write_bytes(gzip.compress(content))
        with pytest.raises(DataError, match=rf"{self.NAME}.gz is damaged: .* expected ff7bcfd416de3373"):
            load_mnist()


class TestIdx:
    def test_two_dimensions(self):
        content = bytes([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, *range(6)])
        np.testing.assert_array_equal(parse_idx(content), [[0, 1, 2], [3, 4, 5]])

    def test_nothing_in_it(self):
        assert parse_idx(bytes([0, 0, 8, 2, 0, 0, 0, 0, 0, 0, 0, 3])).shape == (0, 3)

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"", "starts with nothing"),
            (b"PK\3\4", "starts with 50 4b 03 04"),
            (bytes([0, 0, 9, 1, 0, 0, 0, 1, 7]), "starts with 00 00 09 01"),
            (bytes([0, 0, 8, 1, 0, 0, 0, 3, 7]), r"9 bytes, its header states shape \(3,\), which needs 11"),
            (bytes([0, 0, 8, 1, 0, 0, 0, 1, 7, 8]), "truncated or too long"),
            (bytes([0, 0, 8, 2, 0, 0, 0, 1]), "its header alone needs 12"),
            (bytes([0, 0, 8, 2, 0, 0]), "its header alone needs 12"),
            (bytes([0, 0, 8, 65, *[0, 0, 0, 1] * 65, 7]), "states a shape that no array has .*64.*it is damaged"),
            (bytes([0, 0, 8, 3, *[0] * 4, *[255] * 8]), "states a shape that no array has .*: it is damaged"),
        ],
    )
    def test_errors(self, content, message):
        with pytest.raises(DataError, match=message):
            parse_idx(content)
