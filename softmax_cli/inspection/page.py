"""``inspect --report``: the report as one HTML page."""

from __future__ import annotations

from softmax_cli.errors import counted
from softmax_cli.inspection.report import ClassFigures, Inspection
from softmax_cli.page.report import Table, histogram_chart, number, report_page, table


def inspection_page(found: Inspection, command: str) -> bytes:
    """Make the page of a report."""
    severities = [one.severity for one in found.findings]
    verdict = [f"{one.severity}: {one.text}" for one in found.findings if one.severity != "note"]
    return report_page(
        f"Inspection of {found.source}",
        command,
        verdict=verdict or ["Nothing found that would go wrong."],
        facts=[f"{found.rows:,} rows", found.columns, f"read as {found.kind}, computed in {found.dtype}"],
        charts=[
            histogram_chart(
                "confidence",
                "Confidence",
                "The probability of the class that wins a row.",
                "confidence",
                ("rows", ""),
                [(count, 0) for count in found.confidence],
            ),
            histogram_chart(
                "entropy",
                "Entropy",
                "0 is certain, 1 is uniform over the classes.",
                "entropy / log K",
                ("rows", ""),
                [(count, 0) for count in found.entropy],
            ),
        ],
        tables=inspection_tables(found),
        steps=[
            f"outliers: a robust z beyond {found.outlier_limit:g}",
            ", ".join(counted(severities.count(kind), kind) for kind in ("problem", "warning")),
        ],
    )


def inspection_tables(found: Inspection) -> list[Table]:
    """Make the tables of a report."""
    return [*_findings(found), _classes(found)]


def _findings(found: Inspection) -> list[Table]:
    rows = [(one.severity, one.text, "; ".join(one.places), one.advice, one.flag) for one in found.findings]
    return [table("findings", "Findings", "", ("kind", "what", "where", "what to do", "option"), rows)] if rows else []


def _classes(found: Inspection) -> Table:
    def values(one: ClassFigures) -> list[str]:
        known = (one.lowest, one.median, one.mean, one.highest, one.spread)
        return ["" if value is None else number(value) for value in known]

    rows = [
        (one.name, f"{one.predicted:,}", *values(one), f"{one.missing:,}", f"{one.infinite:,}", f"{one.outliers:,}")
        for one in found.classes
    ]
    columns = ("class", "wins", "lowest", "median", "mean", "highest", "spread", "missing", "infinite", "outliers")
    text = "In the unit of the file's scores; spread: 1.4826 times the median distance from the median."
    return table("classes", "Classes", text, columns, rows)
