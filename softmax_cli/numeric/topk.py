"""The best classes of every row; ties go to the earlier column."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_COUNTED_CLASSES = 16
"""Up to so many classes comparing every two of them, column by column, is fastest."""
_ROUNDS = 8
"""Up to so many classes are found one after the other."""


def top_k(a: NDArray[np.floating], k: int) -> NDArray[np.int32]:
    """Columns of the k largest values of every row, shape (rows, k), the largest first.

    Parameters
    ----------
    a : array, shape (rows, classes)
        A row of nan gives the first k columns.
    k : int
        From 1 to the number of classes.
    """
    classes = a.shape[1]
    if classes <= _COUNTED_CLASSES:
        return _by_counting(a, k)
    if k <= _ROUNDS:
        return _by_rounds(a, k)
    return _by_sorting(a, k) if k > classes // 2 else _by_partition(a, k)


def _by_counting(a: NDArray[np.floating], k: int) -> NDArray[np.int32]:
    """Rank every class by the number of classes that come before it."""
    rows, classes = a.shape
    rank = np.zeros((classes, rows), np.uint8)
    for right in range(1, classes):
        for left in range(right):
            swapped = a[:, right] > a[:, left]
            rank[left] += swapped
            rank[right] += ~swapped
    found = np.zeros((k, rows), np.uint8)
    for place in range(k):
        for column in range(1, classes):
            found[place] += np.uint8(column) * (rank[column] == place)
    return np.ascontiguousarray(found.T, dtype=np.int32)


def _by_sorting(a: NDArray[np.floating], k: int) -> NDArray[np.int32]:
    return np.argsort(-a, axis=1, kind="stable")[:, :k].astype(np.int32)


def _by_rounds(a: NDArray[np.floating], k: int) -> NDArray[np.int32]:
    found = np.empty((len(a), k), np.int32)
    left = np.array(a, order="C")
    rows = np.arange(len(a))
    for rank in range(k):
        best = left.argmax(axis=1)
        found[:, rank] = best
        lowest = left[rows, best]
        left[rows, best] = -np.inf
    # Once only masked classes are left, argmax finds again what was taken.
    masked = np.flatnonzero(~(lowest > -np.inf))
    found[masked] = _by_sorting(a[masked], k)
    return found


def _by_partition(a: NDArray[np.floating], k: int) -> NDArray[np.int32]:
    """Find the k-th largest value, then take what is above it and, of its equals, the earliest."""
    falling = np.where(np.isnan(a), np.inf, -a)
    kth = np.partition(falling, k - 1, axis=1)[:, k - 1 : k]
    above = falling < kth
    equal = falling == kth
    chosen = above | (equal & (np.cumsum(equal, axis=1) <= k - above.sum(axis=1, keepdims=True)))
    columns = np.nonzero(chosen)[1].reshape(len(a), k)
    order = np.argsort(np.take_along_axis(falling, columns, axis=1), axis=1, kind="stable")
    return np.take_along_axis(columns, order, axis=1).astype(np.int32)
