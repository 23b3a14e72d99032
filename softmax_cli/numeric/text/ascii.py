"""Digits as bytes: the tables and steps from which cells of text are put together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

MINUS = ord("-")
POINT = ord(".")
ZERO = ord("0")


def numerals(count: int, width: int) -> Bytes:
    """The numbers 0 .. count-1 in `width` digits each, shape (count, width)."""
    powers = 10 ** np.arange(width)[::-1]
    return (np.arange(count)[:, None] // powers % 10 + ZERO).astype(np.uint8)


def words(table: Bytes) -> NDArray[np.uint32]:
    """Each row of four bytes as one machine word, so that a look-up moves all four at once."""
    return np.ascontiguousarray(table).view("<u4").ravel()


FOUR_DIGITS = words(numerals(10_000, 4))


def digit_columns(values: Integers, width: int) -> Bytes:
    """The last `width` digits of non-negative integers, shape (values, width)."""
    groups = -(-width // 4)
    out = np.empty((len(values), groups), "<u4")
    rest = values
    for group in range(groups - 1, -1, -1):
        upper = rest // 10_000
        out[:, group] = FOUR_DIGITS.take(rest - upper * 10_000)
        rest = upper
    return out.view(np.uint8)[:, 4 * groups - width :]
