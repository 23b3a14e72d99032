"""Comma-separated text, and its relatives with semicolons, bars or tabs: the delimiter is found."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from softmax_cli.tables.table import ReadOptions, Table, WriteOptions

if TYPE_CHECKING:
    from softmax_cli.formats.csv.writer import DelimitedWriter
    from softmax_cli.tables.schema import Schema


SUFFIXES = (".csv", ".txt", ".psv")
MAGIC: tuple[bytes, ...] = ()
SEEKS = False


def read(file: BinaryIO, name: str, options: ReadOptions) -> Table:
    """Open a table of delimited lines."""
    from softmax_cli.formats.csv.reader import open_table

    return open_table(file, name, options)


def write(file: BinaryIO, schema: Schema, options: WriteOptions) -> DelimitedWriter:
    """Begin a file of delimited lines with its header."""
    from softmax_cli.formats.csv.writer import DelimitedWriter

    return DelimitedWriter(file, schema, options)
