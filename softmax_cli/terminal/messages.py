"""Messages to the user on standard error."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from softmax_cli.terminal.text import visible

LONGEST = 1500
"""Characters of a message."""


_TAKER: ContextVar[Callable[[str], None] | None] = ContextVar("_TAKER", default=None)


@contextmanager
def messages_to(take: Callable[[str], None]) -> Iterator[None]:
    """Give messages to a function meanwhile: a caller in Python has another way to say them."""
    before = _TAKER.set(take)
    try:
        yield
    finally:
        _TAKER.reset(before)


def print_message(message: str) -> None:
    """Print a message on standard error, wrapped between words on a terminal and as one line elsewhere.

    Names and cells are data: control characters in them are shown, not obeyed, and where they are as long as a book the
    middle of the message is left out.
    """
    if (take := _TAKER.get()) is not None:
        take(message)
        return
    if len(message) > LONGEST:
        message = f"{message[: LONGEST // 2]} ... {message[-LONGEST // 2 :]}"
    shown = visible(message, sys.stderr.encoding or "utf-8")
    if sys.stderr.isatty():
        columns = shutil.get_terminal_size().columns
        shown = textwrap.fill(shown, columns, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    print(shown, file=sys.stderr)
