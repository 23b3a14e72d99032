"""Labelled rows, taken out of their files by an engine; whoever fits a calibration to them holds all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from softmax_cli.batches.table import Table
from softmax_cli.runs.labelledrows import Advance, Collector, LabelledRows, collect
from softmax_cli.units.fleet import Fleet
from softmax_cli.units.plan import Unit
from softmax_cli.units.reading import Reading


@dataclass(frozen=True, slots=True)
class CollectUnit:
    """Takes the rows of a unit."""

    collector: Collector

    def __call__(self, unit: Unit, table: Table) -> LabelledRows:
        """Return them in order."""
        return collect(table, self.collector, 1, lambda rows, size: None)


def collect_units(fleet: Fleet, reading: Reading, collector: Collector, advance: Advance) -> LabelledRows:
    """Take all rows of a table: the very rows that `collect` takes, so that every fit is the same to the last bit."""
    with fleet.results(reading, CollectUnit(collector)) as results:
        return LabelledRows.joined(_told(results, advance), len(collector.columns.classes))


def _told(results: Iterable[tuple[Unit, LabelledRows]], advance: Advance) -> Iterator[LabelledRows]:
    for unit, rows in results:
        yield rows
        advance(len(rows.z) + rows.left_out, unit.size)
