"""What parts the cells of a line: said, or found from whole lines."""

from __future__ import annotations

from collections import Counter
from itertools import islice

from softmax_cli.delimited.records import records
from softmax_cli.errors import UsageError

DELIMITERS = (",", "\t", ";", "|")
_LOOKED_AT_BYTES = 1 << 16
_LOOKED_AT_LINES = 100


def check_delimiter(said: str) -> None:
    """Refuse what cannot part cells.

    Raises
    ------
    UsageError
        It is not one ASCII character, or one with another meaning.
    """
    if len(said) != 1 or not said.isascii() or said in '"\r\n\0':
        raise UsageError(f"--delimiter {said!r}: one ASCII character is wanted, no quote and no line end, such as ';'")


def find_delimiter(head: bytearray, decimal: str = ".") -> str:
    """Choose the delimiter that parts most lines into as many cells as the first, and of those the one with most cells.

    Parameters
    ----------
    head : bytearray
        The first bytes of a file, not necessarily of whole lines.
    decimal : str
        What parts the digits of a number, and so no cells.
    """
    lines = head.rfind(b"\n", 0, _LOOKED_AT_BYTES) + 1
    text = head[: lines or len(head)].decode(errors="replace")
    candidates = [delimiter for delimiter in DELIMITERS if delimiter != decimal]
    best, best_score = candidates[0], (0.0, 1)
    for delimiter in candidates:
        rows = [cells for cells, _ in islice(records(text, delimiter), _LOOKED_AT_LINES) if cells]
        widths = Counter(map(len, rows))
        width = len(rows[0]) if rows else 1
        score = (widths[width] / max(1, len(rows)), width)
        if width > 1 and score > best_score:
            best, best_score = delimiter, score
    return best
