"""What a terminal shows of a scored table: the first rows, one line each, and a summary under them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from rich.console import Console
from rich.text import Text

from softmax_cli.errors import counted
from softmax_cli.prediction.transform import Tally, Transform
from softmax_cli.tables.arrays import cells, floats, to_arrow, to_arrow_schema
from softmax_cli.tables.batch import Batch, empty_batch
from softmax_cli.tables.columns import METADATA_KEY
from softmax_cli.tables.schema import Schema
from softmax_cli.terminal.console import Glyphs, glyphs
from softmax_cli.terminal.grid import (
    BarColumn,
    Column,
    ConfidenceColumn,
    FigureColumn,
    OtherClassesColumn,
    TextColumn,
    draw,
    total,
)
from softmax_cli.terminal.text import percent, probability, visible, width

_OWN_COLUMN_EACH = 4
"""Up to so many classes each have a column of their own."""
_RANKED = 8
"""So many other classes of a row are looked at: no terminal has room for more."""


def show_predictions(
    console: Console, batch: pa.RecordBatch, shown: Shown, tally: Tally, limit_note: str | None = None
) -> None:
    """Print a table of a few rows, and under it what became of all of them.

    Parameters
    ----------
    console : rich Console
        As `make_console` opens it. No line is wider than it.
    batch : pyarrow.RecordBatch
        The rows to show, in the form in which they would be written. Unless `shown.is_plain` it has ``prediction`` and
        ``confidence``.
    shown : Shown
        What its columns are.
    tally : Tally
        All rows, not only those shown.
    limit_note : str, optional
        Says under the table that there are more rows, and how to see them.
    """
    marks = glyphs(console)
    if batch.num_rows:
        columns = plain_columns(batch, shown, marks) if shown.is_plain else _columns(batch, shown, marks, console.width)
        drawn = draw(console, columns)
        if shown.is_plain and drawn < batch.num_columns:
            left_out = counted(batch.num_columns - drawn, "more column")
            console.print(Text(f"{marks.ellipsis} {left_out}", "dim"))
        if limit_note:
            console.print(Text(visible(limit_note, console.encoding), "dim"))
        console.print()
    _show_facts(console, tally)
    if tally.scored:
        _show_spread(console, shown, tally)


def _columns(batch: pa.RecordBatch, shown: Shown, marks: Glyphs, width: int) -> list[Column]:
    rows = read_rows(batch, shown)
    columns: list[Column] = [_names(batch, shown, marks, width)]
    if rows.truths is not None:
        truths = [visible(name or "", marks.encoding) for name in rows.truths]
        columns.append(TextColumn("truth", truths, weight=5, least=8, most=20))
    columns.append(_predictions(rows, marks))
    if rows.truths is not None:
        columns.append(_verdicts(rows, shown.classes, marks))
    columns.append(ConfidenceColumn(rows.confidence, weight=7))
    if rows.sets is not None:
        sets = ["" if names is None else visible(", ".join(names), marks.encoding) for names in rows.sets]
        columns.append(TextColumn("set", sets, weight=6, least=8, most=30))
    columns += [_column(batch.schema.field(name), batch.column(name), 5, marks) for name in shown.added]
    return columns + _classes(rows, shown.classes, marks, width - total([column.want().least for column in columns]))


def _names(batch: pa.RecordBatch, shown: Shown, marks: Glyphs, width: int) -> Column:
    if shown.id is None:
        return FigureColumn("row", [f"{row}" for row in range(1, batch.num_rows + 1)], weight=8)
    least = max(6, min(12, width // 5))
    names = texts(batch.column(shown.id), marks.encoding)
    return TextColumn(visible(shown.id, marks.encoding), names, weight=8, least=least, most=max(least, width // 3))


def _predictions(rows: Rows, marks: Glyphs) -> Column:
    stand_in = {None: "(bad row)", "": "(abstained)"}
    lines = [stand_in.get(name) or visible(name or "", marks.encoding) for name in rows.predictions]
    styles = ["bold" if name else "dim" for name in rows.predictions]
    return TextColumn("prediction", lines, 9, styles, least=10, most=20)


def _verdicts(rows: Rows, classes: tuple[str, ...], marks: Glyphs) -> Column:
    """Compare predictions with truths; a truth that is no class says nothing."""
    known = set(classes)
    texts_, styles = [], []
    for prediction, truth in zip(rows.predictions, rows.truths or (), strict=True):
        is_judged = prediction in known and truth in known
        is_right = prediction == truth
        texts_.append((marks.right if is_right else marks.wrong) if is_judged else "")
        styles.append("green" if is_right else "bold red")
    return TextColumn("", texts_, 6, styles)


def _classes(rows: Rows, classes: tuple[str, ...], marks: Glyphs, room: int) -> list[Column]:
    """Give each class a column where the classes are few and all find room, else list the most probable ones."""
    if rows.p is None:
        return []
    if len(classes) <= _OWN_COLUMN_EACH:
        each: list[Column] = []
        for name, p in zip(classes, rows.p.T.tolist(), strict=True):
            styles = ["bold" if name == prediction else "dim" for prediction in rows.predictions]
            lines = ["" if value != value else probability(value) for value in p]
            each.append(FigureColumn(visible(name, marks.encoding), lines, 3, styles, least=5, most=12))
        if total([0, *(column.want().least for column in each)]) <= room:
            return each
    rankings = [
        ranking(p, classes, prediction, _RANKED) for p, prediction in zip(rows.p, rows.predictions, strict=True)
    ]
    told_rankings = [[(visible(name, marks.encoding), value) for name, value in row] for row in rankings]
    return [OtherClassesColumn(told_rankings, weight=3)]


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
    added: tuple[str, ...] = ()
    """Columns of further figures."""
    all_classes: bool = False
    """Whether the summary names every class, or the commonest."""

    @classmethod
    def of(cls, transform: Transform, all_classes: bool = False) -> Shown:
        """List the columns of a transform's result by their names there."""
        columns, layout = transform.columns, transform.layout
        called = dict(zip(columns.others, transform.passed, strict=True))
        is_wide = layout.shape == "wide" and not transform.scoring.top
        has_p = is_wide and "prob" in transform.scoring.emit and not layout.only_predictions
        return cls(
            classes=transform.classes,
            probabilities=tuple(f"prob_{name}" for name in transform.classes) if has_p else (),
            id=called.get(columns.id or ""),
            label=called.get(columns.label or ""),
            is_plain=not (has_p or layout.only_predictions),
            passed=transform.passed,
            sets="set" if transform.scoring.sets is not None else None,
            added=layout.added,
            all_classes=all_classes,
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
    lines = [label for label in labels if label is not None]
    if any(label in known for label in lines):
        return labels
    if not all(label.isascii() and label.isdecimal() and int(label) < len(classes) for label in lines):
        return labels
    return [None if label is None else classes[int(label)] for label in labels]


def ranking(
    p: NDArray[np.float64], classes: tuple[str, ...], without: str | None, size: int
) -> list[tuple[str, float]]:
    """Find the most probable classes of one row, `size` at most, `without` the one that is reported already.

    Parameters
    ----------
    p : array, shape (classes,)
        One row; nan throughout gives no class.
    """
    order = np.argsort(-p, kind="stable")[: size + 1].tolist()
    return [(classes[i], float(p[i])) for i in order if classes[i] != without and not np.isnan(p[i])][:size]


_LISTED = 5
"""Lines of the spread: with ten rows, their note and the facts they fit on a terminal of 24 lines."""
_FATE = {"error": "", "skip": ", left out", "null": ", kept unscored"}


def _show_facts(console: Console, tally: Tally) -> None:
    """Print the figures of a whole run, as many on a line as it takes."""
    marks = glyphs(console)
    facts = [Text(counted(tally.rows, "row"))]
    if tally.abstained:
        facts.append(Text(f"{tally.abstained:,} abstained", "yellow"))
    if tally.accuracy is not None:
        among = "" if tally.judged == tally.rows else f" of {tally.judged:,}"
        facts.append(Text(f"accuracy {probability(tally.accuracy)}{among}"))
    if tally.mean_confidence is not None:
        facts.append(Text(f"mean confidence {probability(tally.mean_confidence)}"))
    if tally.bad_rows:
        facts.append(Text(f"{counted(tally.bad_rows, 'bad row')}{_FATE[tally.bad_policy]}", "yellow"))
    line = facts[0]
    for fact in facts[1:]:
        if width(line.plain) + width(fact.plain) + 3 > console.width:
            console.print(line)
            line = fact
        else:
            line = Text.assemble(line, (f" {marks.between} ", "dim"), fact)
    console.print(line)


def _show_spread(console: Console, shown: Shown, tally: Tally) -> None:
    """Print in how many rows each class is the most probable: the commonest by name, the others in one line."""
    marks = glyphs(console)
    order = np.argsort(-tally.counts, kind="stable").tolist()
    listed = order if shown.all_classes or len(order) <= _LISTED else order[: _LISTED - 1]
    names = [visible(shown.classes[i], console.encoding) for i in listed]
    counts = [int(tally.counts[i]) for i in listed]
    bars = [count / counts[0] for count in counts]
    styles = [""] * len(listed)
    if len(listed) < len(order):
        names.append(f"{marks.ellipsis} {len(order) - len(listed)} more: --all")
        counts.append(tally.scored - sum(counts))
        bars.append(0.0)  # a sum of many is no rival of the single ones
        styles.append("dim")
    columns: list[Column] = [
        TextColumn("most probable", names, 4, styles, least=9, most=30),
        FigureColumn("rows", [f"{count:,}" for count in counts], 3, styles, least=4),
        FigureColumn("share", [percent(count, tally.scored) for count in counts], 2, styles),
        BarColumn(bars, weight=1),
    ]
    draw(console, columns)


_LOOKED_AT = 100
"""Columns of each kind that are made ready: fewer fit on any terminal, and a table may have 100,000."""


def plain_columns(batch: pa.RecordBatch, shown: Shown, marks: Glyphs) -> list[Column]:
    """Make columns that give way from the right, those that only pass through before those that were computed."""
    give_way = set(shown.passed) - {shown.id, shown.label}
    passed = [i for i, name in enumerate(batch.schema.names) if name in give_way]
    computed = [i for i, name in enumerate(batch.schema.names) if name not in give_way]
    weights = dict.fromkeys(passed[:_LOOKED_AT], 0) | dict.fromkeys(computed[:_LOOKED_AT], 1)
    return [_column(batch.schema.field(i), batch.column(i), weights[i], marks) for i in sorted(weights)]


def _column(field: pa.Field, array: pa.Array, weight: int, marks: Glyphs) -> Column:
    heading = visible(field.name, marks.encoding)
    if pa.types.is_floating(field.type):
        return FigureColumn(heading, numbers(array, field), weight)
    make = FigureColumn if pa.types.is_integer(field.type) else TextColumn
    return make(heading, texts(array, marks.encoding), weight)


_LONGEST = 500
"""Characters of a cell that are looked at: no terminal shows more, and a cell may hold megabytes."""


def strings(array: pa.Array) -> list[str | None]:
    """Every value as text; null is None."""
    return [None if value is None else str(value) for value in cells(array)]


def texts(array: pa.Array, encoding: str) -> list[str]:
    """Every value as one visible line; a null is empty."""
    return ["" if value is None else visible(value[:_LONGEST], encoding) for value in strings(array)]


def numbers(array: pa.Array, field: pa.Field) -> list[str]:
    """Real numbers with as many digits as a person compares; a null is empty."""
    is_probability = (field.metadata or {}).get(METADATA_KEY) == b"prob"
    write = probability if is_probability else _number
    return ["" if value is None else write(value) for value in array.to_pylist()]


def _number(value: float) -> str:
    if math.isfinite(value) and (value == 0 or 1e-3 <= abs(value) < 1e6):
        return f"{value:.3f}"
    return f"{value:.3g}"


class FirstRows:
    """Takes every batch and keeps the first rows of all; answers to `formats.Writer`."""

    def __init__(self, schema: Schema, limit: int | None) -> None:
        self._schema = schema
        self._limit = limit
        self._kept: list[Batch] = []
        self._rows = 0

    def encode(self, batch: Batch) -> Batch:
        """Leave a batch as it is."""
        return batch

    def write(self, payload: Batch) -> None:
        """Keep what still fits."""
        left = payload.num_rows if self._limit is None else min(payload.num_rows, self._limit - self._rows)
        if left:
            self._kept.append(payload.slice(0, left))
            self._rows += left

    def close(self) -> None:
        """Nothing ends a screen."""

    def batch(self) -> pa.RecordBatch:
        """Return the kept rows as one batch."""
        schema = to_arrow_schema(self._schema)
        table = pa.Table.from_batches(map(to_arrow, self._kept), schema).combine_chunks()
        batches = table.to_batches()
        return batches[0] if batches else to_arrow(empty_batch(self._schema))
