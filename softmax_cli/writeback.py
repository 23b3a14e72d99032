"""The disk takes a file while it is still being written, so that the fsync at its end finds little left to wait for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

_PAUSE_SECONDS = 0.03
_write_back = getattr(os, "fdatasync", os.fsync)  # macOS has no fdatasync


@contextmanager
def early_writeback(descriptor: int) -> Iterator[None]:
    """Send to the disk, again and again until the block ends, what has been written to a file.

    Raises
    ------
    OSError
        The disk failed. The kernel tells that to one call alone, so a later fsync would not.
    """
    is_written = Event()
    failures: list[OSError] = []

    def flush() -> None:
        try:
            while not is_written.wait(_PAUSE_SECONDS):
                _write_back(descriptor)
        except OSError as error:
            failures.append(error)

    flushing = Thread(target=flush, name="writeback")
    flushing.start()
    try:
        yield
    finally:
        is_written.set()
        flushing.join()
    if failures:
        raise failures[0]
