"""``evaluate --report``: the report as one HTML page."""

from __future__ import annotations

import math

from softmax_cli.errors import counted
from softmax_cli.evaluation.report import Figure, Point, Report, full_titles
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

MOST_PAIRS = 50


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
                [(b.lower, b.upper, b.rows, b.confidence, b.accuracy) for b in report.bins],
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
    return [_figures(report), *_classes(report), *_confusions(report), *_mistakes(report), *_slices(report)]


def _answered(point: Point) -> str:
    return f"{point.coverage:.1%} answered, confidence from {point.threshold:.4f}: {point.risk:.2%} wrong"


def _tile(figure: Figure) -> Tile:
    return Tile(figure.title.strip(), number(figure.value), _interval(figure) or figure.note)


def _interval(figure: Figure) -> str:
    if figure.interval is None or math.isnan(figure.interval[0]):
        return ""
    return f"95 %: {figure.interval[0]:.4f} to {figure.interval[1]:.4f}"


def _classes(report: Report) -> list[Table]:
    rows = [
        (c.name, f"{c.support:,}", f"{c.predicted:,}", *map(number, (c.precision, c.recall, c.f1, *c.known.values())))
        for c in report.per_class
    ]
    titles = [title for name, title in report.titles.items() if any(name in c.known for c in report.per_class)]
    columns = ("class", "rows", "predicted", "precision", "recall", "F1", *titles)
    return [table("classes", "Classes", "Each against the rest.", columns, rows)]


def _confusions(report: Report) -> list[Table]:
    support = {one.name: one.support for one in report.per_class}
    rows = [
        (p.true, p.predicted, f"{p.rows:,}", f"{100 * p.rows / support[p.true]:.1f} %", ", ".join(p.examples))
        for p in report.confused()[:MOST_PAIRS]
    ]
    columns = ("true", "taken for", "rows", "of the class", "such as")
    return [table("confusions", "Commonest confusions", "", columns, rows)] if rows else []


def _mistakes(report: Report) -> list[Table]:
    rows = [
        (m.row, m.true, m.predicted, probability(m.confidence, 4), number(m.true_probability)) for m in report.mistakes
    ]
    columns = ("row", "true", "taken for", "confidence", "p of the true class")
    return [table("mistakes", "Worst mistakes", "The surest of the wrong predictions.", columns, rows)] if rows else []


def _slices(report: Report) -> list[Table]:
    if not report.slices:
        return []
    titles = [figure.title.strip() for figure in report.slices[0].figures if figure.decides]
    rows = [(one.name, f"{one.rows:,}", *(number(f.value) for f in one.figures if f.decides)) for one in report.slices]
    return [table("slices", f"By {report.by}", "", (report.by or "", "rows", *titles), rows)]


def _figures(report: Report) -> Table:
    titles = full_titles(report.figures)
    rows = [(title, number(f.value), _interval(f), f.note) for title, f in zip(titles, report.figures, strict=True)]
    return table("figures", "All figures", "", ("figure", "value", "interval", "what it is"), rows)
