"""Execute notebooks in place, reproducibly: a second run leaves the same bytes.

Usage: python tools/run_notebooks.py [--jobs N] [notebook ...]      (without names: every chapter of the book)

With `--times FILE` it also writes down how long each chapter took, and on which machine. Times differ from one
run to the next, so they are written only when that is asked for.
"""

import argparse
import contextlib
import datetime
import hashlib
import json
import os
import re
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any, NamedTuple

import ipykernel.kernelspec
import nbformat
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parent.parent
BOOK = ROOT / "book"
CELL_TIMEOUT = 600  # seconds; only there to end a cell that hangs

# Everything else in a notebook's metadata (versions, editors, time stamps) changes from machine to machine.
NOTEBOOK_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
CELL_METADATA = {"compare", "mystnb", "tags"}


class CurrentInterpreter(AsyncKernelManager):
    """Start kernels with this very interpreter, whatever kernels are installed under the name python3."""

    @property
    def kernel_spec(self):
        """The kernel that ipykernel would install for this interpreter."""
        command = ipykernel.kernelspec.get_kernel_dict(extra_arguments=["--log-level=ERROR"])
        return KernelSpec(resource_dir=ipykernel.kernelspec.RESOURCES, **command)


class Times(NamedTuple):
    """How long a notebook took: by the clock, and on all processors together, where the system tells that."""

    seconds: float
    processor: float | None


class NotebookError(Exception):
    """A notebook cannot be read, or one of its cells failed."""


def chapters(book: Path = BOOK) -> list[Path]:
    """Every notebook of the book; assignments are not chapters: a student's version is meant to fail."""
    left_out = {"assignments", "_build", ".ipynb_checkpoints"}
    return sorted(p for p in book.rglob("*.ipynb") if not left_out & set(p.relative_to(book).parts))


def shown(path: Path) -> str:
    """Give the path as messages show it: within the repository, relative to its root."""
    path = path.resolve()
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else str(path)


