"""What is installed, and which of the ways to the same numbers is in use."""

from __future__ import annotations

import importlib.metadata
import os
import platform

import numpy as np
import threadpoolctl


def show_versions() -> None:
    """Print versions, the linear-algebra library and its kernel, and the path of Adam's in-place step.

    Meant for a report of an error, not for a notebook: what it prints differs between machines.

    Examples
    --------
    >>> from adamcore import show_versions
    >>> show_versions()  # doctest: +ELLIPSIS
    adamcore   ...
    """
    from adamcore import __version__
    from adamcore.optim import Adam

    rows = {"adamcore": __version__, "Python": platform.python_version(), "platform": platform.platform()}
    rows["processors"] = str(os.cpu_count())
    for name in ("numpy", "scipy", "matplotlib", "scikit-learn", "numba"):
        try:
            rows[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            rows[name] = "not installed"
    np.ones((2, 2)) @ np.ones((2, 2))  # so that the library is loaded and can be asked
    for library in threadpoolctl.threadpool_info():
        if library["user_api"] == "blas":
            kernel = library.get("architecture", "unknown kernel")
            rows["BLAS"] = (
                f"{library['internal_api']} {library['version']}, {kernel}, {library['num_threads']} threads"
            )
    rows["Adam in place"] = (
        "compiled by numba, one pass"
        if Adam().kernel()
        else "the readable update in slices; pip install 'adamcore[fast]' for a compiled one with the same numbers"
    )
    for name, value in rows.items():
        print(f"{name:13s} {value}")
