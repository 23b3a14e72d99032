"""``softmax-cli compare``: whether a quantised, retrained or ported model is still the same."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from softmax_cli.commands._joined import check_count, conclude, inputs_of, open_tables, together
from softmax_cli.errors import DataError, GateError
from softmax_cli.options.completion import one_of
from softmax_cli.options.parser import Options
from softmax_cli.options.pictures import ComparisonPictureOptions, PasteOptions, typed_command, write_page
from softmax_cli.options.run import EngineOptions, RunOptions, check_replicates, check_seed
from softmax_cli.options.source import SourceOptions, TruthOptions
from softmax_cli.terminal.messages import print_plan

if TYPE_CHECKING:
    from softmax_cli.evaluation.pairs.report import ComparisonReport
    from softmax_cli.formats import Writer
    from softmax_cli.numeric.metrics import Plan
    from softmax_cli.prediction.members.joining import Members
    from softmax_cli.tables.batch import Batch
    from softmax_cli.tables.schema import Schema


RANK = 5
FIRST = ("label", "labels", "where", "flips_out", "full", "fail_if", "json", "report", "plot", "bootstrap", "quiet")
EXAMPLES = (
    ("softmax-cli compare old.parquet new.parquet", "agreement, flips, divergences, changes of probability"),
    ("softmax-cli compare old.csv new.csv --label y", "with truths: which is better, and could it be chance?"),
    ("softmax-cli compare old.csv new.csv --report page.html --plot plots.png", "a page, and a sheet of plots"),
    ("softmax-cli compare a.npy b.npy --fail-if 'agreement < 0.999'", "exit code 3 where it is"),
)
SHOWN = 5
"""Rows that flip, on a screen with every figure."""
FIRST_SHOWN = 3
MOST_ROWS = 1000
"""The same in a page or a table to be pasted."""


class CompareOptions(Options, panel="Report"):
    """Flips, gates, the form of the report."""

    flips_out: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write the rows whose prediction changes (.csv .parquet ...).")
    ] = None
    fail_if: Annotated[
        list[str],
        typer.Option(
            metavar="'agreement < 0.999'",
            help="End with exit code 3 where this holds of any file; may be given several times.",
            show_default=False,
            autocompletion=one_of(registry="softmax_cli.evaluation.pairs.report:gate_names"),
        ),
    ] = []  # noqa: RUF012  # as typer wants it; nothing adds to it
    full: Annotated[bool, typer.Option("--full", help="Print every figure, also those said in words.")] = False
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON, for a program.")] = False
    bootstrap: Annotated[int, typer.Option(min=0, help="Paired replicates behind the 95 % intervals; 0: none.")] = 1000
    seed: Annotated[int, typer.Option(min=0, help="Of the bootstrap, below 2^64.")] = 0
    force: Annotated[bool, typer.Option("--force", help="Write over an existing file.")] = False

    def __post_init__(self) -> None:
        check_seed(self.seed)
        check_replicates(self.bootstrap, 1000)

    def plan(self) -> Plan:
        """Return what is measured where there are truths."""
        from softmax_cli.numeric.metrics import Plan

        return Plan(replicates=self.bootstrap, seed=self.seed, top_k=())


def compare(
    source: SourceOptions,
    truths: TruthOptions,
    comparison: CompareOptions,
    pasting: PasteOptions,
    pictures: ComparisonPictureOptions,
    engine: EngineOptions,
    run: RunOptions,
) -> None:
    """Compare tables of scores of the same rows: each with the first.

    Rows are joined by id, in any order (up to 2 GB of rows wait for theirs), or
    by position where a table has no ids; classes by name. --input logits,prob
    says of each table what its scores are. With --engine, the first file of
    each table is compared with the first of the others, and so on, side by
    side; without ids, also the same row groups of large Parquet files.
    """
    pasting.check_format(comparison.json)
    keeps_many = pictures.report is not None or pasting.format is not None
    flips = Flips(comparison, source.paths, MOST_ROWS if keeps_many else SHOWN)
    report = _compared(source, truths, comparison, pictures, engine, run, flips)
    if report is None:
        return
    _give(report, flips, comparison, pasting.format, run)
    if report.failed_gates:
        raise GateError("; ".join(report.failed_gates))


def compared(
    source: SourceOptions,
    truths: TruthOptions,
    comparison: CompareOptions,
    pictures: ComparisonPictureOptions,
    engine: EngineOptions,
    run: RunOptions,
) -> tuple[ComparisonReport | None, Flips]:
    """Compare, write what was asked for, and return the report and every row that flips, for Python."""
    flips = Flips(comparison, source.paths)
    return _compared(source, truths, comparison, pictures, engine, run, flips), flips


def _compared(
    source: SourceOptions,
    truths: TruthOptions,
    comparison: CompareOptions,
    pictures: ComparisonPictureOptions,
    engine: EngineOptions,
    run: RunOptions,
    flips: Flips,
) -> ComparisonReport | None:
    """Compare, draw what was asked for, and return the report; None: it was a dry run, whose plan is printed."""
    from softmax_cli.evaluation.gates import parse_gate
    from softmax_cli.evaluation.pairs.report import build_comparison, gate_names
    from softmax_cli.evaluation.pairs.run import compare as compare_rows
    from softmax_cli.prediction.members.member_parts import Wording, members_fleet
    from softmax_cli.tables.threads import Listeners

    pictures.check(source.paths, comparison.force, [comparison.flips_out])
    check_count(source.paths, "compare")
    plan, inputs = comparison.plan(), inputs_of(source, truths)
    workers = engine.resolve(together(inputs), run)
    by_part = Wording("--engine compares part by part", "leave --engine out")
    with open_tables(source, inputs, run) as members:
        pictures.drawn(members.truth is not None)
        gates = [parse_gate(given, gate_names(plan, members.truth is not None)) for given in comparison.fail_if]
        if run.dry_run:
            print_plan([line for table in members.tables for line in table.describe()])
            return None
        fleet = members_fleet(workers, inputs, members, by_part)
        size = members.tables[0].table.size
        with flips.open(members), run.work(size, comparison.force) as work, work.rejects as keep:
            found = compare_rows(fleet, members.names, plan, Listeners(work.progress, keep), flips.keep)
        conclude(run, members, members.checks if found is None else found.checks)
        if found is None:
            raise DataError(f"{members.names[0]} has no rows: there is nothing to compare")
        report = build_comparison(members, plan, found, gates)
    _draw(report, flips, pictures, comparison.force)  # before printing: a closed pipe (| head) ends the run there
    return report


class Flips:
    """The rows that flip: the first of them are kept, and all are written where that was asked for."""

    schema: Schema

    def __init__(self, comparison: CompareOptions, inputs: list[str], most: int = sys.maxsize) -> None:
        self._most = most
        self.kept: list[Batch] = []
        self._comparison = comparison
        self._writer: Writer | None = None
        if comparison.flips_out is not None:
            from softmax_cli.storage.writing import check_target

            check_target(comparison.flips_out, inputs, comparison.force)

    def open(self, members: Members) -> ExitStack:
        """Open the file, which is complete when what is returned is closed."""
        from softmax_cli.evaluation.pairs.run import Flipped

        opened, path = ExitStack(), self._comparison.flips_out
        self.schema = Flipped(members, members.names).schema
        if path is not None:
            from softmax_cli import formats
            from softmax_cli.storage.writing import whole_file
            from softmax_cli.stream.outputs import table_writer
            from softmax_cli.tables.table import WriteOptions

            form, compression = formats.by_suffix(path)
            file = opened.enter_context(whole_file(path, self._comparison.force))
            self._writer = opened.enter_context(table_writer(file, form, compression, self.schema, WriteOptions()))
        return opened

    def keep(self, batch: Batch) -> None:
        """Take some rows."""
        if self._writer is not None:
            self._writer.write(self._writer.encode(batch))
        room = self._most - sum(kept.num_rows for kept in self.kept)
        if room > 0:
            self.kept.append(batch.slice(0, room))

    def first(self, most: int) -> list[dict[str, object]]:
        """Return the first rows."""
        return [row for batch in self.kept for row in batch.slice(0, most).to_pylist()][:most]


def _give(
    report: ComparisonReport, flips: Flips, comparison: CompareOptions, markup: str | None, run: RunOptions
) -> None:
    if comparison.json:
        from softmax_cli.stream.outputs import print_json

        print_json(report.to_json())
        return
    if markup is not None:
        from softmax_cli.evaluation.pairs.pictures import comparison_tables
        from softmax_cli.page.report import print_tables

        print_tables(comparison_tables(report, flips.first(MOST_ROWS)), markup)
        return
    from softmax_cli.evaluation.pairs.screen import show_comparison
    from softmax_cli.terminal.console import make_console

    show_comparison(
        make_console(sys.stdout, run.colors),
        report,
        flips.first(SHOWN if comparison.full else FIRST_SHOWN),
        comparison.full,
    )


def _draw(report: ComparisonReport, flips: Flips, pictures: ComparisonPictureOptions, force: bool) -> None:
    if pictures.plot is not None:
        from softmax_cli.evaluation.pairs.pictures import write_comparison_plots

        names = pictures.drawn(bool(report.labelled))
        write_comparison_plots(report, names, pictures.plot, force)
    if pictures.report is not None:
        from softmax_cli.evaluation.pairs.pictures import comparison_page

        write_page(comparison_page(report, flips.first(MOST_ROWS), typed_command()), pictures.report, force)


PYTHON = compared
