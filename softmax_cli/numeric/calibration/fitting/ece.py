"""Top-label expected calibration error, as an objective and as a figure to compare methods by.

The metrics hold the full family, of rows that all count alike; here rows have weights. The bins are the same.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.metrics.bins import BINS, width_bin, width_edges


def top_label_ece(
    confidence: NDArray[np.float64], correct: NDArray[np.bool_], weights: NDArray[np.float64], bins: int = BINS
) -> float:
    """Mean distance of accuracy and confidence over equal-width bins (lo, hi]; 0 lies in the first.

    Parameters
    ----------
    confidence : array, shape (rows,)
        Largest probability of a row.
    correct : array of bool, shape (rows,)
        Whether the class of that probability is the true one.
    weights : array, shape (rows,)
        What a row counts; sums to 1.
    bins : int
        How many bins.

    Returns
    -------
    float
        Between 0 and 1.

    Notes
    -----
    Naeini, Cooper & Hauskrecht (2015), AAAI; Guo et al. (2017), ICML.
    """
    of_bin = width_bin(confidence, width_edges(bins))
    gaps = np.bincount(of_bin, weights=weights * (confidence - correct), minlength=bins)
    return float(np.abs(gaps).sum())
