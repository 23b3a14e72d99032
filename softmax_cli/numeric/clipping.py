"""Remedies for outlying logits, in place on blocks: each row by itself, before the temperature.

A softmax gives almost everything to one logit that is far above the others, also where that logit is a glitch. These
bound it, at a price: what comes out is another model's probability, so each is off unless asked for.

Kernels end in an underscore: they overwrite their argument, shape (rows, classes), float32 or float64, and return it. A
masked class (``-inf``) stays masked. A row with ``nan`` or ``+inf`` becomes ``nan`` throughout: a bound must not hide
it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.softmax import Matrix, row_sums


def clip_(z: Matrix, low: float, high: float) -> Matrix:
    """Move logits that are outside of [low, high] to its nearest end."""
    masked = _masked_and_bad_(z)
    bounds = np.clip([low, high], -np.finfo(z.dtype).max, np.finfo(z.dtype).max).astype(z.dtype)
    np.clip(z, *bounds, out=z)
    return _mask_again_(z, masked)


def softcap_(z: Matrix, cap: float) -> Matrix:
    """C*tanh(z/C): almost z near 0, never beyond +-C, and in the same order (but for rounding near the cap).

    The soft capping of Gemma 2 (Gemma Team 2024, arXiv:2408.00118, section 2).
    """
    masked = _masked_and_bad_(z)
    with np.errstate(over="ignore", under="ignore"):  # a huge z/C is at the cap
        np.divide(z, cap, out=z, dtype=np.float64, casting="same_kind")
        np.tanh(z, out=z)
        np.multiply(z, cap, out=z, dtype=np.float64, casting="same_kind")
    return _mask_again_(z, masked)


def winsorize_(z: Matrix, share: float) -> Matrix:
    """Pull every row within its own `share` and 1 - `share` quantiles, masked classes left out of them.

    Quantiles lie on the line between neighbouring ranks (type 7 of Hyndman & Fan 1996, "Sample quantiles in statistical
    packages", Am. Stat. 50(4)): of m classes, the lower one is at rank share*(m - 1) counted from 0. From
    share*(m - 1) >= 1 on, the best two classes become equal.
    """
    if z.size == 0:
        return z
    masked = _masked_and_bad_(z)
    ranked = np.sort(z, axis=1)  # masked classes first, a row of nan stays one
    first = np.count_nonzero(masked, axis=1)
    ranks = share * np.maximum(z.shape[1] - first - 1, 0)
    low = _at_rank(ranked, first + ranks)
    high = _at_rank(ranked, z.shape[1] - 1 - ranks)
    np.clip(z, low[:, None], high[:, None], out=z)
    return _mask_again_(z, masked)


def standardize_(z: Matrix) -> Matrix:
    """(z - mean)/deviation over the classes of a row that are not masked; a row of equal logits becomes 0.

    The population deviation. Whatever scale a row came on, it goes: rows become comparable, and how sure the model
    was of one row against another is lost.
    """
    if z.size == 0:
        return z
    masked = _masked_and_bad_(z)
    highest = z.max(axis=1)
    lowest = z.min(axis=1, where=~masked, initial=np.inf)
    # By a power of two, which keeps every digit: squares of 1e200 would overflow, those of 1e-200 vanish.
    _, exponent = np.frexp(np.maximum(np.abs(highest), np.abs(lowest)))
    with np.errstate(under="ignore"):
        np.ldexp(z, -exponent[:, None], out=z)
        z -= np.ldexp(highest, -exponent)[:, None]  # exactly 0 where all are equal, which the mean alone is not
        z[masked] = 0
        count = (z.shape[1] - np.count_nonzero(masked, axis=1)).astype(z.dtype)
        z -= (row_sums(z) / count)[:, None]
        z[masked] = 0
        deviation = np.sqrt(row_sums(np.square(z)) / count)
        deviation[deviation == 0] = 1
        z /= deviation[:, None]
    return _mask_again_(z, masked)


def _masked_and_bad_(z: Matrix) -> NDArray[np.bool_]:
    """Find masked classes, shape (rows, classes), and make rows without a distribution ``nan`` throughout."""
    if z.size:
        highest = z.max(axis=1)
        z[~np.isfinite(highest)] = np.nan
    masked: NDArray[np.bool_] = z == -np.inf
    return masked


def _mask_again_(z: Matrix, masked: NDArray[np.bool_]) -> Matrix:
    z[masked] = -np.inf
    return z


def _at_rank(ranked: Matrix, rank: NDArray[np.float64]) -> Matrix:
    """Value at a rank between two of every row, shape (rows,); ranks count from 0 and may have a fraction."""
    below = np.floor(rank).astype(np.intp)
    above = np.minimum(below + 1, ranked.shape[1] - 1)
    part = (rank - below).astype(ranked.dtype)
    low = np.take_along_axis(ranked, below[:, None], axis=1)[:, 0]
    high = np.take_along_axis(ranked, above[:, None], axis=1)[:, 0]
    # Two products: the difference of two finite numbers may overflow.
    result: Matrix = low * (1 - part) + high * part
    return result
