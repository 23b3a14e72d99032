"""The surest of the wrong predictions: of all rows, and of every pair of classes that is confused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.metrics._rows import Rows

OF_ALL = 20
OF_A_PAIR = 3
OF_PAIRS = 2000
"""Rows that are kept of all pairs together: those of a pair that is confused with little confidence go first."""


class Mistake(NamedTuple):
    """A row whose prediction is wrong."""

    row: str
    """Its id; where the table has none, its place: ``logits.csv:3``."""
    true: str
    predicted: str
    confidence: float
    """Probability of the predicted class."""
    true_probability: float


@dataclass(frozen=True, eq=False)
class Mistakes:
    """Wrong predictions, the surest first, of equals the earlier; those of consecutive rows add up, with `plus`."""

    labels: NDArray[np.integer]
    predicted: NDArray[np.integer]
    confidence: NDArray[np.float64]
    true_probability: NDArray[np.float64]
    names: NDArray[np.object_]
    """What each row is called."""

    @classmethod
    def of(cls, rows: Rows, names: Callable[[NDArray[np.intp]], list[str]]) -> Self:
        """Find them among the rows of a block.

        Parameters
        ----------
        names : callable
            Gives the names of some of the rows.
        """
        wrong = np.flatnonzero(~rows.correct)
        labels, predicted = rows.labels[wrong], rows.predicted[wrong]
        kept = _surest(labels, predicted, rows.confidence[wrong])
        wrong = wrong[kept]
        p = np.exp(rows.log_p_of_truth[wrong])
        return cls(labels[kept], predicted[kept], rows.confidence[wrong], p, np.array(names(wrong), np.object_))

    def plus(self, other: Self) -> Self:
        """Merge with those of the rows that follow."""
        if not len(other.labels):
            return self
        both: list[NDArray[Any]] = [np.concatenate(pair) for pair in zip(self._arrays(), other._arrays(), strict=True)]
        kept = _surest(both[0], both[1], both[2])
        return type(self)(*(array[kept] for array in both))

    def _arrays(self) -> tuple[NDArray[Any], ...]:
        return self.labels, self.predicted, self.confidence, self.true_probability, self.names

    def named(self, classes: tuple[str, ...]) -> list[Mistake]:
        """List them with the names of the classes."""
        rows = zip(*(array.tolist() for array in self._arrays()), strict=True)
        return [Mistake(name, classes[t], classes[p], confidence, truth) for t, p, confidence, truth, name in rows]


def _surest(
    labels: NDArray[np.integer], predicted: NDArray[np.integer], confidence: NDArray[np.float64]
) -> NDArray[np.intp]:
    """Choose what is kept, in its order."""
    order = np.argsort(-confidence, kind="stable")
    by_pair = np.lexsort((predicted[order], labels[order]))  # stable: within a pair the order stays
    true, taken_for = labels[order][by_pair], predicted[order][by_pair]
    places = np.arange(len(order))
    begins = np.flatnonzero(np.r_[True, (true[1:] != true[:-1]) | (taken_for[1:] != taken_for[:-1])][: len(order)])
    rank = np.empty(len(order), np.intp)
    rank[by_pair] = places - np.repeat(begins, np.diff(np.r_[begins, len(order)]))
    of_pair = rank < OF_A_PAIR
    return order[(places < OF_ALL) | (of_pair & (np.cumsum(of_pair) <= OF_PAIRS))]
