"""What a delimited file looks like: its delimiter, its header, and which of its columns are numbers."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from softmax_cli.errors import DataError, UsageError
from softmax_cli.tables.column_names import score_name
from softmax_cli.tables.table import ReadOptions
from softmax_cli.tables.typed_names import repeated
from softmax_cli.text.parsing import (
    NO_VALUE,
    Buffer,
    Dialect,
    Reason,
    cell_texts,
    field_counts,
    parse,
    row_end,
    text_role,
)

_MISSING = NO_VALUE | {"nan", "+nan", "-nan"}
"""How files spell a value that is missing, in lower case."""
_POINT_AND_COMMA = str.maketrans(",.", ".,")


def read_number(cell: str, decimal: str = ".") -> float | None:
    """Read a number, infinities and ``nan`` among them; None where the cell holds none.

    No thousands marks, no underscores, no hexadecimal: what is not surely one number is none.
    """
    if decimal == ",":
        cell = cell.translate(_POINT_AND_COMMA)
    if "_" in cell or not cell.isascii():  # float() takes 1_0 and the digits of other scripts
        return None
    try:
        return float(cell)
    except ValueError:
        return None


def is_missing(cell: str) -> bool:
    """Whether a cell stands for no value."""
    return cell.strip().lower() in _MISSING


def looks_like_decimal_comma(cell: str) -> bool:
    """Whether a cell reads as a number whose decimal mark is a comma."""
    return re.fullmatch(r"\s*[+-]?\d+,\d+(?:e[+-]?\d+)?\s*", cell, re.IGNORECASE | re.ASCII) is not None


def first_rows(data: Buffer, dialect: Dialect, most: int) -> tuple[list[list[str]], NDArray[np.int32]]:
    """Read the cells of the first rows, however many each has; and where the rows begin, and the last one ends.

    At most `most` rows; of a wide table those before the header, and then as many as hold 20,000 cells, or 20.
    """
    counts, starts = _first_counts(data, dialect, most)
    header = next((at for at, fields in enumerate(counts) if fields > 1), 0) + 1
    most = min(most, header + max(_ROWS_LOOKED_AT_LEAST, _CELLS_LOOKED_AT // max(counts, default=1)))
    counts, starts = counts[:most], starts[: most + 1]
    part = memoryview(data)[: starts[-1]]
    columns = np.array([text_role(i) for i in range(max(counts, default=0))], np.int32)
    parsed = parse(part, columns, dialect)
    by_column = [cell_texts(part, parsed.spans[:, i], True) for i in range(len(columns))]
    rows = [
        [cell or "" for cell in row[:count]] for row, count in zip(zip(*by_column, strict=True), counts, strict=True)
    ]
    return rows, starts


def _first_counts(data: Buffer, dialect: Dialect, most: int) -> tuple[list[int], NDArray[np.int32]]:
    """Count the fields of the first rows, `most` or more: a whole block has twenty times as many."""
    view, size = memoryview(data), _LOOKED_AT_BYTES
    while size < len(view):
        counts, starts = field_counts(view[: row_end(view[:size], dialect.delimiter)[0]], dialect)
        if len(counts) >= most:
            return counts, starts
        size *= 4
    return field_counts(data, dialect)


SEPARATOR_LINE = re.compile(rb"sep=([^\r\n\"])\r?\n", re.IGNORECASE)
"""How Excel has the delimiter of a file said, before its header."""
_FEW_COLUMNS = 2
_REMARK = b"#"[0]
DELIMITERS = (",", "\t", ";", "|")
_LOOKED_AT_BYTES = 1 << 16
_LOOKED_AT_LINES = 100


def check_delimiter(given: str) -> None:
    """Refuse what cannot separate cells.

    Raises
    ------
    UsageError
        It is not one ASCII character, or one with another meaning.
    """
    if len(given) != 1 or not given.isascii() or given in '"\r\n\0':
        raise UsageError(f"--delimiter {given!r}: expected one ASCII character, no quote and no line end, such as ';'")


def find_dialect(head: bytearray, decimal: str = ".") -> Dialect:
    """Choose the delimiter that parts most lines into as many cells as the first, and of those the one with most cells.

    Where none parts the first line, runs of spaces may: as NumPy, pandas and printf write columns.

    Parameters
    ----------
    head : bytearray
        The first bytes of a file, not necessarily of whole lines.
    decimal : str
        What parts the digits of a number, and so no cells.
    """
    if (typed := SEPARATOR_LINE.match(head)) is not None:
        return Dialect(typed[1].decode(), decimal)
    lines = head.rfind(b"\n", 0, _LOOKED_AT_BYTES) + 1
    data = head[: lines or len(head)]
    best, best_score = "", (0.0, 1)
    for delimiter in (delimiter for delimiter in DELIMITERS if delimiter != decimal):
        counts, starts = field_counts(data, Dialect(delimiter))
        remarks = next((i for i, n in enumerate(counts) if n > 1 or data[starts[i]] != _REMARK), 0)
        counts = counts[remarks : remarks + _LOOKED_AT_LINES]
        width = counts[0] if counts else 1
        score = (counts.count(width) / max(1, len(counts)), width)
        if width > 1 and score > best_score:
            best, best_score = delimiter, score
    if best:
        return Dialect(best, decimal)
    spaces = Dialect(" ", decimal, runs=True)
    return spaces if _are_columns(data, spaces) else Dialect(DELIMITERS[decimal == DELIMITERS[0]], decimal)


def _are_columns(data: bytearray, spaces: Dialect) -> bool:
    """Whether runs of spaces part every line into equally many cells, and those below the first are mostly numbers."""
    rows, _ = first_rows(data, spaces, _LOOKED_AT_LINES)
    rows = [_without_mark(rows[0]), *rows[1:]] if rows else []
    cells = [cell for row in rows[1:] or rows for cell in row]
    numbers = sum(read_number(cell, spaces.decimal) is not None for cell in cells)
    return bool(rows) and {len(row) for row in rows} == {max(2, len(rows[0]))} and 2 * numbers > len(cells)


_ROWS_LOOKED_AT = 1000
_CELLS_LOOKED_AT = 20_000
_ROWS_LOOKED_AT_LEAST = 20
"""Rows of a wide table: a look at every column of a thousand rows would take longer than to score them."""
_NAMES_SHOWN = 5


class Sniffed(NamedTuple):
    """How the lines of one file are to be read."""

    dialect: Dialect
    names: tuple[str, ...]
    """Of all columns, also those in `left_out`."""
    numeric: frozenset[str]
    """Columns in which at least half of the first values are numbers."""
    header_bytes: int
    """Length of the header and of what stands before it."""
    header_lines: int
    notes: tuple[str, ...] = ()
    lists: Mapping[str, int] = MappingProxyType({})
    """Columns whose cells hold lists of numbers, with the length of the first."""
    left_out: frozenset[str] = frozenset()
    """Columns with neither a name nor, in the first rows, a value: no part of the table."""


def sniff(first_block: bytearray, name: str, options: ReadOptions, dialect: Dialect) -> Sniffed:
    """Learn from the first block, which holds whole rows, how a file is to be read.

    Raises
    ------
    DataError
        It is empty, or names a column twice.
    """
    found, starts = first_rows(first_block, dialect, _ROWS_LOOKED_AT)
    at = next((i for i, cells in enumerate(found) if any(cell.strip() for cell in cells)), None)
    if at is None:
        raise DataError(f"{name}: empty: expected a header and rows")
    before = 0
    if SEPARATOR_LINE.match(first_block) and len(found) > at + 1:
        at, before = at + 1, int(starts[at + 1])
    remarks = next((i for i in range(at, len(found)) if len(found[i]) > 1 or not found[i][0].startswith("#")), at)
    if remarks > at and len(found[remarks]) > 1:
        at, before = remarks, int(starts[remarks])
    first, header = _without_mark([_bare(cell) for cell in found[at]]), int(starts[at + 1])
    rows = found[at + 1 : at + 1 + max(_ROWS_LOOKED_AT_LEAST, _CELLS_LOOKED_AT // len(first))]
    notes: list[str] = []
    if _is_data(first, rows, options):
        rows.insert(0, first)
        first, header = [str(index) for index in range(len(first))], before
        if options.header is None and read_number(rows[0][0], options.decimal) is None:
            notes.append(f"{name}: no header: the first line, {rows[0][0]!r}, occurs again, so it is data")
        elif options.header is None:
            named = f"columns are named 0 to {first[-1]}" if len(first) > 1 else "the column is named 0"
            notes.append(f"{name}: no header: the first line is numbers, so it is data; {named}")
    elif options.header is None and (number := next(filter(_has_fraction, first), None)) is not None:
        notes.append(f"{name}: the first line is the header, although {number!r} is a number; if not: --no-header")
    if len(first) > 1 and not first[-1] and rows and {len(row) for row in rows} == {len(first) - 1}:
        first = first[:-1]  # a delimiter at the end of the header alone
    _check_quotes(memoryview(first_block)[before:header], dialect, name)
    first = _with_row_names(first, rows)
    for at in _nameless(first, rows):
        notes.append(f"{name}: column {at + 1} has no name and is empty: left out")
        first[at] = f"{_NAMELESS}{at}"
    lines = first_block.count(b"\n", 0, header)
    _refuse_repeated(first, f"{name}:{lines or 1}")
    columns = frozenset(n for i, n in enumerate(first) if _is_numeric(rows, i, options.decimal))
    lists = {n: size for i, n in enumerate(first) if n not in columns and (size := _list_size(n, rows, i)) is not None}
    left_out = frozenset(n for n in first if n.startswith(_NAMELESS))
    return Sniffed(dialect, tuple(first), columns, header, lines, tuple(notes), lists, left_out)


_NAMELESS = "\0"


def _bare(cell: str) -> str:
    """A name without the blanks, and the quotes that blanks have kept from being read as such."""
    name = cell.strip()
    return name[1:-1].strip() if len(name) > 1 and name[0] == name[-1] == '"' and name != cell else name


def _without_mark(names: list[str]) -> list[str]:
    """Take the mark of a comment from a header, as NumPy writes it: ``# cat,dog``, ``# cat dog``."""
    if names[0] == "#" and len(names) > 1:
        return names[1:]
    return [names[0].lstrip("# "), *names[1:]] if names[0].startswith("# ") else names


