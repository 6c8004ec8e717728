"""Runs on a real Dask cluster on this machine, one worker of which is killed while it works."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from adamcore.__main__ import main
from adamcore.experiments import run
from adamcore.experiments.cluster import cluster_workers
from tests.experiments.sweep import SWEEP

ROOT = Path(__file__).parents[2]
PATIENCE = 300


def numbers(record):
    """The runs without their times."""
    return [{name: value for name, value in single.items() if "seconds" not in name} for single in record.runs]


def test_without_dask_or_without_a_cluster_there_is_an_error_in_words():
    with (
        pytest.raises(ValueError, match=r"needs Dask: pip install|no Dask scheduler answers there"),
        cluster_workers("tcp://127.0.0.1:1", timeout=0.1),
    ):
        pass


@pytest.fixture
def cluster(request):
    """Start a scheduler and workers on loopback; they end with the test.

    The parameter is the number of workers that may end while they make a run before it is given up.
    """
    pytest.importorskip("distributed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    processes = []

    environment = {**os.environ, "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": str(getattr(request, "param", 3))}

    def start(*arguments):
        command = [sys.executable, "-m", "distributed.cli." + arguments[0], *arguments[1:]]
        pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": environment}
        processes.append(subprocess.Popen(command, cwd=ROOT, **pipes))
        return processes[-1]

    def worker(threads=1):
        options = ("--nworkers", "1", "--nthreads", str(threads), "--no-nanny", "--no-dashboard")
        return start("dask_worker", address, *options)

    start("dask_scheduler", "--host", "127.0.0.1", "--port", address.rpartition(":")[2], "--no-dashboard")
    yield address, worker
    for process in processes:
        process.kill()
        process.wait()


def wait_for_scheduler(address):
    """Wait until it answers."""
    from distributed import Client

    Client(address, timeout=PATIENCE, set_as_default=False).close()


def wait_for_workers(address, number):
    """Wait until so many workers have announced themselves."""
    from distributed import Client

    with Client(address, timeout=PATIENCE, set_as_default=False) as client:
        client.wait_for_workers(number, timeout=PATIENCE)


@pytest.mark.slow
def test_a_cluster_gives_the_same_numbers_and_survives_a_worker(tmp_path, cluster):
    address, worker = cluster
    victim = worker()
    worker()
    wait_for_workers(address, 2)
    asker = subprocess.Popen([sys.executable, "-m", "tests.experiments.sweep", tmp_path, "1", address], cwd=ROOT)
    end = time.monotonic() + PATIENCE
    while not list(tmp_path.glob("*.json")):  # the others are at work, or waiting
        assert time.monotonic() < end
        assert asker.poll() is None
        time.sleep(0.01)
    assert len(list(tmp_path.glob("*.json"))) < 10
    victim.kill()
    assert asker.wait(PATIENCE) == 0
    assert not list(tmp_path.glob("*.npz"))
    local = run(SWEEP, "smoke")
    assert len(list(tmp_path.glob("*.json"))) == len(local.runs) == 10
    assert numbers(run(SWEEP, "smoke", folder=tmp_path)) == numbers(local)


@pytest.mark.slow
@pytest.mark.parametrize("cluster", [0], indirect=True)
def test_a_run_that_ends_its_workers_is_given_up(tmp_path, cluster):
    address, worker = cluster
    victim = worker()
    worker()
    wait_for_workers(address, 2)
    command = [sys.executable, "-m", "tests.experiments.sweep", "run", "sweep", "--scale", "smoke"]
    asker = subprocess.Popen(
        [*command, "--runs", tmp_path, "--cluster", address], cwd=ROOT, stderr=subprocess.PIPE, text=True
    )
    end = time.monotonic() + PATIENCE
    while not list(tmp_path.glob("sweep/*.json")):
        assert time.monotonic() < end
        time.sleep(0.01)
    victim.kill()
    _, errors = asker.communicate(timeout=PATIENCE)
    assert asker.returncode == 1, errors
    assert "a run was lost (KilledWorker: " in errors
    assert "Traceback" not in errors
    kept = {path.name: path.read_text() for path in tmp_path.glob("sweep/*.json")}
    assert 0 < len(kept) < 10
    record = run(SWEEP, "smoke", folder=tmp_path / "sweep", cluster=address)
    assert numbers(record) == numbers(run(SWEEP, "smoke"))
    assert all((tmp_path / "sweep" / name).read_text() == content for name, content in kept.items())


@pytest.mark.slow
def test_a_scheduler_without_workers_is_said_in_words(cluster, monkeypatch):
    monkeypatch.setattr("adamcore.experiments.cluster.WAIT_FOR_WORKERS", 0.2)
    address, _ = cluster
    wait_for_scheduler(address)
    with pytest.raises(ValueError, match=r"has no workers after 0\.2 seconds\. Start some with: dask worker"):
        run(SWEEP, "smoke", cluster=address)


@pytest.mark.slow
def test_workers_with_threads_are_refused(cluster):
    address, worker = cluster
    worker(threads=2)
    wait_for_workers(address, 1)
    with pytest.raises(ValueError, match="its workers have 2 threads.*--nthreads 1"):
        run(SWEEP, "smoke", cluster=address)


@pytest.mark.slow
def test_the_command_line_takes_a_cluster(tmp_path, cluster):
    address, worker = cluster
    worker()
    wait_for_workers(address, 1)
    arguments = ["run", "fig1a", "--scale", "smoke", "--runs", str(tmp_path), "--cluster", address]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    assert len(list(tmp_path.glob("fig1a/*.json"))) == 6
