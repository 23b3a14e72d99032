"""What a terminal shows of a scored table: the first rows, one line each, and a summary under them."""

from __future__ import annotations

import pyarrow as pa
from rich.console import Console
from rich.text import Text

from softmax_cli.batches.tally import Tally
from softmax_cli.display.cells import texts
from softmax_cli.display.figures import counted, probability
from softmax_cli.display.fitting import total
from softmax_cli.display.glyphs import Glyphs, glyphs
from softmax_cli.display.plain import plain_columns
from softmax_cli.display.ranking import ConfidenceColumn, OtherClassesColumn
from softmax_cli.display.rows import Rows, Shown, ranking, read_rows
from softmax_cli.display.summary import show_summary
from softmax_cli.display.table import Column, TextColumn, draw
from softmax_cli.display.text import visible

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
        drawn = draw(console, columns, marks)
        if shown.is_plain and drawn < batch.num_columns:
            left_out = counted(batch.num_columns - drawn, "more column")
            console.print(Text(f"{marks.ellipsis} {left_out}", "dim"))
        if limit_note:
            console.print(Text(visible(limit_note, marks.encoding), "dim"))
        console.print()
    show_summary(console, shown.classes, tally, marks)


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
    return columns + _classes(rows, shown.classes, marks, width - total([column.want().least for column in columns]))


def _names(batch: pa.RecordBatch, shown: Shown, marks: Glyphs, width: int) -> Column:
    if shown.id is None:
        return TextColumn("row", [f"{row}" for row in range(1, batch.num_rows + 1)], weight=8, is_number=True)
    least = max(6, min(12, width // 5))
    names = texts(batch.column(shown.id), marks.encoding)
    return TextColumn(visible(shown.id, marks.encoding), names, weight=8, least=least, most=max(least, width // 3))


def _predictions(rows: Rows, marks: Glyphs) -> Column:
    stand_in = {None: "(bad row)", "": "(abstained)"}
    told = [stand_in.get(name) or visible(name or "", marks.encoding) for name in rows.predictions]
    styles = ["bold" if name else "dim" for name in rows.predictions]
    return TextColumn("prediction", told, 9, styles, least=10, most=20)


def _verdicts(rows: Rows, classes: tuple[str, ...], marks: Glyphs) -> Column:
    """Compare predictions with truths; a truth that is no class says nothing."""
    known = set(classes)
    texts_, styles = [], []
    for prediction, truth in zip(rows.predictions, rows.truths or (), strict=True):
        is_judged = bool(prediction) and truth in known
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
            told = ["" if value != value else probability(value) for value in p]
            each.append(TextColumn(visible(name, marks.encoding), told, 3, styles, is_number=True, least=5, most=12))
        if total([0, *(column.want().least for column in each)]) <= room:
            return each
    rankings = [
        ranking(p, classes, prediction, _RANKED) for p, prediction in zip(rows.p, rows.predictions, strict=True)
    ]
    told_rankings = [[(visible(name, marks.encoding), value) for name, value in row] for row in rankings]
    return [OtherClassesColumn(told_rankings, weight=3)]
