"""What commands share that score the rows of a table and write the result: the plan, the run, what is said after it."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from softmax_cli.options.run import RunOptions

if TYPE_CHECKING:
    from softmax_cli.prediction.run import Finished, Target
    from softmax_cli.prediction.transform import Transform
    from softmax_cli.stream.scores import ScoreTable
    from softmax_cli.tables.batch import Batch


def write(scores: ScoreTable, transform: Transform, target: Target, run: RunOptions, notes: Iterable[str]) -> None:
    """Score every row, and say how it was read and what came of it."""
    renamed = [
        f"{a!r} passes on as {b!r}: the result has a column {a!r} of its own" for a, b in transform.renamed.items()
    ]
    run.introduce(scores, *renamed, *notes)
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
        became = {"skip": "left out", "null": "kept without values"}[transform.on_bad_row]
        kept = f"see {run.rejects}" if run.rejects else "keep them with --rejects FILE"
        run.say(f"{tally.bad_rows:,} bad rows {became}; {kept}")
    run.conclude(scores, finished.kinds)


def _show(finished: Finished, rows: Batch, transform: Transform, run: RunOptions) -> None:
    from softmax_cli.prediction.screen import Shown, show_predictions
    from softmax_cli.terminal.console import make_console

    more = finished.written - rows.num_rows
    note = f"... {more:,} more rows: --all shows them, -o FILE keeps them" if more else None
    show_predictions(make_console(sys.stdout, run.colors), rows, Shown.of(transform), finished.tally, note)


def plan(scores: ScoreTable, transform: Transform, target: Target) -> str:
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
