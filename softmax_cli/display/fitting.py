"""How columns share the width of the terminal, so that no row is ever wrapped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

GAP = 2
"""Blank cells between two columns."""


@dataclass(frozen=True, slots=True)
class Want:
    """What a column asks for, in terminal cells."""

    natural: int
    """Shows everything."""
    least: int
    """Below this it is of no use, and is left out."""
    weight: int
    """The column of the smallest weight is the first to be left out, and the last to be widened."""


def fit(wants: Sequence[Want], width: int) -> list[int]:
    """Divide `width` cells among columns with a gap between them.

    While not all least widths fit, the column of the smallest weight is left out (of equal ones the last). What is
    spare then widens the column of the greatest weight (of equal ones the narrowest: a long name is shortened before a
    short one is) up to its natural width, then the next.

    Returns
    -------
    list of int
        The width of each column, 0 for one that is left out. With the gaps between them they add up to at most `width`.
    """
    kept = list(range(len(wants)))
    while kept and total([wants[i].least for i in kept]) > width:
        kept.remove(min(reversed(kept), key=lambda i: wants[i].weight))
    widths = {i: wants[i].least for i in kept}
    for _ in range(width - total(list(widths.values()))):
        lacking = [i for i in kept if widths[i] < wants[i].natural]
        if not lacking:
            break
        widths[min(lacking, key=lambda i: (-wants[i].weight, widths[i]))] += 1
    return [widths.get(i, 0) for i in range(len(wants))]


def total(widths: Sequence[int]) -> int:
    """Cells that columns of these widths take with the gaps between them."""
    return sum(widths) + GAP * (len(widths) - 1) if widths else 0
