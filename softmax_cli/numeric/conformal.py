"""Prediction sets that hold the truth as often as promised: split conformal prediction.

The threshold is an order statistic of the scores of the true
classes on held-out rows; a set holds every class whose score does not exceed it. Where held-out and new rows are
exchangeable, the sets miss the truth at most as often as asked, whatever the model.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import ceil, inf

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.calibrators._folds import stratified_folds
from softmax_cli.numeric.nonconformity import Scores

Quantile = Callable[..., float]
"""`threshold` or `quantile_threshold`."""


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
        raise ValueError(f"miscoverage {miscoverage}: expected a share strictly between 0 and 1")
    if np.isnan(scores).any():
        raise ValueError("a score is nan: there is no order among the scores")
    return ceil((len(scores) + 1) * (1 - Fraction(repr(float(miscoverage)))))


def class_thresholds(
    scores: NDArray[np.float64],
    labels: NDArray[np.integer],
    classes: int,
    *,
    miscoverage: float,
    find: Quantile = threshold,
) -> NDArray[np.float64]:
    """Find a threshold for each class from its own rows: coverage holds for every class, not only on average.

    Parameters
    ----------
    scores, miscoverage
        As for `threshold`.
    labels : array of int, shape (rows,)
        Column of the true class, or the number of its group.
    classes : int
        Number of classes, or of groups.
    find : callable
        `threshold` or `quantile_threshold`.

    Returns
    -------
    array, shape (classes,)
        Thresholds; inf for a class with too few rows, which then is in every set.

    Notes
    -----
    Vovk, Lindsay, Nouretdinov & Gammerman (2003), "Mondrian confidence machine".
    """
    return np.array([find(scores[labels == column], miscoverage=miscoverage) for column in range(classes)])


_EMBEDDED = (0.5, 0.6, 0.7, 0.8, 0.9)
"""Quantiles of a class's scores that place it among the others, beside the one that is asked for."""
_ROUNDS = 100


def class_clusters(
    scores: NDArray[np.float64], labels: NDArray[np.integer], classes: int, *, miscoverage: float
) -> NDArray[np.int64]:
    """Group classes whose scores are distributed alike, shape (classes,); the last group holds those of few rows.

    A threshold for each class is `inf` where a class has too few rows of its own; one for all classes covers the hard
    ones too seldom. Classes alike share one here. They have to be grouped by other rows than those that the thresholds
    are taken from.

    Parameters
    ----------
    scores, labels, classes, miscoverage
        As for `class_thresholds`.

    Notes
    -----
    Ding, Angelopoulos, Bates, Jordan & Tibshirani (2023), "Class-conditional conformal prediction with many classes",
    NeurIPS: k-means of the quantiles of each class, weighted by the root of its rows; as many groups as half of what
    the rows of the smallest class suffice for. The first centres are the classes at even steps of the median score.
    """
    rows = np.bincount(labels, minlength=classes)
    enough = ceil(1 / min(miscoverage, 0.1)) - 1
    placed = np.flatnonzero(rows >= enough)
    found = np.full(classes, 0, np.int64)
    groups = min([*(rows[placed] // 2).tolist(), len(placed) // 2])
    if groups < 2:
        return found
    levels = sorted({*_EMBEDDED, 1 - miscoverage})
    points = np.stack([np.quantile(scores[labels == column], levels) for column in placed])
    weights = np.sqrt(rows[placed])
    order = np.argsort(points[:, 0], kind="stable")
    centres = points[order[np.linspace(0, len(order) - 1, groups).round().astype(int)]]
    for _ in range(_ROUNDS):
        nearest = ((points[:, None, :] - centres) ** 2).sum(axis=2).argmin(axis=1)
        moved = np.stack(
            [
                np.average(points[nearest == group], axis=0, weights=weights[nearest == group])
                if (nearest == group).any()
                else centres[group]
                for group in range(groups)
            ]
        )
        if (moved == centres).all():
            break
        centres = moved
    found[:] = groups
    found[placed] = nearest
    return found


def cluster_thresholds(
    scores: NDArray[np.float64],
    labels: NDArray[np.integer],
    clusters: NDArray[np.int64],
    *,
    miscoverage: float,
    find: Quantile = threshold,
) -> NDArray[np.float64]:
    """Find a threshold for each class from the rows of its group, shape (classes,).

    A group that has too few rows, and the last one, of classes that were too small to place, take that of all rows.

    Parameters
    ----------
    clusters : array, shape (classes,)
        As `class_clusters` gives them, from other rows.
    """
    groups = int(clusters.max()) + 1
    found = class_thresholds(scores, clusters[labels], groups, miscoverage=miscoverage, find=find)
    overall = find(scores, miscoverage=miscoverage)
    found[-1] = overall if groups > 1 else found[-1]
    return np.where(found == inf, overall, found)[clusters]


def chosen_on(labels: NDArray[np.integer]) -> NDArray[np.bool_]:
    """A fifth of the rows, as many of every class as can be: for what may not be chosen on a threshold's own rows.

    Raises
    ------
    ValueError
        There are fewer than five rows.
    """
    return np.equal(stratified_folds(labels, 5, seed=0), 0)


def sets(scores: Scores, threshold: float | NDArray[np.float64], *, allow_empty: bool = False) -> NDArray[np.bool_]:
    """Choose the classes of every row whose score is at most the threshold, ties in.

    Parameters
    ----------
    scores : array, shape (rows, classes)
        Scores of every class, of the same kind as those that the threshold comes from.
    threshold : float, or array of shape (classes,)
        One for all classes, or one for each.
    allow_empty : bool
        Let a set be empty where no class is within the threshold. By default, it then holds the class with the lowest
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
