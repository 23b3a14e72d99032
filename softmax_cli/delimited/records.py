"""Rows by the standard library's parser: slow, certain, and with the very text that each row was made of."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator


def is_open(record: str, delimiter: str) -> bool:
    """Whether a quote is opened in the text of a row that nothing closes: it would swallow a line that followed."""
    return len(list(csv.reader([*io.StringIO(record, newline=""), "\n"], delimiter=delimiter))) == 1


def records(text: str, delimiter: str) -> Iterator[tuple[list[str], str]]:
    """Yield the cells and the text of every row, line ends and all; a blank line comes as a row without cells.

    A carriage return outside quotes ends a row, alone too: pyarrow's parser has it so.
    """
    lines: list[str] = []

    def feed() -> Iterator[str]:
        for line in io.StringIO(text, newline=""):
            lines.append(line)
            yield line

    for cells in csv.reader(feed(), delimiter=delimiter):
        yield cells, "".join(lines)
        lines.clear()
