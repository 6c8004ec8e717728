"""What every benchmark shares: fair turns, honest ratios, and a description of the machine."""

from __future__ import annotations

import contextlib
import gc
import importlib.metadata
import json
import os
import platform
import random
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np
import threadpoolctl

from adamcore.experiments.runner import write_json

OLDER_KERNELS = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
"""Settings that make numpy's OpenBLAS run as on another processor; a benchmark runs without them."""

PAUSE = 0.005
"""Seconds between two contenders: threads that wait for work by spinning have gone to sleep by then."""

DISTURBED = 0.05
"""The share of one core from which on other processes count as busy."""


class Contender(NamedTuple):
    """Something to be timed.

    Attributes
    ----------
    call : callable
        Without arguments.
    context : callable
        Makes the context in which a turn of calls is made; entering it is not timed.
    """

    call: Callable[[], object]
    context: Callable[[], contextlib.AbstractContextManager] = contextlib.nullcontext


def restart_without(names: Iterable[str] = OLDER_KERNELS) -> None:
    """Run this command again in an environment without these variables, if one is set, and exit with it.

    They are read when numpy is loaded, so that it is too late to unset them here.
    """
    if not set(names) & set(os.environ):
        return
    environment = {name: value for name, value in os.environ.items() if name not in names}
    sys.exit(subprocess.run([sys.executable, *sys.orig_argv[1:]], env=environment).returncode)


class Times(NamedTuple):
    """What was measured.

    Attributes
    ----------
    seconds : dict of str to list of float
        For each contender, the seconds per call in each round, in the order of the rounds.
    disturbed : int
        How many of the rounds other processes disturbed.
    """

    seconds: dict[str, list[float]]
    disturbed: int


def interleaved(
    contenders: dict[str, Contender], repeat: int, seconds: float = 0.01, patience: float = 60.0
) -> Times:
    """Time contenders in turn: in each round every one of them once, in an order drawn anew.

    A turn is a pause, calls that are not timed (they bring the arrays into the cache and wake threads), then
    twice as many that are: about ``seconds`` of them, at least one and at most 1000. What slows the machine
    for a while then slows all contenders alike. A round waits until other processes are
    idle, and is made again if they were not during it, as long as patience lasts; then the least disturbed
    rounds count.

    Parameters
    ----------
    contenders : dict of str to Contender
    repeat : int
        Rounds that count.
    seconds : float, default 0.01
        How long a turn takes, about.
    patience : float, default 60
        Seconds after which no round waits or is made again.

    Returns
    -------
    Times
    """
    calls = {}
    for name, contender in contenders.items():
        _time(contender, 2)  # the first calls compile and allocate
        one = statistics.median(_time(contender, 1) for _ in range(5))
        calls[name] = min(max(round(seconds / one), 1), 1000)
    rounds: list[tuple[float, dict[str, float]]] = []
    order, shuffle = list(contenders), random.Random(0).shuffle
    end = time.monotonic() + patience
    while len(rounds) < repeat or (time.monotonic() < end and _calm(rounds) < repeat):
        shuffle(order)
        _wait(end)
        start, before = time.monotonic(), _others()
        times = {}
        for name in order:
            time.sleep(PAUSE)
            _time(contenders[name], -(-calls[name] // 2))
            times[name] = _time(contenders[name], calls[name])
        rounds.append(((_others() - before) / (time.monotonic() - start), times))
    counted = sorted(rounds, key=lambda made: max(made[0], DISTURBED))[:repeat]
    return Times({name: [times[name] for _, times in counted] for name in contenders}, repeat - _calm(counted))


def _wait(end: float) -> None:
    """Sleep while other processes are busy, until ``end`` at the latest."""
    share = 1.0
    while share > DISTURBED and time.monotonic() < end:
        start, before = time.monotonic(), _others()
        time.sleep(0.2)
        share = (_others() - before) / (time.monotonic() - start)


def _calm(rounds: list[tuple[float, dict[str, float]]]) -> int:
    """How many rounds were not disturbed."""
    return sum(share <= DISTURBED for share, _ in rounds)


def _others() -> float:
    """Seconds that the processors have worked for other processes, or other machines; 0 where nobody tells."""
    about = Path("/proc/stat")
    if not about.is_file():
        return 0.0
    user, nice, system, _, _, irq, softirq, steal = map(int, about.read_text().split(maxsplit=9)[1:9])
    own = os.times()
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK") - own.user - own.system


def _time(contender: Contender, calls: int) -> float:
    """Seconds per call, without a collection of garbage in between."""
    call = contender.call
    gc.disable()
    try:
        with contender.context():
            start = time.perf_counter()
            for _ in range(calls):
                call()
            return (time.perf_counter() - start) / calls
    finally:
        gc.enable()


def quartiles(values: list[float]) -> list[float]:
    """Lower quartile, median and upper quartile, to four digits."""
    return [float(f"{value:.4g}") for value in np.percentile(values, [25, 50, 75])]


def ratio(ours: list[float], theirs: list[float]) -> list[float]:
    """Our time divided by theirs, round by round: the quartiles. Below 1, ours is faster."""
    return quartiles([a / b for a, b in zip(ours, theirs, strict=True)])


def machine() -> dict[str, Any]:
    """Describe the machine by what the times depend on, and by nothing that names it."""
    np.ones((2, 2)) @ np.ones((2, 2))  # so that the library is loaded and can be asked
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "caches of a core": _caches(),
        "system": f"{platform.system()} {platform.machine()}",
        "BLAS": [
            f"{library['internal_api']} {library['version']}, {library.get('architecture', 'unknown kernel')}"
            for library in threadpoolctl.threadpool_info()
            if library["user_api"] == "blas"
        ],
        "widest instructions found by numpy": _widest_instructions(),
        "load before": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else "unknown",
    }


def _processor() -> str:
    """The processor's name, where the system tells it."""
    about = Path("/proc/cpuinfo")
    if about.is_file():
        for line in about.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    if sys.platform == "darwin":
        asked = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(asked, capture_output=True, text=True).stdout.strip()
    return platform.processor() or "unknown"


def _caches() -> dict[str, str]:
    """The first core's data caches, where the system tells them."""
    found = {}
    for cache in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        kind, level, size = ((cache / name).read_text().strip() for name in ("type", "level", "size"))
        if kind != "Instruction":
            found[f"L{level}"] = size
    return found


def _widest_instructions() -> str:
    extensions = np.show_config(mode="dicts").get("SIMD Extensions", {})
    return [*extensions.get("baseline", ["unknown"]), *extensions.get("found", [])][-1]


def versions(*names: str) -> dict[str, str]:
    """Return the versions of Python and of those packages that are installed."""
    found = {"Python": platform.python_version()}
    for name in names:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


def output_option(name: str) -> Callable[[Callable], Callable]:
    """The option of a benchmark that says where its record goes."""
    return click.option(
        "--output",
        type=click.Path(dir_okay=False, path_type=Path),
        default=Path(__file__).parent / "results" / f"{name}.json",
        metavar="FILE",
        help=f"The record to write [default: results/{name}.json beside this file].",
    )


def write(path: Path, record: dict[str, Any]) -> None:
    """Write a record as JSON, whole or not at all, with each list of numbers on a line."""
    text = re.sub(r"\[[^\[\]{}]*\]", lambda found: " ".join(found[0].split()), json.dumps(record, indent=1))
    write_json(path, record, iter([text + "\n"]))
