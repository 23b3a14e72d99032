"""Where results go and how numbers are put down."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from softmax_cli.errors import UsageError

if TYPE_CHECKING:
    import pyarrow as pa

    from softmax_cli.batches.table import WriteOptions
    from softmax_cli.compression import Compression
    from softmax_cli.formats import Format, Writer

PANEL = "Output"
TABLE = "table"
"""The format of a terminal, which display/ draws."""
ROWS_SHOWN = 10
ARRAY_FORMATS = ("npy", "npz")
"""They hold the classes of a row as one array."""


@dataclass(frozen=True)
class OutputOptions:
    """The target, its format, and the text of numbers."""

    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE | FOLDER/",
            help="Write to a file, also s3://, gs:// or az://, which appears whole or not at all; its name tells "
            "format and compression (.csv .tsv .jsonl .json .parquet .arrow .npy .npz; .gz .zst .bz2 .xz after it). A "
            "folder gets a part for each input file, or piece of a large Parquet file, done side by side.",
            rich_help_panel=PANEL,
        ),
    ] = None
    format: Annotated[
        str | None,
        typer.Option(
            help="table, csv, tsv, jsonl, json, parquet, arrow, npy, npz; unsaid: a table on a terminal, in a "
            "folder that of the input, else CSV.",
            rich_help_panel=PANEL,
        ),
    ] = None
    digits: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=17,
            help="Significant digits in text: 9 read back the same float32, 17 the same float64.",
            rich_help_panel=PANEL,
        ),
    ] = None
    decimals: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=17,
            help="Fixed decimals in text instead; under 9, rows may no longer sum to 1.",
            rich_help_panel=PANEL,
        ),
    ] = None
    escape_formulas: Annotated[
        bool,
        typer.Option(
            "--escape-formulas",
            help="Put ' before text cells that a spreadsheet would run (=, +, -, @).",
            rich_help_panel=PANEL,
        ),
    ] = False
    limit: Annotated[
        int | None,
        typer.Option(min=0, help="Show, or write, only the first N rows (a table shows 10).", rich_help_panel=PANEL),
    ] = None
    all: Annotated[bool, typer.Option("--all", help="Show every row in the table.", rich_help_panel=PANEL)] = False
    force: Annotated[bool, typer.Option("--force", help="Write over what is there.", rich_help_panel=PANEL)] = False

    def __post_init__(self) -> None:
        if self.digits is not None and self.decimals is not None:
            raise UsageError("--digits and --decimals exclude each other")
        if self.all and self.limit is not None:
            raise UsageError("--all and --limit exclude each other")

    @property
    def path(self) -> str | None:
        """Return the file that was named, here or remote; None: standard output."""
        return None if self.output == "-" else self.output

    @property
    def is_folder(self) -> bool:
        """Whether the result is a folder of parts."""
        return self.path is not None and (self.path.endswith("/") or os.path.isdir(self.path))

    @property
    def shows_table(self) -> bool:
        """Whether the result is drawn for a person instead of written as data."""
        return self.format == TABLE or (self.format is None and self.path is None and sys.stdout.isatty())

    @property
    def rows_shown(self) -> int | None:
        """Return how many rows the table shows; None: every one."""
        return None if self.all else self.limit if self.limit is not None else ROWS_SHOWN

    def shape(self, said: str) -> str:
        """Return the layout that the format needs: an array file holds one matrix."""
        if self.shows_table or self._format_name() not in ARRAY_FORMATS:
            return said
        if said == "long":
            raise UsageError("--layout long does not fit an array file; choose .csv, .jsonl, .parquet or .arrow")
        return "list"

    def notes(self) -> list[str]:
        """Return what is to be said about the text of numbers."""
        if self.decimals is None or self.decimals >= 9:
            return []
        return [f"--decimals {self.decimals}: rows may no longer sum to 1 for tools that check"]

    def check(self, inputs: Sequence[str]) -> None:
        """Refuse a target that cannot be written, before anything is read."""
        from softmax_cli.sinks import check_target

        if self.shows_table:
            if self.path is not None:
                raise UsageError("--format table is for the screen; for a file choose csv, jsonl, parquet ...")
            return
        form, _ = self._target()
        if self.path is not None:
            check_target(self.path, inputs, self.force)
            return
        if form.MAGIC and sys.stdout.isatty():
            raise UsageError(
                f"--format {self.format} is binary and would garble the terminal: add -o FILE, or pipe it on"
            )
        here = os.fstat(1)
        if any(Path(name).is_file() and os.path.samestat(here, os.stat(name)) for name in inputs):
            raise UsageError("standard output is the input: the output needs another name")

    def describe(self) -> str:
        """Say where the result goes and as what."""
        target = "standard output" if self.path is None else self.path
        return f"{TABLE if self.shows_table else self._format_name()} to {target}"

    @contextmanager
    def open(self, schema: pa.Schema) -> Iterator[Writer]:
        """Open the target and give a writer for batches of `schema`; the target is complete when the block ends."""
        from softmax_cli.sinks import standard_output, whole_file
        from softmax_cli.writing import table_writer

        form, compression = self._target()
        with ExitStack() as closing:
            if self.path is None:
                file = closing.enter_context(standard_output())
            else:
                file = closing.enter_context(whole_file(self.path, self.force))
            options = self.write_options()
            yield closing.enter_context(table_writer(file, form, compression, schema, options))

    def _format_name(self) -> str:
        from softmax_cli import formats

        return formats.name_of(self._target()[0])

    def write_options(self) -> WriteOptions:
        """Return how numbers and cells are put down."""
        from softmax_cli.batches.table import WriteOptions

        return WriteOptions(
            digits=self.digits if self.digits is not None else 9,
            decimals=self.decimals,
            escape_formulas=self.escape_formulas,
        )

    def _target(self) -> tuple[Format, Compression | None]:
        """Return the format of the output, and the compression around it."""
        from softmax_cli import compression, formats

        if self.path is not None and self.format is None:
            return formats.by_suffix(self.path)
        around = None if self.path is None or self.is_folder else compression.by_suffix(self.path)
        return formats.by_name(self.format or "csv"), around
