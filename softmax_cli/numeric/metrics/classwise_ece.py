"""Classwise ECE: the calibration error of every class, and their mean.

Kull et al. (2019), "Beyond temperature scaling"; Nixon et al. (2019), "Measuring calibration in deep learning".
"""

from __future__ import annotations

from collections.abc import Iterator

from softmax_cli.numeric.metrics import Column, Definition, Metric, Plan
from softmax_cli.numeric.metrics._class_bins import ClassBins


def figures(plan: Plan) -> Iterator[Definition]:
    """Mean over the classes."""
    yield Definition(
        "classwise_ece",
        "classwise ECE",
        lambda parts: parts[ClassBins].error(),
        lambda parts: f"mean over classes, {plan.bins} bins of equal width",
    )


def columns(plan: Plan) -> Iterator[Column]:
    """The error of every class."""
    yield Column("ece", "ECE", lambda parts: parts[ClassBins].by_class(), 20)


METRIC = Metric(rank=90, folds=lambda plan: (ClassBins,), figures=figures, columns=columns)
