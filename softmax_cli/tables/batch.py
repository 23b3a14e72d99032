"""Rows of a table: each column in the form in which it was read or computed.

A text format gives text as spans of the block that it was read from, and scores as one matrix; what is computed comes
as matrices and codes; a binary format gives Arrow's arrays. Only a binary format that is written makes Arrow of all.
"""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from softmax_cli.tables.schema import (
    FLOAT32,
    FLOAT64,
    INT32,
    INT64,
    NAME_LIST,
    NAMES,
    TEXT,
    DataType,
    Field,
    Schema,
    Type,
    is_fixed_size_list,
    is_struct,
    list_of,
    struct_of,
)
from softmax_cli.text.parsing import MISSING, Buffer, Spans, cell_texts

_NUMBERS: dict[np.dtype[Any], Type] = {
    np.dtype(np.float64): FLOAT64,
    np.dtype(np.float32): FLOAT32,
    np.dtype(np.int32): INT32,
    np.dtype(np.int64): INT64,
}
Rows = slice | NDArray[np.integer]
"""Some rows: a stretch of them, or their indices."""
Valid = NDArray[np.bool_] | None
"""Which rows have a value, shape (rows,); None: all."""


class TextColumn(NamedTuple):
    """Text as it stands in a block of a file."""

    data: Buffer
    spans: Spans
    """Where the cells are, shape (rows, 2)."""
    are_fields: bool = False
    """They are fields of delimited lines, and may have quotes around them."""

    @property
    def type(self) -> Type:
        """Text."""
        return TEXT

    def pick(self, rows: Rows, shared: dict[int, NDArray[Any]]) -> "TextColumn":
        """Some of the rows."""
        return self._replace(spans=self.spans[rows])

    def to_pylist(self) -> list[str | None]:
        """The cells, None where they are missing."""
        return cell_texts(self.data, self.spans, self.are_fields)


class NumberColumn(NamedTuple):
    """One column of a matrix, shape (rows, columns)."""

    matrix: NDArray[Any]
    place: int = 0
    """Which column of the matrix."""
    valid: Valid = None

    @property
    def type(self) -> Type:
        """The type of its values."""
        return _NUMBERS[self.matrix.dtype]

    @property
    def values(self) -> NDArray[Any]:
        """Shape (rows,); what is not valid may be anything."""
        return self.matrix[:, self.place]

    def pick(self, rows: Rows, shared: dict[int, NDArray[Any]]) -> "NumberColumn":
        """Some of the rows; columns of one matrix stay columns of one."""
        return NumberColumn(_picked(self.matrix, rows, shared), self.place, _picked(self.valid, rows, shared))

    def to_pylist(self) -> list[Any]:
        """The numbers, None where they are missing."""
        return _or_none(self.values.tolist(), self.valid)


class ListColumn(NamedTuple):
    """A matrix, shape (rows, values), as one list a row; or as one structure, where the values have keys."""

    matrix: NDArray[np.floating]
    valid: Valid = None
    keys: tuple[str, ...] = ()

    @property
    def type(self) -> Type:
        """The type of the lists."""
        values = _NUMBERS[self.matrix.dtype]
        return struct_of(values, self.keys) if self.keys else list_of(values, self.matrix.shape[1])

    def pick(self, rows: Rows, shared: dict[int, NDArray[Any]]) -> "ListColumn":
        """Some of the rows."""
        return ListColumn(_picked(self.matrix, rows, shared), _picked(self.valid, rows, shared), self.keys)

    def to_pylist(self) -> list[Any]:
        """The lists, None where they are missing."""
        rows = self.matrix.tolist()
        return _or_none([dict(zip(self.keys, row, strict=True)) for row in rows] if self.keys else rows, self.valid)


class NameColumn(NamedTuple):
    """Names by their numbers."""

    codes: NDArray[np.int32]
    """Shape (rows,); `MISSING`: none."""
    names: tuple[str, ...]

    @property
    def type(self) -> Type:
        """Names, each of them kept once."""
        return NAMES

    def pick(self, rows: Rows, shared: dict[int, NDArray[Any]]) -> "NameColumn":
        """Some of the rows."""
        return NameColumn(self.codes[rows], self.names)

    def to_pylist(self) -> list[str | None]:
        """The names, None where there is none."""
        return [None if code == MISSING else self.names[code] for code in self.codes.tolist()]


