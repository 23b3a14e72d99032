"""What commands share that read several tables of the same rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from softmax_cli.errors import UsageError
from softmax_cli.options.run import RunOptions
from softmax_cli.options.source import SourceOptions, TruthOptions

if TYPE_CHECKING:
    from softmax_cli.prediction.members.joining import Check, Members
    from softmax_cli.stream.scores import Inputs, ScoreTable


def check_count(paths: Sequence[str], command: str) -> None:
    """Refuse fewer than two tables, and the standard input as two of them."""
    if len(paths) < 2:
        raise UsageError(f"{command} takes two tables at least: softmax-cli {command} a.csv b.csv")
    if paths.count("-") > 1:
        raise UsageError("- (standard input) can be read once only; it was given twice")


def inputs_of(source: SourceOptions, truths: TruthOptions) -> list[Inputs]:
    """Decide what is read of every table that was named; --labels belongs to the first."""
    from softmax_cli.stream.scores import TruthSource

    kinds = [source.input] * len(source.paths)
    if source.input is not None and "," in source.input:
        kinds = [kind.strip() for kind in source.input.split(",")]
        if len(kinds) != len(source.paths):
            raise UsageError(
                f"--input {source.input}: expected one kind, or one for each of {len(source.paths)} tables"
            )
    inputs = [
        source.replaced(paths=[path], input=kind).resolve(truths)
        for path, kind in zip(source.paths, kinds, strict=True)
    ]
    if source.label is not None or source.id is not None:
        selection = inputs[0].selection._replace(may_lack=True)
        inputs[1:] = [one._replace(selection=selection) for one in inputs[1:]]
    inputs[1:] = [one._replace(truths=TruthSource(None, truths.labels_from)) for one in inputs[1:]]
    return inputs


def together(inputs: Sequence[Inputs]) -> Inputs:
    """Return the files of all tables, as one: none of them may be written over, or be a stream that an engine reads."""
    return inputs[0]._replace(files=tuple(file for one in inputs for file in one.files))


@contextmanager
def open_tables(source: SourceOptions, inputs: Sequence[Inputs], run: RunOptions) -> Iterator[Members]:
    """Open every table, with its truths; one of several files is called by what was typed."""
    from softmax_cli.prediction.members.joining import open_members
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


def conclude(run: RunOptions, members: Members, checks: Sequence[Check]) -> None:
    """Warn of what speaks against a table having been read as it was meant."""
    for table in members.tables:
        run.conclude(table)
    for warning in members.warnings(checks):
        run.warn(warning)
