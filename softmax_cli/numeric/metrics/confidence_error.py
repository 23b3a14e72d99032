"""Over- and under-confidence error: what the bins promise too much, and what too little.

ECE adds both up, and where they are equal their sum says nothing of which to fear.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import nan

import numpy as np

from softmax_cli.numeric.metrics import Definition, Metric, Parts, Plan
from softmax_cli.numeric.metrics._bins import WidthBins


def overconfidence(parts: Parts) -> float:
    """Mean over rows of confidence x max(confidence - accuracy, 0) of their bin, 0..1.

    Notes
    -----
    Thulasidasan, Chennupati, Bilmes, Bhattacharya & Michalak (2019), "On mixup training: improved calibration and
    predictive uncertainty for deep neural networks", NeurIPS: being sure and wrong counts more than being unsure.
    """
    return _error(parts, -1.0)


def underconfidence(parts: Parts) -> float:
    """Mean over rows of (1 - confidence) x max(accuracy - confidence, 0) of their bin, 0..1: the mirror image."""
    return _error(parts, 1.0)


def _error(parts: Parts, sign: float) -> float:
    bins = parts[WidthBins].bins
    rows = bins.count.sum()
    if not rows:
        return nan
    confidence = np.nan_to_num(bins.confidence)
    weight = confidence if sign < 0 else 1 - confidence
    return float((bins.count / rows * weight * np.maximum(sign * bins.gap, 0)).sum())


def figures(plan: Plan) -> Iterator[Definition]:
    """Both."""
    yield Definition(
        "overconfidence_error",
        "overconfidence error",
        overconfidence,
        lambda parts: f"{plan.bins} bins of equal width, confidence x gap where it is above accuracy",
    )
    yield Definition(
        "underconfidence_error",
        "underconfidence error",
        underconfidence,
        lambda parts: "the same where it is below: (1 - confidence) x gap",
    )


METRIC = Metric(rank=85, folds=lambda plan: (WidthBins,), figures=figures)
