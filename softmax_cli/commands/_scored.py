"""What commands share that score the rows of a table and write the result: the plan, the run, what is said after it."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from softmax_cli.errors import UsageError, counted
from softmax_cli.options.decisions import DecisionOptions
from softmax_cli.options.output import ResultOptions
from softmax_cli.options.run import RunOptions

if TYPE_CHECKING:
    from softmax_cli.calibration.calibration import Calibration
    from softmax_cli.prediction.bad_rows import Policy
    from softmax_cli.prediction.run import Finished, Target
    from softmax_cli.prediction.scorer import Scoring
    from softmax_cli.prediction.transform import Transform
    from softmax_cli.stream.scores import ScoreTable
    from softmax_cli.tables.batch import Batch


def build(
    scores: ScoreTable,
    scoring: Scoring,
    result: ResultOptions,
    decisions: DecisionOptions,
    target: Target,
    dtype: str,
    run: RunOptions,
    calibration: Calibration | None = None,
) -> Transform:
    """Put together what is done to every row, from how it is scored and what is asked for of the result."""
    from softmax_cli.prediction.run import layout_in
    from softmax_cli.prediction.transform import build_transform

    numeric = decisions.scoring(scoring, scores.columns.classes)
    classes = numeric.classes(scores.columns.classes)
    layout = decisions.layout(result.build(classes, layout_in(target.form, result.layout), calibration), numeric)
    if decisions.only == "bad" and run.policy == "skip":
        raise UsageError("--only bad keeps the bad rows, --on-bad-row skip leaves them out: drop one")
    policy: Policy = "null" if decisions.only == "bad" else run.policy
    transform = build_transform(scores.columns, numeric, layout, dtype, policy)
    truth = None if decisions.needs_truth is None else scores.required_truth(target.in_parts)
    return replace(transform, truth=truth, only=decisions.only, order=decisions.order())


def write(scores: ScoreTable, transform: Transform, target: Target, run: RunOptions, notes: Iterable[str]) -> Finished:
    """Score every row, and say how it was read and what came of it."""
    renamed = [
        f"{a!r} passes on as {b!r}: the result has a column {a!r} of its own" for a, b in transform.renamed.items()
    ]
    run.introduce(scores, *renamed, *notes)
    with run.work(scores.table.size, target.overwrites) as work:
        finished = target.write(scores, transform, work)
    _report(finished, scores, transform, run)
    return finished


def print_report(command: str, finished: Finished, scores: ScoreTable, transform: Transform) -> None:
    """Print what came of a run, for a program."""
    from softmax_cli.prediction.transform import RECORD_FORMAT
    from softmax_cli.stream.outputs import print_json
    from softmax_cli.version import __version__

    tally = finished.tally
    print_json(
        {
            "format": RECORD_FORMAT,
            "softmax_cli": __version__,
            "command": command,
            "source": scores.table.name,
            "columns": transform.summary,
            "operations": transform.steps(),
            "rows": tally.rows,
            "bad_rows": tally.bad_rows,
            "rows_written": finished.written,
            "parts": finished.parts,
            "most_probable": dict(zip(transform.classes, tally.counts.tolist(), strict=True)),
            "mean_confidence": tally.mean_confidence,
        }
    )


def _report(finished: Finished, scores: ScoreTable, transform: Transform, run: RunOptions) -> None:
    tally = finished.tally
    parts = "" if finished.parts is None else f" in {finished.parts:,} part{'s' if finished.parts > 1 else ''}"
    if finished.shown is not None:
        run.say(f"{scores.table.name}, {transform.summary}")
        _show(finished, finished.shown, transform, run)
        run.conclude(scores, finished.kinds)
        return
    abstained = f", {tally.abstained:,} abstained" if tally.abstained else ""
    run.say(f"{transform.summary}; {counted(tally.rows, 'row')}{parts}{abstained}")
    if tally.bad_rows:
        became = {"skip": "left out", "null": "kept without values"}[transform.on_bad_row]
        kept = f"see {run.rejects}" if run.rejects else "keep them with --rejects FILE"
        run.say(f"{counted(tally.bad_rows, 'bad row')} {became}; {kept}")
    run.conclude(scores, finished.kinds)


def _show(finished: Finished, rows: Batch, transform: Transform, run: RunOptions) -> None:
    from softmax_cli.prediction.screen import Shown, show_predictions
    from softmax_cli.terminal.console import make_console

    more = finished.written - rows.num_rows
    shows = "" if finished.all_classes else "--all shows them, "
    note = f"... {more:,} more rows: {shows}-o FILE keeps them" if more else None
    show_predictions(
        make_console(sys.stdout, run.colors), rows, Shown.of(transform, finished.all_classes), finished.tally, note
    )


def plan(scores: ScoreTable, transform: Transform, target: Target) -> list[str]:
    """Say what would be done, in lines, for a dry run."""
    schema = transform.schema(scores.table.schema)
    names = schema.names if len(schema) <= 12 else [*schema.names[:8], "...", *schema.names[-2:]]
    return [
        *scores.describe(),
        f"passes   {', '.join(scores.columns.others) or 'nothing'}",
        *(f"step {number}   {step}" for number, step in enumerate(transform.steps(), 1)),
        *target.describe(", ".join(names)),
    ]
