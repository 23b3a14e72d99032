"""Folds of a cross-validation, in which every class has its share."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def stratified_folds(labels: NDArray[Any], folds: int, seed: int) -> NDArray[np.int64]:
    """Fold of every row, shape (rows,), from the labels, their order and the seed alone.

    The rows of a class are shuffled and dealt out in turn, each class going on where the one before ended, so that
    neither a class nor the folds as a whole differ by more than one row.

    Raises
    ------
    ValueError
        There are fewer than two folds, or fewer rows than folds.
    """
    if not 2 <= folds <= len(labels):
        raise ValueError(f"{folds} folds of {len(labels)} rows: expected at least 2 folds and a row for each")
    _, first, of_row = np.unique(labels, return_index=True, return_inverse=True)
    # Classes in the order of their first rows: other names for the classes then leave the folds as they are.
    turn = np.argsort(np.argsort(first))[of_row]
    shuffled = np.random.Generator(np.random.PCG64(seed)).permutation(len(labels))
    by_class = shuffled[np.argsort(turn[shuffled], kind="stable")]
    dealt = np.empty(len(labels), np.int64)
    dealt[by_class] = np.arange(len(labels)) % folds
    return dealt