class NameListColumn(NamedTuple):
    """A list of names a row."""

    members: NDArray[np.bool_]
    """Which names are in it, shape (rows, names)."""
    names: tuple[str, ...]
    valid: Valid = None

    @property
    def type(self) -> Type:
        """Lists of text."""
        return NAME_LIST

    def pick(self, rows: Rows, shared: dict[int, NDArray[Any]]) -> "NameListColumn":
        """Some of the rows."""
        return NameListColumn(self.members[rows], self.names, _picked(self.valid, rows, shared))

    def to_pylist(self) -> list[Any]:
        """The lists, None where they are missing."""
        lists = [[self.names[i] for i in np.flatnonzero(row).tolist()] for row in self.members]
        return _or_none(lists, self.valid)


Own = TextColumn | NumberColumn | ListColumn | NameColumn | NameListColumn
"""Columns that are not Arrow's."""
Column = Any
"""One of `Own`, or an array of Arrow: both have `type` and `to_pylist`."""


class Batch(NamedTuple):
    """Some rows of a table."""

    schema: Schema
    columns: Sequence[Column]
    num_rows: int

    @property
    def num_columns(self) -> int:
        """How many columns there are."""
        return len(self.columns)

    def column(self, name: str) -> Column:
        """Return a column by its name; KeyError where there is none."""
        return self.columns[self.schema.place(name)]

    def select(self, names: Sequence[str]) -> "Batch":
        """Some of the columns."""
        places = [self.schema.place(name) for name in names]
        schema = Schema([self.schema.fields[place] for place in places], self.schema.metadata)
        return Batch(schema, [self.columns[place] for place in places], self.num_rows)

    def with_column(self, name: str, column: Column) -> "Batch":
        """The same rows with one more column."""
        schema = Schema([*self.schema, Field(name, column.type)], self.schema.metadata)
        return Batch(schema, [*self.columns, column], self.num_rows)

    def slice(self, start: int, length: int | None = None) -> "Batch":
        """A stretch of the rows."""
        return self.take(slice(start, None if length is None else start + length))

    def take(self, rows: Rows) -> "Batch":
        """Some of the rows, in the order asked for."""
        shared: dict[int, NDArray[Any]] = {}
        columns = [pick(column, rows, shared) for column in self.columns]
        count = len(range(*rows.indices(self.num_rows))) if isinstance(rows, slice) else len(rows)
        return Batch(self.schema, columns, count)

    def to_pylist(self) -> list[dict[str, Any]]:
        """The rows as dicts."""
        columns = [column.to_pylist() for column in self.columns]
        return [
            dict(zip(self.schema.names, (column[row] for column in columns), strict=True))
            for row in range(self.num_rows)
        ]


def pick(column: Column, rows: Rows, shared: dict[int, NDArray[Any]]) -> Column:
    """Some of the rows of a column; `shared` remembers what columns have in common."""
    if isinstance(column, Own):
        return column.pick(rows, shared)
    if isinstance(rows, slice):
        start, stop, _ = rows.indices(len(column))
        return column.slice(start, max(0, stop - start))
    from softmax_cli.tables.arrays import numbers

    return column.take(numbers(rows))


def _picked(values: Any, rows: Rows, shared: dict[int, NDArray[Any]]) -> Any:
    if values is None:
        return None
    return shared.setdefault(id(values), values[rows])


def _or_none(values: list[Any], valid: Valid) -> list[Any]:
    if valid is None:
        return values
    return [value if is_valid else None for value, is_valid in zip(values, valid.tolist(), strict=True)]


def floats(column: Column, dtype: np.dtype[np.floating]) -> NDArray[np.floating]:
    """The values of a column of numbers, shape (rows,); a missing one is ``nan``."""
    if not isinstance(column, NumberColumn):
        from softmax_cli.tables.arrays import floats as of_array

        return of_array(column, dtype)
    values = column.values.astype(dtype)
    if column.valid is not None:
        values[~column.valid] = np.nan
    return values


def integers(column: Column) -> NDArray[np.integer] | None:
    """The values of a column of whole numbers, shape (rows,); None where one is missing."""
    if isinstance(column, NumberColumn):
        return column.values if column.valid is None else None
    if column.null_count:
        return None
    dtype = dtype_of(column.type)
    return np.frombuffer(column.buffers()[1], dtype, len(column), column.offset * dtype.itemsize)


