"""Make .venv and install into it what requirements.txt pins, unless that is done already.

Usage: python tools/bootstrap.py

Needs nothing but Python. The Makefile calls it before every verb.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "installed"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def wanted() -> str:
    """What an installation depends on: the two files, the interpreter, and where the tree stands."""
    digest = hashlib.sha256(f"{sys.version} {ROOT}".encode())
    for name in ("requirements.txt", "pyproject.toml"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def usable() -> bool:
    """Whether .venv holds a working interpreter of the same version as this one."""
    try:
        done = subprocess.run([PYTHON, "-c", "import sys; print(sys.version)"], capture_output=True, text=True)
    except OSError:
        return False
    return done.stdout.strip() == sys.version


def run(*command: object, failing: str) -> None:
    """Run a command; say in plain words what it means when it fails."""
    if subprocess.run([str(part) for part in command], cwd=ROOT).returncode != 0:
        sys.exit(f"\nerror: {failing}")


def main() -> None:
    if sys.version_info < (3, 11):  # noqa: UP036 - this is the file that an older Python meets first
        sys.exit(
            f"error: this is Python {sys.version.split()[0]} ({sys.executable}); the book needs 3.11 or later.\n"
            "If you have one under another name, say so: make book PYTHON=python3.12"
        )
    if STAMP.exists() and STAMP.read_text() == wanted():
        return
    print("Installing the book's tools into .venv (about 900 MB on disk; the first time takes a minute or two).")
    # What the reader has installed there stays, as long as its Python still runs.
    clear = [] if usable() else ["--clear"]
    run(
        sys.executable, "-m", "venv", *clear, VENV,
        failing="could not make .venv. On Debian and Ubuntu: apt install python3-venv. "
        "Otherwise see the message above (disk full? folder not writable?).",
    )  # fmt: skip
    run(
        PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", "requirements.txt",
        failing="could not install the requirements. The last lines above name the package. "
        "Is there a network? Behind a proxy, set HTTPS_PROXY; then try again.",
    )  # fmt: skip
    STAMP.write_text(wanted())


if __name__ == "__main__":
    main()
