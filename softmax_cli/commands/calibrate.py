"""``softmax-cli calibrate``: fit a calibration to held-out rows with known classes."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from softmax_cli.errors import UsageError, check_choice, counted
from softmax_cli.options.completion import one_of
from softmax_cli.options.coverage_and_risk import ThresholdOptions
from softmax_cli.options.imbalance import ImbalanceOptions
from softmax_cli.options.pictures import PasteOptions, PictureOptions, typed_command, write_page
from softmax_cli.options.run import TALK_PANEL, EngineOptions, WorkOptions
from softmax_cli.options.scoring import RemedyOptions
from softmax_cli.options.source import SourceOptions, TruthOptions

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from softmax_cli.calibration.calibration import Calibration
    from softmax_cli.calibration.fit import Job, Plan
    from softmax_cli.calibration.labelled_rows import Collector, LabelledRows
    from softmax_cli.calibration.report import CalibrationReport
    from softmax_cli.distributed.fleet import Fleet
    from softmax_cli.prediction.scorer import LogitStep
    from softmax_cli.stream.scores import ScoreTable
    from softmax_cli.tables.columns import Columns
    from softmax_cli.tables.table import Table


RANK = 4
FIRST = ("method", "output", "label", "where", "coverage", "folds", "objective", "json", "quiet")
EXAMPLES = (
    ("softmax-cli calibrate val.csv -o calibration.json", "fit a temperature on held-out rows"),
    ("softmax-cli calibrate val.csv --method auto -o calibration.json", "the method with the best held-out log loss"),
    ("softmax-cli predict test.csv --calibration calibration.json", "score with it"),
)


OBJECTIVES = ("nll", "ece-grid")


class FittingOptions(WorkOptions, panel="Fit"):
    """Method, folds, target."""

    method: Annotated[
        str,
        typer.Option(
            help="temperature (z/T), bcts (z/T + b), vector (w*z + b), svs (the same, held nearer to T), matrix "
            "(W z + b), sms (the same, structured), dirichlet (W log p + b), quadratic, ensemble-temperature; platt, "
            "beta, isotonic, centred-isotonic, spline, histogram, scaling-binning, venn-abers (a curve a class); "
            "auto (the least cross-validated log loss of all; the comparison is printed), or none (only choose "
            "thresholds). A prior holds parameters of single classes near z/T where rows are few.",
            autocompletion=one_of("auto", "none", registry="softmax_cli.numeric.calibrators:names"),
        ),
    ] = "temperature"
    objective: Annotated[
        str,
        typer.Option(
            help="nll, or ece-grid: the T of 0.1, 0.2 .. 10 with the least ECE on these rows, as the focal-loss papers "
            "chose it (to reproduce their figures; ECE is no proper score).",
            autocompletion=one_of(*OBJECTIVES),
        ),
    ] = "nll"
    keep_fit: Annotated[
        bool,
        typer.Option(
            "--keep-fit",
            help="Keep the fit even where it does not improve log loss on held-out rows (by default T then stays 1).",
        ),
    ] = False
    calibration: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Fit nothing: take this calibration and choose thresholds for it on rows that it has not seen, so "
            "that coverage is exact.",
        ),
    ] = None
    folds: Annotated[int, typer.Option(min=2, help="Stratified folds for held-out figures.")] = 5
    seed: Annotated[int, typer.Option(min=0, help="Of the folds and of --randomized.")] = 0
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write the calibration, JSON; by default a pipe gets it on standard output.",
        ),
    ] = None
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON, for a program.")] = False
    force: Annotated[bool, typer.Option("--force", help="Write over an existing file.")] = False
    on_bad_row: Annotated[
        str,
        typer.Option(
            help="A row that cannot be scored: error (stop) or skip (leave it out).",
            rich_help_panel=TALK_PANEL,
            autocompletion=one_of("error", "skip"),
        ),
    ] = "error"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("--objective", self.objective, OBJECTIVES)
        if self.objective != "nll" and self.method != "temperature":
            raise UsageError(f"--objective {self.objective} chooses a temperature; drop --method {self.method}")
        if self.calibration is not None and (self.method, self.objective) != ("temperature", "nll"):
            raise UsageError("--calibration holds what was fitted: drop --method and --objective")
        if self.on_bad_row not in ("error", "skip"):
            raise UsageError(f"--on-bad-row {self.on_bad_row}: choose error or skip; no fit follows from a bad row")

    def check(self, inputs: list[str]) -> None:
        """Refuse, before anything is read, a method that is not there or a target that cannot be written."""
        from softmax_cli.numeric.calibrators import names
        from softmax_cli.storage.writing import check_target

        check_choice("--method", self.method, (*names(), "auto", "none"))
        if self.output is not None:
            check_target(self.output, inputs, self.force)

    def plan(self, given: Calibration | None) -> Plan:
        """Return how the calibration is to be found; `given` is what --calibration holds."""
        from softmax_cli.calibration import fit

        if given is not None:
            return partial(fit.unfitted, calibrator=given.calibrator)
        if self.objective == "ece-grid":
            return fit.ece_grid
        special: dict[str, Plan] = {"auto": fit.best_method, "none": fit.unfitted}
        return special.get(self.method) or partial(fit.one_method, method=self.method, keep=self.keep_fit)

    @property
    def prints_file(self) -> bool:
        """Whether the standard output gets the calibration itself: a pipe, and nothing else was given."""
        return self.output is None and not self.json and not sys.stdout.isatty()

    @property
    def is_lost(self) -> bool:
        """Whether the calibration ends with the program: neither a file nor a pipe gets it."""
        return self.output is None and not self.prints_file


def calibrate(
    source: SourceOptions,
    truths: TruthOptions,
    remedies: RemedyOptions,
    fitting: FittingOptions,
    thresholds: ThresholdOptions,
    imbalance: ImbalanceOptions,
    pasting: PasteOptions,
    pictures: PictureOptions,
    engine: EngineOptions,
) -> None:
    """Fit a calibration to held-out rows with known classes: probabilities that mean what they say.

    predict --calibration FILE applies it. The rows must be ones that the model was not trained on.

    Weights and priors come after a calibration and leave it as it is; thresholds are chosen with them.
    """
    pasting.check_format(fitting.json)
    found, report = fitted(source, truths, remedies, fitting, thresholds, imbalance, pictures, engine)
    _report(found, report, fitting, pasting.format)


def fitted(
    source: SourceOptions,
    truths: TruthOptions,
    remedies: RemedyOptions,
    fitting: FittingOptions,
    thresholds: ThresholdOptions,
    imbalance: ImbalanceOptions,
    pictures: PictureOptions,
    engine: EngineOptions,
) -> tuple[Calibration, CalibrationReport]:
    """Fit, write and draw what was asked for, and return what was found."""
    from softmax_cli.calibration.fit import Setting
    from softmax_cli.calibration.fit import calibrate as find_calibration
    from softmax_cli.calibration.labelled_rows import Collector
    from softmax_cli.calibration.report import calibration_report
    from softmax_cli.stream.scores import open_scores
    from softmax_cli.terminal.progress import rounds

    _check(fitting, thresholds, imbalance)
    inputs = source.resolve(truths, small_blocks=True)
    fitting.check(inputs.everything_read)
    pictures.check(inputs.everything_read, fitting.force, [fitting.output])
    workers = engine.resolve(inputs, fitting)
    with open_scores(inputs) as scores:
        columns = scores.columns
        steps = remedies.build(columns.classes)
        given = _given(fitting, columns, steps)
        truth = scores.required_truth(bool(workers.units))
        terms, notes = imbalance.build(columns.classes, "softmax")
        fitting.introduce(scores, *remedies.notes(columns.classes), *notes)
        collector = Collector(columns, truth, steps, fitting.on_bad_row == "skip")
        if fitting.is_lost:
            fitting.say("the calibration is not saved: add -o calibration.json to keep it")
        fitting.warn_of_seen(given, fitting.calibration, inputs, scores)
        rows = _read(scores, fitting, collector, workers.fleet(inputs, scores))
    job = _job(fitting, thresholds, given)
    setting = Setting(scores.table.name, columns.kind, columns.classes, steps, terms)
    with rounds(fitting.folds, not fitting.quiet, fitting.colors) as watch:
        found, fit = find_calibration(rows, job, setting, watch)
    report = calibration_report(rows, found, fit)
    if given is not None:
        found = replace(found, fit=given.fit)
    for warning in report.warnings:
        fitting.warn(warning)
    if fitting.output is not None:
        from softmax_cli.calibration.file import write_calibration

        write_calibration(found, fitting.output, fitting.force)
    if pictures.files:  # before printing: a closed pipe (| head) ends the run there
        from softmax_cli.calibration.fit import held_out

        _draw(report, rows, held_out(rows, fit, job, ()), pictures, fitting.force)
    return found, report


def _draw(
    report: CalibrationReport, rows: LabelledRows, after: NDArray[np.float64], pictures: PictureOptions, force: bool
) -> None:
    if pictures.plot is not None:
        from softmax_cli.calibration.pictures import write_calibration_plots

        write_calibration_plots(report, rows, after, pictures.plot, force)
    if pictures.report is not None:
        from softmax_cli.calibration.pictures import calibration_page

        page = calibration_page(report, rows, after, typed_command())
        write_page(page, pictures.report, force)


def _check(fitting: FittingOptions, thresholds: ThresholdOptions, imbalance: ImbalanceOptions) -> None:
    if imbalance.estimate_prior:
        raise UsageError("--estimate-prior is about rows without truths: give it to predict, with --calibration")
    if (fitting.calibration is not None or fitting.method == "none") and not thresholds.wanted:
        raise UsageError("nothing is fitted, so there is nothing to do: add --coverage, --max-risk or --min-coverage")


def _given(fitting: FittingOptions, columns: Columns, steps: tuple[LogitStep, ...]) -> Calibration | None:
    if fitting.calibration is None:
        return None
    from softmax_cli.calibration.file import read_calibration

    given = read_calibration(fitting.calibration)
    given.check_classes(columns.classes)
    given.check_kind(columns.kind)
    given.check_remedies(steps)
    return given


def _job(fitting: FittingOptions, thresholds: ThresholdOptions, given: Calibration | None) -> Job:
    from softmax_cli.calibration.fit import Job

    sets, abstention = thresholds.sets(fitting.seed), thresholds.abstention()
    return Job(fitting.plan(given), fitting.folds, fitting.seed, sets, abstention)


def _read(scores: ScoreTable, fitting: FittingOptions, collector: Collector, fleet: Fleet[Table]) -> LabelledRows:
    from softmax_cli.calibration.labelled_rows import collect
    from softmax_cli.tables.threads import Listeners
    from softmax_cli.terminal.progress import progress

    with progress(scores.table.size, not fitting.quiet, fitting.colors) as advance:
        rows = collect(fleet, collector, Listeners(advance))
    if fitting.json or fitting.prints_file:  # a screen says how many rows there are by itself
        fitting.say(f"{scores.columns.summary()}; {counted(len(rows.z), 'row')}")
        if rows.left_out:
            fitting.say(f"{counted(rows.left_out, 'bad row')} left out")
    else:
        fitting.say(scores.columns.summary())
    if rows.reading.note is not None:
        fitting.say(rows.reading.note)
    fitting.conclude(scores, rows.kinds)
    return rows


def _report(found: Calibration, report: CalibrationReport, fitting: FittingOptions, markup: str | None) -> None:
    if markup is not None:
        from softmax_cli.calibration.pictures import calibration_tables
        from softmax_cli.page.report import print_tables

        print_tables(calibration_tables(report), markup)
        return
    if fitting.json or fitting.prints_file:
        from softmax_cli.calibration.file import encode
        from softmax_cli.storage.writing import standard_output
        from softmax_cli.stream.outputs import json_bytes

        with standard_output() as out:
            out.write(json_bytes(report.to_json()) if fitting.json else encode(found))
        return
    from softmax_cli.calibration.screen import show_calibration
    from softmax_cli.terminal.console import make_console

    show_calibration(make_console(sys.stdout, fitting.colors), report)
    if fitting.output is not None:
        fitting.say(f"{fitting.output}: apply it with softmax-cli predict --calibration {fitting.output}")


PYTHON = fitted
