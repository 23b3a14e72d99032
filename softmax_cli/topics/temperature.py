"""One number that changes how sure a model looks, and never what it predicts."""

from __future__ import annotations

import numpy as np

from softmax_cli.exampledata import read_scans
from softmax_cli.numeric.softmax import log_softmax
from softmax_cli.topics import Figures, Topic

TEMPERATURES = (0.25, 0.5, 0.7, 1.0, 2.0, 5.0)

DIVISION = (
    "Every score is divided by T before the softmax. Above 1 the differences between scores shrink and the "
    "probabilities draw together; below 1 they part. T -> 0 puts everything on the largest score, T = inf makes all "
    "classes equal. Dividing by the same number keeps the order, so the predictions stay."
)


def topic() -> Topic:
    """Score the same rows at several temperatures."""
    scans = read_scans()
    rows = []
    for temperature in TEMPERATURES:
        log_p = log_softmax(scans.logits, temperature=temperature)
        right = log_p.argmax(axis=1) == scans.labels
        loss = -log_p[np.arange(len(right)), scans.labels].mean()
        rows.append((f"T = {temperature:g}", float(np.exp(log_p.max(axis=1)).mean()), float(right.mean()), float(loss)))
    best = rows[int(np.argmin([loss for *_, loss in rows]))][0]
    return Topic(
        "The temperature: how sure, never which",
        (
            DIVISION,
            f"Here are {len(scans.ids)} scans of handwritten digits, scored by a small classifier. Confidence is the "
            "probability of the predicted digit. A model can be taken at its word when its mean confidence is its "
            "accuracy:",
            Figures(("temperature", "confidence", "accuracy", "log loss"), tuple(rows)),
            f"The log loss, which punishes both false doubt and false certainty, is smallest at {best} among these: "
            "there the confidence comes closest to being honest. Choose T on labelled rows that are not used for "
            "anything else, by their log loss; large networks usually need a T above 1.",
        ),
        ("softmax-cli explain 2.0 1.0 0.1 -T 2", "softmax-cli predict logits.csv -T 2"),
    )
