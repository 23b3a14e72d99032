"""Curves of one class's probability, given by knots: fitted ones and ones that were read pass the same checks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray


def log_of(q: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log q, ``-inf`` for 0."""
    with np.errstate(divide="ignore"):
        return np.log(q)


def check_rising(values: NDArray[np.float64], what: str) -> None:
    """Refuse knots that are not in order.

    Raises
    ------
    ValueError
        One is not above that before it.
    """
    for before, after in pairwise(values.tolist()):
        if not before < after:
            raise ValueError(f"{what} {after} follows {before}: they must rise")


def check_probabilities(values: NDArray[np.float64], what: str) -> None:
    """Refuse levels that are no probabilities.

    Raises
    ------
    ValueError
        One is below 0 or above 1.
    """
    if not ((values >= 0) & (values <= 1)).all():
        raise ValueError(f"{what} from {values.min()} to {values.max()}: probabilities are wanted")


def lists(curves: Sequence[NDArray[np.float64]]) -> list[list[float]]:
    """One list a class, as JSON takes them."""
    return [curve.tolist() for curve in curves]
