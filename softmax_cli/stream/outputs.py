"""What a report writes: tables as files, in whatever format their names say, and JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, BinaryIO

import numpy as np

from softmax_cli import formats
from softmax_cli.formats import Format, Writer
from softmax_cli.storage.compression import Compression
from softmax_cli.storage.writing import standard_output, whole_file
from softmax_cli.tables.batch import Batch, NumberColumn, Own, TextColumn
from softmax_cli.tables.columns import METADATA_KEY
from softmax_cli.tables.schema import Field, Schema, is_floating
from softmax_cli.tables.table import WriteOptions
from softmax_cli.text.formatting import text_spans


@contextmanager
def table_writer(
    file: BinaryIO, form: Format, compression: Compression | None, schema: Schema, options: WriteOptions
) -> Iterator[Writer]:
    """Give a writer for batches of `schema`; the table has its end when the block ends, and `file` stays open."""
    packed = file if compression is None else compression.write(file)
    writer = form.write(packed, schema, options)
    with writer if isinstance(writer, AbstractContextManager) else nullcontext():
        yield writer
        writer.close()
    if packed is not file:
        packed.close()


def write_table(rows: Sequence[Mapping[str, object]], path: str, force: bool) -> None:
    """Write rows, at least one, with the same names each; a column that is None throughout is left out.

    Real numbers keep all their digits, or five in a table to be pasted; one that is not known (nan) is null.
    """
    named = {name: [row[name] for row in rows] for name in rows[0]}
    columns = {name: _column(values) for name, values in named.items() if values[0] is not None}
    form, compression = formats.by_suffix(path)
    mark = None if formats.is_read(form) else {METADATA_KEY: b"number"}
    schema = Schema(
        Field(name, column.type, mark if is_floating(column.type) else None) for name, column in columns.items()
    )
    batch = Batch(schema, list(columns.values()), len(rows))
    options = WriteOptions(digits=17 if mark is None else 5)
    with whole_file(path, force) as file, table_writer(file, form, compression, batch.schema, options) as writer:
        writer.write(writer.encode(batch))


def _column(values: Sequence[Any]) -> Own:
    if isinstance(values[0], str):
        return TextColumn(*text_spans(values))
    numbers = np.array(values, np.int64 if isinstance(values[0], int) else np.float64)
    known = ~np.isnan(numbers)
    return NumberColumn(numbers[:, None], valid=None if known.all() else known)


def json_bytes(value: object) -> bytes:
    """Spell a value as JSON for a program: nan and the infinities, which JSON has not, are null.

    What is no UTF-8 in the name of a file is escaped, as JSON text cannot hold it.
    """
    import json  # a table of text is written without

    text = json.dumps(finite_or_null(value), indent=1, ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "backslashreplace") + b"\n"


def print_json(report: object) -> None:
    """Print a report on standard output, as `json_bytes` spells it."""
    with standard_output() as out:
        out.write(json_bytes(report))


def finite_or_null(value: object) -> object:
    """Return a value with None for nan and the infinities, which JSON has not, in whatever dicts and lists it holds."""
    if isinstance(value, dict):
        return {key: finite_or_null(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [finite_or_null(one) for one in value]
    return None if isinstance(value, float | np.floating) and not math.isfinite(value) else value
