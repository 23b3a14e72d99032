"""A labelled table, measured by an engine in two passes: the bootstrap has to know how many rows came before."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from functools import reduce

from softmax_cli.batches.badrows import Reject
from softmax_cli.batches.draws import Draws
from softmax_cli.batches.judge import Judge
from softmax_cli.batches.parts import Plan
from softmax_cli.batches.table import Table
from softmax_cli.runs.evaluating import Evaluation, draws_of, evaluate_table
from softmax_cli.runs.scoring import Listeners
from softmax_cli.units.fleet import Fleet
from softmax_cli.units.plan import Unit
from softmax_cli.units.reading import Reading


@dataclass(frozen=True, slots=True)
class MeasureUnit:
    """Measures a unit, without intervals."""

    judge: Judge
    plan: Plan

    def __call__(self, unit: Unit, table: Table) -> tuple[Evaluation, tuple[Reject, ...]]:
        """Return what the unit comes to, and its bad rows."""
        rejected: list[Reject] = []
        listeners = Listeners(lambda rows, size: None, rejected.extend)
        found = evaluate_table(table, self.judge, replace(self.plan, replicates=0), 1, listeners)
        return found, tuple(rejected)


@dataclass(frozen=True, slots=True)
class DrawUnit:
    """Draws the bootstrap of a unit."""

    judge: Judge
    plan: Plan
    first_rows: tuple[int, ...]
    """How many rows were measured before each unit."""

    def __call__(self, unit: Unit, table: Table) -> Draws:
        """Return the replicates of the unit."""
        return draws_of(table, self.judge, self.plan, self.first_rows[unit.number])


def evaluate_units(fleet: Fleet, reading: Reading, judge: Judge, plan: Plan, listeners: Listeners) -> Evaluation:
    """Measure every row of a table, to the same bits as `evaluate_table`.

    Raises
    ------
    DataError
        A truth is no class, a row or a file is bad, or the engine fails.
    UsageError
        There are too many slices.
    """
    total: Evaluation | None = None
    rows = []
    with fleet.results(reading, MeasureUnit(judge, plan)) as results:
        for unit, (found, rejected) in results:
            total = found if total is None else total.plus(found)
            rows.append(found.rows)
            if rejected:
                listeners.rejected(rejected)
            listeners.progress(found.read, unit.size)
    assert total is not None, "an input has a unit at least"
    if not plan.replicates:
        return total
    first_rows = tuple(itertools.accumulate(rows, initial=0))
    with fleet.results(reading, DrawUnit(judge, plan, first_rows)) as drawn:
        return replace(total, draws=reduce(Draws.plus, (draws for _, draws in drawn)))
