"""``softmax-cli calibrate``: fit a calibration to held-out rows with known classes."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from softmax_cli.errors import UsageError
from softmax_cli.options.engine import EngineOptions
from softmax_cli.options.fitting import FittingOptions
from softmax_cli.options.fleet import fleet_of
from softmax_cli.options.imbalance import ImbalanceOptions
from softmax_cli.options.remedies import RemedyOptions
from softmax_cli.options.source import Opened, SourceOptions
from softmax_cli.options.thresholds import ThresholdOptions

if TYPE_CHECKING:
    from softmax_cli.batches.calibration import Calibration
    from softmax_cli.batches.remedies import Remedy
    from softmax_cli.runs.calibrating import Job, Setting
    from softmax_cli.runs.calibrationreport import CalibrationReport
    from softmax_cli.runs.labelledrows import LabelledRows
    from softmax_cli.units.fleet import Fleet

DOUBLE_SOFTMAX = (
    "every row lies in [0, 1] and sums to 1, yet was read as logits; if they are probabilities, say --input prob"
)


def calibrate(
    source: SourceOptions,
    remedies: RemedyOptions,
    fitting: FittingOptions,
    thresholds: ThresholdOptions,
    imbalance: ImbalanceOptions,
    engine: EngineOptions,
) -> None:
    """Fit a calibration to held-out rows with known classes: probabilities that mean what they say.

    predict --calibration FILE applies it. The rows must be ones that the model was not trained on.

    Weights and priors come after a calibration and leave it as it is; thresholds are chosen with them.
    """
    _check(fitting, thresholds, imbalance)
    fitting.check(source.paths)
    fleet = fleet_of(engine, source, fitting.workers)
    with source.open() as opened:
        steps = remedies.build(opened.columns.classes)
        given = _given(fitting, opened, steps)
        setting, notes = _setting(opened, steps, imbalance)
        fitting.say(*opened.table.notes, *remedies.notes(opened.columns.classes), *notes)
        rows = _read(source, opened, fitting, steps, fleet)
        found, report = _find(rows, _job(fitting, thresholds, given), setting)
    if given is not None:
        found = replace(found, fit=given.fit)
    for warning in report.warnings:
        fitting.warn(warning)
    if fitting.output is not None:
        from softmax_cli.store import write_calibration

        write_calibration(found, fitting.output, fitting.force)
    _report(found, report, fitting)


def _check(fitting: FittingOptions, thresholds: ThresholdOptions, imbalance: ImbalanceOptions) -> None:
    if imbalance.estimate_prior:
        raise UsageError("--estimate-prior is about rows without truths: give it to predict, with --calibration")
    fits = fitting.calibration is None and fitting.method != "none"
    if not fits and not thresholds.wanted:
        raise UsageError("nothing is fitted, so there is nothing to do: add --coverage, --max-risk or --min-coverage")


def _given(fitting: FittingOptions, opened: Opened, steps: tuple[Remedy, ...]) -> Calibration | None:
    if fitting.calibration is None:
        return None
    from softmax_cli.store import read_calibration

    given = read_calibration(fitting.calibration)
    given.check_classes(opened.columns.classes)
    given.check_kind(opened.columns.kind)
    given.check_remedies(steps)
    return given


def _setting(opened: Opened, steps: tuple[Remedy, ...], imbalance: ImbalanceOptions) -> tuple[Setting, list[str]]:
    from softmax_cli.runs.calibrating import Setting

    if opened.columns.label is None:
        raise UsageError(
            "no column of true classes; name it with --label; there are: " + ", ".join(opened.table.schema.names)
        )
    terms, notes = imbalance.build(opened.columns.classes, "softmax")
    return Setting(opened.table.name, opened.columns.kind, opened.columns.classes, steps, terms), notes


def _job(fitting: FittingOptions, thresholds: ThresholdOptions, given: Calibration | None) -> Job:
    from softmax_cli.runs.calibrating import Job

    seed = fitting.seed
    return Job(fitting.plan(given), fitting.folds, seed, thresholds.sets(seed), thresholds.abstention())


def _read(
    source: SourceOptions, opened: Opened, fitting: FittingOptions, steps: tuple[Remedy, ...], fleet: Fleet | None
) -> LabelledRows:
    from softmax_cli.display.progress import progress
    from softmax_cli.runs.labelledrows import Collector, collect

    collector = Collector(opened.columns, steps, fitting.on_bad_row == "skip")
    with progress(opened.table.size, not fitting.quiet, fitting.colors) as advance:
        if fleet is None:
            rows = collect(opened.table, collector, fitting.workers, advance)
        else:
            from softmax_cli.units.collecting import collect_units

            rows = collect_units(fleet, source.reading(opened), collector, advance)
    fitting.say(f"{opened.columns.summary()}; {len(rows.z):,} rows")
    if rows.left_out:
        fitting.say(f"{rows.left_out:,} bad rows left out")
    if rows.reading.note is not None:
        fitting.say(rows.reading.note)
    if rows.doubtful:
        fitting.warn(DOUBLE_SOFTMAX)
    return rows


def _find(rows: LabelledRows, job: Job, setting: Setting) -> tuple[Calibration, CalibrationReport]:
    from softmax_cli.runs.calibrating import calibrate as find
    from softmax_cli.runs.calibrationreport import calibration_report

    found, fitted = find(rows, job, setting)
    return found, calibration_report(rows, found, fitted)


def _report(found: Calibration, report: CalibrationReport, fitting: FittingOptions) -> None:
    if fitting.json or fitting.prints_file:
        import json

        from softmax_cli.sinks import standard_output
        from softmax_cli.store import encode

        told = json.dumps(report.to_json(), indent=1, ensure_ascii=False, allow_nan=False).encode() + b"\n"
        with standard_output() as out:
            out.write(told if fitting.json else encode(found))
        return
    from softmax_cli.display.calibration import show_calibration
    from softmax_cli.display.console import make_console

    show_calibration(make_console(sys.stdout, fitting.colors), report)
    if fitting.output is not None:
        fitting.say(f"{fitting.output}: apply it with softmax-cli predict --calibration {fitting.output}")
