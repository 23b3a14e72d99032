"""``softmax-cli evaluate``: how good, and how honest, the probabilities of a labelled table are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from softmax_cli.errors import UsageError, counted
from softmax_cli.options.completion import column, one_of
from softmax_cli.options.decisions import CostOptions
from softmax_cli.options.imbalance import estimated_prior
from softmax_cli.options.metrics import MetricOptions
from softmax_cli.options.parser import Options
from softmax_cli.options.pictures import EvaluationPictureOptions, PasteOptions, typed_command, write_page
from softmax_cli.options.run import EngineOptions, RunOptions
from softmax_cli.options.scoring import Chosen, ScoringOptions
from softmax_cli.options.source import SourceOptions, TruthOptions
from softmax_cli.terminal.messages import print_plan

if TYPE_CHECKING:
    from softmax_cli.evaluation.gates import Gate
    from softmax_cli.evaluation.labelled import LabelledScorer
    from softmax_cli.evaluation.report import Report
    from softmax_cli.evaluation.run import Evaluation
    from softmax_cli.numeric.label_shift.em import PriorEstimate
    from softmax_cli.numeric.metrics import Plan
    from softmax_cli.prediction.bad_rows import Policy
    from softmax_cli.prediction.transform import Transform
    from softmax_cli.stream.scores import ScoreTable


RANK = 3
NAMED = 3
FIRST = (
    "temperature",
    "calibration",
    "label",
    "labels",
    "where",
    "by",
    "bins",
    "per_class",
    "confusion",
    "full",
    "fail_if",
    "json",
    "report",
    "plot",
    "quiet",
)
EXAMPLES = (
    ("softmax-cli evaluate logits.csv", "accuracy, log loss, Brier score, ECE, with intervals"),
    ("softmax-cli evaluate logits.csv --by country", "for every country too"),
    ("softmax-cli evaluate logits.csv --fail-if 'ece > 0.05'", "exit code 3 where it is"),
)


class ReportOptions(Options, panel="Report"):
    """Truth from elsewhere, slices, the form of the report, gates."""

    by: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN", help="Report the figures for every value of a column too.", autocompletion=column
        ),
    ] = None
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON, for a program.")] = False
    per_class: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Write precision, recall, F1, support, AUROC and ECE of every class (.csv .parquet .json ...).",
        ),
    ] = None
    confusion: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Write the confusion matrix: a line per true class, a column per predicted one; above 200 classes "
            "a line per pair that occurs (true, predicted, rows).",
        ),
    ] = None
    bins_out: Annotated[str | None, typer.Option(metavar="FILE", help="Write the bins of the reliability diagram.")] = (
        None
    )
    force: Annotated[bool, typer.Option("--force", help="Write over an existing file.")] = False
    full: Annotated[
        bool,
        typer.Option(
            "--full", help="Print all of it: every figure, diagrams, classes, confusion matrix, worst mistakes."
        ),
    ] = False
    fail_if: Annotated[
        list[str],
        typer.Option(
            metavar="'ECE > 0.05'",
            help="End with exit code 3 where this holds; may be given several times.",
            show_default=False,
            autocompletion=one_of(registry="softmax_cli.numeric.metrics:figure_names"),
        ),
    ] = []  # noqa: RUF012  # as typer wants it; nothing adds to it

    @property
    def tables(self) -> list[tuple[str, str]]:
        """List the tables that are to be written, each with the option that asks for it."""
        given = (("--per-class", self.per_class), ("--confusion", self.confusion), ("--bins-out", self.bins_out))
        return [(flag, path) for flag, path in given if path is not None]

    def check(self, inputs: list[str]) -> None:
        """Refuse, before anything is read, what cannot be written or does not go together."""
        from softmax_cli import formats
        from softmax_cli.storage.writing import check_target

        taken: dict[Path, str] = {}
        for flag, path in self.tables:
            form, _ = formats.by_suffix(path)
            if formats.name_of(form) in ("npy", "npz"):
                raise UsageError(f"{path}: an array file cannot hold names; choose .csv, .json or .parquet")
            check_target(path, inputs, self.force)
            if (other := taken.setdefault(Path(path).resolve(), flag)) != flag:
                raise UsageError(f"{other} and {flag} both name {path}: two tables need two files")

    def check_slices(self, scores: ScoreTable) -> None:
        """Refuse slices by a column that is not there."""
        from softmax_cli.errors import did_you_mean

        names = scores.table.schema.names
        if self.by is not None and self.by not in names:
            raise UsageError(f"--by {self.by!r}: no such column; {did_you_mean(self.by, names)}")

    def gates(self, plan: Plan) -> list[Gate]:
        """Return the gates."""
        from softmax_cli.evaluation.gates import parse_gate
        from softmax_cli.numeric.metrics import definitions

        names = [figure.name for figure in definitions(plan)]
        return [parse_gate(given, names) for given in self.fail_if]


def evaluate(
    source: SourceOptions,
    truths: TruthOptions,
    scoring: ScoringOptions,
    metrics: MetricOptions,
    costs: CostOptions,
    report: ReportOptions,
    pasting: PasteOptions,
    pictures: EvaluationPictureOptions,
    engine: EngineOptions,
    run: RunOptions,
) -> None:
    """Measure labelled scores: accuracy, log loss, Brier score, calibration error, and more, with intervals.

    One pass, in float64 unless --dtype says otherwise; threads and batches
    change no digit. Memory is flat but for 9 bytes a row, and about 70 while
    they are ranked at the end (AURC, bins of equal mass);
    --scheme mass with --kind classwise or --per-class keeps every probability.
    """
    from softmax_cli.errors import GateError

    pasting.check_format(report.json)
    result = measured(source, truths, scoring, metrics, costs, report, pictures, engine, run)
    if result is None:
        return
    _give(result, report, pasting.format, run)
    if result.failed_gates:
        raise GateError("; ".join(result.failed_gates))


def measured(
    source: SourceOptions,
    truths: TruthOptions,
    scoring: ScoringOptions,
    metrics: MetricOptions,
    costs: CostOptions,
    report: ReportOptions,
    pictures: EvaluationPictureOptions,
    engine: EngineOptions,
    run: RunOptions,
) -> Report | None:
    """Measure, write and draw what was asked for, and return the report; None: a dry run, whose plan is printed."""
    from softmax_cli.evaluation.labelled import LabelledScorer
    from softmax_cli.evaluation.report import build_report
    from softmax_cli.evaluation.run import measure
    from softmax_cli.stream.scores import open_scores
    from softmax_cli.tables.threads import Listeners

    inputs = source.resolve(truths, scoring.softmax.columns, small_blocks=True)
    report.check(inputs.everything_read)
    pictures.check(inputs.everything_read, report.force, [path for _, path in report.tables])
    workers = engine.resolve(inputs, run)
    estimate = estimated_prior(inputs, scoring, run, engine)
    with open_scores(inputs) as scores:
        chosen = _choose(scores, scoring, estimate)
        truth = scores.required_truth(bool(workers.units))
        scorer = LabelledScorer(_transform(scores, scoring, chosen, run), truth, report.by)
        report.check_slices(scores)
        sets = scorer.transform.scoring.sets is not None
        priced = costs.read(scores.columns.classes)
        plan = metrics.plan(len(scores.columns.classes), chosen.calibration, sets)
        of_classes = report.per_class is not None
        plan = replace(plan, costs=None if priced is None else priced.matrix, of_classes=of_classes)
        gates = report.gates(plan)
        if run.dry_run:
            print_plan(_plan(scores, scorer, inputs.truths.file if inputs.truths is not None else None))
            return None
        run.introduce(scores, *chosen.notes)
        run.warn_of_seen(chosen.calibration, scoring.calibration.calibration, inputs, scores)
        with run.work(scores.table.size, report.force) as work, work.rejects as keep:
            found = measure(workers.fleet(inputs, scores), scorer, plan, Listeners(work.progress, keep))
    found.reading.check(len(scores.columns.classes))
    result = build_report(scores.table.name, scorer, plan, found.measured, found.bootstrap, found.read, gates)
    _print_notes(result, found, scores, run)
    _write_tables(result, report)
    _draw(result, pictures, report.force)  # before printing: a closed pipe (| head) ends the run there
    return result


def _choose(scores: ScoreTable, scoring: ScoringOptions, estimate: PriorEstimate | None) -> Chosen:
    if scoring.softmax.activation == "sigmoid":
        raise UsageError("--activation sigmoid gives every class alone a probability; evaluate needs a distribution")
    return scoring.build(scores.columns, ("logprob",), 0, estimate)


def _transform(scores: ScoreTable, scoring: ScoringOptions, chosen: Chosen, run: RunOptions) -> Transform:
    from softmax_cli.prediction.layout import Layout
    from softmax_cli.prediction.transform import build_transform

    dtype = scoring.calibration.dtype(scoring.softmax.dtype or "float64")
    policy: Policy = "error" if run.policy == "error" else "skip"
    return build_transform(scores.columns, chosen.scoring, Layout("list"), dtype, policy)


def _print_notes(report: Report, found: Evaluation, scores: ScoreTable, run: RunOptions) -> None:
    if found.reading.note is not None:
        run.say(found.reading.note)
    if report.bad_rows:
        kept = f"see {run.rejects}" if run.rejects else "keep them with --rejects FILE"
        run.say(f"{report.bad_rows:,} bad rows left out; {kept}")
    run.conclude(scores, found.kinds)
    never = [
        one for one in report.per_class if not one.support and one.predicted * len(report.per_class) >= report.rows > 0
    ]
    for one in never[:NAMED]:
        run.warn(
            f"{one.name!r} is predicted for {one.predicted:,} of {report.rows:,} rows and is never the truth: is it a "
            "class? If not, name the class columns with --logits"
        )


def _write_tables(result: Report, report: ReportOptions) -> None:
    from softmax_cli.evaluation.report import confusion_table
    from softmax_cli.stream.outputs import write_table

    tables: dict[str, Callable[[], list[dict[str, object]]]] = {
        "--per-class": lambda: [one.plain() for one in result.per_class],
        "--confusion": lambda: confusion_table(result),
        "--bins-out": lambda: [asdict(one) for one in result.bins],
    }
    for flag, path in report.tables:
        write_table(tables[flag](), path, report.force)


def _give(result: Report, report: ReportOptions, markup: str | None, run: RunOptions) -> None:
    """Print the report."""
    if report.json:
        from softmax_cli.stream.outputs import print_json

        run.say(f"{result.columns}; {counted(result.rows, 'row')}")
        print_json(result.to_json())
    elif markup is not None:
        from softmax_cli.evaluation.pictures import evaluation_tables
        from softmax_cli.page.report import print_tables

        print_tables(evaluation_tables(result), markup)
    else:
        from softmax_cli.evaluation.screen import print_evaluation

        print_evaluation(result, run.colors, report.full)


def _draw(report: Report, pictures: EvaluationPictureOptions, force: bool) -> None:
    if pictures.plot is not None:
        from softmax_cli.evaluation.pictures import write_evaluation_plots

        write_evaluation_plots(report, pictures.names(), pictures.plot, force)
    if pictures.report is not None:
        from softmax_cli.evaluation.pictures import evaluation_page

        write_page(evaluation_page(report, typed_command()), pictures.report, force)


def _plan(scores: ScoreTable, scorer: LabelledScorer, labels: str | None) -> list[str]:
    lines = scores.describe()
    if labels is not None:
        own = [line for line in lines if not line.startswith("truth")]
        lines = [*own, f"truth    {labels}, by {scorer.truth.column}"]
    return [*lines, *(f"step {number}   {step}" for number, step in enumerate(scorer.transform.steps(), 1))]


PYTHON = measured
