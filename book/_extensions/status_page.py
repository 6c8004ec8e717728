"""The tables of the page on the book's status, made from committed files each time the page is built.

A page says ```` ```{status} records ```` and the table of that name, one of PARTS, stands there; so no number of it
can be older than its source. The build also packs the notebooks, so that the page can offer them for download.
"""

import json
import re
import sys
import zlib
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from adamcore.experiments import EXPERIMENTS, load_record
from adamcore.experiments.catalog import hours
from adamcore.experiments.claims import VERDICTS
from tools import notebooks_zip, release
from tools.run_notebooks import chapters

TIMES = Path("benchmarks/results/book.json")
# What the page shows of requirements.txt, and what each is for.
LIBRARIES = {
    "numpy": "every array",
    "scipy": "sparse matrices, Student's t",
    "numba": "the compiled step of Adam",
    "matplotlib": "figures",
    "scikit-learn": "counts words, and is compared with",
    "jupyterlab": "to run chapters",
    "ipykernel": "runs their cells",
    "jupyter-book": "builds the site",
    "sphinx": "builds the site",
    "myst-nb": "reads notebooks for it",
    "sphinx-book-theme": "how the site looks",
    "pytest": "runs the tests",
    "nbval": "runs and compares the notebooks",
}
# The book's own limits: of what, in seconds, and in words.
LIMITS = {
    "chapters": (480, "All chapters, two at a time on two cores"),
    "chapter": (40, "The slowest chapter"),
    "site": (60, "The site, built from nothing"),
    "test": (900, "`make test` in a new clone, installation included"),
}


def table(head, rows, right=()):
    """A table in Markdown; the columns of those numbers are aligned to the right."""
    rule = ["---:" if i in right else "---" for i in range(len(head))]
    return "\n".join("| " + " | ".join(map(str, row)) + " |" for row in [head, rule, *rows])


def book(root=ROOT):
    """The version, and where its notebooks are."""
    number = release.version(root)
    return (
        f"This is version {number}. Its release has the tag `{release.tag(number)}`; the buttons of Binder and Colab "
        "above each chapter open that tag, and on Colab the first cell fetches it. So chapter and package fit each "
        "other, whenever you open them."
    )


def download(root=ROOT):
    """A link to the packed notebooks; relative to the page, which is two folders down."""
    name = notebooks_zip.name(release.version(root))
    size = sum(len(zlib.compress(content, 9)) for content in notebooks_zip.contents(root).values()) / 1e6
    return f'<p><a class="reference download" href="../../{name}.zip" download>{name}.zip</a>, {size:.0f} MB</p>'


def versions(root=ROOT):
    """The libraries that requirements.txt pins."""
    text = (root / "requirements.txt").read_text(encoding="utf-8")
    pins = dict(re.findall(r"^([\w.-]+)==([\w.]+)", text, flags=re.M))
    rows = [("`adamcore`", release.version(root), "this book's package")]
    rows += [(f"`{name}`", pins[name], purpose) for name, purpose in LIBRARIES.items()]
    return table(("library", "version", "what for"), rows)


def measured(root=ROOT):
    """What was measured of the book's times; empty if nothing."""
    path = root / TIMES
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def as_time(seconds):
    """Seconds as they are read most easily."""
    return f"{seconds:.0f} s" if seconds < 100 else f"{round(seconds / 60, 1):g} min"


def limits(root=ROOT):
    """The book's limits, beside what was measured."""
    held = measured(root)
    found = {part: held[part]["seconds"] for part in ("chapters", "site", "test") if part in held}
    if "chapters" in held:
        found["chapter"] = max(one["seconds"] for one in held["chapters"]["each"].values())
    rows = []
    for part, (limit, words) in LIMITS.items():
        if part in found:
            kept = "yes" if found[part] <= limit else "**no**"
            rows.append((words, as_time(limit), as_time(found[part]), kept, held[source(part)]["made"]))
        else:
            rows.append((words, as_time(limit), "not measured", "unknown", "never"))
    return table(("what", "limit", "measured", "kept", "when"), rows, right=(1, 2))


def source(part):
    """The measurement that a limit is compared with."""
    return "chapters" if part == "chapter" else part


def machines(root=ROOT):
    """Where it was measured, and whether the machine was busy with other things."""
    sentences = []
    for part, held in measured(root).items():
        about = held["machine"]
        what = {"chapters": "The chapters", "site": "The site", "test": "`make test`"}[part]
        sentence = f"{what}: {about['processor']}, {about['cores']} cores, {about['system']}"
        load = about["load before"]
        if isinstance(load, float):
            sentence += f"; load of the minute before {load:.1f}"
            if load >= about["cores"]:
                sentence += ", so other programs were busy, and times by the clock are longer than on an idle machine"
        sentences.append(f"- {sentence}.")
    return "\n".join(sentences)


def times(root=ROOT):
    """How long each chapter ran, in the order of the table of contents."""
    each = measured(root).get("chapters", {}).get("each", {})
    order = (root / "_toc.yml").read_text(encoding="utf-8")
    names = [path.relative_to(root).with_suffix("").as_posix() for path in chapters(root / "book")]
    names.sort(key=lambda name: order.find(f"file: {name}\n"))
    rows = []
    for name in names:
        one = each.get(name)
        clock, processor = (one["seconds"], one["processor"]) if one else (None, None)
        rows.append((f"{{doc}}`/{name}`", *("not measured" if n is None else f"{n:.1f}" for n in (clock, processor))))
    shown = [each[name] for name in names if name in each]
    sums = [sum(one[what] or 0 for one in shown) for what in ("seconds", "processor")]
    label = f"**together, {len(shown)} of {len(names)} chapters**"
    rows.append((label, *(f"**{n:.1f}**" for n in sums)))
    return table(("chapter", "seconds by the clock", "seconds of the processors"), rows, right=(1, 2))


