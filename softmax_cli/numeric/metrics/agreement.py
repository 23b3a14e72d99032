"""Agreement of predictions with the truth beyond chance: MCC and Cohen's kappa."""

from __future__ import annotations

from collections.abc import Iterator
from math import nan, sqrt

from softmax_cli.numeric.metrics import Definition, Metric, Parts, Plan
from softmax_cli.numeric.metrics._counts import ClassCounts


def _products(counts: ClassCounts) -> tuple[int, int, int, int]:
    """Four sums over pairs of rows, in whole numbers that grow as the square of the rows: c s - sum p t, s^2 and so on.

    With s rows, c right, t rows and p predictions of a class: c s - sum p t, s^2 - sum p t, s^2 - sum p^2 and
    s^2 - sum t^2.
    """
    truth, predicted, rows = counts.support.tolist(), counts.predicted.tolist(), counts.rows
    by_chance = sum(p * t for p, t in zip(predicted, truth, strict=True))
    squares = [rows**2 - sum(n**2 for n in margin) for margin in (predicted, truth)]
    return counts.correct * rows - by_chance, rows**2 - by_chance, squares[0], squares[1]


def mcc(parts: Parts) -> float:
    """Matthews correlation of truth and prediction, -1..1; nan where all rows, or all predictions, are of one class.

    Notes
    -----
    Gorodkin (2004), "Comparing two K-category assignments by a K-category correlation coefficient".
    """
    covariance, _, predicted, truth = _products(parts[ClassCounts])
    return covariance / sqrt(predicted * truth) if predicted and truth else nan


def kappa(parts: Parts) -> float:
    """Accuracy above that of chance, as a share of what chance leaves, -1..1.

    Notes
    -----
    Cohen (1960), "A coefficient of agreement for nominal scales".
    """
    above, possible, _, _ = _products(parts[ClassCounts])
    return above / possible if possible else nan


def figures(plan: Plan) -> Iterator[Definition]:
    """Both."""
    yield Definition("mcc", "MCC", mcc, lambda parts: "correlation of truth and prediction, -1..1", (-1.0, 1.0))
    yield Definition(
        "cohen_kappa", "Cohen's kappa", kappa, lambda parts: "accuracy beyond chance, 0 for chance, -1..1", (-1.0, 1.0)
    )


METRIC = Metric(rank=35, folds=lambda plan: (ClassCounts,), figures=figures)
