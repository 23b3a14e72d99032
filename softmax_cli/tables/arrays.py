"""Arrow's side of a batch: its arrays from NumPy's and from spans, without a copy where the memory allows it.

`pyarrow.array` on a Python list imports pandas (about 0.2 s at start-up), so arrays are put together from their
buffers here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from softmax_cli.errors import DataError
from softmax_cli.tables.batch import (
    Batch,
    Column,
    ListColumn,
    NameColumn,
    NameListColumn,
    NumberColumn,
    TextColumn,
)
from softmax_cli.tables.schema import NAME_LIST, NAMES, DataType, Field, Schema, Type
from softmax_cli.text.formatting import Encoding, text_spans, to_json
from softmax_cli.text.parsing import MISSING, Buffer, Spans, joined_cells

_TURNED_ROWS = 64


def strings(values: Sequence[str]) -> pa.StringArray:
    """Text as an Arrow string array."""
    encoded = [value.encode() for value in values]
    offsets = np.zeros(len(encoded) + 1, np.int32)
    np.cumsum([len(cell) for cell in encoded], out=offsets[1:])
    return pa.StringArray.from_buffers(len(encoded), pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded)))


def numbers(values: NDArray[np.generic], valid: NDArray[np.bool_] | None = None) -> pa.Array:
    """A contiguous one-dimensional array as Arrow, sharing its memory; `valid` marks the values that are there."""
    data = np.ascontiguousarray(values)
    return pa.Array.from_buffers(pa.from_numpy_dtype(data.dtype), len(data), [bitmap(valid), pa.py_buffer(data)])


def bitmap(valid: NDArray[np.bool_] | None) -> pa.Buffer | None:
    """Which rows have a value, shape (rows,), as Arrow keeps it; None: all have."""
    return None if valid is None else pa.py_buffer(np.packbits(valid, bitorder="little"))


def labels(codes: NDArray[np.int32], names: pa.StringArray) -> pa.DictionaryArray:
    """Names by their codes, dictionary-encoded; `MISSING` is null."""
    valid = codes != MISSING
    indices = numbers(codes) if valid.all() else numbers(np.where(valid, codes, 0).astype(np.int32), valid)
    return pa.DictionaryArray.from_arrays(indices, names)


def lists(matrix: NDArray[np.number], valid: NDArray[np.bool_] | None = None) -> pa.FixedSizeListArray:
    """A matrix, shape (rows, classes), as one list per row."""
    rows, size = matrix.shape
    values = numbers(matrix.reshape(-1))
    return pa.Array.from_buffers(pa.list_(values.type, size), rows, [bitmap(valid)], children=[values])


def lists_of_names(
    members: NDArray[np.bool_], names: pa.StringArray, valid: NDArray[np.bool_] | None = None
) -> pa.ListArray:
    """The names that a row of `members`, shape (rows, names), has marked, as one list per row."""
    row, column = np.nonzero(members)
    offsets = np.zeros(len(members) + 1, np.int32)
    np.cumsum(np.bincount(row, minlength=len(members)), out=offsets[1:])
    values = names.take(numbers(column.astype(np.int32)))
    buffers = [bitmap(valid), pa.py_buffer(offsets)]
    return pa.Array.from_buffers(pa.list_(pa.string()), len(members), buffers, children=[values])


def floats(array: pa.Array, dtype: np.dtype[np.floating]) -> NDArray[np.floating]:
    """The values of a numeric Arrow array, shape (rows,), shared where nothing has to change; null becomes ``nan``."""
    if not len(array):
        return np.empty(0, dtype)
    if array.null_count == 0 and array.type == pa.from_numpy_dtype(dtype):
        return np.frombuffer(array.buffers()[1], dtype, len(array), array.offset * dtype.itemsize)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_boolean(array.type):
        array = array.cast(pa.int8())
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
    _, offsets, data = spelled.buffers()
    return pa.StringArray.from_buffers(len(spelled), offsets, data, bitmap(validity(array)))


def _times(array: pa.TimestampArray) -> pa.StringArray:
    """Times with their zone; in UTC, which they are stored in, where this machine does not know the zone."""
    try:
        return array.cast(pa.string())
    except pa.ArrowInvalid:
        return array.cast(pa.timestamp(array.type.unit, "UTC")).cast(pa.string())


def matrix_of(
    columns: Sequence[pa.Array], names: Sequence[str], dtype: np.dtype[np.floating], order: Literal["C", "F"]
) -> NDArray[np.floating]:
    """Arrays of numbers side by side, shape (rows, columns), in memory of its own; null becomes ``nan``.

    `order` C has each row together, which suits many columns, F each column.

    Raises
    ------
    TypeError
        A column does not hold numbers.
    """
    try:  # in Arrow: one by one, a thousand columns of a few hundred rows cost more in calls than in copying
        chosen = pa.RecordBatch.from_arrays(columns, names=list(names))
        together: NDArray[Any] = chosen.to_tensor(null_to_nan=True, row_major=order == "C").to_numpy()
        with np.errstate(invalid="ignore", over="ignore"):
            return together.astype(dtype, copy=False)
    except (pa.ArrowTypeError, pa.ArrowNotImplementedError):  # decimals, dictionaries, float16; or text
        matrix = np.empty((len(columns[0]), len(columns)), dtype, order=order)
    for position, (name, column) in enumerate(zip(names, columns, strict=True)):
        kind = column.type
        if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_boolean(kind):
            raise TypeError(f"column {name!r} holds {kind}, not numbers")
        matrix[:, position] = floats(column, dtype)
    return matrix


def matrix_of_lists(array: pa.FixedSizeListArray) -> tuple[NDArray[np.floating], NDArray[np.bool_] | None]:
    """Lists of one length as a matrix, shape (rows, length), and which rows have one; None: all."""
    size = array.type.list_size
    values = array.values.slice(array.offset * size, len(array) * size)
    matrix = floats(values, np.dtype(array.type.value_type.to_pandas_dtype())).reshape(len(array), size)
    return matrix, validity(array) if array.null_count else None


def validity(array: pa.Array) -> NDArray[np.bool_]:
    """Which values of an Arrow array are there (are not null), shape (rows,)."""
    if array.null_count == 0:
        return np.ones(len(array), np.bool_)
    present = array.is_valid()
    bits = np.unpackbits(np.frombuffer(present.buffers()[1], np.uint8), bitorder="little")
    return bits[present.offset : present.offset + len(array)].astype(np.bool_)


def without_dictionaries(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The same rows for a reader that knows no dictionary encoding."""
    columns = [c.dictionary_decode() if pa.types.is_dictionary(c.type) else c for c in batch.columns]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def cast(column: Column, kind: DataType) -> pa.Array:
    """The values of a column as another type; TypeError where one has no counterpart in it."""
    try:
        return to_array(column).cast(_arrow_type(kind))
    except pa.ArrowException as error:
        raise TypeError(str(error)) from error


