"""Columns that are drawn from probabilities: how sure the model is, and which other classes it thought of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import NamedTuple, Protocol

from rich.console import Console
from rich.table import Table
from rich.text import Text

from softmax_cli.terminal.console import Glyphs, glyphs
from softmax_cli.terminal.text import probability, shorten, visible, width

GAP = 2
"""Blank cells between two columns."""


class Want(NamedTuple):
    """What a column asks for, in terminal cells."""

    natural: int
    """Shows everything."""
    least: int
    """Below this it is of no use, and is left out."""
    weight: int
    """The column of the smallest weight is the first to be left out, and the last to be widened."""


def fit(wants: Sequence[Want], width: int) -> list[int]:
    """Divide `width` cells among columns with a gap between them.

    While not all least widths fit, the column of the smallest weight is left out (of equal ones the last). What is
    spare then widens the column of the greatest weight (of equal ones the narrowest: a long name is shortened before a
    short one is) up to its natural width, then the next.

    Returns
    -------
    list of int
        The width of each column, 0 for one that is left out. With the gaps between them they add up to at most `width`.
    """
    kept = list(range(len(wants)))
    while kept and total([wants[i].least for i in kept]) > width:
        kept.remove(min(reversed(kept), key=lambda i: wants[i].weight))
    widths = {i: wants[i].least for i in kept}
    for _ in range(width - total(list(widths.values()))):
        lacking = [i for i in kept if widths[i] < wants[i].natural]
        if not lacking:
            break
        widths[min(lacking, key=lambda i: (-wants[i].weight, widths[i]))] += 1
    return [widths.get(i, 0) for i in range(len(wants))]


def total(widths: Sequence[int]) -> int:
    """Cells that columns of these widths take with the gaps between them."""
    return sum(widths) + GAP * (len(widths) - 1) if widths else 0


_QUIET = "dim"


class Column(Protocol):
    """Draws its cells once it knows how wide it may be."""

    @property
    def heading(self) -> str:
        """As a beginner reads it."""

    def want(self) -> Want:
        """Say which widths are of use."""

    def cells(self, cells: int, marks: Glyphs) -> list[Text]:
        """Draw every row, each at most `cells` wide."""


@dataclass(frozen=True, slots=True)
class TextColumn:
    """A column of texts, shortened where they are too long; `draw` makes them, and the heading, visible."""

    heading: str
    texts: Sequence[str]
    weight: int = 0
    styles: Sequence[str] = ()
    """One per row; (): none."""
    least: int = 5
    most: int = 60

    def spelled(self, encoding: str) -> TextColumn:
        """Make every text visible."""
        texts = [visible(text, encoding) for text in self.texts]
        return replace(self, heading=visible(self.heading, encoding), texts=texts)

    def want(self) -> Want:
        """Ask for the widest text."""
        natural = min(max(self.widest, width(self.heading)), self.most)
        return Want(natural, min(natural, self.least), self.weight)

    @property
    def widest(self) -> int:
        """Cells of the widest text."""
        return max(map(width, self.texts), default=0)

    def cells(self, cells: int, marks: Glyphs) -> list[Text]:
        """Draw every row."""
        styles = self.styles or [""] * len(self.texts)
        return [
            Text(shorten(text, cells, marks.ellipsis), style) for text, style in zip(self.texts, styles, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class FigureColumn(TextColumn):
    """A column of numbers, on the right; none is shortened, for it would be another number."""

    def want(self) -> Want:
        """Ask for the widest number, whatever else there is."""
        natural, least, weight = TextColumn.want(self)
        return Want(max(natural, self.widest), max(self.widest, least), weight)


def draw(console: Console, columns: Sequence[Column]) -> int:
    """Print a table of the columns that fit.

    Returns
    -------
    int
        How many columns are shown.
    """
    marks = glyphs(console)
    columns = [one.spelled(console.encoding) if isinstance(one, TextColumn) else one for one in columns]
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
        table.add_column(
            heading, width=cells, no_wrap=True, justify="right" if isinstance(column, FigureColumn) else "left"
        )
    for row in zip(*(column.cells(cells, marks) for column, cells in shown), strict=True):
        table.add_row(*row)
    console.print(table)
    return len(shown)


_WORTH_NAMING = 0.005
"""From here on a probability is reported as .01 or more; the first class of a row is named however small it is."""
_NAME_CELLS = 20
_NUMBER_CELLS = 4

Named = tuple[str, float]
"""A class, as visible text, and its probability."""


@dataclass(frozen=True, slots=True)
class ConfidenceColumn:
    """A number and a bar of what is left of the width; nothing where there is no number (nan)."""

    values: Sequence[float]
    weight: int
    heading: str = "confidence"

    def want(self) -> Want:
        """Ask for a bar of eight cells; of four, the number and its bar are as wide as the heading."""
        return Want(natural=14, least=10, weight=self.weight)

    def cells(self, cells: int, marks: Glyphs) -> list[Text]:
        """Draw every row."""
        return [self._cell(value, cells, marks) for value in self.values]

    def _cell(self, value: float, cells: int, marks: Glyphs) -> Text:
        if value != value:
            return Text()
        number = probability(value)
        return Text.assemble(number, " ", (marks.bar(value, cells - len(number) - 1), "cyan"))


@dataclass(frozen=True, slots=True)
class BarColumn:
    """Bars alone, of shares of the longest."""

    values: Sequence[float]
    weight: int
    heading: str = ""

    def want(self) -> Want:
        """Ask for enough to compare lengths."""
        return Want(natural=16, least=4, weight=self.weight)

    def cells(self, cells: int, marks: Glyphs) -> list[Text]:
        """Draw every row, without a track: there is no whole that a bar would be a part of."""
        return [Text(marks.bar(value, cells).rstrip(marks.track), "cyan") for value in self.values]


@dataclass(frozen=True, slots=True)
class OtherClassesColumn:
    """Per row the classes beside the predicted one, the most probable first, as many as fit: ``dog .11  ship .04``.

    The first class of all rows stands in line, then the second of all rows, and so on.
    """

    rankings: Sequence[Sequence[Named]]
    """Per row, the most probable first."""
    weight: int
    heading: str = "other classes"

    def want(self) -> Want:
        """Ask for every class that is worth a name."""
        widths = [self._entry_cells(rank) for rank in self._ranks()]
        natural = max(sum(widths) + GAP * (len(widths) - 1), len(self.heading))
        return Want(natural, len(self.heading), self.weight)

    def cells(self, cells: int, marks: Glyphs) -> list[Text]:
        """Draw every row."""
        rows = [Text() for _ in self.rankings]
        used = 0
        for rank in self._ranks():
            gap = GAP if used else 0
            room = min(self._entry_cells(rank), cells) if not used else self._entry_cells(rank)
            if used + gap + room > cells:
                break
            for row, entry in zip(rows, rank, strict=True):
                row.append(" " * gap)
                row.append_text(_entry(entry, room, marks))
            used += gap + room
        return rows

    def _ranks(self) -> list[tuple[Named | None, ...]]:
        """Return the first class of every row, then the second, ...; None where a row has no more worth naming."""
        named = [
            [entry for rank, entry in enumerate(row) if entry[1] >= _WORTH_NAMING or (rank == 0 and entry[1] > 0)]
            for row in self.rankings
        ]
        return list(zip_longest(*named))

    @staticmethod
    def _entry_cells(rank: Sequence[Named | None]) -> int:
        return max(min(width(entry[0]), _NAME_CELLS) for entry in rank if entry) + 1 + _NUMBER_CELLS


def _entry(entry: Named | None, cells: int, marks: Glyphs) -> Text:
    if entry is None:
        return Text(" " * cells)
    room = cells - 1 - _NUMBER_CELLS
    name = shorten(entry[0], room, marks.ellipsis)
    number = probability(entry[1], decimals=2).removeprefix("0")
    return Text.assemble(name, " " * (room - width(name) + 1), (number.rjust(_NUMBER_CELLS), "dim"))
