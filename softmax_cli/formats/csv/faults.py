"""What is wrong with a row of delimited text, in words, and where a row stands in its file."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from softmax_cli.formats.csv.sniff import DELIMITERS, Sniffed, looks_like_decimal_comma
from softmax_cli.tables.table import Block, Fault, Place
from softmax_cli.text.parsing import Flaw, Reason, cell_texts, parse, text_role

_LONGEST_SHOWN = 60
_LINE_FEED = b"\n"[0]


class RowPlaces:
    """The rows of one block in their file."""

    def __init__(self, block: Block, starts: NDArray[np.int32], sniffed: Sniffed, name: str) -> None:
        self._block, self._starts, self._sniffed, self._name = block, starts, sniffed, name

    def place(self, row: int, column: str | None) -> Place:
        """Find a row, and one cell of it, in the file again."""
        record = self._record(row)
        at = self._sniffed.names.index(column) if column is not None else -1
        found = "" if at < 0 else self._cells(record)[at]
        return Place(f"{self._name}:{self._line(int(self._starts[row]))}", found, record)

    def fault(self, flaw: Flaw) -> Fault:
        """Say what is wrong with a row."""
        column = None if flaw.column is None else self._sniffed.names[flaw.column]
        return Fault(flaw.row, column, self._problem(flaw))

    def _problem(self, flaw: Flaw) -> str:
        cell = bytes(self._block.data[slice(*flaw.cell)]).decode()
        if flaw.reason == Reason.NOT_A_NUMBER:
            cell = self._cells(cell)[0]
            hint = "; if the comma is a decimal mark, add --decimal ," if looks_like_decimal_comma(cell) else ""
            hint = "; take the percent signs away, and add --input percent" if cell.rstrip().endswith("%") else hint
            return f"{_short(cell)!r} is not a number{hint}"
        if flaw.reason == Reason.OPEN_QUOTE:
            return f"a quote is opened that nothing closes{self._merged(flaw)}: was the file cut short?"
        if flaw.reason == Reason.TEXT_AFTER_QUOTE:
            return f"text after a closing quote: {_short(cell)}{self._merged(flaw)}; double the quotes within a cell"
        return self._misfit(flaw)

    def _misfit(self, flaw: Flaw) -> str:
        found, wanted = flaw.fields, len(self._sniffed.names)
        problem = f"{found} field{'' if found == 1 else 's'} where the header has {wanted}"
        record, delimiter = self._record(flaw.row), self._sniffed.dialect.delimiter
        if merged := self._merged(flaw):
            return f"{problem}{merged} (is a quote left open?)"
        if found == 1 and any(mark in record for mark in DELIMITERS):
            return f"{problem} (parted at {delimiter!r}; another one: --delimiter)"
        return problem

    def _merged(self, flaw: Flaw) -> str:
        """Name the lines that quotes have made one row of."""
        first = self._line(int(self._starts[flaw.row]))
        last = first + self._record(flaw.row).count("\n")
        return f"; lines {first} to {last} were read as one row" if last > first else ""

    def _record(self, row: int) -> str:
        """The physical lines of a row, less the last line end."""
        data = self._block.data[self._starts[row] : self._starts[row + 1]]
        return bytes(data).rstrip(b"\r\n").decode()

    def _cells(self, record: str) -> list[str]:
        """The cells of a row, filled up where it has too few."""
        data = record.encode()
        columns = np.array([text_role(i) for i in range(len(self._sniffed.names))], np.int32)
        parsed = parse(data, columns, self._sniffed.dialect)
        return [cell_texts(data, parsed.spans[:1, i], True)[0] or "" for i in range(len(columns))]

    def _line(self, position: int) -> int:
        """The physical line, from 1, that a byte of the block stands on."""
        return self._block.first_line + int(np.searchsorted(self._line_ends, position))

    @cached_property
    def _line_ends(self) -> NDArray[np.intp]:
        return np.flatnonzero(np.frombuffer(self._block.data, np.uint8) == _LINE_FEED)


def _short(cell: str) -> str:
    return cell if len(cell) <= _LONGEST_SHOWN else f"{cell[: _LONGEST_SHOWN - 3]}..."
