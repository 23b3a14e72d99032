"""Sigmoid, for multi-label scores: each class alone, so that the probabilities of a row need not sum to 1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.exponents import Matrix, check_temperature, divide_, mask_


def scale_(z: Matrix, temperature: float = 1.0, bias: NDArray[np.float64] | None = None) -> Matrix:
    """Turn logits into adjusted logits, z/T + bias, in place and without a shift.

    Parameters
    ----------
    z : array, shape (rows, classes)
        float32 or float64; ``-inf`` masks a class.
    temperature : float
        Above 0; ``inf`` makes every class that is not masked 0.
    bias : array, shape (classes,), optional
        Added after the division; ``-inf`` masks a class.

    Returns
    -------
    array
        `z` itself; finite where it was, save for masks: a quotient beyond the largest float becomes that float. A row
        with ``nan``, ``+inf`` or nothing but masked classes is ``nan`` throughout, as in a softmax.

    Raises
    ------
    ValueError
        The temperature is not above 0.
    """
    check_temperature(temperature)
    if z.size == 0:
        return z
    if bias is not None:
        mask_(z, bias)
    bad = ~np.isfinite(z.max(axis=1))
    if temperature < 1:
        finite = np.isfinite(z)
        largest = np.finfo(z.dtype).max
        np.clip(divide_(z, temperature), -largest, largest, out=z, where=finite)
    else:
        divide_(z, temperature)
    if bias is not None:
        with np.errstate(invalid="ignore"):  # +inf - inf, in a row that is bad anyway
            z += bias.astype(z.dtype)
    z[bad] = np.nan
    return z


def sigmoid_(a: Matrix) -> Matrix:
    """1/(1 + exp(-a)) in place: 0 at ``-inf``; the naive form overflows below -709 (float64) or -88 (float32)."""
    from scipy.special import expit

    return expit(a, out=a)


def log_sigmoid_(a: Matrix) -> Matrix:
    """log(1/(1 + exp(-a))) in place, precise also where the sigmoid rounds to 0 or 1; ``-inf`` at ``-inf``."""
    from scipy.special import log_expit

    return log_expit(a, out=a)