def _with_row_names(names: list[str], rows: list[list[str]]) -> list[str]:
    """Name a column that only the rows have: R's row names before the others, or nothing behind them."""
    if not rows or {len(row) for row in rows} != {len(names) + 1}:
        return names
    if not any(row[-1].strip() for row in rows):
        return [*names, ""]
    return ["", *names] if len({row[0] for row in rows}) == len(rows) > 1 else names


def _nameless(names: list[str], rows: list[list[str]]) -> list[int]:
    """Columns without a name whose cells are empty, as a delimiter at the end of every line makes them."""
    empty = [at for at, name in enumerate(names) if not name]
    empty = [at for at in empty if not any(at < len(row) and row[at].strip() for row in rows)]
    return empty if len(empty) < len(names) else []


def _list_size(name: str, rows: list[list[str]], at: int) -> int | None:
    """Return how many numbers the cells of a column hold; without brackets only under a name such as ``logits``."""
    cells = [row[at] for row in rows if at < len(row) and not is_missing(row[at])]
    named = score_name(name)
    names_scores = named is not None and named[0].is_plain and not named[1]
    if not cells or (cells[0].lstrip()[:1] not in ("[", "(", "t", "a", "n") and not names_scores):
        return None
    from softmax_cli.formats.csv.list_cells import list_size

    return list_size(cells)


