"""Top-k accuracy: how often the truth is among the k likeliest classes, and what ties leave open."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.metrics._confidence import log_p_of_truth, mean_of_known, ratio
from softmax_cli.numeric.topk import argmax


@dataclass(frozen=True)
class Accuracy:
    """Rows whose prediction is right, of all rows; a tie goes to the earlier class, as in the predictions."""

    rows: int
    correct: int
    surely: int
    """Rows whose truth is likelier than every other class."""
    possibly: int
    """Rows whose truth no class is likelier than: with other classes of the same probability, it may be predicted."""

    @classmethod
    def of(cls, log_p: NDArray[np.float64], labels: NDArray[np.integer]) -> Self:
        """Judge a block of rows."""
        right = argmax(log_p) == labels
        truth = log_p[np.arange(len(log_p)), labels][:, None]
        possible = ~(log_p > truth).any(axis=1)
        alone = possible & (np.count_nonzero(log_p == truth, axis=1) == 1)
        return cls(len(log_p), int(right.sum()), int(alone.sum()), int(possible.sum()))

    def plus(self, other: Self) -> Self:
        """Merge with the part of other rows."""
        return type(self)(
            self.rows + other.rows,
            self.correct + other.correct,
            self.surely + other.surely,
            self.possibly + other.possibly,
        )

    @property
    def bounds(self) -> tuple[float, float]:
        """Pessimistic and optimistic accuracy: ties go against the truth, and for it."""
        return (self.surely / self.rows, self.possibly / self.rows) if self.rows else (nan, nan)

    @property
    def value(self) -> float:
        """Share of correct rows, 0..1."""
        return self.correct / self.rows if self.rows else nan


@dataclass(frozen=True)
class TopKAccuracy:
    """Share of rows with the truth among the k largest probabilities, ties to the earlier class.

    Classes that tie with the truth at the k-th place may be listed in any order; `pessimistic` puts the truth behind
    all of them and `optimistic` before, so a model that says the same of every class cannot pass for a good one.
    """

    k: int
    rows: int
    hits: int
    surely: int
    possibly: int

    @classmethod
    def of(cls, log_p: NDArray[np.float64], labels: NDArray[np.integer], *, k: int = 5) -> Self:
        """Judge a block of rows.

        Raises
        ------
        ValueError
            `k` is below 1.
        """
        if k < 1:
            raise ValueError(f"k {k}: at least one class has to be listed")
        truth = log_p_of_truth(log_p, labels)[:, None]
        above = (log_p > truth).sum(axis=1)
        equal = log_p == truth
        earlier = (equal & (np.arange(log_p.shape[1]) < np.asarray(labels)[:, None])).sum(axis=1)
        hits, surely, possibly = (
            int((rank < k).sum()) for rank in (above + earlier, above + equal.sum(axis=1) - 1, above)
        )
        return cls(k, len(log_p), hits, surely, possibly)

    def plus(self, other: Self) -> Self:
        """Merge with the part of other rows."""
        if self.k != other.k:
            raise ValueError(f"top-{self.k} does not add up with top-{other.k}")
        return type(self)(
            self.k,
            self.rows + other.rows,
            self.hits + other.hits,
            self.surely + other.surely,
            self.possibly + other.possibly,
        )

    @property
    def value(self) -> float:
        """Share of rows, 0..1, ties to the earlier class."""
        return self.hits / self.rows if self.rows else nan

    @property
    def bounds(self) -> tuple[float, float]:
        """Pessimistic and optimistic share; equal where no tie matters."""
        return (self.surely / self.rows, self.possibly / self.rows) if self.rows else (nan, nan)


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
