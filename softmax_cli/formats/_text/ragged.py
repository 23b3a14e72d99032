"""Cells of different lengths, lying anywhere in a buffer, and how many of them are moved at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from softmax_cli.tables.arrays import floats, validity

Bytes = NDArray[np.uint8]
Positions = NDArray[np.int64]

_LONG_CELL = 64
"""Mean bytes of a cell from which on copying cell by cell is cheaper than gathering byte by byte."""
_WASTE = 4
"""How many times the bytes of the cells their windows may amount to."""


class Ragged(NamedTuple):
    """One cell per row: `lengths[i]` bytes of `data` from `starts[i]` on."""

    starts: Positions
    lengths: Positions
    data: Bytes

    def __len__(self) -> int:
        return len(self.starts)

    def slice(self, start: int, stop: int) -> Ragged:
        """Rows from `start` up to `stop`, sharing the bytes."""
        return Ragged(self.starts[start:stop], self.lengths[start:stop], self.data)

    def span(self) -> Bytes:
        """The bytes from the first cell to the last, with what may lie between them."""
        if not len(self):
            return self.data[:0]
        return self.data[int(self.starts.min()) : int((self.starts + self.lengths).max())]

    def hold(self, wanted: bytes) -> bool:
        """Whether any of the wanted bytes occurs (or lies between cells)."""
        # One comparison per byte wanted runs through the text many times as fast as a look-up of every byte.
        span = self.span()
        return any(bool((span == byte).any()) for byte in wanted)

    def take(self, codes: NDArray[np.integer], valid: NDArray[np.bool_]) -> Ragged:
        """The cells at `codes`; an empty one where not `valid`."""
        if not len(self):
            return Ragged(np.zeros(len(codes), np.int64), np.zeros(len(codes), np.int64), self.data)
        return Ragged(self.starts[codes], np.where(valid, self.lengths[codes], 0), self.data)


def ragged(array: pa.Array) -> Ragged:
    """The cells of a string or binary array, or of a dictionary of such; null is an empty cell."""
    if pa.types.is_dictionary(array.type):
        valid = validity(array)
        codes = np.where(valid, floats(array.indices, np.dtype(np.float64)), 0).astype(np.int64)
        return ragged(array.dictionary).take(codes, valid)
    dtype = np.dtype(
        np.int64 if pa.types.is_large_string(array.type) or pa.types.is_large_binary(array.type) else np.int32
    )
    _, offsets, data = array.buffers()
    if not len(array):
        return Ragged(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.uint8))
    edges = np.frombuffer(offsets, dtype, len(array) + 1, array.offset * dtype.itemsize).astype(np.int64)
    lengths = np.diff(edges)
    if array.null_count:
        lengths[~validity(array)] = 0
    return Ragged(edges[:-1], lengths, np.zeros(0, np.uint8) if data is None else np.frombuffer(data, np.uint8))


def windows(data: Bytes, width: int) -> NDArray[np.void]:
    """Every run of `width` bytes as one item, shape (bytes - width + 1,), so that a look-up moves whole cells."""
    return np.ndarray((data.size - width + 1,), f"V{width}", data, 0, (1,))


def place(cells: Ragged, out: Bytes, at: Positions, room: Positions) -> None:
    """Copy each cell to its place `at` in `out`.

    Where cells are about equally long, windows of the longest length are copied; what a window carries beyond its cell
    may overwrite up to `room[i]` bytes from `at[i]` on, which the caller writes afterwards.
    """
    total, width = int(cells.lengths.sum()), int(cells.lengths.max(initial=0))
    if not total:
        return
    if width * len(cells) <= _WASTE * total and bool((room >= width).all()):
        starts, data = cells.starts, cells.data
        if int(starts.max()) + width > data.size:
            first = int(starts.min())
            starts, data = starts - first, np.concatenate([data[first:], np.zeros(width, np.uint8)])
        windows(out, width)[at] = windows(data, width)[starts]
    elif total > _LONG_CELL * len(cells):
        for start, length, target in zip(cells.starts.tolist(), cells.lengths.tolist(), at.tolist(), strict=True):
            out[target : target + length] = cells.data[start : start + length]
    else:
        before = np.cumsum(cells.lengths) - cells.lengths
        step = np.arange(total)
        out[np.repeat(at - before, cells.lengths) + step] = cells.data[
            np.repeat(cells.starts - before, cells.lengths) + step
        ]
