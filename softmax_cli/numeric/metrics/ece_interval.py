"""Bootstrap interval of the calibration error over bins of equal width."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.bootstrap import REPLICATES, interval, weights
from softmax_cli.numeric.exact_sum import ExactSum
from softmax_cli.numeric.metrics.bins import BINS, norm_of, width_bin, width_edges
from softmax_cli.numeric.metrics.ece import Ece
from softmax_cli.numeric.metrics.top_label import on_grid, top_label
from softmax_cli.numeric.metrics.weighted import drawn_rows, weighted_sum

_ROWS = 1 << 13
"""Rows whose weights are drawn at a time: 1.6 MB for 200 replicates."""


@dataclass(frozen=True, eq=False)
class EceInterval:
    """Poisson-bootstrap replicates of every sum that `Ece` keeps.

    Memory grows with bins x replicates, not with the rows.

    Binned calibration error is biased upwards, and more so in a replicate than in the sample. So the limits are the
    basic ones, which turn that shift round, cut off at 0; they may lie below the figure itself where it is mostly
    noise.
    """

    seed: int
    count: NDArray[np.int64]
    """Rows drawn, shape (replicates, bins)."""
    correct: NDArray[np.int64]
    confidence: tuple[ExactSum, ...]
    """One for each bin, with a group for each replicate."""

    @classmethod
    def of(
        cls,
        log_p: NDArray[np.float64],
        labels: NDArray[np.integer],
        *,
        first_row: int,
        bins: int = BINS,
        seed: int = 0,
        replicates: int = REPLICATES,
    ) -> Self:
        """Resample a block of rows; `first_row` is the number of its first row in the whole table.

        Raises
        ------
        ValueError
            There is no bin, or `seed` or `first_row` is out of range.
        """
        confidence, correct = top_label(log_p, labels)
        place, confidence = width_bin(confidence, width_edges(bins)), on_grid(confidence)
        nothing = np.zeros((replicates, bins), np.int64)
        part = cls(seed, nothing, nothing, (ExactSum.zero(replicates),) * bins)
        for start in range(0, len(place), _ROWS):
            rows = slice(start, start + _ROWS)
            drawn = weights(seed, first_row + start, len(place[rows]), replicates)
            part = part.plus(cls._of_drawn(seed, drawn, place[rows], confidence[rows], correct[rows], bins))
        return part

    @classmethod
    def _of_drawn(
        cls,
        seed: int,
        drawn: NDArray[np.uint8],
        place: NDArray[np.intp],
        confidence: NDArray[np.float64],
        correct: NDArray[np.bool_],
        bins: int,
    ) -> Self:
        count, hits = (np.zeros((drawn.shape[1], bins), np.int64) for _ in range(2))
        totals = [ExactSum.zero(drawn.shape[1])] * bins
        for number in np.unique(place).tolist():
            rows = np.flatnonzero(place == number)
            weight = drawn[rows].astype(np.float64)
            count[:, number] = drawn_rows(weight, np.ones(len(rows)))
            hits[:, number] = drawn_rows(weight, correct[rows])
            totals[number] = weighted_sum(weight, confidence[rows])
        return cls(seed, count, hits, tuple(totals))

    def plus(self, other: Self) -> Self:
        """Merge with the part of other rows of the same table.

        Raises
        ------
        ValueError
            The parts were drawn with different seeds, replicates or bins.
        """
        if (self.seed, self.count.shape) != (other.seed, other.count.shape):
            raise ValueError("replicates of different seeds, numbers or bins do not add up")
        return type(self)(
            self.seed,
            self.count + other.count,
            self.correct + other.correct,
            tuple(mine.plus(theirs) for mine, theirs in zip(self.confidence, other.confidence, strict=True)),
        )

    def replicates(self, norm: str = "l1") -> NDArray[np.float64]:
        """Calibration error in every replicate, shape (replicates,); `norm` is l1, l2 or max."""
        total = np.stack([part.values for part in self.confidence], axis=1)
        return norm_of(norm)(self.count, (self.correct - total) / np.maximum(self.count, 1))

    def interval(self, around: Ece, *, norm: str = "l1", level: float = 0.95) -> tuple[float, float]:
        """Limits of the calibration error of the same rows, 0..1."""
        low, high = interval(self.replicates(norm), level=level, around=around.bins.error(norm))
        return max(low, 0.0), max(high, 0.0)
