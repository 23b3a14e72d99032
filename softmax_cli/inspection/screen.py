"""The report of ``inspect`` on a screen: findings first, then the figures that they were drawn from."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from softmax_cli.errors import counted
from softmax_cli.inspection.report import ClassFigures, Inspection
from softmax_cli.terminal.console import Glyphs, glyphs
from softmax_cli.terminal.grid import BarColumn, Column, TextColumn, draw
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


def show_inspection(console: Console, found: Inspection, classes_shown: int | None = None) -> None:
    """Print a report.

    Parameters
    ----------
    console : rich Console
        As `make_console` opens it.
    found : Inspection
        What was found.
    classes_shown : int or None
        How many classes the table has, the oddest ones in file order; None: all.
    """
    marks = glyphs(console)
    _show_source(console, found, marks)
    _show_findings(console, found, marks)
    _show_classes(console, found, classes_shown, marks)
    if found.scored:
        _show_histogram(console, "confidence", found.confidence, marks)
        console.print()
        _show_histogram(console, "entropy", found.entropy, marks)
        console.print(Text("entropy: 0 is certain, 1 is uniform over the classes", "dim"))


def _show_source(console: Console, found: Inspection, marks: Glyphs) -> None:
    unscored = f" ({counted(found.rows - found.scored, 'bad row')})" if found.rows > found.scored else ""
    facts = f"{found.source}: {counted(found.rows, 'row')}{unscored}, {found.columns}, {found.dtype}"
    _wrap(console, visible(facts, marks.encoding), "bold", 0)
    if found.other_columns:
        names = ", ".join(found.other_columns[:5]) + (" ..." if len(found.other_columns) > 5 else "")
        _wrap(console, visible(f"passes through: {names}", marks.encoding), "dim", 0)
    console.print()


def _show_findings(console: Console, found: Inspection, marks: Glyphs) -> None:
    if not found.findings:
        console.print(Text("nothing found that would go wrong", "green"))
    for finding in found.findings:
        _wrap(
            console, visible(finding.text, marks.encoding), "", _INDENT, (finding.severity, _STYLES[finding.severity])
        )
        for place in finding.places[:_PLACES]:
            _wrap(console, visible(_short(place, found.source), marks.encoding), "dim", _INDENT + 2, hang=2)
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
    lines = textwrap.wrap(text, width, subsequent_indent=" " * hang, break_on_hyphens=False) or [""]
    for number, line in enumerate(lines):
        word, color = heading if number == 0 else ("", "")
        console.print(Text.assemble((word.ljust(indent), color), (line, style)), soft_wrap=True)


def _show_classes(console: Console, found: Inspection, most: int | None, marks: Glyphs) -> None:
    shown = _oddest(found.classes, most)
    columns: list[Column] = [
        TextColumn("class", [visible(one.name, marks.encoding) for one in shown], 9, least=8, most=24),
        _counts("wins", [one.predicted for one in shown], 6),
    ]
    for heading, values, weight in (
        ("min", [one.lowest for one in shown], 5),
        ("median", [one.median for one in shown], 7),
        ("mean", [one.mean for one in shown], 4),
        ("max", [one.highest for one in shown], 5),
        ("spread", [one.spread for one in shown], 7),
    ):
        columns.append(TextColumn(heading, [_number(value) for value in values], weight, is_number=True))
    for heading, counts in (
        ("nan", [one.missing for one in shown]),
        ("inf", [one.infinite for one in shown]),
        ("outside", [one.outliers for one in shown]),
    ):
        if any(counts):
            columns.append(_counts(heading, counts, 8))
    draw(console, columns, marks)
    if left := len(found.classes) - len(shown):
        note = f"{marks.ellipsis} {left:,} more classes, less odd than these: --all shows them"
        console.print(Text(note, "dim"))
    headings = {column.heading for column in columns}
    _wrap(console, "; ".join(f"{name}: {meaning}" for name, meaning in _LEGEND.items() if name in headings), "dim", 0)
    console.print()


def _counts(heading: str, counts: Sequence[int], weight: int) -> Column:
    return TextColumn(heading, [f"{count:,}" if count else "" for count in counts], weight, is_number=True)


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


def _show_histogram(console: Console, what: str, counts: Sequence[int], marks: Glyphs) -> None:
    """Print ten lines at most: bins two by two, those before the first and after the last that is used left out."""
    pairs = [counts[i] + counts[i + 1] for i in range(0, len(counts), 2)]
    used = [i for i, count in enumerate(pairs) if count]
    lines = range(used[0], used[-1] + 1)
    whole = sum(pairs)
    columns: list[Column] = [
        TextColumn(what, [f"{i / len(pairs):.1f} - {(i + 1) / len(pairs):.1f}" for i in lines], 9, least=10),
        TextColumn("rows", [f"{pairs[i]:,}" for i in lines], 8, is_number=True, least=8),
        TextColumn("share", [percent(pairs[i], whole) for i in lines], 7, is_number=True, least=8),
        BarColumn([pairs[i] / max(pairs) for i in lines], 1),
    ]
    draw(console, columns, marks)
