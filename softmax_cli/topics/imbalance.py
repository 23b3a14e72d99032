"""Trained on many zeros and few nines: what a softmax carries over, and how it is taken out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from softmax_cli.exampledata import TRAINING_COUNTS, Scans, read_scans
from softmax_cli.numeric.softmax import log_softmax
from softmax_cli.numeric.weights import log_prior_ratio
from softmax_cli.topics import Figures, Topic

CORRECTION = (
    "The correction knows two things only: how frequent the classes were in training, and how frequent they are now. "
    "It adds log(now/then) to the scores, which is the same as multiplying the probabilities by now/then and dividing "
    "by their new sum. No training, no look at the labels:"
)
MISTAKES = (
    "Two mistakes are common. Multiplying the scores by weights instead of adding their logarithm: scores -1 and -2 "
    "with weights 1 and 4 become -1 and -8, and the class that was to be raised is lowered. And correcting twice: a "
    "model that was trained with class weights has the correction in its scores already."
)


def topic() -> Topic:
    """Correct the classifier's prior and compare."""
    scans = read_scans()
    counts = np.array(TRAINING_COUNTS, np.float64)
    bias = log_prior_ratio(np.ones(len(counts)), counts)
    before, after = log_softmax(scans.logits), log_softmax(scans.logits + bias)
    row = _saved_row(scans, before, after)
    return Topic(
        "A softmax expects the classes as often as the training data had them",
        (
            f"A linear classifier learned handwritten digits from {TRAINING_COUNTS[0]} zeros, fewer and fewer of each "
            f"digit, and {TRAINING_COUNTS[-1]} nines. Here are {len(scans.ids)} new scans in which all digits are "
            "equally frequent. Its scores hold a habit: when in doubt, not a nine. How many of each digit it finds:",
            _by_digit(scans, before, after),
            CORRECTION,
            _in_all(scans, before, after),
            f"One scan, {scans.ids[row]}, which is a {scans.classes[scans.labels[row]]}:",
            _one_row(scans, bias, before, after, row),
            MISTAKES,
        ),
        (
            "softmax-cli weights labels.csv --method prior -o prior.csv",
            "softmax-cli predict logits.csv --source-prior prior.csv --target-prior uniform",
            "softmax-cli explain -1 -2 -w z2=4",
        ),
    )


def _saved_row(scans: Scans, before: NDArray[np.floating], after: NDArray[np.floating]) -> int:
    """Find the first row that is wrong before and right after."""
    saved = (before.argmax(axis=1) != scans.labels) & (after.argmax(axis=1) == scans.labels)
    return int(np.flatnonzero(saved)[0])


def _by_digit(scans: Scans, before: NDArray[np.floating], after: NDArray[np.floating]) -> Figures:
    rows: list[tuple[str | float | int, ...]] = []
    for position, name in enumerate(scans.classes):
        own = scans.labels == position
        found = [int((log_p.argmax(axis=1)[own] == position).sum()) for log_p in (before, after)]
        rows.append((name, TRAINING_COUNTS[position], int(own.sum()), *found))
    return Figures(("digit", "trained on", "scans", "found before", "found after"), tuple(rows))


def _in_all(scans: Scans, before: NDArray[np.floating], after: NDArray[np.floating]) -> Figures:
    at = np.arange(len(scans.labels))
    rows = [
        (name, float((log_p.argmax(axis=1) == scans.labels).mean()), float(-log_p[at, scans.labels].mean()))
        for name, log_p in (("before", before), ("after", after))
    ]
    return Figures(("prior", "accuracy", "log loss"), tuple(rows))


def _one_row(
    scans: Scans, bias: NDArray[np.float64], before: NDArray[np.floating], after: NDArray[np.floating], row: int
) -> Figures:
    best = np.argsort(-np.maximum(before[row], after[row]), kind="stable")[:4].tolist()
    rows = [
        (
            scans.classes[i],
            float(scans.logits[row, i]),
            float(bias[i]),
            float(np.exp(before[row, i])),
            float(np.exp(after[row, i])),
        )
        for i in best
    ]
    return Figures(("digit", "score", "log(now/then)", "p before", "p after"), tuple(rows))
