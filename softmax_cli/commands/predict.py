"""``softmax-cli predict``: scores in, probabilities out."""

from __future__ import annotations

import sys
from contextlib import ExitStack, nullcontext
from typing import TYPE_CHECKING

from softmax_cli.options.imbalance import estimated_prior
from softmax_cli.options.output import OutputOptions, PartsOptions, ResultOptions
from softmax_cli.options.run import RunOptions
from softmax_cli.options.scoring import ScoringOptions
from softmax_cli.options.source import Opened, SourceOptions

if TYPE_CHECKING:
    from softmax_cli.distributed.engines import Engine
    from softmax_cli.formats import Writer
    from softmax_cli.prediction.folder import Partition
    from softmax_cli.prediction.run import Finished
    from softmax_cli.prediction.transform import Transform


RANK = 2
FIRST = (
    "temperature",
    "class_weights",
    "calibration",
    "top_k",
    "output",
    "format",
    "logits",
    "id",
    "label",
    "input",
    "on_bad_row",
    "dry_run",
    "quiet",
)
EXAMPLES = (
    ("softmax-cli predict logits.csv -o probs.parquet", "CSV to Parquet"),
    ("softmax-cli predict logits.csv -T 1.5 --top-k 3 | head", "a softer distribution, the best three classes"),
    (
        "softmax-cli predict x.csv --source-prior counts.csv --target-prior uniform",
        "undo the imbalance of the training data",
    ),
)


def predict(
    source: SourceOptions,
    scoring: ScoringOptions,
    result: ResultOptions,
    sink: OutputOptions,
    parts: PartsOptions,
    run: RunOptions,
) -> None:
    """Turn tables of logits into tables of probabilities, streaming.

    On a terminal the first rows and a summary are shown; in a pipe, or with -o FILE, every row is written as data.
    """
    from softmax_cli.prediction.transform import build_transform

    sink = parts.settle(sink, source)
    estimate = estimated_prior(source, scoring, run, parts.engine)
    with source.open() as opened:
        classes = opened.columns.classes
        chosen = scoring.build(opened.columns, result.emitted(), result.top_k or 0, estimate)
        transform = build_transform(
            opened.columns,
            chosen.scoring,
            result.build(classes, sink.shape(result.layout), chosen.calibration),
            scoring.dtype(opened),
            run.policy,
        )
        partition = parts.partition(opened, transform, source, sink, run) if sink.is_folder else None
        if run.dry_run:
            print(_plan(opened, transform, sink, partition))
            return
        renamed = [
            f"{a!r} passes on as {b!r}: the result has a column {a!r} of its own" for a, b in transform.renamed.items()
        ]
        run.introduce(opened, *renamed, *chosen.notes, *result.notes(len(classes)), *sink.notes())
        if partition is not None:
            finished = _distribute(opened, partition, parts.load(), sink, run)
        else:
            finished = _show(opened, transform, sink, run) if sink.shows_table else _write(opened, transform, sink, run)
        run.report_kind(finished.kinds, opened.columns)


def _write(opened: Opened, transform: Transform, sink: OutputOptions, run: RunOptions) -> Finished:
    with sink.open(transform.schema(opened.table.schema)) as writer:
        finished = _run(opened, transform, writer, run, sink)
    run.say(f"{opened.columns.summary()}; {finished.tally.rows:,} rows", *_bad_rows(finished, run))
    return finished


def _distribute(opened: Opened, job: Partition, engine: Engine, sink: OutputOptions, run: RunOptions) -> Finished:
    from softmax_cli.prediction.bad_rows import rejects_file
    from softmax_cli.terminal.progress import progress

    force = sink.force or job.resume
    rejects = rejects_file(run.rejects, force) if run.rejects else nullcontext(lambda rejects: None)
    with progress(opened.table.size, not run.quiet, run.colors) as advance:
        finished = job.run(engine, advance, rejects)
    parts = f"{len(job.units):,} part{'s' if len(job.units) > 1 else ''}"
    run.say(f"{opened.columns.summary()}; {finished.tally.rows:,} rows in {parts}", *_bad_rows(finished, run))
    return finished


def _show(opened: Opened, transform: Transform, sink: OutputOptions, run: RunOptions) -> Finished:
    from softmax_cli.prediction.screen import FirstRows, Shown, show_predictions
    from softmax_cli.terminal.console import make_console

    rows = FirstRows(transform.schema(opened.table.schema), sink.rows_shown)
    finished = _run(opened, transform, rows, run, sink)
    run.say(f"{opened.columns.summary()}; {finished.tally.rows:,} rows")
    batch = rows.batch()
    more = finished.written - batch.num_rows
    note = f"... {more:,} more rows: --all shows them, -o FILE keeps them" if more else None
    show_predictions(make_console(sys.stdout, run.colors), batch, Shown.of(transform), finished.tally, note)
    return finished


def _run(opened: Opened, transform: Transform, writer: Writer, run: RunOptions, sink: OutputOptions) -> Finished:
    from softmax_cli.prediction.bad_rows import rejects_file
    from softmax_cli.prediction.run import score_table
    from softmax_cli.tables.pool import Listeners
    from softmax_cli.terminal.progress import progress

    with ExitStack() as stack:
        advance = stack.enter_context(progress(opened.table.size, not run.quiet, run.colors))
        keep = stack.enter_context(rejects_file(run.rejects, sink.force)) if run.rejects else lambda rejects: None
        limit = None if sink.shows_table else sink.limit
        return score_table(opened.table, transform, writer, run.workers, Listeners(advance, keep), limit)


def _bad_rows(finished: Finished, run: RunOptions) -> list[str]:
    if not finished.tally.bad_rows:
        return []
    became = {"skip": "left out", "null": "kept without values"}[run.on_bad_row]
    kept = f"; see {run.rejects}" if run.rejects else "; keep them with --rejects FILE"
    return [f"{finished.tally.bad_rows:,} bad rows {became}{kept}"]


def _plan(opened: Opened, transform: Transform, sink: OutputOptions, partition: Partition | None) -> str:
    schema = transform.schema(opened.table.schema)
    names = schema.names if len(schema) <= 12 else [*schema.names[:8], "...", *schema.names[-2:]]
    return "\n".join(
        [
            f"reads    {opened.table.name}",
            f"columns  {opened.columns.summary()}",
            *opened.columns.explain(),
            f"passes   {', '.join(opened.columns.others) or 'nothing'}",
            *(f"step {number}   {step}" for number, step in enumerate(transform.steps(), 1)),
            f"writes   {sink.describe()}: {', '.join(names)}",
            *([] if partition is None else [f"units    {partition.describe()}"]),
        ]
    )
