"""A table of scores: which files are read and how, which column is what, and where the true classes come from."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from softmax_cli.errors import UsageError, listed
from softmax_cli.stream.inputs import STDIN, InputFile, open_table
from softmax_cli.tables.batch import Batch, empty_batch, texts
from softmax_cli.tables.columns import Columns, Selection, resolve
from softmax_cli.tables.schema import FLOAT64, Schema, is_string
from softmax_cli.tables.table import ReadOptions, Table, with_head

if TYPE_CHECKING:
    from softmax_cli.tables.filter import Condition
    from softmax_cli.tables.labels import Truth

FIRST_IDS = 1000
"""So many ids of a file are compared with those of the next one."""


class TruthSource(NamedTuple):
    """Where true classes are looked for."""

    file: str | None = None
    """``FILE`` or ``FILE:COLUMN``; None: in the table itself."""
    first_number: int | None = None
    """Number of the first class where the truths are numbers, 0 or 1; None: see `ClassLookup`."""


class Inputs(NamedTuple):
    """What is read, decided once; picklable."""

    files: tuple[InputFile, ...]
    """Read one after the other, as one table with the columns of the first."""
    options: ReadOptions = ReadOptions()
    selection: Selection = Selection()
    """Which columns the user named."""
    where: "Condition | None" = None
    """Which rows are taken; None: all."""
    truths: TruthSource | None = None
    """None: nobody asks for true classes."""

    @property
    def paths(self) -> list[str]:
        """Names of the files of the table."""
        return [file.path for file in self.files]

    @property
    def everything_read(self) -> list[str]:
        """Names of all files that are read, which no output may replace."""
        return [*self.paths, *([self.truths.file] if self.truths is not None and self.truths.file is not None else [])]

    @property
    def has_stdin(self) -> bool:
        """Whether the standard input is among them."""
        return STDIN in self.paths


class ScoreTable(NamedTuple):
    """An open table whose columns have their roles."""

    table: Table
    columns: Columns
    truth: "Truth | None" = None
    """Where the true classes come from; None: nowhere, or they were not asked for."""
    is_ordered: bool = False
    """Whether the truths belong to the rows by their order, so that the table has to be read from its front."""

    def describe(self) -> list[str]:
        """Say what is read and which column is what, in lines for a dry run."""
        return [f"reads    {self.table.name}", f"columns  {self.columns.summary()}", *self.columns.explain()]

    def check_order(self, is_distributed: bool) -> None:
        """Refuse truths that go by the order of the rows where an engine reads them in parts."""
        if self.is_ordered and is_distributed:
            raise UsageError("--labels without ids goes by the order of the rows, and an engine reads them in parts")

    def required_truth(self, is_distributed: bool) -> "Truth":
        """Return where the true classes come from, for a command that cannot do without.

        Raises
        ------
        UsageError
            There are none, it is open which column they are, or an engine cannot count the rows that they belong to.
        """
        columns = self.columns
        self.check_order(is_distributed)
        if self.truth is not None:
            return self.truth
        if columns.truths:
            ways = " or ".join(f"--label {name}" for name in columns.truths[:3])
            raise UsageError(f"{listed(columns.truths)} could all be the truth, and they differ; choose: {ways}")
        there = f"there are: {listed(columns.others)}" if columns.others else "there are scores only"
        raise UsageError(
            f"no column is named like a truth; {there}; name it with --label, or take it from a file with --labels"
        )


@contextmanager
def open_scores(inputs: Inputs) -> Iterator[ScoreTable]:
    """Open the files as one table, and decide from its first block what each column is.

    Raises
    ------
    UsageError
        A column that was named, or the file of labels, is not there.
    DataError
        A file cannot be read, or it is open which columns are the scores.
    """
    with open_table(inputs.files, inputs.options) as table:
        scores = _with_roles(table, inputs)
        if inputs.truths is not None:
            scores = _with_truth(scores, inputs.truths)
        if inputs.where is not None:
            from softmax_cli.tables.filter import rows_where

            scores = scores._replace(table=rows_where(scores.table, scores.columns, inputs.where))
        yield scores


def _with_roles(table: Table, inputs: Inputs) -> ScoreTable:
    # Read with no column as a score, a text format shows the types that the other columns will have.
    first, table = with_head(table, (), 1)
    head = first[0].batch if first else empty_batch(table.schema)
    columns = resolve(table.schema, inputs.selection, head)
    if len(inputs.files) > 1 and columns.id is not None and (warning := _same_ids(head, columns.id, inputs)):
        columns = columns._replace(warnings=(*columns.warnings, warning))
    scores = set(columns.scores)
    fields = [table.schema.field(name) if name in scores else head.schema.field(name) for name in head.schema.names]
    # Text under the name of a score is a number that is yet to be found wrong.
    fields = [f._replace(type=FLOAT64) if f.name in scores and is_string(f.type) else f for f in fields]
    return ScoreTable(table._replace(schema=Schema(fields, table.schema.metadata)), columns)


def _same_ids(head: Batch, name: str, inputs: Inputs) -> str | None:
    """Say so where the second of several files holds the rows of the first once more, as of another model."""
    first = _first_ids(head, name)
    one, two = inputs.paths[:2]
    if len(first) < 2 or not (os.path.isfile(one) and os.path.isfile(two)):
        return None
    with open_table(inputs.files[1:2], inputs.options) as other:
        again, _ = with_head(other, (), 1) if name in other.schema.names else ([], other)
    shared = len({*_first_ids(again[0].batch, name)} & {*first}) if again else 0
    if 2 * shared < len(first):
        return None
    return (
        f"{one} and {two} hold the same ids ({first[0]} ...): read as one table, each row is "
        "there twice; the scores of several models go together with softmax-cli ensemble"
    )


def _first_ids(batch: Batch, name: str) -> list[str]:
    return [cell for cell in texts(batch.slice(0, FIRST_IDS).column(name)) if cell is not None]


def _with_truth(scores: ScoreTable, source: TruthSource) -> ScoreTable:
    """Find where the true classes come from, if they are anywhere."""
    from softmax_cli.tables.labels import ClassLookup, OneHotTruth, OwnTruth

    columns = scores.columns
    lookup = ClassLookup.of(columns, source.first_number)
    if source.file is not None:
        from softmax_cli.stream.label_file import OrderedLabels, read_labels

        found = read_labels(source.file, columns, lookup)
        if not isinstance(found, OrderedLabels):
            return scores._replace(truth=found)
        table = found.beside(scores.table, columns.scores)
        columns = columns._replace(label=found.column, others=(*columns.others, found.column))
        return scores._replace(table=table, columns=columns, truth=OwnTruth(found.column, lookup), is_ordered=True)
    if columns.label is not None:
        return scores._replace(truth=OwnTruth(columns.label, lookup))
    return scores._replace(truth=OneHotTruth(columns.one_hot) if columns.one_hot else None)
