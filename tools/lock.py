"""Write requirements.txt: the hand-chosen pins of requirements.in, and everything they bring.

Usage: python tools/lock.py      (needs the extra dev, which brings uv)
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "tools" / "requirements.in"
HEADER = """\
# The exact versions that the book is built and tested with, on Python 3.11 and later and every platform.
# Made by `make lock` from tools/requirements.in, where the pins with a comment were chosen by hand.
"""


def resolve() -> list[str]:
    """Every requirement, pinned, for all platforms at once."""
    command = ["pip", "compile", "--quiet", "--universal", "--python-version=3.11", "--no-header", "--no-annotate"]
    done = subprocess.run(
        [sys.executable, "-m", "uv", *command, str(SOURCE)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.splitlines()


def reasons() -> dict[str, str]:
    """The comment behind each pin that was chosen by hand."""
    found = re.findall(r"^([\w.-]+)==\S+ *(# .*)$", SOURCE.read_text(), flags=re.M)
    return {name.lower(): comment for name, comment in found}


def main() -> None:
    why = reasons()
    lines = []
    for line in resolve():
        name = line.split("==")[0].lower()
        # pip reads the package itself last, when all its pinned requirements are known.
        if line.startswith("-e"):
            continue
        lines.append(f"{line}  {why[name]}" if name in why else line)
    editable = re.search(r"^-e .*$", SOURCE.read_text(), flags=re.M).group()
    (ROOT / "requirements.txt").write_text(HEADER + "\n".join([*lines, editable]) + "\n")


if __name__ == "__main__":
    main()
