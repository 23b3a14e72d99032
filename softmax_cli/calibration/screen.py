"""The report of ``calibrate`` on a screen: the formula, what it does on held-out rows, and the thresholds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import astuple

from rich.console import Console

from softmax_cli.calibration.calibration import Figures
from softmax_cli.calibration.fit import UNFITTED
from softmax_cli.calibration.report import TITLES, CalibrationReport, verdict
from softmax_cli.errors import counted
from softmax_cli.terminal.console import heading, paragraph
from softmax_cli.terminal.grid import Column, FigureColumn, TextColumn, draw

_PAPERS_WAY = (
    "--objective ece-grid: the T of 0.1, 0.2 .. 10 with the least ECE on these rows, the way of the focal-loss papers; "
    "ECE is no proper score, and likelihood is the objective to use"
)
_LEGEND = "log loss in nats; Brier 0 to 2, summed over classes; ECE of the predicted class, 15 bins of equal width"

_LONG = ("aps", "raps")
_MANY = 2.0
"""Classes in a set on average, from which on shorter sets are worth a word."""


def show_calibration(console: Console, found: CalibrationReport) -> None:
    """Print a report, as `make_console` opens the console."""
    left_out = f", {counted(found.left_out, 'bad row')} left out" if found.left_out else ""
    paragraph(console, f"{found.source}: {counted(found.rows, 'row')}{left_out}")
    for sentence in verdict(found):
        paragraph(console, sentence, "bold")
    paragraph(console, f"{found.method}: {found.description}")
    if found.objective == "ece-grid":
        paragraph(console, _PAPERS_WAY, "yellow")
    judged = "these rows, which nothing was fitted to" if found.objective == UNFITTED else _folds(found)
    heading(console, f"On {judged}")
    _show_figures(console, [("before", found.before), ("after", found.after)])
    paragraph(console, _LEGEND, "dim")
    _show_comparison(console, found)
    _show_thresholds(console, found)


def _folds(found: CalibrationReport) -> str:
    return f"held-out rows, {found.folds} stratified folds, seed {found.seed}"


def _show_figures(console: Console, lines: Sequence[tuple[str, Figures]]) -> None:
    columns: list[Column] = [TextColumn("", [name for name, _ in lines], 9, least=8, most=20)]
    figures = zip(*(astuple(one) for _, one in lines), strict=True)
    for title, values in zip(TITLES, figures, strict=True):
        columns.append(FigureColumn(title, [*map(_figure, values)], 8))
    draw(console, columns)


def _show_comparison(console: Console, found: CalibrationReport) -> None:
    if not found.compared:
        return
    heading(console, f"All methods, on the same {found.folds} folds")
    lines = found.compared
    columns: list[Column] = [TextColumn("method", [one.method for one in lines], 9, least=8, most=20)]
    for title, values, weight in (
        ("log loss", [_figure(one.figures.nll) for one in lines], 9),
        ("behind", [_figure(one.behind) for one in lines], 8),
        ("+-", [_figure(one.behind_error) for one in lines], 7),
        ("Brier", [_figure(one.figures.brier) for one in lines], 6),
        ("ECE", [_figure(one.figures.ece) for one in lines], 6),
        ("parameters", [f"{one.free_parameters:,}" for one in lines], 5),
    ):
        columns.append(FigureColumn(title, values, weight))
    draw(console, columns)
    if len(lines) > 1:
        best, second = lines[:2]
        text = f"{best.method} beats {second.method}, the second, by {second.behind:.2g} nats"
        paragraph(console, f"{text}, standard error {second.behind_error:.2g}")
    if found.simpler:
        paragraph(console, f"within one standard error of the best, and simpler: {', '.join(found.simpler)}")
    for method, reason in found.refused:
        paragraph(console, f"{method} cannot be fitted: {reason}", "dim", hang="  ")


def _show_thresholds(console: Console, found: CalibrationReport) -> None:
    if (sets := found.sets) is not None:
        heading(console, "Prediction sets")
        lowest, highest = min(sets.thresholds), max(sets.thresholds)
        cut = f"threshold {_figure(lowest)}" if len(sets.thresholds) == 1 else "a threshold for each class, "
        cut += "" if len(sets.thresholds) == 1 else f"{_figure(lowest)} to {_figure(highest)}"
        text = f"{sets.score}: classes with a score up to the threshold cover {sets.coverage:g} of rows; {cut}"
        paragraph(console, f"{text}, from {counted(sets.rows, 'row')}")
        size = f"a set holds {sets.mean_size:.3g} of {found.classes} classes on average"
        if sets.score in _LONG and not sets.randomized and sets.mean_size > _MANY:
            size += f"; {sets.score} without draws makes long sets: --randomized or --score lac make short ones"
        paragraph(console, size)
    if (abstention := found.abstention) is not None:
        heading(console, "Abstaining")
        text = (
            f"{abstention.asked}: answer where the confidence is at least {abstention.confidence:.6g}; of these rows "
            f"{abstention.coverage:.2%} are answered, and {abstention.risk:.2%} of the answers are wrong"
        )
        paragraph(console, text)


def _figure(value: float) -> str:
    return "inf" if math.isinf(value) else f"{value:.5f}"
