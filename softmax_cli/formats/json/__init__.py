"""One JSON document: an array of objects, a row each, or an object of columns. It is written as a stream."""

from __future__ import annotations

from typing import BinaryIO

import pyarrow as pa

from softmax_cli.formats.json.writer import ARRAY, JsonWriter
from softmax_cli.tables.table import ReadOptions, Table, WriteOptions

SUFFIXES = (".json",)
MAGIC = (b"[",)
SEEKS = False


def read(file: BinaryIO, name: str, options: ReadOptions) -> Table:
    """Open a table in JSON. A document is held in memory: for more than that, use JSON lines."""
    from softmax_cli.formats.json.documents import open_json

    return open_json(file, name, options)


def write(file: BinaryIO, schema: pa.Schema, options: WriteOptions) -> JsonWriter:
    """Begin an array of objects."""
    return JsonWriter(file, schema, options, ARRAY)
