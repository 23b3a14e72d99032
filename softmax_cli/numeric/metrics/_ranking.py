"""Rows in order of confidence, and what would be left if only the surest were answered."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.metrics._rows import Rows

if TYPE_CHECKING:
    from softmax_cli.numeric.metrics import Plan


_BLOCK = 1 << 18
"""Rows at a time, where there is more to be kept of each than the ranking itself."""


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
        correct = bits.astype(np.uint8)
        correct &= 1
        np.right_shift(bits, 1, out=bits)
        found = bits.view(np.float64), correct.view(np.bool_)
        # The same rows as the parts, which are let go: both would take twice the memory.
        object.__setattr__(self, "confidences", found[:1])
        object.__setattr__(self, "corrects", found[1:])
        return found

    @cached_property
    def ties(self) -> NDArray[np.intp]:
        """Where each run of equal confidences starts, and the end: shape (runs + 1,)."""
        confidence, _ = self.ascending
        changes = np.flatnonzero(confidence[1:] > confidence[:-1])
        found = np.zeros(len(changes) + (2 if len(confidence) else 1), np.intp)
        np.add(changes, 1, out=found[1 : len(changes) + 1])
        found[-1] = len(confidence)
        return found

    @cached_property
    def hits(self) -> NDArray[np.intp]:
        """Correct rows before each of `ties`."""
        _, correct = self.ascending
        found, before = np.zeros(len(self.ties), np.intp), 0
        for start in range(0, len(correct), _BLOCK):
            sums = before + np.cumsum(correct[start : start + _BLOCK])
            near = slice(*np.searchsorted(self.ties, (start + 1, start + len(sums) + 1)))
            found[near] = sums[self.ties[near] - start - 1]
            before = sums[-1]
        return found

    def correct_below(self, places: NDArray[np.intp]) -> NDArray[np.float64]:
        """Correct rows among the first so many rows, shape of `places`.

        Within a run of equals every row counts as correct by the share of the run: the mean over all orders of the
        equals.
        """
        # As `interp` would do it, which copies all runs.
        run = np.searchsorted(self.ties, places, "right") - 1
        following = np.minimum(run + 1, len(self.ties) - 1)
        start, hits = self.ties[run], self.hits[run]
        share = (self.hits[following] - hits) / np.maximum(self.ties[following] - start, 1)
        return np.asarray(share * (places - start) + hits, np.float64)

    @property
    def curve(self) -> Curve:
        """Every point that a threshold can reach, from the surest rows to all of them."""
        return self._points(np.arange(len(self.ties) - 1))

    def curve_at(self, coverages: Sequence[float]) -> Curve:
        """For every coverage the least point that a threshold can reach and that is not below it; each point once."""

        def coverage(place: int) -> float:
            return float((self.rows - self.ties[-2 - place]) / self.rows)

        # Rounding of 1/n steps must not push a coverage of exactly 0.9 to the next threshold.
        points = range(len(self.ties) - 1)
        return self._points(np.unique([bisect_left(points, one - 1e-12, key=coverage) for one in coverages]))

    def _points(self, places: NDArray[np.intp]) -> Curve:
        """The points of the curve at `places`, which count from the surest rows."""
        runs = len(self.ties) - 2 - places
        starts, rows = self.ties[runs], self.rows
        answered = rows - starts
        correct = self.hits[-1] - self.hits[runs]
        confidence, _ = self.ascending
        return Curve(confidence[starts], answered / rows, (answered - correct) / answered)
