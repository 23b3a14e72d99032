"""What the first rows say about columns whose names say nothing: ids, one-hot truths, columns unlike the others."""

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from softmax_cli.tables.batch import Batch, floats, matrix_of, texts
from softmax_cli.tables.schema import (
    DataType,
    is_binary,
    is_boolean,
    is_decimal,
    is_dictionary,
    is_fixed_size_list,
    is_floating,
    is_integer,
    is_large_list,
    is_large_string,
    is_list,
    is_map,
    is_nested,
    is_string,
    is_struct,
)

MOST_ROWS, LEAST_ROWS, MOST_CELLS = 1000, 20, 20_000
"""A look at every cell of a wide table would take longer than to score it."""
SURE_ROWS = 8
"""Whole numbers that all differ in so many rows are no scores where others have fractions."""
FEW_ROWS, BEYOND = 3, 2
"""Nor are they in so few, when they are all so many times as large as the largest with a fraction."""
FLOAT_ROWS = 20
"""... and in so many where the file says that they are floats, as pandas does of ids with gaps."""
LARGE = 100.0
"""From here on whole numbers in rising order are taken for ids in fewer rows too."""

_WHOLE = re.compile(r"\s*[+-]?\d+\s*")
_NUMBERS = re.compile(r"[+-]?[\d.]+(?:[eE][+-]?\d+)?")
_WORDS = {"true": 1.0, "false": 0.0}


