"""Probabilities in 17 digits, which read back the same float64: ``2.7402912345678901e-01``, always 22 bytes."""

from __future__ import annotations

import numpy as np

from softmax_cli.numeric.text.ascii import FOUR_DIGITS, Bytes, Floats, Integers, digit_columns, numerals, words
from softmax_cli.numeric.text.significand import significand

DIGITS = 17
WIDTH = 22
_CELL = np.dtype(
    {
        "names": ["first", "a", "b", "c", "d", "exponent"],
        "formats": ["<u2", "<u4", "<u4", "<u4", "<u4", "<u4"],
        "offsets": [0, 2, 6, 10, 14, 18],
        "itemsize": WIDTH,
    }
)
_ZERO_AND_POINT = ord("0") | ord(".") << 8
_WIDE_EXPONENT = 100


class ScientificCells:
    """Writes probabilities into cells of 22 bytes; an exponent of three digits takes the place of the point."""

    width = WIDTH
    fills = True

    def __init__(self) -> None:
        exponents = numerals(_WIDE_EXPONENT, 4)
        exponents[:, :2] = np.frombuffer(b"e-", np.uint8)
        exponents[0, 1] = ord("+")
        self._exponents = words(exponents)

    def fill(self, x: Floats, out: Bytes) -> Integers:
        """Write the cells of one block, shape (values, 22), and return the positions that have to be spelled."""
        ordinary = (x > 0) & (x < 10)
        if not ordinary.all():
            x = np.where(ordinary, x, 1.0)
        rounded = significand(x, DIGITS)
        places = -rounded.exponent
        self._write(rounded.digits, places, out[:, :WIDTH].view(_CELL)[:, 0])
        if places.max() >= _WIDE_EXPONENT:
            rows = np.flatnonzero(places >= _WIDE_EXPONENT)
            out[rows, :DIGITS] = digit_columns(rounded.digits[rows], DIGITS)
            out[rows, 17:19] = np.frombuffer(b"e-", np.uint8)
            out[rows, 19:] = digit_columns(places[rows] + DIGITS - 1, 3)
        return np.flatnonzero(rounded.doubtful | ~ordinary)

    def _write(self, digits: Integers, places: Integers, cells: np.ndarray[tuple[int], np.dtype[np.void]]) -> None:
        upper = digits // 100_000_000
        lower = (digits - upper * 100_000_000).astype(np.int32)
        first = self._write_eight(upper.astype(np.int32), cells["a"], cells["b"])
        self._write_eight(lower, cells["c"], cells["d"])
        cells["first"] = first + _ZERO_AND_POINT
        cells["exponent"] = self._exponents.take(places, mode="clip")

    @staticmethod
    def _write_eight(
        value: np.ndarray[tuple[int], np.dtype[np.int32]], left: Bytes, right: Bytes
    ) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
        """Write the last eight digits in two fours; return the digits before them."""
        upper = value // 10_000
        right[:] = FOUR_DIGITS.take(value - upper * 10_000)
        rest = upper // 10_000
        left[:] = FOUR_DIGITS.take(upper - rest * 10_000)
        return rest

    def spell(self, value: float) -> str:
        """One cell, as the definition has it: what `fill` does for many at once."""
        if not 0 <= value < 10:
            raise ValueError(f"{value!r} is not a probability")
        text = f"{abs(value):.16e}"
        mantissa, exponent = text.split("e")
        return text if len(exponent) == 3 else f"{mantissa.replace('.', '')}e{int(exponent) - 16}"
