"""Probabilities in nine significant digits and always 14 bytes: the default text, and the one that has to be fast.

- ``0.274029123456``: twelve decimals from 2**-10 (0.00098) up, and for 0 and 1. Twelve, so that 0.00098 still has nine
  digits.
- ``4.53999298e-05``: below.
- ``372007598e-110``: without the point where the exponent needs three digits, so that no cell is wider than another.

One pass over the block makes both shapes: each value is scaled by a power of ten that its binary exponent tells, and
rounded to a whole number whose digits are looked up four at a time; only the last four bytes differ (digits or
exponent).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.text.ascii import FOUR_DIGITS, Bytes, Floats, Integers, digit_columns, numerals, words
from softmax_cli.numeric.text.significand import significand

WIDTH = 14
_FIXED_FROM = 2.0**-10
_BINADES = 2048
_LEAST_EXPONENT = -99
_CELL = np.dtype(
    {
        "names": ["first", "upper", "lower", "tail"],
        "formats": ["<u2", "<u4", "<u4", "<u4"],
        "offsets": [0, 2, 6, 10],
        "itemsize": WIDTH,
    }
)
_ZERO_AND_POINT = ord("0") | ord(".") << 8
_NONE = np.empty(0, np.int64)
_UNSURE = 0.5 - 2.0**-12
"""A product below 2e12 is off by up to 2**-13: at less than twice that from a tie, the rounding is in doubt."""


def _tables() -> tuple[Floats, Floats, Integers]:
    """Give, by binary exponent b, the power of ten in its binade; by 2b, and 2b+1 from that power on, scale and tail.

    A scale of ``nan`` hands the value to the slow path: exponents of three digits, and whatever is no probability.
    """
    decade = np.full(_BINADES, np.inf)
    scale = np.full((_BINADES, 2), np.nan)
    tail = np.zeros((_BINADES, 2), np.int64)
    fixed = int(np.log2(_FIXED_FROM)) + 1023
    scale[fixed:1024] = 1e12
    for b in range(1023 - 332, fixed):
        low = ((b - 1023) * 78913) >> 18
        decade[b] = float(f"1e{low + 1}")
        for side, exponent in enumerate((low, low + 1)):
            if exponent >= _LEAST_EXPONENT:
                scale[b, side] = float(f"1e{8 - exponent}")
                tail[b, side] = 10_000 - exponent
    # Zero is alone at b = 0 below the least subnormal; its cell is that of a small number with the tail "0000".
    decade[0], scale[0, 0] = 5e-324, 1.0
    return decade, scale.ravel(), tail.ravel()


def _tail_words() -> NDArray[np.uint32]:
    """What the last four bytes may be: four digits, or an exponent at 10000 + its size."""
    exponents = numerals(100, 4)
    exponents[:, :2] = np.frombuffer(b"e-", np.uint8)
    return np.concatenate([FOUR_DIGITS, words(exponents)])


class ProbabilityCells:
    """Writes probabilities into cells of 14 bytes; owns its scratch, so one per thread."""

    width = WIDTH
    fills = True
    _tables: tuple[Floats, Floats, Integers] | None = None

    def __init__(self, block: int) -> None:
        if ProbabilityCells._tables is None:
            ProbabilityCells._tables = _tables()
        self._decade, self._scale, self._tail = ProbabilityCells._tables
        self._tail_words = _tail_words()
        self._scaled, self._whole, self._work = np.empty((3, block))
        self._index, self._last = np.empty((2, block), np.int64)
        self._nine, self._part, self._rest = np.empty((3, block), np.int32)
        self._word = np.empty(block, np.uint32)
        self._mask = np.empty((2, block), np.bool_)

    def fill(self, x: Floats, out: Bytes) -> Integers:
        """Write the cells of one block, shape (values, 14), and return the positions that have to be spelled."""
        n = len(x)
        small, sure = self._mask[:, :n]
        np.less(x, _FIXED_FROM, out=small)
        with np.errstate(invalid="ignore"):
            nine, last = self._round(x, small, sure)
        if nine.max() >= 10**9:
            np.logical_and(sure, nine < 10**9, out=sure)
        self._write(nine, last, out[:, :WIDTH].view(_CELL)[:, 0])
        if sure.all():
            return _NONE
        return self._fill_tiny(x, out, np.flatnonzero(~sure))

    def _round(
        self, x: Floats, small: NDArray[np.bool_], sure: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int32], Integers]:
        """Nine digits of every value as an integer, and the index of its last four bytes; `sure`: which are certain."""
        n = len(x)
        scaled, whole, work = self._scaled[:n], self._whole[:n], self._work[:n]
        index, last = self._index[:n], self._last[:n]
        np.right_shift(x.view(np.int64), 52, out=index)
        if index.min() < 0 and (x < 0).any():
            raise ValueError(f"{x[x < 0][0]!r} is not a probability")
        np.take(self._decade, index, out=work, mode="clip")
        np.greater_equal(x, work, out=sure)
        np.left_shift(index, 1, out=index)
        np.add(index, sure, out=index)
        np.take(self._scale, index, out=scaled, mode="clip")
        np.multiply(scaled, x, out=scaled)
        np.rint(scaled, out=whole)
        np.subtract(scaled, whole, out=work)
        np.abs(work, out=work)
        np.less_equal(work, _UNSURE, out=sure)
        # Thirteen digits now: those of a small number get four zeros, in whose place the exponent goes.
        # (By arithmetic, for `where=` branches on every value and costs three times as much.)
        np.multiply(small, 1e4 - 1, out=work)
        np.add(work, 1, out=work)
        np.multiply(whole, work, out=whole)
        # Half a unit keeps the quotient clear of the next whole number, however it is rounded.
        np.add(whole, 0.5, out=work)
        np.multiply(work, 1e-4, out=work)
        np.floor(work, out=work)
        np.copyto(self._nine[:n], work, casting="unsafe")
        np.multiply(work, 1e4, out=work)
        np.subtract(whole, work, out=work)
        np.copyto(last, work, casting="unsafe")
        np.take(self._tail, index, out=index, mode="clip")
        np.add(last, index, out=last)
        return self._nine[:n], last

    def _write(self, nine: NDArray[np.int32], last: Integers, cells: NDArray[np.void]) -> None:
        n = len(nine)
        part, rest, index, word = self._part[:n], self._rest[:n], self._index[:n], self._word[:n]
        np.take(self._tail_words, last, out=word, mode="clip")
        cells["tail"] = word
        np.floor_divide(nine, 10_000, out=part)
        np.multiply(part, 10_000, out=rest)
        np.subtract(nine, rest, out=index)
        np.take(FOUR_DIGITS, index, out=word, mode="clip")
        cells["lower"] = word
        np.floor_divide(part, 10_000, out=nine)
        np.multiply(nine, 10_000, out=rest)
        np.subtract(part, rest, out=index)
        np.take(FOUR_DIGITS, index, out=word, mode="clip")
        cells["upper"] = word
        np.add(nine, _ZERO_AND_POINT, out=nine)
        np.copyto(cells["first"], nine, casting="unsafe")

    def _fill_tiny(self, x: Floats, out: Bytes, rows: Integers) -> Integers:
        """Write exponents of three digits, of which a low temperature may give many; return what is left."""
        values = x[rows]
        tiny = (values > 0) & (values < 1e-99)
        if not tiny.any():
            return rows
        at = rows[tiny]
        q, exponent, doubtful = significand(values[tiny], 9)
        out[at, :9] = digit_columns(q, 9)
        out[at, 9:11] = np.frombuffer(b"e-", np.uint8)
        out[at, 11:14] = digit_columns(8 - exponent, 3)
        return np.concatenate([rows[~tiny], at[doubtful]])

    def spell(self, value: float) -> str:
        """One cell, as the definition has it: what `fill` does for many at once."""
        if not 0 <= value < 10:
            raise ValueError(f"{value!r} is not a probability")
        if value >= _FIXED_FROM or value == 0:
            return f"{abs(value):.12f}"
        text = f"{value:.8e}"
        mantissa, exponent = text.split("e")
        return text if int(exponent) >= _LEAST_EXPONENT else f"{mantissa.replace('.', '')}e{int(exponent) - 8}"
