"""Sweeps that are really killed, interrupted, or refused by their folder: nothing is lost, and no number changes."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest

from adamcore.experiments import run
from adamcore.experiments.files import StorageError
from tests.experiments.sweep import SWEEP

ROOT = Path(__file__).parents[2]
PATIENCE = 300

resource = pytest.importorskip("resource", reason="limits and signals are those of Unix")


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """Every run of the sweep, made without a disturbance."""
    folder = tmp_path_factory.mktemp("whole")
    run(SWEEP, "smoke", folder=folder)
    return results(folder)


def results(folder):
    """What the finished runs hold, but their times; fails on one that is half-written."""
    found = {path.stem: json.loads(path.read_text()) for path in folder.glob("*.json")}
    return {key: {n: v for n, v in one.items() if "seconds" not in n} for key, one in found.items()}


def start(folder, jobs, *options, **popen):
    command = [sys.executable, "-m", "tests.experiments.sweep", str(folder), str(jobs), *map(str, options)]
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, cwd=ROOT, start_new_session=True, **pipes, **popen)


def wait_until(condition, process):
    """Wait for the condition; the process may end before it comes true."""
    end = time.monotonic() + PATIENCE
    while not condition() and process.poll() is None:
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.01)


def at_work(folder):
    """Whether a run has a checkpoint."""
    return lambda: any(folder.glob("*.npz"))


def kill(process, *, group):
    """SIGKILL to the process, or to it and its workers."""
    if process.poll() is None:
        (os.killpg if group else os.kill)(process.pid, signal.SIGKILL)
    process.communicate()


def finish(folder, jobs):
    process = start(folder, jobs)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors
    assert "damaged" not in errors


def test_one_run_killed_within_an_epoch_goes_on(tmp_path, expected):
    checkpoint = None
    while checkpoint is None:  # a busy machine may kill it late, between two runs
        process = start(tmp_path, 1)
        wait_until(at_work(tmp_path), process)
        kill(process, group=True)
        assert results(tmp_path).items() <= expected.items()
        assert len(results(tmp_path)) < len(expected), "it was not killed in time"
        checkpoint = next(tmp_path.glob("*.npz"), None)
    with np.load(checkpoint) as archive:
        epochs = len(json.loads(str(archive["about"]))["history"]["epoch_cost"])
    assert 1 <= epochs < 40  # so the comparison below is of a run that went on
    finish(tmp_path, 1)
    assert results(tmp_path) == expected
    assert not list(tmp_path.glob("*.npz"))


@pytest.mark.parametrize("kills", [1, pytest.param(10, marks=pytest.mark.slow)])
def test_a_sweep_killed_again_and_again_loses_nothing(tmp_path, expected, kills):
    moments = np.random.default_rng(kills)
    for number in range(kills):
        process = start(tmp_path, 2)
        wait_until(at_work(tmp_path), process)
        time.sleep(moments.uniform(0, 0.15))
        children = workers_of(process.pid)
        kill(process, group=number % 2 == 1)
        assert results(tmp_path).items() <= expected.items()
        end = time.monotonic() + PATIENCE
        while any(map(alive, children)):  # workers notice by themselves that nobody wants their results any more
            assert time.monotonic() < end, "a worker outlives the sweep that it worked for"
            time.sleep(0.05)
    finish(tmp_path, 2)
    assert results(tmp_path) == expected
    assert {path.suffix for path in tmp_path.iterdir()} <= {".json", ".tmp"}


def workers_of(pid):
    """The process's children, where the system says; none elsewhere."""
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in path.read_text().split()] if path.exists() else []


def alive(pid):
    """Whether the process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_killed_worker_is_said_in_words(tmp_path, expected):
    """As where memory is full: the sweep ends, says what to do, and the same command goes on."""
    folder = tmp_path / "sweep"
    done = True
    while done:  # a busy machine may kill the worker late, after its last run
        shutil.rmtree(folder, ignore_errors=True)
        process = start("run", "sweep", "--scale", "smoke", "--jobs", "2", "--runs", str(tmp_path))
        wait_until(lambda: any(folder.glob("*.json")), process)
        workers = [pid for pid in workers_of(process.pid) if "popen_loky" in Path(f"/proc/{pid}/cmdline").read_text()]
        if not workers:
            kill(process, group=True)
            pytest.skip("this system does not say who the workers are")
        os.kill(workers[0], signal.SIGKILL)
        _, errors = process.communicate(timeout=PATIENCE)
        done = len(results(folder)) == len(expected)
    assert process.returncode == 1, errors
    assert "Error: a process that made runs was killed, perhaps because the memory was full" in errors
    assert "Traceback" not in errors
    assert 0 < len(results(folder)) < len(expected)
    finish(folder, 2)
    assert results(folder) == expected


@pytest.mark.slow
def test_two_sweeps_of_one_folder_do_no_harm(tmp_path, expected):
    both = [start(tmp_path, 1), start(tmp_path, 1)]
    for process in both:
        _, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, errors
    assert results(tmp_path) == expected
    assert {path.suffix for path in tmp_path.iterdir()} == {".json"}


@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_interrupting_says_how_to_go_on(tmp_path, jobs):
    options = ["--scale", "smoke", "--jobs", str(jobs), "--only", "Adam", "--seeds", "500", "--runs", str(tmp_path)]
    # A shell that starts the tests in the background has them ignore this signal, and children inherit that.
    process = start("run", "sweep", *options, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    wait_until(lambda: any(tmp_path.glob("sweep/*.json")), process)
    os.kill(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert f"Go on with: python -m adamcore run sweep {' '.join(options)}" in errors
    assert results(tmp_path / "sweep")


def test_a_disk_that_takes_no_more(tmp_path, expected):
    """A limit on the size of files stands for a full disk: results are short enough, checkpoints are not."""
    process = start(tmp_path, 1, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000)))
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert f"StorageError: [Errno 27] cannot write to {tmp_path} (File too large)" in errors
    assert not list(tmp_path.glob(".*.tmp"))
    finish(tmp_path, 1)
    assert results(tmp_path) == expected


@pytest.fixture
def nobody():
    """Give up the superuser's rights for a while: folders that may only be read would not stop it."""
    if os.geteuid() == 0:
        os.seteuid(65534)
        yield
        os.seteuid(0)
    else:
        yield


def test_a_folder_that_may_only_be_read(expected, nobody):
    with tempfile.TemporaryDirectory() as name:  # not tmp_path, which only its owner may look into
        folder = Path(name)
        run(SWEEP, "smoke", seeds=1, folder=folder)
        before = {path.name: path.read_bytes() for path in folder.iterdir()}
        folder.chmod(0o555)
        assert run(SWEEP, "smoke", seeds=1, folder=folder).runs  # nothing has to be written
        with pytest.raises(StorageError, match=rf"cannot write to {folder} \(Permission denied\).*another place"):
            run(SWEEP, "smoke", seeds=2, folder=folder)
        with pytest.raises(StorageError, match="Permission denied"):
            run(SWEEP, "smoke", seeds=1, folder=folder, fresh=True)
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
        assert results(folder).items() <= expected.items()
        folder.chmod(0o755)
