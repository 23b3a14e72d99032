"""Macro one-vs-rest AUROC: how well the probability of each class ranks its own rows before the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, reduce
from math import nan
from typing import Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.metrics import Column, Definition, Metric, Parts, Plan
from softmax_cli.numeric.metrics._rows import Rows, mean_of_known, ratio

EXACT_SCORES = 1 << 22
"""Up to so many scores (rows x classes; 32 MB) are kept and ranked exactly."""


@dataclass(frozen=True, eq=False)
class Auroc:
    """Area under the ROC curve of each class against the rest, and the mean over the classes that occur.

    The chance that a row of the class has a higher probability of it than a row of another class, equals counted half.
    Scores are ranked as log-probabilities, which distinguish what rounds to the same probability near 1.

    Memory: up to 4,194,304 scores are kept, 8 bytes each, and the figure is exact. Of more, whatever the order of the
    parts, every class is counted in cells of a fixed grid (16 MB, up to 65,536 classes); `error_bound` then says by
    how much the figure may be off.

    Notes
    -----
    Hanley & McNeil (1982), "The meaning and use of the area under a receiver operating characteristic (ROC) curve".
    """

    classes: int
    rows: int
    scores: tuple[NDArray[np.float64], ...]
    """Log-probabilities of blocks that are not counted yet, (rows, classes) each."""
    labels: tuple[NDArray[np.integer], ...]
    cells: ScoreCells | None
    """Counts of the other blocks."""

    @classmethod
    def of(cls, rows: Rows, plan: Plan | None = None) -> Self:
        """Keep, or count, a block of rows."""
        return cls(rows.classes, len(rows), (rows.log_p,), (rows.labels,), None)._counted_if_many()

    def plus(self, other: Self) -> Self:
        """Merge with the part of other rows."""
        if self.classes != other.classes:
            raise ValueError(f"{self.classes} classes do not add up with {other.classes}")
        counted = [cells for cells in (self.cells, other.cells) if cells is not None]
        return type(self)(
            self.classes,
            self.rows + other.rows,
            self.scores + other.scores,
            self.labels + other.labels,
            reduce(ScoreCells.plus, counted) if counted else None,
        )._counted_if_many()

    @property
    def by_class(self) -> NDArray[np.float64]:
        """AUROC of each class, 0..1, shape (classes,); nan for a class that no row, or every row, belongs to."""
        return self._areas[0]

    @property
    def value(self) -> float:
        """Mean over the classes that occur, 0..1."""
        return mean_of_known(self.by_class)

    @property
    def absent(self) -> int:
        """How many classes are left out of the mean."""
        return int(np.isnan(self.by_class).sum())

    @property
    def error_bound(self) -> float:
        """The figure is within this of the exact one; 0 where it is exact."""
        return mean_of_known(self._areas[1])

    @cached_property
    def _areas(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        if self.cells is not None:
            return self._counts().areas()
        labels = np.concatenate(self.labels)
        area = np.full(self.classes, nan)
        for column in np.unique(labels).tolist():
            scores = np.concatenate([block[:, column] for block in self.scores])
            area[column] = _area(scores, labels == column)
        return area, np.where(np.isnan(area), nan, 0.0)

    def _counted_if_many(self) -> Self:
        # Later ones wait for each other too: to copy the counts for every block takes longer than to count it.
        kept = EXACT_SCORES if self.cells is None else EXACT_SCORES // 8
        if sum(block.size for block in self.scores) <= kept:
            return self
        return type(self)(self.classes, self.rows, (), (), self._counts())

    def _counts(self) -> ScoreCells:
        if self.cells is not None and not self.scores:
            return self.cells
        return ScoreCells.of(self.classes, zip(self.scores, self.labels, strict=True), self.cells)


def _area(scores: NDArray[np.float64], own: NDArray[np.bool_]) -> float:
    """Count the pairs (own row, other row) that stand in the right order, equals half, in whole numbers."""
    ordered, mine = np.sort(scores), scores[own]
    others = len(scores) - len(mine)
    if not others:
        return nan
    behind = np.searchsorted(ordered, mine, side="left").sum() + np.searchsorted(ordered, mine, side="right").sum()
    # Twice the pairs won, less those of own rows among themselves: one for each ordered pair of them.
    return (int(behind) - len(mine) ** 2) / (2 * len(mine) * others)


_OCTAVES = 32
"""Sizes of -log p that are reported apart: 2^-24 (p = 1 - 6e-8) to 2^8 (p = 1e-111), doubling."""
_SMALLEST = 2.0**-24
_LARGEST = np.nextafter(_SMALLEST * 2.0**_OCTAVES, 0)
"""The last number of the last octave."""
_SIGNIFICAND = 52
_BUDGET = 1 << 21
"""Cells for all classes together: two counts of 4 bytes each."""


@dataclass(frozen=True, eq=False)
class ScoreCells:
    """How many rows of a class, and of the others, have a log-probability of the class in every cell.

    Both have the shape (classes, cells): 2,048 cells for each of 1,000 classes, 131,072 where there are few. They are
    equally fine in proportion: every octave of -log p is cut into equal parts. Cell 0 holds the likeliest.
    """

    own: NDArray[np.unsignedinteger]
    others: NDArray[np.unsignedinteger]

    @classmethod
    def of(
        cls, classes: int, blocks: Iterable[tuple[NDArray[np.float64], NDArray[np.integer]]], before: Self | None = None
    ) -> Self:
        """Count blocks of rows, on top of those counted `before`."""
        cells, blocks = _OCTAVES << cell_bits(classes), [*blocks]
        if before is None:
            before = cls(*[np.zeros((classes, cells), np.uint32)] * 2)
        number = _number_type(before.rows + sum(len(labels) for _, labels in blocks))
        own, others = np.array(before.own.ravel(), number), np.array(before.others.ravel(), number)
        one = number(1)  # of their type, or NumPy takes ten times as long
        for log_p, labels in blocks:
            place = _cell_of(log_p, cell_bits(classes))
            place += np.arange(classes) * cells
            true = place[np.arange(len(labels)), labels]
            # In place: a count of a block in all cells would take as much memory as all counts once more.
            np.add.at(own, true, one)
            np.add.at(others, place.ravel(), one)
            np.subtract.at(others, true, one)
        return cls(own.reshape(classes, cells), others.reshape(classes, cells))

    @property
    def rows(self) -> int:
        """How many rows were counted: each is in one cell of every class."""
        return sum(int(held[:1].sum(dtype=np.uint64)) for held in (self.own, self.others))

    def plus(self, other: Self) -> Self:
        """Merge with the counts of other rows."""
        number = _number_type(self.rows + other.rows)
        own = np.add(self.own, other.own, dtype=number)
        return type(self)(own, np.add(self.others, other.others, dtype=number))

    def areas(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """AUROC of each class with rows of one cell counted as equal, and how far off that can be; (classes,) each."""
        own, others = self.own.astype(np.float64), self.others.astype(np.float64)
        pairs = own.sum(axis=1) * others.sum(axis=1)
        behind = others.sum(axis=1, keepdims=True) - np.cumsum(others, axis=1)
        together = (own * others).sum(axis=1) / 2
        return ratio((own * behind).sum(axis=1) + together, pairs), ratio(together, pairs)


def _number_type(rows: int) -> type[np.unsignedinteger]:
    """Return the narrowest type that can count so many rows in one cell."""
    return np.uint32 if rows < 1 << 32 else np.uint64


def cell_bits(classes: int) -> int:
    """Return how often an octave is halved, so that all classes share the budget: 12 for few classes, 0 for 100,000."""
    return max(0, min(12, (_BUDGET // (_OCTAVES * max(classes, 1))).bit_length() - 1))


def _cell_of(log_p: NDArray[np.float64], bits: int) -> NDArray[np.int64]:
    """Find the cell by the leading bits of -log p as a float64, which are in order of size."""
    surprise = np.negative(log_p, order="C")
    np.clip(surprise, _SMALLEST, _LARGEST, out=surprise)
    place = surprise.view(np.int64)
    place >>= _SIGNIFICAND - bits
    place -= np.array(_SMALLEST).view(np.int64) >> (_SIGNIFICAND - bits)
    return place


def _note(parts: Parts) -> str:
    auroc = parts[Auroc]
    absent = f"; {auroc.absent:,} classes without both sides left out" if auroc.absent else ""
    bound = f"; within {auroc.error_bound:.1g} (counted in cells)" if auroc.error_bound > 0 else ""
    return f"one class against the rest, mean{absent}{bound}"


def figures(plan: Plan) -> Iterator[Definition]:
    """Mean over the classes."""
    yield Definition("macro_auroc", "macro AUROC", lambda parts: parts[Auroc].value, _note, decides=True)


def columns(plan: Plan) -> Iterator[Column]:
    """Each class against the rest."""
    yield Column("auroc", "AUROC", lambda parts: parts[Auroc].by_class, 10)


METRIC = Metric(rank=140, folds=lambda plan: (Auroc,), figures=figures, columns=columns, in_slices=False)
