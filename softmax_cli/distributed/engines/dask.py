"""Units as Dask tasks: on the cluster that DASK_SCHEDULER_ADDRESS names, else on this machine."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack

from softmax_cli.distributed.engines import Result, Unit, quiet_start
from softmax_cli.errors import DataError

NEEDS = "distributed>=2026.8"
STARTS_IN = 2
JOINS = "DASK_SCHEDULER_ADDRESS"
RETRIES = 3


def run(work: Callable[[Unit], Result], units: Sequence[Unit], workers: int) -> Iterator[tuple[int, Result]]:
    """See `Engine`."""
    with quiet_start():
        from dask.distributed import Client, KilledWorker, LocalCluster, as_completed

    with ExitStack() as closing:
        joined = os.environ.get(JOINS)
        if joined is None:
            cluster = LocalCluster(
                n_workers=workers, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs=logging.CRITICAL
            )
            closing.enter_context(cluster)
        client = closing.enter_context(Client(joined or cluster))
        tasks = client.map(work, units, retries=RETRIES, pure=False)
        positions = {task.key: position for position, task in enumerate(tasks)}
        try:
            for task, result in as_completed(tasks, with_results=True):
                yield positions[task.key], result
        except (KilledWorker, OSError) as error:
            raise DataError(f"dask: {error}") from error
