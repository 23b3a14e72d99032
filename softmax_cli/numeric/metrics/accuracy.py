"""Accuracy: how often the likeliest class is the true one; a tie goes to the earlier class, as in the predictions."""

from __future__ import annotations

from collections.abc import Iterator
from math import nan

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


def accuracy(parts: Parts) -> float:
    """Share of correct rows, 0..1."""
    counts = parts[ClassCounts]
    return counts.correct / counts.rows if counts.rows else nan


def error_rate(parts: Parts) -> float:
    """Share of the other rows, 0..1."""
    counts = parts[ClassCounts]
    return (counts.rows - counts.correct) / counts.rows if counts.rows else nan


def _limits_of_error(draws: Parts, parts: Parts) -> Limits:
    low, high = draws[RightReplicates].limits
    return 1 - high, 1 - low


def figures(plan: Plan) -> Iterator[Definition]:
    """Accuracy and its complement."""
    interval = RightReplicates.interval()
    yield Definition("accuracy", "accuracy", accuracy, lambda parts: "share of rows", interval=interval, decides=True)
    interval = Interval(RightReplicates, _limits_of_error)
    yield Definition("error", "error rate", error_rate, lambda parts: "1 - accuracy", interval=interval)


METRIC = Metric(
    rank=10,
    folds=lambda plan: (ClassCounts,),
    figures=figures,
    sentences=lambda parts: (f"{accuracy(parts):.1%} right.",),
)
