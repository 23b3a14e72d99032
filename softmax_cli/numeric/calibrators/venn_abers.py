"""Venn-Abers, one class against the rest: what isotonic regression says with the new row among the fitted ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.calibrators import Matrix
from softmax_cli.numeric.calibrators._examples import Examples, log_one_minus, log_one_minus_rows, log_softmax_rows
from softmax_cli.numeric.calibrators._one_vs_rest import Curve, StepCurves

FARTHEST = 20.0
"""Log-odds beyond it count as this: a probability of 2e-9."""
STEP = 1 / 32
"""Log-odds are rounded to it: a probability near 1/2 by less than 0.004, a small one by less than 1.6 %."""
CELLS = round(2 * FARTHEST / STEP) + 1

Edges = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class VennAbers(StepCurves):
    """q = p1 / (1 - p0 + p1) for each class, divided by their sum.

    p1 is what isotonic regression gives a row when it is fitted to the others and to this one as true, p0 the same with
    this one as not true. One of them is calibrated for every distribution and number of rows, since the row is one of
    those that were fitted; isotonic regression alone promises nothing for few rows, and says 0 and 1. The two are
    merged as in the paper, to the least log loss in the worst case.

    Fitting anew for every row would be far too slow; the paper finds p0 and p1 between all neighbours from the corners
    of one convex hull. Here that hull is walked for all classes at once, over log-odds rounded to a grid: the promise
    holds for any score, the rounded one included, and thousands of rows leave hundreds of places. Edges are log-odds.

    Notes
    -----
    Vovk, Petej & Fedorova (2015), "Large-scale probabilistic predictors with and without guarantees of validity",
    NeurIPS: inductive Venn-Abers predictors, algorithms 1 to 4. Many classes: one against the rest, renormalised, which
    the promise does not survive exactly.
    """

    name: ClassVar[str] = "venn-abers"

    @classmethod
    def fit(cls, examples: Examples) -> Self:
        """Count rows on the grid, then walk the hulls; see `Calibrator.fit`.

        Raises
        ------
        ValueError
            A class has no example.
        """
        examples.require_every_class()
        rows, true_rows = _counted(examples)
        p0, p1 = between(rows, true_rows)
        return cls.of([_steps(level) for level in (p1 / (1 - p0 + p1)).T])

    def log_p(self, z: Matrix) -> Matrix:
        """Log-probabilities, shape (rows, classes); see `Calibrator.log_p`."""
        return self.apply(z, log_odds)

    def describe(self) -> str:
        """One line for people."""
        return f"one class against the rest, Venn-Abers: {self.free_parameters} levels in {len(self.levels)} classes"


def log_odds(log_p: Matrix) -> Matrix:
    """Log p - log(1 - p), shape (rows, classes)."""
    return log_p - log_one_minus(log_p)


def _counted(examples: Examples) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rows and true rows in every cell of the grid, shape (cells, classes) each."""
    log_p, classes = examples.rowwise(log_softmax_rows), examples.classes
    odds = np.clip(log_p - examples.rowwise(log_one_minus_rows), -FARTHEST, FARTHEST)
    cell = np.ceil((odds + FARTHEST) / STEP - 0.5).astype(np.int64)
    weights = np.repeat(examples.weights[:, None] * examples.count, classes, axis=1)
    weights[log_p == -np.inf] = 0
    place = cell * classes + np.arange(classes)
    each = np.arange(examples.rows)
    true_place, true_weights = place[each, examples.labels], weights[each, examples.labels]
    size = CELLS * classes
    rows, true_rows = (
        np.bincount(places, weights=values, minlength=size).astype(np.float64).reshape(CELLS, classes)
        for places, values in ((place.ravel(), weights.ravel()), (true_place, true_weights))
    )
    return rows, true_rows


