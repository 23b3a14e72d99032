"""Trained on many zeros and few nines: what a softmax carries over, and how it is taken out."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from softmax_cli.errors import UsageError
from softmax_cli.numeric.class_weights import log_prior_ratio
from softmax_cli.numeric.softmax import log_softmax

TRAINING_COUNTS = (119, 85, 59, 44, 30, 22, 16, 12, 8, 6)


@dataclass(frozen=True, slots=True)
class Scans:
    """Labelled rows."""

    ids: tuple[str, ...]
    classes: tuple[str, ...]
    labels: NDArray[np.int64]
    """Position of the true class, shape (rows,)."""
    logits: NDArray[np.float64]
    """Shape (rows, classes)."""


def read_scans() -> Scans:
    """Read the rows."""
    with (files("softmax_cli") / "explanation" / "digits.csv").open("r", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    classes = tuple(header[2:])
    return Scans(
        ids=tuple(row[0] for row in rows),
        classes=classes,
        labels=np.array([classes.index(row[1]) for row in rows]),
        logits=np.array([[float(cell) for cell in row[2:]] for row in rows]),
    )


@dataclass(frozen=True, slots=True)
class Figures:
    """A small table."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str | float | int, ...], ...]
    """The first cell of a row names it; probabilities and losses are floats, counts integers."""


def topic_cell(value: str | float | int) -> str:
    """Spell a cell."""
    return f"{value:.3f}" if isinstance(value, float) else str(value)


@dataclass(frozen=True, slots=True)
class Topic:
    """Text and tables in turn."""

    title: str
    parts: tuple[str | Figures, ...]
    commands: tuple[str, ...]
    """What to type next."""

    def to_json(self) -> dict[str, object]:
        """Return plain values."""
        parts = [
            part if isinstance(part, str) else [dict(zip(part.headings, row, strict=True)) for row in part.rows]
            for part in self.parts
        ]
        return {"title": self.title, "parts": parts, "commands": list(self.commands)}


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


def imbalance() -> Topic:
    """Correct the classifier's prior and compare."""
    scans = read_scans()
    counts = np.array(TRAINING_COUNTS, np.float64)
    bias = log_prior_ratio(np.ones(len(counts)), counts)
    before, after = log_softmax(scans.logits), log_softmax(scans.logits + bias)
    saved = (before.argmax(axis=1) != scans.labels) & (after.argmax(axis=1) == scans.labels)
    row = int(saved.argmax())
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


def _by_digit(scans: Scans, before: NDArray[np.floating], after: NDArray[np.floating]) -> Figures:
    rows: list[tuple[str | float | int, ...]] = []
    for position, name in enumerate(scans.classes):
        own = scans.labels == position
        found = [int((log_p.argmax(axis=1)[own] == position).sum()) for log_p in (before, after)]
        rows.append((name, TRAINING_COUNTS[position], int(own.sum()), *found))
    return Figures("Found of each digit", ("digit", "trained on", "scans", "found before", "found after"), tuple(rows))


def _in_all(scans: Scans, before: NDArray[np.floating], after: NDArray[np.floating]) -> Figures:
    at = np.arange(len(scans.labels))
    rows = [
        (name, float((log_p.argmax(axis=1) == scans.labels).mean()), float(-log_p[at, scans.labels].mean()))
        for name, log_p in (("before", before), ("after", after))
    ]
    return Figures("All scans", ("prior", "accuracy", "log loss"), tuple(rows))


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
    return Figures("One scan", ("digit", "score", "log(now/then)", "p before", "p after"), tuple(rows))


TEMPERATURES = (0.25, 0.5, 0.7, 1.0, 2.0, 5.0)

DIVISION = (
    "Every score is divided by T before the softmax. Above 1 the differences between scores shrink and the "
    "probabilities draw together; below 1 they part. T -> 0 puts everything on the largest score, T = inf makes all "
    "classes equal. Dividing by the same number keeps the order, so the predictions stay."
)


def temperature() -> Topic:
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
            Figures("Temperatures", ("temperature", "confidence", "accuracy", "log loss"), tuple(rows)),
            f"The log loss, which punishes both false doubt and false certainty, is smallest at {best} among these: "
            "there the confidence comes closest to being honest. Choose T on labelled rows that are not used for "
            "anything else, by their log loss; large networks usually need a T above 1.",
        ),
        ("softmax-cli explain 2.0 1.0 0.1 -T 2", "softmax-cli predict logits.csv -T 2"),
    )


TOPICS: dict[str, Callable[[], Topic]] = {"imbalance": imbalance, "temperature": temperature}


def read_topic(name: str) -> Topic:
    """Work a topic out.

    Raises
    ------
    UsageError
        There is no such topic.
    """
    if name not in TOPICS:
        raise UsageError(
            f"{name}: neither a file nor a topic (there are {', '.join(TOPICS)}); scores are typed as 2.0 1.0 0.1"
        )
    return TOPICS[name]()