def joined(columns: Sequence[Column]) -> pa.Array:
    """The values of several columns, one after the other; of none, no text."""
    arrays = list(map(to_array, columns))
    return pa.concat_arrays(arrays) if arrays else strings([])


def filled_up(array: pa.Array, missing: int) -> pa.Array:
    """An array with nulls behind it."""
    return pa.concat_arrays([array, pa.nulls(missing, array.type)])


def distinct_texts(array: pa.Array) -> tuple[NDArray[np.intp], list[str]]:
    """The distinct values as text, and the code of each row's, shape (rows,); `MISSING` for null."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_boolean(array.type):
        array = array.cast(pa.int8())
    encoded = texts(array).dictionary_encode()
    codes = np.nan_to_num(floats(encoded.indices, np.dtype(np.float64)), nan=MISSING).astype(np.intp)
    return codes, encoded.dictionary.to_pylist()


def from_arrow(batch: pa.RecordBatch) -> Batch:
    """The rows of an Arrow batch."""
    return Batch(from_arrow_schema(batch.schema), batch.columns, batch.num_rows)


def from_arrow_schema(schema: pa.Schema) -> Schema:
    """The columns of Arrow data."""
    fields = [Field(field.name, field.type, field.metadata, field.nullable) for field in schema]
    return Schema(fields, schema.metadata)


def to_arrow(batch: Batch) -> pa.RecordBatch:
    """The rows as Arrow has them."""
    arrays = arrays_of(batch)
    if not arrays:  # Arrow counts rows by its columns
        return pa.RecordBatch.from_struct_array(pa.nulls(batch.num_rows, pa.struct([])))
    return pa.RecordBatch.from_arrays(arrays, schema=to_arrow_schema(batch.schema))


def arrays_of(batch: Batch) -> list[pa.Array]:
    """An Arrow array of each column; the columns of one matrix share one piece of memory."""
    shared: dict[int, list[pa.Array]] = {}
    return [to_array(column, shared) for column in batch.columns]


def joined_blocks(blocks: Sequence[Sequence[Column]]) -> list[pa.Array | pa.ChunkedArray]:
    """Each column of some blocks, whose rows follow on one another; matrices are put together in memory first."""
    shared: dict[int, list[pa.Array]] = {}
    whole = []
    for pieces in zip(*blocks, strict=True):
        if not all(isinstance(piece, NumberColumn) for piece in pieces):
            whole.append(pa.chunked_array(list(map(to_array, pieces))))
            continue
        first = pieces[0]
        if id(first.matrix) not in shared:
            shared[id(first.matrix)] = columns_of(*_one_below_the_other(pieces))
        whole.append(shared[id(first.matrix)][first.place])
    return whole


def _one_below_the_other(runs: Sequence[NumberColumn]) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """Put matrices together, column by column in memory, and which of their rows have values; None: all."""
    sizes = [len(run.matrix) for run in runs]
    matrix = np.empty((sum(sizes), runs[0].matrix.shape[1]), runs[0].matrix.dtype, order="F")
    for run, end in zip(runs, np.cumsum(sizes).tolist(), strict=True):
        _turn_into(matrix[end - len(run.matrix) : end], run.matrix)
    if all(run.valid is None for run in runs):
        return matrix, None
    valid = [np.ones(size, np.bool_) if run.valid is None else run.valid for run, size in zip(runs, sizes, strict=True)]
    return matrix, np.concatenate(valid)


def to_arrow_schema(schema: Schema) -> pa.Schema:
    """The columns as Arrow describes them."""
    fields = [pa.field(field.name, _arrow_type(field.type), field.nullable, field.metadata) for field in schema]
    return pa.schema(fields, schema.metadata)


def _arrow_type(kind: DataType) -> pa.DataType:
    if not isinstance(kind, Type):
        return kind
    if kind == NAMES:
        return pa.dictionary(pa.int32(), pa.string())
    if kind == NAME_LIST:
        return pa.list_(pa.string())
    if kind.keys:
        return pa.struct([(key, _arrow_type(kind.value_type)) for key in kind.keys])
    if kind.value_type is not None:
        return pa.list_(_arrow_type(kind.value_type), kind.list_size)
    return pa.type_for_alias(kind.name)


def to_array(column: Column, shared: dict[int, list[pa.Array]] | None = None) -> pa.Array:
    """An Arrow array of a column; `shared` holds those of the other columns of its matrix."""
    if isinstance(column, NumberColumn):  # first, for there may be thousands
        shared = {} if shared is None else shared
        if id(column.matrix) not in shared:
            shared[id(column.matrix)] = columns_of(column.matrix, column.valid)
        return shared[id(column.matrix)][column.place]
    if isinstance(column, TextColumn):
        text, offsets = joined_cells(column.data, column.spans, column.are_fields)
        valid = column.spans[:, 0] != MISSING
        mask = bitmap(None if valid.all() else valid)
        return pa.StringArray.from_buffers(len(valid), pa.py_buffer(offsets), pa.py_buffer(text), mask)
    if isinstance(column, ListColumn) and column.keys:
        mask = None if column.valid is None else numbers(~column.valid).cast(pa.bool_())
        return pa.StructArray.from_arrays(columns_of(column.matrix), fields=list(_arrow_type(column.type)), mask=mask)
    if isinstance(column, ListColumn):
        return lists(by_row(column.matrix), column.valid)
    if isinstance(column, NameColumn):
        return labels(column.codes, strings(column.names))
    if isinstance(column, NameListColumn):
        return lists_of_names(column.members, strings(column.names), column.valid)
    return column


def columns_of(matrix: NDArray[np.floating], valid: NDArray[np.bool_] | None = None) -> list[pa.Array]:
    """The columns of a matrix, shape (rows, columns), as Arrow arrays that share one piece of memory."""
    rows, count = matrix.shape
    kind = pa.from_numpy_dtype(matrix.dtype)
    mask = bitmap(valid)
    by_column = matrix if matrix.flags.f_contiguous else _turned(matrix, "F")
    data, size = pa.py_buffer(by_column.T), rows * matrix.dtype.itemsize
    return [pa.Array.from_buffers(kind, rows, [mask, data.slice(i * size, size)]) for i in range(count)]


def by_row(matrix: NDArray[np.floating]) -> NDArray[np.floating]:
    """The same matrix with its rows contiguous; copied where its columns are."""
    return matrix if matrix.flags.c_contiguous else _turned(matrix, "C")


def _turned(matrix: NDArray[np.floating], order: Literal["C", "F"]) -> NDArray[np.floating]:
    turned = np.empty(matrix.shape, matrix.dtype, order=order)
    _turn_into(turned, matrix)
    return turned


def _turn_into(target: NDArray[Any], matrix: NDArray[Any]) -> None:
    """Copy some rows at a time: over a whole matrix every value would be fetched from another page of memory."""
    for start in range(0, len(matrix), _TURNED_ROWS):
        target[start : start + _TURNED_ROWS] = matrix[start : start + _TURNED_ROWS]


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
