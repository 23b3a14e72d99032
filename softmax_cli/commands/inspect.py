"""How a table is looked at, and how the report is given."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from softmax_cli.errors import UsageError
from softmax_cli.options.pictures import PasteOptions, PictureOptions, typed_command, write_page
from softmax_cli.options.run import EngineOptions, WorkOptions
from softmax_cli.options.source import SourceOptions, TruthOptions

if TYPE_CHECKING:
    from softmax_cli.distributed.fleet import Workers
    from softmax_cli.inspection.evidence import Evidence
    from softmax_cli.inspection.report import Inspection
    from softmax_cli.stream.scores import Inputs


RANK = 1
FIRST = ("logits", "label", "input", "where", "outlier_limit", "rows_out", "all", "json", "report", "plot", "quiet")
EXAMPLES = (
    ("softmax-cli inspect logits.csv", "figures of every class, and what would go wrong"),
    ("softmax-cli inspect logits.csv --rows-out odd.csv", "every flagged row, with its reasons"),
    ("softmax-cli inspect logits.csv --report page.html", "the same on a page"),
)


class InspectionOptions(WorkOptions, panel="Report"):
    """Limits, the form of the report, threads."""

    outlier_limit: Annotated[
        float,
        typer.Option(
            metavar="Z",
            help="Robust deviations (1.4826 MAD) from the median of its class, and from the logits that win rows, "
            "beyond which a logit is an outlier.",
        ),
    ] = 6.0
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON, for a program.")] = False
    rows_out: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Write every flagged row, with its place and reasons, to a CSV file; reads the input twice.",
        ),
    ] = None
    classes_shown: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Classes in the table: the oddest, in file order; as many as the terminal has lines for if none is "
            "said.",
        ),
    ] = None
    all: Annotated[bool, typer.Option("--all", help="Show every class, and finer histograms.")] = False
    force: Annotated[bool, typer.Option("--force", help="Write over an existing file.")] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.outlier_limit < math.inf:
            raise UsageError(
                f"--outlier-limit {self.outlier_limit:g}: expected a number of deviations above 0, such as 6"
            )

    def check(self, inputs: Inputs) -> None:
        """Refuse, before anything is read, flagged rows that could not be written."""
        from softmax_cli.storage.writing import check_target

        if self.rows_out is None:
            return
        if inputs.has_stdin or any(Path(path).is_fifo() for path in inputs.paths):
            raise UsageError("--rows-out reads the input twice, and a pipe is gone after once: save it to a file first")
        check_target(self.rows_out, inputs.paths, self.force)


def inspect(
    source: SourceOptions,
    truths: TruthOptions,
    look: InspectionOptions,
    pasting: PasteOptions,
    pictures: PictureOptions,
    engine: EngineOptions,
) -> None:
    """Look for what would go wrong: outliers, bad rows, probabilities for logits, classes on another scale.

    Figures for every class, histograms of confidence and entropy, and findings,
    each with the flag that acts on it. One pass in flat memory; a bad row is a
    finding, not an error.
    """
    pasting.check_format(look.json)
    _report(looked_at(source, truths, look, pictures, engine), look, pasting.format)


def looked_at(
    source: SourceOptions,
    truths: TruthOptions,
    look: InspectionOptions,
    pictures: PictureOptions,
    engine: EngineOptions,
) -> Inspection:
    """Look, write and draw what was asked for, and return what was found."""
    inputs = source.resolve(truths)
    look.check(inputs)
    pictures.check(inputs.everything_read, look.force, [look.rows_out])
    workers = engine.resolve(inputs, look)
    found, evidence = _look(inputs, look, workers)
    if pictures.plot is not None:
        from softmax_cli.inspection.pictures import write_inspection_plots

        write_inspection_plots(found, pictures.plot, look.force)
    if pictures.report is not None:
        from softmax_cli.inspection.pictures import inspection_page

        write_page(inspection_page(found, typed_command()), pictures.report, look.force)
    _write_flagged(inputs, look, workers, evidence)
    return found


def _write_flagged(inputs: Inputs, look: InspectionOptions, workers: Workers, evidence: Evidence) -> None:
    if look.rows_out is not None:
        from softmax_cli.inspection.run import write_flagged
        from softmax_cli.stream.scores import open_scores

        with open_scores(inputs._replace(truths=None)) as scores:  # once more, now that the flagged rows are known
            count = write_flagged(workers.fleet(inputs, scores), evidence, look.rows_out, look.force)
        look.say(f"{count:,} flagged rows in {look.rows_out}")


def _look(inputs: Inputs, look: InspectionOptions, workers: Workers) -> tuple[Inspection, Evidence]:
    from softmax_cli.inspection.report import inspection
    from softmax_cli.inspection.run import inspect_rows, inspector_of
    from softmax_cli.stream.scores import open_scores
    from softmax_cli.tables.threads import Listeners
    from softmax_cli.terminal.progress import progress

    with open_scores(inputs) as scores:
        scores.check_order(bool(workers.units))
        look.introduce(scores)
        inspector, scores = inspector_of(scores, look.outlier_limit)
        with progress(scores.table.size, not look.quiet, look.colors) as advance:
            evidence = inspect_rows(workers.fleet(inputs, scores), inspector, Listeners(advance))
    look.conclude(scores)
    return inspection(scores.table.name, evidence), evidence


def _report(found: Inspection, look: InspectionOptions, markup: str | None) -> None:
    if look.json:
        from softmax_cli.stream.outputs import print_json

        print_json(found.to_json())
        return
    if markup is not None:
        from softmax_cli.inspection.pictures import inspection_tables
        from softmax_cli.page.report import print_tables

        print_tables(inspection_tables(found), markup)
        return
    from softmax_cli.inspection.screen import show_inspection
    from softmax_cli.terminal.console import make_console

    show_inspection(make_console(sys.stdout, look.colors), found, look.classes_shown, look.all)


PYTHON = looked_at
