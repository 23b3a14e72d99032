"""Classwise ECE: the calibration error of every class, and their mean.

Kull et al. (2019), "Beyond temperature scaling"; Nixon et al. (2019), "Measuring calibration in deep learning".
"""

from __future__ import annotations

from collections.abc import Iterator

from softmax_cli.numeric.metrics import Column, Definition, Metric, Plan
from softmax_cli.numeric.metrics._class_bins import ClassBins, ClassRankings


def figures(plan: Plan) -> Iterator[Definition]:
    """Mean over the classes."""
    yield Definition(
        "classwise_ece",
        "classwise ECE",
        lambda parts: parts[ClassBins].error(),
        lambda parts: f"mean over classes, {plan.bins} bins of equal width",
    )


def _folds(plan: Plan) -> tuple[type[ClassBins] | type[ClassRankings], ...]:
    kept = plan.scheme == "mass" and (plan.kind == "classwise" or plan.of_classes)
    return (ClassBins, ClassRankings) if kept else (ClassBins,)


def columns(plan: Plan) -> Iterator[Column]:
    """The error of every class, in the norm that was asked for; in bins of equal mass where all classes get such."""
    kind = _folds(plan)[-1]
    yield Column("ece", "ECE", lambda parts: parts[kind].by_class(plan.norm), 20)


METRIC = Metric(rank=90, folds=_folds, figures=figures, columns=columns)
