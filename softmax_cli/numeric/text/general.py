"""Numbers of any size in a count of significant digits: log-probabilities and logits.

Fixed notation while the number is easy to read that way (``-2.30258509``, ``-0.0000123456789``), else
``1.23456789e-12``. Trailing zeros stay, so that the count of digits is what was asked for.
"""

from __future__ import annotations

import math

import numpy as np

from softmax_cli.numeric.text.ascii import MINUS, POINT, ZERO, Bytes, Floats, Integers, digit_columns
from softmax_cli.numeric.text.significand import significand

_LEAST_FIXED = -5
_MOST_FIXED = 8
"""Exponents of ten that are written out."""


class GeneralCells:
    """Writes numbers into cells that are as wide as the longest text; a shorter one has NUL bytes in it."""

    fills = False

    def __init__(self, digits: int) -> None:
        self.digits = digits
        self.width = digits + 7
        self._fixed = range(_LEAST_FIXED, min(digits - 1, _MOST_FIXED) + 1)

    def fill(self, x: Floats, out: Bytes) -> Integers:
        """Write the cells of one block, shape (values, width), and return the positions that have to be spelled."""
        size = np.abs(x)
        zero = size == 0
        strange = ~(size < np.inf)
        # Stand-ins with a logarithm; their cells are mended below or by the caller.
        size[zero | strange] = 1
        rounded = significand(size, self.digits)
        rounded.digits[zero] = 0
        digits = digit_columns(rounded.digits, self.digits)
        out[:] = 0
        out[np.signbit(x), 0] = MINUS
        self._lay_out(digits, rounded.exponent, out[:, 1:])
        return np.flatnonzero(strange | rounded.doubtful)

    def _lay_out(self, digits: Bytes, exponents: Integers, cells: Bytes) -> None:
        """Set the point and the exponent: one decade after the other, as few are present at a time."""
        written = np.zeros(len(digits), np.bool_)
        for exponent in self._fixed:
            rows = np.flatnonzero(exponents == exponent)
            if rows.size:
                written[rows] = True
                cells[rows] = self._fixed_point(digits[rows], exponent)
        rows = np.flatnonzero(~written)
        if rows.size:
            cells[rows] = self._scientific(digits[rows], exponents[rows])

    def _fixed_point(self, digits: Bytes, exponent: int) -> Bytes:
        text = np.zeros((self.width - 1, len(digits)), np.uint8)
        if exponent < 0:
            text[: 1 - exponent] = ZERO
            text[1] = POINT
            text[1 - exponent : 1 - exponent + self.digits] = digits.T
        else:
            whole = exponent + 1
            text[:whole] = digits.T[:whole]
            if whole < self.digits:
                text[whole] = POINT
                text[whole + 1 : self.digits + 1] = digits.T[whole:]
        return text.T

    def _scientific(self, digits: Bytes, exponents: Integers) -> Bytes:
        text = np.zeros((self.width - 1, len(digits)), np.uint8)
        text[0] = digits.T[0]
        if self.digits > 1:
            text[1] = POINT
            text[2 : self.digits + 1] = digits.T[1:]
        end = text[self.digits + (self.digits > 1) :]
        end[0] = ord("e")
        end[1] = np.where(exponents < 0, MINUS, ord("+"))
        size = digit_columns(np.abs(exponents), 3).T
        end[2] = np.where(size[0] == ZERO, 0, size[0])
        end[3:5] = size[1:]
        return text.T

    def spell(self, value: float) -> str:
        """One cell, as the definition has it: what `fill` does for many at once."""
        if math.isinf(value):
            return str(value)
        text = f"{value:.{self.digits - 1}e}"
        exponent = int(text[text.index("e") + 1 :])
        return f"{value:.{self.digits - 1 - exponent}f}" if exponent in self._fixed else text
