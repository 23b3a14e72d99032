"""How a job is cut: one unit for a file, several for the runs of row groups of a large Parquet file.

The cut depends on the files alone, never on how many workers there are: the same input gives the same parts everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from softmax_cli.errors import UsageError
from softmax_cli.formats import Format, by_name, by_suffix
from softmax_cli.storage.reading import absolute, is_file, open_bytes, state_of
from softmax_cli.storage.remote import bare_name
from softmax_cli.stream.inputs import STDIN, open_file
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
    path: str
    row_groups: range | None = None
    """Of a Parquet file; None: the whole file."""
    size: int = 0
    """Bytes of input that this unit stands for."""

    def __str__(self) -> str:
        groups = self.row_groups
        return self.path if groups is None else f"{self.path}, row groups {groups.start} to {groups.stop - 1}"


def plan_units(files: Sequence[str], input_format: str | None, unit_bytes: int = UNIT_BYTES) -> tuple[Unit, ...]:
    """Cut files into units, in order.

    Parameters
    ----------
    files : sequence of str
        As `expand_paths` lists them.
    input_format : str or None
        Name of the format that the user gave; None: names tell.
    unit_bytes : int
        About how many bytes of a file that can be cut make a unit.

    Raises
    ------
    UsageError
        An input is a stream, which only one process can read.
    DataError
        A Parquet file cannot be read.
    """
    pieces = [piece for path in files for piece in _pieces(path, input_format, unit_bytes)]
    return tuple(Unit(number, *piece) for number, piece in enumerate(pieces))


def spread(units: Sequence[Unit], cores: int) -> tuple[int, int]:
    """Share the cores of this machine: units at once, and threads for each.

    Processes pay for their start (0.5 s) with `UNIT_BYTES` of work for each; below that, threads do it.
    """
    at_once = max(1, min(cores, len(units), sum(unit.size for unit in units) // UNIT_BYTES))
    return at_once, max(1, cores // at_once)


def _pieces(path: str, input_format: str | None, unit_bytes: int) -> Iterator[tuple[str, range | None, int]]:
    if path == STDIN or not is_file(path):
        name = "standard input" if path == STDIN else path
        raise UsageError(f"{name} is a stream, and units are cut from files: save it to a file, or write one file")
    size = int(state_of(path)[0] or 0)
    form = _format_of(path, input_format) if size > unit_bytes else None
    group_bytes = getattr(form, "row_group_bytes", None)  # a format that can be cut offers it
    groups: list[int] = []
    if group_bytes is not None:
        with open_bytes(path) as file:
            groups = group_bytes(file, bare_name(path))
    runs = list(_runs(groups, unit_bytes))
    if len(runs) < 2:
        yield path, None, size
        return
    for run in runs:
        yield path, run, round(size * sum(groups[run.start : run.stop]) / sum(groups))


def _runs(sizes: Sequence[int], unit_bytes: int) -> Iterator[range]:
    """Put neighbours together until they reach the size of a unit."""
    first, held = 0, 0
    for group, size in enumerate(sizes):
        held += size
        if held >= unit_bytes or group == len(sizes) - 1:
            yield range(first, group + 1)
            first, held = group + 1, 0


def _format_of(path: str, input_format: str | None) -> Format | None:
    """Return the format of a file that is not compressed; None where its name does not tell."""
    if input_format is not None:
        return by_name(input_format)
    try:
        form, compression = by_suffix(bare_name(path))
    except UsageError:
        return None
    return form if compression is None else None


@dataclass(frozen=True, slots=True)
class UnitReader:
    """What every worker has to know to read; picklable."""

    folder: str
    """Where relative names begin: a worker may have been started elsewhere."""
    options: ReadOptions
    input_format: str | None
    first: str
    """Name of the table whose columns all others must have, for messages."""
    schema: Schema
    """Its columns and their types."""
    columns: Columns
    where: Condition | None = None

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
            path, name = absolute(self.folder, unit.path), bare_name(unit.path)
            table = conform(open_file(path, options, self.input_format, closing, name), self.first, self.schema)
            yield table if self.where is None else rows_where(table, self.columns, self.where)
