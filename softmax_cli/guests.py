"""Libraries that take a process for their own: they print, warn, and put their own handlers of signals."""

from __future__ import annotations

import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

STOPS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def output_aside() -> Iterator[None]:
    """Send to standard error what is printed meanwhile, by this process and those it starts: output is data."""
    if sys.stdout is None:  # the shell has closed it: 1>&-
        yield
        return
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


@contextmanager
def settling_in() -> Iterator[None]:
    """Import and start a guest: its warnings are not for the user, and our own handlers of signals stay."""
    ours = {number: signal.getsignal(number) for number in STOPS}
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        if threading.current_thread() is threading.main_thread():  # nobody else may, and hence nobody else has
            for number, handler in ours.items():
                signal.signal(number, handler)
