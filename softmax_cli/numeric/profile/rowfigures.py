"""What the rows come to: who wins, how surely, and whether that looks like logits at all."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.rowsums import row_sums
from softmax_cli.numeric.topk import argmax

BINS = 20
"""Of the confidence in [0, 1], and of the entropy as a share of log(classes)."""
TOLERANCE = 1e-3
"""How far a sum of probabilities may be from 1 and still count as rounded."""


@dataclass(frozen=True, slots=True, eq=False)
class RowFigures:
    """Counts over the rows that a distribution follows from; integers, so they add up exactly."""

    scored: int
    bad: int
    """Rows with ``nan`` or ``+inf``, or with nothing but ``-inf``."""
    predicted: NDArray[np.int64]
    """Rows that each class wins, shape (classes,)."""
    confidence: NDArray[np.int64]
    """Rows by the probability of the winner, shape (BINS,): [0, 1/BINS), ..., the last with 1."""
    entropy: NDArray[np.int64]
    """Rows by entropy/log(classes), shape (BINS,)."""
    saturated32: int
    """Rows whose confidence is exactly 1 in float32."""
    saturated64: int
    """Rows whose confidence is exactly 1 in float64."""
    like_probabilities: int
    """Rows in [0, 1] that sum to 1."""
    like_log_probabilities: int
    """Rows up to 0 whose exponentials sum to 1."""

    @classmethod
    def none(cls, classes: int) -> RowFigures:
        """The figures of no row."""
        empty = np.zeros(BINS, np.int64)
        return cls(0, 0, np.zeros(classes, np.int64), empty, empty, 0, 0, 0, 0)

    def plus(self, other: RowFigures) -> RowFigures:
        """Add the figures of other rows."""
        return RowFigures(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(self)))


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """A block of rows, each judged alone; every array of shape (rows,)."""

    winner: NDArray[np.int32]
    good: NDArray[np.bool_]
    flat: NDArray[np.bool_]
    """All classes have the same logit."""
    figures: RowFigures


def judge(z: NDArray[np.floating], raw: NDArray[np.floating]) -> Judged:
    """Look at every row of a block that fits into the cache.

    Parameters
    ----------
    z : array, shape (rows, classes)
        Logits; ``-inf`` masks a class. Not changed.
    raw : array, shape (rows, classes)
        The scores as they stand in the file: `z` itself, or what it is the logarithm of.
    """
    rows, classes = z.shape
    winner = argmax(z)
    top, lowest = z.max(axis=1), z.min(axis=1)
    good = np.isfinite(top)
    with np.errstate(invalid="ignore", under="ignore", over="ignore"):
        a = z - top[:, None]
        terms = np.exp(a)
        if not np.isfinite(lowest - top).all():
            a[a == -np.inf] = 0  # 0 * -inf would be nan; exp has made its 0 of it
        terms[np.arange(rows), winner] = 0
        excess = row_sums(terms).astype(np.float64)  # what the winner leaves: 1 + excess is the softmax denominator
        terms *= a
        entropy = np.log1p(excess) - row_sums(terms) / (1 + excess)
    confidence = 1 / (1 + excess[good])
    left = excess[good]
    figures = RowFigures(
        scored=int(good.sum()),
        bad=rows - int(good.sum()),
        predicted=np.bincount(winner[good], minlength=classes).astype(np.int64),
        confidence=_binned(confidence),
        entropy=_binned(entropy[good] / max(np.log(classes), 1.0 if classes == 1 else 0.0)),
        saturated32=int((left <= np.finfo(np.float32).eps / 2).sum()),
        saturated64=int((left <= np.finfo(np.float64).eps / 2).sum()),
        like_probabilities=_probabilities(raw),
        like_log_probabilities=int((np.abs(top[good] + np.log1p(left)) <= TOLERANCE).sum()),
    )
    return Judged(winner, good, good & (lowest == top) & (classes > 1), figures)


def _binned(shares: NDArray[np.float64]) -> NDArray[np.int64]:
    numbers = np.clip(shares * BINS, 0, BINS - 1).astype(np.intp)
    return np.bincount(numbers, minlength=BINS).astype(np.int64)


def _probabilities(raw: NDArray[np.floating]) -> int:
    within = (raw.min(axis=1) >= 0) & (raw.max(axis=1) <= 1 + TOLERANCE)  # false for nan
    if not within.any():
        return 0
    return int((np.abs(raw[within].sum(axis=1) - 1) <= TOLERANCE).sum())
