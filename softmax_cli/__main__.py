"""Where the program begins: signals are answered from the first moment, before anything is loaded that takes time."""

import os
import signal
from types import FrameType
from typing import NoReturn


def main() -> NoReturn:
    """Run the program and end with its exit code."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    from softmax_cli import cli

    cli.main()


def _end(number: int, frame: FrameType | None) -> NoReturn:
    """Nothing has been begun: there is nothing to clean up."""
    os._exit(128 + number)


if __name__ == "__main__":
    main()
