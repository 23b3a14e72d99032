"""The whole stream on one page: blocks -> workers (decode, transform, encode) -> ordered writer; and its targets."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from softmax_cli.errors import UsageError
from softmax_cli.formats import Format, Writer, holds_one_array, is_binary, name_of
from softmax_cli.prediction.score_kinds import KindCheck
from softmax_cli.prediction.transform import Outcome, Tally, Transform
from softmax_cli.storage.compression import Compression
from softmax_cli.storage.writing import standard_output, whole_file
from softmax_cli.stream.outputs import table_writer
from softmax_cli.stream.scores import ScoreTable
from softmax_cli.tables.batch import Batch
from softmax_cli.tables.schema import Schema
from softmax_cli.tables.table import Decoded, Table, WriteOptions
from softmax_cli.tables.threads import Listeners, map_blocks, number_rows

if TYPE_CHECKING:
    from softmax_cli.prediction.bad_rows import KeepRejects, Reject
    from softmax_cli.tables.labels import Truth


class Finished(NamedTuple):
    """What a run comes to."""

    tally: Tally
    kinds: KindCheck
    """Whether rows look like another kind of scores than they were read as."""
    written: int
    """Rows of output; where they are sorted, those beyond the limit too."""
    parts: int | None = None
    """How many files the result is in; None: it is no folder."""
    shown: Batch | None = None
    """The first rows of output, for a person; None: the target takes all of them."""
    beside: tuple[Any, ...] = ()
    """What was found beside each part; None for one that an earlier run has written."""
    all_classes: bool = False
    """Whether a person wants every class in the summary."""


def score_table(
    table: Table,
    transform: Transform,
    writer: Writer,
    threads: int,
    listeners: Listeners,
    limit: int | None = None,
    first_row: int = 0,
) -> Finished:
    """Score every row of a table and write the result in order.

    Parameters
    ----------
    limit : int or None
        Stop after so many rows of output; None: the whole table. Of rows that are sorted, all are looked at.
    first_row : int
        Number of the first row in the whole table, for what is drawn.

    Raises
    ------
    DataError
        A row or a file is bad; what was written before is the caller's to drop.
    """
    if transform.scoring.draws is not None:
        table = number_rows(table, transform.columns.scores, threads, first_row)

    def work(decoded: Decoded) -> "tuple[tuple[Outcome, Any], tuple[Reject, ...]]":
        outcome = transform.run(decoded)
        if outcome.keys is not None:
            return (outcome, None), outcome.rejects
        encoded = writer.encode(outcome.batch)
        if limit is None:  # nobody cuts the batch any more: do not hold it beside what was made of it
            outcome = outcome._replace(batch=outcome.batch._replace(columns=()))
        return (outcome, encoded), outcome.rejects

    tally = Tally(0, 0, transform.on_bad_row, np.zeros(len(transform.classes), np.int64), 0)
    kinds, written = KindCheck(), 0
    sorter = None
    if transform.order is not None:
        from softmax_cli.prediction.sorting import Sorter

        sorter = Sorter(limit)
    for outcome, encoded in map_blocks(table, transform.columns.scores, work, threads, listeners):
        tally = tally.plus(outcome.tally)
        kinds = kinds.plus(outcome.kinds)
        if sorter is not None and outcome.keys is not None:
            sorter.add(outcome.batch, outcome.keys)
            written += len(outcome.keys)
            continue
        rows = outcome.batch.num_rows
        if limit is not None and written + rows >= limit:
            rows = limit - written
            encoded = writer.encode(outcome.batch.slice(0, rows))
        writer.write(encoded)
        written += rows
        if written == limit:
            break
    for batch in () if sorter is None else sorter.batches():
        writer.write(writer.encode(batch))
    return Finished(tally, kinds, written)


class Work(NamedTuple):
    """How the rows are gone over."""

    threads: int
    progress: Callable[[int, int], None]
    """Gets the rows and the bytes of input that were done."""
    rejects: "AbstractContextManager[KeepRejects]"
    """Keeps bad rows; opened when the first of them may come."""


class Target(Protocol):
    """Where the result goes; what can be refused about it was refused before anything is read."""

    @property
    def in_parts(self) -> bool:
        """Whether the input is read in parts, side by side."""

    @property
    def overwrites(self) -> bool:
        """Whether files of earlier runs may be written over."""

    @property
    def form(self) -> Format | None:
        """The format of its files; None: there are none."""

    def describe(self, columns: str) -> list[str]:
        """Say where the columns of the result go and as what, in lines: ``writes   csv to probs.csv: ...``."""

    def write(self, scores: ScoreTable, transform: Transform, work: Work) -> Finished:
        """Score every row; the target is complete at the end, or as it was before.

        Raises
        ------
        DataError
            A row, a file or the disk is bad.
        """


class Screen(NamedTuple):
    """A table of the first rows for a person."""

    rows: int | None
    """How many rows; None: every one."""
    overwrites: bool = False
    all_classes: bool = False
    """Whether the summary names every class."""
    in_parts: bool = False
    form: None = None

    def describe(self, columns: str) -> list[str]:
        """See `Target`."""
        return [f"writes   table to standard output: {columns}"]

    def write(self, scores: ScoreTable, transform: Transform, work: Work) -> Finished:
        """See `Target`; what is to be drawn is returned."""
        from softmax_cli.prediction.screen import FirstRows

        transform = replace(transform, shown_truth=_shown_truth(scores, transform))
        first = FirstRows(transform.schema(scores.table.schema, recorded=False), self.rows)
        with work.rejects as keep:
            listeners, most = Listeners(work.progress, keep), self.rows if transform.order is not None else None
            finished = score_table(scores.table, transform, first, work.threads, listeners, most)
        return finished._replace(shown=first.batch(), all_classes=self.all_classes)


def _shown_truth(scores: ScoreTable, transform: Transform) -> "Truth | None":
    """Find the truths for the accuracy on the screen; a sampled class is no prediction, and has none."""
    from softmax_cli.tables.labels import ClassLookup, OwnTruth

    if transform.truth is not None or transform.scoring.draws is not None or scores.columns.label is None:
        return transform.truth
    return OwnTruth(scores.columns.label, ClassLookup.of(scores.columns))


class File(NamedTuple):
    """One file, or the standard output."""

    path: str | None
    """None: the standard output."""
    form: Format
    compression: Compression | None
    """Around it."""
    options: WriteOptions
    limit: int | None
    """Write so many rows at most; None: all."""
    overwrites: bool
    in_parts: bool = False

    def describe(self, columns: str) -> list[str]:
        """See `Target`."""
        return [f"writes   {name_of(self.form)} to {self.path or 'standard output'}: {columns}"]

    def write(self, scores: ScoreTable, transform: Transform, work: Work) -> Finished:
        """See `Target`."""
        schema = transform.schema(scores.table.schema, recorded=is_binary(self.form))
        with self._open(schema) as writer, work.rejects as keep:
            listeners = Listeners(work.progress, keep)
            finished = score_table(scores.table, transform, writer, work.threads, listeners, self.limit)
        return finished if self.limit is None else finished._replace(written=min(finished.written, self.limit))

    @contextmanager
    def _open(self, schema: Schema) -> Iterator[Writer]:
        opened = standard_output() if self.path is None else whole_file(self.path, self.overwrites)
        with opened as file, table_writer(file, self.form, self.compression, schema, self.options) as writer:
            yield writer


def layout_in(form: Format | None, asked: str) -> str:
    """Return the name of the layout that a file format, if there is one, needs where another one was asked for.

    Raises
    ------
    UsageError
        A format that holds one array cannot hold a row for each class.
    """
    if form is None or not holds_one_array(form):
        return asked
    if asked == "long":
        raise UsageError("--layout long does not fit an array file; choose .csv, .jsonl, .parquet or .arrow")
    return "list"
