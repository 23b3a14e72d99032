"""What is read, and which of its columns are what."""

import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated

import typer

from softmax_cli.errors import UsageError
from softmax_cli.options.completion import column, columns, condition, one_of
from softmax_cli.options.parser import Options
from softmax_cli.terminal.messages import print_message

if TYPE_CHECKING:
    from softmax_cli.stream.scores import Inputs, TruthSource
    from softmax_cli.tables.columns import Selection
    from softmax_cli.tables.filter import Condition
    from softmax_cli.tables.table import ReadOptions


COLUMNS = "Columns"
NO_COLUMNS: Mapping[str, str | None] = MappingProxyType({})


class SourceOptions(Options, panel="Input"):
    """Files, their layout, and the roles of their columns."""

    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE",
            help="Tables of scores: files, globs, folders, or - for standard input (the default in a pipe). "
            "Several are read as one table.",
            show_default=False,
        ),
    ] = []  # noqa: RUF012  # as typer wants it; nothing adds to it
    input_format: Annotated[
        str | None,
        typer.Option(
            metavar="FORMAT",
            help="csv, tsv, jsonl, parquet, arrow, npy ... where name and first bytes do not say.",
            autocompletion=one_of(registry="softmax_cli.formats:readable"),
        ),
    ] = None
    delimiter: Annotated[
        str | None, typer.Option(metavar="CHAR", help="What parts the cells of a line; found from the first lines.")
    ] = None
    no_header: Annotated[
        bool, typer.Option("--no-header", help="The first line is data; columns are named 0, 1, 2 ...")
    ] = False
    decimal: Annotated[str, typer.Option(metavar="CHAR", help="The decimal mark of text numbers: . or ,")] = "."
    batch_rows: Annotated[int | None, typer.Option(min=1, help="Rows read at a time from binary files.")] = None
    where: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN=VALUE",
            help="Take only the rows that meet this: split=val, 'split != test', 'year >= 2020', 'split in val,test'.",
            autocompletion=condition,
        ),
    ] = None
    logits: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMNS",
            help="The class columns: a pattern 'logit_*', a list a,b,c, a range a:b, or one list column or array.",
            rich_help_panel=COLUMNS,
            autocompletion=columns,
        ),
    ] = None
    id: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN", help="The column that names a row.", rich_help_panel=COLUMNS, autocompletion=column
        ),
    ] = None
    label: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN", help="The column with the true class.", rich_help_panel=COLUMNS, autocompletion=column
        ),
    ] = None
    input: Annotated[
        str | None,
        typer.Option(
            metavar="KIND",
            help="What the scores are: logits, prob, percent or logprob. Never guessed from the values; column names "
            "such as logit_*, prob_*, logprob_* say it.",
            rich_help_panel=COLUMNS,
            autocompletion=one_of("logits", "prob", "percent", "logprob"),
        ),
    ] = None
    classes: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|a,b,c",
            help="Class names, in the order of the columns: a,b,c, or a file: one a line, a JSON list, an id2label "
            "map, or a table with a column class.",
            rich_help_panel=COLUMNS,
        ),
    ] = None
    positive: Annotated[
        str | None,
        typer.Option(help="Name of the class that a single score column stands for.", rich_help_panel=COLUMNS),
    ] = None

    def resolve(
        self,
        truths: "TruthOptions | None" = None,
        no_scores: Mapping[str, str | None] = NO_COLUMNS,
        belong_together: bool = False,
        small_blocks: bool = False,
    ) -> "Inputs":
        """Decide what is read: the files, the format of each, how they are laid out, and what their columns are.

        Parameters
        ----------
        truths : TruthOptions or None
            None: the command does not ask for true classes.
        no_scores : mapping of str to str or None
            Columns that other options name, by the option.
        belong_together : bool
            Whether several rows make up an example, or a choice.
        small_blocks : bool
            Whether what is made of a block of rows takes several times its memory.

        Raises
        ------
        UsageError
            Nothing is there under a name, or options do not go together.
        """
        from softmax_cli.stream.inputs import input_files
        from softmax_cli.stream.scores import Inputs

        if truths is not None:
            truths.check(self.label)
        if sys.stdin.isatty():
            self._check_terminal()
        return Inputs(
            files=input_files(self.paths, self.input_format),
            options=self._read_options(small_blocks),
            selection=self._selection()._replace(
                no_scores=tuple((flag, name) for flag, name in no_scores.items() if name),
                belong_together=belong_together,
            ),
            where=self._condition(),
            truths=None if truths is None else truths.resolve(),
        )

    def _check_terminal(self) -> None:
        """Refuse to wait for what nobody pipes in, unless the standard input is named."""
        if not self.paths:
            command = sys.argv[1] if len(sys.argv) > 1 else "predict"
            raise UsageError(
                f"nothing to read: name a file, softmax-cli {command} FILE, or pipe one in; "
                f"softmax-cli {command} --help shows how"
            )
        if self.paths == ["-"]:
            print_message("waiting for a table on standard input; Ctrl-D ends it")

    def _condition(self) -> "Condition | None":
        if self.where is None:
            return None
        from softmax_cli.tables.filter import Condition

        return Condition.read(self.where)

    def _read_options(self, small_blocks: bool) -> "ReadOptions":
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
            small_blocks=small_blocks,
        )

    def _selection(self) -> "Selection":
        from softmax_cli.tables.columns import Selection

        names = None
        if self.classes is not None:
            from softmax_cli.weighting.class_values import read_class_names

            names = read_class_names(self.classes)
        return Selection(self.logits, self.id, self.label, self.input, names, self.positive)


class TruthOptions(Options, panel=COLUMNS):
    """True classes: from a file of their own, and what their numbers mean."""

    labels: Annotated[
        str | None,
        typer.Option(
            metavar="FILE[:COLUMN]",
            help="Take the truth from another file, joined by id, or by the order of the rows where there are no ids: "
            "a table, an .npy, or an .npz as FILE:ARRAY.",
        ),
    ] = None
    labels_from: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=1,
            help="What number the first class has where the truths are numbers: 0 or 1. By default, numbers are looked "
            "for in the class names, and then count from 0.",
        ),
    ] = None

    def check(self, label: str | None) -> None:
        """Refuse, before anything is read, two places for the truth."""
        if self.labels is not None and label is not None:
            raise UsageError(
                "--label names a column of the table, --labels takes another table: FILE:COLUMN names its column"
            )

    def check_use(self, asks: str | None, uses: str) -> None:
        """Refuse true classes that nothing asks for."""
        if asks is None and (self.labels is not None or self.labels_from is not None):
            flag = "--labels" if self.labels is not None else "--labels-from"
            raise UsageError(f"{flag} is for {uses}, and nothing here asks for a truth")

    def resolve(self) -> "TruthSource":
        """Return where true classes are looked for."""
        from softmax_cli.stream.scores import TruthSource

        return TruthSource(self.labels, self.labels_from)


def _unescape(delimiter: str) -> str:
    return "\t" if delimiter in ("\\t", "tab") else delimiter
