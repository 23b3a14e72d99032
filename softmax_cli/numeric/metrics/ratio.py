"""Shares that may have nothing below the line, and their means."""

from __future__ import annotations

from math import nan

import numpy as np
from numpy.typing import NDArray


def ratio(above: NDArray[np.number], below: NDArray[np.number]) -> NDArray[np.float64]:
    """Divide element by element; nan, not 0 and not an error, where `below` is 0: nothing is known there."""
    out: NDArray[np.float64] = np.full(np.broadcast_shapes(above.shape, below.shape), nan)
    np.divide(above, below, out=out, where=below > 0)
    return out


def mean_of_known(figures: NDArray[np.float64]) -> float:
    """Mean of the figures that are not nan; nan where none is known."""
    known = figures[~np.isnan(figures)]
    return float(known.mean()) if len(known) else nan
