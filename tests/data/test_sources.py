"""Every way in which a download can fail, against a server on this machine."""

import errno
import gzip
import hashlib
import os
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from adamcore.data import DataError, data_folder, load_cifar10, load_imdb, sources
from adamcore.data.sources import ARCHIVES, fetch, find
from tests.data.conftest import make_tar
from tests.data.server import body, endless, redirect, status, truncated

CONTENT = bytes(range(256)) * 400


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(sources, "TIMEOUT", (2.0, 1.0))


def made_up(*addresses, content=CONTENT):
    """An archive that these addresses should give."""
    return replace(
        ARCHIVES["imdb"],
        addresses=addresses,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )


def refused():
    """An address of this machine at which nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{unused.getsockname()[1]}/gone"


def everything_in(folder):
    return sorted(path.name for path in folder.iterdir() if path.name != ".lock")


def test_official_addresses_first_and_all_encrypted():
    hosts = {"cifar10": "https://www.cs.toronto.edu/~kriz/", "imdb": "https://ai.stanford.edu/~amaas/"}
    for name, archive in ARCHIVES.items():
        assert archive.addresses[0].startswith(hosts[name])
        assert archive.addresses[0].endswith(archive.file)
        assert len(archive.addresses) > 1
        assert all(address.startswith("https://") for address in archive.addresses)
        assert (len(archive.sha256), len(archive.md5)) == (64, 32)


def test_download(server, folder):
    archive = made_up(server.url("/a", body(CONTENT)))
    place = fetch(archive)
    assert place == folder / "aclImdb_v1.tar.gz"
    assert place.read_bytes() == CONTENT
    assert everything_in(folder) == [place.name]


def test_progress_bar(server, folder, capsys):
    fetch(made_up(server.url("/a", body(CONTENT))), progress=True)
    assert "102k/102k" in capsys.readouterr().err


def test_what_is_there_is_not_downloaded_again(server, folder):
    archive = made_up(server.url("/a", body(CONTENT)))
    assert fetch(archive, progress=False) == fetch(archive, progress=False)
    assert server.requests == ["/a"]


FAULTS = {
    "refused": (lambda server: refused(), "ConnectionError"),
    "404": (lambda server: server.url("/a", status(404)), "404"),
    "500": (lambda server: server.url("/a", status(500)), "500"),
    "silence": (lambda server: server.url("/a", server.silence), "timed out"),
    "stall": (lambda server: server.url("/a", server.stall(CONTENT)), "timed out"),
    "truncated": (lambda server: server.url("/a", truncated(CONTENT)), "IncompleteRead|hash"),
    "other bytes": (lambda server: server.url("/a", body(CONTENT[::-1])), "hash of downloaded file"),
    "a page instead": (lambda server: server.url("/a", body(b"<html>Log in</html>")), "hash of downloaded file"),
    "endless": (lambda server: server.url("/a", endless), "more than the 102,400 bytes"),
    "redirected in a circle": (lambda server: server.url("/a", redirect("/a")), "TooManyRedirects"),
}


@pytest.mark.parametrize("fault", FAULTS)
class TestFaults:
    def test_the_error_says_what_happened_and_what_to_do(self, fault, server, folder):
        address, reason = FAULTS[fault]
        with pytest.raises(DataError, match=reason) as caught:
            fetch(made_up(address(server)), progress=False)
        message = str(caught.value)
        assert "Without a network you have the word counts" in message
        assert str(folder / "aclImdb_v1.tar.gz") in message
        assert hashlib.sha256(CONTENT).hexdigest() in message
        assert everything_in(folder) == []

    def test_the_second_address_takes_over(self, fault, server, folder):
        address, _ = FAULTS[fault]
        place = fetch(made_up(address(server), server.url("/good", body(CONTENT))), progress=False)
        assert place.read_bytes() == CONTENT

    def test_what_was_there_stays(self, fault, server, folder):
        folder.mkdir()
        mine = folder / "aclImdb_v1.tar.gz"
        mine.write_bytes(b"my own archive")
        with pytest.raises(DataError):
            fetch(made_up(FAULTS[fault][0](server)), progress=False)
        assert mine.read_bytes() == b"my own archive"
        assert everything_in(folder) == [mine.name]


def test_redirect_is_followed(server, folder):
    server.url("/there", body(CONTENT))
    assert fetch(made_up(server.url("/here", redirect("/there"))), progress=False).read_bytes() == CONTENT


def test_nothing_is_packed_on_the_way(server, folder):
    """A server that packs what it sends, for clients that say they can unpack it, would change the checksum."""

    def packing(handler):
        packed = "gzip" in handler.headers.get("Accept-Encoding", "")
        body(gzip.compress(CONTENT) if packed else CONTENT)(handler)

    assert fetch(made_up(server.url("/a", packing)), progress=False).read_bytes() == CONTENT


@pytest.mark.skipif(sys.platform == "win32", reason="no such rights there")
def test_others_may_read_it_as_any_new_file(server, folder):
    place = fetch(made_up(server.url("/a", body(CONTENT))), progress=False)
    (folder / "new").touch()
    assert place.stat().st_mode == (folder / "new").stat().st_mode


def test_damage_after_the_download_is_repaired(server, folder):
    archive = made_up(server.url("/a", body(CONTENT)))
    place = fetch(archive, progress=False)
    place.write_bytes(CONTENT[:-1] + b"?")
    assert fetch(archive, progress=False).read_bytes() == CONTENT
    assert server.requests == ["/a", "/a"]


FETCH = """
import sys
from dataclasses import replace
from adamcore.data.sources import ARCHIVES, fetch
address, size, sha256 = sys.argv[1:]
print(fetch(replace(ARCHIVES["imdb"], addresses=(address,), size=int(size), sha256=sha256), progress=False))
"""


def start(archive):
    """The same fetch in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", FETCH, archive.addresses[0], str(archive.size), archive.sha256],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "NO_PROXY": "*"},
    )


