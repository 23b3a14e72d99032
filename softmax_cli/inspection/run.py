"""A table, looked at: one pass over its blocks, and a second one where every flagged row is to be written."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce

from softmax_cli.distributed.fleet import EachBlock, Fleet
from softmax_cli.inspection.evidence import HEAD_ROWS, Evidence, Inspector, make_inspector, no_evidence, with_batch
from softmax_cli.inspection.report import Flag, flags_of
from softmax_cli.inspection.truth_counts import TruthCounts
from softmax_cli.numeric.profile.profile import Profile
from softmax_cli.prediction.logits import check_width, score_dtype
from softmax_cli.storage.writing import whole_file
from softmax_cli.stream.scores import ScoreTable
from softmax_cli.tables.pool import NOBODY, Listeners, map_blocks
from softmax_cli.tables.table import Decoded, Table, with_head


def inspector_of(scores: ScoreTable, limit: float) -> tuple[Inspector, ScoreTable]:
    """Decide from the first rows of a table what it is measured with; they stay in the table. See `make_inspector`.

    Raises
    ------
    DataError
        A list column is not as wide as there are classes.
    """
    columns = scores.columns
    check_width(scores.table.schema, columns)
    dtype = str(score_dtype(scores.table.schema, columns))
    head, table = with_head(scores.table, columns.scores, HEAD_ROWS)
    return make_inspector(head, columns, dtype, limit, scores.truth), scores._replace(table=table)


def evidence_of(table: Table, inspector: Inspector, threads: int, listeners: Listeners) -> Evidence:
    """Look at every row of a table, or of a run of its rows, once.

    Raises
    ------
    DataError
        The file is damaged. A bad row is no error here: it is what is looked for.
    """

    def work(decoded: Decoded) -> tuple[tuple[Decoded, Profile, TruthCounts | None], tuple[()]]:
        return (decoded, inspector(decoded), inspector.count_truths(decoded)), ()

    evidence = no_evidence(inspector)
    for decoded, profile, truths in map_blocks(table, inspector.columns.scores, work, threads, listeners):
        evidence = with_batch(evidence, decoded, profile, truths)
    return evidence


@dataclass(frozen=True, slots=True)
class _Examine:
    """Gathers the evidence of a unit."""

    inspector: Inspector

    def __call__(self, unit: int, table: Table, threads: int, listeners: Listeners) -> Iterator[Evidence]:
        yield evidence_of(table, self.inspector, threads, listeners)


@dataclass(frozen=True, slots=True)
class _FindFlagged:
    """Finds the flagged rows of a block."""

    evidence: Evidence

    def __call__(self, decoded: Decoded) -> list[Flag]:
        """Return a flag for each reason."""
        return flags_of(decoded, self.evidence)


def inspect_rows(fleet: Fleet[Table], inspector: Inspector, listeners: Listeners) -> Evidence:
    """Look at every row of a table, once.

    Raises
    ------
    DataError
        A file is damaged.
    """
    with fleet.results(_Examine(inspector), listeners) as results:
        return reduce(Evidence.plus, (evidence for _, evidence in results))


def write_flagged(fleet: Fleet[Table], evidence: Evidence, path: str, force: bool) -> int:
    """Read the table again, and write every flagged row, with its place and reasons, as CSV.

    Returns
    -------
    int
        Flagged rows; one row has a line for each reason.
    """
    count = 0
    look = EachBlock(evidence.columns.scores, _FindFlagged(evidence))
    with whole_file(path, force) as file, fleet.results(look, NOBODY) as batches:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="", errors="surrogateescape")
        lines = csv.writer(text, lineterminator="\n")
        lines.writerow(["where", "id", "reason", "class", "value", "detail"])
        for _, flags in batches:
            count += len({flag.row for flag in flags})
            lines.writerows([f.where, f.id, f.reason, f.class_name, f.value, f.detail] for f in flags)
        text.detach()  # flushes, and leaves the file open for its owner
    return count
