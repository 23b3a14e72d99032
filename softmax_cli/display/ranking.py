"""Columns that are drawn from probabilities: how sure the model is, and which other classes it thought of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from rich.text import Text

from softmax_cli.display.figures import probability
from softmax_cli.display.fitting import GAP, Want
from softmax_cli.display.glyphs import Glyphs
from softmax_cli.display.text import shorten, width

_WORTH_NAMING = 0.005
"""From here on a probability is told as .01 or more; the first class of a row is named however small it is."""
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
    is_number: bool = False

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
    is_number: bool = False

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
    is_number: bool = False

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
