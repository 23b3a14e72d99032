"""Columns that hold the same number in every row: a class that was written twice."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.profile.repeats import row_hashes

_LOOK = 64
"""So many rows tell nearly all classes apart, so that hardly any column is ever compared as a whole."""


def twins_of(scores: NDArray[np.floating]) -> NDArray[np.int64]:
    """For each class the first class whose column is the same, shape (classes,); exact, and ``nan`` equals ``nan``."""
    rows, classes = scores.shape
    if not rows:
        return np.zeros(classes, np.int64)
    found = np.arange(classes)
    beginnings = row_hashes(np.ascontiguousarray(scores[:_LOOK].T))
    order = np.argsort(beginnings, kind="stable")
    ordered = beginnings[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1], [True]]))
    for group in np.flatnonzero(np.diff(starts) > 1).tolist():
        _compare(scores, order[starts[group] : starts[group + 1]].tolist(), found)
    return found


def _compare(scores: NDArray[np.floating], group: list[int], found: NDArray[np.int64]) -> None:
    different: list[int] = []
    for position in group:
        column = scores[:, position]
        same = (one for one in different if np.array_equal(scores[:, one], column, equal_nan=True))
        found[position] = next(same, position)
        if found[position] == position:
            different.append(position)


def plus(twins: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.int64]:
    """Twins over both parts: the same in one and the same in the other."""
    _, first, number = np.unique(twins * len(twins) + other, return_index=True, return_inverse=True)
    merged: NDArray[np.int64] = first[number].astype(np.int64)
    return merged
