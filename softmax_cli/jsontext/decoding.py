"""Rows of JSON to Arrow, one value at a time: slow, and right about every fault."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from softmax_cli.batches.arrays import lists, numbers, strings
from softmax_cli.batches.table import Fault
from softmax_cli.jsontext.blocks import Row
from softmax_cli.jsontext.columns import Number, parse


class _Unfit(ValueError):
    """A value that is no score; the message is the problem."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """What could be read of the rows, and what is wrong with the others."""

    batch: pa.RecordBatch
    faults: tuple[Fault, ...]


def decode_rows(rows: Sequence[Row], schema: pa.Schema, scores: Sequence[str]) -> Parsed:
    """Turn rows into a batch: the columns `scores` as numbers, ``nan`` where there is none, all others as text."""
    objects, faults = [], []
    for i, row in enumerate(rows):
        try:
            objects.append(_as_object(row))
        except _Unfit as error:
            objects.append({})
            faults.append(Fault(i, None, str(error)))
    broken = {fault.row for fault in faults}
    arrays, fields = [], []
    for field in schema:
        values = [record.get(field.name) for record in objects]
        if field.name in scores:
            array, found = _scores(values, field, broken)
            faults += found
        else:
            array = _texts(values)
        arrays.append(array)
        fields.append(pa.field(field.name, array.type))
    faults.sort(key=lambda fault: fault.row)
    return Parsed(pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields)), tuple(faults))


def raw(row: Row, column: str | None) -> str:
    """The text of one value of a row; of the whole row where there is no such value."""
    try:
        value = _as_object(row)
    except _Unfit:
        return row.text.decode("utf-8", "backslashreplace")
    return _spell(value[column]) if column in value else "nothing"


def _as_object(row: Row) -> dict[str, Any]:
    try:
        value = parse(row.text)
    except UnicodeDecodeError:
        raise _Unfit("is not UTF-8; convert the file with iconv -t utf-8") from None
    except (ValueError, RecursionError) as error:
        raise _Unfit(f"is not JSON: {getattr(error, 'msg', 'nested too deeply')}") from None
    if not isinstance(value, dict):
        raise _Unfit(f"is not a JSON object: {_spell(value)[:40]}")
    return value


def _scores(values: list[Any], field: pa.Field, broken: set[int]) -> tuple[pa.Array, list[Fault]]:
    wide = pa.types.is_fixed_size_list(field.type)
    size = field.type.list_size if wide else 1
    read: Callable[[Any], Any] = (lambda value: _vector(value, size)) if wide else _number
    out, faults = np.full((len(values), size), np.nan), []
    for i, value in enumerate(values):
        try:
            out[i] = read(value) if i not in broken else np.nan
        except _Unfit as error:
            faults.append(Fault(i, field.name, str(error)))
    return lists(out) if wide else numbers(out[:, 0]), faults


def _number(value: Any) -> float:
    if isinstance(value, Number):
        return float(value)
    raise _Unfit("is missing" if value is None else f"{_spell(value)} is not a number")


def _vector(value: Any, size: int) -> list[float]:
    if not isinstance(value, list):
        raise _Unfit("is missing" if value is None else f"{_spell(value)} is not a list of numbers")
    if len(value) != size:
        raise _Unfit(f"holds {len(value)} values where the first row has {size}")
    for i, item in enumerate(value):
        if not isinstance(item, Number):
            raise _Unfit(f"value {i + 1} of the list, {_spell(item)}, is not a number")
    return list(map(float, value))


def _texts(values: list[Any]) -> pa.Array:
    texts = strings(["" if value is None else value if isinstance(value, str) else _spell(value) for value in values])
    valid = np.array([value is not None for value in values], np.bool_)
    if valid.all():
        return texts
    bitmap = pa.py_buffer(np.packbits(valid, bitorder="little"))
    return pa.StringArray.from_buffers(len(texts), texts.buffers()[1], texts.buffers()[2], bitmap)


def _spell(value: Any) -> str:
    """A parsed value as JSON again, its numbers as they stood in the file."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, list):
        return "[" + ",".join(map(_spell, value)) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{_spell(item)}" for key, item in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)
