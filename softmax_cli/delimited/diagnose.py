"""The slow and certain reader of a block: it knows the physical line of every row and says what is wrong with it."""

from __future__ import annotations

import csv
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from softmax_cli.batches.arrays import numbers, strings
from softmax_cli.batches.table import Block, Fault, Place
from softmax_cli.delimited.dialect import Dialect, decode_text, is_missing, is_number, looks_like_decimal_comma

csv.field_size_limit(1 << 28)  # one limit for the process; 128 kB by default, and a cell of 3 MB is a cell


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    cells: list[str]
    record: str
    """The physical lines of the row, less the line end."""


class Diagnosis:
    """Rows of one block by the standard library's parser, scanned when first asked for."""

    def __init__(self, block: Block, dialect: Dialect, name: str) -> None:
        self._block, self._dialect, self._name = block, dialect, name
        self._rows: list[_Row] | None = None
        self._lock = threading.Lock()

    def place(self, row: int, column: str | None) -> Place:
        """Find a row, and one cell of it, in the file again."""
        there = self._scan()[row]
        at = self._dialect.names.index(column) if column is not None else -1
        found = there.cells[at] if 0 <= at < len(there.cells) else ""
        return Place(f"{self._name}:{there.line}", found, there.record)

    def rows(self, schema: pa.Schema) -> tuple[pa.RecordBatch, tuple[Fault, ...]]:
        """Parse every row, also those that do not fit: short ones are padded, long ones cut, and each is named."""
        rows = self._scan()
        width = len(schema)
        faults: dict[int, Fault] = {}
        for number, row in enumerate(rows):
            if len(row.cells) != width:
                header = f"where the header has {width}"
                faults[number] = Fault(number, None, f"{len(row.cells)} fields {header}{self._hint(row)}")
        columns = []
        for at, field in enumerate(schema):
            cells = [row.cells[at] if at < len(row.cells) else "" for row in rows]
            columns.append(self._floats(cells, field.name, faults) if pa.types.is_floating(field.type) else strings(cells))
        ordered = tuple(faults[number] for number in sorted(faults))
        return pa.RecordBatch.from_arrays(columns, schema=schema), ordered

    def _floats(self, cells: list[str], column: str, faults: dict[int, Fault]) -> pa.Array:
        values = np.full(len(cells), np.nan)
        for row, cell in enumerate(cells):
            if is_number(cell, self._dialect.decimal):
                values[row] = float(cell.replace(",", ".") if self._dialect.decimal == "," else cell)
            elif row not in faults:
                faults[row] = Fault(row, column, self._problem(cell))
        return numbers(values)

    def _problem(self, cell: str) -> str:
        if is_missing(cell):
            return f"{cell!r} is missing: a number was wanted"
        hint = "; if the comma is a decimal mark, add --decimal ," if looks_like_decimal_comma(cell) else ""
        return f"{_short(cell)!r} is not a number{hint}"

    def _hint(self, row: _Row) -> str:
        if len(row.cells) == 1 and any(mark in row.record for mark in ",;\t|"):
            return f" (parted at {self._dialect.delimiter!r}; see --delimiter)"
        return ""

    def _scan(self) -> list[_Row]:
        with self._lock:
            if self._rows is None:
                self._rows = list(self._parse())
            return self._rows

    def _parse(self) -> Iterator[_Row]:
        text = decode_text(bytes(self._block.data), self._name, self._block.first_line)
        lines = text.split("\n")
        feed = (f"{line}\n" for line in lines)
        reader = csv.reader(feed, delimiter=self._dialect.delimiter)
        begun = 0
        for cells in reader:
            record = "\n".join(lines[begun : reader.line_num]).rstrip("\r\n")
            if cells:  # a blank line is no row
                yield _Row(self._block.first_line + begun, cells, record)
            begun = reader.line_num


def _short(cell: str) -> str:
    return cell if len(cell) <= 60 else f"{cell[:57]}..."
