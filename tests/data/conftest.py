"""A data folder of its own for every test, no way out of this machine, small sets in the official formats."""

import hashlib
import io
import shutil
import socket
import tarfile

import numpy as np
import pytest

from adamcore.data import cifar10, imdb, packaged
from tests.data.server import Server

LOOPBACK = ("127.0.0.1", "::1", "localhost")


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """A connection to anywhere but this machine is a failure of the test."""
    connect = socket.socket.connect

    def guarded(self, address):
        assert not isinstance(address, tuple) or address[0] in LOOPBACK, f"a test connects to {address}"
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The data folder, empty; it does not exist yet."""
    place = tmp_path / "data"
    monkeypatch.setenv("ADAMCORE_DATA", str(place))
    return place


@pytest.fixture
def server():
    with Server() as running:
        yield running


def make_tar(path, members, mode="w:gz"):
    """A tar archive of names and contents; a content may be a TarInfo instead."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, mode) as tar:
        for name, content in members:
            info = content if isinstance(content, tarfile.TarInfo) else tarfile.TarInfo(name)
            body = content if isinstance(content, bytes) else b""
            info.size = len(body)
            tar.addfile(info, io.BytesIO(body))
    return path


@pytest.fixture
def small_imdb(monkeypatch):
    """Reviews by their names in an official archive that has three of each class in each split."""
    monkeypatch.setattr(imdb, "PER_CLASS", 3)
    reviews = {}
    for split in ("train", "test"):
        for number in (10, 0, 2):
            reviews[f"aclImdb/{split}/neg/{number}_{1 + number % 4}.txt"] = (
                f"bad film {number}, the {split} ever".encode()
            )
            reviews[f"aclImdb/{split}/pos/{number}_{7 + number % 4}.txt"] = (
                f"Great<br />film {number} né {split}".encode()
            )
    return reviews


@pytest.fixture
def small_cifar10(monkeypatch):
    """Batches of 20 records, two a class, by name; they count as official."""
    monkeypatch.setattr(cifar10, "BATCH", 20)
    rng = np.random.default_rng(0)
    batches = {}
    for name in cifar10.BATCHES:
        records = rng.integers(0, 256, (20, cifar10.RECORD), np.uint8)
        records[:, 0] = rng.permutation(np.arange(20) % 10)
        batches[name] = records.tobytes()
        monkeypatch.setitem(cifar10.BATCHES, name, hashlib.sha256(batches[name]).hexdigest())
    parsed = [cifar10.parse_records(content) for content in batches.values()]
    x, y = (np.concatenate(parts) for parts in zip(*parsed, strict=True))
    monkeypatch.setattr(cifar10, "RECORDS_DIGEST", cifar10.records_digest(x, y))
    return batches


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """A copy of the embedded files, which the loaders read."""
    shutil.copytree(packaged.files("adamcore.data") / "embedded", tmp_path / "embedded")
    monkeypatch.setattr(packaged, "files", lambda package: tmp_path)
    return tmp_path / "embedded"
