"""Histogram of confidences, right and wrong predictions apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.metrics.bins import width_bin, width_edges
from softmax_cli.numeric.metrics.top_label import top_label


@dataclass(frozen=True, eq=False)
class ConfidenceHistogram:
    """Rows by the confidence of their prediction, in bins (lower, upper] of equal width, 0 in the first."""

    right: NDArray[np.int64]
    """Correct rows, shape (bins,)."""
    wrong: NDArray[np.int64]

    @classmethod
    def of(cls, log_p: NDArray[np.float64], labels: NDArray[np.integer], *, bins: int = 20) -> Self:
        """Count a block of rows.

        Raises
        ------
        ValueError
            There is no bin.
        """
        confidence, correct = top_label(log_p, labels)
        place = width_bin(confidence, width_edges(bins))
        return cls(*(np.bincount(place[rows], minlength=bins) for rows in (correct, ~correct)))

    def plus(self, other: Self) -> Self:
        """Merge with the part of other rows."""
        if len(self.right) != len(other.right):
            raise ValueError(f"{len(self.right)} bins do not add up with {len(other.right)}")
        return type(self)(self.right + other.right, self.wrong + other.wrong)

    @property
    def value(self) -> NDArray[np.int64]:
        """All rows by bin, shape (bins,)."""
        return self.right + self.wrong

    @property
    def edges(self) -> NDArray[np.float64]:
        """Edges of the bins, shape (bins + 1,)."""
        return width_edges(len(self.right))
