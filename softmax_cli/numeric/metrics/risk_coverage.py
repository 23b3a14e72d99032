"""Risk against coverage: how many errors are left when the least sure predictions are withheld.

Geifman & El-Yaniv (2017), "Selective classification for deep neural networks"; AURC and its excess over the best order,
E-AURC: Geifman, Uziel & El-Yaniv (2019), "Bias-reduced uncertainty estimation".
"""

from __future__ import annotations

from collections.abc import Iterator
from math import nan

import numpy as np

from softmax_cli.numeric.exact_sum import ExactSum
from softmax_cli.numeric.metrics import Definition, Metric, Plan
from softmax_cli.numeric.metrics._ranking import Ranking


def aurc(ranking: Ranking) -> float:
    """Mean over k of the error rate among the k surest rows, 0..1; equal confidences in all orders alike."""
    rows = ranking.rows
    if not rows:
        return nan
    answered = np.arange(1, rows + 1)
    correct = ranking.correct_below(np.array([rows])) - ranking.correct_below(rows - answered)
    return ExactSum.of((answered - correct) / answered).value / rows


def excess(ranking: Ranking) -> float:
    """AURC above that of an order which puts every wrong row last, 0..1."""
    rows = ranking.rows
    if not rows:
        return nan
    wrong = rows - int(ranking.ascending[1].sum())
    answered = np.arange(rows - wrong + 1, rows + 1)
    best = ExactSum.of((answered - (rows - wrong)) / answered).value / rows
    return aurc(ranking) - best


def figures(plan: Plan) -> Iterator[Definition]:
    """AURC and E-AURC."""
    yield Definition(
        "aurc",
        "AURC",
        lambda parts: aurc(parts[Ranking]),
        lambda parts: "area under risk-coverage, 0 is best",
        diagram="risk_coverage",
    )
    yield Definition(
        "e_aurc",
        "E-AURC",
        lambda parts: excess(parts[Ranking]),
        lambda parts: "AURC above the best order of these errors",
    )


METRIC = Metric(rank=120, folds=lambda plan: (Ranking,), figures=figures)
