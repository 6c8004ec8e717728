import gzip
import tarfile

import pytest

from adamcore.data import DataError
from adamcore.data.archives import read_members
from tests.data.conftest import make_tar


def read(path, max_member=100, max_total=10**6):
    return list(read_members(path, lambda name: name.endswith(".txt"), max_member=max_member, max_total=max_total))


def special(kind, target=""):
    info = tarfile.TarInfo("set/a.txt")
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_wanted_members_in_order(tmp_path, mode):
    path = make_tar(tmp_path / "a.tar", [("set/b.txt", b"1"), ("set/c.bin", b"2" * 999), ("set/a.txt", b"3")], mode)
    assert read(path) == [("set/b.txt", b"1"), ("set/a.txt", b"3")]


@pytest.mark.parametrize(
    "name", ["/etc/a.txt", "../a.txt", "set/../../a.txt", "C:\\a.txt", "C:/a.txt", "set\\..\\a.bin"]
)
def test_paths_that_lead_elsewhere(tmp_path, name):
    path = make_tar(tmp_path / "a.tar.gz", [("set/b.txt", b"1"), (name, b"2")])
    with pytest.raises(DataError, match=r"a.tar.gz: its member .* has an absolute path or one with '\.\.'"):
        read(path)
    assert [file.name for file in tmp_path.iterdir()] == ["a.tar.gz"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices(tmp_path, kind):
    with pytest.raises(DataError, match="set/a.txt is a link or a device, expected a plain file"):
        read(make_tar(tmp_path / "a.tar", [("set/a.txt", special(kind, "/etc/passwd"))]))


def test_a_member_too_large(tmp_path):
    with pytest.raises(DataError, match="set/a.txt has 101 bytes, expected at most 100"):
        read(make_tar(tmp_path / "a.tar.gz", [("set/a.txt", bytes(101))]))


@pytest.mark.parametrize("name", ["set/bomb.bin", "set/bomb.txt"])
def test_an_archive_that_unpacks_without_end(tmp_path, name):
    path = make_tar(tmp_path / "a.tar.gz", [(name, bytes(10**8))])
    assert path.stat().st_size < 10**6
    with pytest.raises(DataError, match="a.tar.gz unpacks to more than 1,000,000 bytes"):
        read(path, max_member=10**9)


def test_zeros_after_the_last_member_without_end(tmp_path):
    path = make_tar(tmp_path / "a.tar", [("set/a.txt", b"1")], "w")
    path.write_bytes(gzip.compress(path.read_bytes() + bytes(10**7)))
    with pytest.raises(DataError, match="unpacks to more than"):
        read(path)


@pytest.mark.parametrize("keep", [0, 1, 30, 600, -9, -1])
def test_truncated(tmp_path, keep, rng):
    path = make_tar(tmp_path / "a.tar.gz", [(f"set/{i}.txt", rng.bytes(90)) for i in range(20)])
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DataError, match="a.tar.gz is damaged or truncated"):
        read(path)


def test_every_flipped_byte_is_found(tmp_path, rng):
    path = make_tar(tmp_path / "a.tar.gz", [(f"set/{i}.txt", rng.bytes(90)) for i in range(5)])
    good = path.read_bytes()
    for place in range(good.index(0, 10) + 1, len(good)):  # before that stands gzip's header: a date and a name
        path.write_bytes(good[:place] + bytes([good[place] ^ 0x55]) + good[place + 1 :])
        with pytest.raises(DataError, match="a.tar.gz"):
            read(path)


def test_not_an_archive(tmp_path):
    path = tmp_path / "a.tar.gz"
    path.write_bytes(b"<html>404</html>" * 100)
    with pytest.raises(DataError, match="a.tar.gz is damaged or truncated"):
        read(path)
