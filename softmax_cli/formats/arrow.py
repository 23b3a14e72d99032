"""Apache Arrow IPC as a file, which Feather is too; a pipe, whose reader cannot seek, gets the batches as a stream."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import pyarrow as pa

from softmax_cli.batches.table import ReadOptions, Table, WriteOptions
from softmax_cli.binary.batches import check_names, decode_batch
from softmax_cli.binary.ipc import BROKEN, FILE_MAGIC, IpcWriter, open_stream, to_blocks, unreadable
from softmax_cli.remote import RemoteWriter

SUFFIXES = (".arrow", ".feather", ".ipc")
MAGIC = (FILE_MAGIC,)
SEEKS = True


def read(file: BinaryIO, name: str, options: ReadOptions) -> Table:
    """Open an Arrow IPC file, or a stream that goes by the name of one.

    Raises
    ------
    DataError
        It is neither, is cut short or damaged, or has two columns of one name.
    """
    size = file.seek(0, 2)
    file.seek(0)
    begins = file.read(len(FILE_MAGIC))
    file.seek(0)
    if begins != FILE_MAGIC:
        return open_stream(file, name, options)
    try:
        source = pa.ipc.open_file(file)
    except BROKEN as error:
        raise unreadable(name, error) from error
    check_names(source.schema, name)

    def batches() -> Iterator[pa.RecordBatch]:
        return (source.get_batch(index) for index in range(source.num_record_batches))

    blocks = to_blocks(batches(), name, options)
    return Table(name, source.schema, blocks, lambda block, scores: decode_batch(block, scores, name), size)


def write(file: BinaryIO, schema: pa.Schema, options: WriteOptions) -> IpcWriter:
    """Begin an Arrow IPC file; a stream where nobody will be able to seek in it."""
    is_file = file.seekable() or isinstance(file, RemoteWriter)
    return IpcWriter(file, schema, pa.ipc.new_file if is_file else pa.ipc.new_stream)
