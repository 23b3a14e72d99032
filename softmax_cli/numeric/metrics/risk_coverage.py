"""Risk against coverage: how many errors are left when the least sure predictions are withheld.

Geifman & El-Yaniv (2017), "Selective classification for deep neural networks"; AURC and its excess over the best order,
E-AURC: Geifman, Uziel & El-Yaniv (2019), "Bias-reduced uncertainty estimation".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import nan

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.exact_sum import ExactSum
from softmax_cli.numeric.metrics import Definition, Metric, Plan
from softmax_cli.numeric.metrics._ranking import Ranking

Counts = NDArray[np.int64]

_BLOCK = 1 << 17
"""Rows at a time: the ranking itself is all that is to grow with them."""


def aurc(ranking: Ranking) -> float:
    """Mean over k of the error rate among the k surest rows, 0..1; equal confidences in all orders alike."""
    rows = ranking.rows
    all_correct = ranking.correct_below(np.array([rows]))
    return _mean_risk(rows, 0, lambda answered: answered - (all_correct - ranking.correct_below(rows - answered)))


def excess(ranking: Ranking) -> float:
    """AURC above that of an order which puts every wrong row last, 0..1."""
    rows = ranking.rows
    right = int(ranking.ascending[1].sum()) if rows else 0
    return aurc(ranking) - _mean_risk(rows, right, lambda answered: answered - right)


def _mean_risk(rows: int, right: int, wrong: Callable[[Counts], NDArray[np.floating] | Counts]) -> float:
    """Mean of the share of wrong rows among the k surest, of which the first `right` are known to be right; exact."""
    if not rows:
        return nan
    total = ExactSum.zero(1)
    for start in range(right, rows, _BLOCK):
        answered = np.arange(start + 1, min(start + _BLOCK, rows) + 1)
        total = total.plus(ExactSum.of(wrong(answered) / answered))
    return total.value / rows


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
