"""Runs on a Dask cluster, through joblib's own backend; needs the extra ``cluster``.

Start a scheduler (``dask scheduler``) and, on every machine with this package installed, a worker for each core
(``dask worker tcp://HOST:8786 --nworkers 4 --nthreads 1``); then ``python -m adamcore run NAME --cluster
tcp://HOST:8786``. The process that asks writes the records. A run that is lost with its worker starts again on
another.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import joblib


@contextlib.contextmanager
def cluster_workers(address: str, timeout: float = 10.0) -> Iterator[joblib.Parallel]:
    """Make joblib's tasks run on the cluster at ``address``, as long as this context is open.

    Parameters
    ----------
    address : str
        Of the scheduler, such as ``tcp://127.0.0.1:8786``.
    timeout : float, default 10
        Seconds to wait for its answer.

    Yields
    ------
    joblib.Parallel
        Takes delayed calls, gives their results as they come.

    Raises
    ------
    ValueError
        If Dask is not installed, nobody answers at the address, or the cluster's workers have several threads:
        two runs in one process would share a model's memory.

    Examples
    --------
    >>> from adamcore.experiments.cluster import cluster_workers
    >>> try:
    ...     with cluster_workers("tcp://127.0.0.1:1", timeout=0.1):
    ...         pass
    ... except ValueError:
    ...     print("no cluster, or no Dask")
    no cluster, or no Dask
    """
    try:
        from distributed import Client
    except ImportError:
        raise ValueError("a cluster needs Dask: pip install 'adamcore[cluster]'.") from None
    try:
        client = Client(address, timeout=timeout, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"cluster = {address!r}: no Dask scheduler answers there ({error}). Start one with: dask scheduler"
        ) from error
    with client:
        threads = {worker["nthreads"] for worker in client.scheduler_info(n_workers=-1)["workers"].values()}
        if threads - {1}:
            raise ValueError(
                f"cluster = {address!r}: its workers have {max(threads)} threads, but each run needs a process of "
                "its own. Start the workers with: dask worker ADDRESS --nworkers N --nthreads 1"
            )
        with (
            joblib.parallel_config("dask", client=client, wait_for_workers_timeout=60),
            joblib.Parallel(return_as="generator_unordered", batch_size=1) as workers,
        ):
            yield workers
