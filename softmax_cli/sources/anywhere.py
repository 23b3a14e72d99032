"""A file that is wanted as it is, beside the tables: here or remote."""

from __future__ import annotations

import os
from typing import BinaryIO, cast

from softmax_cli.errors import DataError
from softmax_cli.remote import is_remote, is_there, look, open_binary

CHUNK_BYTES = 1 << 20
MOST_BYTES = 1 << 30


def is_file(name: str) -> bool:
    """Whether there is a file by this name."""
    return is_there(name) if is_remote(name) else os.path.isfile(name)


def open_file(name: str) -> BinaryIO:
    """Open a file for reading bytes; OSError, or the errors of its store, where that fails."""
    return open_binary(name) if is_remote(name) else cast(BinaryIO, open(name, "rb"))


def state_of(name: str) -> list[int | str | None]:
    """Return what tells one state of a file from another: its size, and its time or its version."""
    if is_remote(name):
        held = look(name)
        return [held.size, held.version]
    here = os.stat(name)
    return [here.st_size, here.st_mtime_ns]


def absolute(folder: str, name: str) -> str:
    """Return a name that means the same file wherever it is used; relative ones begin at `folder`."""
    return name if is_remote(name) else os.path.join(folder, name)


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
