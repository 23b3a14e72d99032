"""A file that pyarrow's writers may write to, and that can be shut when a run fails.

pyarrow's writers end their file whenever they are dropped, also after a failure: they would write to a full disk again,
or to a file that is closed by then, and tell about it on stderr a second time.
"""

from __future__ import annotations

import io
from typing import Any, BinaryIO

import pyarrow as pa


class ArrowSink(io.RawIOBase):
    """Passes bytes on to a file until it is shut; then it swallows them."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._is_shut = False

    def for_arrow(self) -> pa.PythonFile:
        """Return the file as pyarrow wants it."""
        return pa.PythonFile(self, "w")

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, data: Any) -> int:
        """Write all of `data`."""
        if not self._is_shut:
            self._file.write(data)
        return len(memoryview(data).cast("B"))

    def shut(self) -> None:
        """Swallow whatever comes from now on."""
        self._is_shut = True
