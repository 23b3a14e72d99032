"""Units side by side on this machine, each in a process of its own: one interpreter would share its lock among them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool

from softmax_cli.distributed.engines import Result, Unit
from softmax_cli.errors import DataError

NEEDS = None
LOSSES = 4
"""So many times in a row a worker may be killed before a unit is done."""


def run(work: Callable[[Unit], Result], units: Sequence[Unit], workers: int) -> Iterator[tuple[int, Result]]:
    """See `Engine`."""
    waiting, losses = dict(enumerate(units)), 0
    if min(workers, len(units)) <= 1:
        for position, unit in waiting.items():
            yield position, work(unit)
        return
    while waiting:
        pool = ProcessPoolExecutor(workers, multiprocessing.get_context("forkserver"), _start_worker)
        try:
            positions = {pool.submit(work, unit): position for position, unit in waiting.items()}
            for done in as_completed(positions):
                yield positions[done], done.result()
                del waiting[positions[done]]
                losses = 0
        except BrokenProcessPool:
            losses += 1
            if losses == LOSSES:
                raise DataError(
                    f"a worker was killed {LOSSES} times; perhaps memory is short: try --threads 1"
                ) from None
        finally:
            for process in multiprocessing.active_children():
                process.kill()
            pool.shutdown(cancel_futures=True)


def _start_worker() -> None:
    """Leave Ctrl-C to the driver, and end with it, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow_driver, daemon=True).start()


def _follow_driver() -> None:
    if driver := multiprocessing.parent_process():
        driver.join()
    os._exit(1)
