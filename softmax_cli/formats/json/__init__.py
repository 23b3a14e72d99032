"""One JSON document: an array of objects, a row each. It is written as a stream, and read as a whole."""

from __future__ import annotations

from typing import BinaryIO

import pyarrow as pa

from softmax_cli.formats.json.writer import ARRAY, JsonWriter
from softmax_cli.tables.table import ReadOptions, Table, WriteOptions

SUFFIXES = (".json",)
MAGIC = (b"[",)
SEEKS = False


def read(file: BinaryIO, name: str, options: ReadOptions) -> Table:
    """Open a table that is an array of objects. All of it is held in memory: for more than that, use JSON lines."""
    from softmax_cli.formats.json.reader import array_blocks, array_rows, open_table

    return open_table(array_blocks(file, name, options.batch_rows), array_rows, name)


def write(file: BinaryIO, schema: pa.Schema, options: WriteOptions) -> JsonWriter:
    """Begin an array of objects."""
    return JsonWriter(file, schema, options, ARRAY)
