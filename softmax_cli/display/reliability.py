"""The reliability diagram, drawn in a terminal: a line for each bin, accuracy as a bar, confidence as a mark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from softmax_cli.batches.report import Bin
from softmax_cli.display.figures import counted, probability
from softmax_cli.display.fitting import Want
from softmax_cli.display.glyphs import Glyphs
from softmax_cli.display.prose import paragraph
from softmax_cli.display.table import Column, TextColumn, draw

MOST_LINES = 30
"""More bins than this are left out, those with the fewest rows first."""


@dataclass(frozen=True, slots=True)
class Brush:
    """The marks of a diagram."""

    came_true: str
    """Accuracy, up to the confidence."""
    more: str
    """Accuracy above the confidence: too modest."""
    less: str
    """Confidence above the accuracy: too sure."""
    mark: str
    """Where the mean confidence stands."""


_UNICODE = Brush("█", "▓", "░", "│")
_ASCII = Brush("#", "+", "-", "|")


def brush(marks: Glyphs) -> Brush:
    """Choose marks that the terminal can draw."""
    return _ASCII if marks.full.isascii() else _UNICODE


@dataclass(frozen=True, slots=True)
class GapColumn:
    """Accuracy as a bar and confidence as a mark on a line from 0 to 1; what lies between them is the gap."""

    bins: Sequence[Bin]
    weight: int
    heading: str = "from 0 to 1"
    is_number: bool = False

    def want(self) -> Want:
        """Ask for enough to see a gap of 2 %."""
        return Want(natural=50, least=12, weight=self.weight)

    def cells(self, cells: int, marks: Glyphs) -> list[Text]:
        """Draw every bin."""
        return [draw_gap(one, cells, brush(marks)) for one in self.bins]


def draw_gap(one: Bin, cells: int, with_brush: Brush) -> Text:
    """Draw one bin on a line that is `cells` wide."""
    mark = min(int(one.confidence * cells), cells - 1)
    end = round(one.accuracy * cells)
    line = Text()
    line.append(with_brush.came_true * min(end, mark), "cyan")
    line.append(with_brush.less * max(mark - end, 0), "red")
    line.append(with_brush.mark, "bold")
    line.append(with_brush.more * max(end - mark - 1, 0), "green")
    return line


def show_reliability(console: Console, bins: Sequence[Bin], marks: Glyphs) -> None:
    """Print a diagram of the bins that hold rows."""
    used = [one for one in bins if one.rows]
    shown = _fullest(used)
    columns: list[Column] = [
        TextColumn("confidence", [_range(one) for one in shown], 9, least=10, most=15),
        TextColumn("rows", [f"{one.rows:,}" for one in shown], 8, is_number=True, least=4),
        TextColumn("said", [probability(one.confidence) for one in shown], 6, is_number=True),
        TextColumn("true", [probability(one.accuracy) for one in shown], 6, is_number=True),
        TextColumn("gap", [f"{one.accuracy - one.confidence:+.3f}" for one in shown], 7, is_number=True, least=6),
        GapColumn(shown, 5),
    ]
    draw(console, columns, marks)
    signs = brush(marks)
    legend = (
        f"{signs.mark} said: mean confidence; {signs.came_true} true: accuracy; {signs.less} too sure; "
        f"{signs.more} too modest"
    )
    if left := len(used) - len(shown):
        legend += f"; {marks.ellipsis} {counted(left, 'bin')} with fewer rows not shown: --bins-out FILE has all"
    paragraph(console, legend, marks, "dim")


def _fullest(used: Sequence[Bin]) -> list[Bin]:
    order = sorted(range(len(used)), key=lambda place: -used[place].rows)[:MOST_LINES]
    return [used[place] for place in sorted(order)]


def _range(one: Bin) -> str:
    return f"{one.lower:.3f}-{one.upper:.3f}"
