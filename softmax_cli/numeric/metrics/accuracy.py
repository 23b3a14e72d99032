"""Accuracy: the share of rows whose likeliest class is the true one."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.topk import argmax


@dataclass(frozen=True)
class Accuracy:
    """Rows whose prediction is right, of all rows; a tie goes to the earlier class, as in the predictions."""

    rows: int
    correct: int

    @classmethod
    def of(cls, log_p: NDArray[np.float64], labels: NDArray[np.integer]) -> Self:
        """Judge a block of rows."""
        return cls(len(log_p), int((argmax(log_p) == labels).sum()))

    def plus(self, other: Self) -> Self:
        """Merge with the part of other rows."""
        return type(self)(self.rows + other.rows, self.correct + other.correct)

    @property
    def value(self) -> float:
        """Share of correct rows, 0..1."""
        return self.correct / self.rows if self.rows else nan
