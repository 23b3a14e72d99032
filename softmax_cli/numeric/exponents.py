"""From logits to the exponents of a softmax: (z - max z)/T + log w.

Without the shift exp overflows above 709 (float64) or 88 (float32) and the naive form gives inf/inf = nan; Blanchard,
Higham & Higham (2021), "Accurately computing the log-sum-exp and softmax functions", IMA J. Numer. Anal. 41(4). The
shift comes before the division: a tiny T can then only send a class to 0.

Kernels end in an underscore: they overwrite their argument, shape (rows, classes), and return it.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.floating]
"""Shape (rows, classes), float32 or float64, in any memory order."""

_SAFE = {np.dtype(np.float32): 60.0, np.dtype(np.float64): 600.0}
"""Within these bounds exp neither overflows nor underflows, nor does the sum of any number of classes."""


def check_temperature(temperature: float) -> None:
    """Refuse a temperature that gives no distribution.

    Raises
    ------
    ValueError
        It is not above 0.
    """
    if not temperature > 0:
        raise ValueError(
            f"temperature {temperature}: it must be above 0 (T -> 0 is the argmax, T < 0 would turn the ranking around)"
        )


def adjust_(z: Matrix, temperature: float = 1.0, bias: NDArray[np.float64] | None = None) -> Matrix:
    """Turn logits into exponents: (z - max z)/T + bias, with the largest of every row at 0.

    Rows that are moderate as they stand (T = 1, no bias, within +-60 in float32 or +-600 in float64) are left
    unshifted: exp is safe, and exact arguments make it a little more precise. That is decided row by row.

    Parameters
    ----------
    z : array, shape (rows, classes)
        float32 or float64; ``-inf`` masks a class.
    temperature : float
        Above 0; ``inf`` makes the classes that are not masked equal.
    bias : array, shape (classes,), optional
        Added after the division; ``-inf`` masks a class.

    Returns
    -------
    array
        `z` itself. A row with ``nan``, ``+inf`` or nothing but masked classes is ``nan`` throughout.

    Raises
    ------
    ValueError
        The temperature is not above 0.
    """
    check_temperature(temperature)
    if z.size == 0:
        return z
    if temperature == 1 and bias is None:
        return _shift_where_needed_(z)
    if bias is not None:
        # Before the shift: the largest logit may be masked, and the others may be out of sight from there.
        mask_(z, bias)
    if temperature > float(np.finfo(z.dtype).max) / 1024:
        # Differences of more than the largest float still count at such a T; half of them cannot overflow.
        z *= 0.5
        temperature /= 2
    divide_(_shift_(z, z.max(axis=1)), temperature)
    if bias is not None:
        z += bias.astype(z.dtype)
        _shift_(z, z.max(axis=1))
    return z


def mask_(z: Matrix, bias: NDArray[np.float64]) -> Matrix:
    """Mask the classes whose bias is ``-inf``; ``nan`` and ``+inf`` stay to be found."""
    for column in np.flatnonzero(bias == -np.inf):
        z[np.isfinite(z[:, column]), column] = -np.inf
    return z


def divide_(z: Matrix, temperature: float) -> Matrix:
    """z/T with one rounding, also where float32 cannot hold T; ``-inf`` stays masked at every T."""
    if temperature == 1:
        return z
    with np.errstate(over="ignore"):
        if math.isinf(temperature):
            z[np.isfinite(z)] = 0
        elif float(z.dtype.type(temperature)) == temperature:
            z /= temperature
        else:
            # T rounded to float32 would shift every argument; 1e-50 would be 0 there, and 1e50 inf.
            np.divide(z, np.float64(temperature), out=z, casting="same_kind")
    return z


def _shift_where_needed_(z: Matrix) -> Matrix:
    limit = _SAFE[z.dtype]
    if z.max() <= limit and z.min() >= -limit:  # false for nan
        return z
    highest = z.max(axis=1)
    highest[(highest <= limit) & (z.min(axis=1) >= -limit)] = 0
    return _shift_(z, highest)


def _shift_(z: Matrix, by: NDArray[np.floating]) -> Matrix:
    by[~np.isfinite(by)] = np.nan  # nan, +inf, or all masked: the whole row becomes nan
    with np.errstate(over="ignore", invalid="ignore"):  # 1e308 - -1e308: the class is at 0, as it should be
        z -= by[:, None]
    return z
