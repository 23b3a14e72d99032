"""How a calibration is fitted, and where it goes."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from softmax_cli.errors import UsageError
from softmax_cli.options.talk import PANEL, WorkOptions

if TYPE_CHECKING:
    from softmax_cli.batches.calibration import Calibration
    from softmax_cli.runs.fitted import Plan

FIT = "Fit"
OBJECTIVES = ("nll", "ece-grid")


@dataclass(frozen=True)
class FittingOptions(WorkOptions):
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

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.objective not in OBJECTIVES:
            raise UsageError(f"--objective {self.objective}: choose one of {', '.join(OBJECTIVES)}")
        if self.objective != "nll" and self.method != "temperature":
            raise UsageError(f"--objective {self.objective} chooses a temperature; drop --method {self.method}")
        if self.calibration is not None and (self.method, self.objective) != ("temperature", "nll"):
            raise UsageError("--calibration holds what was fitted: drop --method and --objective")
        if self.on_bad_row not in ("error", "skip"):
            raise UsageError(f"--on-bad-row {self.on_bad_row}: choose error or skip; no fit follows from a bad row")

    def check(self, inputs: list[str]) -> None:
        """Refuse, before anything is read, a method that is not there or a target that cannot be written."""
        from softmax_cli.numeric.calibration import names
        from softmax_cli.sinks import check_target

        if self.method not in (*names(), "auto", "none"):
            raise UsageError(f"--method {self.method}: choose one of {', '.join(names())}, auto, none")
        if self.output is not None:
            check_target(self.output, inputs, self.force)

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
    def prints_file(self) -> bool:
        """Whether the standard output gets the calibration itself: a pipe, and nothing else was said."""
        return self.output is None and not self.json and not sys.stdout.isatty()
