"""A labelled table, measured in one pass: blocks -> workers (decode, judge, measure) -> workers (draw) -> sum.

The bootstrap is drawn by the number of the row among those that are measured, which is known only once the rows before
it are counted. So it has workers of its own behind the counting; and where the counting is spread over machines, a pass
of its own, `draws_of`, which costs a fraction of the drawing.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import reduce
from typing import Self

from softmax_cli.distributed.fleet import Fleet
from softmax_cli.evaluation.judge import Judge, Judged
from softmax_cli.evaluation.measure import Draws, Measured, Plan
from softmax_cli.prediction.logits import KindCheck
from softmax_cli.tables.batch import empty_batch
from softmax_cli.tables.labels import LabelReading
from softmax_cli.tables.pool import NOBODY, Listeners, ordered_map
from softmax_cli.tables.table import Block, Decoded, Place, Table


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """What a pass over a run of rows comes to; those of consecutive runs add up exactly, with `plus`."""

    measured: Measured
    draws: Draws | None
    """None: no bootstrap."""
    read: int
    """Rows that were read, the bad ones among them."""
    reading: LabelReading
    kinds: KindCheck
    """Whether rows look like another kind of scores than they were read as."""

    @property
    def rows(self) -> int:
        """Rows that were measured."""
        return self.measured.whole.accuracy.rows

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
            None if self.draws is None or other.draws is None else self.draws.plus(other.draws),
            self.read + other.read,
            self.reading.plus(other.reading),
            self.kinds.plus(other.kinds),
        )


def evaluate_table(table: Table, judge: Judge, plan: Plan, threads: int, listeners: Listeners) -> Evaluation:
    """Measure every row of a table, once.

    Raises
    ------
    DataError
        A truth is no class, a row or the file is bad.
    UsageError
        There are too many slices.
    """

    def work(block: Block) -> tuple[Block, Judged, Evaluation]:
        judged = judge(table.decode(block, judge.transform.columns.scores))
        return block, judged, _measured(plan, judged)

    def draw(step: tuple[Block, Judged, Evaluation, int]) -> tuple[Block, Judged, Evaluation]:
        block, judged, measured, first_row = step
        return block, judged, replace(measured, draws=_drawn(plan, judged, first_row))

    nothing = judge(Decoded(empty_batch(table.schema), _nowhere))
    total = replace(_measured(plan, nothing), draws=_drawn(plan, nothing, 0))
    numbered = _numbered(ordered_map(work, table.blocks, threads))
    for block, judged, found in ordered_map(draw, numbered, threads):
        total = total.plus(found)
        if judged.rejects:
            listeners.rejected(judged.rejects)
        listeners.progress(judged.read, block.size)
    return total


def draws_of(table: Table, judge: Judge, plan: Plan, first_row: int) -> Draws:
    """Draw the bootstrap of a run of rows that were measured before.

    Parameters
    ----------
    first_row : int
        How many rows were measured before this run.
    """
    draws = Draws.of(plan, judge(Decoded(empty_batch(table.schema), _nowhere)), first_row)
    for block in table.blocks:
        judged = judge(table.decode(block, judge.transform.columns.scores))
        draws = draws.plus(Draws.of(plan, judged, first_row))
        first_row += len(judged.labels)
    return draws


def _measured(plan: Plan, judged: Judged) -> Evaluation:
    return Evaluation(Measured.of(plan, judged), None, judged.read, judged.reading, judged.kinds)


def _drawn(plan: Plan, judged: Judged, first_row: int) -> Draws | None:
    return Draws.of(plan, judged, first_row) if plan.replicates else None


def _numbered(
    steps: Iterator[tuple[Block, Judged, Evaluation]],
) -> Iterator[tuple[Block, Judged, Evaluation, int]]:
    """Tell every block how many rows were judged before it."""
    first_row = 0
    for block, judged, measured in steps:
        yield block, judged, measured, first_row
        first_row += len(judged.labels)


def _nowhere(row: int, column: str | None) -> Place:
    raise IndexError(f"row {row} of a table without rows")


@dataclass(frozen=True, slots=True)
class _Measure:
    """Measures a unit."""

    judge: Judge
    plan: Plan

    def __call__(self, unit: int, table: Table, threads: int, listeners: Listeners) -> Iterator[Evaluation]:
        yield evaluate_table(table, self.judge, self.plan, threads, listeners)


@dataclass(frozen=True, slots=True)
class _Draw:
    """Draws the bootstrap of a unit."""

    judge: Judge
    plan: Plan
    first_rows: tuple[int, ...]
    """How many rows were measured before each unit."""

    def __call__(self, unit: int, table: Table, threads: int, listeners: Listeners) -> Iterator[Draws]:
        yield draws_of(table, self.judge, self.plan, self.first_rows[unit])


def measure(fleet: Fleet, judge: Judge, plan: Plan, listeners: Listeners) -> Evaluation:
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
    parts, rows = [], [0] * fleet.size
    with fleet.results(_Measure(judge, plan if once else replace(plan, replicates=0)), listeners) as results:
        for unit, part in results:
            parts.append(part)
            rows[unit] = part.rows
    total = reduce(Evaluation.plus, parts)
    if once or not plan.replicates:
        return total
    first_rows = tuple(itertools.accumulate(rows, initial=0))
    with fleet.results(_Draw(judge, plan, first_rows), NOBODY) as drawn:
        return replace(total, draws=reduce(Draws.plus, (draws for _, draws in drawn)))
