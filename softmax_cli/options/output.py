"""Where results go and how numbers are put down."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from softmax_cli.errors import UsageError
from softmax_cli.options.run import ENGINE_PANEL, EngineOptions, RunOptions
from softmax_cli.options.source import Opened, SourceOptions

if TYPE_CHECKING:
    from softmax_cli.calibration.calibration import Calibration
    from softmax_cli.distributed.engines import Engine
    from softmax_cli.formats import Format, Writer
    from softmax_cli.prediction.folder import PartFolder, Partition
    from softmax_cli.prediction.layout import Decision, Layout
    from softmax_cli.prediction.scorer import Emit
    from softmax_cli.prediction.transform import Transform
    from softmax_cli.storage.compression import Compression
    from softmax_cli.tables.schema import Schema
    from softmax_cli.tables.table import WriteOptions


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
            help="table, csv, tsv, jsonl, json, parquet, arrow, npy, npz; default: a table on a terminal, in a "
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

    def shape(self, given: str) -> str:
        """Return the layout that the format needs: an array file holds one matrix."""
        if self.shows_table or self._format_name() not in ARRAY_FORMATS:
            return given
        if given == "long":
            raise UsageError("--layout long does not fit an array file; choose .csv, .jsonl, .parquet or .arrow")
        return "list"

    def notes(self) -> list[str]:
        """Return what is to be said about the text of numbers."""
        if self.decimals is None or self.decimals >= 9:
            return []
        return [f"--decimals {self.decimals}: rows may no longer sum to 1 for tools that check"]

    def check(self, inputs: Sequence[str]) -> None:
        """Refuse a target that cannot be written, before anything is read."""
        from softmax_cli.storage.writing import check_target

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
    def open(self, schema: Schema) -> Iterator[Writer]:
        """Open the target and give a writer for batches of `schema`; the target is complete when the block ends."""
        from softmax_cli.storage.writing import standard_output, whole_file
        from softmax_cli.stream.outputs import table_writer

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
        from softmax_cli.tables.table import WriteOptions

        return WriteOptions(
            digits=self.digits if self.digits is not None else 9,
            decimals=self.decimals,
            escape_formulas=self.escape_formulas,
        )

    def _target(self) -> tuple[Format, Compression | None]:
        """Return the format of the output, and the compression around it."""
        from softmax_cli import formats
        from softmax_cli.storage.compression import compression_by_suffix

        if self.path is not None and self.format is None:
            return formats.by_suffix(self.path)
        around = None if self.path is None or self.is_folder else compression_by_suffix(self.path)
        return formats.by_name(self.format or "csv"), around


RESULT_PANEL = "Result"


@dataclass(frozen=True)
class ResultOptions:
    """Numbers, layout and threshold."""

    top_k: Annotated[
        int | None,
        typer.Option(
            "--top-k",
            "-k",
            min=0,
            help="List the K most probable classes instead of all; 0: all.",
            rich_help_panel=RESULT_PANEL,
        ),
    ] = None
    layout: Annotated[
        str,
        typer.Option(
            help="wide (a column per class), long (a row per class), or list (all classes in one list column).",
            rich_help_panel=RESULT_PANEL,
        ),
    ] = "wide"
    emit: Annotated[
        str,
        typer.Option(
            help="One or several of prob, logprob, logit (the adjusted logit), with commas.",
            rich_help_panel=RESULT_PANEL,
        ),
    ] = "prob"
    only_predictions: Annotated[
        bool,
        typer.Option("--only-predictions", help="Leave the columns of the classes out.", rich_help_panel=RESULT_PANEL),
    ] = False
    threshold: Annotated[
        str | None,
        typer.Option(
            metavar="P",
            help="Abstain below this confidence: one number, or one a class as cat=0.9,dog=0.5 (unlisted: 0).",
            rich_help_panel=RESULT_PANEL,
        ),
    ] = None
    abstain_label: Annotated[
        str | None,
        typer.Option(help="The prediction of a row below the threshold; default: empty.", rich_help_panel=RESULT_PANEL),
    ] = None

    def __post_init__(self) -> None:
        if self.only_predictions and (self.top_k or self.layout != "wide"):
            raise UsageError("--only-predictions leaves the classes out: it does not go with --top-k or --layout")
        if self.layout == "list" and self.top_k:
            raise UsageError("--layout list holds every class in its place: it does not go with --top-k")
        if self.layout == "long" and self.threshold is not None:
            raise UsageError("--layout long has no prediction to withhold: it does not go with --threshold")

    def emitted(self) -> tuple[Emit, ...]:
        """Return the kinds of number, in the order that was typed."""
        from softmax_cli.prediction.scorer import Emit

        given = tuple(name.strip() for name in self.emit.split(","))
        for name in given:
            if name not in get_args(Emit):
                raise UsageError(f"--emit {name}: choose among {', '.join(get_args(Emit))}")
        if len(set(given)) < len(given):
            raise UsageError(f"--emit {self.emit}: the same twice")
        return cast("tuple[Emit, ...]", given)

    def notes(self, classes: int) -> list[str]:
        """Return what is to be said about a ranking that is longer than the classes."""
        if self.top_k is None or self.top_k <= classes:
            return []
        return [f"--top-k {self.top_k}: there are {classes} classes, and all are listed"]

    def build(self, classes: tuple[str, ...], shape: str, calibration: Calibration | None = None) -> Layout:
        """Return the layout; `shape` is the one that was given, or the one that the file format needs."""
        from softmax_cli.prediction.layout import Layout

        if calibration is not None and self.layout == "long" and (calibration.sets or calibration.abstention):
            raise UsageError("--layout long has no place for sets and withheld predictions; choose wide or list")
        return Layout(shape, self._decision(classes, calibration), self.only_predictions)

    def _decision(self, classes: tuple[str, ...], calibration: Calibration | None) -> Decision:
        import numpy as np

        from softmax_cli.prediction.layout import Decision

        if self.threshold is None and calibration is not None and calibration.abstention is not None:
            return Decision(np.full(len(classes), calibration.abstention.confidence), self.abstain_label or "")
        if self.threshold is None and self.abstain_label is not None:
            raise UsageError("--abstain-label is for rows below a --threshold: say which")
        if self.threshold is None:
            return Decision()
        try:
            values = np.full(len(classes), float(self.threshold))
        except ValueError:
            from softmax_cli.weighting.values import align, read_class_values

            per_class = read_class_values("--threshold", self.threshold, ("threshold",))
            values, _ = align("--threshold", per_class, classes, default=0.0)
        if not ((values >= 0) & (values <= 1)).all():
            raise UsageError(f"--threshold {self.threshold}: a confidence is from 0 to 1")
        return Decision(values, self.abstain_label or "")


@dataclass(frozen=True)
class PartsOptions:
    """The engine, and whether to go on."""

    engine: EngineOptions
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Go on in a folder where a run was cut short.", rich_help_panel=ENGINE_PANEL),
    ] = False

    def settle(self, sink: OutputOptions, source: SourceOptions) -> OutputOptions:
        """Refuse, before anything is read, a target that cannot be written; parts have the format of the input.

        Raises
        ------
        UsageError
            With what to type instead.
        """
        flag = "--resume" if self.resume else f"--engine {self.engine.engine}" if self.engine.engine else None
        if flag is not None and not sink.is_folder:
            if sink.path is None or _format_by_name(sink.path):
                raise UsageError(f"{flag} is for a folder of parts: name one, such as -o probs/")
            sink = replace(sink, output=f"{sink.path}/")
        if not sink.is_folder:
            sink.check(source.paths)
            return sink
        if self.resume and sink.force:
            raise UsageError("--resume keeps what is there, --force replaces it: choose one")
        if sink.limit is not None:
            raise UsageError("--limit counts rows of one stream, parts are made side by side: write one file, -o FILE")
        if sink.shows_table:
            raise UsageError("--format table is for the screen; for a folder choose csv, jsonl, parquet ...")
        self.load()
        self._folder(sink).check(sink.force, self.resume)
        return replace(sink, format=sink.format or _format_of(source))

    def load(self) -> Engine:
        """Return the engine."""
        return self.engine.load()

    def partition(
        self, opened: Opened, transform: Transform, source: SourceOptions, sink: OutputOptions, run: RunOptions
    ) -> Partition:
        """Plan the units and what is done to each."""
        from softmax_cli import formats
        from softmax_cli.distributed.plan import plan_units, spread
        from softmax_cli.prediction.folder import Partition
        from softmax_cli.prediction.parts import PartFormat, ScoreUnit

        folder, files = self._folder(sink), source.files()
        folder.check_inputs(files)
        units = plan_units(files, source.input_format)
        suffix = formats.by_name(sink.format or "").SUFFIXES[0]
        form = PartFormat(suffix, transform.schema(opened.table.schema), sink.write_options())
        workers, threads = spread(units, run.workers) if self.engine.is_local else (run.workers, 1)
        work = ScoreUnit(source.reading(opened), transform, form, folder.unfinished, len(units), threads)
        return Partition(work, units, folder, workers, self.resume)

    def _folder(self, sink: OutputOptions) -> PartFolder:
        from softmax_cli.prediction.folder import PartFolder
        from softmax_cli.storage.remote import is_remote

        assert sink.path is not None
        if is_remote(sink.path):
            raise UsageError(
                f"{sink.path}: parts gather in a folder of this machine, such as -o probs/; there, write one file: "
                f"-o {sink.path.rstrip('/')}/probs.parquet"
            )
        return PartFolder(Path(sink.path))


def _format_by_name(path: str) -> str | None:
    from softmax_cli import formats
    from softmax_cli.storage.remote import bare_name

    try:
        return formats.name_of(formats.by_suffix(bare_name(path))[0])
    except UsageError:
        return None


def _format_of(source: SourceOptions) -> str:
    """Return the name of the format of the input."""
    from softmax_cli import formats

    if source.input_format:
        return formats.name_of(formats.by_name(source.input_format))
    first = source.files()[0]
    name = _format_by_name(first)
    if name is None:
        raise UsageError(f"{first}: the name does not tell a format for the parts; say --format parquet, csv ...")
    return name
