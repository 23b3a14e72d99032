"""What is left where a calibration abstains: how many rows are answered, and how many of these are wrong."""

from __future__ import annotations

from collections.abc import Iterator
from math import nan

import numpy as np

from softmax_cli.numeric.metrics import Definition, Metric, Plan
from softmax_cli.numeric.metrics._ranking import Ranking


def answered(ranking: Ranking, least: float) -> tuple[float, float]:
    """Share of rows with a confidence from `least`, and share of these that are wrong, 0..1 each."""
    confidence, correct = ranking.ascending
    right = correct[np.searchsorted(confidence, least) :]
    if not len(right):
        return (0.0 if len(correct) else nan), nan
    return len(right) / len(correct), int((~right).sum()) / len(right)


def figures(plan: Plan) -> Iterator[Definition]:
    """Both shares, where there is an abstention."""
    if plan.answer_from is None:
        return
    least = plan.answer_from
    yield Definition(
        "answered",
        "answered",
        lambda parts: answered(parts[Ranking], least)[0],
        lambda parts: f"share of rows with a confidence from {least:.4g}, where the calibration does not abstain",
    )
    yield Definition(
        "answered_error",
        "  error rate",
        lambda parts: answered(parts[Ranking], least)[1],
        lambda parts: "of these rows",
    )


METRIC = Metric(rank=130, folds=lambda plan: () if plan.answer_from is None else (Ranking,), figures=figures)
