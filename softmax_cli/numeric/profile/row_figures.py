"""What the rows come to: who wins, how surely, and whether that looks like logits at all."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.softmax import SUM_TOLERANCE, argmax, row_sums, sums_to

BINS = 20
"""Of the confidence in [0, 1], and of the entropy as a share of log(classes)."""


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
    """Rows in [0, 1] that sum to 1, as far as their decimals show."""
    like_percentages: int
    """Rows in [0, 100] that sum to 100, as far as their decimals show."""
    within_unit: int
    """Rows in [0, 1]."""
    like_log_probabilities: int
    """Rows up to 0 whose exponentials sum to 1."""

    @classmethod
    def none(cls, classes: int) -> RowFigures:
        """The figures of no row."""
        empty = np.zeros(BINS, np.int64)
        return cls(0, 0, np.zeros(classes, np.int64), empty, empty, 0, 0, 0, 0, 0, 0)

    def plus(self, other: RowFigures) -> RowFigures:
        """Add the figures of other rows."""
        return RowFigures(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(self)))


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredRows:
    """A block of rows, each measured alone; every array of shape (rows,)."""

    winner: NDArray[np.int32]
    good: NDArray[np.bool_]
    flat: NDArray[np.bool_]
    """All classes have the same logit."""
    figures: RowFigures


def measure_rows(z: NDArray[np.floating], raw: NDArray[np.floating]) -> MeasuredRows:
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
        like_probabilities=int(sums_to(raw).sum()),
        like_percentages=int(sums_to(raw, 100.0).sum()),
        within_unit=int(((raw.min(axis=1) >= 0) & (raw.max(axis=1) <= 1)).sum()),
        like_log_probabilities=int((np.abs(top[good] + np.log1p(left)) <= SUM_TOLERANCE).sum()),
    )
    return MeasuredRows(winner, good, good & (lowest == top) & (classes > 1), figures)


def _binned(shares: NDArray[np.float64]) -> NDArray[np.int64]:
    numbers = np.clip(shares * BINS, 0, BINS - 1).astype(np.intp)
    return np.bincount(numbers, minlength=BINS).astype(np.int64)


KEPT = 5


@dataclass(frozen=True, slots=True)
class First:
    """How many cells (or rows) were found, and the first of them in the order of the rows."""

    count: int = 0
    places: tuple[tuple[int, int], ...] = ()
    """Row and class, from 0; the class of a whole row is -1."""

    @classmethod
    def of_cells(cls, found: NDArray[np.bool_]) -> First:
        """Take the marked cells of a matrix, shape (rows, classes)."""
        rows = np.flatnonzero(found.any(axis=1))
        places: list[tuple[int, int]] = []
        for row in rows[:KEPT].tolist():
            places += [(row, position) for position in np.flatnonzero(found[row])[:KEPT].tolist()]
        return cls(int(found.sum()), tuple(places[:KEPT]))

    @classmethod
    def of_rows(cls, found: NDArray[np.bool_]) -> First:
        """Take the marked rows, shape (rows,)."""
        return cls(int(found.sum()), tuple((row, -1) for row in np.flatnonzero(found)[:KEPT].tolist()))

    def plus(self, other: First, rows: int) -> First:
        """Add what was found in the rows that follow after `rows` rows."""
        later = tuple((row + rows, position) for row, position in other.places[: KEPT - len(self.places)])
        return First(self.count + other.count, self.places + later)


REPEATS_KEPT = 1 << 17
"""Different rows that are reported apart exactly: 3 MB."""
_PIECE = 1 << 15
"""Cells that are hashed at a time, so that they stay in the cache."""
_FIRST, _SECOND, _THIRD = (np.uint64(odd) for odd in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))


@dataclass(frozen=True, slots=True, eq=False)
class Repeats:
    """Hashes in ascending order, how often each occurs, and the first row of each; all of shape (kept,)."""

    hashes: NDArray[np.uint64]
    counts: NDArray[np.int64]
    first: NDArray[np.int64]
    kept: int = REPEATS_KEPT

    @classmethod
    def of(cls, hashes: NDArray[np.uint64], rows: NDArray[np.int64], kept: int = REPEATS_KEPT) -> Repeats:
        """Count the hashes of some rows, given with their ascending numbers; both of shape (rows,)."""
        order = np.argsort(hashes)
        hashes = hashes[order]
        starts = np.flatnonzero(np.append(True, hashes[1:] != hashes[:-1])[: len(hashes)])
        if not len(starts):
            return cls(hashes, np.zeros(0, np.int64), np.zeros(0, np.int64), kept)
        counts = np.diff(np.append(starts, len(hashes)))[:kept]
        return cls(hashes[starts][:kept], counts, np.minimum.reduceat(rows[order], starts)[:kept], kept)

    def plus(self, other: Repeats, rows: int) -> Repeats:
        """Add the rows that follow after `rows` rows."""
        at = np.searchsorted(self.hashes, other.hashes)
        known = np.append(self.hashes, 0)[at] == other.hashes
        known &= at < len(self.hashes)
        counts = self.counts.copy()
        counts[at[known]] += other.counts[known]
        new, before = ~known, at[~known]
        return Repeats(
            np.insert(self.hashes, before, other.hashes[new])[: self.kept],
            np.insert(counts, before, other.counts[new])[: self.kept],
            np.insert(self.first, before, other.first[new] + rows)[: self.kept],
            self.kept,
        )

    @property
    def exact(self) -> bool:
        """Whether every different row was kept."""
        return len(self.hashes) < self.kept

    @property
    def share(self) -> float:
        """How much of all possible hashes the kept ones cover; 1 when nothing was left out."""
        return 1.0 if self.exact else (float(self.hashes[-1]) + 1) / 2.0**64

    @property
    def extra(self) -> int:
        """Rows that equal an earlier one; an estimate unless `exact`."""
        return round(int((self.counts - 1).sum()) / self.share)

    @property
    def groups(self) -> int:
        """Different rows that occur more than once; an estimate unless `exact`."""
        return round(int((self.counts > 1).sum()) / self.share)

    def commonest(self, most: int) -> list[tuple[int, int]]:
        """First row and number of copies, of the rows that are repeated most."""
        order = np.lexsort([self.first, -self.counts])[:most]
        return [(int(self.first[i]), int(self.counts[i])) for i in order if self.counts[i] > 1]

    @property
    def repeated(self) -> NDArray[np.uint64]:
        """Hashes of kept rows that occur more than once, ascending."""
        return self.hashes[self.counts > 1]


def row_hashes(scores: NDArray[np.floating]) -> NDArray[np.uint64]:
    """A 64-bit hash of the bits of every row, shape (rows,); 0 and -0 are the same.

    Each cell is mixed with the number of its column (splitmix64; Steele, Lea & Flood 2014), and the row is their sum.
    """
    rows, classes = scores.shape
    total = np.zeros(rows, np.uint64)
    kind = np.dtype(np.uint32 if scores.dtype == np.float32 else np.uint64)
    column = np.arange(1, classes + 1, dtype=np.uint64) * _FIRST
    step = max(1, _PIECE // max(1, classes))
    for start in range(0, rows, step):
        piece = slice(start, start + step)
        cells = (scores[piece] + scores.dtype.type(0)).view(kind).astype(np.uint64)
        cells += column
        cells ^= cells >> np.uint64(30)
        cells *= _SECOND
        cells ^= cells >> np.uint64(27)
        cells *= _THIRD
        total[piece] = cells.sum(axis=1, dtype=np.uint64)
    total ^= total >> np.uint64(31)
    total *= _SECOND
    total ^= total >> np.uint64(29)
    return total
