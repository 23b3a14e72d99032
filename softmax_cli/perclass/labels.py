"""Truths that stand in a table of their own, under the ids of the rows; all of them are kept in memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from softmax_cli.batches.columns import Columns
from softmax_cli.batches.labels import MISSING, ClassLookup, Reading, distinct
from softmax_cli.batches.names import TRUTH_NAMES, is_id
from softmax_cli.batches.table import ReadOptions
from softmax_cli.batches.truth import JoinedTruth
from softmax_cli.errors import DataError, UsageError
from softmax_cli.sources import open_table

FLAG = "--labels"


def join_labels(said: str, columns: Columns) -> JoinedTruth:
    """Read ``FILE`` or ``FILE:COLUMN`` as the truth of every id.

    Parameters
    ----------
    columns : Columns
        Of the table that the truths are joined to.

    Raises
    ------
    UsageError
        There is no such file, or one of the tables has no ids.
    DataError
        An id has two truths, or a truth is no class.
    """
    path, named = _split(said)
    if columns.id is None:
        raise UsageError(f"{FLAG} joins by id, and no column is named like one; name it with --id")
    lookup = ClassLookup.of(columns)
    by_id: dict[str, int] = {}
    reading = Reading()
    with open_table([path], ReadOptions(), None) as table:
        names = table.schema.names
        ids = columns.id if columns.id in names else next((n for i, n in enumerate(names) if is_id(n, i)), None)
        if ids is None:
            raise UsageError(f"{FLAG} {path}: no column {columns.id!r} to join by; there are: {', '.join(names)}")
        label = _label_column(path, named, names, ids)
        for block in table.blocks:
            batch = table.decode(block, ()).batch
            found = lookup(batch.column(label), label)
            reading = reading.plus(found.reading)
            codes, texts = distinct(batch.column(ids))
            for code, index in zip(codes.tolist(), found.indices.tolist(), strict=True):
                if MISSING not in (code, index) and by_id.setdefault(texts[code], index) != index:
                    raise DataError(f"{FLAG} {path}: the id {texts[code]!r} has two truths; leave one of them")
    return JoinedTruth(columns.id, by_id, reading, path)


def _split(said: str) -> tuple[str, str | None]:
    """Split ``labels.csv:truth``; a file whose own name holds the colon goes first."""
    if Path(said).exists() or ":" not in said:
        return said, None
    path, _, column = said.rpartition(":")
    return (said, None) if column.startswith("//") else (path, column)  # s3://bucket/labels.csv


def _label_column(path: str, named: str | None, names: Sequence[str], ids: str) -> str:
    others = [name for name in names if name != ids]
    known = [name for name in others if name.lower() in TRUTH_NAMES]
    chosen = named or (known[0] if known else others[0] if len(others) == 1 else None)
    if chosen is None or chosen not in names:
        raise UsageError(f"{FLAG} {path}: which column? write {path}:COLUMN with one of {', '.join(others) or 'none'}")
    return chosen
