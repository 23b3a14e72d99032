"""Values of every class counted in the bins of a grid: quantiles, the median and how far values lie from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.profile.grid import Grid

NORMAL_MAD = 1.4826
"""Standard deviations of a normal distribution in one median absolute deviation."""
NORMAL_MEAN_DEVIATION = 1.2533
"""Standard deviations of a normal distribution in one mean absolute deviation."""


@dataclass(frozen=True, slots=True, eq=False)
class Histogram:
    """Counts per class and bin; parts on the same grid add up exactly."""

    grid: Grid
    counts: NDArray[np.int64]
    """Shape (classes, bins)."""

    @classmethod
    def of(cls, grid: Grid, codes: NDArray[np.uint16]) -> Histogram:
        """Count a matrix of codes, shape (rows, classes)."""
        counts = np.empty((codes.shape[1], grid.bins), np.int64)
        columns = codes.T if codes.flags.f_contiguous else np.ascontiguousarray(codes.T)
        for position, column in enumerate(columns):
            counts[position] = np.bincount(column, minlength=grid.bins + 1)[: grid.bins]
        return cls(grid, counts)

    @classmethod
    def of_cells(cls, grid: Grid, classes: NDArray[np.integer], codes: NDArray[np.uint16]) -> Histogram:
        """Count single cells, given by class and code, both shape (cells,), all finite."""
        counts = np.zeros((len(grid.centre), grid.bins), np.int64)
        np.add.at(counts, (classes, codes), 1)
        return cls(grid, counts)

    def plus(self, other: Histogram) -> Histogram:
        """Add the counts of other rows."""
        return Histogram(self.grid, self.counts + other.counts)

    @property
    def totals(self) -> NDArray[np.int64]:
        """Values per class, shape (classes,)."""
        totals: NDArray[np.int64] = self.counts.sum(axis=1)
        return totals

    def quantile(self, share: float) -> NDArray[np.float64]:
        """The value that `share` of a class's values do not exceed, shape (classes,); ``nan`` where there is no value.

        Off by less than the width of its bin. A value in an open bin counts as its inner edge.
        """
        edges = self.grid.edges()
        edges[0], edges[-1] = edges[1], edges[-2]
        found = np.full(len(self.counts), np.nan)
        for position, counts in enumerate(self.counts):
            used = np.flatnonzero(counts)
            if len(used):
                reached = np.cumsum(counts[used])
                rank = share * reached[-1]
                at = min(int(np.searchsorted(reached, rank)), len(used) - 1)
                within = 1 - (reached[at] - rank) / counts[used[at]]
                low, high = edges[used[at]], edges[used[at] + 1]
                found[position] = low + within * (high - low)
        found *= self.grid.spread
        found += self.grid.centre
        return found

    def scale(self, median: NDArray[np.float64]) -> NDArray[np.float64]:
        """Robust standard deviation about `median`, shape (classes,); 0 for a class whose values share one bin.

        1.4826 times the median absolute deviation; where more than half of the values are equal, that is 0, and 1.2533
        times the mean absolute deviation stands in (Iglewicz & Hoaglin 1993).
        """
        edges = self.grid.edges()
        middles = (edges[1:] + edges[:-1]) / 2
        middles[0], middles[-1] = edges[1], edges[-2]
        found = np.zeros(len(self.counts))
        for position, counts in enumerate(self.counts):
            used = np.flatnonzero(counts)
            if len(used) > 1:
                at = (median[position] - self.grid.centre[position]) / self.grid.spread[position]
                found[position] = _deviation(np.abs(middles[used] - at), counts[used], _core_width(edges))
        return found * self.grid.spread

    def outside(self, low: NDArray[np.int64], high: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Values per class in the bins under `low` and over `high` (bin numbers, shape (classes,))."""
        numbers = np.arange(self.grid.bins)
        return (
            np.where(numbers < low[:, None], self.counts, 0).sum(axis=1),
            np.where(numbers > high[:, None], self.counts, 0).sum(axis=1),
        )


def _core_width(edges: NDArray[np.float64]) -> float:
    middle = len(edges) // 2
    return float(edges[middle] - edges[middle - 1])


def _deviation(distances: NDArray[np.float64], counts: NDArray[np.int64], core: float) -> float:
    middle = weighted_median(distances, counts)
    if middle > core:
        return NORMAL_MAD * middle
    return max(NORMAL_MAD * middle, NORMAL_MEAN_DEVIATION * float(np.average(distances, weights=counts)))


def weighted_median(values: NDArray[np.float64], counts: NDArray[np.int64]) -> float:
    """The value at the middle of values that stand for `counts` each; at least one is wanted."""
    order = np.argsort(values)
    reached = np.cumsum(counts[order])
    return float(values[order][np.searchsorted(reached, reached[-1] / 2)])
