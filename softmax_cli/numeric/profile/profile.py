"""All figures of a run of rows, as one part."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.profile import class_columns, outliers
from softmax_cli.numeric.profile.class_columns import CellFigures
from softmax_cli.numeric.profile.outliers import Extreme, Fences, make_fences
from softmax_cli.numeric.profile.quantiles import Grid, Histogram, make_grid
from softmax_cli.numeric.profile.row_figures import First, Repeats, RowFigures, measure_rows, row_hashes

_BLOCK_BYTES = 1 << 19
"""What a core keeps close while it passes over a block several times."""
_WATCH = 0.7
"""Watched cells begin at this share of the limit: the first rows only show roughly where the fences will be."""


@dataclass(frozen=True, slots=True, eq=False)
class Ruler:
    """What every part of one table is measured with; decided on its first rows."""

    grid: Grid
    watch: Fences
    """Cells beyond these are kept, as far as there is room: they may turn out to be outliers."""
    fences: Fences
    """Those of the first rows alone."""


def make_ruler(head: NDArray[np.floating], limit: float) -> Ruler:
    """Decide bins and watched cells on the first rows, shape (rows, classes); ``nan`` for what is missing.

    A `limit` of ``inf`` watches nothing: how far a probability is from the median of its class says little.
    """
    grid = make_grid(head)
    codes = grid.codes(head)
    cells, wins = Histogram.of(grid, codes), _wins(grid, codes, head)
    return Ruler(grid, make_fences(cells, wins, _WATCH * limit), make_fences(cells, wins, limit))


def _wins(grid: Grid, codes: NDArray[np.uint16], z: NDArray[np.floating]) -> Histogram:
    good = np.isfinite(z.max(axis=1)) if z.size else np.zeros(0, np.bool_)
    winner = z[good].argmax(axis=1) if good.any() else np.zeros(0, np.int64)
    return Histogram.of_cells(grid, winner, codes[good, winner])


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """The figures of consecutive rows. Rows are numbered from the first of them."""

    rows: int
    cells: CellFigures
    """Of the scores as they stand in the file."""
    values: Histogram
    """Of the finite scores as they stand in the file."""
    wins: Histogram
    """Of these, the ones by which a row is won."""
    figures: RowFigures
    missing: First
    above: First
    """``+inf``."""
    masked: First
    """``-inf``."""
    flat: First
    bad: First
    repeats: Repeats
    """Of the rows that can be scored."""
    equal_columns: NDArray[np.int64]
    extremes: tuple[Extreme, ...]

    @classmethod
    def of(cls, ruler: Ruler, z: NDArray[np.floating], raw: NDArray[np.floating]) -> Profile:
        """Look at a matrix of logits, shape (rows, classes), and the scores that they were made of (or `z` itself)."""
        rows, classes = z.shape
        cells = CellFigures.of(ruler.grid, raw)
        codes = np.empty(z.shape, np.uint16, order="F" if raw.flags.f_contiguous else "C")
        winner, good, flat = np.empty(rows, np.int32), np.empty(rows, np.bool_), np.empty(rows, np.bool_)
        figures = RowFigures.none(classes)
        step = max(1, _BLOCK_BYTES // max(1, classes * z.dtype.itemsize))
        for start in range(0, rows, step):
            block = slice(start, start + step)
            codes[block] = ruler.grid.codes(raw[block])
            measured = measure_rows(z[block], raw[block])
            winner[block], good[block], flat[block] = measured.winner, measured.good, measured.flat
            figures = figures.plus(measured.figures)
        won = np.flatnonzero(good)
        watched = ruler.watch.outside(codes, ruler.grid.unfit)
        return cls(
            rows=rows,
            cells=cells,
            values=Histogram.of(ruler.grid, codes),
            wins=Histogram.of_cells(ruler.grid, winner[won], codes[won, winner[won]]),
            figures=figures,
            missing=First.of_cells(np.isnan(raw)) if cells.missing.any() else First(),
            above=First.of_cells(raw == np.inf) if cells.above.any() else First(),
            masked=First.of_cells(raw == -np.inf) if cells.masked.any() else First(),
            flat=First.of_rows(flat),
            bad=First.of_rows(~good),
            repeats=Repeats.of(row_hashes(raw)[won], won),
            equal_columns=class_columns.equal_columns(raw),
            extremes=outliers.extremes_of(z, codes, watched, ruler.grid),
        )

    def plus(self, other: Profile) -> Profile:
        """Add the figures of the rows that follow."""
        return Profile(
            rows=self.rows + other.rows,
            cells=self.cells.plus(other.cells),
            values=self.values.plus(other.values),
            wins=self.wins.plus(other.wins),
            figures=self.figures.plus(other.figures),
            missing=self.missing.plus(other.missing, self.rows),
            above=self.above.plus(other.above, self.rows),
            masked=self.masked.plus(other.masked, self.rows),
            flat=self.flat.plus(other.flat, self.rows),
            bad=self.bad.plus(other.bad, self.rows),
            repeats=self.repeats.plus(other.repeats, self.rows),
            equal_columns=class_columns.plus(self.equal_columns, other.equal_columns),
            extremes=outliers.plus(self.extremes, other.extremes, self.rows),
        )

    def fences(self, limit: float) -> Fences:
        """The fences of these rows, shape (classes,) each."""
        return make_fences(self.values, self.wins, limit)
