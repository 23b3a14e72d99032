"""The tables of a report as files, in whatever format their names tell."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from typing import Any, BinaryIO

import numpy as np

from softmax_cli import formats
from softmax_cli.formats import Format, Writer
from softmax_cli.storage.compression import Compression
from softmax_cli.storage.writing import whole_file
from softmax_cli.tables.batch import Batch, NumberColumn, Own, TextColumn
from softmax_cli.tables.schema import Field, Schema
from softmax_cli.tables.table import WriteOptions
from softmax_cli.text.formatting import text_spans


@contextmanager
def table_writer(
    file: BinaryIO, form: Format, compression: Compression | None, schema: Schema, options: WriteOptions
) -> Iterator[Writer]:
    """Give a writer for batches of `schema`; the table has its end when the block ends, and `file` stays open."""
    packed = file if compression is None else compression.write(file)
    writer = form.write(packed, schema, options)
    yield writer
    writer.close()
    if packed is not file:
        packed.close()


def write_table(kind: type, rows: Sequence[Any], path: str, force: bool) -> None:
    """Write dataclasses as rows, one column for each field; a field that is None throughout is left out.

    Real numbers keep all their digits; one that is not known (nan) is null.
    """
    named = {field.name: [getattr(row, field.name) for row in rows] for field in fields(kind)}
    columns = {name: _column(values) for name, values in named.items() if not values or values[0] is not None}
    schema = Schema(Field(name, column.type) for name, column in columns.items())
    batch = Batch(schema, list(columns.values()), len(rows))
    form, compression = formats.by_suffix(path)
    options = WriteOptions(digits=17)
    with whole_file(path, force) as file, table_writer(file, form, compression, batch.schema, options) as writer:
        writer.write(writer.encode(batch))


def _column(values: Sequence[Any]) -> Own:
    if values and isinstance(values[0], str):
        return TextColumn(*text_spans(values))
    numbers = np.array(values, np.int64 if values and isinstance(values[0], int) else np.float64)
    known = ~np.isnan(numbers)
    return NumberColumn(numbers[:, None], valid=None if known.all() else known)


def finite_or_null(value: object) -> object:
    """Return a value with None for nan and the infinities, which JSON has not, in whatever dicts and lists it holds."""
    if isinstance(value, dict):
        return {key: finite_or_null(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [finite_or_null(one) for one in value]
    return None if isinstance(value, float | np.floating) and not math.isfinite(value) else value
