"""Numbers to text, a block at a time: cells of fixed width whose bytes depend on the value alone.

Formatting is the costliest step of writing a table, and Python's own formatting takes 300 ns a number. Here the digits
of a block are computed together and looked up in tables. Every kind of cell has a `spell`, which defines it by
Python's exact formatting, and a `fill`, which must give the same bytes; a value whose rounding `fill` cannot vouch for
is spelled.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.text.ascii import Bytes, Floats, Integers
from softmax_cli.numeric.text.fixed import FixedCells, FixedProbabilityCells
from softmax_cli.numeric.text.general import GeneralCells
from softmax_cli.numeric.text.probability import ProbabilityCells
from softmax_cli.numeric.text.scientific import ScientificCells

Kind = Literal["probability", "number"]
_BLOCK = 65_536
"""Values at a time: scratch stays in the cache, and a call outlasts a change of the interpreter's lock."""
_MOST_DIGITS = 17


class Cells(Protocol):
    """One way to write a number."""

    width: int
    """Bytes of a cell."""
    fills: bool
    """Whether every text is as long as its cell."""

    def fill(self, x: Floats, out: Bytes) -> Integers:
        """Write a block and return the positions that have to be spelled."""

    def spell(self, value: float) -> str:
        """Write one number that is not ``nan``."""


_SIGNIFICANT: dict[tuple[Kind, int], Callable[[], Cells]] = {
    ("probability", 9): lambda: ProbabilityCells(_BLOCK),
    ("probability", 17): ScientificCells,
}
"""Layouts made for one count of digits; every other is general."""


def _cells(kind: Kind, digits: int, decimals: int | None) -> Cells:
    if decimals is None:
        if not 1 <= digits <= _MOST_DIGITS:
            raise ValueError(f"digits must lie in 1 .. {_MOST_DIGITS}, not {digits}")
        return _SIGNIFICANT.get((kind, digits), lambda: GeneralCells(digits))()
    if not 0 <= decimals <= _MOST_DIGITS:
        raise ValueError(f"decimals must lie in 0 .. {_MOST_DIGITS}, not {decimals}")
    return FixedProbabilityCells(decimals) if kind == "probability" and 4 <= decimals <= 9 else FixedCells(decimals)


class NumberText:
    """Formats arrays of one kind of number. Owns scratch memory: one object per thread.

    Parameters
    ----------
    kind : str
        ``probability``: values from 0 to 1 (to below 10, so that rounding errors do no harm). ``number``: any float.
    digits : int
        Significant digits, 1 to 17. 9 read back the same float32, 17 the same float64.
    decimals : int, optional
        Fixed decimals instead, 0 to 17, rounded half to even from the exact binary value, as ``f"{x:.6f}"`` does.

    Raises
    ------
    ValueError
        `digits` or `decimals` is out of range; later, when a value is no probability.
    """

    def __init__(self, kind: Kind, digits: int = 9, decimals: int | None = None) -> None:
        self._cells = _cells(kind, digits, decimals)
        self.width = self._cells.width
        self._block = np.empty(_BLOCK)

    def __call__(self, x: NDArray[np.floating], out: Bytes) -> bool:
        """Write `x`, shape (values,), into `out`, shape (values, width), whose last axis is contiguous.

        A NUL byte in a cell stands for nothing and is to be dropped; ``nan`` has a cell of nothing else.

        Returns
        -------
        bool
            Every cell fills its width: there is no NUL to drop.
        """
        full = self._cells.fills
        for start in range(0, len(x), _BLOCK):
            values = self._block[: len(x) - start]
            np.copyto(values, x[start : start + _BLOCK])
            cells = out[start : start + _BLOCK]
            rows = self._cells.fill(values, cells)
            if rows.size:
                full &= self._spell(values[rows], rows, cells)
        return full

    def _spell(self, values: Floats, rows: Integers, cells: Bytes) -> bool:
        """Write single cells the slow and certain way; whether each of them is filled."""
        missing = np.isnan(values)
        if missing.any():
            cells[rows[missing]] = 0
            values, rows = values[~missing], rows[~missing]
        full = not missing.any()
        texts = [self._cells.spell(value).encode() for value in values.tolist()]
        padded = b"".join(text.ljust(self.width, b"\0") for text in texts)
        cells[rows] = np.frombuffer(padded, np.uint8).reshape(-1, self.width)
        return full and all(len(text) == self.width for text in texts)
