"""One row to be explained, typed as numbers or found in a table; its explanation as plain values, and step by step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from softmax_cli.errors import DataError, UsageError
from softmax_cli.numeric.explanation import Explanation
from softmax_cli.prediction.bad_rows import what_is_wrong
from softmax_cli.prediction.score_kinds import read_scores, to_log_scale_
from softmax_cli.tables.batch import texts
from softmax_cli.tables.columns import Columns
from softmax_cli.tables.table import Decoded, Table

TEMPERATURES = (0.5, 1.0, 2.0, 5.0)
_MOST_DERIVATIVES = 8
"""So many of the best classes have their derivatives shown: a full matrix of 1,000 classes is a million numbers."""


@dataclass(frozen=True, slots=True)
class Example:
    """One row of logits."""

    where: str
    """``logits.csv:18``, or how it was typed."""
    classes: tuple[str, ...]
    logits: NDArray[np.float64]
    truth: str | None = None


def typed_example(given: list[str]) -> Example | None:
    """Read scores as typed: ``2.0 1.0 0.1``, or ``cat=2.0 dog=1.0``; None where something is no number.

    Raises
    ------
    UsageError
        They are numbers that no distribution follows from, or a name stands twice.
    """
    parts = [part.strip() for one in given for part in one.split(",")]
    try:
        logits = [float(part.rpartition("=")[2]) for part in parts]
    except ValueError:
        return None
    names = [part.rpartition("=")[0].strip() or f"z{i}" for i, part in enumerate(parts, 1)]
    if len(set(names)) < len(names):
        raise UsageError(f"{' '.join(parts)}: two scores have the same name")
    if any(math.isnan(z) or z == math.inf for z in logits) or all(z == -math.inf for z in logits):
        raise UsageError(f"{' '.join(parts)}: expected finite scores (-inf masks a class, but not every one)")
    if len(parts) == 1:  # a single score is that of one of two classes: z becomes [0, z]
        return Example(parts[0], (f"not {names[0]}", names[0]), np.array([0.0, *logits]))
    return Example(" ".join(parts), tuple(names), np.array(logits))


def find_by_row(table: Table, columns: Columns, row: int) -> Example:
    """Find a row by its number, from 1.

    Raises
    ------
    DataError
        There are not so many, or it cannot be scored.
    """
    seen = 0
    for block in table.blocks:
        decoded = table.decode(block, columns.scores)
        if row <= seen + decoded.batch.num_rows:
            return _example(decoded, columns, row - 1 - seen)
        seen += decoded.batch.num_rows
    raise DataError(f"{table.name}: --row {row}: there are {seen:,} rows, counted from 1")


def find_by_id(table: Table, columns: Columns, value: str) -> Example:
    """Find the first row with an id.

    Raises
    ------
    DataError
        There is none, or it cannot be scored.
    UsageError
        The table has no id column.
    """
    if columns.id is None:
        raise UsageError(
            f"--id {value}: {table.name} has no id column; name it with --id-column, or count with --row N"
        )
    for block in table.blocks:
        decoded = table.decode(block, columns.scores)
        ids = texts(decoded.batch.column(columns.id))
        if value in ids:
            return _example(decoded, columns, ids.index(value))
    raise DataError(f"{table.name}: column {columns.id!r}: no row has the id {value!r}; --row N counts rows from 1")


def _example(decoded: Decoded, columns: Columns, row: int) -> Example:
    one = decoded.batch.slice(row, 1)
    scores = read_scores(one, columns, np.dtype(np.float64))
    where = decoded.place(row, columns.scores[0]).where
    fault = next((fault for fault in decoded.faults if fault.row == row), None)
    logits = to_log_scale_(scores.copy(), columns)[0]
    if fault is not None or np.isnan(logits).any() or not np.isfinite(logits.max()):
        column, problem = (fault.column, fault.problem) if fault else _culprit(scores[0], columns)
        raise DataError(f"{where}: column {column!r}: the value {problem}; choose another row with --row N")
    truth = None if columns.label is None else texts(one.column(columns.label))[0]
    return Example(where, columns.classes, np.ascontiguousarray(logits), truth)


def _culprit(scores: NDArray[np.floating], columns: Columns) -> tuple[str, str]:
    position, problem = what_is_wrong(scores[1:] if columns.is_binary else scores, columns)
    return columns.scores[0 if columns.is_list else position], problem


def best_classes(explanation: Explanation) -> list[int]:
    """Choose the classes whose derivatives are reported: the best ones."""
    return explanation.ranking[:_MOST_DERIVATIVES]


def to_json(example: Example, explanation: Explanation) -> dict[str, object]:
    """Return every number of an explanation as plain values."""
    names = example.classes
    best = explanation.ranking[0]
    naive = explanation.naive()
    chosen = best_classes(explanation)
    rest = explanation.without(best)

    def by_class(values: NDArray[np.floating]) -> dict[str, object]:
        return dict(zip(names, values.tolist(), strict=True))

    return {
        "where": example.where,
        "truth": example.truth,
        "temperature": explanation.temperature,
        "steps": {
            "scores": by_class(explanation.logits),
            "weights": by_class(explanation.weights),
            "divided_by_temperature": by_class(explanation.scaled),
            "plus_log_weight": by_class(explanation.adjusted),
            "maximum": explanation.highest,
            "minus_maximum": by_class(explanation.shifted),
            "exponentials": by_class(explanation.exponentials),
            "sum": explanation.total,
            "prob": by_class(explanation.p),
            "logprob": by_class(explanation.log_p),
        },
        "prediction": names[best],
        "naive": {"sum": naive.total, "prob": by_class(naive.p), "fails": naive.fails},
        "temperatures": {f"{t:g}": by_class(explanation.at_temperature(t)) for t in TEMPERATURES},
        "alternatives": {name: by_class(values) for name, values in explanation.alternatives().items()},
        "jacobian": {"classes": [names[i] for i in chosen], "values": explanation.jacobian(chosen).tolist()},
        "entropy_nats": explanation.entropy,
        "margin": explanation.margin,
        "without_prediction": None if rest is None else by_class(rest),
    }


@dataclass(frozen=True, slots=True)
class Step:
    """A column of the table of steps, and the sentence about it."""

    heading: str
    values: Sequence[float]
    sentence: str
    total: float | None = None


def steps_of(explanation: Explanation, best: str) -> list[Step]:
    """List the steps of a softmax whose most probable class is called `best`."""
    steps = [
        Step(
            "score", explanation.logits.tolist(), "the scores (logits) z: any real numbers; only differences will count"
        )
    ]
    if explanation.temperature != 1:
        steps.append(
            Step(
                "z/T",
                explanation.scaled.tolist(),
                f"divided by the temperature T = {explanation.temperature:g}: smaller differences "
                "for T above 1, larger ones below",
            )
        )
    if (explanation.weights != 1).any():
        steps.append(
            Step(
                "+ log w",
                explanation.adjusted.tolist(),
                "log of the class weight added: the same as multiplying the "
                "probability by w; multiplying the score would turn around where it is negative",
            )
        )
    highest = number(explanation.highest)
    return [
        *steps,
        Step(
            "- max",
            explanation.shifted.tolist(),
            f"the largest, {highest}, subtracted: the best class is at 0, all others below",
        ),
        Step(
            "exp",
            explanation.exponentials.tolist(),
            "exp makes every number positive and keeps their order: one unit of "
            f"score is a factor of 2.718; their sum is {number(explanation.total)}",
            explanation.total,
        ),
        Step("p", explanation.p.tolist(), "each divided by the sum: probabilities, which sum to 1", 1.0),
        Step("", [], f"the largest probability is the classification: {best}"),
    ]


def numbers(values: Sequence[float]) -> list[str]:
    """A column of numbers: whole ones throughout, or four decimals throughout."""
    if all(not math.isfinite(value) or (value == int(value) and abs(value) < 1e5) for value in values):
        return [number(value) for value in values]
    return [f"{value:.4f}" if value == 0 or 1e-3 <= abs(value) < 1e5 else number(value) for value in values]


def number(value: float) -> str:
    """Four decimals where they say something, else a power of ten; a whole number stays one."""
    if not math.isfinite(value):
        return str(value)
    if value == int(value) and abs(value) < 1e5:
        return str(int(value))
    return f"{value:.4f}" if 1e-3 <= abs(value) < 1e5 else f"{value:.2e}"


def signed(value: float) -> str:
    """Four decimals, or a power of ten, with a sign."""
    return f"{value:+.4f}" if abs(value) >= 1e-3 or value == 0 else f"{value:+.1e}"
