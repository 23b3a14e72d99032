"""Rows in order of confidence, and what would be left if only the surest were answered."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.metrics._rows import Rows

if TYPE_CHECKING:
    from softmax_cli.numeric.metrics import Plan


@dataclass(frozen=True, eq=False)
class Curve:
    """Error rate among the answered rows for every threshold of confidence; shape (distinct confidences,)."""

    threshold: NDArray[np.float64]
    """Answer where the confidence is at least this, from the highest down."""
    coverage: NDArray[np.float64]
    """Share of rows answered."""
    risk: NDArray[np.float64]
    """Share of the answered rows that are wrong."""


@dataclass(frozen=True, eq=False)
class Ranking:
    """Confidence and correctness of every row, kept: memory grows by 9 bytes a row.

    Rows of equal confidence have no order among themselves, so that the order of the parts changes nothing.
    """

    confidences: tuple[NDArray[np.float64], ...]
    corrects: tuple[NDArray[np.bool_], ...]

    @classmethod
    def of(cls, rows: Rows, plan: Plan | None = None) -> Self:
        """Keep the confidences of a block of rows."""
        return cls((rows.confidence,), (rows.correct,))

    def plus(self, other: Self) -> Self:
        """Merge with the part of other rows; nothing is copied."""
        return type(self)(self.confidences + other.confidences, self.corrects + other.corrects)

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return sum(map(len, self.confidences))

    @cached_property
    def ascending(self) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Confidence and correctness from the least sure row to the surest; equals in any order."""
        # Bits of floats from 0 to 1 are in order of size and leave two free: sorted with the correctness below them, no
        # order of the rows is needed, which would take as much memory again.
        confidence = np.concatenate(self.confidences)
        confidence += 0.0  # -0.0 has a bit of its own
        bits = confidence.view(np.uint64)
        np.left_shift(bits, 1, out=bits)
        np.bitwise_or(bits, np.concatenate(self.corrects), out=bits)
        bits.sort()
        correct = bits.astype(np.uint8) & 1
        np.right_shift(bits, 1, out=bits)
        return bits.view(np.float64), correct.view(np.bool_)

    @cached_property
    def ties(self) -> NDArray[np.intp]:
        """Where each run of equal confidences starts, and the end: shape (runs + 1,)."""
        confidence, _ = self.ascending
        changes = np.flatnonzero(confidence[1:] > confidence[:-1])
        changes += 1
        return np.concatenate(([0], changes, [len(confidence)])) if len(confidence) else np.zeros(1, np.intp)

    @cached_property
    def _hits(self) -> NDArray[np.intp]:
        """Correct rows before each of `ties`."""
        _, correct = self.ascending
        return np.concatenate(([0], np.cumsum(correct)[self.ties[1:] - 1]))

    def correct_below(self, places: NDArray[np.intp]) -> NDArray[np.float64]:
        """Correct rows among the first so many rows, shape of `places`.

        Within a run of equals every row counts as correct by the share of the run: the mean over all orders of the
        equals.
        """
        return np.interp(places, self.ties, self._hits)

    @property
    def curve(self) -> Curve:
        """Every point that a threshold can reach, from the surest rows to all of them."""
        starts, rows = self.ties[-2::-1], self.rows
        answered = rows - starts
        correct = self.correct_below(np.array([rows])) - self.correct_below(starts)
        confidence, _ = self.ascending
        return Curve(confidence[starts], answered / rows, (answered - correct) / answered)
