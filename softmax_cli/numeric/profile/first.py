"""The first places where something was found: enough to look at, whatever the number of finds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

KEPT = 5


@dataclass(frozen=True, slots=True)
class First:
    """How many cells (or rows) were found, and the first of them in the order of the rows."""

    count: int = 0
    places: tuple[tuple[int, int], ...] = ()
    """Row and class, from 0; the class of a whole row is -1."""

    @classmethod
    def of_cells(cls, found: NDArray[np.bool_]) -> First:
        """Take the marked cells of a matrix, shape (rows, classes)."""
        rows = np.flatnonzero(found.any(axis=1))
        places: list[tuple[int, int]] = []
        for row in rows[:KEPT].tolist():
            places += [(row, position) for position in np.flatnonzero(found[row])[:KEPT].tolist()]
        return cls(int(found.sum()), tuple(places[:KEPT]))

    @classmethod
    def of_rows(cls, found: NDArray[np.bool_]) -> First:
        """Take the marked rows, shape (rows,)."""
        return cls(int(found.sum()), tuple((row, -1) for row in np.flatnonzero(found)[:KEPT].tolist()))

    def plus(self, other: First, rows: int) -> First:
        """Add what was found in the rows that follow after `rows` rows."""
        later = tuple((row + rows, position) for row, position in other.places[: KEPT - len(self.places)])
        return First(self.count + other.count, self.places + later)
