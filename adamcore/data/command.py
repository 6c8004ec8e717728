"""The command ``python -m adamcore data``: what there is, fetching, checking, building."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import click

from adamcore.data import cifar10, imdb, mnist
from adamcore.data.build import BUILDERS, Files
from adamcore.data.dataset import DataError
from adamcore.data.packaged import DIGESTS, TITLES, read_checked, read_packaged
from adamcore.data.sources import (
    ARCHIVES,
    VARIABLE,
    Archive,
    data_folder,
    fetch,
    find,
    how_to_get,
    is_official,
    sha256_of,
)

LOADERS: dict[str, Callable[[], object]] = {
    "mnist": mnist.load_mnist,
    "imdb": imdb.load_imdb,
    "cifar10": cifar10.load_cifar10,
}
"""What loads the embedded part of a set."""

READERS: dict[str, Callable[[Path], object]] = {"cifar10": cifar10.read_full, "imdb": imdb.read_reviews}
"""What reads a full set, and raises unless it is whole."""


@click.group()
def data() -> None:
    """Show, fetch, check and build the data sets."""


@data.command("list", short_help="Show what is embedded and what is downloaded.")
def list_() -> None:
    """Show what is embedded in the package and what the data folder holds."""
    for dataset, files in DIGESTS.items():
        click.echo(f"{TITLES[dataset]}, embedded:")
        for name, digest in files.items():
            click.echo(f"  {name:26s} {_size(len(_or_stop(read_packaged, dataset, name)))}  SHA-256 {digest}")
        if archive := ARCHIVES.get(dataset):
            click.echo(f"{TITLES[dataset]}, full set:")
            _show_full(archive)


def _show_full(archive: Archive) -> None:
    """What the data folder holds of a set."""
    found = find(archive)
    if found is None:
        click.echo(f"  not here; python -m adamcore data fetch {archive.name} gets {_size(archive.size).strip()}")
    elif found.is_dir():
        click.echo(f"  {found}  a folder; python -m adamcore data verify checks what is in it")
    else:
        digest = _or_stop(sha256_of, found)
        kind = "the official archive" if digest == archive.sha256 else "not the official archive; see verify"
        click.echo(f"  {found}  {_size(found.stat().st_size).strip()}  SHA-256 {digest}  {kind}")


@data.command(short_help="Say where the full sets are kept.")
def where() -> None:
    """Say where the full sets are kept, and where to put what you got by hand."""
    click.echo(f"{data_folder()}  (to choose another folder, set {VARIABLE})")
    for archive in ARCHIVES.values():
        click.echo(f"\n{archive.title}: {find(archive) or 'not here'}\n{how_to_get(archive)}")


@data.command("fetch", short_help="Download the full set NAME.")
@click.argument("name", type=click.Choice(tuple(TITLES)))
@click.option("--quiet", is_flag=True, help="Show no progress bar.")
def fetch_(name: str, quiet: bool) -> None:
    """Download the full set NAME, unless it is there. A good copy is never lost to a failed download."""
    if name not in ARCHIVES:
        click.echo(f"{TITLES[name]} is embedded in the package as a whole: there is nothing to fetch.")
        return
    archive = ARCHIVES[name]
    found = find(archive)
    if found is not None and _why_bad(archive, found) is None:
        click.echo(f"{archive.title} is there already: {found}")
        return
    click.echo(f"{archive.title} is in place: {_or_stop(fetch, archive, progress=not quiet)}")


@data.command(short_help="Check everything that is here.")
def verify() -> None:
    """Hash every embedded file, and read every full set that is there, again. Exit code 1 if something is wrong."""
    bad = 0
    for dataset, files in DIGESTS.items():
        for name in files:
            bad += _report(f"embedded {name}", _caught(read_checked, dataset, name))
        bad += _report(f"embedded {TITLES[dataset]} loads", _caught(LOADERS[dataset]))
    for archive in ARCHIVES.values():
        found = find(archive)
        if found is None:
            click.echo(f"not here  {archive.title}, full set")
        else:
            kind = "the official archive" if is_official(found, archive) else "by its content"
            bad += _report(f"{found} ({kind})", _why_bad(archive, found))
    if bad:
        raise click.ClickException(f"{bad} of the above are not as they should be.")


def _report(what: str, fault: DataError | None) -> int:
    """One line, or the fault; counts it."""
    click.echo(f"ok        {what}" if fault is None else f"BAD       {what}\n{fault}")
    return int(fault is not None)


def _why_bad(archive: Archive, found: Path) -> DataError | None:
    """What is wrong with a full set that is there; the official archive needs no more than its checksum."""
    return None if is_official(found, archive) else _caught(READERS[archive.name], found)


def _caught(function: Callable, *arguments: object) -> DataError | None:
    """The fault that a function finds."""
    try:
        function(*arguments)
    except DataError as fault:
        return fault
    return None


@data.command("build", short_help="Make the embedded files of NAME again.")
@click.argument("name", type=click.Choice(tuple(BUILDERS)))
@click.option(
    "--from",
    "source",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder with the full set.",
)
@click.option(
    "--to",
    "target",
    type=click.Path(file_okay=False, path_type=Path),
    help="A folder to write to [default: nothing is written, only compared].",
)
def build_(name: str, source: Path, target: Path | None) -> None:
    """Make the embedded files of NAME again from the full set, and compare them with those in the package.

    Exit code 1 if they differ and are not written.
    """
    files: Files = _or_stop(BUILDERS[name], source)
    others = []
    for file, content in files.items():
        digest = hashlib.sha256(content).hexdigest()
        same = digest == DIGESTS[name].get(file)
        click.echo(
            f"{file:26s} {_size(len(content))}  SHA-256 {digest}  {'as embedded' if same else 'NOT as embedded'}"
        )
        others += [] if same else [file]
        if target is not None:
            _or_stop(_write, target / file, content)
    if target is not None:
        click.echo(f"written to {target}")
    elif others:
        raise click.ClickException(
            f"not as embedded: {', '.join(others)}. Another version of Pillow or zlib packs the same content into "
            "other bytes; LICENSES.md says which were used."
        )


def _write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _or_stop(function: Callable, *arguments: object, **options: object):
    """Call a function; a fault in the data, or of the disk, ends the command with its message."""
    try:
        return function(*arguments, **options)
    except (DataError, OSError) as fault:
        raise click.ClickException(str(fault)) from fault


def _size(size: int) -> str:
    """Bytes for people."""
    return f"{size / 1e6:8.2f} MB" if size >= 1e5 else f"{size / 1e3:8.2f} kB"
