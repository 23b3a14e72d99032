"""A pipe made seekable: its bytes in a temporary file that has no name and vanishes with the process."""

from __future__ import annotations

import os
from typing import BinaryIO, cast

from softmax_cli.errors import DataError

COPY_BYTES = 1 << 20


def spool(file: BinaryIO, name: str) -> BinaryIO:
    """Copy a pipe to an unnamed temporary file, for a format that is not read from front to back.

    Raises
    ------
    DataError
        The disk of the temporary folder is full.
    """
    import shutil
    import tempfile

    copy = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    try:
        shutil.copyfileobj(file, copy, COPY_BYTES)
    except OSError as error:
        copy.close()
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise DataError(
            f"{name}: this format needs a temporary copy of what comes through a pipe or compressed, and "
            f"{tempfile.gettempdir()} did not take it: {reason}; "
            "name a plain file, or set TMPDIR to a folder with more space"
        ) from error
    except BaseException:
        copy.close()
        raise
    copy.seek(0)
    return cast(BinaryIO, copy)