def all_records(root=ROOT):
    """Every record of an experiment, by its name."""
    paths = {name: root / "book" / "results" / f"{name}.json" for name in EXPERIMENTS}
    return {name: load_record(path) for name, path in paths.items() if path.exists()}


def records(root=ROOT):
    """The recorded runs: what each holds, and what it cost."""
    rows = [
        (
            f"`{name}`",
            record.title,
            record.made or "not kept",
            record.scale,
            len(record.seeds),
            len(record.runs),
            f"{record.seconds / 3600:.1f}",
        )
        for name, record in all_records(root).items()
    ]
    return table(("record", "what it is", "finished", "scale", "seeds", "runs", "hours"), rows, right=(4, 5, 6))


def record_commands(root=ROOT):
    """The command that makes the runs of each record."""
    return "\n".join(["```", *(record.command for record in all_records(root).values()), "```"])


def planned(name):
    """Every run that an experiment plans at full scale: contender, rule and seed."""
    size = EXPERIMENTS[name].scale("full")
    return {
        json.dumps((single.contender, single.rule.to_dict(), single.seed), sort_keys=True)
        for single in EXPERIMENTS[name].runs(size)
    }


def absent(root=ROOT):
    """How many planned runs each experiment lacks, and how many it plans; without those that lack none."""
    held = all_records(root)
    found = {}
    for name in EXPERIMENTS:
        plan, runs = planned(name), held[name].runs if name in held and held[name].scale == "full" else []
        there = {json.dumps((one["contender"], one["rule"], one["seed"]), sort_keys=True) for one in runs}
        if lacking := len(plan - there):
            found[name] = lacking, len(plan)
    return found


def missing(root=ROOT):
    """The experiments of which runs are missing."""
    rows = [
        (
            f"`{name}`",
            EXPERIMENTS[name].title,
            f"{lacking} of {plan}",
            f"{hours(EXPERIMENTS[name]) * lacking / plan:.1f}",
        )
        for name, (lacking, plan) in absent(root).items()
    ]
    return table(("experiment", "what it is", "runs missing", "hours, about"), rows, right=(2, 3))


def missing_commands(root=ROOT):
    """The commands that make the missing runs, taking what is recorded from the record."""
    held = all_records(root)
    lines = [
        f"python -m adamcore run {name} --scale full{' --recorded' if name in held else ''}" for name in absent(root)
    ]
    return "\n".join(["```", *lines, "```"])


def scorecard(root=ROOT):
    """What the scorecard says, row by row."""
    return json.loads((root / "book" / "results" / "scorecard.json").read_text(encoding="utf-8"))


def verdicts(root=ROOT):
    """How many claims have each verdict."""
    found = [row["verdict"] for row in scorecard(root)]
    counts = ", ".join(f"{found.count(verdict)} {verdict}" for verdict in VERDICTS if verdict in found)
    return f"Of the paper's {len(found)} claims, in the words of {{doc}}`/book/paper/scorecard`: {counts}."


def claims(root=ROOT):
    """The claims that wait for runs."""
    waiting = [row for row in scorecard(root) if row["verdict"] == "not run"]
    if not waiting:
        return "Every claim has a verdict; its row in {doc}`/book/paper/scorecard` says how firm it is."
    names = [re.findall(r"adamcore run (\w+)", row["command"]) for row in waiting]
    rows = [
        (row["name"], row["text"], ", ".join(f"`{name}`" for name in found) or "an experiment that is not written")
        for row, found in zip(waiting, names, strict=True)
    ]
    return "These wait for runs:\n\n" + table(("claim", "the paper says", "runs of"), rows)


PARTS = {
    part.__name__: part
    for part in (
        book,
        download,
        versions,
        limits,
        machines,
        times,
        records,
        record_commands,
        missing,
        missing_commands,
        verdicts,
        claims,
    )
}
SOURCES = ("requirements.txt", "pyproject.toml", TIMES, "book/results/*.json", "adamcore/experiments/catalog.py")


class Status(SphinxDirective):
    """Put one of PARTS in its place."""

    required_arguments = 1

    def run(self):
        """Read the part as Markdown, and read the page anew when a file has changed that it may depend on."""
        if self.arguments[0] not in PARTS:
            raise self.error(f"status: {self.arguments[0]!r} is not known; there are {', '.join(PARTS)}")
        for pattern in SOURCES:
            for path in ROOT.glob(str(pattern)):
                self.env.note_dependency(str(path))
        text = PARTS[self.arguments[0]](ROOT)
        box = nodes.container(classes=["status", f"status-{self.arguments[0].replace('_', '-')}"])
        box += self.parse_text_to_nodes(StringList(text.splitlines(), source=self.get_source_info()[0]))
        return [box]


def pack_notebooks(app, exception):
    """Put the packed notebooks beside the pages."""
    if exception is None and app.builder.name == "html":
        notebooks_zip.write(Path(app.outdir) / f"{notebooks_zip.name(release.version())}.zip")


def setup(app):
    """Announce the directive."""
    app.add_directive("status", Status)
    app.connect("build-finished", pack_notebooks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