def load(path: Path) -> nbformat.NotebookNode:
    """Read a notebook; cells without an id of their own get one that depends on file and place only."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        cells = raw["cells"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NotebookError(f"{shown(path)}: not a readable notebook: {error!r}") from None
    name = shown(path) if path.resolve().is_relative_to(ROOT) else path.name  # never a machine's own path
    # Done before nbformat sees the cells: it would invent random ids.
    taken = {cell["id"] for cell in cells if "id" in cell}
    seen = set()
    for place, cell in enumerate(cells):
        if cell.get("id") is None or cell["id"] in seen:
            cell["id"] = new_id(f"{name}:{place}", taken)
        seen.add(cell["id"])
        taken.add(cell["id"])
    raw["nbformat_minor"] = max(5, raw.get("nbformat_minor", 0))  # ids exist since 4.5
    return nbformat.reads(json.dumps(raw), as_version=4)


def new_id(key: str, taken: set[str]) -> str:
    """Eight hexadecimal digits from the key, other than those taken."""
    while (candidate := hashlib.sha256(key.encode()).hexdigest()[:8]) in taken:
        key += "'"
    return candidate


def execute(path: Path) -> Times:
    """Execute one notebook and store it, unless a cell fails; return how long that took."""
    notebook = load(path)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None  # nbclient leaves those of a cell that it skips
    running = {}
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        kernel_name="python3",
        kernel_manager_class=CurrentInterpreter,
        record_timing=False,
        coalesce_streams=True,  # how a long print is cut into messages is chance
        resources={"metadata": {"path": str(path.resolve().parent)}},
        on_cell_execute=lambda cell, cell_index: running.update(cell=cell, index=cell_index),
    )
    start, used = time.perf_counter(), processor_seconds()
    try:
        client.execute()
    except Exception as error:
        where = describe(notebook, running["index"]) if running else "before the first cell"
        raise NotebookError(f"{shown(path)}, {where}: failed; the stored file is as it was\n{error}") from None
    times = Times(time.perf_counter() - start, None if used is None else processor_seconds() - used)
    notebook.metadata = nbformat.from_dict(NOTEBOOK_METADATA)  # after running, which adds versions
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({k: v for k, v in cell.metadata.items() if k in CELL_METADATA})
    write(path, nbformat.writes(notebook) + "\n")
    return times


def processor_seconds() -> float | None:
    """What the kernels that this process has started and ended, and their children, have used of the processors."""
    try:
        import resource
    except ImportError:  # not on Windows
        return None
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def describe(notebook: nbformat.NotebookNode, index: int) -> str:
    """Name a cell by its number among the code cells, from 0 as pytest counts them, and its first line."""
    number = sum(cell.cell_type == "code" for cell in notebook.cells[:index])
    cell = notebook.cells[index]
    return f"Cell {number} (id {cell.id}, {cell.source.strip().splitlines()[0]!r})"


def write(path: Path, text: str) -> None:
    """Replace a file in one move, so that whoever reads it meets the old text or the new."""
    half_done = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        half_done.write_text(text, encoding="utf-8", newline="\n")
        os.replace(half_done, path)
    finally:
        half_done.unlink(missing_ok=True)


def run(paths: list[Path], jobs: int, times: dict[Path, Times] | None = None) -> bool:
    """Execute notebooks, `jobs` at a time, and say how it went; stop at the first that fails."""
    with ProcessPoolExecutor(max_workers=jobs) as pool:
        futures = {pool.submit(execute, path): path for path in paths}
        try:
            for future in as_completed(futures):
                took = future.result()
                print(f"{took.seconds:6.1f} s  {shown(futures[future])}", flush=True)
                if times is not None:
                    times[futures[future]] = took
        except NotebookError as error:
            pool.shutdown(wait=True, cancel_futures=True)
            print(re.sub(r"\x1b\[[\d;]*m", "", str(error)), file=sys.stderr)
            return False
    return True


def run_and_measure(paths: list[Path], jobs: int, file: Path) -> bool:
    """Execute notebooks as `run` does, and write down the times of all, unless one fails."""
    about = measurement()
    times: dict[Path, Times] = {}
    start = time.perf_counter()
    if not run(paths, jobs, times):
        return False
    each = {
        shown(path).removesuffix(".ipynb"): {
            name: None if n is None else round(n, 1) for name, n in took._asdict().items()
        }
        for path, took in sorted(times.items())
    }
    keep(file, "chapters", about | {"jobs": jobs, "seconds": round(time.perf_counter() - start, 1), "each": each})
    return True


def measurement() -> dict[str, Any]:
    """What is said of every measurement: when, on which machine, with which versions."""
    sys.path.insert(0, str(ROOT))  # where the folder of benchmarks is
    from benchmarks.side_by_side import machine, versions

    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    return {"made": today, "machine": machine(), "versions": versions("adamcore", "numpy", "matplotlib")}


def keep(file: Path, part: str, content: dict[str, Any]) -> None:
    """Put a measurement into its file; the other measurements there stay."""
    held = {}
    with contextlib.suppress(FileNotFoundError):
        held = json.loads(file.read_text(encoding="utf-8"))
    write(file, json.dumps(dict(sorted({**held, part: content}.items())), indent=1) + "\n")


def main() -> int:
    """Read the command line and execute."""
    parser = argparse.ArgumentParser(description="Execute notebooks in place, reproducibly.")
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: every chapter under book/")
    parser.add_argument("--jobs", type=int, default=1, help="how many notebooks at a time (default: 1)")
    parser.add_argument(
        "--times", type=Path, metavar="FILE", help="write down how long each chapter of the book took"
    )
    options = parser.parse_args()
    if options.times and options.notebooks:
        parser.error("--times is of the whole book: name no notebooks")
    if options.times and not options.times.parent.is_dir():
        parser.error(f"--times {options.times}: there is no folder {options.times.parent}")
    if options.jobs < 1:
        parser.error(f"--jobs {options.jobs}: at least one is needed")
    for path in options.notebooks:
        if path.suffix != ".ipynb" or not path.is_file():
            parser.error(f"{path}: no such notebook (a file that ends in .ipynb)")
    if options.times:
        return 0 if run_and_measure(chapters(), options.jobs, options.times) else 1
    return 0 if run(options.notebooks or chapters(), options.jobs) else 1


if __name__ == "__main__":
    sys.exit(main())
