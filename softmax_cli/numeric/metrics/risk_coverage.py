"""Risk against coverage: how many errors are left when the least sure predictions are withheld."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.exact_sum import ExactSum
from softmax_cli.numeric.metrics._confidence import Ranking


@dataclass(frozen=True, eq=False)
class Curve:
    """Error rate among the answered rows for every threshold of confidence; shape (distinct confidences,)."""

    threshold: NDArray[np.float64]
    """Answer where the confidence is at least this, from the highest down."""
    coverage: NDArray[np.float64]
    """Share of rows answered."""
    risk: NDArray[np.float64]
    """Share of the answered rows that are wrong."""


@dataclass(frozen=True, eq=False)
class RiskCoverage:
    """Selective classification by the confidence of the prediction. Memory grows by 9 bytes a row.

    Notes
    -----
    Geifman & El-Yaniv (2017), "Selective classification for deep neural networks"; AURC and its excess over the best
    order, E-AURC: Geifman, Uziel & El-Yaniv (2019), "Bias-reduced uncertainty estimation".
    """

    ranking: Ranking

    @classmethod
    def of(cls, log_p: NDArray[np.float64], labels: NDArray[np.integer]) -> Self:
        """Keep the confidences of a block of rows."""
        return cls(Ranking.of(log_p, labels))

    def plus(self, other: Self) -> Self:
        """Merge with the part of other rows."""
        return type(self)(self.ranking.plus(other.ranking))

    @property
    def value(self) -> float:
        """AURC: mean over k of the error rate among the k surest rows, 0..1; equal confidences in all orders alike."""
        rows = self.ranking.rows
        if not rows:
            return nan
        answered = np.arange(1, rows + 1)
        correct = self.ranking.correct_below(np.array([rows])) - self.ranking.correct_below(rows - answered)
        return ExactSum.of((answered - correct) / answered).value / rows

    @property
    def excess(self) -> float:
        """E-AURC: AURC above that of an order which puts every wrong row last, 0..1."""
        rows = self.ranking.rows
        if not rows:
            return nan
        wrong = rows - int(self.ranking.ascending[1].sum())
        answered = np.arange(rows - wrong + 1, rows + 1)
        best = ExactSum.of((answered - (rows - wrong)) / answered).value / rows
        return self.value - best

    @property
    def curve(self) -> Curve:
        """Every point that a threshold can reach, from the surest rows to all of them."""
        starts, rows = self.ranking.ties[-2::-1], self.ranking.rows
        answered = rows - starts
        correct = self.ranking.correct_below(np.array([rows])) - self.ranking.correct_below(starts)
        confidence, _ = self.ranking.ascending
        return Curve(confidence[starts], answered / rows, (answered - correct) / answered)
