"""Sparsemax and 1.5-entmax: distributions with exact zeros, by sorting."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.exponents import Matrix
from softmax_cli.numeric.rowsums import row_sums

_BELOW_SUPPORT = -2.0
"""The threshold is at most 1 under the largest: what is further down has p = 0, and the clip keeps its sums finite."""


def sparsemax_(a: Matrix) -> Matrix:
    """Project every row onto the probability simplex, in place.

    p = max(a - tau, 0) with tau such that p sums to 1; Martins & Astudillo (2016), "From softmax to sparsemax", ICML.
    """
    if a.size == 0:
        return a
    a -= a.max(axis=1)[:, None]
    ranked, k = _ranked(a)
    sums = np.cumsum(ranked, axis=1)
    tau = _at_support((sums - 1) / k, 1 + k * ranked > sums)
    a -= tau.astype(a.dtype)
    return _rescale_(np.maximum(a, 0, out=a))


def entmax15_(a: Matrix) -> Matrix:
    """1.5-entmax of every row, in place: between softmax and sparsemax.

    p = max(a/2 - tau, 0)^2, exact by sorting; Peters, Niculae & Martins (2019), "Sparse sequence-to-sequence models",
    ACL.
    """
    if a.size == 0:
        return a
    a -= a.max(axis=1)[:, None]
    a /= 2
    ranked, k = _ranked(a)
    mean = np.cumsum(ranked, axis=1) / k
    spread = np.cumsum(ranked**2, axis=1) - k * mean**2
    candidates = mean - np.sqrt(np.maximum((1 - spread) / k, 0))
    a -= _at_support(candidates, candidates <= ranked).astype(a.dtype)
    np.maximum(a, 0, out=a)
    return _rescale_(np.square(a, out=a))


def log_(p: Matrix) -> Matrix:
    """Logarithm in place, ``-inf`` for a class that is left out."""
    with np.errstate(divide="ignore"):
        return np.log(p, out=p)


def _ranked(a: Matrix) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sort every row from 0 down, and number the ranks from 1; float64: many float32 terms would blur the threshold."""
    falling = -np.sort(-a, axis=1).astype(np.float64)
    return np.maximum(falling, _BELOW_SUPPORT, out=falling), np.arange(1.0, a.shape[1] + 1)


def _at_support(candidates: NDArray[np.float64], holds: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The threshold of the largest support that holds, shape (rows, 1); it holds for every smaller one too."""
    support = np.maximum(np.count_nonzero(holds, axis=1), 1)
    return np.take_along_axis(candidates, support[:, None] - 1, axis=1)


def _rescale_(p: Matrix) -> Matrix:
    """Take the rounding error of the threshold out of the sum."""
    p /= row_sums(p)[:, None]
    return p
