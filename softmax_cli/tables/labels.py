"""The truth of a row as the column of its class: matched by name, by a number in the names, or by position."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.errors import DataError, listed, nearest
from softmax_cli.tables.batch import Batch, Column, distinct_texts
from softmax_cli.tables.columns import Columns
from softmax_cli.tables.schema import is_floating
from softmax_cli.text.parsing import NO_VALUE

MISSING, UNKNOWN = -1, -2
"""In an array of class indices: no truth is known; the truth is no class."""
MISSING_TRUTHS = NO_VALUE | {"nan", "nat"}
"""What stands for no truth, in any case, where no class is called so."""
PASSED_OVER = -100
"""What PyTorch's losses pass over."""
_WHOLE = re.compile(r"[+-]?(0|[1-9]\d*)(\.0*)?", re.ASCII)
_DECIMALS = re.compile(r"(?<=\d)\.0+\Z")
_SHOWN = 40
_BOOLEANS = {"true": 1, "false": 0}


def distinct(column: Column) -> tuple[NDArray[np.intp], list[str]]:
    """Return the code of every value, shape (rows,), and the texts that the codes stand for; `MISSING` for none.

    Null, nan and the empty text are no value. Booleans are 0 and 1. A float without a fraction is a whole number: what
    wrote 3.0 into an array of floats meant class 3. A list is spelled with its brackets.
    """
    nothing = {"", "nan"} if is_floating(column.type) else {""}
    codes, names = distinct_texts(column)
    empty = [code for code, name in enumerate(names) if name in nothing]
    codes[np.isin(codes, empty)] = MISSING
    return codes, names


def one_hot(text: str) -> list[int] | None:
    """Read a list of 0 with a single 1, which marks a class; None where a text is none."""
    if not text.startswith("["):
        return None
    marks = [whole_number(mark) for mark in re.split(r"[\s,]+", text.strip("[] \n"))]
    found = [mark for mark in marks if mark in (0, 1)]
    return found if len(found) == len(marks) > 1 and sum(found) == 1 else None


def is_missing_truth(text: str) -> bool:
    """Whether a text stands for no truth, unless a class is called so."""
    return text.strip().lower() in MISSING_TRUTHS or whole_number(text) == PASSED_OVER


def id_text(text: str) -> str:
    """An id without blanks, and without the decimals that an array of floats or a gap has given it: ``7.0`` is 7."""
    plain = text.strip()
    return _DECIMALS.sub("", plain) if _WHOLE.fullmatch(plain) else plain


def whole_number(text: str) -> int | None:
    """Return the whole number that a text spells, ``1.0`` and ``True`` too; None for ``007`` and ``1e0``."""
    spelled = text.strip()
    if _WHOLE.fullmatch(spelled):
        return int(spelled.partition(".")[0])
    return _BOOLEANS.get(spelled.lower())


@dataclass(frozen=True, slots=True)
class LabelReading:
    """How truths were read so far, with one truth of each way; those of consecutive runs of rows merge, with `plus`."""

    by_name: str | None = None
    """Found among the class names, or as the number in one of them (``class_1``)."""
    by_index: str | None = None
    """No name, but the position of a class."""
    least: int | None = None
    """The least and the largest number that counts classes, by a name or not, or is too large for that."""
    largest: int | None = None

    def plus(self, other: Self) -> LabelReading:
        """Merge with the reading of other rows.

        Raises
        ------
        DataError
            Some truths are class names and others only positions: then the numbers are names that are missing.
        """
        numbers = [n for n in (self.least, self.largest, other.least, other.largest) if n is not None]
        both = LabelReading(
            self.by_name or other.by_name,
            self.by_index or other.by_index,
            min(numbers, default=None),
            max(numbers, default=None),
        )
        if both.by_name is not None and both.by_index is not None:
            raise DataError(
                f"the truth {both.by_name!r} is the name of a class and the truth {both.by_index!r} is not: if all "
                "truths count the classes, add --labels-from 0; else mend the labels, or name the classes with "
                "--classes FILE"
            )
        return both

    def check(self, classes: int) -> None:
        """Refuse positions that count from 1, once all rows are read: each would be one off.

        Raises
        ------
        DataError
            They run from 1 to the number of classes.
        """
        if self.least == 1 and self.largest == classes:
            raise DataError(_one_based(classes))

    @property
    def note(self) -> str | None:
        """What the user is to be reported; None: nothing, names are the rule."""
        if self.by_index is None:
            return None
        found = "the truths are no class names but fit as numbers: 0 is the first class column, 1 the second ..."
        return found if self.least == 0 else f"{found}; none is 0: if they count from 1, add --labels-from 1"