def test_killed_in_the_middle_then_started_again(server, folder):
    archive = made_up(server.url("/a", server.stall(CONTENT)))
    process = start(archive)
    assert server.half_sent.wait(20)
    while not list(folder.glob(".unfinished-*/*")):
        time.sleep(0.01)
    process.kill()
    process.communicate()
    assert not (folder / archive.file).exists()
    assert find(archive) is None
    assert everything_in(folder)[0].startswith(".unfinished-")
    server.url("/a", body(CONTENT))
    assert fetch(archive, progress=False).read_bytes() == CONTENT
    assert everything_in(folder) == [archive.file]


@pytest.mark.skipif(sys.platform == "win32", reason="waits in steps of ten seconds there")
def test_two_processes_at_once_download_once(server, folder):
    archive = made_up(server.url("/a", server.stall(CONTENT)))
    first, second = start(archive), start(archive)
    assert server.half_sent.wait(20)
    time.sleep(0.5)  # the other one has come to the lock, or comes later and finds the file: both are fine
    server.release.set()
    for process in (first, second):
        output, errors = process.communicate(timeout=20)
        assert process.returncode == 0, errors
        assert Path(output.strip()).read_bytes() == CONTENT
    assert server.requests == ["/a"]
    assert everything_in(folder) == [archive.file]


@pytest.mark.skipif(sys.platform == "win32", reason="another lock there")
@pytest.mark.parametrize("progress", [True, False])
def test_waiting_for_another_process_is_said(progress, server, folder, monkeypatch, capfd):
    import fcntl

    lock, waits = fcntl.flock, threading.Event()

    def watched(file, operation):
        if operation == fcntl.LOCK_EX:
            waits.set()
        lock(file, operation)

    archive = made_up(server.url("/a", body(CONTENT)))
    other = threading.Thread(target=fetch, args=(archive,), kwargs={"progress": progress})
    folder.mkdir()
    with sources._alone(folder, progress=False):
        monkeypatch.setattr(fcntl, "flock", watched)
        other.start()
        assert waits.wait(20)
        assert server.requests == []
    other.join(20)
    assert server.requests == ["/a"]
    assert ("Waiting for another process that downloads into" in capfd.readouterr().err) is progress


