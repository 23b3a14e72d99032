"""Arrow arrays from NumPy ones, without a copy where the memory allows it.

`pyarrow.array` on a Python list imports pandas (about 0.2 s at start-up), so arrays are put together from their
buffers here.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from softmax_cli.errors import DataError

NULL_CODE = -1
"""In an array of label codes: no label."""
_TURNED_ROWS = 64


def strings(values: Sequence[str]) -> pa.StringArray:
    """Text as an Arrow string array."""
    encoded = [value.encode() for value in values]
    offsets = np.zeros(len(encoded) + 1, np.int32)
    np.cumsum([len(cell) for cell in encoded], out=offsets[1:])
    return pa.StringArray.from_buffers(len(encoded), pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded)))


def numbers(values: NDArray[np.generic], valid: NDArray[np.bool_] | None = None) -> pa.Array:
    """A contiguous one-dimensional array as Arrow, sharing its memory; `valid` marks the values that are there."""
    bitmap = None if valid is None else pa.py_buffer(np.packbits(valid, bitorder="little"))
    data = np.ascontiguousarray(values)
    return pa.Array.from_buffers(pa.from_numpy_dtype(data.dtype), len(data), [bitmap, pa.py_buffer(data)])


def labels(codes: NDArray[np.int32], names: pa.StringArray) -> pa.DictionaryArray:
    """Names by their codes, dictionary-encoded; `NULL_CODE` is null."""
    valid = codes != NULL_CODE
    indices = numbers(codes) if valid.all() else numbers(np.where(valid, codes, 0).astype(np.int32), valid)
    return pa.DictionaryArray.from_arrays(indices, names)


def lists(matrix: NDArray[np.number], valid: NDArray[np.bool_] | None = None) -> pa.FixedSizeListArray:
    """A matrix, shape (rows, classes), as one list per row."""
    rows, size = matrix.shape
    bitmap = None if valid is None else pa.py_buffer(np.packbits(valid, bitorder="little"))
    values = numbers(matrix.reshape(-1))
    return pa.Array.from_buffers(pa.list_(values.type, size), rows, [bitmap], children=[values])


def lists_of_names(
    members: NDArray[np.bool_], names: pa.StringArray, valid: NDArray[np.bool_] | None = None
) -> pa.ListArray:
    """The names that a row of `members`, shape (rows, names), has marked, as one list per row."""
    row, column = np.nonzero(members)
    offsets = np.zeros(len(members) + 1, np.int32)
    np.cumsum(np.bincount(row, minlength=len(members)), out=offsets[1:])
    values = names.take(numbers(column.astype(np.int32)))
    bitmap = None if valid is None else pa.py_buffer(np.packbits(valid, bitorder="little"))
    buffers = [bitmap, pa.py_buffer(offsets)]
    return pa.Array.from_buffers(pa.list_(pa.string()), len(members), buffers, children=[values])


def floats(array: pa.Array, dtype: np.dtype[np.floating]) -> NDArray[np.floating]:
    """The values of a numeric Arrow array, shape (rows,), shared where nothing has to change; null becomes ``nan``."""
    if not len(array):
        return np.empty(0, dtype)
    if array.null_count == 0 and array.type == pa.from_numpy_dtype(dtype):
        return np.frombuffer(array.buffers()[1], dtype, len(array), array.offset * dtype.itemsize)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_decimal(array.type) or pa.types.is_null(array.type):
        array = array.cast(pa.float64())
    data = array.buffers()[1]
    kind = np.dtype(array.type.to_pandas_dtype())
    stored = np.frombuffer(data, kind, len(array), array.offset * kind.itemsize)
    with np.errstate(invalid="ignore", over="ignore"):  # a damaged file may hold any bits
        values = stored.astype(dtype)
    if array.null_count:
        values[~validity(array)] = np.nan
    return values


def texts(array: pa.Array) -> pa.Array:
    """The values of an Arrow array of any type as text (string or large_string); null stays null.

    Numbers and dates are spelled as Arrow does, bytes that are no UTF-8 with a backslash, lists and structures as JSON.

    Raises
    ------
    DataError
        A value has no text, such as a date in the year 146 billion.
    """
    kind = array.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return array
    if pa.types.is_dictionary(kind):
        return texts(array.dictionary_decode())
    if isinstance(kind, pa.BaseExtensionType):
        return _each(array, str) if kind.extension_name == "arrow.uuid" else texts(array.storage)
    try:
        if pa.types.is_nested(kind):
            return _each(array, to_json)
        if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
            return _each(array, lambda value: value.decode("utf-8", "backslashreplace"))
        if pa.types.is_timestamp(kind) and kind.tz is not None:
            return _times(array)
        return array.cast(pa.string())
    except pa.ArrowNotImplementedError:
        return _each(array, str)
    except (ValueError, OverflowError) as error:
        raise DataError(f"a value of type {kind} cannot be written as text ({error})") from error


def to_json(value: object) -> str:
    """One value as JSON: whatever JSON has no name for becomes null (``nan``, infinities) or text."""
    return json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"))


def _plain(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return value if value is None or isinstance(value, str | int) else str(value)


def cells(array: pa.Array) -> list[Any]:
    """The values of an Arrow array of any type as Python has them; those that it has not, and times, as text."""
    if pa.types.is_temporal(array.type):  # as a Python value, a timestamp in nanoseconds imports pandas
        return list(texts(array).to_pylist())
    try:
        return list(array.to_pylist())
    except (ValueError, OverflowError):
        return list(texts(array).to_pylist())


def _each(array: pa.Array, spell: Callable[[Any], str]) -> pa.Array:
    spelled = strings(["" if value is None else spell(value) for value in array.to_pylist()])
    if not array.null_count:
        return spelled
    bitmap = pa.py_buffer(np.packbits(validity(array), bitorder="little"))
    return pa.StringArray.from_buffers(len(spelled), spelled.buffers()[1], spelled.buffers()[2], bitmap)


def _times(array: pa.TimestampArray) -> pa.StringArray:
    """Times with their zone; in UTC, which they are stored in, where this machine does not know the zone."""
    try:
        return array.cast(pa.string())
    except pa.ArrowInvalid:
        return array.cast(pa.timestamp(array.type.unit, "UTC")).cast(pa.string())


def matrix_of(
    batch: pa.RecordBatch, columns: Sequence[int], dtype: np.dtype[np.floating], order: Literal["C", "F"]
) -> NDArray[np.floating]:
    """Numeric columns of a batch side by side, shape (rows, columns), in memory of its own; null becomes ``nan``.

    `order` C has each row together, which suits many columns, F each column.

    Raises
    ------
    TypeError
        A column does not hold numbers.
    """
    chosen = batch.select(columns)
    try:  # in Arrow: one by one, a thousand columns of a few hundred rows cost more in calls than in copying
        together: NDArray[np.generic] = chosen.to_tensor(null_to_nan=True, row_major=order == "C").to_numpy()
        with np.errstate(invalid="ignore", over="ignore"):
            return together.astype(dtype, order=order, copy=False)
    except (pa.ArrowTypeError, pa.ArrowNotImplementedError):  # decimals, dictionaries, float16; or text
        matrix = np.empty((batch.num_rows, len(columns)), dtype, order=order)
    for position, (field, column) in enumerate(zip(chosen.schema, chosen.columns, strict=True)):
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type) or pa.types.is_boolean(field.type):
            raise TypeError(f"column {field.name!r} holds {field.type}, not numbers")
        matrix[:, position] = floats(column, dtype)
    return matrix


def validity(array: pa.Array) -> NDArray[np.bool_]:
    """Which values of an Arrow array are there (are not null), shape (rows,)."""
    if array.null_count == 0:
        return np.ones(len(array), np.bool_)
    present = array.is_valid()
    bits = np.unpackbits(np.frombuffer(present.buffers()[1], np.uint8), bitorder="little")
    return bits[present.offset : present.offset + len(array)].astype(np.bool_)


def take(batch: pa.RecordBatch, rows: NDArray[np.integer]) -> pa.RecordBatch:
    """Rows of a batch by their indices; Arrow's own `take` refuses a batch without columns."""
    return batch.take(numbers(rows)) if batch.num_columns else batch


