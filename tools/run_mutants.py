"""Judge mutmut's mutants: tests are collected once, and each mutant is tried in a fork of that process.

``mutmut run`` starts pytest anew for every mutant, and collecting thousands of tests takes far longer than those that
find a mutant. This makes the same mutants, by mutmut itself, and asks the same question of each: does one of the
tests that reach the function fail? Run it in a clone, since mutmut copies the tree into a folder ``mutants``::

    git clone . ../clone && cd ../clone
    python tools/run_mutants.py --tests tests/optim "adamcore.optim*"

Stopped, it goes on where it was. ``mutmut show NAME`` prints a mutant.
"""

from __future__ import annotations

import collections
import fnmatch
import json
import os
import resource
import signal
import sys
import time
from pathlib import Path
from typing import Any

# GNU's OpenMP ends a process that forks after it has started threads; numba's own layer does not.
os.environ.setdefault("NUMBA_THREADING_LAYER", "workqueue")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import click
import mutmut.__main__ as mutmut
import pytest
from mutmut.mutation.data import SourceFileMutationData
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.state import state
from mutmut.utils.format_utils import mangled_name_from_mutant_name as function_of


def make_mutants() -> list[str]:
    """Let mutmut write the mutants of the sources that pyproject.toml names; return their names."""
    set_mutant_under_test("mutant_generation")
    os.makedirs("mutants", exist_ok=True)
    mutmut.copy_src_dir()
    mutmut.copy_also_copy_files()
    mutmut.setup_source_paths()
    mutmut.create_mutants(1)
    names = []
    for path in mutmut.walk_mutatable_files():
        data = SourceFileMutationData(path=path)
        data.load()
        names += data.exit_code_by_key
    return names


class Judge:
    """A pytest plugin that takes the place of the loop over the tests."""

    def __init__(self, names: list[str], folder: Path, limit: float) -> None:
        self.names, self.limit = names, limit
        self.files = {part: folder / f"{part}.json" for part in ("reach", "verdicts")}
        self.failed: Any = None
        self.finds: collections.Counter[tuple[str, str]] = collections.Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Notice a failure."""
        if report.failed:
            self.failed = report

    def fails(self, item: pytest.Item) -> bool:
        """Run one test, with all that pytest's own loop does around it."""
        self.failed = None
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
        return self.failed is not None

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Find out what each test reaches, then judge one mutant after the other."""
        items = {item.nodeid: item for item in session.items}
        click.echo(f"{len(items)} tests, {len(self.names)} mutants")
        reach = self.reach(items)
        verdicts = read(self.files["verdicts"])
        for name, (verdict, by) in verdicts.items():
            self.finds[function_of(name), by] += verdict == "found"
        set_mutant_under_test("")
        todo = [name for name in self.names if name not in verdicts]
        for done, name in enumerate(todo, start=1):
            verdicts[name] = self.judge(name, items, reach)
            if verdicts[name][0] != "found":
                click.echo(f"{verdicts[name][0]}: {name}")
            if done % 50 == 0 or done == len(todo):
                self.files["verdicts"].write_text(json.dumps(verdicts, indent=0))
                click.echo(f"{done} of {len(todo)}")
        counts = collections.Counter(verdicts[name][0] for name in self.names)
        click.echo(", ".join(f"{count} {verdict}" for verdict, count in counts.most_common()))
        return True

    def reach(self, items: dict[str, pytest.Item]) -> dict[str, dict[str, Any]]:
        """Run every test once without a mutant: how long it takes, and which functions it calls."""
        known = read(self.files["reach"])
        for name in [name for name in items if name not in known]:
            set_mutant_under_test("stats")
            state()._stats.clear()
            start = time.process_time()
            if self.fails(items[name]):
                raise pytest.UsageError(f"{name} fails without a mutant: {self.failed.longrepr}")
            known[name] = {"seconds": time.process_time() - start, "calls": sorted(state()._stats)}
        self.files["reach"].write_text(json.dumps(known, indent=0))
        return known

    def judge(self, name: str, items: dict[str, pytest.Item], reach: dict[str, dict[str, Any]]) -> list[str]:
        """The verdict on one mutant, and the test that found it."""
        function = function_of(name)

        def order(test: str) -> tuple[int, float]:
            """What found others of this function comes first, then what is short."""
            return -self.finds[function, test], reach[test]["seconds"]

        tests = sorted((test for test in items if function in reach[test]["calls"]), key=order)
        if not tests:
            return ["never called", ""]
        seconds = int(self.limit + 2 * sum(reach[test]["seconds"] for test in tests))
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 1)
            os.dup2(nowhere, 2)
            resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
            set_mutant_under_test(name)
            for test in tests:
                if self.fails(items[test]):
                    os.write(writer, test.encode())
                    os._exit(1)
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as pipe:
            by = pipe.read()
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        self.finds[function, by] += code == 1
        verdicts = {0: "survived", 1: "found", -signal.SIGXCPU: "never ends"}
        return [verdicts.get(code, f"ended by signal {-code}" if code < 0 else f"exit {code}"), by]


def read(path: Path) -> dict[str, Any]:
    """What an earlier run wrote, or nothing."""
    return json.loads(path.read_text()) if path.exists() else {}


@click.command()
@click.option("--tests", multiple=True, default=("tests/optim", "tests/models"), help="Files or folders of tests.")
@click.option("--limit", default=30.0, help="Seconds of the processor that each mutant has, and twice its tests'.")
@click.argument("patterns", nargs=-1)
def main(tests: tuple[str, ...], limit: float, patterns: tuple[str, ...]) -> None:
    """Judge the mutants whose names match PATTERNS; all of them without any."""
    names = [name for name in make_mutants() if not patterns or any(fnmatch.fnmatch(name, p) for p in patterns)]
    judge = Judge(names, Path("mutants").resolve(), limit)
    os.chdir("mutants")
    options = ["--rootdir=.", "--tb=native", "-q", "-o", "addopts=", "-p", "no:cacheprovider", "-m", "not slow"]
    sys.exit(pytest.main([*options, *tests], plugins=[judge]))


if __name__ == "__main__":
    main()
