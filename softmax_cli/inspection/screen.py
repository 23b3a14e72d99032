"""The report of ``inspect`` on a screen: findings first, then the figures that they were drawn from."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from softmax_cli.errors import counted
from softmax_cli.inspection.report import ClassFigures, Inspection
from softmax_cli.terminal.console import glyphs
from softmax_cli.terminal.grid import BarColumn, Column, FigureColumn, TextColumn, draw
from softmax_cli.terminal.text import percent, visible

_STYLES = {"problem": "bold red", "warning": "yellow", "note": "cyan"}
_INDENT = 9
"""Under the words of a finding, behind its severity."""
_WIDEST = 100
"""Longer lines of prose are hard to read, however wide the terminal."""
_PLACES = 5
_LEGEND = {
    "wins": "rows in which the class is the most probable",
    "spread": "1.4826 times the median distance from the median",
    "nan": "missing cells",
    "inf": "infinite cells",
    "outside": "cells beyond the outlier limit",
}
"""What headings mean."""


def show_inspection(console: Console, found: Inspection, classes_shown: int | None = None, all_: bool = False) -> None:
    """Print a report; by itself it fits a terminal of 24 lines, unless much was found.

    Parameters
    ----------
    classes_shown : int or None
        How many classes the table has, the oddest ones in file order; None: as many as the terminal has lines for.
    all_ : bool
        Every class, and histograms that are twice as fine.
    """
    _show_source(console, found)
    _show_findings(console, found)
    _show_classes(console, found, None if all_ else classes_shown or _room(console, found))
    if found.scored:
        _show_histograms(console, found, 10 if all_ else 5)
        console.print(Text("entropy: 0 is certain, 1 is uniform over the classes", "dim"))


_MOST_CLASSES = 12
"""Where there is no terminal, or a high one."""
_OTHER_LINES = 22
"""Of a report without findings, and the prompt."""


def _room(console: Console, found: Inspection) -> int:
    """How many classes a terminal has lines for, each finding taking two."""
    if not console.is_terminal:
        return _MOST_CLASSES
    return min(_MOST_CLASSES, max(4, console.height - _OTHER_LINES - 2 * len(found.findings)))


def _show_source(console: Console, found: Inspection) -> None:
    unscored = f" ({counted(found.rows - found.scored, 'bad row')})" if found.rows > found.scored else ""
    facts = f"{found.source}: {counted(found.rows, 'row')}{unscored}, {found.columns}, {found.dtype}"
    _wrap(console, facts, "bold", 0)
    if found.other_columns:
        names = ", ".join(found.other_columns[:5]) + (" ..." if len(found.other_columns) > 5 else "")
        _wrap(console, f"passes through: {names}", "dim", 0)
    console.print()


def _show_findings(console: Console, found: Inspection) -> None:
    if not found.findings:
        console.print(Text("nothing found that would go wrong", "green"))
    for finding in found.findings:
        _wrap(console, finding.text, "", _INDENT, (finding.severity, _STYLES[finding.severity]))
        for place in finding.places[:_PLACES]:
            _wrap(console, _short(place, found.source), "dim", _INDENT + 2, hang=2)
        advice = f"{finding.advice}: {finding.flag}" if finding.flag else finding.advice
        if advice:
            _wrap(console, f"-> {advice}", "", _INDENT, hang=2)
    console.print()


def _short(place: str, source: str) -> str:
    """Leave out the name of the file, which stands at the top: ``row 3``, ``line 3``."""
    within = place.removeprefix(f"{source}:")
    return place if within == place else within.lstrip() if within.startswith(" ") else f"line {within}"


def _wrap(
    console: Console, text: str, style: str, indent: int, heading: tuple[str, str] = ("", ""), hang: int = 0
) -> None:
    """Print a paragraph that hangs under its heading; names without a space are broken where they must."""
    width = max(20, min(console.width, _WIDEST) - indent)
    shown = visible(text, console.encoding)
    lines = textwrap.wrap(shown, width, subsequent_indent=" " * hang, break_on_hyphens=False) or [""]
    for number, line in enumerate(lines):
        word, color = heading if number == 0 else ("", "")
        console.print(Text.assemble((word.ljust(indent), color), (line, style)), soft_wrap=True)


def _show_classes(console: Console, found: Inspection, most: int | None) -> None:
    marks = glyphs(console)
    shown = _oddest(found.classes, most)
    columns: list[Column] = [
        TextColumn("class", [one.name for one in shown], 9, least=8, most=24),
        _counts("wins", [one.predicted for one in shown], 6),
    ]
    for heading, values, weight in (
        ("min", [one.lowest for one in shown], 5),
        ("median", [one.median for one in shown], 7),
        ("mean", [one.mean for one in shown], 4),
        ("max", [one.highest for one in shown], 5),
        ("spread", [one.spread for one in shown], 7),
    ):
        columns.append(FigureColumn(heading, [_number(value) for value in values], weight))
    for heading, counts in (
        ("nan", [one.missing for one in shown]),
        ("inf", [one.infinite for one in shown]),
        ("outside", [one.outliers for one in shown]),
    ):
        if any(counts):
            columns.append(_counts(heading, counts, 8))
    draw(console, columns)
    if left := len(found.classes) - len(shown):
        note = f"{marks.ellipsis} {left:,} more classes, less odd than these: --all shows them"
        console.print(Text(note, "dim"))
    headings = {column.heading for column in columns}
    _wrap(console, "; ".join(f"{name}: {meaning}" for name, meaning in _LEGEND.items() if name in headings), "dim", 0)
    console.print()


def _counts(heading: str, counts: Sequence[int], weight: int) -> Column:
    return FigureColumn(heading, [f"{count:,}" if count else "" for count in counts], weight)


def _oddest(classes: Sequence[ClassFigures], most: int | None) -> list[ClassFigures]:
    """Choose the classes to show: with bad cells, outliers or an unusual spread, and then those predicted most."""
    if most is None or len(classes) <= most:
        return list(classes)
    spreads = sorted(one.spread for one in classes if one.spread)
    usual = spreads[len(spreads) // 2] if spreads else 1.0

    def oddity(position: int) -> tuple[int, float, int]:
        one = classes[position]
        unusual = abs(math.log2(one.spread / usual)) if one.spread else math.inf
        return -(one.missing + one.infinite + one.outliers), -(unusual if unusual > 1 else 0), -one.predicted

    chosen = sorted(range(len(classes)), key=oddity)[:most]
    return [classes[position] for position in sorted(chosen)]


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.3g}" if abs(value) < 0.1 else f"{value:.2f}" if abs(value) < 1e4 else f"{value:.1e}"


def _show_histograms(console: Console, found: Inspection, lines: int) -> None:
    """Print confidence and entropy side by side, from the first to the last line that one of them uses."""
    counts = [_merged(found.confidence, lines), _merged(found.entropy, lines)]
    used = [i for i, pair in enumerate(zip(*counts, strict=True)) if any(pair)]
    shown = range(used[0], used[-1] + 1)
    columns: list[Column] = [
        TextColumn("", [f"{i / lines:.1f} - {(i + 1) / lines:.1f}" for i in shown], 9, least=9),
    ]
    for what, rows in zip(("confidence", "entropy"), counts, strict=True):
        columns += [
            FigureColumn(what, [f"{rows[i]:,}" for i in shown], 8, least=10),
            FigureColumn("share", [percent(rows[i], sum(rows)) for i in shown], 7, least=7),
            BarColumn([rows[i] / max(rows) for i in shown], 1),
        ]
    draw(console, columns)


def _merged(counts: Sequence[int], lines: int) -> list[int]:
    """Counts of fewer, wider bins."""
    size = len(counts) // lines
    return [sum(counts[i : i + size]) for i in range(0, len(counts), size)]
