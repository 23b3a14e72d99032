"""Kolmogorov-Smirnov calibration error: the largest gap between promised and kept hits, without bins."""

from __future__ import annotations

from collections.abc import Iterator
from math import nan

import numpy as np

from softmax_cli.numeric.metrics import Definition, Metric, Parts, Plan
from softmax_cli.numeric.metrics._ranking import Ranking

_BLOCK = 1 << 18
"""Rows at a time: the ranking itself is all that is to grow with them."""


def ks_error(parts: Parts) -> float:
    """Largest distance, over all confidences c, of mean confidence and of hits summed over the rows below c, 0..1.

    Bins have to be chosen, and another number of them gives another ECE; the running sums need none. Rows of equal
    confidence are added together: there is no order among them.

    Notes
    -----
    Gupta, Rahimi, Ajanthan, Mensink, Sminchisescu & Hartley (2021), "Calibration of neural networks using splines",
    ICLR.
    """
    ranking = parts[Ranking]
    if not ranking.rows:
        return nan
    confidence, _ = ranking.ascending
    largest, before = 0.0, 0.0
    for start in range(0, ranking.rows, _BLOCK):
        promised = np.cumsum(np.concatenate(([before], confidence[start : start + _BLOCK])))
        near = slice(*np.searchsorted(ranking.ties, (start, start + len(promised))))
        gap = promised[ranking.ties[near] - start] - ranking.hits[near]
        largest, before = max(largest, float(np.abs(gap).max(initial=0))), float(promised[-1])
    return largest / ranking.rows


def figures(plan: Plan) -> Iterator[Definition]:
    """Of the predicted class."""
    yield Definition("ks_error", "KS error", ks_error, lambda parts: "top-label, largest gap of the sums, no bins")


METRIC = Metric(rank=95, folds=lambda plan: (Ranking,), figures=figures)
