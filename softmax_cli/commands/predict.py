"""``softmax-cli predict``: scores in, probabilities out."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from softmax_cli.options.imbalance import estimated_prior
from softmax_cli.options.output import OutputOptions, PartsOptions, ResultOptions
from softmax_cli.options.run import RunOptions
from softmax_cli.options.scoring import ScoringOptions
from softmax_cli.options.source import SourceOptions

if TYPE_CHECKING:
    from softmax_cli.prediction.run import Finished, Target
    from softmax_cli.prediction.transform import Transform
    from softmax_cli.stream.scores import ScoreTable
    from softmax_cli.tables.batch import Batch


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
    output: OutputOptions,
    parts: PartsOptions,
    run: RunOptions,
) -> None:
    """Turn tables of logits into tables of probabilities, streaming.

    On a terminal the first rows and a summary are shown; in a pipe, or with -o FILE, every row is written as data.
    """
    from softmax_cli.prediction.transform import build_transform
    from softmax_cli.stream.scores import open_scores

    inputs = source.resolve()
    target = output.resolve(inputs, parts, run.workers)
    estimate = estimated_prior(inputs, scoring, run, parts.engine)
    with open_scores(inputs) as scores:
        columns = scores.columns
        chosen = scoring.build(columns, result.emitted(), result.top_k or 0, estimate)
        layout = result.build(columns.classes, target.layout(result.layout), chosen.calibration)
        transform = build_transform(columns, chosen.scoring, layout, scoring.dtype(scores), run.policy)
        if run.dry_run:
            print(_plan(scores, transform, target))
            return
        renamed = [
            f"{a!r} passes on as {b!r}: the result has a column {a!r} of its own" for a, b in transform.renamed.items()
        ]
        run.introduce(scores, *renamed, *chosen.notes, *result.notes(len(columns.classes)), *output.notes())
        with run.work(scores.table.size, target.overwrites) as work:
            finished = target.write(scores, transform, work)
    _report(finished, scores, transform, run)


def _report(finished: Finished, scores: ScoreTable, transform: Transform, run: RunOptions) -> None:
    columns, tally = transform.columns, finished.tally
    parts = "" if finished.parts is None else f" in {finished.parts:,} part{'s' if finished.parts > 1 else ''}"
    run.say(f"{columns.summary()}; {tally.rows:,} rows{parts}")
    if finished.shown is not None:
        _show(finished, finished.shown, transform, run)
    elif tally.bad_rows:
        became = {"skip": "left out", "null": "kept without values"}[run.on_bad_row]
        kept = f"see {run.rejects}" if run.rejects else "keep them with --rejects FILE"
        run.say(f"{tally.bad_rows:,} bad rows {became}; {kept}")
    run.conclude(scores, finished.kinds)


def _show(finished: Finished, rows: Batch, transform: Transform, run: RunOptions) -> None:
    from softmax_cli.prediction.screen import Shown, show_predictions
    from softmax_cli.terminal.console import make_console

    more = finished.written - rows.num_rows
    note = f"... {more:,} more rows: --all shows them, -o FILE keeps them" if more else None
    show_predictions(make_console(sys.stdout, run.colors), rows, Shown.of(transform), finished.tally, note)


def _plan(scores: ScoreTable, transform: Transform, target: Target) -> str:
    schema = transform.schema(scores.table.schema)
    names = schema.names if len(schema) <= 12 else [*schema.names[:8], "...", *schema.names[-2:]]
    return "\n".join(
        [
            *scores.describe(),
            f"passes   {', '.join(scores.columns.others) or 'nothing'}",
            *(f"step {number}   {step}" for number, step in enumerate(transform.steps(), 1)),
            *target.describe(", ".join(names)),
        ]
    )
