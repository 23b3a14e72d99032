"""One JSON document: an array of objects, a row each, or an object of columns. It is written as a stream."""

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
    """Open a table in JSON. A document is held in memory: for more than that, use JSON lines."""
    from softmax_cli.formats.json.documents import open_json

    return open_json(file, name, options)


def write(file: BinaryIO, schema: Schema, options: WriteOptions) -> JsonWriter:
    """Begin an array of objects."""
    from softmax_cli.formats.json.writer import ARRAY, JsonWriter

    return JsonWriter(file, schema, options, ARRAY)