class TestFolder:
    def test_is_a_file(self, server, folder):
        folder.write_text("not a folder")
        with pytest.raises(DataError, match=r"the data folder .* cannot be written .*ADAMCORE_DATA"):
            fetch(made_up(server.url("/a", body(CONTENT))), progress=False)

    def test_lies_in_a_file(self, server, folder, monkeypatch):
        folder.write_text("not a folder")
        monkeypatch.setenv("ADAMCORE_DATA", str(folder / "deeper"))
        with pytest.raises(DataError, match="cannot be written"):
            fetch(made_up(server.url("/a", body(CONTENT))), progress=False)

    @pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES])
    def test_is_full_or_read_only(self, code, server, folder, monkeypatch):
        def write(self, content):
            raise OSError(code, os.strerror(code))

        monkeypatch.setattr(sources._AtMost, "write", write)
        addresses = server.url("/a", body(CONTENT)), server.url("/b", body(CONTENT))
        with pytest.raises(DataError, match=f"{os.strerror(code)}.*Make room, or name another folder"):
            fetch(made_up(*addresses), progress=False)
        assert server.requests == ["/a"]  # another address would not help
        assert everything_in(folder) == []

    def test_read_only_with_the_archive_in_it_is_enough(self, server, folder, monkeypatch):
        archive = made_up(server.url("/a", body(CONTENT)))
        fetch(archive, progress=False)
        (folder / ".lock").unlink()  # as in a folder that was filled by hand
        monkeypatch.setattr(Path, "open", guard_open(Path.open))
        assert fetch(archive, progress=False).exists()

    def test_may_not_be_looked_into(self, server, folder, monkeypatch):
        folder.mkdir()
        (folder / "aclImdb_v1.tar.gz").write_bytes(CONTENT)
        status_of = os.stat

        def guarded(path, *arguments, **options):
            if str(path).startswith(str(folder) + os.sep):
                raise PermissionError(errno.EACCES, "Permission denied", str(path))
            return status_of(path, *arguments, **options)

        monkeypatch.setattr(os, "stat", guarded)
        monkeypatch.setattr(Path, "open", guard_open(Path.open))
        archive = made_up(server.url("/a", body(CONTENT)))
        assert find(archive) is None
        with pytest.raises(DataError, match="cannot be written .*"):
            fetch(archive, progress=False)

    def test_somebody_elses_lock_is_enough_to_wait_for(self, server, folder, monkeypatch):
        folder.mkdir()
        (folder / ".lock").touch()
        opened = Path.open

        def guarded(self, mode="r", *arguments, **options):
            if self.name == ".lock" and mode != "rb":
                raise PermissionError(errno.EACCES, "not yours", str(self))
            return opened(self, mode, *arguments, **options)

        monkeypatch.setattr(Path, "open", guarded)
        assert fetch(made_up(server.url("/a", body(CONTENT))), progress=False).read_bytes() == CONTENT

    @pytest.mark.skipif(sys.platform == "win32", reason="another lock there")
    @pytest.mark.parametrize("locks", [True, False])
    def test_another_download_is_left_alone_where_there_are_no_locks(self, locks, server, folder, monkeypatch):
        import fcntl

        def none(file, operation):
            raise OSError(errno.ENOLCK, "No locks available")

        if not locks:
            monkeypatch.setattr(fcntl, "flock", none)
        others = folder / ".unfinished-other" / "part"
        others.parent.mkdir(parents=True)
        others.touch()
        fetch(made_up(server.url("/a", body(CONTENT))), progress=False)
        assert others.exists() is not locks

    def test_without_the_variable_it_is_the_platforms(self, monkeypatch):
        monkeypatch.delenv("ADAMCORE_DATA")
        assert "adamcore" in str(data_folder())
        assert data_folder().is_absolute()

    def test_home_is_understood(self, monkeypatch):
        monkeypatch.setenv("ADAMCORE_DATA", "~/sets")
        assert data_folder() == Path.home() / "sets"


def guard_open(function):
    """Opening to read only."""

    def guarded(self, mode="r", *arguments, **options):
        if mode != "rb":
            raise PermissionError(errno.EACCES, "read-only", str(self))
        return function(self, mode, *arguments, **options)

    return guarded


