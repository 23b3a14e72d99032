"""The predicted class of every row, how sure it was, and whether it was right: what several metrics start from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.topk import argmax

FINEST = 2.0**-52
"""Grid that sums of probabilities are taken on: three limbs of an exact sum hold it, whatever the classes and bins."""


def top_label(log_p: NDArray[np.float64], labels: NDArray[np.integer]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Confidence and correctness of the prediction.

    Parameters
    ----------
    log_p : array, shape (rows, classes)
        Log-probabilities, nats.
    labels : array of int, shape (rows,)
        Column of the true class.

    Returns
    -------
    confidence : array, shape (rows,)
        Probability of the predicted class, 0..1.
    correct : array of bool, shape (rows,)
        Whether the predicted class, the earliest among equals, is the true one.
    """
    predicted = argmax(log_p)
    best = np.take_along_axis(log_p, predicted[:, None], axis=1)[:, 0]
    return np.minimum(np.exp(best), 1.0), predicted == labels


def log_p_of_truth(log_p: NDArray[np.float64], labels: NDArray[np.integer]) -> NDArray[np.float64]:
    """Log-probability of the true class, nats, shape (rows,)."""
    return np.take_along_axis(log_p, np.asarray(labels, np.intp)[:, None], axis=1)[:, 0]


def on_grid(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round to multiples of 2^-52: at most 1.2e-16 is lost in a term of a mean, and its exact sum needs few limbs."""
    return np.rint(p / FINEST) * FINEST
