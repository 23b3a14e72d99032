"""Headings and paragraphs that fit the terminal."""

from __future__ import annotations

import shutil
import sys
import textwrap

from rich.console import Console
from rich.text import Text

from softmax_cli.terminal.console import Glyphs
from softmax_cli.terminal.text import visible


def tell(message: str) -> None:
    """Print a message on standard error, wrapped between words on a terminal and as one line elsewhere.

    Names and cells are data: control characters in them are shown, not obeyed.
    """
    shown = visible(message, sys.stderr.encoding or "utf-8")
    if sys.stderr.isatty():
        columns = shutil.get_terminal_size().columns
        shown = textwrap.fill(shown, columns, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    print(shown, file=sys.stderr)


_WIDEST = 88
"""Longer lines are hard to read, however wide the terminal."""


def heading(console: Console, text: str, marks: Glyphs) -> None:
    """Print the name of a section, a blank line before it."""
    console.print()
    paragraph(console, text, marks, "bold")


def paragraph(console: Console, text: str, marks: Glyphs, style: str = "", hang: str = "") -> None:
    """Print text that breaks between words; the lines after the first begin with `hang`."""
    width = max(20, min(console.width, _WIDEST))
    for line in textwrap.wrap(visible(text, marks.encoding), width, subsequent_indent=hang):
        console.print(Text(line, style), soft_wrap=True)
