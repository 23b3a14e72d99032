"""Which columns a table of JSON objects has, found from its first rows."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from softmax_cli.jsontext.blocks import Row

_LOOK_AT = 1000


class Number(str):
    """A JSON number as it is spelled: ids keep their digits, and scores become floats later."""

    __slots__ = ()


_decode = json.JSONDecoder(parse_int=Number, parse_float=Number, parse_constant=Number).decode


def parse(text: bytes) -> Any:
    """One JSON value, its numbers as `Number`.

    Raises
    ------
    ValueError
        It is no JSON, or not in UTF-8.
    RecursionError
        It is nested too deeply.
    """
    return _decode(text.decode())


def find_schema(rows: Iterable[Row]) -> pa.Schema:
    """Keys in order of appearance: numbers are float64, lists of numbers a list column, all else is text."""
    kinds: dict[str, pa.DataType] = {}
    for _, row in zip(range(_LOOK_AT), rows, strict=False):
        try:
            value = parse(row.text)
        except (ValueError, RecursionError):
            continue
        for key, item in value.items() if isinstance(value, dict) else ():
            if kinds.get(key, pa.null()) == pa.null():
                kinds[key] = _kind(item)
    return pa.schema([(key, pa.string() if kind == pa.null() else kind) for key, kind in kinds.items()])


def _kind(value: Any) -> pa.DataType:
    if value is None:
        return pa.null()
    if isinstance(value, Number):
        return pa.float64()
    if isinstance(value, list) and value and all(isinstance(item, Number) or item is None for item in value):
        return pa.list_(pa.float64(), len(value))
    return pa.string()
