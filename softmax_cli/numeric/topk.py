"""The best classes of every row; ties go to the earlier column."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_SORTED_CLASSES = 16
"""Up to so many classes a full sort is fastest."""
_ROUNDS = 8
"""Up to so many classes are found one after the other."""


def argmax(a: NDArray[np.floating]) -> NDArray[np.int32]:
    """Column of the largest value of every row, shape (rows,); the first of equals, 0 for a row of nan."""
    if a.strides[0] >= a.strides[1]:
        return a.argmax(axis=1).astype(np.int32)
    # Down the columns: numpy's own argmax would first copy the block across.
    best = np.zeros(len(a), np.int32)
    highest = a[:, 0].copy()
    for column in range(1, a.shape[1]):
        better = a[:, column] > highest
        np.copyto(best, column, where=better)
        np.maximum(highest, a[:, column], out=highest)
    return best


def top_k(a: NDArray[np.floating], k: int) -> NDArray[np.int32]:
    """Columns of the k largest values of every row, shape (rows, k), the largest first.

    A row of nan gives the first k columns.
    """
    rows, classes = a.shape
    if classes <= _SORTED_CLASSES or k > classes // 2:
        return np.argsort(-a, axis=1, kind="stable")[:, :k].astype(np.int32)
    if k <= _ROUNDS:
        return _by_rounds(a, k)
    return _by_partition(a, k)


def _by_rounds(a: NDArray[np.floating], k: int) -> NDArray[np.int32]:
    found = np.empty((len(a), k), np.int32)
    left = np.where(np.isnan(a), -np.inf, a)
    rows = np.arange(len(a))
    taken = np.zeros(a.shape, np.bool_)
    for rank in range(k):
        best = left.argmax(axis=1)
        # Where only masked classes are left, argmax finds one that was taken: the first free one comes instead.
        spent = taken[rows, best]
        if spent.any():
            best[spent] = (~taken[spent]).argmax(axis=1)
        found[:, rank] = best
        left[rows, best] = -np.inf
        taken[rows, best] = True
    return found


def _by_partition(a: NDArray[np.floating], k: int) -> NDArray[np.int32]:
    """Find the k-th largest value, then take what is above it and, of its equals, the earliest."""
    left = np.where(np.isnan(a), -np.inf, a)
    kth = -np.partition(-left, k - 1, axis=1)[:, k - 1 : k]
    above = left > kth
    equal = left == kth
    chosen = above | (equal & (np.cumsum(equal, axis=1) <= k - above.sum(axis=1, keepdims=True)))
    columns = np.nonzero(chosen)[1].reshape(len(a), k)
    order = np.argsort(-np.take_along_axis(left, columns, axis=1), axis=1, kind="stable")
    return np.take_along_axis(columns, order, axis=1).astype(np.int32)
