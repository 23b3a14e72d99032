"""A table of some of its rows: those that have one value in one column, such as the rows of one split."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from softmax_cli.errors import UsageError, did_you_mean, listed, nearest
from softmax_cli.tables.columns import Columns
from softmax_cli.tables.labels import distinct
from softmax_cli.tables.table import Block, Decoded, Table

_MOST_VALUES = 1000


@dataclass(frozen=True, slots=True)
class Condition:
    """A column and the text that its value reads as."""

    column: str
    value: str

    @classmethod
    def read(cls, given: str) -> Condition:
        """Read ``split=val``.

        Raises
        ------
        UsageError
            It has another form.
        """
        column, equals, value = given.partition("=")
        if not (column and equals):
            raise UsageError(f"--where {given}: expected COLUMN=VALUE, such as --where split=val")
        return cls(column.strip(), value)

    def __str__(self) -> str:
        return f"{self.column}={self.value}"


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

    @property
    def problem(self) -> str | None:
        """Say that no row was kept, and which values there are; None where some were."""
        if self.has_kept or not self.has_rows:
            return None
        column, values = self.condition.column, list(self.values)
        near = nearest(self.condition.value, values, 1)
        meant = f"did you mean {column}={near[0]}? " if near else ""
        return f"--where {self.condition} keeps no row; {meant}{column!r} holds: {listed(values)}"


def rows_where(table: Table, columns: Columns, condition: Condition, seen: Seen | None = None) -> Table:
    """Narrow a table down to the rows that meet a condition, as they are decoded; faults of other rows are gone.

    `seen` counts them.

    Raises
    ------
    UsageError
        There is no such column, or it is a score.
    """
    if condition.column not in columns.others:
        raise UsageError(
            f"--where {condition}: no such column beside the scores; {did_you_mean(condition.column, columns.others)}"
        )

    def decode(block: Block, scores: Sequence[str]) -> Decoded:
        return _narrowed(table.decode(block, scores), condition, seen)

    return table._replace(decode=decode)


def _narrowed(decoded: Decoded, condition: Condition, seen: Seen | None) -> Decoded:
    codes, names = distinct(decoded.batch.column(condition.column))
    trimmed = [name.strip() for name in names]
    rows = np.flatnonzero(
        np.isin(codes, [code for code, name in enumerate(trimmed) if name == condition.value.strip()])
    )
    if seen is not None:
        seen.add(len(codes), len(rows), [name for name in trimmed if name])
    if len(rows) == decoded.batch.num_rows:
        return decoded
    now = {before: row for row, before in enumerate(rows.tolist())}
    return Decoded(
        decoded.batch.take(rows),
        lambda row, column: decoded.place(int(rows[row]), column),
        tuple(fault._replace(row=now[fault.row]) for fault in decoded.faults if fault.row in now),
    )
