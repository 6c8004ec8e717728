import hashlib
import io

import numpy as np
import pytest

from adamcore.data import DataError, cifar10, load_cifar10, packaged
from adamcore.data.cifar10 import from_mosaic, parse_records, read_full, to_mosaic
from tests.data.conftest import make_tar


def lay_out(batches, folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in batches.items():
        (folder / name).write_bytes(content)
    return folder


class TestEmbedded:
    def test_known_facts(self):
        data = load_cifar10()
        assert (data.x_train.shape, data.x_test.shape) == ((5000, 32, 32, 3), (1000, 32, 32, 3))
        assert {a.dtype for a in (data.x_train, data.y_train, data.x_test, data.y_test)} == {np.dtype(np.uint8)}
        np.testing.assert_array_equal(np.bincount(data.y_train), [500] * 10)
        np.testing.assert_array_equal(np.bincount(data.y_test), [100] * 10)
        # Near the full training set's mean and standard deviation.
        np.testing.assert_allclose(data.x_train.mean(axis=(0, 1, 2)), [125.307, 122.950, 113.865], rtol=0.01)
        np.testing.assert_allclose(data.x_train.std(axis=(0, 1, 2)), [62.993, 62.089, 66.705], rtol=0.01)
        assert data.splits == ("train", "test")
        assert "None stated" in data.license
        assert data.digest == "14ec07a48916e9e049601e6a6d2432a50a6f82d2acad93a5531670131964e305"

    def test_arrays_are_read_only(self):
        data = load_cifar10()
        for array in (data.x_train, data.y_train, data.x_test, data.y_test):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 0

    @pytest.mark.parametrize("name", packaged.DIGESTS["cifar10"])
    @pytest.mark.parametrize("fault", ["missing", "damaged"])
    def test_faults(self, copied, name, fault):
        file = copied / name
        if fault == "missing":
            file.unlink()
        else:
            content = bytearray(file.read_bytes())
            content[len(content) // 2] ^= 1
            file.write_bytes(content)
        with pytest.raises(
            DataError, match=rf"CIFAR-10: the embedded file {name} is {fault}.*Install the package again"
        ):
            load_cifar10()

    def test_nothing_is_unpickled(self, copied, monkeypatch):
        output = io.BytesIO()
        np.savez(output, y_train=np.array([print], dtype=object), y_test=np.array([print], dtype=object))
        (copied / "cifar10_labels.npz").write_bytes(output.getvalue())
        monkeypatch.setitem(
            packaged.DIGESTS["cifar10"], "cifar10_labels.npz", hashlib.sha256(output.getvalue()).hexdigest()
        )
        with pytest.raises(ValueError, match="allow_pickle=False"):
            load_cifar10()

    def test_a_decoder_without_webp(self, monkeypatch):
        def unable(content):
            raise OSError("cannot identify image file")

        monkeypatch.setattr(cifar10, "from_mosaic", unable)
        with pytest.raises(DataError, match="Pillow cannot decode .*cannot identify.*python -m PIL"):
            load_cifar10()


class TestRecords:
    def test_colors_and_rows(self):
        planes = np.arange(3 * 1024) % 251
        x, y = parse_records(bytes([9, *planes, 3, *planes[::-1]]))
        np.testing.assert_array_equal(y, [9, 3])
        np.testing.assert_array_equal(x[0].transpose(2, 0, 1).ravel(), planes)
        assert x[0, 2, 5, 1] == planes[1024 + 2 * 32 + 5]

    @pytest.mark.parametrize("length", [0, 1, 3072, 3074])
    def test_length(self, length):
        with pytest.raises(DataError, match=rf"the file has {length:,} bytes, expected a multiple of 3,073"):
            parse_records(bytes(length))

    def test_label_out_of_range(self):
        with pytest.raises(DataError, match="test_batch.bin: record 1 has the label 10, expected 0 to 9"):
            parse_records(bytes(3073) + bytes([10]) + bytes(3072), "test_batch.bin")


def test_mosaic_is_lossless(rng):
    images = rng.integers(0, 256, (100, 32, 32, 3), np.uint8)
    np.testing.assert_array_equal(from_mosaic(to_mosaic(images)), images)


def test_mosaic_of_another_format_is_refused():
    from PIL import Image

    output = io.BytesIO()
    Image.new("RGB", (64, 32)).save(output, "PNG")
    with pytest.raises(OSError, match="cannot identify"):
        from_mosaic(output.getvalue())


class TestFull:
    def expected(self, batches):
        parsed = [parse_records(content) for content in batches.values()]
        return tuple(np.concatenate(parts) for parts in zip(*parsed, strict=True))

    @pytest.mark.parametrize(
        "way", ["folder", "the data folder itself", "archive", "renamed", "from here", "unpacked"]
    )
    def test_every_way_to_lay_it_out(self, way, small_cifar10, folder):
        official = "cifar-10-batches-bin"
        members = [(f"{official}/{name}", content) for name, content in reversed(small_cifar10.items())]
        members += [(f"{official}/readme.html", b"<html>"), (f"{official}/batches.meta.txt", b"airplane\n")]
        if way == "folder":
            lay_out(small_cifar10, folder / official)
        elif way == "the data folder itself":
            lay_out(small_cifar10, folder)
        elif way == "archive":
            make_tar(folder / "cifar-10-binary.tar.gz", members)
        elif way == "renamed":
            make_tar(folder / f"{official}.tgz", members)
        elif way == "from here":
            make_tar(folder / "cifar-10-binary.tar.gz", [(f"./{name}", content) for name, content in members])
        else:
            make_tar(folder / "cifar-10-binary.tar", members, "w")
        data = load_cifar10(full=True)
        x, y = self.expected(small_cifar10)
        np.testing.assert_array_equal(np.concatenate([data.x_train, data.x_test]), x)
        np.testing.assert_array_equal(np.concatenate([data.y_train, data.y_test]), y)
        assert (len(data.y_train), len(data.y_test)) == (100, 20)
        assert data.x_train.flags.c_contiguous
        assert not data.x_train.flags.writeable

    def test_missing(self, small_cifar10, tmp_path):
        del small_cifar10["data_batch_2.bin"]
        with pytest.raises(DataError, match=r"bin lacks data_batch_2.bin\."):
            read_full(lay_out(small_cifar10, tmp_path / "bin"))

    def test_truncated(self, small_cifar10, tmp_path):
        small_cifar10["data_batch_2.bin"] = small_cifar10["data_batch_2.bin"][:-1]
        with pytest.raises(DataError, match=r"data_batch_2.bin has 61,459 bytes, expected a multiple of 3,073"):
            read_full(lay_out(small_cifar10, tmp_path))

    def test_too_short(self, small_cifar10, tmp_path):
        small_cifar10["data_batch_2.bin"] = small_cifar10["data_batch_2.bin"][: -cifar10.RECORD]
        with pytest.raises(DataError, match=r"data_batch_2.bin has 19 records, expected 20"):
            read_full(lay_out(small_cifar10, tmp_path))

    def test_too_long(self, small_cifar10, tmp_path):
        small_cifar10["data_batch_2.bin"] *= 2
        with pytest.raises(DataError, match="data_batch_2.bin has more than 61,460 bytes"):
            read_full(lay_out(small_cifar10, tmp_path / "bin"))
        members = [(f"a/{name}", content) for name, content in small_cifar10.items()]
        with pytest.raises(DataError, match="data_batch_2.bin has 122,920 bytes, expected at most 61,460"):
            read_full(make_tar(tmp_path / "a.tar.gz", members))

    def test_an_archive_that_unpacks_without_end(self, small_cifar10, tmp_path, monkeypatch):
        monkeypatch.setattr(cifar10, "MAX_UNPACKED", 500_000)
        members = [(f"a/{name}", content) for name, content in small_cifar10.items()]
        assert len(read_full(make_tar(tmp_path / "a.tar.gz", members))[1]) == 100
        with pytest.raises(DataError, match="unpacks to more than 500,000 bytes"):
            read_full(make_tar(tmp_path / "a.tar.gz", [("a/more", bytes(10**6)), *members]))

    def test_twice(self, small_cifar10, tmp_path):
        members = [(f"a/{name}", content) for name, content in small_cifar10.items()]
        with pytest.raises(DataError, match=r"data_batch_1.bin is there twice"):
            read_full(make_tar(tmp_path / "a.tar.gz", [*members, members[0]]))

    def test_one_changed_pixel(self, small_cifar10, tmp_path):
        content = bytearray(small_cifar10["test_batch.bin"])
        content[5000] ^= 1
        small_cifar10["test_batch.bin"] = bytes(content)
        with pytest.raises(DataError, match=r"test_batch.bin is damaged or changed: SHA-256"):
            read_full(lay_out(small_cifar10, tmp_path))

    def test_a_training_record_in_the_test_set(self, small_cifar10, tmp_path):
        cut = cifar10.RECORD
        one, other = small_cifar10["data_batch_1.bin"], small_cifar10["test_batch.bin"]
        small_cifar10["data_batch_1.bin"], small_cifar10["test_batch.bin"] = (
            other[:cut] + one[cut:],
            one[:cut] + other[cut:],
        )
        with pytest.raises(DataError, match="damaged or changed"):
            read_full(lay_out(small_cifar10, tmp_path))

    def test_another_order_is_said(self, small_cifar10, tmp_path):
        names = list(small_cifar10)
        small_cifar10[names[0]], small_cifar10[names[3]] = small_cifar10[names[3]], small_cifar10[names[0]]
        with pytest.warns(UserWarning, match="in another order than the official one"):
            read_full(lay_out(small_cifar10, tmp_path))
