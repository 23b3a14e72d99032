"""``compare --plot`` and ``--report``: confidences, flips, classes and gaps of each pair, as plots and as a page."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from softmax_cli.errors import counted
from softmax_cli.evaluation.pairs.report import ClassChange, ComparisonReport, PairReport
from softmax_cli.evaluation.pictures import interval_of
from softmax_cli.evaluation.report import Figure, full_titles
from softmax_cli.numeric.distributions.comparison import CONFIDENCE_BINS, FIRST_RIGHT, FLIPPED, SAME, SECOND_RIGHT
from softmax_cli.page.plot import (
    BLACK,
    BLUE,
    GREY,
    LABELLED_CLASSES,
    ORANGE,
    draw_bars,
    list_names,
    pair_names,
    shortened,
    write_plots,
)
from softmax_cli.page.report import Chart, Table, Tile, number, report_page, scatter_chart, table

if TYPE_CHECKING:
    from matplotlib.figure import SubFigure


DRAWN_FLIPS = 15
MARKS = ((SAME, "o", GREY), (FLIPPED, "D", BLACK), (FIRST_RIGHT, "v", ORANGE), (SECOND_RIGHT, "^", BLUE))
"""What becomes of a prediction, its mark, which tells it apart in grey too, and its colour."""


def kind_titles(labelled: bool) -> dict[int, str]:
    """Say in words what becomes of a prediction."""
    neither = "flip, neither is right" if labelled else "flip"
    both = {FIRST_RIGHT: "flip, only the first is right", SECOND_RIGHT: "flip, only the second is right"}
    return {SAME: "same prediction", FLIPPED: neither} | (both if labelled else {})


def write_comparison_plots(report: ComparisonReport, names: Sequence[str], path: str, force: bool) -> None:
    """Draw the named plots of every pair on one sheet."""
    first, *others = report.files
    title = f"{first} (first) and {' | '.join(others)} (second): {report.rows:,} rows"
    panels = [partial(PLOTS[name], report, pair) for pair in report.pairs for name in names]
    write_plots(panels, title, path, force)


def _confidence(report: ComparisonReport, pair: PairReport, place: SubFigure) -> None:
    """Both confidences; a mark is a cell of 0.01 by 0.01, its area grows with the logarithm of its rows."""
    axes = place.subplots()
    largest = max((max(cell.first, cell.second) + 1 for cell in pair.confidences), default=CONFIDENCE_BINS)
    end = max(np.ceil(10 * largest / CONFIDENCE_BINS) / 10, 0.1)  # of thousands of classes none may be near 1
    axes.plot([0, end], [0, end], color=GREY, linestyle="--", linewidth=1)
    titles = kind_titles(bool(report.labelled))
    for kind, marker, color in MARKS:
        cells = np.array([cell[1:] for cell in pair.confidences if cell.kind == kind], np.int64).reshape(-1, 3)
        if kind in titles:
            x, y = ((cells[:, side] + 0.5) / CONFIDENCE_BINS for side in (0, 1))
            size = 5 + 6 * np.log2(np.maximum(cells[:, 2], 1))
            look: dict[str, Any] = {
                "marker": marker,
                "facecolors": "none" if kind == SAME else color,
                "edgecolors": color,
            }
            axes.scatter(x, y, size, linewidths=0.6, **look)
            axes.scatter([], [], 16, label=f"{titles[kind]}: {cells[:, 2].sum():,}", **look)
    agreement, flips = pair.named("agreement"), pair.named("flips")
    axes.set(
        xlim=(0, 1.02 * end),
        ylim=(0, 1.02 * end),
        aspect="equal",
        xlabel="confidence of the first",
        ylabel="confidence of the second",
        title=f"{_named(report, pair)}agreement {agreement.value:.2%}, {flips.value:,} flips, N = {report.rows:,}",
    )
    place.legend(fontsize=7, loc="outside lower center", ncols=2, title="rows, by the prediction", title_fontsize=7)


def _flips(report: ComparisonReport, pair: PairReport, place: SubFigure) -> None:
    axes = place.subplots()
    rows = sum(flip.rows for flip in pair.flips)
    axes.set_title(f"{_named(report, pair)}Flips, first → second ({rows:,} rows)")
    shown = pair.flips[:DRAWN_FLIPS]
    if not shown:
        axes.text(0.5, 0.5, "no prediction changes", ha="center", transform=axes.transAxes)
        axes.set(xticks=[], yticks=[])
        return
    draw_bars(axes, pair_names([(flip.first, flip.second) for flip in shown]), [flip.rows for flip in shown])
    if len(shown) < len(pair.flips):
        axes.set_xlabel(f"rows; the {len(shown)} commonest of {len(pair.flips):,} pairs of classes")


def _classes(report: ComparisonReport, pair: PairReport, place: SubFigure) -> None:
    """Recall of every class by both, or without truths how often each predicts it; of many classes the most changed."""
    from matplotlib.ticker import MaxNLocator

    axes = place.subplots()
    if report.labelled:
        known = [
            (f"{shortened(c.name)} ({c.support:,})", c.first_recall, c.second_recall) for c in pair.classes if c.support
        ]
        what, title = "recall", "Recall (rows)"
    else:
        counts = [c for c in pair.classes if c.first_predicted or c.second_predicted]
        known = [(c.name, c.first_predicted, c.second_predicted) for c in counts]
        what, title = "rows predicted as the class", "Predictions"
    shown = known
    if len(known) > LABELLED_CLASSES:
        changed = sorted((one for one in known if one[1] != one[2]), key=lambda one: -abs(one[2] - one[1]))
        shown = changed[:LABELLED_CLASSES]
        title += f": the {len(shown)} {'most changed' if shown != changed else 'changed'} of {len(known):,}"
    names, first, second = zip(*shown, strict=True) if shown else ((), (), ())
    rows = range(len(shown))
    axes.hlines(rows, first, second, color=GREY, linewidth=1)
    axes.plot(first, rows, "o", color=ORANGE, markersize=5, label="first")
    axes.plot(second, rows, "s", color=BLUE, markersize=3.5, label="second")
    list_names(axes, names)
    axes.set(xlabel=what, title=f"{_named(report, pair)}{title}")
    axes.xaxis.set_major_locator(MaxNLocator("auto", integer=not report.labelled))
    axes.grid(axis="x", color=GREY, linewidth=0.4)
    axes.legend(fontsize=8)


def _gaps(report: ComparisonReport, pair: PairReport, place: SubFigure) -> None:
    """Every figure of the second less that of the first, each on a scale of its own, as their units differ."""
    figures = [figure for figure in pair.figures if figure.name.endswith("_difference")]
    places = place.subplots(len(figures), 1)
    title = f"{_named(report, pair)}Second less first (N = {report.labelled:,})"
    place.suptitle(title, fontsize=10, fontweight="bold")
    if report.bootstrap:
        place.supxlabel("bars: 95 % intervals, paired; grey: chance could have made the difference", fontsize=7)
    for figure, axes in zip(figures, np.atleast_1d(places), strict=True):
        low, high = figure.interval or (figure.value, figure.value)
        unclear = low <= 0 <= high
        axes.axvline(0, color=GREY, linestyle="--", linewidth=1)
        axes.plot([low, high], [0, 0], color=GREY if unclear else BLUE, linewidth=2)
        axes.plot(figure.value, 0, "o", color=GREY if unclear else BLUE)
        axes.set(yticks=[], ylim=(-1, 1))
        axes.margins(x=0.15)
        axes.spines["left"].set_visible(False)
        axes.set_title(_gap(figure.title, figure.value, figure.interval), fontsize=8, fontweight="normal", loc="left")
        axes.tick_params(labelsize=7)


def _gap(title: str, value: float, limits: tuple[float, float] | None) -> str:
    within = "" if limits is None else f" [{limits[0]:+.5f}, {limits[1]:+.5f}]"
    return f"{title.removesuffix(' gap')} {value:+.5f}{within}"


PLOTS: Mapping[str, Callable[[ComparisonReport, PairReport, SubFigure], None]] = MappingProxyType(
    {"confidence": _confidence, "flips": _flips, "classes": _classes, "gaps": _gaps}
)
"""Name of a plot, for ``--plots``, and what draws it."""
NEEDS_TRUTHS = ("gaps",)


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
            yield Tile(f"{named}{figure.title}", _signed(figure.value), interval_of(figure, "+.5f") or figure.note)


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
    figures = [
        (title, _value(f), interval_of(f, "+.5f"), f.note) for title, f in zip(titles, pair.figures, strict=True)
    ]
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
