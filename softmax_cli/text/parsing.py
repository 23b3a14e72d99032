"""Blocks of text to numbers and spans."""

from collections.abc import Sequence
from enum import IntEnum
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from softmax_cli.text import _core

Buffer = bytes | bytearray | memoryview
Spans = NDArray[np.int32]
"""Where cells begin and end in a buffer, shape (rows, 2); -1 and -1: the value is missing."""

COLUMNAR = 128
"""Up to so many columns a matrix of scores lies in memory column by column, above it row by row."""
SKIPPED = -1
"""The role of a column that nobody asked for."""
MISSING = -1
"""Both ends of the span of a cell that is missing."""
NO_VALUE = frozenset({"", "na", "n/a", "#n/a", "<na>", "null", "none"})
"""Spellings of a number that is missing, in lower case, as the core knows them; ``nan`` is one more for it."""


class Reason(IntEnum):
    """What is wrong with a row; of several things, the one with the highest number is named."""

    NOT_A_NUMBER = 1
    FIELD_COUNT = 2
    """The row has another number of fields than the table has columns."""
    TEXT_AFTER_QUOTE = 3
    """Something stands between the quote that closes a field and the next delimiter."""
    OPEN_QUOTE = 4
    """A quote is opened that nothing closes: the row goes on to the end of the file."""
    ODD_OBJECT = 5
    """A line of JSON that is no object with the keys of the table in their order and plain values, or no JSON."""


class Flaw(NamedTuple):
    """What is wrong with one row of a block."""

    row: int
    """Index within the block."""
    column: int | None
    """Position of the column; None: it is about the whole row."""
    reason: Reason
    fields: int
    """How many fields the row has."""
    cell: tuple[int, int]
    """Where the cell, or the row, begins and ends in the block."""


class Parsed(NamedTuple):
    """The rows of a block."""

    scores: NDArray[np.float64]
    """Shape (rows, scores); ``nan`` where a value is missing or cannot be read."""
    spans: NDArray[np.int32]
    """Where the cells of the columns of text are, shape (rows, texts, 2); -1: missing (null in JSON)."""
    starts: NDArray[np.int32]
    """Where each row begins, and where the block ends, shape (rows + 1,)."""
    flaws: list[Flaw]


class Dialect(NamedTuple):
    """How the fields of a line are reported apart."""

    delimiter: str = ","
    decimal: str = "."
    runs: bool = False
    """Any number of delimiters next to each other are one, and those around a line are none."""


def row_end(data: Buffer, delimiter: str) -> tuple[int, int]:
    """Find where the last whole row of a block ends: behind a line feed that is not inside quotes.

    Parameters
    ----------
    data : buffer
        Delimited text that begins with a row.
    delimiter : str
        One ASCII character. Quotes only open a field where one begins.

    Returns
    -------
    tuple of int
        The position, 0 where no row ends; and the number of line feeds before it.
    """
    return _core.row_end(data, ord(delimiter))


def parse(data: Buffer, roles: NDArray[np.int32], dialect: Dialect) -> Parsed:
    """Read a block of delimited rows (RFC 4180).

    A line end is a line feed, a carriage return or both; a line without a character is no row. A field that begins with
    a quote goes on to the quote that closes it, and a doubled quote stands for one; anywhere else a quote is a
    character like any other. A row with too few fields is filled up (``nan``, empty text), of one with too many the
    last are left out; both are flaws.

    A number is what Python's ``float`` takes, in ASCII and without underscores: white space around it, infinities and
    ``nan`` included, and numbers too large become infinite. Empty cells, NA, N/A, #N/A, <NA>, null and none, in any
    case, are ``nan`` without a flaw.

    Parameters
    ----------
    data : buffer
        Whole rows, below 2 GB; the end of the buffer ends the last row.
    roles : array of int32, shape (columns,)
        From 0 on: position among the scores. `text_role`: position among the columns of text. `SKIPPED`: neither.
    """
    texts, scores = _widths(roles)
    room = _core.count_rows(data)
    matrix, spans, starts = _arrays(room, scores, texts)
    codes = (ord(dialect.delimiter), ord(dialect.decimal), dialect.runs)
    rows, flaws = _core.parse(data, *codes, roles, matrix, spans, starts)
    return _parsed(rows, matrix, spans, starts, flaws)


