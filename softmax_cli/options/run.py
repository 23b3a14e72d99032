"""What commands share beside their job: threads, engines, notes on standard error, colour, seeds and replicates."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Annotated, cast

import typer

from softmax_cli.errors import UsageError, check_choice
from softmax_cli.options.completion import one_of
from softmax_cli.options.parser import Options
from softmax_cli.terminal.messages import print_message

if TYPE_CHECKING:
    from softmax_cli.calibration.calibration import Calibration
    from softmax_cli.distributed.fleet import Workers
    from softmax_cli.prediction.bad_rows import KeepRejects, Policy
    from softmax_cli.prediction.run import Work
    from softmax_cli.prediction.score_kinds import KindCheck
    from softmax_cli.stream.scores import Inputs, ScoreTable
    from softmax_cli.terminal.console import Color


POLICIES = ("error", "skip", "null")
LEAST_REPLICATES = 40
"""Limits of 95 % are the second and the second to last of so many."""


def check_seed(seed: int) -> None:
    """Refuse a seed that does not fit the generator."""
    if seed >= 1 << 64:
        raise UsageError(f"--seed {seed}: expected a whole number below 2^64")


def check_replicates(replicates: int, usual: int) -> None:
    """Refuse too few replicates of the bootstrap; none is a choice."""
    if 0 < replicates < LEAST_REPLICATES:
        raise UsageError(
            f"--bootstrap {replicates}: 95 % limits take {LEAST_REPLICATES} replicates at least; {usual} is usual"
        )


TALK_PANEL = "Run"
COLORS = ("auto", "always", "never")


class ColorOptions(Options, panel=TALK_PANEL):
    """Whether what is shown is coloured."""

    color: Annotated[str, typer.Option(help="auto, always or never.", autocompletion=one_of(*COLORS))] = "auto"

    def __post_init__(self) -> None:
        check_choice("--color", self.color, COLORS)

    @property
    def colors(self) -> "Color":
        """Return whether to colour what is shown."""
        return cast("Color", self.color)


class TalkOptions(ColorOptions, panel=TALK_PANEL):
    """What is said beside the data."""

    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No notes and no progress bar on standard error.")] = (
        False
    )

    def say(self, *notes: str) -> None:
        """Print something on standard error, unless quiet."""
        if not self.quiet:
            for note in notes:
                print_message(note, self.color != "never")

    def introduce(self, scores: "ScoreTable", *notes: str) -> None:
        """Say how the input was read, and what is doubtful about the roles of its columns."""
        self.say(*scores.table.notes, *notes)
        for warning in scores.columns.warnings:
            self.warn(warning)

    def conclude(self, scores: "ScoreTable", kinds: "KindCheck | None" = None) -> None:
        """Report where the values contradict the kind that the scores were read as, and a condition that no row meets.

        Parameters
        ----------
        kinds : KindCheck or None
            Of all rows that were read; None: not looked at.
        """
        seen = scores.table.seen
        problems = [None if seen is None else seen.problem]
        if kinds is not None and (warning := kinds.warning(scores.columns)) is not None:
            problems.insert(0, warning)
        elif kinds is not None:
            self.say(*filter(None, [kinds.note]))
        for problem in filter(None, problems):
            self.warn(problem)

    def warn(self, warning: str) -> None:
        """Say, also when quiet, that the result is probably not what was meant."""
        print_message(f"warning: {warning}", self.color != "never")

    def warn_of_seen(
        self, calibration: "Calibration | None", file: str | None, inputs: "Inputs", scores: "ScoreTable"
    ) -> None:
        """Warn where a table, read whole, has the name of the one that the calibration in `file` was made from."""
        name = scores.table.name
        if calibration is None or name != calibration.fit.data or inputs.where is not None or inputs.has_stdin:
            return
        self.warn(
            f"{name} is what --calibration {file} was made from: figures on rows that it has seen look better than "
            "they are; use rows that were kept apart, in another file or by --where"
        )


class WorkOptions(TalkOptions, panel=TALK_PANEL):
    """How many threads do the work."""

    threads: Annotated[int | None, typer.Option(min=1, help="Worker threads; default: all cores.")] = None

    @property
    def workers(self) -> int:
        """Return the number of worker threads."""
        from softmax_cli.tables.threads import available_threads

        return self.threads or available_threads()


class RunOptions(WorkOptions, panel=TALK_PANEL):
    """Bad rows, threads, talk."""

    on_bad_row: Annotated[
        str,
        typer.Option(
            help="A row that cannot be scored: error (stop), skip (leave it out) or null (keep it, unscored).",
            autocompletion=one_of(*POLICIES),
        ),
    ] = "error"
    rejects: Annotated[
        str | None, typer.Option(metavar="FILE", help="Keep every bad row, with its place and reason, in a CSV file.")
    ] = None
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print columns and operations in order; only the first block is read.")
    ] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("--on-bad-row", self.on_bad_row, POLICIES)
        if self.rejects is not None and self.on_bad_row == "error":
            raise UsageError("--rejects keeps rows that are passed over: add --on-bad-row skip or null")

    @property
    def policy(self) -> "Policy":
        """Return what becomes of bad rows."""
        return cast("Policy", self.on_bad_row)

    @contextmanager
    def work(self, size: int | None, overwrites: bool) -> "Iterator[Work]":
        """Show how far the rows are done, and keep the bad ones where that was asked for.

        Parameters
        ----------
        size : int or None
            Of the input, in bytes; None: unknown.
        """
        from softmax_cli.prediction.run import Work
        from softmax_cli.terminal.progress import progress

        rejects: AbstractContextManager[KeepRejects] = nullcontext(lambda rejects: None)
        if self.rejects:
            from softmax_cli.prediction.bad_rows import rejects_file

            rejects = rejects_file(self.rejects, overwrites)
        with progress(size, not self.quiet, self.colors) as advance:
            yield Work(self.workers, advance, rejects)


ENGINE_PANEL = "Beyond one machine"


class EngineOptions(Options, panel=ENGINE_PANEL):
    """The engine."""

    engine: Annotated[
        str | None,
        typer.Option(
            help="ray, spark or dask: its workers do the units, on the cluster that RAY_ADDRESS, spark-submit or "
            "DASK_SCHEDULER_ADDRESS names, else on --threads workers here. local: processes of this machine, "
            "which is also where all is done if none is said.",
            autocompletion=one_of(registry="softmax_cli.distributed.engines:names"),
        ),
    ] = None

    def resolve(self, inputs: "Inputs", run: WorkOptions, announce: bool = True) -> "Workers":
        """Decide who reads the rows, and cut the input into units for an engine that is named.

        Parameters
        ----------
        announce : bool
            Say so where the engine takes longer to start than the work would take without it.

        Raises
        ------
        UsageError
            There is no such engine, it is not installed, or the input is a stream, which cannot be cut into units.
        """
        from softmax_cli.distributed import engines
        from softmax_cli.distributed.fleet import Workers
        from softmax_cli.distributed.plan import plan_units

        if self.engine is not None and inputs.has_stdin:
            raise UsageError(
                f"--engine {self.engine} cuts the input into units, and standard input cannot be cut: "
                "save it to a file, or leave --engine out"
            )
        engine = engines.by_name(self.engine or "local")
        units = () if self.engine is None else plan_units(inputs.files)
        if self.engine is not None and announce:
            run.say(*filter(None, [engines.start_note(self.engine, sum(unit.size for unit in units))]))
        return Workers(engine, units, run.workers, self.engine in (None, "local"))
