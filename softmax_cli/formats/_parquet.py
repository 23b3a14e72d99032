"""Parquet files read and written, with a checksum on every page.

Without page checksums most flipped bits change numbers silently: they are written, and verified where they are there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, Self

import pyarrow as pa

from softmax_cli.errors import DataError, UsageError, first_line
from softmax_cli.formats._binary import ArrowSink, PlainTypes, decode_batch, is_damage, row_bytes, rows_per_block
from softmax_cli.formats._parquet_pages import CheckedPages
from softmax_cli.tables.arrays import arrays_of, from_arrow_schema, to_arrow_schema
from softmax_cli.tables.batch import Batch, NumberColumn
from softmax_cli.tables.schema import Schema
from softmax_cli.tables.table import Block, ReadOptions, Table
from softmax_cli.tables.threads import read_ahead

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

    from pyarrow.parquet import FileMetaData, ParquetFile


READ_BUFFERS = 16 << 20
"""Bytes of read-ahead over all columns; whole column chunks would grow with the row groups of the file."""
LEAST_BUFFER, MOST_BUFFER = 16 << 10, 1 << 20
WHOLE_BYTES = 64 << 20
"""Row groups up to this size are read as a whole, some columns at a time: every column of a batch has its cost, and
readers of all columns side by side hold a page of each."""
PAGES_BYTES = 512 << 10
"""What those readers hold of a column: a page and a dictionary, of up to 1 MB each."""
COLUMNS_AT_ONCE = 16
ROWS_LOOKED_AT = 64
GROUP_ROWS = 1 << 20
GROUP_BYTES = 16 << 20
"""A row group is held in memory until it is written."""
DICTIONARY_BYTES = 256 << 10
"""Of one column in a row group; more text than that, and it is no longer taken to repeat."""
BROKEN = (pa.ArrowException, OSError, ValueError)
"""What pyarrow raises for damaged files, depending on where the damage is."""


def open_parquet(file: BinaryIO, name: str, options: ReadOptions) -> Table:
    """Open a Parquet file.

    Raises
    ------
    DataError
        It is no Parquet file, is cut short or damaged, or has two columns of one name.
    """
    import pyarrow.parquet as pq

    size = file.seek(0, 2)
    try:
        metadata = pq.read_metadata(file)
        groups = range(metadata.num_row_groups) if options.row_groups is None else options.row_groups
        source = pq.ParquetFile(
            CheckedPages(file, size, metadata, groups),
            metadata=metadata,
            pre_buffer=False,  # pre-buffering keeps every row group that was read: memory grows with the file
            buffer_size=min(MOST_BUFFER, max(LEAST_BUFFER, READ_BUFFERS // max(1, metadata.num_columns))),
            page_checksum_verification=True,
        )
        types = PlainTypes.of(source.schema_arrow, name)
        width = _expected_row_bytes(source, groups)
    except BROKEN as error:
        raise _unreadable(name, error) from error
    rows = rows_per_block(types.schema, options, width)
    largest = max((metadata.row_group(group).num_rows for group in groups), default=0) * width
    held = largest * min(2, len(groups))  # the next one is read ahead
    is_whole = 0 < largest <= WHOLE_BYTES or 0 < held <= PAGES_BYTES * metadata.num_columns
    batches = (_whole_groups if is_whole else _batches)(source, rows, groups)
    first_row = sum(metadata.row_group(group).num_rows for group in range(groups.start))
    blocks = _blocks(batches, types, name, size / max(1, metadata.num_rows), first_row)
    schema = from_arrow_schema(types.schema)
    return Table(name, schema, blocks, lambda block, scores: decode_batch(block, scores, name, schema), size)


def group_sizes(file: BinaryIO, name: str) -> list[tuple[int, int]]:
    """Return how many rows, and bytes before compression, each row group holds: a large file can be read in parts.

    Raises
    ------
    DataError
        It is no Parquet file, or is cut short.
    """
    import pyarrow.parquet as pq

    try:
        metadata = pq.read_metadata(file)
        rows = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
        return list(zip(rows, _group_bytes(metadata), strict=True))
    except BROKEN as error:
        raise _unreadable(name, error) from error


class ParquetTableWriter:
    """Gathers batches into row groups, and writes each on a thread of its own while the next is gathered.

    Parquet's own encoding takes about as long as all the rest, and cannot be done on several threads.
    """

    def __init__(self, file: BinaryIO, schema: Schema) -> None:
        import pyarrow.parquet as pq

        self._schema = to_arrow_schema(schema)
        self._sink = ArrowSink(file)
        try:
            self._writer = pq.ParquetWriter(
                self._sink.for_arrow(),
                self._schema,
                compression="snappy",
                use_dictionary=[field.name for field in self._schema if _holds_text(field.type)],
                dictionary_pagesize_limit=DICTIONARY_BYTES,
                max_rows_per_page=GROUP_ROWS,  # a page ends by its bytes: thousands of small ones take longer
                write_page_checksum=True,
            )
        except pa.ArrowNotImplementedError as error:
            raise UsageError(
                f"Parquet has no such type ({first_line(error)}); choose another format, such as .arrow or .jsonl"
            ) from error
        self._group: list[pa.RecordBatch] = []
        self._rows = 0
        self._bytes = 0
        self._pool: ThreadPoolExecutor | None = None
        self._being_written: Future[None] | None = None

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *error: object) -> None:
        """Wait for a row group that is being written: the file is about to be closed, perhaps after an error."""
        if self._pool is not None:
            self._pool.shutdown(wait=True)

    def __del__(self) -> None:
        """Without `close`, the file has no footer and is not to get one."""
        self._sink.shut()

    def encode(self, batch: Batch) -> tuple[pa.RecordBatch, int]:
        """Make Arrow of a batch and count its bytes; nothing else can be done ahead of time.

        Arrow's own count takes as long as the conversion where there are many columns, so numbers are counted here.
        """
        arrays = arrays_of(batch)
        size = 0
        for array, column in zip(arrays, batch.columns, strict=True):
            size += column.matrix.itemsize * batch.num_rows if isinstance(column, NumberColumn) else array.nbytes
        return pa.RecordBatch.from_arrays(arrays, schema=self._schema), size

    def write(self, payload: tuple[pa.RecordBatch, int]) -> None:
        """Take a batch; a row group that is full is written."""
        made, size = payload
        self._group.append(made)
        self._rows += made.num_rows
        self._bytes += size
        if self._rows >= GROUP_ROWS or self._bytes >= GROUP_BYTES:
            self._wait()
            if self._pool is None:
                from concurrent.futures import ThreadPoolExecutor

                self._pool = ThreadPoolExecutor(1, thread_name_prefix="parquet")
            self._being_written = self._pool.submit(self._write_group, self._group)
            self._group, self._rows, self._bytes = [], 0, 0

    def close(self) -> None:
        """Write the last row group and the footer."""
        self._wait()
        if self._rows:
            self._write_group(self._group)
        self._writer.close()

    def _wait(self) -> None:
        if self._being_written is not None:
            self._being_written.result()
            self._being_written = None

    def _write_group(self, group: list[pa.RecordBatch]) -> None:
        table = pa.Table.from_batches(group, self._schema)
        group.clear()
        try:
            self._writer.write_table(table, row_group_size=table.num_rows)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise DataError(
                f"Parquet cannot hold a value ({first_line(error)}); choose another format, such as .arrow or .jsonl"
            ) from error


def _expected_row_bytes(source: ParquetFile, groups: range) -> float:
    """Return about how many bytes a row takes in memory.

    The footer says what the columns take in the file, where a text that repeats takes next to nothing: a few rows of
    the columns that can repeat are read to see.
    """
    metadata = source.metadata
    rows = sum(metadata.row_group(group).num_rows for group in groups)
    report = float(sum(metadata.row_group(group).total_byte_size for group in groups) / max(1, rows))
    varying = [field.name for field in source.schema_arrow if not _has_fixed_width(field.type)]
    if not varying or not rows:
        return report
    first = next(source.iter_batches(batch_size=ROWS_LOOKED_AT, row_groups=groups, columns=varying), None)
    return report if first is None else max(report, row_bytes(first))


def _group_bytes(metadata: FileMetaData) -> list[int]:
    return [metadata.row_group(group).total_byte_size for group in range(metadata.num_row_groups)]


def _batches(source: ParquetFile, rows: int, groups: range) -> Iterator[pa.RecordBatch]:
    for batch in source.iter_batches(batch_size=rows, row_groups=groups, use_threads=False):
        batch.validate(full=True)  # texts that are no UTF-8 are taken by pyarrow as they are
        yield batch


def _whole_groups(source: ParquetFile, rows: int, groups: range) -> Iterator[pa.RecordBatch]:
    names = source.schema_arrow.names
    parts: list[list[str] | None] = [names[at : at + COLUMNS_AT_ONCE] for at in range(0, len(names), COLUMNS_AT_ONCE)]
    if any("." in name for name in names):  # "a.b" is also what pyarrow calls the value b of structures in a column a
        parts = [None]
    for group in (group for group in groups if source.metadata.row_group(group).num_rows):
        yield from _cut(_row_group(source, group, parts), rows)


def _row_group(source: ParquetFile, group: int, parts: list[list[str] | None]) -> pa.RecordBatch:
    tables = [source.read_row_group(group, part, use_threads=False) for part in parts]
    columns = [column for table in tables for column in table.columns]
    arrays = [column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks) for column in columns]
    batch = pa.RecordBatch.from_arrays(arrays, schema=source.schema_arrow)
    batch.validate(full=True)
    return batch


def _cut(batch: pa.RecordBatch, rows: int) -> Iterator[pa.RecordBatch]:
    for start in range(0, batch.num_rows, rows):
        yield batch.slice(start, rows)


def _blocks(
    batches: Iterator[pa.RecordBatch], types: PlainTypes, name: str, row_size: float, first_row: int
) -> Iterator[Block]:
    try:
        for batch in read_ahead(batches):
            yield Block(types(batch), first_row=first_row, size=round(batch.num_rows * row_size))
            first_row += batch.num_rows
    except BROKEN as error:
        raise _unreadable(f"{name}: after row {first_row}", error) from error


def _unreadable(name: str, error: Exception) -> Exception:
    """Say that a file is damaged, in one line; an error of memory stays what it is."""
    if not is_damage(error):
        return error
    return DataError(f"{name}: not a whole Parquet file ({first_line(error)}); fetch it or write it again")


def _has_fixed_width(kind: pa.DataType) -> bool:
    return bool(pa.types.is_primitive(kind) or pa.types.is_null(kind) or pa.types.is_decimal(kind))


def _holds_text(kind: pa.DataType) -> bool:
    """Only text repeats often enough: a dictionary of computed numbers is slower and larger than the numbers."""
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_dictionary)
    return any(test(kind) for test in tests)
