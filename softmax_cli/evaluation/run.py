"""A labelled table measured in one pass: blocks -> workers (decode, score, measure) -> workers (bootstrap) -> sum.

The bootstrap goes by the number of a row among those that are measured, which is known only once the rows before it
are counted. So it has workers of its own behind the counting; and where the counting is spread over machines, a pass
of its own, `bootstrap_of`, which costs a fraction of the replicates.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial, reduce
from typing import Self, TypeVar

from softmax_cli.distributed.fleet import Fleet
from softmax_cli.evaluation.labelled import LabelledScorer, LabelledScores
from softmax_cli.evaluation.measure import Measured, resample
from softmax_cli.numeric.metrics import Parts, Plan
from softmax_cli.prediction.bad_rows import Reject
from softmax_cli.prediction.score_kinds import KindCheck
from softmax_cli.tables.labels import LabelReading
from softmax_cli.tables.table import Decoded, Table
from softmax_cli.tables.threads import NOBODY, Listeners, map_blocks, ordered_map

Step = TypeVar("Step")


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """What a pass over a run of rows comes to; those of consecutive runs add up exactly, with `plus`."""

    measured: Measured
    bootstrap: Parts | None
    """None: no bootstrap."""
    read: int
    """Rows that were read, the bad ones among them."""
    reading: LabelReading
    kinds: KindCheck
    """Whether rows look like another kind of scores than they were read as."""

    @property
    def rows(self) -> int:
        """Rows that were measured."""
        return self.measured.rows

    def plus(self, other: Self) -> Self:
        """Add what the rows that follow come to.

        Raises
        ------
        DataError
            Truths are names in one and numbers in the other.
        UsageError
            There are too many slices.
        """
        return type(self)(
            self.measured.plus(other.measured),
            None if self.bootstrap is None or other.bootstrap is None else self.bootstrap.plus(other.bootstrap),
            self.read + other.read,
            self.reading.plus(other.reading),
            self.kinds.plus(other.kinds),
        )


def evaluate_table(table: Table, scorer: LabelledScorer, plan: Plan, threads: int, listeners: Listeners) -> Evaluation:
    """Measure every row of a table, once.

    Raises
    ------
    DataError
        A truth is no class, a row or the file is bad.
    UsageError
        There are too many slices.
    """

    def work(decoded: Decoded) -> tuple[tuple[LabelledScores, Evaluation], tuple[Reject, ...]]:
        labelled = scorer(decoded)
        measured = _measured(plan, labelled)
        # While they wait, the rows do without what was computed of them: it takes more than they do.
        return (replace(labelled, rows=labelled.rows.take(slice(None))), measured), labelled.rejects

    def with_bootstrap(step: tuple[tuple[LabelledScores, Evaluation], int]) -> Evaluation:
        (labelled, measured), first_row = step
        return replace(measured, bootstrap=resample(plan, labelled.rows, first_row) if plan.replicates else None)

    nothing = scorer.nothing()
    total = with_bootstrap(((nothing, _measured(plan, nothing)), 0))
    steps = map_blocks(table, scorer.transform.columns.scores, work, threads, listeners)
    numbered = _numbered(steps, lambda step: len(step[0].rows), 0)
    return reduce(Evaluation.plus, ordered_map(with_bootstrap, numbered, threads), total)


def bootstrap_of(
    table: Table, scorer: LabelledScorer, plan: Plan, first_row: int, threads: int, listeners: Listeners
) -> Parts:
    """Replicate a run of rows that were measured before.

    Parameters
    ----------
    first_row : int
        How many rows were measured before this run.
    """

    def work(decoded: Decoded) -> tuple[LabelledScores, tuple[()]]:
        return scorer(decoded), ()

    steps = map_blocks(table, scorer.transform.columns.scores, work, threads, listeners)
    numbered = _numbered(steps, lambda labelled: len(labelled.rows), first_row)
    parts = ordered_map(lambda step: resample(plan, step[0].rows, step[1]), numbered, threads)
    return reduce(Parts.plus, parts, resample(plan, scorer.nothing().rows, first_row))


def _measured(plan: Plan, labelled: LabelledScores) -> Evaluation:
    return Evaluation(Measured.of(plan, labelled), None, labelled.read, labelled.reading, labelled.kinds)


def _numbered(steps: Iterator[Step], rows_of: Callable[[Step], int], first_row: int) -> Iterator[tuple[Step, int]]:
    """Give with every step how many rows are before it."""
    for step in steps:
        yield step, first_row
        first_row += rows_of(step)


def _measure_unit(
    scorer: LabelledScorer, plan: Plan, unit: int, table: Table, threads: int, listeners: Listeners
) -> Iterator[Evaluation]:
    yield evaluate_table(table, scorer, plan, threads, listeners)


def _replicate_unit(
    scorer: LabelledScorer,
    plan: Plan,
    first_rows: tuple[int, ...],
    unit: int,
    table: Table,
    threads: int,
    listeners: Listeners,
) -> Iterator[Parts]:
    """Replicate the rows of a unit; `first_rows` says how many were measured before each."""
    yield bootstrap_of(table, scorer, plan, first_rows[unit], threads, listeners)


def measure(fleet: Fleet[Table], scorer: LabelledScorer, plan: Plan, listeners: Listeners) -> Evaluation:
    """Measure every row of a table, to the same bits whoever goes over it.

    Several units are gone over twice where there are intervals: only then is it known which rows are before each.

    Raises
    ------
    DataError
        A truth is no class, a row or a file is bad, or the engine fails.
    UsageError
        There are too many slices.
    """
    once = fleet.size == 1
    first_plan = plan if once else replace(plan, replicates=0)
    parts, rows = [], [0] * fleet.size
    with fleet.results(partial(_measure_unit, scorer, first_plan), listeners) as results:
        for unit, part in results:
            parts.append(part)
            rows[unit] = part.rows
    total = reduce(Evaluation.plus, parts)
    if once or not plan.replicates:
        return total
    first_rows = tuple(itertools.accumulate(rows, initial=0))
    with fleet.results(partial(_replicate_unit, scorer, plan, first_rows), NOBODY) as replicated:
        return replace(total, bootstrap=reduce(Parts.plus, (part for _, part in replicated)))
