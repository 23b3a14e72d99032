"""Softmax that is stable for every finite input, as array functions and as kernels that work in place on blocks.

p_i = exp((z_i - max z)/T) / sum_j exp((z_j - max z)/T). Without the shift exp overflows above 709 (float64) or 88 (float32)
and the naive form gives inf/inf = nan; Blanchard, Higham & Higham (2021), "Accurately computing the log-sum-exp and softmax
functions", IMA J. Numer. Anal. 41(4). The shift comes before the division: a tiny T can then only send a class to 0.

Kernels end in an underscore: they overwrite their argument, shape (rows, classes), and return it. A row's result depends on
that row alone, to the last bit; therefore sums never go through a matrix product, whose remainder loops differ by position.
"""

from __future__ import annotations

import math
from typing import TypeVar, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

Matrix = TypeVar("Matrix", bound=NDArray[np.floating])

_SAFE = {np.dtype(np.float32): 60.0, np.dtype(np.float64): 600.0}
"""Within these bounds exp neither overflows nor underflows, nor does the sum of any number of classes."""
_PIECE = 1024
"""Values that are summed in float32 before the partial sums are added in float64."""


def softmax(
    logits: ArrayLike, axis: int = -1, *, temperature: float = 1.0, class_weights: ArrayLike | None = None
) -> NDArray[np.floating]:
    """Probabilities from logits.

    Parameters
    ----------
    logits : array_like
        Any shape; float64, float32 (kept), float16 (widened to float32), or integers (float64). ``-inf`` masks a class.
    axis : int
        The axis of the classes.
    temperature : float
        Divides the logits; above 0. ``inf`` gives the uniform distribution over the classes that are not masked.
    class_weights : array_like, shape (classes,), optional
        What a probability is multiplied by before renormalising, 0 or more; 0 masks the class.

    Returns
    -------
    array
        Same shape, sums to 1 along `axis`. A slice with ``nan``, ``+inf`` or nothing but ``-inf`` is ``nan`` throughout:
        no distribution follows from it.

    Raises
    ------
    ValueError
        The temperature is not above 0, a weight is negative or not finite, or there are not as many weights as classes.

    Examples
    --------
    >>> softmax([1000.0, 999.0]).round(4).tolist()
    [0.7311, 0.2689]
    """
    return _along(exp_normalize_, logits, axis, temperature, class_weights)


def log_softmax(
    logits: ArrayLike, axis: int = -1, *, temperature: float = 1.0, class_weights: ArrayLike | None = None
) -> NDArray[np.floating]:
    """Log-probabilities from logits, natural logarithm; takes and refuses what `softmax` does.

    The logarithm of a softmax would be ``-inf`` below 1e-308, and near p = 1 would lose every digit of log p.
    """
    return _along(log_normalize_, logits, axis, temperature, class_weights)


def _along(kernel, logits, axis, temperature, class_weights):  # type: ignore[no-untyped-def]
    z = np.asarray(logits)
    z = np.array(np.moveaxis(z, axis, -1), dtype=_computed_in(z.dtype), order="C")
    bias = None if class_weights is None else _bias(class_weights, z.shape[-1])
    rows = z.reshape(-1, z.shape[-1])
    kernel(adjust_(rows, temperature, bias))
    return np.moveaxis(z, -1, axis)


def _computed_in(dtype: np.dtype[np.generic]) -> type[np.floating]:
    return np.float32 if dtype in (np.float16, np.float32) else np.float64


def _bias(class_weights: ArrayLike, classes: int) -> NDArray[np.float64]:
    from softmax_cli.numeric.weights import log_weights

    weights = np.asarray(class_weights, np.float64)
    if weights.shape != (classes,):
        raise ValueError(f"class_weights has shape {weights.shape}; one weight for each of {classes} classes is wanted")
    return log_weights(weights)


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

    Rows that are moderate as they stand (T = 1, no bias, within +-60 in float32 or +-600 in float64) are left unshifted: exp
    is safe, and exact arguments make it a little more precise. That is decided row by row.

    Parameters
    ----------
    z : array, shape (rows, classes)
        float32 or float64; ``-inf`` masks a class.
    temperature : float
        Above 0.
    bias : array, shape (classes,), optional
        Added after the division; may hold ``-inf``.

    Returns
    -------
    array
        `z` itself. A row that no distribution follows from is ``nan`` throughout.
    """
    check_temperature(temperature)
    if z.size == 0:
        return z
    if temperature == 1 and bias is None:
        return _shift_where_needed_(z)
    _shift_(z, z.max(axis=1))
    if math.isinf(temperature):
        z[z > -np.inf] = 0
    elif temperature != 1:
        z /= z.dtype.type(temperature) if temperature >= np.finfo(z.dtype).tiny else temperature
    if bias is not None:
        z += bias.astype(z.dtype)
        _shift_(z, z.max(axis=1))
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


def exp_normalize_(a: Matrix) -> Matrix:
    """Exponentiate and divide by the sum, in place."""
    if a.size == 0:
        return a
    with np.errstate(under="ignore"):
        np.exp(a, out=a)
        a /= row_sums(a)[:, None]
    return a


def log_normalize_(a: Matrix) -> Matrix:
    """Log-probabilities, in place: a - log sum exp a, by ``log1p`` of the sum without the largest term.

    Where p is close to 1 that sum is what log p consists of; adding it to 1 first would round it away.
    """
    if a.size == 0:
        return a
    rows = np.arange(len(a))
    best = a.argmax(axis=1)
    top = a[rows, best]
    a -= top[:, None]
    with np.errstate(under="ignore"):
        terms = np.exp(a)
    terms[rows, best] = 0
    a -= np.log1p(row_sums(terms))[:, None]
    return a


def row_sums(a: NDArray[np.floating]) -> NDArray[np.floating]:
    """Sum of every row, shape (rows,), independent of the rows around it.

    float32 rows are added up in pieces, and the pieces in float64: 50,000 probabilities would else sum to 1 within 1e-4 only.
    """
    if a.dtype == np.float64 or a.shape[1] <= _PIECE:
        return cast("NDArray[np.floating]", a.sum(axis=1))
    sums = np.zeros(len(a))
    for start in range(0, a.shape[1], _PIECE):
        sums += a[:, start : start + _PIECE].sum(axis=1)
    return sums.astype(a.dtype)
