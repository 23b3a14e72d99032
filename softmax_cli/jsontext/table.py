"""A table of JSON objects, opened: its columns from the first block, its rows decoded block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain

import pyarrow as pa

from softmax_cli.batches.table import Block, Decoded, Place, Table
from softmax_cli.errors import DataError
from softmax_cli.jsontext.blocks import Row
from softmax_cli.jsontext.columns import find_schema
from softmax_cli.jsontext.decoding import decode_rows, raw
from softmax_cli.jsontext.fast import decode_fast


def open_table(blocks: Iterator[Block], rows_of: Callable[[Block], list[Row]], name: str) -> Table:
    """Look at the first rows and leave the others to be decoded.

    Raises
    ------
    DataError
        There are no rows, or none of the first is an object.
    """
    first = next((block for block in blocks if rows_of(block)), None)
    if first is None:
        raise DataError(f'{name}: no rows; JSON objects were wanted, such as {{"id": 1, "logits": [2.0, -1.0]}}')
    rows = rows_of(first)
    schema = find_schema(rows)
    if not len(schema):
        text = rows[0].text[:40].decode("utf-8", "backslashreplace")
        raise DataError(f"{name}:{rows[0].line}: a JSON object was wanted, found {text!r}")
    return Table(name, schema, chain([first], blocks), partial(_decode, rows_of, schema, name))


def _decode(
    rows_of: Callable[[Block], list[Row]], schema: pa.Schema, name: str, block: Block, scores: Sequence[str]
) -> Decoded:
    def place(row: int, column: str | None) -> Place:
        there = rows_of(block)[row]
        record = there.text.decode("utf-8", "backslashreplace")
        return Place(f"{name}:{there.line}", raw(there, column) if column is not None else record, record)

    batch = decode_fast(block.data, schema, scores) if isinstance(block.data, bytes) else None
    if batch is not None:
        return Decoded(batch, place)
    parsed = decode_rows(rows_of(block), schema, scores)
    return Decoded(parsed.batch, place, parsed.faults)
