"""The terminal as it is: how wide, and whether it shows colour."""

from __future__ import annotations

import os
import textwrap
from dataclasses import dataclass
from typing import Literal, TextIO

from rich.box import Box
from rich.console import Console
from rich.text import Text

from softmax_cli.errors import ClosedPipeError
from softmax_cli.terminal.text import visible

Color = Literal["auto", "always", "never"]
_UNKNOWN_WIDTH = 80


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leave it to the command line what a closed pipe means; rich would exit with 1."""
        raise ClosedPipeError


def make_console(stream: TextIO, color: Color = "auto") -> Console:
    """Open a console on a stream that prints text as it stands: no markup, no emoji codes, no guessing at numbers.

    Parameters
    ----------
    stream : text file
        Where the output goes.
    color : {"auto", "always", "never"}
        ``auto``: on a terminal, unless ``NO_COLOR`` is set or ``TERM`` is ``dumb``; ``FORCE_COLOR`` colours a pipe too.
        What was asked for by ``always`` and ``never`` goes before the environment.
    """
    colored = _is_colored(stream, color)
    return _Console(
        file=stream,
        width=_width(stream),
        height=25,  # without one, rich takes a dumb terminal for 80 wide whatever it is reported
        color_system="standard" if colored else None,  # the 16 colours that the user's own theme defines
        force_terminal=colored or is_terminal(stream),
        force_jupyter=False,
        no_color=not colored,
        markup=False,
        emoji=False,
        highlight=False,
    )


def is_terminal(stream: TextIO) -> bool:
    """Whether a person is at the other end (a closed stream has none)."""
    return not stream.closed and stream.isatty()


def _is_colored(stream: TextIO, color: Color) -> bool:
    if color != "auto":
        return color == "always"
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (is_terminal(stream) and os.environ.get("TERM") != "dumb")


def _width(stream: TextIO) -> int:
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns) > 0:
        return int(columns)
    try:
        return os.get_terminal_size(stream.fileno()).columns or _UNKNOWN_WIDTH
    except (OSError, ValueError):
        return _UNKNOWN_WIDTH


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


_WIDEST = 88
"""Longer lines are hard to read, however wide the terminal."""


def heading(console: Console, text: str) -> None:
    """Print the name of a section, a blank line before it."""
    console.print()
    paragraph(console, text, "bold")


def paragraph(console: Console, text: str, style: str = "", hang: str = "") -> None:
    """Print text that breaks between words; the lines after the first begin with `hang`."""
    width = max(20, min(console.width, _WIDEST))
    for line in textwrap.wrap(visible(text, console.encoding), width, subsequent_indent=hang, break_on_hyphens=False):
        console.print(Text(line, style), soft_wrap=True)
