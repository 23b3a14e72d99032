"""How strange a class would be for a row: the scores that conformal prediction sets are cut from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]
"""Nonconformity, shape (rows, classes); larger is stranger."""

RAPS_PENALTY = 0.01
RAPS_FREE = 5


def lac_scores(log_p: NDArray[np.float64], uniform: NDArray[np.float64] | None = None) -> Scores:
    """Score a class by 1 - p: the smallest sets on average, and the least even across easy and hard rows.

    Parameters
    ----------
    log_p : array, shape (rows, classes)
        Log-probabilities; 1 - p is taken as -expm1(log p), which tells apart what 1 - exp(log p) rounds to 0.
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
        what was asked. Unsaid, it counts in full: the sets are somewhat larger and the same in every run.

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