class FirstRows:
    """The first rows of a table, as they were read with no column taken for a score: text formats give text."""

    def __init__(self, head: Batch) -> None:
        rows = min(MOST_ROWS, max(LEAST_ROWS, MOST_CELLS // max(1, head.num_columns)))
        self._head = head.slice(0, rows)
        self._numbers: dict[str, NDArray[np.float64]] = {}

    @property
    def rows(self) -> int:
        """How many rows are looked at."""
        return int(self._head.num_rows)

    def texts(self, name: str) -> list[str]:
        """The cells of a column as text, those that are there."""
        column = self._head.column(name)
        if is_nested(column.type) or is_binary(column.type):
            return []
        return [cell for cell in texts(column) if cell is not None]

    def is_text(self, name: str) -> bool:
        """Whether a column holds text, by its type or in a text format by its first cells."""
        kind = self._head.schema.field(name).type
        if is_dictionary(kind):
            kind = kind.value_type
        is_text = is_string(kind) or is_large_string(kind)
        return bool(is_text and not np.isfinite(self.numbers(name)).all())

    def numbers(self, name: str) -> NDArray[np.float64]:
        """The values of a column, shape (rows,); ``nan`` where there is no number. Booleans are 0 and 1."""
        if name not in self._numbers:
            column = self._head.column(name)
            kind = column.type.value_type if is_dictionary(column.type) else column.type
            if is_string(kind) or is_large_string(kind):
                values = np.array([_number(cell) for cell in column.to_pylist()], np.float64)
            elif is_number(kind) or is_boolean(kind):
                values = np.asarray(floats(column, np.dtype(np.float64)), np.float64)
            else:
                values = np.full(self.rows, np.nan)
            self._numbers[name] = values
        return self._numbers[name]

    def matrix(self, names: Sequence[str]) -> NDArray[np.float64]:
        """The values of some columns, shape (columns, rows)."""
        if names and all(is_number(self._head.schema.field(name).type) for name in names):
            together = matrix_of(self._head, names, np.dtype(np.float64), "F")  # a thousand calls take their time
            return np.asarray(together.T, np.float64)
        return np.array([self.numbers(name) for name in names]).reshape(len(names), self.rows)

    def has_fractions(self, name: str) -> bool:
        """Whether a number is not whole."""
        return bool(_fractions(self.numbers(name)).any())

    def is_written_whole(self, name: str) -> bool:
        """Whether the numbers are integers by their type, or in text have no decimal point."""
        column = self._head.column(name)
        if is_string(column.type):
            return all(_WHOLE.fullmatch(cell) for cell in column.to_pylist() if cell)
        return bool(is_integer(column.type))

    def is_repeated(self, name: str) -> bool:
        """Whether a value occurs more than once."""
        cells = self.texts(name)
        return len(set(cells)) < len(cells)

    def list_length(self, name: str) -> int | None:
        """The length of the first list of a column; None where there is none."""
        return next(map(len, self._lists(name)), None)

    def list_has_fractions(self, name: str) -> bool:
        """Whether the lists of a column hold numbers that are not whole."""
        numbers = np.array([item for row in self._lists(name)[:LEAST_ROWS] for item in row], np.float64)
        return bool((numbers != np.round(numbers))[np.isfinite(numbers)].any())

    def list_sizes(self, name: str) -> set[int]:
        """How many numbers the lists of a column hold."""
        return {len(row) for row in self._lists(name)}

    def _lists(self, name: str) -> list[list[float]]:
        """The lists of a column, those that are there; text formats give them as they are spelled."""
        rows = [row for row in self._head.column(name).to_pylist() if row]
        return [_NUMBERS.findall(row) if isinstance(row, str) else row for row in rows]

    def keys(self, name: str) -> tuple[str, ...]:
        """The keys of a column of maps, in the order of their first appearance."""
        rows = self._head.column(name).to_pylist()
        return tuple(dict.fromkeys(str(key) for row in rows if row is not None for key, _ in row))


def is_adorned(text: str) -> bool:
    """Whether a text is a number with something around it: ``2.5*``, ``$2.5``, ``(2.5)``, ``1.2 x 10^3``."""
    return re.fullmatch(_ADORNED, text) is not None


_ADORNED = (
    r"[\s(\[$\u20ac\u00a3'\"<>~=]{0,3}[+-]?\d+[.,]\d+([eE][+-]?\d+)?(\s?[^\d\s.,:/-][^\d.,:/-]{0,4}|\s?[x*\u00d7]\s?10\^?[+-]?\d+)"
    r"|[\s(\[$\u20ac\u00a3'\"<>~=]{1,3}[+-]?\d+[.,]\d+([eE][+-]?\d+)?"
)


def _number(cell: str | None) -> float:
    if not cell:
        return np.nan
    try:
        return float(cell.replace(",", "."))  # the sniffing has seen to it that a comma is a decimal mark
    except ValueError:
        return _WORDS.get(cell.strip().lower(), np.nan)


def is_number(kind: DataType) -> bool:
    """Whether a type is that of numbers."""
    return bool(is_integer(kind) or is_floating(kind) or is_decimal(kind))


def is_nested_number(kind: DataType) -> bool:
    """Whether a type holds the scores of a row in one column: a list, a struct or a map of numbers."""
    if is_struct(kind):
        return kind.num_fields > 0 and all(is_number(kind.field(i).type) for i in range(kind.num_fields))
    if is_map(kind):
        return bool(is_string(kind.key_type) and is_number(kind.item_type))
    return any(test(kind) for test in (is_list, is_large_list, is_fixed_size_list)) and is_number(kind.value_type)


class IdsByValue(NamedTuple):
    """Columns of numbers that are ids by what they hold."""

    sure: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()
    """Too few rows to say, or nothing but one score would be left."""


def find_ids(rows: FirstRows, names: Sequence[str], first: str) -> IdsByValue:
    """Find whole numbers that all differ beside columns with fractions.

    Parameters
    ----------
    names : sequence of str
        Columns of numbers that nothing else is known of.
    first : str
        The first column of the table, where ids mostly stand.
    """
    if rows.rows < 3:
        return IdsByValue()
    values = rows.matrix(names)
    fractional = _fractions(values).any(axis=1)
    whole = np.flatnonzero(~fractional & np.isfinite(values).all(axis=1)).tolist()
    found = [names[i] for i in whole if fractional.any() and _look_like_ids(rows, names[i])]
    left = len(names) - len(found)
    sure = [name for name in found if rows.rows >= SURE_ROWS or (name == first and left > 1)]
    return IdsByValue(tuple(sure), tuple(name for name in found if name not in sure))


def _fractions(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    fractions: NDArray[np.bool_] = np.isfinite(values) & (values != np.round(values))
    return fractions


def _look_like_ids(rows: FirstRows, name: str) -> bool:
    values = rows.numbers(name)
    if len(np.unique(values)) < len(values):
        return False
    if rows.rows >= (SURE_ROWS if rows.is_written_whole(name) else FLOAT_ROWS):
        return True
    steps = np.diff(values)
    return rows.is_written_whole(name) and bool((steps == 1).all() or ((steps > 0).all() and values[0] >= LARGE))


def find_one_hot(rows: FirstRows, names: Sequence[str], size: int) -> tuple[str, ...]:
    """Find `size` columns of 0 and 1 whose rows sum to 1; empty where there are none, or more than one such set."""
    if size < 2 or not rows.rows:
        return ()
    values = rows.matrix(names)
    marks = [names[i] for i in np.flatnonzero(((values == 0) | (values == 1)).all(axis=1)).tolist()]
    groups = [marks] if len(marks) == size else list(_by_first_word(marks).values())
    found = [group for group in groups if len(group) == size and (rows.matrix(group).sum(axis=0) == 1).all()]
    return tuple(found[0]) if len(found) == 1 else ()


def find_one_hot_columns(rows: FirstRows, names: Sequence[str]) -> tuple[str, ...]:
    """Find the only set of two or more columns of 0 and 1 whose rows sum to 1, however many there are."""
    marks = [name for name in names if rows.rows and np.isin(rows.numbers(name), (0.0, 1.0)).all()]
    groups = [marks, *_by_first_word(marks).values()]
    found = {tuple(group): None for group in groups if find_one_hot(rows, group, len(group)) == tuple(group)}
    return next(iter(found)) if len(found) == 1 else ()


def _by_first_word(names: Sequence[str]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(re.split(r"[\W_]", name, maxsplit=1)[0].lower(), []).append(name)
    return groups


def in_class_order(columns: Sequence[str], classes: Sequence[str]) -> tuple[str, ...]:
    """One-hot columns in the order of the classes that their names end or begin with; empty where they do not."""
    ordered = []
    for name in classes:
        number = re.search(r"\d+$", name)
        ending = (number[0] if number else name).strip().lower()
        fitting = [column for column in columns if _ends(column.lower(), ending, bool(number))]
        if len(fitting) != 1:
            return ()
        ordered += fitting
    return tuple(ordered) if len(set(ordered)) == len(columns) else ()


def _ends(column: str, ending: str, is_number_: bool) -> bool:
    before = column[: -len(ending)] if column.endswith(ending) else None
    if is_number_:
        return before is not None and not before[-1:].isdigit()
    return (
        column == ending
        or (before is not None and not before[-1:].isalnum())
        or (column.startswith(ending) and not column[len(ending) :][:1].isalnum())
    )


def odd_columns(rows: FirstRows, names: Sequence[str]) -> dict[str, str]:
    """Name score columns that are unlike the others, with what is odd: perhaps they are no classes."""
    if rows.rows < 2 or len(names) < 2:
        return {}
    values = rows.matrix(names)
    finite = np.isfinite(values)
    low = np.where(finite, values, np.inf).min(axis=1)
    high = np.where(finite, values, -np.inf).max(axis=1)
    others_low, others_high = _least_of_others(low), -_least_of_others(-high)
    with np.errstate(over="ignore", invalid="ignore"):
        gap = np.maximum(low - others_high, others_low - high)
        far = gap > np.maximum(others_high - others_low, 1.0) * (1 if len(names) > 2 else 3)
    far &= np.isfinite(low) & np.isfinite(others_low)
    odd = {
        names[i]: f"holds {low[i]:g} to {high[i]:g}, the others {others_low[i]:g} to {others_high[i]:g}"
        for i in np.flatnonzero(far).tolist()
    }
    whole = np.where(finite, values == np.round(values), True).all(axis=1) & finite.any(axis=1)
    rest = np.where(finite, values, 0)[~whole]
    if rows.rows >= FEW_ROWS and 2 * whole.sum() <= len(names) and not whole.all():
        for name in (names[i] for i in np.flatnonzero(whole).tolist()):
            beyond = (
                rows.is_written_whole(name) and BEYOND * np.abs(rest).max(initial=0) < np.abs(rows.numbers(name)).min()
            )
            if rows.rows >= SURE_ROWS or beyond:
                odd.setdefault(name, "holds whole numbers only, the others fractions")
    return figures_of_others(rows, names) | odd


def figures_of_others(rows: FirstRows, names: Sequence[str]) -> dict[str, str]:
    """Name columns that are the sum or the largest of the others in every row, of three at least."""
    values = rows.matrix(names)
    if rows.rows < 2 or len(names) < 3 or not np.isfinite(values).all():
        return {}
    with np.errstate(over="ignore", invalid="ignore"):
        sums = np.isclose(2 * values, values.sum(axis=0), rtol=1e-6).all(axis=1) & (values != 0).any(axis=1)
    second, first = np.sort(values, axis=0)[-2:]
    largest = ((values == first) & (first == second)).all(axis=1) & (values.max(axis=0) > values.min(axis=0)).all()
    found = {names[i]: "is the sum of the others in every row" for i in np.flatnonzero(sums).tolist()}
    for i in np.flatnonzero(largest).tolist():
        if (values == values[i]).all(axis=1).sum() == 1:  # it is no copy of a single one
            found[names[i]] = "is the largest of the others in every row"
    return found


def _least_of_others(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The least of all values but its own, for each of at least two values."""
    at = int(values.argmin())
    second = np.delete(values, at).min()
    least: NDArray[np.float64] = np.where(np.arange(len(values)) == at, second, values[at])
    return least
