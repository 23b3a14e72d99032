"""Softmax that is stable for every finite input, as array functions and as kernels that work in place on blocks.

p_i = exp(a_i) / sum_j exp(a_j) with the exponents a of `softmax_cli.numeric.softmax`. A row's result depends on
that row alone, to the last bit: not on its neighbours, the memory order or the cut into blocks.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


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
        Same shape, sums to 1 along `axis`. A slice with ``nan``, ``+inf`` or nothing but ``-inf`` is ``nan``
        throughout: no distribution follows from it.

    Raises
    ------
    ValueError
        The temperature is not above 0, a weight is negative or not finite, there are not as many weights as classes, or
        the logits are not real numbers.

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


def _along(
    kernel: Callable[[NDArray[Any]], NDArray[Any]],
    logits: ArrayLike,
    axis: int,
    temperature: float,
    class_weights: ArrayLike | None,
) -> NDArray[np.floating]:
    given = np.asarray(logits)
    z = np.moveaxis(given, axis, -1)
    classes = z.shape[-1]
    bias = None if class_weights is None else _bias(class_weights, classes)
    # The product spelt out: -1 means nothing to numpy when there are no classes.
    rows = np.array(
        z.reshape(z.size // max(classes, 1), classes),
        dtype=_computed_in(given.dtype),
        order="F" if classes <= COLUMNAR_CLASSES else "C",
    )
    kernel(adjust_(rows, temperature, bias))
    return np.moveaxis(np.ascontiguousarray(rows).reshape(z.shape), -1, axis)


def _computed_in(dtype: np.dtype[Any]) -> type[np.floating]:
    if dtype.kind not in "fiub":
        raise ValueError(f"logits of type {dtype}: expected real numbers")
    return np.float32 if dtype in (np.float16, np.float32) else np.float64


def _bias(class_weights: ArrayLike, classes: int) -> NDArray[np.float64]:
    weights = np.asarray(class_weights, np.float64)
    if weights.shape != (classes,):
        raise ValueError(f"class_weights has shape {weights.shape}; expected one weight for each of {classes} classes")
    from softmax_cli.numeric.class_weights import log_weights

    return log_weights(weights)


def exp_normalize_(a: Matrix) -> Matrix:
    """Exponentiate and divide by the sum, in place; `a` from `adjust_`."""
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
    best = argmax(a)[:, None]
    a -= np.take_along_axis(a, best, axis=1)
    with np.errstate(under="ignore"):
        terms = np.exp(a)
    np.put_along_axis(terms, best, 0, axis=1)
    a -= np.log1p(row_sums(terms))[:, None]
    return a


Matrix = NDArray[np.floating]
"""Shape (rows, classes), float32 or float64, in any memory order."""

Temperature = float | NDArray[np.float64]
"""One for all rows, or one for each, shape (rows,); above 0."""

_SAFE = {np.dtype(np.float32): 60.0, np.dtype(np.float64): 600.0}
"""Within these bounds exp neither overflows nor underflows, nor does the sum of any number of classes."""


def check_temperature(temperature: Temperature) -> None:
    """Refuse a temperature that gives no distribution.

    Raises
    ------
    ValueError
        It is not above 0.
    """
    if not np.all(temperature > 0):
        raise ValueError(
            f"temperature {temperature}: it must be above 0 (T -> 0 is the argmax, T < 0 would turn the ranking around)"
        )


def adjust_(z: Matrix, temperature: Temperature = 1.0, bias: NDArray[np.float64] | None = None) -> Matrix:
    """Turn logits into exponents: (z - max z)/T + bias, with the largest of every row at 0.

    Rows that are moderate as they stand (T = 1, no bias, within +-60 in float32 or +-600 in float64) are left
    unshifted: exp is safe, and exact arguments make it a little more precise. That is decided row by row.

    Parameters
    ----------
    z : array, shape (rows, classes)
        float32 or float64; ``-inf`` masks a class.
    temperature : float or array, shape (rows,)
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
    if bias is None and not isinstance(temperature, np.ndarray) and temperature == 1:
        return _shift_where_needed_(z)
    if bias is not None:
        # Before the shift: the largest logit may be masked, and the others may be out of sight from there.
        mask_(z, bias)
    huge = temperature > float(np.finfo(z.dtype).max) / 1024
    if np.any(huge):
        # Differences of more than the largest float still count at such a T; half of them cannot overflow.
        half = np.where(huge, 0.5, 1.0)
        z *= half[..., None]
        temperature = temperature * half
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


