"""Temporary files: whose folder does not take them, and what to do about it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from softmax_cli.errors import DataError

MORE_SPACE = "set TMPDIR to a folder with more space"


@contextmanager
def temporary_space(what: str, them: str = "it", way_out: str = MORE_SPACE) -> Iterator[None]:
    """Say what a temporary file was for, and what to do, where its folder does not take it.

    Parameters
    ----------
    what : str
        Begins the message: who keeps what.
    them : str
        Stands for the file, or the files.
    way_out : str
        Ends the message.

    Raises
    ------
    DataError
        The disk of the folder is full, or it cannot be written to.
    """
    import tempfile

    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise DataError(f"{what}, and {tempfile.gettempdir()} did not take {them}: {reason}; {way_out}") from error
