"""An input that is read twice: files are opened again, and the standard input is kept in a temporary file."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO, cast

from softmax_cli.errors import UsageError
from softmax_cli.sources.paths import STDIN
from softmax_cli.sources.spool import spool


def make_rereadable(paths: Sequence[str], flag: str) -> Callable[[], None]:
    """Prepare inputs for a second reading.

    Parameters
    ----------
    paths : sequence of str
        As typed; none: the standard input.
    flag : str
        The option that needs it, for messages.

    Returns
    -------
    callable
        Goes back to where the standard input began, to be called before the second reading.

    Raises
    ------
    UsageError
        An input is a named pipe, which is gone after one reading.
    DataError
        The standard input does not fit into the temporary folder.
    """
    pipes = [path for path in paths if path != STDIN and Path(path).is_fifo()]
    if pipes:
        raise UsageError(
            f"{flag} reads the input twice, and {pipes[0]} is a pipe that is gone after once: save it to a file"
        )
    if paths and STDIN not in paths:
        return lambda: None
    if os.isatty(0):  # nobody has piped anything in, as whoever opens it will say
        return lambda: None
    with open(os.dup(0), "rb", buffering=0) as given:
        if not given.seekable():
            with spool(cast(BinaryIO, given), "stdin") as copy:
                os.dup2(copy.fileno(), 0)
    start = os.lseek(0, 0, os.SEEK_CUR)

    def rewind() -> None:
        os.lseek(0, start, os.SEEK_SET)

    return rewind
