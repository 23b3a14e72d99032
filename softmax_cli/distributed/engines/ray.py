"""Units as Ray tasks: on the cluster that RAY_ADDRESS names, else on this machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import as_completed
from contextlib import ExitStack
from typing import Any

from softmax_cli.distributed.engines import Result, Unit, quiet_start
from softmax_cli.errors import DataError

NEEDS = "ray>=2.60"
STARTS_IN = 4
JOINS = "RAY_ADDRESS"
RETRIES = 3


def run(work: Callable[[Unit], Result], units: Sequence[Unit], workers: int) -> Iterator[tuple[int, Result]]:
    """See `Engine`."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    with ExitStack() as closing:
        with quiet_start():
            import ray
        closing.callback(ray.shutdown)
        try:
            with quiet_start():
                ray.init(log_to_driver=False, logging_level="ERROR", **_place(workers))
            task = ray.remote(max_retries=RETRIES)(lambda unit: work(unit))
            positions = {task.remote(unit).future(): position for position, unit in enumerate(units)}
            for done in as_completed(positions):  # ray.wait would make another error of a signal
                yield positions[done], done.result()
        except Exception as error:  # of no narrower kind, where Ray does not come up in time
            raise DataError(f"ray: {error}") from error


def _place(workers: int) -> dict[str, Any]:
    joined = os.environ.get(JOINS)
    if joined:
        return {"address": joined}
    return {"address": "local", "num_cpus": workers, "include_dashboard": False}  # by default any that it remembers