class TestFind:
    @pytest.mark.parametrize(
        "names",
        [
            ("aclImdb_v1.tar.gz", "aclImdb_v1.tar", "aclImdb/train/neg"),
            ("aclImdb_v1.tar", "aclImdb.tar.gz"),
            ("aclImdb.tar.gz", "aclImdb/train"),
            ("aclImdb_v1.tgz", "aclImdb_v1/aclImdb/train"),
            ("aclImdb.tgz",),
            ("aclImdb.tar",),
        ],
    )
    def test_the_best_of_what_is_there(self, names, folder):
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).touch()
        assert find(ARCHIVES["imdb"]) == folder / names[0]

    def test_folders(self, folder):
        archive = ARCHIVES["cifar10"]
        assert find(archive) is None
        folder.mkdir()
        assert find(archive) is None
        (folder / "data_batch_1.bin").touch()
        assert find(archive) == folder
        twice = folder / "cifar-10-binary" / "cifar-10-batches-bin"  # unpacked into a folder of the archive's name
        twice.mkdir(parents=True)
        assert find(archive) == twice
        (folder / "cifar-10-batches-bin").mkdir()
        assert find(archive) == folder / "cifar-10-batches-bin"
        (folder / "cifar-10-binary.tgz").touch()
        assert find(archive) == folder / "cifar-10-binary.tgz"

    def test_somebody_elses_training_set_is_not_taken(self, folder):
        (folder / "train").mkdir(parents=True)
        assert find(ARCHIVES["imdb"]) is None
        (folder / "train" / "neg").mkdir()
        assert find(ARCHIVES["imdb"]) == folder

    def test_half_a_download_of_a_browser_is_not_taken(self, folder):
        folder.mkdir()
        (folder / "aclImdb_v1.tar.gz.part").touch()
        assert find(ARCHIVES["imdb"]) is None


class TestLoaders:
    """From the call to the error or the arrays."""

    def offline(self, monkeypatch, name):
        monkeypatch.setitem(ARCHIVES, name, replace(ARCHIVES[name], addresses=(refused(), refused())))

    def test_offline_cifar10(self, monkeypatch, folder):
        self.offline(monkeypatch, "cifar10")
        with pytest.raises(DataError) as caught:
            load_cifar10(full=True)
        for part in (
            "5,000 training and 1,000 test images",
            ARCHIVES["cifar10"].sha256,
            str(folder),
            "ADAMCORE_DATA",
        ):
            assert part in str(caught.value)

    @pytest.mark.parametrize("options", [{"full": True}, {"text": True}])
    def test_offline_imdb(self, monkeypatch, options):
        self.offline(monkeypatch, "imdb")
        with pytest.raises(DataError, match="Without a network you have the word counts"):
            load_imdb(**options)

    def test_download_and_load(self, monkeypatch, server, folder, tmp_path, small_cifar10):
        members = [(f"cifar-10-batches-bin/{name}", content) for name, content in small_cifar10.items()]
        content = make_tar(tmp_path / "made.tar.gz", members).read_bytes()
        archive = replace(made_up(server.url("/c", body(content)), content=content), file="cifar-10-binary.tar.gz")
        monkeypatch.setitem(ARCHIVES, "cifar10", archive)
        assert len(load_cifar10(full=True).x_train) == 100
        assert len(load_cifar10(full=True).x_test) == 20
        assert server.requests == ["/c"]

    @pytest.mark.parametrize("place", [0.1, 0.5, 0.999])
    def test_damaged_later_is_found_named_and_explained(self, place, folder, small_cifar10):
        members = [(f"cifar-10-batches-bin/{name}", content) for name, content in small_cifar10.items()]
        path = make_tar(folder / "cifar-10-binary.tar.gz", members)
        content = bytearray(path.read_bytes())
        content[int(place * len(content))] ^= 0xFF
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"cifar-10-binary.tar.gz.*\n.*adamcore data fetch cifar10"):
            load_cifar10(full=True)

    def test_nothing_is_downloaded_for_a_damaged_copy_of_your_own(self, monkeypatch, server, folder, small_cifar10):
        monkeypatch.setitem(ARCHIVES, "cifar10", replace(ARCHIVES["cifar10"], addresses=(server.url("/x"),)))
        mine = folder / "cifar-10-batches-bin"
        mine.mkdir(parents=True)
        for name, content in small_cifar10.items():
            (mine / name).write_bytes(content)
        (mine / "data_batch_3.bin").write_bytes(bytes(len(content)))
        with pytest.raises(DataError, match="data_batch_3.bin is damaged or changed"):
            load_cifar10(full=True)
        assert server.requests == []


def test_import_and_embedded_sets_touch_neither_network_nor_disk(folder):
    code = (
        "import socket, sys\n"
        "socket.socket = None\n"
        "from adamcore.data import load_cifar10, load_imdb, load_mnist\n"
        "heavy = {'scipy', 'sklearn', 'pooch', 'requests', 'PIL', 'matplotlib', 'numba'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "for load in (load_mnist, load_imdb, load_cifar10): print(load())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=folder.parent)
    assert done.returncode == 0, done.stderr
    assert not folder.exists()
