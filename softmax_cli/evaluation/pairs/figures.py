"""``compare --plot``: both confidences, the commonest flips, classes, and the gaps; a set for each pair."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from softmax_cli.evaluation.pairs.report import ComparisonReport, PairReport
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

if TYPE_CHECKING:
    from matplotlib.figure import SubFigure

MOST_FLIPS = 15
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


def _title(report: ComparisonReport, pair: PairReport, text: str) -> str:
    """Name the pair too where there are several."""
    return f"{pair.second}: {text}" if len(report.pairs) > 1 else text


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
        title=_title(report, pair, f"agreement {agreement.value:.2%}, {flips.value:,} flips, N = {report.rows:,}"),
    )
    place.legend(fontsize=7, loc="outside lower center", ncols=2, title="rows, by the prediction", title_fontsize=7)


def _flips(report: ComparisonReport, pair: PairReport, place: SubFigure) -> None:
    axes = place.subplots()
    axes.set_title(_title(report, pair, f"Flips, first → second ({sum(flip.rows for flip in pair.flips):,} rows)"))
    shown = pair.flips[:MOST_FLIPS]
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
    axes.set(xlabel=what, title=_title(report, pair, title))
    axes.xaxis.set_major_locator(MaxNLocator("auto", integer=not report.labelled))
    axes.grid(axis="x", color=GREY, linewidth=0.4)
    axes.legend(fontsize=8)


def _gaps(report: ComparisonReport, pair: PairReport, place: SubFigure) -> None:
    """Every figure of the second less that of the first, each on a scale of its own, as their units differ."""
    figures = [figure for figure in pair.figures if figure.name.endswith("_difference")]
    places = place.subplots(len(figures), 1)
    place.suptitle(_title(report, pair, f"Second less first (N = {report.labelled:,})"), fontsize=10, fontweight="bold")
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
