"""Methods that calibrate the confidence of the predicted class; the other classes keep their proportions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.softmax import argmax, log_normalize_

Rows = NDArray[np.float64]
"""Shape (rows, classes)."""
Confidence = NDArray[np.float64]
"""Of the predicted class, shape (rows,)."""


def top_confidence(log_p: Rows) -> tuple[NDArray[Any], Confidence]:
    """Predicted class of every row, the earlier one of equal classes, and the logarithm of its probability."""
    best = argmax(log_p)
    return best, log_p[np.arange(len(log_p)), best]


def with_confidence(log_p: Rows, best: NDArray[Any], confidence: Confidence) -> Rows:
    """Log-probabilities where the class `best` has the probability `confidence`, above 0 and below 1.

    The others share the rest as they did before. Their proportions are taken among themselves: as what is left of 1
    they would be lost where the predicted class is nearly certain. A row whose other classes are all masked stays
    certain, and a row of ``nan`` stays so.
    """
    each = np.arange(len(log_p))
    others = np.array(log_p, order="C")
    others[each, best] = -np.inf
    alone = (others == -np.inf).all(axis=1)
    lost = np.isnan(log_p).any(axis=1)
    others[alone] = 0
    others[~lost] = log_normalize_(others[~lost])
    others += np.log1p(-confidence)[:, None]
    others[each, best] = np.log(confidence)
    others[alone] = log_p[alone]
    others[lost] = np.nan
    return others
