"""Sums of rows drawn several times, exact although a matrix product adds them up in an order of its own.

Every factor and every partial sum is a whole number below 2^53, and those float64 adds without rounding.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.exact_sum import ExactSum, limbs_of


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
