"""Mean confidence of the predictions, which should be their accuracy."""

from __future__ import annotations

import math
from collections.abc import Iterator

from softmax_cli.numeric.metrics import Definition, Metric, Parts, Plan
from softmax_cli.numeric.metrics._bins import WidthBins
from softmax_cli.numeric.metrics._counts import ClassCounts


def mean_confidence(parts: Parts) -> float:
    """Mean probability of the predicted class, 0..1."""
    rows = parts[ClassCounts].rows
    return float(parts[WidthBins].confidence.values.sum()) / rows if rows else math.nan


def sentences(parts: Parts) -> Iterator[str]:
    """Compare what the predictions promise with what they keep, beyond what chance explains."""
    counts = parts[ClassCounts]
    accuracy, confidence = counts.correct / counts.rows, mean_confidence(parts)
    gap = confidence - accuracy
    noise = 2 * math.sqrt(max(accuracy * (1 - accuracy), 0.25 / counts.rows) / counts.rows)
    if abs(gap) <= noise:
        yield f"Confidence fits: {confidence:.1%} on average, within chance of that."
        return
    kind = "Over-confident" if gap > 0 else "Under-confident"
    points = f"{abs(100 * gap):.1f} points"
    yield f"{kind} by {points} ({confidence:.1%} on average): softmax-cli calibrate mends that on held-out rows."


def figures(plan: Plan) -> Iterator[Definition]:
    """The mean."""
    yield Definition("mean_confidence", "mean confidence", mean_confidence, lambda parts: "compare with accuracy")


METRIC = Metric(rank=110, folds=lambda plan: (ClassCounts, WidthBins), figures=figures, sentences=sentences)
