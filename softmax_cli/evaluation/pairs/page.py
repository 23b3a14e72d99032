"""``compare --format``: the report as tables to be pasted."""

from __future__ import annotations

from collections.abc import Sequence

from softmax_cli.evaluation.page import spelled_interval
from softmax_cli.evaluation.pairs.report import ComparisonReport, PairReport
from softmax_cli.page.report import Table, number, table
from softmax_cli.tables.batch import Batch

COLUMNS = ("figure", "value", "interval", "what it is")


def comparison_tables(report: ComparisonReport, flips: Sequence[Batch]) -> list[Table]:
    """Make a table for each pair of files and, with truths, one of every file; `flips` are the first rows that flip."""
    tables = [_pair(report.files[0], pair) for pair in report.pairs]
    if report.members:
        titles = [figure.title.strip() for figure in report.members[0]]
        rows = [
            (file, *(number(figure.value) for figure in figures))
            for file, figures in zip(report.files, report.members, strict=True)
        ]
        tables.append(table("files", "Each file alone", "", ("file", *titles), rows))
    flipped = [row for batch in flips for row in batch.to_pylist()]
    if flipped:
        names = flips[0].schema.names
        rows = [tuple(_cell(row[name]) for name in names) for row in flipped]
        tables.append(table("flips", "The first rows that flip", "", [name.replace("_", " ") for name in names], rows))
    return tables


def _pair(first: str, pair: PairReport) -> Table:
    rows, above = [], ""
    for figure in pair.figures:
        is_part = figure.title.startswith(" ")  # on a screen it stands indented, below what it is a part of
        title = f"{above}: {figure.title.strip()}" if is_part else figure.title
        above = above if is_part else figure.title
        rows.append((title, _value(figure.value), spelled_interval(figure), figure.note))
    return table(f"pair-{pair.second}", f"{pair.second} beside {first}", "", COLUMNS, rows)


def _value(value: float) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.2g}" if 0 < abs(value) < 1e-4 else number(value)  # a p-value is never 0


def _cell(value: object) -> str:
    return number(value) if isinstance(value, float) else "" if value is None else str(value)
