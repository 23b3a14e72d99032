"""What a delimited file looks like: its encoding, delimiter, header, and which of its columns are numbers."""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass

from softmax_cli.batches.names import repeated
from softmax_cli.batches.table import ReadOptions
from softmax_cli.errors import DataError

DELIMITERS = (",", "\t", ";", "|")
MISSING = frozenset(("", "na", "n/a", "#n/a", "nan", "-nan", "null", "none", "<na>"))
"""How a missing value is spelled, in small letters."""
_LINES_LOOKED_AT = 1000
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(inf|infinity|nan)", re.IGNORECASE | re.ASCII)
_COMMA_NUMBER = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?", re.ASCII)
_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the lines of one file are to be read."""

    delimiter: str
    decimal: str
    names: tuple[str, ...]
    numeric: tuple[str, ...]
    """Columns in which at least half of the first values are numbers."""
    header_bytes: int
    """Length of what stands before the first row: byte order mark and header."""
    header_lines: int
    notes: tuple[str, ...] = ()


def is_number(cell: str, decimal: str = ".") -> bool:
    """Whether a cell reads as a number; infinities and ``nan`` do."""
    text = cell.strip()
    if decimal == ",":
        text = text.replace(".", "x").replace(",", ".")
    return _NUMBER.fullmatch(text) is not None


def is_missing(cell: str) -> bool:
    """Whether a cell stands for no value."""
    return cell.strip().lower() in MISSING


def looks_like_decimal_comma(cell: str) -> bool:
    """Whether a cell reads as a number whose decimal mark is a comma."""
    return _COMMA_NUMBER.fullmatch(cell.strip()) is not None


def check_encoding(data: bytes, name: str, first_line: int = 1) -> None:
    """Refuse what is not UTF-8 text with line feeds, and say what it is.

    Raises
    ------
    DataError
        UTF-16, NUL bytes, or lines that end in a carriage return alone.
    """
    mark = _MARKS.get(bytes(data[:2]))
    if mark:
        raise DataError(f"{name}: the encoding is {mark}, not UTF-8; convert it: iconv -f {mark} -t utf-8 {name}")
    at = data.find(b"\0")
    if at >= 0:
        line = first_line + data.count(b"\n", 0, at)
        raise DataError(f"{name}:{line}: a NUL byte: this is not UTF-8 text (UTF-16? a binary file? see --input-format)")
    if b"\r" in data and b"\n" not in data and first_line == 1 and data.rstrip(b"\r").count(b"\r"):
        raise DataError(f"{name}: lines end in a carriage return alone; convert it: tr '\\r' '\\n' < {name}")


def decode_text(data: bytes, name: str, first_line: int) -> str:
    """Decode UTF-8.

    Raises
    ------
    DataError
        It is not; with the line, the byte, and how to convert a Latin-1 file.
    """
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = first_line + data.count(b"\n", 0, error.start)
        raise DataError(
            f"{name}:{line}: byte 0x{data[error.start]:02x} is not UTF-8; if the file is Latin-1, convert it: "
            f"iconv -f latin1 -t utf-8 {name}"
        ) from None


def find_dialect(first_block: bytes, name: str, options: ReadOptions, delimiter: str | None = None) -> Dialect:
    """Learn from the first block how a file is to be read.

    Parameters
    ----------
    delimiter : str, optional
        What the format says (a tab for .tsv); `options` goes before it.

    Raises
    ------
    DataError
        It is empty, is no UTF-8 text, or names a column twice.
    """
    check_encoding(first_block, name)
    mark = 3 if first_block.startswith(b"\xef\xbb\xbf") else 0
    text = decode_text(first_block[mark:], name, 1)
    if not text.strip():
        raise DataError(f"{name}: empty: a header and rows were wanted")
    delimiter = options.delimiter or delimiter or _find_delimiter(text)
    records = csv.reader(text.splitlines(keepends=True), delimiter=delimiter)
    first: list[str] = next(row for row in records if row)
    lines = records.line_num
    rows = [row for row, _ in zip(records, range(_LINES_LOOKED_AT), strict=False) if row]
    notes: list[str] = []
    if _is_data(first, rows, options):
        names = [str(index) for index in range(len(first))]
        if options.header is None:
            notes.append(f"{name}: no header: the first line is numbers, so it is data; columns are named 0 to {names[-1]}")
        rows.insert(0, first)
        header, lines = "", 0
    else:
        names = first
        header = "".join(text.splitlines(keepends=True)[:lines])
    _refuse_repeated(names, name)
    if options.decimal == "." and delimiter != "," and _uses_comma(rows):
        notes.append(f"{name}: decimal comma: cells such as 1,5 are text unless you add --decimal ,")
    numeric = tuple(n for i, n in enumerate(names) if _is_numeric([r[i] for r in rows if i < len(r)], options.decimal))
    return Dialect(
        delimiter, options.decimal, tuple(names), numeric, mark + len(header.encode()), lines, tuple(notes)
    )


def _find_delimiter(text: str) -> str:
    """Choose the delimiter that parts most lines into equally many cells, and of those the one with most cells."""
    sample = text[: 1 << 16] if len(text) > 1 << 16 else text
    lines = sample.splitlines(keepends=True)[:100] if "\n" in sample else text.splitlines(keepends=True)[:100]
    if len(sample) < len(text) and len(lines) > 1 and not lines[-1].endswith("\n"):
        lines.pop()
    best, best_score = ",", (0.0, 0)
    for delimiter in DELIMITERS:
        widths = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
        width = widths[0] if widths else 1
        score = (Counter(widths)[width] / max(1, len(widths)), width)
        if width > 1 and score > best_score:
            best, best_score = delimiter, score
    return best


def _is_data(first: list[str], rows: list[list[str]], options: ReadOptions) -> bool:
    if options.header is not None:
        return not options.header
    cells = [cell.strip() for cell in first]
    if not all(is_number(cell, options.decimal) for cell in cells):
        return False
    return cells != [str(index) for index in range(len(cells))] or (len(cells) == 1 and not rows)


def _refuse_repeated(names: list[str], name: str) -> None:
    doubled = repeated(names)
    if doubled:
        places = [str(i + 1) for i, other in enumerate(names) if other == doubled[0]]
        raise DataError(
            f"{name}:1: two columns are named {doubled[0]!r} (columns {' and '.join(places[:3])}); rename one of them"
        )


def _is_numeric(cells: list[str], decimal: str) -> bool:
    there = [cell for cell in cells if not is_missing(cell) or cell.strip().lower() in ("nan", "-nan")]
    return bool(there) and 2 * sum(is_number(cell, decimal) for cell in there) >= len(there)


def _uses_comma(rows: list[list[str]]) -> bool:
    cells = [cell for row in rows[:100] for cell in row]
    return any(looks_like_decimal_comma(cell) for cell in cells)
