"""Pack all notebooks into one file that runs wherever the package is installed.

Usage: python tools/notebooks_zip.py [FILE]      (default: _build/adam-step-by-step-VERSION.zip)

The chapters are packed with their outputs, the assignments as students get them, and beside them the records that
chapters read. The same files give the same bytes: names are sorted, and time stamps fixed. The build of the site
writes it too, for its readers to download.
"""

import argparse
import os
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import yaml  # noqa: E402

from tools.release import files, tag, version  # noqa: E402

READ_BY_CHAPTERS = ("book/results/**/*.json", "tests/golden/*", "benchmarks/results/models.json")
OTHERS = ("LICENSE", "LICENSE-TEXT", "CITATION.cff")
FIRST_DAY = (1980, 1, 1, 0, 0, 0)  # of the format
README = """\
Adam, step by step: the notebooks of version {version}
{line}

You need Python 3.11 or later. In this folder:

    python -m venv .venv
    .venv/bin/python -m pip install jupyterlab "adamcore[fast] @ git+{address}@{tag}"
    .venv/bin/python -m jupyter lab book

On Windows, write .venv\\Scripts\\ for .venv/bin/. git must be installed.

That fetches the package that these notebooks were written with. It brings the data: all of MNIST, the word counts of
IMDB, and a tenth of CIFAR-10. So nothing is downloaded while a chapter runs, and the first cell of each, which is
for Colab, does nothing. The records of long runs, which some chapters draw, are in book/results.

Chapters are in book/foundations, book/adam, book/paper and book/practice; read them in the order of the site's table
of contents. Their outputs are stored, so you can read before you run. Figures may differ in a pixel, and training in
the last digits, unless you install the exact versions that requirements.txt at

    {address}/blob/{tag}/requirements.txt

pins. The assignments are in book/assignments. Something is wrong? {address}/issues
"""


def name(of: str) -> str:
    """The file's name, without its ending, and that of the one folder in it."""
    return f"adam-step-by-step-{of}"


def contents(root: Path = ROOT) -> dict[str, bytes]:
    """What is packed: the place in the folder, and the bytes."""
    number = version(root)
    address = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"]
    line = "=" * len(README.partition("\n")[0].format(version=number))
    readme = README.format(version=number, line=line, address=address, tag=tag(number))
    packed = {"README.txt": readme.encode()}
    notebooks = [path for path in files(root, "book/**/*.ipynb") if "sources" not in path.relative_to(root).parts]
    others = [path for pattern in (*READ_BY_CHAPTERS, *OTHERS) for path in files(root, pattern)]
    for path in [*notebooks, *others]:
        packed[path.relative_to(root).as_posix()] = path.read_bytes()
    return packed


def write(file: Path, root: Path = ROOT) -> None:
    """Write the packed notebooks, whole or not at all."""
    folder = name(version(root))
    half_done = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with zipfile.ZipFile(half_done, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for place, content in sorted(contents(root).items()):
                about = zipfile.ZipInfo(f"{folder}/{place}", FIRST_DAY)
                about.create_system = 3  # unix, wherever it is made: the next line means something there only
                about.external_attr = 0o100644 << 16
                archive.writestr(about, content, zipfile.ZIP_DEFLATED, 9)
        os.replace(half_done, file)
    finally:
        half_done.unlink(missing_ok=True)


def main() -> None:
    """Read the command line, and write."""
    parser = argparse.ArgumentParser(description="Pack all notebooks into one file.")
    parser.add_argument("file", nargs="?", type=Path, default=ROOT / "_build" / f"{name(version())}.zip")
    file = parser.parse_args().file
    write(file)
    print(f"{file}: {file.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
