"""The rows to show as plain values: which class was predicted, which was true, and how probable each is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from softmax_cli.batches.arrays import floats
from softmax_cli.batches.transform import Transform
from softmax_cli.display.cells import strings


@dataclass(frozen=True, slots=True)
class Shown:
    """Which column of the batch to be shown is what."""

    classes: tuple[str, ...]
    probabilities: tuple[str, ...] = ()
    """Column per class, in the order of `classes`; (): the batch has none (only predictions)."""
    id: str | None = None
    label: str | None = None
    """The column that holds the truth."""
    is_plain: bool = False
    """Show the columns as they are: rows are classes, columns are ranks, or the values are no probabilities."""
    passed: tuple[str, ...] = ()
    """Columns that pass through. In a plain table they give way first, but for the id and the truth."""
    sets: str | None = None
    """The column that holds prediction sets."""

    @classmethod
    def of(cls, transform: Transform) -> Shown:
        """Tell the columns of a transform's result by their names there."""
        columns, layout = transform.columns, transform.layout
        called = dict(zip(columns.others, transform.passed, strict=True))
        is_wide = layout.shape == "wide" and not transform.scoring.top
        has_p = is_wide and "prob" in transform.scoring.emit and not layout.only_predictions
        return cls(
            classes=columns.classes,
            probabilities=tuple(f"prob_{name}" for name in columns.classes) if has_p else (),
            id=called.get(columns.id or ""),
            label=called.get(columns.label or ""),
            is_plain=not (has_p or layout.only_predictions),
            passed=transform.passed,
            sets="set" if transform.scoring.sets is not None else None,
        )


@dataclass(frozen=True, slots=True)
class Rows:
    """A few scored rows."""

    predictions: list[str | None]
    """None: the row was not scored; "": the program abstained."""
    truths: list[str | None] | None
    """Class names where the truth is a class, else as the file has it; None: no truth column."""
    confidence: list[float]
    sets: list[list[str] | None] | None
    """Classes in the prediction set; None: the row was not scored, or there are no sets."""
    p: NDArray[np.float64] | None
    """Shape (rows, classes); a row of nan was not scored. None: no class columns."""


def read_rows(batch: pa.RecordBatch, shown: Shown) -> Rows:
    """Take the values out of a batch that has ``prediction`` and ``confidence``."""
    float64 = np.dtype(np.float64)
    by_class = [floats(batch.column(name), float64) for name in shown.probabilities]
    return Rows(
        predictions=strings(batch.column("prediction")),
        truths=None if shown.label is None else _truths(strings(batch.column(shown.label)), shown.classes),
        confidence=floats(batch.column("confidence"), float64).tolist(),
        sets=None if shown.sets is None else batch.column(shown.sets).to_pylist(),
        p=np.column_stack(by_class) if by_class else None,
    )


def _truths(labels: list[str | None], classes: tuple[str, ...]) -> list[str | None]:
    """Name the classes of integer labels, which are indices only where none of them is a class name and all fit."""
    known = set(classes)
    told = [label for label in labels if label is not None]
    if any(label in known for label in told):
        return labels
    if not all(label.isascii() and label.isdecimal() and int(label) < len(classes) for label in told):
        return labels
    return [None if label is None else classes[int(label)] for label in labels]


def ranking(
    p: NDArray[np.float64], classes: tuple[str, ...], without: str | None, size: int
) -> list[tuple[str, float]]:
    """Find the most probable classes of one row, `size` at most, `without` the one that is told already.

    Parameters
    ----------
    p : array, shape (classes,)
        One row; nan throughout gives no class.
    """
    order = np.argsort(-p, kind="stable")[: size + 1].tolist()
    return [(classes[i], float(p[i])) for i in order if classes[i] != without and not np.isnan(p[i])][:size]
