"""A table, looked at: one pass over its blocks, and a second one where every flagged row is to be written."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import reduce
from typing import NoReturn

from softmax_cli.distributed.fleet import Fleet
from softmax_cli.inspection.evidence import HEAD_ROWS, Evidence, Inspector, make_inspector, no_evidence, with_batch
from softmax_cli.inspection.report import Flag, flags_of
from softmax_cli.inspection.truth_counts import TruthCounts
from softmax_cli.numeric.profile.profile import Profile
from softmax_cli.storage.writing import whole_file
from softmax_cli.tables.batch import empty_batch
from softmax_cli.tables.columns import Columns
from softmax_cli.tables.labels import Truth
from softmax_cli.tables.pool import NOBODY, Listeners, ordered_map
from softmax_cli.tables.table import Block, Decoded, Table

Advance = Callable[[int, int], None]
"""Gets the rows and the bytes of input that were done."""


def inspector_and_table(
    table: Table, columns: Columns, dtype: str, limit: float, truth: Truth | None = None
) -> tuple[Inspector, Table]:
    """Decide what a table is measured with on its first rows, which stay in the table; see `make_inspector`."""
    head, table = _head(table, columns)
    return make_inspector(head, columns, dtype, limit, truth), table


def evidence_of(table: Table, inspector: Inspector, threads: int, advance: Advance) -> Evidence:
    """Look at every row of a table, or of a run of its rows, once.

    Raises
    ------
    DataError
        The file is damaged. A bad row is no error here: it is what is looked for.
    """

    def work(block: Block) -> tuple[Block, Decoded, Profile, TruthCounts | None]:
        decoded = table.decode(block, inspector.columns.scores)
        return block, decoded, inspector(decoded), inspector.count_truths(decoded)

    evidence = no_evidence(inspector)
    for block, decoded, profile, truths in ordered_map(work, table.blocks, threads):
        evidence = with_batch(evidence, decoded, profile, truths)
        advance(profile.rows, block.size)
    return evidence


def _head(table: Table, columns: Columns) -> tuple[list[Decoded], Table]:
    """Decode the first rows, and leave their blocks in the table."""
    taken: list[Block] = []
    head: list[Decoded] = []
    while sum(decoded.batch.num_rows for decoded in head) < HEAD_ROWS and (block := next(table.blocks, None)):
        taken.append(block)
        head.append(table.decode(block, columns.scores))
    if not head:
        head = [Decoded(empty_batch(table.schema), _nowhere)]
    return head, table._replace(blocks=itertools.chain(taken, table.blocks))


def _nowhere(row: int, column: str | None) -> NoReturn:
    raise IndexError(f"row {row} of a table without rows")


def flags_in(table: Table, evidence: Evidence, threads: int) -> Iterator[list[Flag]]:
    """Read a table, or a run of its rows, again and find every flagged row, batch by batch."""

    def work(block: Block) -> list[Flag]:
        return flags_of(table.decode(block, evidence.columns.scores), evidence)

    return ordered_map(work, table.blocks, threads)


@dataclass(frozen=True, slots=True)
class _Examine:
    """Gathers the evidence of a unit."""

    inspector: Inspector

    def __call__(self, unit: int, table: Table, threads: int, listeners: Listeners) -> Iterator[Evidence]:
        yield evidence_of(table, self.inspector, threads, listeners.progress)


@dataclass(frozen=True, slots=True)
class _FindFlagged:
    """Finds the flagged rows of a unit, batch by batch."""

    evidence: Evidence

    def __call__(self, unit: int, table: Table, threads: int, listeners: Listeners) -> Iterator[list[Flag]]:
        return flags_in(table, self.evidence, threads)


def inspect_rows(fleet: Fleet, inspector: Inspector, listeners: Listeners) -> Evidence:
    """Look at every row of a table, once.

    Raises
    ------
    DataError
        A file is damaged.
    """
    with fleet.results(_Examine(inspector), listeners) as results:
        return reduce(Evidence.plus, (evidence for _, evidence in results))


def write_flagged(fleet: Fleet, evidence: Evidence, path: str, force: bool) -> int:
    """Read the table again, and write every flagged row, with its place and reasons, as CSV.

    Returns
    -------
    int
        Flagged rows; one row has a line for each reason.
    """
    count = 0
    with whole_file(path, force) as file, fleet.results(_FindFlagged(evidence), NOBODY) as batches:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="", errors="surrogateescape")
        lines = csv.writer(text, lineterminator="\n")
        lines.writerow(["where", "id", "reason", "class", "value", "detail"])
        for _, flags in batches:
            count += len({flag.row for flag in flags})
            lines.writerows([f.where, f.id, f.reason, f.class_name, f.value, f.detail] for f in flags)
        text.detach()  # flushes, and leaves the file open for its owner
    return count
