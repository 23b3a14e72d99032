"""What is read, and which of its columns are what."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from softmax_cli.errors import UsageError

if TYPE_CHECKING:
    from softmax_cli.distributed.plan import UnitReader
    from softmax_cli.tables.batch import Batch
    from softmax_cli.tables.columns import Columns, Selection
    from softmax_cli.tables.labels import Truth
    from softmax_cli.tables.table import ReadOptions, Table


FILES = "Input"
COLUMNS = "Columns"
FIRST_IDS = 1000


@dataclass(frozen=True)
class SourceOptions:
    """Files, their layout, and the roles of their columns."""

    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="[FILE]...",
            help="Tables of scores: files, globs, folders, or - for standard input (the default in a pipe). "
            "Several are read as one table.",
            show_default=False,
        ),
    ] = field(default_factory=list)
    input_format: Annotated[
        str | None,
        typer.Option(
            help="csv, tsv, jsonl, parquet, arrow, npy ... where name and first bytes do not tell.",
            rich_help_panel=FILES,
        ),
    ] = None
    delimiter: Annotated[
        str | None,
        typer.Option(help="What parts the cells of a line; found from the first lines.", rich_help_panel=FILES),
    ] = None
    no_header: Annotated[
        bool,
        typer.Option(
            "--no-header", help="The first line is data; columns are named 0, 1, 2 ...", rich_help_panel=FILES
        ),
    ] = False
    decimal: Annotated[str, typer.Option(help="The decimal mark of text numbers: . or ,", rich_help_panel=FILES)] = "."
    batch_rows: Annotated[
        int | None, typer.Option(min=1, help="Rows read at a time from binary files.", rich_help_panel=FILES)
    ] = None
    where: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN=VALUE", help="Take only the rows with this value: split=val.", rich_help_panel=FILES
        ),
    ] = None
    logits: Annotated[
        str | None,
        typer.Option(
            help="The class columns: a pattern 'logit_*', a list a,b,c, a range a:b, or one list column or array.",
            rich_help_panel=COLUMNS,
        ),
    ] = None
    id: Annotated[str | None, typer.Option(help="The column that names a row.", rich_help_panel=COLUMNS)] = None
    label: Annotated[str | None, typer.Option(help="The column with the true class.", rich_help_panel=COLUMNS)] = None
    input: Annotated[
        str | None,
        typer.Option(
            help="What the scores are: logits, prob, percent or logprob. Never guessed from the values; column names "
            "such as logit_*, prob_*, logprob_* tell it.",
            rich_help_panel=COLUMNS,
        ),
    ] = None
    classes: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|a,b,c",
            help="Class names: a,b,c, or a file: one a line, a JSON list, an id2label map, or a table with a column "
            "class.",
            rich_help_panel=COLUMNS,
        ),
    ] = None
    positive: Annotated[
        str | None,
        typer.Option(help="Name of the class that a single score column stands for.", rich_help_panel=COLUMNS),
    ] = None

    @contextmanager
    def open(self, truths: TruthOptions | None = None) -> Iterator[Opened]:
        """Open the input, look at its first block, and decide the roles of its columns; find its truths if wanted."""
        import os
        import sys

        from softmax_cli.stream.inputs import open_table
        from softmax_cli.terminal.messages import print_message

        if sys.stdin.isatty() and not self.paths:
            command = sys.argv[1] if len(sys.argv) > 1 else "predict"
            raise UsageError(
                f"nothing to read: name a file, softmax-cli {command} FILE, or pipe one in; "
                f"softmax-cli {command} --help shows how"
            )
        if sys.stdin.isatty() and self.paths == ["-"]:
            print_message("waiting for a table on standard input; Ctrl-D ends it")
        with open_table(self.paths, self._read_options(), self.input_format) as table:
            is_one = len(self.paths) < 2 and not any(map(os.path.isdir, self.paths))
            opened = settle(table, self._selection(), keeps_ids=not is_one)
            if truths is not None:
                opened = truths.find(opened)
            opened = self._compared(opened)
            if self.where is None:
                yield opened
                return
            from softmax_cli.tables.filter import Condition, Seen, rows_where

            condition, seen = Condition.read(self.where), Seen()
            yield opened._replace(table=rows_where(opened.table, opened.columns, condition, seen))
        if (problem := seen.problem(condition)) is not None:
            print_message(f"warning: {problem}")

    def _compared(self, opened: Opened) -> Opened:
        """Warn where the second of several files holds the rows of the first once more, as of another model."""
        import os

        from softmax_cli.stream.inputs import open_table

        paths = self.files() if len(opened.first_ids) > 1 else []
        if len(paths) < 2 or not all(os.path.isfile(path) for path in paths[:2]):
            return opened
        name = opened.columns.id or ""
        with open_table(paths[1:2], self._read_options(), self.input_format) as other:
            block = next(other.blocks, None) if name in other.schema.names else None
            again = set() if block is None else {*ids_of(other.decode(block, ()).batch, name)}
        shared = len(again & set(opened.first_ids))
        if 2 * shared < len(opened.first_ids):
            return opened
        warning = (
            f"{paths[0]} and {paths[1]} hold the same ids ({opened.first_ids[0]} ...): read as one table, each row is "
            "there twice; to put the scores of several models together, see softmax-cli --help"
        )
        return opened._replace(columns=opened.columns._replace(warnings=(*opened.columns.warnings, warning)))

    def files(self) -> list[str]:
        """List the inputs one by one, in their order."""
        from softmax_cli.stream.inputs import expand_paths

        return expand_paths(self.paths, self.input_format)

    def reading(self, opened: Opened) -> UnitReader:
        """Return how a worker elsewhere reads a part of this input."""
        import os

        from softmax_cli.distributed.plan import UnitReader
        from softmax_cli.tables.filter import Condition

        return UnitReader(
            folder=os.getcwd(),
            options=self._read_options(),
            input_format=self.input_format,
            first=opened.table.name,
            schema=opened.table.schema,
            columns=opened.columns,
            where=None if self.where is None else Condition.read(self.where),
        )

    def _read_options(self) -> ReadOptions:
        from softmax_cli.tables.table import ReadOptions

        if self.decimal not in (".", ","):
            raise UsageError(f"--decimal {self.decimal!r}: write . or ,")
        if self.delimiter is not None and len(delimiter := _unescape(self.delimiter)) != 1:
            raise UsageError(f"--delimiter {delimiter!r}: expected one character, such as ';' or '\\t'")
        return ReadOptions(
            delimiter=None if self.delimiter is None else _unescape(self.delimiter),
            header=False if self.no_header else None,
            decimal=self.decimal,
            array=self.logits,
            batch_rows=self.batch_rows,
        )

    def _selection(self) -> Selection:
        from softmax_cli.tables.columns import Selection

        names = None
        if self.classes is not None:
            from softmax_cli.weighting.values import read_class_names

            names = read_class_names(self.classes)
        return Selection(self.logits, self.id, self.label, self.input, names, self.positive)


@dataclass(frozen=True)
class TruthOptions:
    """True classes: from a file of their own, and what their numbers mean."""

    labels: Annotated[
        str | None,
        typer.Option(
            metavar="FILE[:COLUMN]",
            help="Take the truth from another file, joined by id, or by the order of the rows where there are no ids: "
            "a table, an .npy, or an .npz as FILE:ARRAY.",
            rich_help_panel=COLUMNS,
        ),
    ] = None
    labels_from: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=1,
            help="What number the first class has where the truths are numbers: 0 or 1. By default, numbers are looked "
            "for in the class names, and then count from 0.",
            rich_help_panel=COLUMNS,
        ),
    ] = None

    @property
    def files(self) -> list[str]:
        """Return the files that are read besides the input, which no output may replace."""
        return [] if self.labels is None else [self.labels]

    def check(self, label: str | None) -> None:
        """Refuse, before anything is read, two places for the truth."""
        if self.labels is not None and label is not None:
            raise UsageError(
                "--label names a column of the table, --labels takes another table: FILE:COLUMN names its column"
            )

    def find(self, opened: Opened) -> Opened:
        """Find where the true classes come from, if they are anywhere.

        Raises
        ------
        UsageError
            The file of labels is not there, or has not the column.
        """
        from softmax_cli.tables.labels import ClassLookup, OneHotTruth, OwnTruth

        columns = opened.columns
        lookup = ClassLookup.of(columns, self.labels_from)
        if self.labels is not None:
            from softmax_cli.stream.label_file import OrderedLabels, read_labels

            found = read_labels(self.labels, columns, lookup)
            if not isinstance(found, OrderedLabels):
                return opened._replace(truth=found)
            table = found.beside(opened.table, columns.scores)
            columns = columns._replace(label=found.column, others=(*columns.others, found.column))
            return opened._replace(table=table, columns=columns, truth=OwnTruth(found.column, lookup), is_ordered=True)
        if columns.label is not None:
            return opened._replace(truth=OwnTruth(columns.label, lookup))
        return opened._replace(truth=OneHotTruth(columns.one_hot) if columns.one_hot else None)


def required_truth(opened: Opened, is_distributed: bool) -> Truth:
    """Return where the true classes come from, for a command that cannot do without.

    Raises
    ------
    UsageError
        There are none, it is open which column they are, or an engine cannot count the rows that they belong to.
    """
    from softmax_cli.errors import listed

    columns = opened.columns
    opened.check_order(is_distributed)
    if opened.truth is not None:
        return opened.truth
    if columns.truths:
        ways = " or ".join(f"--label {name}" for name in columns.truths[:3])
        raise UsageError(f"{listed(columns.truths)} could all be the truth, and they differ; choose: {ways}")
    there = f"there are: {listed(columns.others)}" if columns.others else "there are scores only"
    raise UsageError(
        f"no column is named like a truth; {there}; name it with --label, or take it from a file with --labels"
    )


class Opened(NamedTuple):
    """An input whose columns have their roles."""

    table: Table
    columns: Columns
    truth: Truth | None = None
    """Where the true classes come from; None: nowhere, or they were not asked for."""
    first_ids: tuple[str, ...] = ()
    """Ids of the first rows, where several files are read."""
    is_ordered: bool = False
    """Whether the truths belong to the rows by their order, so that the table has to be read from its front."""

    def check_order(self, is_distributed: bool) -> None:
        """Refuse truths that go by the order of the rows where an engine reads them in parts."""
        if self.is_ordered and is_distributed:
            raise UsageError("--labels without ids goes by the order of the rows, and an engine reads them in parts")


def settle(table: Table, typed: Selection, keeps_ids: bool = False) -> Opened:
    """Decide the roles of the columns from the first block, which stays in the table to be scored."""
    import itertools

    from softmax_cli.tables.batch import empty_batch
    from softmax_cli.tables.columns import resolve
    from softmax_cli.tables.schema import FLOAT64, Schema, is_string

    first = next(table.blocks, None)
    # Read with no column as a score, a text format shows the types that the other columns will have.
    head = empty_batch(table.schema) if first is None else table.decode(first, ()).batch
    columns = resolve(table.schema, typed, head)
    scores = set(columns.scores)
    fields = [table.schema.field(name) if name in scores else head.schema.field(name) for name in head.schema.names]
    # Text under the name of a score is a number that is yet to be found wrong.
    fields = [f._replace(type=FLOAT64) if f.name in scores and is_string(f.type) else f for f in fields]
    schema = Schema(fields, table.schema.metadata)
    blocks = table.blocks if first is None else itertools.chain([first], table.blocks)
    ids = tuple(ids_of(head, columns.id)) if keeps_ids and columns.id is not None else ()
    return Opened(table._replace(schema=schema, blocks=blocks), columns, first_ids=ids)


def ids_of(batch: Batch, name: str) -> list[str]:
    """The ids of the first rows of a batch, as text."""
    from softmax_cli.tables.batch import texts

    return [cell for cell in texts(batch.slice(0, FIRST_IDS).column(name)) if cell is not None]


def _unescape(delimiter: str) -> str:
    return "\t" if delimiter in ("\\t", "tab") else delimiter
