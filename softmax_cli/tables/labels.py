"""The truth of a row as the column of its class: matched by name, and by number only where names rule nothing out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.errors import DataError
from softmax_cli.tables.batch import Batch, Column, distinct_texts
from softmax_cli.tables.columns import Columns
from softmax_cli.tables.schema import is_floating

MISSING = -1
"""In an array of class indices: no truth is known."""
_LISTED = 12
"""Names that a message lists of each set."""


def distinct(column: Column) -> tuple[NDArray[np.intp], list[str]]:
    """Return the code of every value, shape (rows,), and the texts that the codes stand for; `MISSING` for none.

    Null, nan and the empty text are no value. Booleans are 0 and 1. A float without a fraction is a whole number: what
    wrote 3.0 into an array of floats meant class 3.
    """
    nothing = {"", "nan"} if is_floating(column.type) else {""}
    codes, names = distinct_texts(column)
    empty = [code for code, name in enumerate(names) if name in nothing]
    codes[np.isin(codes, empty)] = MISSING
    return codes, names


@dataclass(frozen=True, slots=True)
class LabelReading:
    """How truths were read so far: a truth that was found by its name, and one that was found by its number."""

    by_name: str | None = None
    by_number: str | None = None

    def plus(self, other: Self) -> LabelReading:
        """Merge with the reading of other rows.

        Raises
        ------
        DataError
            Some truths are class names and others only numbers: then the numbers are names that are missing.
        """
        both = LabelReading(self.by_name or other.by_name, self.by_number or other.by_number)
        if both.by_name is not None and both.by_number is not None:
            raise DataError(
                f"the truth {both.by_name!r} is the name of a class and the truth {both.by_number!r} is not: either "
                "all truths are names, or none is and they count the classes from 0; mend the labels, or name the "
                "classes with --classes FILE"
            )
        return both

    @property
    def note(self) -> str | None:
        """What the user is to be told; None: nothing, names are the rule."""
        if self.by_number is None:
            return None
        return "the truths are no class names but fit as numbers: 0 is the first class column, 1 the second ..."


@dataclass(frozen=True, slots=True)
class Labels:
    """The true classes of a batch."""

    indices: NDArray[np.int64]
    """Column of the true class, shape (rows,); `MISSING` where there is no truth."""
    reading: LabelReading


@dataclass(frozen=True, slots=True)
class ClassLookup:
    """Finds classes by what a truth calls them; stateless, so that several threads share it."""

    classes: tuple[str, ...]
    positions: dict[str, int]
    """Class names, and full names of class columns that are no class names."""

    @classmethod
    def of(cls, columns: Columns) -> Self:
        """Look up the classes of a table."""
        positions = {name: position for position, name in enumerate(columns.classes)}
        if len(columns.scores) == len(columns.classes):
            for position, name in enumerate(columns.scores):
                positions.setdefault(name, position)
        return cls(columns.classes, positions)

    def __call__(self, column: Column, name: str) -> Labels:
        """Turn a column of truths into class indices.

        Parameters
        ----------
        column : Column
            Text, whole numbers, floats without a fraction, or booleans.
        name : str
            What to call it in messages.

        Raises
        ------
        DataError
            A truth is no class, or is one by its number where another is one by its name.
        """
        codes, texts = distinct(column)
        used = np.unique(codes[codes != MISSING]).tolist()
        table = np.full(len(texts) + 1, MISSING, np.int64)
        reading = LabelReading()
        for code in used:
            text = texts[code]
            position = self.positions.get(text)
            if position is not None:
                reading = reading.plus(LabelReading(by_name=text))
            elif (position := self._by_number(text)) is not None:
                reading = reading.plus(LabelReading(by_number=text))
            else:
                raise DataError(self._unknown(text, name, [texts[code] for code in used]))
            table[code] = position
        return Labels(table[codes], reading)

    def _by_number(self, text: str) -> int | None:
        """Return the class that a whole number counts; ``007`` and ``1e0`` are texts."""
        if not (text.isascii() and text.isdecimal()) or text != str(int(text)):
            return None
        return int(text) if int(text) < len(self.classes) else None

    def _unknown(self, text: str, name: str, there: Sequence[str]) -> str:
        return (
            f"column {name!r}: the truth {text!r} is no class; truths here: {_some(there)}; classes: "
            f"{_some(self.classes)}; name the column of truths with --label, or the classes with --classes FILE"
        )


def _some(names: Sequence[str]) -> str:
    more = f" ... ({len(names):,} in all)" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more


class Truth(Protocol):
    """Gives the class of every row of a batch; stateless, so that several threads share it."""

    @property
    def column(self) -> str:
        """The column of the batch that tells it, or that would have to be looked at where it is missing."""

    @property
    def problem(self) -> str:
        """What is wrong with a row without a truth; reads on from its place."""

    def labels(self, batch: Batch) -> Labels:
        """Return the true classes of a batch."""


@dataclass(frozen=True, slots=True)
class OwnTruth:
    """The truth stands in a column of the table."""

    column: str
    lookup: ClassLookup

    @property
    def problem(self) -> str:
        """An empty cell."""
        return "is empty: there is no truth to compare with"

    def labels(self, batch: Batch) -> Labels:
        """Read it."""
        return self.lookup(batch.column(self.column), self.column)


@dataclass(frozen=True, slots=True)
class JoinedTruth:
    """The truth stands in another table, under the same id."""

    column: str
    """The ids."""
    by_id: Mapping[str, int]
    """Class index of every labelled id."""
    reading: LabelReading
    file: str

    @property
    def problem(self) -> str:
        """An id that the other table has not."""
        return f"is an id that {self.file} has no truth for"

    def labels(self, batch: Batch) -> Labels:
        """Look the ids up."""
        codes, ids = distinct(batch.column(self.column))
        table = np.array([*(self.by_id.get(one, MISSING) for one in ids), MISSING], np.int64)
        return Labels(table[codes], self.reading)
