"""``inspect --plot`` and ``--report``: where the scores of each class lie, and how sure the rows look."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from softmax_cli.errors import counted
from softmax_cli.inspection.report import ClassFigures, Inspection
from softmax_cli.page.plot import (
    BLACK,
    BLUE,
    GREY,
    LABELLED_CLASSES,
    draw_bars,
    draw_histogram,
    list_names,
    write_plots,
)
from softmax_cli.page.report import Table, histogram_chart, number, report_page, table

if TYPE_CHECKING:
    from matplotlib.figure import SubFigure


FAR = 20
"""A score so many times as large as the usual ones would leave no room for them on a linear scale."""


def write_inspection_plots(found: Inspection, path: str, force: bool) -> None:
    """Draw the scores by class, the outliers by class if there are any, confidences and entropies."""
    panels = [
        partial(_scores, found),
        *([partial(_outliers, found)] if _has_outliers(found) else []),
        partial(_shares, found.confidence, "Confidence", "probability of the winner", found.scored),
        partial(_shares, found.entropy, "Entropy", "share of log K; 0: certain, 1: uniform", found.scored),
    ]
    write_plots(panels, f"{found.source}: {found.rows:,} rows, {len(found.classes):,} classes", path, force)


def _shown(found: Inspection) -> tuple[list[ClassFigures], str]:
    """Choose the classes that fit: those with the most outliers, then the widest."""
    known = [one for one in found.classes if one.median is not None]
    if len(known) <= LABELLED_CLASSES:
        return known, ""
    worst = sorted(known, key=lambda one: (-one.outliers, -(one.spread or 0.0)))[:LABELLED_CLASSES]
    which = "with the most outliers" if _has_outliers(found) else "with the widest spread"
    return worst, f": {LABELLED_CLASSES} of {len(known):,} {which}"


def _has_outliers(found: Inspection) -> bool:
    return any(one.outliers for one in found.classes)


def _scores(found: Inspection, place: SubFigure) -> None:
    axes = place.subplots()
    shown, chosen = _shown(found)
    rows = np.arange(len(shown))
    lowest, median, spread, highest = (
        np.array([getattr(one, name) for one in shown], float) for name in ("lowest", "median", "spread", "highest")
    )
    axes.hlines(rows, lowest, highest, color=GREY, linewidth=1, label="lowest to highest")
    low, high = np.maximum(lowest, median - spread), np.minimum(highest, median + spread)
    axes.hlines(rows, low, high, color=BLUE, linewidth=5, label="median ± robust spread")
    axes.plot(median, rows, "|", color=BLACK, markersize=8, label="median")
    list_names(axes, [one.name for one in shown])
    note = "" if _has_outliers(found) else f"; no cell with a robust z beyond {found.outlier_limit:g}"
    usual, farthest = (float(np.max(np.abs(ends), initial=0.0)) for ends in ((low, high), (lowest, highest)))
    if 0 < FAR * usual < farthest:
        straight = 10.0 ** np.ceil(np.log10(usual))
        axes.set_xscale("symlog", linthresh=straight, linscale=3)
        axes.set_xticks(ticks := [side * tick for side in (-1, 1) for tick in (straight / 2, straight, farthest)] + [0])
        axes.set_xticklabels([f"{tick:.3g}" for tick in ticks])
        axes.minorticks_off()
        note = f"; logarithmic beyond ±{straight:g}"
    axes.set(xlabel=f"score ({found.kind}){note}", title=f"Scores{chosen}")
    axes.title.set_fontsize(9)
    place.legend(fontsize=7, loc="outside lower center", ncols=3)


def _outliers(found: Inspection, place: SubFigure) -> None:
    axes = place.subplots()
    shown, chosen = _shown(found)
    draw_bars(axes, [one.name for one in shown], [one.outliers for one in shown])
    axes.set(xlabel=f"cells with a robust z beyond {found.outlier_limit:g}", title=f"Outliers{chosen}")
    axes.title.set_fontsize(9)


def _shares(counts: tuple[int, ...], title: str, label: str, rows: int, place: SubFigure) -> None:
    draw_histogram(place, [("", counts)], title, label, rows)


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
            histogram_chart(title.lower(), title, text, x, ("rows", ""), [(count, 0) for count in counts])
            for title, text, x, counts in (
                ("Confidence", "The probability of the class that wins a row.", "confidence", found.confidence),
                ("Entropy", "0 is certain, 1 is uniform over the classes.", "entropy / log K", found.entropy),
            )
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
