"""Lines out of columns: every part of a line is put in its place for a block of rows at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from softmax_cli.formats._text.ragged import Bytes, Positions, Ragged, place, windows


class Part(Protocol):
    """A stretch of every line: one column of text, or a run of numbers."""

    @property
    def lengths(self) -> Positions | int:
        """Bytes per row."""

    def put(self, out: Bytes, at: Positions, end: Positions) -> None:
        """Write to `at`; bytes from there up to the line's `end` may be spoilt, for they are written later."""


class Texts(NamedTuple):
    """A column of text between two constants (a key before it, a separator after it)."""

    cells: Ragged
    before: bytes
    after: bytes

    @property
    def lengths(self) -> Positions:
        """Bytes per row, shape (rows,)."""
        return self.cells.lengths + (len(self.before) + len(self.after))

    def put(self, out: Bytes, at: Positions, end: Positions) -> None:
        """Write to `at`, in order."""
        _constant(self.before, out, at)
        at = at + len(self.before)
        place(self.cells, out, at, end - at)
        _constant(self.after, out, at + self.cells.lengths)


class Matrix(NamedTuple):
    """Text of the same length in every row, shape (rows, bytes)."""

    rows: Bytes

    @property
    def lengths(self) -> int:
        """Bytes per row: the same for all."""
        return int(self.rows.shape[1])

    @property
    def cells(self) -> Ragged:
        """The rows as cells."""
        rows, width = self.rows.shape
        return Ragged(np.arange(rows) * width, np.full(rows, width), self.rows.reshape(-1))

    def put(self, out: Bytes, at: Positions, end: Positions) -> None:
        """Write to `at`; nothing else is touched."""
        width = self.rows.shape[1]
        windows(out, width)[at] = self.rows.view(f"V{width}")[:, 0]


def without_nul(rows: Bytes) -> Texts:
    """The rows of a matrix less their NUL bytes."""
    keep = rows != 0
    lengths = np.count_nonzero(keep, axis=1).astype(np.int64)
    return Texts(Ragged(np.cumsum(lengths) - lengths, lengths, rows[keep]), b"", b"")


class Lines:
    """A buffer that grows by blocks of lines."""

    def __init__(self, rows: int) -> None:
        self._rows_left = rows
        self._out = np.empty(0, np.uint8)
        self._size = 0

    def add(self, rows: int, parts: Sequence[Part]) -> None:
        """Append `rows` lines made of `parts`, from left to right."""
        lengths = np.zeros(rows, np.int64)
        for part in parts:
            lengths += part.lengths
        end = np.cumsum(lengths)
        self._reserve(int(end[-1]), rows)
        end += self._size
        at = end - lengths
        for part in parts:
            part.put(self._out, at, end)
            at += part.lengths
        self._size = int(end[-1])

    def _reserve(self, more: int, rows: int) -> None:
        if self._size + more > self._out.size:
            # The rows to come are taken to be about as long as these.
            expected = self._size + more * max(1, self._rows_left // rows)
            grown = np.empty(expected + expected // 16 + more, np.uint8)
            grown[: self._size] = self._out[: self._size]
            self._out = grown
        self._rows_left -= rows

    def view(self) -> memoryview:
        """What has been written."""
        return memoryview(self._out)[: self._size]  # type: ignore[arg-type]


def _constant(text: bytes, out: Bytes, at: Positions) -> None:
    if len(text) == 1:
        out[at] = text[0]
    elif text:
        windows(out, len(text))[at] = np.frombuffer(text, f"V{len(text)}")[0]
