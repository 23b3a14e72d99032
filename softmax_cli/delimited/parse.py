"""One block of delimited text as Arrow rows: by pyarrow where it is as it should be, by the slow reader elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc

from softmax_cli.batches.arrays import empty_batch
from softmax_cli.batches.table import Block, Decoded
from softmax_cli.delimited.cells import SPELLED_MISSING
from softmax_cli.delimited.diagnose import Diagnosis
from softmax_cli.delimited.dialect import Dialect
from softmax_cli.delimited.encoding import check_encoding

_LINE_ENDS = b"\r\n"
_QUOTE = b'"'[0]


def decode(block: Block, scores: Sequence[str], dialect: Dialect, name: str) -> Decoded:
    """Parse one block: columns in `scores` as float64, every other as the text that stands in the file.

    Blank lines are no rows.

    Raises
    ------
    DataError
        The block is not UTF-8 text.
    """
    data: bytearray = block.data
    schema = _schema(dialect.names, tuple(scores))
    diagnosis = Diagnosis(block, dialect, name)
    if not data[:1024].strip(_LINE_ENDS) and not data.strip(_LINE_ENDS):
        return Decoded(empty_batch(schema), diagnosis.place)
    batch = None if b"\0" in data or _may_be_open(data) else _parse(data, schema, dialect, tuple(scores))
    if batch is not None:
        return Decoded(batch, diagnosis.place)
    check_encoding(data, name, block.first_line)
    batch, faults = diagnosis.rows(schema)
    return Decoded(batch, diagnosis.place, faults)


def _parse(data: bytearray, schema: pa.Schema, dialect: Dialect, scores: tuple[str, ...]) -> pa.RecordBatch | None:
    """Let pyarrow parse a block; None where it finds anything wrong.

    First without looking for the spellings of a missing value, which costs a tenth and which few blocks hold.
    """
    read = pc.ReadOptions(use_threads=False, column_names=schema.names, block_size=len(data) + 1)
    layout = pc.ParseOptions(delimiter=dialect.delimiter, newlines_in_values=b'"' in data)
    for missing in ((), SPELLED_MISSING):
        try:
            table = pc.read_csv(
                pa.BufferReader(pa.py_buffer(data)),
                read,
                layout,
                _convert(dialect.names, scores, dialect.decimal, missing),
            )
        except pa.ArrowInvalid:
            continue
        (batch,) = table.combine_chunks().to_batches()
        return batch
    return None


def _may_be_open(data: bytearray) -> bool:
    """Whether quotes are odd in number, as in a file cut within one; pyarrow would take the rest for a cell."""
    return b'"' in data and np.count_nonzero(np.frombuffer(data, np.uint8) == _QUOTE) % 2 == 1


@lru_cache(8)
def _schema(names: tuple[str, ...], scores: tuple[str, ...]) -> pa.Schema:
    numbers = frozenset(scores)
    return pa.schema([pa.field(name, pa.float64() if name in numbers else pa.string()) for name in names])


@lru_cache(16)
def _convert(
    names: tuple[str, ...], scores: tuple[str, ...], decimal: str, missing: tuple[str, ...]
) -> pc.ConvertOptions:
    return pc.ConvertOptions(
        column_types=_schema(names, scores), decimal_point=decimal, strings_can_be_null=False, null_values=list(missing)
    )
