"""A worked topic on a screen."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from softmax_cli.display.glyphs import Glyphs, glyphs
from softmax_cli.display.prose import paragraph
from softmax_cli.display.table import Column, TextColumn, draw
from softmax_cli.display.text import visible
from softmax_cli.topics import Figures, Topic


def show_topic(console: Console, topic: Topic) -> None:
    """Print its parts in turn, and what to type next."""
    marks = glyphs(console)
    paragraph(console, topic.title, marks, "bold")
    for part in topic.parts:
        console.print()
        if isinstance(part, str):
            paragraph(console, part, marks)
        else:
            _show_figures(console, part, marks)
    console.print()
    for command in topic.commands:
        console.print(Text(f"  {visible(command, marks.encoding)}", "cyan"), soft_wrap=True)


def _show_figures(console: Console, figures: Figures, marks: Glyphs) -> None:
    columns: list[Column] = []
    for position, heading in enumerate(figures.headings):
        cells = [visible(_cell(row[position]), marks.encoding) for row in figures.rows]
        columns.append(TextColumn(heading, cells, 10 - position, is_number=position > 0))
    draw(console, columns, marks)


def _cell(value: str | float | int) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)
