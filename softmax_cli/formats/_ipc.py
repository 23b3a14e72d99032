"""What Arrow IPC files and streams share. Nothing in them is trusted before it has been validated."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO, NamedTuple

import pyarrow as pa

from softmax_cli.formats._binary import ArrowSink, PlainTypes, decode_batch, row_bytes, rows_per_block, unreadable
from softmax_cli.storage.reading import pauses
from softmax_cli.storage.remote import RemoteWriter
from softmax_cli.tables.arrays import arrays_of, from_arrow_schema, to_arrow_schema
from softmax_cli.tables.batch import Batch
from softmax_cli.tables.schema import Schema
from softmax_cli.tables.table import Block, ReadOptions, Table

FILE_MAGIC = b"ARROW1"
CONTINUATION = b"\xff\xff\xff\xff"
END_MARK = CONTINUATION + b"\x00\x00\x00\x00"
READ_BYTES = 16 << 20
JOINED_ROWS = 1024
JOINED_BYTES = 1 << 20
WHOLE = "whole Arrow data"
BROKEN = (pa.ArrowException, OSError, ValueError)
"""What pyarrow raises for damaged input, depending on where the damage is."""


class IpcWriter:
    """Writes record batches one by one, in either form of Arrow IPC."""

    def __init__(self, file: BinaryIO, schema: Schema, begin: Callable[[Any, pa.Schema], Any]) -> None:
        self._sink = ArrowSink(file)
        given = to_arrow_schema(schema)
        self._schema = pa.schema([field.with_type(_plain(field.type)) for field in given], metadata=given.metadata)
        self._writer = begin(self._sink.for_arrow(), self._schema)

    def __del__(self) -> None:
        """Without `close`, the file has no end and is not to get one."""
        self._sink.shut()

    def encode(self, batch: Batch) -> pa.RecordBatch:
        """Spell out dictionary-encoded columns: an IPC file cannot change a dictionary from one batch to the next."""
        arrays = arrays_of(batch)
        columns = [array.dictionary_decode() if pa.types.is_dictionary(array.type) else array for array in arrays]
        return pa.RecordBatch.from_arrays(columns, schema=self._schema)

    def write(self, payload: pa.RecordBatch) -> None:
        """Write a batch."""
        self._writer.write_batch(payload)

    def close(self) -> None:
        """Write the end mark, or the footer."""
        self._writer.close()


class _EndRemembered:
    """A file for pyarrow that remembers the last bytes it gave.

    It reads no further than it is asked to, and takes memory only for bytes that have come: the length that a message
    claims may be any number.
    """

    closed = False

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.end = b""

    def read(self, size: int) -> bytearray:
        data = bytearray()
        while len(data) < size and (more := self._file.read(min(size - len(data), READ_BYTES))):
            data += more
        self.end = (self.end + data[-len(END_MARK) :])[-len(END_MARK) :]
        return data

    def is_at_end(self) -> bool:
        return not self._file.read(1)


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def open_stream(file: BinaryIO, name: str, options: ReadOptions) -> Table:
    """Open an Arrow IPC stream.

    Raises
    ------
    DataError
        It is none, is damaged, or has two columns of one name; its blocks raise it where the stream is cut short.
    """
    remembered = _EndRemembered(file)
    try:
        source = pa.ipc.open_stream(pa.PythonFile(remembered, "r"))
    except BROKEN as error:
        raise unreadable(name, WHOLE, error) from error
    types = PlainTypes.of(source.schema, name)

    def batches() -> Iterator[Joined]:
        yield from joined(source, lambda: pauses(file, 0))
        # pyarrow takes a stream that was cut between two batches for a whole one
        if remembered.end != END_MARK:
            raise ValueError("it was cut between two batches: the end mark is missing")
        if not remembered.is_at_end():
            raise ValueError("more follows after its end mark; several streams cannot be joined into one file")

    blocks = to_blocks(batches(), types, name, options)
    schema = from_arrow_schema(types.schema)
    return Table(name, schema, blocks, lambda block, scores: decode_batch(block, scores, name, schema))


class Joined(NamedTuple):
    """Some batches in one."""

    batch: pa.RecordBatch
    pauses: bool = False
    """The next one may be long in coming."""


def joined(batches: Iterable[pa.RecordBatch], is_late: Callable[[], bool]) -> Iterator[Joined]:
    """Validate batches, and join small ones, for a block costs half a millisecond, as long as the next is not late."""
    few: list[pa.RecordBatch] = []
    rows = size = 0
    try:
        for batch in batches:
            batch.validate(full=True)
            few.append(batch)
            rows, size = rows + batch.num_rows, size + batch.get_total_buffer_size()
            waits = is_late()
            if waits or rows >= JOINED_ROWS or size >= JOINED_BYTES:
                yield Joined(_in_one(few), waits)
                few, rows, size = [], 0, 0
    except BROKEN:
        if few:
            yield Joined(_in_one(few))
        raise
    if few:
        yield Joined(_in_one(few))


def _in_one(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    if len(batches) == 1:
        return batches[0]
    whole = pa.Table.from_batches(batches).unify_dictionaries().combine_chunks().to_batches()
    return whole[0] if whole else batches[0]  # of batches without rows, nothing is left


def to_blocks(batches: Iterator[Joined], types: PlainTypes, name: str, options: ReadOptions) -> Iterator[Block]:
    """Cut large batches to the size of a block.

    Raises
    ------
    DataError
        A batch is damaged, or the stream ends before its end mark.
    """
    first_row = 0
    try:
        for batch, waits in batches:
            rows = rows_per_block(batch.schema, options, row_bytes(batch))
            size = batch.get_total_buffer_size() / max(1, batch.num_rows)
            for start in range(0, batch.num_rows, rows):
                part = types(batch.slice(start, rows))
                is_last = start + rows >= batch.num_rows
                yield Block(
                    part, first_row=first_row + start, size=round(part.num_rows * size), pauses=waits and is_last
                )
            first_row += batch.num_rows
    except BROKEN as error:
        raise unreadable(f"{name}: after row {first_row}", WHOLE, error) from error


def open_file(file: BinaryIO, name: str, options: ReadOptions) -> Table:
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
        raise unreadable(name, WHOLE, error) from error
    types = PlainTypes.of(source.schema, name)

    batches = map(source.get_batch, range(source.num_record_batches))
    blocks = to_blocks(joined(batches, lambda: False), types, name, options)
    schema = from_arrow_schema(types.schema)
    return Table(name, schema, blocks, lambda block, scores: decode_batch(block, scores, name, schema), size)


def write_file(file: BinaryIO, schema: Schema) -> IpcWriter:
    """Begin an Arrow IPC file; a stream where nobody will be able to seek in it."""
    is_file = file.seekable() or isinstance(file, RemoteWriter)
    return IpcWriter(file, schema, pa.ipc.new_file if is_file else pa.ipc.new_stream)


def write_stream(file: BinaryIO, schema: Schema) -> IpcWriter:
    """Begin an Arrow IPC stream."""
    return IpcWriter(file, schema, pa.ipc.new_stream)
