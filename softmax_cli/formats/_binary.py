"""What the binary formats share: blocks that are record batches already, and finding a row of them again."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Sequence
from typing import Any, BinaryIO

import pyarrow as pa

from softmax_cli.errors import DataError
from softmax_cli.tables.arrays import from_arrow
from softmax_cli.tables.column_names import repeated
from softmax_cli.tables.table import Block, Decoded, Place, ReadOptions

BLOCK_BYTES = 4 << 20
LEAST_ROWS, MOST_ROWS = 64, 1 << 17
MOST_BYTES = 64 << 20
"""Very wide rows come together up to this size, for the sake of the work that every block costs."""
TEXT_BYTES = 16
"""What a cell of unknown width is taken for."""
SHOWN_CHARACTERS = 60


def rows_per_block(schema: pa.Schema, options: ReadOptions, row_bytes: float = 0) -> int:
    """How many rows make a block of about 4 MB.

    Parameters
    ----------
    row_bytes : float
        Mean size of a row where the file tells it, in bytes; lists and text are as wide as their content.
    """
    if options.batch_rows is not None:
        return options.batch_rows
    width = max(row_bytes, sum(_width(field.type) for field in schema), 1)
    rows = max(BLOCK_BYTES // width, min(LEAST_ROWS, MOST_BYTES // width))
    return int(min(MOST_ROWS, max(1, rows)))


def check_names(schema: pa.Schema, name: str) -> None:
    """Refuse a table in which a column cannot be told from another by its name.

    Raises
    ------
    DataError
        Two columns have the same name, or a name is not text.
    """
    try:
        names = schema.names
    except UnicodeDecodeError as error:
        raise DataError(f"{name}: a column name is not UTF-8 ({error.reason}); fetch it or write it again") from error
    if doubled := repeated(names):
        raise DataError(f"{name}: two columns have the same name: {', '.join(map(repr, doubled))}; rename one of them")


def decode_batch(block: Block, scores: Sequence[str], name: str) -> Decoded:
    """Give the record batch that a block is; the columns have their types already.

    Raises
    ------
    DataError
        A column of `scores` is not there.
    """
    batch: pa.RecordBatch = block.data
    there = set(batch.schema.names)
    if missing := [score for score in scores if score not in there]:
        raise DataError(f"{name}: no column {missing[0]!r}; there are: {', '.join(batch.schema.names)}")
    return Decoded(
        from_arrow(batch), lambda row, column: _place(batch, row, column, f"{name}: row {block.first_row + row + 1}")
    )


def _place(batch: pa.RecordBatch, row: int, column: str | None, where: str) -> Place:
    record = batch.slice(row, 1).to_pylist()[0]
    found = "" if column is None else _show(record[column])
    return Place(where, found, json.dumps(_plain(record), ensure_ascii=False, default=str))


def _show(value: Any) -> str:
    """Return a cell as text; of a list, the value that cannot be a score."""
    if isinstance(value, list):
        culprits = [item for item in value if item is None or (isinstance(item, float) and not math.isfinite(item))]
        value = culprits[0] if culprits else value
    text = "null" if value is None else str(value)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}..."


def _plain(value: Any) -> Any:
    """Return a value that JSON has: nan and the infinities become text."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def _width(kind: pa.DataType) -> float:
    if pa.types.is_fixed_size_list(kind):
        return float(kind.list_size * _width(kind.value_type))
    try:
        return float(kind.bit_width / 8)
    except ValueError:
        return TEXT_BYTES


class ArrowSink(io.RawIOBase):
    """Passes bytes on to a file until it is shut; then it swallows them."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._is_shut = False

    def for_arrow(self) -> pa.PythonFile:
        """Return the file as pyarrow wants it."""
        return pa.PythonFile(self, "w")

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, data: Any) -> int:
        """Write all of `data`."""
        if not self._is_shut:
            self._file.write(data)
        return len(memoryview(data).cast("B"))

    def shut(self) -> None:
        """Swallow whatever comes from now on."""
        self._is_shut = True
