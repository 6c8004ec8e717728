from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from adamcore.__main__ import main
from adamcore.data import command, packaged
from adamcore.data.sources import ARCHIVES, sha256_of
from tests.data.server import body
from tests.data.test_cifar10 import lay_out
from tests.data.test_imdb import archive
from tests.data.test_sources import CONTENT, made_up


def run(*arguments, code=0):
    result = CliRunner().invoke(main, ["data", *map(str, arguments)])
    assert result.exit_code == code, result.output
    return result.output


def test_list_and_where_with_nothing_there(folder):
    output = run("list")
    for files in packaged.DIGESTS.values():
        for name, digest in files.items():
            assert name in output
            assert digest in output
    assert "not here; python -m adamcore data fetch imdb gets 84.13 MB" in output
    assert str(folder) in run("where")
    assert "put it at" in run("where")


def test_list_shows_what_is_there(folder, small_cifar10, small_imdb, monkeypatch):
    lay_out(small_cifar10, folder / "cifar-10-batches-bin")
    path = archive(small_imdb, folder)
    output = run("list")
    assert f"{folder / 'cifar-10-batches-bin'}  a folder" in output
    line = next(line for line in output.splitlines() if f"{path}  " in line)
    assert f"SHA-256 {sha256_of(path)}  not the official archive" in line
    monkeypatch.setitem(ARCHIVES, "imdb", replace(ARCHIVES["imdb"], sha256=sha256_of(path)))
    assert f"{sha256_of(path)}  the official archive" in run("list")


class TestFetch:
    def test_what_is_embedded_whole(self):
        assert "nothing to fetch" in run("fetch", "mnist")

    def test_fetch_then_again(self, server, folder, monkeypatch):
        monkeypatch.setitem(ARCHIVES, "imdb", made_up(server.url("/a", body(CONTENT))))
        assert str(folder / "aclImdb_v1.tar.gz") in run("fetch", "imdb", "--quiet")
        assert "is there already" in run("fetch", "imdb")
        assert server.requests == ["/a"]

    def test_good_files_got_by_hand_are_enough(self, folder, small_cifar10):
        lay_out(small_cifar10, folder)
        assert "is there already" in run("fetch", "cifar10")

    def test_damaged_ones_are_not(self, server, folder, small_imdb, monkeypatch):
        monkeypatch.setitem(ARCHIVES, "imdb", made_up(server.url("/a", body(CONTENT))))
        path = archive(small_imdb, folder)
        path.write_bytes(path.read_bytes()[:-20])
        assert "is in place" in run("fetch", "imdb")
        assert path.read_bytes() == CONTENT

    def test_no_address_has_it(self, server, monkeypatch):
        monkeypatch.setitem(ARCHIVES, "imdb", made_up(server.url("/nothing")))
        assert "Without a network you have" in run("fetch", "imdb", code=1)

    def test_unknown(self):
        assert "'imagenet' is not one of" in run("fetch", "imagenet", code=2)


class TestVerify:
    def test_all_well(self, folder, small_cifar10):
        lay_out(small_cifar10, folder / "cifar-10-batches-bin")
        output = run("verify")
        assert "BAD" not in output
        assert "ok        embedded imdb.npz" in output
        assert "cifar-10-batches-bin (by its content)" in output
        assert "not here  IMDB, full set" in output

    def test_the_official_archive_needs_no_more_than_its_checksum(self, server, folder, monkeypatch):
        folder.mkdir()
        (folder / "aclImdb_v1.tar.gz").write_bytes(CONTENT)
        monkeypatch.setitem(ARCHIVES, "imdb", made_up())
        assert "(the official archive)" in run("verify")

    def test_something_damaged(self, folder, copied, small_imdb):
        (copied / "cifar10_test.webp").write_bytes(b"RIFF")
        del small_imdb["aclImdb/train/neg/0_1.txt"]
        archive(small_imdb, folder)
        output = run("verify", code=1)
        assert "BAD       embedded cifar10_test.webp" in output
        assert "2 reviews in train/neg" in output
        assert "3 of the above are not as they should be" in output  # loading CIFAR-10 fails, too


@pytest.mark.parametrize("verb", ["list", "verify"])
def test_a_file_that_may_not_be_read(verb, folder, small_imdb, monkeypatch):
    path = archive(small_imdb, folder)
    opened = Path.open

    def forbidden(self, *arguments, **options):
        if self == path:
            raise PermissionError(13, "Permission denied", str(self))
        return opened(self, *arguments, **options)

    monkeypatch.setattr(Path, "open", forbidden)
    output = run(verb, code=1)
    assert "Permission denied" in output
    assert str(path) in output


class TestBuild:
    def test_compare_and_write(self, tmp_path, monkeypatch):
        monkeypatch.setitem(command.BUILDERS, "imdb", lambda source: {"imdb.npz": b"other"})
        output = run("build", "imdb", "--from", tmp_path, code=1)
        assert "NOT as embedded" in output
        assert "not as embedded: imdb.npz. Another version of Pillow or zlib" in output
        assert list(tmp_path.iterdir()) == []
        run("build", "imdb", "--from", tmp_path, "--to", tmp_path / "new")
        assert [(file.name, file.read_bytes()) for file in (tmp_path / "new").iterdir()] == [("imdb.npz", b"other")]

    def test_as_embedded(self, tmp_path, monkeypatch):
        files = {name: packaged.read_packaged("imdb", name) for name in packaged.DIGESTS["imdb"]}
        monkeypatch.setitem(command.BUILDERS, "imdb", lambda source: files)
        assert "NOT" not in run("build", "imdb", "--from", tmp_path)

    def test_a_full_disk_costs_no_earlier_file(self, tmp_path, monkeypatch):
        def half(self, content):
            with self.open("wb") as file:
                file.write(content[: len(content) // 2])
            raise OSError(28, "No space left on device")

        monkeypatch.setitem(command.BUILDERS, "imdb", lambda source: {"imdb.npz": b"other"})
        (tmp_path / "imdb.npz").write_bytes(b"earlier")
        monkeypatch.setattr(Path, "write_bytes", half)
        assert "No space left" in run("build", "imdb", "--from", tmp_path, "--to", tmp_path, code=1)
        assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("imdb.npz", b"earlier")]

    def test_nowhere_to_write(self, tmp_path, monkeypatch):
        monkeypatch.setitem(command.BUILDERS, "imdb", lambda source: {"imdb.npz": b"other"})
        (tmp_path / "file").touch()
        assert "Not a directory" in run(
            "build", "imdb", "--from", tmp_path, "--to", tmp_path / "file" / "deeper", code=1
        )

    @pytest.mark.parametrize("name", ["mnist", "imdb", "cifar10"])
    def test_nothing_to_build_from(self, name, tmp_path):
        assert "Say with --from" in run("build", name, "--from", tmp_path, code=1)


def test_no_address_is_asked_by_any_other_command(server, monkeypatch, tmp_path):
    for name in ARCHIVES:
        monkeypatch.setitem(ARCHIVES, name, replace(ARCHIVES[name], addresses=(server.url("/a"),)))
    for arguments in (["list"], ["where"], ["verify"]):
        run(*arguments)
    assert server.requests == []
