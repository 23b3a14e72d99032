"""Counts that metrics and diagrams share: by class, by pair of classes, by confidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.metrics._bins import width_bin, width_edges
from softmax_cli.numeric.metrics._rows import Rows, ratio

if TYPE_CHECKING:
    from softmax_cli.numeric.metrics import Plan


@dataclass(frozen=True, eq=False)
class ClassCounts:
    """Precision, recall and F1 from the diagonal and the margins of the confusion matrix: three counts each.

    A ratio with nothing below the line (no row of the class, no prediction of it) is nan: unknown, not 0.
    """

    hits: NDArray[np.int64]
    """Rows of the class that were predicted as it, shape (classes,)."""
    support: NDArray[np.int64]
    """Rows of the class."""
    predicted: NDArray[np.int64]
    """Rows predicted as the class."""

    @classmethod
    def of(cls, rows: Rows, plan: Plan | None = None) -> Self:
        """Count a block of rows."""
        columns = (rows.labels[rows.correct], rows.labels, rows.predicted)
        return cls(*(np.bincount(column, minlength=rows.classes) for column in columns))

    def plus(self, other: Self) -> Self:
        """Merge with the part of other rows."""
        if len(self.hits) != len(other.hits):
            raise ValueError(f"{len(self.hits)} classes do not add up with {len(other.hits)}")
        return type(self)(self.hits + other.hits, self.support + other.support, self.predicted + other.predicted)

    @property
    def recall(self) -> NDArray[np.float64]:
        """Share of the rows of a class that were found, shape (classes,)."""
        return ratio(self.hits, self.support)

    @property
    def precision(self) -> NDArray[np.float64]:
        """Share of the predictions of a class that were right, shape (classes,)."""
        return ratio(self.hits, self.predicted)

    @property
    def f1(self) -> NDArray[np.float64]:
        """Harmonic mean of precision and recall, shape (classes,)."""
        return ratio(2 * self.hits, self.support + self.predicted)

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return int(self.support.sum())

    @property
    def correct(self) -> int:
        """Rows whose prediction is right; a tie goes to the earlier class, as in the predictions."""
        return int(self.hits.sum())


@dataclass(frozen=True, eq=False)
class Confusion:
    """Counts of (true class, predicted class).

    Kept for the pairs that occur: 50,000 classes would need 20 GB as a matrix.
    """

    classes: int
    pairs: NDArray[np.int64]
    """Sorted codes, true * classes + predicted."""
    counts: NDArray[np.int64]
    """Rows of every pair."""

    @classmethod
    def of(cls, rows: Rows, plan: Plan | None = None) -> Self:
        """Count a block of rows."""
        return cls.of_pairs(rows.labels, rows.predicted, rows.classes)

    @classmethod
    def of_pairs(cls, rows: NDArray[np.integer], columns: NDArray[np.integer], classes: int) -> Self:
        """Count pairs of classes, the columns of their names, each of shape (rows,)."""
        pairs, counts = np.unique(rows.astype(np.int64) * classes + columns, return_counts=True)
        return cls(classes, pairs, counts.astype(np.int64))

    def plus(self, other: Self) -> Self:
        """Merge with the part of other rows."""
        if self.classes != other.classes:
            raise ValueError(f"{self.classes} classes do not add up with {other.classes}")
        pairs, place = np.unique(np.concatenate([self.pairs, other.pairs]), return_inverse=True)
        counts = np.zeros(len(pairs), np.int64)
        np.add.at(counts, place, np.concatenate([self.counts, other.counts]))
        return type(self)(self.classes, pairs, counts)

    @property
    def value(self) -> NDArray[np.int64]:
        """The matrix, shape (classes, classes): rows are the truth, columns the prediction."""
        matrix = np.zeros(self.classes * self.classes, np.int64)
        matrix[self.pairs] = self.counts
        return matrix.reshape(self.classes, self.classes)


HISTOGRAM_BINS = 20


@dataclass(frozen=True, eq=False)
class ConfidenceHistogram:
    """Rows by the confidence of their prediction, in bins (lower, upper] of equal width, 0 in the first."""

    right: NDArray[np.int64]
    """Correct rows, shape (bins,)."""
    wrong: NDArray[np.int64]

    @classmethod
    def of(cls, rows: Rows, plan: Plan | None = None) -> Self:
        """Count a block of rows."""
        place = width_bin(rows.confidence, width_edges(HISTOGRAM_BINS))
        return cls(*(np.bincount(place[chosen], minlength=HISTOGRAM_BINS) for chosen in (rows.correct, ~rows.correct)))

    def plus(self, other: Self) -> Self:
        """Merge with the part of other rows."""
        return type(self)(self.right + other.right, self.wrong + other.wrong)

    @property
    def value(self) -> NDArray[np.int64]:
        """All rows by bin, shape (bins,)."""
        return self.right + self.wrong

    @property
    def edges(self) -> NDArray[np.float64]:
        """Edges of the bins, shape (bins + 1,)."""
        return width_edges(len(self.right))
