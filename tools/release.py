"""Write the version and its tag wherever they stand, so that all places agree.

Usage: python tools/release.py [VERSION]

The version's one home is pyproject.toml; with VERSION, such as 0.2.0, it is changed there first. What follows from
it: `__version__`, CITATION.cff, the tag in _config.yml that Binder's and Colab's buttons open, and the first cell of
every notebook, which fetches the book at that tag on Colab. Only those lines change, never an output. Then the
students' assignments are made anew from their sources, for which the extra `course` must be installed.

The tag itself is made with git, as CONTRIBUTING.md says.
"""

import argparse
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VERSION = re.compile(r"\d+\.\d+\.\d+((a|b|rc)\d+)?")
CLONE = "-q --depth 1 -b {} -c advice.detachedHead=false"  # one commit, without git's words on tags
SOURCES = Path("book") / "assignments" / "sources"


def version(root: Path = ROOT) -> str:
    """The version that pyproject.toml states."""
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


def tag(of: str) -> str:
    """The name of the release in git."""
    return f"v{of}"


def rules(number: str) -> list[tuple[str, str, str]]:
    """What must stand where: a pattern of files, what to find in them, and what to write in the middle of it."""
    return [
        ("pyproject.toml", r'(?m)^(version = ")[^"]+(")', number),
        ("adamcore/__init__.py", r'(?m)^(__version__ = ")[^"]+(")', number),
        ("CITATION.cff", r"(?m)^(version: )\S+()$", number),
        ("_config.yml", r"(?m)^(repository:\n(?: .*\n)*?  branch: )\S+()", tag(number)),
        ("book/**/*.ipynb", r"(!git clone )[^\n\"]*( https://github\.com/\S+ adam-book)", CLONE.format(tag(number))),
    ]


def files(root: Path, pattern: str) -> list[Path]:
    """The files that a rule is about."""
    left_out = {"_build", ".ipynb_checkpoints"}
    return sorted(path for path in root.glob(pattern) if not left_out & set(path.relative_to(root).parts))


def changes(root: Path, number: str) -> dict[Path, str]:
    """The new text of every file that does not say this version yet; ValueError where there is no place for it."""
    found = {}
    for pattern, wanted, new in rules(number):
        for path in files(root, pattern):
            with path.open(encoding="utf-8", newline="") as file:  # line ends stay as they are
                text = file.read()
            after, places = re.subn(wanted, rf"\g<1>{new}\g<2>", text)
            if places != 1:
                raise ValueError(f"{path.relative_to(root)}: {places} places for the version, expected one: {wanted}")
            if after != text:
                found[path] = after
    return found


def main() -> int:
    """Read the command line, rewrite, and make the assignments if their sources have changed."""
    parser = argparse.ArgumentParser(description="Write the version and its tag wherever they stand.")
    parser.add_argument("version", nargs="?", default=version(), help="default: what pyproject.toml says")
    options = parser.parse_args()
    if not VERSION.fullmatch(options.version):
        parser.error(f"{options.version}: not a version; write it like 0.2.0 or 0.2.0rc1, without v")
    changed = changes(ROOT, options.version)
    for path, text in changed.items():
        with path.open("w", encoding="utf-8", newline="") as file:
            file.write(text)
        print(path.relative_to(ROOT).as_posix())
    print(f"{len(changed)} files rewritten for version {options.version}, tag {tag(options.version)}.")
    if any(path.is_relative_to(ROOT / SOURCES) for path in changed):
        return subprocess.run([sys.executable, "-m", "adamcore", "assignments"], cwd=ROOT).returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
