"""Parquet files written, with a checksum on every page: without, most flipped bits would change numbers silently."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Self

import pyarrow as pa

from softmax_cli.errors import DataError, UsageError, first_line
from softmax_cli.formats._binary import ArrowSink
from softmax_cli.tables.arrays import joined_blocks, to_array, to_arrow_schema
from softmax_cli.tables.batch import Batch, Column, NumberColumn
from softmax_cli.tables.columns import METADATA_KEY, OWN_BEGINNINGS
from softmax_cli.tables.schema import Schema

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

GROUP_ROWS = 1 << 20
GROUP_BYTES = 16 << 20
"""A row group is held in memory until it is written."""
DICTIONARY_BYTES = 256 << 10
"""Of one column in a row group; more text than that, and it is no longer taken to repeat."""
SHORT_ROWS = 1 << 12
"""Numbers of shorter blocks are put together for a row group before Arrow has them: every column of a block costs."""


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
                write_statistics=[field.name for field in self._schema if not _is_of_a_class(field)],
            )
        except pa.ArrowNotImplementedError as error:
            raise UsageError(
                f"Parquet has no such type ({first_line(error)}); choose another format, such as .arrow or .jsonl"
            ) from error
        self._group: list[list[Column]] = []
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
        if hasattr(self, "_writer"):
            self._writer.is_open = False  # or pyarrow would try, and complain where the disk is full
        self._sink.shut()

    def encode(self, batch: Batch) -> tuple[list[Column], int, int]:
        """Make Arrow of a batch, but for the numbers of a short one; with its rows and bytes.

        Arrow's own count takes as long as the conversion where there are many columns, so numbers are counted here.
        """
        shared: dict[int, list[pa.Array]] = {}
        made: list[Column] = []
        size = 0
        for column in batch.columns:
            is_number = isinstance(column, NumberColumn)
            made.append(column if is_number and batch.num_rows < SHORT_ROWS else to_array(column, shared))
            size += column.matrix.itemsize * batch.num_rows if is_number else made[-1].nbytes
        return made, batch.num_rows, size

    def write(self, payload: tuple[list[Column], int, int]) -> None:
        """Take a batch; a row group that is full is written."""
        made, rows, size = payload
        self._group.append(made)
        self._rows += rows
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

    def _write_group(self, group: list[list[Column]]) -> None:
        table = pa.Table.from_arrays(joined_blocks(group), schema=self._schema)
        group.clear()
        try:
            self._writer.write_table(table, row_group_size=table.num_rows)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise DataError(
                f"Parquet cannot hold a value ({first_line(error)}); choose another format, such as .arrow or .jsonl"
            ) from error


def _is_of_a_class(field: pa.Field) -> bool:
    """Whether a column was computed for one class: in every row group it goes from about 0 to about 1."""
    return field.name.startswith(OWN_BEGINNINGS) and METADATA_KEY in (field.metadata or {})


def _holds_text(kind: pa.DataType) -> bool:
    """Only text repeats often enough: a dictionary of computed numbers is slower and larger than the numbers."""
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_dictionary)
    return any(test(kind) for test in tests)
