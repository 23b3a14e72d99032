"""Calibration bins: how sure the predictions of a bin were on average, and how often they came true."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import nan
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.metrics.ratio import ratio

BINS = 15


def width_edges(bins: int) -> NDArray[np.float64]:
    """Edges of equal-width bins of 0..1, shape (bins + 1,).

    Raises
    ------
    ValueError
        There is no bin.
    """
    if bins < 1:
        raise ValueError(f"{bins} bins: at least one is wanted")
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
        raise ValueError(f"norm {name!r}: one of {', '.join(NORMS)} is wanted") from None
