"""A fixed count of decimals, for ``--decimals``: what Python's ``f"{x:.6f}"`` gives, for a whole array at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.text.ascii import FOUR_DIGITS, MINUS, POINT, ZERO, Bytes, Floats, Integers, digit_columns

_MOST_EXACT = 2.0**33
_UNSURE = 0.5 - 2.0**-19
"""Scaled values up to 2**33 are off by at most 2**-21: nearer to a tie than 2**-19, the rounding is in doubt."""
_FAST_DECIMALS = 9
_WHOLE_DIGITS = 10
_LONGEST = 17
"""Digits before the point; a longer number is given as the shortest text that reads back."""


def _scaled(x: Floats, decimals: int, limit: float) -> tuple[Floats, NDArray[np.bool_]]:
    """|x| in units of the last decimal, rounded, and whether that is beyond doubt; 0 where it is not below `limit`."""
    scaled = np.abs(x)
    sure = scaled < limit
    if not sure.all():
        scaled[~sure] = 0
    scaled *= 10.0**decimals
    whole = np.rint(scaled)
    scaled -= whole
    sure &= np.abs(scaled, out=scaled) <= _UNSURE
    return whole, sure


class FixedProbabilityCells:
    """Writes values from 0 to below 10 with 4 to 9 decimals; every cell is filled."""

    fills = True

    def __init__(self, decimals: int) -> None:
        self.decimals = decimals
        self.width = decimals + 2

    def fill(self, x: Floats, out: Bytes) -> Integers:
        """Write the cells of one block, shape (values, width), and return the positions that have to be spelled."""
        rounded, sure = _scaled(x, self.decimals, 2.0)
        sure &= x >= 0
        units = rounded.astype(np.int32)
        first = units // 10**self.decimals
        out[:, 0] = first + ZERO
        out[:, 1] = POINT
        # Four digits at a time from the right; where they do not divide evenly, the leftmost four overlap the next.
        for dropped in [*range(0, self.decimals - 4, 4), self.decimals - 4]:
            upper = units // 10**dropped if dropped else units
            at = self.width - dropped - 4
            out[:, at : at + 4].view("<u4")[:, 0] = FOUR_DIGITS.take(upper - upper // 10_000 * 10_000)
        return np.flatnonzero(~sure)

    def spell(self, value: float) -> str:
        """One cell, as the definition has it."""
        if not 0 <= value < 10:
            raise ValueError(f"{value!r} is not a probability")
        return f"{abs(value):.{self.decimals}f}"


class FixedCells:
    """Writes numbers of any size and sign; shorter ones have NUL bytes in their cells."""

    fills = False

    def __init__(self, decimals: int) -> None:
        self.decimals = decimals
        self.width = max(_LONGEST + 2 + decimals, 24)

    def fill(self, x: Floats, out: Bytes) -> Integers:
        """Write the cells of one block, shape (values, width), and return the positions that have to be spelled."""
        if self.decimals > _FAST_DECIMALS:
            return np.arange(len(x))
        rounded, sure = _scaled(x, self.decimals, _MOST_EXACT / 10**self.decimals)
        units = rounded.astype(np.int64)
        out[:] = 0
        out[np.signbit(x), 0] = MINUS
        whole = units // 10**self.decimals
        digits = digit_columns(whole, _WHOLE_DIGITS)
        leading = whole[:, None] < 10 ** np.arange(_WHOLE_DIGITS)[::-1]
        leading[:, -1] = False
        digits[leading] = 0
        out[:, 1 : 1 + _WHOLE_DIGITS] = digits
        if self.decimals:
            out[:, 1 + _WHOLE_DIGITS] = POINT
            start = 2 + _WHOLE_DIGITS
            out[:, start : start + self.decimals] = digit_columns(units, self.decimals)
        return np.flatnonzero(~sure)

    def spell(self, value: float) -> str:
        """One cell, as the definition has it."""
        return f"{value:.{self.decimals}f}" if abs(value) < 10**_LONGEST else repr(value)
