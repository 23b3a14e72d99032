"""How strange a class is for a row: the scores that conformal prediction takes its thresholds from.

All of them follow from the log-probabilities of the row alone, and a likelier class is never stranger.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.profile.row_figures import row_hashes

Scores = NDArray[np.float64]
"""Nonconformity, shape (rows, classes); larger is stranger."""

RAPS_PENALTY = 0.01
RAPS_FREE = 5
RAPS_PENALTIES = (0.001, 0.01, 0.1, 0.2, 0.5)
SAPS_WEIGHT = 0.2


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
        Scores, 0..1.

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


def saps_scores(
    log_p: NDArray[np.float64], uniform: NDArray[np.float64] | None = None, *, weight: float = SAPS_WEIGHT
) -> Scores:
    """Score a class by the largest probability of its row, and by its place: of p only what is well calibrated counts.

    The sums of `aps_scores` are made of the small probabilities of a network, which say little, and give long sets.
    Here each place after the first adds `weight`, whatever the probability there.

    Parameters
    ----------
    log_p, uniform : array
        As for `aps_scores`; the draw takes off a part of the first class's probability, or of the last place.
    weight : float
        Added for each place, above 0.

    Returns
    -------
    array, shape (rows, classes)
        Scores from 0 up.

    Notes
    -----
    Huang, Xi, Zhang, Yao, Qiu & Wei (2024), "Conformal prediction for deep classifier via label ranking", ICML.
    """
    order = np.argsort(-log_p, axis=1, kind="stable")
    top = np.exp(np.take_along_axis(log_p, order[:, :1], axis=1))
    draw = np.zeros((len(log_p), 1)) if uniform is None else uniform[:, None]
    ordered = top + weight * (np.arange(log_p.shape[1]) - draw)
    ordered[:, :1] = top * (1 - draw)
    return _in_columns(order, ordered)


def margin_scores(log_p: NDArray[np.float64], uniform: NDArray[np.float64] | None = None) -> Scores:
    """Score a class by the largest probability of the others less its own: -1..1, 0 where two share the first place.

    `uniform` is not used: there is nothing to randomise.

    Notes
    -----
    Johansson, Linusson, Löfström & Boström (2017), "Model-agnostic nonconformity functions for conformal
    classification", IJCNN.
    """
    del uniform
    p = np.exp(log_p)
    best = p.argmax(axis=1)[:, None]
    others = np.repeat(np.take_along_axis(p, best, axis=1), p.shape[1], axis=1)
    rest = p.copy()
    np.put_along_axis(rest, best, -inf, axis=1)
    np.put_along_axis(others, best, rest.max(axis=1, keepdims=True), axis=1)
    scores: Scores = others - p
    return scores


def top_k_scores(log_p: NDArray[np.float64], uniform: NDArray[np.float64] | None = None) -> Scores:
    """Score a class by its place in its row, 1 for the likeliest: sets of one size, whatever the probabilities are.

    `uniform` takes off a part of the last place, as in `aps_scores`.

    Notes
    -----
    Angelopoulos, Bates, Malik & Jordan (2021), the naive rule "top-k" that RAPS is compared with.
    """
    order = np.argsort(-log_p, axis=1, kind="stable")
    draw = np.zeros((len(log_p), 1)) if uniform is None else uniform[:, None]
    return _in_columns(order, np.arange(1.0, log_p.shape[1] + 1) - draw)


def tuned_raps(log_p: NDArray[np.float64], labels: NDArray[np.integer], *, coverage: float) -> tuple[float, int]:
    """Penalty and free places of `raps_scores` with the smallest sets on these rows.

    They have to be other rows than those that the threshold is taken from: a choice on the same rows breaks the
    promise. The free places are those of the truth that `coverage` of the rows stay within, as in the paper.

    Notes
    -----
    Angelopoulos, Bates, Malik & Jordan (2021), appendix E: the penalties that are tried are the authors'.
    """
    truth = np.asarray(labels, np.intp)[:, None]
    place = np.sort(np.take_along_axis(top_k_scores(log_p), truth, axis=1)[:, 0])
    k = min(int(np.ceil(len(place) * coverage)), len(place)) - 1
    free = int(place[k])

    def size(penalty: float) -> float:
        scores = raps_scores(log_p, penalty=penalty, free=free)
        cut = np.sort(np.take_along_axis(scores, truth, axis=1)[:, 0])[k]
        return float((scores <= cut).sum(axis=1).mean())

    return min(RAPS_PENALTIES, key=size), free


SCORES: Mapping[str, Callable[[NDArray[np.float64], NDArray[np.float64] | None], Scores]] = MappingProxyType(
    {
        "lac": lac_scores,
        "margin": margin_scores,
        "aps": aps_scores,
        "raps": raps_scores,
        "saps": saps_scores,
        "top-k": top_k_scores,
    }
)


def _mass_down_to(
    log_p: NDArray[np.float64], uniform: NDArray[np.float64] | None
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the columns of every row from the likeliest down, and the probability up to each.

    It is what the classes after it leave of 1, summed from the last: a sum from the first comes out at
    1.0000000000000002 in one row and 0.9999999999999999 in another, and a threshold of 1 then misses classes.
    """
    order = np.argsort(-log_p, axis=1, kind="stable")
    p = np.exp(np.take_along_axis(log_p, order, axis=1))
    mass = np.ones_like(p)
    mass[:, :-1] -= np.cumsum(p[:, :0:-1], axis=1)[:, ::-1]
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