def _is_data(first: list[str], rows: list[list[str]], options: ReadOptions) -> bool:
    """Whether the first line is numbers, and not the names that programs give to classes: 0 .. K-1, or 1 .. K.

    Those are names where fractions stand below, and 0, 1, 2 .. where anything does.
    """
    if options.header is not None:
        return not options.header
    if len(first) == 1 and first in rows:  # a lone column of labels, whose first one occurs again
        return True
    if any(read_number(cell, options.decimal) is None for cell in first):
        return False
    has_fractions = any("." in cell or "e" in cell.lower() for row in rows for cell in row)
    for start in (0, 1):
        if first == [str(index + start) for index in range(len(first))] and rows:
            return not (len(first) > 1 and has_fractions) and not (start == 0 and len(first) > _FEW_COLUMNS)
    return True


def _check_quotes(header: Buffer, dialect: Dialect, name: str) -> None:
    """Refuse a header with a quote that nothing closes: all rows of the file would be part of a column's name."""
    roles = np.array([text_role(0)], np.int32)
    blank_after_quote = rb'"[ \t]+(?=%b|[\r\n]|$)' % re.escape(dialect.delimiter.encode())
    reasons = {flaw.reason for flaw in parse(re.sub(blank_after_quote, b'"', header), roles, dialect).flaws}
    if Reason.OPEN_QUOTE in reasons:
        raise DataError(f"{name}: the header opens a quote that nothing closes; close it, or write it twice")
    if Reason.TEXT_AFTER_QUOTE in reasons:
        raise DataError(f"{name}: text after a closing quote in the header; double the quotes within a name")


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

    A column that holds nothing counts as numbers, and so do numbers with another decimal mark, a percent sign or marks
    of thousands: taken for text, scores would be left out without a word; taken for scores, text is refused with one.
    """
    cells = [row[at] for row in rows if at < len(row)]
    others = [cell for cell in cells if read_number(cell, decimal) is None]
    texts = [cell for cell in others if not is_missing(cell)]
    spelled = sum(map(looks_like_decimal_comma, texts)) if decimal == "." else 0
    spelled += sum(re.fullmatch(_OTHERWISE, cell) is not None for cell in texts if not cell[:1].isalpha())
    return len(texts) - spelled <= len(cells) - len(others) + spelled


_OTHERWISE = (
    r"\s*[+-]?(\d+([.,]\d+)?\s*%|\d{1,3}([, ']\d{3})+(\.\d+)?|\d+\.\d*[fFdDL]|0[xX][\da-fA-F.]+[pP][+-]?\d+)\s*"
    r"|\s*[\u2212\u2013]\s*\d+([.,]\d+)?\s*|\s*(['\u2019])[+-]?\d+\.\d+\6\s*"
)
"""Numbers that are spelled for people or as in source code: ``98 %``, ``1,234.5``, ``2.0f``, ``'2.0'``."""


def _has_fraction(cell: str) -> bool:
    return "." in cell and read_number(cell) is not None
