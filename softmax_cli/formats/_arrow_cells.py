"""The values of columns that only Arrow can spell as text: each in its shortest exact spelling, or as JSON."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from softmax_cli.tables.arrays import cells, texts, to_array, validity
from softmax_cli.tables.batch import Column
from softmax_cli.text.formatting import Encoding, text_spans, to_json
from softmax_cli.text.parsing import MISSING, Buffer, Spans


def is_text(kind: pa.DataType) -> bool:
    """Whether values of this type are text of any sort, dictionary-encoded or not."""
    if pa.types.is_dictionary(kind):
        return is_text(kind.value_type)
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def text_cells(column: Column) -> tuple[Buffer, Spans, Encoding]:
    """The values as text: each in its shortest exact spelling, lists and structures as JSON."""
    array = to_array(column)
    return *_string_spans(texts(array)), "text" if is_text(array.type) else "value"


def json_cells(column: Column) -> tuple[Buffer, Spans, Encoding]:
    """The values as JSON."""
    array = to_array(column)
    if is_text(array.type):
        return text_cells(array)
    if pa.types.is_integer(array.type):
        return *_string_spans(array.cast(pa.string())), "ready"
    return *text_spans([None if value is None else to_json(value) for value in cells(array)]), "ready"


def _string_spans(array: pa.Array) -> tuple[memoryview, Spans]:
    """The bytes of an array of strings, and where each of them is; null is missing."""
    dtype = np.dtype(np.int64 if pa.types.is_large_string(array.type) else np.int32)
    _, offsets, data = array.buffers()
    if not len(array):
        return memoryview(b""), np.empty((0, 2), np.int32)
    edges = np.frombuffer(offsets, dtype, len(array) + 1, array.offset * dtype.itemsize)
    view = memoryview(b"" if data is None else data).cast("B")[edges[0] : edges[-1]]
    spans = np.lib.stride_tricks.sliding_window_view((edges - edges[0]).astype(np.int32, copy=False), 2)
    if array.null_count:
        spans = np.where(validity(array)[:, None], spans, np.int32(MISSING))
    return view, spans
