"""``evaluate --plot`` and ``--report``: the report as plots, each of which draws one panel, and as one HTML page."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from softmax_cli.errors import counted
from softmax_cli.evaluation.report import Figure, Pair, Point, Report, full_titles
from softmax_cli.page.plot import (
    BLACK,
    BLUE,
    GREY,
    LABELLED_CLASSES,
    ORANGE,
    draw_bars,
    draw_histogram,
    draw_reliability,
    list_names,
    name_ticks,
    pair_names,
    shortened,
    write_plots,
)
from softmax_cli.page.report import (
    Table,
    Tile,
    curve_chart,
    histogram_chart,
    number,
    reliability_chart,
    report_page,
    table,
)
from softmax_cli.terminal.text import probability

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import SubFigure


DRAWN_PAIRS = 12
"""Confused pairs that are listed where the matrix has too many classes to be read."""
MOST_CELLS = 60
"""A larger matrix is summed in square tiles to about so many rows and columns."""


def write_evaluation_plots(report: Report, names: Sequence[str], path: str, force: bool) -> None:
    """Draw the named plots of a report on one sheet."""
    title = f"{report.source}: {report.rows:,} rows, {report.classes:,} classes"
    write_plots([partial(PLOTS[name], report) for name in names], title, path, force)


def _reliability(report: Report, place: SubFigure) -> None:
    bins = [astuple(one) for one in report.bins]
    error = report.summing_up("reliability")
    low, high = error.interval or (np.nan, np.nan)
    within = "" if np.isnan(low) else f" [{low:.4f}, {high:.4f}]"
    corner = f"{error.title} {error.value:.4f}{within}\nN = {report.rows:,}"
    draw_reliability(place, bins, f"Reliability ({report.bins_by})", corner)


def _confidence(report: Report, place: SubFigure) -> None:
    """Rows by confidence, right ones below wrong ones."""
    right, wrong = zip(*report.histogram, strict=True)
    draw_histogram(place, [("right", right), ("wrong", wrong)], "Confidence", "confidence", report.rows)


def _confusion(report: Report, place: SubFigure) -> None:
    """The matrix with its numbers; of many classes the most confused pairs, beside a picture in tiles."""
    names = [one.name for one in report.per_class]
    if len(names) <= LABELLED_CLASSES:
        _labelled_matrix(report, names, place.subplots())
        return
    listed, picture = place.subplots(2, 1, height_ratios=(1, 1))
    _confused_pairs(report, listed)
    matrix = _matrix(report.confusion, names)
    size = -(-len(names) // MOST_CELLS)
    padded = np.pad(matrix, [(0, -len(names) % size)] * 2)
    tiles = padded.reshape(len(padded) // size, size, len(padded) // size, size).sum(axis=(1, 3))
    picture.imshow(np.log1p(tiles), cmap="Blues", interpolation="nearest")
    tile = f" ({size} x {size} classes to a dot)" if size > 1 else ""
    picture.set(xticks=[], yticks=[], xlabel=f"predicted{tile}", ylabel="true")
    picture.set_title(f"all {len(names):,} classes; darker: more rows", fontsize=8, fontweight="normal")


def _labelled_matrix(report: Report, names: list[str], axes: Axes) -> None:
    matrix = _matrix(report.confusion, names)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    name_ticks(axes, names)
    name_ticks(axes, names, vertical=False)
    axes.set(
        xlabel="predicted (numbers: rows; shade: share of the true class)",
        ylabel="true",
        title=f"Confusion (N = {report.rows:,})",
    )
    size = 8 if len(names) <= 12 else 5
    for row, column in zip(*np.nonzero(matrix), strict=True):
        color = "white" if shares[row, column] > 0.5 else BLACK
        axes.text(column, row, f"{matrix[row, column]}", ha="center", va="center", fontsize=size, color=color)


def _confused_pairs(report: Report, axes: Axes) -> None:
    shown = report.confused()[:DRAWN_PAIRS]
    axes.set_title("Most confused (true → predicted)")
    if not shown:
        axes.text(0.5, 0.5, "no row is wrong", ha="center", transform=axes.transAxes)
        return
    draw_bars(axes, pair_names([(pair.true, pair.predicted) for pair in shown]), [pair.rows for pair in shown])


def _matrix(pairs: Sequence[Pair], names: list[str]) -> NDArray[np.int64]:
    place = {name: number for number, name in enumerate(names)}
    matrix = np.zeros((len(names), len(names)), np.int64)
    for pair in pairs:
        matrix[place[pair.true], place[pair.predicted]] = pair.rows
    return matrix


def _risk(report: Report, place: SubFigure) -> None:
    """Share of errors among the rows that are answered, against their share."""
    axes = place.subplots()
    coverage = [point.coverage for point in report.curve]
    axes.plot(coverage, [point.risk for point in report.curve], color=BLUE)
    axes.set(
        xlim=(0, 1.02),
        xlabel="coverage (share of rows answered, the surest first)",
        ylabel="risk (share of these wrong)",
    )
    axes.set_ylim(bottom=0)
    area = report.summing_up("risk_coverage")
    axes.set_title(f"Risk and coverage ({area.title} {area.value:.4f}, N = {report.rows:,})")
    axes.grid(color=GREY, linewidth=0.4)


def _classes(report: Report, place: SubFigure) -> None:
    """Precision and recall of every class; of many classes, of those with the lowest F1."""
    axes = place.subplots()
    known = [one for one in report.per_class if one.support]
    shown = (
        sorted(known, key=lambda one: _or_zero(one.f1))[:LABELLED_CLASSES] if len(known) > LABELLED_CLASSES else known
    )
    for position, one in enumerate(shown):
        axes.plot([one.recall, _or_zero(one.precision)], [position] * 2, color=GREY, linewidth=1)
    rows = range(len(shown))
    axes.plot([one.recall for one in shown], rows, "o", color=BLUE, markersize=6, label="recall")
    axes.plot([_or_zero(one.precision) for one in shown], rows, "s", color=ORANGE, markersize=3.5, label="precision")
    list_names(axes, [f"{shortened(one.name)} ({one.support:,})" for one in shown])
    of_all = "" if len(shown) == len(known) else f": the {len(shown)} lowest F1 of {len(known):,}"
    least = min((min(one.recall, _or_zero(one.precision)) for one in shown), default=0.0)
    left = min(np.floor(least * 10) / 10, 0.9)  # nothing is below, and a good model would be a cloud at the right edge
    axes.set(xlim=(left - 0.02 * (1 - left), 1.02 - 0.02 * left), xlabel="share", title=f"Classes (rows){of_all}")
    axes.grid(axis="x", color=GREY, linewidth=0.4)
    place.legend(fontsize=8, loc="outside lower center", ncols=2)


def _or_zero(value: float) -> float:
    """0 for a figure that is not known, as the precision of a class that is never predicted."""
    return 0.0 if np.isnan(value) else value


PLOTS: Mapping[str, Callable[[Report, SubFigure], None]] = MappingProxyType(
    {
        "reliability": _reliability,
        "confidence": _confidence,
        "confusion": _confusion,
        "risk": _risk,
        "classes": _classes,
    }
)
"""Name of a plot, for ``--plots``, and what draws it."""


MOST_PAIRS = 50
"""Confused pairs in the table of a page."""


def evaluation_page(report: Report, command: str) -> bytes:
    """Make the page of a report."""
    figures, *others = evaluation_tables(report)
    return report_page(
        f"Evaluation of {report.source}",
        command,
        verdict=report.verdict or ["There is no row to measure."],
        facts=[counted(report.rows, "row"), f"{counted(report.bad_rows, 'bad row')} left out", report.columns],
        tiles=[_tile(figure) for figure in report.figures if figure.decides],
        charts=[
            reliability_chart(
                "Of rows with confidence 0.9, nine of ten should be right: the marks should lie on the dashed line "
                f"({report.bins_by}; larger marks hold more rows).",
                [astuple(one) for one in report.bins],
            ),
            histogram_chart(
                "confidence",
                "Confidence",
                "How sure the predictions are; the upper part of a bar, in the other colour, was wrong.",
                "confidence",
                ("right", "wrong"),
                report.histogram,
            ),
            curve_chart(
                "risk",
                "Risk and coverage",
                "What would be left of the errors if only the surest predictions were given.",
                ("share of rows answered", "share of these wrong"),
                [(point.coverage, point.risk, _answered(point)) for point in report.risk_coverage],
                [(point.coverage, point.risk) for point in report.curve],
            ),
        ],
        tables=[*others, figures],
        steps=[*report.operations, f"intervals: 95 %, {report.bootstrap} bootstrap replicates, seed {report.seed}"],
    )


def evaluation_tables(report: Report) -> list[Table]:
    """Make the tables of a report, the figures first."""
    return [
        _figure_table(report),
        *_class_table(report),
        *_confusion_table(report),
        *_mistake_table(report),
        *_slice_table(report),
    ]


def _answered(point: Point) -> str:
    return f"{point.coverage:.1%} answered, confidence from {point.threshold:.4f}: {point.risk:.2%} wrong"


def _tile(figure: Figure) -> Tile:
    return Tile(figure.title.strip(), number(figure.value), interval_of(figure) or figure.note)


def interval_of(figure: Figure, form: str = ".4f") -> str:
    """Spell the limits of a figure; "" where they are not known."""
    if figure.interval is None or math.isnan(figure.interval[0]):
        return ""
    return f"95 %: {figure.interval[0]:{form}} to {figure.interval[1]:{form}}"


def _class_table(report: Report) -> list[Table]:
    rows = [
        (c.name, f"{c.support:,}", f"{c.predicted:,}", *map(number, (c.precision, c.recall, c.f1, *c.known.values())))
        for c in report.per_class
    ]
    titles = [title for name, title in report.titles.items() if any(name in c.known for c in report.per_class)]
    columns = ("class", "rows", "predicted", "precision", "recall", "F1", *titles)
    return [table("classes", "Classes", "Each against the rest.", columns, rows)]


def _confusion_table(report: Report) -> list[Table]:
    support = {one.name: one.support for one in report.per_class}
    rows = [
        (p.true, p.predicted, f"{p.rows:,}", f"{100 * p.rows / support[p.true]:.1f} %", ", ".join(p.examples))
        for p in report.confused()[:MOST_PAIRS]
    ]
    columns = ("true", "taken for", "rows", "of the class", "such as")
    return [table("confusions", "Commonest confusions", "", columns, rows)] if rows else []


def _mistake_table(report: Report) -> list[Table]:
    rows = [
        (m.row, m.true, m.predicted, probability(m.confidence, 4), number(m.true_probability)) for m in report.mistakes
    ]
    columns = ("row", "true", "taken for", "confidence", "p of the true class")
    return [table("mistakes", "Worst mistakes", "The surest of the wrong predictions.", columns, rows)] if rows else []


def _slice_table(report: Report) -> list[Table]:
    if not report.slices:
        return []
    titles = [figure.title.strip() for figure in report.slices[0].figures if figure.decides]
    rows = [(one.name, f"{one.rows:,}", *(number(f.value) for f in one.figures if f.decides)) for one in report.slices]
    return [table("slices", f"By {report.by}", "", (report.by or "", "rows", *titles), rows)]


def _figure_table(report: Report) -> Table:
    titles = full_titles(report.figures)
    rows = [(title, number(f.value), interval_of(f), f.note) for title, f in zip(titles, report.figures, strict=True)]
    return table("figures", "All figures", "", ("figure", "value", "interval", "what it is"), rows)
