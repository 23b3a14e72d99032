"""What the binary formats share: blocks that are record batches already, and finding a row of them again."""

from __future__ import annotations

import io
import json
import math
import os
import re
import stat
from collections.abc import Sequence
from typing import Any, BinaryIO, Literal, NamedTuple

import numpy as np
import pyarrow as pa

from softmax_cli.errors import DataError, first_line
from softmax_cli.tables.arrays import bitmap, cells, floats, validity
from softmax_cli.tables.batch import Batch
from softmax_cli.tables.column_names import score_name
from softmax_cli.tables.schema import Schema
from softmax_cli.tables.table import Block, Decoded, Place, ReadOptions
from softmax_cli.tables.typed_names import repeated

SMALL_BYTES, BLOCK_BYTES = 3 << 20, 8 << 20
COLUMN_BYTES, MOST_COLUMN_BYTES = 16 << 10, 16 << 20
"""Of a column in a block, and of all columns together: the calls for a column outweigh the work on fewer values."""
LEAST_ROWS, MOST_ROWS = 64, 1 << 17
MOST_BYTES = 64 << 20
"""Very wide rows come together up to this size, for the sake of the work that every block costs."""
TEXT_BYTES = 16
"""What a cell of unknown width is taken for."""
_WIDTH_IN_MEMORY = 8.0
"""Bytes of a number when it is computed with, however narrow in the file."""
SHOWN_CHARACTERS = 60


