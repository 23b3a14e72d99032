"""How a job is cut: one unit for a file, several for the runs of row groups of a large Parquet file.

The cut depends on the files alone, never on how many workers there are: the same input gives the same parts everywhere.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from softmax_cli.errors import UsageError
from softmax_cli.formats import by_name
from softmax_cli.storage.compression import compression_by_suffix
from softmax_cli.storage.reading import absolute, is_file, open_bytes, state_of
from softmax_cli.storage.remote import bare_name
from softmax_cli.stream.inputs import STDIN, InputFile, open_file
from softmax_cli.stream.scores import Inputs, ScoreTable
from softmax_cli.tables.columns import Columns
from softmax_cli.tables.concat import conform
from softmax_cli.tables.filter import Condition, rows_where
from softmax_cli.tables.schema import Schema
from softmax_cli.tables.table import ReadOptions, Table

UNIT_BYTES = 64 << 20
"""A second of work: small enough to spread over cores and to lose, large enough not to notice its start."""


@dataclass(frozen=True, slots=True)
class Unit:
    """What one worker does at a time."""

    number: int
    """Place in the order of the input, from 0."""
    file: InputFile
    row_groups: range | None = None
    """Of a Parquet file; None: the whole file."""
    size: int = 0
    """Bytes of input that this unit stands for."""

    @property
    def path(self) -> str:
        """Name of the file."""
        return self.file.path

    def __str__(self) -> str:
        groups = self.row_groups
        return self.path if groups is None else f"{self.path}, row groups {groups.start} to {groups.stop - 1}"


def plan_units(files: Sequence[InputFile], unit_bytes: int = UNIT_BYTES) -> tuple[Unit, ...]:
    """Cut files into units, in order.

    Parameters
    ----------
    unit_bytes : int
        About how many bytes of a file that can be cut make a unit.

    Raises
    ------
    UsageError
        An input is a stream, which only one process can read.
    DataError
        A Parquet file cannot be read.
    """
    (units,) = plan_together([files], True, unit_bytes)
    return units


def plan_together(
    tables: Sequence[Sequence[InputFile]], by_position: bool, unit_bytes: int = UNIT_BYTES
) -> tuple[tuple[Unit, ...], ...]:
    """Cut as many files of each of several tables into units of the same rows: those of each table, in order.

    Files at the same place that hold row groups of the same numbers of rows are cut in the same places, if rows belong
    together `by_position`; others stay whole.
    """
    units: list[tuple[Unit, ...]] = []
    for files in zip(*tables, strict=True):
        groups = [_row_groups(file, unit_bytes) for file in files]
        rows = [[rows for rows, _ in held] for held in groups]
        runs = list(_runs([size for _, size in groups[0]], unit_bytes))
        if len(runs) < 2 or rows[1:] != rows[:-1] or (len(files) > 1 and not by_position):
            units.append(tuple(Unit(len(units), file, None, _size(file)) for file in files))
            continue
        for run in runs:
            units.append(
                tuple(
                    Unit(len(units), file, run, _share(file, run, held))
                    for file, held in zip(files, groups, strict=True)
                )
            )
    return tuple(zip(*units, strict=True)) if units else tuple(() for _ in tables)


def spread(units: Sequence[Unit], cores: int) -> tuple[int, int]:
    """Share the cores of this machine: units at once, and threads for each.

    Processes pay for their start (0.5 s) with `UNIT_BYTES` of work for each; below that, threads do it.
    """
    at_once = max(1, min(cores, len(units), sum(unit.size for unit in units) // UNIT_BYTES))
    return at_once, max(1, cores // at_once)


def _size(source: InputFile) -> int:
    """Return the bytes of a file."""
    name = "standard input" if source.path == STDIN else source.path
    if source.path == STDIN or not is_file(source.path):
        raise UsageError(f"{name} is a stream, and units are cut from files: save it to a file, or write one file")
    return int(state_of(source.path)[0] or 0)


def _row_groups(source: InputFile, unit_bytes: int) -> list[tuple[int, int]]:
    """Return rows and bytes of each row group of a file that can be cut and is large enough; of any other, none."""
    is_large = _size(source) > unit_bytes and compression_by_suffix(bare_name(source.path)) is None
    form = by_name(source.format) if is_large and source.format is not None else None
    if not hasattr(form, "row_groups"):  # a format that can be cut offers it
        return []
    with open_bytes(source.path) as file:
        found: list[tuple[int, int]] = form.row_groups(file, bare_name(source.path))  # type: ignore[union-attr]
    return found


def _share(source: InputFile, run: range, groups: Sequence[tuple[int, int]]) -> int:
    """Return the bytes of a file that some of its row groups stand for."""
    sizes = [size for _, size in groups]
    return round(_size(source) * sum(sizes[run.start : run.stop]) / sum(sizes))


def _runs(sizes: Sequence[int], unit_bytes: int) -> Iterator[range]:
    """Put neighbours together until they reach the size of a unit."""
    first, held = 0, 0
    for group, size in enumerate(sizes):
        held += size
        if held >= unit_bytes or group == len(sizes) - 1:
            yield range(first, group + 1)
            first, held = group + 1, 0


@dataclass(frozen=True, slots=True)
class UnitReader:
    """What every worker has to know to read; picklable."""

    folder: str
    """Where relative names begin: a worker may have been started elsewhere."""
    options: ReadOptions
    first: str
    """Name of the table whose columns all others must have, for messages."""
    schema: Schema
    """Its columns and their types."""
    columns: Columns
    where: Condition | None = None

    @classmethod
    def of(cls, inputs: Inputs, scores: ScoreTable) -> UnitReader:
        """Read as `scores` was opened from `inputs`."""
        table = scores.table
        return cls(os.getcwd(), inputs.options, table.name, table.schema, scores.columns, inputs.where)

    def paths(self, unit: Unit) -> tuple[str, ...]:
        """Name the files of a unit."""
        return (unit.path,)

    @property
    def settings(self) -> tuple[object, ...]:
        """Return what decides how files are read, beside their bytes."""
        return (self.options, self.schema, self.where)

    @contextmanager
    def open(self, unit: Unit) -> Iterator[Table]:
        """Open a unit; places name the file as it was typed, and rows as they are counted in the whole file.

        Raises
        ------
        DataError
            The file is not there, damaged, or has other columns than the first.
        """
        options = self.options._replace(row_groups=unit.row_groups)
        with ExitStack() as closing:
            file = unit.file._replace(path=absolute(self.folder, unit.path), called=unit.file.name)
            table = conform(open_file(file, options, closing), self.first, self.schema)
            yield table if self.where is None else rows_where(table, self.columns, self.where)
