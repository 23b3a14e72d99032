"""How a worker opens its unit: as a part of the table whose columns were settled from the first file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import pyarrow as pa

from softmax_cli.batches.columns import Columns
from softmax_cli.batches.table import ReadOptions, Table
from softmax_cli.batches.where import Condition, rows_where
from softmax_cli.remote import bare_name
from softmax_cli.sources.anywhere import absolute
from softmax_cli.sources.opened import open_file
from softmax_cli.sources.united import conform
from softmax_cli.units.plan import Unit


@dataclass(frozen=True, slots=True)
class Reading:
    """What every worker has to know to read; picklable."""

    folder: str
    """Where relative names begin: a worker may have been started elsewhere."""
    options: ReadOptions
    input_format: str | None
    first: str
    """Name of the table whose columns all others must have, for messages."""
    schema: pa.Schema
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
