"""The commands ``python -m adamcore assignments`` and ``python -m adamcore grade``."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
from tqdm import tqdm

from adamcore.checks.core import SAMPLE
from adamcore.experiments.files import StorageError, write_file

BUILT = Path("_build") / "assignments"
"""Where the assignments of each term are made."""

SECRET = "TERM_SECRET"
"""The environment variable with the term's secret; no option, since others can read a command's options."""


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--term", default=SAMPLE, show_default=True, help=f"Such as 2027s; needs {SECRET} in the environment.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where to write [default: _build/assignments/TERM].",
)
@click.option(
    "--book/--no-book",
    default=True,
    help="Of the sample term, also write the student versions to book/assignments [the default].",
)
def assignments(names: tuple[str, ...], term: str, out: Path | None, book: bool) -> None:
    """Make the assignments NAME, or all of them, from their sources in book/assignments/sources.

    Writes the student versions, the solutions (keys), and the autograders: a folder each for grading here, and a zip
    for Gradescope. Refuses an assignment whose solutions do not get full marks, or whose student version gets any.
    """
    from adamcore.grading.build import SOURCES, BuildError, build, term_key  # IPython takes its time

    secret = os.environ.get(SECRET, "")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,40}", term):
        raise click.UsageError(f"--term {term!r}: letters, digits, dots and dashes, such as 2027s.")
    if (term == SAMPLE) != (not secret):
        raise click.UsageError(
            f"the sample term has no secret: unset {SECRET}, or name a term, such as --term 2027s."
            if secret
            else f"the term {term} needs a secret that nobody knows: set {SECRET} in the environment, and keep it."
        )
    if secret and len(secret) < 12:
        raise click.UsageError(f"{SECRET} has fewer than 12 letters, so it could be guessed.")
    available = {path.stem: path for path in sorted(SOURCES.glob("*.ipynb"))}
    if not available:
        raise click.ClickException(f"there are no sources in {SOURCES}: run this from the root of the repository.")
    for name in names:
        if name not in available:
            raise click.UsageError(f"there is no assignment {name!r}; there are {', '.join(available)}.")
    out = out or BUILT / term
    key = term_key(secret) if secret else SAMPLE
    for name in names or available:
        try:
            built = build(available[name], out, term, key)
            if term == SAMPLE and book:
                content = built.student.read_bytes()
                write_file(SOURCES.parent / f"{name}.ipynb", lambda file, content=content: file.write(content))
        except (BuildError, StorageError) as error:
            raise click.ClickException(str(error)) from error
        assignment = built.assignment
        by_hand = sum(question.points for question in assignment.questions if question.manual)
        click.echo(f"{name}: {assignment.checked:g} points by checks, {by_hand:g} by hand; solutions checked")
    click.echo(f"written to {out}: student, keys, autograder (keep the last two to yourself)")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--term", default=SAMPLE, show_default=True, help="The term whose assignments these are.")
@click.option(
    "--autograders",
    type=click.Path(path_type=Path),
    help="The folder of autograders [default: _build/assignments/TERM/autograder].",
)
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Submissions at a time.")
@click.option(
    "--seconds", type=click.FloatRange(min=1), default=300, show_default=True, help="For one submission as a whole."
)
@click.option(
    "--cell-seconds", type=click.FloatRange(min=1), default=60, show_default=True, help="For one of its cells."
)
@click.option(
    "--call-seconds", type=click.FloatRange(min=0.1), default=10, show_default=True, help="For one call of an answer."
)
@click.option("--memory", type=click.FloatRange(min=0.5), default=4, show_default=True, help="Gigabytes for one.")
@click.option(
    "--user", metavar="NAME", help="Run submissions as this user of the system, who may read less; as root."
)
@click.option("--quiet", is_flag=True, help="Show no progress bar.")
def grade(
    folder: Path,
    term: str,
    autograders: Path | None,
    jobs: int,
    seconds: float,
    cell_seconds: float,
    call_seconds: float,
    memory: float,
    user: str | None,
    quiet: bool,
) -> None:
    """Grade every notebook below FOLDER; write FOLDER/grades.csv and FOLDER/feedback.

    Each submission runs in a process of its own, with limits; whatever it does, the others are graded.
    """
    from adamcore.grading.folder import FolderError, load_assignments, summary
    from adamcore.grading.folder import grade as grade_folder
    from adamcore.grading.isolation import described
    from adamcore.grading.sandbox import Limits

    limits = Limits(cell=cell_seconds, call=call_seconds, total=seconds, memory=int(memory * 2**30))
    autograders = autograders or BUILT / term / "autograder"

    @contextlib.contextmanager
    def progress(count: int) -> Iterator[Callable[[], object]]:
        with tqdm(total=count, unit="notebook", disable=quiet or None) as bar:
            yield bar.update

    try:
        _require_user(user)
        known = load_assignments(autograders)
        click.echo(described(), err=True)
        results = grade_folder(folder, known, autograders, jobs=jobs, limits=limits, user=user, progress=progress)
    except KeyboardInterrupt:
        click.echo("\nStopped; nothing was written. The same command begins again.", err=True)
        sys.exit(130)
    except (FolderError, ValueError, StorageError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(summary(results, known))
    click.echo(f"written: {folder / 'grades.csv'}, {folder / 'feedback'}")


def _require_user(user: str | None) -> None:
    """Say before anything is run if submissions cannot be run as this user, or are run as root."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    if user is None:
        if root:
            click.echo("You are root, and so are the submissions; --user nobody would let them do less.", err=True)
        return
    if not root:
        raise ValueError(f"--user {user}: only root can run submissions as another user")
    from adamcore.grading.sandbox import can_run_as

    if not can_run_as(user):
        raise ValueError(
            f"--user {user}: there is no such user, or it cannot run {sys.executable} with adamcore. Install both "
            "where all users may read, such as /opt"
        )
