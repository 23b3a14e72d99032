"""Apache Arrow IPC as a stream: what programs pipe to each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from softmax_cli.tables.table import ReadOptions, Table, WriteOptions

if TYPE_CHECKING:
    from softmax_cli.formats._ipc import IpcWriter
    from softmax_cli.tables.schema import Schema

SUFFIXES = (".arrows",)
MAGIC = (b"\xff\xff\xff\xff",)
SEEKS = False
BINARY = True


def read(file: BinaryIO, name: str, options: ReadOptions) -> Table:
    """Open an Arrow IPC stream."""
    from softmax_cli.formats._ipc import open_stream

    return open_stream(file, name, options)


def write(file: BinaryIO, schema: Schema, options: WriteOptions) -> IpcWriter:
    """Begin an Arrow IPC stream."""
    from softmax_cli.formats._ipc import write_stream

    return write_stream(file, schema)
