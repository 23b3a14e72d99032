"""How a table is looked at, and how the report is given."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from softmax_cli.errors import UsageError
from softmax_cli.options.pictures import PictureOptions, typed_command, write_page
from softmax_cli.options.run import EngineOptions, WorkOptions
from softmax_cli.options.source import SourceOptions, TruthOptions

if TYPE_CHECKING:
    from softmax_cli.distributed.plan import Unit
    from softmax_cli.inspection.evidence import Evidence, Inspector
    from softmax_cli.inspection.report import Inspection
    from softmax_cli.options.source import Opened
    from softmax_cli.tables.table import Table


RANK = 1
FIRST = ("logits", "label", "input", "where", "outlier_limit", "rows_out", "all", "json", "report", "plot", "quiet")
EXAMPLES = (
    ("softmax-cli inspect logits.csv", "figures of every class, and what would go wrong"),
    ("softmax-cli inspect logits.csv --rows-out odd.csv", "every flagged row, with its reasons"),
    ("softmax-cli inspect logits.csv --report page.html", "the same on a page"),
)


REPORT = "Report"


@dataclass(frozen=True)
class InspectionOptions(WorkOptions):
    """Limits, the form of the report, threads."""

    outlier_limit: Annotated[
        float,
        typer.Option(
            metavar="Z",
            help="Robust deviations (1.4826 MAD) from the median of its class, and from the logits that win rows, "
            "beyond which a logit is an outlier.",
            rich_help_panel=REPORT,
        ),
    ] = 6.0
    json: Annotated[
        bool, typer.Option("--json", help="Print the report as JSON, for a program.", rich_help_panel=REPORT)
    ] = False
    rows_out: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Write every flagged row, with its place and reasons, to a CSV file; reads the input twice.",
            rich_help_panel=REPORT,
        ),
    ] = None
    classes_shown: Annotated[
        int, typer.Option(min=1, help="Classes in the table: the oddest, in file order.", rich_help_panel=REPORT)
    ] = 12
    all: Annotated[bool, typer.Option("--all", help="Show every class.", rich_help_panel=REPORT)] = False
    force: Annotated[bool, typer.Option("--force", help="Write over an existing file.", rich_help_panel=REPORT)] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.outlier_limit < math.inf:
            raise UsageError(
                f"--outlier-limit {self.outlier_limit:g}: expected a number of deviations above 0, such as 6"
            )

    def check(self, inputs: list[str]) -> None:
        """Refuse, before anything is read, flagged rows that could not be written."""
        from softmax_cli.storage.writing import check_target
        from softmax_cli.stream.inputs import STDIN

        if self.rows_out is None:
            return
        if not inputs or STDIN in inputs or any(Path(path).is_fifo() for path in inputs):
            raise UsageError("--rows-out reads the input twice, and a pipe is gone after once: save it to a file first")
        check_target(self.rows_out, inputs, self.force)

    def settle(self, opened: Opened) -> tuple[Inspector, Table]:
        """Return what the table is measured with, and the table with the first rows, which tell it, still in it."""
        from softmax_cli.inspection.run import inspector_and_table
        from softmax_cli.prediction.logits import score_dtype

        dtype = str(score_dtype(opened.table.schema, opened.columns))
        return inspector_and_table(opened.table, opened.columns, dtype, self.outlier_limit, opened.truth)

    @property
    def shown(self) -> int | None:
        """Return how many classes the table shows; None: every one."""
        return None if self.all else self.classes_shown


def inspect(
    source: SourceOptions,
    truths: TruthOptions,
    look: InspectionOptions,
    pictures: PictureOptions,
    engine: EngineOptions,
) -> None:
    """Look for what would go wrong: outliers, bad rows, probabilities for logits, classes on another scale.

    Figures for every class, histograms of confidence and entropy, and findings,
    each with the flag that acts on it. One pass in flat memory; a bad row is a
    finding, not an error.
    """
    from softmax_cli.inspection.report import inspection

    truths.check(source.label)
    inputs = [*source.paths, *truths.files]
    look.check(source.paths)
    pictures.check(inputs, look.force, [look.rows_out])
    units = engine.units(source)
    name, evidence = _look(source, truths, look, engine, units)
    found = inspection(name, evidence)
    _report(found, look)
    if pictures.plot is not None:
        from softmax_cli.inspection.figures import write_inspection_plots

        write_inspection_plots(found, pictures.plot, look.force)
    if pictures.report is not None:
        from softmax_cli.inspection.page import inspection_page

        write_page(inspection_page(found, typed_command()), pictures.report, look.force)
    if look.rows_out is not None:
        from softmax_cli.inspection.run import write_flagged

        with source.open() as opened:  # once more, now that it is known which rows are flagged
            fleet = engine.fleet(opened.table, source.reading(opened), units, look.workers)
            count = write_flagged(fleet, evidence, look.rows_out, look.force)
        look.say(f"{count:,} flagged rows in {look.rows_out}")


def _look(
    source: SourceOptions,
    truths: TruthOptions,
    look: InspectionOptions,
    engine: EngineOptions,
    units: tuple[Unit, ...],
) -> tuple[str, Evidence]:
    from softmax_cli.inspection.run import inspect_rows
    from softmax_cli.tables.pool import Listeners
    from softmax_cli.terminal.progress import progress

    with source.open(truths) as opened:
        opened.check_order(bool(units))
        look.introduce(opened)
        inspector, table = look.settle(opened)
        fleet = engine.fleet(table, source.reading(opened), units, look.workers)
        with progress(table.size, not look.quiet, look.colors) as advance:
            return table.name, inspect_rows(fleet, inspector, Listeners(advance))


def _report(found: Inspection, look: InspectionOptions) -> None:
    from softmax_cli.storage.writing import standard_output

    if look.json:
        from softmax_cli.stream.outputs import json_bytes

        with standard_output() as out:
            out.write(json_bytes(found.to_json()))
        return
    from softmax_cli.inspection.screen import show_inspection
    from softmax_cli.terminal.console import make_console

    show_inspection(make_console(sys.stdout, look.colors), found, look.shown)