def field_counts(data: Buffer, dialect: Dialect) -> tuple[list[int], NDArray[np.int32]]:
    """Count the fields of every row; and where each row begins, and the last one ends, shape (rows + 1,)."""
    parsed = parse(data, np.empty(0, np.int32), dialect)
    return [flaw.fields for flaw in parsed.flaws], parsed.starts


def parse_objects(data: Buffer, keys: Sequence[bytes], roles: NDArray[np.int32], sizes: NDArray[np.int32]) -> Parsed:
    """Read a block of lines, each a JSON object with plain values under the same keys in the same order.

    Scores are numbers, or lists of them. Other columns are strings without escapes, numbers (which keep their
    spelling), true, false or null. A line with anything else is a flaw, and all values of its row are missing. A line
    of nothing but white space is no row.

    Parameters
    ----------
    data : buffer
        Whole lines of UTF-8, below 2 GB.
    keys : sequence of bytes
        Every key, in order, as the lines spell it, with its quotes.
    roles : array of int32, shape (keys,)
        As for `parse`; a list takes as many positions among the scores as it has values, from this one on.
    sizes : array of int32, shape (keys,)
        Length of the list under a key; -1: a single number. Of columns of text: not looked at.
    """
    texts, _ = _widths(roles)
    scores = int(np.maximum(sizes[roles >= 0], 1).sum())
    matrix, spans, starts = _arrays(_core.count_rows(data), scores, texts)
    rows, flaws = _core.parse_objects(data, b"".join(keys), joined_ends(keys), roles, sizes, matrix, spans, starts)
    return _parsed(rows, matrix, spans, starts, flaws)


def text_role(position: int) -> int:
    """The role of the column of text that is to have this position among the spans; and the position of a role."""
    return -2 - position


def _widths(roles: NDArray[np.int32]) -> tuple[int, int]:
    """How many columns of text and how many of scores there are."""
    if not len(roles):
        return 0, 0
    return max(0, -1 - int(roles.min())), max(0, int(roles.max()) + 1)


def _arrays(room: int, scores: int, texts: int) -> tuple[NDArray[np.float64], NDArray[np.int32], NDArray[np.int32]]:
    matrix = np.empty((room, scores), order="F" if scores <= COLUMNAR else "C")
    return matrix, np.empty((room, texts, 2), np.int32), np.empty(room + 1, np.int32)


def _parsed(
    rows: int,
    matrix: NDArray[np.float64],
    spans: NDArray[np.int32],
    starts: NDArray[np.int32],
    flaws: list[tuple[int, int, int, int, int, int]],
) -> Parsed:
    if rows < len(matrix):
        matrix = matrix[:rows].copy(order="K")
    found = [
        Flaw(row, None if column < 0 else column, Reason(reason), fields, (start, end))
        for row, column, reason, fields, start, end in flaws
    ]
    return Parsed(matrix, spans[:rows], starts[: rows + 1], found)


def cell_texts(data: Buffer, spans: Spans, fields: bool) -> list[str | None]:
    """Decode the cells that spans, shape (rows, 2), mark; None: missing. `fields`: they may have quotes around them."""
    text, ends = joined_cells(data, spans, fields)
    edges = ends.tolist()
    cells = [text[start:end].decode("utf-8", "replace") for start, end in pairwise(edges)]
    missing = spans[:, 0] < 0
    return [None if is_missing else cell for cell, is_missing in zip(cells, missing.tolist(), strict=True)]


def joined_cells(data: Buffer, spans: Spans, fields: bool) -> tuple[bytearray, NDArray[np.int32]]:
    """The text of all cells one after the other, less their quotes, and where each begins, shape (rows + 1,).

    That is how Arrow lays out a column of strings. A missing cell is empty.
    """
    text, ends = _core.join_fields(data, spans, fields)
    return text, np.frombuffer(ends, np.int32)


def joined_ends(texts: Sequence[bytes]) -> NDArray[np.int32]:
    """Where each of several texts ends when they are joined."""
    return np.cumsum([len(text) for text in texts], dtype=np.int32)
