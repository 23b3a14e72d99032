"""Record batches to delimited lines: computed numbers by table look-up, everything else as it came."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from typing import BinaryIO

import numpy as np
import pyarrow as pa

from softmax_cli.formats._text.numbers import NumberRun, computed_kind, number_matrix, number_text
from softmax_cli.formats._text.ragged import Ragged, ragged
from softmax_cli.formats._text.runs import is_number, runs
from softmax_cli.formats._text.values import as_text, is_text, list_cells
from softmax_cli.formats._text.weave import Lines, Part, Texts
from softmax_cli.numeric.text import NumberText
from softmax_cli.tables.arrays import strings
from softmax_cli.tables.table import WriteOptions

_FORMULA = r"\A[=+\-@\t\r]"
_NUMBER = r"\A\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*\z"


def quoted(array: pa.Array, delimiter: str) -> pa.Array:
    """Text, or a dictionary of text, with those cells in quotes that hold a delimiter, a quote or an end of line."""
    if pa.types.is_dictionary(array.type):
        return pa.DictionaryArray.from_arrays(array.indices, quoted(array.dictionary, delimiter))
    if not ragged(array).hold(f'{delimiter}"\r\n'.encode()):
        return array
    import pyarrow.compute as pc

    quote, nothing = pa.scalar('"', array.type), pa.scalar("", array.type)
    whole = pc.binary_join_element_wise(quote, pc.replace_substring(array, '"', '""'), quote, nothing)
    return pc.if_else(pc.match_substring_regex(array, f'[{re.escape(delimiter)}"\r\n]'), whole, array)


def without_formulas(array: pa.Array) -> pa.Array:
    """Text, or a dictionary of text, with an apostrophe before cells that a spreadsheet would run; numbers stay."""
    if pa.types.is_dictionary(array.type):
        return pa.DictionaryArray.from_arrays(array.indices, without_formulas(array.dictionary))
    import pyarrow.compute as pc

    suspect = pc.and_(pc.match_substring_regex(array, _FORMULA), pc.invert(pc.match_substring_regex(array, _NUMBER)))
    return pc.if_else(
        suspect, pc.binary_join_element_wise(pa.scalar("'", array.type), array, pa.scalar("", array.type)), array
    )


_BLOCK_VALUES = 131_072
_END = b"\n"
Rows = Callable[[int, int], Part]
"""Gives the part of the lines that a stretch of a batch's rows, from a row up to another, is responsible for."""


class RowWriter:
    """Writes the lines of one table; owns scratch memory, so one per thread.

    Parameters
    ----------
    schema : pyarrow.Schema
        Columns; those whose field metadata says so hold computed numbers (`rowtext.numbers.computed_kind`).
    options : WriteOptions
        Delimiter, digits, and whether spreadsheets are kept from running cells.
    """

    def __init__(self, schema: pa.Schema, options: WriteOptions) -> None:
        self._schema, self._options = schema, options
        # An empty line would be no row at all, so a lone column is text throughout, and its empty cells get quotes.
        self._lone = len(schema) == 1
        self._columns = list(self._plan())
        numbers = max(1, sum(self._is_number(i) for i in range(len(schema))))
        self._block = max(1, _BLOCK_VALUES // numbers)

    def header(self) -> bytes:
        """The line of column names."""
        cells = ragged(self._safe(strings(self._schema.names), True))
        names = [cells.data[s : s + n].tobytes() for s, n in zip(cells.starts, cells.lengths, strict=True)]
        return self._options.delimiter.encode().join(names) + _END

    def lines(self, batch: pa.RecordBatch) -> bytes | memoryview:
        """The lines of a batch, in memory of their own."""
        if not batch.num_rows:
            return b""
        columns = [column(batch) for column in self._columns]
        lines = Lines(batch.num_rows)
        for start in range(0, batch.num_rows, self._block):
            stop = min(start + self._block, batch.num_rows)
            lines.add(stop - start, [rows(start, stop) for rows in columns])
        return lines.view()

    def _plan(self) -> Iterator[Callable[[pa.RecordBatch], Rows]]:
        """One step per column of text and one per run of computed columns of a kind, in order."""
        last = len(self._schema) - 1
        separator = self._options.delimiter.encode()

        for indices in [[0]] if self._lone else runs(self._schema):
            after = _END if indices[-1] == last else separator
            kind = computed_kind(self._schema.field(indices[0]))
            text = number_text(kind, self._options) if kind else None
            if text and self._is_number(indices[0]):
                yield self._numbers(indices, NumberRun(text, [b"", *[separator] * (len(indices) - 1)], after))
            elif text and pa.types.is_fixed_size_list(self._schema.field(indices[0]).type):
                yield self._lists(indices[0], text, after)
            else:
                yield self._texts(indices[0], text, after)

    def _is_number(self, i: int) -> bool:
        return not self._lone and is_number(self._schema.field(i))

    def _numbers(self, indices: list[int], run: NumberRun) -> Callable[[pa.RecordBatch], Rows]:
        def of(batch: pa.RecordBatch) -> Rows:
            numbers = number_matrix(batch, indices)
            return lambda start, stop: run(numbers[start:stop])

        return of

    def _lists(self, i: int, text: NumberText, after: bytes) -> Callable[[pa.RecordBatch], Rows]:
        return lambda batch: (
            lambda start, stop: Texts(
                list_cells(batch.column(i).slice(start, stop - start), text, b""), b'"', b'"' + after
            )
        )

    def _texts(self, i: int, text: NumberText | None, after: bytes) -> Callable[[pa.RecordBatch], Rows]:
        given = is_text(self._schema.field(i).type)

        def of(batch: pa.RecordBatch) -> Rows:
            column = batch.column(i)
            if text and pa.types.is_floating(column.type):
                cells = _number_cells(batch, i, text)
            else:
                cells = ragged(self._safe(as_text(column), given))
            if self._lone:
                cells = _quote_empty(cells)
            return lambda start, stop: Texts(cells.slice(start, stop), b"", after)

        return of

    def _safe(self, array: pa.Array, given_as_text: bool) -> pa.Array:
        if self._options.escape_formulas and given_as_text:
            array = without_formulas(array)
        return quoted(array, self._options.delimiter)


def _number_cells(batch: pa.RecordBatch, i: int, text: NumberText) -> Ragged:
    return NumberRun(text, [b""], b"")(number_matrix(batch, [i])).cells


def _quote_empty(cells: Ragged) -> Ragged:
    """The same cells, with a pair of quotes for each empty one."""
    empty = cells.lengths == 0
    data = np.concatenate([cells.data, np.frombuffer(b'""', np.uint8)])
    return Ragged(np.where(empty, cells.data.size, cells.starts), np.where(empty, 2, cells.lengths), data)


class DelimitedWriter:
    """Writes batches as delimited text with a header, which stands in the file as soon as this exists."""

    def __init__(self, file: BinaryIO, schema: pa.Schema, options: WriteOptions) -> None:
        self._file, self._schema, self._options = file, schema, options
        self._own = threading.local()
        self._file.write(self._rows().header())

    def encode(self, batch: pa.RecordBatch) -> bytes | memoryview:
        """Turn a batch into lines; may be called from several threads at once."""
        return self._rows().lines(batch)

    def write(self, payload: bytes | memoryview) -> None:
        """Put down what `encode` made."""
        if len(payload):
            self._file.write(payload)

    def close(self) -> None:
        """Nothing ends a file of lines."""

    def _rows(self) -> RowWriter:
        if not hasattr(self._own, "rows"):
            self._own.rows = RowWriter(self._schema, self._options)
        rows: RowWriter = self._own.rows
        return rows
