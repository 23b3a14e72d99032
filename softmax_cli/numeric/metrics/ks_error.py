"""Kolmogorov-Smirnov calibration error: the largest gap between promised and kept hits, without bins."""

from __future__ import annotations

from collections.abc import Iterator
from math import nan

import numpy as np

from softmax_cli.numeric.metrics import Definition, Metric, Parts, Plan
from softmax_cli.numeric.metrics._ranking import Ranking


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
    promised = np.zeros(ranking.rows + 1)
    np.cumsum(confidence, out=promised[1:])
    gap = promised[ranking.ties]
    gap -= ranking.hits
    return float(max(gap.max(), -gap.min())) / ranking.rows


def figures(plan: Plan) -> Iterator[Definition]:
    """Of the predicted class."""
    yield Definition("ks_error", "KS error", ks_error, lambda parts: "top-label, largest gap of the sums, no bins")


METRIC = Metric(rank=95, folds=lambda plan: (Ranking,), figures=figures)
