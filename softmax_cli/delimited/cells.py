"""What the text of one cell stands for: a number, a missing value, or neither."""

from __future__ import annotations

import re

SPELLED_MISSING = ("", "NA", "N/A", "n/a", "na", "#N/A", "<NA>", "NULL", "Null", "null", "None", "none")
"""How files spell a value that is missing; ``nan`` reads as a number."""
_MISSING = frozenset(spelling.lower() for spelling in SPELLED_MISSING) | {"nan", "+nan", "-nan"}
_POINT_AND_COMMA = str.maketrans(",.", ".,")


def read_number(cell: str, decimal: str = ".") -> float | None:
    """Read a number, infinities and ``nan`` among them; None where the cell holds none.

    No thousands marks, no underscores, no hexadecimal: what is not surely one number is none.
    """
    if decimal == ",":
        cell = cell.translate(_POINT_AND_COMMA)
    if "_" in cell or not cell.isascii():  # float() takes 1_0 and the digits of other scripts
        return None
    try:
        return float(cell)
    except ValueError:
        return None


def is_missing(cell: str) -> bool:
    """Whether a cell stands for no value."""
    return cell.strip().lower() in _MISSING


def looks_like_decimal_comma(cell: str) -> bool:
    """Whether a cell reads as a number whose decimal mark is a comma."""
    return re.fullmatch(r"\s*[+-]?\d+,\d+(?:e[+-]?\d+)?\s*", cell, re.IGNORECASE | re.ASCII) is not None
