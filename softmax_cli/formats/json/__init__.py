"""One JSON document: an array of objects, a row each. It is written as a stream, and read as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from softmax_cli.tables.table import ReadOptions, Table, WriteOptions

if TYPE_CHECKING:
    from softmax_cli.formats.json.writer import JsonWriter
    from softmax_cli.tables.schema import Schema

SUFFIXES = (".json",)
MAGIC = (b"[",)
SEEKS = False


def read(file: BinaryIO, name: str, options: ReadOptions) -> Table:
    """Open a table that is an array of objects. All of it is held in memory: for more than that, use JSON lines."""
    from softmax_cli.formats.json.reader import array_blocks, array_rows, open_table

    return open_table(array_blocks(file, name, options.batch_rows), array_rows, name)


def write(file: BinaryIO, schema: Schema, options: WriteOptions) -> JsonWriter:
    """Begin an array of objects."""
    from softmax_cli.formats.json.writer import ARRAY, JsonWriter

    return JsonWriter(file, schema, options, ARRAY)
