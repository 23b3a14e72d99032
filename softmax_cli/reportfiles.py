"""The tables of a report as files, in whatever format their names tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import pyarrow as pa

from softmax_cli import formats
from softmax_cli.batches.arrays import numbers, strings
from softmax_cli.batches.table import WriteOptions
from softmax_cli.sinks import whole_file
from softmax_cli.writing import table_writer


def write_table(kind: type, rows: Sequence[Any], path: str, force: bool) -> None:
    """Write dataclasses as rows, one column for each field; a field that is None throughout is left out.

    Real numbers keep all their digits; one that is not known (nan) is null.
    """
    named = {field.name: [getattr(row, field.name) for row in rows] for field in fields(kind)}
    arrays = {name: _array(values) for name, values in named.items() if not values or values[0] is not None}
    batch = pa.RecordBatch.from_arrays(list(arrays.values()), names=list(arrays))
    form, compression = formats.by_suffix(path)
    options = WriteOptions(digits=17)
    with whole_file(path, force) as file, table_writer(file, form, compression, batch.schema, options) as writer:
        writer.write(writer.encode(batch))


def _array(values: Sequence[Any]) -> pa.Array:
    if values and isinstance(values[0], str):
        return strings(values)
    column = np.array(values, np.int64 if values and isinstance(values[0], int) else np.float64)
    known = ~np.isnan(column)
    return numbers(column, None if known.all() else known)
