"""Parquet files read by row groups: whole where they are small, else batch by batch; page checksums are verified."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, cast

import pyarrow as pa

from softmax_cli.formats._binary import PlainTypes, decode_batch, opened_again, row_bytes, rows_per_block, unreadable
from softmax_cli.formats.parquet.pages import CheckedPages
from softmax_cli.tables.arrays import from_arrow_schema
from softmax_cli.tables.table import Block, ReadOptions, Table
from softmax_cli.tables.threads import read_ahead

if TYPE_CHECKING:
    from pyarrow.parquet import FileMetaData, ParquetFile


READ_BUFFERS = 16 << 20
"""Bytes of read-ahead over all columns; whole column chunks would grow with the row groups of the file."""
LEAST_BUFFER, MOST_BUFFER = 16 << 10, 1 << 20
WHOLE_BYTES = 64 << 20
"""Row groups up to this size are read as a whole, some columns at a time: every column of a batch has its cost, and
readers of all columns side by side hold a page of each."""
KEPT_BYTES = 32 << 20
"""What is kept at a time of a larger one that is read by columns."""
PAGES_BYTES = 512 << 10
"""What those readers hold of a column: a page and a dictionary, of up to 1 MB each."""
COLUMNS_AT_ONCE = 16
ROWS_LOOKED_AT = 64
WHOLE = "a whole Parquet file"
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
        pages = CheckedPages(file, size, metadata, groups)
        own = opened_again(file, "rb")
        open_file = pq.ParquetFile(
            pages if own is None else own,
            metadata=metadata,
            pre_buffer=False,  # pre-buffering keeps every row group that was read: memory grows with the file
            buffer_size=min(MOST_BUFFER, max(LEAST_BUFFER, READ_BUFFERS // max(1, metadata.num_columns))),
            page_checksum_verification=True,
        )
        source = _Source(open_file, None if own is None else pages)
        types = PlainTypes.of(open_file.schema_arrow, name)
        width = _expected_row_bytes(source, groups)
    except BROKEN as error:
        raise unreadable(name, WHOLE, error) from error
    rows = rows_per_block(types.schema, options, width)
    largest = max((metadata.row_group(group).num_rows for group in groups), default=0) * width
    held = largest * min(2, len(groups))  # the next one is read ahead
    if 0 < largest <= WHOLE_BYTES or 0 < held <= PAGES_BYTES * metadata.num_columns:
        # What comes from afar is fetched once, whatever memory that takes.
        kept = rows * max(1, round(KEPT_BYTES / width / rows)) if own is not None and largest > WHOLE_BYTES else None
        batches = _by_columns(source, rows, groups, kept)
    else:
        batches = _batches(source, rows, groups)
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
        raise unreadable(name, WHOLE, error) from error


class _Source(NamedTuple):
    """A file, and its pages where they are to be looked at before pyarrow reads them by itself."""

    file: ParquetFile
    pages: CheckedPages | None

    def batches(self, rows: int, group: int, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Read a row group batch by batch."""
        self._check(group, columns)
        return cast(
            "Iterator[pa.RecordBatch]",
            self.file.iter_batches(batch_size=rows, row_groups=[group], columns=columns, use_threads=False),
        )

    def table(self, group: int, columns: list[str] | None) -> pa.Table:
        """Read a row group at once, on several threads where none of them would wait for Python."""
        self._check(group, columns)
        return self.file.read_row_group(group, columns, use_threads=self.pages is not None)

    def _check(self, group: int, columns: list[str] | None) -> None:
        if self.pages is not None:
            self.pages.check(group, columns)


def _expected_row_bytes(source: _Source, groups: range) -> float:
    """Return about how many bytes a row takes in memory.

    The footer says what the columns take in the file, where a text that repeats takes next to nothing: a few rows of
    the columns that can repeat are read to see. And numbers that do not repeat may take more there than in memory.
    """
    metadata, schema = source.file.metadata, source.file.schema_arrow
    filled = [group for group in groups if metadata.row_group(group).num_rows]
    fixed, varying = 0.0, []
    for place, kind in enumerate(schema.types):
        width = _width(kind)
        if width is None:
            varying.append(place)
        else:
            fixed += width
    if not varying or not filled:
        return fixed
    if metadata.num_columns > len(schema):  # nested ones have several columns in the file
        report = sum(metadata.row_group(group).total_byte_size for group in filled)
    else:
        report = sum(metadata.row_group(g).column(place).total_uncompressed_size for g in filled for place in varying)
    report /= sum(metadata.row_group(group).num_rows for group in filled)
    first = next(source.batches(ROWS_LOOKED_AT, filled[0], [schema.names[place] for place in varying]), None)
    return float(fixed + max(report, 0 if first is None else row_bytes(first)))


def _group_bytes(metadata: FileMetaData) -> list[int]:
    return [metadata.row_group(group).total_byte_size for group in range(metadata.num_row_groups)]


def _batches(source: _Source, rows: int, groups: range) -> Iterator[pa.RecordBatch]:
    for group in groups:
        for batch in source.batches(rows, group):
            batch.validate(full=True)  # texts that are no UTF-8 are taken by pyarrow as they are
            yield batch


def _by_columns(source: _Source, rows: int, groups: range, kept: int | None) -> Iterator[pa.RecordBatch]:
    """Read row groups some columns at a time, over and over again where only `kept` rows of them are kept at a time."""
    names = source.file.schema_arrow.names
    parts: list[list[str] | None] = [names[at : at + COLUMNS_AT_ONCE] for at in range(0, len(names), COLUMNS_AT_ONCE)]
    if any("." in name for name in names):  # "a.b" is also what pyarrow calls the value b of structures in a column a
        parts = [None]
    for group in groups:
        there = source.file.metadata.row_group(group).num_rows
        step = kept or max(1, there)
        for start in range(0, there, step):
            yield from _cut(_stretch(source, group, parts, start, step), rows)


def _stretch(source: _Source, group: int, parts: list[list[str] | None], start: int, rows: int) -> pa.RecordBatch:
    """Read all columns of some rows of a group; the rest of it is let go of again."""
    arrays = []
    for part in parts:
        for column in source.table(group, part).columns:
            chunks = column.slice(start, rows).chunks
            arrays.append(chunks[0] if len(chunks) == 1 and len(column) == rows else pa.concat_arrays(chunks))
    batch = pa.RecordBatch.from_arrays(arrays, schema=source.file.schema_arrow)
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
        raise unreadable(f"{name}: after row {first_row}", WHOLE, error) from error


def _width(kind: pa.DataType) -> float | None:
    """Return the bytes of every value of a type; None where they differ."""
    if pa.types.is_null(kind):
        return 0
    return kind.bit_width / 8 if pa.types.is_primitive(kind) or pa.types.is_decimal(kind) else None
