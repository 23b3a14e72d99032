"""The lines under a table of predictions: how many rows, how sure, and how the predictions are spread."""

from __future__ import annotations

import numpy as np
from rich.console import Console
from rich.text import Text

from softmax_cli.batches.tally import Tally
from softmax_cli.display.figures import counted, percent, probability
from softmax_cli.display.glyphs import Glyphs
from softmax_cli.display.ranking import BarColumn
from softmax_cli.display.table import Column, TextColumn, draw
from softmax_cli.display.text import visible, width

_LISTED = 5
"""Lines of the spread: with ten rows, their note and the facts they fit on a terminal of 24 lines."""
_FATE = {"error": "", "skip": ", left out", "null": ", kept unscored"}


def show_summary(console: Console, classes: tuple[str, ...], tally: Tally, marks: Glyphs) -> None:
    """Print the figures of a whole run."""
    _show_facts(console, classes, tally, marks)
    if tally.scored:
        _show_spread(console, classes, tally, marks)


def _show_facts(console: Console, classes: tuple[str, ...], tally: Tally, marks: Glyphs) -> None:
    facts = [Text(counted(tally.rows, "row")), Text(counted(len(classes), "class"))]
    if tally.mean_confidence is not None:
        facts.append(Text(f"mean confidence {probability(tally.mean_confidence)}"))
    if tally.bad_rows:
        facts.append(Text(f"{counted(tally.bad_rows, 'bad row')}{_FATE[tally.bad_policy]}", "yellow"))
    line = facts[0]
    for fact in facts[1:]:
        if width(line.plain) + width(fact.plain) + 3 > console.width:
            console.print(line)
            line = fact
        else:
            line = Text.assemble(line, (f" {marks.between} ", "dim"), fact)
    console.print(line)


def _show_spread(console: Console, classes: tuple[str, ...], tally: Tally, marks: Glyphs) -> None:
    """Print how many rows go to each class: the commonest by name, the others in one line."""
    order = np.argsort(-tally.counts, kind="stable").tolist()
    listed = order if len(order) <= _LISTED else order[: _LISTED - 1]
    names = [visible(classes[i], marks.encoding) for i in listed]
    counts = [int(tally.counts[i]) for i in listed]
    bars = [count / counts[0] for count in counts]
    styles = [""] * len(listed)
    if len(listed) < len(order):
        names.append(f"{marks.ellipsis} {len(order) - len(listed)} more")
        counts.append(tally.scored - sum(counts))
        bars.append(0.0)  # a sum of many is no rival of the single ones
        styles.append("dim")
    columns: list[Column] = [
        TextColumn("predicted", names, 4, styles, least=9, most=30),
        TextColumn("rows", [f"{count:,}" for count in counts], 3, styles, is_number=True, least=4),
        TextColumn("share", [percent(count, tally.scored) for count in counts], 2, styles, is_number=True),
        BarColumn(bars, weight=1),
    ]
    draw(console, columns, marks)
