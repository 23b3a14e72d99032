"""What commands share beside their job: threads, notes on standard error, and colour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, cast

import typer

from softmax_cli.errors import UsageError
from softmax_cli.options.source import Opened, SourceOptions
from softmax_cli.terminal.messages import print_message

if TYPE_CHECKING:
    from softmax_cli.distributed.engines import Engine
    from softmax_cli.distributed.fleet import Fleet
    from softmax_cli.distributed.plan import Unit, UnitReader
    from softmax_cli.prediction.bad_rows import Policy
    from softmax_cli.prediction.logits import KindCheck
    from softmax_cli.tables.columns import Columns
    from softmax_cli.tables.table import Table
    from softmax_cli.terminal.console import Color


POLICIES = ("error", "skip", "null")


@dataclass(frozen=True, kw_only=True)
class ColorOptions:
    """Whether what is shown is coloured."""

    color: Annotated[str, typer.Option(help="auto, always or never.", rich_help_panel=TALK_PANEL)] = "auto"

    def __post_init__(self) -> None:
        if self.color not in COLORS:
            raise UsageError(f"--color {self.color}: choose one of {', '.join(COLORS)}")

    @property
    def colors(self) -> Color:
        """Return whether to colour what is shown."""
        return cast("Color", self.color)


@dataclass(frozen=True, kw_only=True)
class TalkOptions(ColorOptions):
    """What is said beside the data."""

    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No notes on standard error.", rich_help_panel=TALK_PANEL)
    ] = False

    def say(self, *notes: str) -> None:
        """Tell something on standard error, unless quiet."""
        if not self.quiet:
            for note in notes:
                print_message(note)

    def introduce(self, opened: Opened, *notes: str) -> None:
        """Tell how the input was read, and what is doubtful about the roles of its columns."""
        self.say(*opened.table.notes, *notes)
        for warning in opened.columns.warnings:
            self.warn(warning)

    def report_kind(self, kinds: KindCheck, columns: Columns) -> None:
        """Tell where the values contradict the kind that the scores were read as."""
        if kinds.note is not None:
            self.say(kinds.note)
        if (warning := kinds.warning(columns)) is not None:
            self.warn(warning)

    def warn(self, warning: str) -> None:
        """Tell, also when quiet, that the result is probably not what was meant."""
        print_message(f"warning: {warning}")


@dataclass(frozen=True, kw_only=True)
class WorkOptions(TalkOptions):
    """How many threads do the work."""

    threads: Annotated[
        int | None, typer.Option(min=1, help="Worker threads; default: all cores.", rich_help_panel=TALK_PANEL)
    ] = None

    @property
    def workers(self) -> int:
        """Return the number of worker threads."""
        from softmax_cli.tables.pool import available_threads

        return self.threads or available_threads()


@dataclass(frozen=True)
class RunOptions(WorkOptions):
    """Bad rows, threads, talk."""

    on_bad_row: Annotated[
        str,
        typer.Option(
            help="A row that cannot be scored: error (stop), skip (leave it out) or null (keep it, unscored).",
            rich_help_panel=TALK_PANEL,
        ),
    ] = "error"
    rejects: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Keep every bad row, with its place and reason, in a CSV file.",
            rich_help_panel=TALK_PANEL,
        ),
    ] = None
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Print columns and operations in order; only the first block is read.",
            rich_help_panel=TALK_PANEL,
        ),
    ] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.on_bad_row not in POLICIES:
            raise UsageError(f"--on-bad-row {self.on_bad_row}: choose one of {', '.join(POLICIES)}")
        if self.rejects is not None and self.on_bad_row == "error":
            raise UsageError("--rejects keeps rows that are passed over: add --on-bad-row skip or null")

    @property
    def policy(self) -> Policy:
        """Return what becomes of bad rows."""
        return cast("Policy", self.on_bad_row)


TALK_PANEL = "Run"

COLORS = ("auto", "always", "never")


ENGINE_PANEL = "Beyond one machine"


@dataclass(frozen=True)
class EngineOptions:
    """The engine."""

    engine: Annotated[
        str | None,
        typer.Option(
            help="ray, spark or dask: its workers do the units, on the cluster that RAY_ADDRESS, spark-submit or "
            "DASK_SCHEDULER_ADDRESS names, else on --threads workers here. local: processes of this machine, "
            "which is also where all is done if none is said.",
            rich_help_panel=ENGINE_PANEL,
        ),
    ] = None

    @property
    def is_local(self) -> bool:
        """Whether the processes of this machine do the work."""
        return self.engine in (None, "local")

    def load(self) -> Engine:
        """Return the engine.

        Raises
        ------
        UsageError
            There is no such engine, or it is not installed.
        """
        from softmax_cli.distributed import engines

        return engines.by_name(self.engine or "local")

    def units(self, source: SourceOptions) -> tuple[Unit, ...]:
        """Cut the input into units for the engine; () where none is named, and the input is read here.

        Raises
        ------
        UsageError
            There is no such engine, it is not installed, or the input is a stream, which cannot be cut into units.
        """
        if self.engine is None:
            return ()
        from softmax_cli.distributed.plan import plan_units
        from softmax_cli.stream.inputs import STDIN

        files = source.files()
        if STDIN in files:
            raise UsageError(
                f"--engine {self.engine} cuts the input into units, and standard input cannot be cut: "
                "save it to a file, or leave --engine out"
            )
        self.load()
        return plan_units(files, source.input_format)

    def fleet(self, table: Table, reader: UnitReader, units: tuple[Unit, ...], threads: int) -> Fleet:
        """Return who goes over a table that is open here, cut into `units`."""
        from softmax_cli.distributed.fleet import EngineWorkers, ThisProcess

        return EngineWorkers(self.load(), units, threads, reader) if units else ThisProcess(table, threads)
