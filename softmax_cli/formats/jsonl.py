"""JSON lines: one object a row, ``{"id": 1, "logits": [2.0, -1.0]}`` or one key per class."""

from __future__ import annotations

from typing import BinaryIO

import pyarrow as pa

from softmax_cli.batches.table import ReadOptions, Table, WriteOptions
from softmax_cli.jsontext.writer import LINES, JsonWriter

SUFFIXES = (".jsonl", ".ndjson")
MAGIC = (b"{",)
SEEKS = False


def read(file: BinaryIO, name: str, options: ReadOptions) -> Table:
    """Open a table of JSON lines."""
    from softmax_cli.jsontext.blocks import line_blocks, line_rows
    from softmax_cli.jsontext.table import open_table

    return open_table(line_blocks(file, name), line_rows, name)


def write(file: BinaryIO, schema: pa.Schema, options: WriteOptions) -> JsonWriter:
    """Begin a file of JSON lines."""
    return JsonWriter(file, schema, options, LINES)
