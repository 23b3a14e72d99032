"""Tab-separated text."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from softmax_cli.tables.table import ReadOptions, Table, WriteOptions

if TYPE_CHECKING:
    from softmax_cli.formats.csv.writer import DelimitedWriter
    from softmax_cli.tables.schema import Schema


SUFFIXES = (".tsv", ".tab")
MAGIC: tuple[bytes, ...] = ()
SEEKS = False


def read(file: BinaryIO, name: str, options: ReadOptions) -> Table:
    """Open a table of lines whose cells are separated by tabs, unless another delimiter was given."""
    from softmax_cli.formats.csv.reader import open_table

    return open_table(file, name, options, delimiter="\t")


def write(file: BinaryIO, schema: Schema, options: WriteOptions) -> DelimitedWriter:
    """Begin a file of such lines with its header."""
    from softmax_cli.formats.csv.writer import DelimitedWriter

    return DelimitedWriter(file, schema, options._replace(delimiter="\t"))
