"""A number from 0 to 1 for every row that only looks random: it follows from the seed and the row itself.

A score function that uses such a draw is as fixed as any other, hence conformal prediction holds for it exactly; and
neither the cut into batches nor the neighbours change what a row draws. Equal rows draw equal numbers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.profile.repeats import row_hashes

_GOLDEN = 0x9E3779B97F4A7C15
_MIX = np.uint64(0xBF58476D1CE4E5B9)


def row_draws(log_p: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """Draw for every row, shape (rows,), in [0, 1).

    Parameters
    ----------
    log_p : array, shape (rows, classes)
        What the draws follow from, bit by bit.
    seed : int
        0 to 2^64 - 1: another seed, other draws.

    Notes
    -----
    A hash of the row, mixed with the seed as in splitmix64 (Steele, Lea & Flood 2014); 53 bits of it are kept.
    """
    mixed = row_hashes(log_p) + np.uint64(seed * _GOLDEN % 2**64)
    for shift in (np.uint64(30), np.uint64(27)):
        mixed ^= mixed >> shift
        mixed *= _MIX
    mixed ^= mixed >> np.uint64(31)
    return (mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53
