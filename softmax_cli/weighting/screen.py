"""Class weights on a screen: how often each class was seen, what it weighs, and what that does."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from softmax_cli.errors import counted
from softmax_cli.terminal.grid import BarColumn, Column, FigureColumn, TextColumn, draw
from softmax_cli.terminal.text import visible
from softmax_cli.weighting.report import ClassWeights


def show_weights(console: Console, found: ClassWeights) -> None:
    """Print a line per class, the commonest first, and what was computed."""
    names, numbers, shares, values, effects = zip(*found.cells(), strict=True)
    counts = found.counts.tolist()
    columns: list[Column] = [
        TextColumn("class", names, 9, least=8, most=30),
        FigureColumn("count", numbers, 8),
        FigureColumn("share", shares, 6),
        FigureColumn(found.column, values, 7),
        TextColumn("effect", effects, 5, least=10),
        BarColumn((found.values / found.values.max()).tolist(), 1),
    ]
    draw(console, columns)
    ratio = counts[0] / counts[-1]
    seen = (
        f"{counted(len(names), 'class')}, {sum(counts):,.10g} examples; the commonest is {ratio:.3g} times the rarest"
    )
    console.print(Text(seen))
    console.print(Text(f"{found.column} = {visible(found.formula, console.encoding)}", "dim"))
