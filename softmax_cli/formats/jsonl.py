"""JSON lines: one object a row, ``{"id": 1, "logits": [2.0, -1.0]}`` or one key per class."""

from __future__ import annotations

from typing import BinaryIO

import pyarrow as pa

from softmax_cli.formats.json.writer import LINES, JsonWriter
from softmax_cli.tables.table import ReadOptions, Table, WriteOptions

SUFFIXES = (".jsonl", ".ndjson")
MAGIC = (b"{",)
SEEKS = False


def read(file: BinaryIO, name: str, options: ReadOptions) -> Table:
    """Open a table of JSON lines, or of a document under the name of lines."""
    from softmax_cli.formats.json.documents import open_json

    return open_json(file, name, options)


def write(file: BinaryIO, schema: pa.Schema, options: WriteOptions) -> JsonWriter:
    """Begin a file of JSON lines."""
    return JsonWriter(file, schema, options, LINES)
