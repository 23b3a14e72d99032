"""Sparsemax and 1.5-entmax: distributions with exact zeros, by sorting."""

from __future__ import annotations

import numpy as np

from softmax_cli.numeric.softmax import Matrix


def sparsemax_(a: Matrix) -> Matrix:
    """Project every row onto the probability simplex, in place.

    p = max(a - tau, 0) with tau such that p sums to 1; Martins & Astudillo (2016), "From softmax to sparsemax", ICML.
    """
    if a.size == 0:
        return a
    a -= a.max(axis=1)[:, None]
    ranked = -np.sort(-a, axis=1)
    ranked[ranked == -np.inf] = np.finfo(a.dtype).min / a.shape[1]
    k = np.arange(1, a.shape[1] + 1, dtype=a.dtype)
    sums = np.cumsum(ranked, axis=1)
    support = np.maximum((1 + k * ranked > sums).sum(axis=1), 1)
    tau = (np.take_along_axis(sums, support[:, None] - 1, axis=1)[:, 0] - 1) / support
    a -= tau.astype(a.dtype)[:, None]
    return _rescale_(np.maximum(a, 0, out=a))


def entmax15_(a: Matrix) -> Matrix:
    """1.5-entmax of every row, in place: between softmax and sparsemax.

    p = max(a/2 - tau, 0)^2, exact by sorting; Peters, Niculae & Martins (2019), "Sparse sequence-to-sequence models", ACL.
    """
    if a.size == 0:
        return a
    a -= a.max(axis=1)[:, None]
    a /= 2
    ranked = -np.sort(-a, axis=1)
    # Beyond 1 below the largest a class has p = 0 whatever the others: the clip keeps the squares finite and changes nothing.
    np.maximum(ranked, -2, out=ranked)
    k = np.arange(1, a.shape[1] + 1, dtype=a.dtype)
    mean = np.cumsum(ranked, axis=1) / k
    mean_square = np.cumsum(ranked**2, axis=1) / k
    spread = k * (mean_square - mean**2)
    tau = mean - np.sqrt(np.maximum((1 - spread) / k, 0))
    support = np.maximum((tau <= ranked).sum(axis=1), 1)
    a -= np.take_along_axis(tau, support[:, None] - 1, axis=1)
    np.maximum(a, 0, out=a)
    return _rescale_(np.square(a, out=a))


def log_(p: Matrix) -> Matrix:
    """Logarithm in place, ``-inf`` for a class that is left out."""
    with np.errstate(divide="ignore"):
        return np.log(p, out=p)  # type: ignore[return-value]


def _rescale_(p: Matrix) -> Matrix:
    """Take the rounding error of the threshold out of the sum."""
    p /= p.sum(axis=1)[:, None]
    return p
