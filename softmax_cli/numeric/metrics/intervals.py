"""Bootstrap interval of the calibration error over bins of equal width."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.bootstrap import REPLICATES, drawn_rows, interval, weighted_sum, weights
from softmax_cli.numeric.exact_sum import ExactSum
from softmax_cli.numeric.metrics._confidence import BINS, norm_of, on_grid, ratio, top_label, width_bin, width_edges
from softmax_cli.numeric.metrics.ece import Ece

_ROWS = 1 << 11
"""Rows whose weights are drawn at a time: 3 MB as float64 for 200 replicates, which stays in the cache."""


@dataclass(frozen=True, eq=False)
class MeanIntervals:
    """Poisson-bootstrap replicates of the means of several figures of a row, drawn together.

    Memory does not grow with the rows.

    A replicate divides by the rows that it drew. The limits are the percentiles of the replicates.
    """

    seed: int
    rows: NDArray[np.int64]
    """Rows drawn, shape (replicates,)."""
    sums: Mapping[str, ExactSum]
    """Sum of each figure over the drawn rows where it is finite, one group for each replicate."""
    infinite: Mapping[str, NDArray[np.int64]]
    """Drawn rows where it is infinite, shape (replicates,)."""

    @classmethod
    def of(
        cls, figures: Mapping[str, NDArray[np.float64]], *, first_row: int, seed: int = 0, replicates: int = REPLICATES
    ) -> Self:
        """Resample a block of rows.

        Parameters
        ----------
        figures : mapping of name to array, shape (rows,)
            For instance ``{"log_loss": row_log_loss(log_p, labels), "accuracy": correct}``; not below 0, inf allowed.
        first_row : int
            Number of the first row of the block in the whole table: what makes the draw independent of the cut.
        seed, replicates : int
            As for `weights`.

        Raises
        ------
        ValueError
            A figure is nan, or `seed` or `first_row` is out of range.
        """
        (count,) = {len(figure) for figure in figures.values()}
        drawn = np.zeros(replicates, np.int64)
        sums = {name: ExactSum.zero(replicates) for name in figures}
        infinite = {name: np.zeros(replicates, np.int64) for name in figures}
        for start in range(0, count, _ROWS):
            rows = min(_ROWS, count - start)
            weight = weights(seed, first_row + start, rows, replicates).astype(np.float64)
            drawn += drawn_rows(weight, np.ones(rows))
            for name, figure in figures.items():
                block = np.asarray(figure[start : start + rows], np.float64)
                beyond = block == inf
                sums[name] = sums[name].plus(weighted_sum(weight, np.where(beyond, 0.0, block)))
                infinite[name] += drawn_rows(weight, beyond)
        return cls(seed, drawn, sums, infinite)

    def plus(self, other: Self) -> Self:
        """Merge with the part of other rows of the same table.

        Raises
        ------
        ValueError
            The parts were drawn with different seeds, replicates or figures.
        """
        if (self.seed, len(self.rows), set(self.sums)) != (other.seed, len(other.rows), set(other.sums)):
            raise ValueError("replicates of different seeds, numbers or figures do not add up")
        return type(self)(
            self.seed,
            self.rows + other.rows,
            {name: part.plus(other.sums[name]) for name, part in self.sums.items()},
            {name: part + other.infinite[name] for name, part in self.infinite.items()},
        )

    def replicates(self, name: str) -> NDArray[np.float64]:
        """Mean of a figure in every replicate, shape (replicates,); nan where no row was drawn."""
        return np.where(self.infinite[name] > 0, inf, ratio(self.sums[name].values, self.rows))

    def interval(self, name: str, *, level: float = 0.95) -> tuple[float, float]:
        """Percentile limits of the mean of a figure."""
        return interval(self.replicates(name), level=level)

    @property
    def value(self) -> dict[str, tuple[float, float]]:
        """95 % limits of every figure."""
        return {name: self.interval(name) for name in self.sums}


_ECE_ROWS = 1 << 13
"""Rows whose weights are drawn at a time: 1.6 MB for 200 replicates."""


@dataclass(frozen=True, eq=False)
class EceInterval:
    """Poisson-bootstrap replicates of every sum that `Ece` keeps.

    Memory grows with bins x replicates, not with the rows.

    Binned calibration error is biased upwards, and more so in a replicate than in the sample. So the limits are the
    basic ones, which turn that shift round, cut off at 0 and 1; they may lie below the figure itself where it is mostly
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
        for start in range(0, len(place), _ECE_ROWS):
            rows = slice(start, start + _ECE_ROWS)
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
        return min(max(low, 0.0), 1.0), min(max(high, 0.0), 1.0)
