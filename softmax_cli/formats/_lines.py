"""What the text formats share in writing: the columns of a batch as the parts of its lines."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import groupby
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from softmax_cli.tables.batch import (
    Batch,
    Column,
    ListColumn,
    NameColumn,
    NameListColumn,
    NumberColumn,
    TextColumn,
    matrix_of,
    run_of,
)
from softmax_cli.tables.columns import METADATA_KEY
from softmax_cli.tables.schema import Field, Schema, is_floating
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
    to_json,
    write_rows,
)
from softmax_cli.text.parsing import MISSING, Spans

_KINDS: dict[bytes, Kind] = {b"prob": "probability", b"number": "number", b"figure": "number"}
_NULL = b"null"


class LineWriter:
    """Writes the rows of one table as text.

    Parameters
    ----------
    schema : Schema
        Columns; those whose field metadata says so hold computed numbers.
    before : sequence of bytes
        What stands before the cell of each column: a delimiter, a key.
    end : bytes
        What stands behind each row.
    """

    def __init__(
        self,
        file: BinaryIO,
        schema: Schema,
        options: WriteOptions,
        form: LineFormat,
        before: Sequence[bytes],
        end: bytes,
    ) -> None:
        self._file = file
        self._schema, self._options, self._form, self._before, self._end = schema, options, form, before, end
        self._missing = _NULL if form.json else b""
        # Computed columns of one kind that stand together are written in one go.
        families = [(_computed(field) if is_floating(field.type) else None, i) for i, field in enumerate(schema)]
        self._runs = [[i for _, i in run] for _, run in groupby(families, lambda one: one[0] or one[1])]

    def encode(self, batch: Batch) -> bytearray:
        """Turn a batch into lines; may be called from several threads at once."""
        return write_rows([self._part(batch, run) for run in self._runs], batch.num_rows, self._form, self._end)

    def write(self, payload: bytearray) -> None:
        """Put down what `encode` made."""
        if payload:
            self._file.write(payload)
            self._file.flush()

    def close(self) -> None:
        """Nothing ends a file of lines."""

    def _part(self, batch: Batch, run: list[int]) -> Texts | Numbers:
        """The part of a line that a column, or a run of columns, is."""
        kind, column, before = _computed(self._schema.fields[run[0]]), batch.columns[run[0]], self._before[run[0]]
        if kind and is_floating(column.type):
            style = number_style(kind, self._options.digits, self._options.decimals)
            keys = [self._before[i] for i in run]
            return Numbers(b"", keys, _side_by_side(batch, run), style, self._missing, self._form.json)
        if kind and isinstance(column, ListColumn):
            return self._list(column, kind, before)
        if isinstance(column, TextColumn):
            encoding: Encoding = "field" if column.are_fields else "text"
            return Texts(before, column.data, column.spans, encoding, missing=self._missing)
        if isinstance(column, NameColumn):
            names, ready = _encoded(column.names, self._form)
            return Texts(before, names, ready[column.codes], "ready", missing=self._missing)
        return self._values(column, before)

    def _list(self, column: ListColumn, kind: Kind, before: bytes) -> Numbers:
        """A JSON array; in a delimited line it stands in quotes."""
        quote = b"" if self._form.json else b'"'
        return Numbers(
            before,
            [quote + b"[", *[b","] * (column.matrix.shape[1] - 1)],
            np.asarray(column.matrix, np.float64),
            number_style(kind, self._options.digits, self._options.decimals),
            missing=_NULL,
            finite=True,
            closing=b"]" + quote,
            present=column.valid,
            absent=_NULL if self._form.json else b'""',
        )

    def _values(self, column: Column, before: bytes) -> Texts:
        """Values that were not computed as probabilities, logits and the like."""
        if isinstance(column, NumberColumn) and column.matrix.dtype.kind == "i":
            distinct, codes = np.unique(column.values, return_inverse=True)
            names, ready = _encoded(tuple(map(str, distinct.tolist())), LineFormat())
            codes = codes if column.valid is None else np.where(column.valid, codes, MISSING)
            return Texts(before, names, ready[codes], "ready", missing=self._missing)
        if isinstance(column, NameListColumn):
            texts = [None if value is None else to_json(value) for value in column.to_pylist()]
            return Texts(before, *text_spans(texts), "ready" if self._form.json else "value", missing=self._missing)
        from softmax_cli.tables.arrays import json_cells, text_cells

        data, spans, encoding = (json_cells if self._form.json else text_cells)(column)
        return Texts(before, data, spans, encoding, missing=self._missing)


def _computed(field: Field) -> Kind | None:
    """What kind of number a column holds that was computed by us; None: it passed through."""
    return _KINDS.get((field.metadata or {}).get(METADATA_KEY, b""))


def _side_by_side(batch: Batch, run: Sequence[int]) -> NDArray[np.float64]:
    """Columns as a matrix, shape (rows, columns); what is missing is ``nan``."""
    together, valid = run_of([batch.columns[i] for i in run])
    if together is not None and valid is None:
        return np.asarray(together, np.float64)
    names = [batch.schema.names[i] for i in run]
    return np.asarray(matrix_of(batch, names, np.dtype(np.float64), "F"), np.float64)


@lru_cache(16)
def _encoded(names: tuple[str, ...], form: LineFormat) -> tuple[bytearray, Spans]:
    return encoded_texts(*text_spans(names), form)
