"""Counts of log-probabilities on a fixed fine grid: ranking without keeping the rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.metrics.ratio import ratio

_OCTAVES = 32
"""Sizes of -log p that are told apart: 2^-24 (p = 1 - 6e-8) to 2^8 (p = 1e-111), doubling."""
_SMALLEST = 2.0**-24
_LARGEST = np.nextafter(_SMALLEST * 2.0**_OCTAVES, 0)
"""The last number of the last octave."""
_SIGNIFICAND = 52
_BUDGET = 1 << 21
"""Cells for all classes together: two counts of 8 bytes each."""


@dataclass(frozen=True, eq=False)
class ScoreCells:
    """How many rows of a class, and of the others, have a log-probability of the class in every cell.

    Both have the shape (classes, cells): 2,048 cells for each of 1,000 classes, 131,072 where there are few. They are
    equally fine in proportion: every octave of -log p is cut into equal parts. Cell 0 holds the likeliest.
    """

    own: NDArray[np.int64]
    others: NDArray[np.int64]

    @classmethod
    def of(cls, log_p: NDArray[np.float64], labels: NDArray[np.integer]) -> Self:
        """Count a block of rows."""
        classes = log_p.shape[1]
        cells = _OCTAVES << cell_bits(classes)
        place = _cell_of(log_p, cell_bits(classes)) + np.arange(classes) * cells
        everyone, own = (
            np.bincount(places, minlength=classes * cells).reshape(classes, cells)
            for places in (place.ravel(), place[np.arange(len(labels)), labels])
        )
        return cls(own, everyone - own)

    def plus(self, other: Self) -> Self:
        """Merge with the counts of other rows."""
        return type(self)(self.own + other.own, self.others + other.others)

    def areas(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """AUROC of each class with rows of one cell counted as equal, and how far off that can be; (classes,) each."""
        own, others = self.own.astype(np.float64), self.others.astype(np.float64)
        pairs = own.sum(axis=1) * others.sum(axis=1)
        behind = others.sum(axis=1, keepdims=True) - np.cumsum(others, axis=1)
        together = (own * others).sum(axis=1) / 2
        return ratio((own * behind).sum(axis=1) + together, pairs), ratio(together, pairs)


def cell_bits(classes: int) -> int:
    """Return how often an octave is halved, so that all classes share the budget: 12 for few classes, 0 for 100,000."""
    return max(0, min(12, (_BUDGET // (_OCTAVES * max(classes, 1))).bit_length() - 1))


def _cell_of(log_p: NDArray[np.float64], bits: int) -> NDArray[np.int64]:
    """Find the cell by the leading bits of -log p as a float64, which are in order of size."""
    surprise = np.clip(-np.ascontiguousarray(log_p, np.float64), _SMALLEST, _LARGEST)
    lowest = np.array(_SMALLEST).view(np.int64) >> (_SIGNIFICAND - bits)
    return (surprise.view(np.int64) >> (_SIGNIFICAND - bits)) - lowest