def texts(column: Column) -> list[str | None]:
    """The values of a column as text; a missing one is None."""
    if isinstance(column, Own):
        return [None if value is None else str(value) for value in column.to_pylist()]
    from softmax_cli.tables.arrays import texts as of_array

    values: list[str | None] = of_array(column).to_pylist()
    return values


def value_at(column: Column, row: int) -> Any:
    """One value of a column; None where it is missing."""
    return pick(column, slice(row, row + 1), {}).to_pylist()[0]


def cast(column: Column, kind: DataType) -> Column:
    """The same values as another type.

    Raises
    ------
    TypeError
        A value has no counterpart in it.
    """
    from softmax_cli.tables.arrays import cast as cast_array

    return cast_array(column, kind)


def distinct_texts(column: Column) -> tuple[NDArray[np.intp], list[str]]:
    """The distinct values of a column as text, and the code of each row's, shape (rows,); `MISSING`: none.

    Booleans are 0 and 1.
    """
    if not isinstance(column, Own):
        from softmax_cli.tables.arrays import distinct_texts as of_array

        return of_array(column)
    codes: dict[str | None, int] = {None: MISSING}
    found = [codes.setdefault(text, len(codes) - 1) for text in texts(column)]
    return np.array(found, np.intp), [text for text in codes if text is not None]


def matrix_of(
    batch: Batch, names: Sequence[str], dtype: np.dtype[np.floating], order: Literal["C", "F"]
) -> NDArray[np.floating]:
    """Columns of numbers side by side, shape (rows, names), in memory of their own; a missing number is ``nan``.

    `order` C has each row together, which suits many columns, F each column.

    Raises
    ------
    TypeError
        A column does not hold numbers.
    """
    columns = [batch.column(name) for name in names]
    together, valid = run_of(columns)
    if together is not None:
        matrix = np.array(together, dtype, order=order)
        if valid is not None:
            matrix[~valid] = np.nan
        return matrix
    if not any(isinstance(column, Own) for column in columns):
        from softmax_cli.tables.arrays import matrix_of as of_arrays

        return of_arrays(columns, names, dtype, order)
    matrix = np.empty((batch.num_rows, len(columns)), dtype, order=order)
    for place, (name, column) in enumerate(zip(names, columns, strict=True)):
        if isinstance(column, TextColumn):
            raise TypeError(f"column {name!r} holds {column.type}, not numbers")
        matrix[:, place] = floats(column, dtype)
    return matrix


def run_of(columns: Sequence[Column]) -> tuple[NDArray[Any] | None, Valid]:
    """The part of a matrix that columns make up which stand side by side in it, and which rows have values.

    None where they do not stand so.
    """
    first = columns[0] if columns else None
    if not isinstance(first, NumberColumn):
        return None, None
    for place, column in enumerate(columns, first.place):
        if not isinstance(column, NumberColumn) or column.matrix is not first.matrix or column.place != place:
            return None, None
    return first.matrix[:, first.place : first.place + len(columns)], first.valid


def empty_batch(schema: Schema) -> Batch:
    """A batch without rows."""
    return Batch(schema, [_empty(field.type) for field in schema], 0)


def _empty(kind: DataType) -> Column:
    if not isinstance(kind, Type):
        import pyarrow as pa

        return pa.nulls(0, kind)
    if kind == TEXT:
        return TextColumn(b"", np.empty((0, 2), np.int32))
    if kind == NAMES:
        return NameColumn(np.empty(0, np.int32), ())
    if kind == NAME_LIST:
        return NameListColumn(np.empty((0, 0), np.bool_), ())
    if is_fixed_size_list(kind) or is_struct(kind):
        size = kind.list_size or len(kind.keys)
        return ListColumn(np.empty((0, size), dtype_of(kind.value_type)), None, kind.keys)
    return NumberColumn(np.empty((0, 1), dtype_of(kind)))


def number_type(dtype: str) -> Type:
    """The type of a column that is computed in NumPy's `dtype`."""
    return _NUMBERS[np.dtype(dtype)]


def dtype_of(kind: DataType) -> np.dtype[Any]:
    """NumPy's name for a type of numbers."""
    if isinstance(kind, Type):
        return next(dtype for dtype, type_ in _NUMBERS.items() if type_ == kind)
    dtype: np.dtype[Any] = np.dtype(kind.to_pandas_dtype())
    return dtype
