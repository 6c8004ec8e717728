"""Measure how much runs change from one BLAS kernel and thread count to another, and record it.

Usage: python tools/measure_agreement.py [NAME-SCALE ...]    (from the root of the repository)

Each experiment is run under every combination of KERNELS and THREADS, in a process of its own. The first is the
reference; the largest difference of any other from it, run by run, is the spread. Both are written to
book/results/reference. `python -m adamcore check NAME --scale SCALE` compares with them.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# With and without fused multiply-add, and of different widths; the last one needs a processor with AVX-512.
KERNELS = ("Haswell", "Sandybridge", "SkylakeX")
THREADS = (1, 2)
SETS = (
    *(f"{name}-{scale}" for name in ("fig1a", "fig1b", "fig4") for scale in ("smoke", "book")),
    "fig3_start-smoke",  # the convolutional network, with dropout and without
)


def child(name: str, scale: str, threads: int, output: Path) -> None:
    """Make the runs in this process, with as many BLAS threads as asked for instead of the usual one."""
    from threadpoolctl import threadpool_limits

    from adamcore.experiments import get_experiment, run, runner

    runner.threadpool_limits = lambda *_, **__: contextlib.nullcontext()
    with threadpool_limits(threads, user_api="blas"):
        run(get_experiment(name), scale).save(output)


def measured(name: str, scale: str, kernel: str, threads: int, folder: Path):
    """The record of one combination."""
    from adamcore.experiments import load_record

    output = folder / f"{name}-{scale}-{kernel}-{threads}.json"
    subprocess.run(
        [sys.executable, __file__, "--child", name, scale, str(threads), str(output)],
        check=True,
        cwd=ROOT,
        env={**os.environ, "OPENBLAS_CORETYPE": kernel},
    )
    return load_record(output)


def main(names: list[str]) -> None:
    from adamcore.experiments.agreement import FOLDER, TOLERANCES, differences
    from adamcore.experiments.files import write_json

    target = ROOT / "book" / "results" / FOLDER
    path = target / TOLERANCES
    spreads = json.loads(path.read_text(encoding="utf-8"))["spreads"] if path.exists() else {}
    target.mkdir(exist_ok=True)
    for each in names or SETS:
        name, _, scale = each.partition("-")
        with tempfile.TemporaryDirectory() as folder:
            first, *others = (
                measured(name, scale, kernel, threads, Path(folder)) for kernel in KERNELS for threads in THREADS
            )
        free = [0.0] * len(first.runs)
        found = (differences(other, first, free) for other in others)
        largest = [max(of_one_run, key=lambda one: one.largest) for of_one_run in zip(*found, strict=True)]
        spreads[each] = [float(f"{one.largest:.2g}") if one.largest < float("inf") else None for one in largest]
        first.save(target / f"{each}.json")
        write_json(path, {"kernels": KERNELS, "threads": THREADS, "spreads": spreads})
        print(each, "largest spread", max(spread if spread is not None else 9.0 for spread in spreads[each]))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], sys.argv[3], int(sys.argv[4]), Path(sys.argv[5]))
    else:
        main(sys.argv[1:])
