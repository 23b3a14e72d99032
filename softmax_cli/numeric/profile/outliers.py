"""The most extreme cells of every class, with what is needed to rate them once the medians are known.

One pass over a stream cannot know the median that a cell is to be compared with. Fences from the first rows, set a
little closer, show which cells to watch; of these the farthest few of each class and side are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.profile.quantiles import NORMAL_MAD, Grid, Histogram, weighted_median

LIMIT = 6.0
"""Robust deviations. A normal distribution has two cells in a billion beyond 6; logits have heavier tails than that."""
LEAST_WINS = 20
"""Rows that show how large the winning logits of a class are."""
LEAST_CELLS = 20
"""Cells that show what is usual in a class."""


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
    """Robust standard deviation, in the unit of the logits; 0: the class hardly varies, and no cell is an outlier."""

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
    unmeasured = (scale == 0) | (cells.totals < LEAST_CELLS) | np.isinf(limit) | (not wins.counts.any())
    if unmeasured.all():
        return Fences(np.zeros(len(scale), np.int64), np.full(len(scale), grid.bins), median, scale)
    low, high = median - limit * scale, median + limit * scale
    wins_median = wins.quantile(0.5)
    with np.errstate(invalid="ignore"):
        wins_high = wins_median + limit * wins.scale(wins_median)
    wins_high[wins.totals < LEAST_WINS] = -np.inf
    high = np.maximum(np.fmax(high, wins_high), _pooled(wins, limit))
    low_bin, high_bin = _bin(grid, low), _bin(grid, high)
    low_bin[unmeasured], high_bin[unmeasured] = 0, grid.bins
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


KEPT = 3
"""Cells of each class and side."""


@dataclass(frozen=True, slots=True)
class Extreme:
    """One cell, and the rest of its row in so few numbers that p follows for any other value of the cell."""

    row: int
    """From 0."""
    position: int
    """Of the class."""
    value: float
    code: int
    distance: float
    """Signed, in spreads of the grid from its centre."""
    others: float
    """log sum exp of the row's other logits; ``nan`` where the row cannot be scored, or has no other logit."""
    rival: int
    """Position of the largest other logit."""
    rival_value: float

    @property
    def group(self) -> tuple[int, bool]:
        """The class and the side that it is an extreme of."""
        return self.position, self.distance > 0

    @property
    def rank(self) -> tuple[float, int, int]:
        """Sorts the farthest first, and of equals the earliest."""
        return -abs(self.distance), self.row, self.position

    @property
    def share(self) -> float:
        """Probability of the cell's class as the row stands."""
        return _sigmoid(self.value - self.others)

    def without(self, value: float) -> tuple[int, float]:
        """The winner, and its probability, were the cell `value` instead."""
        p = _sigmoid(value - self.others)
        if value > self.rival_value:
            return self.position, p
        return self.rival, (1 - p) * float(np.exp(self.rival_value - self.others))


def _sigmoid(x: float) -> float:
    return float(1 / (1 + np.exp(-x))) if x >= 0 else float(np.exp(x) / (1 + np.exp(x)))


def extremes_of(
    z: NDArray[np.floating], codes: NDArray[np.uint16], watched: NDArray[np.bool_], grid: Grid
) -> tuple[Extreme, ...]:
    """Take the farthest of the watched cells of a matrix, shape (rows, classes)."""
    rows, positions = np.nonzero(watched)
    if not len(rows):
        return ()
    distance = _distances(z[rows, positions], positions, grid)
    order = np.lexsort([rows, -np.abs(distance), distance > 0, positions])
    group = 2 * positions[order] + (distance[order] > 0)
    begins = np.append(True, group[1:] != group[:-1])
    place = np.arange(len(order)) - np.flatnonzero(begins)[np.cumsum(begins) - 1]
    chosen = order[place < KEPT]
    return tuple(
        cell_of(z[rows[i]], int(rows[i]), int(positions[i]), int(codes[rows[i], positions[i]]), grid)
        for i in chosen.tolist()
    )


def _distances(values: NDArray[np.floating], positions: NDArray[np.integer], grid: Grid) -> NDArray[np.float64]:
    distances: NDArray[np.float64]
    with np.errstate(over="ignore"):
        distances = (values.astype(np.float64) - grid.centre[positions]) / grid.spread[positions]
    return distances


def cell_of(z: NDArray[np.floating], row: int, position: int, code: int, grid: Grid) -> Extreme:
    """One cell of the row `z`, shape (classes,), with what is needed to rate it."""
    rest = z.astype(np.float64)
    value = float(rest[position])
    distance = float(_distances(rest[[position]], np.array([position]), grid)[0])
    rest[position] = -np.inf
    rival = int(rest.argmax())
    top = float(rest[rival])
    with np.errstate(invalid="ignore", under="ignore", over="ignore"):
        others = top + float(np.log(np.exp(rest - top).sum())) if np.isfinite(top) else np.nan
    return Extreme(row, position, value, code, distance, others, rival, top)


def plus(extremes: Sequence[Extreme], other: Sequence[Extreme], rows: int) -> tuple[Extreme, ...]:
    """Add those of the rows that follow after `rows` rows, and keep the farthest of each class and side."""
    if not other:
        return tuple(extremes)
    groups: dict[tuple[int, bool], list[Extreme]] = {}
    for one in [*extremes, *(replace(one, row=one.row + rows) for one in other)]:
        groups.setdefault(one.group, []).append(one)
    return tuple(one for key in sorted(groups) for one in sorted(groups[key], key=lambda one: one.rank)[:KEPT])
