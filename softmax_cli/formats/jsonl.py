"""JSON lines: one object a row, ``{"id": 1, "logits": [2.0, -1.0]}`` or one key per class."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from softmax_cli.tables.table import ReadOptions, Table, WriteOptions

if TYPE_CHECKING:
    from softmax_cli.formats.json.writer import JsonWriter
    from softmax_cli.tables.schema import Schema

SUFFIXES = (".jsonl", ".ndjson")
MAGIC = (b"{",)
SEEKS = False


def read(file: BinaryIO, name: str, options: ReadOptions) -> Table:
    """Open a table of JSON lines, or of a document under the name of lines."""
    from softmax_cli.formats.json.documents import open_json

    return open_json(file, name, options)


def write(file: BinaryIO, schema: Schema, options: WriteOptions) -> JsonWriter:
    """Begin a file of JSON lines."""
    from softmax_cli.formats.json.writer import LINES, JsonWriter

    return JsonWriter(file, schema, options, LINES)
