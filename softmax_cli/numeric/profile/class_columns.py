"""What the cells of every class are, whatever row they are in: how many, how large, which are missing or infinite."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.exact_sum import ExactSum
from softmax_cli.numeric.profile.quantiles import Grid
from softmax_cli.numeric.profile.row_figures import row_hashes

FLOAT16_MAX = 65504.0
"""The largest finite float16."""
_PIECE = 1 << 16
"""Cells that are added up at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class CellFigures:
    """Figures of each class, every array of shape (classes,)."""

    finite: NDArray[np.int64]
    missing: NDArray[np.int64]
    """``nan``: an empty cell, a null, text."""
    above: NDArray[np.int64]
    """``+inf``."""
    masked: NDArray[np.int64]
    """``-inf``."""
    lowest: NDArray[np.float64]
    """Of the finite values; ``inf`` where there is none."""
    highest: NDArray[np.float64]
    """Of the finite values; ``-inf`` where there is none."""
    total: ExactSum
    """Of the finite values, rounded as `Grid.rounded` does; a group for each class."""
    overflowing: NDArray[np.int64]
    """Finite values that float16 would turn into an infinity."""

    @classmethod
    def of(cls, grid: Grid, scores: NDArray[np.floating]) -> CellFigures:
        """Look at a matrix, shape (rows, classes)."""
        rows, classes = scores.shape
        if not rows:
            none = np.zeros(classes, np.int64)
            high = np.full(classes, np.inf)
            return cls(none, none, none, none, high, -high, ExactSum.zero(classes), none)
        with np.errstate(invalid="ignore"):
            lowest, highest = scores.min(axis=0).astype(np.float64), scores.max(axis=0).astype(np.float64)
        counts = np.zeros((4, classes), np.int64)
        counts[0] = rows
        for position in np.flatnonzero(~(np.isfinite(lowest) & np.isfinite(highest))):
            column = scores[:, position]
            known = column[np.isfinite(column)].astype(np.float64)
            counts[:, position] = (
                len(known),
                np.isnan(column).sum(),
                (column == np.inf).sum(),
                (column == -np.inf).sum(),
            )
            lowest[position], highest[position] = known.min(initial=np.inf), known.max(initial=-np.inf)
        overflowing = np.zeros(classes, np.int64)
        for position in np.flatnonzero((lowest < -FLOAT16_MAX) | (highest > FLOAT16_MAX)):
            size = np.abs(scores[:, position])
            overflowing[position] = ((size > FLOAT16_MAX) & (size < np.inf)).sum()
        total = _total(grid, scores, all_finite=not counts[1:].any())
        return cls(counts[0], counts[1], counts[2], counts[3], lowest, highest, total, overflowing)

    def plus(self, other: CellFigures) -> CellFigures:
        """Add the figures of other rows."""
        merge: dict[str, Callable[[Any, Any], Any]]
        merge = {"lowest": np.minimum, "highest": np.maximum, "total": ExactSum.plus}
        return CellFigures(
            *(merge.get(f.name, np.add)(getattr(self, f.name), getattr(other, f.name)) for f in fields(self))
        )

    @property
    def mean(self) -> NDArray[np.float64]:
        """Mean of the finite values, shape (classes,); ``nan`` where there is none."""
        with np.errstate(invalid="ignore"):
            return np.where(self.finite > 0, self.total.values / np.maximum(self.finite, 1), np.nan)

    @property
    def constant(self) -> NDArray[np.bool_]:
        """Classes whose every value is the same finite one, shape (classes,)."""
        whole = (self.missing + self.above + self.masked) == 0
        constant: NDArray[np.bool_] = whole & (self.finite > 0) & (self.lowest == self.highest)
        return constant


def _total(grid: Grid, scores: NDArray[np.floating], all_finite: bool) -> ExactSum:
    """Add up every class, a piece at a time that stays in the cache while it is cut into limbs."""
    rows, classes = scores.shape
    total = ExactSum.zero(classes)
    step = max(1, _PIECE // max(1, classes))
    for start in range(0, rows, step):
        piece = grid.rounded(scores[start : start + step])
        total = total.plus(ExactSum.of_rows((piece if all_finite else np.where(np.isfinite(piece), piece, 0.0)).T))
    return total


_LOOK = 64
"""So many rows separate nearly all classes, so that hardly any column is ever compared as a whole."""


def equal_columns(scores: NDArray[np.floating]) -> NDArray[np.int64]:
    """For each class the first class whose column is the same, shape (classes,); exact, and ``nan`` equals ``nan``."""
    rows, classes = scores.shape
    if not rows:
        return np.zeros(classes, np.int64)
    found = np.arange(classes)
    beginnings = row_hashes(np.ascontiguousarray(scores[:_LOOK].T))
    order = np.argsort(beginnings, kind="stable")
    ordered = beginnings[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1], [True]]))
    for group in np.flatnonzero(np.diff(starts) > 1).tolist():
        _compare(scores, order[starts[group] : starts[group + 1]].tolist(), found)
    return found


def _compare(scores: NDArray[np.floating], group: list[int], found: NDArray[np.int64]) -> None:
    different: list[int] = []
    for position in group:
        column = scores[:, position]
        same = (one for one in different if np.array_equal(scores[:, one], column, equal_nan=True))
        found[position] = next(same, position)
        if found[position] == position:
            different.append(position)


def plus(equal: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.int64]:
    """Equal columns over both parts: the same in one and the same in the other."""
    _, first, number = np.unique(equal * len(equal) + other, return_index=True, return_inverse=True)
    merged: NDArray[np.int64] = first[number].astype(np.int64)
    return merged
