"""``softmax-cli evaluate``: how good, and how honest, the probabilities of a labelled table are."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from softmax_cli.options.engine import EngineOptions
from softmax_cli.options.estimation import estimated_prior
from softmax_cli.options.fleet import fleet_of
from softmax_cli.options.metrics import MetricOptions
from softmax_cli.options.report import ReportOptions
from softmax_cli.options.run import RunOptions
from softmax_cli.options.scoring import Chosen, ScoringOptions
from softmax_cli.options.source import Opened, SourceOptions

if TYPE_CHECKING:
    from softmax_cli.batches.badrows import Policy
    from softmax_cli.batches.judge import Judge
    from softmax_cli.batches.report import Report
    from softmax_cli.numeric.em import PriorEstimate
    from softmax_cli.runs.evaluating import Evaluation
    from softmax_cli.runs.scoring import Listeners


def evaluate(
    source: SourceOptions,
    scoring: ScoringOptions,
    metrics: MetricOptions,
    report: ReportOptions,
    engine: EngineOptions,
    run: RunOptions,
) -> None:
    """Measure labelled scores: accuracy, log loss, Brier score, calibration error, and more, with intervals.

    One pass, in float64 unless --dtype says otherwise; threads and batches
    change no digit. Memory is flat but for 9 bytes a row, and about 70 while
    they are ranked at the end (AURC, bins of equal mass);
    --kind classwise --scheme mass keeps every probability.
    """
    from softmax_cli.batches.gates import GateError
    from softmax_cli.batches.settle import settle_report
    from softmax_cli.runs.evaluating import evaluate_table

    report.check(source.paths, source.label)
    fleet = fleet_of(engine, source, run.workers)
    estimate = estimated_prior(source, scoring, run, lambda: fleet)
    with source.open() as opened:
        judge, chosen = _judge(opened, scoring, report, run, estimate)
        plan = metrics.plan(len(opened.columns.classes), chosen.calibration)
        gates = report.gates(plan, judge.transform.scoring.sets is not None)
        if run.dry_run:
            print(_plan(opened, judge))
            return
        run.say(*opened.table.notes, *chosen.notes)
        with _listening(opened, run, report.force) as listeners:
            if fleet is None:
                found = evaluate_table(opened.table, judge, plan, run.workers, listeners)
            else:
                from softmax_cli.units.evaluating import evaluate_units

                found = evaluate_units(fleet, source.reading(opened), judge, plan, listeners)
        told = settle_report(opened.table.name, judge, plan, found.measured, found.draws, found.read, gates)
    _tell(told, found, run)
    _give(told, report, run)
    if told.failed_gates:
        raise GateError("; ".join(told.failed_gates))


def _judge(
    opened: Opened, scoring: ScoringOptions, report: ReportOptions, run: RunOptions, estimate: PriorEstimate | None
) -> tuple[Judge, Chosen]:
    from softmax_cli.batches.judge import Judge
    from softmax_cli.batches.layout import Layout
    from softmax_cli.batches.transform import build_transform
    from softmax_cli.errors import UsageError

    if scoring.softmax.activation == "sigmoid":
        raise UsageError("--activation sigmoid gives every class alone a probability; evaluate needs a distribution")
    chosen = scoring.build(opened.columns, ("logprob",), 0, estimate)
    dtype = scoring.calibration.dtype(scoring.softmax.dtype or "float64")
    policy: Policy = "error" if run.policy == "error" else "skip"
    transform = build_transform(opened.columns, chosen.scoring, Layout("list"), dtype, policy)
    return Judge(transform, report.truth(opened), report.by), chosen


@contextmanager
def _listening(opened: Opened, run: RunOptions, force: bool) -> Iterator[Listeners]:
    """Show how far the pass has come, and keep rejected rows where that was asked for."""
    from softmax_cli.display.progress import progress
    from softmax_cli.rejects import rejects_file
    from softmax_cli.runs.scoring import Listeners

    with ExitStack() as stack:
        advance = stack.enter_context(progress(opened.table.size, not run.quiet, run.colors))
        keep = stack.enter_context(rejects_file(run.rejects, force)) if run.rejects else lambda rejects: None
        yield Listeners(advance, keep)


def _tell(told: Report, found: Evaluation, run: RunOptions) -> None:
    from softmax_cli.commands.predict import DOUBLE_SOFTMAX

    if found.reading.note is not None:
        run.say(found.reading.note)
    if told.bad_rows:
        kept = f"see {run.rejects}" if run.rejects else "keep them with --rejects FILE"
        run.say(f"{told.bad_rows:,} bad rows left out; {kept}")
    if found.doubtful:
        run.warn(DOUBLE_SOFTMAX)


def _give(told: Report, report: ReportOptions, run: RunOptions) -> None:
    """Write the tables that were asked for, then print the report."""
    from softmax_cli.batches.report import Bin, ClassFigures
    from softmax_cli.reportfiles import write_table

    if report.per_class is not None:
        write_table(ClassFigures, told.per_class, report.per_class, report.force)
    if report.bins_out is not None:
        write_table(Bin, told.bins, report.bins_out, report.force)
    if report.json:
        run.say(f"{told.columns}; {told.rows:,} rows")
    _print(_as_json(told) if report.json else _as_text(told, run))


def _print(text: bytes) -> None:
    from softmax_cli.sinks import standard_output

    with standard_output() as out:
        out.write(text)


def _as_json(told: Report) -> bytes:
    import json

    return json.dumps(told.to_json(), indent=1, allow_nan=False, ensure_ascii=False).encode() + b"\n"


def _as_text(told: Report, run: RunOptions) -> bytes:
    """Draw the report whole, so that a reader who closes the pipe early is no error."""
    from softmax_cli.display.console import make_console
    from softmax_cli.display.evaluation import show_evaluation

    console = make_console(sys.stdout, run.colors)
    with console.capture() as drawn:
        show_evaluation(console, told)
    return drawn.get().encode(console.encoding, "backslashreplace")


def _plan(opened: Opened, judge: Judge) -> str:
    return "\n".join(
        [
            f"reads    {opened.table.name}",
            f"columns  {opened.columns.summary()}",
            f"truth    {judge.truth.column}",
            *(f"step {number}   {step}" for number, step in enumerate(judge.transform.steps(), 1)),
        ]
    )
