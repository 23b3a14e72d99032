"""One block of delimited text as Arrow rows: pyarrow's parser where the block is as it should be, the slow one elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import pyarrow as pa
import pyarrow.csv as pc

from softmax_cli.batches.arrays import empty_batch
from softmax_cli.batches.table import Block, Decoded
from softmax_cli.delimited.diagnose import Diagnosis
from softmax_cli.delimited.dialect import Dialect, check_encoding


def decode(block: Block, scores: Sequence[str], dialect: Dialect, name: str) -> Decoded:
    """Parse one block: columns in `scores` as float64, every other as the text that stands in the file.

    Raises
    ------
    DataError
        The block is not UTF-8 text.
    """
    data: memoryview = block.data
    schema = _schema(dialect.names, tuple(scores))
    diagnosis = Diagnosis(block, dialect, name)
    batch = _parse(data, schema, dialect)
    if batch is not None:
        return Decoded(batch, diagnosis.place)
    check_encoding(bytes(data), name, block.first_line)
    batch, faults = diagnosis.rows(schema)
    return Decoded(batch, diagnosis.place, faults)


def _parse(data: memoryview, schema: pa.Schema, dialect: Dialect) -> pa.RecordBatch | None:
    """Let pyarrow parse a block; None where it finds anything wrong.

    First without looking for the spellings of a missing value, which costs a tenth and which few blocks hold.
    """
    if not bytes(data[:1024]).strip() and not bytes(data).strip():
        return empty_batch(schema)
    has_quotes = b'"' in data.obj if isinstance(data.obj, bytearray) else b'"' in bytes(data)
    if b"\0" in data.obj:
        return None
    for nulls in ([], None):
        try:
            table = pc.read_csv(
                pa.BufferReader(pa.py_buffer(data)),
                read_options=pc.ReadOptions(use_threads=False, column_names=schema.names, block_size=len(data) + 1),
                parse_options=pc.ParseOptions(delimiter=dialect.delimiter, newlines_in_values=has_quotes),
                convert_options=_convert(schema, dialect.decimal, nulls is None),
            )
        except pa.ArrowInvalid:
            continue
        batches = table.combine_chunks().to_batches()
        return batches[0] if batches else empty_batch(schema)
    return None


@cache
def _schema(names: tuple[str, ...], scores: tuple[str, ...]) -> pa.Schema:
    numbers = frozenset(scores)
    return pa.schema([pa.field(name, pa.float64() if name in numbers else pa.string()) for name in names])


@cache
def _convert(schema: pa.Schema, decimal: str, spelled_nulls: bool) -> pc.ConvertOptions:
    return pc.ConvertOptions(
        column_types=schema,
        decimal_point=decimal,
        strings_can_be_null=False,
        null_values=["", "NA", "N/A", "n/a", "#N/A", "NULL", "null", "None", "none", "<NA>", "na"] if spelled_nulls else [],
    )
