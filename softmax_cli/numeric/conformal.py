"""Prediction sets that hold the truth as often as promised: split conformal prediction.

The threshold is an order statistic of the scores of the true
classes on held-out rows; a set holds every class whose score does not exceed it. Where held-out and new rows are
exchangeable, the sets miss the truth at most as often as asked, whatever the model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from math import ceil, inf
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.profile.row_figures import row_hashes


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


Scores = NDArray[np.float64]
"""Nonconformity, shape (rows, classes); larger is stranger."""

RAPS_PENALTY = 0.01
RAPS_FREE = 5


def lac_scores(log_p: NDArray[np.float64], uniform: NDArray[np.float64] | None = None) -> Scores:
    """Score a class by 1 - p: the smallest sets on average, and the least even across easy and hard rows.

    Parameters
    ----------
    log_p : array, shape (rows, classes)
        Log-probabilities; 1 - p is taken as -expm1(log p), which distinguishes what 1 - exp(log p) rounds to 0.
    uniform : array, shape (rows,), optional
        Not used: there is nothing to randomise.

    Returns
    -------
    array, shape (rows, classes)
        Scores, 0..1.

    Notes
    -----
    Sadinle, Lei & Wasserman (2019), "Least ambiguous set-valued classifiers with bounded error levels".
    """
    del uniform
    scores: Scores = 0.0 - np.expm1(log_p)
    return scores


def aps_scores(log_p: NDArray[np.float64], uniform: NDArray[np.float64] | None = None) -> Scores:
    """Score a class by the probability of all classes down to it: sets grow where the model is unsure.

    Parameters
    ----------
    log_p : array, shape (rows, classes)
        Log-probabilities; equal ones stand in the order of their columns.
    uniform : array, shape (rows,), optional
        A draw from 0..1 for each row: the class itself then counts by 1 - draw only, which brings coverage down to
        what was asked. By default, it counts in full: the sets are somewhat larger and the same in every run.

    Returns
    -------
    array, shape (rows, classes)
        Scores, 0..1 but for rounding.

    Notes
    -----
    Romano, Sesia & Candès (2020), "Classification with valid and adaptive coverage".
    """
    return _in_columns(*_mass_down_to(log_p, uniform))


def raps_scores(
    log_p: NDArray[np.float64],
    uniform: NDArray[np.float64] | None = None,
    *,
    penalty: float = RAPS_PENALTY,
    free: int = RAPS_FREE,
) -> Scores:
    """Score as `aps_scores`, with a penalty for each place after the first `free` ones.

    It cuts the long tails of unlikely classes that `aps_scores` lets in.

    Parameters
    ----------
    log_p, uniform : array
        As for `aps_scores`.
    penalty : float
        Added for each place, at least 0.
    free : int
        Places without penalty, at least 0.

    Returns
    -------
    array, shape (rows, classes)
        Scores from 0 up.

    Raises
    ------
    ValueError
        `penalty` or `free` is negative.

    Notes
    -----
    Angelopoulos, Bates, Malik & Jordan (2021), "Uncertainty sets for image classifiers using conformal prediction".
    """
    if not 0 <= penalty < inf or free < 0:
        raise ValueError(f"penalty {penalty} after {free} places: neither may be negative")
    tax = penalty * np.maximum(np.arange(1, log_p.shape[1] + 1) - free, 0)
    order, mass = _mass_down_to(log_p, uniform)
    return _in_columns(order, mass + tax)


SCORES: Mapping[str, Callable[[NDArray[np.float64], NDArray[np.float64] | None], Scores]] = MappingProxyType(
    {"lac": lac_scores, "aps": aps_scores, "raps": raps_scores}
)


def _mass_down_to(
    log_p: NDArray[np.float64], uniform: NDArray[np.float64] | None
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the columns of every row from the likeliest down, and the probability up to each."""
    order = np.argsort(-log_p, axis=1, kind="stable")
    p = np.exp(np.take_along_axis(log_p, order, axis=1))
    mass = np.cumsum(p, axis=1)
    return order, mass if uniform is None else mass - uniform[:, None] * p


def _in_columns(order: NDArray[np.intp], ordered: NDArray[np.float64]) -> Scores:
    scores = np.empty_like(ordered)
    np.put_along_axis(scores, order, ordered, axis=1)
    return scores


_GOLDEN = 0x9E3779B97F4A7C15
_MIX = np.uint64(0xBF58476D1CE4E5B9)


def row_draws(log_p: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """Draw for every row, shape (rows,), in [0, 1).

    Parameters
    ----------
    log_p : array, shape (rows, classes)
        What the draws follow from, bit by bit.
    seed : int
        0 to 2^64 - 1: another seed, other draws.

    Notes
    -----
    A hash of the row, mixed with the seed as in splitmix64 (Steele, Lea & Flood 2014); 53 bits of it are kept.
    """
    mixed = row_hashes(log_p) + np.uint64(seed * _GOLDEN % 2**64)
    for shift in (np.uint64(30), np.uint64(27)):
        mixed ^= mixed >> shift
        mixed *= _MIX
    mixed ^= mixed >> np.uint64(31)
    return (mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53