def rows_per_block(schema: pa.Schema, options: ReadOptions, row_bytes: float = 0) -> int:
    """How many rows make a block of about 8 MB, or of more where there are hundreds of columns.

    Parameters
    ----------
    row_bytes : float
        Mean size of a row where the file says it, in bytes; lists and text are as wide as their content.
    """
    if options.batch_rows is not None:
        return options.batch_rows
    width = max(row_bytes, sum(_width(field.type) for field in schema), 1)
    columns = min(COLUMN_BYTES * len(schema), MOST_COLUMN_BYTES)
    size = SMALL_BYTES if options.small_blocks else max(BLOCK_BYTES, columns)
    rows = max(size // width, min(LEAST_ROWS, MOST_BYTES // width))
    return int(min(MOST_ROWS, max(1, rows)))


def row_bytes(batch: pa.RecordBatch) -> float:
    """About how many bytes a row takes where every value is spelled out: a dictionary holds a repeated text once."""
    coded = [i for i, kind in enumerate(batch.schema.types) if pa.types.is_dictionary(kind)]
    rest = batch.select([i for i in range(batch.num_columns) if i not in set(coded)]) if coded else batch
    longest = [_longest(batch.column(i).dictionary) for i in coded]
    return float(rest.nbytes / max(1, batch.num_rows)) + sum(longest)


def _longest(values: pa.Array) -> int:
    """Bytes of the longest text among some; 0 of what is no text."""
    wide = {pa.string(): np.int32, pa.binary(): np.int32, pa.large_string(): np.int64, pa.large_binary(): np.int64}
    if values.type not in wide or not len(values):
        return 0
    dtype = np.dtype(wide[values.type])
    edges = np.frombuffer(values.buffers()[1], dtype, len(values) + 1, values.offset * dtype.itemsize)
    return int(np.diff(edges).max())


class PlainTypes(NamedTuple):
    """The columns of a file with the types that the rest of the program knows.

    Encodings that few libraries can compute with are undone: views and runs. Dictionaries stay, they save work.
    """

    schema: pa.Schema
    is_changed: bool

    @classmethod
    def of(cls, schema: pa.Schema, name: str) -> PlainTypes:
        """Look at the columns of a file.

        Raises
        ------
        DataError
            Two columns have the same name, a name is not text, or a type is one that is not read.
        """
        try:
            if doubled := repeated(schema.names):
                doubles = ", ".join(map(repr, doubled))
                raise DataError(f"{name}: two columns have the same name: {doubles}; rename one of them")
            fields = [_plain_field(field) for field in schema]
        except UnicodeDecodeError as error:
            raise DataError(
                f"{name}: a column name is not UTF-8 ({error.reason}); fetch it or write it again"
            ) from error
        except _UnreadTypeError as unread:
            raise DataError(
                f"{name}: {unread}, which is not read; leave the column out, or give it another type"
            ) from None
        plain = pa.schema(fields, metadata=schema.metadata)
        return cls(plain, plain != schema)

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Give a batch of the file these types."""
        if not self.is_changed:
            return batch
        columns = [_to_plain(array, kind) for array, kind in zip(batch.columns, self.schema.types, strict=True)]
        return pa.RecordBatch.from_arrays(columns, schema=self.schema)


class _UnreadTypeError(TypeError):
    """Column and type."""


def _plain_field(field: pa.Field) -> pa.Field:
    """A column with the type that it gets."""
    try:
        kind = _type_of_scores(field) or _plain_type(field.type)
    except TypeError as unread:
        raise _UnreadTypeError(f"column {field.name!r} holds {unread}") from None
    return field if kind == field.type else field.with_type(kind)


def _plain_type(kind: pa.DataType, is_inside: bool = False) -> pa.DataType:
    """Return the type that a column gets; TypeError names one that is not read."""
    if pa.types.is_primitive(kind) or pa.types.is_string(kind):
        return kind
    if pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_binary_view(kind):
        return pa.binary()
    if pa.types.is_run_end_encoded(kind) and not is_inside:
        return _plain_type(kind.value_type, is_inside=True)
    if _is_list_view(kind) and not is_inside:
        make = pa.large_list if pa.types.is_large_list_view(kind) else pa.list_
        return make(_inner(kind.value_field))
    if _is_empty_list(kind) and not is_inside:
        return pa.list_(_inner(kind.value_field))
    if pa.types.is_union(kind) or pa.types.is_run_end_encoded(kind) or _is_list_view(kind) or _is_empty_list(kind):
        raise TypeError(kind)
    if pa.types.is_struct(kind):
        return pa.struct([_inner(field) for field in kind])
    if pa.types.is_map(kind):
        return pa.map_(_inner(kind.key_field), _inner(kind.item_field), kind.keys_sorted)
    if pa.types.is_fixed_size_list(kind):
        return pa.list_(_inner(kind.value_field), kind.list_size)
    if pa.types.is_list(kind):
        return pa.list_(_inner(kind.value_field))
    if pa.types.is_large_list(kind):
        return pa.large_list(_inner(kind.value_field))
    if pa.types.is_dictionary(kind):
        return pa.dictionary(kind.index_type, _plain_type(kind.value_type, is_inside=True), kind.ordered)
    if isinstance(kind, pa.BaseExtensionType):
        _plain_type(kind.storage_type, is_inside=True)
    return kind


def _inner(field: pa.Field) -> pa.Field:
    """A field of a nested type."""
    return pa.field(field.name, _plain_type(field.type, is_inside=True), field.nullable, field.metadata)


def _is_list_view(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list_view(kind) or pa.types.is_large_list_view(kind))


def _is_empty_list(kind: pa.DataType) -> bool:
    """Whether a type is that of lists without a value; within others, pyarrow ends the process that writes them."""
    return bool(pa.types.is_fixed_size_list(kind) and kind.list_size == 0)


_VECTOR_PARTS = ["type", "size", "indices", "values"]
"""What Spark ML's vectors are made of, in Parquet."""
_SPARSE = 0
"""The type of one that names the places of its values; of the others, every value is there."""
MOST_ELEMENTS = 1 << 20
"""Of a sparse vector: its size is a claim, for which memory is taken."""


def _type_of_scores(field: pa.Field) -> pa.DataType | None:
    """Return the type of lists for a column of scores that are tensors, or vectors of Spark; None for any other column.

    What is not called scores stays as it is: a vector of features can have a million places for a few values.
    """
    kind = field.type
    if score_name(field.name) is None:
        return None
    if isinstance(kind, pa.FixedShapeTensorType):
        return _plain_type(kind.storage_type) if len(kind.shape) == 1 else None
    if not pa.types.is_struct(kind) or [part.name for part in kind] != _VECTOR_PARTS:
        return None
    numbers = kind.field("values").type
    are_floats = pa.types.is_list(numbers) and pa.types.is_float64(numbers.value_type)
    return pa.list_(pa.float64()) if are_floats else None


def _vectors(array: pa.Array) -> pa.Array:
    """Give Spark's vectors, dense or sparse, as lists.

    Raises
    ------
    ValueError
        A sparse one has places beyond its size, or a size that no vector of scores has.
    """
    kinds, _, _, values = array.flatten()
    if _SPARSE not in kinds.unique().to_pylist():
        return values.cast(pa.list_(pa.float64()))

    def dense(vector: dict[str, Any] | None) -> list[float] | None:
        if vector is None or vector["type"] != _SPARSE:
            return None if vector is None else vector["values"]
        size, indices, given = (vector[part] for part in _VECTOR_PARTS[1:])
        is_whole = None not in (size, indices, given) and None not in indices and len(indices) == len(given)
        if not is_whole or not 0 <= size <= MOST_ELEMENTS or not all(0 <= at < size for at in indices):
            raise ValueError(f"a sparse vector of size {size} does not fit its values")
        filled = dict(zip(indices, given, strict=True))
        return [filled.get(at, 0.0) for at in range(size)]

    return pa.array(map(dense, array.to_pylist()), pa.list_(pa.float64()))


def _to_plain(array: pa.Array, kind: pa.DataType) -> pa.Array:
    if array.type == kind:
        return array
    if isinstance(array.type, pa.FixedShapeTensorType):
        return _to_plain(array.storage, kind)
    if pa.types.is_struct(array.type) and pa.types.is_list(kind):
        return _vectors(array)
    if pa.types.is_run_end_encoded(array.type):
        from pyarrow.compute import run_end_decode

        return _to_plain(run_end_decode(array), kind)
    if _is_list_view(array.type) or _is_empty_list(array.type):  # pyarrow 26 makes invalid arrays of views by itself
        offsets = np.zeros(len(array) + 1, np.int64)
        if _is_list_view(array.type):
            sizes = np.nan_to_num(floats(array.value_lengths(), np.dtype(np.float64)))
            np.cumsum(sizes.astype(np.int64), out=offsets[1:])
        index = np.int64 if pa.types.is_large_list(kind) else np.int32
        valid = bitmap(validity(array) if array.null_count else None)
        values = _to_plain(array.flatten(), kind.value_type)
        return pa.Array.from_buffers(kind, len(array), [valid, pa.py_buffer(offsets.astype(index))], children=[values])
    return array.cast(kind)


def decode_batch(block: Block, scores: Sequence[str], name: str, schema: Schema) -> Decoded:
    """Give the record batch that a block is, whose columns have the types of `schema` already.

    Raises
    ------
    DataError
        A column of `scores` is not there.
    """
    batch: pa.RecordBatch = block.data
    there = set(schema.names)
    if missing := [score for score in scores if score not in there]:
        raise DataError(f"{name}: no column {missing[0]!r}; there are: {', '.join(schema.names)}")
    return Decoded(
        Batch(schema, batch.columns, batch.num_rows),
        lambda row, column: _place(batch, row, column, f"{name}: row {block.first_row + row + 1}"),
    )


def _place(batch: pa.RecordBatch, row: int, column: str | None, where: str) -> Place:
    one = batch.slice(row, 1)
    record = {name: cells(array)[0] for name, array in zip(one.schema.names, one.columns, strict=True)}
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
        return max(_WIDTH_IN_MEMORY, float(kind.bit_width / 8))
    except ValueError:
        return TEXT_BYTES


MOST_MEMORY = 1 << 40


def unreadable(name: str, expected: str, error: Exception) -> Exception:
    """Say in one line that a file is damaged; an error of memory stays what it is: the machine, or its limit, is short.

    But where more was asked for than any machine has, a size in the file is wrong.
    """
    sizes = map(int, re.findall(r"\d{13,}", str(error)))
    if isinstance(error, MemoryError) and not any(size > MOST_MEMORY for size in sizes):
        return error
    return DataError(f"{name}: not {expected} ({first_line(error)}); fetch it or write it again")


def opened_again(file: BinaryIO, mode: Literal["rb", "wb"]) -> pa.OSFile | None:
    """Open a file of this machine for pyarrow alone; None: it is none, or the system does not let us.

    Without Python in between, columns are read on several threads, and nobody waits for the interpreter's lock.

    Parameters
    ----------
    file : BinaryIO
        Nothing has been written to it; it stays open as long as the other.
    """
    raw = getattr(file, "raw", file)
    try:
        if type(raw) is not io.FileIO or not stat.S_ISREG(os.fstat(raw.fileno()).st_mode):
            return None
        return pa.OSFile(f"/dev/fd/{raw.fileno()}", mode)
    except OSError:  # no /dev/fd here, or no permission to open the file once more
        return None


class ArrowSink(io.RawIOBase):
    """Where pyarrow writes to: into a file, until it is shut."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._is_shut = False
        self._for_arrow = opened_again(file, "wb") or pa.PythonFile(self, "w")

    def for_arrow(self) -> pa.NativeFile:
        """Return the file as pyarrow wants it."""
        return self._for_arrow

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, data: Any) -> int:
        """Write all of `data`."""
        if not self._is_shut:
            self._file.write(data)
        return len(memoryview(data).cast("B"))

    def shut(self) -> None:
        """Take nothing from now on."""
        self._is_shut = True
        if isinstance(self._for_arrow, pa.OSFile):
            self._for_arrow.close()
