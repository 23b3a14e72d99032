"""Sigmoid, for multi-label scores: each class alone, so that the probabilities of a row need not sum to 1."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.softmax import Matrix, check_temperature


def scale_(z: Matrix, temperature: float = 1.0, bias: NDArray[np.float64] | None = None) -> Matrix:
    """Turn logits into adjusted logits, z/T + bias, in place and without a shift.

    A row with ``nan``, ``+inf`` or nothing but ``-inf`` becomes ``nan`` throughout, as in a softmax.
    """
    check_temperature(temperature)
    if z.size == 0:
        return z
    bad = ~np.isfinite(z.max(axis=1))
    with np.errstate(over="ignore", invalid="ignore"):
        if math.isinf(temperature):
            z[z > -np.inf] = 0
        else:
            z /= temperature
        if bias is not None:
            z += bias.astype(z.dtype)
    z[bad] = np.nan
    return z


def sigmoid_(a: Matrix) -> Matrix:
    """1/(1 + exp(-a)) in place; SciPy's form does not overflow."""
    from scipy.special import expit

    return expit(a, out=a)  # type: ignore[no-any-return]


def log_sigmoid_(a: Matrix) -> Matrix:
    """log(1/(1 + exp(-a))) in place, precise also where the sigmoid rounds to 0 or 1."""
    from scipy.special import log_expit

    return log_expit(a, out=a)  # type: ignore[no-any-return]
