"""What a row of held-out probabilities is worth: kept row by row, so that methods can be compared in pairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.calibration.fitting.ece import top_label_ece
from softmax_cli.numeric.metrics.brier import row_brier
from softmax_cli.numeric.metrics.log_loss import row_log_loss
from softmax_cli.numeric.metrics.top_label import top_label

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Scores:
    """Means over rows."""

    nll: float
    """Negative log-likelihood in nats; ``inf`` where a truth got probability 0."""
    brier: float
    """Squared error summed over classes: 0 to 2."""
    ece: float
    """Top label, 15 equal-width bins."""


@dataclass(frozen=True)
class RowScores:
    """Scores of single rows, shape (rows,) each."""

    nll: Values
    brier: Values
    confidence: Values
    correct: NDArray[np.bool_]

    @classmethod
    def of(cls, log_p: NDArray[np.float64], labels: NDArray[Any]) -> Self:
        """Score log-probabilities, shape (rows, classes), against the true classes."""
        return cls(row_log_loss(log_p, labels), row_brier(log_p, labels), *top_label(log_p, labels))

    @classmethod
    def placed(cls, parts: list[Self], rows: list[NDArray[Any]]) -> Self:
        """Put the scores of several sets of rows back to where the rows came from; every row is in one set."""
        order = np.argsort(np.concatenate(rows))
        return cls(
            np.concatenate([part.nll for part in parts])[order],
            np.concatenate([part.brier for part in parts])[order],
            np.concatenate([part.confidence for part in parts])[order],
            np.concatenate([part.correct for part in parts])[order],
        )

    def mean(self, weights: Values) -> Scores:
        """Weighted means; `weights`, shape (rows,), sum to 1."""
        return Scores(
            float(weights @ self.nll),
            float(weights @ self.brier),
            top_label_ece(self.confidence, self.correct, weights),
        )


def paired_error(a: RowScores, b: RowScores, weights: Values) -> float:
    """Standard error of the mean difference in negative log-likelihood; ``inf`` where a row has an infinite one.

    The difference is taken row by row: what makes a row hard for both cancels out.
    """
    if not (np.isfinite(a.nll).all() and np.isfinite(b.nll).all()):
        return float("inf")
    difference = a.nll - b.nll
    difference -= weights @ difference
    return float(np.linalg.norm(weights * difference))
