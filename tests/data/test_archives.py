import bz2
import contextlib
import gzip
import tarfile
from pathlib import Path

import pytest

from adamcore.data import DataError
from adamcore.data.archives import read_files, read_members
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


def test_members_are_forgotten(tmp_path, monkeypatch):
    """The headers of 100,000 reviews would fill the memory that their texts are to have."""
    kept, following = [], tarfile.TarFile.next

    def counted(self):
        kept.append(len(self.members))
        return following(self)

    monkeypatch.setattr(tarfile.TarFile, "next", counted)
    read(make_tar(tmp_path / "a.tar", [(f"set/{i}.txt", b"1") for i in range(20)], "w"))
    assert len(kept) > 20
    assert max(kept) <= 1


def test_cannot_be_read(tmp_path):
    with pytest.raises(DataError, match=f"{tmp_path} cannot be read"):
        read(tmp_path)  # a folder


@pytest.mark.parametrize("headers", [{"size": "many"}, {"GNU.sparse.map": "a,b"}, {"GNU.sparse.major": "x"}])
def test_headers_that_make_no_sense(tmp_path, headers):
    info = tarfile.TarInfo("set/a.txt")
    info.pax_headers = headers
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(info)
    with contextlib.suppress(DataError):  # never another error
        assert read(tmp_path / "a.tar") == [("set/a.txt", b"")]


def test_a_sparse_file_whose_map_ends_too_soon(tmp_path):
    header = bytearray(special(tarfile.GNUTYPE_SPARSE).tobuf())
    header[482] = 1  # says that the map of its holes goes on in another block
    header[148:156] = b"%06o\0 " % (8 * 32 + sum(header[:148]) + sum(header[156:]))
    (tmp_path / "a.tar").write_bytes(header)
    with pytest.raises(DataError, match="a.tar is damaged or truncated"):
        read(tmp_path / "a.tar")


class TestFiles:
    def read(self, folder, names=("a", "b/c")):
        return list(read_files(folder, names, max_size=3))

    def test_those_that_are_there(self, tmp_path):
        (tmp_path / "b").mkdir()
        (tmp_path / "b" / "c").write_bytes(b"123")
        assert self.read(tmp_path) == [("b/c", b"123")]
        assert self.read(tmp_path, ["b"]) == []

    def test_too_large(self, tmp_path):
        (tmp_path / "a").write_bytes(b"1234")
        with pytest.raises(DataError, match="a has more than 3 bytes, expected at most that"):
            self.read(tmp_path)

    def test_cannot_be_read(self, tmp_path, monkeypatch):
        def forbidden(self, *arguments):
            raise PermissionError(13, "Permission denied")

        (tmp_path / "a").touch()
        monkeypatch.setattr(Path, "open", forbidden)
        with pytest.raises(DataError, match="a cannot be read .*Permission denied"):
            self.read(tmp_path)


@pytest.mark.parametrize("content", [b"<html>404</html>" * 100, bz2.compress(bytes(10_000)), b"PK\3\4" + bytes(996)])
def test_not_an_archive(tmp_path, content):
    path = tmp_path / "a.tar.gz"
    path.write_bytes(content)
    with pytest.raises(DataError, match="a.tar.gz is damaged or truncated, or not a tar archive, gzipped or plain"):
        read(path)
