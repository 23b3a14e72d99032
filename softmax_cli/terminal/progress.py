"""How far long work has come, for a person who waits. A pipe, a log and short work never see it, nor pay for rich."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, TextIO

from softmax_cli.terminal.text import shorten

if TYPE_CHECKING:  # rich loads with the bar, when the work turns out to be long
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    from softmax_cli.terminal.console import Color, Glyphs


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
    terminal = _terminal(stream, enabled)
    if terminal is None:
        yield lambda rows, size: None
        return
    with ExitStack() as shown:
        yield _patient(total_bytes, color, terminal, shown)


def _patient(total_bytes: int | None, color: Color, stream: TextIO, shown: ExitStack) -> Advance:
    """Count in silence at first; the bar, once it is due, enters `shown` and starts from what was counted."""
    begun = time.monotonic()
    rows = size = 0
    draw: Callable[[int, int], None] | None = None

    def advance(more_rows: int, more_bytes: int) -> None:
        nonlocal rows, size, draw
        rows, size = rows + more_rows, size + more_bytes
        if draw is None and time.monotonic() - begun >= PATIENCE:
            from softmax_cli.terminal.console import make_console

            draw = shown.enter_context(_open_bar(make_console(stream, color), total_bytes, begun))
        if draw is not None:
            draw(rows, size)

    return advance


def _terminal(stream: TextIO | None, enabled: bool) -> TextIO | None:
    """Return what can be drawn on; None: nothing is to be shown, or the cursor cannot be moved."""
    stream = sys.stderr if stream is None else stream
    can_redraw = not stream.closed and stream.isatty() and os.environ.get("TERM") != "dumb"
    return stream if enabled and can_redraw else None


_BAR_CELLS = 20


@contextmanager
def _open_bar(console: Console, total_bytes: int | None, begun: float) -> Iterator[Callable[[int, int], None]]:
    """Draw a bar until the context ends, then leave no trace; gives ``draw(rows, bytes)``, with all that is done."""
    from rich.live import Live

    from softmax_cli.terminal.console import glyphs

    marks = glyphs(console)
    with Live(
        console=console, transient=True, auto_refresh=False, redirect_stdout=False, redirect_stderr=False
    ) as live:
        last = -1.0

        def draw(rows: int, size: int) -> None:
            nonlocal last
            now = time.monotonic()
            if now - last >= 0.1:
                last = now
                live.update(_line(rows, size, total_bytes, now - begun, marks, console.width), refresh=True)

        yield draw


def _line(rows: int, size: int, total_bytes: int | None, seconds: float, marks: Glyphs, width: int) -> Text:
    from rich.text import Text

    facts = f"{rows:,} rows  {size / 1e6 / seconds:,.0f} MB/s"
    if not total_bytes:
        return Text(shorten(f"{facts}  {_duration(seconds)} so far", width, marks.ellipsis))
    share = min(size / total_bytes, 1.0)  # a file may grow while it is read
    text = f"{int(100 * share):3d} %  {facts}"
    if size:
        text += f"  {_duration(seconds * (1 - share) / share)} left"
    return _after_bar(share, text, marks, width)


def _after_bar(share: float, text: str, marks: Glyphs, width: int) -> Text:
    """Put a bar before a text where there is room for both."""
    from rich.text import Text

    if len(text) + _BAR_CELLS + 2 > width:
        return Text(shorten(text, width, marks.ellipsis))
    return Text.assemble((marks.bar(share, _BAR_CELLS), "cyan"), "  ", text)


Tell = Callable[[str, int], None]
"""Takes the name of what is done next, and which round of it begins, from 1."""


@contextmanager
def rounds(total: int, enabled: bool, color: Color = "auto", stream: TextIO | None = None) -> Iterator[Tell]:
    """Show what is being done while work goes on whose parts are few and long, and take it away at the end.

    Nobody calls while a part is done: a thread opens the line once it is due, and keeps its clock running.

    Parameters
    ----------
    total : int
        Number of rounds; one more stands for the last part, on all rows.
    enabled, color, stream
        As for `progress`.

    Yields
    ------
    callable
        ``tell(name, round)``.
    """
    terminal = _terminal(stream, enabled)
    if terminal is None:
        yield lambda name, number: None
        return
    shown = _Rounds(terminal, color, total)
    due = threading.Timer(PATIENCE, shown.open)
    due.daemon = True
    due.start()
    try:
        yield shown.tell
    finally:
        due.cancel()
        due.join()
        shown.close()


class _Rounds:
    """The line that says which part of the work is done."""

    def __init__(self, stream: TextIO, color: Color, total: int) -> None:
        self._stream, self._color, self._total = stream, color, total
        self._begun = time.monotonic()
        self._now = ("", 1)
        self._live: Live | None = None

    def tell(self, name: str, number: int) -> None:
        self._now = (name, number)

    def open(self) -> None:
        from rich.live import Live

        from softmax_cli.terminal.console import glyphs, make_console

        console = make_console(self._stream, self._color)
        marks = glyphs(console)
        self._live = Live(
            console=console,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            get_renderable=lambda: self._line(marks, console.width),
        )
        self._live.start(refresh=True)

    def close(self) -> None:
        if self._live is not None:
            self._live.stop()

    def _line(self, marks: Glyphs, width: int) -> Text:
        name, number = self._now
        place = f"fold {number} of {self._total}" if number <= self._total else "all rows"
        text = "  ".join(part for part in (name, place, f"{_duration(time.monotonic() - self._begun)} so far") if part)
        return _after_bar((number - 1) / (self._total + 1), text, marks, width)


def _duration(seconds: float) -> str:
    """Spell a time in one or two units: ``12 s``, ``3 min 20 s``, ``2 h 5 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
