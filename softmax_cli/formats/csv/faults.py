"""The slow and certain reader of a block: it knows the physical line of every row and says what is wrong with it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from softmax_cli.formats.csv.sniff import (
    DELIMITERS,
    Dialect,
    decode_text,
    is_missing,
    is_open,
    looks_like_decimal_comma,
    read_number,
    records,
)
from softmax_cli.tables.arrays import numbers, strings
from softmax_cli.tables.table import Block, Fault, Place

_LONGEST_SHOWN = 60


class _Row(NamedTuple):
    line: int
    cells: list[str]
    record: str
    """The physical lines of the row, less the last line end."""


class Diagnosis:
    """Rows of one block by the standard library's parser, scanned when first asked for."""

    def __init__(self, block: Block, dialect: Dialect, name: str) -> None:
        self._block, self._dialect, self._name = block, dialect, name
        self._scanned: list[_Row] | None = None
        self._lock = threading.Lock()

    def place(self, row: int, column: str | None) -> Place:
        """Find a row, and one cell of it, in the file again."""
        there = self._rows()[row]
        at = self._dialect.names.index(column) if column is not None else -1
        found = there.cells[at] if 0 <= at < len(there.cells) else ""
        return Place(f"{self._name}:{there.line}", found, there.record)

    def rows(self, schema: pa.Schema) -> tuple[pa.RecordBatch, tuple[Fault, ...]]:
        """Parse every row, also those that do not fit: short ones are padded, long ones cut, and each is named.

        A value that is missing becomes nan without a fault, as it does where pyarrow parses the block: what is said
        about a row must not hang on the rows beside it.
        """
        rows = self._rows()
        width = len(schema)
        faults = {at: Fault(at, None, self._misfit(row)) for at, row in enumerate(rows) if len(row.cells) != width}
        if rows and is_open(rows[-1].record, self._dialect.delimiter):
            last = len(rows) - 1
            faults.setdefault(last, Fault(last, None, "a quote is opened that nothing closes: was the file cut short?"))
        columns = []
        for at, field in enumerate(schema):
            cells = [row.cells[at] if at < len(row.cells) else "" for row in rows]
            columns.append(
                self._floats(cells, field.name, faults) if pa.types.is_floating(field.type) else strings(cells)
            )
        ordered = tuple(faults[row] for row in sorted(faults))
        return pa.RecordBatch.from_arrays(columns, schema=schema), ordered

    def _floats(self, cells: list[str], column: str, faults: dict[int, Fault]) -> pa.Array:
        decimal = self._dialect.decimal
        values = np.full(len(cells), np.nan)
        for row, cell in enumerate(cells):
            value = read_number(cell, decimal)
            if value is not None:
                values[row] = value
            elif row not in faults and not is_missing(cell):
                hint = "; if the comma is a decimal mark, add --decimal ," if looks_like_decimal_comma(cell) else ""
                faults[row] = Fault(row, column, f"{_short(cell)!r} is not a number{hint}")
        return numbers(values)

    def _misfit(self, row: _Row) -> str:
        found, wanted = len(row.cells), len(self._dialect.names)
        problem = f"{found} field{'' if found == 1 else 's'} where the header has {wanted}"
        if row.record.count('"') % 2:
            return f"{problem} (is a quote left open?)"
        if found == 1 and any(mark in row.record for mark in DELIMITERS):
            return f"{problem} (parted at {self._dialect.delimiter!r}; another one: --delimiter)"
        return problem

    def _rows(self) -> list[_Row]:
        with self._lock:
            if self._scanned is None:
                self._scanned = list(self._scan())
            return self._scanned

    def _scan(self) -> Iterator[_Row]:
        text = decode_text(self._block.data, self._name, self._block.first_line)
        line = self._block.first_line
        for cells, record in records(text, self._dialect.delimiter):
            if cells:  # a blank line is no row
                yield _Row(line, cells, record.rstrip("\r\n"))
            line += record.count("\n")


def _short(cell: str) -> str:
    return cell if len(cell) <= _LONGEST_SHOWN else f"{cell[: _LONGEST_SHOWN - 3]}..."
