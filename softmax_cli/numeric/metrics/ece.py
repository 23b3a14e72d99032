"""Expected calibration error of the predicted class, over bins of equal width."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.exact_sum import ExactSum
from softmax_cli.numeric.metrics.bins import BINS, Bins, bins_of_sums, width_bin, width_edges
from softmax_cli.numeric.metrics.top_label import on_grid, top_label


@dataclass(frozen=True, eq=False)
class Ece:
    """Gap between confidence and accuracy, bin by bin: ECE (l1), RMSCE (l2) and MCE (max) from the same sums.

    Bins are (lower, upper], a confidence of 0 in the first; an empty bin does not count. The figure depends on the
    number of bins and is biased upwards: noise in a bin never lowers it. Memory does not grow with the rows.

    Notes
    -----
    Guo, Pleiss, Sun & Weinberger (2017), "On calibration of modern neural networks".
    """

    count: NDArray[np.int64]
    correct: NDArray[np.int64]
    confidence: ExactSum
    """Sum of the confidences of every bin, each rounded to a multiple of 2^-52."""

    @classmethod
    def of(cls, log_p: NDArray[np.float64], labels: NDArray[np.integer], *, bins: int = BINS) -> Self:
        """Sort a block of rows into `bins` bins.

        Raises
        ------
        ValueError
            There is no bin.
        """
        confidence, correct = top_label(log_p, labels)
        place = width_bin(confidence, width_edges(bins))
        return cls(
            np.bincount(place, minlength=bins),
            np.bincount(place[correct], minlength=bins),
            ExactSum.of(on_grid(confidence), place, bins),
        )

    def plus(self, other: Self) -> Self:
        """Merge with the part of other rows."""
        if len(self.count) != len(other.count):
            raise ValueError(f"{len(self.count)} bins do not add up with {len(other.count)}")
        return type(self)(
            self.count + other.count, self.correct + other.correct, self.confidence.plus(other.confidence)
        )

    @property
    def bins(self) -> Bins:
        """The reliability diagram."""
        return bins_of_sums(width_edges(len(self.count)), self.count, self.confidence.values, self.correct)

    @property
    def value(self) -> float:
        """ECE, 0..1."""
        return self.bins.error("l1")
