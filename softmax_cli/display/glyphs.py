"""The marks that a terminal can draw: Unicode where it shows Unicode, ASCII everywhere else."""

from __future__ import annotations

import os
from dataclasses import dataclass

from rich.box import Box
from rich.console import Console

_RULED = "    \n    \n {0}{0} \n    \n    \n    \n    \n    \n"
"""rich's description of a table that has a rule under its headings and no other line."""


@dataclass(frozen=True, slots=True)
class Glyphs:
    """A set of marks that go together."""

    ellipsis: str
    right: str
    wrong: str
    between: str
    """Parts two facts on a line."""
    full: str
    """A whole cell of a bar."""
    parts: str
    """A cell of a bar by its filled share, from the least up; "" when there is nothing between empty and full."""
    track: str
    """An empty cell of a bar."""
    box: Box
    encoding: str
    """What text may be made of."""

    def bar(self, fraction: float, cells: int) -> str:
        """Draw a share of the whole, from 0 to 1, `cells` wide; anything above 0 leaves a trace."""
        steps = len(self.parts) + 1
        filled = round(fraction * cells * steps)
        filled = max(filled, 1) if fraction > 0 else 0
        whole, rest = divmod(filled, steps)
        drawn = self.full * whole + (self.parts[rest - 1] if rest else "")
        return drawn.ljust(cells, self.track)


def glyphs(console: Console) -> Glyphs:
    """Choose the marks for a terminal; a dumb one is not trusted with more than ASCII."""
    encoding = console.encoding
    if console.options.ascii_only or os.environ.get("TERM") == "dumb":
        return Glyphs("..", "ok", "x", "|", "#", "", ".", Box(_RULED.format("-"), ascii=True), encoding)
    return Glyphs("…", "✓", "✗", "·", "█", "▏▎▍▌▋▊▉", " ", Box(_RULED.format("─")), encoding)
