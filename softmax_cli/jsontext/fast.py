"""Lines of JSON to Arrow by Arrow's own parser, for blocks that it reads exactly as the slow way would.

It takes any block that is plain: every row has every key, every list its length, every number is one. Whatever else it
meets it gives up, and the slow way names the fault.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from softmax_cli.batches.arrays import lists


def decode_fast(data: bytes, schema: pa.Schema, scores: Sequence[str]) -> pa.RecordBatch | None:
    """Decode a block of lines; None where that needs a closer look."""
    import pyarrow.json as pj

    kinds = [_read_as(field, field.name in scores) for field in schema]
    parsing = pj.ParseOptions(
        explicit_schema=pa.schema(list(zip(schema.names, kinds, strict=True))), unexpected_field_behavior="ignore"
    )
    reading = pj.ReadOptions(use_threads=False, block_size=len(data) + 1)
    try:
        table = pj.read_json(pa.BufferReader(data), read_options=reading, parse_options=parsing)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None
    # Two objects on a line, and an object over two lines, would shift every line number after them. (Within an object
    # no closing brace is followed by an opening one.)
    if table.num_rows != data.count(b"}\n{") + data.count(b"}\r\n{") + 1 or table.num_rows != _lines(data):
        return None
    batches = table.combine_chunks().to_batches()
    if len(batches) != 1:
        return None
    arrays = [_exact(array, field) for array, field in zip(batches[0].columns, schema, strict=True)]
    if any(array is None for array in arrays):
        return None
    return pa.RecordBatch.from_arrays(arrays, names=schema.names)


def _lines(data: bytes) -> int:
    return data.count(b"\n") + (not data.endswith(b"\n"))


def _read_as(field: pa.Field, is_score: bool) -> pa.DataType:
    if pa.types.is_fixed_size_list(field.type) and is_score:
        return pa.list_(pa.float64())
    # A number that is no score keeps its spelling, which only whole numbers survive.
    return pa.int64() if field.type == pa.float64() and not is_score else field.type


def _exact(array: pa.Array, field: pa.Field) -> pa.Array | None:
    """The column as the slow way would give it; None where a value is missing or has another shape."""
    if array.null_count:
        return None
    if pa.types.is_integer(array.type):
        return array.cast(pa.string())
    if not pa.types.is_list(array.type):
        return array
    size, values = field.type.list_size, array.flatten()
    offsets = np.frombuffer(array.buffers()[1], np.int32, len(array) + 1, array.offset * 4)
    if values.null_count or (np.diff(offsets) != size).any():
        return None
    return lists(np.frombuffer(values.buffers()[1], np.float64, len(values), values.offset * 8).reshape(-1, size))
