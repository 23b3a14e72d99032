"""Adaptive ECE: calibration error over bins of equal count, where crowded confidences get narrow bins.

Nguyen & O'Connor (2015), "Posterior calibration and exploratory analysis"; Mukhoti et al. (2020) call it AdaECE.
"""

from __future__ import annotations

from collections.abc import Iterator

from softmax_cli.numeric.metrics import Definition, Metric, Plan
from softmax_cli.numeric.metrics._bins import mass_bins
from softmax_cli.numeric.metrics._ranking import Ranking


def figures(plan: Plan) -> Iterator[Definition]:
    """Mean gap of the predicted class."""
    yield Definition(
        "mass_ece",
        "adaptive ECE",
        lambda parts: mass_bins(parts[Ranking], plan.bins).error(),
        lambda parts: f"top-label, {plan.bins} bins of equal mass, mean gap",
    )


METRIC = Metric(rank=80, folds=lambda plan: (Ranking,), figures=figures)
