"""Brier score: squared distance between the probabilities and what came true."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.exact_sum import ExactSum
from softmax_cli.numeric.metrics._confidence import log_p_of_truth


def row_brier(log_p: NDArray[np.float64], labels: NDArray[np.integer]) -> NDArray[np.float64]:
    """Squared error summed over the classes for every row, 0..2, shape (rows,).

    The shortfall of the truth is 1 - p = -expm1(log p), which keeps its digits where 1 - exp(log p) has lost them all.
    """
    p = np.exp(np.ascontiguousarray(log_p))
    truth = np.asarray(labels, np.intp)[:, None]
    np.put_along_axis(p, truth, np.expm1(log_p_of_truth(log_p, labels))[:, None], axis=1)
    p *= p
    return p.sum(axis=1)  # type: ignore[no-any-return]


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
    def of(cls, log_p: NDArray[np.float64], labels: NDArray[np.integer]) -> Self:
        """Score a block of rows."""
        return cls(len(log_p), ExactSum.of(row_brier(log_p, labels)))

    def plus(self, other: Self) -> Self:
        """Merge with the part of other rows."""
        return type(self)(self.rows + other.rows, self.total.plus(other.total))

    @property
    def value(self) -> float:
        """Mean Brier score, 0..2."""
        return self.total.value / self.rows if self.rows else nan
