"""The benchmark runs and writes its record; times are nobody's business here."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.optim import SHAPES, main

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("peers", ["hidden", pytest.param("as installed", marks=pytest.mark.slow)])
def test_the_optimizer_benchmark_writes_a_record(tmp_path, peers):
    """Libraries that cannot be imported are left out; importing those that can takes longer than all else."""
    output, environment = tmp_path / "new" / "optim.json", dict(os.environ)
    if peers == "hidden":
        for library in ("torch", "jax", "optax", "keras"):
            (tmp_path / f"{library}.py").write_text("raise ImportError('hidden')")
        environment["PYTHONPATH"] = os.pathsep.join([str(tmp_path), *sys.path])
    command = [
        "-m",
        "benchmarks.optim",
        "--sizes",
        "100",
        "--repeat",
        "2",
        "--patience",
        "0",
        "--output",
        str(output),
    ]
    done = subprocess.run([sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    if peers == "hidden":
        assert "left out: torch, default (hidden)" in done.stdout
    record = json.loads(output.read_text())
    assert {"machine", "versions", "threads", "rounds", "sizes"} <= set(record)
    size = record["sizes"]["100"]
    assert size["parameters"] == 100
    ours, theirs = "in place, pure numpy", "scikit-learn"
    assert len(size["seconds"][ours]) == len(size["ratios"][ours][theirs]) == 3
    assert [path.name for path in output.parent.iterdir()] == ["optim.json"]


def test_a_size_that_is_none_is_refused():
    done = CliRunner().invoke(main, ["--sizes", "100,big"])
    assert done.exit_code == 2
    assert "'big' is neither a number nor one of mlp, cnn" in done.stderr


def test_the_papers_networks_have_their_sizes():
    sizes = {name: sum(map(math.prod, shapes)) for name, shapes in SHAPES.items()}
    # By hand: (784 + 1) 1000 + (1000 + 1) 1000 + (1000 + 1) 10; and for the other, layer by layer.
    assert sizes == {"mlp": 1_796_010, "cnn": 4_864 + 102_464 + 204_928 + 2_049_000 + 10_010}
