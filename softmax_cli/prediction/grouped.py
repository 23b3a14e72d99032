"""Tables whose rows belong together: candidates of a query, frames of an utterance."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.distributions.groups import (
    group_log_softmax,
    group_maxima,
    group_means,
    group_ranks,
)
from softmax_cli.prediction.bad_rows import refuse, rejects
from softmax_cli.prediction.layout import Layout, passed_fields
from softmax_cli.prediction.score_kinds import KindCheck, read_scores, to_log_scale_
from softmax_cli.prediction.transform import Outcome, Tally, Transform, confidence_units, names_beside
from softmax_cli.stream.scores import ScoreTable
from softmax_cli.tables.batch import Batch, ListColumn, NumberColumn, number_type
from softmax_cli.tables.column_names import Kind
from softmax_cli.tables.columns import METADATA_KEY, Columns
from softmax_cli.tables.regroup import Groups
from softmax_cli.tables.schema import FLOAT64, INT64, Field, Schema, list_of
from softmax_cli.tables.table import Block, Decoded, Fault, Place, decoded_before
from softmax_cli.tables.threads import ordered_map

SCORES = "pooled scores"
"""Column of a table that was put together here; it does not pass through."""


@dataclass(frozen=True, slots=True)
class GroupTransform(Transform):
    """Softmax over the rows of each group; a row gets its probability and its rank.

    A row without a score is left out of its group.
    """

    group: str = ""
    """The column of groups; blocks hold whole groups."""

    @property
    def classes(self) -> tuple[str, ...]:
        """What the summary counts: whether a row is the first of its group."""
        return ("others", "first of their group")

    @property
    def summary(self) -> str:
        """What was taken for what, in a line."""
        return f"scores: {self.columns.scores[0]}; groups: {self.group}"

    def record(self) -> dict[str, object]:
        """What an output file says about itself: that it holds no scores of classes."""
        return Transform.record(self) | {"classes": [], "scores": []}

    def schema(self, given: Schema, recorded: bool = True) -> Schema:
        """Columns of the result: those that pass through, then the computed ones."""
        passed = passed_fields(self._named(given.field(name) for name in self.columns.others))
        return Schema([*passed, *self._fields()], self._record(given) if recorded else None)

    def _fields(self) -> Iterator[Field]:
        number = number_type(self.dtype)
        for emit in self.scoring.emit:
            yield Field(emit, number, {METADATA_KEY: b"prob" if emit == "prob" else b"number"})
        yield Field("rank", INT64)

    def run(self, decoded: Decoded) -> Outcome:
        """Score the rows of whole groups."""
        batch = decoded.batch
        scores = read_scores(batch, self.columns, np.dtype(self.dtype))
        kinds = KindCheck.of(scores, self.columns)
        z = to_log_scale_(scores, self.columns)[:, 1].copy()
        bad = ~(z < np.inf)
        bad[[fault.row for fault in decoded.faults]] = True
        z[bad] = -np.inf
        groups = Groups.of(batch, self.group)
        log_p, ranks = np.empty_like(z), np.empty(len(z), np.int64)
        log_p[groups.order] = group_log_softmax(z[groups.order], groups.starts, self.scoring.adjustment.temperature)
        ranks[groups.order] = group_ranks(z[groups.order], groups.starts)
        bad |= np.isnan(log_p)
        found = tuple(rejects(decoded, bad, self.columns)) if bad.any() else ()
        if found and self.on_bad_row == "error":
            refuse(found)
        keep = ~bad if self.on_bad_row == "skip" else np.ones(len(z), np.bool_)
        if self.scoring.top:
            keep &= bad | (ranks <= self.scoring.top)
        rows = np.flatnonzero(keep)
        computed = {"prob": np.exp(log_p), "logprob": log_p, "logit": z}
        valid = ~bad[rows] if bad.any() else None
        values = [*(computed[emit] for emit in self.scoring.emit), ranks]
        columns = [NumberColumn(one[rows][:, None], valid=valid) for one in values]
        passed = batch.select(self.columns.others).take(rows)
        schema = Schema([*passed_fields(self._named(passed.schema)), *self._fields()])
        tally = self._tally_of(computed["prob"], ranks, bad)
        return Outcome(Batch(schema, [*passed.columns, *columns], len(rows)), tally, found, kinds)

    def _tally_of(self, p: NDArray[np.floating], ranks: NDArray[np.int64], bad: NDArray[np.bool_]) -> Tally:
        counts = np.bincount((ranks[~bad] == 1).astype(np.intp), minlength=2).astype(np.int64)
        return Tally(len(bad), int(bad.sum()), self.on_bad_row, counts, confidence_units(p[~bad]))

    def steps(self) -> list[str]:
        """The operations in order, one line each."""
        top = [f"keep the best {self.scoring.top} rows of each"] if self.scoring.top else []
        return [
            f"read {self.columns.kind}, in {self.dtype}",
            *self.scoring.adjustment.steps(),
            f"softmax over the rows of each {self.group}  (--group)",
            *top,
        ]


def group_transform(transform: Transform, group: str) -> GroupTransform:
    """Score the rows of groups in place of classes."""
    passed = names_beside({*transform.scoring.emit, "rank"}, transform.columns.others)
    given = {one.name: getattr(transform, one.name) for one in fields(transform)}
    return GroupTransform(**given | {"passed": passed, "group": group, "layout": Layout("list")})


def pooled_groups(
    scores: ScoreTable, transform: Transform, by: str, pool: str, threads: int, keep: Callable[[KindCheck], None]
) -> ScoreTable:
    """Read the rows of each group as one, whose scores are pooled.

    Parameters
    ----------
    transform : Transform
        Scores the rows before they are pooled; for ``mean-prob`` it gives out log-probabilities, else logits.
    by : str
        The column of groups; blocks hold whole groups.
    pool : str
        ``mean-prob``, ``mean-logit`` or ``max`` (the largest logit of each class).
    keep : callable
        Takes what speaks against the kind of the scores, of some rows at a time and in any order.
    """
    label = [scores.columns.label] if scores.columns.label is not None else []
    others = tuple(dict.fromkeys([by, *label]))
    kind: Kind = "logprob" if pool == "mean-prob" else "logits"
    classes = scores.columns.classes
    columns = scores.columns._replace(
        scores=(SCORES,), kind=kind, others=(*others, "rows"), is_list=True, keys=(), id=by, kind_is_given=True
    )

    def work(block: Block) -> Block:
        decoded = scores.table.decode(block, ())
        groups = Groups.of(decoded.batch, by)
        scored, _, kinds = transform.score(decoded)
        keep(kinds)
        values = np.asarray(scored.values["logprob" if pool == "mean-prob" else "logit"], np.float64)[groups.order]
        with np.errstate(divide="ignore"):
            if pool == "max":
                pooled = group_maxima(values, groups.starts)
            elif pool == "mean-logit":
                pooled = group_means(values, groups.starts)
            else:
                pooled = np.log(group_means(np.exp(values), groups.starts))
        made = one_each(decoded, groups, others, pooled, ())
        batch = made.batch.with_column("rows", NumberColumn(groups.sizes[:, None].astype(np.int64)))
        return block._replace(data=made._replace(batch=batch))

    made = ordered_map(work, scores.table.blocks, threads, lambda block: block.pauses)
    return table_of(scores, columns, len(classes), [Field("rows", INT64)], made)


def one_each(
    decoded: Decoded, groups: Groups, others: tuple[str, ...], matrix: NDArray[np.floating], faults: tuple[Fault, ...]
) -> Decoded:
    """Make one row of each group: what its first row has, and scores."""
    firsts = groups.firsts
    batch = decoded.batch.select(others).take(firsts).with_column(SCORES, ListColumn(np.asarray(matrix, np.float64)))

    def place(row: int, column: str | None) -> Place:
        return decoded.place(int(firsts[row]), column if column in decoded.batch.schema.names else None)

    return Decoded(batch, place, faults)


def table_of(
    scores: ScoreTable, columns: Columns, classes: int, more: list[Field], blocks: Iterator[Block]
) -> ScoreTable:
    """Make a table of blocks that were put together here: scores in one column, and what passes through."""
    given = scores.table.schema
    passed = [
        given.field(name) for name in columns.others if name in given.names and name not in {f.name for f in more}
    ]
    schema = Schema([*passed, Field(SCORES, list_of(FLOAT64, classes)), *more], given.metadata)
    table = scores.table._replace(schema=schema, blocks=blocks, decode=decoded_before)
    return scores._replace(table=table, columns=columns)
