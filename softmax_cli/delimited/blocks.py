"""Cuts delimited text into blocks of whole rows, so that several workers can parse at once.

A row may span lines inside quotes; a block never ends there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from softmax_cli.batches.table import Block
from softmax_cli.errors import DataError

BLOCK_BYTES = 1 << 21
"""2 MB: large enough that the cost of a block is in its values, small enough that what is made of it stays in the cache."""
LONGEST_ROW_BYTES = 1 << 28
_QUOTE = ord('"')
_LINE_ENDS = b"\n\r"


class RowBlocks:
    """Iterates over blocks of whole rows, in order; `data` is a ``memoryview`` that ends in a newline but for the last.

    Parameters
    ----------
    file : binary file
        Anything with ``readinto``; it need not seek.
    name : str
        What messages call the file.
    delimiters : bytes
        What may part cells: a quoted cell begins behind one of them or behind a newline. May be set when it is known better.
    size : int
        Bytes to read at a time.

    Raises
    ------
    DataError
        On iteration: a row is longer than 256 MB.
    """

    def __init__(self, file: BinaryIO, name: str, delimiters: bytes, size: int = BLOCK_BYTES) -> None:
        self.delimiters = delimiters
        self._file, self._name, self._size = file, name, size

    def __iter__(self) -> Iterator[Block]:
        """Cut; can be run through once."""
        rest = b""
        line = 1
        while True:
            buffer, filled = self._read(rest)
            is_end = filled < len(buffer)
            cut = filled if is_end else last_row_end(buffer, self.delimiters)
            if cut:
                yield Block(memoryview(buffer)[:cut], first_line=line, size=cut)
                line += buffer.count(b"\n", 0, cut)
            if is_end:
                return
            rest = bytes(memoryview(buffer)[cut:])
            if len(rest) > LONGEST_ROW_BYTES:
                raise DataError(
                    f"{self._name}:{line}: a row longer than {LONGEST_ROW_BYTES >> 20} MB; "
                    "is a quote left open, or is this no text?"
                )
            if cut < len(buffer) // 2:  # rows as wide as this want larger blocks
                self._size *= 2

    def _read(self, rest: bytes) -> tuple[bytearray, int]:
        """Read until a block's bytes are there or the file ends; return the buffer and how far it is filled."""
        buffer = bytearray(len(rest) + self._size)
        buffer[: len(rest)] = rest
        filled = len(rest)
        with memoryview(buffer) as view:
            while filled < len(buffer) and (more := self._file.readinto(view[filled:])):  # type: ignore[attr-defined]
                filled += more
        return buffer, filled


def last_row_end(buffer: bytearray, delimiters: bytes) -> int:
    """Return the position after the last newline that ends a row; 0 where there is none."""
    end = buffer.rfind(b"\n") + 1
    text = np.frombuffer(buffer, np.uint8)
    quotes = np.flatnonzero(text == _QUOTE)
    if not end or not quotes.size:
        return end
    spans = _plain_spans(text, quotes, delimiters)
    if spans is None:
        spans = _any_spans(buffer, delimiters)
    while end:
        nearest = int(np.searchsorted(spans[:, 0], end)) - 1
        if nearest < 0 or end > spans[nearest, 1]:
            return end
        end = buffer.rfind(b"\n", 0, spans[nearest, 0]) + 1
    return 0


def _plain_spans(text: np.ndarray, quotes: np.ndarray, delimiters: bytes) -> np.ndarray | None:  # type: ignore[type-arg]
    """Begin and end of every quoted cell where quotes come in plain pairs; None where one is doubled, stray or open.

    Each first quote of a pair must stand behind a delimiter or a line end and each second one before one: then, going from
    cell to cell, a parser takes them for just that, and nothing but their positions has to be looked at.
    """
    if quotes.size % 2 or quotes[-1] + 1 == len(text):
        return None
    around = np.zeros(256, np.bool_)
    around[list(delimiters + _LINE_ENDS)] = True
    opening, closing = quotes[::2], quotes[1::2]
    before = around[text[opening - 1]]
    before[0] |= opening[0] == 0
    if not (before.all() and around[text[closing + 1]].all()):
        return None
    return np.column_stack([opening, closing + 1])


def _any_spans(buffer: bytearray, delimiters: bytes) -> np.ndarray:  # type: ignore[type-arg]
    """Begin and end of every quoted cell, also with doubled quotes, and of one whose closing quote is still to come."""
    parts = re.escape(delimiters + _LINE_ENDS)
    cells = re.compile(rb'(?:\A|(?<=[' + parts + rb']))"[^"]*(?:""[^"]*)*(?:"|\Z)')
    return np.array([match.span() for match in cells.finditer(buffer)], np.int64).reshape(-1, 2)
