"""``compare --report``: the report as one HTML page; of several tables each beside the first."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence

from softmax_cli.errors import counted
from softmax_cli.evaluation.pairs.figures import kind_titles
from softmax_cli.evaluation.pairs.report import ClassChange, ComparisonReport, PairReport
from softmax_cli.evaluation.report import Figure, full_titles
from softmax_cli.numeric.distributions.comparison import CONFIDENCE_BINS
from softmax_cli.page.report import Chart, Table, Tile, number, report_page, scatter_chart, table

MOST_FLIPS = 50
"""Pairs of classes that are listed."""
CELLS = 20
"""Marks along each axis: a person goes from one to the next with the arrow keys."""


def comparison_page(report: ComparisonReport, flips: Sequence[dict[str, object]], command: str) -> bytes:
    """Make the page.

    Parameters
    ----------
    flips : sequence of dict
        The first rows whose prediction changes, with the names of `Flipped` as keys.
    """
    first, *others = report.files
    bootstrap = f"intervals: 95 %, {report.bootstrap} paired bootstrap replicates, seed {report.seed}"
    return report_page(
        f"{first} compared with {' and '.join(others)}",
        command,
        verdict=[f"{_named(report, pair)}{sentence}" for pair in report.pairs for sentence in pair.verdict]
        or ["There is no row to compare."],
        facts=[
            f"{counted(report.rows, 'row')} joined by {report.joined_by}",
            f"{counted(report.left_out, 'bad row')} left out",
            f"{report.labelled:,} with a truth",
        ],
        tiles=[tile for pair in report.pairs for tile in _tiles(report, pair)],
        charts=[_confidences(report, pair, place) for place, pair in enumerate(report.pairs)],
        tables=comparison_tables(report, flips),
        steps=[
            f"first: {first}",
            *(f"second: {second}" for second in others),
            "softmax of each, classes matched by name",
            *([bootstrap] if report.bootstrap else []),
        ],
    )


def comparison_tables(report: ComparisonReport, flips: Sequence[dict[str, object]]) -> list[Table]:
    """Make the tables of a report; `flips` as for `comparison_page`."""
    tables = [one for place, pair in enumerate(report.pairs) for one in _pair_tables(report, pair, place)]
    if flips:
        total = sum(int(pair.named("flips").value) for pair in report.pairs)
        shown = f"The first {len(flips):,} of {total:,}." if len(flips) < total else ""
        columns = [name.replace("_", " ") for name in flips[0]]
        rows = [[_cell(value) for value in row.values()] for row in flips]
        tables.append(table("rows", "Rows whose prediction changes", shown, columns, rows))
    return tables


def _named(report: ComparisonReport, pair: PairReport) -> str:
    """Name the pair where there are several."""
    return f"{pair.second}: " if len(report.pairs) > 1 else ""


def _tiles(report: ComparisonReport, pair: PairReport) -> Iterator[Tile]:
    agreement, flips = pair.named("agreement"), pair.named("flips")
    named, among = _named(report, pair), f"{counted(int(flips.value), 'flip')} in {counted(report.rows, 'row')}"
    yield Tile(f"{named}agreement", f"{agreement.value:.2%}" if report.rows else "unknown", among)
    for figure in pair.figures:
        if figure.name.endswith("_difference"):
            yield Tile(f"{named}{figure.title}", _signed(figure.value), _interval(figure) or figure.note)


def _interval(figure: Figure) -> str:
    if figure.interval is None or math.isnan(figure.interval[0]):
        return ""
    return f"95 %: {figure.interval[0]:+.5f} to {figure.interval[1]:+.5f}"


def _signed(value: float) -> str:
    return "unknown" if math.isnan(value) else f"{value:+.5f}"


def _confidences(report: ComparisonReport, pair: PairReport, place: int) -> Chart:
    titles = kind_titles(bool(report.labelled))
    joined = CONFIDENCE_BINS // CELLS
    cells: Counter[tuple[int, int, int]] = Counter()
    for cell in pair.confidences:
        cells[cell.kind, cell.first // joined, cell.second // joined] += cell.rows
    text = (
        "How sure each is of its own prediction. On the dashed line both are as sure; "
        f"a mark stands for the rows in a cell of {1 / CELLS:g} by {1 / CELLS:g}, the larger the more."
    )
    return scatter_chart(
        f"confidence-{place}",
        f"{_named(report, pair)}Confidence of both",
        text,
        ("confidence of the first", "confidence of the second"),
        [titles.get(kind, "") for kind in range(4)],
        CELLS,
        sorted((kind, x, y, rows) for (kind, x, y), rows in cells.items()),
    )


def _pair_tables(report: ComparisonReport, pair: PairReport, place: int) -> Iterator[Table]:
    named = _named(report, pair)
    titles = full_titles(pair.figures)
    figures = [(title, _value(f), _interval(f), f.note) for title, f in zip(titles, pair.figures, strict=True)]
    columns = ("figure", "value", "interval", "what it is")
    yield table(f"figures-{place}", f"{named}Figures", "", columns, figures)
    changed = sorted((c for c in pair.classes if c.support or c.first_predicted or c.second_predicted), key=_size)
    unseen = len(pair.classes) - len(changed)
    left_out = f" {unseen:,} that are neither true nor predicted are left out." if unseen else ""
    heads: tuple[str, ...]
    if report.labelled:
        heads = ("class", "rows", "recall, first", "recall, second", "change", "predicted, first", "predicted, second")
    else:
        heads = ("class", "predicted, first", "predicted, second", "change")
    classes = [
        (c.name, f"{c.support:,}", number(c.first_recall), number(c.second_recall), _change(c), *_predicted(c))
        if report.labelled
        else (c.name, *_predicted(c), f"{c.second_predicted - c.first_predicted:+,}")
        for c in changed
    ]
    yield table(f"classes-{place}", f"{named}Classes", f"The most changed first.{left_out}", heads, classes)
    flips = [(flip.first, flip.second, f"{flip.rows:,}") for flip in pair.flips[:MOST_FLIPS]]
    if flips:
        more = f"The {len(flips)} commonest of {len(pair.flips):,}." if len(flips) < len(pair.flips) else ""
        yield table(f"flips-{place}", f"{named}Commonest flips", more, ("first", "second", "rows"), flips)


def _value(figure: Figure) -> str:
    if figure.name.endswith("_difference"):
        return _signed(figure.value)
    if isinstance(figure.value, int):
        return f"{figure.value:,}"
    return f"{figure.value:.2g}" if 0 < figure.value < 1e-4 else number(figure.value)  # a p-value is never 0


def _size(change: ClassChange) -> tuple[float, int]:
    """Order the most changed first: by recall where it is known, then by how often it is predicted."""
    gap = abs(change.second_recall - change.first_recall) if change.support else 0.0
    return -gap, -abs(change.second_predicted - change.first_predicted)


def _change(change: ClassChange) -> str:
    gap = change.second_recall - change.first_recall
    return f"{gap:+.4f}" if change.support else "unknown"


def _predicted(change: ClassChange) -> tuple[str, str]:
    return f"{change.first_predicted:,}", f"{change.second_predicted:,}"


def _cell(value: object) -> str:
    if isinstance(value, float):
        return number(value)
    return "" if value is None else str(value)
