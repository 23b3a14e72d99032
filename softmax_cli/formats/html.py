"""HTML: a table for a wiki or a mail; written, never read."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from softmax_cli.formats._markup import MarkupWriter
    from softmax_cli.tables.schema import Schema
    from softmax_cli.tables.table import WriteOptions


SUFFIXES = (".html", ".htm")
MAGIC: tuple[bytes, ...] = ()
SEEKS = False
END = "</tbody>\n</table>\n"


def escape(text: str) -> str:
    """Spell text without marks of HTML, and in ASCII, so that no browser guesses the encoding."""
    return html.escape(text).encode("ascii", "xmlcharrefreplace").decode()


def title(text: str) -> str:
    """Name the table that follows."""
    return f"<h3>{text}</h3>\n"


def head(names: Sequence[str], right: Sequence[bool]) -> str:
    """Begin a table."""
    return f"<table>\n<thead>\n{_line('th', names, right)}</thead>\n<tbody>\n"


def row(cells: Sequence[str], right: Sequence[bool]) -> str:
    """Write a line."""
    return _line("td", cells, right)


def _line(tag: str, cells: Sequence[str], right: Sequence[bool]) -> str:
    # Tickets drop styles and keep this attribute.
    open_tags = [f'<{tag} align="right">' if is_right else f"<{tag}>" for is_right in right]
    return f"<tr>{''.join(f'{tag_}{cell}</{tag}>' for tag_, cell in zip(open_tags, cells, strict=True))}</tr>\n"


def write(file: BinaryIO, schema: Schema, options: WriteOptions) -> MarkupWriter:
    """Begin a table with its heading."""
    import softmax_cli.formats.html as markup
    from softmax_cli.formats._markup import MarkupWriter

    return MarkupWriter(file, schema, options, markup)
