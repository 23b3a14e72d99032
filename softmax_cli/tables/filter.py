"""A table of some of its rows: those whose value in one column meets a condition, such as the rows of one split."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from softmax_cli.errors import UsageError, did_you_mean, listed, nearest
from softmax_cli.tables.columns import Columns
from softmax_cli.tables.labels import distinct
from softmax_cli.tables.table import Block, Decoded, Table

_MOST_VALUES = 1000


_FORM = re.compile(r"(.+?)\s*(!=|<=|>=|=|<|>|\sin\s)\s*(.*)", re.DOTALL)
_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Condition:
    """A column, a comparison, and the text that its value is compared with."""

    column: str
    operator: str
    """``=``, ``!=``, ``in``, or one of `_COMPARISONS`: of numbers where `value` is one, else of text, as for dates."""
    value: str

    @classmethod
    def read(cls, given: str) -> Condition:
        """Read ``split=val``, ``year >= 2020`` or ``split in val,test``.

        Raises
        ------
        UsageError
            It has another form.
        """
        found = _FORM.fullmatch(given.strip())
        if found is None or not found[1].strip():
            raise UsageError(
                f"--where {given}: expected COLUMN=VALUE, such as --where split=val, or one of != < <= > >= in: "
                "--where 'year >= 2020', --where 'split in val,test'"
            )
        condition = cls(found[1].strip(), found[2].strip(), found[3].strip())
        if condition.operator in _COMPARISONS and not condition.value:
            raise UsageError(f"--where {given}: there is nothing to compare with behind {condition.operator}")
        return condition

    def __str__(self) -> str:
        gap = " " if self.operator == "in" else ""
        return f"{self.column}{gap}{self.operator}{gap}{self.value}"

    @property
    def values(self) -> tuple[str, ...]:
        """The values that are named."""
        return tuple(part.strip() for part in self.value.split(",")) if self.operator == "in" else (self.value,)

    def accepts(self, text: str) -> bool:
        """Whether a value meets it; a missing one meets none, but for ``!=``."""
        if self.operator not in _COMPARISONS:
            return (text in self.values) != (self.operator == "!=")
        compare = _COMPARISONS[self.operator]
        if (limit := _number(self.value)) is None:
            return bool(text) and compare(text, self.value)
        return (number := _number(text)) is not None and compare(number, limit)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


class Seen:
    """Whether a filter has kept any row so far, and else some values of its column; several threads may add to it."""

    def __init__(self, condition: Condition) -> None:
        self.condition = condition
        self.has_rows = self.has_kept = False
        self.values: dict[str, None] = {}

    def add(self, rows: int, kept: int, values: Iterable[str]) -> None:
        """Take note of one batch."""
        self.has_rows |= rows > 0
        if kept:
            self.has_kept = True
        elif not self.has_kept and len(self.values) < _MOST_VALUES:
            self.values.update(dict.fromkeys(values))

    def plus(self, other: Seen) -> None:
        """Add what was met elsewhere."""
        self.add(other.has_rows, other.has_kept, other.values)

    @property
    def problem(self) -> str | None:
        """Say that no row was kept, and which values there are; None where some were."""
        if self.has_kept or not self.has_rows:
            return None
        column, values = self.condition.column, list(self.values)
        near = [] if self.condition.operator in _COMPARISONS else nearest(self.condition.value, values, 1)
        meant = f"did you mean {column}={near[0]}? " if near else ""
        return f"--where {self.condition} keeps no row; {meant}{column!r} holds: {listed(values)}"


def rows_where(table: Table, columns: Columns, condition: Condition) -> Table:
    """Narrow a table down to the rows that meet a condition, as they are decoded; faults of other rows are gone.

    Raises
    ------
    UsageError
        There is no such column, or it is a score.
    """
    if condition.column not in columns.others:
        raise UsageError(
            f"--where {condition}: no such column beside the scores; {did_you_mean(condition.column, columns.others)}"
        )

    seen = Seen(condition)

    def decode(block: Block, scores: Sequence[str]) -> Decoded:
        return _narrowed(table.decode(block, scores), condition, seen)

    return table._replace(decode=decode, seen=seen)


def _narrowed(decoded: Decoded, condition: Condition, seen: Seen) -> Decoded:
    codes, names = distinct(decoded.batch.column(condition.column))
    trimmed = [name.strip() for name in names]
    accepted = np.array([*map(condition.accepts, trimmed), condition.operator == "!="])  # the last: a missing value
    rows = np.flatnonzero(accepted[codes])
    seen.add(len(codes), len(rows), [name for name in trimmed if name])
    if len(rows) == decoded.batch.num_rows:
        return decoded
    now = {before: row for row, before in enumerate(rows.tolist())}
    return Decoded(
        decoded.batch.take(rows),
        lambda row, column: decoded.place(int(rows[row]), column),
        tuple(fault._replace(row=now[fault.row]) for fault in decoded.faults if fault.row in now),
    )
