"""Calibration bins of every class: its probability against whether it is the true class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.exact_sum import ExactSum
from softmax_cli.numeric.metrics._bins import mass_bins, norm_of, width_bin, width_edges
from softmax_cli.numeric.metrics._ranking import Ranking
from softmax_cli.numeric.metrics._rows import Rows, on_grid

if TYPE_CHECKING:
    from softmax_cli.numeric.metrics import Plan


@dataclass(frozen=True, eq=False)
class ClassBins:
    """Mean over the classes of the calibration error of p_k against [k is true], in bins of equal width.

    With many classes most probabilities are near 0 and calm, so the mean falls as 1/classes: compare figures for the
    same classes only. Memory grows with classes x bins, not with the rows.

    Notes
    -----
    Kull et al. (2019), "Beyond temperature scaling"; Nixon et al. (2019), "Measuring calibration in deep learning".
    """

    count: NDArray[np.int64]
    """Rows, shape (classes, bins)."""
    true: NDArray[np.int64]
    """Rows of the class."""
    probability: ExactSum
    """Sum of the probabilities, each rounded to a multiple of 2^-52; group class * bins + bin."""

    @classmethod
    def of(cls, rows: Rows, plan: Plan) -> Self:
        """Sort the probabilities of a block of rows into the bins of their classes.

        With many classes nearly all lie in the first bin: it holds what the others leave of the whole column.
        """
        p, classes, bins = np.minimum(rows.p, 1.0), rows.classes, plan.bins
        edges, shape = width_edges(bins), (classes, bins)
        high = np.flatnonzero(p > edges[1])
        column, above = high % classes, p.ravel()[high]
        place = column * bins + width_bin(above, edges)
        count = np.bincount(place, minlength=classes * bins).reshape(shape)
        count[:, 0] = len(rows) - count.sum(axis=1)
        of_truth = rows.labels * bins + width_bin(p[np.arange(len(rows)), rows.labels], edges)
        first = ExactSum.of_shares(p).minus(ExactSum.of(on_grid(above), column, classes))
        return cls(
            count,
            np.bincount(of_truth, minlength=classes * bins).reshape(shape),
            ExactSum.of(on_grid(above), place, classes * bins).plus(
                first.spread(np.arange(classes) * bins, classes * bins)
            ),
        )

    def plus(self, other: Self) -> Self:
        """Merge with the part of other rows."""
        if self.count.shape != other.count.shape:
            raise ValueError(f"(classes, bins) {self.count.shape} do not add up with {other.count.shape}")
        return type(self)(self.count + other.count, self.true + other.true, self.probability.plus(other.probability))

    def by_class(self, norm: str = "l1") -> NDArray[np.float64]:
        """Calibration error of every class, 0..1, shape (classes,); `norm` is l1, l2 or max."""
        total = self.probability.values.reshape(self.count.shape)
        # An empty bin has nothing to sum up: its gap is 0 / 1.
        gap = (self.true - total) / np.maximum(self.count, 1)
        return norm_of(norm)(self.count, gap)

    def error(self, norm: str = "l1") -> float:
        """Mean over all classes, those without a row included, 0..1."""
        return float(self.by_class(norm).mean())


LIMIT = 1 << 25
"""So many probabilities (rows x classes; 256 MB) are kept, and no more."""


@dataclass(frozen=True, eq=False)
class ClassRankings:
    """Mean over the classes of the calibration error of p_k against [k is true], in bins of equal count.

    Equal counts need every probability in order. **Memory grows by 8 bytes a row and class**, and more than
    33,554,432 of them are refused: bins of equal width (`ClassBins`) keep sums only.
    """

    probabilities: tuple[NDArray[np.float64], ...]
    labels: tuple[NDArray[np.integer], ...]
    requested: int

    @classmethod
    def of(cls, rows: Rows, plan: Plan) -> Self:
        """Keep the probabilities of a block of rows.

        Raises
        ------
        ValueError
            There are too many probabilities.
        """
        return cls((np.minimum(rows.p, 1.0),), (rows.labels.copy(),), plan.bins)

    def __post_init__(self) -> None:
        kept = sum(block.size for block in self.probabilities)
        if kept > LIMIT:
            raise ValueError(
                f"{kept} probabilities are too many to be kept in order for classwise bins of equal count; "
                "--scheme width needs to keep none of them"
            )

    def plus(self, other: Self) -> Self:
        """Merge with the part of other rows.

        Raises
        ------
        ValueError
            The bins differ, or there are too many probabilities.
        """
        if self.requested != other.requested:
            raise ValueError(f"{self.requested} bins do not add up with {other.requested}")
        return type(self)(self.probabilities + other.probabilities, self.labels + other.labels, self.requested)

    def by_class(self, norm: str = "l1") -> NDArray[np.float64]:
        """Calibration error of every class, 0..1, shape (classes,); `norm` is l1, l2 or max."""
        norm_of(norm)
        classes = self.probabilities[0].shape[1]
        return np.array([mass_bins(self._ranking(column), self.requested).error(norm) for column in range(classes)])

    def error(self, norm: str = "l1") -> float:
        """Mean over all classes, 0..1."""
        return float(self.by_class(norm).mean())

    def _ranking(self, column: int) -> Ranking:
        return Ranking(
            tuple(block[:, column] for block in self.probabilities), tuple(block == column for block in self.labels)
        )
