"""Dialects against the libraries that are installed here, run anew (extra ``peers``)."""

import importlib.util
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

from tests.optim.test_golden import GOLDEN, LEFT_OUT, assert_close, rule_of, tolerance, trajectory

ROOT = GOLDEN.parents[1]

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("library", ["torch", "keras", "optax", "sklearn", "jax"])
def test_library_run_anew(library, tmp_path):
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is not installed (extra peers)")
    shutil.copy(GOLDEN / "gradients.npz", tmp_path)
    # A process of its own: libraries are configured for float64 before they are imported.
    command = [sys.executable, "tools/record_golden.py", library, "--folder", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    record = json.loads((tmp_path / f"{library}.json").read_text(encoding="utf-8"))
    with np.load(tmp_path / f"{library}.npz", allow_pickle=False) as archive:
        for row in record["rows"]:
            if row["name"] not in LEFT_OUT.get(library, {}):
                assert_close(trajectory(rule_of(library, row)), archive[row["name"]], tolerance(row))
