"""Messages to the user on standard error, and what was planned on standard output."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from softmax_cli.terminal.text import visible

LONGEST = 1500
"""Characters of a message."""
COLORS = {"error:": "\x1b[1;31m", "warning:": "\x1b[33m"}
"""Red and yellow of the user's own theme, for the first word of a message."""


_TAKER: ContextVar[Callable[[str], None] | None] = ContextVar("_TAKER", default=None)


@contextmanager
def messages_to(take: Callable[[str], None]) -> Iterator[None]:
    """Give messages to a function, not to standard error, in the meantime: Python has its own warnings."""
    before = _TAKER.set(take)
    try:
        yield
    finally:
        _TAKER.reset(before)


def print_message(message: str, colored: bool = True) -> None:
    """Print a message on standard error, wrapped between words on a terminal and as one line elsewhere.

    Names and cells are data: control characters in them are shown, not obeyed, and where they are as long as a book the
    middle of the message is left out. On a terminal ``error:`` is red and ``warning:`` yellow, unless ``NO_COLOR``
    is set.

    Parameters
    ----------
    colored : bool
        Whether colour is allowed.
    """
    if (take := _TAKER.get()) is not None:
        take(message)
        return
    if len(message) > LONGEST:
        message = f"{message[: LONGEST // 2]} ... {message[-LONGEST // 2 :]}"
    shown = visible(message, sys.stderr.encoding or "utf-8")
    if sys.stderr.isatty():
        shown = _wrapped(shown, "  ")
        word = shown.partition(" ")[0]
        if colored and word in COLORS and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb":
            shown = f"{COLORS[word]}{word}\x1b[0m{shown.removeprefix(word)}"
    print(shown, file=sys.stderr)


def print_plan(lines: Sequence[str]) -> None:
    """Print lines that begin with a heading of nine characters; on a terminal they break between words."""
    for line in lines:
        print(_wrapped(line, " " * 9) if sys.stdout.isatty() else line)


def _wrapped(text: str, hang: str) -> str:
    columns = shutil.get_terminal_size().columns
    return textwrap.fill(text, columns, subsequent_indent=hang, break_long_words=False, break_on_hyphens=False)
