"""Prediction sets that hold the truth as often as promised: split conformal prediction.

The threshold is an order statistic of the scores of the true
classes on held-out rows; a set holds every class whose score does not exceed it. Where held-out and new rows are
exchangeable, the sets miss the truth at most as often as asked, whatever the model.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil, inf

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.nonconformity import Scores


def scores_of_truth(scores: Scores, labels: NDArray[np.integer]) -> NDArray[np.float64]:
    """Score of the true class of every row, shape (rows,): what a threshold is made of."""
    return np.take_along_axis(scores, np.asarray(labels, np.intp)[:, None], axis=1)[:, 0]


def threshold(scores: NDArray[np.float64], *, miscoverage: float) -> float:
    """Find the largest score that a class may have and still enter the prediction set.

    Parameters
    ----------
    scores : array, shape (rows,)
        Scores of the true class on held-out rows.
    miscoverage : float
        Share of sets that may miss the truth, strictly between 0 and 1; taken as the decimal number that it prints
        as, since 10 * (1 - 0.7) is a little more than 3 in binary and would be rounded up to 4.

    Returns
    -------
    float
        The k-th smallest score, k = ceil((rows + 1)(1 - miscoverage)); inf, which admits every class, when k exceeds
        the rows.

    Raises
    ------
    ValueError
        `miscoverage` is out of range, or a score is nan.

    Notes
    -----
    Angelopoulos & Bates (2021), "A gentle introduction to conformal prediction", arXiv:2107.07511, theorem 1.
    """
    k = _order(scores, miscoverage)
    return inf if k > len(scores) else float(np.partition(scores, k - 1)[k - 1])


def quantile_threshold(scores: NDArray[np.float64], *, miscoverage: float) -> float:
    """Find the threshold as published code does, to reproduce its figures: never lower than `threshold`.

    It asks ``numpy.quantile(method="higher")`` for level k/rows. That counts rows - 1 steps between the scores and so
    gives the (k+1)-th smallest, one more than the theorem needs: sets are a little larger and cover a little more.

    Parameters and errors are those of `threshold`; inf where k exceeds the rows.

    Notes
    -----
    Angelopoulos & Bates (2021), arXiv:2107.07511, figure 2.
    """
    k = _order(scores, miscoverage)
    return inf if k > len(scores) else float(np.quantile(scores, k / len(scores), method="higher"))


def _order(scores: NDArray[np.float64], miscoverage: float) -> int:
    """Return k = ceil((rows + 1)(1 - miscoverage)) in exact arithmetic, after checking both."""
    if not 0 < miscoverage < 1:
        raise ValueError(f"miscoverage {miscoverage}: a share strictly between 0 and 1 is wanted")
    if np.isnan(scores).any():
        raise ValueError("a score is nan: there is no order among the scores")
    return ceil((len(scores) + 1) * (1 - Fraction(repr(float(miscoverage)))))


def class_thresholds(
    scores: NDArray[np.float64], labels: NDArray[np.integer], classes: int, *, miscoverage: float
) -> NDArray[np.float64]:
    """Find a threshold for each class from its own rows: coverage holds for every class, not only on average.

    Parameters
    ----------
    scores, miscoverage
        As for `threshold`.
    labels : array of int, shape (rows,)
        Column of the true class.
    classes : int
        Number of classes.

    Returns
    -------
    array, shape (classes,)
        Thresholds; inf for a class with too few rows, which then is in every set.

    Notes
    -----
    Vovk, Lindsay, Nouretdinov & Gammerman (2003), "Mondrian confidence machine".
    """
    return np.array([threshold(scores[labels == column], miscoverage=miscoverage) for column in range(classes)])


def sets(scores: Scores, threshold: float | NDArray[np.float64], *, allow_empty: bool = False) -> NDArray[np.bool_]:
    """Choose the classes of every row whose score is at most the threshold, ties in.

    Parameters
    ----------
    scores : array, shape (rows, classes)
        Scores of every class, of the same kind as those that the threshold comes from.
    threshold : float, or array of shape (classes,)
        One for all classes, or one for each.
    allow_empty : bool
        Let a set be empty where no class is within the threshold. Unsaid, it then holds the class with the lowest
        score, the earliest among equals: that can only raise coverage.

    Returns
    -------
    array of bool, shape (rows, classes)
        Whether the class is in the set of the row.
    """
    chosen: NDArray[np.bool_] = scores <= threshold
    if not allow_empty and len(scores):
        empty = np.flatnonzero(~chosen.any(axis=1))
        chosen[empty, scores[empty].argmin(axis=1)] = True
    return chosen
