"""Accuracy: how often the likeliest class is the true one; a tie goes to the earlier class, as in the predictions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import nan
from typing import Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.metrics import Definition, Interval, Limits, Metric, Parts, Plan
from softmax_cli.numeric.metrics._counts import ClassCounts
from softmax_cli.numeric.metrics._replicates import MeanReplicates
from softmax_cli.numeric.metrics._rows import Rows


class RightReplicates(MeanReplicates):
    """Replicates of the accuracy."""

    @staticmethod
    def figure(rows: Rows, plan: Plan) -> NDArray[np.float64]:
        """1 where the prediction is right, else 0."""
        return rows.correct.astype(np.float64)


@dataclass(frozen=True)
class Ties:
    """What ties leave open: a class that is as likely as the predicted one could have been predicted instead."""

    surely: int
    """Rows whose truth is likelier than every other class."""
    possibly: int
    """Rows whose truth no class is likelier than."""

    @classmethod
    def of(cls, rows: Rows, plan: Plan | None = None) -> Self:
        """Count a block of rows."""
        truth = rows.log_p_of_truth[:, None]
        possible = ~(rows.log_p > truth).any(axis=1)
        alone = possible & (np.count_nonzero(rows.log_p == truth, axis=1) == 1)
        return cls(int(alone.sum()), int(possible.sum()))

    def plus(self, other: Self) -> Self:
        """Merge with the part of other rows."""
        return type(self)(self.surely + other.surely, self.possibly + other.possibly)


def accuracy(parts: Parts) -> float:
    """Share of correct rows, 0..1."""
    counts = parts[ClassCounts]
    return counts.correct / counts.rows if counts.rows else nan


def error_rate(parts: Parts) -> float:
    """Share of the other rows, 0..1."""
    counts = parts[ClassCounts]
    return (counts.rows - counts.correct) / counts.rows if counts.rows else nan


def _note(parts: Parts) -> str:
    ties, rows = parts[Ties], parts[ClassCounts].rows
    if ties.surely == ties.possibly:
        return "share of rows"
    return f"share of rows; ties leave open {ties.surely / rows:.6g} to {ties.possibly / rows:.6g}"


def _limits_of_error(draws: Parts, parts: Parts) -> Limits:
    low, high = draws[RightReplicates].limits
    return 1 - high, 1 - low


def figures(plan: Plan) -> Iterator[Definition]:
    """Accuracy and its complement."""
    interval = RightReplicates.interval()
    yield Definition("accuracy", "accuracy", accuracy, _note, interval=interval, decides=True, more_is_better=True)
    interval = Interval(RightReplicates, _limits_of_error)
    yield Definition("error", "error rate", error_rate, lambda parts: "1 - accuracy", interval=interval)


METRIC = Metric(
    rank=10,
    folds=lambda plan: (ClassCounts, Ties),
    figures=figures,
    sentences=lambda parts: (f"{accuracy(parts):.1%} right.",),
)