def between(rows: NDArray[np.float64], true_rows: NDArray[np.float64]) -> tuple[Matrix, Matrix]:
    """p0 and p1 of a new row in every cell, shape (cells, classes) each.

    A new true row in a cell without rows changes what it would change in the next cell that has some, since its own
    level of 1 is above all that follow; a new row that is not true, in the cell before. That one is the same question,
    asked from the other end: both are answered in one walk, over the cells that have rows.

    Parameters
    ----------
    rows, true_rows : array, shape (cells, classes)
        Cells in rising order of the score.
    """
    rows = np.concatenate([rows, rows[::-1]], axis=1)
    true_rows = np.concatenate([true_rows, rows[:, true_rows.shape[1] :] - true_rows[::-1]], axis=1)
    has_rows = rows > 0
    # One cell more than any class has: there the new row is beyond all others.
    full = np.argsort(~has_rows, axis=0, kind="stable")[: has_rows.sum(axis=0).max() + 1]
    found = _as_true(np.take_along_axis(rows, full, axis=0), np.take_along_axis(true_rows, full, axis=0))
    following = np.minimum(np.cumsum(has_rows, axis=0) - has_rows, len(found) - 1)
    p1, not_p0 = np.split(np.clip(np.take_along_axis(found, following, axis=0), 0, 1), 2, axis=1)
    return 1 - not_p0[::-1], p1


def _as_true(rows: NDArray[np.float64], true_rows: NDArray[np.float64]) -> Matrix:
    """Isotonic regression at a new true row in every cell, shape (cells, classes).

    Isotonic regression is the slope of the greatest convex minorant of the points (rows so far, true rows so far). A
    new true row puts a piece of slope 1 between the points to its left, moved by (-1, -1), and those to its right: all
    that changes from cell to cell is one point, which joins the left ones.
    """
    cells, classes = rows.shape
    x = np.concatenate([np.full((1, classes), -1.0), np.zeros((1, classes)), np.cumsum(rows, axis=0)])
    y = np.concatenate([np.full((1, classes), -1.0), np.zeros((1, classes)), np.cumsum(true_rows, axis=0)])
    hull = _Hull.of(x[-1], y[-1], cells + 3)
    for place in range(cells, -1, -1):
        hull.push(x[place], y[place], hull.each)
    found = np.empty((cells, classes))
    for cell in range(cells):
        dx, dy = hull.leftmost()
        found[cell] = dy / dx
        left_x, left_y = x[cell + 2] - 1, y[cell + 2] - 1
        top = hull.x[hull.top, hull.each], hull.y[hull.top, hull.each]
        below = np.flatnonzero(dx * (left_y - top[1]) < dy * (left_x - top[0]))
        hull.top[below] -= 1
        hull.push(left_x[below], left_y[below], below)
    return found


@dataclass(eq=False)
class _Hull:
    """Corners of a convex curve for each class, from right to left: a stack whose top is the leftmost corner."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    top: NDArray[np.int64]
    each: NDArray[np.int64]

    @classmethod
    def of(cls, x: NDArray[np.float64], y: NDArray[np.float64], size: int) -> Self:
        """Begin with the rightmost point of each class, shape (classes,)."""
        xs, ys = np.empty((size, len(x))), np.empty((size, len(x)))
        xs[0], ys[0] = x, y
        return cls(xs, ys, np.zeros(len(x), np.int64), np.arange(len(x)))

    def push(self, x: NDArray[np.float64], y: NDArray[np.float64], chosen: NDArray[np.int64]) -> None:
        """Add a point left of all corners for the chosen classes; corners above the new edge are corners no more."""
        top = self.top[chosen]
        open_ = np.flatnonzero(top > 0)
        while len(open_):
            column, first = chosen[open_], top[open_]
            x1, y1 = self.x[first, column], self.y[first, column]
            x2, y2 = self.x[first - 1, column], self.y[first - 1, column]
            open_ = open_[(y1 - y[open_]) * (x2 - x1) >= (y2 - y1) * (x1 - x[open_])]
            top[open_] -= 1
            open_ = open_[top[open_] > 0]
        top += 1
        self.top[chosen] = top
        self.x[top, chosen], self.y[top, chosen] = x, y

    def leftmost(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Length of the leftmost edge along x and y, shape (classes,) each."""
        first, second = self.top, self.top - 1
        return (
            self.x[second, self.each] - self.x[first, self.each],
            self.y[second, self.each] - self.y[first, self.each],
        )


def _steps(level: Edges) -> Curve:
    """Edges and levels from the level of every cell: neighbours of the same level are one step."""
    ends = np.flatnonzero(np.diff(level) != 0)
    edges = np.asarray(-FARTHEST + (ends + 0.5) * STEP, np.float64)
    return edges, level[np.append(ends, len(level) - 1)]
