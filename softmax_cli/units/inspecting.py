"""A table, looked at by an engine: the first rows are looked at here, and settle what the units are measured with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from softmax_cli.batches.evidence import Evidence
from softmax_cli.batches.flagged import Flag
from softmax_cli.batches.fold import no_evidence
from softmax_cli.batches.profile import Inspector
from softmax_cli.batches.table import Table
from softmax_cli.runs.inspecting import Advance, evidence_of, flags_in
from softmax_cli.units.fleet import Fleet
from softmax_cli.units.plan import Unit
from softmax_cli.units.reading import Reading


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


def inspect_units(fleet: Fleet, reading: Reading, inspector: Inspector, advance: Advance) -> Evidence:
    """Look at every row of a table, with the outcome of a single reader."""
    evidence = no_evidence(inspector)
    with fleet.results(reading, InspectUnit(inspector)) as results:
        for unit, found in results:
            evidence = evidence.plus(found)
            advance(found.profile.rows, unit.size)
    return evidence


def flags_in_units(fleet: Fleet, reading: Reading, evidence: Evidence) -> Iterator[list[Flag]]:
    """Find every flagged row of a table, in order."""
    with fleet.results(reading, FlagUnit(evidence)) as results:
        for _, batches in results:
            yield from batches
