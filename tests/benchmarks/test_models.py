"""The benchmark runs and writes its record; times are nobody's business here."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments):
    command = [sys.executable, "-m", "benchmarks.models", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_a_record_is_written(tmp_path):
    output = tmp_path / "new" / "models.json"
    done = run("--models", "mlp", "--repeat", 2, "--patience", 0, "--output", output)
    assert done.returncode == 0, done.stderr
    record = json.loads(output.read_text())
    assert {"machine", "versions", "threads", "rounds", "models"} <= set(record)
    mlp = record["models"]["mlp"]
    assert mlp["parameters"] == 1_796_010
    assert len(mlp["seconds a step"]["adamcore"]) == len(mlp["ratios"]["adamcore"]["scikit-learn, no dropout"]) == 3
    assert [path.name for path in output.parent.iterdir()] == ["models.json"]


def test_a_model_that_is_none_is_refused():
    done = run("--models", "mlp,rnn")
    assert done.returncode == 2
    assert "'rnn' is none of mlp, cnn, vae" in done.stderr
