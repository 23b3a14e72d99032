"""Where results go and how numbers are put down."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from softmax_cli.errors import UsageError, check_choice
from softmax_cli.options.completion import class_values, one_of, some_of
from softmax_cli.options.parser import Options
from softmax_cli.options.run import ENGINE_PANEL, EngineOptions, WorkOptions

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from softmax_cli.calibration.calibration import Calibration
    from softmax_cli.formats import Format
    from softmax_cli.prediction.abstention import Abstention
    from softmax_cli.prediction.layout import Layout
    from softmax_cli.prediction.run import Target
    from softmax_cli.prediction.scorer import Emit
    from softmax_cli.stream.scores import Inputs
    from softmax_cli.tables.table import WriteOptions


TABLE = "table"
"""What is drawn on a terminal; no file format."""
ROWS_SHOWN = 10


class OutputOptions(Options, panel="Output"):
    """The target, its format, and the text of numbers."""

    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE | FOLDER/",
            help="Write to a file, also s3://, gs:// or az://, which appears whole or not at all; its name gives "
            "format and compression (.csv .tsv .jsonl .json .parquet .arrow .npy .npz .md .tex .html; "
            ".gz .zst .bz2 .xz after it). A folder gets a part for each input file, or piece of a large Parquet file, "
            "done side by side.",
        ),
    ] = None
    format: Annotated[
        str | None,
        typer.Option(
            metavar="FORMAT",
            help="table, csv, tsv, jsonl, json, parquet, arrow, npy, npz; markdown, latex, html to paste; default: a "
            "table on a terminal, in a folder that of the input, else CSV.",
            autocompletion=one_of("table", registry="softmax_cli.formats:names"),
        ),
    ] = None
    digits: Annotated[
        int | None,
        typer.Option(
            min=1, max=17, help="Significant digits in text: 9 read back the same float32, 17 the same float64."
        ),
    ] = None
    decimals: Annotated[
        int | None,
        typer.Option(min=0, max=17, help="Fixed decimals in text instead; under 9, rows may no longer sum to 1."),
    ] = None
    escape_formulas: Annotated[
        bool,
        typer.Option("--escape-formulas", help="Put ' before text cells that a spreadsheet would run (=, +, -, @)."),
    ] = False
    limit: Annotated[
        int | None, typer.Option(min=0, help="Show, or write, only the first N rows (a table shows 10).")
    ] = None
    all: Annotated[bool, typer.Option("--all", help="Show every row, or --limit N of them, and every class.")] = False
    json: Annotated[
        bool,
        typer.Option("--json", help="Print what came of the run as JSON, for a program; the rows need -o FILE then."),
    ] = False
    force: Annotated[bool, typer.Option("--force", help="Write over what is there.")] = False

    def __post_init__(self) -> None:
        if self.json and self.path is None:
            raise UsageError("--json prints what came of the run on standard output: give the rows a file with -o FILE")
        if self.digits is not None and self.decimals is not None:
            raise UsageError("--digits and --decimals exclude each other")

    @property
    def path(self) -> str | None:
        """Return the file that was named, here or remote; None: standard output."""
        return None if self.output == "-" else self.output

    @property
    def shows_table(self) -> bool:
        """Whether the result is drawn for a person instead of written as data."""
        return self.format == TABLE or (self.format is None and self.path is None and sys.stdout.isatty())

    def notes(self) -> list[str]:
        """Return what is to be said about the text of numbers."""
        if self._is_binary and (self.digits is not None or self.decimals is not None):
            typed = f"--decimals {self.decimals}" if self.digits is None else f"--digits {self.digits}"
            return [f"{typed} is about numbers in text, and a binary file keeps all of their bits"]
        if self.decimals is None or self.decimals >= 9:
            return []
        return [f"--decimals {self.decimals}: rows may no longer sum to 1 for tools that check"]

    @property
    def _is_binary(self) -> bool:
        """Whether the format that was named, or the end of the file name, is that of a binary file."""
        from softmax_cli import formats

        if self.format is not None:
            return self.format != TABLE and formats.is_binary(formats.by_name(self.format))
        named = None if self.path is None else _format_of_name(self.path)
        return named is not None and formats.is_binary(named)

    def resolve(self, inputs: "Inputs", parts: "PartsOptions", run: WorkOptions) -> "Target":
        """Decide where the result goes and as what, and refuse, before anything is read, what cannot be written.

        Raises
        ------
        UsageError
            With what to type instead.
        """
        flag = parts.flag
        is_folder = self.path is not None and (self.path.endswith("/") or os.path.isdir(self.path))
        if flag is not None and not is_folder:
            if self.path is None or _format_of_name(self.path) is not None:
                raise UsageError(f"{flag} is for a folder of parts: name one, such as -o probs/")
            return self._folder(f"{self.path}/", inputs, parts, run)
        if self.path is not None and is_folder:
            return self._folder(self.path, inputs, parts, run)
        return self._screen() if self.shows_table else self._file(inputs.paths)

    def resolve_whole(self, inputs: Sequence[str], parts: "PartsOptions") -> "Target":
        """Decide the same for rows that belong together, wherever they stand: their result is not made in parts.

        Raises
        ------
        UsageError
            With what to type instead.
        """
        reason = "rows that belong together may stand in several parts"
        if parts.flag is not None:
            raise UsageError(f"{parts.flag} is for a result in parts, and {reason}: leave it out")
        if self.path is not None and (self.path.endswith("/") or os.path.isdir(self.path)):
            name = f"{self.path.rstrip('/')}/out.parquet"
            raise UsageError(f"{self.path} is a folder of parts, and {reason}: name a file, -o {name}")
        return self._screen() if self.shows_table else self._file(inputs)

    def _screen(self) -> "Target":
        from softmax_cli.prediction.run import Screen

        if self.path is not None:
            raise UsageError("--format table is for the screen; for a file choose csv, jsonl, parquet ...")
        rows = self.limit if self.limit is not None else None if self.all else ROWS_SHOWN
        return Screen(rows, self.force, self.all)

    def _file(self, inputs: Sequence[str]) -> "Target":
        from softmax_cli import formats
        from softmax_cli.prediction.run import File
        from softmax_cli.storage.compression import compression_by_suffix
        from softmax_cli.storage.writing import check_target

        if self.path is not None and self.format is None:
            form, compression = formats.by_suffix(self.path)
        else:
            form = formats.by_name(self.format or "csv")
            compression = None if self.path is None else compression_by_suffix(self.path)
        if self.path is not None:
            check_target(self.path, inputs, self.force)
        elif formats.is_binary(form) and sys.stdout.isatty():
            raise UsageError(
                f"--format {self.format} is binary and would garble the terminal: add -o FILE, or pipe it on"
            )
        elif any(Path(name).is_file() and os.path.samestat(os.fstat(1), os.stat(name)) for name in inputs):
            raise UsageError("standard output is the input: the output needs another name")
        return File(self.path, form, compression, self._text_options(), self.limit, self.force)

    def _folder(self, name: str, inputs: "Inputs", parts: "PartsOptions", run: WorkOptions) -> "Target":
        from softmax_cli import formats
        from softmax_cli.distributed.plan import plan_units
        from softmax_cli.prediction.parts.manifest import Folder, PartFolder

        if parts.resume and self.force:
            raise UsageError("--resume keeps what is there, --force replaces it: choose one")
        if self.limit is not None:
            raise UsageError("--limit counts rows of one stream, parts are made side by side: write one file, -o FILE")
        if self.shows_table:
            raise UsageError("--format table is for the screen; for a folder choose csv, jsonl, parquet ...")
        workers = parts.engine.resolve(inputs, run)
        place = PartFolder(name.rstrip("/") or "/")
        place.check(self.force, parts.resume)
        place.check_inputs(inputs.paths)
        form = formats.by_name(self.format or _format_of(inputs))
        workers = workers._replace(units=workers.units or plan_units(inputs.files))
        return Folder(name, place, form, self._text_options(), inputs, workers, parts.resume, self.force)

    def _text_options(self) -> "WriteOptions":
        """Return how numbers and cells are put down."""
        from softmax_cli.tables.table import WriteOptions

        return WriteOptions(
            digits=self.digits if self.digits is not None else 9,
            decimals=self.decimals,
            escape_formulas=self.escape_formulas,
        )


def _format_of_name(path: str) -> "Format | None":
    """Find the format that a name ends in, those that are only written too: ``probs.csv.gz``, ``probs.md``."""
    from softmax_cli import formats
    from softmax_cli.storage.remote import bare_name

    try:
        return formats.by_suffix(bare_name(path))[0]
    except UsageError:
        return None


def _format_of(inputs: "Inputs") -> str:
    """Return the name of the format of the input, which its parts have too."""
    first = inputs.files[0]
    if first.format is None:
        raise UsageError(
            f"{first.path}: the name does not say which format for the parts; say --format parquet, csv ..."
        )
    return first.format


class ResultOptions(Options, panel="Result"):
    """Numbers, layout and threshold."""

    top_k: Annotated[
        int | None,
        typer.Option("--top-k", "-k", min=0, help="List the K most probable classes instead of all; 0: all."),
    ] = None
    layout: Annotated[
        str,
        typer.Option(
            help="wide (a column per class), long (a row per class), or list (all classes in one list column).",
            autocompletion=one_of("wide", "long", "list"),
        ),
    ] = "wide"
    emit: Annotated[
        str,
        typer.Option(
            metavar="KIND,...",
            help="One or several of prob, logprob, logit (the adjusted logit), with commas.",
            autocompletion=some_of("prob", "logprob", "logit"),
        ),
    ] = "prob"
    only_predictions: Annotated[
        bool, typer.Option("--only-predictions", help="Leave the columns of the classes out.")
    ] = False
    threshold: Annotated[
        str | None,
        typer.Option(
            metavar="P",
            help="Abstain below this confidence: one number, or one a class as cat=0.9,dog=0.5 (unlisted: 0).",
            autocompletion=class_values(),
        ),
    ] = None
    abstain_label: Annotated[
        str | None, typer.Option(help="The prediction of a row below the threshold; default: empty.")
    ] = None

    def __post_init__(self) -> None:
        if self.only_predictions and (self.top_k or self.layout != "wide"):
            raise UsageError("--only-predictions leaves the classes out: it does not go with --top-k or --layout")
        if self.layout == "list" and self.top_k:
            raise UsageError("--layout list holds every class in its place: it does not go with --top-k")
        if self.layout == "long" and self.threshold is not None:
            raise UsageError("--layout long has no prediction to withhold: it does not go with --threshold")

    def emitted(self) -> "tuple[Emit, ...]":
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
        """Return what is to be said about options that change less than they say."""
        found = []
        if self.only_predictions and self.emit != "prob":
            found.append(f"--emit {self.emit}: --only-predictions leaves these columns out")
        if self.top_k is not None and self.top_k > classes:
            found.append(f"--top-k {self.top_k}: there are {classes} classes, and all are listed")
        return found

    def build(self, classes: tuple[str, ...], shape: str, calibration: "Calibration | None" = None) -> "Layout":
        """Return the layout; `shape` is the one that was given, or the one that the file format needs."""
        from softmax_cli.prediction.layout import LAYOUTS, Layout

        check_choice("--layout", self.layout, LAYOUTS)
        if calibration is not None and self.layout == "long" and (calibration.sets or calibration.abstention):
            raise UsageError("--layout long has no place for sets and withheld predictions; choose wide or list")
        if shape == "list" and self.top_k:
            raise UsageError(
                "--top-k lists the best classes, and an array file holds every class: write .parquet, .csv"
            )
        return Layout(shape, self._abstention(classes, calibration), self.only_predictions)

    def _abstention(self, classes: tuple[str, ...], calibration: "Calibration | None") -> "Abstention | None":
        import numpy as np

        if self.threshold is not None:
            least = self._typed_threshold(self.threshold, classes)
        elif calibration is not None and calibration.abstention is not None:
            least = np.full(len(classes), calibration.abstention.confidence)
        elif self.abstain_label is not None:
            raise UsageError("--abstain-label is for rows below a --threshold: say which")
        else:
            return None
        from softmax_cli.prediction.abstention import Abstention

        return Abstention(least, self.abstain_label or "")

    def _typed_threshold(self, typed: str, classes: tuple[str, ...]) -> "NDArray[np.float64]":
        import numpy as np

        try:
            values = np.full(len(classes), float(typed))
        except ValueError:
            from softmax_cli.weighting.class_values import align, read_class_values

            values, _ = align("--threshold", read_class_values("--threshold", typed, ("threshold",)), classes, 0.0)
        if not ((values >= 0) & (values <= 1)).all():
            raise UsageError(f"--threshold {typed}: a confidence is from 0 to 1")
        return values


class PartsOptions(Options, panel=ENGINE_PANEL):
    """The engine, and whether to go on."""

    engine: EngineOptions
    resume: Annotated[bool, typer.Option("--resume", help="Go on in a folder where a run was cut short.")] = False

    @property
    def flag(self) -> str | None:
        """Return what was typed that only a result in parts has; None: nothing."""
        engine = self.engine.engine
        return "--resume" if self.resume else f"--engine {engine}" if engine else None
