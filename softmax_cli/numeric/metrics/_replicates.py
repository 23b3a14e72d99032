"""Poisson-bootstrap replicates of means and of calibration bins."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.bootstrap import drawn_rows, interval, weighted_sum
from softmax_cli.numeric.exact_sum import ExactSum
from softmax_cli.numeric.metrics import Interval, Limits
from softmax_cli.numeric.metrics._bins import WidthBins, norm_of, width_bin, width_edges
from softmax_cli.numeric.metrics._rows import Rows, on_grid, ratio

if TYPE_CHECKING:
    from softmax_cli.numeric.metrics import Plan


@dataclass(frozen=True, eq=False)
class MeanReplicates(ABC):
    """Replicates of the mean of one figure of a row; memory does not grow with the rows.

    A replicate divides by the rows that it drew. The limits are the percentiles of the replicates.
    """

    rows: NDArray[np.int64]
    """Rows drawn, shape (replicates,)."""
    total: ExactSum
    """Sum over the drawn rows where the figure is finite, one group for each replicate."""
    infinite: NDArray[np.int64]
    """Drawn rows where it is infinite, shape (replicates,)."""

    @staticmethod
    @abstractmethod
    def figure(rows: Rows, plan: Plan) -> NDArray[np.float64]:
        """Return the figure of every row, shape (rows,): not below 0, inf allowed."""

    @classmethod
    def of(cls, rows: Rows, plan: Plan, weight: NDArray[np.float64]) -> Self:
        """Resample a block of rows."""
        figure = cls.figure(rows, plan)
        beyond = figure == inf
        return cls(
            drawn_rows(weight, np.ones(len(rows))),
            weighted_sum(weight, np.where(beyond, 0.0, figure)),
            drawn_rows(weight, beyond),
        )

    def plus(self, other: Self) -> Self:
        """Merge with the part of other rows of the same table."""
        if len(self.rows) != len(other.rows):
            raise ValueError(f"{len(self.rows)} replicates do not add up with {len(other.rows)}")
        return type(self)(self.rows + other.rows, self.total.plus(other.total), self.infinite + other.infinite)

    @property
    def replicates(self) -> NDArray[np.float64]:
        """The mean in every replicate, shape (replicates,); nan where no row was drawn."""
        return np.where(self.infinite > 0, inf, ratio(self.total.values, self.rows))

    @property
    def limits(self) -> Limits:
        """95 % limits of the mean."""
        return interval(self.replicates)

    @classmethod
    def interval(cls) -> Interval:
        """Return how a figure that is this mean gets its limits."""
        return Interval(cls, lambda draws, parts: draws[cls].limits)


@dataclass(frozen=True, eq=False)
class BinReplicates:
    """Replicates of every sum that `WidthBins` keeps; memory grows with bins x replicates, not with the rows.

    Binned calibration error is biased upwards, and more so in a replicate than in the sample. So the limits are the
    basic ones, which turn that shift round, cut off at 0; they may lie below the figure itself where it is mostly
    noise.
    """

    count: NDArray[np.int64]
    """Rows drawn, shape (replicates, bins)."""
    correct: NDArray[np.int64]
    confidence: tuple[ExactSum, ...]
    """One for each bin, with a group for each replicate."""

    @classmethod
    def of(cls, rows: Rows, plan: Plan, weight: NDArray[np.float64]) -> Self:
        """Resample a block of rows."""
        place, confidence = width_bin(rows.confidence, width_edges(plan.bins)), on_grid(rows.confidence)
        count, hits = (np.zeros((weight.shape[1], plan.bins), np.int64) for _ in range(2))
        totals = [ExactSum.zero(weight.shape[1])] * plan.bins
        for number in np.unique(place).tolist():
            inside = np.flatnonzero(place == number)
            drawn = weight[inside]
            count[:, number] = drawn_rows(drawn, np.ones(len(inside)))
            hits[:, number] = drawn_rows(drawn, rows.correct[inside])
            totals[number] = weighted_sum(drawn, confidence[inside])
        return cls(count, hits, tuple(totals))

    def plus(self, other: Self) -> Self:
        """Merge with the part of other rows of the same table."""
        if self.count.shape != other.count.shape:
            raise ValueError(f"(replicates, bins) {self.count.shape} do not add up with {other.count.shape}")
        return type(self)(
            self.count + other.count,
            self.correct + other.correct,
            tuple(mine.plus(theirs) for mine, theirs in zip(self.confidence, other.confidence, strict=True)),
        )

    def replicates(self, norm: str = "l1") -> NDArray[np.float64]:
        """Calibration error in every replicate, shape (replicates,); `norm` is l1, l2 or max."""
        total = np.stack([part.values for part in self.confidence], axis=1)
        return norm_of(norm)(self.count, (self.correct - total) / np.maximum(self.count, 1))

    def limits(self, around: WidthBins, norm: str = "l1") -> Limits:
        """95 % limits of the calibration error of the same rows."""
        return interval(self.replicates(norm), around=around.bins.error(norm))