def divide_(z: Matrix, temperature: Temperature) -> Matrix:
    """z/T with one rounding, also where float32 cannot hold T; ``-inf`` stays masked at every T."""
    if isinstance(temperature, np.ndarray):
        return _divide_rows_(z, temperature)
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


def _divide_rows_(z: Matrix, temperatures: NDArray[np.float64]) -> Matrix:
    even = np.isinf(temperatures)
    with np.errstate(over="ignore"):
        np.divide(z, np.where(even, 1.0, temperatures)[:, None], out=z, casting="same_kind")
    if even.any():
        z[even[:, None] & np.isfinite(z)] = 0
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


COLUMNAR_CLASSES = 128
"""Up to so many classes whole columns are added up; above, the values of one row after the other."""


def row_sums(a: NDArray[np.floating]) -> NDArray[np.floating]:
    """Sum of every row, shape (rows,), of the type of `a` and in the same bits for every memory order and block.

    Both ways add in pairs of pairs, so that the error grows with the logarithm of the number of terms: one float32
    after the other, a class at 1 would swallow any number of classes at 5e-8. Relative error of float32 at 50,000
    classes: at most 2e-6; Higham (1993), "The accuracy of floating point summation", SIAM J. Sci. Comput. 14(4).
    """
    width = a.shape[1]
    if width > COLUMNAR_CLASSES:
        along_rows: NDArray[np.floating] = np.ascontiguousarray(a).sum(axis=1)
        return along_rows
    if width == 0:
        return np.zeros(len(a), a.dtype)
    half = (width + 1) // 2
    folded = a[:, :half].copy(order="K")
    folded[:, : width - half] += a[:, half:]
    while half > 1:
        width, half = half, (half + 1) // 2
        folded[:, : width - half] += folded[:, half:width]
    return folded[:, 0]


SUM_TOLERANCE = 1e-3
"""How far a sum of probabilities may be from 1 and still count as rounded, whatever its decimals."""
_MOST_DECIMALS = 4
_LOOKED_AT_FIRST = 8


def sums_to(scores: NDArray[np.floating], total: float = 1.0) -> NDArray[np.bool_]:
    """Whether each row lies in [0, total] and sums to it within the rounding that its decimals show, shape (rows,).

    0.33, 0.33, 0.33 is 1 to two decimals: K numbers rounded to d decimals sum to within K/2 * 10^-d, and to within
    2 sqrt(K) * 10^-d nearly always.
    """
    slack = SUM_TOLERANCE * total
    # Most tables of logits are done with after a few classes; False for nan.
    rows = np.flatnonzero(scores[:, :_LOOKED_AT_FIRST].min(axis=1, initial=np.inf) >= 0)
    chosen = scores[rows]
    within = (chosen.min(axis=1, initial=np.inf) >= 0) & (chosen.max(axis=1, initial=-np.inf) <= total + slack)
    rows, chosen = rows[within], chosen[within].astype(np.float64)
    off = np.abs(chosen.sum(axis=1) - total)
    found = np.zeros(len(scores), np.bool_)
    found[rows[off <= slack]] = True
    classes = scores.shape[1]
    for decimals in range(0 if total > 1 else 1, _MOST_DECIMALS):
        step = 10.0**-decimals
        rest = ~found[rows] & (off <= min(classes / 2, 2 * classes**0.5) * step * (1 + 1e-6)) & (off <= total / 5)
        if rest.any():
            digits = chosen[rest] / step
            found[rows[rest][(np.abs(digits - np.round(digits)) < 1e-3).all(axis=1)]] = True
    return found


_TALL = 2048
"""From so many rows the work on a column outweighs the calls that it takes."""


def argmax(a: NDArray[np.floating]) -> NDArray[np.int32]:
    """Column of the largest value of every row, shape (rows,); the first of equals, 0 for a row of nan."""
    if a.strides[0] > a.strides[1] or len(a) < _TALL:
        along_rows: NDArray[np.intp] = a.argmax(axis=1)
        return along_rows.astype(np.int32)
    # Down the columns: numpy's own argmax would first copy the block across. The place of the first maximum is the
    # number of columns before it, counted in the narrowest integers, of which a vector unit holds the most.
    highest = a.max(axis=1)
    before = np.zeros(len(a), np.min_scalar_type(a.shape[1]))
    searching = np.ones(len(a), np.bool_)
    for column in range(a.shape[1]):
        searching &= a[:, column] != highest
        before += searching
    before[searching] = 0  # nan equals nothing
    return before.astype(np.int32)