def _one_based(classes: int) -> str:
    return (
        f"the truths run from 1 to {classes} and none is 0: if they count the classes from 1, add --labels-from 1; "
        "if they are names, give all of them with --classes FILE"
    )


@dataclass(frozen=True, slots=True)
class Labels:
    """The true classes of a batch."""

    indices: NDArray[np.int64]
    """Column of the true class, shape (rows,); `MISSING` where there is no truth, `UNKNOWN` where it is no class."""
    reading: LabelReading
    problem: Callable[[int], str] = field(default=lambda row: "is a missing truth")
    """What is wrong with the truth of a row that has no class; reads on from the cell."""

    @property
    def without(self) -> NDArray[np.intp]:
        """Rows that have no class."""
        return np.flatnonzero(self.indices < 0)


@dataclass(frozen=True, slots=True)
class ClassLookup:
    """Finds classes by what a truth calls them; stateless, so that several threads share it."""

    classes: tuple[str, ...]
    positions: dict[str, int]
    """Class names, and full names of class columns that are no class names."""
    numbers: dict[int, int]
    """Numbers within names that are alike but for their number: of p1, p2, p3 or class_1, class_2."""
    counted_from: int | None = None
    """What number the first class has, where that was typed."""

    @classmethod
    def of(cls, columns: Columns, counted_from: int | None = None) -> Self:
        """Look up the classes of a table."""
        positions = {name.strip(): position for position, name in enumerate(columns.classes)}
        if len(columns.scores) == len(columns.classes):
            for position, name in enumerate(columns.scores):
                positions.setdefault(name.strip(), position)
        for position, key in enumerate(columns.keys):
            positions.setdefault(key, position)
        return cls(columns.classes, positions, _numbers_in(columns.classes), counted_from)

    def __call__(self, column: Column) -> Labels:
        """Turn a column of truths into class indices.

        Parameters
        ----------
        column : Column
            Text, whole numbers, floats without a fraction, booleans, or lists that mark their class with a 1.

        Raises
        ------
        DataError
            A truth is a class by its position where another is one by its name.
        """
        codes, texts = distinct(column)
        used = np.unique(codes[codes != MISSING]).tolist()
        table = np.full(len(texts) + 1, MISSING, np.int64)
        reading = LabelReading()
        for code in used:
            table[code], how = self.find(texts[code])
            reading = reading.plus(how)

        def problem(row: int) -> str:
            code = int(codes[row])
            if code == MISSING or table[code] == MISSING:
                return "is a missing truth: there is nothing to compare with"
            return self.unknown(texts[code], reading, [texts[code].strip() for code in used])

        return Labels(table[codes], reading, problem)

    def find(self, text: str) -> tuple[int, LabelReading]:
        """Return the class of one truth, `MISSING` or `UNKNOWN`, and how it was found."""
        text = text.strip()
        number, none = whole_number(text), MISSING if is_missing_truth(text) else UNKNOWN
        if self.counted_from is not None and number is not None:
            counted = number - self.counted_from
            return (counted if 0 <= counted < len(self.classes) else none), LabelReading()
        spelled = text if number is None or text in self.positions else str(number)
        if (position := self.positions.get(spelled)) is not None:
            counts = position if spelled == str(position) else None
            return position, LabelReading(by_name=text, least=counts, largest=counts)
        if number in self.numbers:
            return self.numbers[number], LabelReading(by_name=text)
        if number is not None and 0 <= number < len(self.classes):
            return number, LabelReading(by_index=text, least=number, largest=number)
        if (marks := one_hot(text)) is not None and len(marks) == len(self.classes):
            return marks.index(1), LabelReading()
        least = None if number is None or is_missing_truth(text) else number
        return none, LabelReading(least=least, largest=least)

    def unknown(self, text: str, reading: LabelReading, there: Sequence[str]) -> str:
        """Say that a truth is no class; reads on from the truth."""
        near = nearest(text, self.classes, 1)
        classes = len(self.classes)
        if near:
            way_out = f"did you mean {near[0]!r}?"
        elif {*map(whole_number, there)} <= {*range(1, classes + 1)} and whole_number(text) == classes:
            way_out = _one_based(classes)
        else:
            way_out = "name the column of truths with --label, or the classes with --classes FILE"
        shown = [name if len(name) <= _SHOWN else f"{name[:_SHOWN]}..." for name in there]
        return f"is no class; {way_out}; classes: {listed(self.classes)}; truths here: {listed(shown)}"


