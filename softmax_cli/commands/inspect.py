"""``softmax-cli inspect``: what is in a table of scores, before anything is computed from it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from softmax_cli.options.inspection import InspectionOptions
from softmax_cli.options.source import SourceOptions

if TYPE_CHECKING:
    from softmax_cli.batches.evidence import Evidence
    from softmax_cli.batches.inspection import Inspection


def inspect(source: SourceOptions, look: InspectionOptions) -> None:
    """Look for what would go wrong: outliers, bad rows, probabilities for logits, classes on another scale.

    Figures for every class, histograms of confidence and entropy, and findings,
    each with the flag that acts on it. One pass in flat memory; a bad row is a
    finding, not an error.
    """
    from softmax_cli.batches.inspection import inspection

    look.check(source.paths)
    name, evidence = _look(source, look)
    _report(inspection(name, evidence), look)
    if look.rows_out is not None:
        from softmax_cli.runs.inspecting import write_flagged

        with source.open() as again:
            measure = look.measure(again)
            count = write_flagged(again.table, evidence, look.rows_out, look.force, measure.threads)
        look.say(f"{count:,} flagged rows in {look.rows_out}")


def _look(source: SourceOptions, look: InspectionOptions) -> tuple[str, Evidence]:
    from softmax_cli.display.progress import progress
    from softmax_cli.runs.inspecting import inspect_table

    with source.open() as opened:
        look.say(*opened.table.notes)
        with progress(opened.table.size, not look.quiet, look.colors) as advance:
            return opened.table.name, inspect_table(opened.table, opened.columns, look.measure(opened), advance)


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
