"""The bar itself: ``████▌      42 %  1,250,000 rows  310 MB/s  12 s left``."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.text import Text

from softmax_cli.display.glyphs import Glyphs, glyphs
from softmax_cli.display.text import shorten

_BAR_CELLS = 20


@contextmanager
def open_bar(console: Console, total_bytes: int | None, begun: float) -> Iterator[Callable[[int, int], None]]:
    """Draw a bar on a terminal until the context ends, then leave no trace of it.

    Parameters
    ----------
    console : rich Console
        On a terminal.
    total_bytes : int or None
        Size of the whole input.
    begun : float
        When the work began, on the clock of `time.monotonic`.

    Yields
    ------
    callable
        ``draw(rows, bytes)``: what is done so far.
    """
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
    facts = f"{rows:,} rows  {size / 1e6 / seconds:,.0f} MB/s"
    if not total_bytes:
        return Text(shorten(f"{facts}  {_duration(seconds)} so far", width, marks.ellipsis))
    share = min(size / total_bytes, 1.0)  # a file may grow while it is read
    told = f"{int(100 * share):3d} %  {facts}"
    if size:
        told += f"  {_duration(seconds * (1 - share) / share)} left"
    if len(told) + _BAR_CELLS + 2 > width:
        return Text(shorten(told, width, marks.ellipsis))
    return Text.assemble((marks.bar(share, _BAR_CELLS), "cyan"), "  ", told)


def _duration(seconds: float) -> str:
    """Tell a time in one or two units: ``12 s``, ``3 min 20 s``, ``2 h 5 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
