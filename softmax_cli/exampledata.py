"""A few real rows that come with the package, for the worked topics.

Logits of a linear classifier on 200 scans of handwritten digits, the validation rows of
``examples/digits_imbalanced.csv`` to three decimals. It was trained on many zeros and few nines (`TRAINING_COUNTS`);
the scans hold all digits equally often.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

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
    with (files("softmax_cli") / "topics" / "digits.csv").open("r", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    classes = tuple(header[2:])
    return Scans(
        ids=tuple(row[0] for row in rows),
        classes=classes,
        labels=np.array([classes.index(row[1]) for row in rows]),
        logits=np.array([[float(cell) for cell in row[2:]] for row in rows]),
    )
