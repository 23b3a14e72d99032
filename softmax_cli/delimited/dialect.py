"""What a delimited file looks like: its delimiter, its header, and which of its columns are numbers."""

from __future__ import annotations

from itertools import islice
from typing import NamedTuple

from softmax_cli.batches.names import repeated
from softmax_cli.batches.table import ReadOptions
from softmax_cli.delimited.cells import is_missing, looks_like_decimal_comma, read_number
from softmax_cli.delimited.encoding import decode_text
from softmax_cli.delimited.records import records
from softmax_cli.errors import DataError

_ROWS_LOOKED_AT = 1000
_CELLS_LOOKED_AT = 20_000
_ROWS_LOOKED_AT_LEAST = 20
"""Rows of a wide table: a look at every column of a thousand rows would take longer than to score them."""
_NAMES_SHOWN = 5


class Dialect(NamedTuple):
    """How the lines of one file are to be read."""

    delimiter: str
    decimal: str
    names: tuple[str, ...]
    numeric: frozenset[str]
    """Columns in which at least half of the first values are numbers."""
    header_bytes: int
    """Length of the header and of blank lines before it."""
    header_lines: int
    notes: tuple[str, ...] = ()


def find_dialect(first_block: bytearray, name: str, options: ReadOptions, delimiter: str) -> Dialect:
    """Learn from the first block, which holds whole rows, how a file is to be read.

    Raises
    ------
    DataError
        It is empty, is no UTF-8 text, or names a column twice.
    """
    text = decode_text(first_block, name, 1)
    header, first = "", None
    found = records(text, delimiter)
    for cells, record in found:
        header += record
        if any(cell.strip() for cell in cells):
            first = cells
            break
    if first is None:
        raise DataError(f"{name}: empty: a header and rows were wanted")
    looked_at = min(_ROWS_LOOKED_AT, max(_ROWS_LOOKED_AT_LEAST, _CELLS_LOOKED_AT // len(first)))
    rows = [cells for cells, _ in islice(found, looked_at) if cells]
    notes: list[str] = []
    if _is_data(first, rows, options):
        rows.insert(0, first)
        first, header = [str(index) for index in range(len(first))], ""
        if options.header is None:
            named = f"columns are named 0 to {first[-1]}" if len(first) > 1 else "the column is named 0"
            notes.append(f"{name}: no header: the first line is numbers, so it is data; {named}")
    elif options.header is None and (number := next(filter(_has_fraction, first), None)) is not None:
        notes.append(f"{name}: the first line is the header, although {number!r} is a number; if not: --no-header")
    _refuse_repeated(first, f"{name}:{header.count(chr(10)) or 1}")
    columns = frozenset(n for i, n in enumerate(first) if _is_numeric(rows, i, options.decimal))
    return Dialect(
        delimiter, options.decimal, tuple(first), columns, len(header.encode()), header.count("\n"), tuple(notes)
    )


def _is_data(first: list[str], rows: list[list[str]], options: ReadOptions) -> bool:
    """Whether the first line is numbers and not the positions 0, 1 ... K-1, which programs write as names."""
    if options.header is not None:
        return not options.header
    if any(read_number(cell, options.decimal) is None for cell in first):
        return False
    positions = [str(index) for index in range(len(first))]
    return [cell.strip() for cell in first] != positions or not rows


def _refuse_repeated(names: list[str], where: str) -> None:
    doubled = repeated(names)
    if not doubled:
        return
    listed = [
        f"{name!r} (columns {', '.join(str(at) for at, other in enumerate(names, 1) if other == name)})"
        for name in doubled[:_NAMES_SHOWN]
    ]
    more = ["..."] if len(doubled) > _NAMES_SHOWN else []
    raise DataError(f"{where}: two columns have the same name: {'; '.join(listed + more)}; rename one of them")


def _is_numeric(rows: list[list[str]], at: int, decimal: str) -> bool:
    """Whether at least half of the cells that hold something are numbers.

    A column that holds nothing counts as numbers, and numbers with another decimal mark do too: taken for text, scores
    would be left out without a word; taken for scores, text is refused with one.
    """
    cells = [row[at] for row in rows if at < len(row)]
    others = [cell for cell in cells if read_number(cell, decimal) is None]
    texts = [cell for cell in others if not is_missing(cell)]
    commas = sum(map(looks_like_decimal_comma, texts)) if decimal == "." else 0
    return len(texts) - commas <= len(cells) - len(others) + commas


def _has_fraction(cell: str) -> bool:
    return "." in cell and read_number(cell) is not None
