"""``softmax-cli predict``: scores in, probabilities out."""

from __future__ import annotations

import os
from functools import reduce

from softmax_cli.commands._scored import build, plan, print_report, write
from softmax_cli.options.decisions import DecisionOptions
from softmax_cli.options.imbalance import estimated_prior
from softmax_cli.options.long_tables import LongOptions
from softmax_cli.options.output import OutputOptions, PartsOptions, ResultOptions
from softmax_cli.options.run import RunOptions
from softmax_cli.options.scoring import ScoringOptions
from softmax_cli.options.source import SourceOptions, TruthOptions
from softmax_cli.terminal.messages import print_plan

RANK = 2
FIRST = (
    "temperature",
    "class_weights",
    "calibration",
    "top_k",
    "add",
    "sort",
    "where",
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
    truths: TruthOptions,
    scoring: ScoringOptions,
    result: ResultOptions,
    decisions: DecisionOptions,
    long: LongOptions,
    output: OutputOptions,
    parts: PartsOptions,
    run: RunOptions,
) -> None:
    """Turn tables of logits into tables of probabilities, streaming.

    On a terminal the first rows and a summary are shown; in a pipe, or with -o FILE, every row is written as data.

    Rows that belong together (--group, --long, --pool-by) go into one file:
    a folder of parts, which --engine makes, could part them.
    """
    from softmax_cli.prediction.score_kinds import KindCheck
    from softmax_cli.stream.scores import open_scores

    decisions.check(result.layout, result.threshold, scoring.softmax.activation)
    long.check(scoring, result, decisions)
    asks = decisions.needs_truth
    truths.check_use(asks, "--add true_prob, --only wrong or --sort loss")
    source = long.source(source)
    named = scoring.softmax.columns | long.columns
    inputs = source.resolve(truths if asks else None, named, belong_together=long.is_used)
    target = output.resolve_whole(inputs.paths, parts) if long.is_used else output.resolve(inputs, parts, run)
    estimate = estimated_prior(inputs, scoring, run, parts.engine)
    with open_scores(inputs) as scores:
        scores = long.together(scores, source, run.workers)
        chosen = scoring.build(scores.columns, result.emitted(), result.top_k or 0, estimate)
        columns, kinds = scores.columns, list[KindCheck]()
        scores, numeric = long.pooled(scores, chosen.scoring, run.workers, kinds.append)
        dtype = scoring.dtype(scores)
        transform = build(scores, numeric, long.of_classes(result), decisions, target, dtype, run, chosen.calibration)
        transform = long.transform(transform)
        if run.dry_run:
            print_plan(plan(scores, transform, target))
            return
        notes = (*chosen.notes, *long.notes(result, len(transform.classes)), *output.notes())
        finished = write(scores, transform, target, run, notes)
        if (warning := reduce(KindCheck.plus, kinds, KindCheck()).warning(columns)) is not None:
            run.warn(warning)
        if output.json:
            print_report("predict", finished, scores, transform)


def takes(word: str) -> bool:
    """Whether a line that begins with this word, and no command, may be meant for this one: a table."""
    return word == "-" or os.path.exists(word)


PYTHON = predict
