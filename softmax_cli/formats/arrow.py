"""Apache Arrow IPC as a file, also known as Feather."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from softmax_cli.tables.table import ReadOptions, Table, WriteOptions

if TYPE_CHECKING:
    from softmax_cli.formats._ipc import IpcWriter
    from softmax_cli.tables.schema import Schema

SUFFIXES = (".arrow", ".feather", ".ipc")
MAGIC = (b"ARROW1",)
SEEKS = True
BINARY = True


def read(file: BinaryIO, name: str, options: ReadOptions) -> Table:
    """Open an Arrow IPC file, or a stream that goes by the name of one."""
    from softmax_cli.formats._ipc import open_file

    return open_file(file, name, options)


def write(file: BinaryIO, schema: Schema, options: WriteOptions) -> IpcWriter:
    """Begin an Arrow IPC file; a stream where nobody will be able to seek in it."""
    from softmax_cli.formats._ipc import write_file

    return write_file(file, schema)
