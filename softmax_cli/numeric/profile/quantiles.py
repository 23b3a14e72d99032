"""Fixed bins, fine near the middle of each class and wider away from it, so that quantiles add up and memory is flat.

A quantile needs every value, unless the values are counted in bins that are decided before the first one is counted.
The grid is decided on the first rows of a table: u = (z - centre)/spread of the class, and the bin of u is the sign,
the exponent and the first bits of its float32. So a bin is at most ``2**-bits`` times its distance from the centre
wide, which is the relative error of DDSketch (Masson, Rim & Lee 2019) without its logarithm and table of buckets.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CORE = -8
"""Values within ``2**CORE`` spreads of the centre share one bin."""
REACH = 18
"""Values beyond ``2**REACH`` spreads share the outermost bins."""
MOST_BINS = 1_450_000
"""Bins of all classes together: 12 MB of counts. With more classes (from 218 on) the bins are wider."""
_FINEST, _COARSEST = 7, 1
_BIAS, _FRACTION = 127, 23
"""Of a float32: the exponent's bias, and the bits of the fraction."""
_LEAST_SHARE = 2.0**-6
"""Of the usual spread: a class whose first rows hardly differ still gets bins that later rows fit into."""


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """The bins of every class. Bin 0 and the last one are open; `unfit` is for what is not finite."""

    centre: NDArray[np.float64]
    """Shape (classes,), in the unit of the logits."""
    spread: NDArray[np.float64]
    """Shape (classes,), above 0, in the unit of the logits."""
    bits: int
    """Bits of the fraction that separate bins."""

    @property
    def side(self) -> int:
        """Bins on either side of the core."""
        return ((REACH - CORE) << self.bits) + 1

    @property
    def bins(self) -> int:
        """Bins of a class."""
        return 2 * self.side + 1

    @property
    def unfit(self) -> int:
        """The code of ``nan`` and the infinities."""
        return self.bins

    @property
    def relative_error(self) -> float:
        """Width of a bin as a share of its distance from the centre (the core is ``2**(CORE + 1)`` spreads wide)."""
        return 2.0**-self.bits

    def codes(self, z: NDArray[np.floating]) -> NDArray[np.uint16]:
        """The bin of every value, shape (rows, classes), in the memory order of `z`."""
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            u = z - self.centre.astype(z.dtype)
            u *= (1 / self.spread).astype(z.dtype)
            u = u.astype(np.float32, copy=False)
        pattern = u.view(np.int32)
        offset = ((_BIAS + CORE) << self.bits) - 1
        distance = (pattern & 0x7FFFFFFF) >> (_FRACTION - self.bits)
        distance -= offset
        np.clip(distance, 0, self.side, out=distance)
        np.negative(distance, out=distance, where=pattern < 0)
        distance += self.side
        codes = distance.astype(np.uint16)
        if z.size and not (math.isfinite(z.max()) and math.isfinite(z.min())):
            codes[~np.isfinite(z)] = self.unfit
        return codes

    def rounded(self, z: NDArray[np.floating]) -> NDArray[np.float64]:
        """Every value to the nearest multiple of about 2^-42 spreads of its class, shape (rows, classes).

        Exact sums of such values are short, and a mean is off by less than that. Far beyond the fences, where a
        float64 itself is coarser, rounding takes its last bits.
        """
        # Within this many bits of a large number a float64 has no bits left for what is smaller.
        exponent = np.clip(np.frexp(self.spread)[1] + 10, -1000, 968)
        shift = 1.5 * np.ldexp(1.0, exponent)
        rounded: NDArray[np.float64] = (z + shift) - shift
        return rounded

    def edges(self) -> NDArray[np.float64]:
        """Where bins begin and end, in spreads from the centre, shape (bins + 1,); ``inf`` at both ends."""
        first = (_BIAS + CORE) << self.bits
        patterns = (first + np.arange(self.side, dtype=np.int32)) << np.int32(_FRACTION - self.bits)
        upper = np.append(patterns.view(np.float32).astype(np.float64), np.inf)
        return np.concatenate([-upper[::-1], upper])


def make_grid(head: NDArray[np.floating]) -> Grid:
    """Decide the bins on the first rows of a table, shape (rows, classes).

    Rows that are not typical of the table widen the bins where most values lie; they make nothing wrong.
    """
    rows, classes = head.shape
    finite = np.where(np.isfinite(head), head, np.nan).astype(np.float64)
    centre, spread = np.zeros(classes), np.zeros(classes)
    there = np.isfinite(finite).any(axis=0)
    if rows and there.any():
        known = finite[:, there]
        median = np.median if np.isfinite(known).all() else np.nanmedian  # nanmedian is far slower
        centre[there] = median(known, axis=0)
        spread[there] = median(np.abs(known - centre[there]), axis=0)
    usual = float(np.median(spread[spread > 0])) if (spread > 0).any() else 1.0
    bits = int(math.log2(max(MOST_BINS / (2 * (REACH - CORE) * max(classes, 1)), 2)))
    floor = np.maximum(_LEAST_SHARE * usual, np.abs(centre) * 2.0**-20)
    return Grid(centre, np.maximum(spread, floor), min(_FINEST, max(_COARSEST, bits)))


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
    """The value at the middle of values that stand for `counts` each; at least one."""
    order = np.argsort(values)
    reached = np.cumsum(counts[order])
    return float(values[order][np.searchsorted(reached, reached[-1] / 2)])
