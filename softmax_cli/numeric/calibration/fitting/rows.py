"""Logits made ready for arithmetic: a linear map of ``-inf`` or of 1e308 would be nan."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.exponents import adjust_
from softmax_cli.numeric.softmax import log_normalize_

_LARGEST = 1e300
"""Bounds logits so that a product with a weight, and a sum of such, stays finite."""
_LOWEST_LOG = -745.0
"""log of the smallest float64 above 0: stands for the log of a probability that was rounded to 0."""


def check_classes(z: NDArray[Any], classes: int) -> None:
    """Refuse logits of other classes than were fitted.

    Raises
    ------
    ValueError
        There are more or fewer.
    """
    if z.ndim != 2 or z.shape[1] != classes:
        raise ValueError(f"logits of shape {z.shape}: the calibration was fitted to {classes} classes")


def log_softmax_rows(z: NDArray[Any]) -> NDArray[np.float64]:
    """Log-probabilities as they stand, a new array in C order: sums depend on the memory order, results must not."""
    rows = np.array(z, np.float64, order="C")
    adjust_(rows)
    log_normalize_(rows)
    return rows


def finite_rows(z: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Copy of the logits with 0 where a class is masked, so that it adds nothing to others, and the mask.

    Rows that hold ``nan`` or ``+inf`` keep a ``nan``.
    """
    x = np.array(z, np.float64, order="C")
    masked = x == -np.inf
    x[masked] = 0
    x[x == np.inf] = np.nan
    return np.clip(x, -_LARGEST, _LARGEST, out=x), masked


def normalized(q: NDArray[np.float64], masked: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Log-probabilities from exponents, in place, with the masked classes at ``-inf``."""
    q[masked] = -np.inf
    adjust_(q)
    log_normalize_(q)
    return q


def log_one_minus(log_p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log(1 - p) from log p, without loss near p = 0 and p = 1; at least -745, also where p was rounded to 1.

    Two forms, each exact where the other cancels; Maechler (2012), "Accurately computing log(1 - exp(-|a|))".
    """
    with np.errstate(divide="ignore", under="ignore"):
        result = np.where(log_p > -np.log(2), np.log(-np.expm1(log_p)), np.log1p(-np.exp(log_p)))
    return np.maximum(result, _LOWEST_LOG)
