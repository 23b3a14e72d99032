"""Columns that pass through, as text: each value as its shortest exact spelling, or as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

from softmax_cli.formats._text.numbers import NumberRun
from softmax_cli.formats._text.ragged import Ragged, ragged
from softmax_cli.numeric.text import NumberText
from softmax_cli.tables.arrays import floats, strings, validity


def is_text(kind: pa.DataType) -> bool:
    """Whether values of this type are text of any sort, dictionary-encoded or not."""
    if pa.types.is_dictionary(kind):
        return is_text(kind.value_type)
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def as_text(array: pa.Array) -> pa.Array:
    """The values as text: a string array, or a dictionary of strings; null stays null."""
    if pa.types.is_dictionary(array.type):
        dictionary = as_text(array.dictionary)
        return pa.DictionaryArray.from_arrays(array.indices, dictionary)
    if pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
        return array
    if pa.types.is_nested(array.type):
        return _each(array, to_json)
    if pa.types.is_binary(array.type) or pa.types.is_large_binary(array.type):
        return _each(array, lambda value: str(_plain(value)))
    try:
        return array.cast(pa.string())
    except pa.ArrowNotImplementedError:
        return _each(array, str)


def to_json(value: Any) -> str:
    """One value as JSON: whatever JSON has no name for becomes null (``nan``, infinities) or text."""
    return json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"))


def json_cells(array: pa.Array) -> tuple[Ragged, bytes]:
    """The values as JSON: their cells, and what stands on both sides of every one of them (a quote, or nothing)."""
    if pa.types.is_dictionary(array.type):
        texts = [*map(to_json, array.dictionary.to_pylist()), "null"]
        codes, valid = floats(array.indices, np.dtype(np.float64)), validity(array)
        where = np.where(valid, codes, len(texts) - 1).astype(np.int64)
        return ragged(strings(texts)).take(where, np.ones(len(codes), np.bool_)), b""
    if pa.types.is_string(array.type) and array.null_count == 0:
        cells = ragged(array)
        if not cells.hold(b'"\\') and cells.span().min(initial=0x20) >= 0x20:
            return cells, b'"'
    if pa.types.is_integer(array.type):
        return or_else(ragged(array.cast(pa.string())), array, b"null"), b""
    return ragged(strings([to_json(value) for value in array.to_pylist()])), b""


def list_cells(array: pa.FixedSizeListArray, text: NumberText, missing: bytes) -> Ragged:
    """Computed lists of numbers as JSON arrays, and `missing` where the array has no value."""
    size = array.type.list_size
    flat = floats(array.values.slice(array.offset * size, len(array) * size), np.dtype(np.float64))
    run = NumberRun(text, [b"[", *[b","] * (size - 1)], b"]", b"null")
    return or_else(run(flat.reshape(-1, size)).cells, array, missing)


def or_else(cells: Ragged, array: pa.Array, missing: bytes) -> Ragged:
    """The same cells, and `missing` where the array has no value."""
    if array.null_count == 0:
        return cells
    valid = validity(array)
    data = np.concatenate([cells.data, np.frombuffer(missing, np.uint8)])
    return Ragged(np.where(valid, cells.starts, cells.data.size), np.where(valid, cells.lengths, len(missing)), data)


def _each(array: pa.Array, spell: Callable[[Any], str]) -> pa.Array:
    values = array.to_pylist()
    texts = strings(["" if value is None else spell(value) for value in values])
    if not array.null_count:
        return texts
    bitmap = pa.py_buffer(np.packbits(validity(array), bitorder="little"))
    return pa.StringArray.from_buffers(len(texts), texts.buffers()[1], texts.buffers()[2], bitmap)


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return value if value is None or isinstance(value, str | int) else str(value)
