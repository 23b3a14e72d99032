"""Parquet files read and written, with a checksum on every page.

Without page checksums most flipped bits change numbers silently: they are written, and verified where they are there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO

import pyarrow as pa

from softmax_cli.errors import DataError, UsageError, first_line
from softmax_cli.formats._binary import ArrowSink, PlainTypes, decode_batch, is_damage, row_bytes, rows_per_block
from softmax_cli.formats._parquet_pages import CheckedPages
from softmax_cli.tables.arrays import arrays_of, from_arrow_schema, to_arrow_schema
from softmax_cli.tables.batch import Batch, NumberColumn
from softmax_cli.tables.pool import read_ahead
from softmax_cli.tables.schema import Schema
from softmax_cli.tables.table import Block, ReadOptions, Table

if TYPE_CHECKING:
    from pyarrow.parquet import FileMetaData, ParquetFile


READ_BUFFERS = 16 << 20
"""Bytes of read-ahead over all columns; whole column chunks would grow with the row groups of the file."""
LEAST_BUFFER, MOST_BUFFER = 64 << 10, 1 << 20
ROWS_LOOKED_AT = 64
GROUP_ROWS = 1 << 20
GROUP_BYTES = 16 << 20
"""A row group is held in memory until it is written."""
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
    blocks = _blocks(source, types, name, rows, size / max(1, metadata.num_rows), groups)
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
    """Gathers batches into row groups. Parquet's own encoding is the work of one thread, and lets the others run."""

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
                write_page_checksum=True,
            )
        except pa.ArrowNotImplementedError as error:
            raise UsageError(
                f"Parquet has no such type ({first_line(error)}); choose another format, such as .arrow or .jsonl"
            ) from error
        self._group: list[pa.RecordBatch] = []
        self._rows = 0
        self._bytes = 0

    def __del__(self) -> None:
        """Without `close`, the file has no footer and is not to get one."""
        self._sink.shut()

    def encode(self, batch: Batch) -> tuple[pa.RecordBatch, int]:
        """Make Arrow of a batch and count its bytes; nothing else can be done ahead of time.

        Arrow's own count takes as long as the conversion where there are many columns, so numbers count 8 bytes each.
        """
        arrays = arrays_of(batch)
        others = [
            array for array, column in zip(arrays, batch.columns, strict=True) if not isinstance(column, NumberColumn)
        ]
        size = sum(array.nbytes for array in others) + 8 * batch.num_rows * (len(arrays) - len(others))
        return pa.RecordBatch.from_arrays(arrays, schema=self._schema), size

    def write(self, payload: tuple[pa.RecordBatch, int]) -> None:
        """Take a batch; a row group that is full is written."""
        made, size = payload
        self._group.append(made)
        self._rows += made.num_rows
        self._bytes += size
        if self._rows >= GROUP_ROWS or self._bytes >= GROUP_BYTES:
            self._write_group()

    def close(self) -> None:
        """Write the last row group and the footer."""
        if self._rows:
            self._write_group()
        self._writer.close()

    def _write_group(self) -> None:
        table = pa.Table.from_batches(self._group, self._schema)
        try:
            self._writer.write_table(table, row_group_size=self._rows)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise DataError(
                f"Parquet cannot hold a value ({first_line(error)}); choose another format, such as .arrow or .jsonl"
            ) from error
        self._group, self._rows, self._bytes = [], 0, 0


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


def _blocks(
    source: ParquetFile, types: PlainTypes, name: str, rows: int, row_size: float, groups: range
) -> Iterator[Block]:
    first_row = sum(source.metadata.row_group(group).num_rows for group in range(groups.start))
    batches = read_ahead(source.iter_batches(batch_size=rows, row_groups=groups))
    try:
        for batch in batches:
            batch.validate(full=True)  # texts that are no UTF-8 are taken by pyarrow as they are
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
