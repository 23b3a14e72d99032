"""What the text formats share in writing: the columns of a batch as the parts of its lines."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Literal, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from softmax_cli.tables.arrays import cells, floats, matrix_of, texts, to_json, validity
from softmax_cli.tables.columns import METADATA_KEY
from softmax_cli.tables.table import WriteOptions
from softmax_cli.text.formatting import (
    Encoding,
    Kind,
    LineFormat,
    Numbers,
    Texts,
    encoded_texts,
    number_style,
    text_spans,
    write_rows,
)
from softmax_cli.text.parsing import COLUMNAR, MISSING, Spans

_KINDS: dict[bytes, Kind] = {b"prob": "probability", b"number": "number"}
_NULL = b"null"


class LineWriter:
    """Writes the rows of one table; stateless, so that several threads share it.

    Parameters
    ----------
    schema : pyarrow.Schema
        Columns; those whose field metadata says so hold computed numbers.
    before : sequence of bytes
        What stands before the cell of each column: a delimiter, a key.
    end : bytes
        What stands behind each row.
    """

    def __init__(
        self, schema: pa.Schema, options: WriteOptions, form: LineFormat, before: Sequence[bytes], end: bytes
    ) -> None:
        self._schema, self._options, self._form, self._before, self._end = schema, options, form, before, end
        # Computed columns of one kind that stand together are written in one go.
        families = [(computed_kind(field), i) for i, field in enumerate(schema)]
        self._runs = [
            [i for _, i in members]
            for _, members in groupby(families, lambda one: one[0] if one[0] and self._is_number(one[1]) else one[1])
        ]

    def lines(self, batch: pa.RecordBatch) -> bytearray:
        """The lines of a batch."""
        return write_rows([self._part(batch, run) for run in self._runs], batch.num_rows, self._form, self._end)

    def _is_number(self, i: int) -> bool:
        return bool(pa.types.is_floating(self._schema.field(i).type))

    def _part(self, batch: pa.RecordBatch, run: list[int]) -> Texts | Numbers:
        """The part of a line that a column, or a run of columns, is."""
        field, column = self._schema.field(run[0]), batch.column(run[0])
        kind = computed_kind(field)
        missing = _NULL if self._form.json else b""
        if kind and self._is_number(run[0]):
            keys = [self._before[i] for i in run]
            style = number_style(kind, self._options.digits, self._options.decimals)
            return Numbers(b"", keys, _side_by_side(batch, run), style, missing, self._form.json)
        if kind and pa.types.is_fixed_size_list(column.type):
            return self._list(column, kind, self._before[run[0]])
        if pa.types.is_dictionary(column.type) and is_text(column.type):
            names, ready = encoded_texts(*_string_spans(texts(column.dictionary)), self._form)
            codes = np.where(validity(column), floats(column.indices, np.dtype(np.float64)), MISSING).astype(np.intp)
            return Texts(self._before[run[0]], names, ready[codes], "ready", missing=missing)
        data, spans, encoding = _json_cells(column) if self._form.json else _text_cells(column)
        return Texts(self._before[run[0]], data, spans, encoding, missing=missing)

    def _list(self, column: pa.FixedSizeListArray, kind: Kind, before: bytes) -> Numbers:
        """A JSON array; in a delimited line it stands in quotes."""
        size, quote = column.type.list_size, b"" if self._form.json else b'"'
        flat = floats(column.values.slice(column.offset * size, len(column) * size), np.dtype(np.float64))
        return Numbers(
            before,
            [quote + b"[", *[b","] * (size - 1)],
            flat.reshape(-1, size).astype(np.float64, copy=False),
            number_style(kind, self._options.digits, self._options.decimals),
            missing=_NULL,
            finite=True,
            closing=b"]" + quote,
            present=validity(column),
            absent=_NULL if self._form.json else b'""',
        )


def computed_kind(field: pa.Field) -> Kind | None:
    """What kind of number a column holds that was computed by us; None: it passed through."""
    return _KINDS.get((field.metadata or {}).get(METADATA_KEY, b""))


def _side_by_side(batch: pa.RecordBatch, indices: Sequence[int]) -> NDArray[np.float64]:
    """Columns as a matrix, shape (rows, columns); null is ``nan``."""
    order: Literal["C", "F"] = "C" if len(indices) > COLUMNAR else "F"
    return cast("NDArray[np.float64]", matrix_of(batch, indices, np.dtype(np.float64), order))


def is_text(kind: pa.DataType) -> bool:
    """Whether values of this type are text of any sort, dictionary-encoded or not."""
    if pa.types.is_dictionary(kind):
        return is_text(kind.value_type)
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _text_cells(array: pa.Array) -> tuple[memoryview, Spans, Encoding]:
    """The values as text: each in its shortest exact spelling, lists and structures as JSON."""
    return *_string_spans(texts(array)), "text" if is_text(array.type) else "value"


def _json_cells(array: pa.Array) -> tuple[memoryview, Spans, Encoding]:
    """The values as JSON."""
    if is_text(array.type):
        return _text_cells(array)
    if pa.types.is_integer(array.type):
        return *_string_spans(array.cast(pa.string())), "ready"
    data, spans = text_spans([None if value is None else to_json(value) for value in cells(array)])
    return memoryview(data), spans, "ready"


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
