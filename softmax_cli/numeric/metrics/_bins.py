"""Calibration bins: how sure the predictions of a bin were on average, and how often they came true."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import nan
from types import MappingProxyType
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.exact_sum import ExactSum
from softmax_cli.numeric.metrics._ranking import Ranking
from softmax_cli.numeric.metrics._rows import BINS, Rows, on_grid, ratio

if TYPE_CHECKING:
    from softmax_cli.numeric.metrics import Plan


def width_edges(bins: int) -> NDArray[np.float64]:
    """Edges of equal-width bins of 0..1, shape (bins + 1,).

    Raises
    ------
    ValueError
        There is no bin.
    """
    if bins < 1:
        raise ValueError(f"{bins} bins: expected at least one")
    return np.arange(bins + 1) / bins


def width_bin(p: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.intp]:
    """Bin of every probability: (lower, upper], and 0 in the first."""
    return np.maximum(np.searchsorted(edges, p, side="left") - 1, 0)


@dataclass(frozen=True, eq=False)
class Bins:
    """What a reliability diagram draws; all arrays have the shape (bins,)."""

    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    count: NDArray[np.int64]
    """Rows."""
    confidence: NDArray[np.float64]
    """Mean probability, nan in an empty bin."""
    accuracy: NDArray[np.float64]
    """Share that came true, nan in an empty bin."""

    @property
    def gap(self) -> NDArray[np.float64]:
        """Accuracy less confidence: below 0 is overconfident; 0 in an empty bin, which then does not count."""
        return np.where(self.count > 0, self.accuracy - self.confidence, 0.0)

    def error(self, norm: str = "l1") -> float:
        """Calibration error of the bins; `norm` as for `norm_of`."""
        return float(norm_of(norm)(self.count, self.gap))


def bins_of_sums(
    edges: NDArray[np.float64], count: NDArray[np.int64], confidence: NDArray[np.float64], correct: NDArray[np.number]
) -> Bins:
    """Divide sums of confidence and of correct rows by the rows of each bin."""
    return Bins(edges[:-1], edges[1:], count, ratio(confidence, count), ratio(correct, count))


Norm = Callable[[NDArray[np.integer], NDArray[np.float64]], NDArray[np.float64]]
"""Counts and gaps, both (..., bins), to an error of the shape (...)."""


def _share(count: NDArray[np.integer]) -> NDArray[np.float64]:
    return ratio(count, count.sum(axis=-1, keepdims=True))


def _l1(count: NDArray[np.integer], gap: NDArray[np.float64]) -> NDArray[np.float64]:
    return (_share(count) * np.abs(gap)).sum(axis=-1)  # type: ignore[no-any-return]


def _l2(count: NDArray[np.integer], gap: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.sqrt((_share(count) * gap**2).sum(axis=-1))  # type: ignore[no-any-return]


def _max(count: NDArray[np.integer], gap: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(count.sum(axis=-1) > 0, np.abs(gap).max(axis=-1), nan)


NORMS: Mapping[str, Norm] = MappingProxyType({"l1": _l1, "l2": _l2, "max": _max})
"""l1: mean gap, ECE, and max: largest gap, MCE (Naeini, Cooper & Hauskrecht 2015, "Obtaining well calibrated
probabilities using Bayesian binning"); l2: root of the mean squared gap, RMSCE (Hendrycks, Mazeika & Dietterich
2019)."""


def norm_of(name: str) -> Norm:
    """Find a norm by name.

    Raises
    ------
    ValueError
        There is no such norm.
    """
    try:
        return NORMS[name]
    except KeyError:
        raise ValueError(f"norm {name!r}: expected one of {', '.join(NORMS)}") from None


@dataclass(frozen=True, eq=False)
class WidthBins:
    """Confidence and correctness of the predicted class, summed up in bins of equal width.

    Bins are (lower, upper], a confidence of 0 in the first; an empty bin does not count. Memory does not grow with the
    rows.

    Notes
    -----
    Guo, Pleiss, Sun & Weinberger (2017), "On calibration of modern neural networks".
    """

    count: NDArray[np.int64]
    correct: NDArray[np.int64]
    confidence: ExactSum
    """Sum of the confidences of every bin, each rounded to a multiple of 2^-52."""

    @classmethod
    def of(cls, rows: Rows, plan: Plan) -> Self:
        """Sort a block of rows into the bins."""
        place = width_bin(rows.confidence, width_edges(plan.bins))
        return cls(
            np.bincount(place, minlength=plan.bins),
            np.bincount(place[rows.correct], minlength=plan.bins),
            ExactSum.of(on_grid(rows.confidence), place, plan.bins),
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


_BLOCK = 1 << 18
"""Rows whose bins are looked up at a time."""


def mass_bins(ranking: Ranking, bins: int = BINS) -> Bins:
    """Cut rows in order of confidence into `bins` runs of equal length; an edge is the largest confidence below it."""
    rows, bins = ranking.rows, min(bins, max(ranking.rows, 1))
    count = np.full(bins, rows // bins) + (np.arange(bins) < rows % bins)
    cuts = np.concatenate(([0], np.cumsum(count)))
    confidence, _ = ranking.ascending
    total = ExactSum.zero(bins)
    for start in range(0, rows, _BLOCK):
        some = confidence[start : start + _BLOCK]
        bin_of = np.searchsorted(cuts, np.arange(start, start + len(some)), side="right") - 1
        total = total.plus(ExactSum.of(on_grid(some), bin_of, bins))
    edges = np.concatenate(([0.0], confidence[cuts[1:] - 1])) if rows else np.array([0.0, 1.0])
    return bins_of_sums(edges, count, total.values, np.diff(ranking.correct_below(cuts)))


def top_label_ece(
    confidence: NDArray[np.float64], correct: NDArray[np.bool_], weights: NDArray[np.float64], bins: int = BINS
) -> float:
    """Mean distance of accuracy and confidence over equal-width bins (lo, hi]; 0 lies in the first.

    Parameters
    ----------
    confidence : array, shape (rows,)
        Largest probability of a row.
    correct : array of bool, shape (rows,)
        Whether the class of that probability is the true one.
    weights : array, shape (rows,)
        What a row counts; sums to 1.
    bins : int
        How many bins.

    Returns
    -------
    float
        Between 0 and 1.

    Notes
    -----
    Naeini, Cooper & Hauskrecht (2015), AAAI; Guo et al. (2017), ICML.
    """
    of_bin = width_bin(confidence, width_edges(bins))
    gaps = np.bincount(of_bin, weights=weights * (confidence - correct), minlength=bins)
    return float(np.abs(gaps).sum())
