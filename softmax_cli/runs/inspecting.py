"""A table, looked at: one pass over its blocks, and a second one where every flagged row is to be written."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NoReturn

import numpy as np

from softmax_cli.batches.arrays import empty_batch
from softmax_cli.batches.columns import Columns
from softmax_cli.batches.evidence import Evidence
from softmax_cli.batches.flagged import Flag, flags_of
from softmax_cli.batches.fold import Fold
from softmax_cli.batches.profile import HEAD_ROWS, make_inspector
from softmax_cli.batches.table import Block, Decoded, Table
from softmax_cli.numeric.profile.profile import Profile
from softmax_cli.pipeline import ordered_map
from softmax_cli.sinks import whole_file

Advance = Callable[[int, int], None]
"""Gets the rows and the bytes of input that were done."""


@dataclass(frozen=True, slots=True)
class Measure:
    """How a table is looked at."""

    dtype: str
    limit: float
    """Robust deviations beyond which a logit is an outlier."""
    threads: int


def inspect_table(table: Table, columns: Columns, measure: Measure, advance: Advance) -> Evidence:
    """Look at every row of a table, once.

    Raises
    ------
    DataError
        The file is damaged. A bad row is no error here: it is what is looked for.
    """
    head, table = _head(table, columns)
    inspector = make_inspector(head, columns, measure.dtype, measure.limit)
    none = np.empty((0, len(columns.classes)), np.dtype(measure.dtype))
    start = Profile.of(inspector.ruler, none, none)
    fold = Fold(Evidence(start, columns, measure.dtype, measure.limit, {}))

    def work(block: Block) -> tuple[Block, Decoded, Profile]:
        decoded = table.decode(block, columns.scores)
        return block, decoded, inspector(decoded)

    for block, decoded, profile in ordered_map(work, table.blocks, measure.threads):
        fold.add(decoded, profile)
        advance(profile.rows, block.size)
    return fold.evidence


def _head(table: Table, columns: Columns) -> tuple[list[Decoded], Table]:
    """Decode the first rows, and leave their blocks in the table."""
    taken: list[Block] = []
    head: list[Decoded] = []
    while sum(decoded.batch.num_rows for decoded in head) < HEAD_ROWS and (block := next(table.blocks, None)):
        taken.append(block)
        head.append(table.decode(block, columns.scores))
    if not head:
        head = [Decoded(empty_batch(table.schema), _nowhere)]
    return head, replace(table, blocks=itertools.chain(taken, table.blocks))


def _nowhere(row: int, column: str | None) -> NoReturn:
    raise IndexError(f"row {row} of a table without rows")


def write_flagged(table: Table, evidence: Evidence, path: str, force: bool, threads: int) -> int:
    """Read a table again and write every flagged row, with its place and reasons, as CSV.

    Returns
    -------
    int
        Flagged rows; one row has a line for each reason.
    """

    def work(block: Block) -> list[Flag]:
        return flags_of(table.decode(block, evidence.columns.scores), evidence)

    count = 0
    with whole_file(path, force) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="", errors="surrogateescape")
        lines = csv.writer(text, lineterminator="\n")
        lines.writerow(["where", "id", "reason", "class", "value", "detail"])
        for flags in ordered_map(work, table.blocks, threads):
            count += len({flag.row for flag in flags})
            lines.writerows([f.where, f.id, f.reason, f.class_name, f.value, f.detail] for f in flags)
        text.detach()  # flushes, and leaves the file open for its owner
    return count
