"""Draws from distributions over classes by Gumbel-max; the draw of a row depends on the seed and its number alone.

argmax_j (log p_j + G_j) with independent standard Gumbel noise G_j has the distribution p (Gumbel 1954; Maddison,
Tarlow & Minka 2014, "A* sampling"). The noise comes from the counter-based generator Philox-4x64 with the row's number
as the counter, so that a row can be drawn without drawing the rows before it: any cut into blocks, any number of
threads and any engine give the same actions.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.softmax import log_normalize_

_BLOCK_VALUES = 1 << 18
"""Noise is made for so many cells at a time: 2 MB, which stays in the cache."""
_PER_COUNTER = 4
"""Philox gives four 64-bit numbers for each value of its counter."""


class Drawn(NamedTuple):
    """What was drawn for the rows of one block."""

    actions: NDArray[np.int32]
    """Columns in the order drawn, shape (rows, draws); -1 where every class that is not masked was drawn before, or
    the row has no distribution."""
    log_p: NDArray[np.float64]
    """Log-probability that each action was drawn with, nats, shape (rows, draws); nan where there is no action."""


def sample(log_p: NDArray[np.floating], *, seed: int, first_row: int, draws: int = 1, replace: bool = True) -> Drawn:
    """Draw classes for every row.

    Parameters
    ----------
    log_p : array, shape (rows, classes)
        Log-probabilities, nats; ``-inf`` is never drawn. A row of nan is drawn nothing for.
    seed : int
        Key of the random stream, 0 to 2^64 - 1.
    first_row : int
        Number of the first row of this block in the whole table, from 0.
    draws : int
        Actions for each row. The first of several is the one that a single draw would give.
    replace : bool
        Whether a class may be drawn more than once. Without replacement, the largest `draws` of log p + G are taken in
        falling order, which is drawing one after the other from what is left (Kool, van Hoof & Welling 2019,
        "Stochastic beams and where to find them"); their `log_p` is that of each class among those left.

    Raises
    ------
    ValueError
        `seed` or `first_row` is out of range, or there is no draw, or there are more than classes without replacement.
    """
    rows, classes = log_p.shape
    if not 0 <= seed < 1 << 64:
        raise ValueError(f"seed {seed}: expected a whole number from 0 to 2^64 - 1")
    if first_row < 0:
        raise ValueError(f"first_row {first_row}: rows are numbered from 0")
    if draws < 1 or (draws > classes and not replace):
        raise ValueError(f"{draws} draws: expected at least 1, and without replacement at most {classes}")
    actions = np.full((rows, draws), -1, np.int32)
    chosen = np.full((rows, draws), np.nan)
    step = max(1, _BLOCK_VALUES // max(classes, 1))
    for start in range(0, rows, step):
        block = slice(start, min(start + step, rows))
        p = np.array(log_p[block], np.float64, order="C")
        drawing = _with_replacement if replace else _without_replacement
        drawing(p, seed, first_row + start, actions[block], chosen[block])
    return Drawn(actions, chosen)


def _with_replacement(
    log_p: NDArray[np.float64], seed: int, first_row: int, actions: NDArray[np.int32], chosen: NDArray[np.float64]
) -> None:
    rows = np.arange(len(log_p))
    good = ~np.isnan(log_p[:, 0])
    for draw in range(actions.shape[1]):
        keys = gumbel(seed, draw, first_row, *log_p.shape)
        keys += log_p
        best = keys.argmax(axis=1)
        actions[:, draw] = np.where(good, best, -1)
        chosen[:, draw] = log_p[rows, best]  # nan where the row is


def _without_replacement(
    log_p: NDArray[np.float64], seed: int, first_row: int, actions: NDArray[np.int32], chosen: NDArray[np.float64]
) -> None:
    rows = np.arange(len(log_p))
    keys = gumbel(seed, 0, first_row, *log_p.shape)
    keys += log_p
    left = log_p
    for draw in range(actions.shape[1]):
        best = keys.argmax(axis=1)
        there = np.isfinite(keys[rows, best])
        actions[:, draw] = np.where(there, best, -1)
        chosen[:, draw] = np.where(there, left[rows, best], np.nan)
        keys[rows[there], best[there]] = -np.inf
        if draw + 1 < actions.shape[1]:
            left[rows[there], best[there]] = -np.inf
            more = np.flatnonzero(there & (left.max(axis=1) > -np.inf))  # the others would be renormalised to nan
            left[more] = log_normalize_(left[more])


def gumbel(seed: int, draw: int, first_row: int, rows: int, classes: int) -> NDArray[np.float64]:
    """Standard Gumbel noise, -log(-log u), shape (rows, classes).

    Row i of a block that starts at r equals row 0 of a block that starts at r + i. The uniform u is a multiple of 2^-53
    plus 2^-54, so that neither logarithm meets 0; `draw` is the second half of the generator's key.
    """
    counters = -(-classes // _PER_COUNTER)
    key = np.array([seed, draw], np.uint64)
    stream = np.random.Philox(key=key, counter=first_row * counters)
    raw = stream.random_raw(rows * counters * _PER_COUNTER).reshape(rows, counters * _PER_COUNTER)[:, :classes]
    noise = (raw >> np.uint64(11)).astype(np.float64)
    noise += 0.5
    noise *= 2.0**-53
    for _ in range(2):
        np.log(noise, out=noise)
        np.negative(noise, out=noise)
    return noise


def mix_uniform(log_p: NDArray[np.floating], allowed: NDArray[np.bool_], epsilon: float) -> NDArray[np.floating]:
    """Mix a uniform distribution over the allowed classes in: (1 - epsilon) p + epsilon / allowed classes.

    Parameters
    ----------
    log_p : array, shape (rows, classes)
        Log-probabilities; ``-inf`` where a class was cut off or masked.
    allowed : array of bool, shape (rows, classes)
        Classes that may be explored: those that are not masked, whether or not a truncation has cut them off. Every
        class with p > 0 must be among them.
    epsilon : float
        Share of exploration, 0 to 1; Sutton & Barto (2018), "Reinforcement learning", section 2.2.

    Returns
    -------
    array
        Log-probabilities of the mixture, of the same shape and type.

    Raises
    ------
    ValueError
        `epsilon` is out of range.
    """
    if not 0 <= epsilon <= 1:
        raise ValueError(f"epsilon {epsilon}: expected a share from 0 to 1")
    if epsilon == 0 or not log_p.size:
        return log_p
    with np.errstate(divide="ignore", invalid="ignore"):
        kept = log_p + np.log1p(-epsilon) if epsilon < 1 else np.where(np.isnan(log_p), np.nan, -np.inf)
        explored = np.log(allowed * (epsilon / np.maximum(allowed.sum(axis=1, keepdims=True), 1)))
        mixed: NDArray[np.floating] = np.logaddexp(kept, explored).astype(log_p.dtype, copy=False)
    return mixed
