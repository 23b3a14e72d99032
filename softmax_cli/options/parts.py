"""A folder of parts as the result: what is refused there, how it is gone on with, and who makes the parts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from softmax_cli.errors import UsageError
from softmax_cli.options.engine import PANEL, EngineOptions
from softmax_cli.options.output import OutputOptions
from softmax_cli.options.run import RunOptions
from softmax_cli.options.source import Opened, SourceOptions

if TYPE_CHECKING:
    from softmax_cli.batches.transform import Transform
    from softmax_cli.engines import Engine
    from softmax_cli.runs.partition import Partition
    from softmax_cli.units.folder import PartFolder


@dataclass(frozen=True)
class PartsOptions:
    """The engine, and whether to go on."""

    engine: EngineOptions
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Go on in a folder where a run was cut short.", rich_help_panel=PANEL),
    ] = False

    def settle(self, sink: OutputOptions, source: SourceOptions) -> OutputOptions:
        """Refuse, before anything is read, a target that cannot be written; parts have the format of the input.

        Raises
        ------
        UsageError
            With what to type instead.
        """
        if not sink.is_folder:
            flag = "--resume" if self.resume else f"--engine {self.engine.engine}" if self.engine.engine else None
            if flag is not None:
                raise UsageError(f"{flag} is for a folder of parts: name one that ends in /, such as -o probs/")
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
        from softmax_cli.runs.partition import Partition
        from softmax_cli.units.parts import PartFormat
        from softmax_cli.units.plan import plan_units, spread
        from softmax_cli.units.scoring import ScoreUnit

        folder, files = self._folder(sink), source.files()
        folder.check_inputs(files)
        units = plan_units(files, source.input_format)
        suffix = formats.by_name(sink.format or "").SUFFIXES[0]
        form = PartFormat(suffix, transform.schema(opened.table.schema), sink.write_options())
        workers, threads = spread(units, run.workers) if self.engine.is_local else (run.workers, 1)
        work = ScoreUnit(source.reading(opened), transform, form, folder.unfinished, len(units), threads)
        return Partition(work, units, folder, workers, self.resume)

    def _folder(self, sink: OutputOptions) -> PartFolder:
        from softmax_cli.remote import is_remote
        from softmax_cli.units.folder import PartFolder

        assert sink.path is not None
        if is_remote(sink.path):
            raise UsageError(
                f"{sink.path}: parts gather in a folder of this machine, such as -o probs/; there, write one file: "
                f"-o {sink.path.rstrip('/')}/probs.parquet"
            )
        return PartFolder(Path(sink.path))


def _format_of(source: SourceOptions) -> str:
    """Return the name of the format of the input."""
    from softmax_cli import formats
    from softmax_cli.remote import bare_name

    first = source.files()[0]
    try:
        form = formats.by_name(source.input_format) if source.input_format else formats.by_suffix(bare_name(first))[0]
    except UsageError:
        raise UsageError(
            f"{first}: the name does not tell a format for the parts; say --format parquet, csv ..."
        ) from None
    return formats.name_of(form)
