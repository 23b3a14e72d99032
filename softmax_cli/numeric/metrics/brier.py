"""Brier score: squared distance between the probabilities and what came true."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import nan
from typing import Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.exact_sum import ExactSum
from softmax_cli.numeric.metrics import Definition, Metric, Plan
from softmax_cli.numeric.metrics._replicates import MeanReplicates
from softmax_cli.numeric.metrics._rows import Rows, row_brier


@dataclass(frozen=True, eq=False)
class Brier:
    """Sum over classes of (p - [class is true])^2, mean over rows: 0..2.

    Where there are two classes this is twice the figure of the positive class alone.

    Notes
    -----
    Brier (1950), "Verification of forecasts expressed in terms of probability", whose own form this is.
    """

    rows: int
    total: ExactSum

    @classmethod
    def of(cls, rows: Rows, plan: Plan | None = None) -> Self:
        """Score a block of rows."""
        return cls(len(rows), ExactSum.of(row_brier(rows)))

    def plus(self, other: Self) -> Self:
        """Merge with the part of other rows."""
        return type(self)(self.rows + other.rows, self.total.plus(other.total))

    @property
    def value(self) -> float:
        """Mean Brier score, 0..2."""
        return self.total.value / self.rows if self.rows else nan


class BrierReplicates(MeanReplicates):
    """Replicates of the Brier score."""

    @staticmethod
    def figure(rows: Rows, plan: Plan) -> NDArray[np.float64]:
        """Brier score of every row."""
        return row_brier(rows)


def figures(plan: Plan) -> Iterator[Definition]:
    """The score, with limits."""
    yield Definition(
        "brier",
        "Brier score",
        lambda parts: parts[Brier].value,
        lambda parts: "sum over classes, 0..2",
        (0.0, 2.0),
        BrierReplicates.interval(),
        decides=True,
    )


METRIC = Metric(rank=60, folds=lambda plan: (Brier,), figures=figures)
