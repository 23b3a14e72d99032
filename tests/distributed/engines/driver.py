"""A driver to be run as a program: units that sleep, fail, or kill their worker, on the engine that is named.

``python driver.py ENGINE FOLDER WHAT...``: one unit for each WHAT. It prints what came, as JSON.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

from softmax_cli.cli import Stop
from softmax_cli.distributed import engines
from softmax_cli.errors import DataError, SoftmaxCliError, StoppedError


def work(unit: tuple[str, str, int]) -> tuple[int, int]:
    """Do what the unit says; leave a mark for every attempt."""
    what, folder, number = unit
    attempts = len(list(Path(folder).glob(f"{number}-*")))
    Path(folder, f"{number}-{attempts}").touch()
    if what == "kill" or (what == "kill-once" and not attempts):
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "fail":
        raise DataError(f"unit {number}: bad row")
    if what == "print":
        os.write(1, b"chatter\n")
    time.sleep(float(what.removeprefix("sleep")) if what.startswith("sleep") else 0.05)
    return number, number * number


def main(name: str, folder: str, *whats: str) -> None:
    """Run the units, and say how it ended."""
    Stop().listen()
    units = [(what, folder, number) for number, what in enumerate(whats)]
    came, error = [], None
    try:
        came += [(position, *result) for position, result in engines.by_name(name).run(work, units, 2)]
    except SoftmaxCliError as raised:
        error = f"{type(raised).__name__}: {raised}"
    except StoppedError as stopped:
        sys.exit(128 + stopped.args[0])
    print(json.dumps({"came": came, "error": error}))


if __name__ == "__main__":
    main(*sys.argv[1:])