def without_dictionaries(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The same rows for a reader that knows no dictionary encoding."""
    columns = [c.dictionary_decode() if pa.types.is_dictionary(c.type) else c for c in batch.columns]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def empty_batch(schema: pa.Schema) -> pa.RecordBatch:
    """A batch without rows."""
    return pa.RecordBatch.from_arrays([pa.nulls(0, kind) for kind in schema.types], schema=schema)


def columns_of(matrix: NDArray[np.floating], valid: NDArray[np.bool_] | None = None) -> list[pa.Array]:
    """The columns of a matrix, shape (rows, columns), as Arrow arrays that share one piece of memory."""
    rows, count = matrix.shape
    kind = pa.from_numpy_dtype(matrix.dtype)
    bitmap = None if valid is None else pa.py_buffer(np.packbits(valid, bitorder="little"))
    by_column = matrix if matrix.flags.f_contiguous else _turned(matrix, "F")
    data, size = pa.py_buffer(by_column.T), rows * matrix.dtype.itemsize
    return [pa.Array.from_buffers(kind, rows, [bitmap, data.slice(i * size, size)]) for i in range(count)]


def by_row(matrix: NDArray[np.floating]) -> NDArray[np.floating]:
    """The same matrix with its rows contiguous; copied where its columns are."""
    return matrix if matrix.flags.c_contiguous else _turned(matrix, "C")


def _turned(matrix: NDArray[np.floating], order: Literal["C", "F"]) -> NDArray[np.floating]:
    """Copy some rows at a time: over a whole matrix every value would be fetched from another page of memory."""
    turned = np.empty(matrix.shape, matrix.dtype, order=order)
    for start in range(0, len(matrix), _TURNED_ROWS):
        turned[start : start + _TURNED_ROWS] = matrix[start : start + _TURNED_ROWS]
    return turned
