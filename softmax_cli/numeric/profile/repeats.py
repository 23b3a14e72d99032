"""Rows that stand more than once, found by hash in bounded memory.

Kept are the rows with the smallest hashes (a bottom-k sketch; Cohen & Kaplan 2007). Equal rows have equal hashes, so a
kept hash has all copies of its row with it, and up to `KEPT` different rows every row is kept and the counts are exact.
Beyond, the kept rows are a fair sample of the different rows, and counts are scaled up from it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

KEPT = 1 << 17
"""Different rows that are told apart exactly: 3 MB."""
_PIECE = 1 << 15
"""Cells that are hashed at a time, so that they stay in the cache."""
_FIRST, _SECOND, _THIRD = (np.uint64(odd) for odd in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))


@dataclass(frozen=True, slots=True, eq=False)
class Repeats:
    """Hashes in ascending order, how often each occurs, and the first row of each; all of shape (kept,)."""

    hashes: NDArray[np.uint64]
    counts: NDArray[np.int64]
    first: NDArray[np.int64]
    kept: int = KEPT

    @classmethod
    def of(cls, hashes: NDArray[np.uint64], rows: NDArray[np.int64], kept: int = KEPT) -> Repeats:
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
