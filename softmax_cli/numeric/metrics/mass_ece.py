"""Calibration error over bins of equal count, where crowded confidences get narrow bins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.exact_sum import ExactSum
from softmax_cli.numeric.metrics.bins import BINS, Bins, bins_of_sums
from softmax_cli.numeric.metrics.ranking import Ranking
from softmax_cli.numeric.metrics.top_label import on_grid


@dataclass(frozen=True, eq=False)
class MassEce:
    """Calibration error of the predicted class in equal-count bins; also called adaptive ECE.

    Memory grows by 9 bytes a row.

    The rows, by confidence, are cut into `count` runs whose lengths differ by one at most, the longer ones first. A
    run of equal confidences that a cut divides gives each side its mean correctness. (Published codes cut at
    interpolated confidences instead, and some lose the least sure row by it: the figures differ by 2e-5 on 10,000
    rows.)

    Notes
    -----
    Nguyen & O'Connor (2015), "Posterior calibration and exploratory analysis"; Mukhoti et al. (2020) call it AdaECE.
    """

    ranking: Ranking
    requested: int

    @classmethod
    def of(cls, log_p: NDArray[np.float64], labels: NDArray[np.integer], *, bins: int = BINS) -> Self:
        """Keep the confidences of a block of rows.

        Raises
        ------
        ValueError
            There is no bin.
        """
        if bins < 1:
            raise ValueError(f"{bins} bins: at least one is wanted")
        return cls(Ranking.of(log_p, labels), bins)

    def plus(self, other: Self) -> Self:
        """Merge with the part of other rows."""
        if self.requested != other.requested:
            raise ValueError(f"{self.requested} bins do not add up with {other.requested}")
        return type(self)(self.ranking.plus(other.ranking), self.requested)

    @property
    def bins(self) -> Bins:
        """The reliability diagram, without bins that no row is left for."""
        return mass_bins(self.ranking, self.requested)

    @property
    def value(self) -> float:
        """ECE over equal-count bins, 0..1."""
        return self.bins.error("l1")


def mass_bins(ranking: Ranking, bins: int = BINS) -> Bins:
    """Cut rows in order of confidence into `bins` runs of equal length; an edge is the largest confidence below it."""
    rows, bins = ranking.rows, min(bins, max(ranking.rows, 1))
    count = np.full(bins, rows // bins) + (np.arange(bins) < rows % bins)
    cuts = np.concatenate(([0], np.cumsum(count)))
    confidence, _ = ranking.ascending
    total = ExactSum.of(on_grid(confidence), np.repeat(np.arange(bins), count), bins)
    edges = np.concatenate(([0.0], confidence[cuts[1:] - 1])) if rows else np.array([0.0, 1.0])
    return bins_of_sums(edges, count, total.values, np.diff(ranking.correct_below(cuts)))
