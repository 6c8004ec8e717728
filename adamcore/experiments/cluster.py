"""Runs on a Dask cluster; needs the extra ``cluster``.

Start a scheduler (``dask scheduler``) and, on every machine with this package installed, a worker for each core
(``dask worker tcp://HOST:8786 --nworkers 4 --nthreads 1``); then ``python -m adamcore run NAME --cluster
tcp://HOST:8786``. The process that asks writes the records. A run that is lost with its worker starts again on
another.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from adamcore.experiments.experiment import RunError

WAIT_FOR_WORKERS = 60
"""Seconds in which the first worker has to join the scheduler."""

Call = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]
"""What ``joblib.delayed`` makes of a call: a function and its arguments."""


@contextlib.contextmanager
def cluster_workers(address: str, timeout: float = 10.0) -> Iterator[Callable[[Iterable[Call]], Iterator[Any]]]:
    """Make calls on the cluster at ``address``, as long as this context is open.

    Parameters
    ----------
    address : str
        Of the scheduler, such as ``tcp://127.0.0.1:8786``.
    timeout : float, default 10
        Seconds to wait for its answer.

    Yields
    ------
    callable
        Takes calls, as ``joblib.delayed`` makes them, and gives their results as they come. joblib's own Dask backend
        would wait for ever for a call that has no result, such as one that ended its worker several times.

    Raises
    ------
    ValueError
        If Dask is not installed, nobody answers at the address, no worker joins, or the workers have several threads:
        two runs in one process would share a model's memory.
    RunError
        By the callable, if a call is lost: its workers end again and again, or the scheduler does.

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
        from distributed import Client, as_completed
    except ImportError:
        raise ValueError("a cluster needs Dask: pip install 'adamcore[cluster]'.") from None
    try:
        client = Client(address, timeout=timeout, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"cluster = {address!r}: no Dask scheduler answers there ({error}). Start one with: dask scheduler"
        ) from error

    def workers(calls: Iterable[Call]) -> Iterator[Any]:
        """Results as they come; what is still to be done when this ends is called off with its futures."""
        futures = [client.submit(call, *args, pure=False, **kwargs) for call, args, kwargs in calls]
        for future in as_completed(futures, loop=client.loop):
            try:
                result = future.result()
            except (RunError, OSError, ValueError):  # the call's own
                raise
            except Exception as error:
                raise RunError(
                    f"cluster = {address!r}: a run was lost ({type(error).__name__}: {error}). If workers run out "
                    "of memory, start fewer of them on a machine. Then give the same command again"
                ) from error
            yield result

    with client:
        try:
            client.wait_for_workers(1, timeout=WAIT_FOR_WORKERS)
        except TimeoutError:
            raise ValueError(
                f"cluster = {address!r}: its scheduler has no workers after {WAIT_FOR_WORKERS} seconds. Start some "
                "with: dask worker ADDRESS --nworkers N --nthreads 1"
            ) from None
        threads = {worker["nthreads"] for worker in client.scheduler_info(n_workers=-1)["workers"].values()}
        if threads - {1}:
            raise ValueError(
                f"cluster = {address!r}: its workers have {max(threads)} threads, but each run needs a process of "
                "its own. Start the workers with: dask worker ADDRESS --nworkers N --nthreads 1"
            )
        yield workers
