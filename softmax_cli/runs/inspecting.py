"""A table, looked at: one pass over its blocks, and a second one where every flagged row is to be written."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import NoReturn

from softmax_cli.batches.arrays import empty_batch
from softmax_cli.batches.columns import Columns
from softmax_cli.batches.evidence import Evidence
from softmax_cli.batches.flagged import Flag, flags_of
from softmax_cli.batches.fold import no_evidence, with_batch
from softmax_cli.batches.profile import HEAD_ROWS, Inspector, make_inspector
from softmax_cli.batches.table import Block, Decoded, Table
from softmax_cli.numeric.profile.profile import Profile
from softmax_cli.pipeline import ordered_map
from softmax_cli.sinks import whole_file

Advance = Callable[[int, int], None]
"""Gets the rows and the bytes of input that were done."""


def settled_inspector(table: Table, columns: Columns, dtype: str, limit: float) -> tuple[Inspector, Table]:
    """Settle what a table is measured with on its first rows, which stay in the table; see `make_inspector`."""
    head, table = _head(table, columns)
    return make_inspector(head, columns, dtype, limit), table


def evidence_of(table: Table, inspector: Inspector, threads: int, advance: Advance) -> Evidence:
    """Look at every row of a table, or of a run of its rows, once.

    Raises
    ------
    DataError
        The file is damaged. A bad row is no error here: it is what is looked for.
    """

    def work(block: Block) -> tuple[Block, Decoded, Profile]:
        decoded = table.decode(block, inspector.columns.scores)
        return block, decoded, inspector(decoded)

    evidence = no_evidence(inspector)
    for block, decoded, profile in ordered_map(work, table.blocks, threads):
        evidence = with_batch(evidence, decoded, profile)
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


def write_flagged(batches: Iterable[list[Flag]], path: str, force: bool) -> int:
    """Write every flagged row, with its place and reasons, as CSV.

    Returns
    -------
    int
        Flagged rows; one row has a line for each reason.
    """
    count = 0
    with whole_file(path, force) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="", errors="surrogateescape")
        lines = csv.writer(text, lineterminator="\n")
        lines.writerow(["where", "id", "reason", "class", "value", "detail"])
        for flags in batches:
            count += len({flag.row for flag in flags})
            lines.writerows([f.where, f.id, f.reason, f.class_name, f.value, f.detail] for f in flags)
        text.detach()  # flushes, and leaves the file open for its owner
    return count
