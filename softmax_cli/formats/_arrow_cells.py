"""The values of columns that only Arrow can spell as text: each in its shortest exact spelling, or as JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

from softmax_cli.formats._lines import plain_value, to_json
from softmax_cli.tables.arrays import strings, to_array, validity
from softmax_cli.tables.batch import Column
from softmax_cli.text.formatting import Encoding
from softmax_cli.text.parsing import MISSING, Spans


def is_text(kind: pa.DataType) -> bool:
    """Whether values of this type are text of any sort, dictionary-encoded or not."""
    if pa.types.is_dictionary(kind):
        return is_text(kind.value_type)
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def text_cells(column: Column) -> tuple[memoryview, Spans, Encoding]:
    """The values as text: each in its shortest exact spelling, lists and structures as JSON."""
    array = to_array(column)
    given = is_text(array.type)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    return *_string_spans(_as_strings(array)), "text" if given else "value"


def _as_strings(array: pa.Array) -> pa.Array:
    if pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
        return array
    if pa.types.is_nested(array.type):
        return _each(array, to_json)
    if pa.types.is_binary(array.type) or pa.types.is_large_binary(array.type):
        return _each(array, lambda value: str(plain_value(value)))
    try:
        return array.cast(pa.string())
    except pa.ArrowNotImplementedError:
        return _each(array, str)


def json_cells(column: Column) -> tuple[memoryview, Spans, Encoding]:
    """The values as JSON."""
    array = to_array(column)
    if is_text(array.type):
        return text_cells(array)
    if pa.types.is_integer(array.type):
        return *_string_spans(array.cast(pa.string())), "ready"
    return *_string_spans(_each(array, to_json)), "ready"


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


def _each(array: pa.Array, spell: Callable[[Any], str]) -> pa.Array:
    values = array.to_pylist()
    texts = strings(["" if value is None else spell(value) for value in values])
    if not array.null_count:
        return texts
    bitmap = pa.py_buffer(np.packbits(validity(array), bitorder="little"))
    return pa.StringArray.from_buffers(len(texts), texts.buffers()[1], texts.buffers()[2], bitmap)
