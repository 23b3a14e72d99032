"""A table, looked at: one pass over its blocks, and a second one where every flagged row is to be written."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial, reduce

from softmax_cli.distributed.fleet import EachBlock, Fleet
from softmax_cli.inspection.evidence import HEAD_ROWS, Evidence, Inspector, TruthCounts, make_inspector
from softmax_cli.inspection.report import flags_of
from softmax_cli.numeric.profile.profile import Profile
from softmax_cli.prediction.bad_rows import row_listing
from softmax_cli.prediction.score_kinds import check_width, score_dtype
from softmax_cli.stream.scores import ScoreTable
from softmax_cli.tables.table import Decoded, Table, with_head
from softmax_cli.tables.threads import NOBODY, Listeners, map_blocks


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


def evidence_of(
    inspector: Inspector, unit: int, table: Table, threads: int, listeners: Listeners
) -> Iterator[Evidence]:
    """Look at every row of a unit once, and yield what was found; with an inspector it is a `Look`."""

    def work(decoded: Decoded) -> tuple[tuple[Decoded, Profile, TruthCounts | None], tuple[()]]:
        return (decoded, inspector(decoded), inspector.count_truths(decoded)), ()

    evidence = Evidence.none(inspector)
    for decoded, profile, truths in map_blocks(table, inspector.columns.scores, work, threads, listeners):
        evidence = evidence.with_batch(decoded, profile, truths)
    yield evidence


def inspect_rows(fleet: Fleet[Table], inspector: Inspector, listeners: Listeners) -> Evidence:
    """Look at every row of a table, once.

    Raises
    ------
    DataError
        A file is damaged. A bad row is no error here: it is what is looked for.
    """
    with fleet.results(partial(evidence_of, inspector), listeners) as results:
        return reduce(Evidence.plus, (evidence for _, evidence in results))


def write_flagged(fleet: Fleet[Table], evidence: Evidence, path: str, force: bool) -> int:
    """Read the table again, and write every flagged row, with its place and reasons, as CSV.

    Returns
    -------
    int
        Flagged rows; one row has a line for each reason.
    """
    count = 0
    look = EachBlock(evidence.columns.scores, partial(flags_of, evidence=evidence))
    names = ("where", "id", "reason", "class", "value", "detail")
    with row_listing(path, force, names) as write, fleet.results(look, NOBODY) as batches:
        for _, flags in batches:
            count += len({flag.row for flag in flags})
            write((f.where, f.id, f.reason, f.class_name, f.value, f.detail) for f in flags)
    return count
