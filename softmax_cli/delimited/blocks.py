"""Cuts delimited text into blocks of whole rows, so that several workers can parse at once.

A row may span lines inside quotes; a block never ends there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import BinaryIO

from softmax_cli.batches.table import Block
from softmax_cli.errors import DataError

BLOCK_BYTES = 1 << 21
"""2 MB: large enough that the cost of a block is in its values, small enough that what is made of it stays in the cache."""
WIDE_LINE_BYTES = 1 << 16
WIDE_BLOCK_BYTES = 1 << 23
"""For lines of more than 64 kB, so that a block holds more than a few."""
LONGEST_ROW_BYTES = 1 << 28


def row_blocks(file: BinaryIO, name: str, delimiter: bytes | None = None, size: int = BLOCK_BYTES) -> Iterator[Block]:
    """Yield blocks of whole rows, in order; `data` is a ``memoryview`` that ends in a newline but for the end of the file.

    Parameters
    ----------
    file : binary file
        Anything with ``readinto``; it need not seek.
    name : str
        What messages call the file.
    delimiter : bytes, optional
        What parts cells, where known: a quoted cell begins behind it or behind a newline. None: any common delimiter.
    size : int
        Bytes to read at a time.

    Raises
    ------
    DataError
        A row is longer than 256 MB.
    """
    rest = b""
    line = 1
    while True:
        buffer, filled = _read(file, rest, size)
        is_end = filled < len(buffer)
        text = memoryview(buffer)[:filled]
        cut = filled if is_end else last_row_end(buffer, delimiter)
        if cut:
            data = text[:cut]
            yield Block(data, first_line=line, size=cut)
            line += buffer.count(b"\n", 0, cut)
        if is_end:
            return
        rest = bytes(text[cut:])
        if len(rest) > LONGEST_ROW_BYTES:
            raise DataError(
                f"{name}:{line}: a row longer than {LONGEST_ROW_BYTES >> 20} MB; is a quote left open, or is this no text?"
            )
        if not cut:
            size *= 2


def _read(file: BinaryIO, rest: bytes, size: int) -> tuple[bytearray, int]:
    """Read until `size` more bytes are there or the file ends; return the buffer and how far it is filled."""
    buffer = bytearray(len(rest) + size)
    buffer[: len(rest)] = rest
    filled = len(rest)
    with memoryview(buffer) as view:
        while filled < len(buffer) and (more := file.readinto(view[filled:])):  # type: ignore[attr-defined]
            filled += more
    return buffer, filled


def last_row_end(buffer: bytearray, delimiter: bytes | None) -> int:
    """Return the position after the last newline that ends a row; 0 where there is none."""
    end = buffer.rfind(b"\n") + 1
    if not end or b'"' not in buffer:
        return end
    quoted = [match.span() for match in _quoted_cell(delimiter).finditer(buffer) if b"\n" in match.group()]
    for start, stop in reversed(quoted):
        if start < end <= stop:
            end = buffer.rfind(b"\n", 0, start) + 1
    return end


@cache
def _quoted_cell(delimiter: bytes | None) -> re.Pattern[bytes]:
    """Match a quoted cell, also one whose closing quote is still to come; a quote within a bare cell opens nothing."""
    parts = re.escape(delimiter) if delimiter else rb",;|\t"
    return re.compile(rb'(?:\A|(?<=[\n\r' + parts + rb']))"[^"]*(?:""[^"]*)*(?:"|\Z)')
