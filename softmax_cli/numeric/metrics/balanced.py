"""Figures of each class, and balanced accuracy, their mean: what overall accuracy hides when classes are rare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.metrics.ratio import mean_of_known, ratio
from softmax_cli.numeric.topk import argmax


@dataclass(frozen=True, eq=False)
class Balanced:
    """Per-class precision, recall and F1 from the diagonal and the margins of the confusion matrix: three counts each.

    A ratio with nothing below the line (no row of the class, no prediction of it) is nan: unknown, not 0.
    """

    hits: NDArray[np.int64]
    """Rows of the class that were predicted as it, shape (classes,)."""
    support: NDArray[np.int64]
    """Rows of the class."""
    predicted: NDArray[np.int64]
    """Rows predicted as the class."""

    @classmethod
    def of(cls, log_p: NDArray[np.float64], labels: NDArray[np.integer]) -> Self:
        """Count a block of rows."""
        predicted, classes = argmax(log_p), log_p.shape[1]
        right = predicted[predicted == labels]
        return cls(*(np.bincount(rows, minlength=classes) for rows in (right, labels, predicted)))

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
    def value(self) -> float:
        """Balanced accuracy: mean recall over the classes that occur, 0..1; Brodersen et al. (2010)."""
        return mean_of_known(self.recall)

    @property
    def macro_f1(self) -> float:
        """Mean F1 over the classes that occur or were predicted, 0..1."""
        return mean_of_known(self.f1)
