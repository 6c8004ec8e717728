"""The benchmark runs and writes its record; times are nobody's business here."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_a_record_is_written(tmp_path):
    output = tmp_path / "new" / "sfo.json"
    command = [sys.executable, "-m", "benchmarks.sfo", "--scale", "smoke", "--rounds", "1", "--output", str(output)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    record = json.loads(output.read_text())
    assert {"machine", "versions", "rounds", "scale"} <= set(record)
    assert set(record["ratios"]) == {"25", "100"}
    assert all(len(times) == 1 and times[0] > 0 for times in record["seconds"].values())
    assert record["ratios"]["100"] == pytest.approx(
        record["seconds"]["SFO, 100 parts"][0] / record["seconds"]["Adam"][0], rel=1e-3
    )
