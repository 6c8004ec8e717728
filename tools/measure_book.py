"""Measure how long the book takes, and write it down for the page on the book's status.

Usage: python tools/measure_book.py [chapters] [site] [test]      (without names: all three, about half an hour)

- chapters: every chapter is executed, two at a time, as `make notebooks` does.
- site: the site is built from nothing, as `make book` does once its tools are installed.
- test: `make test` in a new clone, which first installs everything; this needs a network.

Each is done in a clone of what is committed, so that the tree stays as it is but for benchmarks/results/book.json. On
a machine that is busy with other things, times by the clock say little: the record keeps the load before.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tools.run_notebooks import keep, measurement  # noqa: E402

RECORD = ROOT / "benchmarks" / "results" / "book.json"
JUPYTER_BOOK = "from jupyter_book.cli.main import main; main()"  # the script may not be on PATH
COMMANDS = {
    "chapters": [sys.executable, "tools/run_notebooks.py", "--jobs", "2", "--times", str(RECORD)],
    "site": [sys.executable, "-c", JUPYTER_BOOK, "build", ".", "-W", "-n", "--keep-going"],
    "test": ["make", "test"],
}


def measure(part: str) -> None:
    """Measure one of them, in a clone that is deleted afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "book"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        about = measurement()
        start = time.perf_counter()
        done = subprocess.run(COMMANDS[part], cwd=clone)
        seconds = round(time.perf_counter() - start, 1)
        if done.returncode != 0:
            sys.exit(f"{part}: failed after {seconds} s, see above; nothing is written down")
        if part != "chapters":  # which writes its own, chapter by chapter
            keep(RECORD, part, about | {"seconds": seconds})
        print(f"{part}: {seconds} s")


def main() -> None:
    """Read the command line, and measure."""
    parser = argparse.ArgumentParser(description="Measure how long the book takes.")
    parser.add_argument("parts", nargs="*", metavar="chapters|site|test", help="default: all three")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(COMMANDS):
        parser.error(f"{', '.join(sorted(unknown))}: not something to measure; there are {', '.join(COMMANDS)}")
    for part in options.parts or COMMANDS:
        measure(part)


if __name__ == "__main__":
    main()
