"""Fixed bins, fine near the middle of each class and wider away from it, so that quantiles add up and memory is flat.

A quantile needs every value, unless the values are counted in bins that are settled before the first one is counted.
The grid is settled on the first rows of a table: u = (z - centre)/spread of the class, and the bin of u is the sign,
the exponent and the first bits of its float32. So a bin is at most ``2**-bits`` times its distance from the centre
wide, which is the relative error of DDSketch (Masson, Rim & Lee 2019) without its logarithm and table of buckets.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CORE = -8
"""Values within ``2**CORE`` spreads of the centre share one bin."""
REACH = 18
"""Values beyond ``2**REACH`` spreads share the outermost bins."""
MOST_BINS = 1_450_000
"""Bins of all classes together: 12 MB of counts. With more classes (from 218 on) the bins are wider."""
_FINEST, _COARSEST = 7, 1
_BIAS, _FRACTION = 127, 23
"""Of a float32: the exponent's bias, and the bits of the fraction."""
_LEAST_SHARE = 2.0**-6
"""Of the usual spread: a class whose first rows hardly differ still gets bins that later rows fit into."""


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """The bins of every class. Bin 0 and the last one are open; `unfit` is for what is not finite."""

    centre: NDArray[np.float64]
    """Shape (classes,), in the unit of the logits."""
    spread: NDArray[np.float64]
    """Shape (classes,), above 0, in the unit of the logits."""
    bits: int
    """Bits of the fraction that tell bins apart."""

    @property
    def side(self) -> int:
        """Bins on either side of the core."""
        return ((REACH - CORE) << self.bits) + 1

    @property
    def bins(self) -> int:
        """Bins of a class."""
        return 2 * self.side + 1

    @property
    def unfit(self) -> int:
        """The code of ``nan`` and the infinities."""
        return self.bins

    @property
    def relative_error(self) -> float:
        """Width of a bin as a share of its distance from the centre (the core is ``2**(CORE + 1)`` spreads wide)."""
        return 2.0**-self.bits

    def codes(self, z: NDArray[np.floating]) -> NDArray[np.uint16]:
        """The bin of every value, shape (rows, classes), in the memory order of `z`."""
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            u = z - self.centre.astype(z.dtype)
            u *= (1 / self.spread).astype(z.dtype)
            u = u.astype(np.float32, copy=False)
        pattern = u.view(np.int32)
        offset = ((_BIAS + CORE) << self.bits) - 1
        distance = (pattern & 0x7FFFFFFF) >> (_FRACTION - self.bits)
        distance -= offset
        np.clip(distance, 0, self.side, out=distance)
        np.negative(distance, out=distance, where=pattern < 0)
        distance += self.side
        codes = distance.astype(np.uint16)
        if z.size and not (math.isfinite(z.max()) and math.isfinite(z.min())):
            codes[~np.isfinite(z)] = self.unfit
        return codes

    def rounded(self, z: NDArray[np.floating]) -> NDArray[np.float64]:
        """Every value to the nearest multiple of about 2^-42 spreads of its class, shape (rows, classes).

        Exact sums of such values are short, and a mean is off by less than that. Far beyond the fences, where a
        float64 itself is coarser, rounding takes its last bits.
        """
        # Within this many bits of a large number a float64 has no bits left for what is smaller.
        exponent = np.clip(np.frexp(self.spread)[1] + 10, -1000, 968)
        shift = 1.5 * np.ldexp(1.0, exponent)
        rounded: NDArray[np.float64] = (z + shift) - shift
        return rounded

    def edges(self) -> NDArray[np.float64]:
        """Where bins begin and end, in spreads from the centre, shape (bins + 1,); ``inf`` at both ends."""
        first = (_BIAS + CORE) << self.bits
        patterns = (first + np.arange(self.side, dtype=np.int32)) << np.int32(_FRACTION - self.bits)
        upper = np.append(patterns.view(np.float32).astype(np.float64), np.inf)
        return np.concatenate([-upper[::-1], upper])


def make_grid(head: NDArray[np.floating]) -> Grid:
    """Settle the bins on the first rows of a table, shape (rows, classes).

    Rows that are not typical of the table widen the bins where most values lie; they make nothing wrong.
    """
    rows, classes = head.shape
    finite = np.where(np.isfinite(head), head, np.nan).astype(np.float64)
    centre, spread = np.zeros(classes), np.zeros(classes)
    there = np.isfinite(finite).any(axis=0)
    if rows and there.any():
        known = finite[:, there]
        median = np.median if np.isfinite(known).all() else np.nanmedian  # nanmedian is far slower
        centre[there] = median(known, axis=0)
        spread[there] = median(np.abs(known - centre[there]), axis=0)
    usual = float(np.median(spread[spread > 0])) if (spread > 0).any() else 1.0
    bits = int(math.log2(max(MOST_BINS / (2 * (REACH - CORE) * max(classes, 1)), 2)))
    floor = np.maximum(_LEAST_SHARE * usual, np.abs(centre) * 2.0**-20)
    return Grid(centre, np.maximum(spread, floor), min(_FINEST, max(_COARSEST, bits)))
