"""Balanced accuracy and macro F1: every class counts the same, however many rows it has.

Brodersen et al. (2010), "The balanced accuracy and its posterior distribution".
"""

from __future__ import annotations

from collections.abc import Iterator

from softmax_cli.numeric.metrics import Definition, Metric, Parts, Plan
from softmax_cli.numeric.metrics._counts import ClassCounts
from softmax_cli.numeric.metrics._rows import mean_of_known


def _note(parts: Parts) -> str:
    return f"mean recall of the {int((parts[ClassCounts].support > 0).sum()):,} classes that occur"


def figures(plan: Plan) -> Iterator[Definition]:
    """Means over the classes."""
    yield Definition(
        "balanced_accuracy",
        "balanced accuracy",
        lambda parts: mean_of_known(parts[ClassCounts].recall),
        _note,
        decides=True,
    )
    yield Definition(
        "macro_f1",
        "macro F1",
        lambda parts: mean_of_known(parts[ClassCounts].f1),
        lambda parts: "classes that occur or were predicted",
    )


METRIC = Metric(rank=30, folds=lambda plan: (ClassCounts,), figures=figures)
