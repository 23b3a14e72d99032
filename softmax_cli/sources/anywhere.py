"""A file that is wanted as it is, beside the tables: here or remote."""

from __future__ import annotations

import os
from typing import BinaryIO, cast

from softmax_cli.errors import DataError
from softmax_cli.remote import is_remote, is_there, open_binary

CHUNK_BYTES = 1 << 20
MOST_BYTES = 1 << 30


def is_file(name: str) -> bool:
    """Whether there is a file by this name."""
    return is_there(name) if is_remote(name) else os.path.isfile(name)


def open_file(name: str) -> BinaryIO:
    """Open a file for reading bytes; OSError, or the errors of its store, where that fails."""
    return open_binary(name) if is_remote(name) else cast(BinaryIO, open(name, "rb"))


def read_bytes(name: str) -> bytes:
    """Read a small file.

    Raises
    ------
    DataError
        It is larger than a gigabyte.
    """
    data = bytearray()
    with open_file(name) as file:
        while more := file.read(CHUNK_BYTES):
            data += more
            if len(data) > MOST_BYTES:
                raise DataError(f"more than {MOST_BYTES:,} bytes; a small file is wanted")
    return bytes(data)
