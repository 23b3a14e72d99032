"""One-vs-one AUROC and average precision: how well classes are ranked where their shares differ."""

from __future__ import annotations

from collections.abc import Iterator
from math import nan

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.metrics import Definition, Metric, Parts, Plan
from softmax_cli.numeric.metrics._rows import mean_of_known
from softmax_cli.numeric.metrics.auroc import EXACT_SCORES, Auroc


def one_vs_one(parts: Parts) -> float:
    """Mean over pairs of classes of the AUROC of one against the other, by the probability of each in turn, 0..1.

    Against the rest, a class of many rows is most of every rest; here all pairs that occur count the same. nan where
    the scores were not kept (see `Auroc`).

    Notes
    -----
    Hand & Till (2001), "A simple generalisation of the area under the ROC curve for multiple class classification
    problems". For one class all others at once: each row is placed among the rows of the class by two searches.
    """
    pairs = []
    for column, scores, labels in _columns(parts[Auroc]):
        own = np.sort(scores[labels == column])
        above = 2 * len(own) - sum(np.searchsorted(own, scores, side=side) for side in ("left", "right"))
        rows = np.bincount(labels)
        wins = np.bincount(labels, weights=above)  # whole numbers: exact in any order
        others = (rows > 0) & (np.arange(len(rows)) != column)
        pairs.append(wins[others] / (2 * len(own) * rows[others]))
    return float(np.concatenate(pairs).mean()) if pairs and len(pairs[0]) else nan


def average_precision(parts: Parts) -> float:
    """Mean over the classes that occur of the area under precision and recall, as a step function, 0..1.

    AUROC is high for a rare class as soon as most of the others stand behind it; precision asks how many of those that
    stand before it. nan where the scores were not kept.

    Notes
    -----
    Davis & Goadrich (2006), "The relationship between precision-recall and ROC curves", ICML: no straight lines between
    the points.
    """
    found = [_area(scores, labels == column) for column, scores, labels in _columns(parts[Auroc])]
    return mean_of_known(np.array(found))


def _columns(auroc: Auroc) -> Iterator[tuple[int, NDArray[np.float64], NDArray[np.integer]]]:
    """Every class that occurs, with the scores of all rows for it and the classes of the rows."""
    if auroc.cells is None:
        labels = np.concatenate(auroc.labels)
        for column in np.unique(labels).tolist():
            yield column, np.concatenate([block[:, column] for block in auroc.scores]), labels


def _area(scores: NDArray[np.float64], own: NDArray[np.bool_]) -> float:
    order = np.argsort(-scores)
    ordered = scores[order]
    ends = np.append(np.flatnonzero(ordered[1:] != ordered[:-1]), len(scores) - 1)  # equals are answered together
    hits = np.cumsum(own[order])[ends]
    return float((np.diff(hits, prepend=0) * (hits / (ends + 1))).sum() / hits[-1])


def _note(said: str, parts: Parts) -> str:
    return said if parts[Auroc].cells is None else f"not known: more than {EXACT_SCORES:,} scores, rows x classes"


def figures(plan: Plan) -> Iterator[Definition]:
    """Both."""
    yield Definition(
        "ovo_auroc", "one-vs-one AUROC", one_vs_one, lambda parts: _note("mean over pairs of classes", parts)
    )
    yield Definition(
        "macro_average_precision",
        "macro AP",
        average_precision,
        lambda parts: _note("one class against the rest, mean over the classes that occur", parts),
    )


METRIC = Metric(rank=145, folds=lambda plan: (Auroc,), figures=figures, in_slices=False)
