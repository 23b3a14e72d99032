"""Softmax, ranks and means over the rows of a group, such as the candidates of a query; sums over groups of classes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_LONG_GROUP = 1 << 10
"""From so many rows on a group is added up by itself, in pairs: one after the other, rounding would grow with it."""


def group_sums(values: NDArray[np.floating], starts: NDArray[np.intp]) -> NDArray[np.floating]:
    """Sum over the rows of every group, shape (groups,) or (groups, columns).

    Parameters
    ----------
    values : array, shape (rows,) or (rows, columns)
        The rows of a group stand together.
    starts : array, shape (groups,)
        Where each group begins, the first at 0.
    """
    if not len(starts):
        return values[:0]
    sums: NDArray[np.floating] = np.add.reduceat(values, starts, axis=0)
    sizes = np.diff(starts, append=len(values))
    for group in np.flatnonzero(sizes >= _LONG_GROUP):
        rows = values[starts[group] : starts[group] + sizes[group]]
        sums[group] = np.ascontiguousarray(rows.T).sum(axis=-1)
    return sums


def _spread(figures: NDArray[np.floating], starts: NDArray[np.intp], rows: int) -> NDArray[np.floating]:
    return np.repeat(figures, np.diff(starts, append=rows), axis=0)


def group_log_softmax(
    scores: NDArray[np.floating], starts: NDArray[np.intp], temperature: float = 1.0
) -> NDArray[np.floating]:
    """Log-probability of every row among the rows of its group, nats, shape (rows,).

    The conditional logit of McFadden (1974), "Conditional logit analysis of qualitative choice behavior": the
    alternatives of a choice are rows, and there may be any number of them.

    Parameters
    ----------
    scores : array, shape (rows,)
        One score a row; ``-inf`` masks a row. The rows of a group stand together.
    starts : array, shape (groups,)
        Where each group begins, the first at 0.
    temperature : float
        Divides the scores, after the largest one of the group is taken out; above 0.

    Returns
    -------
    array, shape (rows,)
        A group with ``nan``, ``+inf`` or nothing but ``-inf`` is ``nan`` throughout.
    """
    if not len(starts):
        return scores.copy()
    top = np.maximum.reduceat(scores, starts)
    top[~np.isfinite(top)] = np.nan
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        shifted = scores - _spread(top, starts, len(scores))
        finite = np.isfinite(shifted)
        shifted[finite] = 0 if np.isinf(temperature) else shifted[finite] / scores.dtype.type(temperature)
        total = group_sums(np.exp(shifted), starts)
        shifted -= _spread(np.log(total), starts, len(scores))
    return shifted


def group_ranks(scores: NDArray[np.floating], starts: NDArray[np.intp]) -> NDArray[np.int64]:
    """Place of every row within its group, from 1 for the largest score, shape (rows,); of equals the earlier first."""
    sizes = np.diff(starts, append=len(scores))
    group = np.repeat(np.arange(len(starts)), sizes)
    order = np.lexsort((-scores, group))  # a stable sort: equals stay in their order
    ranks = np.empty(len(scores), np.int64)
    ranks[order] = np.arange(len(scores)) - np.repeat(starts, sizes) + 1
    return ranks


def group_means(values: NDArray[np.floating], starts: NDArray[np.intp]) -> NDArray[np.floating]:
    """Mean over the rows of every group, shape (groups, columns)."""
    sizes = np.diff(starts, append=len(values)).reshape(-1, *[1] * (values.ndim - 1))
    with np.errstate(invalid="ignore"):
        means: NDArray[np.floating] = group_sums(values, starts) / sizes.astype(values.dtype)
    return means


def group_maxima(values: NDArray[np.floating], starts: NDArray[np.intp]) -> NDArray[np.floating]:
    """Largest value over the rows of every group, column by column, shape (groups, columns)."""
    if not len(starts):
        return values[:0]
    maxima: NDArray[np.floating] = np.maximum.reduceat(values, starts, axis=0)
    return maxima


def superclass_log_sums(
    log_p: NDArray[np.floating], members: NDArray[np.intp], superclasses: int
) -> NDArray[np.floating]:
    """Log of the probabilities of the classes of each superclass, summed, nats, shape (rows, superclasses).

    Parameters
    ----------
    log_p : array, shape (rows, classes)
    members : array, shape (classes,)
        The superclass of each class; every one from 0 on has a class.
    """
    order = np.argsort(members, kind="stable")
    starts = np.searchsorted(members[order], np.arange(superclasses))
    summed: NDArray[np.floating] = np.logaddexp.reduceat(log_p[:, order], starts, axis=1)
    return summed
