"""``softmax-cli inspect``: what is in a table of scores, before anything is computed from it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from softmax_cli.options.engine import EngineOptions
from softmax_cli.options.fleet import fleet_of
from softmax_cli.options.inspection import InspectionOptions
from softmax_cli.options.source import SourceOptions

if TYPE_CHECKING:
    from softmax_cli.batches.evidence import Evidence
    from softmax_cli.batches.inspection import Inspection
    from softmax_cli.units.fleet import Fleet


def inspect(source: SourceOptions, look: InspectionOptions, engine: EngineOptions) -> None:
    """Look for what would go wrong: outliers, bad rows, probabilities for logits, classes on another scale.

    Figures for every class, histograms of confidence and entropy, and findings,
    each with the flag that acts on it. One pass in flat memory; a bad row is a
    finding, not an error.
    """
    from softmax_cli.batches.inspection import inspection

    look.check(source.paths)
    fleet = fleet_of(engine, source, look.workers)
    name, evidence = _look(source, look, fleet)
    _report(inspection(name, evidence), look)
    if look.rows_out is not None:
        count = _write_flagged(source, look, fleet, evidence, look.rows_out)
        look.say(f"{count:,} flagged rows in {look.rows_out}")


def _look(source: SourceOptions, look: InspectionOptions, fleet: Fleet | None) -> tuple[str, Evidence]:
    from softmax_cli.display.progress import progress
    from softmax_cli.runs.inspecting import evidence_of

    with source.open() as opened:
        look.say(*opened.table.notes)
        inspector, table = look.settle(opened)
        with progress(table.size, not look.quiet, look.colors) as advance:
            if fleet is None:
                return table.name, evidence_of(table, inspector, look.workers, advance)
            from softmax_cli.units.inspecting import inspect_units

            return table.name, inspect_units(fleet, source.reading(opened), inspector, advance)


def _write_flagged(
    source: SourceOptions, look: InspectionOptions, fleet: Fleet | None, evidence: Evidence, path: str
) -> int:
    """Read the input again, now that it is known which rows are flagged."""
    from softmax_cli.runs.inspecting import flags_in, write_flagged

    with source.open() as opened:
        if fleet is None:
            return write_flagged(flags_in(opened.table, evidence, look.workers), path, look.force)
        from softmax_cli.units.inspecting import flags_in_units

        return write_flagged(flags_in_units(fleet, source.reading(opened), evidence), path, look.force)


def _report(found: Inspection, look: InspectionOptions) -> None:
    from softmax_cli.sinks import standard_output

    if look.json:
        import json

        with standard_output() as out:
            out.write(json.dumps(found.to_json(), indent=1, allow_nan=False, ensure_ascii=False).encode() + b"\n")
        return
    from softmax_cli.display.console import make_console
    from softmax_cli.display.inspection import show_inspection

    show_inspection(make_console(sys.stdout, look.colors), found, look.shown)
