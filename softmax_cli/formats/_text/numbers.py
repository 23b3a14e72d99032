"""Runs of computed columns, written as one stretch of fixed-width cells per row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from softmax_cli.formats._text.weave import Matrix, Texts, without_nul
from softmax_cli.numeric.softmax import COLUMNAR_CLASSES
from softmax_cli.numeric.text import Kind, NumberText
from softmax_cli.tables.arrays import matrix_of
from softmax_cli.tables.columns import METADATA_KEY
from softmax_cli.tables.table import WriteOptions

_KINDS: dict[bytes, Kind] = {b"prob": "probability", b"number": "number"}


def computed_kind(field: pa.Field) -> Kind | None:
    """What kind of number a column holds that was computed by us; None: it passed through."""
    return _KINDS.get((field.metadata or {}).get(METADATA_KEY, b""))


def number_text(kind: Kind, options: WriteOptions) -> NumberText:
    """The formatter that the user's options ask for."""
    return NumberText(kind, options.digits, options.decimals)


class NumberRun:
    """Neighbouring columns of one kind of number; owns scratch memory, so one per thread.

    Parameters
    ----------
    text : NumberText
        Formats the numbers.
    before : sequence of bytes
        What stands before each column's number (a key, a separator).
    after : bytes
        What stands after the last.
    missing : bytes
        What is written for ``nan`` and infinities, where the format has no name for them; empty: as they come.
    """

    def __init__(self, text: NumberText, before: Sequence[bytes], after: bytes, missing: bytes = b"") -> None:
        self._text, self._missing = text, missing
        self._line = b"".join(key + bytes(text.width) for key in before) + after
        ends = np.cumsum([len(key) + text.width for key in before])
        self._starts = (ends - text.width).tolist()
        # Where the cells lie at equal distances, as in CSV, they are written in place and not copied there.
        distance = text.width + len(after)
        self._evenly = self._starts == [i * distance for i in range(len(before))]
        self._values = np.empty((0, len(before)))
        self._cells = np.empty((0, text.width), np.uint8)
        self._rows = np.empty((0, len(self._line)), np.uint8)

    def __call__(self, numbers: NDArray[np.floating]) -> Matrix | Texts:
        """Write a matrix, shape (rows, columns), in any memory order; the result is good until the next call."""
        rows, count = numbers.shape
        self._reserve(rows)
        values = self._values[:rows]
        values[...] = numbers
        flat = values.reshape(-1)
        cells = self._cells[: rows * count]
        full = self._text(flat, cells)
        if not full and self._missing:
            nameless = np.flatnonzero(~np.isfinite(flat))
            cells[nameless] = np.frombuffer(self._missing.ljust(self._text.width, b"\0"), np.uint8)
        out = self._rows[:rows]
        if not self._evenly:
            by_row = cells.view(f"V{self._text.width}").reshape(rows, count)
            for i, start in enumerate(self._starts):
                out[:, start : start + self._text.width].view(by_row.dtype)[:, 0] = by_row[:, i]
        return Matrix(out) if full else without_nul(out)

    def _reserve(self, rows: int) -> None:
        if rows > len(self._rows):
            self._values = np.empty((rows, self._values.shape[1]))
            self._rows = np.empty((rows, len(self._line)), np.uint8)
            self._rows[:] = np.frombuffer(self._line, np.uint8)
            count, width = self._values.shape[1], self._text.width
            if self._evenly:
                self._cells = self._rows.reshape(rows * count, -1)[:, :width]
            else:
                self._cells = np.empty((rows * count, width), np.uint8)


def number_matrix(batch: pa.RecordBatch, indices: Sequence[int]) -> NDArray[np.floating]:
    """The columns of a run side by side, shape (rows, columns), in float64; null is ``nan``."""
    order: Literal["C", "F"] = "C" if len(indices) > COLUMNAR_CLASSES else "F"
    return matrix_of(batch, indices, np.dtype(np.float64), order)
