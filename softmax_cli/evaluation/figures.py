"""``evaluate --plot``: the report as plots, each of which draws one panel."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from softmax_cli.evaluation.report import ClassFigures, Pair, Report
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

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import SubFigure

MOST_PAIRS = 12
"""Confused pairs that are listed where the matrix has too many classes to be read."""
MOST_CELLS = 60
"""A larger matrix is summed in square tiles to about so many rows and columns."""


def write_evaluation_plots(report: Report, names: Sequence[str], path: str, force: bool) -> None:
    """Draw the named plots of a report on one sheet."""
    title = f"{report.source}: {report.rows:,} rows, {report.classes:,} classes"
    write_plots([partial(PLOTS[name], report) for name in names], title, path, force)


def _reliability(report: Report, place: SubFigure) -> None:
    bins = [(one.lower, one.upper, one.rows, one.confidence, one.accuracy) for one in report.bins]
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
    _confused_pairs(report.confusion, listed)
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


def _confused_pairs(pairs: Sequence[Pair], axes: Axes) -> None:
    wrong = sorted((pair for pair in pairs if pair.true != pair.predicted), key=lambda pair: -pair.rows)
    axes.set_title("Most confused (true → predicted)")
    if not wrong:
        axes.text(0.5, 0.5, "no row is wrong", ha="center", transform=axes.transAxes)
        return
    shown = wrong[:MOST_PAIRS]
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
    shown = sorted(known, key=_f1)[:LABELLED_CLASSES] if len(known) > LABELLED_CLASSES else known
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


def _f1(one: ClassFigures) -> float:
    return _or_zero(one.f1)


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
