"""How far long work has come, for a person who waits. A pipe, a log and short work never see it, nor pay for rich."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from softmax_cli.display.console import Color

PATIENCE = 1.0
"""Seconds of work before the bar appears."""

Advance = Callable[[int, int], None]
"""Takes the rows and the bytes of input that were done since the last call."""


@contextmanager
def progress(
    total_bytes: int | None, enabled: bool, color: Color = "auto", stream: TextIO | None = None
) -> Iterator[Advance]:
    """Show a bar while work goes on, and take it away at the end.

    Parameters
    ----------
    total_bytes : int or None
        Size of the input, where known: without it there is no percentage and no time left.
    enabled : bool
        False (``--quiet``): show nothing.
    color : {"auto", "always", "never"}
        As for `make_console`.
    stream : text file, optional
        Standard error by default. Nothing is shown when it is no terminal, or one that cannot move its cursor.

    Yields
    ------
    callable
        ``advance(rows, bytes)``.
    """
    stream = sys.stderr if stream is None else stream
    if not enabled or not _can_redraw(stream):
        yield _ignore
        return
    with ExitStack() as shown:
        yield _patient(total_bytes, color, stream, shown)


def _patient(total_bytes: int | None, color: Color, stream: TextIO, shown: ExitStack) -> Advance:
    """Count in silence at first; the bar, once it is due, enters `shown` and starts from what was counted."""
    begun = time.monotonic()
    rows = size = 0
    draw: Callable[[int, int], None] | None = None

    def advance(more_rows: int, more_bytes: int) -> None:
        nonlocal rows, size, draw
        rows, size = rows + more_rows, size + more_bytes
        if draw is None and time.monotonic() - begun >= PATIENCE:
            from softmax_cli.display.console import make_console  # rich, 30 ms
            from softmax_cli.display.progressbar import open_bar

            draw = shown.enter_context(open_bar(make_console(stream, color), total_bytes, begun))
        if draw is not None:
            draw(rows, size)

    return advance


def _can_redraw(stream: TextIO) -> bool:
    return not stream.closed and stream.isatty() and os.environ.get("TERM") != "dumb"


def _ignore(rows: int, size: int) -> None:
    """Show nothing."""
