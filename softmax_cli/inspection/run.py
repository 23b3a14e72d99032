"""A table, looked at: one pass over its blocks, and a second one where every flagged row is to be written."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NoReturn

from softmax_cli.distributed.fleet import Fleet
from softmax_cli.distributed.plan import Unit, UnitReader
from softmax_cli.inspection.evidence import HEAD_ROWS, Evidence, Inspector, make_inspector, no_evidence, with_batch
from softmax_cli.inspection.report import Flag, flags_of
from softmax_cli.numeric.profile.profile import Profile
from softmax_cli.storage.writing import whole_file
from softmax_cli.tables.batch import empty_batch
from softmax_cli.tables.columns import Columns
from softmax_cli.tables.pool import ordered_map
from softmax_cli.tables.table import Block, Decoded, Table

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


@dataclass(frozen=True, slots=True)
class InspectUnit:
    """Looks at a unit."""

    inspector: Inspector

    def __call__(self, unit: Unit, table: Table) -> Evidence:
        """Return the evidence of the unit's rows."""
        return evidence_of(table, self.inspector, 1, lambda rows, size: None)


@dataclass(frozen=True, slots=True)
class FlagUnit:
    """Finds the flagged rows of a unit."""

    evidence: Evidence

    def __call__(self, unit: Unit, table: Table) -> list[list[Flag]]:
        """Return them batch by batch."""
        return list(flags_in(table, self.evidence, 1))


def inspect_units(fleet: Fleet, reading: UnitReader, inspector: Inspector, advance: Advance) -> Evidence:
    """Look at every row of a table, with the outcome of a single reader."""
    evidence = no_evidence(inspector)
    with fleet.results(reading, InspectUnit(inspector)) as results:
        for unit, found in results:
            evidence = evidence.plus(found)
            advance(found.profile.rows, unit.size)
    return evidence


def flags_in_units(fleet: Fleet, reading: UnitReader, evidence: Evidence) -> Iterator[list[Flag]]:
    """Find every flagged row of a table, in order."""
    with fleet.results(reading, FlagUnit(evidence)) as results:
        for _, batches in results:
            yield from batches
