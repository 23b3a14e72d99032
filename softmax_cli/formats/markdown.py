"""Markdown: a table for a ticket or a README; written, never read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from softmax_cli.formats._markup import MarkupWriter
    from softmax_cli.tables.schema import Schema
    from softmax_cli.tables.table import WriteOptions


SUFFIXES = (".md", ".markdown")
MAGIC: tuple[bytes, ...] = ()
SEEKS = False
END = ""
_MARKS = {ord(mark): f"\\{mark}" for mark in "\\|`*_[]{}~$#!"} | {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;"}


def escape(text: str) -> str:
    """Spell text without marks of Markdown, or of the HTML in it."""
    return text.translate(_MARKS)


def title(text: str) -> str:
    """Name the table that follows."""
    return f"### {text}\n\n"


def head(names: Sequence[str], right: Sequence[bool]) -> str:
    """Begin a table; the rule below the names says which columns stand right."""
    return row(names, right) + row(["---:" if is_right else ":---" for is_right in right], right)


def row(cells: Sequence[str], right: Sequence[bool]) -> str:
    """Write a line."""
    return f"| {' | '.join(cells)} |\n"


def write(file: BinaryIO, schema: Schema, options: WriteOptions) -> MarkupWriter:
    """Begin a table with its heading."""
    import softmax_cli.formats.markdown as markup
    from softmax_cli.formats._markup import MarkupWriter

    return MarkupWriter(file, schema, options, markup)
