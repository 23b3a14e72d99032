"""Cells of delimited text that hold a list of numbers, as Python, NumPy and PyTorch print it: ``[0.7, 0.3]``.

Under a name of scores the brackets may be missing: ``0.7 0.3``, ``0.7|0.3``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from softmax_cli.tables.batch import ListColumn

_LIST = re.compile(
    r"\s*(?:(?:tensor|array|np\.array)\()?\s*\[?\s*[\[(]([^\[\]()]*)[\])]\s*\]?(?:,\s*\w+=[^)]*)?\)?\s*", re.DOTALL
)
"""Also one row of a matrix, ``[[0.7, 0.3]]``, and what follows the numbers of a tensor: ``, device='cuda:0')``."""
_BARE = re.compile(r"\s*([^\[\](),;|\s]+(?:[;|\s]+[^\[\](),;|\s]+)+)\s*")
"""Several numbers without brackets, with blanks, semicolons or bars between them."""
_SCALAR = re.compile(r"(?:np|numpy)\.float\d+\(([^()]*)\)")
"""An item of a list as NumPy 2 shows it."""
_SEPARATOR = re.compile(r"[\s,;|]+")
_SHOWN = 60


def list_size(cells: Sequence[str]) -> int | None:
    """Return how many numbers the first list of a column holds; None where its cells are not mostly lists."""
    found = [numbers for cell in cells if (numbers := _numbers(cell)) is not None]
    return len(found[0]) if found and 2 * len(found) > len(cells) and len(found[0]) > 0 else None


def read_lists(cells: Sequence[str | None], size: int) -> tuple[ListColumn, dict[int, str]]:
    """Read a column of lists; rows that hold none of that length are ``nan``.

    Returns
    -------
    ListColumn
        A list of `size` numbers a row.
    dict
        What is wrong with rows, by their position; a cell that is empty is no fault of the reader.
    """
    values = np.full((len(cells), size), np.nan)
    faults: dict[int, str] = {}
    for row, cell in enumerate(cell or "" for cell in cells):
        numbers = _numbers(cell)
        if numbers is not None and len(numbers) == size:
            values[row] = numbers
        elif cell.strip():
            faults[row] = _problem(cell, numbers, size)
    return ListColumn(values), faults


def _numbers(cell: str) -> list[float] | None:
    found = _LIST.fullmatch(_SCALAR.sub(r"\1", cell) if ".float" in cell else cell) or _BARE.fullmatch(cell)
    if found is None:
        return None
    try:
        return [float(item) for item in _SEPARATOR.split(found[1].strip(" \t\r\n,")) if item]
    except ValueError:
        return None


def _problem(cell: str, numbers: list[float] | None, size: int) -> str:
    if numbers is not None:
        return f"holds {len(numbers)} values where the first row has {size}"
    shown = cell if len(cell) <= _SHOWN else f"{cell[:_SHOWN]}..."
    if "..." in cell:
        return (
            f"{shown!r} was cut short by NumPy when it was written: numpy.set_printoptions(threshold=sys.maxsize), or "
            "write .tolist()"
        )
    return f"{shown!r} is not a list of {size} numbers"
