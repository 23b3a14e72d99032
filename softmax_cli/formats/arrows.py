"""Apache Arrow IPC as a stream: what programs pipe to each other."""

from __future__ import annotations

from typing import BinaryIO

import pyarrow as pa

from softmax_cli.formats.arrow import CONTINUATION, IpcWriter, open_stream
from softmax_cli.tables.table import ReadOptions, Table, WriteOptions

SUFFIXES = (".arrows",)
MAGIC = (CONTINUATION,)
SEEKS = False
IS_ARRAY = False


def read(file: BinaryIO, name: str, options: ReadOptions) -> Table:
    """Open an Arrow IPC stream.

    Raises
    ------
    DataError
        It is none, is cut short (also between two batches) or damaged, or has two columns of one name.
    """
    return open_stream(file, name, options)


def write(file: BinaryIO, schema: pa.Schema, options: WriteOptions) -> IpcWriter:
    """Begin an Arrow IPC stream."""
    return IpcWriter(file, schema, pa.ipc.new_stream)
