"""Tables for papers and tickets, which are written and never read: the cells of a line, escaped, between marks."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Sequence
from typing import BinaryIO, Protocol

from softmax_cli.formats._lines import LineWriter
from softmax_cli.tables.batch import Batch
from softmax_cli.tables.columns import METADATA_KEY
from softmax_cli.tables.schema import Field, Schema, is_floating, is_integer
from softmax_cli.tables.table import WriteOptions
from softmax_cli.text.formatting import LineFormat


class Markup(Protocol):
    """What a module that writes such tables offers beside `Format`; `right` says which columns hold numbers."""

    END: str
    """What ends a table."""

    def escape(self, text: str) -> str:
        """Spell text so that every character of it is shown, and none is a mark."""

    def title(self, text: str) -> str:
        """Name the table that follows; `text` is escaped."""

    def head(self, names: Sequence[str], right: Sequence[bool]) -> str:
        """Begin a table; `names` are escaped."""

    def row(self, cells: Sequence[str], right: Sequence[bool]) -> str:
        """Write a line; `cells` are escaped."""


class MarkupWriter:
    """Writes batches as one table with a heading; columns of numbers stand right."""

    def __init__(self, file: BinaryIO, schema: Schema, options: WriteOptions, markup: Markup) -> None:
        form = LineFormat(escape_formulas=options.escape_formulas)
        self._file, self._markup = file, markup
        self._right = [_is_number(field) for field in schema]
        self._lines = LineWriter(file, schema, options, form, [b"", *[b","] * (len(schema) - 1)], b"\n")
        self.write(markup.head([_escaped(name, markup) for name in schema.names], self._right))

    def encode(self, batch: Batch) -> str:
        """Turn a batch into lines; may be called from several threads at once."""
        csv.field_size_limit(sys.maxsize)  # a list of 100,000 classes is one cell
        text = self._lines.encode(batch).decode("utf-8", "backslashreplace")
        rows = csv.reader(io.StringIO(text, newline=""))
        return "".join(self._markup.row([_escaped(cell, self._markup) for cell in row], self._right) for row in rows)

    def write(self, payload: str) -> None:
        """Put down what `encode` made."""
        self._file.write(payload.encode("utf-8", "backslashreplace"))
        self._file.flush()

    def close(self) -> None:
        """End the table."""
        self.write(self._markup.END)


def _escaped(text: str, markup: Markup) -> str:
    return markup.escape(" ".join(text.splitlines()))  # a cell is one line


def _is_number(field: Field) -> bool:
    return is_floating(field.type) or is_integer(field.type) or METADATA_KEY in (field.metadata or {})
