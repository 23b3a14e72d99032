"""What commands share that read several tables of the same rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from softmax_cli.errors import UsageError
from softmax_cli.options.run import RunOptions
from softmax_cli.options.source import SourceOptions, TruthOptions

if TYPE_CHECKING:
    from softmax_cli.prediction.members import Members


def check_count(paths: Sequence[str], command: str) -> None:
    """Refuse fewer than two tables."""
    if len(paths) < 2:
        raise UsageError(f"{command} takes two tables at least: softmax-cli {command} a.csv b.csv")


@contextmanager
def open_tables(source: SourceOptions, truths: TruthOptions, run: RunOptions, wants_truth: bool) -> Iterator[Members]:
    """Open every table that was named; --labels belongs to the first."""
    from softmax_cli.prediction.members import open_members
    from softmax_cli.prediction.scorer import Scoring
    from softmax_cli.stream.scores import TruthSource, open_scores

    inputs = [replace(source, paths=[path]).resolve(truths) for path in source.paths]
    if source.label is not None or source.id is not None:
        selection = replace(inputs[0].selection, may_lack=True)
        inputs[1:] = [one._replace(selection=selection) for one in inputs[1:]]
    inputs[1:] = [one._replace(truths=TruthSource(None, truths.labels_from)) for one in inputs[1:]]
    openings = [open_scores(one) for one in inputs]
    with open_members(openings, Scoring(emit=("logprob",)), run.policy != "error", wants_truth) as members:
        for table in members.tables:
            run.introduce(table)
        run.say(*members.notes)
        yield members
