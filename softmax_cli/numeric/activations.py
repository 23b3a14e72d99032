"""Sparsemax and 1.5-entmax: distributions with exact zeros, by sorting."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.softmax import (
    Matrix,
    Temperature,
    adjust_,
    check_temperature,
    divide_,
    exp_normalize_,
    log_normalize_,
    mask_,
    row_sums,
)

Kernel = Callable[[NDArray[Any]], NDArray[Any]]


class Activation(NamedTuple):
    """Kernels on matrices of shape (rows, classes), all in place."""

    name: str
    adjust_: Callable[[NDArray[Any], Temperature, NDArray[np.float64] | None], NDArray[Any]]
    """Logits, temperature and bias to exponents; nan throughout a row that cannot be scored."""
    probabilities_: Kernel
    log_probabilities_: Kernel
    sums_to_one: bool = True


def _sparsemax_log_(a: NDArray[Any]) -> NDArray[Any]:
    return log_(sparsemax_(a))


def _entmax15_log_(a: NDArray[Any]) -> NDArray[Any]:
    return log_(entmax15_(a))


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


def log_sigmoid_(a: Matrix) -> Matrix:
    """log(1/(1 + exp(-a))) in place, precise also where the sigmoid rounds to 0 or 1; ``-inf`` at ``-inf``."""
    from scipy.special import log_expit

    return log_expit(a, out=a)


def scale_(z: Matrix, temperature: Temperature = 1.0, bias: NDArray[np.float64] | None = None) -> Matrix:
    """Turn logits into adjusted logits, z/T + bias, in place and without a shift.

    Parameters
    ----------
    z : array, shape (rows, classes)
        float32 or float64; ``-inf`` masks a class.
    temperature : float or array, shape (rows,)
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
    if np.any(temperature < 1):
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


ACTIVATIONS: dict[str, Activation] = {
    activation.name: activation
    for activation in (
        Activation("softmax", adjust_, exp_normalize_, log_normalize_),
        Activation("sigmoid", scale_, sigmoid_, log_sigmoid_, sums_to_one=False),
        Activation("sparsemax", adjust_, sparsemax_, _sparsemax_log_),
        Activation("entmax15", adjust_, entmax15_, _entmax15_log_),
    )
}


_BELOW_SUPPORT = -2.0
"""The threshold is at most 1 under the largest: what is further down has p = 0, and the clip keeps its sums finite."""


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
