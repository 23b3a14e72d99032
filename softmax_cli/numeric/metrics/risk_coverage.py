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

_BLOCK = 1 << 20
"""Rows at a time: the ranking itself is all that is to grow with them."""


def aurc(ranking: Ranking) -> float:
    """Mean over k of the error rate among the k surest rows, 0..1; equal confidences in all orders alike."""
    rows = ranking.rows
    if not rows:
        return nan
    total, all_correct = ExactSum.zero(1), ranking.correct_below(np.array([rows]))
    for start in range(0, rows, _BLOCK):
        answered = np.arange(start + 1, min(start + _BLOCK, rows) + 1)
        correct = all_correct - ranking.correct_below(rows - answered)
        total = total.plus(ExactSum.of((answered - correct) / answered))
    return total.value / rows


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
