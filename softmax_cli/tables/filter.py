"""A table of some of its rows: those that have one value in one column, such as the rows of one split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from softmax_cli.errors import UsageError
from softmax_cli.tables.columns import Columns
from softmax_cli.tables.labels import distinct
from softmax_cli.tables.table import Block, Decoded, Table


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
        return cls(column, value)


def rows_where(table: Table, columns: Columns, condition: Condition) -> Table:
    """Narrow a table down to the rows that meet a condition, as they are decoded; faults of other rows are gone.

    Raises
    ------
    UsageError
        There is no such column, or it is a score.
    """
    if condition.column not in columns.others:
        raise UsageError(
            f"--where {condition.column}={condition.value}: no such column beside the scores; there are: "
            f"{', '.join(columns.others) or 'none'}"
        )

    def decode(block: Block, scores: Sequence[str]) -> Decoded:
        return _narrowed(table.decode(block, scores), condition)

    return table._replace(decode=decode)


def _narrowed(decoded: Decoded, condition: Condition) -> Decoded:
    codes, names = distinct(decoded.batch.column(condition.column))
    rows = np.flatnonzero(codes == names.index(condition.value)) if condition.value in names else np.empty(0, np.intp)
    if len(rows) == decoded.batch.num_rows:
        return decoded
    now = {before: row for row, before in enumerate(rows.tolist())}
    return Decoded(
        decoded.batch.take(rows),
        lambda row, column: decoded.place(int(rows[row]), column),
        tuple(fault._replace(row=now[fault.row]) for fault in decoded.faults if fault.row in now),
    )
