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
    from softmax_cli.stream.scores import Inputs, ScoreTable


def check_count(paths: Sequence[str], command: str) -> None:
    """Refuse fewer than two tables."""
    if len(paths) < 2:
        raise UsageError(f"{command} takes two tables at least: softmax-cli {command} a.csv b.csv")


def inputs_of(source: SourceOptions, truths: TruthOptions) -> list[Inputs]:
    """Decide what is read of every table that was named; --labels belongs to the first."""
    from softmax_cli.stream.scores import TruthSource

    inputs = [replace(source, paths=[path]).resolve(truths) for path in source.paths]
    if source.label is not None or source.id is not None:
        selection = replace(inputs[0].selection, may_lack=True)
        inputs[1:] = [one._replace(selection=selection) for one in inputs[1:]]
    inputs[1:] = [one._replace(truths=TruthSource(None, truths.labels_from)) for one in inputs[1:]]
    return inputs


@contextmanager
def open_tables(source: SourceOptions, inputs: Sequence[Inputs], run: RunOptions) -> Iterator[Members]:
    """Open every table, with its truths; one of several files is called by what was typed."""
    from softmax_cli.prediction.members import open_members
    from softmax_cli.prediction.scorer import Scoring

    openings = [_opened(one, name) for one, name in zip(inputs, source.paths, strict=True)]
    with open_members(openings, Scoring(emit=("logprob",)), run.policy != "error", wants_truth=True) as members:
        for table in members.tables:
            run.introduce(table)
        run.say(*members.notes)
        yield members


@contextmanager
def _opened(inputs: Inputs, name: str) -> Iterator[ScoreTable]:
    from softmax_cli.stream.scores import open_scores

    with open_scores(inputs) as scores:
        yield scores if len(inputs.files) == 1 else scores._replace(table=scores.table._replace(name=name))
