"""The terminal as it is: how wide, and whether it shows colour."""

from __future__ import annotations

import os
from typing import Literal, TextIO

from rich.console import Console

from softmax_cli.sinks import ClosedPipeError

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
        height=25,  # without one, rich takes a dumb terminal for 80 wide whatever it is told
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
