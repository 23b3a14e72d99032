"""Debiased calibration error: the root of the mean squared gap, less what noise alone puts into the bins."""

from __future__ import annotations

from collections.abc import Iterator
from math import nan, sqrt

from softmax_cli.numeric.metrics import Definition, Metric, Parts, Plan
from softmax_cli.numeric.metrics._bins import mass_bins
from softmax_cli.numeric.metrics._ranking import Ranking


def debiased_error(parts: Parts, bins: int) -> float:
    """Root of the mean over rows of gap^2 - accuracy (1 - accuracy) / (n - 1), n the rows of a bin; at least 0.

    The squared gap of a bin is too large by the variance of its accuracy, in a perfect model too, so that RMSCE falls
    with every row that is added. A bin of one row tells nothing about its variance and is left out.

    Notes
    -----
    Kumar, Liang & Ma (2019), "Verified uncertainty calibration", NeurIPS: bins of equal mass, top label.
    """
    found = mass_bins(parts[Ranking], bins)
    rows = int(found.count.sum())
    if not rows:
        return nan
    known = found.count > 1
    count, gap, accuracy = found.count[known], found.gap[known], found.accuracy[known]
    return sqrt(max(float((count / rows * (gap**2 - accuracy * (1 - accuracy) / (count - 1))).sum()), 0.0))


def figures(plan: Plan) -> Iterator[Definition]:
    """Of the predicted class."""
    yield Definition(
        "debiased_ece",
        "debiased L2 ECE",
        lambda parts: debiased_error(parts, plan.bins),
        lambda parts: f"top-label, {plan.bins} bins of equal mass, root mean square gap less its noise",
    )


METRIC = Metric(rank=82, folds=lambda plan: (Ranking,), figures=figures)
