"""What the truths of a table come to: how many there are of each class, how many are missing or no class."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.errors import DataError
from softmax_cli.tables.labels import MISSING, LabelReading, Truth
from softmax_cli.tables.table import Decoded

_KEPT = 3


@dataclass(frozen=True, slots=True, eq=False)
class TruthCounts:
    """Truths of a run of rows; those of consecutive runs add up exactly, with `plus`."""

    classes: NDArray[np.int64]
    """Rows of each class, shape (classes,)."""
    missing: int = 0
    unknown: int = 0
    """Rows whose truth is no class."""
    first_missing: tuple[str, ...] = ()
    first_unknown: tuple[str, ...] = ()
    """Where the first of them stand, and what is wrong with them."""
    reading: LabelReading = field(default_factory=LabelReading)
    problem: str = ""
    """Why the truths cannot be read as one column; empty where they can."""

    @classmethod
    def of(cls, truth: Truth, decoded: Decoded, classes: int) -> Self:
        """Count the truths of one batch; none is refused."""
        try:
            found = truth.labels(decoded.batch)
        except DataError as error:
            return cls(np.zeros(classes, np.int64), problem=str(error))
        counts = np.bincount(found.indices[found.indices >= 0], minlength=classes).astype(np.int64)
        without = found.without
        missing = without[found.indices[without] == MISSING]
        unknown = without[found.indices[without] != MISSING]

        def places(rows: NDArray[np.intp]) -> tuple[str, ...]:
            spots = [(row, decoded.place(row, truth.column)) for row in rows[:_KEPT].tolist()]
            return tuple(f"{spot.where}: {spot.found!r} {found.problem(row)}" for row, spot in spots)

        return cls(counts, len(missing), len(unknown), places(missing), places(unknown), found.reading)

    def plus(self, other: Self) -> Self:
        """Add the truths of the rows that follow."""
        problem = self.problem or other.problem
        try:
            reading = self.reading.plus(other.reading)
        except DataError as error:
            reading, problem = self.reading, problem or str(error)
        return type(self)(
            self.classes + other.classes,
            self.missing + other.missing,
            self.unknown + other.unknown,
            (self.first_missing + other.first_missing)[:_KEPT],
            (self.first_unknown + other.first_unknown)[:_KEPT],
            reading,
            problem,
        )

    @property
    def trouble(self) -> str:
        """Why the truths cannot be read as one column, once all rows are counted; empty where they can."""
        try:
            self.reading.check(len(self.classes))
        except DataError as error:
            return self.problem or str(error)
        return self.problem
