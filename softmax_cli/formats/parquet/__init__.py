"""Apache Parquet: columns in row groups, with a checksum on every page."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from softmax_cli.tables.table import ReadOptions, Table, WriteOptions

if TYPE_CHECKING:
    from softmax_cli.formats.parquet.writer import ParquetTableWriter
    from softmax_cli.tables.schema import Schema

SUFFIXES = (".parquet", ".pq")
MAGIC = (b"PAR1",)
SEEKS = True
BINARY = True


def read(file: BinaryIO, name: str, options: ReadOptions) -> Table:
    """Open a Parquet file."""
    from softmax_cli.formats.parquet.reader import open_parquet

    return open_parquet(file, name, options)


def row_groups(file: BinaryIO, name: str) -> list[tuple[int, int]]:
    """Return how many rows, and bytes before compression, each row group holds: a large file can be read in parts."""
    from softmax_cli.formats.parquet.reader import group_sizes

    return group_sizes(file, name)


def write(file: BinaryIO, schema: Schema, options: WriteOptions) -> ParquetTableWriter:
    """Begin a Parquet file."""
    from softmax_cli.formats.parquet.writer import ParquetTableWriter

    return ParquetTableWriter(file, schema)
