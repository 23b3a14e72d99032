"""Resampling of rows that does not depend on how the rows are cut into batches.

The ordinary bootstrap draws n of n rows and so has to know n and hold the rows. Here every row is counted a
Poisson(1) number of times in every replicate (Oza & Russell 2001; Chamandy, Muralidharan, Najmi & Naidu 2012,
"Estimating uncertainty for massive data streams"), and that number is a function of the seed and the number of the
row alone.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil, exp, factorial, nan

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.exact_sum import ExactSum, limbs_of

REPLICATES = 200
_DRAWS = 1 << 16
"""A weight comes from 16 random bits: its probabilities are right to 2^-17."""
_PER_COUNTER = 16
"""Philox gives 256 bits for each value of its counter."""


def _poisson_table() -> NDArray[np.uint8]:
    """Return the Poisson(1) weight of every 16-bit number, shape (65536,)."""
    below = np.cumsum([exp(-1) / factorial(weight) for weight in range(12)])
    steps = np.rint(below * _DRAWS)
    return np.searchsorted(steps, np.arange(_DRAWS), side="right").astype(np.uint8)


_WEIGHT = _poisson_table()


def weights(seed: int, first_row: int, rows: int, replicates: int = REPLICATES) -> NDArray[np.uint8]:
    """Count how often every row is drawn in every replicate.

    Parameters
    ----------
    seed : int
        Key of the random stream, 0 to 2^64 - 1.
    first_row : int
        Number of the first row of this block in the whole table, from 0.
    rows, replicates : int
        Shape of the block.

    Returns
    -------
    array of uint8, shape (rows, replicates)
        Poisson(1) counts. Row i of a block that starts at r equals row 0 of a block that starts at r + i.

    Raises
    ------
    ValueError
        `seed` or `first_row` is negative or does not fit 64 bits, or there is no replicate.

    Notes
    -----
    The generator is Philox-4x64 (Salmon, Moraes, Dror & Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3"):
    its counter is set to the row, so nothing before the row has to be drawn.
    """
    if not 0 <= seed < 1 << 64:
        raise ValueError(f"seed {seed}: expected a whole number from 0 to 2^64 - 1")
    if first_row < 0 or rows < 0 or replicates < 1:
        raise ValueError(f"{rows} rows from row {first_row} in {replicates} replicates: no such block")
    counters = -(-replicates // _PER_COUNTER)
    stream = np.random.Philox(key=seed, counter=first_row * counters)
    drawn = stream.random_raw(rows * counters * 4).astype("<u8", copy=False).view("<u2")
    weight: NDArray[np.uint8] = _WEIGHT[drawn.reshape(rows, counters * _PER_COUNTER)[:, :replicates]]
    return weight


def interval(
    estimates: NDArray[np.float64], *, level: float = 0.95, around: float | None = None
) -> tuple[float, float]:
    """Confidence limits from the estimates of all replicates.

    Parameters
    ----------
    estimates : array, shape (replicates,)
        The figure, once for each replicate.
    level : float
        Share of intervals meant to hold the true figure, strictly between 0 and 1.
    around : float, optional
        The figure of the sample itself. Given, the limits are the *basic* ones, 2 * around - quantile: right for a
        figure that resampling pushes to one side, such as a binned calibration error, whose noise only ever adds.
        Default: the quantiles.

    Returns
    -------
    low, high : float
        nan where a replicate has no figure.

    Raises
    ------
    ValueError
        `level` is out of range.

    Notes
    -----
    Davison & Hinkley (1997), "Bootstrap methods and their application", sections 5.2 and 5.3.
    """
    if not 0 < level < 1:
        raise ValueError(f"level {level}: expected a share strictly between 0 and 1")
    if np.isnan(estimates).any():
        return nan, nan
    # Order statistics, not interpolated ones: an infinite estimate beside a finite one would give nan.
    place = ceil(len(estimates) * (1 - Fraction(repr(float(level)))) / 2)
    ordered = np.sort(estimates)
    low, high = float(ordered[place - 1]), float(ordered[len(ordered) - place])
    return (low, high) if around is None else (2 * around - high, 2 * around - low)


def weighted_sum(weight: NDArray[np.float64], values: NDArray[np.float64]) -> ExactSum:
    """Add values up as often as each replicate drew them.

    Parameters
    ----------
    weight : array, shape (rows, replicates)
        Whole numbers of at most 255, as float64 so that the product runs at full speed; at most 2^19 rows.
    values : array, shape (rows,)
        Finite numbers.

    Returns
    -------
    ExactSum
        One group for each replicate.
    """
    bottom, pieces = limbs_of(values)
    if not pieces:
        return ExactSum.zero(weight.shape[1])
    # This way round: BLAS is twenty times as slow with the short side first.
    return ExactSum(bottom, np.ascontiguousarray((weight.T @ np.stack(pieces).T).T).astype(np.int64))


def drawn_rows(weight: NDArray[np.float64], chosen: NDArray[np.bool_] | NDArray[np.float64]) -> NDArray[np.int64]:
    """Count, for every replicate, the draws of the chosen rows; `chosen` is 0 or 1 a row."""
    return (weight.T @ chosen.astype(np.float64)).astype(np.int64)
