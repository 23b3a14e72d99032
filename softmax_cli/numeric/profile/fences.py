"""Beyond which logits a cell is an outlier: the median of its class, give or take a number of robust deviations.

The logits of a trained network are two groups: classes that a row does not belong to, by far the more, and the class
that it does. Median and MAD of a class see the first only, and would call every confident prediction an outlier (one
cell in ten of a table of ten classes). So the upper fence is the farthest of three: that of the class, that of the
cells by which it wins rows, where it wins often enough to tell, and that of the cells by which any class wins.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.profile.grid import Grid
from softmax_cli.numeric.profile.quantiles import NORMAL_MAD, Histogram, weighted_median

LIMIT = 6.0
"""Robust deviations. A normal distribution has two cells in a billion beyond 6; logits have heavier tails than that."""
LEAST_WINS = 20
"""Rows that tell how large the winning logits of a class are."""
LEAST_CELLS = 20
"""Cells that tell what is usual in a class."""


@dataclass(frozen=True, slots=True, eq=False)
class Fences:
    """The last bins that are within the limit, and what they were derived from; all of shape (classes,).

    A fence is moved out to the edge of its bin, so that counting and naming cells never disagree.
    """

    low: NDArray[np.int64]
    high: NDArray[np.int64]
    median: NDArray[np.float64]
    """In the unit of the logits."""
    scale: NDArray[np.float64]
    """Robust standard deviation, in the unit of the logits; 0: the class hardly varies, and nothing is judged."""

    def outside(self, codes: NDArray[np.uint16], unfit: int) -> NDArray[np.bool_]:
        """Mark outliers among codes, shape (rows, classes); cells that are not finite are none."""
        outside: NDArray[np.bool_] = (codes < self.low) | ((codes > self.high) & (codes != unfit))
        return outside


def make_fences(cells: Histogram, wins: Histogram, limit: float) -> Fences:
    """Set the fences of every class.

    Parameters
    ----------
    cells : Histogram
        All finite cells of every class.
    wins : Histogram
        Those by which rows are won, on the same grid.
    limit : float
        Robust deviations, above 0; ``inf``: nothing is an outlier.
    """
    grid = cells.grid
    median = cells.quantile(0.5)
    scale = cells.scale(median)
    unjudged = (scale == 0) | (cells.totals < LEAST_CELLS) | np.isinf(limit) | (not wins.counts.any())
    if unjudged.all():
        return Fences(np.zeros(len(scale), np.int64), np.full(len(scale), grid.bins), median, scale)
    low, high = median - limit * scale, median + limit * scale
    wins_median = wins.quantile(0.5)
    with np.errstate(invalid="ignore"):
        wins_high = wins_median + limit * wins.scale(wins_median)
    wins_high[wins.totals < LEAST_WINS] = -np.inf
    high = np.maximum(np.fmax(high, wins_high), _pooled(wins, limit))
    low_bin, high_bin = _bin(grid, low), _bin(grid, high)
    low_bin[unjudged], high_bin[unjudged] = 0, grid.bins
    return Fences(low_bin, high_bin, median, scale)


def _pooled(wins: Histogram, limit: float) -> float:
    """Fence of the winning cells of all classes; there is at least one."""
    position, number = np.nonzero(wins.counts)
    edges = wins.grid.edges()
    edges[0], edges[-1] = edges[1], edges[-2]
    values = wins.grid.centre[position] + wins.grid.spread[position] * ((edges[number] + edges[number + 1]) / 2)
    counts = wins.counts[position, number]
    middle = weighted_median(values, counts)
    return middle + limit * NORMAL_MAD * weighted_median(np.abs(values - middle), counts)


def _bin(grid: Grid, values: NDArray[np.float64]) -> NDArray[np.int64]:
    """The bin that each fence falls into, shape (classes,); nothing lies beyond an open bin.

    Fences that are not finite are those of classes without values, and count for nothing.
    """
    u = (np.nan_to_num(values, posinf=0, neginf=0) - grid.centre) / grid.spread
    return np.searchsorted(grid.edges()[1:-1], u, side="right").astype(np.int64)
