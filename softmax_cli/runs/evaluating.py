"""A labelled table, measured in one pass: blocks -> workers (decode, judge, measure) -> workers (draw) -> sum.

The bootstrap is drawn by the number of the row, which is known only once the rows before it are counted. So it has
workers of its own behind the counting.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from softmax_cli.batches.arrays import empty_batch
from softmax_cli.batches.draws import Draws
from softmax_cli.batches.judge import Judge, Judged
from softmax_cli.batches.labels import Reading
from softmax_cli.batches.measure import Measured
from softmax_cli.batches.parts import Plan
from softmax_cli.batches.table import Block, Decoded, Place, Table
from softmax_cli.pipeline import ordered_map
from softmax_cli.runs.scoring import Listeners


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """What a pass over a table comes to."""

    measured: Measured
    draws: Draws | None
    """None: no bootstrap."""
    read: int
    """Rows that were read, the bad ones among them."""
    reading: Reading
    doubtful: bool
    """Every row looked like probabilities although it was taken as logits."""

    @property
    def rows(self) -> int:
        """Rows that were measured."""
        return self.measured.whole.accuracy.rows


@dataclass(frozen=True, slots=True, eq=False)
class _Step:
    """One block on its way."""

    block: Block
    judged: Judged
    measured: Measured
    first_row: int = 0


def evaluate_table(table: Table, judge: Judge, plan: Plan, threads: int, listeners: Listeners) -> Evaluation:
    """Measure every row of a table, once.

    Raises
    ------
    DataError
        A truth is no class, a row or the file is bad.
    UsageError
        There are too many slices.
    """

    def work(block: Block) -> _Step:
        judged = judge(table.decode(block, judge.transform.columns.scores))
        return _Step(block, judged, Measured.of(plan, judged))

    def draw(step: _Step) -> tuple[_Step, Draws | None]:
        return step, Draws.of(plan, step.judged, step.first_row) if plan.replicates else None

    nothing = judge(Decoded(empty_batch(table.schema), _nowhere))
    measured, read, reading, doubtful = Measured.of(plan, nothing), 0, Reading(), True
    draws = Draws.of(plan, nothing, 0) if plan.replicates else None
    numbered = _numbered(ordered_map(work, table.blocks, threads))
    for step, drawn in ordered_map(draw, numbered, threads):
        measured = measured.plus(step.measured)
        draws = draws.plus(drawn) if draws is not None and drawn is not None else None
        reading = reading.plus(step.judged.reading)
        read += step.judged.read
        doubtful = doubtful and step.judged.doubtful
        if step.judged.rejects:
            listeners.rejected(step.judged.rejects)
        listeners.progress(step.judged.read, step.block.size)
    return Evaluation(measured, draws, read, reading, doubtful and read > 0)


def _numbered(steps: Iterator[_Step]) -> Iterator[_Step]:
    """Tell every block how many rows were judged before it."""
    first_row = 0
    for step in steps:
        yield _Step(step.block, step.judged, step.measured, first_row)
        first_row += len(step.judged.labels)


def _nowhere(row: int, column: str | None) -> Place:
    raise IndexError(f"row {row} of a table without rows")
