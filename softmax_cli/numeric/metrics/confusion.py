"""Confusion matrix: how often each class was taken for each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.topk import argmax


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
    def of(cls, log_p: NDArray[np.float64], labels: NDArray[np.integer]) -> Self:
        """Count a block of rows."""
        classes = log_p.shape[1]
        pairs, counts = np.unique(np.asarray(labels, np.int64) * classes + argmax(log_p), return_counts=True)
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

    def commonest_errors(self, limit: int) -> list[tuple[int, int, int]]:
        """List (true, predicted, rows) of the most frequent mistakes, ties in the order of the classes."""
        true, predicted = np.divmod(self.pairs, self.classes)
        wrong = np.flatnonzero(true != predicted)
        order = wrong[np.argsort(-self.counts[wrong], kind="stable")][:limit]
        return list(zip(true[order].tolist(), predicted[order].tolist(), self.counts[order].tolist(), strict=True))
