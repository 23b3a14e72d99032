"""A table of columns as they are: a ranking, a row per class, log-probabilities."""

from __future__ import annotations

import pyarrow as pa

from softmax_cli.display.cells import numbers, texts
from softmax_cli.display.glyphs import Glyphs
from softmax_cli.display.rows import Shown
from softmax_cli.display.table import Column, TextColumn
from softmax_cli.display.text import visible

_LOOKED_AT = 100
"""Columns of each kind that are made ready: fewer fit on any terminal, and a table may have 100,000."""


def plain_columns(batch: pa.RecordBatch, shown: Shown, marks: Glyphs) -> list[Column]:
    """Make columns that give way from the right, those that only pass through before those that were computed."""
    give_way = set(shown.passed) - {shown.id, shown.label}
    passed = [i for i, name in enumerate(batch.schema.names) if name in give_way]
    computed = [i for i, name in enumerate(batch.schema.names) if name not in give_way]
    weights = dict.fromkeys(passed[:_LOOKED_AT], 0) | dict.fromkeys(computed[:_LOOKED_AT], 1)
    return [_column(batch.schema.field(i), batch.column(i), weights[i], marks) for i in sorted(weights)]


def _column(field: pa.Field, array: pa.Array, weight: int, marks: Glyphs) -> Column:
    heading = visible(field.name, marks.encoding)
    if pa.types.is_floating(field.type):
        return TextColumn(heading, numbers(array, field), weight, is_number=True)
    is_number = pa.types.is_integer(field.type)
    return TextColumn(heading, texts(array, marks.encoding), weight, is_number=is_number)
