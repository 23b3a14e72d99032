"""Truths that stand in a file of their own: joined to the rows by id, or by their order where there are no ids."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from softmax_cli.errors import DataError, UsageError, did_you_mean, listed
from softmax_cli.stream.inputs import input_files, open_table
from softmax_cli.tables.batch import Column, value_at
from softmax_cli.tables.column_names import id_rank, truth_rank
from softmax_cli.tables.columns import Columns
from softmax_cli.tables.labels import MISSING, UNKNOWN, ClassLookup, JoinedTruth, LabelReading, distinct, id_text
from softmax_cli.tables.schema import Field, Schema
from softmax_cli.tables.table import Block, Decoded, Place, ReadOptions, Table, decoded_before

FLAG = "--labels"
_INDEX = 2
"""The rank of a column that numbers the rows: it joins to another such column only."""


class OrderedLabels(NamedTuple):
    """One truth for each row of a table, in its order."""

    values: Column
    """An array of Arrow's, whatever the file was."""
    column: str
    """What messages call them."""
    file: str

    def beside(self, table: Table, scores: Sequence[str]) -> Table:
        """Put the truths beside the rows of a table, which is read in order for it.

        Raises
        ------
        DataError
            While it is read: there are more rows than truths, or fewer.
        """

        def blocks() -> Iterator[Block]:
            first_row = 0
            for block in table.blocks:
                decoded = table.decode(block, scores)
                yield block._replace(data=self._joined(decoded, first_row))
                first_row += decoded.batch.num_rows
                self._check(first_row, table.name, is_all=False)
            self._check(first_row, table.name, is_all=True)

        field = Field(self.column, self.values.type)
        schema = Schema([*table.schema, field], table.schema.metadata)
        return table._replace(schema=schema, blocks=blocks(), decode=decoded_before)

    def _joined(self, decoded: Decoded, first_row: int) -> Decoded:
        values = self.values.slice(first_row, decoded.batch.num_rows)
        missing = decoded.batch.num_rows - len(values)
        if missing:  # `_check` says so after this block
            from softmax_cli.tables.arrays import filled_up

            values = filled_up(values, missing)

        def place(row: int, column: str | None) -> Place:
            if column != self.column:
                return decoded.place(row, column)
            found = value_at(values, row)
            return decoded.place(row, None)._replace(found="" if found is None else str(found))

        return decoded._replace(batch=decoded.batch.with_column(self.column, values), place=place)

    def _check(self, rows: int, name: str, is_all: bool) -> None:
        if rows > len(self.values) or (is_all and rows < len(self.values)):
            there = f"the {rows:,} rows" if is_all else f"more than {len(self.values):,} rows"
            raise DataError(
                f"{FLAG} {self.file}: {len(self.values):,} truths for {there} of {name}: without ids in both, "
                "there has to be one for each row, in the same order"
            )


def read_labels(typed: str, columns: Columns, lookup: ClassLookup) -> JoinedTruth | OrderedLabels:
    """Read ``FILE`` or ``FILE:COLUMN`` (of an .npz: ``FILE:ARRAY``) as the truths of a table.

    Parameters
    ----------
    columns : Columns
        Of the table that the truths belong to.

    Raises
    ------
    UsageError
        There is no such file, or no such column in it.
    DataError
        An id has two truths.
    """
    path, named = _split(typed)
    files = input_files([path])
    with open_table(files, ReadOptions(array=named, single_values=True)) as table:
        names, called = table.schema.names, files[0].name
        ids = _id_column(columns, names)
        label = _label_column(path, named, names, ids)
        batches = (table.decode(block, ()).batch for block in table.blocks)
        if ids is None or columns.id is None:
            from softmax_cli.tables.arrays import joined

            values = joined([batch.column(label) for batch in batches])
            is_clear = label == called and label not in (*columns.scores, *columns.others, columns.label, columns.id)
            return OrderedLabels(values, label if is_clear else f"{label} of {called}", path)
        return _joined(columns.id, path, lookup, ((batch.column(ids), batch.column(label)) for batch in batches))


def _split(typed: str) -> tuple[str, str | None]:
    """Split ``labels.csv:truth``; a file whose own name holds the colon goes first."""
    if Path(typed).exists() or ":" not in typed:
        return typed, None
    path, _, column = typed.rpartition(":")
    return (typed, None) if column.startswith("//") else (path, column)  # s3://bucket/labels.csv


def _id_column(columns: Columns, names: Sequence[str]) -> str | None:
    """The column to join by; None where either side has none, or only one that numbers the rows."""
    if columns.id is None or columns.id in names:
        return columns.id
    own = id_rank(columns.id, 0, 1)
    ranks = {name: id_rank(name, at, len(names)) for at, name in enumerate(names)}
    found = [name for name, rank in ranks.items() if rank is not None and (rank == _INDEX) == (own == _INDEX)]
    return min(found, key=lambda name: ranks[name] or 0) if found else None


def _label_column(path: str, named: str | None, names: Sequence[str], ids: str | None) -> str:
    others = [name for name in names if name != ids]
    if named is not None:
        if named not in names:
            raise UsageError(f"{FLAG} {path}: no column {named!r}; {did_you_mean(named, names)}")
        return named
    known = sorted((name for name in others if truth_rank(name) is not None), key=lambda name: truth_rank(name) or 0)
    others = [name for at, name in enumerate(names) if name in others and id_rank(name, at, len(names)) is None]
    is_open = len(known) > 1 and truth_rank(known[0]) != 0
    if is_open or (not known and len(others) != 1):
        raise UsageError(f"{FLAG} {path}: which column? write {path}:COLUMN with one of {listed(others or names)}")
    return known[0] if known else others[0]


def _joined(column: str, path: str, lookup: ClassLookup, pairs: Iterator[tuple[Column, Column]]) -> JoinedTruth:
    by_id: dict[str, int] = {}
    unknown: dict[str, str] = {}
    reading = LabelReading()
    for ids, truths in pairs:
        found = lookup(truths)
        reading = reading.plus(found.reading)
        codes, texts = distinct(ids)
        for row, (code, index) in enumerate(zip(codes.tolist(), found.indices.tolist(), strict=True)):
            if MISSING in (code, index):
                continue
            name = id_text(texts[code])
            if by_id.setdefault(name, index) != index:
                raise DataError(f"{FLAG} {path}: the id {name!r} has two truths; leave one of them")
            if index == UNKNOWN:
                unknown[name] = f"has the truth {value_at(truths, row)!r} in {path}, which {found.problem(row)}"
    return JoinedTruth(column, by_id, reading, path, unknown)
