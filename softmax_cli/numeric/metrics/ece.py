"""Calibration error in the bins that were asked for: ECE, its largest gap (MCE), and its root mean square (RMSCE).

The figure depends on the number of bins and is biased upwards: noise in a bin never lowers it. Guo, Pleiss, Sun &
Weinberger (2017), "On calibration of modern neural networks".
"""

from __future__ import annotations

from collections.abc import Iterator

from softmax_cli.numeric.metrics import Definition, Fold, Interval, Metric, Parts, Plan
from softmax_cli.numeric.metrics._bins import WidthBins, mass_bins
from softmax_cli.numeric.metrics._class_bins import ClassBins, ClassRankings
from softmax_cli.numeric.metrics._counts import ClassCounts
from softmax_cli.numeric.metrics._ranking import Ranking
from softmax_cli.numeric.metrics._replicates import BinReplicates

_GAPS = {"l1": "mean gap", "l2": "root mean square gap", "max": "largest gap"}


def folds(plan: Plan) -> tuple[type[Fold], ...]:
    """What the bins are made from."""
    if plan.kind == "classwise":
        return (ClassCounts, ClassRankings if plan.scheme == "mass" else ClassBins)
    return (ClassCounts, Ranking if plan.scheme == "mass" else WidthBins)


def calibration_error(parts: Parts, plan: Plan, norm: str) -> float:
    """Return the calibration error in the bins that were asked for, 0..1."""
    if plan.kind == "classwise":
        return (parts[ClassRankings] if plan.scheme == "mass" else parts[ClassBins]).error(norm)
    return (mass_bins(parts[Ranking], plan.bins) if plan.scheme == "mass" else parts[WidthBins].bins).error(norm)


def _definition(plan: Plan, name: str, title: str, norm: str, note: str) -> Definition:
    """One norm; only bins of the predicted class and of equal width have limits."""
    interval = Interval(BinReplicates, lambda draws, parts: draws[BinReplicates].limits(parts[WidthBins], norm))
    return Definition(
        name,
        title,
        lambda parts: calibration_error(parts, plan, norm),
        lambda parts: note.format(rows=parts[ClassCounts].rows),
        interval=interval if (plan.scheme, plan.kind) == ("width", "top-label") else None,
        decides=name == "ece",
        diagram="reliability" if name == "ece" else None,
    )


def figures(plan: Plan) -> Iterator[Definition]:
    """The norm that was asked for, and the others."""
    asked = f"{plan.kind}, {plan.bins} bins of equal {plan.scheme}, {_GAPS[plan.norm]}"
    yield _definition(plan, "ece", "ECE", plan.norm, asked + ", {rows:,} rows")
    for name, title, norm in (("mce", "MCE", "max"), ("rmsce", "RMSCE", "l2")):
        yield _definition(plan, name, title, norm, f"{_GAPS[norm]} of these bins")


METRIC = Metric(rank=70, folds=folds, figures=figures)