def _numbers_in(names: Sequence[str]) -> dict[int, int]:
    found = [re.fullmatch(r"(\D*)(\d+)(\D*)", name.strip(), re.ASCII) for name in names]
    if any(match is None for match in found) or len({(m[1], m[3]) for m in found if m is not None}) != 1:
        return {}
    numbers = {int(match[2]): position for position, match in enumerate(found) if match is not None}
    return numbers if len(numbers) == len(names) else {}


class Truth(Protocol):
    """Gives the class of every row of a batch; stateless, so that several threads share it."""

    @property
    def column(self) -> str:
        """The column of the batch that holds it, or that would have to be looked at where it is missing."""

    def labels(self, batch: Batch) -> Labels:
        """Return the true classes of a batch."""


@dataclass(frozen=True, slots=True)
class OwnTruth:
    """The truth stands in a column of the table."""

    column: str
    lookup: ClassLookup

    def labels(self, batch: Batch) -> Labels:
        """Read it."""
        return self.lookup(batch.column(self.column))


@dataclass(frozen=True, slots=True)
class OneHotTruth:
    """The truth stands in columns of 0 and 1, one for each class in their order."""

    columns: tuple[str, ...]

    @property
    def column(self) -> str:
        """The first of them."""
        return self.columns[0]

    def labels(self, batch: Batch) -> Labels:
        """Read them."""
        marks = np.full((batch.num_rows, len(self.columns)), np.nan)
        for position, name in enumerate(self.columns):
            codes, texts = distinct(batch.column(name))
            found = [whole_number(text) for text in texts]
            values = np.array([*(np.nan if n is None else n for n in found), np.nan], np.float64)
            marks[:, position] = values[codes]
        is_one_hot = ((marks == 0) | (marks == 1)).all(axis=1) & (marks.sum(axis=1) == 1)
        none = np.where(np.isnan(marks).all(axis=1), MISSING, UNKNOWN)
        indices = np.where(is_one_hot, np.nan_to_num(marks).argmax(axis=1), none).astype(np.int64)
        return Labels(indices, LabelReading(), self._problem)

    def _problem(self, row: int) -> str:
        return f"begins a one-hot truth ({listed(self.columns, 3)}) that does not mark one class with a 1"


@dataclass(frozen=True, slots=True)
class JoinedTruth:
    """The truth stands in another table, under the same id."""

    column: str
    """The ids."""
    by_id: Mapping[str, int]
    """Class index of every labelled id; `UNKNOWN` where its truth is no class."""
    reading: LabelReading
    file: str
    unknown: Mapping[str, str]
    """What is wrong with the truths that are no class, by id."""

    def labels(self, batch: Batch) -> Labels:
        """Look the ids up."""
        codes, texts = distinct(batch.column(self.column))
        ids = list(map(id_text, texts))
        table = np.array([*(self.by_id.get(one, MISSING) for one in ids), MISSING], np.int64)

        def problem(row: int) -> str:
            known = self.unknown.get(ids[codes[row]]) if codes[row] != MISSING else None
            return known or f"is an id that {self.file} has no truth for"

        return Labels(table[codes], self.reading, problem)
