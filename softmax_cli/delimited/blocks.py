"""Cuts delimited text into blocks of whole rows, so that several workers can parse at once.

A row may span lines inside quotes; a block never ends there. This half of reading cannot be shared between workers, so
every look at a block goes at the speed of memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from softmax_cli.batches.table import Block
from softmax_cli.errors import DataError

BLOCK_BYTES = 1 << 21
"""2 MB: so large that the cost of a block is in its values, so small that what is made of it stays in the cache."""
WIDE_BLOCK_BYTES = 1 << 22
FEW_ROWS = 1000
"""A parser spends some time on every column of a block; with fewer rows than this it shows, and blocks grow.

To 4 MB, not further: 8 MB were hardly faster for 1000 columns and took 100 MB more memory.
"""
LONGEST_ROW_BYTES = 1 << 28
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_NEWLINE, _QUOTE = b"\n"[0], b'"'[0]


class RowBlocks:
    """Reads a file as blocks of whole rows.

    Parameters
    ----------
    file : binary file
        Anything with ``readinto``; it need not seek.
    name : str
        What messages call the file.
    size : int
        Bytes to read at a time.

    Attributes
    ----------
    head : bytearray
        The first bytes, less a byte order mark: at most a block, to find the delimiter in. Empty for an empty file.
    """

    def __init__(self, file: BinaryIO, name: str, size: int = BLOCK_BYTES) -> None:
        self._file, self._name, self._size = file, name, size
        self.head, self._is_end = self._read(bytearray())
        while not self._is_end and len(self.head) < len(_BYTE_ORDER_MARK):
            self.head, self._is_end = self._read(self.head)
        if self.head.startswith(_BYTE_ORDER_MARK):
            del self.head[: len(_BYTE_ORDER_MARK)]

    def cut(self, delimiter: bytes) -> Iterator[Block]:
        """Yield the blocks in order; `data` is a ``bytearray`` that ends in a newline but for the last. Once only.

        Raises
        ------
        DataError
            A row is longer than 256 MB.
        """
        buffer, line = self.head, 1
        while buffer or not self._is_end:
            end = len(buffer) if self._is_end else last_row_end(buffer, delimiter)
            if line == 1 and not self._is_end and not _has_rows(buffer, end, delimiter):
                end = 0
            rest = buffer[end:]
            if end:
                del buffer[end:]
                lines = count_lines(buffer)
                yield Block(buffer, first_line=line, size=end)
                line += lines
                if lines < FEW_ROWS and self._size == BLOCK_BYTES:
                    self._size = WIDE_BLOCK_BYTES
            elif len(rest) > LONGEST_ROW_BYTES:
                raise DataError(
                    f"{self._name}:{line}: a row longer than {LONGEST_ROW_BYTES >> 20} MB; "
                    "is a quote left open, or is this no text?"
                )
            if self._is_end:
                return
            buffer, self._is_end = self._read(rest)

    def _read(self, rest: bytearray) -> tuple[bytearray, bool]:
        """Return what was left over with a block behind it, or as much again if that is more; and whether it ended."""
        filled = len(rest)
        buffer = bytearray(filled + max(filled, self._size))
        buffer[:filled] = rest
        with memoryview(buffer) as view:
            while filled < len(buffer) and (more := self._file.readinto(view[filled:])):  # type: ignore[attr-defined]
                filled += more
        is_end = filled < len(buffer)
        del buffer[filled:]
        return buffer, is_end


def count_lines(data: bytearray, end: int | None = None) -> int:
    """Return the number of line feeds; ``bytes.count`` takes seven times as long."""
    text = np.frombuffer(data, np.uint8)
    return int(np.count_nonzero(text[:end] == _NEWLINE))


def _has_rows(buffer: bytearray, end: int, delimiter: bytes) -> bool:
    """Whether a row follows the header before `end`; without one, no column would look like numbers."""
    header_end = last_row_end(buffer[: max(0, end - 1)], delimiter)
    return header_end > 0 and not buffer[:header_end].isspace()


def last_row_end(buffer: bytearray, delimiter: bytes) -> int:
    """Return the position after the last newline that ends a row, 0 where there is none; `buffer` begins with a row."""
    end = buffer.rfind(b"\n") + 1
    if not end or b'"' not in buffer:
        return end
    text = np.frombuffer(buffer, np.uint8, end)
    quotes = np.flatnonzero(text == _QUOTE)
    if not _alternate(text, quotes, delimiter):
        quotes = _quoted_cells(buffer, end, delimiter)
    while (before := int(np.searchsorted(quotes, end))) % 2:  # an odd number of quotes: the newline is inside a cell
        end = buffer.rfind(b"\n", 0, int(quotes[before - 1])) + 1
    return end


def _alternate(text: NDArray[np.uint8], quotes: NDArray[np.intp], delimiter: bytes) -> bool:
    """Whether quotes open and close cells in turn in `text`, which ends in a newline: then counting them suffices.

    The first quote of each pair has to stand where a cell begins, or right behind the second one of the pair before: a
    doubled quote closes and opens. A quote elsewhere is a character like any other, which the count would mistake.
    """
    around = np.zeros(256, np.bool_)
    around[list(delimiter + b'\r\n"')] = True
    before = text[quotes[::2] - 1]  # before the first byte: the last one, a newline, and a row begins there too
    return bool(around[before].all())


def _quoted_cells(buffer: bytearray, end: int, delimiter: bytes) -> NDArray[np.intp]:
    """Return the first and the last quote of every quoted cell in turn, with no last one where a cell stays open."""
    begin = rb"(?:\A|(?<=[\r\n" + re.escape(delimiter) + rb"]))"
    edges: list[int] = []
    for cell in re.compile(begin + rb'"[^"]*(?:""[^"]*)*("?)').finditer(buffer, 0, end):
        edges += (cell.start(), cell.end() - 1) if cell[1] else (cell.start(),)
    return np.array(edges, np.intp)
