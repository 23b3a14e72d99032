"""Softmax that is stable for every finite input, as array functions and as kernels that work in place on blocks.

p_i = exp(a_i) / sum_j exp(a_j) with the exponents a of `softmax_cli.numeric.exponents`. A row's result depends on
that row alone, to the last bit: not on its neighbours, the memory order or the cut into blocks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from softmax_cli.numeric.exponents import Matrix, adjust_
from softmax_cli.numeric.rowsums import COLUMNAR_CLASSES, row_sums
from softmax_cli.numeric.topk import argmax
from softmax_cli.numeric.weights import log_weights


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
        raise ValueError(f"logits of type {dtype}: real numbers are wanted")
    return np.float32 if dtype in (np.float16, np.float32) else np.float64


def _bias(class_weights: ArrayLike, classes: int) -> NDArray[np.float64]:
    weights = np.asarray(class_weights, np.float64)
    if weights.shape != (classes,):
        raise ValueError(f"class_weights has shape {weights.shape}; one weight for each of {classes} classes is wanted")
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
