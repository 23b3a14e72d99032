"""Tables that are exactly as wide as they may be: a rule under the headings, no other line, one line per row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from rich.console import Console
from rich.table import Table
from rich.text import Text

from softmax_cli.display.fitting import GAP, Want, fit
from softmax_cli.display.glyphs import Glyphs
from softmax_cli.display.text import shorten, width

_QUIET = "dim"


class Column(Protocol):
    """Draws its cells once it knows how wide it may be."""

    @property
    def heading(self) -> str:
        """As a beginner reads it; already visible text."""

    @property
    def is_number(self) -> bool:
        """Right-aligned."""

    def want(self) -> Want:
        """Say which widths are of use."""

    def cells(self, cells: int, marks: Glyphs) -> list[Text]:
        """Draw every row, each at most `cells` wide."""


@dataclass(frozen=True, slots=True)
class TextColumn:
    """A column of visible texts, shortened where they are too long."""

    heading: str
    texts: Sequence[str]
    weight: int = 0
    styles: Sequence[str] = ()
    """One per row; (): none."""
    is_number: bool = False
    least: int = 5
    most: int = 60

    def want(self) -> Want:
        """Ask for the widest text."""
        widest = max(map(width, self.texts), default=0)
        natural = min(max(widest, width(self.heading)), self.most)
        if self.is_number:  # one that is cut is another number
            return Want(max(natural, widest), max(widest, min(natural, self.least)), self.weight)
        return Want(natural, min(natural, self.least), self.weight)

    def cells(self, cells: int, marks: Glyphs) -> list[Text]:
        """Draw every row."""
        styles = self.styles or [""] * len(self.texts)
        return [
            Text(shorten(text, cells, marks.ellipsis), style) for text, style in zip(self.texts, styles, strict=True)
        ]


def draw(console: Console, columns: Sequence[Column], marks: Glyphs) -> int:
    """Print a table of the columns that fit.

    Returns
    -------
    int
        How many columns are shown.
    """
    widths = fit([column.want() for column in columns], console.width)
    shown = [(column, cells) for column, cells in zip(columns, widths, strict=True) if cells]
    table = Table(
        box=marks.box,
        safe_box=False,
        show_edge=False,
        pad_edge=False,
        padding=(0, GAP - 1, 0, 0),
        header_style="bold",
        border_style=_QUIET,
    )
    for column, cells in shown:
        heading = Text(shorten(column.heading, cells, marks.ellipsis))
        table.add_column(heading, width=cells, no_wrap=True, justify="right" if column.is_number else "left")
    for row in zip(*(column.cells(cells, marks) for column, cells in shown), strict=True):
        table.add_row(*row)
    console.print(table)
    return len(shown)
