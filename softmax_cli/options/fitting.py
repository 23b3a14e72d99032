"""How a calibration is fitted, and where it goes."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from softmax_cli.display.talk import tell
from softmax_cli.errors import UsageError
from softmax_cli.options.run import COLORS, PANEL

if TYPE_CHECKING:
    from softmax_cli.batches.calibration import Calibration
    from softmax_cli.display.console import Color
    from softmax_cli.runs.fitted import Plan

FIT = "Fit"
OBJECTIVES = ("nll", "ece-grid")


@dataclass(frozen=True)
class FittingOptions:
    """Method, folds, target."""

    method: Annotated[
        str,
        typer.Option(
            help="temperature (z/T), bcts (z/T + b), vector (w*z + b), matrix (W z + b), dirichlet (W log p + b), "
            "platt, beta, isotonic or histogram (a curve for each class), auto (the least cross-validated log loss of "
            "all; the comparison is printed), or none (only choose thresholds).",
            rich_help_panel=FIT,
        ),
    ] = "temperature"
    objective: Annotated[
        str,
        typer.Option(
            help="nll, or ece-grid: the T of 0.1, 0.2 .. 10 with the least ECE on these rows, as the focal-loss papers "
            "chose it (to reproduce their figures; ECE is no proper score).",
            rich_help_panel=FIT,
        ),
    ] = "nll"
    keep_fit: Annotated[
        bool,
        typer.Option(
            "--keep-fit",
            help="Keep the fit even where it does not improve log loss on held-out rows (unsaid, T then stays 1).",
            rich_help_panel=FIT,
        ),
    ] = False
    calibration: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Fit nothing: take this calibration and choose thresholds for it on rows that it has not seen, so "
            "that coverage is exact.",
            rich_help_panel=FIT,
        ),
    ] = None
    folds: Annotated[int, typer.Option(min=2, help="Stratified folds for held-out figures.", rich_help_panel=FIT)] = 5
    seed: Annotated[int, typer.Option(min=0, help="Of the folds and of --randomized.", rich_help_panel=FIT)] = 0
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write the calibration, JSON; unsaid, a pipe gets it on standard output.",
            rich_help_panel=FIT,
        ),
    ] = None
    json: Annotated[
        bool, typer.Option("--json", help="Print the report as JSON, for a program.", rich_help_panel=FIT)
    ] = False
    force: Annotated[bool, typer.Option("--force", help="Write over an existing file.", rich_help_panel=FIT)] = False
    on_bad_row: Annotated[
        str,
        typer.Option(help="A row that cannot be scored: error (stop) or skip (leave it out).", rich_help_panel=PANEL),
    ] = "error"
    threads: Annotated[
        int | None, typer.Option(min=1, help="Threads that read; unsaid: all cores.", rich_help_panel=PANEL)
    ] = None
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No notes on standard error.", rich_help_panel=PANEL)] = (
        False
    )
    color: Annotated[str, typer.Option(help="auto, always or never.", rich_help_panel=PANEL)] = "auto"

    def __post_init__(self) -> None:
        if self.objective not in OBJECTIVES:
            raise UsageError(f"--objective {self.objective}: choose one of {', '.join(OBJECTIVES)}")
        if self.objective != "nll" and self.method != "temperature":
            raise UsageError(f"--objective {self.objective} chooses a temperature; drop --method {self.method}")
        if self.calibration is not None and (self.method, self.objective) != ("temperature", "nll"):
            raise UsageError("--calibration holds what was fitted: drop --method and --objective")
        if self.on_bad_row not in ("error", "skip"):
            raise UsageError(f"--on-bad-row {self.on_bad_row}: choose error or skip; no fit follows from a bad row")
        if self.color not in COLORS:
            raise UsageError(f"--color {self.color}: choose one of {', '.join(COLORS)}")

    def check(self, inputs: list[str]) -> None:
        """Refuse, before anything is read, a method that is not there or a target that cannot be written."""
        from softmax_cli.numeric.calibration import names
        from softmax_cli.sinks import check_target

        if self.method not in (*names(), "auto", "none"):
            raise UsageError(f"--method {self.method}: choose one of {', '.join(names())}, auto, none")
        if self.output is not None:
            check_target(Path(self.output), inputs, self.force)

    def plan(self, given: Calibration | None) -> Plan:
        """Return how the calibration is to be found; `given` is what --calibration holds."""
        from softmax_cli.runs import fittingplans

        if given is not None:
            return fittingplans.Given(given.calibrator)
        if self.objective == "ece-grid":
            return fittingplans.EceGrid()
        special: dict[str, Plan] = {"auto": fittingplans.BestMethod(), "none": fittingplans.Given()}
        return special.get(self.method) or fittingplans.OneMethod(self.method, self.keep_fit)

    @property
    def workers(self) -> int:
        """Return the number of threads that read."""
        from softmax_cli.pipeline import available_threads

        return self.threads or available_threads()

    @property
    def prints_file(self) -> bool:
        """Whether the standard output gets the calibration itself: a pipe, and nothing else was said."""
        return self.output is None and not self.json and not sys.stdout.isatty()

    @property
    def shade(self) -> Color:
        """Return whether the report is coloured."""
        return self.color  # type: ignore[return-value]

    def say(self, *notes: str) -> None:
        """Tell something on standard error, unless quiet."""
        if not self.quiet:
            for note in notes:
                tell(note)

    def warn(self, warning: str) -> None:
        """Tell, also when quiet, that the result is probably not what was meant."""
        tell(f"warning: {warning}")
