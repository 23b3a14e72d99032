"""Messages to the user on standard error."""

from __future__ import annotations

import shutil
import sys
import textwrap

from softmax_cli.terminal.text import visible

LONGEST = 1500
"""Characters of a message."""


def print_message(message: str) -> None:
    """Print a message on standard error, wrapped between words on a terminal and as one line elsewhere.

    Names and cells are data: control characters in them are shown, not obeyed, and where they are as long as a book the
    middle of the message is left out.
    """
    if len(message) > LONGEST:
        message = f"{message[: LONGEST // 2]} ... {message[-LONGEST // 2 :]}"
    shown = visible(message, sys.stderr.encoding or "utf-8")
    if sys.stderr.isatty():
        columns = shutil.get_terminal_size().columns
        shown = textwrap.fill(shown, columns, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    print(shown, file=sys.stderr)
