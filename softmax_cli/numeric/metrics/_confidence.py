"""Calibration bins: how sure the predictions of a bin were on average, and how often they came true."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import nan
from types import MappingProxyType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.topk import argmax

BINS = 15


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


def ratio(above: NDArray[np.number], below: NDArray[np.number]) -> NDArray[np.float64]:
    """Divide element by element; nan, not 0 and not an error, where `below` is 0: nothing is known there."""
    out: NDArray[np.float64] = np.full(np.broadcast_shapes(above.shape, below.shape), nan)
    np.divide(above, below, out=out, where=below > 0)
    return out


def mean_of_known(figures: NDArray[np.float64]) -> float:
    """Mean of the figures that are not nan; nan where none is known."""
    known = figures[~np.isnan(figures)]
    return float(known.mean()) if len(known) else nan


FINEST = 2.0**-52
"""Grid that sums of probabilities are taken on: three limbs of an exact sum hold it, whatever the classes and bins."""


def top_label(log_p: NDArray[np.float64], labels: NDArray[np.integer]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Confidence and correctness of the prediction.

    Parameters
    ----------
    log_p : array, shape (rows, classes)
        Log-probabilities, nats.
    labels : array of int, shape (rows,)
        Column of the true class.

    Returns
    -------
    confidence : array, shape (rows,)
        Probability of the predicted class, 0..1.
    correct : array of bool, shape (rows,)
        Whether the predicted class, the earliest among equals, is the true one.
    """
    predicted = argmax(log_p)
    best = np.take_along_axis(log_p, predicted[:, None], axis=1)[:, 0]
    return np.minimum(np.exp(best), 1.0), predicted == labels


def log_p_of_truth(log_p: NDArray[np.float64], labels: NDArray[np.integer]) -> NDArray[np.float64]:
    """Log-probability of the true class, nats, shape (rows,)."""
    return np.take_along_axis(log_p, np.asarray(labels, np.intp)[:, None], axis=1)[:, 0]


def on_grid(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round to multiples of 2^-52: at most 1.2e-16 is lost in a term of a mean, and its exact sum needs few limbs."""
    return np.rint(p / FINEST) * FINEST


@dataclass(frozen=True, eq=False)
class Ranking:
    """Confidence and correctness of every row, kept: memory grows by 9 bytes a row.

    Rows of equal confidence have no order among themselves, so that the order of the parts changes nothing.
    """

    confidences: tuple[NDArray[np.float64], ...]
    corrects: tuple[NDArray[np.bool_], ...]

    @classmethod
    def of(cls, log_p: NDArray[np.float64], labels: NDArray[np.integer]) -> Self:
        """Keep what a block of rows says of its predicted classes."""
        confidence, correct = top_label(log_p, labels)
        return cls((confidence,), (correct,))

    def plus(self, other: Self) -> Self:
        """Merge with the part of other rows; nothing is copied."""
        return type(self)(self.confidences + other.confidences, self.corrects + other.corrects)

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return sum(map(len, self.confidences))

    @cached_property
    def ascending(self) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Confidence and correctness from the least sure row to the surest; equals in any order."""
        confidence, correct = np.concatenate(self.confidences), np.concatenate(self.corrects)
        order = np.argsort(confidence)
        return confidence[order], correct[order]

    @cached_property
    def ties(self) -> NDArray[np.intp]:
        """Where each run of equal confidences starts, and the end: shape (runs + 1,)."""
        confidence, _ = self.ascending
        starts = np.flatnonzero(np.diff(confidence, prepend=-1.0) > 0)
        return np.append(starts, len(confidence))

    def correct_below(self, places: NDArray[np.intp]) -> NDArray[np.float64]:
        """Correct rows among the first so many rows, shape of `places`.

        Within a run of equals every row counts as correct by the share of the run: the mean over all orders of the
        equals.
        """
        _, correct = self.ascending
        hits = np.concatenate(([0], np.cumsum(correct)))[self.ties]
        return np.interp(places, self.ties, hits)
