"""Where the program begins and ends: signals are answered from the first moment, before anything is loaded."""

import atexit
import gc
import os
import signal
import sys
import threading
from types import FrameType
from typing import NoReturn

COLLECTED_FROM = 500_000
"""Objects under way before Python looks for cycles that nothing refers to (it would begin at 700).

Loading modules makes a hundred thousand objects and no such cycles, yet the looks at them take a quarter of the time
of a small table. A stream of blocks makes none either: its memory is flat without a collector.
"""


def main() -> NoReturn:
    """Run the program and end with its exit code."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    gc.set_threshold(COLLECTED_FROM)
    from softmax_cli import cli

    try:
        cli.main()
    except SystemExit as leaving:
        if isinstance(leaving.code, int) and threading.active_count() == 1:
            _leave(leaving.code)
        raise


def _end(number: int, frame: FrameType | None) -> NoReturn:
    """Nothing has been begun: there is nothing to clean up."""
    os._exit(128 + number)


def _leave(code: int) -> NoReturn:
    """End the process as it is: to take every module apart first costs a tenth of the time of a small table."""
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
